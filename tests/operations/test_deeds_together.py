"""Several things happen to one order: weighing, what is missing, money given back elsewhere, refunds that fail. Every fen is somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.bills import operations as bills_operations
from shop.bills.operations import Wish
from shop.counter import operations as desk
from shop.fulfilment.errors import NothingLeftToPack
from shop.kernel import clock, ids
from shop.kernel.db import perform, reading
from shop.kernel.money import Money
from shop.models.bills import BillPayment, BillPaymentState
from shop.models.orders import OrderLine, PaymentMethod, SubOrder, SubOrderState
from shop.models.payments import Refund, RefundMethod, RefundState
from shop.models.stock import MovementKind, StockItem
from shop.orders import operations as orders
from shop.payments import operations as payments
from shop.platform import outbox
from shop.settlement import giving_back, inquiry, jobs
from shop.settlement.errors import NeedsAnother
from shop.stock import counting
from simulators.biller.channel import Channel
from tests.support import bills
from tests.support.books import assert_books_are_right
from tests.support.counter import Counter, end, state_of
from tests.support.factories import Factories, actor_of
from tests.support.money import balance, fund
from tests.support.provider import FAILING_REFUND_CARD, GOOD_CARD, CardProvider, payment_of


class ByCard:
    """An order of two fish (¥15.00 for 500 g each) and three rice (¥20.00) at one shop, ¥3.00 pick-up fee: ¥93.00 paid by card."""

    def __init__(self, make: Factories, stripe: CardProvider, card: str = GOOD_CARD) -> None:
        self.stripe, self.counter = stripe, Counter(make, merchants=1, pickup_fee=Money(300))
        self.fish = self.counter.goods("fish", price=1_500, by_weight=True, grams=500)
        self.rice = self.counter.goods("rice", price=2_000, on_hand=20)
        self.buyer = self.counter.buyer()
        placed = self.counter.buy(self.buyer, {"fish": 2, "rice": 3}, PaymentMethod.STRIPE)
        self.payment_id, self.number = placed.payment_id, placed.number
        stripe.pay(self.payment_id, card)
        inquiry.settle(self.payment_id)
        self.intent = str(payment_of(self.payment_id).provider_intent)
        self.part = reading().scalars(sa.select(SubOrder)).one()
        self.clerk = self.counter.clerk_of(self.part)
        perform(orders.accept, self.clerk, self.part.id)
        by_name = {line.name_en[:4]: line.id for line in reading().scalars(sa.select(OrderLine))}
        self.fish_line, self.rice_line = by_name["Fish"], by_name["Rice"]

    def weigh(self, grams: int, instead: int | None = None) -> int:
        return perform(orders.weigh_line, self.clerk, self.fish_line, grams, instead).fen

    def short(self, there: int) -> int:
        return perform(orders.short_line, self.clerk, self.rice_line, there, "frost").given_back.fen

    def by_hand(self, fen: int | None) -> None:
        made = self.stripe.account.control("/refund", payment_intent=self.intent, amount=fen)["id"]
        perform(payments.receive_event, "stripe", f"evt_{made}", "refund.created", made)
        outbox.run_due()

    def refunded(self) -> int:
        reading().rollback()
        return reading().scalars(sa.select(SubOrder.refunded_total)).one().fen

    def failed(self) -> list[str]:
        reading().rollback()
        left = (Refund.state == RefundState.FAILED, Refund.carried_on < Refund.amount)
        return list(reading().scalars(sa.select(Refund.ref).where(*left).order_by(Refund.id)))


def card_fails(stripe: CardProvider) -> None:
    """The refund that is on its way to the card comes back from the bank."""
    outbox.run_due()
    reading().rollback()
    sent = reading().scalars(sa.select(Refund.provider_ref).where(Refund.state == RefundState.SENT)).one()
    stripe.account.control("/settle", refund=sent, outcome="failed")
    clock.move(clock.shift() + timedelta(minutes=2))
    jobs.give_back()


def later() -> None:
    clock.move(clock.shift() + timedelta(minutes=2))
    jobs.give_back()
    jobs.look_through_refunds()
    outbox.run_due()


def test_a_weight_is_corrected_after_its_refund_had_failed_and_went_into_the_wallet(make: Factories, stripe: CardProvider) -> None:
    order = ByCard(make, stripe, FAILING_REFUND_CARD)
    assert order.weigh(900) == 300
    card_fails(stripe)
    (failed,) = order.failed()
    perform(giving_back.try_again, actor_of(make.user()), failed, RefundMethod.WALLET)
    assert order.weigh(800, 900) == 300
    assert (order.refunded(), balance("escrow")) == (600, 9_300 - 600)
    assert_books_are_right()


def test_units_that_were_missing_stay_given_back_once_when_their_refund_failed_and_went_on(make: Factories, stripe: CardProvider) -> None:
    order = ByCard(make, stripe, FAILING_REFUND_CARD)
    assert order.short(2) == 2_000
    card_fails(stripe)
    (failed,) = order.failed()
    perform(giving_back.try_again, actor_of(make.user()), failed, RefundMethod.WALLET)
    assert (order.refunded(), balance(f"wallet:{order.buyer.id}")) == (2_000, 102_000)
    assert_books_are_right()


@pytest.mark.parametrize("elsewhere", [9_000, 9_300])
def test_what_was_given_back_elsewhere_does_not_stop_the_scales(make: Factories, stripe: CardProvider, elsewhere: int) -> None:
    order = ByCard(make, stripe)
    order.by_hand(elsewhere)
    assert order.weigh(600) == min(1_200, 9_300 - elsewhere)
    assert order.short(1) == max(0, 9_300 - elsewhere - 1_200)
    with pytest.raises(NothingLeftToPack):
        order.counter.pack(order.part, fish=600)
    perform(orders.decline, order.clerk, order.part.id, "nothing left")
    later()
    assert (state_of(order.part), order.refunded(), balance("escrow")) == (SubOrderState.SHORT, 9_300, 0)
    assert_books_are_right()


@pytest.mark.parametrize("elsewhere", [9_300, 5_000])
def test_what_went_into_the_wallet_and_to_the_card_as_well_is_known(make: Factories, stripe: CardProvider, elsewhere: int) -> None:
    order = ByCard(make, stripe, FAILING_REFUND_CARD)
    perform(orders.decline, order.clerk, order.part.id, "frost")
    card_fails(stripe)
    (failed,) = order.failed()
    perform(giving_back.try_again, actor_of(make.user()), failed, RefundMethod.WALLET)
    assert balance(f"wallet:{order.buyer.id}") == 109_300
    order.by_hand(elsewhere)  # and somebody gives it back on the provider's pages
    later()
    inquiry.know_refunds(order.payment_id)
    reading().rollback()
    there = reading().scalars(sa.select(Refund).where(Refund.origin == "provider")).all()
    assert [row.amount.fen for row in there] == [elsewhere], "money left us a second time and nobody knows of it"
    assert all(row.handed_over_at is not None for row in there)
    assert (balance("suspense"), balance("escrow"), order.refunded()) == (-elsewhere, 0, 9_300)
    assert balance(f"wallet:{order.buyer.id}") == 109_300, "no machine takes it out of a wallet"
    assert_books_are_right()
    perform(payments.cover, actor_of(make.user()), there[0].ref)
    assert (balance("suspense"), balance(f"wallet:{order.buyer.id}")) == (0, 109_300 - elsewhere)
    assert_books_are_right()


def test_what_was_missing_is_no_longer_missing_once_nobody_waits_for_it(make: Factories) -> None:
    counter = Counter(make)
    rice = counter.goods("rice", price=2_000, on_hand=20)
    owner = counter.new_owner(counter.merchants[0])[1]
    (part,) = counter.ordered(counter.buyer(), {"rice": 5})
    perform(counting.adjust, owner, "rice", MovementKind.CORRECTION, 3, "count-1", sure=lambda _doubt: True)
    perform(counting.adjust, owner, "rice", MovementKind.RECEIVED, 10, "came-1", sure=lambda _doubt: True)
    item = reading().get_one(StockItem, rice.id, populate_existing=True)
    assert (item.on_hand, item.missing) == (10, 2)
    clock.move(timedelta(days=4))
    end()
    assert state_of(part) is SubOrderState.SHORT
    item = reading().get_one(StockItem, rice.id, populate_existing=True)
    assert (item.on_hand, item.missing) == (10, 0)
    assert_books_are_right()


@pytest.fixture
def biller(app: Flask) -> Iterator[Channel]:
    with bills.billers_running(app) as channel:
        yield channel


REFUSED = "5110000013"


def paid_by_card(make: Factories, stripe: CardProvider, *accounts: str, card: str = GOOD_CARD) -> list[BillPayment]:
    user = make.user()
    fund(user)
    views = [bills.add(user, "power", number) for number in accounts]
    wishes = [
        Wish(seen_total=view.total, request_key=ids.secret(), account_ref=view.account.ref, bill_refs=tuple(bill.ref for bill in view.due))
        for view in views
    ]
    made = perform(bills_operations.pay_together, actor_of(user), wishes, PaymentMethod.STRIPE, None)
    stripe.pay(made[0].paid_with_id or 0, card)
    inquiry.settle(made[0].paid_with_id or 0)
    return made


def give_back_there(stripe: CardProvider, payment_id: int, fen: int | None) -> None:
    intent = payment_of(payment_id).provider_intent
    made = stripe.account.control("/refund", payment_intent=intent, amount=fen)["id"]
    perform(payments.receive_event, "stripe", f"evt_{made}", "refund.created", made)
    inquiry.know_refunds(payment_id)


@pytest.mark.parametrize("elsewhere", [500, None])
def test_a_bill_the_biller_refuses_goes_back_without_what_was_given_back_elsewhere(
    biller: Channel, stripe: CardProvider, make: Factories, elsewhere: int | None
) -> None:
    (made,) = paid_by_card(make, stripe, REFUSED)
    give_back_there(stripe, made.paid_with_id or 0, elsewhere)
    bills.until_settled()
    assert bills.payment(made.ref).state is BillPaymentState.REFUNDED
    assert (balance("bill_hold"), balance("suspense"), balance("refund_due")) == (0, 0, 0)
    assert_books_are_right()


def test_of_two_bills_under_one_card_the_refused_one_goes_back_without_what_was_given_back_elsewhere(
    biller: Channel, stripe: CardProvider, make: Factories
) -> None:
    made = paid_by_card(make, stripe, REFUSED, "5110000015")
    give_back_there(stripe, made[0].paid_with_id or 0, made[1].total.fen + 100)
    bills.until_settled()
    assert [bills.payment(one.ref).state for one in made] == [BillPaymentState.REFUNDED, BillPaymentState.POSTED]
    assert (balance("bill_hold"), balance("refund_due"), balance("suspense")) == (0, 0, 0)
    assert payment_of(made[0].paid_with_id or 0).refunded_amount == made[0].total
    assert_books_are_right()


@pytest.fixture(autouse=True)
def slow_refunds(stripe: CardProvider) -> None:
    stripe.account.control(settle_ms=60_000)


@pytest.mark.parametrize("accounts", [(REFUSED,), (REFUSED, "5110000015")])
def test_a_refused_bill_whose_refund_fails_goes_into_the_wallet(
    biller: Channel, stripe: CardProvider, make: Factories, accounts: tuple[str, ...]
) -> None:
    made = paid_by_card(make, stripe, *accounts, card=FAILING_REFUND_CARD)
    bills.until_settled()
    card_fails(stripe)
    reading().rollback()
    refund = reading().scalars(sa.select(Refund)).one()
    assert refund.state is RefundState.FAILED
    assert_books_are_right()
    perform(giving_back.try_again, actor_of(make.user()), refund.ref, RefundMethod.WALLET)
    assert (balance(f"wallet:{made[0].user_id}"), balance("bill_hold")) == (made[0].total.fen, 0)
    assert_books_are_right()


def test_many_small_amounts_of_one_order_need_another_as_one_large_one_does(make: Factories, stripe: CardProvider) -> None:
    order = ByCard(make, stripe)
    staff = actor_of(make.user())

    def give(key: str, fen: int) -> bool:
        facts = {"key": key, "amount": Money(fen), "reason": "r", "alone_up_to": Money(2_000)}
        return perform(giving_back.give_part_back, staff, order.part.number, **facts)

    assert give("a", 1_200)
    assert not give("a", 1_200), "a double click is told that it was done"
    assert order.short(2) == 2_000  # what its shop gives back is not counted
    with pytest.raises(NeedsAnother):
        give("b", 801)
    assert give("c", 800)
    with pytest.raises(NeedsAnother):
        give("d", 1)
    assert order.refunded() == 4_000
    assert_books_are_right()


def test_a_hand_over_can_be_taken_back_although_an_older_refund_goes_another_way_meanwhile(make: Factories, stripe: CardProvider) -> None:
    order = ByCard(make, stripe, FAILING_REFUND_CARD)
    assert order.short(2) == 2_000
    order.counter.pack(order.part)
    order.counter.receive([order.part])
    card_fails(stripe)
    order.counter.hand_over(order.counter.pass_of(order.buyer).code, client_id="scan-of-this-one")
    (failed,) = order.failed()
    perform(giving_back.try_again, actor_of(make.user()), failed, RefundMethod.WALLET)
    assert perform(desk.take_back, order.counter.keeper, "scan-of-this-one", "wrong person") == 1
    assert_books_are_right()
    assert order.counter.hand_over(order.counter.pass_of(order.buyer).code).handed == 1
    assert (state_of(order.part), balance("escrow")) == (SubOrderState.COLLECTED, 0)
    assert balance(f"merchant:{order.part.merchant_id}") + balance("commission") == 7_300
    assert_books_are_right()
