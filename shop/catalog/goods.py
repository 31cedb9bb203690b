"""Listing goods and changing what is said of them, many at once. What they cost is `pricing`, how many there are is the stock's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.catalog.operations import refresh_listings, refresh_search_terms
from shop.catalog.permissions import CatalogPermission
from shop.catalog.tags import Done
from shop.kernel import clock
from shop.kernel.db import operation
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.kernel.statements import table
from shop.models.catalog import PriceChange, Product, ProductState, Variant
from shop.platform import audit
from shop.platform.actor import Actor

PRODUCTS, VARIANTS, PRICES = table(Product), table(Variant), table(PriceChange)

SEEN_IN_SEARCH = frozenset({"name_zh", "name_en", "category_id", "origin_zh", "origin_en", "state"})


@dataclass(frozen=True, slots=True)
class NewGoods:
    """One size to be listed. `product` are the columns of its product, used where that is not there yet; `variant` its own."""

    product_code: str
    product: Mapping[str, Any]
    code: str
    price: Money
    variant: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SaidAnew:
    """What is to be said of a size and of its product from now on: columns with their new values."""

    variant_id: int
    product_id: int
    product: Mapping[str, Any] = field(default_factory=dict)
    variant: Mapping[str, Any] = field(default_factory=dict)


@operation
def list_goods(session: Session, actor: Actor, merchant_id: int, wanted: Sequence[NewGoods]) -> dict[str, int]:
    """List new sizes at one's own shop, with their products where those are new; the ids of the sizes by code.

    Each has its first price on record. Codes must be free: a taken one breaks the unique key and nothing is listed. Raises `NotFound`
    for another's shop.
    """
    if merchant_id not in actor.merchants(CatalogPermission.GOODS_WRITE):
        raise NotFound()
    if not wanted:
        return {}
    moment = clock.now()
    products = _products_of(session, merchant_id, wanted)
    sizes = _last_places(session, list(products.values()))
    rows = []
    for goods in wanted:
        product_id = products[goods.product_code]
        sizes[product_id] = place = sizes.get(product_id, -1) + 1
        rows.append(
            {"code": goods.code, "product_id": product_id, "price": goods.price, "position": place, "is_on_sale": True, **goods.variant}
        )
    made = session.execute(sa.insert(VARIANTS).returning(VARIANTS.c.id, VARIANTS.c.code), rows).all()
    ids = {row.code: row.id for row in made}
    session.execute(
        sa.insert(PRICES),
        [{"variant_id": ids[goods.code], "price": goods.price, "actor_id": actor.user_id, "at": moment} for goods in wanted],
    )
    audit.record_each(session, actor, Done.VARIANT_LISTED, "variant", ids.values())
    show(session, products.values())
    return ids


def _products_of(session: Session, merchant_id: int, wanted: Sequence[NewGoods]) -> dict[str, int]:
    """The products of these sizes by code; those that are new are listed after all others of the shop."""
    codes = list({goods.product_code for goods in wanted})
    known = sa.select(PRODUCTS.c.code, PRODUCTS.c.id, PRODUCTS.c.merchant_id).where(PRODUCTS.c.code.in_(codes))
    found = {row.code: row.id for row in session.execute(known) if row.merchant_id == merchant_id}
    last = session.scalar(sa.select(sa.func.max(PRODUCTS.c.position))) or 0
    moment = clock.now()
    new: dict[str, dict[str, Any]] = {}
    for goods in wanted:
        if goods.product_code not in found and goods.product_code not in new:
            new[goods.product_code] = {
                "code": goods.product_code, "slug": goods.product_code, "merchant_id": merchant_id, "position": last + 1 + len(new),
                "created_at": moment, "updated_at": moment, **goods.product,
            }  # fmt: skip
    if new:
        made = session.execute(sa.insert(PRODUCTS).returning(PRODUCTS.c.code, PRODUCTS.c.id), list(new.values()))
        found |= {row.code: row.id for row in made}
    return found


def _last_places(session: Session, product_ids: Sequence[int]) -> dict[int, int]:
    """The place of the last size of each product that has any."""
    places = sa.select(VARIANTS.c.product_id, sa.func.max(VARIANTS.c.position)).where(VARIANTS.c.product_id.in_(product_ids))
    return {row[0]: row[1] for row in session.execute(places.group_by(VARIANTS.c.product_id))}


@operation
def change_goods(session: Session, actor: Actor, merchant_id: int, wanted: Sequence[SaidAnew]) -> None:
    """Say of sizes of one's own shop what is new. Said again, nothing changes. Raises `NotFound` for goods of others."""
    if merchant_id not in actor.merchants(CatalogPermission.GOODS_WRITE):
        raise NotFound()
    ids = [one.variant_id for one in wanted]
    sold_by = sa.select(VARIANTS.c.id, VARIANTS.c.product_id, PRODUCTS.c.merchant_id).join(PRODUCTS, PRODUCTS.c.id == VARIANTS.c.product_id)
    rows = session.execute(sold_by.where(VARIANTS.c.id.in_(ids)))
    pairs = {row.id: row.product_id for row in rows if row.merchant_id == merchant_id}
    if any(pairs.get(one.variant_id) != one.product_id for one in wanted):
        raise NotFound()
    products: dict[int, dict[str, Any]] = {}
    for one in wanted:
        products.setdefault(one.product_id, {}).update(one.product)
    moment = clock.now()
    _write_each(session, PRODUCTS, {product_id: {"updated_at": moment, **said} for product_id, said in products.items() if said})
    _write_each(session, VARIANTS, {one.variant_id: dict(one.variant) for one in wanted if one.variant})
    said_anew = [one for one in wanted if one.variant or one.product]
    audit.record_all(
        session, actor, Done.VARIANT_CHANGED, "variant", [one.variant_id for one in said_anew],
        said=[", ".join(sorted({*one.variant, *one.product})) for one in said_anew],
    )  # fmt: skip
    show(session, products, searched=[key for key, said in products.items() if said.keys() & SEEN_IN_SEARCH])


def _write_each(session: Session, into: sa.Table, said: Mapping[int, Mapping[str, Any]]) -> None:
    """Write columns of rows by id, in the order of their ids; rows with the same columns in one statement."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row_id, values in sorted(said.items()):
        alike.setdefault(tuple(sorted(values)), []).append({"of": row_id, **{f"new_{name}": value for name, value in values.items()}})
    for names, rows in alike.items():
        new = {name: sa.bindparam(f"new_{name}", type_=into.c[name].type) for name in names}
        session.connection().execute(sa.update(into).where(into.c.id == sa.bindparam("of")).values(new), rows)


def show(session: Session, product_ids: Any, searched: Any = None) -> None:
    """Write anew what cards and search show of products. Words that mean the same come with the next `flask catalog terms`."""
    ids = sorted(set(product_ids))
    refresh_listings(session, ids)
    found = sorted(set(ids if searched is None else searched))
    on_sale = session.scalars(sa.select(PRODUCTS.c.id).where(PRODUCTS.c.id.in_(found), PRODUCTS.c.state == ProductState.ON_SALE)).all()
    gone = sorted(set(found) - set(on_sale))
    if searched is not None and gone:
        refresh_search_terms(session, gone, ())
    if on_sale:
        refresh_search_terms(session, on_sale, ())
