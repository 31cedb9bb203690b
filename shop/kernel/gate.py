"""What may come in from outside, by whatever door: one reading of numbers, days, months, moments and texts.

Addresses, forms, bodies, cursors, events of partners and commands all read with these. What passes can be computed with by the
shop's clock and kept by both engines; everything else is none (`None`) or a refusal, never a fault.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time

from shop.kernel.errors import ShopError, sentence
from shop.kernel.text import UNREADABLE, clean

MOST_NUMBER = 2**63 - 1
"""The largest number both engines keep; ids and cursors are at most this."""

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
"""The days the shop speaks of. A day more or less in any time zone stays computable."""

LONGEST_NUMBER = len(str(MOST_NUMBER))


NO_DAY = sentence("%(text)s is no day. Please choose one.")


def number(text: str, least: int = 0, most: int = MOST_NUMBER) -> int | None:
    """A whole number within `least` and `most`, written in plain figures; anything else is none."""
    if not re.fullmatch(rf"-?[0-9]{{1,{LONGEST_NUMBER}}}", text):
        return None
    found = int(text)
    return found if least <= found <= most else None


def time_of_day(text: str) -> time | None:
    """A wall time as browsers send it, `06:30`; None for anything else."""
    found = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", text)
    return time(int(found[1]), int(found[2])) if found else None


def day(text: str) -> date | None:
    """A day such as `2026-11-25` that the shop can speak of; anything else is none."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if FIRST_DAY <= found <= LAST_DAY else None


def month(text: str) -> date | None:
    """The first day of a month such as `2026-11`; anything else is none."""
    return day(f"{text}-01")


def is_within(moment: datetime) -> bool:
    """Whether a moment with its zone is on one of the shop's days, wherever the zone puts it."""
    return FIRST_DAY <= moment.date() <= LAST_DAY


def word(text: str, limit: int, otherwise: str = "") -> str:
    """A text that is only compared with known ones: what cannot be one of them, because of its length or its characters, is `otherwise`."""
    if not text:
        return text  # most of what an address could say it does not
    try:
        return clean(text, limit)
    except ShopError:
        return otherwise


def is_readable(text: str) -> bool:
    """Whether a text has neither control characters nor lone surrogates."""
    return UNREADABLE.search(text) is None
