"""Goods leave or come back while money goes back: whatever wins, escrow, merchant and commission end where they should."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.counter import operations as desk
from shop.counter import rules
from shop.counter.operations import Outcome
from shop.kernel.db import perform, reading
from shop.kernel.errors import ShopError
from shop.kernel.money import Money
from shop.models.orders import SubOrder, SubOrderState
from shop.models.payments import Refund
from shop.models.pickup import Collectable, Handover
from shop.orders import operations as orders
from shop.platform.actor import COMMAND, Actor
from tests.support.books import assert_books_are_right
from tests.support.counter import Counter, state_of
from tests.support.factories import Factories
from tests.support.locks import take_locks_away
from tests.support.money import balance
from tests.support.shopping import at_once, count

pytestmark = pytest.mark.slow

ROUNDS = 6


@pytest.fixture
def counter(make: Factories) -> Counter:
    made = Counter(make)
    made.goods("rice", price=2_000)
    return made


def waiting(counter: Counter) -> tuple[SubOrder, str]:
    """An order that waits at the counter, and the code of its pass."""
    (part,) = counter.packed(buyer := counter.buyer(), {"rice": 1})
    counter.receive([part])
    return part, counter.pass_of(buyer).code


def gives_back(part: SubOrder, fen: int = 500) -> Callable[[], object]:
    return partial(perform, orders.refund, COMMAND, part.id, amount=Money(fen), cause=f"claim:{part.id}", reason="bruised")


def hands_over(counter: Counter, code: str) -> Callable[[], object]:
    return partial(perform, desk.hand_over, counter.keeper, counter.event(code))


def test_a_refund_beside_a_hand_over_leaves_escrow_at_nothing(app: Flask, counter: Counter) -> None:
    for done in range(1, ROUNDS + 1):
        part, code = waiting(counter)
        answers = at_once(app, [hands_over(counter, code), gives_back(part)])
        assert isinstance(answers[0], Outcome)
        assert (answers[0].outcome, answers[1]) == ("accepted", True)
        assert balance("escrow") == 0
        assert (balance(f"merchant:{part.merchant_id}"), balance("commission")) == (done * 1_455, done * 45), "3 % of what was kept"
    assert_books_are_right()


def test_a_full_refund_beside_a_hand_over_is_one_of_both_orders_of_events(app: Flask, counter: Counter) -> None:
    for _ in range(ROUNDS):
        part, code = waiting(counter)
        answers = at_once(app, [hands_over(counter, code), gives_back(part, 2_000)])
        assert isinstance(answers[0], Outcome)
        assert (answers[0].outcome, answers[0].reason) in {("accepted", None), ("refused", "refunded")}
        assert answers[1] is True
        assert (state_of(part) is SubOrderState.COLLECTED) == (answers[0].outcome == "accepted")
        assert (balance("escrow"), balance(f"merchant:{part.merchant_id}"), balance("commission")) == (0, 0, 0)
    assert_books_are_right()


def test_a_refund_beside_taking_back_leaves_the_rest_where_the_goods_are(app: Flask, counter: Counter) -> None:
    escrow = 0
    for _ in range(ROUNDS):
        part, code = waiting(counter)
        event = counter.event(code)
        perform(desk.hand_over, counter.keeper, event)
        back, refund = at_once(app, [partial(perform, desk.take_back, counter.keeper, event.client_id, "a slip"), gives_back(part)])
        assert refund is True
        if state_of(part) is SubOrderState.READY:
            assert back == 1
            escrow += 1_500
        else:
            assert isinstance(back, ShopError)
            assert back.code == "cannot_take_back"
        assert balance("escrow") == escrow
    assert_books_are_right()


def test_handing_over_again_beside_taking_back_moves_money_once(app: Flask, counter: Counter) -> None:
    part, code = waiting(counter)
    for _ in range(ROUNDS):
        event = counter.event(code)
        perform(desk.hand_over, counter.keeper, event)
        at_once(app, [partial(perform, desk.take_back, counter.keeper, event.client_id, "a slip"), hands_over(counter, code)])
        if state_of(part) is SubOrderState.COLLECTED:
            assert (balance("escrow"), balance(f"merchant:{part.merchant_id}")) == (0, 1_940)
            perform(desk.take_back, counter.keeper, last_accepted(), "a slip")
        assert (balance("escrow"), balance(f"merchant:{part.merchant_id}"), balance("commission")) == (2_000, 0, 0)
    assert_books_are_right()


def last_accepted() -> str:
    reading().rollback()
    return reading().scalars(sa.select(Handover.client_id).join(Collectable, Collectable.handover_id == Handover.id)).one()


@pytest.mark.parametrize("what", ["decline", "cancel", "expire"])
def test_an_order_that_ends_while_it_is_handed_over_ends_one_way(app: Flask, counter: Counter, what: str) -> None:
    """It waits at the counter: too late for all of these, however close together they come."""
    part, code = waiting(counter)
    ends: dict[str, Callable[[], object]] = {
        "decline": partial(perform, orders.decline, counter.clerk_of(part), part.id, "sold out"),
        "expire": partial(perform, orders.expire, part.purchase_id),
        "cancel": partial(perform, orders.cancel, Actor("user", user_id=part.user_id), part.number),
    }
    handed, ended = at_once(app, [hands_over(counter, code), ends[what]])
    assert isinstance(handed, Outcome)
    assert handed.outcome == "accepted"
    assert ended is False or isinstance(ended, ShopError)
    assert (balance("escrow"), balance(f"merchant:{part.merchant_id}"), count(Refund)) == (0, 1_940, 0)
    assert_books_are_right()


def refund_while_it_is_decided(
    app: Flask, counter: Counter, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> tuple[Outcome, bool]:
    """A hand-over stops after it has read its orders; a refund of all the money tries to come in between. Whether it did."""
    part, code = waiting(counter)
    read, refunded, came_between = threading.Event(), threading.Event(), []
    judge = rules.judge_parts

    def slowly(*arguments: Any, **words: Any) -> Any:
        read.set()
        came_between.append(refunded.wait(seconds))
        return judge(*arguments, **words)

    def give_back() -> None:
        read.wait(20)
        gives_back(part, 2_000)()
        refunded.set()

    monkeypatch.setattr(rules, "judge_parts", slowly)
    outcome, _nothing = at_once(app, [hands_over(counter, code), give_back])
    assert isinstance(outcome, Outcome), outcome
    return outcome, came_between[0]


def test_nobody_gives_money_back_while_a_hand_over_is_decided(app: Flask, counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, came_between = refund_while_it_is_decided(app, counter, monkeypatch, 0.5)
    assert (outcome.outcome, came_between) == ("accepted", False)
    assert balance("escrow") == 0
    assert_books_are_right()


def test_without_the_locks_goods_leave_whose_money_went_back(
    app: Flask, counter: Counter, monkeypatch: pytest.MonkeyPatch, engine_name: str
) -> None:
    """The control: the same orders read without their locks. SQLite lets only one in anyway."""
    take_locks_away(monkeypatch)
    outcome, came_between = refund_while_it_is_decided(app, counter, monkeypatch, 0.5 if engine_name == "sqlite" else 5)
    assert (outcome.outcome, came_between) == ("accepted", engine_name == "postgresql")
