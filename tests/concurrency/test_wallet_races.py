"""Money when many ask at the very same moment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.kernel.db import perform, reading
from shop.kernel.money import Money
from shop.models.orders import PaymentMethod
from shop.models.payments import Refund
from shop.models.wallet import LedgerAccount, Transfer, WalletClass
from shop.payments import operations as payments
from shop.payments.errors import RefundTooLarge
from shop.payments.snapshots import Snapshot, Stage
from shop.settlement import operations as settlement
from shop.settlement.operations import Outcome
from shop.wallet import operations
from shop.wallet.errors import InsufficientFunds, LifetimeLimitExceeded
from shop.wallet.operations import PinResult
from tests.support.factories import Factories, actor_of
from tests.support.money import PIN, balance, books_hold, fund, move, pay
from tests.support.shopping import Shopping, at_once

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _books(app: Flask) -> Iterator[None]:
    """Whatever happened, the books hold afterwards."""
    yield
    books_hold()


def count(outcomes: list[object], kind: object) -> int:
    return sum(outcome is kind or (isinstance(kind, type) and isinstance(outcome, kind)) for outcome in outcomes)


def test_fifty_payments_at_once_spend_a_wallet_once(app: Flask, make: Factories) -> None:
    user = make.user()
    wallet = fund(user, 1_000)
    outcomes = at_once(app, [lambda number=number: pay(user, f"purchase:{number}", 1_000) for number in range(50)])
    assert (count(outcomes, True), count(outcomes, InsufficientFunds)) == (1, 49), outcomes
    assert (balance(wallet), balance("escrow")) == (0, 1_000)


def test_the_same_cause_told_at_once_moves_once(app: Flask, make: Factories) -> None:
    wallet = fund(make.user(), 10_000)
    outcomes = at_once(app, [lambda: move("once", wallet, "escrow", 1_000) for _ in range(20)])
    assert (count(outcomes, True), count(outcomes, False)) == (1, 19), outcomes
    assert balance(wallet) == 9_000


def test_payments_at_once_do_not_slip_under_the_same_limit(app: Flask, make: Factories) -> None:
    user = make.user(level=1)
    fund(user, 200_000, wallet_class=WalletClass.I)
    outcomes = at_once(app, [lambda number=number: pay(user, f"purchase:{number}", 30_000) for number in range(12)])
    assert (count(outcomes, True), count(outcomes, LifetimeLimitExceeded)) == (3, 9), outcomes
    assert balance("escrow") == 90_000


def test_money_that_crosses_between_wallets_never_blocks_or_gets_lost(app: Flask, make: Factories) -> None:
    one, other = fund(make.user(), 10_000), fund(make.user(), 10_000)
    there = [lambda number=number: move(f"there:{number}", one, other, 10) for number in range(15)]
    back = [lambda number=number: move(f"back:{number}", other, one, 7) for number in range(15)]
    outcomes = at_once(app, [*there, *back])
    assert count(outcomes, True) == 30, outcomes
    assert (balance(one), balance(other)) == (10_000 - 150 + 105, 10_000 + 150 - 105)


def test_accounts_first_named_at_once_are_opened_once(app: Flask, make: Factories) -> None:
    outcomes = at_once(app, [lambda number=number: move(f"first:{number}", "provider", "escrow", 1) for number in range(12)])
    assert count(outcomes, True) == 12, outcomes
    assert sorted(reading().scalars(sa.select(LedgerAccount.code))) == ["escrow", "provider"]
    assert reading().scalar(sa.select(sa.func.count()).select_from(Transfer)) == 12


def test_parallel_guesses_of_a_pin_get_five_tries(app: Flask, make: Factories) -> None:
    user = make.user()
    fund(user)
    actor = actor_of(user)
    guesses = [f"{135790 + number}" for number in range(40)]
    outcomes = at_once(app, [lambda guess=guess: perform(operations.check_pin, actor, guess).result for guess in guesses])
    assert (count(outcomes, PinResult.WRONG), count(outcomes, PinResult.LOCKED)) == (4, 36), outcomes
    assert perform(operations.check_pin, actor, PIN).result is PinResult.LOCKED


def test_a_payment_settled_by_many_at_once_pays_once(app: Flask, make: Factories) -> None:
    shop = Shopping(make, merchants=1)
    shop.goods("oranges", price=2_500)
    payment_id = shop.buy(shop.buyer(), {"oranges": 1}, PaymentMethod.STRIPE).payment_id
    paid = Snapshot(Stage.SUCCEEDED, Money(2_500), intent="pi_1", fee=Money(73))
    outcomes = at_once(app, [lambda: perform(settlement.apply, payment_id, paid) for _ in range(20)])
    assert (count(outcomes, Outcome.PAID), count(outcomes, Outcome.KNOWN)) == (1, 19), outcomes
    assert (balance("escrow"), balance("provider_fee")) == (2_500, -73)


def test_refunds_at_once_never_exceed_the_payment(app: Flask, make: Factories) -> None:
    shop = Shopping(make, merchants=1)
    shop.goods("oranges", price=1_000)
    payment_id = shop.buy(shop.buyer(), {"oranges": 1}).payment_id

    def give_back(number: int) -> Refund:
        return perform(payments.open_refund, payment_id=payment_id, cause=f"r:{number}", amount=Money(300), reason="test")

    outcomes = at_once(app, [lambda number=number: give_back(number) for number in range(12)])
    assert (count(outcomes, Refund), count(outcomes, RefundTooLarge)) == (3, 9), outcomes
    assert balance("escrow") == 100
