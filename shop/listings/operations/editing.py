"""Changing what is listed: what is said of a product and its sizes, sizes that come and go. What things cost is `catalog.pricing`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from shop.catalog import goods
from shop.catalog.goods import NewGoods, SaidAnew
from shop.kernel.db import operation
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.listings import queries
from shop.listings.errors import ChangedMeanwhile, LastSize, NothingToSell, ShopNotInBusiness, TooManySizes
from shop.listings.operations.pictures import locked
from shop.models.catalog import Product, ProductState, Variant
from shop.models.merchants import Merchant, MerchantState
from shop.platform.actor import Actor
from shop.stock import opening
from shop.stock.opening import First

MOST_SIZES = 50
OF_PRODUCT = (
    "name_zh", "name_en", "description_zh", "description_en", "category_id", "state", "storage", "season_months", "origin_zh", "origin_en",
    "shelf_life_days", "is_agricultural", "is_returnable_within_7_days", "allergens",
)  # fmt: skip
OF_SIZE = ("label_zh", "label_en", "net_weight_grams", "barcode", "minimum_quantity", "multiple", "is_on_sale")


def version_of(product: Product, sizes: Sequence[Variant]) -> str:
    """Another whenever anything that the page shows is another: what somebody saw when they began to type."""
    said = [[str(getattr(product, name)) for name in OF_PRODUCT]]
    said += [[one.code, *(str(getattr(one, name)) for name in OF_SIZE)] for one in sizes]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:20]


def differing(row: Any, wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in wanted.items() if getattr(row, name) != value}


@operation
def change_listing(
    session: Session, actor: Actor, code: str, seen: str, said: Mapping[str, Any], sizes: Mapping[str, Mapping[str, Any]]
) -> int:
    """Say something new of a product and its sizes, by code; how many of them changed. `seen` is the version that was on the page.

    Orders keep what they were placed with. Raises `NotFound`, `ChangedMeanwhile`, `NothingToSell`, `ShopNotInBusiness`.
    """
    product = locked(session, actor, code)
    there = {one.code: one for one in queries.sizes_of_product(session, product.id)}
    if not sizes.keys() <= there.keys():
        raise NotFound()
    if version_of(product, list(there.values())) != seen:
        raise ChangedMeanwhile()
    new = differing(product, said)
    refuse_unsold(session, product, new.get("state"), list(there.values()))
    changes = {name: differing(there[name], values) for name, values in sizes.items()}
    changes = {name: values for name, values in changes.items() if values}
    carrier = next(iter(changes), next(iter(there), ""))
    wanted = {name: SaidAnew(there[name].id, product.id, {}, values) for name, values in changes.items()}
    if new and carrier:
        wanted[carrier] = SaidAnew(there[carrier].id, product.id, new, changes.get(carrier, {}))
    goods.change_goods(session, actor, product.merchant_id, list(wanted.values()))
    return len(changes) + bool(new)


def refuse_unsold(session: Session, product: Product, state: ProductState | None, sizes: Sequence[Variant]) -> None:
    """Nothing is put on sale that nobody could buy."""
    if state is not ProductState.ON_SALE:
        return
    if session.get_one(Merchant, product.merchant_id).state is not MerchantState.ACTIVE:
        raise ShopNotInBusiness()
    if not any(one.is_on_sale for one in sizes):
        raise NothingToSell()


@operation
def add_size(session: Session, actor: Actor, code: str, values: Mapping[str, Any], price: Money, stock: int, once: str) -> str:
    """One more size of a product, with its first price and what lies there; its code. Told again with the same `once`, it is there.

    Raises `NotFound`, `TooManySizes`.
    """
    product = locked(session, actor, code)
    there = queries.sizes_of_product(session, product.id)
    own = f"{product.code[:40]}-{hashlib.sha256(f'{product.id}:{once}'.encode()).hexdigest()[:8]}"
    if own in {one.code for one in there}:
        return own
    if len(there) >= MOST_SIZES:
        raise TooManySizes(most=MOST_SIZES)
    ids = goods.list_goods(session, actor, product.merchant_id, [NewGoods(product.code, {}, own, price, values)])
    opening.open_shelves(session, actor, product.merchant_id, [First(ids[own], stock, f"size:{own}")])
    return own


@operation
def withdraw_size(session: Session, actor: Actor, code: str, size: str, *, is_on_sale: bool = False) -> bool:
    """Take a size off sale, or offer it again; False when it is so already. Orders and the shelf keep naming it: it is never deleted.

    Raises `NotFound`, and `LastSize` for the last one of a product on sale.
    """
    product = locked(session, actor, code)
    there = queries.sizes_of_product(session, product.id)
    found = next((one for one in there if one.code == size), None)
    if found is None:
        raise NotFound()
    if found.is_on_sale == is_on_sale:
        return False
    if not is_on_sale and product.state is ProductState.ON_SALE and sum(one.is_on_sale for one in there) == 1:
        raise LastSize()
    goods.change_goods(session, actor, product.merchant_id, [SaidAnew(found.id, product.id, {}, {"is_on_sale": is_on_sale})])
    return True
