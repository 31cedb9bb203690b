"""What runs low: with how many left a shop wants to know of it, and telling it once per fall (docs/algorithms/stock.md).

Selling knows nothing of it: a round every few minutes looks at what moved or was held since the last one, and at the few rows that run low.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation
from shop.kernel.errors import NotFound
from shop.kernel.rows import all_as
from shop.kernel.statements import insert_or_update, table
from shop.models.accounts import RoleGrant
from shop.models.catalog import Product, Variant
from shop.models.stock import Reservation, ShelfTerms, StockItem, StockMovement
from shop.platform import marks, notices, outbox
from shop.platform.actor import Actor
from shop.platform.grants import holders
from shop.stock import counting, shelves
from shop.stock.errors import LowMarkOutOfRange
from shop.stock.permissions import StockPermission
from shop.stock.rules import MOST_LOW_MARK

ITEMS, TERMS = table(StockItem), table(ShelfTerms)
WATCHED: Mapping[str, type[StockMovement] | type[Reservation]] = {"low:stock_movements": StockMovement, "low:reservations": Reservation}
"""Whatever makes less of something free adds a row to one of these; the marks say how far they were looked at."""

SETTLE = "stock.settle_low"
FALLS_AT_ONCE, RISES_AT_ONCE, SETTLED_AT_ONCE = 50, 200, 200

FREE = ITEMS.c.on_hand - ITEMS.c.reserved - ITEMS.c.missing
_OF_THE_SHOP = (
    sa.select(TERMS.c.low_mark)
    .join(Product, Product.merchant_id == TERMS.c.merchant_id)
    .join(Variant, Variant.product_id == Product.id)
    .where(Variant.id == ITEMS.c.variant_id)
    .correlate(ITEMS)
    .scalar_subquery()
)
LOW_MARK = sa.func.coalesce(ITEMS.c.low_mark, _OF_THE_SHOP)
RUNS_LOW = sa.func.coalesce(FREE <= LOW_MARK, sa.false())


# --- what a shop says ---


@operation
def set_mark(session: Session, actor: Actor, variant_code: str, low_mark: int | None) -> None:
    """With so many left this one runs low; None: as the shop says of all. What is low already is listed at once, and not told.

    Raises `NotFound`, `LowMarkOutOfRange`.
    """
    shelf = shelves.get_shelf(session, actor.merchants(StockPermission.LOW_WRITE), variant_code)
    _check(low_mark)
    counting.locked(session, shelf)
    session.execute(sa.update(ITEMS).where(ITEMS.c.variant_id == shelf.variant_id).values(low_mark=low_mark))
    _settle(session, [shelf.variant_id])


@operation
def set_default(session: Session, actor: Actor, merchant_id: int, low_mark: int | None) -> None:
    """With so many left all goods of a shop run low that have no figure of their own; None: no others do.

    What is low already is listed soon, by a job, and not told. Raises `NotFound`, `LowMarkOutOfRange`.
    """
    if merchant_id not in actor.merchants(StockPermission.LOW_WRITE):
        raise NotFound()
    _check(low_mark)
    written = insert_or_update(
        TERMS, ["merchant_id"], lambda new: {"low_mark": new.low_mark}, TERMS.c.merchant_id,
        values={"merchant_id": merchant_id, "low_mark": low_mark},
    )  # fmt: skip
    session.execute(written.of(session))
    outbox.enqueue(session, SETTLE, dedupe_key=f"{SETTLE}:{merchant_id}@{clock.now().isoformat()}", merchant_id=merchant_id)


def _check(low_mark: int | None) -> None:
    if low_mark is not None and not 0 <= low_mark <= MOST_LOW_MARK:
        raise LowMarkOutOfRange(most=MOST_LOW_MARK)


@operation
def settle(session: Session, merchant_id: int, after: int) -> int | None:
    """Note which of a shop's next goods run low now, without telling; the variant after which to go on, None at the end."""
    own = (
        sa.select(ITEMS.c.variant_id)
        .join(Variant, Variant.id == ITEMS.c.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .where(Product.merchant_id == merchant_id, ITEMS.c.variant_id > after)
        .order_by(ITEMS.c.variant_id)
        .limit(SETTLED_AT_ONCE)
    )
    variant_ids = list(session.scalars(own))
    _settle(session, variant_ids)
    return variant_ids[-1] if len(variant_ids) == SETTLED_AT_ONCE else None


def _settle(session: Session, variant_ids: Sequence[int]) -> None:
    """What runs low is noted, what does not no longer is. Only rows that change are locked, by variant id."""
    for since, differs in ((clock.now(), sa.and_(ITEMS.c.low_since.is_(None), RUNS_LOW)), (None, _is_over())):
        if changed := _locked(session, ITEMS.c.variant_id.in_(variant_ids), differs, limit=len(variant_ids) or 1):
            session.execute(sa.update(ITEMS).where(ITEMS.c.variant_id.in_(changed)).values(low_since=since))


def _is_over() -> sa.ColumnElement[bool]:
    return sa.and_(ITEMS.c.low_since.is_not(None), sa.not_(RUNS_LOW))


def _locked(session: Session, *where: sa.ColumnElement[bool], limit: int) -> list[int]:
    """The variants of which this holds once their rows are locked, by variant id as every transaction takes stock."""
    rows = sa.select(ITEMS.c.variant_id).where(*where).order_by(ITEMS.c.variant_id).limit(limit)
    return list(session.scalars(rows.with_for_update(key_share=True, of=ITEMS)))


# --- the round ---


def newest(session: Session) -> dict[str, int]:
    """How far the tables go that are watched."""
    return {name: session.scalar(sa.select(sa.func.max(model.id))) or 0 for name, model in WATCHED.items()}


@operation
def go_on(session: Session, tops: Mapping[str, int]) -> None:
    """The next round goes on from here, a little before: what commits late is seen by it (`marks.follow`)."""
    marks.follow(session, tops)


@operation
def note_rises(session: Session) -> bool:
    """What ran low and does not any more can fall again; whether there may be more of them."""
    risen = _locked(session, _is_over(), limit=RISES_AT_ONCE)
    if risen:
        session.execute(sa.update(ITEMS).where(ITEMS.c.variant_id.in_(risen)).values(low_since=None))
    return len(risen) == RISES_AT_ONCE


@dataclass(frozen=True, slots=True)
class Fallen:
    """Goods that have just become few."""

    merchant_id: int
    variant_id: int
    code: str
    name_zh: str
    name_en: str
    label_zh: str
    label_en: str
    free: int


@operation
def note_falls(session: Session) -> bool:
    """Tell the shops what moved and is few now, once per fall; whether there may be more of them.

    Noted and told in one transaction: what is noted is not told again before it has risen.
    """
    done = marks.read(session, WATCHED)
    moved = [sa.select(model.variant_id).where(model.id > done[name]) for name, model in WATCHED.items() if name in done]
    if not moved:
        return False
    return fall(session, ITEMS.c.variant_id.in_(sa.union(*moved))) == FALLS_AT_ONCE


@operation
def fall(session: Session, among: sa.ColumnElement[bool]) -> int:
    """Note and tell those of some goods that run low and did not before, at most `FALLS_AT_ONCE`; how many."""
    moment = clock.now()
    fallen = _locked(session, ITEMS.c.low_since.is_(None), among, RUNS_LOW, limit=FALLS_AT_ONCE)
    if fallen:
        session.execute(sa.update(ITEMS).where(ITEMS.c.variant_id.in_(fallen)).values(low_since=moment))
        _tell(session, fallen, moment)
    return len(fallen)


def _tell(session: Session, variant_ids: Sequence[int], moment: datetime) -> None:
    """One notice to each person of a shop, whether one thing fell or many. What is not on sale needs nobody's attention."""
    rows = session.execute(
        sa.select(
            Product.merchant_id, Variant.id.label("variant_id"), Variant.code, Product.name_zh, Product.name_en, Variant.label_zh,
            Variant.label_en, FREE.label("free"),
        )
        .join(Product, Product.id == Variant.product_id)
        .join(ITEMS, ITEMS.c.variant_id == Variant.id)
        .where(Variant.id.in_(variant_ids), Variant.is_on_sale)
        .order_by(Product.merchant_id, Variant.id)
    )  # fmt: skip
    fallen = all_as(Fallen, rows)
    people = _people(session, {one.merchant_id for one in fallen})
    for merchant_id, of_shop in groupby(fallen, key=lambda one: one.merchant_id):
        own = list(of_shop)
        kind, link, facts = _words(own)
        for user_id in people.get(merchant_id, ()):
            notices.post(
                session, user_id, kind, dedupe_key=f"stock.low:{own[0].variant_id}@{moment.isoformat()}:{user_id}", link=link, **facts
            )


def _words(own: Sequence[Fallen]) -> tuple[str, str, dict[str, Any]]:
    """What a shop is told: one thing with how many are left, or how many things."""
    first = own[0]
    goods = {"zh": f"{first.name_zh} {first.label_zh}", "en": f"{first.name_en} {first.label_en}"}
    if len(own) == 1:
        return "stock.low", f"/merchant/stock/{first.code}", {"goods": goods, "left": max(first.free, 0)}
    return "stock.low_many", "/merchant/low", {"goods": goods, "count": len(own)}


def _people(session: Session, merchant_ids: set[int]) -> dict[int, list[int]]:
    """Who looks after the shelves of each shop."""
    rows = session.execute(
        sa.select(RoleGrant.merchant_id, RoleGrant.user_id)
        .where(
            RoleGrant.merchant_id.in_(merchant_ids), RoleGrant.role.in_(holders(StockPermission.SHELF_READ)),
            RoleGrant.revoked_at.is_(None),
        )
        .distinct()
        .order_by(RoleGrant.merchant_id, RoleGrant.user_id)
    )  # fmt: skip
    people: dict[int, list[int]] = {}
    for row in rows:
        people.setdefault(row.merchant_id, []).append(row.user_id)
    return people


def default_of(session: Session, merchant_id: int) -> int | None:
    """With how many left the goods of a shop run low that have no figure of their own."""
    return session.scalar(sa.select(TERMS.c.low_mark).where(TERMS.c.merchant_id == merchant_id))
