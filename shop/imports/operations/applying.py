"""The rows of a decided sheet are applied through the shop's own operations, some at a time, each once for good.

A batch takes the import's row first, so that of two workers the second waits and finds these rows done. A row that was good when it was
read and is no more refuses its batch before anything of it is written: it is noted, and the others are applied without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.catalog import goods, pricing
from shop.catalog.errors import PricesRefused
from shop.catalog.goods import NewGoods, SaidAnew
from shop.catalog.pricing import NewPrice
from shop.imports import queries
from shop.imports.saying import Saying
from shop.imports.tags import Done
from shop.kernel import clock
from shop.kernel.crash import crashpoint
from shop.kernel.db import operation, take
from shop.kernel.errors import ShopError, sentence
from shop.kernel.money import Money
from shop.models.catalog import PricedBy, ProductState, SoldBy, Storage, Variant
from shop.models.imports import ImportRow, ImportState, Outcome, ProductImport, Verdict
from shop.platform import audit
from shop.platform.actor import Actor
from shop.stock import counting_many, opening
from shop.stock.counting_many import Counted
from shop.stock.opening import First

BATCH = 250
MEANWHILE = Saying("", "changed_meanwhile")

PRODUCT = {
    "name_zh": "name_zh", "name_en": "name_en", "category": "category_id", "state": "state", "storage": "storage",
    "shelf_life": "shelf_life_days", "origin_zh": "origin_zh", "origin_en": "origin_en", "season": "season_months",
    "is_agricultural": "is_agricultural", "is_returnable": "is_returnable_within_7_days", "allergens": "allergens",
    "description_zh": "description_zh", "description_en": "description_en",
}  # fmt: skip
VARIANT = {
    "unit_zh": "label_zh", "unit_en": "label_en", "grams": "net_weight_grams", "barcode": "barcode", "minimum": "minimum_quantity",
    "multiple": "multiple",
}  # fmt: skip
"""Our columns, and where they are kept."""

KINDS: Mapping[str, Any] = {"state": ProductState, "storage": Storage}


class RowsFailed(Exception):
    """Rows that are good no more, by id; nothing of their batch was written."""

    def __init__(self, failed: Mapping[int, Saying]) -> None:
        self.failed = dict(failed)
        super().__init__(f"{len(failed)} rows")


class NobodyMay(ShopError):
    code, status = "import_not_permitted", 403
    message = sentence("Whoever decided about this sheet may not do so any more. Nothing further was applied.")


class NotAll(ShopError):
    code, status = "import_not_all", 409
    message = sentence("Something changed after the file was read, and it was all or nothing: nothing was applied. Bring the file again.")


class NotFurther(ShopError):
    code, status = "import_not_further", 409
    message = sentence("A row of this sheet cannot be applied, and nothing further was. Bring the file again to see what is left.")


def _open(session: Session, import_id: int) -> ProductImport | None:
    """The import, its row taken until the transaction ends; None when it is not being applied any more."""
    found = sa.select(ProductImport).where(ProductImport.id == import_id, ProductImport.state == ImportState.APPLYING)
    return session.scalars(found.with_for_update()).one_or_none()


def _next(session: Session, import_id: int, limit: int) -> list[ImportRow]:
    waiting = sa.select(ImportRow).where(
        ImportRow.import_id == import_id,
        ImportRow.verdict.in_((Verdict.NEW, Verdict.CHANGED)),
        ImportRow.outcome.is_(None),
        sa.or_(~ImportRow.is_asked, ImportRow.is_sure),
    )
    return list(session.scalars(waiting.order_by(ImportRow.number).limit(limit)))


@operation
def apply_some(session: Session, actor: Actor, import_id: int, limit: int = BATCH) -> int:
    """Apply the next rows; how many, 0 when there are no more. Raises `RowsFailed`."""
    found = _open(session, import_id)
    rows = _next(session, import_id, limit) if found else []
    if found is None or not rows:
        return 0
    _write(session, actor, found, rows)
    _note(session, found.id, [row.id for row in rows], Outcome.APPLIED)
    crashpoint("imports.applied_some")
    return len(rows)


@operation
def apply_all(session: Session, actor: Actor, import_id: int) -> int:
    """Apply every row in this transaction; how many. Raises `RowsFailed`: then none is applied."""
    count = 0
    while step := apply_some(session, actor, import_id):
        count += step
    return count


@operation
def note_failed(session: Session, import_id: int, failed: Mapping[int, Saying]) -> None:
    """Rows that are good no more are not applied, and say why."""
    found = _open(session, import_id)
    if found is None:
        return
    for row in session.scalars(sa.select(ImportRow).where(ImportRow.id.in_(failed), ImportRow.outcome.is_(None)).order_by(ImportRow.id)):
        row.wrongs = [*row.wrongs, failed[row.id].kept()]
    session.flush()
    _note(session, import_id, list(failed), Outcome.FAILED)


@operation
def refuse_all(session: Session, actor: Actor, import_id: int, failed: Mapping[int, Saying]) -> bool:
    """It was all or nothing, and these rows are good no more: they say why and the import ends, at once, so that nothing is left that a
    second try would apply without them.
    """
    note_failed(session, import_id, failed)
    return give_up(session, actor, import_id, NotAll())


def _note(session: Session, import_id: int, row_ids: Sequence[int], outcome: Outcome) -> None:
    rows = sa.update(ImportRow).where(ImportRow.id.in_(row_ids), ImportRow.outcome.is_(None)).values(outcome=outcome)
    done = len(session.execute(rows.returning(ImportRow.id).execution_options(synchronize_session=False)).all())
    counter = ProductImport.rows_applied if outcome is Outcome.APPLIED else ProductImport.rows_failed
    session.execute(
        sa.update(ProductImport).where(ProductImport.id == import_id).values({counter: counter + done})
        .execution_options(synchronize_session=False)
    )  # fmt: skip


@operation
def finish(session: Session, actor: Actor, import_id: int) -> bool:
    """No row is left to apply: say so, once."""
    return _end(session, actor, import_id, None)


@operation
def give_up(session: Session, actor: Actor, import_id: int, refusal: ShopError) -> bool:
    """What is left of an import is not applied, and why; once."""
    return _end(session, actor, import_id, {"message": refusal.message, "facts": {}})


def _end(session: Session, actor: Actor, import_id: int, refusal: Mapping[str, Any] | None) -> bool:
    applying = sa.update(ProductImport).where(ProductImport.id == import_id, ProductImport.state == ImportState.APPLYING)
    if not take(session, applying.values(state=ImportState.DONE, finished_at=clock.now(), refusal=refusal)):
        return False
    found = session.get_one(ProductImport, import_id, populate_existing=True)
    audit.record(
        session,
        actor,
        Done.IMPORT_FINISHED,
        "product_import",
        import_id,
        ref=found.ref,
        applied=found.rows_applied,
        failed=found.rows_failed,
    )
    return True


def _write(session: Session, actor: Actor, found: ProductImport, rows: Sequence[ImportRow]) -> None:
    """Write a batch, or raise `RowsFailed`."""
    merchant_id = found.merchant_id
    new = [row for row in rows if row.verdict is Verdict.NEW]
    changed = [row for row in rows if row.verdict is Verdict.CHANGED]
    failed = _taken(session, merchant_id, new) | _moved(session, merchant_id, changed)
    if failed:
        raise RowsFailed(failed)
    _list(session, actor, found, new)
    _say_anew(session, actor, merchant_id, changed)
    _price(session, actor, changed)
    _count(session, actor, found, changed)


def _taken(session: Session, merchant_id: int, rows: Sequence[ImportRow]) -> dict[int, Saying]:
    """New rows whose codes somebody took meanwhile."""
    codes = [row.values["code"] for row in rows]
    sizes = set(session.scalars(sa.select(Variant.code).where(Variant.code.in_(codes))))
    products = queries.products_of_others(session, merchant_id, [row.values["product"] for row in rows])
    return {row.id: MEANWHILE for row in rows if row.values["code"] in sizes or row.values["product"] in products}


def _moved(session: Session, merchant_id: int, rows: Sequence[ImportRow]) -> dict[int, Saying]:
    """Rows of goods of which something else is true now than was seen; what is true already as the row wants it is no hindrance."""
    known = queries.known(session, merchant_id, [row.values["code"] for row in rows])
    failed = {}
    for row in rows:
        now = known.get(row.values["code"])
        wanted, seen = row.values, row.values["seen"]
        if now is None or any(now.values[key] not in (old, wanted[key]) for key, old in seen.items()):
            failed[row.id] = MEANWHILE
    return failed


def _list(session: Session, actor: Actor, found: ProductImport, rows: Sequence[ImportRow]) -> None:
    wanted = [
        NewGoods(
            row.values["product"], product_columns(row.values) | dict(zip(("sold_by", "priced_by"), selling(row.values), strict=True)),
            row.values["code"], Money(row.values["price"]), variant_columns(row.values),
        )
        for row in rows
    ]  # fmt: skip
    if not wanted:
        return
    ids = goods.list_goods(session, actor, found.merchant_id, wanted)
    first = [First(ids[row.values["code"]], row.values["stock"], cause_of(found, row)) for row in rows]
    opening.open_shelves(session, actor, found.merchant_id, first)


def cause_of(found: ProductImport, row: ImportRow) -> str:
    """Why goods moved: told by the import's reference, which never comes twice; ids of rows that were removed may."""
    return f"import:{found.ref}:{row.number}"


def selling(values: Mapping[str, Any]) -> tuple[SoldBy, PricedBy]:
    sold_by, priced_by = values["sold_by"]
    return SoldBy(sold_by), PricedBy(priced_by)


def product_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a row says of its product, by the columns of the table."""
    return {column: KINDS[key](values[key]) if key in KINDS else values[key] for key, column in PRODUCT.items() if key in values}


def variant_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a row says of its size alone."""
    return {column: values[key] for key, column in VARIANT.items() if key in values}


def _say_anew(session: Session, actor: Actor, merchant_id: int, rows: Sequence[ImportRow]) -> None:
    wanted = [
        SaidAnew(row.values["variant_id"], row.values["product_id"], product_columns(row.values), variant_columns(row.values))
        for row in rows
    ]
    if wanted := [one for one in wanted if one.product or one.variant]:
        goods.change_goods(session, actor, merchant_id, wanted)


def is_sure(row: ImportRow, column: str) -> bool:
    """Whether somebody was asked about this column of a row, and said that it is right: a yes to one question answers no other."""
    return row.is_sure and any(question["column"] == column for question in row.questions)


def _price(session: Session, actor: Actor, rows: Sequence[ImportRow]) -> None:
    """New prices, each from the very price that was seen; those far off were asked about and said to be right."""
    priced = {row.values["code"]: row for row in rows if "price" in row.values}
    wanted = [NewPrice(code, Money(row.values["price"]), Money(row.values["seen"]["price"])) for code, row in priced.items()]
    if not wanted:
        return
    try:
        pricing.change_prices(session, actor, wanted, sure=lambda doubt: all(is_sure(priced[code], "price") for code in doubt.refused))
    except PricesRefused as refused:
        raise RowsFailed({priced[code].id: MEANWHILE for code in refused.refused}) from None


def _count(session: Session, actor: Actor, found: ProductImport, rows: Sequence[ImportRow]) -> None:
    counted = {cause_of(found, row): row for row in rows if "stock" in row.values}
    wanted = [
        Counted(row.values["variant_id"], row.values["stock"], row.values["seen"]["stock"], cause, is_sure(row, "stock"))
        for cause, row in counted.items()
    ]

    def refuse(doubtful: Sequence[Counted]) -> None:
        raise RowsFailed({counted[one.cause].id: MEANWHILE for one in doubtful})

    counting_many.count_each(session, actor, found.merchant_id, wanted, refuse=refuse)
