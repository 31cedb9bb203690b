"""An order is paid from the wallet in the very moment its card money arrives, or its time runs out: one payment pays it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.kernel.db import perform, reading
from shop.kernel.errors import ShopError
from shop.kernel.money import Money
from shop.models.accounts import User
from shop.models.orders import PaymentMethod, Purchase, PurchaseState
from shop.models.payments import Payment
from shop.orders import operations as orders
from shop.orders.operations import tender
from shop.payments.snapshots import Snapshot, Stage
from shop.settlement import operations as settlement
from shop.wallet.rules import Proof
from tests.support.books import assert_books_are_right
from tests.support.factories import Factories, actor_of
from tests.support.locks import take_locks_away
from tests.support.money import balance
from tests.support.shopping import Shopping, at_once, stock_of

pytestmark = pytest.mark.slow

CAME = Snapshot(Stage.SUCCEEDED, Money(2_500), intent="pi_1", fee=Money(25))
NEVER = Snapshot(Stage.CANCELLED, Money(2_500))


def unpaid(make: Factories) -> tuple[User, Any, Any]:
    shop = Shopping(make, merchants=1)
    oranges = shop.goods("oranges", price=2_500, on_hand=3)
    buyer = shop.buyer(10_000)
    return buyer, shop.buy(buyer, {"oranges": 1}, PaymentMethod.STRIPE), oranges


@contextmanager
def paying_that_waits(monkeypatch: pytest.MonkeyPatch, seconds: float) -> Iterator[threading.Event]:
    """Whoever pays from the wallet stops after reading the order, until the event is set or the time is over."""
    passed, mark_paid = threading.Event(), tender.mark_paid

    def slowly(*arguments: Any) -> bool:
        passed.wait(seconds)
        return mark_paid(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(tender, "mark_paid", slowly)
        yield passed


def beside(app: Flask, buyer: User, placed: Any, other: Callable[[], Any], passed: threading.Event | None = None) -> list[Any]:
    def second() -> Any:
        try:
            return other()
        finally:
            if passed is not None:
                passed.set()

    return at_once(app, [lambda: perform(orders.pay_from_wallet, actor_of(buyer), placed.number, Proof(buyer.id)), second])


def paying_payments() -> int:
    reading().rollback()
    return reading().scalar(sa.select(sa.func.count()).select_from(Payment).where(Payment.pays_purchase)) or 0


def state() -> PurchaseState:
    reading().rollback()
    return reading().scalars(sa.select(Purchase.state)).one()


@pytest.mark.parametrize("_round", range(4))
def test_card_money_beside_the_wallet_pays_once_and_the_rest_goes_back(app: Flask, make: Factories, _round: int) -> None:
    buyer, placed, oranges = unpaid(make)
    wallet, _card = beside(app, buyer, placed, lambda: perform(settlement.apply, placed.payment_id, CAME))
    assert (state(), paying_payments(), balance("escrow"), stock_of(oranges)) == (PurchaseState.PAID, 1, 2_500, (2, 0))
    if isinstance(wallet, ShopError):  # the card was first
        assert (wallet.code, balance(f"wallet:{buyer.id}"), balance("refund_due")) == ("already_paid", 10_000, 0)
    else:
        assert (balance(f"wallet:{buyer.id}"), balance("refund_due")) == (7_500, 2_500)
    assert_books_are_right(leave_out=("plumbing.",))


@pytest.mark.parametrize("_round", range(4))
def test_running_out_beside_the_wallet_is_one_or_the_other(app: Flask, make: Factories, _round: int) -> None:
    buyer, placed, oranges = unpaid(make)
    wallet, _end = beside(app, buyer, placed, lambda: perform(settlement.apply, placed.payment_id, NEVER))
    if isinstance(wallet, ShopError):
        assert (state(), balance(f"wallet:{buyer.id}"), stock_of(oranges)) == (PurchaseState.EXPIRED, 10_000, (3, 0))
    else:
        assert (state(), balance(f"wallet:{buyer.id}"), stock_of(oranges)) == (PurchaseState.PAID, 7_500, (2, 0))
    assert paying_payments() == (0 if isinstance(wallet, ShopError) else 1)
    assert_books_are_right(leave_out=("plumbing.",))


def test_the_card_waits_for_a_wallet_that_is_paying(app: Flask, make: Factories, monkeypatch: pytest.MonkeyPatch) -> None:
    buyer, placed, _oranges = unpaid(make)
    with paying_that_waits(monkeypatch, 0.5) as passed:
        beside(app, buyer, placed, lambda: perform(settlement.apply, placed.payment_id, CAME), passed)
    assert (state(), paying_payments(), balance("escrow")) == (PurchaseState.PAID, 1, 2_500)
    assert_books_are_right(leave_out=("plumbing.",))


def test_without_the_locks_the_card_gets_in_between(
    app: Flask, make: Factories, monkeypatch: pytest.MonkeyPatch, engine_name: str
) -> None:
    """The control: nothing is locked, and nobody heeds that the order was paid meanwhile. The card then gets in between, and only the
    index over what pays a purchase is left to stop a second payment. SQLite lets only one in anyway, whatever is locked.
    """
    buyer, placed, _oranges = unpaid(make)
    take_locks_away(monkeypatch)
    with paying_that_waits(monkeypatch, 0.5 if engine_name == "sqlite" else 5) as passed:
        heedless = tender.mark_paid
        monkeypatch.setattr(tender, "mark_paid", lambda *arguments: heedless(*arguments) or True)
        outcomes = beside(app, buyer, placed, lambda: perform(settlement.apply, placed.payment_id, CAME), passed)
    if engine_name == "postgresql":
        assert any(isinstance(outcome, Exception) for outcome in outcomes), "the index over what pays a purchase is the last guard"
    assert paying_payments() == 1
