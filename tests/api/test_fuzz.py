"""The whole API asked at random by a public fuzzer, from its own description: no fault of ours, and nothing it does not describe.

`FUZZ_EXAMPLES=400 script/test tests/api/test_fuzz.py` asks more often.
"""

from __future__ import annotations

import contextvars
import os
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks as by_description

from shop.models.accounts import Role, User
from tests.support.factories import Factories
from tests.support.people import bearer
from tests.support.shopping import Shopping

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "5"))
"""Per call, identity and kind of question."""

CHECKS = [by_description.status_code_conformance, by_description.content_type_conformance, by_description.response_schema_conformance]
HELD_BACK = {"/api/v1/auth/tokens"}
"""Not asked with DELETE: it would sign the identity out."""


def people(app: Flask, make: Factories) -> dict[str, dict[str, str]]:
    """Headers of a resident with money, an order and a cart, of their merchant, and of their keeper."""
    shop = Shopping(make)
    goods = [shop.goods("oranges"), shop.goods("rice", 1)]
    resident = shop.buyer(500_000)
    shop.buy(resident, {variant.code: 2 for variant in goods})
    shop.fill(resident, {"oranges": 1})
    owner, keeper = make.user(), make.user()
    make.grant(owner, Role.MERCHANT_OWNER, merchant=shop.merchants[0])
    make.grant(keeper, Role.KEEPER, point=shop.point)

    def staff(user: User) -> dict[str, str]:
        return bearer(app, user, second_factor=True)

    return {"resident": bearer(app, resident), "merchant": staff(owner), "keeper": staff(keeper)}


@pytest.mark.slow
@pytest.mark.usefixtures("books_hold_afterwards")
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("who", ["resident", "merchant", "keeper"])
def test_no_question_brings_a_fault_or_an_answer_that_is_not_described(
    app: Flask, make: Factories, who: str, mode: GenerationMode
) -> None:
    headers = {**people(app, make)[who], "Accept-Encoding": "identity"}  # in this process nothing unpacks an answer
    asked = 0
    for found in schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app).get_all_operations():
        operation = found.ok()
        if operation.method.upper() == "DELETE" and operation.path in HELD_BACK:
            continue
        asked += 1
        strategy = operation.as_strategy(generation_mode=mode)

        @settings(
            max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=strategy)
        def ask(case: Any) -> None:
            answer = contextvars.Context().run(case.call, headers=headers)
            assert answer.status_code < 500 or answer.status_code == 503, answer.text
            case.validate_response(answer, checks=CHECKS)

        with suppress(Unsatisfiable):  # a call that takes nothing cannot be asked wrongly
            ask()
    assert asked > 40
