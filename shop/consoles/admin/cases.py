"""Payments that need a person: what is known about each, and with it what is safe to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.consoles.admin.queries import Deed
from shop.kernel.money import Money
from shop.kernel.rows import all_as
from shop.models.accounts import User
from shop.models.bills import IN_FLIGHT, AttemptOutcome, BillAttempt, Biller, BillPayment, BillPaymentState
from shop.models.orders import PaymentMethod, Purchase, SubOrder
from shop.models.payments import (
    STILL_OPEN,
    WITHOUT_FEE,
    EventState,
    Payment,
    PaymentPurpose,
    PaymentState,
    ProposalState,
    ProviderEvent,
    ProviderMovement,
    Refund,
    RefundMethod,
    RefundProposal,
    RefundState,
)
from shop.models.platform import AuditEntry
from shop.payments.queries import LEFT
from shop.payments.rules import FEE_FOLLOWS_WITHIN, FEE_IS_LATE_AFTER, UNSETTLED
from shop.settlement.rules import MISMATCH

NEVER_TOLD = "never_told"
"""Why a person has a fee: the provider has not told it for a month, and is not asked any more."""
LONGER_THAN_USUAL = timedelta(minutes=10)
CARRIED_BY_CARD: Any = (Payment.id == Refund.payment_id, Payment.method == PaymentMethod.STRIPE)
UNRESOLVED = (BillPaymentState.SENDING, BillPaymentState.UNKNOWN)

# Said word for word as their indexes say it: what needs somebody is few among all that ended.
NEEDS_A_PERSON: Any = sa.text(
    "(bill_payments.handed_over_at IS NOT NULL AND bill_payments.state = 'unknown' OR bill_payments.contradicted_at IS NOT NULL)"
)
BEING_ASKED: Any = sa.and_(
    sa.text(f"bill_payments.{IN_FLIGHT}"), BillPayment.handed_over_at.is_(None), BillPayment.state.in_(UNRESOLVED)
)
PAGES_OPEN: Any = sa.text(f"payments.{STILL_OPEN}")

WHICH: dict[str, Any] = {"": NEEDS_A_PERSON, "asking": BEING_ASKED}


@dataclass(frozen=True, slots=True)
class Case:
    """A bill payment whose end is not known, or about which its biller contradicted itself."""

    id: int
    ref: str
    serial: str
    state: BillPaymentState
    total: Money
    biller_name_zh: str
    biller_name_en: str
    payer_name: str
    created_at: datetime
    sent_at: datetime | None
    handed_over_at: datetime | None
    contradicted_at: datetime | None
    next_inquiry_at: datetime | None
    attempts: int
    last_outcome: AttemptOutcome | None
    last_at: datetime | None

    @property
    def can_be_asked(self) -> bool:
        """Asking moves no money: it is safe whenever the end is not known."""
        return self.state is BillPaymentState.UNKNOWN


def cases(session: Session, which: str, before: int | None, limit: int) -> tuple[list[Case], int | None]:
    """Bill payments that need a person (or are still being asked about), the newest first, and where the next page begins. One query."""
    last = sa.orm.aliased(BillAttempt)
    columns: tuple[Any, ...] = (
        BillPayment.id, BillPayment.ref, BillPayment.serial, BillPayment.state, BillPayment.total,
        Biller.name_zh.label("biller_name_zh"), Biller.name_en.label("biller_name_en"), User.display_name.label("payer_name"),
        BillPayment.created_at, BillPayment.sent_at, BillPayment.handed_over_at, BillPayment.contradicted_at,
        BillPayment.next_inquiry_at, BillPayment.attempts, last.outcome.label("last_outcome"), last.started_at.label("last_at"),
    )  # fmt: skip
    found = (
        sa.select(*columns)
        .join(Biller, Biller.id == BillPayment.biller_id)
        .join(User, User.id == BillPayment.user_id)
        .outerjoin(last, sa.and_(last.bill_payment_id == BillPayment.id, last.number == BillPayment.attempts))
        .where(WHICH.get(which, WHICH[""]))
    )
    if before is not None:
        found = found.where(BillPayment.id < before)
    rows = all_as(Case, session.execute(found.order_by(BillPayment.id.desc()).limit(limit + 1)))
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something the card provider has not done yet, for longer than usual. Whether a person has it, or it is asked for by itself."""

    kind: str
    ref: str
    amount: Money | None
    since: datetime
    reason: str | None = None

    @property
    def needs_a_person(self) -> bool:
        return self.reason is not None


def _waiting(kind: str, ref: Any, amount: Any, since: Any, reason: Any = sa.null()) -> sa.Select[Any]:  # noqa: B008  (a constant of SQL)
    return sa.select(
        sa.literal(kind).label("kind"), ref.label("ref"), amount.label("amount"), since.label("since"), reason.label("reason")
    )  # fmt: skip


def waiting_at_provider(session: Session, moment: datetime, limit: int = 50) -> list[Waiting]:
    """Refunds, wrong amounts, pages to close and events whose end is not known for ten minutes, the oldest first.

    With them fees the provider has not told for a day, and what moved on the account without our knowing what it is in yuan.
    """
    before = moment - LONGER_THAN_USUAL
    refunds = _waiting("refund", Refund.ref, Refund.amount, Refund.created_at).where(
        Refund.state.in_(UNSETTLED), Refund.created_at < before, sa.exists().where(*CARRIED_BY_CARD)
    )
    mismatches = _waiting("mismatch", Payment.ref, Payment.amount, Payment.closed_at, Payment.return_refused).where(
        Payment.state == PaymentState.FAILED, Payment.failure_code == MISMATCH, Payment.returned_at.is_(None), Payment.closed_at < before
    )
    pages = _waiting("page", Payment.ref, Payment.amount, Payment.expires_at).where(
        PAGES_OPEN, Payment.method == PaymentMethod.STRIPE, Payment.expires_at < before
    )
    events = _waiting("event", ProviderEvent.event_id, sa.null(), ProviderEvent.received_at).where(
        ProviderEvent.state == EventState.RECEIVED, ProviderEvent.received_at < before
    )
    is_given_up = sa.case((Payment.succeeded_at < moment - FEE_FOLLOWS_WITHIN, sa.literal(NEVER_TOLD)), else_=sa.null())
    fees = _waiting("fee", Payment.ref, Payment.amount, Payment.succeeded_at, is_given_up).where(
        WITHOUT_FEE, Payment.succeeded_at < moment - FEE_IS_LATE_AFTER
    )
    unbooked = (
        _waiting("movement", Payment.ref, Payment.amount, ProviderMovement.noted_at, ProviderMovement.provider_ref)
        .join(Payment, Payment.id == ProviderMovement.payment_id)
        .where(sa.or_(ProviderMovement.booked_amount.is_(None), ProviderMovement.booked_fee.is_(None)))
        .order_by(ProviderMovement.noted_at)
    )
    kinds = (refunds, mismatches, pages, events, fees.order_by(Payment.succeeded_at), unbooked)
    found = [one for kind in kinds for one in all_as(Waiting, session.execute(kind.limit(limit)))]
    return sorted(found, key=lambda waiting: waiting.since)


NOT_BACK: Any = sa.and_(
    Refund.handed_over_at.is_not(None),
    sa.or_(
        sa.and_(Refund.state == RefundState.FAILED, Refund.carried_on < Refund.amount), Refund.state.in_(UNSETTLED),
        Refund.uncovered_at.is_not(None),
    ),
)  # fmt: skip
"""Money that has not gone back, or has gone back and was nobody's: a person has it."""


@dataclass(frozen=True, slots=True)
class NotBack:
    """A refund a person has: what of it is still to be looked after, since when, and what can be done about it."""

    id: int
    ref: str
    left: Money
    state: RefundState
    method: RefundMethod
    failure_code: str | None
    reason: str
    created_at: datetime
    since: datetime
    uncovered_at: datetime | None
    payer_name: str
    order_number: str | None
    purpose: PaymentPurpose
    payment_ref: str
    proposal_id: int | None
    has_wallet: bool

    @property
    def can_go_on(self) -> bool:
        """It failed, and nobody has asked for a transfer of it: it can be sent again, or another way."""
        return self.state is RefundState.FAILED and self.proposal_id is None

    @property
    def can_be_covered(self) -> bool:
        return self.uncovered_at is not None and self.purpose is not PaymentPurpose.BILL


def not_back(session: Session, limit: int = 100) -> list[NotBack]:
    """Money that has not gone back, the longest waiting first. One query."""
    proposed = sa.select(RefundProposal.id).where(RefundProposal.refund_id == Refund.id, RefundProposal.state == ProposalState.ASKED)
    columns: tuple[Any, ...] = (
        Refund.id, Refund.ref, LEFT.label("left"), Refund.state, Refund.method, Refund.failure_code, Refund.reason,
        Refund.created_at, Refund.handed_over_at.label("since"), Refund.uncovered_at, User.display_name.label("payer_name"),
        Purchase.number.label("order_number"), Payment.purpose, Payment.ref.label("payment_ref"), proposed.label("proposal_id"),
        (User.verification_level > 0).label("has_wallet"),
    )  # fmt: skip
    found = (
        sa.select(*columns)
        .join(Payment, Payment.id == Refund.payment_id)
        .join(User, User.id == Payment.user_id)
        .outerjoin(Purchase, Purchase.id == Payment.purchase_id)
        .where(NOT_BACK)
    )
    return all_as(NotBack, session.execute(found.order_by(Refund.handed_over_at, Refund.id).limit(limit)))


@dataclass(frozen=True, slots=True)
class Proposed:
    """Money somebody wants to give back, waiting for another's yes."""

    id: int
    amount: Money
    method: RefundMethod
    reason: str
    reference: str
    asked_by_id: int
    asked_by_name: str
    asked_at: datetime
    part_number: str | None
    refund_ref: str | None
    payer_id: int


def proposals(session: Session, limit: int = 100) -> list[Proposed]:
    """What waits for another person's yes, the oldest first. One query."""
    columns: tuple[Any, ...] = (
        RefundProposal.id, RefundProposal.amount, RefundProposal.method, RefundProposal.reason, RefundProposal.reference,
        RefundProposal.asked_by_id, User.display_name.label("asked_by_name"), RefundProposal.asked_at, SubOrder.number.label("part_number"),
        Refund.ref.label("refund_ref"), sa.func.coalesce(SubOrder.user_id, Payment.user_id).label("payer_id"),
    )  # fmt: skip
    found = (
        sa.select(*columns)
        .join(User, User.id == RefundProposal.asked_by_id)
        .outerjoin(SubOrder, SubOrder.id == RefundProposal.sub_order_id)
        .outerjoin(Refund, Refund.id == RefundProposal.refund_id)
        .outerjoin(Payment, Payment.id == Refund.payment_id)
        .where(RefundProposal.state == ProposalState.ASKED)
    )
    return all_as(Proposed, session.execute(found.order_by(RefundProposal.id).limit(limit)))


def refunds_of(session: Session, purchase_id: int) -> list[Any]:
    """Every refund of an order with its way, its end and what it carries on, the oldest first."""
    return list(
        session.execute(
            sa.select(
                Refund.ref, Refund.amount, Refund.carried_on, Refund.state, Refund.method, Refund.origin, Refund.reason,
                Refund.failure_code, Refund.created_at, Refund.settled_at, SubOrder.number.label("part_number"),
            )
            .join(Payment, Payment.id == Refund.payment_id)
            .outerjoin(SubOrder, SubOrder.id == Refund.sub_order_id)
            .where(Payment.purchase_id == purchase_id)
            .order_by(Refund.id)
        )
    )  # fmt: skip


def deeds_of(session: Session, purchase_id: int, limit: int = 100) -> list[Deed]:
    """Everything the audit trail says of an order: of itself, its parts, its payments and their refunds. The newest first."""
    payments = sa.select(Payment.id).where(Payment.purchase_id == purchase_id)
    parts = sa.select(SubOrder.id).where(SubOrder.purchase_id == purchase_id)
    refunds = sa.select(Refund.id).where(Refund.payment_id.in_(payments))
    of_either = sa.union_all(  # each by its own index
        sa.select(RefundProposal.id).where(RefundProposal.sub_order_id.in_(parts)),
        sa.select(RefundProposal.id).where(RefundProposal.refund_id.in_(refunds)),
    )
    subjects: dict[str, Any] = {
        "purchase": sa.select(Purchase.id).where(Purchase.id == purchase_id), "sub_order": parts, "payment": payments, "refund": refunds,
        "refund_proposal": of_either,
    }  # fmt: skip
    about = [sa.and_(AuditEntry.subject_type == kind, AuditEntry.subject_id.in_(ids)) for kind, ids in subjects.items()]
    found = sa.select(*(getattr(AuditEntry, name) for name in Deed.__slots__)).where(sa.or_(*about))
    return all_as(Deed, session.execute(found.order_by(AuditEntry.id.desc()).limit(limit)))
