"""Money goes back to the tender it came from: once per cause, never more than remains."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.money import Money
from shop.models.orders import PaymentMethod
from shop.models.payments import Payment, Refund, RefundState
from shop.models.platform import AuditEntry, Notice
from shop.orders import operations as orders
from shop.payments import operations, refunding
from shop.payments.errors import NotRefundable, PaymentNotFound, RefundTooLarge
from shop.platform import outbox
from shop.settlement import inquiry, jobs
from tests.support.factories import Factories, actor_of
from tests.support.money import balance
from tests.support.provider import FAILING_REFUND_CARD, GOOD_CARD, SLOW_REFUND_CARD, CardProvider, payment_of
from tests.support.shopping import Shopping

pytestmark = pytest.mark.usefixtures("books_hold_afterwards")


def bought(make: Factories, method: PaymentMethod) -> tuple[Shopping, int]:
    """A purchase of 25.00; the shop and the payment's id."""
    shop = Shopping(make, merchants=1)
    shop.goods("oranges", price=2_500)
    return shop, shop.buy(shop.buyer(), {"oranges": 1}, method).payment_id


def paid_by_wallet(make: Factories) -> int:
    return bought(make, PaymentMethod.WALLET)[1]


def paid_by_card(make: Factories, stripe: CardProvider, card: str = GOOD_CARD) -> int:
    payment_id = bought(make, PaymentMethod.STRIPE)[1]
    stripe.pay(payment_id, card)
    inquiry.settle(payment_id)
    return payment_id


def refund(payment_id: int, cause: str, fen: int) -> Refund:
    return perform(operations.open_refund, payment_id=payment_id, cause=cause, amount=Money(fen), reason="weighed less")


def state_of(refund_id: int) -> RefundState:
    reading().rollback()
    return reading().get_one(Refund, refund_id).state


def test_a_wallet_gets_its_money_back_at_once(make: Factories) -> None:
    payment_id = paid_by_wallet(make)
    made = refund(payment_id, "line:1:weighed", 300)
    wallet = f"wallet:{payment_of(payment_id).user_id}"
    assert (made.state, balance("escrow"), balance(wallet)) == (RefundState.SUCCEEDED, 2_200, 100_000 - 2_200)
    assert payment_of(payment_id).refunded_amount == Money(300)


def test_the_same_cause_is_one_refund(make: Factories) -> None:
    payment_id = paid_by_wallet(make)
    assert refund(payment_id, "once", 300).id == refund(payment_id, "once", 300).id
    assert (balance("escrow"), payment_of(payment_id).refunded_amount) == (2_200, Money(300))


def test_refunds_never_exceed_the_payment(make: Factories) -> None:
    payment_id = paid_by_wallet(make)
    refund(payment_id, "a", 2_000)
    with pytest.raises(RefundTooLarge) as refused:
        refund(payment_id, "b", 501)
    assert refused.value.details["left"] == Money(500)
    assert (balance("escrow"), reading().scalar(sa.select(sa.func.count()).select_from(Refund))) == (500, 1)
    refund(payment_id, "c", 500)
    assert balance("escrow") == 0


def test_what_was_not_paid_is_not_given_back(make: Factories) -> None:
    _shop, payment_id = bought(make, PaymentMethod.STRIPE)
    with pytest.raises(NotRefundable):
        refund(payment_id, "a", 1)
    with pytest.raises(PaymentNotFound):
        refund(4711, "b", 1)
    assert reading().scalar(sa.select(sa.func.count()).select_from(Refund)) == 0


def test_a_card_gets_its_money_back_through_the_provider(make: Factories, stripe: CardProvider) -> None:
    payment_id = paid_by_card(make, stripe)
    made = refund(payment_id, "line:1:weighed", 300)
    assert (made.state, balance("escrow"), balance("refund_due")) == (RefundState.REQUESTED, 2_200, 300)
    outbox.run_due()
    assert (state_of(made.id), balance("refund_due"), balance("provider")) == (RefundState.SUCCEEDED, 0, -2_427 + 300)


def test_a_refund_whose_answer_was_lost_is_not_sent_twice(make: Factories, stripe: CardProvider) -> None:
    payment_id = paid_by_card(make, stripe)
    made = refund(payment_id, "a", 300)
    stripe.account.control(fail_next={"path_prefix": "/v1/refunds", "drop_answer": True, "count": 2})
    outbox.run_due()
    assert state_of(made.id) is RefundState.REQUESTED
    clock.move(timedelta(minutes=1))
    outbox.run_due()
    assert state_of(made.id) is RefundState.SUCCEEDED
    (sent,) = stripe.account.client().v1.refunds.list().data
    assert sent.amount == 300


def test_a_slow_refund_is_finished_when_the_provider_says_so(make: Factories, stripe: CardProvider) -> None:
    stripe.account.control(settle_ms=60_000)
    payment_id = paid_by_card(make, stripe, SLOW_REFUND_CARD)
    made = refund(payment_id, "a", 300)
    outbox.run_due()
    assert (state_of(made.id), balance("refund_due")) == (RefundState.SENT, 300)
    reading().rollback()
    stripe.account.control("/settle", refund=reading().get_one(Refund, made.id).provider_ref, outcome="succeeded")
    clock.move(timedelta(seconds=61))
    jobs.give_back()
    assert (state_of(made.id), balance("refund_due")) == (RefundState.SUCCEEDED, 0)


def test_a_refund_the_bank_refuses_is_held_for_its_owner(make: Factories, stripe: CardProvider) -> None:
    stripe.account.control(settle_ms=60_000)
    payment_id = paid_by_card(make, stripe, FAILING_REFUND_CARD)
    made = refund(payment_id, "a", 300)
    outbox.run_due()
    reading().rollback()
    stripe.account.control("/settle", refund=reading().get_one(Refund, made.id).provider_ref, outcome="failed")
    clock.move(timedelta(seconds=61))
    jobs.give_back()
    assert (state_of(made.id), balance("refund_due"), balance("escrow")) == (RefundState.FAILED, 0, 2_500)
    assert payment_of(payment_id).refunded_amount == Money(0)
    assert reading().scalar(sa.select(sa.func.count()).where(AuditEntry.action == "refund.failed")) == 1
    assert reading().scalar(sa.select(Notice.kind).order_by(Notice.id.desc())) == "payment.refund_failed"
    again = refund(payment_id, "a:again", 300)
    assert again.state is RefundState.REQUESTED


def test_a_refund_that_comes_back_later_is_held_again(make: Factories) -> None:
    _shop, payment_id = bought(make, PaymentMethod.STRIPE)
    perform(operations.succeed, payment_id, intent="pi_1")
    made = refund(payment_id, "a", 300)
    assert perform(operations.settle_refund, made.id, True, "re_1")
    assert not perform(operations.settle_refund, made.id, True, "re_1")
    assert (balance("refund_due"), balance("provider"), balance("escrow")) == (0, 300, -300)
    assert perform(operations.settle_refund, made.id, False, "re_1", "expired_or_canceled_card")
    assert not perform(operations.settle_refund, made.id, False, "re_1", "expired_or_canceled_card")
    assert (balance("refund_due"), balance("provider"), balance("escrow")) == (0, 0, 0)
    assert (state_of(made.id), payment_of(payment_id).refunded_amount) == (RefundState.FAILED, Money(0))


def test_a_definite_no_of_the_provider_ends_the_refund(make: Factories, stripe: CardProvider) -> None:
    payment_id = paid_by_card(make, stripe)
    made = refund(payment_id, "a", 300)
    stripe.account.control("/dispute", payment_intent=payment_of(payment_id).provider_intent)
    outbox.run_due()
    reading().rollback()
    refused = reading().get_one(Refund, made.id)
    assert (refused.state, refused.failure_code, refused.handed_over_at) == (RefundState.FAILED, "charge_disputed", refused.settled_at)
    assert (balance("refund_due"), balance("escrow")) == (0, 2_500)


def test_cash_waits_for_the_till(make: Factories) -> None:
    shop = Shopping(make, merchants=1)
    shop.goods("oranges", price=2_500)
    placed = shop.buy(shop.buyer(), {"oranges": 1}, PaymentMethod.STRIPE)
    with_cash = perform(operations.succeed, placed.payment_id)
    assert with_cash
    perform(orders.mark_paid, actor_of(shop.buyer()), placed.purchase_id, placed.payment_id, f"cash:{shop.point.id}")
    perform(_as_cash, placed.payment_id)
    made = refund(placed.payment_id, "a", 500)
    outbox.run_due()
    assert (made.state, balance("refund_due"), balance(f"cash:{shop.point.id}")) == (RefundState.REQUESTED, 500, -2_500)
    perform(operations.settle_refund, made.id, True)
    assert (balance("refund_due"), balance(f"cash:{shop.point.id}")) == (0, -2_000)


def _as_cash(session: sa.orm.Session, payment_id: int) -> None:
    session.execute(sa.update(Payment).where(Payment.id == payment_id).values(method=PaymentMethod.CASH))


def test_nothing_is_sent_for_a_refund_that_is_done_or_unknown(make: Factories, stripe: CardProvider) -> None:
    payment_id = paid_by_card(make, stripe)
    made = refund(payment_id, "a", 300)
    outbox.run_due()
    for again in (made.id, 4711):
        refunding.carry_on(again)
    assert len(stripe.account.client().v1.refunds.list().data) == 1
    assert not perform(operations.settle_refund, 4711, True)


def test_a_card_refund_without_an_intent_waits_for_a_person(make: Factories) -> None:
    _shop, payment_id = bought(make, PaymentMethod.STRIPE)
    perform(operations.succeed, payment_id)
    made = refund(payment_id, "a", 300)
    inquiry.carry_on(made.id)
    assert (state_of(made.id), balance("refund_due"), balance("escrow")) == (RefundState.FAILED, 0, 0)
