"""What is wrong with one field of a request, in the reader's language: pydantic's own words are English only."""

from __future__ import annotations

from typing import Any

from pydantic_core import ErrorDetails

from shop.kernel.errors import sentence
from shop.platform.language import words

COMPLAINTS = {
    "missing": sentence("This is needed."),
    "extra_forbidden": sentence("There is no such field here."),
    "string_type": sentence("This must be text."),
    "string_too_short": sentence("This is too short (at least %(min_length)s)."),
    "string_too_long": sentence("This is too long (at most %(max_length)s)."),
    "string_pattern_mismatch": sentence("This does not have the form we expect."),
    "int_type": sentence("This must be a whole number."),
    "int_parsing": sentence("This must be a whole number."),
    "int_parsing_size": sentence("This number is too large."),
    "int_from_float": sentence("This must be a whole number."),
    "bool_type": sentence("This must be true or false."),
    "bool_parsing": sentence("This must be true or false."),
    "greater_than": sentence("This must be more than %(gt)s."),
    "greater_than_equal": sentence("This must be at least %(ge)s."),
    "less_than": sentence("This must be less than %(lt)s."),
    "less_than_equal": sentence("This must be at most %(le)s."),
    "too_short": sentence("Too few of these (at least %(min_length)s)."),
    "too_long": sentence("Too many of these (at most %(max_length)s)."),
    "literal_error": sentence("This must be one of: %(expected)s."),
    "enum": sentence("This must be one of: %(expected)s."),
    "list_type": sentence("This must be a list."),
    "dict_type": sentence("This must be an object."),
    "model_type": sentence("This must be an object."),
    "model_attributes_type": sentence("This must be an object."),
    "datetime_type": sentence("This must be a time such as 2026-06-08T14:05:00+08:00."),
    "datetime_parsing": sentence("This must be a time such as 2026-06-08T14:05:00+08:00."),
    "datetime_from_date_parsing": sentence("This must be a time such as 2026-06-08T14:05:00+08:00."),
    "timezone_aware": sentence("This time must say its offset from UTC."),
    "moment_out_of_range": sentence("This time is too far away."),
    "unreadable_text": sentence("This text has characters we cannot store."),
    "date_from_datetime_parsing": sentence("This must be a date such as 2026-06-08."),
    "date_parsing": sentence("This must be a date such as 2026-06-08."),
}
OTHERWISE = sentence("Please check this.")


def said(found: ErrorDetails) -> str:
    """One complaint of a schema as a sentence for people."""
    facts: dict[str, Any] = found.get("ctx", {})
    told = {name: str(value).replace(" or ", ", ") for name, value in facts.items() if name != "error"}
    return words(COMPLAINTS.get(found["type"], OTHERWISE), **told)
