"""Money given back at the provider's side is known, whichever comes first: its event, our cancel, the reconciler."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.money import Money
from shop.models.accounts import User
from shop.models.orders import PaymentMethod, SubOrder
from shop.models.payments import Refund, RefundOrigin, RefundState
from shop.models.pickup import Pass, PassState
from shop.models.platform import AuditEntry, Notice
from shop.orders import operations as orders
from shop.payments import operations as payments
from shop.payments import queries
from shop.payments.errors import AlreadyLookedAfter
from shop.payments.gateway import gateway
from shop.payments.snapshots import RefundSnapshot
from shop.platform import outbox
from shop.platform.actor import JOB
from shop.settlement import giving_back, inquiry, jobs
from shop.settlement import operations as settlement
from shop.settlement.rules import Assigned, Room, assign
from tests.support.factories import Factories, actor_of
from tests.support.money import balance, fund, move
from tests.support.provider import CardProvider, payment_of
from tests.support.shopping import Shopping

pytestmark = pytest.mark.usefixtures("books_hold_afterwards")


class Bought:
    """An order of ¥43.60 at one shop (or of more shops), paid by card."""

    def __init__(self, make: Factories, stripe: CardProvider, prices: tuple[int, ...] = (4_360,)) -> None:
        self.stripe, self.shop = stripe, Shopping(make, merchants=len(prices))
        for place, price in enumerate(prices):
            self.shop.goods(f"goods-{place}", merchant=place, price=price)
        self.buyer: User = self.shop.buyer()
        placed = self.shop.buy(self.buyer, {f"goods-{place}": 1 for place in range(len(prices))}, PaymentMethod.STRIPE)
        self.payment_id, self.number = placed.payment_id, placed.number
        stripe.pay(self.payment_id)
        inquiry.settle(self.payment_id)
        self.intent = str(payment_of(self.payment_id).provider_intent)

    def by_hand(self, fen: int | None, **values: Any) -> str:
        """Somebody gives money back at the provider's side; the name it has there."""
        made: str = self.stripe.account.control("/refund", payment_intent=self.intent, amount=fen, **values)["id"]
        return made

    def event(self, made: str, kind: str = "refund.created") -> None:
        """The provider's word of it arrives."""
        perform(payments.receive_event, "stripe", f"evt_{made}_{kind}", kind, made)
        outbox.run_due()

    def cancel(self, part: str = "") -> None:
        perform(orders.cancel, actor_of(self.buyer), self.number + part)

    def given_back_there(self) -> list[int]:
        """The amounts of all refunds the provider has, the oldest first."""
        return [refund.amount for refund in reversed(self.stripe.account.client().v1.refunds.list({"payment_intent": self.intent}).data)]


@pytest.fixture
def bought(make: Factories, stripe: CardProvider) -> Bought:
    return Bought(make, stripe)


def rows(payment_id: int) -> list[Refund]:
    reading().rollback()
    return list(reading().scalars(sa.select(Refund).where(Refund.payment_id == payment_id).order_by(Refund.id)))


def standing(payment_id: int) -> list[tuple[str, int, str]]:
    """What is not carried on by another: who made it, how much of it, how it stands."""
    return [
        (row.origin.value, (row.amount - row.carried_on).fen, row.state.value) for row in rows(payment_id) if row.carried_on < row.amount
    ]


def refunded_of_parts() -> list[int]:
    reading().rollback()
    return [money.fen for money in reading().scalars(sa.select(SubOrder.refunded_total).order_by(SubOrder.id))]


def later(minutes: int = 2) -> None:
    clock.move(timedelta(minutes=minutes))
    jobs.give_back()
    jobs.look_through_refunds()
    outbox.run_due()


def event_first(bought: Bought) -> None:
    bought.event(bought.by_hand(1_000))
    bought.cancel()
    outbox.run_due()


def cancel_first(bought: Bought) -> None:
    made = bought.by_hand(1_000)
    bought.cancel()
    outbox.run_due()
    bought.event(made)


def event_between(bought: Bought) -> None:
    made = bought.by_hand(1_000)
    bought.cancel()
    inquiry.know_refunds(bought.payment_id)
    outbox.run_due()
    bought.event(made)


def no_event(bought: Bought) -> None:
    bought.by_hand(1_000, event=False)
    later()
    bought.cancel()
    outbox.run_due()


def no_event_and_cancelled(bought: Bought) -> None:
    bought.by_hand(1_000, event=False)
    bought.cancel()
    outbox.run_due()
    later()


def charge_event(bought: Bought) -> None:
    bought.by_hand(1_000)
    perform(payments.receive_event, "stripe", "evt_charge", "charge.refunded", bought.intent)
    outbox.run_due()
    bought.cancel()
    outbox.run_due()


@pytest.mark.parametrize("story", [event_first, cancel_first, event_between, no_event, no_event_and_cancelled, charge_event])
def test_ten_yuan_given_back_there_and_the_rest_by_a_cancel_here(bought: Bought, story: Callable[[Bought], None]) -> None:
    story(bought)
    later()
    assert bought.given_back_there() == [1_000, 3_360]
    assert sorted(standing(bought.payment_id)) == [("provider", 1_000, "succeeded"), ("shop", 3_360, "succeeded")]
    assert (refunded_of_parts(), payment_of(bought.payment_id).refunded_amount) == ([4_360], Money(4_360))
    assert (balance("escrow"), balance("refund_due")) == (0, 0)
    assert queries.back_of_payment(reading(), bought.payment_id) == queries.Back(arrived=Money(4_360))
    kinds = set(reading().scalars(sa.select(Notice.kind).where(Notice.user_id == bought.buyer.id)))
    assert "payment.given_back_by_provider" in kinds
    assert "payment.refund_failed" not in kinds


def test_told_again_and_again_it_is_known_once(bought: Bought) -> None:
    made = bought.by_hand(1_000)
    for kind in ("refund.created", "refund.updated", "charge.refund.updated"):
        bought.event(made, kind)
    inquiry.know_refunds(bought.payment_id)
    later()
    (row,) = rows(bought.payment_id)
    assert (row.cause, row.origin, row.state, row.amount) == (
        f"provider:{made}", RefundOrigin.PROVIDER, RefundState.SUCCEEDED, Money(1_000),
    )  # fmt: skip
    assert (balance("escrow"), balance("refund_due")) == (3_360, 0)
    assert reading().scalar(sa.select(sa.func.count()).where(AuditEntry.action == "refund.made_by_provider")) == 1


def test_everything_given_back_there_leaves_nothing_for_a_cancel(bought: Bought) -> None:
    bought.by_hand(None)
    bought.cancel()
    outbox.run_due()
    later()
    assert bought.given_back_there() == [4_360]
    assert standing(bought.payment_id) == [("provider", 4_360, "succeeded")]
    assert refunded_of_parts() == [4_360]


def test_one_that_waits_for_balance_is_on_its_way_and_fails_later(bought: Bought) -> None:
    bought.stripe.account.control(refunds="no_balance")
    made = bought.by_hand(1_000)
    bought.event(made)
    assert (standing(bought.payment_id), balance("refund_due")) == ([("provider", 1_000, "sent")], 1_000)
    bought.stripe.account.control("/settle", refund=made, outcome="failed")
    bought.event(made, "refund.failed")
    assert (standing(bought.payment_id), balance("refund_due")) == ([("provider", 1_000, "failed")], 0)
    assert queries.back_of_payment(reading(), bought.payment_id) == queries.Back(held=Money(1_000))
    assert (balance("escrow"), refunded_of_parts()) == (4_360, [1_000])


def test_one_that_succeeded_and_came_back_is_held_again_even_when_nobody_told(bought: Bought) -> None:
    made = bought.by_hand(1_000)
    bought.event(made)
    bought.stripe.account.control(webhooks="off")
    bought.stripe.account.control("/settle", refund=made, outcome="failed")
    later()
    assert standing(bought.payment_id) == [("provider", 1_000, "failed")]


def test_what_failed_before_we_heard_of_it_moved_nothing(bought: Bought) -> None:
    made = bought.by_hand(1_000)
    bought.stripe.account.control("/settle", refund=made, outcome="failed")
    bought.event(made)
    assert rows(bought.payment_id) == []


def test_goods_already_handed_over_are_paid_back_by_their_merchant(bought: Bought) -> None:
    part = reading().scalars(sa.select(SubOrder)).one()
    for step in (orders.accept, orders.mark_packed):
        perform(step, JOB, part.id)
    perform(orders.mark_in_transit, JOB, [part.id])
    moment = clock.now()
    waiting = bought.shop.make.save(
        Pass(
            ref="pass-1", user_id=bought.buyer.id, pickup_point_id=bought.shop.point.id, code="482193", state=PassState.LIVE,
            community_id=bought.shop.point.community_id, issued_at=moment, valid_until=moment + timedelta(days=2),
        )
    )
    perform(orders.mark_ready, JOB, [part.id], waiting.id)
    perform(orders.mark_collected, JOB, [part.id])
    brought, commission = balance(f"merchant:{part.merchant_id}"), balance("commission")
    bought.event(bought.by_hand(1_000))
    given = brought - balance(f"merchant:{part.merchant_id}") + commission - balance("commission")
    assert (brought + commission, given) == (4_360, 1_000)
    assert (balance("escrow"), refunded_of_parts()) == (0, [1_000])


def test_a_top_up_given_back_there_leaves_the_wallet(make: Factories, stripe: CardProvider) -> None:
    buyer, payment_id, intent = topped_up(make, stripe)
    made = stripe.account.control("/refund", payment_intent=intent, amount=2_000)["id"]
    perform(payments.receive_event, "stripe", "evt_1", "refund.created", made)
    outbox.run_due()
    assert (balance(f"wallet:{buyer.id}"), balance("suspense")) == (3_000, 0)
    assert standing(payment_id) == [("provider", 2_000, "succeeded")]


def test_a_wallet_that_has_spent_it_stays_at_nothing_and_a_person_has_the_rest(make: Factories, stripe: CardProvider) -> None:
    buyer, payment_id, intent = topped_up(make, stripe)
    code = f"wallet:{buyer.id}"
    move("spent", code, "custodian", 4_500)
    made = stripe.account.control("/refund", payment_intent=intent)["id"]
    perform(payments.receive_event, "stripe", "evt_1", "refund.created", made)
    outbox.run_due()
    assert (balance(code), balance("suspense")) == (0, -4_500)
    covered, uncovered = rows(payment_id)
    assert (covered.amount, covered.uncovered_at, uncovered.amount) == (Money(500), None, Money(4_500))
    assert uncovered.uncovered_at is not None
    assert uncovered.handed_over_at is not None
    clock.move(timedelta(days=3))  # the books hold while a person has it: see the fixture
    move("topped-up", "custodian", code, 6_000)
    perform(payments.cover, actor_of(make.user()), uncovered.ref)
    assert (balance(code), balance("suspense")) == (1_500, 0)
    with pytest.raises(AlreadyLookedAfter):
        perform(payments.cover, actor_of(make.user()), uncovered.ref)
    assert balance(code) == 1_500


def topped_up(make: Factories, stripe: CardProvider) -> tuple[User, int, str]:
    buyer = make.user()
    fund(buyer)
    payment = perform(settlement.start_top_up, actor_of(buyer), Money(5_000))
    payment_id = payment.id
    stripe.pay(payment_id)
    inquiry.settle(payment_id)
    return buyer, payment_id, str(payment_of(payment_id).provider_intent)


def test_late_money_given_back_there_as_well_goes_back_once(make: Factories, stripe: CardProvider) -> None:
    shop = Shopping(make, merchants=1)
    shop.goods("oranges", price=4_360)
    buyer = shop.buyer()
    placed = shop.buy(buyer, {"oranges": 1}, PaymentMethod.STRIPE)
    stripe.pay(placed.payment_id)
    perform(orders.cancel, actor_of(buyer), placed.number)
    inquiry.settle(placed.payment_id)
    intent = str(payment_of(placed.payment_id).provider_intent)
    made = stripe.account.control("/refund", payment_intent=intent, amount=1_000)["id"]
    perform(payments.receive_event, "stripe", "evt_1", "refund.created", made)
    outbox.run_due()
    later()
    assert [refund.amount for refund in stripe.account.client().v1.refunds.list().data] == [3_360, 1_000]
    assert sorted(standing(placed.payment_id)) == [("provider", 1_000, "succeeded"), ("shop", 3_360, "succeeded")]
    assert (balance("suspense"), balance("refund_due")) == (0, 0)


def test_before_our_own_news_of_the_payment_the_refund_is_known_with_it(make: Factories, stripe: CardProvider) -> None:
    shop = Shopping(make, merchants=1)
    shop.goods("oranges", price=4_360)
    placed = shop.buy(shop.buyer(), {"oranges": 1}, PaymentMethod.STRIPE)
    stripe.pay(placed.payment_id)
    (session,) = stripe.account.client().v1.checkout.sessions.list().data
    made = stripe.account.control("/refund", payment_intent=session.payment_intent, amount=1_000)["id"]
    perform(payments.receive_event, "stripe", "evt_1", "refund.created", made)
    outbox.run_due()
    assert standing(placed.payment_id) == [("provider", 1_000, "succeeded")]
    assert (balance("escrow"), refunded_of_parts()) == (3_360, [1_000])


def test_by_hand_for_a_refund_that_failed_is_that_refund(bought: Bought) -> None:
    made = perform(payments.open_refund, payment_id=bought.payment_id, cause="late", amount=Money(1), reason="r", source="suspense")
    perform(payments.settle_refund, made.id, False, failure_code="lost_or_stolen_card")
    bought.event(bought.by_hand(1))
    failed, by_hand = rows(bought.payment_id)
    assert (failed.carried_on, by_hand.replaces_id, by_hand.sub_order_id) == (Money(1), failed.id, None)
    assert refunded_of_parts() == [0]


def test_parts_share_what_nobody_can_assign_and_each_cancel_gives_what_is_left(make: Factories, stripe: CardProvider) -> None:
    bought = Bought(make, stripe, prices=(3_000, 1_360))
    bought.event(bought.by_hand(1_000))
    assert refunded_of_parts() == [688, 312]
    bought.cancel("-1")
    outbox.run_due()
    assert (bought.given_back_there(), refunded_of_parts()) == ([1_000, 2_312], [3_000, 312])


def test_whichever_comes_first_the_parts_end_the_same(make: Factories, stripe: CardProvider) -> None:
    bought = Bought(make, stripe, prices=(3_000, 1_360))
    bought.by_hand(2_000)
    bought.cancel("-1")  # asks for 30.00 where 23.60 is left
    outbox.run_due()
    later()
    assert (sorted(bought.given_back_there()), refunded_of_parts()) == ([1_624, 2_000], [3_000, 624])


def test_the_order_that_is_named_there_is_believed(make: Factories, stripe: CardProvider) -> None:
    bought = Bought(make, stripe, prices=(3_000, 1_360))
    bought.event(bought.by_hand(1_000, metadata={"order": f"{bought.number}-2"}))
    assert refunded_of_parts() == [0, 1_000]


def test_a_refund_of_ours_the_provider_made_after_all_is_not_lost(bought: Bought) -> None:
    made = perform(payments.open_refund, payment_id=bought.payment_id, cause="late", amount=Money(300), reason="r", source="suspense")
    perform(payments.settle_refund, made.id, False, failure_code="refused")
    bought.by_hand(300, metadata={"refund_ref": made.ref})
    inquiry.know_refunds(bought.payment_id)
    assert standing(bought.payment_id) == [("provider", 300, "succeeded")]


def test_more_pages_of_refunds_than_one_are_all_read(bought: Bought) -> None:
    for _time in range(101):
        bought.by_hand(1, event=False)
    inquiry.know_refunds(bought.payment_id)
    assert (len(rows(bought.payment_id)), refunded_of_parts()) == (101, [101])


def test_planned_anew_twice_is_planned_once(bought: Bought) -> None:
    bought.by_hand(1_000)
    bought.cancel()
    (refund,) = [row.id for row in rows(bought.payment_id)]
    made = gateway().refunds_of(bought.intent)
    for _time in range(2):
        perform(giving_back.refused, refund, "invalid_request", made)
    assert [(row.amount.fen, row.carried_on.fen) for row in rows(bought.payment_id)] == [(4_360, 4_360), (1_000, 0), (3_360, 0)]


def test_what_the_list_shows_and_cannot_be_booked_is_not_planned_around_for_ever(bought: Bought) -> None:
    bought.cancel()
    (refund,) = [row.id for row in rows(bought.payment_id)]
    perform(giving_back.refused, refund, "invalid_request", (RefundSnapshot("re_1", True, amount=Money(1_000), currency="HKD"),))
    assert standing(bought.payment_id) == [("shop", 4_360, "failed")]
    assert rows(bought.payment_id)[0].handed_over_at is not None


HELD, GIVEN = True, False


@pytest.mark.one_engine
@pytest.mark.parametrize(
    ("amount", "order", "rooms", "pieces"),
    [
        (1_000, None, [(1, 4_360, HELD, ())], [(1_000, 1, None)]),
        (1_000, None, [(1, 3_000, HELD, ()), (2, 1_360, HELD, ())], [(688, 1, None), (312, 2, None)]),
        (1_360, None, [(1, 3_000, HELD, ()), (2, 1_360, HELD, ())], [(1_360, 2, None)]),
        (1_000, "L-2", [(1, 3_000, HELD, ()), (2, 1_360, HELD, ())], [(1_000, 2, None)]),
        (2_000, "L-2", [(1, 3_000, HELD, ()), (2, 1_360, HELD, ())], [(640, 1, None), (1_360, 2, None)]),
        (1_000, None, [(1, 3_000, GIVEN, ()), (2, 1_360, HELD, ())], [(1_000, 2, None)]),
        (2_000, None, [(1, 3_000, GIVEN, ()), (2, 1_360, HELD, ())], [(640, 1, None), (1_360, 2, None)]),
        (300, None, [(1, 3_000, HELD, ((7, 300),)), (2, 1_360, HELD, ())], [(300, 1, 7)]),
        (1_000, None, [(1, 0, HELD, ((7, 4_360),))], [(1_000, 1, 7)]),
        (500, None, [(1, 400, HELD, ((7, 300),))], [(300, 1, 7), (200, 1, None)]),
        (500, None, [(None, 0, HELD, ((7, 300), (8, 300)))], [(300, None, 7), (200, None, 8)]),
        (500, None, [(1, 0, GIVEN, ())], [(500, None, None)]),
        (500, None, [], [(500, None, None)]),
    ],
)
def test_what_money_given_back_there_was_for(
    amount: int, order: str | None, rooms: list[tuple[int | None, int, bool, tuple[tuple[int, int], ...]]],
    pieces: list[tuple[int, int | None, int | None]],
) -> None:
    there = [
        Room(part, f"L-{part}", Money(left), is_held, tuple((number, Money(fen)) for number, fen in failed))
        for part, left, is_held, failed in rooms
    ]  # fmt: skip
    assert assign(Money(amount), order, there) == [Assigned(Money(fen), part, refund) for fen, part, refund in pieces]
