"""Reading payments and refunds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel.columns import MoneyType
from shop.kernel.money import ZERO, Money
from shop.models.orders import PaymentMethod, SubOrder
from shop.models.payments import (
    STILL_OPEN,
    WITHOUT_FEE,
    EventState,
    Payment,
    ProviderEvent,
    Refund,
    RefundMethod,
    RefundProposal,
    RefundState,
)
from shop.payments.errors import PaymentNotFound
from shop.payments.rules import (
    FEE_EVERY,
    FEE_EVERY_DAY,
    FEE_FOLLOWS_WITHIN,
    FEE_IS_LATE_AFTER,
    LOOK_FOR_FEE_AFTER,
    UNSETTLED,
)
from shop.payments.snapshots import RefundSnapshot
from shop.platform.actor import Actor

STILL_OPEN_ONES = sa.text(f"payments.{STILL_OPEN}")
"""As the index of them says it, word for word."""


def mine(session: Session, actor: Actor, ref: str) -> Payment:
    """A payment of the person who asks. Raises `PaymentNotFound`, also when it is somebody else's."""
    found = session.scalars(sa.select(Payment).where(Payment.ref == ref, Payment.user_id == actor.signed_in_id())).first()
    if found is None:
        raise PaymentNotFound()
    return found


def by_ref(session: Session, ref: str) -> Payment | None:
    """The payment of a reference, whoever's it is."""
    return session.scalars(sa.select(Payment).where(Payment.ref == ref)).first()


def by_provider_object(session: Session, object_id: str) -> Payment | None:
    """The payment of a provider's session or intent, if we know of it."""
    either = sa.or_(Payment.provider_session == object_id, Payment.provider_intent == object_id)
    return session.scalars(sa.select(Payment).where(either)).first()


def refund_by_ref(session: Session, ref: str) -> Refund | None:
    """The refund of a reference."""
    return session.scalars(sa.select(Refund).where(Refund.ref == ref)).first()


def refunds_of(session: Session, payment_id: int) -> Sequence[Refund]:
    """What was given back of a payment, oldest first."""
    return session.scalars(sa.select(Refund).where(Refund.payment_id == payment_id).order_by(Refund.id)).all()


def held_refunds(session: Session, payment_id: int) -> Sequence[Refund]:
    """Refunds of a payment that failed and that nothing carries on, or not all of it, the oldest first."""
    failed = sa.select(Refund).where(
        Refund.payment_id == payment_id, Refund.state == RefundState.FAILED, Refund.carried_on < Refund.amount
    )
    return session.scalars(failed.order_by(Refund.id).execution_options(populate_existing=True)).all()


def gone_another_way(session: Session, payment_id: int) -> Sequence[Refund]:
    """Refunds of a payment by card that arrived in a wallet or by transfer, the oldest first."""
    others = (Refund.payment_id == payment_id, Refund.state == RefundState.SUCCEEDED, Refund.method != RefundMethod.STRIPE)
    return session.scalars(sa.select(Refund).where(*others).order_by(Refund.id).execution_options(populate_existing=True)).all()


def is_on_its_way(session: Session, payment_id: int) -> bool:
    """Whether a refund of a payment to its card has no end yet."""
    waiting = (Refund.payment_id == payment_id, Refund.state.in_(UNSETTLED), Refund.method == RefundMethod.STRIPE)
    return session.scalars(sa.select(Refund.id).where(*waiting).limit(1)).first() is not None


def unknown_of(session: Session, payment_id: int, made: Sequence[RefundSnapshot]) -> list[RefundSnapshot]:
    """What of the provider's refunds of a payment, that did not fail, we have no row for."""
    return [one for one in made if one.ok is not False and not rows_of(session, payment_id, one)]


def rows_of(session: Session, payment_id: int, made: RefundSnapshot) -> Sequence[Refund]:
    """Our rows of a refund of the provider: by its name, or by ours where it carries that.

    One of ours that the provider had refused is none of them when it is there after all: that money left us a second time.
    """
    refused = sa.and_(Refund.state == RefundState.FAILED, Refund.provider_ref.is_(None))
    by_our_name = sa.and_(Refund.ref == (made.our_ref or ""), ~refused)
    either = sa.or_(Refund.provider_ref == made.provider_ref, by_our_name)
    mine = sa.select(Refund).where(Refund.payment_id == payment_id, either)
    return session.scalars(mine.order_by(Refund.id).execution_options(populate_existing=True)).all()


def agrees(session: Session, made: Sequence[RefundSnapshot]) -> set[str]:
    """Which of the provider's refunds stand in our books as they stand there, by the provider's name."""
    ends = {True: RefundState.SUCCEEDED, False: RefundState.FAILED, None: RefundState.SENT}
    states: dict[str, set[RefundState]] = defaultdict(set)
    for name, state in session.execute(
        sa.select(Refund.provider_ref, Refund.state).where(Refund.provider_ref.in_([one.provider_ref for one in made]))
    ):
        states[str(name)].add(state)
    return {one.provider_ref for one in made if states.get(one.provider_ref) == {ends[one.ok]}}


def unsent_refunds(session: Session, payment_id: int) -> Sequence[int]:
    """Ids of refunds of a payment that the provider has not answered to yet, the oldest first."""
    waiting = sa.select(Refund.id).where(Refund.payment_id == payment_id, Refund.state == RefundState.REQUESTED)
    return session.scalars(waiting.order_by(Refund.id)).all()


def given_by_causes(session: Session, prefixes: Mapping[int, str], but: str = "") -> Money:
    """How much of these sub-orders was asked to go back by causes that begin so, without one of them. Of what was carried on: once."""
    begins = [sa.and_(Refund.sub_order_id == part_id, Refund.cause.startswith(text, autoescape=True)) for part_id, text in prefixes.items()]
    amounts = sa.select(Refund.amount).where(sa.or_(*begins), Refund.replaces_id.is_(None), Refund.cause != but)
    return Money.total(session.scalars(amounts))


def slow_refunds(session: Session, created_before: datetime, limit: int = 500) -> Sequence[int]:
    """Ids of refunds on their way for too long that no person has yet, the oldest first."""
    slow = sa.select(Refund.id).where(
        Refund.state.in_(UNSETTLED), Refund.created_at < created_before, Refund.handed_over_at.is_(None)
    )
    return session.scalars(slow.order_by(Refund.created_at, Refund.id).limit(limit)).all()


LEFT: Any = sa.type_coerce(Refund.amount - Refund.carried_on, MoneyType())
"""What of a refund is its own to tell: what others carry on of it is theirs."""


@dataclass(frozen=True, slots=True)
class Back:
    """Money that was to go back: what has arrived, what is on its way, and what did not arrive and is looked after."""

    arrived: Money = ZERO
    on_the_way: Money = ZERO
    held: Money = ZERO

    @property
    def total(self) -> Money:
        return self.arrived + self.on_the_way + self.held

    def __add__(self, other: Back) -> Back:
        return Back(self.arrived + other.arrived, self.on_the_way + other.on_the_way, self.held + other.held)

    def __bool__(self) -> bool:
        return bool(self.total)


NOTHING_BACK = Back()


def back_of_purchases(session: Session, purchase_ids: Collection[int]) -> dict[int, dict[int | None, Back]]:
    """What went back of orders, by purchase and sub-order (None: money that came for the order and did not pay it). One query."""
    found: dict[int, dict[int | None, Back]] = {purchase_id: {} for purchase_id in purchase_ids}
    for purchase_id, *facts in _sums(session, Payment.purchase_id, Payment.purchase_id.in_(list(purchase_ids))):
        _add(found[purchase_id], *facts)
    return found


def back_of_payment(session: Session, payment_id: int) -> Back:
    """What went back of one payment. One query."""
    found: dict[int | None, Back] = {}
    for _payment_id, *facts in _sums(session, Payment.id, Payment.id == payment_id):
        _add(found, *facts)
    return sum(found.values(), NOTHING_BACK)


def _sums(session: Session, key: Any, condition: sa.ColumnElement[bool]) -> Sequence[Any]:
    return session.execute(
        sa.select(key, Refund.sub_order_id, Refund.state, sa.type_coerce(sa.func.sum(Refund.amount - Refund.carried_on), MoneyType()))
        .join(Payment, Payment.id == Refund.payment_id)
        .where(condition)
        .group_by(key, Refund.sub_order_id, Refund.state)
    ).all()


def _add(found: dict[int | None, Back], sub_order_id: int | None, state: RefundState, money: Money) -> None:
    back = Back(
        arrived=money if state is RefundState.SUCCEEDED else ZERO, on_the_way=money if state in UNSETTLED else ZERO,
        held=money if state is RefundState.FAILED else ZERO,
    )  # fmt: skip
    found[sub_order_id] = found.get(sub_order_id, NOTHING_BACK) + back


def open_card_payments(session: Session, created_before: datetime, limit: int = 500) -> Sequence[int]:
    """Ids of card payments whose end is not known yet, oldest first."""
    waiting = sa.select(Payment.id).where(
        STILL_OPEN_ONES, Payment.method == PaymentMethod.STRIPE, Payment.created_at < created_before
    )
    return session.scalars(waiting.order_by(Payment.created_at, Payment.id).limit(limit)).all()


def open_refunds(session: Session, created_before: datetime, limit: int = 500) -> Sequence[int]:
    """Ids of refunds to cards whose end is not known, oldest first: never sent, lost on the way, or still with the provider."""
    waiting = (
        sa.select(Refund.id)
        .where(Refund.state.in_(UNSETTLED), Refund.created_at < created_before, Refund.method == RefundMethod.STRIPE)
    )
    return session.scalars(waiting.order_by(Refund.created_at, Refund.id).limit(limit)).all()


def unread_events(session: Session, received_before: datetime, limit: int = 500) -> Sequence[int]:
    """Row ids of events nobody has looked into, oldest first."""
    waiting = sa.select(ProviderEvent.id).where(ProviderEvent.state == EventState.RECEIVED, ProviderEvent.received_at < received_before)
    return session.scalars(waiting.order_by(ProviderEvent.received_at, ProviderEvent.id).limit(limit)).all()


def without_fee(session: Session, moment: datetime, limit: int = 50) -> Sequence[int]:
    """Ids of paid card payments whose fee the provider has not told and which are to be asked about, the longest unasked first.

    Every hour on the first day, once a day for a month; then a person has them (`consoles.admin.cases`).
    """
    is_hourly = sa.and_(Payment.succeeded_at > moment - FEE_IS_LATE_AFTER, Payment.asked_at < moment - FEE_EVERY)
    is_daily = Payment.asked_at < moment - FEE_EVERY_DAY
    waiting = sa.select(Payment.id).where(
        WITHOUT_FEE, Payment.succeeded_at.between(moment - FEE_FOLLOWS_WITHIN, moment - LOOK_FOR_FEE_AFTER),
        sa.or_(Payment.asked_at.is_(None), Payment.asked_at <= Payment.succeeded_at, is_hourly, is_daily),
    )
    return session.scalars(waiting.order_by(Payment.asked_at.nulls_first(), Payment.id).limit(limit)).all()


def event(session: Session, row_id: int) -> ProviderEvent | None:
    """A stored event of the provider."""
    return session.get(ProviderEvent, row_id)


def payer_of_proposal(session: Session, proposal_id: int) -> int | None:
    """Who gets the money if a proposal is agreed to; None when there is no such proposal."""
    return session.scalar(
        sa.select(sa.func.coalesce(SubOrder.user_id, Payment.user_id))
        .select_from(RefundProposal)
        .outerjoin(SubOrder, SubOrder.id == RefundProposal.sub_order_id)
        .outerjoin(Refund, Refund.id == RefundProposal.refund_id)
        .outerjoin(Payment, Payment.id == Refund.payment_id)
        .where(RefundProposal.id == proposal_id)
    )
