"""Reading carts: one query each."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.cart.rules import CartItem, CartOwner, CartView, Present, grouped
from shop.kernel import clock
from shop.kernel.columns import UtcDateTime
from shop.kernel.rows import all_as, one_as
from shop.models.accounts import UserSession
from shop.models.cart import Cart, CartLine
from shop.models.catalog import Listing, Product, ProductState, Variant
from shop.models.merchants import Merchant, MerchantState
from shop.models.pickup import Cycle
from shop.models.stock import StockItem
from shop.promotions import queries as promotions

# The merchant's next delivery to the point that is before its cut-off and has a slot. The server's clock decides.
NEXT_CYCLE = (
    sa.select(Cycle.id)
    .where(
        Cycle.merchant_id == Product.merchant_id, Cycle.pickup_point_id == sa.bindparam("point_id", type_=sa.BigInteger()),
        Cycle.cut_off_at > sa.bindparam("moment", type_=UtcDateTime()), Cycle.booked < Cycle.capacity, Cycle.closed_at.is_(None),
    )
    .order_by(Cycle.cut_off_at, Cycle.id)
    .limit(1)
    .correlate(Product)
    .scalar_subquery()
)


OF_GOODS: tuple[Any, ...] = (
    Variant.id.label("variant_id"), Variant.code, Variant.price, Variant.label_zh, Variant.label_en,
    Variant.net_weight_grams.label("unit_grams"), Variant.minimum_quantity, Variant.multiple, Variant.is_on_sale.label("variant_on_sale"),
    Product.id.label("product_id"), Product.category_id, Product.slug, Product.name_zh, Product.name_en,
    Product.state.label("product_state"), Product.priced_by, Product.is_returnable_within_7_days, Listing.image,
    Merchant.id.label("merchant_id"), Merchant.code.label("merchant_code"), Merchant.name_zh.label("merchant_name_zh"),
    Merchant.name_en.label("merchant_name_en"), Merchant.state.label("merchant_state"), Merchant.commission_bps, Merchant.minimum_order,
    Merchant.pickup_fee, Cycle.id.label("cycle_id"), Cycle.arrives_on, Cycle.arrives_at, Cycle.cut_off_at,
)  # fmt: skip
"""What a `CartItem` says of the goods themselves, wherever they lie."""


def _items_where(owner: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """The lines of a cart as `CartItem` columns, in the order they were put in."""
    return (
        sa.select(
            CartLine.quantity, CartLine.seen_price, *OF_GOODS, sa.func.coalesce(StockItem.available, 0).label("available"),
            CartLine.is_chosen, CartLine.is_earlier,
        )
        .select_from(Cart)
        .join(CartLine, CartLine.cart_id == Cart.id)
        .join(Variant, Variant.id == CartLine.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .join(Merchant, Merchant.id == Product.merchant_id)
        .outerjoin(Listing, Listing.product_id == Product.id)
        .outerjoin(StockItem, StockItem.variant_id == Variant.id)
        .outerjoin(Cycle, Cycle.id == NEXT_CYCLE)
        .where(owner)
        .order_by(CartLine.id)
    )


def _item_of_variant() -> sa.Select[Any]:
    """The same columns for goods that lie in no cart."""
    wanted = sa.bindparam("wanted", type_=sa.BigInteger())
    return (
        sa.select(
            wanted.label("quantity"), Variant.price.label("seen_price"), *OF_GOODS,
            sa.func.coalesce(StockItem.on_hand - StockItem.reserved, 0).label("available"),
            sa.true().label("is_chosen"), sa.false().label("is_earlier"),
        )
        .select_from(Variant)
        .join(Product, Product.id == Variant.product_id)
        .join(Merchant, Merchant.id == Product.merchant_id)
        .outerjoin(Listing, Listing.product_id == Product.id)
        .outerjoin(StockItem, StockItem.variant_id == Variant.id)
        .outerjoin(Cycle, Cycle.id == NEXT_CYCLE)
        .where(Variant.code == sa.bindparam("variant_code"))
    )


ITEMS_OF_PERSON = _items_where(Cart.user_id == sa.bindparam("user_id"))
ITEMS_OF_BROWSER = _items_where(Cart.token_hash == sa.bindparam("token_hash"))
ITEM_OF_VARIANT = _item_of_variant()
COUNT_OF_PERSON = (
    sa.select(sa.func.sum(CartLine.quantity)).join(Cart, Cart.id == CartLine.cart_id).where(Cart.user_id == sa.bindparam("user_id"))
)
COUNT_OF_READER = (
    sa.select(sa.func.sum(CartLine.quantity))
    .join(Cart, Cart.id == CartLine.cart_id)
    .where(Cart.user_id == UserSession.user_id)
    .scalar_subquery()
)
COUNT_OF_BROWSER = (
    sa.select(sa.func.sum(CartLine.quantity)).join(Cart, Cart.id == CartLine.cart_id).where(Cart.token_hash == sa.bindparam("token_hash"))
)


def items(session: Session, owner: CartOwner | None, point_id: int | None) -> list[CartItem]:
    """The lines of a cart; without a point nothing is delivered."""
    if owner is None:
        return []
    facts = {"point_id": point_id, "moment": clock.now()}
    if owner.user_id is not None:
        rows = session.connection().execute(ITEMS_OF_PERSON, {"user_id": owner.user_id, **facts})
    else:
        rows = session.connection().execute(ITEMS_OF_BROWSER, {"token_hash": owner.token_hash, **facts})
    return all_as(CartItem, rows)


def item(session: Session, variant_code: str, quantity: int, point_id: int | None) -> CartItem | None:
    """So many units of a variant as a line of a cart, whatever lies in anybody's; None where there is no such variant."""
    facts = {"variant_code": variant_code, "wanted": quantity, "point_id": point_id, "moment": clock.now()}
    row = session.connection().execute(ITEM_OF_VARIANT, facts).one_or_none()
    return one_as(CartItem, row) if row else None


def present(session: Session, variant_ids: Collection[int]) -> dict[int, Present]:
    """What variants cost at this moment, wherever they lie; those that are gone altogether are not on sale."""
    on_sale = sa.and_(Variant.is_on_sale, Product.state == ProductState.ON_SALE, Merchant.state == MerchantState.ACTIVE)
    rows = session.connection().execute(
        sa.select(Variant.id, Variant.price, Merchant.pickup_fee, on_sale)
        .join(Product, Product.id == Variant.product_id)
        .join(Merchant, Merchant.id == Product.merchant_id)
        .where(Variant.id.in_(sorted(variant_ids)))
    )
    return {variant_id: Present(price, fee, bool(is_on_sale)) for variant_id, price, fee, is_on_sale in rows}


def kinds(session: Session, owner: CartOwner | None) -> int:
    """How many kinds of goods lie in a cart."""
    if owner is None:
        return 0
    mine = Cart.user_id == owner.user_id if owner.user_id is not None else Cart.token_hash == owner.token_hash
    lines = sa.select(sa.func.count()).select_from(CartLine).join(Cart, Cart.id == CartLine.cart_id)
    return session.scalar(lines.where(mine)) or 0


def view(session: Session, owner: CartOwner | None, point_id: int | None) -> CartView:
    """A cart grouped by merchant and delivery, with prices, stock and times of this moment."""
    return of_items(session, items(session, owner, point_id), point_id)


def of_items(session: Session, found: list[CartItem], point_id: int | None) -> CartView:
    """These lines as a cart: grouped, with what offers of this moment take off them."""
    return grouped(found, promotions.for_goods(session, dict.fromkeys(item.merchant_id for item in found), point_id), clock.now())


def count(session: Session, owner: CartOwner | None) -> int:
    """How many units lie in a cart, for the badge."""
    if owner is None:
        return 0
    if owner.user_id is not None:
        return session.connection().execute(COUNT_OF_PERSON, {"user_id": owner.user_id}).scalar() or 0
    return session.connection().execute(COUNT_OF_BROWSER, {"token_hash": owner.token_hash}).scalar() or 0
