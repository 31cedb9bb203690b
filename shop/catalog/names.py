"""What people call things: other words for the same, and the wider words that people ask with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from shop.catalog import terms


class Names:
    """Which further words a product is found by, from the words in its name.

    Each line of `same` holds words that mean the same: with any of them in a name, the product is found by all. Each line of
    `kinds` begins with a wider word, and those after it are kinds of it: oranges are asked for, blood oranges are sold.
    """

    def __init__(self, same: Iterable[Sequence[str]], kinds: Iterable[Sequence[str]] = ()) -> None:
        self.same: dict[str, set[str]] = {}
        self.wider: dict[str, set[str]] = {}
        for line in same:
            for word in line:
                self.same.setdefault(terms.fold(word), set()).update(map(terms.fold, line))
        for first, *narrower in kinds:
            for word in narrower:
                for alike in self.alike([terms.fold(word)]):
                    self.wider.setdefault(alike, set()).add(terms.fold(first))
        words = sorted({*self.same, *self.wider}, key=len, reverse=True)
        self.known = re.compile("|".join(map(re.escape, words)) or r"(?!)")

    def alike(self, words: Iterable[str]) -> set[str]:
        """The words and all that mean the same."""
        return {other for word in words for other in (word, *self.same.get(word, ()))}

    def beside(self, name: str) -> tuple[set[str], set[str]]:
        """Words that mean what stands in a name, and wider ones. Of words within each other the longest counts: 土鸡蛋 is no 土鸡."""
        here = self.known.findall(terms.fold(name))
        same = self.alike(word for word in here if word in self.same)
        wider: set[str] = set()
        found = {*here, *same}
        while found:
            found = self.alike(first for word in found for first in self.wider.get(word, ())) - same - wider
            wider |= found
        return same, wider

    def last(self, thing: str) -> str:
        """The known word that a thing's name ends with; empty when it ends with none."""
        found = self.known.findall(thing)
        return found[-1] if found and thing.endswith(found[-1]) else ""
