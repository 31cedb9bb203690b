"""After a restore: asking everybody outside what they know that we forgot. Only asking: nothing is sent and nobody is charged."""

from __future__ import annotations

from dataclasses import dataclass, field

from shop.bills import operations as bills
from shop.bills import queries
from shop.bills.gateway import gateway as billers
from shop.bills.jobs import made
from shop.kernel import clock
from shop.kernel.db import finish_reading, perform, reading
from shop.models.bills import AttemptKind, AttemptOutcome
from shop.payments.errors import ProviderUnavailable
from shop.platform import pauses
from shop.settlement import after_restore
from shop.settlement.after_restore import Gap

AT_ONCE = 100_000
ANSWERS = (AttemptOutcome.ACCEPTED, AttemptOutcome.REJECTED, AttemptOutcome.NOT_FOUND, AttemptOutcome.PROCESSING)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was learned."""

    gap: Gap
    bills_doubted: int
    bills_answered: int
    bills_silent: list[str] = field(default_factory=list)  # serials about which the biller gave no answer: they are asked about first


class NobodyAnswers(Exception):
    """The card provider gave no answer: nothing is known, so nothing is resumed."""


def reconcile() -> Asked:
    """Ask the card provider, then the billers, and note that it was done. As often as you like; the last time counts.

    The card provider first: money that it has is what bills by card are sent for. Raises `NothingPaused`, `NobodyAnswers`.
    """
    since = pauses.backup_moment(reading())
    if since is None:
        raise pauses.NothingPaused()
    finish_reading()
    try:
        gap = after_restore.close_gap(since)
    except ProviderUnavailable as silence:
        raise NobodyAnswers() from silence
    doubted = perform(bills.doubt_unsent, billers().settle_window)
    answered, silent = ask_billers()
    perform(pauses.note_reconciled)
    return Asked(gap, doubted, answered, silent)


def ask_billers() -> tuple[int, list[str]]:
    """Ask about every bill payment on its way, one question each; how many were answered, and the serials of the others."""
    waiting = [(payment.id, payment.serial) for payment in queries.due_for_a_step(reading(), clock.now(), AT_ONCE)]
    finish_reading()
    channel, answered, silent = billers(), 0, list[str]()
    for payment_id, serial in waiting:
        call = perform(bills.begin, payment_id, channel.settle_window)
        if call is None:
            continue
        if call.kind is not AttemptKind.INQUIRY:
            raise RuntimeError("a payment would have been sent while sending is paused")
        answer = made(channel, call)
        perform(bills.finish, call, answer, channel.settle_window)
        if answer.outcome in ANSWERS:
            answered += 1
        else:
            silent.append(serial)
    return answered, silent
