"""Packing, sending, receiving, ending. Rows are taken batch first, then pass, then as everywhere: payment, order, accounts."""

from shop.fulfilment.operations.declining import decline, short_line
from shop.fulfilment.operations.ending import (
    clear,
    close_batches,
    end_by_itself,
    end_now,
    remind,
    tell_buyers,
    tell_shops,
)  # fmt: skip
from shop.fulfilment.operations.looking_up import LookUp, look_up
from shop.fulfilment.operations.packing import Packed, accept_all, hand_to_driver, pack, take_back_sending, unpack
from shop.fulfilment.operations.receiving import Arrival, receive

__all__ = [
    "Arrival", "LookUp", "Packed", "accept_all", "clear", "close_batches", "decline", "end_by_itself", "end_now",
    "hand_to_driver", "look_up", "pack", "receive", "remind", "short_line", "take_back_sending", "tell_buyers", "tell_shops", "unpack",
]
