"""The types of what comes in through the API: bounded numbers, gated texts, moments the shop can compute with.

Every field of a body or a query is one of these, or a text with a pattern of its own; a test looks at all of them.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from shop.kernel import gate
from shop.kernel.text import UnreadableText, clean

MUCH = 100_000_000
"""Each field has its own limit, which is looked at after the gate."""


def gated(value: Any) -> Any:
    """A text as the gate lets it in; what is no text is left to be refused."""
    if not isinstance(value, str):
        return value
    try:
        return clean(value, MUCH)
    except UnreadableText:
        raise PydanticCustomError("unreadable_text", "This text has characters we cannot store.") from None


READABLE = BeforeValidator(gated)
"""For texts without a pattern: `Annotated[str, Field(max_length=40), READABLE]`. NFC, trimmed, without control characters."""


def gated_lines(value: Any) -> Any:
    """The same for a text of several lines."""
    if not isinstance(value, str):
        return value
    try:
        return clean(value, MUCH, multiline=True)
    except UnreadableText:
        raise PydanticCustomError("unreadable_text", "This text has characters we cannot store.") from None


READABLE_LINES = BeforeValidator(gated_lines)
"""For texts of several lines: `Annotated[str, Field(max_length=4_000), READABLE_LINES]`."""


def day_of(value: Any) -> Any:
    """JSON has no days: a text such as `2026-11-25` is read here, everything else is left to be refused."""
    return (gate.day(value) or value) if isinstance(value, str) else value


Day = Annotated[date, BeforeValidator(day_of)]
"""A day the shop speaks of."""


def moment_of(value: Any) -> Any:
    """JSON has no times: a text in RFC 3339 is read here, everything else is left to be refused."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def within(value: datetime) -> datetime:
    if not gate.is_within(value):
        raise PydanticCustomError("moment_out_of_range", "This time is too far away.")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(moment_of), AfterValidator(within)]
"""A moment with its zone, within the days the shop speaks of."""

Cursor = Annotated[str, Field(max_length=300), READABLE]
"""Where a list goes on: `next_cursor` of the page before."""

Amount = Annotated[int, Field(ge=0, le=10**12)]
"""Fen that were shown or are asked for."""

Grams = Annotated[int, Field(ge=0, le=10**9)]
