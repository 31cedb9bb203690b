"""Money arrives: by event, by the page a buyer comes back to, by the reconciler; once each, late, twice, wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.kernel.money import Money
from shop.models.orders import PaymentMethod, Purchase, PurchaseState
from shop.models.payments import Payment, PaymentPurpose, PaymentState, Refund, RefundState
from shop.models.platform import AuditEntry, Notice
from shop.orders import operations as orders
from shop.payments import operations as payments
from shop.payments.checkout import open_session
from shop.payments.errors import CardMinimum, PaymentClosed, PaymentNotFound, ProviderUnavailable
from shop.payments.foreign import amount_of
from shop.payments.snapshots import Snapshot, Stage
from shop.platform import outbox
from shop.settlement import inquiry, jobs, operations
from shop.settlement.operations import Outcome
from shop.wallet.errors import WalletNotOpen
from tests.support.factories import Factories, actor_of
from tests.support.money import balance, fund
from tests.support.provider import DECLINED_CARD, SECURE_CARD, CardProvider, payment_of
from tests.support.shopping import Shopping, stock_of

pytestmark = pytest.mark.usefixtures("books_hold_afterwards")


class Bought:
    """A purchase of 25.00 from two merchants that waits for its card payment."""

    def __init__(self, make: Factories, on_hand: int = 3) -> None:
        self.shop = Shopping(make)
        self.oranges = self.shop.goods("oranges", price=1_000, on_hand=on_hand)
        self.rice = self.shop.goods("rice", merchant=1, price=1_500)
        self.buyer = self.shop.buyer()
        self.placed = self.shop.buy(self.buyer, {"oranges": 1, "rice": 1}, PaymentMethod.STRIPE)
        self.payment_id = self.placed.payment_id

    @property
    def state(self) -> PurchaseState:
        reading().rollback()
        return reading().get_one(Purchase, self.placed.purchase_id).state


@pytest.fixture
def bought(make: Factories) -> Bought:
    return Bought(make)


def arrived(fen: int = 2_500, currency: str = "CNY", intent: str = "pi_1", fee: int | None = 73) -> Snapshot:
    return Snapshot(Stage.SUCCEEDED, amount_of(fen, currency), intent, Money(fee) if fee is not None else None)


def apply(payment_id: int, snapshot: Snapshot) -> Outcome:
    return perform(operations.apply, payment_id, snapshot)


def refunds() -> list[Refund]:
    reading().rollback()
    return list(reading().scalars(sa.select(Refund).order_by(Refund.id)))


def actions() -> list[str]:
    reading().rollback()
    return list(reading().scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)))


def expire(bought: Bought) -> None:
    """The buyer never paid; the provider has closed the page."""
    assert apply(bought.payment_id, Snapshot(Stage.CANCELLED, Money(2_500))) is Outcome.ENDED


def test_a_card_payment_pays_the_purchase(bought: Bought, stripe: CardProvider) -> None:
    assert stripe.pay(bought.payment_id).status_code == 303
    assert inquiry.settle(bought.payment_id) is Outcome.PAID
    payment = payment_of(bought.payment_id)
    assert (payment.state, payment.provider_fee, bought.state) == (PaymentState.SUCCEEDED, Money(73), PurchaseState.PAID)
    assert payment.provider_intent is not None
    assert (balance("escrow"), balance("provider"), balance("provider_fee")) == (2_500, -2_427, -73)
    assert stock_of(bought.oranges) == (2, 0)


def test_settling_again_changes_nothing(bought: Bought, stripe: CardProvider) -> None:
    stripe.pay(bought.payment_id)
    assert [inquiry.settle(bought.payment_id) for _ in range(3)] == [Outcome.PAID, Outcome.KNOWN, Outcome.KNOWN]
    assert (balance("escrow"), balance("provider_fee")) == (2_500, -73)


def test_the_page_is_the_same_however_often_it_is_asked_for(bought: Bought, stripe: CardProvider) -> None:
    first = open_session(bought.payment_id)
    assert open_session(bought.payment_id) == first
    assert len([call for call in stripe.account.look("/log")["requests"] if call["path"] == "/v1/checkout/sessions"]) == 1


def test_a_page_whose_answer_was_lost_is_found_again(bought: Bought, stripe: CardProvider) -> None:
    stripe.account.control(fail_next={"path_prefix": "/v1/checkout/sessions", "drop_answer": True, "count": 2})
    with pytest.raises(ProviderUnavailable):
        open_session(bought.payment_id)
    assert payment_of(bought.payment_id).provider_session is None
    url = open_session(bought.payment_id)
    assert stripe.pay(bought.payment_id).status_code == 303
    assert url.rsplit("/", 1)[1] == payment_of(bought.payment_id).provider_session
    assert inquiry.settle(bought.payment_id) is Outcome.PAID
    assert len(stripe.account.client().v1.payment_intents.list().data) == 1


def test_a_declined_card_leaves_the_purchase_waiting(bought: Bought, stripe: CardProvider) -> None:
    assert stripe.pay(bought.payment_id, DECLINED_CARD).status_code == 402
    assert inquiry.settle(bought.payment_id) is Outcome.WAITING
    assert (payment_of(bought.payment_id).state, bought.state) == (PaymentState.CREATED, PurchaseState.AWAITING_PAYMENT)
    assert stripe.pay(bought.payment_id).status_code == 303
    assert inquiry.settle(bought.payment_id) is Outcome.PAID


def test_a_card_that_asks_for_more_is_waited_for(bought: Bought, stripe: CardProvider) -> None:
    stripe.pay(bought.payment_id, SECURE_CARD)
    assert inquiry.settle(bought.payment_id) is Outcome.WAITING
    assert payment_of(bought.payment_id).state is PaymentState.REQUIRES_ACTION


def test_a_bank_that_takes_its_time_is_shown_as_processing(bought: Bought, stripe: CardProvider) -> None:
    stripe.account.control(payments="async", settle_ms=60_000)
    stripe.pay(bought.payment_id)
    assert inquiry.settle(bought.payment_id) is Outcome.WAITING
    assert payment_of(bought.payment_id).state is PaymentState.PROCESSING
    stripe.account.control("/settle", payment_intent=payment_of(bought.payment_id).provider_intent, outcome="succeeded")
    assert inquiry.settle(bought.payment_id) is Outcome.PAID


def test_a_bank_that_says_no_after_all_ends_the_attempt(bought: Bought, stripe: CardProvider) -> None:
    stripe.account.control(payments="async", settle_ms=60_000)
    stripe.pay(bought.payment_id)
    inquiry.settle(bought.payment_id)
    stripe.account.control("/settle", payment_intent=payment_of(bought.payment_id).provider_intent, outcome="failed")
    assert inquiry.settle(bought.payment_id) is Outcome.ENDED
    assert (payment_of(bought.payment_id).state, bought.state) == (PaymentState.FAILED, PurchaseState.AWAITING_PAYMENT)
    again = perform(orders.payment_to_continue, actor_of(bought.buyer), bought.placed.number)
    assert again != bought.payment_id
    stripe.account.control(payments="sync")
    stripe.pay(again)
    assert (inquiry.settle(again), bought.state, balance("escrow")) == (Outcome.PAID, PurchaseState.PAID, 2_500)


def test_a_provider_that_does_not_answer_changes_nothing(bought: Bought, stripe: CardProvider) -> None:
    stripe.pay(bought.payment_id)
    stripe.account.control(fail_next={"status": 500, "count": 5})
    with pytest.raises(ProviderUnavailable):
        inquiry.settle(bought.payment_id)
    assert (payment_of(bought.payment_id).state, bought.state) == (PaymentState.CREATED, PurchaseState.AWAITING_PAYMENT)


def test_the_reconciler_finds_what_no_event_told(bought: Bought, stripe: CardProvider) -> None:
    stripe.pay(bought.payment_id)
    jobs.reconcile()
    assert bought.state is PurchaseState.AWAITING_PAYMENT, "it gives the event a minute"
    clock.move(timedelta(seconds=61))
    jobs.reconcile()
    assert bought.state is PurchaseState.PAID


def test_an_unpaid_purchase_is_closed_at_the_provider_before_its_goods_are_let_go(bought: Bought, stripe: CardProvider) -> None:
    open_session(bought.payment_id)
    assert stock_of(bought.oranges) == (3, 1)
    clock.move(timedelta(minutes=31))
    jobs.close_overdue()
    assert (payment_of(bought.payment_id).state, bought.state) == (PaymentState.CANCELLED, PurchaseState.EXPIRED)
    assert stock_of(bought.oranges) == (3, 0)
    page = stripe.account.client().v1.checkout.sessions.retrieve(str(payment_of(bought.payment_id).provider_session))
    assert page.status == "expired"


def test_goods_stay_held_while_the_provider_cannot_be_asked(bought: Bought, stripe: CardProvider) -> None:
    open_session(bought.payment_id)
    clock.move(timedelta(minutes=31))
    stripe.account.control(fail_next={"status": 500, "count": 5})
    jobs.close_overdue()
    assert (bought.state, stock_of(bought.oranges)) == (PurchaseState.AWAITING_PAYMENT, (3, 1))


def test_money_that_came_at_the_last_moment_is_not_lost_by_closing(bought: Bought, stripe: CardProvider) -> None:
    stripe.pay(bought.payment_id)
    clock.move(timedelta(minutes=31))
    jobs.close_overdue()
    assert (bought.state, balance("escrow")) == (PurchaseState.PAID, 2_500)


def test_a_payment_without_a_page_ends_without_asking(bought: Bought) -> None:
    clock.move(timedelta(minutes=31))
    jobs.close_overdue()
    assert (payment_of(bought.payment_id).state, bought.state) == (PaymentState.CANCELLED, PurchaseState.EXPIRED)


def test_a_purchase_whose_attempts_all_failed_runs_out(bought: Bought) -> None:
    apply(bought.payment_id, Snapshot(Stage.FAILED, Money(2_500), failure_code="card_declined"))
    jobs.close_overdue()
    assert bought.state is PurchaseState.AWAITING_PAYMENT
    clock.move(timedelta(minutes=31))
    jobs.close_overdue()
    assert (bought.state, stock_of(bought.oranges)) == (PurchaseState.EXPIRED, (3, 0))


def test_a_closed_payment_gets_no_page(bought: Bought, stripe: CardProvider) -> None:
    expire(bought)
    with pytest.raises(PaymentClosed):
        open_session(bought.payment_id)


def test_money_that_comes_late_brings_the_order_back_while_goods_are_there(bought: Bought) -> None:
    expire(bought)
    assert bought.state is PurchaseState.EXPIRED
    assert apply(bought.payment_id, arrived()) is Outcome.PAID
    assert (bought.state, balance("escrow"), stock_of(bought.oranges)) == (PurchaseState.PAID, 2_500, (2, 0))
    assert refunds() == []


def test_money_that_comes_too_late_goes_back_in_full(bought: Bought) -> None:
    expire(bought)
    other = bought.shop.buyer()
    bought.shop.buy(other, {"oranges": 3})
    assert apply(bought.payment_id, arrived()) is Outcome.RETURNED
    (refund,) = refunds()
    assert (refund.amount, refund.state, refund.payment_id) == (Money(2_500), RefundState.REQUESTED, bought.payment_id)
    assert bought.state is PurchaseState.EXPIRED
    assert (balance("suspense"), balance("refund_due"), balance("escrow")) == (0, 2_500, 3_000)
    assert reading().scalar(sa.select(Notice.kind).where(Notice.user_id == bought.buyer.id).order_by(Notice.id.desc())) == "payment.late"
    assert apply(bought.payment_id, arrived()) is Outcome.KNOWN
    assert len(refunds()) == 1


def test_too_late_for_real_the_provider_gives_the_money_back(bought: Bought, stripe: CardProvider) -> None:
    stripe.pay(bought.payment_id)
    expire(bought)
    bought.shop.buy(bought.shop.buyer(), {"oranges": 3})
    assert inquiry.settle(bought.payment_id) is Outcome.RETURNED
    outbox.run_due()
    (refund,) = refunds()
    assert refund.state is RefundState.SUCCEEDED
    assert (balance("refund_due"), balance("provider")) == (0, 73)  # the provider keeps its fee
    assert (balance("suspense"), balance("provider_fee")) == (0, -73)


def test_money_for_a_purchase_its_buyer_cancelled_goes_back(bought: Bought) -> None:
    perform(orders.cancel, actor_of(bought.buyer), bought.placed.number)
    assert apply(bought.payment_id, arrived()) is Outcome.RETURNED
    assert (bought.state, len(refunds())) == (PurchaseState.CANCELLED, 1)


def test_cancelling_an_unpaid_purchase_closes_its_page(bought: Bought, stripe: CardProvider) -> None:
    open_session(bought.payment_id)
    perform(orders.cancel, actor_of(bought.buyer), bought.placed.number)
    outbox.run_due()
    assert payment_of(bought.payment_id).state is PaymentState.CANCELLED
    page = stripe.account.client().v1.checkout.sessions.retrieve(str(payment_of(bought.payment_id).provider_session))
    assert page.status == "expired"


def test_a_purchase_paid_twice_gives_the_second_payment_back(bought: Bought) -> None:
    apply(bought.payment_id, Snapshot(Stage.FAILED, Money(2_500)))
    again = perform(orders.payment_to_continue, actor_of(bought.buyer), bought.placed.number)
    assert apply(again, arrived()) is Outcome.PAID
    assert apply(bought.payment_id, arrived(intent="pi_2")) is Outcome.RETURNED
    assert (balance("escrow"), [refund.payment_id for refund in refunds()]) == (2_500, [bought.payment_id])


@pytest.mark.parametrize(("fen", "currency"), [(2_499, "CNY"), (2_501, "CNY"), (250_000, "CNY"), (2_500, "USD"), (1, "CNY")])
def test_a_wrong_amount_or_currency_is_never_paid(bought: Bought, fen: int, currency: str) -> None:
    assert apply(bought.payment_id, arrived(fen, currency)) is Outcome.REJECTED
    payment = payment_of(bought.payment_id)
    assert (payment.state, payment.failure_code, bought.state) == (PaymentState.FAILED, "amount_mismatch", PurchaseState.AWAITING_PAYMENT)
    assert balance("escrow") == 0
    assert balance("suspense") == (fen if currency == "CNY" else 0)
    assert "payment.amount_mismatch" in actions()
    assert apply(bought.payment_id, arrived(fen, currency)) is Outcome.KNOWN
    assert actions().count("payment.amount_mismatch") == 1


def test_a_wrong_amount_goes_back(bought: Bought, stripe: CardProvider) -> None:
    open_session(bought.payment_id)
    with stripe.account.world.lock:
        session = stripe.account.world.store.entries["checkout.session"][str(payment_of(bought.payment_id).provider_session)]
        session["amount_total"] = 2_400
    stripe.pay(bought.payment_id)
    assert inquiry.settle(bought.payment_id) is Outcome.REJECTED
    assert balance("suspense") == 2_400
    outbox.run_due()
    assert (balance("suspense"), balance("provider")) == (0, 0)
    payment = payment_of(bought.payment_id)
    intent = stripe.account.client().v1.payment_intents.retrieve(str(payment.provider_intent), {"expand": ["latest_charge"]})
    assert intent.latest_charge.amount_refunded == 2_400  # type: ignore[union-attr]


def test_a_top_up_arrives_in_the_wallet(make: Factories, stripe: CardProvider) -> None:
    buyer = make.user()
    fund(buyer)
    payment = perform(operations.start_top_up, actor_of(buyer), Money(10_000))
    assert perform(operations.start_top_up, actor_of(buyer), Money(10_000)).id == payment.id, "a double click is one payment"
    stripe.pay(payment.id)
    assert inquiry.settle(payment.id) is Outcome.PAID
    assert (balance(f"wallet:{buyer.id}"), balance("provider"), balance("provider_fee")) == (10_000, -9_710, -290)


def test_a_fee_that_is_known_later_is_booked_once(bought: Bought) -> None:
    apply(bought.payment_id, arrived(fee=None))
    assert balance("provider_fee") == 0
    for _again in range(2):
        apply(bought.payment_id, arrived(fee=73))
    assert balance("provider_fee") == -73


def test_nothing_is_booked_for_a_payment_nobody_knows(app: Flask) -> None:
    with pytest.raises(PaymentNotFound):
        apply(4711, arrived())
    assert reading().scalar(sa.select(sa.func.count()).select_from(Payment)) == 0


def test_a_payment_that_is_not_the_purchases_total_goes_back(bought: Bought) -> None:
    with transaction() as session:
        session.execute(sa.update(Payment).where(Payment.id == bought.payment_id).values(amount=Money(2_400)))
    assert apply(bought.payment_id, arrived(2_400)) is Outcome.RETURNED
    assert (bought.state, balance("escrow"), balance("refund_due")) == (PurchaseState.AWAITING_PAYMENT, 0, 2_400)
    with transaction() as session:
        session.execute(sa.update(Payment).where(Payment.id == bought.payment_id).values(amount=bought.placed.total))


def test_there_is_nothing_to_ask_about_a_wallet_payment(make: Factories, stripe: CardProvider) -> None:
    shop = Shopping(make, merchants=1)
    shop.goods("oranges", price=1_000)
    payment_id = shop.buy(shop.buyer(), {"oranges": 1}).payment_id
    assert (inquiry.settle(payment_id), inquiry.close(payment_id), inquiry.close(4711)) == (Outcome.KNOWN, Outcome.KNOWN, Outcome.KNOWN)
    assert stripe.account.look("/log")["requests"] == []


def test_a_top_up_nobody_paid_ends_with_its_time(make: Factories, stripe: CardProvider) -> None:
    buyer = make.user()
    fund(buyer)
    payment = perform(operations.start_top_up, actor_of(buyer), Money(10_000))
    other = perform(operations.start_top_up, actor_of(buyer), Money(20_000))
    open_session(payment.id)
    clock.move(timedelta(minutes=31))
    jobs.close_overdue()
    assert {payment_of(payment.id).state, payment_of(other.id).state} == {PaymentState.CANCELLED}


def test_a_page_opened_meanwhile_keeps_the_payment(bought: Bought, stripe: CardProvider) -> None:
    open_session(bought.payment_id)
    assert not perform(operations.close_unopened, bought.payment_id)
    assert (payment_of(bought.payment_id).state, bought.state) == (PaymentState.CREATED, PurchaseState.AWAITING_PAYMENT)


def test_a_purchase_waits_for_its_other_attempt(bought: Bought) -> None:
    apply(bought.payment_id, Snapshot(Stage.FAILED, Money(2_500)))
    perform(orders.payment_to_continue, actor_of(bought.buyer), bought.placed.number)
    clock.move(timedelta(minutes=31))
    assert not perform(operations.expire_purchase, bought.placed.purchase_id)
    assert bought.state is PurchaseState.AWAITING_PAYMENT


def test_a_wrong_amount_on_its_slow_way_back_is_asked_about_again(bought: Bought, stripe: CardProvider) -> None:
    open_session(bought.payment_id)
    with stripe.account.world.lock:
        stripe.account.world.store.entries["checkout.session"][str(payment_of(bought.payment_id).provider_session)]["amount_total"] = 2_400
    stripe.pay(bought.payment_id)
    inquiry.settle(bought.payment_id)
    stripe.account.control(refunds="async", settle_ms=600_000)
    assert not inquiry.return_mismatch(bought.payment_id)
    (sent,) = stripe.account.client().v1.refunds.list().data
    stripe.account.control("/settle", refund=sent.id, outcome="failed")
    for _again in range(2):
        assert inquiry.return_mismatch(bought.payment_id)
    assert (balance("suspense"), payment_of(bought.payment_id).return_refused) == (2_400, "lost_or_stolen_card")
    assert actions().count("payment.mismatch_kept") == 1


def test_a_wrong_currency_leaves_no_trace_in_fen(bought: Bought) -> None:
    apply(bought.payment_id, arrived(currency="USD"))
    perform(operations.mismatch_returned, bought.payment_id)
    assert (balance("suspense"), balance("provider")) == (0, 0)


def test_a_wrong_amount_without_an_intent_waits_for_a_person(bought: Bought) -> None:
    apply(bought.payment_id, Snapshot(Stage.SUCCEEDED, Money(1)))
    assert inquiry.return_mismatch(bought.payment_id)
    assert payment_of(bought.payment_id).return_refused == "no_intent"


def test_an_event_told_to_a_worker_twice_is_looked_into_once(stripe: CardProvider) -> None:
    perform(payments.receive_event, "stripe", "evt_1", "payment_intent.succeeded", "pi_unknown")
    outbox.run_due()
    asked = len(stripe.account.look("/log")["requests"])
    inquiry.handle_event(1)
    inquiry.handle_event(4711)
    assert len(stripe.account.look("/log")["requests"]) == asked == 1


def test_a_round_of_asking_ends_in_time_and_goes_on_after_a_failure(monkeypatch: pytest.MonkeyPatch, app: Flask) -> None:
    asked: list[int] = []

    def ask(number: int) -> None:
        asked.append(number)
        raise ProviderUnavailable()

    jobs.each(range(5), ask)
    assert sorted(asked) == [0, 1, 2, 3, 4]
    monkeypatch.setattr(jobs, "ROUND_SECONDS", -1.0)
    jobs.each(range(5), ask)
    assert len(asked) == 5


def test_less_than_the_provider_takes_is_refused(make: Factories) -> None:
    buyer = make.user()
    with pytest.raises(CardMinimum):
        perform(
            payments.start, actor_of(buyer), purpose=PaymentPurpose.TOP_UP, method=PaymentMethod.STRIPE, amount=Money(399)
        )
    with pytest.raises(WalletNotOpen):
        perform(operations.start_top_up, actor_of(buyer), Money(10_000))
    assert reading().scalar(sa.select(sa.func.count()).select_from(Payment)) == 0


def test_old_news_does_not_undo_a_payment(bought: Bought) -> None:
    apply(bought.payment_id, arrived(fee=None))
    for stage in (Stage.OPEN, Stage.REQUIRES_ACTION, Stage.PROCESSING, Stage.FAILED, Stage.CANCELLED):
        assert apply(bought.payment_id, Snapshot(stage, Money(2_500))) is Outcome.KNOWN
    assert apply(bought.payment_id, arrived(fee=None)) is Outcome.KNOWN
    assert (payment_of(bought.payment_id).state, bought.state) == (PaymentState.SUCCEEDED, PurchaseState.PAID)


def test_a_refund_somebody_made_by_hand_is_known_as_theirs(bought: Bought, stripe: CardProvider) -> None:
    stripe.pay(bought.payment_id)
    inquiry.settle(bought.payment_id)
    intent = str(payment_of(bought.payment_id).provider_intent)
    by_hand = stripe.account.client().v1.refunds.create({"payment_intent": intent, "amount": 400})
    perform(payments.receive_event, "stripe", "evt_1", "refund.created", by_hand.id)
    outbox.run_due()
    assert {refund.origin.value for refund in refunds()} == {"provider"}
    assert (sum(refund.amount.fen for refund in refunds()), balance("escrow")) == (400, 2_100)


def test_a_page_is_only_for_payments_there_are(app: Flask, stripe: CardProvider) -> None:
    with pytest.raises(PaymentNotFound):
        open_session(4711)
    assert stripe.account.look("/log")["requests"] == []
