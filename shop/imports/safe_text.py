"""HTML of other shops becomes plain text: no mark of it is kept, and nothing that a script or a style says.

Each character is looked at a few times at most, however the marks are nested or left open.
"""

from __future__ import annotations

import html
import re

MARK = re.compile(r"<(/?)([A-Za-z][^<>]*)>|<[!?][^<>]*>")
NAME = re.compile(r"[A-Za-z0-9]*")
BREAKS = frozenset({"p", "div", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article"})
UNSAID = frozenset({"script", "style", "template", "noscript", "iframe", "object", "svg", "head", "title"})


def plain_text(text: str) -> str:
    """What a piece of HTML says, in lines; text without marks stays as it is. Made of plain characters only, so it is safe wherever
    text is: pages escape it like any other.
    """
    if "<" not in text and "&" not in text:
        return text
    said = with_characters("".join(words_of(without_remarks(text)))).replace("\N{NO-BREAK SPACE}", " ")
    lines = (" ".join(line.split()) for line in said.split("\n"))
    return "\n".join(line for line in lines if line)


def without_remarks(text: str) -> str:
    """Remarks of HTML hold marks of their own, and nothing that people read."""
    first, *others = text.split("<!--")
    return first + "".join(other.partition("-->")[2] for other in others)


def words_of(text: str) -> list[str]:
    """What stands between the marks, without what a script or the like says; one that is left open says all the rest."""
    said: list[str] = []
    unsaid, place = "", 0
    for mark in MARK.finditer(text):
        if not unsaid:
            said.append(text[place : mark.start()])
        place = mark.end()
        closing, name = mark[1], name_of(mark[2] or "")
        if unsaid:
            unsaid = "" if closing and name == unsaid else unsaid
        elif name in UNSAID and not closing and not mark[0].endswith("/>"):
            unsaid = name
        elif name in BREAKS:
            said.append("\n")
    return said if unsaid else [*said, text[place:]]


def name_of(inside: str) -> str:
    found = NAME.match(inside)
    return found[0].lower() if found else ""


def with_characters(text: str) -> str:
    """`&amp;` and the like as the characters they stand for."""
    try:
        return html.unescape(text)
    except ValueError:  # a number of more figures than numbers have
        return text
