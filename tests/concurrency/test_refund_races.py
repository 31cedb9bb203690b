"""Money that goes back while somebody else does the same: real threads, real connections, on either engine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.kernel.db import perform, reading
from shop.kernel.money import Money
from shop.models.accounts import User
from shop.models.orders import PaymentMethod, SubOrder
from shop.models.payments import Refund, RefundMethod, RefundState
from shop.orders import operations as orders
from shop.payments import operations as payments
from shop.payments.snapshots import RefundSnapshot
from shop.platform import outbox
from shop.platform.actor import JOB
from shop.settlement import giving_back, inquiry
from tests.support.books import assert_books_are_right
from tests.support.factories import Factories, actor_of
from tests.support.locks import take_locks_away
from tests.support.money import balance
from tests.support.provider import CardProvider, card_provider, payment_of
from tests.support.shopping import Shopping, at_once

pytestmark = pytest.mark.slow

ROUNDS = range(3)


@pytest.fixture
def stripe(app: Flask) -> Iterator[CardProvider]:
    with card_provider(app) as made:
        yield made


class Order:
    """An order of ¥43.60 by card, paid unless it is to be late."""

    def __init__(self, make: Factories, stripe: CardProvider, *, is_settled: bool = True) -> None:
        shop = Shopping(make, merchants=1)
        shop.goods("oranges", price=4_360)
        self.stripe, self.buyer = stripe, shop.buyer()
        placed = shop.buy(self.buyer, {"oranges": 1}, PaymentMethod.STRIPE)
        self.number, self.payment_id, self.part = placed.number, placed.payment_id, placed.sub_orders[0].id
        stripe.pay(self.payment_id)
        if is_settled:
            inquiry.settle(self.payment_id)

    @property
    def intent(self) -> str:
        return str(payment_of(self.payment_id).provider_intent)

    def cancel(self) -> None:
        perform(orders.cancel, actor_of(self.buyer), self.number)

    def given_back_there(self) -> list[int]:
        found = self.stripe.account.client().v1.refunds.list({"limit": 100}).data
        return sorted(refund.amount for refund in found)


def standing() -> list[tuple[str, int, RefundState]]:
    reading().rollback()
    rows = reading().execute(sa.select(Refund.origin, Refund.amount, Refund.carried_on, Refund.state).order_by(Refund.id))
    return sorted((origin.value, (amount - carried).fen, state) for origin, amount, carried, state in rows if carried < amount)


def refunded_total() -> int:
    reading().rollback()
    return reading().scalars(sa.select(SubOrder.refunded_total)).one().fen


def drain() -> None:
    for _time in range(4):
        outbox.run_due()


@pytest.mark.parametrize("_round", ROUNDS)
def test_an_amount_given_back_beside_a_cancel_goes_back_once(app: Flask, make: Factories, stripe: CardProvider, _round: int) -> None:
    order = Order(make, stripe)
    given = {"amount": Money(1_000), "cause": "test:given", "reason": "bruised"}
    at_once(app, [order.cancel, lambda: perform(orders.refund, JOB, order.part, **given)])
    drain()
    assert (sum(order.given_back_there()), refunded_total(), balance("escrow"), balance("refund_due")) == (4_360, 4_360, 0, 0)
    assert_books_are_right()


@pytest.mark.parametrize("_round", ROUNDS)
def test_a_refund_at_the_providers_side_beside_a_cancel_leaves_the_rest(
    app: Flask, make: Factories, stripe: CardProvider, _round: int
) -> None:
    order = Order(make, stripe)
    stripe.account.control("/refund", payment_intent=order.intent, amount=1_000)
    at_once(app, [order.cancel, lambda: inquiry.know_refunds(order.payment_id), lambda: inquiry.know_refunds(order.payment_id)])
    drain()
    assert order.given_back_there() == [1_000, 3_360]
    done = RefundState.SUCCEEDED
    assert standing() == [("provider", 1_000, done), ("shop", 3_360, done)]
    assert (refunded_total(), balance("escrow"), balance("refund_due")) == (4_360, 0, 0)
    assert_books_are_right()


@pytest.mark.parametrize("_round", ROUNDS)
def test_late_money_beside_a_cancel_goes_back_whole(app: Flask, make: Factories, stripe: CardProvider, _round: int) -> None:
    order = Order(make, stripe, is_settled=False)
    outcomes = at_once(app, [order.cancel, lambda: inquiry.settle(order.payment_id), lambda: inquiry.settle(order.payment_id)])
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
    drain()
    assert (order.given_back_there(), balance("escrow"), balance("suspense"), balance("refund_due")) == ([4_360], 0, 0, 0)
    assert_books_are_right()


def both_have_looked(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Whoever has read what is known waits until the other has, or the time is over."""
    gate, assign = threading.Barrier(2), giving_back.assign

    def slowly(*arguments: Any) -> Any:
        with suppress(threading.BrokenBarrierError):  # the other stands before the lock
            gate.wait(seconds)
        return assign(*arguments)

    monkeypatch.setattr(giving_back, "assign", slowly)


def two_who_know(app: Flask, order: Order) -> None:
    made = (RefundSnapshot("re_1", True, amount=Money(1_000), intent=order.intent),)
    at_once(app, [lambda: perform(giving_back.know, order.payment_id, made)] * 2)


def test_two_who_hear_of_one_refund_book_it_once(
    app: Flask, make: Factories, stripe: CardProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = Order(make, stripe)
    both_have_looked(monkeypatch, 0.5)
    two_who_know(app, order)
    assert (refunded_total(), balance("escrow"), len(standing())) == (1_000, 3_360, 1)


def test_without_the_lock_they_would_count_it_twice(
    app: Flask, make: Factories, stripe: CardProvider, monkeypatch: pytest.MonkeyPatch, engine_name: str
) -> None:
    """The control: read without locks. If nothing is counted twice then, the test above proves nothing. SQLite lets only one in anyway."""
    order = Order(make, stripe)
    take_locks_away(monkeypatch)
    get = sa.orm.Session.get
    monkeypatch.setattr(sa.orm.Session, "get", lambda session, *what, with_for_update=None, **words: get(session, *what, **words))
    both_have_looked(monkeypatch, 0.5 if engine_name == "sqlite" else 5)
    two_who_know(app, order)
    assert refunded_total() == (1_000 if engine_name == "sqlite" else 2_000)


def failed_refund(make: Factories, stripe: CardProvider) -> tuple[User, str]:
    order = Order(make, stripe)
    order.cancel()
    reading().rollback()
    refund = reading().scalars(sa.select(Refund)).one()
    perform(payments.settle_refund, refund.id, False, failure_code="lost_or_stolen_card")
    return order.buyer, refund.ref


def test_eight_who_press_at_once_move_failed_money_once(app: Flask, make: Factories, stripe: CardProvider) -> None:
    buyer, ref = failed_refund(make, stripe)
    before, staff = balance(f"wallet:{buyer.id}"), actor_of(make.user())
    outcomes = at_once(app, [lambda: perform(giving_back.try_again, staff, ref, RefundMethod.WALLET)] * 8)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadyLookedAfter"] * 7 + ["Money"]
    assert (balance(f"wallet:{buyer.id}") - before, balance("escrow")) == (4_360, 0)
    assert_books_are_right()
