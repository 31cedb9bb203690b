"""Whatever can be looked at is looked at by `tests/growth/test_every_list.py`: it knows what stands in every path and in every field."""

from __future__ import annotations

import ast

from flask import Flask

from tests.architecture.syntax import calls, dotted, shop_modules
from tests.support.crowded import PLACES
from tests.support.looking import TYPED, UNSEEN, UNTYPED
from tests.support.routes import doors

BY_PEOPLE = {"text", "raw"}
"""How the gate reads what people type (`shop.platform.asked`)."""


def test_every_path_is_known_to_whoever_looks_at_lists(app: Flask) -> None:
    unknown = [
        f"{door}: what stands for `{name}`? Say it in tests/support/crowded.py (`known`, `PLACES`)"
        for door in doors(app)
        if door.is_safe and door.endpoint not in UNSEEN
        for name in door.places
        if name not in PLACES
    ]
    assert unknown == []


def test_every_field_is_known_to_whoever_looks_at_lists() -> None:
    typed = {
        call.args[0].value: module.name
        for module in shop_modules()
        for call in calls(module.tree)
        if dotted(call.func) in {f"address.{how}" for how in BY_PEOPLE} and call.args and isinstance(call.args[0], ast.Constant)
    }
    unknown = [
        f"{module} reads `{name}` from the address: what may somebody type there? Say it in tests/support/looking.py (`TYPED`)"
        for name, module in sorted(typed.items())
        if name not in TYPED and name not in UNTYPED
    ]
    assert typed
    assert unknown == []


def test_a_list_of_the_api_says_what_its_address_may_hold(app: Flask) -> None:
    """Enums, flags and limits are tried one by one; free fields need an example."""
    unknown = [
        f"{door}: `{name}`"
        for door in doors(app)
        if door.is_safe and door.query is not None
        for name, known in door.query.model_fields.items()
        if known.annotation in (str, str | None) and name not in TYPED and name not in UNTYPED
    ]
    assert unknown == []
