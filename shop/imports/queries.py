"""Reading what was brought, and the goods it is held against."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.imports.comparing import Around, Known
from shop.imports.wishes import Wish
from shop.kernel.errors import NotFound
from shop.models.catalog import Category, Product, Variant
from shop.models.imports import ImportRow, ImportState, Outcome, ProductImport, Verdict
from shop.models.stock import StockItem
from shop.stock import queries as stock
from shop.stock.rules import Lying

PAGE = 50
SIZES = (50, 100, 200)
AT_ONCE = 500
OPEN = (ImportState.READING, ImportState.CHECKED, ImportState.APPLYING)


def get_import(session: Session, merchant_ids: Sequence[int], ref: str) -> ProductImport:
    """One import of one of these shops. Raises `NotFound` for all others."""
    found = session.scalars(
        sa.select(ProductImport).where(ProductImport.ref == ref, ProductImport.merchant_id.in_(merchant_ids))
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


def list_imports(
    session: Session, merchant_ids: Sequence[int], before: int | None = None, limit: int = PAGE
) -> tuple[list[ProductImport], int | None]:
    """The imports of these shops, newest first, and the id before which the next page begins."""
    found = sa.select(ProductImport).where(ProductImport.merchant_id.in_(merchant_ids)).order_by(ProductImport.id.desc())
    if before is not None:
        found = found.where(ProductImport.id < before)
    rows = list(session.scalars(found.limit(limit + 1)))
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows of an import there are of each kind. `asked` are good rows with a question that nobody has said yes to."""

    new: int = 0
    changed: int = 0
    same: int = 0
    wrong: int = 0
    asked: int = 0
    failed: int = 0

    @property
    def to_apply(self) -> int:
        """Rows that change something and are waited for by nobody."""
        return self.new + self.changed - self.asked


def counts(session: Session, import_id: int) -> Counts:
    rows = session.execute(
        sa.select(
            ImportRow.verdict, sa.func.count(),
            sa.func.sum(sa.case((sa.and_(ImportRow.is_asked, ~ImportRow.is_sure), 1), else_=0)),
            sa.func.sum(sa.case((ImportRow.outcome == Outcome.FAILED, 1), else_=0)),
        )
        .where(ImportRow.import_id == import_id)
        .group_by(ImportRow.verdict)
    ).all()  # fmt: skip
    by_verdict = {row[0].value: int(row[1]) for row in rows}
    return Counts(**by_verdict, asked=sum(int(row[2]) for row in rows), failed=sum(int(row[3]) for row in rows))


WHICH: dict[str, tuple[Any, ...]] = {
    "": (),
    "new": (ImportRow.verdict == Verdict.NEW,),
    "changed": (ImportRow.verdict == Verdict.CHANGED,),
    "same": (ImportRow.verdict == Verdict.SAME,),
    "wrong": (ImportRow.verdict == Verdict.WRONG,),
    "asked": (ImportRow.is_asked,),
    "failed": (ImportRow.outcome == Outcome.FAILED,),
    "repair": (sa.or_(ImportRow.verdict == Verdict.WRONG, ImportRow.outcome == Outcome.FAILED),),
}
"""Which rows a list shows."""


def list_rows(
    session: Session, import_id: int, which: str = "", after: int | None = None, limit: int = PAGE
) -> tuple[list[ImportRow], int | None]:
    """Rows of an import as the sheet has them, and the number after which the next page begins."""
    found = sa.select(ImportRow).where(ImportRow.import_id == import_id, *WHICH[which]).order_by(ImportRow.number)
    if after is not None:
        found = found.where(ImportRow.number > after)
    rows = list(session.scalars(found.limit(limit + 1)))
    return rows[:limit], rows[limit - 1].number if len(rows) > limit else None


def at_work(session: Session) -> list[tuple[int, ImportState]]:
    """What is being read or applied, by id: a shop has few at a time."""
    busy = sa.select(ProductImport.id, ProductImport.state).where(ProductImport.state.in_((ImportState.READING, ImportState.APPLYING)))
    return [(one.id, one.state) for one in session.execute(busy.order_by(ProductImport.id).limit(500))]


def categories(session: Session) -> tuple[dict[str, int], str]:
    """Our categories by slug and both names, folded; and all of them in words."""
    rows = session.execute(
        sa.select(Category.id, Category.slug, Category.name_zh, Category.name_en).order_by(Category.position, Category.id)
    )
    found, named = {}, []
    for row in rows:
        found.update(dict.fromkeys((row.slug.casefold(), row.name_zh.casefold(), row.name_en.casefold()), row.id))
        named.append(row.name_zh)
    return found, "、".join(named)


def category_names(session: Session, locale: str) -> dict[int, str]:
    """What each category is called in a language."""
    name = Category.name_zh if locale == "zh" else Category.name_en
    return {row[0]: row[1] for row in session.execute(sa.select(Category.id, name))}


def listed() -> sa.Select[Variant, Product, int, int, int]:
    """Every size of every product with all that a sheet says of it."""
    return (
        sa.select(Variant, Product, sa.func.coalesce(StockItem.on_hand, 0), sa.func.coalesce(StockItem.reserved, 0),
                  sa.func.coalesce(StockItem.missing, 0))
        .join(Product, Product.id == Variant.product_id)
        .outerjoin(StockItem, StockItem.variant_id == Variant.id)
    )  # fmt: skip


def known(session: Session, merchant_id: int, codes: Iterable[str]) -> dict[str, Known]:
    """The shop's own goods of these codes, as they are now."""
    rows = session.execute(listed().where(Variant.code.in_(list(codes)))).all()
    own = [row for row in rows if row[1].merchant_id == merchant_id]  # told apart here: all of a shop's goods are many
    return {one.code: one for one in knowns(session, merchant_id, own)}


def shelf_of(session: Session, merchant_id: int, after: str = "", limit: int = AT_ONCE) -> list[Known]:
    """The next of a shop's goods by code, for a sheet of all of them."""
    rows = session.execute(
        listed().where(Product.merchant_id == merchant_id, Variant.code > after).order_by(Variant.code).limit(limit)
    ).all()
    return knowns(session, merchant_id, rows)


def knowns(session: Session, merchant_id: int, rows: Sequence[Any]) -> list[Known]:
    waiting = stock.waiting(session, [merchant_id], [row[0].id for row in rows])
    return [
        Known(
            variant.id, product.id, variant.code, product.code, values_of(variant, product) | {"stock": lying.on_shelf}, lying
        )
        for variant, product, on_hand, reserved, missing in rows
        for lying in [Lying(on_hand, reserved, missing, waiting.get(variant.id, 0))]
    ]  # fmt: skip


def values_of(variant: Variant, product: Product) -> dict[str, Any]:
    """What is listed, by the names of our columns."""
    return values_of_product(product) | {
        "unit_zh": variant.label_zh, "unit_en": variant.label_en, "price": variant.price.fen, "grams": variant.net_weight_grams,
        "barcode": variant.barcode, "minimum": variant.minimum_quantity, "multiple": variant.multiple,
    }  # fmt: skip


def values_of_product(product: Product) -> dict[str, Any]:
    """What is listed of a product, the same in all its sizes."""
    return {
        "name_zh": product.name_zh, "name_en": product.name_en, "category": product.category_id, "state": product.state.value,
        "sold_by": [product.sold_by.value, product.priced_by.value], "storage": product.storage.value,
        "shelf_life": product.shelf_life_days, "origin_zh": product.origin_zh, "origin_en": product.origin_en,
        "season": product.season_months, "is_agricultural": product.is_agricultural,
        "is_returnable": product.is_returnable_within_7_days, "allergens": "|".join(sorted(filter(None, product.allergens.split("|")))),
        "description_zh": product.description_zh, "description_en": product.description_en,
    }  # fmt: skip


def around(session: Session, merchant_id: int, wishes: Sequence[Wish], prefix: str) -> Around:
    """What there is already under the codes of some rows."""
    codes = list(codes_of(wishes, prefix))
    mine = known(session, merchant_id, codes)
    sizes = set(session.scalars(sa.select(Variant.code).where(Variant.code.in_(codes)))) - set(mine)
    products = session.scalars(sa.select(Product).where(sa.or_(Product.code.in_(codes), Product.slug.in_(codes)))).all()
    own = {product.code: values_of_product(product) for product in products if product.merchant_id == merchant_id}
    others = {name for product in products if product.merchant_id != merchant_id for name in (product.code, product.slug)}
    return Around(mine, own, sizes, others)


def products_of_others(session: Session, merchant_id: int, codes: Sequence[str]) -> set[str]:
    """Which of these codes name products of other shops."""
    found = sa.select(Product.code).where(Product.code.in_(codes), Product.merchant_id != merchant_id)
    return set(session.scalars(found))


def codes_of(wishes: Iterable[Wish], prefix: str) -> set[str]:
    """All codes that rows may mean."""
    return {form for wish in wishes for code in (wish.code, wish.product) if code for form in (code, f"{prefix}-{code}")}


def is_open(session: Session, merchant_id: int) -> int:
    """How many imports of a shop are being read, wait for a decision, or are being applied."""
    found = sa.select(sa.func.count()).select_from(ProductImport)
    return session.scalar(found.where(ProductImport.merchant_id == merchant_id, ProductImport.state.in_(OPEN))) or 0
