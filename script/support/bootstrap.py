"""The least of Bootstrap: its ground (reboot) and the few classes that the shop uses, cut out of the whole style sheet.

A class that is not in `CLASSES` does nothing in the shop; a test tells when a template names one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

CLASSES = frozenset(
    {
        "btn", "btn-link", "disabled", "form-check-input", "form-control", "form-select", "table", "visually-hidden",
        "justify-content-center", "list-unstyled", "text-wrap", "w-auto",
    }
)  # fmt: skip

WITH_RULES_INSIDE = ("@media", "@supports")
LICENCE = re.compile(r"/\*!.*?\*/", re.DOTALL)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
NEGATION = re.compile(r":not\([^)]*\)")
CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
COMMA = re.compile(r",(?![^(]*\))")
DEFINITION = re.compile(r"(--bs-[\w-]+):[^;}]*;?")
READING = re.compile(r"var\((--bs-[\w-]+)")
EMPTY = re.compile(r"[^{}]+\{\}")


def least_of(sheet: str, classes: frozenset[str] = CLASSES) -> str:
    """The rules for plain elements and for `classes`, under the sheet's own licence. Bootstrap's own dark theme, which the shop's tokens
    replace, its animations, which no class of ours uses, and values that nothing left reads are dropped."""
    licence = LICENCE.search(sheet)
    rules = "".join(kept_rules(COMMENT.sub("", sheet), classes))
    return f"{licence.group() if licence else ''}\n{without_unread_values(rules)}\n"


def kept_rules(sheet: str, classes: frozenset[str]) -> Iterator[str]:
    """The rules to keep, each with the selectors that can still match."""
    for opening, body in blocks(sheet):
        if opening.startswith(WITH_RULES_INSIDE):
            if inside := "".join(kept_rules(body, classes)):
                yield f"{opening}{{{inside}}}"
        elif not opening.startswith("@"):
            selectors = [each for each in COMMA.split(opening) if is_wanted(each, classes)]
            if selectors:
                yield f"{','.join(selectors)}{{{body}}}"


def blocks(sheet: str) -> Iterator[tuple[str, str]]:
    """What stands before each outermost pair of braces, and what stands in it. Statements without braces are passed over."""
    depth, start, opening = 0, 0, ""
    for place in re.finditer(r"[{};]", sheet):
        mark = place.group()
        if mark == "{":
            if depth == 0:
                opening, start = sheet[start : place.start()].strip(), place.end()
            depth += 1
        elif mark == "}":
            depth -= 1
            if depth == 0:
                yield opening, sheet[start : place.start()]
                start = place.end()
        elif depth == 0:
            start = place.end()


def is_wanted(selector: str, classes: frozenset[str]) -> bool:
    """Whether a selector can match in the shop. What it excludes does not count: an element without the class is what it is for."""
    asked = NEGATION.sub("", selector)
    return "[data-bs-" not in asked and classes.issuperset(CLASS.findall(asked))


def without_unread_values(rules: str) -> str:
    """The same rules without the custom properties that none of them reads, until there is nothing more to drop.

    The shop's own sheets set such properties; they may read only those that stay, and a test sees to it.
    """
    read = set(READING.findall(rules))
    left = DEFINITION.sub(lambda found: found.group() if found.group(1) in read else "", rules)
    return EMPTY.sub("", left) if left == rules else without_unread_values(left)
