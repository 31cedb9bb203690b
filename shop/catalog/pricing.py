"""What things cost, changed on purpose: who, when, from what to what; all at once or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.catalog import rules
from shop.catalog.errors import PriceChangedMeanwhile, PriceFarOff, PriceMuchHigher, PriceMuchLower, PriceNotPositive, PricesRefused
from shop.catalog.operations import refresh_listings
from shop.catalog.permissions import CatalogPermission
from shop.catalog.tags import Done
from shop.kernel import clock
from shop.kernel.db import operation
from shop.kernel.errors import NotFound, ShopError
from shop.kernel.money import ZERO, Money
from shop.kernel.statements import table
from shop.models.accounts import User
from shop.models.catalog import PriceChange, Product, Variant
from shop.platform import audit
from shop.platform.actor import Actor

VARIANTS, PRICES = table(Variant), table(PriceChange)
SET_PRICE = (
    sa.update(VARIANTS).where(VARIANTS.c.id == sa.bindparam("of")).values(price=sa.bindparam("new", type_=VARIANTS.c.price.type))
)


@dataclass(frozen=True, slots=True)
class NewPrice:
    """A price somebody wants for a variant; `before` is the price they saw, None when they saw none."""

    code: str
    price: Money
    before: Money | None = None


@operation
def change_prices(
    session: Session, actor: Actor, wanted: Sequence[NewPrice], *, sure: Callable[[PricesRefused], bool] = lambda _doubt: False
) -> int:
    """Give variants of the actor's own shops new prices from now on, all or none; how many are new. The same price changes nothing.

    Raises `NotFound` for variants of others, and `PricesRefused` with a refusal per code: `PriceNotPositive`,
    `PriceChangedMeanwhile` when the price is no longer the one that was seen; else `PriceFarOff`, unless `sure` says yes
    to these very questions.
    """
    by_code = {one.code: one for one in wanted}
    found = _locked(session, actor.merchants(CatalogPermission.PRICE_WRITE), list(by_code))
    if len(found) < len(by_code):
        raise NotFound()
    refused: dict[str, ShopError] = {}
    for row in found:
        one = by_code[row.code]
        if one.price <= ZERO:
            refused[row.code] = PriceNotPositive()
        elif one.before is not None and one.before != row.price != one.price:
            refused[row.code] = PriceChangedMeanwhile(now=row.price, now_minor=row.price.fen)
    if refused:
        raise PricesRefused(refused)
    wishes = [(row.code, row.price, by_code[row.code].price) for row in found]
    far: dict[str, ShopError] = {code: far_off(old, new) for code, old, new in wishes if rules.is_price_far_off(old, new)}
    if far and not sure(doubt := PricesRefused(far)):
        raise doubt
    changes = [(row, by_code[row.code].price) for row in found if by_code[row.code].price != row.price]
    _set_each(session, actor, [(row.id, row.price, price) for row, price in changes])
    refresh_listings(session, [row.product_id for row, _ in changes])
    return len(changes)


def far_off(old: Money, new: Money) -> PriceFarOff:
    """The question about a price: both prices, and how far they are apart."""
    both: dict[str, Any] = {"old": old, "new": new, "old_minor": old.fen, "new_minor": new.fen}
    if new > old:
        return PriceMuchHigher(times=rules.times_as_much(old, new), **both)
    return PriceMuchLower(percent=rules.percent_less(old, new), **both)


def _locked(session: Session, merchant_ids: Sequence[int], codes: Sequence[str]) -> Sequence[Any]:
    """Variants of these merchants by id, locked, so that of two people who change a price the second sees the first one's."""
    products = sa.select(Product.id).where(Product.merchant_id.in_(merchant_ids))
    return session.execute(
        sa.select(VARIANTS.c.id, VARIANTS.c.code, VARIANTS.c.price, VARIANTS.c.product_id)
        .where(VARIANTS.c.code.in_(codes), VARIANTS.c.product_id.in_(products))
        .order_by(VARIANTS.c.id)
        .with_for_update(key_share=True)
    ).all()


def _set_each(session: Session, actor: Actor, changes: Sequence[tuple[int, Money, Money]]) -> None:
    """New prices of variants, from what to what; a statement for all of them each."""
    if not changes:
        return
    moment = clock.now()
    audit.record_all(
        session, actor, Done.VARIANT_PRICED, "variant", [variant_id for variant_id, _, _ in changes],
        old_fen=[old.fen for _, old, _ in changes], new_fen=[new.fen for _, _, new in changes],
    )  # fmt: skip
    connection = session.connection()
    connection.execute(SET_PRICE, [{"of": variant_id, "new": new} for variant_id, _, new in changes])
    connection.execute(
        sa.insert(PRICES),
        [{"variant_id": variant_id, "price": new, "actor_id": actor.user_id, "at": moment} for variant_id, _, new in changes],
    )


@dataclass(frozen=True, slots=True)
class PastPrice:
    """One line of a variant's history; `old` is None for its first price, `who` when nobody is known."""

    id: int
    at: datetime
    old: Money | None
    new: Money
    who: str | None


def price_history(session: Session, variant_id: int, before: int | None = None, limit: int = 50) -> tuple[list[PastPrice], int | None]:
    """The prices a variant had, newest first, and the id before which the next page begins. One statement."""
    found = (
        sa.select(PriceChange.id, PriceChange.at, PriceChange.price, User.display_name)
        .outerjoin(User, User.id == PriceChange.actor_id)
        .where(PriceChange.variant_id == variant_id)
        .order_by(PriceChange.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        found = found.where(PriceChange.id < before)
    rows = session.execute(found).all()
    older: list[Money | None] = [*(row.price for row in rows[1:]), None]
    listed = [PastPrice(row.id, row.at, old, row.price, row.display_name) for row, old in zip(rows, older, strict=False)][:limit]
    return listed, listed[-1].id if len(rows) > limit else None
