"""Work of the settlement: events, lost news, purchases nobody paid."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import ShopError
from shop.payments import operations as payment_operations
from shop.payments import queries as payments
from shop.payments.errors import ProviderRefused, ProviderUnavailable
from shop.payments.patience import AGAIN_SOON, until_it_answers
from shop.platform import outbox
from shop.settlement import inquiry, operations, queries
from shop.settlement.rules import HANDED_OVER_AFTER, LISTS_ALL_REFUNDS_OF, LISTS_REFUNDS_OF, LOOK_AFTER, OPENS_AGAIN_IN, ROUND_SECONDS

log = logging.getLogger("shop.settlement")

# All of it asks the card provider.
STRIPE = outbox.partner("stripe")
SOMEBODY_WAITS = outbox.partner("stripe-pages")
"""Of its own, so that whoever looks at a page does not wait behind the reconciler."""


@outbox.job("settlement.open_page", lane=SOMEBODY_WAITS)
def open_page(payment_id: int, asked_at: str) -> None:
    """Open the provider's page for somebody who waits for it."""
    if not inquiry.open_page(payment_id, datetime.fromisoformat(asked_at)):
        raise outbox.TryLater(OPENS_AGAIN_IN)


@outbox.job("settlement.look", lane=SOMEBODY_WAITS)
def look(payment_id: int, asked_at: str) -> None:
    """Ask how a payment stands whose page somebody looks at; a question that waited too long is not asked any more."""
    if datetime.fromisoformat(asked_at) > clock.now() - LOOK_AFTER:
        inquiry.look(payment_id)


@outbox.job("payments.send_refund", lane=STRIPE)
def send_refund(refund_id: int) -> None:
    """Send money back to a card. What the provider refuses is planned anew, or brought to a person."""
    with until_it_answers():
        inquiry.carry_on(refund_id)


@outbox.job("settlement.handle_event", lane=STRIPE)
def handle_event(event_row_id: int) -> None:
    with until_it_answers():
        inquiry.handle_event(event_row_id)


@outbox.job("settlement.close", lane=STRIPE)
def close(payment_id: int) -> None:
    with until_it_answers():
        inquiry.close(payment_id)


@outbox.job("settlement.return_mismatch", lane=STRIPE)
def return_mismatch(payment_id: int) -> None:
    with until_it_answers():
        if not inquiry.return_mismatch(payment_id):
            raise outbox.TryLater(AGAIN_SOON)


@outbox.periodic("settlement.reconcile", every=timedelta(seconds=60), lane=STRIPE)
def reconcile() -> None:
    """News that never came: ask about every card payment whose end is not known after a minute."""
    each(payments.open_card_payments(reading(), clock.now() - LOOK_AFTER), inquiry.settle)


@outbox.periodic("settlement.give_back", every=timedelta(seconds=60), lane=STRIPE)
def give_back() -> None:
    """Money that is to go back and has not: sent and asked about until it has, or the provider's no has brought it to a person.

    What a job was to do is done here as well, whatever became of that job.
    """
    since = clock.now() - LOOK_AFTER
    each(payments.open_refunds(reading(), since), inquiry.carry_on)
    each(queries.mismatches_to_return(reading(), since), inquiry.return_mismatch)


@outbox.periodic("settlement.hand_over_refunds", every=timedelta(minutes=10), lane=outbox.SOON)
def hand_over_refunds() -> None:
    """Refunds that take longer than they may are brought to a person; they are asked about all the same."""
    if slow := payments.slow_refunds(reading(), clock.now() - HANDED_OVER_AFTER):
        perform(payment_operations.hand_over_slow, list(slow))


@outbox.periodic("settlement.look_through_refunds", every=timedelta(minutes=10), lane=STRIPE)
def look_through_refunds() -> None:
    """Refunds at the provider's side whose event never came."""
    inquiry.look_through_refunds(clock.now() - LISTS_REFUNDS_OF)


@outbox.periodic("settlement.look_through_all_refunds", every=timedelta(days=1), lane=STRIPE)
def look_through_all_refunds() -> None:
    """The same, as far back as a bank may still send one back."""
    inquiry.look_through_refunds(clock.now() - LISTS_ALL_REFUNDS_OF)


@outbox.periodic("settlement.catch_up", every=timedelta(seconds=60), lane=STRIPE)
def catch_up() -> None:
    """Events that were kept but never looked into."""
    each(payments.unread_events(reading(), clock.now() - LOOK_AFTER), inquiry.handle_event)


@outbox.periodic("settlement.look_for_fees", every=timedelta(minutes=10), lane=STRIPE)
def look_for_fees() -> None:
    """Fees the provider did not know yet when the money came."""
    each(payments.without_fee(reading(), clock.now()), inquiry.look_for_fee)


@outbox.periodic("settlement.look_for_disputes", every=timedelta(hours=6), lane=STRIPE)
def look_for_disputes() -> None:
    """Disputes nobody told us about: their news is lost as any other may be."""
    try:
        inquiry.look_for_disputes()
    except (ProviderUnavailable, ProviderRefused) as refusal:
        log.warning("no news of disputes: %s", refusal.code)


@outbox.periodic("settlement.close_overdue", every=timedelta(seconds=30), lane=STRIPE)
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
        except Exception:
            log.exception("%s of %s failed", getattr(work, "__name__", "work"), one)
