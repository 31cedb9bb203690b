"""The product export of Shopify: several rows per product, the first one says what all share, options become sizes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shop.imports.safe_text import plain_text
from shop.imports.sheets import Cell, Odd

MARKS = ("handle", "variantprice", "option1value")
"""Heads, folded, by which the file is known."""

COLUMNS: dict[str, tuple[str, ...]] = {
    "code": ("variantsku",), "product": ("handle",), "name_zh": ("title",), "description_zh": ("body(html)", "bodyhtml", "body"),
    "category": ("type", "customproducttype", "productcategory", "standardizedproducttype"), "price": ("variantprice",),
    "grams": ("variantgrams",), "stock": ("variantinventoryqty",), "barcode": ("variantbarcode",), "state": ("status", "published"),
    "unit_zh": ("option1value",), "pictures": ("imagesrc",),
}  # fmt: skip
"""Ours, and what it is called there, folded."""

HEADS = (*(head for heads in COLUMNS.values() for head in heads), "option2value", "option3value", "vendor", "tags", "variantimage")
STATES = {"active": "on_sale", "draft": "draft", "archived": "off_sale", "true": "on_sale", "false": "draft"}
NO_CHOICE = frozenset({"default title", ""})
SHARED = ("name_zh", "description_zh", "category", "state")


def entries(rows: Iterable[tuple[int, dict[str, Cell], str]]) -> Iterator[tuple[int, dict[str, Cell], str]]:
    """The rows of goods by our names. A row without a price that only shows a picture is passed over."""
    shared: dict[str, Cell] = {}
    handle = ""
    for number, there, trouble in rows:
        named = str(there.get("handle", "")).strip()
        if named and named != handle:
            handle, shared = named, {}
        ours = {key: found for key, heads in COLUMNS.items() if (found := first(there, heads)) is not None}
        shared = {key: ours[key] for key in SHARED if key in ours} | {key: cell for key, cell in shared.items() if key not in ours}
        if "variantprice" not in there and "variantsku" not in there and "option1value" not in there and not trouble:
            continue
        yield number, of_variant(ours, there, shared, handle), trouble


def first(there: dict[str, Cell], heads: tuple[str, ...]) -> Cell | None:
    return next((there[head] for head in heads if head in there), None)


def of_variant(ours: dict[str, Cell], there: dict[str, Cell], shared: dict[str, Cell], handle: str) -> dict[str, Cell]:
    """One size: its options are its unit, and its code where it has none of its own."""
    options = [str(there[f"option{place}value"]).strip() for place in (1, 2, 3) if f"option{place}value" in there]
    chosen = [option for option in options if option.casefold() not in NO_CHOICE]
    made = {key: cell for key, cell in {**shared, **ours}.items() if key != "pictures"}
    made["product"] = handle
    made.pop("unit_zh", None)
    if chosen:
        made["unit_zh"] = " / ".join(chosen)
    if "code" not in made:
        made["code"] = "-".join([handle, *chosen])
    if isinstance(cell := made.get("code"), str):
        made["code"] = cell.lstrip("'")
    if not isinstance(text := made.get("description_zh", ""), Odd) and text:
        made["description_zh"] = plain_text(text)
    if (state := str(made.get("state", "")).strip().casefold()) in STATES:
        made["state"] = STATES[state]
    if str(made.get("grams", "")).strip() in ("0", "0.0"):
        del made["grams"]
    return made


def pictures(rows: Iterable[dict[str, Cell]]) -> int:
    """How many pictures the file names; none is fetched."""
    return len({str(row["imagesrc"]) for row in rows if "imagesrc" in row})
