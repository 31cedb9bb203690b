"""What an offer says, and whether it still holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.kernel.rows import all_as, one_as
from shop.models.checkout import Quote
from shop.models.orders import PaymentMethod, Purchase, PurchaseState, SubOrder
from shop.models.payments import Payment, PaymentState
from shop.orders.terms import Terms


@dataclass(frozen=True, slots=True)
class QuoteFacts:
    """An offer: exactly what will be charged until `expires_at`. `purchase_id` once it has become a purchase."""

    id: int
    ref: str
    pickup_point_id: int
    total: Money
    expires_at: datetime
    terms: Terms
    purchase_id: int | None = None
    is_direct: bool = False


@dataclass(frozen=True, slots=True)
class PartPlaced:
    """A sub-order as the answer to an order shows it."""

    id: int
    number: str
    total: Money


@dataclass(frozen=True, slots=True)
class Placed:
    """A purchase with its latest payment, however often it was asked for."""

    purchase_id: int
    number: str
    state: PurchaseState
    method: PaymentMethod
    total: Money
    expires_at: datetime
    payment_id: int
    payment_ref: str
    payment_state: PaymentState
    sub_orders: tuple[PartPlaced, ...]
    terms: Terms


QUOTE = (
    sa.select(
        Quote.id, Quote.ref, Quote.pickup_point_id, Quote.total, Quote.expires_at, Quote.terms, Purchase.id.label("purchase_id"),
        Quote.is_direct,
    )
    .outerjoin(Purchase, Purchase.quote_id == Quote.id)
    .where(Quote.ref == sa.bindparam("ref"), Quote.user_id == sa.bindparam("user_id"))
)
LATEST_UNUSED: sa.Select[Any] = (
    sa.select(
        Quote.id, Quote.ref, Quote.pickup_point_id, Quote.total, Quote.expires_at, Quote.terms, sa.null().label("purchase_id"),
        Quote.is_direct,
    )
    .where(
        Quote.user_id == sa.bindparam("user_id"), Quote.is_direct == sa.bindparam("is_direct", type_=sa.Boolean()),
        Quote.expires_at > sa.bindparam("good_until", type_=Quote.expires_at.type),
        ~sa.exists().where(Purchase.quote_id == Quote.id),
    )
    .order_by(Quote.id.desc())
    .limit(1)
)


def quote(session: Session, user_id: int, ref: str) -> QuoteFacts:
    """A person's quote. Raises `NotFound`."""
    row = session.connection().execute(QUOTE, {"ref": ref, "user_id": user_id}).one_or_none()
    if row is None:
        raise NotFound("quote_id")
    return _facts(row)


def latest_unused(session: Session, user_id: int, good_until: datetime, *, is_direct: bool = False) -> QuoteFacts | None:
    """The person's newest quote, of the cart or directly of some goods, that is still good at a moment and not yet a purchase."""
    facts = {"user_id": user_id, "good_until": good_until, "is_direct": is_direct}
    row = session.connection().execute(LATEST_UNUSED, facts).one_or_none()
    return _facts(row) if row else None


def _facts(row: Any) -> QuoteFacts:
    return one_as(QuoteFacts, row, leave_out=("terms",), terms=Terms.from_document(row.terms))


def placed(session: Session, quote_id: int) -> Placed | None:
    """The purchase a quote has become, with its latest payment; None while it has not."""
    row = session.execute(
        sa.select(
            Purchase.id.label("purchase_id"), Purchase.number, Purchase.state, Purchase.method, Purchase.total, Purchase.expires_at,
            Payment.id.label("payment_id"), Payment.ref.label("payment_ref"), Payment.state.label("payment_state"), Quote.terms,
        )
        .join(Payment, Payment.purchase_id == Purchase.id)
        .join(Quote, Quote.id == Purchase.quote_id)
        .where(Purchase.quote_id == quote_id)
        .order_by(Payment.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    parts = session.execute(
        sa.select(SubOrder.id, SubOrder.number, SubOrder.total).where(SubOrder.purchase_id == row.purchase_id).order_by(SubOrder.id)
    )
    terms = Terms.from_document(row.terms)
    return one_as(Placed, row, leave_out=("terms",), sub_orders=tuple(all_as(PartPlaced, parts)), terms=terms)
