"""A row beside what there is: new, changed from what to what, the same, or wrong; and what is likely a slip."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from shop.catalog.rules import is_price_far_off, percent_less, times_as_much
from shop.imports.layouts import OWN
from shop.imports.saying import Saying
from shop.imports.wishes import Wish, prefixed
from shop.kernel.money import Money
from shop.models.catalog import PricedBy, ProductState, SoldBy, Storage
from shop.models.imports import ImportKind, Verdict
from shop.stock.rules import Lying, is_count_far_off, is_very_many

NEEDED_FOR_NEW = ("name_zh", "category", "unit_zh", "price", "grams", "origin_zh", "shelf_life")
SAID_IN_CHINESE = {"name_en": "name_zh", "unit_en": "unit_zh", "origin_en": "origin_zh"}
"""Left out in English, the Chinese words stand there."""

FOR_NEW: Mapping[str, Any] = {
    "sold_by": [SoldBy.PACK.value, PricedBy.PACK.value], "storage": Storage.AMBIENT.value, "season": "", "is_agricultural": False,
    "is_returnable": False, "allergens": "", "description_zh": "", "description_en": "", "barcode": None, "minimum": 1, "multiple": 1,
    "state": ProductState.DRAFT.value, "stock": 0,
}  # fmt: skip
"""What is true of new goods that do not say it."""

NO_SIZE = {"unit_zh": "份", "unit_en": "each"}
"""The size of goods of other shops that come in one size without a name."""


@dataclass(frozen=True, slots=True)
class Known:
    """One size as it is listed now, by the names of our columns."""

    variant_id: int
    product_id: int
    code: str
    product: str
    values: Mapping[str, Any]
    lying: Lying


@dataclass(frozen=True, slots=True)
class Around:
    """What there is already: the shop's own sizes and products by code (what is listed, by the names of our columns), and the codes that
    name others' sizes and products.
    """

    known: Mapping[str, Known]
    products: Mapping[str, Mapping[str, Any]]
    taken_sizes: Set[str]
    taken_products: Set[str]


@dataclass(frozen=True, slots=True)
class May:
    """What the one who brings a sheet may decide at this shop."""

    price: bool
    goods: bool
    sell: bool
    """Whether the shop is in business, so that goods can be put on sale."""


@dataclass(slots=True)
class Judged:
    """What becomes of a row. `values` are what is to be written; of listed goods only what changes, with what was `seen` before."""

    wish: Wish
    verdict: Verdict
    code: str
    name: str
    values: dict[str, Any] = field(default_factory=dict)
    changes: list[tuple[str, Any, Any]] = field(default_factory=list)
    questions: list[Saying] = field(default_factory=list)


def judge(wish: Wish, kind: ImportKind, layout: str, shop: str, around: Around, may: May, usual: Mapping[str, Any]) -> Judged:
    """Hold a row against what there is. `shop` is the shop's code, `usual` what was said beside the file for what new goods leave open."""
    found = around.known.get(wish.code) or around.known.get(prefixed(shop, wish.code))
    if found is not None:
        return of_listed(wish, found, layout, shop, may)
    name = str(wish.values.get("name_zh", ""))
    if kind is ImportKind.FIGURES:
        if wish.code:
            wish.refuse("code", "code_unknown", text=wish.code)
        return Judged(wish, Verdict.WRONG, wish.code, name)
    return of_new(wish, layout, shop, name, around, may, usual)


def of_new(
    wish: Wish, layout: str, shop: str, name: str, around: Around, may: May, usual: Mapping[str, Any]
) -> Judged:  # fmt: skip
    product = wish.product if wish.product in around.products else prefixed(shop, wish.product)
    listed = around.products.get(product, {})
    for key, now in listed.items():
        if wish.values.get(key, now) != now:
            wish.refuse(key, "of_listed_product")
    told = {column for saying in wish.wrongs if (column := saying.column)}
    beside = {key: value for key, value in usual.items() if value not in (None, "")}
    values = {**FOR_NEW, **(NO_SIZE if layout != OWN else {}), **beside, **wish.values}
    for english, chinese in SAID_IN_CHINESE.items():
        if english not in wish.values and chinese in wish.values:
            values[english] = values[chinese]
        values.setdefault(english, values.get(chinese, ""))
    values |= listed
    for key in NEEDED_FOR_NEW:
        if key not in values and key not in told and not wish_has_trouble(wish):
            wish.refuse(key, "missing")
    if not listed and values["state"] == ProductState.ON_SALE and not may.sell:
        wish.refuse("state", "not_in_business")
    if values["minimum"] % values["multiple"]:
        wish.refuse("minimum", "steps_do_not_fit")
    code = prefixed(shop, wish.code)
    if code in around.taken_sizes or product in around.taken_products:
        wish.refuse("code", "code_taken")
    if wish.wrongs:
        return Judged(wish, Verdict.WRONG, wish.code, name)
    questions = [Saying("stock", "very_many", {"quantity": values["stock"]})] if is_very_many(values["stock"], 0) else []
    return Judged(wish, Verdict.NEW, code, name, {**values, "code": code, "product": product}, questions=questions)


def wish_has_trouble(wish: Wish) -> bool:
    return any(not saying.column for saying in wish.wrongs)


def of_listed(wish: Wish, found: Known, layout: str, shop: str, may: May) -> Judged:
    if wish.product and wish.product != wish.code and found.product not in (wish.product, prefixed(shop, wish.product)):
        wish.refuse("product", "product_moved", other=found.product)
    changes = [(key, found.values[key], value) for key, value in wish.values.items() if value != found.values.get(key, value)]
    values = {key: new for key, _, new in changes}
    seen = {key: old for key, old, _ in changes}
    is_weighed = found.values["sold_by"][1] == PricedBy.WEIGHT
    for key in values:
        if key == "sold_by" or (key == "grams" and is_weighed):
            wish.refuse(key, "never_changed")
        if key == "price" and not may.price:
            wish.refuse(key, "only_owner", now=f"¥{Money(found.values['price'])}")
    if values.get("state") == ProductState.ON_SALE and not may.sell:
        wish.refuse("state", "not_in_business")
    minimum, multiple = (values.get(key, found.values[key]) for key in ("minimum", "multiple"))
    if ("minimum" in values or "multiple" in values) and minimum % multiple:
        wish.refuse("minimum", "steps_do_not_fit")
    name = str(found.values["name_zh"])
    if wish.wrongs:
        return Judged(wish, Verdict.WRONG, found.code, name)
    if not changes:
        return Judged(wish, Verdict.SAME, found.code, name)
    kept = {**values, "code": found.code, "seen": seen, "variant_id": found.variant_id, "product_id": found.product_id}
    return Judged(wish, Verdict.CHANGED, found.code, name, kept, changes, questions_of(values, found))


def questions_of(values: Mapping[str, Any], found: Known) -> list[Saying]:
    """What a person is asked before it is done: prices far off, counts that are likely a slip, promised goods that would be missing."""
    asked = []
    if "price" in values:
        old, new = Money(found.values["price"]), Money(values["price"])
        if is_price_far_off(old, new):
            facts = {"old": str(old), "new": str(new)}
            asked.append(
                Saying("price", "price_higher", {**facts, "times": times_as_much(old, new)}) if new > old
                else Saying("price", "price_lower", {**facts, "percent": percent_less(old, new)})
            )  # fmt: skip
    if "stock" in values:
        lying, quantity = found.lying, values["stock"]
        short = lying.lacking(quantity)
        if short > lying.lacking(lying.on_shelf):
            asked.append(Saying("stock", "promised", {"promised": lying.promised, "quantity": quantity, "short": short}))
        if is_count_far_off(lying.on_shelf, quantity):
            asked.append(Saying("stock", "count_far_off", {"quantity": quantity, "expected": lying.on_shelf}))
    return asked
