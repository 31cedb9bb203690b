"""Bills when one person asks about many numbers at the very same moment."""

from __future__ import annotations

import threading
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.bills import operations, rules
from shop.bills.errors import TooManyNumbers
from shop.kernel import clock
from shop.kernel.columns import CITY
from shop.kernel.db import perform, reading, transaction
from shop.models.bills import Biller, BillLookUp
from tests.support.bills import save_billers
from tests.support.factories import Factories, actor_of
from tests.support.shopping import at_once

pytestmark = pytest.mark.slow

AT_ONCE = 8


def different_numbers() -> int:
    reading().rollback()
    return reading().scalar(sa.select(sa.func.count(sa.distinct(BillLookUp.account_key)))) or 0


def test_numbers_asked_about_at_once_do_not_slip_past_the_days_cap(app: Flask, make: Factories) -> None:
    save_billers()
    actor = actor_of(make.user())
    for number in range(rules.NUMBERS_PER_DAY - 2):
        perform(operations.save_account, actor, "water-city", f"60{number:04d}")
    works = [partial(perform, operations.save_account, actor, "water-city", f"70{number:04d}") for number in range(AT_ONCE)]
    outcomes = at_once(app, works)
    refused = [outcome for outcome in outcomes if isinstance(outcome, TooManyNumbers)]
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception) and outcome not in refused] == []
    assert (len(outcomes) - len(refused), different_numbers()) == (2, rules.NUMBERS_PER_DAY)


def test_the_control_that_counts_and_then_asks_slips_past_it(app: Flask, make: Factories) -> None:
    """What asking would be without a place that only one question gets."""
    save_billers()
    user, biller_id = make.user(), reading().scalars(sa.select(Biller.id)).first()
    everybody_counted = threading.Barrier(AT_ONCE)

    def careless(number: int) -> bool:
        is_free = different_numbers() < 2
        everybody_counted.wait(timeout=20)
        with transaction() as session:
            session.add(
                BillLookUp(
                    user_id=user.id, community_id=CITY, biller_id=biller_id, account_ref="", account_key=str(number), day=clock.today(),
                    number=1,
                    asked_at=clock.now(),
                )
            )  # fmt: skip
        return is_free

    assert at_once(app, [partial(careless, number) for number in range(AT_ONCE)]).count(True) > 2
    assert different_numbers() > 2


def test_one_number_asked_about_at_once_is_one_question(app: Flask, make: Factories) -> None:
    save_billers()
    actor = actor_of(make.user())
    outcomes = at_once(app, [partial(perform, operations.save_account, actor, "water-city", "600001")] * AT_ONCE)
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    reading().rollback()
    assert reading().scalar(sa.select(sa.func.count()).select_from(BillLookUp)) == 1
