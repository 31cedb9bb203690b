"""A merchant's shelf: every variant with its price and how much there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.kernel.rows import all_as, one_as
from shop.models.catalog import PricedBy, Product, ProductState, SearchTerm, Variant
from shop.models.stock import ShelfTerms, StockItem
from shop.stock import queries
from shop.stock.rules import Lying

PAGE = 50
SIZES = (50, 100, 200)
FEW = 5
"""Fewer than so many that can be sold are few, where nobody said from how many on."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """One variant of one product, counted in selling units."""

    variant_id: int
    merchant_id: int
    code: str
    product_id: int
    slug: str
    name_zh: str
    name_en: str
    label_zh: str
    label_en: str
    barcode: str | None
    price: Money
    priced_by: PricedBy
    is_on_sale: bool
    on_hand: int
    reserved: int
    missing: int
    low_mark: int | None  # its own; none: as the shop says
    shop_low_mark: int | None
    low_since: datetime | None
    waiting: int = 0  # sold and not packed

    @property
    def lying(self) -> Lying:
        return Lying(self.on_hand, self.reserved, self.missing, self.waiting)

    @property
    def on_shelf(self) -> int:
        """What should be lying there: free, held, and sold but not packed. This is what people count."""
        return self.lying.on_shelf

    @property
    def available(self) -> int:
        """What can be sold now."""
        return self.lying.available

    @property
    def runs_low_at(self) -> int | None:
        """With so many free or fewer the shop is told; None where it is not."""
        return self.shop_low_mark if self.low_mark is None else self.low_mark

    @property
    def is_few(self) -> bool:
        """Whether it is among what is nearly gone."""
        return self.available <= (FEW - 1 if self.runs_low_at is None else self.runs_low_at)


def _rows(merchant_ids: Sequence[int]) -> sa.Select[Any]:
    columns: tuple[Any, ...] = (
        Variant.id.label("variant_id"), Product.merchant_id, Variant.code, Product.id.label("product_id"), Product.slug, Product.name_zh,
        Product.name_en, Variant.label_zh, Variant.label_en, Variant.barcode, Variant.price, Product.priced_by,
        sa.and_(Variant.is_on_sale, Product.state == ProductState.ON_SALE).label("is_on_sale"),
        *(sa.func.coalesce(column, 0).label(column.key) for column in (StockItem.on_hand, StockItem.reserved, StockItem.missing)),
        StockItem.low_mark, ShelfTerms.low_mark.label("shop_low_mark"), StockItem.low_since,
    )  # fmt: skip
    return (
        sa.select(*columns)
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(StockItem, StockItem.variant_id == Variant.id)
        .outerjoin(ShelfTerms, ShelfTerms.merchant_id == Product.merchant_id)
        .where(Product.merchant_id.in_(merchant_ids))
    )


AVAILABLE: Any = sa.func.coalesce(StockItem.available, 0)
LOW_MARK: Any = sa.func.coalesce(StockItem.low_mark, ShelfTerms.low_mark, FEW - 1)
CODE: Any = sa.func.coalesce(Variant.code, Variant.code)
"""Said so that a shop's goods are found first and then sorted: along the index of codes lie the goods of all shops."""
SORTS: dict[str, Any] = {"code": CODE, "name": Product.name_zh, "price": Variant.price, "available": AVAILABLE}


def list_shelves(
    session: Session, merchant_ids: Sequence[int], *, text: str = "", said: Sequence[str] = (), sort: str = "code", only_few: bool = False,
    after: str | None = None, limit: int = PAGE,
) -> tuple[list[Shelf], str | None]:  # fmt: skip
    """Variants in the order of `sort` (a minus turns it round), and the code after which the next page begins.

    `text` finds names, codes and barcodes; `said` are its words as beginnings of pinyin or initials, by which what is on sale is found
    too. `only_few` leaves what is on sale and runs low.
    """
    found = _rows(merchant_ids)
    if text:
        like = (Product.name_zh, Product.name_en, Variant.code, Variant.barcode)
        found = found.where(sa.or_(*(column.icontains(text, autoescape=True) for column in like), *_said(said)))
    if only_few:
        found = found.where(Variant.is_on_sale, Product.state == ProductState.ON_SALE, AVAILABLE <= LOW_MARK)
    column, downwards = SORTS.get(sort.removeprefix("-"), CODE), sort.startswith("-")
    if after is not None:
        place = _place(column, after)
        beyond = column < place if downwards else column > place
        found = found.where(sa.or_(beyond, sa.and_(column == place, Variant.code > after)))
    found = found.order_by(column.desc() if downwards else column, Variant.code)
    rows = all_as(Shelf, session.execute(found.limit(limit + 1)))
    return with_waiting(session, merchant_ids, rows[:limit]), rows[limit - 1].code if len(rows) > limit else None


def _said(words: Sequence[str]) -> list[sa.ColumnElement[bool]]:
    """Goods of which every word begins the pinyin or the initials. Asked of each of the shop's own goods by the key of the search terms:
    the terms of all shops are not read."""
    return [sa.and_(*(sa.or_(*(_has_term(f"{kind}:{word}") for kind in ("p", "i"))) for word in words))] if words else []


def _has_term(beginning: str) -> sa.ColumnElement[bool]:
    term: Any = SearchTerm.term
    one = sa.select(sa.literal(1)).where(SearchTerm.product_id == Product.id, term >= beginning, term < beginning + "\U0010ffff")
    return one.limit(1).correlate(Product).scalar_subquery().is_not(None)


def with_waiting(session: Session, merchant_ids: Sequence[int], rows: Sequence[Shelf]) -> list[Shelf]:
    """The same with what is sold of them and not packed."""
    waiting = queries.waiting(session, merchant_ids, [shelf.variant_id for shelf in rows])
    return [replace(shelf, waiting=waiting[shelf.variant_id]) if shelf.variant_id in waiting else shelf for shelf in rows]


def _place(column: Any, code: str) -> Any:
    """Where the variant of a code stands in a column."""
    return (
        sa.select(column)
        .select_from(Variant)
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(StockItem, StockItem.variant_id == Variant.id)
        .where(Variant.code == code)
        .correlate(None)
        .scalar_subquery()
    )


def get_shelf(session: Session, merchant_ids: Sequence[int], code: str) -> Shelf:
    """One variant of one of these merchants. Raises `NotFound` for all others."""
    row = session.execute(_rows(merchant_ids).where(Variant.code == code)).one_or_none()
    if row is None:
        raise NotFound()
    return with_waiting(session, merchant_ids, [one_as(Shelf, row)])[0]


def named(session: Session, merchant_ids: Sequence[int], codes: Sequence[str]) -> dict[str, Shelf]:
    """Variants of these merchants by code; those of others are left out."""
    rows = session.execute(_rows(merchant_ids).where(Variant.code.in_(codes)))
    return {shelf.code: shelf for shelf in all_as(Shelf, rows)}
