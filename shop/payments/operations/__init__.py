"""Records of money coming in and going back. What a payment pays for is decided by `shop.settlement`."""

from shop.payments.operations.paying import (
    ask_for_news,
    ask_for_page,
    cancel,
    cancel_unopened,
    fail,
    finish_event,
    give_up,
    keep_fee,
    keep_opening,
    keep_session,
    move,
    note_answer,
    note_asked,
    note_movement,
    note_return_refused,
    note_returned,
    note_silence,
    pay_purchase,
    progress,
    receive_event,
    reject,
    say_movement,
    start,
    succeed,
)
from shop.payments.operations.proposing import decide, propose
from shop.payments.operations.refunding import (
    carry_on,
    cover,
    cover_from,
    given_twice,
    hand_over_slow,
    keep_refund,
    note_uncovered,
    open_refund,
    settle_refund,
    went_before,
)

__all__ = [
    "ask_for_news", "ask_for_page", "cancel", "cancel_unopened", "carry_on", "cover", "cover_from", "decide", "fail", "finish_event",
    "give_up", "given_twice", "hand_over_slow", "keep_fee", "keep_opening", "keep_refund", "keep_session", "move", "note_answer",
    "note_asked", "note_movement", "note_return_refused", "note_returned", "note_silence", "note_uncovered", "open_refund", "pay_purchase",
    "progress", "propose", "receive_event", "reject", "say_movement", "settle_refund", "start", "succeed", "went_before",
]
