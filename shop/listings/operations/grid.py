"""Many cells of many goods saved at once, all or none: names, sizes, prices and counts, each held against what was seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.catalog import goods, pricing
from shop.catalog import rules as prices
from shop.catalog.errors import PricesRefused
from shop.catalog.goods import SaidAnew
from shop.catalog.permissions import CatalogPermission
from shop.catalog.pricing import NewPrice
from shop.kernel.db import operation
from shop.kernel.errors import Invalid, NotFound, ShopError
from shop.listings import fields
from shop.listings.errors import CellChangedMeanwhile, FieldMissing, GridDoubtful, GridRefused, ToldTwice
from shop.models.catalog import Variant
from shop.platform.actor import Actor
from shop.stock import counting_many, shelves
from shop.stock import rules as stock
from shop.stock.counting_many import Counted
from shop.stock.errors import CountFarOff
from shop.stock.shelves import Shelf

READERS: Mapping[str, Callable[[str], Any]] = {
    "name_zh": fields.line(fields.LONGEST_NAME), "label_zh": fields.line(fields.LONGEST_UNIT), "price": fields.price,
    "stock": fields.number(0, fields.MOST_STOCK),
}  # fmt: skip
COLUMNS = tuple(READERS)
Refused = dict[tuple[str, str], ShopError]


@dataclass(frozen=True, slots=True)
class Cell:
    """What somebody typed into a cell, and what stood there when they began."""

    column: str
    code: str
    was: str
    typed: str


def written(shelf: Shelf, column: str) -> str:
    """What stands in a cell."""
    return str({"price": shelf.price, "stock": shelf.on_shelf}.get(column, getattr(shelf, column, "")))


@operation
def save_grid(
    session: Session, actor: Actor, merchant_id: int, cells: Sequence[Cell], once: str, *,
    sure: Callable[[GridDoubtful], bool] = lambda _doubt: False,
) -> int:  # fmt: skip
    """Save every cell that says something new, or none; how many. A cell that says already what is wanted is no conflict.

    Raises `NotFound` for another's goods, `GridRefused` with what is wrong by cell; else `GridDoubtful` for prices and counts that
    are likely slips, unless `sure` says yes to these very ones.
    """
    if merchant_id not in actor.merchants(CatalogPermission.GOODS_WRITE) or any(one.column not in READERS for one in cells):
        raise NotFound()
    codes = sorted({one.code for one in cells})
    session.execute(sa.select(Variant.id).where(Variant.code.in_(codes)).order_by(Variant.id).with_for_update(key_share=True))
    there = shelves.named(session, [merchant_id], codes)
    if len(there) < len(codes):
        raise NotFound()
    there = {one.code: one for one in shelves.with_waiting(session, [merchant_id], list(there.values()))}
    wanted, refused = _read(cells, there)
    if refused:
        raise GridRefused(refused)
    if (doubts := _doubts(wanted, there)) and not sure(doubtful := GridDoubtful(doubts)):
        raise doubtful
    _say(session, actor, merchant_id, wanted, there)
    _price(session, actor, wanted, there)
    _count(session, actor, merchant_id, wanted, there, once)
    return len(wanted)


def _read(cells: Sequence[Cell], there: Mapping[str, Shelf]) -> tuple[dict[tuple[str, str], Any], Refused]:
    """The new values by cell, and what is wrong with which."""
    wanted: dict[tuple[str, str], Any] = {}
    refused: Refused = {}
    names: dict[int, str] = {}
    for one in cells:
        place, now = (one.column, one.code), written(there[one.code], one.column)
        try:
            if not one.typed.strip():
                raise FieldMissing()
            value = READERS[one.column](one.typed.strip())
        except Invalid as refusal:
            refused[place] = refusal
            continue
        if str(value) == now:
            continue
        if now != one.was:
            refused[place] = CellChangedMeanwhile(now=now)
        elif one.column == "name_zh" and names.setdefault(there[one.code].product_id, value) != value:
            refused[place] = ToldTwice()
        else:
            wanted[place] = value
    return wanted, refused


def _doubts(wanted: Mapping[tuple[str, str], Any], there: Mapping[str, Shelf]) -> Refused:
    found: Refused = {}
    for (column, code), value in wanted.items():
        shelf = there[code]
        if column == "price" and prices.is_price_far_off(shelf.price, value):
            found[column, code] = pricing.far_off(shelf.price, value)
        elif column == "stock":
            lying = shelf.lying
            if stock.is_count_far_off(lying.on_shelf, value) or lying.lacking(value) > lying.lacking(lying.on_shelf):
                found[column, code] = CountFarOff(quantity=value, expected=lying.on_shelf)
    return found


def _say(session: Session, actor: Actor, merchant_id: int, wanted: Mapping[tuple[str, str], Any], there: Mapping[str, Shelf]) -> None:
    """New names and sizes. Where the English words were the Chinese ones, they stay so."""
    said = []
    for shelf in there.values():
        product, variant = _words(wanted, shelf, "name"), _words(wanted, shelf, "label")
        if product or variant:
            said.append(SaidAnew(shelf.variant_id, shelf.product_id, product, variant))
    if said:
        goods.change_goods(session, actor, merchant_id, said)


def _words(wanted: Mapping[tuple[str, str], Any], shelf: Shelf, field: str) -> dict[str, str]:
    new = wanted.get((f"{field}_zh", shelf.code))
    if new is None:
        return {}
    is_same = getattr(shelf, f"{field}_en") == getattr(shelf, f"{field}_zh")
    return {f"{field}_zh": new, **({f"{field}_en": new} if is_same else {})}


def _price(session: Session, actor: Actor, wanted: Mapping[tuple[str, str], Any], there: Mapping[str, Shelf]) -> None:
    new = [NewPrice(code, value, there[code].price) for (column, code), value in wanted.items() if column == "price"]
    if not new:
        return
    try:
        pricing.change_prices(session, actor, new, sure=lambda _doubt: True)
    except PricesRefused as refusal:
        raise GridRefused({("price", code): error for code, error in refusal.refused.items()}) from None


def _count(
    session: Session, actor: Actor, merchant_id: int, wanted: Mapping[tuple[str, str], Any], there: Mapping[str, Shelf], once: str
) -> None:
    counted = [
        Counted(there[code].variant_id, value, there[code].on_shelf, f"grid:{actor.user_id}:{once}:{code}", is_sure=True)
        for (column, code), value in wanted.items()
        if column == "stock"
    ]
    codes = {shelf.variant_id: code for code, shelf in there.items()}

    def refuse(moved: Sequence[Counted]) -> None:
        raise GridRefused({("stock", codes[one.variant_id]): CellChangedMeanwhile(now="?") for one in moved})

    counting_many.count_each(session, actor, merchant_id, counted, refuse=refuse)
