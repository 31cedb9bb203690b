"""One gate for every text that comes in: the same answer on both engines."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

from shop.kernel.errors import Invalid, sentence

MAX_DEPTH = 32
MOST_STARS = 3


class UnreadableText(Invalid):
    code = "unreadable_text"
    message = sentence("This text has characters we cannot store.")


class TextTooLong(Invalid):
    code = "text_too_long"
    message = sentence("This text is too long; %(limit)s characters fit.")


class MalformedBody(Invalid):
    code, status = "malformed_body", 400
    message = sentence("The request body is not the JSON we expect.")


class InvalidPhone(Invalid):
    code, field = "invalid_phone", "phone"
    message = sentence("Please enter an 11-digit mobile number.")


def clean(value: str, limit: int, *, field: str | None = None, multiline: bool = False) -> str:
    """NFC, trimmed, without control characters or lone surrogates, at most `limit` characters."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise UnreadableText(field) from None
    text = unicodedata.normalize("NFC", value).strip()
    for character in text:
        if unicodedata.category(character) in {"Cc", "Cs"} and not (multiline and character == "\n"):
            raise UnreadableText(field)
    if len(text) > limit:
        raise TextTooLong(field, limit=limit)
    return text


def typed_figures(value: str) -> str:
    """Figures as a program needs them from what keyboards and habits write: half-width, without any space."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", value))


def phone_number(value: str) -> str:
    """A mainland mobile number as 11 digits; accepts +86, spaces, hyphens and full-width digits (domain rules 1.3)."""
    text = re.sub(r"[\s\-()]", "", unicodedata.normalize("NFKC", value))
    text = re.sub(r"^(\+86|0086)", "", text)
    if not re.fullmatch(r"1[3-9][0-9]{9}", text):
        raise InvalidPhone()
    return text


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


def strict_json(raw: bytes) -> Any:
    """One JSON reader: UTF-8 only, no NaN, no duplicate keys, bounded depth. Raises `MalformedBody`."""
    try:
        text = raw.decode("utf-8")
        if too_deep(text):
            raise MalformedBody()
        document = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique_keys)
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise MalformedBody() from None
    return document


def too_deep(text: str) -> bool:
    """Whether brackets nest deeper than anything we ever ask for; strings are passed over."""
    depth = 0
    inside = escaped = False
    for character in text:
        if inside:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                inside = False
        elif character == '"':
            inside = True
        elif character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif character in "]}":
            depth -= 1
    return False


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key is given twice")
    return document
