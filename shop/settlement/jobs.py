"""Work of the settlement: events, lost news, purchases nobody paid."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable
from datetime import timedelta

from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import ShopError, sentence
from shop.payments import queries as payments
from shop.payments import refunding
from shop.platform import notices, outbox
from shop.settlement import inquiry, operations, queries
from shop.settlement.rules import LOOK_AFTER, ROUND_SECONDS

log = logging.getLogger("shop.settlement")

notices.declare(
    "payment.late",
    sentence("Your payment came too late"),
    sentence("The order had run out and its goods are no longer to be had. ¥%(amount)s goes back to where it came from, all by itself."),
)
notices.declare(
    "payment.failed",
    sentence("A payment did not go through"),
    sentence("The payment of ¥%(amount)s did not go through. Nothing was charged."),
)
notices.declare(
    "wallet.topped_up",
    sentence("Money is in your wallet"),
    sentence("¥%(amount)s was added to your wallet."),
)


@outbox.job("settlement.handle_event")
def handle_event(event_row_id: int) -> None:
    inquiry.handle_event(event_row_id)


@outbox.job("settlement.close")
def close(payment_id: int) -> None:
    inquiry.close(payment_id)


@outbox.job("settlement.return_mismatch")
def return_mismatch(payment_id: int) -> None:
    inquiry.return_mismatch(payment_id)


@outbox.periodic("settlement.reconcile", every=timedelta(seconds=60))
def reconcile() -> None:
    """News that never came: ask about every card payment and refund whose end is not known after a minute."""
    since = clock.now() - LOOK_AFTER
    each(payments.open_card_payments(reading(), since), inquiry.settle)
    each(payments.sent_refunds(reading(), since), refunding.ask)


@outbox.periodic("settlement.close_overdue", every=timedelta(seconds=30))
def close_overdue() -> None:
    """Purchases and top-ups nobody paid in time: closed at the provider first, then here."""
    each(queries.overdue_payments(reading(), clock.now()), inquiry.close)
    each(queries.overdue_purchases(reading(), clock.now()), lambda purchase_id: perform(operations.expire_purchase, purchase_id))


def each(ids: Iterable[int], work: Callable[[int], object]) -> None:
    """Do something for each, in no fixed order, for no longer than a round may take; one that fails does not stop the others."""
    mixed = list(ids)
    random.shuffle(mixed)
    end = time.monotonic() + ROUND_SECONDS
    for one in mixed:
        if time.monotonic() > end:
            return
        try:
            work(one)
        except ShopError as refusal:
            log.warning("%s of %s: %s", getattr(work, "__name__", "work"), one, refusal.code)
