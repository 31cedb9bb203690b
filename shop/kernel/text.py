"""One gate for every text that comes in: the same answer on both engines."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

from shop.kernel.errors import Invalid, sentence

MAX_DEPTH = 32
MOST_VALUES = 16_384
MOST_STARS = 3
NEAR = 16
JOINER = "\u200d"
UNSEEN = frozenset(
    [JOINER, "\u00ad", "\u061c", "\u180e", "\ufeff"]
    + [chr(code) for first, last in ((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F)) for code in range(first, last + 1)]
)
"""Marks without width, and those that turn the direction of writing."""
UNREADABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters and lone surrogates: all that Unicode calls Cc or Cs."""

UNSEEN_AT_MOST = 64
MOST_MARKS = 30
"""Marks on one character, as the stream-safe format of Unicode has it: putting more in order takes time by their square."""


class UnreadableText(Invalid):
    code = "unreadable_text"
    message = sentence("This text has characters we cannot store.")


class TextTooLong(Invalid):
    code = "text_too_long"
    message = sentence("This text is too long; %(limit)s characters fit.")


class MalformedBody(Invalid):
    code, status = "malformed_body", 400
    message = sentence("The request body is not the JSON we expect.")


def clean(value: str, limit: int, *, field: str | None = None, multiline: bool = False) -> str:
    """NFC, trimmed, without control characters, lone surrogates or piles of marks, at most `limit` characters.

    With `multiline` lines stay; browsers end them by two characters and count them as one.
    """
    if multiline:
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise UnreadableText(field) from None
    if has_pile(value):
        raise UnreadableText(field)
    text = unicodedata.normalize("NFC", value).strip()
    if UNREADABLE.search(text.replace("\n", "") if multiline else text):
        raise UnreadableText(field)
    if len(text) > limit:
        raise TextTooLong(field, limit=limit)
    return text


def has_pile(text: str) -> bool:
    """Whether more marks stand on one character than any script has."""
    if text.isascii():
        return False
    pile = 0
    for character in text:
        pile = pile + 1 if unicodedata.combining(character) else 0
        if pile > MOST_MARKS:
            return True
    return False


def clipped(value: str, limit: int) -> str:
    """A text in one line of at most `limit` characters, at a word's end where one is near; what was cut off is told by `…`."""
    line = " ".join(value.split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    head, space, last = cut.rpartition(" ")
    return (head if space and len(last) < NEAR else cut).rstrip(" ,;:·，；：、") + "…"


def name(value: str, limit: int, *, field: str | None = None) -> str:
    """What a person, an account or a thing is called: as `clean`, without marks nobody sees.

    Marks that turn the direction of writing or have no width come along with pasted text. They are left out and not refused: nobody could
    see what to correct. Between two pictographs the joiner stays, because there it makes one picture of two.
    """
    text = clean(value, limit + UNSEEN_AT_MOST, field=field)
    plain = "".join(
        character for place, character in enumerate(text)
        if character not in UNSEEN or (character == JOINER and joins_pictographs(text, place))
    ).strip()  # fmt: skip
    return clean(plain, limit, field=field)


def joins_pictographs(text: str, place: int) -> bool:
    """Whether what stands before and after a place is a pictograph; its tone and its presentation count as part of it."""
    before, after = text[:place].rstrip("\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")[-1:], text[place + 1 : place + 2]
    return all(one and unicodedata.category(one) == "So" for one in (before, after))


def spaced_phone(phone: str) -> str:
    """A number as people read it out: 138 0013 8000, 0832-2000001."""
    if re.fullmatch(r"1[0-9]{10}", phone):
        return f"{phone[:3]} {phone[3:7]} {phone[7:]}"
    return f"{phone[:4]}-{phone[4:]}" if re.fullmatch(r"0[3-9][0-9]{9,10}", phone) else phone


def mask_phone(phone: str) -> str:
    """138****1234."""
    return f"{phone[:3]}****{phone[-4:]}"


def mask_holder(name: str) -> str:
    """The holder of a household account as billers print it, the first character hidden: *丽华."""
    return "*" + name[1:] if name else ""


def mask_person(name: str) -> str:
    """A person as others may see them, the first character and stars: 李*, 欧***, 阿***·*** (domain rules 1.6).

    At most three stars a part, so that no name gives itself away by its length.
    """
    name = name.strip()
    return name[:1] + re.sub(r"[^·•・．\s]+", lambda part: "*" * min(len(part[0]), MOST_STARS), name[1:])


def strict_json(raw: bytes, most_values: int = MOST_VALUES) -> Any:
    """One JSON reader: UTF-8 only, no NaN, no duplicate keys, bounded depth and number of values. Raises `MalformedBody`.

    Values are counted by their commas before anything is built of them; a comma within a text counts as well, which is never much.
    """
    try:
        if raw.count(b",") >= most_values:
            raise MalformedBody()
        text = raw.decode("utf-8")
        if too_deep(text):
            raise MalformedBody()
        document = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique_keys)
        if "\\u" in text:  # the only way left to write half a surrogate pair
            json.dumps(document, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise MalformedBody() from None
    return document


# A string, also one without its end, in one step; or a bracket.
STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def too_deep(text: str) -> bool:
    """Whether brackets nest deeper than anything we ever ask for; strings are passed over."""
    depth = 0
    for found in STRING_OR_BRACKET.finditer(text):
        mark = found[0][0]
        if mark in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif mark != '"':
            depth -= 1
    return False


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key is given twice")
    return document
