"""Two operators who approve at once open one shop; without the lock the second meets a fault instead of being told."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.kernel.db import finish_reading, perform, reading
from shop.models.accounts import RoleGrant
from shop.models.merchants import Merchant
from shop.models.onboarding import Suspension
from shop.models.platform import Notice
from shop.onboarding import operations, queries
from shop.onboarding.errors import NotWaiting
from shop.onboarding.operations import deciding
from shop.platform.actor import Grant
from tests.support.applying import applied
from tests.support.factories import Factories, actor_of
from tests.support.shopping import at_once

pytestmark = pytest.mark.slow
TOGETHER = 6


def approve_together(app: Flask, make: Factories) -> list[object]:
    found = applied(make)
    operators = [actor_of(make.user(), Grant("operator")) for _ in range(TOGETHER)]
    return at_once(app, [lambda one=one: perform(operations.approve, one, found.id, found.changes, 300) for one in operators])


def many(model: type) -> int:
    finish_reading()
    return reading().scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_those_who_approve_at_once_open_one_shop(app: Flask, make: Factories) -> None:
    outcomes = approve_together(app, make)
    assert sorted(type(one).__name__ for one in outcomes) == ["NotWaiting"] * (TOGETHER - 1) + ["int"]
    assert (many(Merchant), many(RoleGrant), many(Notice)) == (1, 1, 1)


def test_without_looking_at_the_state_more_shops_would_be_tried(app: Flask, make: Factories, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: an approval that believes whatever it read."""
    found = applied(make)
    reading_only = queries.handed_in

    def as_it_was(session: object, application_id: int, *, locks: bool = False) -> object:
        seen = reading_only(session, application_id)  # type: ignore[arg-type]
        seen.state = found.state
        return seen

    monkeypatch.setattr(queries, "handed_in", as_it_was)
    monkeypatch.setattr(deciding, "take", lambda _session, _statement: True)
    operators = [actor_of(make.user(), Grant("operator")) for _ in range(2)]
    outcomes = at_once(app, [lambda one=one: perform(operations.approve, one, found.id, found.changes, 300) for one in operators])
    assert not any(isinstance(one, NotWaiting) for one in outcomes)


def test_a_shop_is_suspended_once_by_those_who_do_it_at_once(app: Flask, make: Factories) -> None:
    make.merchant("rice")
    operators = [actor_of(make.user(), Grant("operator")) for _ in range(TOGETHER)]
    outcomes = at_once(app, [lambda one=one: perform(operations.suspend, one, "rice", "why") for one in operators])
    assert sorted(type(one).__name__ for one in outcomes) == ["AlreadySuspended"] * (TOGETHER - 1) + ["NoneType"]
    assert many(Suspension) == 1
