"""What each row of a sheet wants, read without looking at what there is: values by our names, and what is wrong with which cell."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shop.imports import cells
from shop.imports.cells import Reading
from shop.imports.columns import OF_PRODUCT, OWN_MONEY
from shop.imports.layouts import OWN, Entry
from shop.imports.saying import Saying, Wrong
from shop.imports.sheets import Cell
from shop.models.imports import ImportKind

UNREAD = frozenset({"code", "product", "currency", "pictures"})
SAME_IN_PRODUCT = OF_PRODUCT - UNREAD
SHORT_DIGEST = 8


@dataclass(slots=True)
class Wish:
    """One row. `code` and `product` are codes as the sheet has them, without the shop's prefix; empty where they are wrong."""

    number: int
    written: dict[str, str]
    code: str = ""
    product: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    wrongs: list[Saying] = field(default_factory=list)

    def refuse(self, column: str, code: str, **facts: Any) -> None:
        self.wrongs.append(Saying(column, code, facts))


def prefixed(shop: str, code: str) -> str:
    """A code as new goods of a shop get it: no two shops' own numbers meet."""
    return code if not code or code.startswith(f"{shop}-") else f"{shop}-{code}"


def read(entries: Sequence[Entry], kind: ImportKind, layout: str, manner: Reading, shop: str) -> list[Wish]:
    """All rows, in their order, each with what is wrong with it by itself and beside the others. `shop` is the shop's code: with it
    before them or not, codes mean the same.
    """
    wishes = [wish_of(entry, layout, manner) for entry in entries]
    refuse_twice(wishes, shop)
    if kind is ImportKind.GOODS:
        share_within_products(wishes, shop)
    return wishes


def wish_of(entry: Entry, layout: str, manner: Reading) -> Wish:
    wish = Wish(entry.number, {key: str(cell) for key, cell in entry.cells.items()})
    if entry.trouble:
        wish.refuse("", entry.trouble)
        return wish
    for key, cell in entry.cells.items():
        if key in UNREAD:
            continue
        try:
            wish.values[key] = cells.READERS[key](cell, manner)
        except Wrong as wrong:
            wish.refuse(key, wrong.code, **wrong.facts)
    wish.code = code_of(wish, "code", entry.cells.get("code"), layout)
    wish.product = code_of(wish, "product", entry.cells["product"], layout) if "product" in entry.cells else wish.code
    if "currency" in entry.cells:
        refuse_currency(wish, entry.cells["currency"])
    if {"minimum", "multiple"} <= wish.values.keys() and wish.values["minimum"] % wish.values["multiple"]:
        wish.refuse("minimum", "steps_do_not_fit")
    return wish


def code_of(wish: Wish, column: str, cell: Cell | None, layout: str) -> str:
    """A code; empty when it is wrong. Codes of other shops may be anything: what cannot be ours gets one made from it, always the same."""
    if cell is None:
        wish.refuse(column, "missing")
        return ""
    try:
        return cells.slug(cell)
    except Wrong as wrong:
        if layout != OWN and isinstance(cell, str):
            return made_from(cell)
        wish.refuse(column, wrong.code, **wrong.facts)
        return ""


def made_from(text: str) -> str:
    kept = "".join(character if character.isascii() and character.isalnum() else "-" for character in text.casefold())
    words = "-".join(part for part in kept.split("-") if part)[:40].strip("-")
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:SHORT_DIGEST]
    return f"{words}-{digest}" if words else f"x-{digest}"


def refuse_currency(wish: Wish, cell: Cell) -> None:
    said = str(cell).strip()
    if said.casefold() not in OWN_MONEY:
        wish.refuse("currency", "other_money", text=cells.shown(cell), currency=said[:10])


def refuse_twice(wishes: Sequence[Wish], shop: str) -> None:
    """A code that stands in two rows is wrong in the second: which of them is meant cannot be guessed."""
    seen: dict[str, int] = {}
    for wish in wishes:
        code = prefixed(shop, wish.code)
        if code and seen.setdefault(code, wish.number) != wish.number:
            wish.refuse("code", "code_twice", row=seen[code])


def share_within_products(wishes: Sequence[Wish], shop: str) -> None:
    """What the first row that says something of a product says of it holds for its other sizes; what is said differently below is wrong
    there. What is wrong in that row is wrong in all that leave it empty.
    """
    sizes: dict[str, list[Wish]] = {}
    for wish in wishes:
        if wish.product:
            sizes.setdefault(prefixed(shop, wish.product), []).append(wish)
    for together in sizes.values():
        for key in SAME_IN_PRODUCT:
            share(together, key)


def share(sizes: Sequence[Wish], key: str) -> None:
    leader = next((wish for wish in sizes if key in wish.written), None)
    if leader is None:
        return
    for wish in sizes:
        if key not in wish.written:
            if key in leader.values:
                wish.values[key] = leader.values[key]
            wish.wrongs += [saying for saying in leader.wrongs if saying.column == key]
        elif key in leader.values and key in wish.values and leader.values[key] != wish.values[key]:
            wish.refuse(key, "of_other_product", row=leader.number, other=cells.shown(leader.written[key]))
