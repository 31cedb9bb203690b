"""Asking the card provider, after a restore, what happened since the backup. It is only asked: nothing is sent, nobody is charged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from shop.kernel import clock
from shop.kernel.db import finish_reading, perform, reading
from shop.models.payments import Payment, Refund
from shop.payments import operations, queries
from shop.payments.errors import ProviderRefused
from shop.payments.gateway import gateway
from shop.payments.snapshots import Arrival
from shop.settlement import giving_back, inquiry
from shop.settlement.operations import Outcome

EARLIER = timedelta(days=1)
"""So long before the backup the provider's lists begin: somebody may pay on a page long after it was opened."""

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Gap:
    """What the provider knew and we did not."""

    settled: int  # payments whose end we have learned
    refunds: int  # payments whose refunds were brought to the provider's list
    waiting: int  # payments whose refunds will be, once ours that are not sent yet have gone
    strangers: tuple[Arrival, ...]  # money of payments that are not in our books: they were begun after the backup


def close_gap(backup_moment: datetime) -> Gap:
    """Bring our books to the card provider's. As often as you like. Raises `ProviderUnavailable` when it gives no answer."""
    since = backup_moment - EARLIER
    arrivals = gateway().arrivals_since(since)
    _find_pages(arrivals)
    settled = _settle_open()
    refunds, waiting = _know_refunds(since)
    inquiry.look_for_disputes()
    return Gap(settled, refunds, waiting, _strangers(arrivals))


def _find_pages(arrivals: tuple[Arrival, ...]) -> None:
    """Payments of ours that were paid on a page opened after the backup: which page that is."""
    for one in arrivals:
        payment = queries.by_ref(reading(), one.our_ref) if one.our_ref else None
        without_page = payment.id if payment is not None and payment.provider_session is None else None
        finish_reading()
        page = gateway().session_of_intent(one.intent) if without_page is not None else None
        if without_page is not None and page is not None:
            perform(operations.keep_session, without_page, page, "")


def _settle_open() -> int:
    """Ask about every card payment whose end is not known, page by page of the list; how many have one now."""
    settled, seen = 0, set[int]()
    while ids := [one for one in queries.open_card_payments(reading(), clock.now(), AT_ONCE + len(seen)) if one not in seen]:
        finish_reading()
        for payment_id in ids:
            seen.add(payment_id)
            try:
                settled += inquiry.settle(payment_id) not in {Outcome.KNOWN, Outcome.WAITING}
            except ProviderRefused:
                continue  # the provider has no such page: it ends by itself
    return settled


def _know_refunds(since: datetime) -> tuple[int, int]:
    """Book the provider's list of refunds of every payment of which ours are on their way, or it made some since the backup."""
    session = reading()
    ours = [session.get_one(Refund, one).payment_id for one in queries.open_refunds(session, clock.now(), 100_000)]
    finish_reading()
    theirs = [queries.by_provider_object(reading(), one.intent) for one in gateway().refunds_since(since) if one.intent]
    found = {*ours, *(payment.id for payment in theirs if payment is not None)}
    known = 0
    for payment_id in sorted(found):
        intent = reading().get_one(Payment, payment_id, populate_existing=True).provider_intent
        finish_reading()
        known += intent is not None and perform(giving_back.know, payment_id, gateway().refunds_of(intent))
    return known, len(found) - known


def _strangers(arrivals: tuple[Arrival, ...]) -> tuple[Arrival, ...]:
    """Money the provider has for payments that are not in our books."""
    session = reading()
    unknown = tuple(
        one for one in arrivals
        if queries.by_provider_object(session, one.intent) is None and (one.our_ref is None or queries.by_ref(session, one.our_ref) is None)
    )  # fmt: skip
    finish_reading()
    return unknown
