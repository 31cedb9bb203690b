"""What a shop sold in a span of days: as many statements for a year as for a day, and for a large shop as for a small one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from shop.kernel import clock
from shop.kernel.money import ZERO, Money
from shop.models.catalog import Product, Variant
from shop.models.orders import OrderLine, Purchase, SubOrder, SubOrderState
from shop.models.stock import SPOILED, StockItem, StockMovement
from shop.orders.settled_days import SETTLED_AT, DayOfSales, by_day
from shop.orders.sold import Goods, Sold
from shop.statistics.rules import ONE_DAY, Buyers, OfProduct, Span, Waste

LOOKED_THROUGH = 3_000
"""Of so many orders of a span, the newest ones, buyers are counted; and of so many that never came, what was in them."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What several days came to."""

    orders: int
    gross: Money
    refunded: Money
    units: int

    @property
    def kept(self) -> Money:
        """What buyers paid in the end."""
        return self.gross - self.refunded


@dataclass(frozen=True, slots=True)
class Figures:
    """All that is said of a shop in a span."""

    span: Span
    days: list[DayOfSales]
    totals: Totals
    before: Totals
    goods: list[OfProduct]
    waste: Waste
    buyers: Buyers
    hours: dict[int, int]
    leaves_older_buyers_out: bool

    @property
    def is_empty(self) -> bool:
        """Whether nothing was sold and nothing went to waste."""
        return not (self.totals.orders or self.waste.money or self.waste.spoiled)


def figures(session: Session, merchant_id: int, span: Span) -> Figures:
    """The figures of a shop. Eight statements at most."""
    days = by_day(session, merchant_id, span.before_first, span.last)
    inside = [day for day in days if span.first <= day.day]
    before = [day for day in days if span.before_first <= day.day <= span.before_last]
    sold = Sold.total(day.sold for day in inside)
    totals = total(inside)
    goods = products(session, merchant_id, span, sold)
    undelivered, worth = never_came(session, merchant_id, span)
    waste = Waste(
        sum(one.spoiled for one in goods), Money.total(one.spoiled_money for one in goods), sum(one.short_units for one in goods),
        Money.total(one.short_money for one in goods), undelivered, worth,
    )  # fmt: skip
    return Figures(
        span, inside, totals, total(before), goods, waste, buyers(session, merchant_id, span), dict(sold.hours),
        totals.orders > LOOKED_THROUGH,
    )  # fmt: skip


def total(days: list[DayOfSales]) -> Totals:
    return Totals(
        sum(day.orders for day in days), Money.total(day.gross for day in days), Money.total(day.refunded for day in days),
        sum(day.sold.units for day in days),
    )  # fmt: skip


def products(session: Session, merchant_id: int, span: Span, sold: Sold) -> list[OfProduct]:
    """Every product of the shop that was sold or short in the span, spoiled, or of which something is left; by its id. Two statements."""
    spoiled = went_bad(session, merchant_id, span)
    knows_what_is_left = span.last == clock.today()
    left = sa.func.coalesce(sa.func.sum(sa.type_coerce(StockItem.on_hand, sa.BigInteger)), 0)
    rows = session.execute(
        sa.select(Product.id, Product.slug, Product.name_zh, Product.name_en, left.label("left"))
        .outerjoin(Variant, Variant.product_id == Product.id)
        .outerjoin(StockItem, StockItem.variant_id == Variant.id)
        .where(Product.merchant_id == merchant_id)
        .group_by(Product.id)
        .order_by(Product.id)
    )
    found = []
    for row in rows:
        one, bad = sold.goods.get(row.id, Goods()), spoiled.get(row.id, (0, ZERO))
        if one.units or one.short_units or bad[0] or (knows_what_is_left and row.left):
            found.append(
                OfProduct(
                    row.id, row.slug, row.name_zh, row.name_en, one.orders, one.units, one.money, bad[0], bad[1], one.short_units,
                    one.short_money, int(row.left) if knows_what_is_left else None,
                )
            )  # fmt: skip
    return found


def went_bad(session: Session, merchant_id: int, span: Span) -> dict[int, tuple[int, Money]]:
    """What was written down as spoiled, by product: units, and their worth at the price of today. What was taken back is left out."""
    undoing = aliased(StockMovement)
    units = sa.func.sum(sa.type_coerce(WENT_BAD, sa.BigInteger))
    worth = sa.func.sum(sa.type_coerce(WENT_BAD, sa.BigInteger) * sa.type_coerce(Variant.price, sa.BigInteger))
    rows = session.execute(
        sa.select(Variant.product_id, units.label("units"), worth.label("worth"))
        .join(Variant, Variant.id == StockMovement.variant_id)
        .where(
            StockMovement.merchant_id == merchant_id, StockMovement.at >= clock.at(span.first, time(0)),
            StockMovement.at < clock.at(span.last + ONE_DAY, time(0)), sa.text(f"stock_movements.{SPOILED}"),
            sa.select(undoing.id).where(undoing.takes_back_id == StockMovement.id).scalar_subquery().is_(None),
        )
        .group_by(Variant.product_id)
    )  # fmt: skip
    return {row.product_id: (int(row.units), Money(int(row.worth))) for row in rows}


WENT_BAD: Any = StockMovement.missing_by - StockMovement.quantity
"""Units that spoiled: those nobody had ordered, and those that are missing of what is promised."""


def never_came(session: Session, merchant_id: int, span: Span) -> tuple[int, Money]:
    """The paid orders that ended in the span because nothing of them could be delivered, and what their goods were priced at."""
    ended = sa.func.coalesce(SubOrder.declined_at, SubOrder.ended_at)
    newest = (
        sa.select(SubOrder.id, SubOrder.purchase_id, ended.label("ended"))
        .where(SubOrder.merchant_id == merchant_id, SubOrder.state == SubOrderState.SHORT)
        .order_by(SubOrder.id.desc())
        .limit(LOOKED_THROUGH)
        .subquery()
    )
    row = session.execute(
        sa.select(sa.func.count(sa.distinct(newest.c.id)), sa.func.sum(sa.type_coerce(OrderLine.line_total, sa.BigInteger)))
        .join(Purchase, Purchase.id == newest.c.purchase_id)
        .join(OrderLine, OrderLine.sub_order_id == newest.c.id)
        .where(
            newest.c.ended >= clock.at(span.first, time(0)), newest.c.ended < clock.at(span.last + ONE_DAY, time(0)),
            Purchase.paid_at.is_not(None),
        )
    ).one()  # fmt: skip
    return row[0], Money(int(row[1] or 0))


def buyers(session: Session, merchant_id: int, span: Span) -> Buyers:
    """How many people the newest orders of the span are of, and how many of them paid for more than one; who they are is not read."""
    newest = (
        sa.select(SubOrder.user_id, SubOrder.purchase_id)
        .where(
            SubOrder.merchant_id == merchant_id, clock.at(span.first, time(0)) <= SETTLED_AT,
            clock.at(span.last + ONE_DAY, time(0)) > SETTLED_AT,
        )
        .order_by(SETTLED_AT.desc(), SubOrder.id.desc())
        .limit(LOOKED_THROUGH)
        .subquery()
    )  # fmt: skip
    orders = sa.func.count(sa.distinct(newest.c.purchase_id))
    each = sa.select(orders.label("orders")).group_by(newest.c.user_id).subquery()
    again = sa.func.coalesce(sa.func.sum(sa.case((each.c.orders > 1, 1), else_=0)), 0)
    row = session.execute(sa.select(sa.func.count().label("all"), again.label("again")).select_from(each)).one()
    return Buyers(row.all, int(row.again))
