"""Packing, sending, receiving, handing over. Rows are taken batch first, then pass, then as everywhere: payment, order, accounts."""

from shop.fulfilment.operations.handing_over import HandoverEvent, LookUp, Outcome, hand_over, look_up
from shop.fulfilment.operations.packing import Packed, accept_all, hand_to_driver, pack
from shop.fulfilment.operations.receiving import Arrival, receive
from shop.fulfilment.operations.taking_back import take_back

__all__ = [
    "Arrival", "HandoverEvent", "LookUp", "Outcome", "Packed", "accept_all", "hand_over", "hand_to_driver", "look_up", "pack", "receive",
    "take_back",
]
