"""What is said of a row: by a code that is kept with it, so that everybody reads it in their own language."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shop.kernel.errors import sentence

SENTENCES = {
    # of a cell
    "missing": sentence("is empty. Please fill it in."),
    "formula": sentence("holds a formula (%(text)s). Write the value itself: copy it and paste it as a value."),
    "date": sentence("was made a date by the spreadsheet (%(text)s). Format the cell as text and write it again."),
    "error": sentence("holds an error of the spreadsheet (%(text)s). Write the value itself."),
    "no_price": sentence("“%(text)s” is no price. Write yuan as 12.80."),
    "unclear_comma": sentence(
        "“%(text)s” may be %(point)s or %(whole)s. Write it with a point, or say when you bring the file that commas stand before decimals."
    ),
    "price_not_positive": sentence("a price must be more than 0."),
    "other_money": sentence("“%(text)s” is in %(currency)s. We sell in yuan: convert it."),
    "no_count": sentence("“%(text)s” is no whole number. Write for example 60."),
    "count_too_large": sentence("“%(text)s” is too large: at most %(most)s."),
    "count_too_small": sentence("“%(text)s” is too small: at least %(least)s."),
    "no_weight": sentence("“%(text)s” is no weight. Write 850, 850 g, 1.7斤 or 0.85 kg; a gram is the smallest step."),
    "no_code": sentence("“%(text)s” cannot be a code. Use letters, figures and hyphens, at most %(most)s."),
    "code_twice": sentence("the same code stands in row %(row)s. Each size has its own."),
    "code_taken": sentence("this code is in use already. Please choose another."),
    "code_unknown": sentence("none of this shop's goods has the code “%(text)s”. New goods come in by a sheet of goods."),
    "too_long": sentence("is too long: at most %(most)s characters."),
    "unreadable": sentence("has characters we cannot store. Type it anew."),
    "no_choice": sentence("“%(text)s” is none of these: %(choices)s."),
    "no_category": sentence("we have no category “%(text)s”. Write one of these: %(choices)s."),
    "no_season": sentence("“%(text)s” are no months. Write 12-5 for December to May."),
    "no_barcode": sentence("“%(text)s” is no barcode of 8, 12, 13 or 14 figures. Format the cell as text."),
    "of_other_product": sentence(
        "row %(row)s says “%(other)s” for the same product. Write the same in all its rows, or leave it empty below."
    ),
    "of_listed_product": sentence(
        "the product of this new size is listed with something else. Leave this empty, or change it first in the row of a listed size."
    ),
    "product_moved": sentence("this size belongs to the product “%(other)s”. A size cannot move to another."),
    "never_changed": sentence("cannot be changed by a sheet once goods are listed: orders were placed by it."),
    "only_owner": sentence("only the owner of the shop changes prices. Leave the price as it is (%(now)s), or the column out."),
    "steps_do_not_fit": sentence("the minimum must be a multiple of the steps."),
    "not_in_business": sentence("this shop sells nothing at the moment, so nothing can be put on sale. Write draft."),
    # of a row
    "more_cells": sentence("The row has more cells than there are columns. A name or a price with a comma must stand in quotation marks."),
    "fewer_cells": sentence("The row has fewer cells than there are columns. Was the file cut off?"),
    "not_sold_by_us": sentence("Only simple products and variations can be taken over."),
    "changed_meanwhile": sentence("It was changed by somebody else after the file was read. Bring the file again."),
    # questions
    "price_higher": sentence("¥%(old)s → ¥%(new)s, that is %(times)s times as much. Is that right?"),
    "price_lower": sentence("¥%(old)s → ¥%(new)s, that is %(percent)s less. Is that right?"),
    "count_far_off": sentence("%(quantity)s were counted, and %(expected)s should be lying there. Is that right?"),
    "promised": sentence("%(promised)s are promised to customers; with %(quantity)s on the shelf %(short)s are missing. Is that right?"),
    "very_many": sentence("%(quantity)s at once? That is very many."),
}
"""Of a cell they follow its column's name and a colon."""


@dataclass(frozen=True, slots=True)
class Saying:
    """One thing that is said of a row: its column by our name (empty for the row as a whole), the sentence's code, and its facts."""

    column: str
    code: str
    facts: dict[str, Any] = field(default_factory=dict)

    def kept(self) -> dict[str, Any]:
        """As it is kept with the row."""
        return {"column": self.column, "code": self.code, "facts": self.facts}


class Wrong(Exception):
    """What a cell says cannot be used."""

    def __init__(self, code: str, **facts: Any) -> None:
        self.code, self.facts = code, facts
        super().__init__(code)
