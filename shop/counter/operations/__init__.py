"""Handing over, taking back, taking off the shelf. Rows are taken pass first, then what a kind locks, then the things."""

from shop.counter.operations.handing_over import HandoverEvent, Outcome, hand_over
from shop.counter.operations.moving import Arrived, end_by_itself, give_up, put_down
from shop.counter.operations.taking_back import take_back

__all__ = ["Arrived", "HandoverEvent", "Outcome", "end_by_itself", "give_up", "hand_over", "put_down", "take_back"]
