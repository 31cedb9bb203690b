"""What a regular expression must not be: one whose cost grows faster than its text.

A pattern is parsed by Python's own parser and walked. Refused are a repeat inside a repeat and a repeat beside a repeat where both could
take the same character with nothing certain between them: then there are many ways to part one run between them, and a text that fits
in none of them makes the engine try all. Possessive repeats and atomic groups give nothing back, and are certain.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator, Sequence
from re import _constants as constants  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from tests.architecture.syntax import ROOT, Module, calls, dotted, where

FEW = 16
"""A repeat of at most so many is no run: `[0-9]{1,3}`."""

TRIED = [*map(chr, range(0x20, 0x7F)), "\n", "\t", "\u00e9", "\u3002", "\u4e00", "\uff0c", "\uff11", *"一二两半斤公"]
"""Characters by which sets are compared."""

MAKERS = {"compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}
FIELDS = {"Regexp"}

Chars = frozenset[str]


def trouble_of(pattern: str, flags: int = 0) -> str:
    """What is wrong with a pattern; empty when its cost grows with its text and no faster."""
    return next(_troubles(list(parser.parse(pattern, flags & ~re.DEBUG)), flags), "")


def _troubles(items: Sequence[Any], flags: int) -> Iterator[str]:
    yield from _side_by_side(items, flags)
    for kind, value in items:
        for part in _parts(kind, value):
            yield from _troubles(part, flags)
        if kind in (constants.MAX_REPEAT, constants.MIN_REPEAT) and value[1] > FEW:
            yield from _over_again(list(value[2]), flags)


def _over_again(body: Sequence[Any], flags: int) -> Iterator[str]:
    """A repeated body must be told from its next round: neither run into it, nor begin in two ways."""
    begins = _first(body, flags)
    if _can_be_empty(body):
        yield "repeats something that may be empty"
    for ending in _open_ends(body, flags, runs_only=False):
        if ending & begins:
            yield f"repeats a repeat that may begin again with {min(ending & begins)!r}"


def _side_by_side(items: Sequence[Any], flags: int) -> Iterator[str]:
    """Two runs must not share a character, unless something stands between them that one of them cannot take."""
    for place, item in enumerate(items):
        for ending in _open_ends([item], flags):
            between: list[Chars] = []
            for other in items[place + 1 :]:
                for starts, whole in _runs_at_start(other, flags):
                    if starts & ending and all(parting & ending and parting & whole for parting in between):
                        yield f"has two runs beside each other that share {min(starts & ending)!r}"
                if not _can_be_empty([other]):
                    between.append(_all([other], flags))


def _parts(kind: Any, value: Any) -> list[list[Any]]:
    if kind is constants.BRANCH:
        return [list(branch) for branch in value[1]]
    if kind is constants.SUBPATTERN:
        return [list(value[3])]
    if kind in (constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT):
        return [list(value[2])]
    if kind is constants.ATOMIC_GROUP:
        return [list(value)]
    if kind in (constants.ASSERT, constants.ASSERT_NOT):
        return [list(value[1])]
    return []


def _open_ends(items: Sequence[Any], flags: int, *, runs_only: bool = True) -> list[Chars]:
    """The characters of every run that may stand last; and of whatever may stand there or not, unless `runs_only`."""
    found: list[Chars] = []
    for kind, value in reversed(items):
        if kind in (constants.MAX_REPEAT, constants.MIN_REPEAT):
            if value[1] > (FEW if runs_only else value[0]):
                found.append(_all(list(value[2]), flags))
            found += _open_ends(list(value[2]), flags, runs_only=runs_only)
        elif kind in (constants.BRANCH, constants.SUBPATTERN):
            parts = _parts(kind, value)
            for part in parts:
                found += _open_ends(part, flags, runs_only=runs_only)
            if not runs_only and kind is constants.BRANCH and any(_can_be_empty(part) for part in parts):
                found += [_first(part, flags) for part in parts]
        if not _can_be_empty([(kind, value)]):
            break
    return found


def _runs_at_start(item: Any, flags: int) -> list[tuple[Chars, Chars]]:
    """The runs an item is or may begin with: what each begins with, and all it can take."""
    kind, value = item
    if kind in (constants.MAX_REPEAT, constants.MIN_REPEAT) and value[1] > FEW:
        return [(_first(list(value[2]), flags), _all(list(value[2]), flags))]
    found = []
    for part in _parts(kind, value) if kind in (constants.MAX_REPEAT, constants.MIN_REPEAT, constants.BRANCH, constants.SUBPATTERN) else []:
        for inner in part:
            found += _runs_at_start(inner, flags)
            if not _can_be_empty([inner]):
                break
    return found


def _first(items: Sequence[Any], flags: int) -> Chars:
    found: Chars = frozenset()
    for item in items:
        found |= _own(item, flags, whole=False)
        if not _can_be_empty([item]):
            break
    return found


def _all(items: Sequence[Any], flags: int) -> Chars:
    return frozenset().union(*(_own(item, flags, whole=True) for item in items))


def _own(item: Any, flags: int, *, whole: bool) -> Chars:
    """The characters an item can take: all of them, or those it can begin with."""
    kind, value = item
    if kind in (constants.LITERAL, constants.NOT_LITERAL, constants.IN, constants.ANY):
        return _set_of(kind, value, flags)
    inside = [] if kind in (constants.ASSERT, constants.ASSERT_NOT) else _parts(kind, value)
    return frozenset().union(*((_all if whole else _first)(part, flags) for part in inside))


def _set_of(kind: Any, value: Any, flags: int) -> Chars:
    known = re.compile(_written(kind, value), flags | re.DOTALL)
    return frozenset(character for character in TRIED if known.fullmatch(character))


CLASSES = {
    constants.CATEGORY_DIGIT: r"\d", constants.CATEGORY_NOT_DIGIT: r"\D", constants.CATEGORY_SPACE: r"\s",
    constants.CATEGORY_NOT_SPACE: r"\S", constants.CATEGORY_WORD: r"\w", constants.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip


def _written(kind: Any, value: Any) -> str:
    """The item as a set of its own."""
    if kind is constants.ANY:
        return "."
    if kind is constants.LITERAL:
        return re.escape(chr(value))
    if kind is constants.NOT_LITERAL:
        return f"[^{_escaped(value)}]"
    parts = []
    for inner, what in value:
        if inner is constants.NEGATE:
            parts.append("^")
        elif inner is constants.LITERAL:
            parts.append(_escaped(what))
        elif inner is constants.RANGE:
            parts.append(f"{_escaped(what[0])}-{_escaped(what[1])}")
        else:
            parts.append(CLASSES[what])
    return f"[{''.join(parts)}]"


def _escaped(point: int) -> str:
    return f"\\U{point:08x}"


def _can_be_empty(items: Sequence[Any]) -> bool:
    return all(_least(item) == 0 for item in items)


def _least(item: Any) -> int:
    kind, value = item
    if kind in (constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT):
        return int(value[0]) and sum(_least(inner) for inner in value[2])
    if kind is constants.BRANCH:
        return min(sum(_least(inner) for inner in branch) for branch in value[1])
    if kind is constants.SUBPATTERN:
        return sum(_least(inner) for inner in value[3])
    if kind is constants.ATOMIC_GROUP:
        return sum(_least(inner) for inner in value)
    return 0 if kind in (constants.ASSERT, constants.ASSERT_NOT, constants.AT, constants.GROUPREF) else 1


def patterns_of(module: Module) -> Iterator[tuple[ast.Call, str | None]]:
    """Every pattern a module gives to `re`, to a form or to a schema; None for one that is not written in the module itself."""
    names = vars(importlib.import_module(module.name)) if is_real(module) else {}
    for call in calls(module.tree):
        receiver, _, verb = dotted(call.func).rpartition(".")
        given: ast.expr | None = None
        if (receiver == "re" and verb in MAKERS) or verb in FIELDS:
            given = call.args[0] if call.args else None
        elif verb in {"Field", "StringConstraints"}:
            given = next((word.value for word in call.keywords if word.arg == "pattern"), None)
        if given is None:
            continue
        try:
            found = eval(compile(ast.Expression(given), module.place, "eval"), dict(names))
        except NameError:
            found = None
        found = found.decode("latin-1") if isinstance(found, bytes) else found
        yield call, found if isinstance(found, str) else None


def is_real(module: Module) -> bool:
    """Whether it is a file of ours, and no piece of source made up by a test."""
    return (ROOT / module.place).exists()


def costly_patterns(module: Module) -> Iterator[str]:
    """Every pattern costs as much as its text is long, and is written where it can be seen."""
    for call, pattern in patterns_of(module):
        if pattern is None:
            if (module.name, ast.unparse(call.args[0] if call.args else call)) not in MADE_ELSEWHERE:
                yield f"{where(module, call)} takes a pattern from elsewhere"
        elif found := trouble_of(pattern):
            yield f"{where(module, call)} {found}"


MADE_ELSEWHERE = {
    ("shop.kernel.identifiers", "pattern"),  # of a biller; those of the demo city are checked too
    ("shop.catalog.names", "'|'.join(map(re.escape, words)) or '(?!)'"),  # words as they stand, without any repeat
}


IN_SCRIPT = re.compile(r"""(?:[(=,:?&|!]|return)\s?/(?![/*])((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])++)/[dgimsuvy]*""")


def patterns_in_script(text: str) -> list[str]:
    """The regular expressions written in a script, as Python spells them."""
    found = (pattern.replace(r"\p{Cf}", r"\u200b").replace(r"\p{Pd}", r"\u2010-\u2015") for pattern in IN_SCRIPT.findall(text))
    return [re.sub(r"\(\?<(?=[a-z])", "(?P<", pattern) for pattern in found]
