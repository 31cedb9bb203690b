"""What of an earlier order can be had today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.cart.queries import NEXT_CYCLE
from shop.kernel import clock
from shop.kernel.money import ZERO, Money
from shop.kernel.rows import one_as
from shop.models.catalog import Product, ProductState, Variant
from shop.models.merchants import Merchant, MerchantState
from shop.models.stock import StockItem
from shop.orders import rules
from shop.orders.queries.facts import LineFacts, PurchaseFacts
from shop.orders.rules import Missing, Today


@dataclass(frozen=True, slots=True)
class Again:
    """One line of an earlier order as it can be had today: `quantity` of it, or none for the reason `missing`."""

    line: LineFacts
    quantity: int
    missing: Missing | None
    price: Money

    @property
    def price_change(self) -> Money:
        """How much dearer one unit has become since; negative when cheaper."""
        return self.price - self.line.unit_price if self.missing is None else ZERO

    @property
    def is_fewer(self) -> bool:
        return self.missing is None and self.quantity < self.line.quantity

    @property
    def is_as_before(self) -> bool:
        """Nothing needs to be said: as many, at the same price."""
        return self.missing is None and not self.is_fewer and not self.price_change


def again(session: Session, order: PurchaseFacts, point_id: int | None) -> list[Again]:
    """What of an earlier order can be had today at a point, in its old order. One query; without a point nothing is delivered."""
    lines = [line for part in order.sub_orders for line in part.lines]
    known = _today(session, [line.variant_code for line in lines], point_id)
    found = []
    for line in lines:
        today = known.get(line.variant_code)
        missing = rules.why_missing(today, clock.today())
        quantity = rules.quantity_today(today, line.quantity) if today is not None and missing is None else 0
        found.append(Again(line, quantity, missing, today.price if today is not None else line.unit_price))
    return found


def _today(session: Session, codes: Sequence[str], point_id: int | None) -> dict[str, Today]:
    on_sale = sa.and_(Variant.is_on_sale, Product.state == ProductState.ON_SALE, Merchant.state == MerchantState.ACTIVE)
    rows = session.execute(
        sa.select(
            Variant.code, Variant.price, on_sale.label("is_on_sale"), Product.season_months,
            sa.func.coalesce(StockItem.available, 0).label("left"), Variant.minimum_quantity, Variant.multiple,
            NEXT_CYCLE.is_not(None).label("is_delivered"),
        )
        .join(Product, Product.id == Variant.product_id)
        .join(Merchant, Merchant.id == Product.merchant_id)
        .outerjoin(StockItem, StockItem.variant_id == Variant.id)
        .where(Variant.code.in_(codes)),
        {"point_id": point_id, "moment": clock.now()},
    )
    return {row.code: one_as(Today, row, leave_out=("code",)) for row in rows}
