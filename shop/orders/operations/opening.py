"""A purchase begins, and is paid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation
from shop.kernel.errors import NotFound
from shop.kernel.ids import dated_reference
from shop.kernel.money import ZERO, Money
from shop.models.orders import Channel, OrderLine, PaymentMethod, Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.payments import Payment, PaymentPurpose
from shop.models.pickup import PickupPoint
from shop.orders.terms import Terms
from shop.payments import operations as payments
from shop.payments.errors import PaymentClosed
from shop.payments.rules import OPEN
from shop.platform import audit, notices
from shop.platform.actor import Actor
from shop.stock import operations as stock
from shop.wallet import operations as wallet

PURCHASES = cast(sa.Table, Purchase.__table__)
SUB_ORDERS = cast(sa.Table, SubOrder.__table__)
LINES = cast(sa.Table, OrderLine.__table__)


def _insert_purchase(dialect: Any) -> Any:
    """A purchase, unless its quote has become one; the community is that of its point."""
    community = sa.select(PickupPoint.community_id).where(PickupPoint.id == sa.bindparam("pickup_point_id")).scalar_subquery()
    given = [column for column in PURCHASES.c if column.name not in {"id", "community_id"}]
    values = {column.name: sa.bindparam(column.name, type_=column.type) for column in given}
    insert = dialect.insert(PURCHASES).values({**values, "community_id": community})
    return insert.on_conflict_do_nothing(index_elements=["quote_id"]).returning(PURCHASES.c.id)


INSERT_PURCHASE = {"postgresql": _insert_purchase(postgresql), "sqlite": _insert_purchase(sqlite)}
INSERT_SUB_ORDERS = sa.insert(SUB_ORDERS).returning(SUB_ORDERS.c.number, SUB_ORDERS.c.id)
INSERT_LINES = sa.insert(LINES).returning(LINES.c.variant_id, LINES.c.id, LINES.c.quantity)


@dataclass(frozen=True, slots=True)
class Opened:
    """The rows of a purchase that has just been written."""

    purchase_id: int
    number: str
    state: PurchaseState
    sub_orders: tuple[tuple[int, str, Money], ...]  # id, number, total; in the order of the terms
    wanted: tuple[stock.Wanted, ...]


@operation
def open_purchase(
    session: Session, actor: Actor, terms: Terms, *, quote_id: int, pickup_point_id: int, method: PaymentMethod, channel: Channel,
    expires_at: datetime, paid: bool,
) -> Opened | None:
    """Write the purchase, its sub-orders and lines; paid at once or awaiting payment. It takes neither money, slots nor goods.

    None when this quote has become a purchase before: a double click is one purchase.
    """
    moment, user_id = clock.now(), actor.signed_in_id()
    state = PurchaseState.PAID if paid else PurchaseState.AWAITING_PAYMENT
    number = dated_reference("L", moment)
    row = {
        "number": number, "user_id": user_id, "pickup_point_id": pickup_point_id, "quote_id": quote_id, "state": state, "method": method,
        "channel": channel, "goods_total": terms.goods_total, "fee_total": terms.fee_total, "discount_total": ZERO, "total": terms.total,
        "placed_at": moment, "expires_at": expires_at, "paid_at": moment if paid else None, "closed_at": None, "completed_at": None,
    }
    insert = INSERT_PURCHASE[session.get_bind().dialect.name]
    purchase_id = session.connection().execute(insert, row).scalar_one_or_none()
    if purchase_id is None:
        return None
    sub_orders = _insert_sub_orders(session, purchase_id, number, user_id, pickup_point_id, terms, moment)
    wanted = _insert_lines(session, [sub_order_id for sub_order_id, _, _ in sub_orders], terms)
    return Opened(purchase_id, number, state, tuple(sub_orders), tuple(wanted))


def _insert_sub_orders(
    session: Session, purchase_id: int, number: str, user_id: int, pickup_point_id: int, terms: Terms, moment: datetime
) -> list[tuple[int, str, Money]]:
    rows = [
        {
            "number": f"{number}-{place}", "purchase_id": purchase_id, "merchant_id": part.merchant_id, "user_id": user_id,
            "pickup_point_id": pickup_point_id, "cycle_id": part.cycle_id, "state": SubOrderState.PLACED, "goods_total": part.goods_total,
            "fee_total": part.fee, "discount_total": part.discount, "total": part.total, "refunded_total": ZERO,
            "commission_bps": part.commission_bps, "placed_at": moment,
        }
        for place, part in enumerate(terms.sub_orders, start=1)
    ]
    written = session.connection().execute(INSERT_SUB_ORDERS, rows)
    ids: dict[Any, Any] = {row.number: row.id for row in written}
    return [(ids[row["number"]], str(row["number"]), part.total) for row, part in zip(rows, terms.sub_orders, strict=True)]


def _insert_lines(session: Session, sub_order_ids: list[int], terms: Terms) -> list[stock.Wanted]:
    rows = [
        {
            "sub_order_id": sub_order_id, "variant_id": line.variant_id, "product_id": line.product_id, "name_zh": line.name_zh,
            "name_en": line.name_en, "unit_zh": line.unit_zh, "unit_en": line.unit_en, "image": line.image, "quantity": line.quantity,
            "unit_price": line.unit_price, "priced_by": line.priced_by, "unit_grams": line.unit_grams, "line_total": line.line_total,
        }
        for sub_order_id, part in zip(sub_order_ids, terms.sub_orders, strict=True)
        for line in part.lines
    ]
    written = session.connection().execute(INSERT_LINES, rows)
    return [stock.Wanted(*row) for row in written]


@operation
def mark_paid(session: Session, actor: Actor, purchase_id: int, paid_from: str) -> bool:
    """The money for a purchase is there: the held goods are sold, the money goes from account `paid_from` into escrow, and the
    buyer, who may be elsewhere by now, is told.

    Compare-and-set from awaiting payment; False, and nothing happens, when the purchase is in any other state.
    """
    moment = clock.now()
    purchase = session.execute(
        sa.update(PURCHASES)
        .where(PURCHASES.c.id == purchase_id, PURCHASES.c.state == PurchaseState.AWAITING_PAYMENT)
        .values(state=PurchaseState.PAID, paid_at=moment)
        .returning(PURCHASES.c.number, PURCHASES.c.user_id, PURCHASES.c.total)
    ).one_or_none()
    if purchase is None:
        return False
    parts = session.execute(
        sa.select(SUB_ORDERS.c.id, SUB_ORDERS.c.total).where(SUB_ORDERS.c.purchase_id == purchase_id).order_by(SUB_ORDERS.c.id)
    ).all()
    wallet.post_many(session, payment_postings(paid_from, [(part.id, part.total) for part in parts]))
    stock.consume(session, line_ids(session, purchase_id))
    audit.record(session, actor, "purchase.paid", "purchase", purchase_id, total=purchase.total.fen)
    notices.post(
        session, purchase.user_id, "orders.paid", dedupe_key=f"purchase:{purchase_id}:paid", link=f"/orders/{purchase.number}",
        number=purchase.number,
    )
    return True


def payment_postings(paid_from: str, sub_orders: Iterable[tuple[int, Money]]) -> list[wallet.Posting]:
    """What is paid for each sub-order goes into escrow: one transfer each, named after it."""
    return [
        wallet.Posting(f"sub_order:{sub_order_id}:paid", "payment", paid_from, "escrow", total, ("sub_order", sub_order_id))
        for sub_order_id, total in sub_orders
    ]


@operation
def payment_to_continue(session: Session, actor: Actor, number: str) -> int:
    """The payment with which a purchase that awaits its card payment can still be paid; a new one when the last attempt failed.

    Raises `NotFound`, and `PaymentClosed` when there is nothing to pay any more.
    """
    purchase = session.execute(
        sa.select(PURCHASES.c.id, PURCHASES.c.state, PURCHASES.c.method, PURCHASES.c.total, PURCHASES.c.expires_at)
        .where(PURCHASES.c.number == number, PURCHASES.c.user_id == actor.signed_in_id())
        .with_for_update(key_share=True)
    ).one_or_none()
    if purchase is None:
        raise NotFound()
    if purchase.state is not PurchaseState.AWAITING_PAYMENT or purchase.expires_at <= clock.now():
        raise PaymentClosed()
    open_one = sa.select(Payment.id).where(Payment.purchase_id == purchase.id, Payment.state.in_(OPEN)).order_by(Payment.id.desc()).limit(1)
    payment_id = session.scalars(open_one).first()
    if payment_id is not None:
        return payment_id
    again = payments.start(
        session, actor, purpose=PaymentPurpose.PURCHASE, method=purchase.method, amount=purchase.total, purchase_id=purchase.id,
        expires_at=purchase.expires_at,
    )
    return again.id


def line_ids(session: Session, purchase_id: int) -> list[int]:
    """The lines of a purchase."""
    lines = sa.select(LINES.c.id).join(SUB_ORDERS, SUB_ORDERS.c.id == LINES.c.sub_order_id).where(SUB_ORDERS.c.purchase_id == purchase_id)
    return list(session.scalars(lines))
