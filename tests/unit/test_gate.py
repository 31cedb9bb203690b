"""What passes the gate can be computed with and kept; everything else is none, never a fault."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated

import pytest
from flask import Flask
from pydantic import BaseModel
from wtforms import BooleanField, IntegerField
from wtforms.fields.core import UnboundField
from wtforms.validators import AnyOf, NumberRange, Regexp

from shop.kernel import clock, gate
from shop.kernel.text import UnreadableText
from shop.platform.api import core
from shop.platform.api.core import ENDPOINTS, BadCursor, decode_cursor, encode_cursor
from shop.platform.api.fields import READABLE
from shop.platform.forms import Clean, DayField, ShopForm

pytestmark = pytest.mark.one_engine


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("7", 7), ("007", 7), (str(2**63 - 1), 2**63 - 1)])
def test_whole_numbers_are_read(text: str, number: int) -> None:
    assert gate.number(text) == number


@pytest.mark.parametrize(
    "text",
    ["", " 7", "7\n", "-1", "+1", "1_0", "1.0", "1e3", "0x1", "٣", "²", "１", str(2**63), "1" * 20, "9" * 5_000, "\x00", "7\x00", "\ud800"],
    ids=lambda text: repr(text)[:20],
)
def test_what_is_no_number_of_ours_is_none(text: str) -> None:
    assert gate.number(text) is None


def test_numbers_keep_to_their_bounds() -> None:
    assert (gate.number("-3", -5, 5), gate.number("6", -5, 5), gate.number("0", 1)) == (-3, None, None)


@pytest.mark.parametrize("text", ["2000-01-01", "2026-02-28", "2099-12-31"])
def test_days_are_read_and_the_clock_can_compute_with_them(text: str) -> None:
    found = gate.day(text)
    assert found == date.fromisoformat(text)
    assert clock.at(found, datetime.min.time()) < clock.at(found + timedelta(days=32), datetime.max.time())


@pytest.mark.parametrize(
    "text",
    [
        "", "0001-01-01", "1999-12-31", "2100-01-01", "9999-12-31", "2026-02-29", "20260101", "2026-W01-1", "2026-1-1", "２０２６-01-01",
        "2026-01-01\n",
    ],
)
def test_what_is_no_day_of_ours_is_none(text: str) -> None:
    assert gate.day(text) is None
    assert gate.month(text) is None


def test_moments_are_bounded_wherever_their_zone_puts_them() -> None:
    east, west = timezone(timedelta(hours=14)), timezone(timedelta(hours=-14))
    assert gate.is_within(datetime(2026, 11, 25, tzinfo=UTC))
    for moment in (datetime(1, 1, 1, tzinfo=east), datetime(9999, 12, 31, 23, tzinfo=west), datetime(1999, 12, 31, tzinfo=UTC)):
        assert not gate.is_within(moment)
    for edge in (datetime(2000, 1, 1, tzinfo=east), datetime(2099, 12, 31, 23, 59, tzinfo=west)):
        assert gate.is_within(edge)
        assert clock.local(edge)


@pytest.mark.parametrize(
    ("text", "word"), [("rice", "rice"), (" e\u0301 ", "é"), ("a\x00", ""), ("\ud800", ""), ("x" * 81, ""), ("a\x1fb", "")], ids=repr
)
def test_a_word_is_one_or_nothing(text: str, word: str) -> None:
    assert gate.word(text, 80) == word


@pytest.mark.parametrize(
    "values", [(2**63,), (-1,), (10**25,), ("a\x00",), ("\ud800",), ("1",), (1.5,), (None,), (1, 2), ()], ids=repr
)
def test_a_cursor_we_never_gave_is_refused(values: tuple[int | str, ...]) -> None:
    kind = str if values and isinstance(values[0], str) and values != ("1",) else int
    with pytest.raises(BadCursor):
        decode_cursor(encode_cursor(*values), kind)


def test_our_own_cursors_are_read() -> None:
    assert decode_cursor(encode_cursor(2**63 - 1, 0), int, int) == (2**63 - 1, 0)
    assert decode_cursor(encode_cursor("rice"), str) == ("rice",)


def test_a_cursor_too_deep_to_read_is_refused() -> None:
    for text in ("W1tbW1tbW1tbW1tb" * 18, "W" * 300, "x" * 301):
        with pytest.raises(BadCursor):
            decode_cursor(text, int)


# Every field of every body and query of the API.


def asked_schemas() -> dict[str, type[BaseModel]]:
    return {schema.__name__: schema for endpoint in ENDPOINTS for schema in (endpoint.body, endpoint.query) if schema is not None}


def unbounded(schema: dict[str, object], path: str = "") -> list[str]:
    """Numbers without both bounds and texts without a length in a JSON schema, by their place."""
    kind, found = schema.get("type"), []
    if kind == "integer" and not {"minimum", "exclusiveMinimum"}.intersection(schema):
        found.append(f"{path} has no least")
    if kind == "integer" and not {"maximum", "exclusiveMaximum"}.intersection(schema):
        found.append(f"{path} has no most")
    is_chosen = {"enum", "const", "format"}.intersection(schema)
    if kind == "string" and not is_chosen and "maxLength" not in schema:
        found.append(f"{path} has no length")
    if kind == "array" and "maxItems" not in schema:
        found.append(f"{path} has no most items")
    for name, inside in schema.items():
        for step, part in enumerate(inside if isinstance(inside, list) else [inside]):
            if isinstance(part, dict):
                found += unbounded(part, f"{path}.{name}{step or ''}")
    return found


def test_every_number_text_and_list_of_the_api_is_bounded(app: object) -> None:
    assert len(asked_schemas()) > 15
    wrong = [f"{name}{place}" for name, schema in asked_schemas().items() for place in unbounded(schema.model_json_schema())]
    assert wrong == []


def test_every_text_of_the_api_passes_the_gate(app: object) -> None:
    """A text with a pattern cannot hold what the gate refuses; all others are read by it."""
    wrong = []
    for schema in asked_schemas().values():
        for name, field in schema.model_fields.items():
            told = str(field.annotation) + str(field.metadata)
            texts = told.count("<class 'str'>") + told.count("str,") if "str" in told else 0
            if texts and "gated" not in told and "pattern" not in told and "Literal" not in told and "Enum" not in told:
                wrong.append(f"{schema.__name__}.{name}: {told}")
    assert wrong == []


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "a\x1b[0m"])
def test_a_gated_text_says_what_is_wrong(app: Flask, text: str) -> None:
    class Asked(core.Schema):
        name: Annotated[str, READABLE]

    with app.test_request_context(headers={"Accept-Language": "en"}), pytest.raises(core.InvalidBody) as refusal:
        core.checked(Asked, {"name": text})
    assert refusal.value.details["errors"] == [{"field": "name", "message": UnreadableText.message}]


# Every field of every form.


def forms(parent: type[ShopForm] = ShopForm) -> list[type[ShopForm]]:
    return [form for child in parent.__subclasses__() for form in (child, *forms(child))]


def test_every_field_of_a_form_is_gated_or_compared(app: object) -> None:
    """A text by `Clean`, a choice or a pattern; a number by its bounds."""
    found = {form.__name__: form for form in forms() if form.__module__.startswith("shop.")}
    assert len(found) > 10
    wrong = []
    for name, form in found.items():
        for field, unbound in vars(form).items():
            if not isinstance(unbound, UnboundField) or issubclass(unbound.field_class, (DayField, BooleanField)):
                continue  # a day reads itself by the gate, and a tick says yes or no whatever is sent
            validators = unbound.kwargs.get("validators") or next((value for value in unbound.args if isinstance(value, list)), [])
            gates = (NumberRange,) if issubclass(unbound.field_class, IntegerField) else (Clean, AnyOf, Regexp)
            if not any(isinstance(validator, gates) for validator in validators):
                wrong.append(f"{name}.{field}")
    assert wrong == []
