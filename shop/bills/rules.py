"""The rules of bills: numbers, masks, what may be paid together, and what is done next about a payment on its way. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shop.bills.answers import Offer
from shop.bills.errors import (
    AccountNumberMissing,
    AmountNotSold,
    BillNotDue,
    MalformedAccountNumber,
    MalformedMobileNumber,
    NothingChosen,
    OlderBillDue,
)
from shop.kernel import identifiers
from shop.kernel.money import Money
from shop.models.bills import AmountRule, AttemptKind, AttemptOutcome, BillPaymentState, LookUpOutcome

LOOK_UPS_PER_DAY = 10
NUMBERS_PER_DAY = 20
LOOK_UP_PATIENCE = timedelta(minutes=2)
KEPT_FOR = timedelta(minutes=10)  # how long an answer is shown without asking again
PAYABLE_FOR = timedelta(minutes=5)  # how old the figures may be that somebody pays by
TYPING_TIME = timedelta(minutes=2)  # what is left of that, at least, when the page that asks for the PIN opens
REST_AFTER_SILENCE = timedelta(seconds=15)

FACES = tuple(Money(yuan * 100) for yuan in (10, 20, 30, 50, 100, 200, 300, 500))

# How long nobody else touches a payment that a worker is calling about: longer than any call and its settle window.
CALL_LEASE = timedelta(minutes=2)
INQUIRE_AFTER = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 30, 60, 180, 600, 1_800))
# How long a payment may wait for a silent biller before its money goes back unsent.
UNSENT_FOR = timedelta(minutes=30)
NEVER_SENT = "never_sent"
NOT_PAID = "not_paid"
"""Why a payment by card ended before any money came."""
MOST_TOGETHER = 20
THEN_EVERY = timedelta(hours=1)
PERSON_AFTER = timedelta(hours=24)
WITH_A_PERSON_EVERY = timedelta(hours=6)
LOOK_AGAIN_AFTER_REFUND = (timedelta(minutes=10), timedelta(hours=24))

ON_ITS_WAY = (BillPaymentState.CREATED, BillPaymentState.FUNDS_HELD, BillPaymentState.SENDING, BillPaymentState.UNKNOWN)
DEFINITE = (AttemptOutcome.ACCEPTED, AttemptOutcome.REJECTED)


def partner_of(biller_code: str) -> str:
    """What a biller is called among our partners."""
    return f"biller:{biller_code}"


def account_number(value: str, pattern: str, *, is_mobile: bool = False) -> str:
    """A number as the biller writes it: half-width, without the grouping of a page or a paper bill, of the biller's form.

    Raises `AccountNumberMissing`, `MalformedAccountNumber`, or of a telephone `MalformedMobileNumber`.
    """
    malformed = MalformedMobileNumber if is_mobile else MalformedAccountNumber
    if not value.strip():
        raise AccountNumberMissing()
    if is_mobile and not identifiers.is_phone(value):
        raise malformed()
    number = identifiers.account_number(identifiers.phone_number(value) if is_mobile else value, pattern)
    if number is None:
        raise malformed()
    return number


def mask_address(address: str) -> str:
    """An address up to the building: nobody who types a neighbour's number learns the door."""
    if building := re.search(r"[0-9A-Za-z一二三四五六七八九十](?:栋|幢|号楼|座)", address):
        return address[: building.end()]
    return re.split(r"[0-9]", address, maxsplit=1)[0]


def spaced_phone(number: str) -> str:
    """`138 0000 0001`, as people read a number back."""
    return f"{number[:3]} {number[3:7]} {number[7:]}"


@dataclass(frozen=True, slots=True)
class Period:
    """A bill as far as choosing goes."""

    ref: str
    period: str
    total: Money


def check_oldest_first(due: Sequence[Period], chosen: Sequence[str]) -> None:
    """Refuse a choice that leaves an older period unpaid (`OlderBillDue`), or names one that is not due (`BillNotDue`)."""
    if not chosen:
        raise NothingChosen()
    if len(set(chosen)) != len(chosen) or not set(chosen) <= {bill.ref for bill in due}:
        raise BillNotDue()
    oldest = sorted(due, key=lambda bill: (bill.period, bill.ref))[: len(chosen)]
    if {bill.ref for bill in oldest} != set(chosen):
        raise OlderBillDue()


def check_amount(rule: AmountRule, amount: Money, offer: Offer | None) -> None:
    """Refuse an amount a prepaid biller does not sell (`AmountNotSold`): a face, a step, whole months."""
    sold = FACES if rule is AmountRule.FIXED_FACES else offer.amounts if offer else ()
    if amount not in sold:
        raise AmountNotSold()


def is_waiting(asked_at: datetime, outcome: LookUpOutcome | None, moment: datetime) -> bool:
    """Whether the answer to a question asked then may still come."""
    return outcome is None and asked_at > moment - LOOK_UP_PATIENCE


def is_payable(fetched_at: datetime | None, moment: datetime, margin: timedelta = timedelta(0)) -> bool:
    """Whether somebody may pay by figures of that age, `margin` from now."""
    return fetched_at is not None and fetched_at + PAYABLE_FOR >= moment + margin


@dataclass(frozen=True, slots=True)
class Try:
    """One earlier call about a payment."""

    number: int
    kind: AttemptKind
    started_at: datetime
    ended_at: datetime | None
    outcome: AttemptOutcome | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A payment as far as its next step goes; `tries` oldest first."""

    state: BillPaymentState
    next_inquiry_at: datetime | None
    sent_at: datetime | None
    tries: tuple[Try, ...]
    is_idempotent: bool
    answers_inquiries: bool


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What happens to a payment whose end is not known: when to ask next (None: not by ourselves), and whether a person has to look."""

    next_inquiry_at: datetime | None
    needs_person: bool = False


def next_move(standing: Standing, settle_window: timedelta, moment: datetime) -> AttemptKind | None:
    """What to do about a payment now: send it, ask about it, or (None) leave it alone.

    A payment is sent when it never was, and once more, under its one serial, only after the biller said "not found" to an
    inquiry made later than the settle window after the last try. A time-out or a worker that died never sends again.
    """
    if standing.state is BillPaymentState.FUNDS_HELD:
        return AttemptKind.POST
    if standing.state not in (BillPaymentState.SENDING, BillPaymentState.UNKNOWN, BillPaymentState.REFUNDED):
        return None
    if standing.next_inquiry_at is None or standing.next_inquiry_at > moment:
        return None
    if standing.state is BillPaymentState.UNKNOWN and may_send_again(standing, settle_window, moment):
        return AttemptKind.POST
    return AttemptKind.INQUIRY


def never_arrived(standing: Standing, settle_window: timedelta) -> bool:
    """Whether it is certain that no earlier try arrived or can still arrive."""
    if not standing.tries:
        return False
    last = standing.tries[-1]
    if last.kind is not AttemptKind.INQUIRY or last.outcome is not AttemptOutcome.NOT_FOUND:
        return False
    return last.started_at >= last_sent_at(standing.tries) + settle_window


def may_send_again(standing: Standing, settle_window: timedelta, moment: datetime) -> bool:
    """Whether the same serial may be sent once more. Not to a biller that does not keep serials, and not once a person has it."""
    return standing.is_idempotent and not is_overdue(standing.sent_at, moment) and never_arrived(standing, settle_window)


def last_sent_at(tries: Sequence[Try]) -> datetime:
    """When the newest try to pay was over, as far as we know."""
    return max(known.ended_at or known.started_at for known in tries if known.kind is AttemptKind.POST)


def is_overdue(sent_at: datetime | None, moment: datetime) -> bool:
    """Whether a person has to look after a payment whose end is still not known."""
    return sent_at is not None and moment >= sent_at + PERSON_AFTER


def follow_up(standing: Standing, settle_window: timedelta, moment: datetime) -> FollowUp:
    """How it goes on after a try that did not say how the payment ended. The try is the last of `standing.tries`.

    Asked 5, 15, 30 s, 1, 3, 10, 30 min after the last try to pay, then every hour; after 24 hours a person looks, and we
    ask only now and then. A biller without inquiries, or one that forgets serials, is a person's matter at once.
    """
    if not standing.answers_inquiries:
        return FollowUp(None, needs_person=True)
    if is_overdue(standing.sent_at, moment):
        return FollowUp(moment + WITH_A_PERSON_EVERY, needs_person=True)
    if never_arrived(standing, settle_window):
        return FollowUp(moment) if standing.is_idempotent else FollowUp(moment + THEN_EVERY, needs_person=True)
    sent_at = last_sent_at(standing.tries)
    following = next((sent_at + wait for wait in INQUIRE_AFTER if sent_at + wait > moment), moment + THEN_EVERY)
    return FollowUp(min(following, standing.sent_at + PERSON_AFTER) if standing.sent_at else following)


def next_look_after_refund(refunded_at: datetime, moment: datetime) -> datetime | None:
    """When to make sure that a biller stands by its "failed"; None when it has."""
    return next((refunded_at + wait for wait in LOOK_AGAIN_AFTER_REFUND if refunded_at + wait > moment), None)
