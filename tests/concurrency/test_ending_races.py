"""Timers and people at once: an order ends once, its money goes one way, and whoever was first has won."""

from __future__ import annotations

import threading
from collections import Counter as Tally
from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.counter import operations as desk
from shop.fulfilment import operations, overdue
from shop.fulfilment.endings import Wait
from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.models.orders import SubOrder, SubOrderState
from shop.models.payments import Refund
from shop.models.pickup import Cycle
from shop.orders import operations as orders
from shop.platform.actor import JOB
from tests.support.books import assert_books_are_right
from tests.support.counter import Counter, state_of
from tests.support.factories import Factories
from tests.support.money import balance
from tests.support.shopping import at_once, count

WORKERS = 8


@pytest.fixture
def counter(make: Factories) -> Counter:
    made = Counter(make)
    made.goods("rice", price=2_000, shelf_life_days=365)
    made.goods("fish", price=3_000, storage="chilled", shelf_life_days=3)
    return made


def after(part: SubOrder, days: int) -> None:
    """Let it be so many days after the order should have come."""
    arrives_at = reading().scalars(sa.select(Cycle.arrives_at).where(Cycle.id == part.cycle_id)).one()
    clock.move(arrives_at + timedelta(days=days) - (clock.now() - clock.shift()))
    reading().rollback()


def test_two_workers_and_more_end_an_order_that_never_came_once(app: Flask, counter: Counter) -> None:
    buyer = counter.buyer()
    before = balance(f"wallet:{buyer.id}")
    (part,) = counter.packed(buyer, {"rice": 1})
    after(part, 4)
    ended = at_once(app, [partial(perform, operations.end_by_itself, part.id)] * WORKERS)
    assert Tally(ended) == {True: 1, False: WORKERS - 1}
    assert (balance(f"wallet:{buyer.id}"), count(Refund)) == (before, 1)
    assert_books_are_right()


def test_the_control_without_its_guards_pays_back_more_than_once(app: Flask, counter: Counter) -> None:
    """Look first, then write: what the operation would be without its locks and its compare-and-set."""
    (part,) = counter.packed(counter.buyer(), {"rice": 1})
    after(part, 4)
    everybody_looked = threading.Barrier(WORKERS)

    def careless() -> bool:
        is_due = bool(overdue.due(reading(), Wait.TO_SEND))
        everybody_looked.wait(timeout=20)
        with transaction() as session:
            session.execute(sa.update(SubOrder).where(SubOrder.id == part.id).values(state=SubOrderState.SHORT))
        return is_due

    assert at_once(app, [careless] * WORKERS).count(True) > 1


def test_a_crate_found_while_it_is_given_up_is_either_here_or_paid_back(app: Flask, counter: Counter) -> None:
    buyers = [counter.buyer() for _ in range(4)]
    before = balance(f"wallet:{buyers[0].id}")
    parts = [counter.packed(buyer, {"rice": 1})[0] for buyer in buyers]
    after(parts[0], 4)
    for buyer, part in zip(buyers, parts, strict=True):
        received, ended = at_once(
            app,
            [
                partial(perform, operations.receive, counter.keeper, {part.cycle_id}, counted={part.number}),
                partial(perform, operations.end_by_itself, part.id),
            ],
        )
        if ended is True:
            assert (state_of(part), balance(f"wallet:{buyer.id}")) == (SubOrderState.SHORT, before)
        else:
            assert (received.ready, state_of(part), balance(f"wallet:{buyer.id}")) == (1, SubOrderState.READY, before - 2_000)
    assert_books_are_right()


def test_goods_collected_while_they_are_given_up_are_paid_for_once(app: Flask, counter: Counter) -> None:
    visits = [counter.ready(counter.buyer(), {"fish": 1}) for _ in range(4)]
    events = [counter.event(visit.code) for visit in visits]  # made in time, at an offline counter
    clock.move(visits[0].valid_until + timedelta(days=1, minutes=1) - (clock.now() - clock.shift()))
    for visit, event in zip(visits, events, strict=True):
        reading().rollback()
        part = reading().scalars(sa.select(SubOrder).where(SubOrder.pass_id == visit.id)).one()
        earned = balance(f"merchant:{part.merchant_id}")
        handed, ended = at_once(
            app,
            [partial(perform, desk.hand_over, counter.keeper, event), partial(perform, operations.end_by_itself, part.id)],
        )
        assert balance(f"merchant:{part.merchant_id}") == earned + 2_910
        if ended is True:
            assert (state_of(part), handed.handed) == (SubOrderState.NOT_COLLECTED, 0)
        else:
            assert (state_of(part), handed.handed) == (SubOrderState.COLLECTED, 1)
    assert_books_are_right()


def test_workers_at_once_complete_an_order_once(app: Flask, counter: Counter) -> None:
    counter.hand_over(counter.ready(counter.buyer(), {"rice": 1}).code)
    part = reading().scalars(sa.select(SubOrder)).one()
    clock.move(clock.shift() + timedelta(days=8))
    completed = at_once(app, [partial(perform, orders.complete, JOB, [part.id])] * WORKERS)
    assert sorted(completed) == [0] * (WORKERS - 1) + [1]
    assert_books_are_right()
