"""Changing carts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from shop.cart.errors import CartFull, NotOnSale, QuantityNotAllowed, QuantityTooLarge
from shop.cart.rules import MOST_LINES, MOST_UNITS, CartOwner, Present, next_allowed
from shop.kernel import clock
from shop.kernel.columns import MoneyType
from shop.kernel.db import operation
from shop.models.cart import Cart, CartLine
from shop.models.catalog import Product, ProductState, Variant
from shop.models.merchants import Merchant, MerchantState

CARTS = cast(sa.Table, Cart.__table__)
LINES = cast(sa.Table, CartLine.__table__)


def _open_cart_statement(dialect: Any, owner_column: str) -> Any:
    insert = dialect.insert(CARTS).values({owner_column: sa.bindparam("owner"), "updated_at": sa.bindparam("moment")})
    touched = {"updated_at": insert.excluded.updated_at}
    return insert.on_conflict_do_update(index_elements=[owner_column], set_=touched).returning(CARTS.c.id)


def _other_kinds() -> sa.ScalarSelect[int]:
    """How many other kinds of goods lie in the cart."""
    others = LINES.alias()
    return (
        sa.select(sa.func.count())
        .where(others.c.cart_id == sa.bindparam("cart_id", type_=sa.BigInteger()), others.c.variant_id != Variant.id)
        .correlate(Variant)
        .scalar_subquery()
    )


def _put_line_statement(dialect: Any) -> Any:
    """Write a line with the price of this moment, if the variant is on sale, sold in that quantity, and the cart has room."""
    quantity = sa.bindparam("wanted", type_=sa.BigInteger())
    offered = (
        sa.select(
            sa.bindparam("cart_id", type_=sa.BigInteger()), Variant.id, quantity, Variant.price,
            sa.bindparam("moment", type_=LINES.c.added_at.type),
        )
        .join(Product, Product.id == Variant.product_id)
        .join(Merchant, Merchant.id == Product.merchant_id)
        .where(
            Variant.code == sa.bindparam("variant_code"), Variant.is_on_sale, Product.state == ProductState.ON_SALE,
            Merchant.state == MerchantState.ACTIVE, quantity >= Variant.minimum_quantity, quantity % Variant.multiple == 0,
            _other_kinds() < MOST_LINES,
        )
    )
    insert = dialect.insert(LINES).from_select(["cart_id", "variant_id", "quantity", "seen_price", "added_at"], offered)
    return insert.on_conflict_do_update(
        index_elements=["cart_id", "variant_id"], set_={"quantity": insert.excluded.quantity, "seen_price": insert.excluded.seen_price}
    ).returning(LINES.c.id)


DIALECTS: Mapping[str, Any] = {"postgresql": postgresql, "sqlite": sqlite}
OWNERS = ("user_id", "token_hash")
OPEN_CART = {(name, column): _open_cart_statement(module, column) for name, module in DIALECTS.items() for column in OWNERS}
PUT_LINE = {name: _put_line_statement(module) for name, module in DIALECTS.items()}


def _of_line(expression: str, kind: Any) -> sa.ColumnElement[Any]:
    """Something about what a deleted line was for. In plain SQL: in RETURNING, columns of subqueries lose their tables otherwise."""
    joined = "variants JOIN products ON products.id = variants.product_id JOIN merchants ON merchants.id = products.merchant_id"
    return sa.literal_column(f"(SELECT {expression} FROM {joined} WHERE variants.id = cart_lines.variant_id)", kind)  # noqa: S608


IS_ON_SALE = "CASE WHEN variants.is_on_sale AND products.state = 'on_sale' AND merchants.state = 'active' THEN 1 ELSE 0 END"
TAKE_OUT = (
    sa.delete(LINES)
    .where(
        LINES.c.cart_id == sa.select(CARTS.c.id).where(CARTS.c.user_id == sa.bindparam("user_id")).scalar_subquery(),
        sa.tuple_(LINES.c.variant_id, LINES.c.quantity).in_(sa.bindparam("ordered", expanding=True)),
    )
    .returning(
        LINES.c.variant_id, _of_line("variants.price", MoneyType()).label("price"),
        _of_line("merchants.pickup_fee", MoneyType()).label("fee"), _of_line(IS_ON_SALE, sa.Integer()).label("is_on_sale"),
    )
)


@operation
def set_line(session: Session, owner: CartOwner, variant_code: str, quantity: int) -> None:
    """Let so many units of a variant lie in the cart; 0 takes it out. Saying it twice changes nothing.

    A cart promises no stock: more than is left may lie in it, and the cart says so. Raises `NotOnSale`,
    `QuantityNotAllowed`, `QuantityTooLarge`, `CartFull`.
    """
    cart_id = _open(session, owner)
    if quantity == 0:
        variant = sa.select(Variant.id).where(Variant.code == variant_code).scalar_subquery()
        session.connection().execute(sa.delete(LINES).where(LINES.c.cart_id == cart_id, LINES.c.variant_id == variant))
        return
    _put(session, cart_id, variant_code, quantity)


@operation
def add_line(session: Session, owner: CartOwner, variant_code: str, quantity: int) -> int:
    """Put so many more units into the cart, at least the smallest quantity that is sold; how many lie in it then."""
    cart_id = _open(session, owner)
    variant = session.execute(
        sa.select(Variant.minimum_quantity, Variant.multiple, CartLine.quantity)
        .outerjoin(CartLine, sa.and_(CartLine.variant_id == Variant.id, CartLine.cart_id == cart_id))
        .where(Variant.code == variant_code)
    ).one_or_none()
    if variant is None:
        raise NotOnSale()
    wanted = next_allowed((variant.quantity or 0) + max(quantity, 1), variant.minimum_quantity, variant.multiple)
    _put(session, cart_id, variant_code, wanted)
    return wanted


@operation
def merge(session: Session, browser: CartOwner, user_id: int) -> None:
    """At sign-in: what lay in the browser's cart joins the person's. Of goods in both, the larger quantity stays.

    The browser's cart is gone afterwards; without one nothing happens.
    """
    found = session.execute(sa.select(CARTS.c.id).where(CARTS.c.token_hash == browser.token_hash)).scalar_one_or_none()
    if browser.token_hash is None or found is None:
        return
    cart_id = _open(session, CartOwner(user_id=user_id))
    insert = DIALECTS[session.get_bind().dialect.name].insert(LINES)
    moved = insert.from_select(
        ["cart_id", "variant_id", "quantity", "seen_price", "added_at"],
        sa.select(sa.literal(cart_id), LINES.c.variant_id, LINES.c.quantity, LINES.c.seen_price, LINES.c.added_at)
        .where(LINES.c.cart_id == found)
        .order_by(LINES.c.id),
    )
    larger = sa.case((LINES.c.quantity >= moved.excluded.quantity, LINES.c.quantity), else_=moved.excluded.quantity)
    session.execute(moved.on_conflict_do_update(index_elements=["cart_id", "variant_id"], set_={"quantity": larger}))
    session.execute(sa.delete(LINES).where(LINES.c.cart_id == found))
    session.execute(sa.delete(CARTS).where(CARTS.c.id == found))


@operation
def clear(session: Session, owner: CartOwner) -> None:
    """Take everything out."""
    session.execute(sa.delete(LINES).where(LINES.c.cart_id == _cart_id(owner)))


@operation
def repair(session: Session, owner: CartOwner, left: Mapping[str, int]) -> None:
    """Cap each line to what can be ordered of it now (`left`, by variant code); 0 takes it out. The rest stays as it is."""
    cart_id = _open(session, owner)
    for variant_code, quantity in sorted(left.items()):
        variant = sa.select(Variant.id).where(Variant.code == variant_code).scalar_subquery()
        line = sa.and_(LINES.c.cart_id == cart_id, LINES.c.variant_id == variant)
        if quantity <= 0:
            session.execute(sa.delete(LINES).where(line))
        else:
            session.execute(sa.update(LINES).where(line, LINES.c.quantity > quantity).values(quantity=quantity))


@operation
def take_out(session: Session, user_id: int, ordered: Mapping[int, int]) -> dict[int, Present] | None:
    """Take ordered goods out, by variant id, if exactly these quantities lie in the cart; what they cost at this moment, else None.

    The first lock of every order: of two orders over one cart, the second finds it changed.
    """
    facts = {"user_id": user_id, "ordered": list(ordered.items())}
    taken = session.connection().execute(TAKE_OUT, facts).all()
    if len(taken) != len(ordered):
        return None
    return {row.variant_id: Present(row.price, row.fee, bool(row.is_on_sale)) for row in taken}


def _cart_id(owner: CartOwner) -> sa.ScalarSelect[int]:
    mine = CARTS.c.user_id == owner.user_id if owner.user_id is not None else CARTS.c.token_hash == owner.token_hash
    return sa.select(CARTS.c.id).where(mine).scalar_subquery()


def _open(session: Session, owner: CartOwner) -> int:
    """The cart of its owner, made if need be, and locked."""
    column, value = ("user_id", owner.user_id) if owner.user_id is not None else ("token_hash", owner.token_hash)
    statement = OPEN_CART[session.get_bind().dialect.name, column]
    return int(session.connection().execute(statement, {"owner": value, "moment": clock.now()}).scalar_one())


def _put(session: Session, cart_id: int, variant_code: str, quantity: int) -> None:
    if quantity > MOST_UNITS:
        raise QuantityTooLarge(most=MOST_UNITS)
    put = session.connection().execute(
        PUT_LINE[session.get_bind().dialect.name],
        {"cart_id": cart_id, "variant_code": variant_code, "wanted": quantity, "moment": clock.now()},
    ).scalar_one_or_none()
    if put is None:
        _refuse(session, cart_id, variant_code, quantity)


def _refuse(session: Session, cart_id: int, variant_code: str, quantity: int) -> None:
    """Say why the line was not written."""
    kinds = sa.select(sa.func.count()).select_from(LINES).where(LINES.c.cart_id == cart_id)
    if (session.execute(kinds).scalar() or 0) >= MOST_LINES:
        raise CartFull(most=MOST_LINES)
    variant = session.execute(sa.select(Variant.minimum_quantity, Variant.multiple).where(Variant.code == variant_code)).one_or_none()
    if variant is not None and (quantity < variant.minimum_quantity or quantity % variant.multiple):
        raise QuantityNotAllowed(minimum=variant.minimum_quantity, multiple=variant.multiple)
    raise NotOnSale()
