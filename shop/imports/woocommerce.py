"""The product export of WooCommerce: a variable product with its variations below it, known by the parent's code or number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shop.imports.safe_text import plain_text
from shop.imports.sheets import Cell, Odd
from shop.kernel.quantities import grams

MARKS = ("type", "sku", "regularprice")
"""Heads, folded, by which the file is known."""

COLUMNS: dict[str, tuple[str, ...]] = {
    "code": ("sku",), "product": ("parent",), "name_zh": ("name",), "description_zh": ("shortdescription", "description"),
    "category": ("categories",), "price": ("regularprice",), "grams": ("weight(kg)", "weight(g)"), "stock": ("stock",),
    "barcode": ("gtinupceanorisbn", "gtin/upc/eanorisbn"), "state": ("published",), "pictures": ("images",),
    "unit_zh": ("attribute1value(s)",),
}  # fmt: skip
"""Ours, and what it is called there, folded."""

HEADS = (
    *(head for heads in COLUMNS.values() for head in heads),
    "id", "type", "saleprice", "isfeatured?", "visibilityincatalog", "instock?", "attribute1name", "taxstatus", "weight(lbs)", "weight(oz)",
)  # fmt: skip
STATES = {"1": "on_sale", "0": "draft", "-1": "draft"}
SOLD = frozenset({"simple", "variation"})
FROM_PARENT = frozenset({"description_zh", "category", "state"})
OF_PARENT = frozenset({"name_zh", "product"})
"""What a variation takes from its parent where it is silent, and what always: its own name only repeats its attributes."""
MOST_ATTRIBUTES = 5


def entries(rows: Iterable[tuple[int, dict[str, Cell], str]]) -> Iterator[tuple[int, dict[str, Cell], str]]:
    """The rows that can be bought, by our names; what a variation does not say, its parent does."""
    known: dict[str, dict[str, Cell]] = {}
    for number, there, trouble in rows:
        kinds = {kind.strip().casefold() for kind in str(there.get("type", "simple")).split(",")}
        ours = of_row(there)
        if "variable" in kinds and not trouble:
            for name in ("sku", "id"):
                if name in there:
                    own = str(there.get("sku") or there["id"])
                    known[parents_name(str(there[name]), is_id=name == "id")] = {**ours, "product": own}
            continue
        if not kinds & SOLD:
            yield number, ours, trouble or "not_sold_by_us"
            continue
        if "variation" in kinds:
            parent = known.get(str(there.get("parent", "")).strip(), {})
            ours = {**ours, **{key: cell for key, cell in parent.items() if key in OF_PARENT or (key in FROM_PARENT and key not in ours)}}
        else:
            ours.pop("product", None)
        yield number, ours, trouble


def parents_name(name: str, *, is_id: bool) -> str:
    return f"id:{name.strip()}" if is_id else name.strip()


def of_row(there: dict[str, Cell]) -> dict[str, Cell]:
    """What a row says by our names: the value of a category path is its last part, of attributes all of them."""
    ours = {key: cell for key, heads in COLUMNS.items() if key not in ("pictures", "grams") for cell in first(there, heads)}
    if isinstance(text := ours.get("description_zh"), str):
        ours["description_zh"] = plain_text(text.replace("\\n", "\n"))
    if isinstance(path := ours.get("category"), str):
        ours["category"] = path.split(",")[0].split(">")[-1].strip()
    if (state := str(ours.get("state", "")).strip()) in STATES:
        ours["state"] = STATES[state]
    values = [str(there[head]).strip() for place in range(1, MOST_ATTRIBUTES + 1) if (head := f"attribute{place}value(s)") in there]
    ours.pop("unit_zh", None)
    if values and "," not in "".join(values):
        ours["unit_zh"] = " / ".join(values)
    if "weight(g)" in there:
        ours["grams"] = there["weight(g)"]
    elif "weight(kg)" in there:
        ours["grams"] = in_grams(there["weight(kg)"])
    return ours


def first(there: dict[str, Cell], heads: tuple[str, ...]) -> list[Cell]:
    return [there[head] for head in heads if head in there][:1]


def in_grams(cell: Cell) -> Cell:
    """Kilograms as whole grams; what is no such weight stays, to be refused."""
    if isinstance(cell, Odd):
        return cell
    weight = grams(cell, "kg")
    return cell if weight is None else str(weight)


def pictures(rows: Iterable[dict[str, Cell]]) -> int:
    """How many pictures the file names; none is fetched."""
    return len({name.strip() for row in rows if "images" in row for name in str(row["images"]).split(",") if name.strip()})
