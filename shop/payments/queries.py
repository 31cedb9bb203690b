"""Reading payments and refunds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.models.orders import PaymentMethod
from shop.models.payments import Payment, ProviderEvent, Refund, RefundState
from shop.payments.errors import PaymentNotFound
from shop.payments.rules import OPEN
from shop.platform.actor import Actor


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


def open_card_payments(session: Session, created_before: datetime, limit: int = 500) -> Sequence[int]:
    """Ids of card payments whose end is not known yet, oldest first."""
    waiting = sa.select(Payment.id).where(
        Payment.state.in_(OPEN), Payment.method == PaymentMethod.STRIPE, Payment.created_at < created_before
    )
    return session.scalars(waiting.order_by(Payment.created_at, Payment.id).limit(limit)).all()


def sent_refunds(session: Session, created_before: datetime, limit: int = 500) -> Sequence[int]:
    """Ids of refunds the provider has taken on but not finished, oldest first."""
    waiting = sa.select(Refund.id).where(Refund.state == RefundState.SENT, Refund.created_at < created_before)
    return session.scalars(waiting.order_by(Refund.id).limit(limit)).all()


def event(session: Session, row_id: int) -> ProviderEvent | None:
    """A stored event of the provider."""
    return session.get(ProviderEvent, row_id)
