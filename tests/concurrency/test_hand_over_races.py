"""Many devices at once: goods leave once, money is released once."""

from __future__ import annotations

import threading
from collections import Counter as Tally
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.fulfilment import operations, rules
from shop.fulfilment.errors import TooManyGuesses
from shop.kernel.db import perform, reading, transaction
from shop.models.orders import SubOrder, SubOrderState
from shop.models.pickup import Handover, HandoverItem
from shop.pickup import passes
from tests.support.counter import Counter, scans
from tests.support.factories import Factories
from tests.support.money import balance
from tests.support.shopping import at_once, count

DEVICES = 8


@pytest.fixture
def counter(make: Factories) -> Counter:
    made = Counter(make)
    made.goods("rice", price=2_000)
    made.goods("oil", merchant=1, price=5_000)
    return made


def test_eight_devices_with_one_pass_hand_it_over_once(app: Flask, counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1, "oil": 1})
    keepers = [counter.new_keeper(counter.point)[1] for _ in range(DEVICES)]
    events = [counter.event(visit.code) for _ in keepers]
    works = [partial(perform, operations.hand_over, keeper, event) for keeper, event in zip(keepers, events, strict=True)]
    outcomes = at_once(app, works)
    assert Tally(outcome.outcome.value for outcome in outcomes) == {"accepted": 1, "conflict": DEVICES - 1}
    assert sum(outcome.handed for outcome in outcomes) == 2
    assert count(HandoverItem) == 2
    assert (balance(f"merchant:{counter.merchants[0].id}"), balance(f"merchant:{counter.merchants[1].id}")) == (1_940, 4_850)
    assert (balance("commission"), balance("escrow")) == (210, 0)
    assert len(scans()) == DEVICES


def test_one_event_sent_eight_times_at_once_is_one_hand_over(app: Flask, counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    event = counter.event(visit.code)
    outcomes = at_once(app, [lambda: perform(operations.hand_over, counter.keeper, event)] * DEVICES)
    assert Tally(outcome.outcome.value for outcome in outcomes) == {"accepted": 1, "duplicate": DEVICES - 1}
    assert count(Handover) == 1
    assert balance(f"merchant:{counter.merchants[0].id}") == 1_940


def test_a_hand_over_taken_back_eight_times_at_once_is_taken_back_once(app: Flask, counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1, "oil": 1})
    event = counter.event(visit.code)
    perform(operations.hand_over, counter.keeper, event)
    works = [partial(perform, operations.take_back, counter.keeper, event.client_id, "a slip") for _ in range(DEVICES)]
    assert sorted(at_once(app, works)) == [0] * (DEVICES - 1) + [2]
    assert count(HandoverItem) == 0
    assert (balance(f"merchant:{counter.merchants[0].id}"), balance("commission"), balance("escrow")) == (0, 0, 7_000)
    assert counter.hand_over(visit.code).handed == 2


def test_the_control_without_its_guards_hands_over_more_than_once(app: Flask, counter: Counter) -> None:
    """Look first, then write: what the operation would be without its lock, its unique key and its compare-and-set."""
    counter.ready(counter.buyer(), {"rice": 1})
    sub_order_id = reading().scalars(sa.select(SubOrder.id)).one()
    everybody_looked = threading.Barrier(DEVICES)

    def careless() -> bool:
        is_ready = reading().scalar(sa.select(SubOrder.state).where(SubOrder.id == sub_order_id)) is SubOrderState.READY
        everybody_looked.wait(timeout=20)
        with transaction() as session:
            session.execute(sa.update(SubOrder).where(SubOrder.id == sub_order_id).values(state=SubOrderState.COLLECTED))
        return is_ready

    assert at_once(app, [careless] * DEVICES).count(True) > 1


def test_a_late_batch_is_never_lost_on_a_pass_that_is_just_being_used_up(app: Flask, counter: Counter) -> None:
    """Receiving and handing over at once: whatever wins, the late order waits on a live pass."""
    for _ in range(4):
        buyer = counter.buyer()
        rice, oil = counter.packed(buyer, {"rice": 1, "oil": 1})
        counter.receive([rice])
        cycle_id = oil.cycle_id
        visit, event = counter.pass_of(buyer), counter.event(counter.pass_of(buyer).code, [rice.number])
        received, handed = at_once(
            app,
            [
                partial(perform, operations.receive, counter.keeper, {cycle_id}),
                partial(perform, operations.hand_over, counter.keeper, event),
            ],
        )
        assert (received.ready, handed.outcome) == (1, "accepted")
        state, pass_id = reading().execute(sa.select(SubOrder.state, SubOrder.pass_id).where(SubOrder.id == oil.id)).one()
        assert state is SubOrderState.READY
        assert counter.pass_of(buyer).id == pass_id
        assert counter.hand_over(counter.pass_of(buyer).code).handed == 1
        assert visit.id <= pass_id


def test_a_person_gets_one_pass_however_many_batches_arrive_at_once(app: Flask, counter: Counter) -> None:
    buyer = counter.buyer()
    issued: list[Any] = at_once(app, [lambda: perform(passes.issue, buyer.id, counter.point.id)] * DEVICES)
    assert len({one.id for one in issued}) == 1


def test_guesses_in_parallel_are_capped_all_the_same(app: Flask, counter: Counter) -> None:
    for _ in range(rules.GUESSES_PER_MINUTE - 3):
        perform(operations.look_up, counter.keeper, counter.point.id, "xyz")
    outcomes = at_once(app, [lambda: perform(operations.look_up, counter.keeper, counter.point.id, "xyz")] * DEVICES)
    assert sum(isinstance(outcome, TooManyGuesses) for outcome in outcomes) == DEVICES - 3
    assert len(scans()) == rules.GUESSES_PER_MINUTE
