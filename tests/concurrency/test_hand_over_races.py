"""Many devices at once: goods leave once, money is released once."""

from __future__ import annotations

import threading
from collections import Counter as Tally
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from shop.counter import operations as desk
from shop.counter import rules
from shop.counter.errors import TooManyGuesses
from shop.counter.operations import handing_over
from shop.fulfilment import operations
from shop.kernel import clock
from shop.kernel.db import database, perform, reading, transaction
from shop.models.orders import SubOrder, SubOrderState
from shop.models.pickup import Collectable, CollectableState, Handover
from shop.pickup import passes
from shop.platform.collecting import Move
from tests.support.books import assert_books_are_right
from tests.support.counter import Counter, scans, state_of, things_gone
from tests.support.factories import Factories
from tests.support.money import balance
from tests.support.parcels import Parcels
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
    works = [partial(perform, desk.hand_over, keeper, event) for keeper, event in zip(keepers, events, strict=True)]
    outcomes = at_once(app, works)
    assert Tally(outcome.outcome.value for outcome in outcomes) == {"accepted": 1, "conflict": DEVICES - 1}
    assert sum(outcome.handed for outcome in outcomes) == 2
    assert things_gone() == 2
    assert (balance(f"merchant:{counter.merchants[0].id}"), balance(f"merchant:{counter.merchants[1].id}")) == (1_940, 4_850)
    assert (balance("commission"), balance("escrow")) == (210, 0)
    assert len(scans()) == DEVICES


def test_one_event_sent_eight_times_at_once_is_one_hand_over(app: Flask, counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    event = counter.event(visit.code)
    outcomes = at_once(app, [lambda: perform(desk.hand_over, counter.keeper, event)] * DEVICES)
    assert Tally(outcome.outcome.value for outcome in outcomes) == {"accepted": 1, "duplicate": DEVICES - 1}
    assert count(Handover) == 1
    assert balance(f"merchant:{counter.merchants[0].id}") == 1_940


def test_a_hand_over_taken_back_eight_times_at_once_is_taken_back_once(app: Flask, counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1, "oil": 1})
    event = counter.event(visit.code)
    perform(desk.hand_over, counter.keeper, event)
    works = [partial(perform, desk.take_back, counter.keeper, event.client_id, "a slip") for _ in range(DEVICES)]
    assert sorted(at_once(app, works)) == [0] * (DEVICES - 1) + [2]
    assert things_gone() == 0
    assert (balance(f"merchant:{counter.merchants[0].id}"), balance("commission"), balance("escrow")) == (0, 0, 7_000)
    assert counter.hand_over(visit.code).handed == 2


def test_eight_devices_hand_over_an_order_and_a_parcel_once_each(app: Flask, counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    parcels, buyer = Parcels(monkeypatch), counter.buyer()
    counter.ready(buyer, {"rice": 1})
    parcels.arrive(buyer, counter.point, 7, "SF1234567890")
    visit = counter.pass_of(buyer)
    outcomes = at_once(app, [partial(perform, desk.hand_over, counter.keeper, counter.event(visit.code)) for _ in range(DEVICES)])
    assert Tally(outcome.outcome.value for outcome in outcomes) == {"accepted": 1, "conflict": DEVICES - 1}
    assert (parcels.told, things_gone()) == ([("collected", (7,))], 2)
    assert balance(f"merchant:{counter.merchants[0].id}") == 1_940
    assert_books_are_right()


def taken_at_once(app: Flask, counter: Counter, take: Callable[[Session, Move, list[int]], int]) -> int:
    """How many of eight hand-overs get the same thing when none holds its pass."""
    counter.ready(counter.buyer(), {"rice": 1})
    for _ in range(DEVICES):
        counter.hand_over("6901234567892")
    thing = reading().execute(sa.select(Collectable.id, Collectable.pass_id, Collectable.user_id)).one()
    moves = [Move(handover_id, thing.pass_id, thing.user_id) for handover_id in reading().scalars(sa.select(Handover.id))]
    everybody_looked = threading.Barrier(DEVICES)

    def one(move: Move) -> int:
        everybody_looked.wait(timeout=20)
        with transaction() as session:
            return take(session, move, [thing.id])

    return sum(at_once(app, [partial(one, move) for move in moves]))


def test_the_row_of_a_thing_alone_lets_it_leave_once(app: Flask, counter: Counter) -> None:
    assert taken_at_once(app, counter, lambda session, move, ids: len(handing_over.take_things(session, move, ids))) == 1


def test_the_control_without_its_guard_lets_it_leave_more_than_once(app: Flask, counter: Counter) -> None:
    """The same without the compare: whoever comes later takes it once more."""

    def careless(session: Session, move: Move, ids: list[int]) -> int:
        left = sa.update(Collectable).where(Collectable.id.in_(ids))
        left = left.values(state=CollectableState.COLLECTED, left_at=clock.now(), handover_id=move.handover_id)
        return len(session.execute(left.returning(Collectable.id)).all())

    assert taken_at_once(app, counter, careless) > 1


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
                partial(perform, desk.hand_over, counter.keeper, event),
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
