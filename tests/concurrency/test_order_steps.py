"""Two people at one order in the very same moment: one waits for the other, and reads what it left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from shop.kernel.db import perform, reading, transaction
from shop.kernel.money import Money
from shop.kernel.statements import table
from shop.models.orders import PaymentMethod, SubOrder, SubOrderState
from shop.models.payments import Payment
from shop.orders import operations as orders
from shop.orders.operations import refunding, step
from shop.platform.actor import JOB
from tests.support.books import assert_books_are_right
from tests.support.factories import Factories, actor_of
from tests.support.locks import take_locks_away
from tests.support.money import balance
from tests.support.shopping import Shopping, at_once

pytestmark = pytest.mark.slow

FIVE_YUAN = Money(500)


def ready_order(make: Factories) -> int:
    """A sub-order of 10.00 that lies ready at the counter."""
    shop = Shopping(make, merchants=1)
    shop.goods("oranges", price=1_000)
    order = shop.buy(shop.buyer(), {"oranges": 1})
    with transaction() as session:
        session.execute(sa.update(SubOrder).values(state=SubOrderState.READY))
    return order.sub_orders[0].id


class Meeting:
    """Where a refund and a hand-over meet: the refund has read the order, the hand-over is through."""

    def __init__(self) -> None:
        self.has_read, self.passed = threading.Event(), threading.Event()


@contextmanager
def refunds_that_wait(monkeypatch: pytest.MonkeyPatch, seconds: float) -> Iterator[Meeting]:
    """A refund stops after it has read the order, until the hand-over has passed or the time is over: whoever can pass it does so."""
    meeting = Meeting()
    give_back = refunding.give_back

    def slowly(*arguments: Any) -> None:
        meeting.has_read.set()
        meeting.passed.wait(seconds)
        give_back(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(refunding, "give_back", slowly)
        yield meeting


def refund_beside_hand_over(app: Flask, part_id: int, meeting: Meeting) -> list[Any]:
    refund = {"amount": FIVE_YUAN, "cause": "test:spoiled", "reason": "spoiled"}

    def hand_over() -> int:
        assert meeting.has_read.wait(10)
        moved = perform(orders.mark_collected, JOB, [part_id])
        meeting.passed.set()
        return moved

    return at_once(app, [lambda: perform(orders.refund, JOB, part_id, **refund), hand_over])


def test_a_refund_beside_a_hand_over_leaves_escrow_at_nothing(app: Flask, make: Factories, monkeypatch: pytest.MonkeyPatch) -> None:
    part_id = ready_order(make)
    with refunds_that_wait(monkeypatch, 0.5) as meeting:
        assert refund_beside_hand_over(app, part_id, meeting) == [True, 1]
    assert balance("escrow") == 0
    assert_books_are_right(leave_out=("plumbing.", "pickup.", "counter."))


def test_without_the_locks_that_refund_takes_what_is_not_there(
    app: Flask, make: Factories, monkeypatch: pytest.MonkeyPatch, engine_name: str
) -> None:
    """The control: the same order read without its locks. If nothing is lost then, the test above proves nothing.

    SQLite lets only one in anyway, whatever is locked.
    """
    part_id = ready_order(make)
    take_locks_away(monkeypatch)
    with refunds_that_wait(monkeypatch, 0.5 if engine_name == "sqlite" else 5) as meeting:
        assert refund_beside_hand_over(app, part_id, meeting) == [True, 1]
    assert balance("escrow") == (0 if engine_name == "sqlite" else -500)


@pytest.mark.parametrize("_round", range(5))
def test_declining_beside_cancelling_is_one_or_the_other(app: Flask, make: Factories, _round: int) -> None:
    shop = Shopping(make, merchants=1)
    shop.goods("oranges", price=1_000)
    user = shop.buyer(5_000)
    order = shop.buy(user, {"oranges": 1})
    declined, cancelled = at_once(
        app,
        [
            lambda: perform(orders.decline, JOB, order.sub_orders[0].id, "sold out"),
            lambda: perform(orders.cancel, actor_of(user), order.number),
        ],
    )
    assert sum(isinstance(outcome, Exception) for outcome in (declined, cancelled)) == 1, (declined, cancelled)
    assert (balance("escrow"), balance(f"wallet:{user.id}")) == (0, 5_000)
    assert_books_are_right()


def test_many_at_one_order_do_not_wait_in_a_circle(app: Flask, make: Factories, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two attempts to pay and two parts: whoever opens a step takes all of them in one order, so nobody has to begin again."""
    shop = Shopping(make)
    shop.goods("oranges", price=1_000)
    shop.goods("rice", 1, price=1_000)
    first = shop.buy(shop.buyer(), {"oranges": 1, "rice": 1})
    second = shop.buy(shop.buyer(), {"oranges": 1, "rice": 1}, PaymentMethod.STRIPE)
    begun: list[int] = []
    open_steps = step.open_steps

    def counted(session: Session, purchase_ids: Any) -> Any:
        begun.append(1)
        return open_steps(session, purchase_ids)

    monkeypatch.setattr(step, "open_steps", counted)
    both = [first.purchase_id, second.purchase_id]

    def one_way(ids: list[int]) -> None:
        perform(lambda session: step.open_steps(session, ids) and None)

    outcomes = at_once(app, [lambda ids=ids: one_way(ids) for ids in (both, both[::-1]) * 4])
    assert outcomes == [None] * 8
    assert len(begun) == 8


def test_late_money_of_an_earlier_attempt_leaves_refunds_possible(make: Factories, app: Flask) -> None:
    """What goes back goes back on the payment that paid, though an older one succeeded as well."""
    part_id = ready_order(make)
    (paid,) = reading().scalars(sa.select(Payment)).all()
    with transaction() as session:
        columns = {column.name: getattr(paid, column.name) for column in table(Payment).columns if column.name != "id"}
        session.execute(sa.insert(Payment).values({**columns, "id": paid.id - 1, "ref": "P-late", "pays_purchase": False}))
    assert perform(orders.refund, JOB, part_id, amount=FIVE_YUAN, cause="test:spoiled", reason="spoiled") is True
    reading().rollback()
    given_back = reading().execute(sa.select(Payment.ref, Payment.refunded_amount)).all()
    assert {row.ref: row.refunded_amount for row in given_back} == {paid.ref: FIVE_YUAN, "P-late": Money(0)}
