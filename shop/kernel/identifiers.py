"""Numbers that name something, read as they were meant: phones, codes, what a scanner read, order and account numbers, addresses.

What a page, a message, a keyboard or an input method added around the characters is not part of them (decision 33). A number is never
cut: what is longer than any of ours is no number of ours, and is known before a pattern sees it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from shop.kernel.errors import Invalid, sentence

MOST_CHARACTERS = 200

STOPS = "\u3002\u2024"  # 。 under the full stop of a Chinese keyboard, and a typographic dot
HYPHENS = "\u2212\u2043\u02d7"  # minus, hyphen bullet, modifier minus; all other dashes are of the class Pd
COMMAS = ",、"

PHONE = re.compile(r"(?:\+?86|0086)?(1[3-9][0-9]{9})")


class InvalidPhone(Invalid):
    code, field = "invalid_phone", "phone"
    message = sentence("Please enter an 11-digit mobile number.")


def readable(value: str) -> str:
    """The characters alone: half-width, every dash a hyphen, 。 a full stop; no blanks and no marks that nobody sees.

    Empty for what is longer than `MOST_CHARACTERS`.
    """
    if len(value) > MOST_CHARACTERS:
        return ""
    if value.isascii() and value.isalnum():  # what machines write and scanners read
        return value
    plain = "".join(_kept(unicodedata.normalize("NFKC", value)))
    return plain if len(plain) <= MOST_CHARACTERS else ""


def _kept(text: str) -> Iterator[str]:
    for character in text:
        kind = unicodedata.category(character)
        if character in STOPS:
            yield "."
        elif kind == "Pd" or character in HYPHENS:
            yield "-"
        elif not (kind == "Cf" or character.isspace() or "\ufe00" <= character <= "\ufe0f"):
            yield character


def in_line(value: str) -> str:
    """A text as `readable` has its characters, with one blank where there were some: to find a number among words."""
    if len(value) > MOST_CHARACTERS:
        return ""
    return " ".join(readable(word) for word in value.split())


def figures(value: str) -> str:
    """A PIN or a code of figures: without the hyphens people put between groups, and without the brackets or the full stop that stood
    around it in a message. Anything else that was typed stays, to be refused.
    """
    plain = readable(value)
    marks = "".join({character for character in plain if unicodedata.category(character).startswith("P")})
    return plain.strip(marks).replace("-", "")


def phone_number(value: str) -> str:
    """A mainland mobile number as 11 figures, however it was grouped, with or without 86, +86 or 0086. Raises `InvalidPhone`."""
    found = PHONE.fullmatch(readable(value).translate(GROUPING))
    if found is None:
        raise InvalidPhone()
    return found[1]


GROUPING = str.maketrans("", "", "-().")


def is_phone(value: str) -> bool:
    """Whether `phone_number` can read it."""
    try:
        phone_number(value)
    except InvalidPhone:
        return False
    return True


def phone_tail(value: str) -> str:
    """The end of a phone number to look for, at most 11 figures; of a whole number its 11, without the country."""
    if is_phone(value):
        return phone_number(value)
    return "".join(figure for figure in readable(value) if figure in "0123456789")[:11]


def scanned(value: str) -> str:
    """What a scanner or a camera read, or somebody copied from a label, in capitals. An input method may stand between scanner and field
    and make `L1。V…` or `Ｌ１，Ｖ…` of `L1.V…`; no label of ours has a comma.
    """
    return readable(value).upper().replace(",", ".").replace("、", ".")


def order_number(value: str) -> str:
    """An order's number, or a part of it, as it is printed: in capitals, without a # before it."""
    return scanned(value).removeprefix("#")


def code_or_words(value: str) -> str:
    """What is typed or scanned to find goods: a code or barcode as it was meant; words as they stand, trimmed."""
    plain = readable(value)
    is_code = plain.isascii() and not any(character.isspace() for character in value.strip())
    return plain if is_code and plain else value.strip()


def account_number(value: str, pattern: str) -> str | None:
    """A number as its biller writes it, by the biller's `pattern`: without the grouping of our pages and of paper bills.

    Hyphens stay where the biller has them. None when it is no number of that form.
    """
    plain = readable(value)
    forms = (plain, plain.replace("-", ""), plain.translate(GROUPING))
    return next((form for form in forms if re.fullmatch(pattern, form, re.ASCII)), None)


def network_of(address: str) -> str:
    """What one subscriber has: an IPv4 address, also where it is written as one of IPv6, or the /64 of an IPv6 address."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))
