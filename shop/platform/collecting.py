"""What a feature brings that things of its kind can lie at a counter: `shop.counter` knows kinds only by what is declared here.

Each `on_...` runs inside the transaction that moves the thing, when its row has been moved: what it raises undoes both. It is called once
for each time that a thing moves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel.money import Money
from shop.models.catalog import PricedBy
from shop.platform.actor import Actor


@dataclass(frozen=True, slots=True)
class Line:
    """Goods in a thing, with the names frozen when they were ordered. `final_grams` where they were weighed."""

    name_zh: str
    name_en: str
    unit_zh: str
    unit_en: str
    image: str
    category_id: int
    quantity: int
    priced_by: PricedBy
    final_grams: int | None


@dataclass(frozen=True, slots=True)
class Contents:
    """Who sent a thing, a merchant or a carrier, and what is in it."""

    merchant_code: str
    merchant_name_zh: str
    merchant_name_en: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """Things of one kind, locked until the transaction ends. `stays` says of those that may not leave why, by a reason of the counter;
    `read` is what their kind read of them, for its own use.
    """

    stays: Mapping[int, str]
    read: Any = None


@dataclass(frozen=True, slots=True)
class Move:
    """A hand-over that moves things, or moves them back: on which pass, of whom. `time` counts how often some of it was taken back."""

    handover_id: int
    pass_id: int
    user_id: int
    time: int = 0


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Things of one kind. They are named by the ids of their own rows.

    `called` is what a person calls one, as a `sentence`. `named` selects the ids that a number means which people read or type.
    `due` are those whose time at the counter is over, by id after a given one; `ends_at` says of one when that is, None when it does not
    wait.
    `on_not_collected` says what goes back to its owner.
    """

    name: str
    called: str
    open: Callable[[Session, Sequence[int]], Opened]
    contents: Callable[[Session, Sequence[int]], Mapping[int, Contents]]
    named: Callable[[str], sa.Select[Any]]
    due: Callable[[Session, int], list[int]]
    ends_at: Callable[[Session, int], datetime | None]
    on_collected: Callable[[Session, Actor, Opened, Sequence[int], Move], None]
    on_taken_back: Callable[[Session, Actor, Sequence[int], Move], None]
    on_not_collected: Callable[[Session, Actor, Opened, int, str], Money]
