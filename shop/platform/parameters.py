"""What commands are told, read by the same gate as everything else from outside."""

from __future__ import annotations

from typing import Any

import click

from shop.kernel import gate, quantities
from shop.kernel.errors import ShopError
from shop.kernel.money import Money
from shop.kernel.text import clean


class Text(click.ParamType):
    """A text of at most so many characters, none of them a control character."""

    name = "text"

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return clean(str(value), self.limit)
        except ShopError as refusal:
            self.fail(str(refusal), param, ctx)


class Yuan(click.ParamType):
    """An amount in yuan, as people type it."""

    name = "yuan"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Money:
        if isinstance(value, Money):
            return value
        try:
            amount = quantities.yuan(str(value))
        except ShopError as refusal:
            self.fail(str(refusal), param, ctx)
        if amount is None:
            self.fail(f"{value} is no amount such as 50 or 49.50", param, ctx)
        return amount


ID = click.IntRange(1, gate.MOST_NUMBER)
WORD = Text(80)
LINE = Text(400)
YUAN = Yuan()
