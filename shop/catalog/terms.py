"""How text becomes search terms: the same terms on both engines, for Chinese of any length, old or new characters, pinyin, initials.

A run of Han characters is indexed by each character and each pair; two characters are found by their pair, longer words by
all their pairs. Latin words are found by their beginnings, and so are the pinyin (`p:xuecheng`) and the initials (`i:xc`)
of every tail of a name. See docs/algorithms/search.md.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache

from opencc import OpenCC

HAN = r"\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af"
RUNS = re.compile(rf"[{HAN}]+|[a-z]+|[0-9]+")
MAX_TERMS = 8

NUMBER = r"(?:[0-9]+(?:\.[0-9]+)?|[一二两俩三四五六七八九十百半几])+"
MEASURE = r"(?:公斤|千克|市斤|斤|毫升|升|两|克|kg|g|ml|l|jin|个|只|条|盒|箱|袋|瓶|包|把|份|根|颗|棵|块|桶|枚|件|卷)"
AROUND = re.compile(
    rf"{NUMBER}\s*{MEASURE}半?装?(?![a-z])"
    r"|请问|老板|哪里有|有没有|有卖|多少钱|怎么卖|[给帮]我|我们?|想[要买吃]?|要[买吃]|[来买称有](?:一?[点些])|[一有]点儿?|一些"
    r"|^[买称来要找有]|新鲜|当季|应季|正宗|本地|农家|便宜|好吃|特价|散装|今天|的|[吗呢嘛吧呀哈]$"
    r"|\b(?:i|want|need|buy|to|please|some|a|an|the|of|for|fresh|good|cheap|local|kilos?|grams?|pounds?)\b"
)
"""What people say around the name of a thing: how much, how good, please. Left out only when nothing has it."""


@dataclass(frozen=True)
class Query:
    """What must be found: terms as they stand, and beginnings of Latin words, pinyin or initials."""

    exact: tuple[str, ...]
    beginnings: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return not self.exact and not self.beginnings


def fold(text: str) -> str:
    """Full-width to half, upper to lower, traditional to simplified. The same for what is sold and for what is typed."""
    folded: str = simplified().convert(unicodedata.normalize("NFKC", text).lower())
    return folded


@cache
def simplified() -> OpenCC:
    """From traditional characters to simplified ones; threads may share it."""
    return OpenCC("t2s")


def is_han(run: str) -> bool:
    return re.fullmatch(rf"[{HAN}]+", run) is not None


def pairs(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(len(run) - 1)] or [run]


def parse(text: str) -> Query:
    """The terms of what somebody typed; at most eight of each, the rest is ignored."""
    exact: list[str] = []
    beginnings: list[str] = []
    for run in RUNS.findall(fold(text)):
        if is_han(run):
            exact += [term for term in pairs(run) if term not in exact]
        elif run not in beginnings:
            beginnings.append(run)
    return Query(tuple(exact[:MAX_TERMS]), tuple(beginnings[:MAX_TERMS]))


def plainly(text: str) -> str:
    """The thing alone, without the words that people say around it; empty when there are none, or when nothing is left."""
    folded = " ".join(fold(text).split())
    shorter = " ".join(AROUND.sub(" ", folded).split()).strip(" ,.;:!?、。")
    return shorter if shorter != folded else ""


def loosely(text: str) -> list[str]:
    """Single characters, for when nothing has all of what was typed."""
    return list(dict.fromkeys(character for run in RUNS.findall(fold(text)) if is_han(run) for character in run))[:MAX_TERMS]


def index_terms(text: str, weight: int, terms: dict[str, int], with_pinyin: bool = False) -> None:
    """Add the terms of a text to `terms`, keeping the higher weight."""
    for run in RUNS.findall(fold(text)):
        if is_han(run):
            for term in {*pairs(run), *run}:
                terms[term] = max(weight, terms.get(term, 0))
            if with_pinyin:
                for term in pinyin_terms(run):
                    terms[term] = max(weight // 2, terms.get(term, 0))
        else:
            terms[f"w:{run}"] = max(weight, terms.get(f"w:{run}", 0))


@lru_cache(maxsize=20_000)
def pinyin_terms(run: str) -> tuple[str, ...]:
    """Pinyin and initials of every tail of a run of Han characters."""
    from pypinyin import lazy_pinyin  # slow to import, needed only where names are written

    syllables = [fold(syllable) for syllable in lazy_pinyin(run)]
    tails = range(len(syllables))
    full = ["p:" + "".join(syllables[place:]) for place in tails]
    initials = ["i:" + "".join(syllable[0] for syllable in syllables[place:]) for place in tails]
    return tuple(dict.fromkeys([*full, *(term for term in initials if len(term) > 3)]))
