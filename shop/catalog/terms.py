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

from shop.catalog import measures, sounds

MOST_CHARACTERS = 60
"""What is typed counts so far. The text is cut before any pattern sees it, so that a search costs the same whatever was typed."""

HAN = r"\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af"
RUNS = re.compile(rf"[{HAN}]+|[a-z]+|[0-9]+")
MAX_TERMS, MOST_AMOUNTS, LONG_WORD, NOTHING_ELSE = 8, 3, 4, 2

NUMBER = r"(?<![0-9.一二两俩三四五六七八九十百半几])[0-9.一二两俩三四五六七八九十百半几]++"  # from its beginning only, and never given back
MEASURE = r"(?:公斤|千克|市斤|斤|毫升|升|两|克|kg|g|ml|l|jin|个|只|条|盒|箱|袋|瓶|包|把|份|根|颗|棵|块|桶|枚|件|卷)"
AROUND = re.compile(
    rf"{NUMBER} ?{MEASURE}半?装?(?![a-z])"
    r"|请问|老板|哪里有|有没有|有卖|多少钱|怎么卖|[给帮]我|我们?|想[要买吃]?|要[买吃]|[来买称有](?:一?[点些])|[一有]点儿?|一些"
    r"|^[买称来要找有]|新鲜|当季|应季|正宗|本地|农家|便宜|好吃|特价|散装|今天|的|[吗呢嘛吧呀哈]$"
    r"|\b(?:i|want|need|buy|to|please|some|a|an|the|of|for|fresh|good|cheap|local|kilos?|grams?|pounds?)\b"
)
"""What people say around the name of a thing: how much, how good, please. Left out only when nothing has it."""

BEHIND = re.compile(
    r"(?:[(（][^()（）]{0,30}[)）]|散装|礼盒装?|[袋盒瓶]装|[大中小]果|切段|整[只条个]|\bgift box"
    r"|[0-9.]{1,8} ?[a-z个包卷粒枚只瓶]{1,3}|[ ,，·])$"
)
"""What stands behind the name of a thing on a label: how it is packed, sorted or counted."""


@dataclass(frozen=True)
class Query:
    """What must be found: terms as they stand, and beginnings of Latin words, pinyin or initials. What has `measures` comes first."""

    exact: tuple[str, ...]
    beginnings: tuple[str, ...]
    measures: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.exact and not self.beginnings


def fold(text: str) -> str:
    """Full-width to half, upper to lower, without accents, traditional to simplified. The same for what is sold and for what is typed.

    `xuèchéng` is `xuecheng`; the two dots make another vowel in pinyin, which keyboards write `v`: `lǜdòu` is `lvdou`.
    """
    apart = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).lower()).replace("u\u0308", "v")
    plain = "".join(character for character in apart if unicodedata.category(character) != "Mn")
    folded: str = simplified().convert(unicodedata.normalize("NFC", plain))
    return folded


def typed(text: str) -> str:
    """What somebody typed, cut to `MOST_CHARACTERS` and folded; a character that folds into many counts for all of them."""
    return fold(text[:MOST_CHARACTERS])[:MOST_CHARACTERS]


@cache
def simplified() -> OpenCC:
    """From traditional characters to simplified ones; threads may share it."""
    return OpenCC("t2s")


def is_han(run: str) -> bool:
    return re.fullmatch(rf"[{HAN}]+", run) is not None


def pairs(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(len(run) - 1)] or [run]


def parse(text: str) -> Query:
    """The terms of what somebody typed; at most eight of each, the rest is ignored. An amount alone is looked for itself."""
    exact: list[str] = []
    beginnings: list[str] = []
    amounts, rest = measures.taken_out(typed(text))
    for run in RUNS.findall(rest):
        if is_han(run):
            exact += [term for term in dict.fromkeys(pairs(run)) if term not in exact]
        elif run not in beginnings:
            beginnings.append(run)
    if not exact and not beginnings:
        return Query(tuple(amounts[:MAX_TERMS]), ())
    return Query(tuple(exact[:MAX_TERMS]), tuple(beginnings[:MAX_TERMS]), tuple(amounts[:MOST_AMOUNTS]))


def latin(text: str) -> tuple[str, ...]:
    """The words of what was typed, when all of them are letters and may be pinyin or initials; else none."""
    query = parse(text)
    is_latin = not query.exact and all(word.isalpha() and len(word) > 1 for word in query.beginnings)
    return query.beginnings if is_latin else ()


def plainly(text: str) -> str:
    """The thing alone, without the words that people say around it; empty when there are none, or when nothing is left."""
    folded = " ".join(typed(text).split())
    shorter = " ".join(AROUND.sub(" ", folded).split()).strip(" ,.;:!?、。")
    return shorter if shorter != folded else ""


def loosely(text: str) -> list[str]:
    """Single characters, for when nothing has all of what was typed."""
    return list(dict.fromkeys(character for run in RUNS.findall(typed(text)) if is_han(run) for character in run))[:MAX_TERMS]


def other_forms(word: str) -> tuple[str, ...]:
    """How an English word may stand in a name instead: `oranges` as orange, `tomatoes` as tomato, `strawberry` as strawberries.

    Words as a whole, never beginnings: who types peas is not shown pears. Some are no words at all, and find nothing.
    """
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return ()
    if word.endswith("ies"):
        return word[:-3] + "y", word[:-1]
    if word.endswith("ves"):
        return word[:-3] + "f", word[:-3] + "fe", word[:-1]
    if word.endswith("es"):
        return word[:-2], word[:-1]
    if word.endswith("s"):
        return () if word.endswith("ss") else (word[:-1],)
    if word.endswith("y"):
        return (word[:-1] + "ies",)
    return (word.removesuffix("e").removesuffix("f") + "ves",) if word.endswith(("f", "fe")) else ()


def sounding(text: str) -> Query:
    """The same by its sound, for who wrote it with another character: 雪橙 is heard as 血橙. Empty without two characters in a row, and
    with letters or figures beside them."""
    if parse(text).beginnings:
        return Query((), ())
    runs = [run for run in RUNS.findall(typed(text)) if is_han(run) and len(run) > 1]
    heard = dict.fromkeys(fold(sounds.said(run)) for run in runs)
    return Query((), tuple(heard)[:MAX_TERMS]) if all(heard) else Query((), ())


Sounds = tuple[tuple[str, ...], ...]
"""How each character of a word may be said."""


def syllables(text: str) -> tuple[Sounds, ...]:
    """How each word of two characters and more may be said, character by character; empty when one of them cannot be,
    and with letters or figures beside them."""
    if parse(text).beginnings:
        return ()
    said = tuple(sounds.every(run) for run in RUNS.findall(typed(text)) if is_han(run) and len(run) > 1)
    return said if all(said) else ()


def apart(text: str) -> list[Query]:
    """The same where long words are two: 血橙礼盒 as 血橙 and 礼盒, which stand apart in 资中血橙大果礼盒.

    Of an odd number the first or the last three stay together. Empty when no word is so long.
    """
    whole = parse(text)
    runs = [run for run in RUNS.findall(measures.taken_out(typed(text))[1]) if is_han(run)]
    if all(len(run) < LONG_WORD for run in runs):
        return []
    ways = []
    for begins_with in (3, 2) if any(len(run) % 2 and len(run) > LONG_WORD for run in runs) else (2,):
        exact: dict[str, None] = {}
        for run in runs:
            exact |= dict.fromkeys(pair for word in words_of(run, begins_with) for pair in pairs(word))
        ways.append(Query(tuple(exact)[:MAX_TERMS], whole.beginnings, whole.measures))
    return ways


def words_of(run: str, begins_with: int) -> list[str]:
    """A long run in words of two; of an odd number the first or the last has three."""
    if len(run) < LONG_WORD:
        return [run]
    first = begins_with if len(run) % 2 else 2
    rest = run[first:]
    words = [run[:first], *(rest[place : place + 2] for place in range(0, len(rest), 2))]
    return [*words[:-2], words[-2] + words[-1]] if len(words[-1]) == 1 else words


def thing(name: str) -> str:
    """A folded name up to the thing itself, without how it is packed or sorted: 资中血橙 of 资中血橙大果礼盒, blood orange of
    Blood orange, medium. What stands last in it is what is sold: 血橙汁 is juice, no blood orange.
    """
    rest = fold(name).partition(", ")[0].strip()
    while (shorter := BEHIND.sub("", rest)) != rest and shorter:
        rest = shorter
    return rest


def index_thing(name: str, weight: int, terms: dict[str, int]) -> None:
    """Give the last word of a name the weight of the thing itself: its last character, its last two, and how these are said. A little
    more when it is the whole name: potatoes are potatoes before sweet potatoes are.
    """
    runs = RUNS.findall(thing(name))
    last = runs[-1] if runs else ""
    if len(runs) == 1 and (len(last) <= 2 or not is_han(last)):
        weight += NOTHING_ELSE
    if is_han(last):
        for term in {last[-1], last[-2:]}:
            terms[term] = max(weight, terms.get(term, 0))
        said = pinyin_terms(last)
        for term in [one for one in said if one[0] == "p"][-2:] + [one for one in said if one[0] == "i"][-1:]:
            terms[term] = max(-(-weight // 2), terms.get(term, 0))
    elif last:
        terms[f"w:{last}"] = max(weight, terms.get(f"w:{last}", 0))


def word_of_initials(name: str, initials: str) -> str:
    """The characters of a name whose initials were typed: 血橙 of 资中血橙散装 for `xc`; empty where none stand together."""
    for run in RUNS.findall(fold(name)):
        if is_han(run) and (place := "".join(map(sounds.initial, run)).find(initials)) >= 0:
            return str(run[place : place + len(initials)])
    return ""


def index_terms(text: str, weight: int, terms: dict[str, int], with_pinyin: bool = False) -> None:
    """Add the terms of a text to `terms`, keeping the higher weight."""
    for run in RUNS.findall(fold(text)):
        if is_han(run):
            for term in {*pairs(run), *run}:
                terms[term] = max(weight, terms.get(term, 0))
            if with_pinyin:
                for term in pinyin_terms(run):
                    terms[term] = max(-(-weight // 2), terms.get(term, 0))
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
