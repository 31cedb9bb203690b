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
from shop.kernel.db import database, perform, reading, transaction
from shop.models.orders import SubOrder, SubOrderState
from shop.models.pickup import Handover, HandoverItem
from shop.pickup import passes
from tests.support.books import assert_books_are_right
from tests.support.counter import Counter, scans, state_of
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


def test_guesses_in_parallel_are_capped_all_the_same(app: Flask, counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "GUESSES_PER_HOUR", 13)
    for _ in range(rules.GUESSES_PER_HOUR - 3):
        perform(operations.look_up, counter.keeper, counter.point.id, "000000")
    outcomes = at_once(app, [lambda: perform(operations.look_up, counter.keeper, counter.point.id, "000000")] * DEVICES)
    assert sum(isinstance(outcome, TooManyGuesses) for outcome in outcomes) == DEVICES - 3
    assert len(scans()) == rules.GUESSES_PER_HOUR


def test_whoever_collects_while_more_of_the_same_order_arrives_never_waits_in_a_circle(app: Flask, counter: Counter) -> None:
    """The counter takes the pass, then the order; so does whoever receives a delivery. A deadlock heals, but costs everybody a second."""
    circles: list[str] = []

    @sa.event.listens_for(database.engine, "handle_error")
    def note(context: Any) -> None:
        if getattr(context.original_exception, "sqlstate", "") == "40P01":
            circles.append("deadlock")

    people = [counter.buyer() for _ in range(7)]
    parts = [counter.packed(person, {"rice": 1, "oil": 1}) for person in people]
    counter.receive([rice for rice, _ in parts])
    codes = [counter.pass_of(person).code for person in people]
    scans = [partial(counter.hand_over, code, [rice.number]) for code, (rice, _) in zip(codes, parts, strict=True)]
    done = at_once(app, [partial(counter.receive, [oil for _, oil in parts]), *scans])
    assert [one for one in done if isinstance(one, Exception)] == []
    assert circles == []
    assert {state_of(rice) for rice, _ in parts} == {SubOrderState.COLLECTED}
    assert {state_of(oil) for _, oil in parts} == {SubOrderState.READY}
    assert_books_are_right()
