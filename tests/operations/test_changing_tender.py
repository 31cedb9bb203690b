"""An order that waits for its payment is paid another way: once, and everything else goes back."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.models.orders import PaymentMethod, Purchase, PurchaseState
from shop.models.payments import Payment, PaymentState
from shop.models.platform import Job
from shop.orders import operations as orders
from shop.orders import paying
from shop.payments import operations as payments
from shop.payments.errors import AlreadyPaid, MethodUnavailable, PaymentClosed, PaymentUnderWay
from shop.payments.snapshots import Snapshot, Stage
from shop.settlement import operations as settlement
from shop.settlement.operations import Outcome
from shop.wallet.errors import InsufficientFunds, ProofMissing, WrongPin
from shop.wallet.rules import Proof
from tests.support.books import assert_books_are_right
from tests.support.factories import Factories, actor_of
from tests.support.money import PIN, balance
from tests.support.shopping import Shopping, stock_of


def states() -> list[tuple[PaymentMethod, PaymentState, bool]]:
    reading().rollback()
    found = sa.select(Payment.method, Payment.state, Payment.pays_purchase).order_by(Payment.id)
    return [(method, state, pays) for method, state, pays in reading().execute(found)]


def purchase() -> Purchase:
    reading().rollback()
    return reading().scalars(sa.select(Purchase)).one()


WAITS = (PaymentMethod.STRIPE, PaymentState.CREATED, False)
GIVEN_UP = (PaymentMethod.STRIPE, PaymentState.CANCELLED, False)
PAID = (PaymentMethod.WALLET, PaymentState.SUCCEEDED, True)


def test_a_card_order_is_paid_from_the_wallet_once(make: Factories) -> None:
    shop = Shopping(make)
    oranges = shop.goods("oranges", price=2_500, on_hand=5)
    buyer = shop.buyer(10_000)
    placed = shop.buy(buyer, {"oranges": 2}, PaymentMethod.STRIPE)
    for _click in range(2):
        assert perform(orders.pay_from_wallet, actor_of(buyer), placed.number, Proof(buyer.id)) == placed.number
    assert (purchase().state, purchase().method) == (PurchaseState.PAID, PaymentMethod.WALLET)
    assert states() == [GIVEN_UP, PAID]
    assert (balance(f"wallet:{buyer.id}"), balance("escrow"), stock_of(oranges)) == (5_000, 5_000, (3, 0))
    assert_books_are_right(leave_out=("plumbing.",))


def test_money_that_still_comes_by_card_goes_back(make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges", price=2_500)
    buyer = shop.buyer(10_000)
    placed = shop.buy(buyer, {"oranges": 1}, PaymentMethod.STRIPE)
    perform(payments.keep_session, placed.payment_id, "cs_1", "https://pay.example/1")
    perform(orders.pay_from_wallet, actor_of(buyer), placed.number, Proof(buyer.id))
    assert states() == [WAITS, PAID], "a page that is open is closed by a job, not by whoever pays"
    assert "settlement.close" in waiting_jobs()
    came = Snapshot(Stage.SUCCEEDED, Money(2_500), intent="pi_1", fee=Money(25))
    assert perform(settlement.apply, placed.payment_id, came) is Outcome.RETURNED
    assert perform(settlement.apply, placed.payment_id, came) is Outcome.KNOWN
    assert states() == [(PaymentMethod.STRIPE, PaymentState.SUCCEEDED, False), PAID]
    assert (balance("escrow"), balance("refund_due"), balance("suspense")) == (2_500, 2_500, 0)
    assert_books_are_right(leave_out=("plumbing.",))


def waiting_jobs() -> list[str]:
    return list(reading().scalars(sa.select(Job.kind)))


@pytest.mark.parametrize("stage", [Stage.CANCELLED, Stage.FAILED])
def test_the_page_that_closes_afterwards_ends_nothing_else(make: Factories, stage: Stage) -> None:
    shop = Shopping(make)
    shop.goods("oranges", price=2_500)
    buyer = shop.buyer(10_000)
    placed = shop.buy(buyer, {"oranges": 1}, PaymentMethod.STRIPE)
    perform(payments.keep_session, placed.payment_id, "cs_1", "https://pay.example/1")
    perform(orders.pay_from_wallet, actor_of(buyer), placed.number, Proof(buyer.id))
    perform(settlement.apply, placed.payment_id, Snapshot(stage, Money(2_500)))
    assert (purchase().state, balance("escrow")) == (PurchaseState.PAID, 2_500)


def test_what_is_refused_changes_nothing(make: Factories) -> None:
    shop = Shopping(make)
    oranges = shop.goods("oranges", price=2_500)
    buyer, poor = shop.buyer(10_000), shop.buyer(2_499)
    placed = shop.buy(buyer, {"oranges": 1}, PaymentMethod.STRIPE)
    theirs = shop.buy(poor, {"oranges": 1}, PaymentMethod.STRIPE)
    for actor, number, proof, refusal in (
        (buyer, theirs.number, Proof(buyer.id), NotFound), (buyer, "L000000-NOTHERE1", Proof(buyer.id), NotFound),
        (buyer, placed.number, None, ProofMissing), (poor, theirs.number, Proof(poor.id), InsufficientFunds),
    ):  # fmt: skip
        with pytest.raises(refusal):
            perform(orders.pay_from_wallet, actor_of(actor), number, proof)
    with pytest.raises(WrongPin):
        paying.pay(actor_of(buyer), placed.number, PaymentMethod.WALLET, "000001")
    with pytest.raises(MethodUnavailable):
        paying.pay(actor_of(buyer), placed.number, PaymentMethod.CASH, PIN)
    assert states() == [WAITS, WAITS]
    assert (balance(f"wallet:{buyer.id}"), balance("escrow"), stock_of(oranges)[1]) == (10_000, 0, 2)


def test_an_order_that_is_over_is_not_paid_any_more(make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges", price=2_500)
    buyer = shop.buyer(10_000)
    late, cancelled, by_card = (shop.buy(buyer, {"oranges": 1}, PaymentMethod.STRIPE) for _order in range(3))
    perform(orders.cancel, actor_of(buyer), cancelled.number)
    perform(settlement.apply, by_card.payment_id, Snapshot(Stage.SUCCEEDED, Money(2_500), intent="pi_1", fee=Money(25)))
    with pytest.raises(AlreadyPaid):
        perform(orders.pay_from_wallet, actor_of(buyer), by_card.number, Proof(buyer.id))
    clock.move(timedelta(minutes=32))
    for number in (late.number, cancelled.number):
        with pytest.raises(PaymentClosed):
            perform(orders.pay_from_wallet, actor_of(buyer), number, Proof(buyer.id))
    assert balance(f"wallet:{buyer.id}") == 10_000


def test_while_a_bank_works_on_the_card_the_wallet_waits(make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges", price=2_500)
    buyer = shop.buyer(10_000)
    placed = shop.buy(buyer, {"oranges": 1}, PaymentMethod.STRIPE)
    with transaction() as session:
        session.execute(sa.update(Payment).values(state=PaymentState.PROCESSING))
    with pytest.raises(PaymentUnderWay):
        perform(orders.pay_from_wallet, actor_of(buyer), placed.number, Proof(buyer.id))
    assert balance(f"wallet:{buyer.id}") == 10_000


def test_by_card_it_is_the_same_attempt_as_before(make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges", price=2_500)
    buyer = shop.buyer(0)
    placed = shop.buy(buyer, {"oranges": 1}, PaymentMethod.STRIPE)
    payment_id, _url = paying.pay(actor_of(buyer), placed.number, PaymentMethod.STRIPE)
    assert payment_id == placed.payment_id
