"""What the load asks for, drawn at random: a few things often, most of them seldom, and in every run the same ones."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Generic, TypeVar

Thing = TypeVar("Thing")

SEED = 20_260_101
SIGNED_IN = 0.3
"""Of those who look at pages, how many are signed in; the others have only chosen their point."""

ENGLISH = 0.1
NOTHING = 0.1
"""Of what is searched for, how much is not there."""


def chance(*names: object) -> random.Random:
    """A source of chance of its own for what the names say; the same names draw the same."""
    return random.Random("/".join(str(name) for name in (SEED, *names)))


class Popular(Generic[Thing]):
    """Things by how often they are wanted: the one of rank n is wanted 1/n as often as the first (Zipf). The ranks are drawn too."""

    def __init__(self, things: Sequence[Thing], name: str) -> None:
        if not things:
            raise ValueError(f"nothing to draw from: {name}")
        self.things = list(things)
        chance("ranks", name).shuffle(self.things)
        self.shares = list(accumulate(1 / rank for rank in range(1, len(self.things) + 1)))

    def one(self, source: random.Random) -> Thing:
        return source.choices(self.things, cum_weights=self.shares)[0]

    def some(self, source: random.Random, count: int) -> list[Thing]:
        """So many different ones; all there are when there are fewer."""
        found: dict[Thing, None] = {}
        while len(found) < min(count, len(self.things)):
            found[self.one(source)] = None
        return list(found)


@dataclass
class Draw:
    """One connection in one turn: which it is, of how many, what it has done so far, and its source of chance."""

    source: random.Random
    number: int
    connections: int
    deeds: int = 0
    start: int = 0

    def is_one_of(self, share: float) -> bool:
        return self.source.random() < share

    def next_of(self, things: Sequence[Thing]) -> Thing:
        """The next of this connection's own part of the things, from a place of its own on: nobody else has it at the same time."""
        mine = range(self.number % len(things), len(things), self.connections)
        return things[mine[(self.start + self.deeds) % len(mine)]]


def draw_for(name: str, turn: object, number: int, connections: int) -> Draw:
    """What a connection draws in a turn of a measure: whichever code is measured, it is asked the same."""
    source = chance(name, turn, number)
    return Draw(source, number, connections, start=source.randrange(1_000_000))


def queries_of(names: Sequence[str], codes: Sequence[str]) -> list[str]:
    """What people search for among goods of such names: their beginning, their end, the whole, or the Latin spelling."""
    found: dict[str, None] = {}
    for name, code in zip(names, codes, strict=True):
        for query in (name[:2], name[-2:], name, code.partition("-")[0]):
            if len(query) >= 2:
                found[query] = None
    return list(found)


NOT_THERE = ("飞机", "zzyzx", "冰箱压缩机", "qqqq", "拖拉机")
