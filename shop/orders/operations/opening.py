"""A purchase begins, and is paid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation
from shop.kernel.errors import NotFound
from shop.kernel.ids import dated_reference
from shop.kernel.money import ZERO, Money
from shop.kernel.rows import all_as
from shop.kernel.statements import insert_made_or_ignore, table
from shop.models.orders import Channel, LineDiscount, OrderLine, PaymentMethod, Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.payments import Payment, PaymentPurpose
from shop.models.pickup import PickupPoint
from shop.orders.tags import Done
from shop.orders.terms import Terms
from shop.payments import operations as payments
from shop.payments.errors import PaymentClosed
from shop.payments.rules import OPEN
from shop.platform import audit, notices
from shop.platform.actor import Actor
from shop.stock import operations as stock
from shop.wallet import operations as wallet

PURCHASES = table(Purchase)
SUB_ORDERS = table(SubOrder)
LINES = table(OrderLine)


OF_A_PURCHASE = (
    "number", "user_id", "pickup_point_id", "quote_id", "state", "method", "channel", "goods_total", "fee_total", "discount_total", "total",
    "placed_at", "expires_at", "paid_at", "closed_at", "completed_at",
)
"""What `open_purchase` gives a purchase. A column that is not named stays empty, or takes the default that the database gives it."""


def _purchase() -> dict[str, Any]:
    """A purchase, unless its quote has become one; the community is that of its point.

    Raises `LookupError` while the shop is loaded, when a column must have a value and gets none: else every purchase would fail.
    """
    if unfilled := must_be_given(PURCHASES) - {*OF_A_PURCHASE, "community_id"}:
        raise LookupError(f"purchases: {', '.join(sorted(unfilled))} must have a value; name it in OF_A_PURCHASE, give it in open_purchase")
    community = sa.select(PickupPoint.community_id).where(PickupPoint.id == sa.bindparam("pickup_point_id")).scalar_subquery()
    given = [PURCHASES.c[name] for name in OF_A_PURCHASE]
    values = {column.name: sa.bindparam(column.name, type_=column.type) for column in given}
    return {**values, "community_id": community}


def must_be_given(rows: sa.Table) -> set[str]:
    """The columns that have no default in the database, may not be empty, and are not numbered by it."""
    return {column.name for column in rows.c if not column.nullable and column.server_default is None and not column.primary_key}


INSERT_PURCHASE = insert_made_or_ignore(PURCHASES, _purchase(), ["quote_id"], PURCHASES.c.id, PURCHASES.c.community_id)
INSERT_SUB_ORDERS = sa.insert(SUB_ORDERS).returning(SUB_ORDERS.c.number, SUB_ORDERS.c.id)
INSERT_LINES = sa.insert(LINES).returning(LINES.c.variant_id, LINES.c.id.label("order_line_id"), LINES.c.quantity)
INSERT_DISCOUNTS = sa.insert(LineDiscount)


@dataclass(frozen=True, slots=True)
class Opened:
    """The rows of a purchase that has just been written."""

    purchase_id: int
    community_id: int
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
        "channel": channel, "goods_total": terms.goods_total, "fee_total": terms.fee_total, "discount_total": terms.discount,
        "total": terms.total,
        "placed_at": moment, "expires_at": expires_at, "paid_at": moment if paid else None, "closed_at": None, "completed_at": None,
    }
    written = session.connection().execute(INSERT_PURCHASE.of(session), row).one_or_none()
    if written is None:
        return None
    whose = {"community_id": written.community_id, "placed_at": moment}
    sub_orders = _insert_sub_orders(session, written.id, number, user_id, pickup_point_id, terms, whose)
    wanted = _insert_lines(session, [sub_order_id for sub_order_id, _, _ in sub_orders], terms, whose)
    return Opened(written.id, written.community_id, number, state, tuple(sub_orders), tuple(wanted))


def _insert_sub_orders(
    session: Session, purchase_id: int, number: str, user_id: int, pickup_point_id: int, terms: Terms, whose: dict[str, Any]
) -> list[tuple[int, str, Money]]:
    rows = [
        {
            "number": f"{number}-{place}", "purchase_id": purchase_id, "merchant_id": part.merchant_id, "user_id": user_id,
            "pickup_point_id": pickup_point_id, "cycle_id": part.cycle_id, "state": SubOrderState.PLACED, "goods_total": part.goods_total,
            "fee_total": part.fee, "discount_total": part.discount, "total": part.total, "supported_total": part.supported,
            "refunded_total": ZERO, "commission_bps": part.commission_bps, **whose,
        }
        for place, part in enumerate(terms.sub_orders, start=1)
    ]
    written = session.connection().execute(INSERT_SUB_ORDERS, rows)
    ids: dict[Any, Any] = {row.number: row.id for row in written}
    return [(ids[row["number"]], str(row["number"]), part.total) for row, part in zip(rows, terms.sub_orders, strict=True)]


def _insert_lines(session: Session, sub_order_ids: list[int], terms: Terms, whose: dict[str, Any]) -> list[stock.Wanted]:
    rows = [
        {
            "sub_order_id": sub_order_id, "variant_id": line.variant_id, "product_id": line.product_id, "name_zh": line.name_zh,
            "name_en": line.name_en, "unit_zh": line.unit_zh, "unit_en": line.unit_en, "image": line.image, "quantity": line.quantity,
            "unit_price": line.unit_price, "priced_by": line.priced_by, "unit_grams": line.unit_grams, "line_total": line.line_total,
            "discount_total": line.discount, **whose,
        }
        for sub_order_id, part in zip(sub_order_ids, terms.sub_orders, strict=True)
        for line in part.lines
    ]
    written = session.connection().execute(INSERT_LINES, rows)
    wanted = all_as(stock.Wanted, written)
    _insert_discounts(session, {one.variant_id: one.order_line_id for one in wanted}, terms, whose["placed_at"])
    return wanted


def _insert_discounts(session: Session, line_ids: dict[int, int], terms: Terms, moment: datetime) -> None:
    """Freeze what came off each line, and who goes without it; lines by their variant. No statement when nothing did."""
    rows = [
        {
            "line_id": line_ids[line.variant_id], "offer_id": one.offer_id, "merchant_id": part.merchant_id, "funder": one.funder,
            "share": one.amount, "at": moment,
        }
        for part in terms.sub_orders
        for line in part.lines
        for one in line.shares
    ]
    if rows:
        session.connection().execute(INSERT_DISCOUNTS, rows)


@operation
def mark_paid(session: Session, actor: Actor, purchase_id: int, payment_id: int, paid_from: str) -> bool:
    """The money of a payment is there: the held goods are sold, the money goes from account `paid_from` into escrow, and the
    buyer, who may be elsewhere by now, is told. The purchase knows from now on which of its payments paid it.

    Compare-and-set from awaiting payment, within a step; False, and nothing happens, when the purchase is in any other state.
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
    payments.pay_purchase(session, payment_id)
    parts = session.execute(
        sa.select(SUB_ORDERS.c.id, SUB_ORDERS.c.total).where(SUB_ORDERS.c.purchase_id == purchase_id).order_by(SUB_ORDERS.c.id)
    ).all()
    wallet.post_many(session, payment_postings(paid_from, [(part.id, part.total) for part in parts]))
    stock.consume(session, line_ids(session, purchase_id))
    audit.record(session, actor, Done.PURCHASE_PAID, "purchase", purchase_id, total=purchase.total.fen)
    notices.post(
        session, purchase.user_id, "orders.paid", dedupe_key=f"purchase:{purchase_id}:paid", link=f"/orders/{purchase.number}",
        number=purchase.number,
    )
    return True


def payment_postings(paid_from: str, sub_orders: Iterable[tuple[int, Money]]) -> list[wallet.Posting]:
    """What is paid for each sub-order goes into escrow: one transfer each, named after it; none for what offers have made free."""
    return [
        wallet.Posting(f"sub_order:{sub_order_id}:paid", "payment", paid_from, "escrow", total, ("sub_order", sub_order_id))
        for sub_order_id, total in sub_orders
        if total
    ]


@operation
def payment_to_continue(session: Session, actor: Actor, number: str) -> int:
    """The payment with which a purchase that awaits its card payment can still be paid; a new one when the last attempt failed.

    Raises `NotFound`, and `PaymentClosed` when there is nothing to pay any more.
    """
    purchase = session.execute(
        sa.select(*(PURCHASES.c[name] for name in ("id", "state", "method", "total", "expires_at", "community_id")))
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
        expires_at=purchase.expires_at, community_id=purchase.community_id,
    )
    return again.id


def line_ids(session: Session, purchase_id: int) -> list[int]:
    """The lines of a purchase."""
    lines = sa.select(LINES.c.id).join(SUB_ORDERS, SUB_ORDERS.c.id == LINES.c.sub_order_id).where(SUB_ORDERS.c.purchase_id == purchase_id)
    return list(session.scalars(lines))
