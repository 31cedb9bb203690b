"""Two at one order at the packing table, in the same moment: one decides, the other is told, and the money is right."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.fulfilment import operations
from shop.fulfilment.errors import NothingPacked
from shop.kernel.db import perform, reading, transaction
from shop.kernel.errors import ShopError
from shop.models.orders import OrderLine, SubOrder, SubOrderState
from shop.models.pickup import Cycle
from shop.orders import operations as orders
from shop.orders.errors import AlreadyWeighed, TooLateToCancel, WrongState
from shop.pickup import operations as pickup
from shop.pickup.errors import CutOffPassed
from tests.support.books import assert_books_are_right
from tests.support.counter import Counter, state_of
from tests.support.factories import Factories, actor_of
from tests.support.money import balance
from tests.support.shopping import at_once

ROUNDS = range(4)


@pytest.fixture
def counter(make: Factories) -> Counter:
    made = Counter(make, merchants=1)
    made.goods("rice", price=2_000)
    made.goods("fish", price=1_500, by_weight=True, grams=500)
    return made


def fish_line(part: SubOrder) -> int:
    reading().rollback()
    return reading().scalars(sa.select(OrderLine.id).where(OrderLine.sub_order_id == part.id, OrderLine.priced_by == "weight")).one()


def refused(outcome: Any, *kinds: type[ShopError]) -> bool:
    """Whether it was refused, and for one of these reasons; any other trouble fails the test."""
    if isinstance(outcome, Exception) and not isinstance(outcome, kinds):
        raise outcome
    return isinstance(outcome, Exception)


def packing(counter: Counter, part: SubOrder, grams: int) -> Callable[[], Any]:
    told = {fish_line(part): grams}
    return partial(perform, operations.pack, counter.clerk_of(part), part.id, told, told)


@pytest.mark.parametrize("_round", ROUNDS)
def test_two_clerks_weigh_at_once_and_one_of_them_is_told_of_the_other(app: Flask, counter: Counter, _round: int) -> None:
    buyer = counter.buyer(money=10_000)
    (part,) = counter.ordered(buyer, {"fish": 2})
    outcomes = at_once(app, [packing(counter, part, 850), packing(counter, part, 950)])
    assert sorted(refused(outcome, AlreadyWeighed) for outcome in outcomes) == [False, True]
    assert balance(f"wallet:{buyer.id}") == 10_000 - (2_850 if refused(outcomes[0], AlreadyWeighed) else 2_550)
    assert_books_are_right()


@pytest.mark.parametrize("_round", ROUNDS)
def test_weighing_beside_cancelling_is_one_or_the_other(app: Flask, counter: Counter, _round: int) -> None:
    buyer = counter.buyer(money=10_000)
    (part,) = counter.ordered(buyer, {"fish": 2})
    packed, cancelled = at_once(app, [packing(counter, part, 850), partial(perform, orders.cancel, actor_of(buyer), part.number)])
    assert refused(packed, WrongState) != refused(cancelled, TooLateToCancel)
    assert balance(f"wallet:{buyer.id}") == (10_000 if refused(packed, WrongState) else 10_000 - 2_550)
    assert_books_are_right()


@pytest.mark.parametrize("_round", ROUNDS)
def test_a_short_line_beside_cancelling_gives_everything_back_once(app: Flask, counter: Counter, _round: int) -> None:
    buyer = counter.buyer(money=20_000)
    (part,) = counter.ordered(buyer, {"rice": 5, "fish": 1})
    line = reading().scalars(sa.select(OrderLine.id).where(OrderLine.sub_order_id == part.id, OrderLine.quantity == 5)).one()
    short, cancelled = at_once(
        app,
        [
            partial(perform, orders.short_line, counter.clerk_of(part), line, 2, "frost"),
            partial(perform, orders.cancel, actor_of(buyer), part.number),
        ],
    )
    refused(short, WrongState)
    assert not refused(cancelled)
    assert balance(f"wallet:{buyer.id}") == 20_000
    assert_books_are_right()


@pytest.mark.parametrize("_round", ROUNDS)
def test_taking_back_packing_beside_sending_is_one_or_the_other(app: Flask, counter: Counter, _round: int) -> None:
    (part,) = counter.packed(counter.buyer(), {"rice": 1})
    clerk = counter.clerk_of(part)
    opened, sent = at_once(
        app,
        [
            partial(perform, operations.unpack, clerk, [part.id]),
            partial(perform, operations.hand_to_driver, clerk, part.cycle_id, before_cut_off=True),
        ],
    )
    assert refused(opened, WrongState) != refused(sent, NothingPacked)
    assert state_of(part) is (SubOrderState.IN_TRANSIT if refused(opened, WrongState) else SubOrderState.ACCEPTED)
    assert_books_are_right()


@pytest.mark.parametrize("_round", ROUNDS)
def test_who_orders_while_a_delivery_leaves_is_on_it_before_or_refused(app: Flask, counter: Counter, _round: int) -> None:
    (part,) = counter.packed(counter.buyer(), {"rice": 1})
    buyers = [counter.buyer() for _ in range(4)]
    for buyer in buyers:
        counter.fill(buyer, {"rice": 1})
    quotes = [counter.quote(buyer) for buyer in buyers]
    joins = [partial(counter.place, buyer, quote) for buyer, quote in zip(buyers, quotes, strict=True)]
    sent, *placed = at_once(app, [lambda: counter.send(part), *joins])
    assert sent == 1
    on_it = [outcome for outcome in placed if not refused(outcome, CutOffPassed)]
    cycle = reading().scalars(sa.select(Cycle).where(Cycle.id == part.cycle_id)).one()
    assert cycle.booked == 1 + len(on_it)
    assert_books_are_right()


def joining_while_it_leaves(app: Flask, counter: Counter, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Somebody stops between deciding to order and booking the slot, until the delivery has left."""
    (part,) = counter.packed(counter.buyer(), {"rice": 1})
    buyer = counter.buyer()
    counter.fill(buyer, {"rice": 1})
    quote = counter.quote(buyer)
    looked, has_left = threading.Event(), threading.Event()
    book_slots = pickup.book_slots

    def slowly(*arguments: Any) -> None:
        looked.set()
        has_left.wait(3)
        book_slots(*arguments)

    def leaves() -> int:
        looked.wait(3)
        try:
            return counter.send(part)
        finally:
            has_left.set()

    with monkeypatch.context() as patched:
        patched.setattr(pickup, "book_slots", slowly)
        return at_once(app, [lambda: counter.place(buyer, quote), leaves])


def test_a_delivery_that_left_in_between_refuses_who_was_about_to_join(
    app: Flask, counter: Counter, monkeypatch: pytest.MonkeyPatch, engine_name: str
) -> None:
    """On PostgreSQL both run side by side, and the booking decides. SQLite lets one in at a time: who writes first was first."""
    placed, sent = joining_while_it_leaves(app, counter, monkeypatch)
    assert sent == 1
    assert refused(placed, CutOffPassed) is (engine_name == "postgresql")
    assert_books_are_right()


def test_the_control_without_the_guard_joins_what_has_left(
    app: Flask, counter: Counter, monkeypatch: pytest.MonkeyPatch, engine_name: str
) -> None:
    """The same with a booking that does not ask whether it has left: the books are wrong then, or the test above proves nothing."""
    cycles = pickup.CYCLES
    careless = (
        sa.update(cycles)
        .where(cycles.c.id.in_(sa.bindparam("cycle_ids", expanding=True)), cycles.c.booked < cycles.c.capacity)
        .values(booked=cycles.c.booked + 1)
        .returning(cycles.c.id)
    )
    monkeypatch.setattr(pickup, "BOOK", careless)
    placed, sent = joining_while_it_leaves(app, counter, monkeypatch)
    assert sent == 1
    assert not refused(placed)
    if engine_name == "postgresql":
        reading().rollback()
        cycle, last = reading().scalars(sa.select(Cycle)).one(), reading().scalars(sa.select(SubOrder).order_by(SubOrder.id.desc())).first()
        assert last is not None
        assert (cycle.closed_at is not None, last.state) == (True, SubOrderState.PLACED)


def test_the_control_that_looks_first_and_then_weighs_loses_a_weight(app: Flask, counter: Counter) -> None:
    """What weighing would be without its step and its compare-and-set: both see a line without a weight, and one weight is lost."""
    (part,) = counter.ordered(counter.buyer(), {"fish": 2})
    line, everybody_looked = fish_line(part), threading.Barrier(2)

    def careless(grams: int) -> bool:
        is_new = reading().scalar(sa.select(OrderLine.final_grams).where(OrderLine.id == line)) is None
        everybody_looked.wait(timeout=20)
        with transaction() as session:
            session.execute(sa.update(OrderLine).where(OrderLine.id == line).values(final_grams=grams, final_total=OrderLine.line_total))
        return is_new

    assert at_once(app, [partial(careless, 850), partial(careless, 950)]) == [True, True]
