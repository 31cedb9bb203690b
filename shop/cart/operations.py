"""Changing carts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.cart.errors import CartFull, CartMovedOn, NotOnSale, QuantityNotAllowed, QuantityTooLarge
from shop.cart.rules import MOST_LINES, MOST_UNITS, CartOwner, Merged, Present, next_allowed
from shop.kernel import clock
from shop.kernel.columns import MoneyType
from shop.kernel.db import operation
from shop.kernel.statements import PerEngine, insert_or_update, table
from shop.models.cart import NOBODYS, Cart, CartLine
from shop.models.catalog import Product, ProductState, Variant
from shop.models.merchants import Merchant, MerchantState

CARTS = table(Cart)
LINES = table(CartLine)
LINE_KEY = ["cart_id", "variant_id"]
LINE_COLUMNS = ["cart_id", "variant_id", "quantity", "seen_price", "added_at", "is_chosen", "is_earlier"]


def _open_cart_statement(owner_column: str) -> PerEngine:
    values: dict[str, Any] = {owner_column: sa.bindparam("owner"), "updated_at": sa.bindparam("moment")}
    return insert_or_update(CARTS, [owner_column], lambda new: {"updated_at": new.updated_at}, CARTS.c.id, values=values)


def _other_kinds() -> sa.ScalarSelect[int]:
    """How many other kinds of goods lie in the cart."""
    others = LINES.alias()
    return (
        sa.select(sa.func.count())
        .where(others.c.cart_id == sa.bindparam("cart_id", type_=sa.BigInteger()), others.c.variant_id != Variant.id)
        .correlate(Variant)
        .scalar_subquery()
    )


def _put_line_statement() -> PerEngine:
    """Write a line with the price of this moment, if the variant is on sale, sold in that quantity, and the cart has room."""
    quantity, chosen = sa.bindparam("wanted", type_=sa.BigInteger()), sa.bindparam("chosen", type_=sa.Boolean())
    offered = (
        sa.select(
            sa.bindparam("cart_id", type_=sa.BigInteger()), Variant.id, quantity, Variant.price,
            sa.bindparam("moment", type_=LINES.c.added_at.type), sa.func.coalesce(chosen, sa.true()), sa.false(),
        )
        .join(Product, Product.id == Variant.product_id)
        .join(Merchant, Merchant.id == Product.merchant_id)
        .where(
            Variant.code == sa.bindparam("variant_code"), Variant.is_on_sale, Product.state == ProductState.ON_SALE,
            Merchant.state == MerchantState.ACTIVE, quantity >= Variant.minimum_quantity, quantity % Variant.multiple == 0,
            _other_kinds() < MOST_LINES,
        )
    )

    def written(new: Any) -> Mapping[str, Any]:
        kept_choice = sa.func.coalesce(chosen, LINES.c.is_chosen)
        return {"quantity": new.quantity, "seen_price": new.seen_price, "is_earlier": sa.false(), "is_chosen": kept_choice}

    return insert_or_update(LINES, LINE_KEY, written, LINES.c.id, source=(LINE_COLUMNS, offered))


OWNERS = ("user_id", "token_hash")
OPEN_CART = {column: _open_cart_statement(column) for column in OWNERS}
PUT_LINE = _put_line_statement()


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
def set_line(
    session: Session, owner: CartOwner, variant_code: str, quantity: int, *, chosen: bool | None = None, seen: int | None = None
) -> None:
    """Let so many units of a variant lie in the cart; 0 takes it out. Saying it twice changes nothing.

    `chosen` ticks or unticks the line; None leaves the tick as it is, and ticks a new line. `seen` is how many lay there when
    the page was made: found otherwise, and not at what is wanted either, nothing changes (`CartMovedOn`). A cart promises no stock: more
    than is left may lie in it, and the cart says so. Raises `NotOnSale`, `QuantityNotAllowed`, `QuantityTooLarge`, `CartFull`.
    """
    cart_id = _open(session, owner)
    if seen is not None and (present := _quantity(session, cart_id, variant_code)) not in {seen, quantity}:
        raise CartMovedOn(quantity=present)
    if quantity == 0:
        session.connection().execute(sa.delete(LINES).where(LINES.c.cart_id == cart_id, LINES.c.variant_id == _variant(variant_code)))
        return
    _put(session, cart_id, variant_code, quantity, chosen)


@operation
def choose(session: Session, owner: CartOwner, variant_codes: Collection[str], chosen: bool) -> int:
    """Tick lines, or untick them: only what is ticked is quoted and ordered, the rest stays in the cart. How many lines it met.

    Who ticks a line that lay there before a sign-in knows of it: it is no longer marked.
    """
    variants = sa.select(Variant.id).where(Variant.code.in_(sorted(variant_codes)))
    lines = sa.update(LINES).where(LINES.c.cart_id == _open(session, owner), LINES.c.variant_id.in_(variants))
    met: Any = session.connection().execute(lines.values(is_chosen=chosen, **({"is_earlier": False} if chosen else {})))
    return int(met.rowcount)


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
    _put(session, cart_id, variant_code, wanted, True)
    return wanted


@operation
def merge(session: Session, browser: CartOwner, user_id: int, *, sets_aside: bool = False) -> Merged:
    """At sign-in: what lay in the browser's cart joins the person's, as far as a cart has room; what became of it.

    What lay in the person's cart before is marked as earlier. With `sets_aside`, for somebody on the way to paying, earlier lines are
    unticked and of goods in both the browser's quantity stands: what is paid is what was seen. Otherwise the larger quantity stays.
    Kinds that find no room stay in the browser's cart, nothing is thrown away; an empty browser's cart is gone afterwards.
    Without one nothing happens.
    """
    found = session.execute(sa.select(CARTS.c.id).where(CARTS.c.token_hash == browser.token_hash)).scalar_one_or_none()
    if browser.token_hash is None or found is None:
        return Merged()
    cart_id = _open(session, CartOwner(user_id=user_id))
    _open(session, browser)
    before = set(session.scalars(sa.select(LINES.c.variant_id).where(LINES.c.cart_id == cart_id)))
    brought = session.scalars(sa.select(LINES.c.variant_id).where(LINES.c.cart_id == found).order_by(LINES.c.id)).all()
    room = MOST_LINES - len(before)
    joining = [kind for kind in brought if kind in before] + [kind for kind in brought if kind not in before][: max(room, 0)]
    if joining:
        _mark_earlier(session, cart_id, before - set(joining), sets_aside)
        _move(session, found, cart_id, joining, sets_aside)
    left_out = len(brought) - len(joining)
    if not left_out:
        session.execute(sa.delete(CARTS).where(CARTS.c.id == found))
    return Merged(earlier=len(before - set(joining)) if joining else 0, joined=len(joining), left_out=left_out)


def _mark_earlier(session: Session, cart_id: int, kinds: Collection[int], sets_aside: bool) -> None:
    lines = sa.update(LINES).where(LINES.c.cart_id == cart_id)
    session.execute(lines.values(is_earlier=False))
    aside = {"is_chosen": False} if sets_aside else {}
    session.execute(lines.where(LINES.c.variant_id.in_(sorted(kinds))).values(is_earlier=True, **aside))


def _move(session: Session, source: int, cart_id: int, kinds: Sequence[int], sets_aside: bool) -> None:
    """Lines of one cart go into another that has room for them."""
    lines = sa.and_(LINES.c.cart_id == source, LINES.c.variant_id.in_(kinds))
    moved = (
        sa.select(
            sa.literal(cart_id), LINES.c.variant_id, LINES.c.quantity, LINES.c.seen_price, LINES.c.added_at, LINES.c.is_chosen, sa.false()
        )
        .where(lines)
        .order_by(LINES.c.id)
    )

    def met(new: Any) -> Mapping[str, Any]:
        larger = sa.case((LINES.c.quantity >= new.quantity, LINES.c.quantity), else_=new.quantity)
        return {"quantity": new.quantity if sets_aside else larger, "is_chosen": new.is_chosen}

    session.execute(insert_or_update(LINES, LINE_KEY, met, LINES.c.id, source=(LINE_COLUMNS, moved)).of(session))
    session.execute(sa.delete(LINES).where(lines))


@operation
def clear(session: Session, owner: CartOwner) -> None:
    """Take everything out."""
    session.execute(sa.delete(LINES).where(LINES.c.cart_id == _cart_id(owner)))


@operation
def repair(session: Session, owner: CartOwner, left: Mapping[str, int]) -> None:
    """Cap each line to what can be ordered of it now (`left`, by variant code); 0 takes it out. The rest stays as it is."""
    cart_id = _open(session, owner)
    for variant_code, quantity in sorted(left.items()):
        line = sa.and_(LINES.c.cart_id == cart_id, LINES.c.variant_id == _variant(variant_code))
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
    statement = OPEN_CART[column].of(session)
    return int(session.connection().execute(statement, {"owner": value, "moment": clock.now()}).scalar_one())


def _variant(code: str) -> sa.ScalarSelect[int]:
    return sa.select(Variant.id).where(Variant.code == code).scalar_subquery()


def _quantity(session: Session, cart_id: int, variant_code: str) -> int:
    """How many of a variant lie in a cart that is locked."""
    line = sa.select(LINES.c.quantity).where(LINES.c.cart_id == cart_id, LINES.c.variant_id == _variant(variant_code))
    return session.execute(line).scalar() or 0


def _put(session: Session, cart_id: int, variant_code: str, quantity: int, chosen: bool | None = None) -> None:
    if quantity > MOST_UNITS:
        raise QuantityTooLarge(most=MOST_UNITS)
    put = session.connection().execute(
        PUT_LINE.of(session),
        {"cart_id": cart_id, "variant_code": variant_code, "wanted": quantity, "chosen": chosen, "moment": clock.now()},
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


NOBODYS_KEPT_FOR = timedelta(days=30)
FORGOTTEN_AT_ONCE = 200


@operation
def forget_nobodys(session: Session) -> int:
    """Delete carts of browsers that were not touched for a month, the oldest first, never the newest cart of all; how many."""
    newest = sa.select(sa.func.max(Cart.id)).scalar_subquery()  # SQLite would give its number to another
    old = sa.select(Cart.id).where(NOBODYS, Cart.updated_at < clock.now() - NOBODYS_KEPT_FOR, Cart.id < newest)
    ids = list(session.scalars(old.order_by(Cart.updated_at).limit(FORGOTTEN_AT_ONCE)))
    session.execute(sa.delete(CartLine).where(CartLine.cart_id.in_(ids)).execution_options(synchronize_session=False))
    session.execute(sa.delete(Cart).where(Cart.id.in_(ids), NOBODYS).execution_options(synchronize_session=False))
    return len(ids)
