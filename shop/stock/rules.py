"""Arithmetic of quantities."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many selling units of a variant for one order line."""

    variant_id: int
    order_line_id: int
    quantity: int


def totals(wanted: Iterable[Wanted]) -> dict[int, int]:
    """Quantity per variant, in the order every transaction takes stock: by variant id. Two lines of one variant add up."""
    sums: dict[int, int] = {}
    for line in wanted:
        sums[line.variant_id] = sums.get(line.variant_id, 0) + line.quantity
    return dict(sorted(sums.items()))
