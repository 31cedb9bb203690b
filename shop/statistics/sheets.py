"""A shop's figures as rows of a sheet, with heads in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from shop.imports.booklet import Row
from shop.statistics.queries import Figures

DAYS = (
    ("日期", "Day"), ("订单", "Orders"), ("件数", "Units"), ("销售额", "Sales"), ("已退回", "Given back"),
    ("实收", "Buyers paid in the end"),
)  # fmt: skip
GOODS = (
    ("商品", "Goods"), ("订单", "Orders"), ("售出件数", "Units sold"), ("销售额", "Sales"), ("损耗件数", "Units written off"),
    ("损耗金额", "Worth of what was written off"), ("缺货件数", "Units short"), ("缺货金额", "Worth of what was short"),
    ("现存件数", "Units left now"), ("售罄率（千分比）", "Sell-through in thousandths"),
)  # fmt: skip


def heads(columns: tuple[tuple[str, str], ...], locale: str) -> list[str]:
    return [chinese if locale == "zh" else english for chinese, english in columns]


def days(found: Figures, locale: str) -> Iterator[Row]:
    """Every day of the span."""
    yield heads(DAYS, locale)
    for one in found.days:
        yield [one.day, one.orders, one.sold.units, one.gross, one.refunded, one.gross - one.refunded]


def goods(found: Figures, locale: str) -> Iterator[Row]:
    """Every product that was sold or short, spoiled, or of which something is left."""
    yield heads(GOODS, locale)
    for one in found.goods:
        name = one.name_zh if locale == "zh" else one.name_en or one.name_zh
        yield [
            name, one.orders, one.units, one.money, one.spoiled, one.spoiled_money, one.short_units, one.short_money, one.left,
            one.sell_through,
        ]  # fmt: skip


OF_FIGURES: Mapping[str, Callable[[Figures, str], Iterator[Row]]] = {"days": days, "goods": goods}
