"""What happens to an order after it was placed: each step once, by who may do it, with its money."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.models.accounts import Role
from shop.models.orders import OrderLine, PaymentMethod, Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.payments import Payment, PaymentState, Refund
from shop.models.pickup import Cycle, Pass
from shop.models.platform import Notice
from shop.orders import operations as orders
from shop.orders.errors import (
    AlreadyWeighed,
    LinesNotWeighed,
    NotSoldByWeight,
    RefundTooLarge,
    TooLateToCancel,
    WeightOutOfRange,
    WrongState,
)
from shop.payments.errors import PaymentClosed
from shop.platform.actor import JOB, Actor, Grant
from tests.support.factories import Factories, actor_of
from tests.support.money import balance
from tests.support.shopping import Shopping, booked, count, stock_of


class Placed:
    """One paid (or unpaid) order of a buyer, and everybody around it."""

    def __init__(self, make: Factories, wanted: dict[str, int], method: PaymentMethod = PaymentMethod.WALLET) -> None:
        self.shop = Shopping(make)
        self.oranges = self.shop.goods("oranges", price=1_000, on_hand=10)
        self.rabbit = self.shop.goods("rabbit", 1, price=580, on_hand=10, by_weight=True)
        self.buyer = self.shop.buyer(100_000)
        self.order = self.shop.buy(self.buyer, wanted, method)
        self.parts = [part.id for part in self.order.sub_orders]
        self.make = make

    def seller(self, place: int = 0) -> Actor:
        merchant = self.shop.merchants[place]
        return actor_of(self.make.user(), Grant(Role.MERCHANT_CLERK.value, merchant_id=merchant.id))

    def keeper(self) -> Actor:
        return actor_of(self.make.user(), Grant(Role.KEEPER.value, pickup_point_id=self.shop.point.id))

    def a_pass(self) -> int:
        moment = clock.now()
        made: Pass = self.make.save(
            Pass(
                ref=f"pass-{moment.timestamp()}", user_id=self.buyer.id, pickup_point_id=self.shop.point.id, code="482193",
                community_id=self.shop.point.community_id, issued_at=moment, valid_until=moment + timedelta(days=2),
            )
        )
        return made.id

    def make_ready(self, part: int) -> None:
        for step in (orders.accept, orders.mark_packed):
            perform(step, JOB, part)
        perform(orders.mark_in_transit, JOB, [part])
        perform(orders.mark_ready, JOB, [part], self.a_pass())


def state(model: Any, row_id: int) -> Any:
    reading().rollback()
    return reading().scalars(sa.select(model.state).where(model.id == row_id)).one()


def line_of(part_id: int) -> OrderLine:
    reading().rollback()
    return reading().scalars(sa.select(OrderLine).where(OrderLine.sub_order_id == part_id)).one()


def weigh(placed: Placed, grams: int) -> Money:
    part = placed.parts[0]
    perform(orders.accept, JOB, part)
    return perform(orders.weigh_line, placed.seller(1), line_of(part).id, grams)


def test_an_order_goes_from_placed_to_collected_and_everybody_is_owed_their_part(make: Factories) -> None:
    placed = Placed(make, {"oranges": 2})
    (part,) = placed.parts
    seller, keeper = placed.seller(), placed.keeper()
    assert perform(orders.accept, seller, part) is True
    assert perform(orders.mark_packed, seller, part) is True
    assert perform(orders.mark_in_transit, seller, [part]) == 1
    assert perform(orders.mark_ready, keeper, [part], placed.a_pass()) == 1
    assert state(SubOrder, part) is SubOrderState.READY
    assert perform(orders.mark_collected, keeper, [part]) == 1
    assert state(Purchase, placed.order.purchase_id) is PurchaseState.COMPLETED
    merchant = f"merchant:{placed.shop.merchants[0].id}"
    assert (balance("escrow"), balance(merchant), balance("commission")) == (0, 1_940, 60)


def test_every_step_told_twice_happens_once(make: Factories) -> None:
    placed = Placed(make, {"oranges": 2})
    (part,) = placed.parts
    pass_id = placed.a_pass()
    for step, again in (
        (lambda: perform(orders.accept, JOB, part), False), (lambda: perform(orders.mark_packed, JOB, part), False),
        (lambda: perform(orders.mark_in_transit, JOB, [part]), 0), (lambda: perform(orders.mark_ready, JOB, [part], pass_id), 0),
        (lambda: perform(orders.mark_collected, JOB, [part]), 0),
    ):
        assert step()
        assert step() == again
    assert balance(f"merchant:{placed.shop.merchants[0].id}") == 1_940


def test_no_step_can_be_skipped(make: Factories) -> None:
    placed = Placed(make, {"oranges": 1})
    (part,) = placed.parts
    with pytest.raises(WrongState):
        perform(orders.mark_packed, JOB, part)
    with pytest.raises(WrongState):
        perform(orders.mark_collected, JOB, [part])
    with pytest.raises(WrongState):
        perform(orders.mark_in_transit, JOB, [part])
    with pytest.raises(WrongState):
        perform(orders.mark_ready, JOB, [part], placed.a_pass())
    assert state(SubOrder, part) is SubOrderState.PLACED
    assert balance("escrow") == 1_000


def test_an_unpaid_order_is_not_accepted(make: Factories) -> None:
    placed = Placed(make, {"oranges": 1}, PaymentMethod.STRIPE)
    with pytest.raises(WrongState):
        perform(orders.accept, JOB, placed.parts[0])


def test_other_merchants_and_points_do_not_see_it(make: Factories) -> None:
    placed = Placed(make, {"oranges": 1})
    (part,) = placed.parts
    stranger, buyer = placed.seller(1), actor_of(placed.buyer)
    far_keeper = actor_of(make.user(), Grant(Role.KEEPER.value, pickup_point_id=make.point().id))
    for actor in (stranger, buyer, far_keeper):
        for step in (orders.accept, orders.mark_packed):
            with pytest.raises(NotFound):
                perform(step, actor, part)
        with pytest.raises(NotFound):
            perform(orders.weigh_line, actor, line_of(part).id, 500)
        with pytest.raises(NotFound):
            perform(orders.decline, actor, part, "no")
    placed.make_ready(part)
    for actor in (stranger, buyer, far_keeper, placed.seller()):
        with pytest.raises(NotFound):
            perform(orders.mark_collected, actor, [part])
    assert state(SubOrder, part) is SubOrderState.READY


@pytest.mark.parametrize(
    ("grams", "final", "back"),
    [(1_000, 1_160, 0), (930, 1_079, 81), (850, 986, 174), (1_200, 1_160, 0), (0, 0, 1_160), (1, 1, 1_159)],
)
def test_a_weighed_line_costs_its_weight_and_never_more_than_agreed(make: Factories, grams: int, final: int, back: int) -> None:
    """Two jin of rabbit at ¥5.80 a jin; docs/algorithms/weighing.md works these figures out."""
    placed = Placed(make, {"rabbit": 2})
    assert weigh(placed, grams) == Money(back)
    line = line_of(placed.parts[0])
    assert (line.final_grams, line.final_total) == (grams, Money(final))
    assert balance(f"wallet:{placed.buyer.id}") == 100_000 - final
    assert balance("escrow") == final
    assert [refund.cause for refund in reading().scalars(sa.select(Refund))] == ([f"line:{line.id}:weighed"] if back else [])
    perform(orders.mark_packed, placed.seller(1), placed.parts[0])
    assert count(Notice) == bool(back)


def test_a_line_is_weighed_once(make: Factories) -> None:
    placed = Placed(make, {"rabbit": 2})
    weigh(placed, 900)
    with pytest.raises(AlreadyWeighed):
        perform(orders.weigh_line, JOB, line_of(placed.parts[0]).id, 500)
    assert balance("escrow") == 1_044


def test_weighing_refuses_what_is_not_weighed_not_accepted_or_nonsense(make: Factories) -> None:
    placed = Placed(make, {"oranges": 1, "rabbit": 1})
    oranges, rabbit = placed.parts
    with pytest.raises(WrongState):
        perform(orders.weigh_line, JOB, line_of(rabbit).id, 400)
    perform(orders.accept, JOB, oranges)
    with pytest.raises(NotSoldByWeight):
        perform(orders.weigh_line, JOB, line_of(oranges).id, 400)
    for grams in (-1, 1_000_001):
        with pytest.raises(WeightOutOfRange):
            perform(orders.weigh_line, JOB, line_of(rabbit).id, grams)
    with pytest.raises(NotFound):
        perform(orders.weigh_line, JOB, 987_654, 400)
    assert balance("escrow") == 1_580


def test_packing_waits_for_the_scales(make: Factories) -> None:
    placed = Placed(make, {"rabbit": 1})
    (part,) = placed.parts
    perform(orders.accept, JOB, part)
    with pytest.raises(LinesNotWeighed):
        perform(orders.mark_packed, JOB, part)
    perform(orders.weigh_line, JOB, line_of(part).id, 480)
    assert perform(orders.mark_packed, JOB, part) is True


def test_the_merchant_is_paid_for_what_was_weighed(make: Factories) -> None:
    placed = Placed(make, {"rabbit": 2})
    (part,) = placed.parts
    weigh(placed, 930)
    perform(orders.mark_packed, JOB, part)
    perform(orders.mark_in_transit, JOB, [part])
    perform(orders.mark_ready, JOB, [part], placed.a_pass())
    perform(orders.mark_collected, JOB, [part])
    assert (balance("escrow"), balance("commission"), balance(f"merchant:{placed.shop.merchants[1].id}")) == (0, 32, 1_047)


def test_cancelling_gives_back_money_goods_and_slots(make: Factories) -> None:
    placed = Placed(make, {"oranges": 2, "rabbit": 1})
    assert perform(orders.cancel, actor_of(placed.buyer), placed.order.number) == placed.order.number
    assert balance(f"wallet:{placed.buyer.id}") == 100_000
    assert (stock_of(placed.oranges), stock_of(placed.rabbit)) == ((10, 0), (10, 0))
    assert all(booked(cycle) == 0 for cycle in reading().scalars(sa.select(Cycle.id)))
    assert state(Purchase, placed.order.purchase_id) is PurchaseState.CANCELLED
    with pytest.raises(TooLateToCancel):
        perform(orders.cancel, actor_of(placed.buyer), placed.order.number)
    assert balance(f"wallet:{placed.buyer.id}") == 100_000


def test_one_part_is_cancelled_and_the_other_still_comes(make: Factories) -> None:
    placed = Placed(make, {"oranges": 2, "rabbit": 1})
    assert perform(orders.cancel, actor_of(placed.buyer), f"{placed.order.number}-1") == placed.order.number
    assert [state(SubOrder, part) for part in placed.parts] == [SubOrderState.CANCELLED, SubOrderState.PLACED]
    assert state(Purchase, placed.order.purchase_id) is PurchaseState.PAID
    assert balance("escrow") == 580
    weighed = placed.parts[1]
    perform(orders.accept, JOB, weighed)
    perform(orders.weigh_line, JOB, line_of(weighed).id, 500)
    perform(orders.mark_packed, JOB, weighed)
    perform(orders.mark_in_transit, JOB, [weighed])
    perform(orders.mark_ready, JOB, [weighed], placed.a_pass())
    perform(orders.mark_collected, JOB, [weighed])
    assert state(Purchase, placed.order.purchase_id) is PurchaseState.COMPLETED


def test_nobody_cancels_what_is_being_prepared_or_past_its_cut_off(make: Factories) -> None:
    placed = Placed(make, {"oranges": 1, "rabbit": 1})
    buyer = actor_of(placed.buyer)
    perform(orders.accept, JOB, placed.parts[0])
    with pytest.raises(TooLateToCancel):
        perform(orders.cancel, buyer, placed.order.number)
    assert state(SubOrder, placed.parts[1]) is SubOrderState.PLACED
    clock.move(timedelta(hours=6, seconds=1))
    with pytest.raises(TooLateToCancel):
        perform(orders.cancel, buyer, f"{placed.order.number}-2")
    assert balance("escrow") == 1_580
    with pytest.raises(NotFound):
        perform(orders.cancel, actor_of(make.user()), placed.order.number)


def test_a_merchant_that_cannot_deliver_gives_all_of_it_back(make: Factories) -> None:
    placed = Placed(make, {"oranges": 2})
    (part,) = placed.parts
    perform(orders.accept, JOB, part)
    perform(orders.decline, placed.seller(), part, "frost")
    assert balance(f"wallet:{placed.buyer.id}") == 100_000
    assert state(SubOrder, part) is SubOrderState.SHORT
    assert stock_of(placed.oranges) == (8, 0)
    assert "orders.declined" in reading().scalars(sa.select(Notice.kind)).all()
    with pytest.raises(WrongState):
        perform(orders.decline, placed.seller(), part, "frost")


def test_refunds_never_exceed_what_was_paid_and_count_once_per_cause(make: Factories) -> None:
    placed = Placed(make, {"oranges": 1})
    (part,) = placed.parts
    give = {"amount": Money(700), "cause": "claim:1", "reason": "bruised"}
    assert perform(orders.refund, JOB, part, **give) is True
    assert perform(orders.refund, JOB, part, **give) is False
    for amount in (Money(301), Money(0), Money(-1)):
        with pytest.raises(RefundTooLarge):
            perform(orders.refund, JOB, part, amount=amount, cause="claim:2", reason="more")
    assert perform(orders.refund, JOB, part, amount=Money(300), cause="claim:3", reason="the rest") is True
    assert (balance("escrow"), balance(f"wallet:{placed.buyer.id}")) == (0, 100_000)


def test_after_hand_over_refunds_come_back_from_the_merchant_to_the_last_fen(make: Factories) -> None:
    placed = Placed(make, {"oranges": 1})
    (part,) = placed.parts
    placed.make_ready(part)
    perform(orders.mark_collected, JOB, [part])
    for number, fen in enumerate((333, 333, 333, 1)):
        perform(orders.refund, JOB, part, amount=Money(fen), cause=f"claim:{number}", reason="bruised")
    merchant = f"merchant:{placed.shop.merchants[0].id}"
    assert [balance(account) for account in ("escrow", merchant, "commission", f"wallet:{placed.buyer.id}")] == [0, 0, 0, 100_000]


def test_an_unpaid_order_runs_out_and_everything_is_free_again(make: Factories) -> None:
    placed = Placed(make, {"oranges": 2}, PaymentMethod.STRIPE)
    assert perform(orders.expire, placed.order.purchase_id) is True
    assert perform(orders.expire, placed.order.purchase_id) is False
    assert stock_of(placed.oranges) == (10, 0)
    assert booked(reading().scalars(sa.select(SubOrder.cycle_id)).one()) == 0
    assert state(Purchase, placed.order.purchase_id) is PurchaseState.EXPIRED
    assert reading().scalars(sa.select(Notice.kind)).all() == ["orders.expired"]


def test_a_paid_order_does_not_run_out(make: Factories) -> None:
    placed = Placed(make, {"oranges": 2})
    assert perform(orders.expire, placed.order.purchase_id) is False
    assert state(Purchase, placed.order.purchase_id) is PurchaseState.PAID


def test_card_money_pays_an_order_once(make: Factories) -> None:
    placed = Placed(make, {"oranges": 2, "rabbit": 1}, PaymentMethod.STRIPE)
    assert perform(orders.mark_paid, JOB, placed.order.purchase_id, placed.order.payment_id, "provider") is True
    assert perform(orders.mark_paid, JOB, placed.order.purchase_id, placed.order.payment_id, "provider") is False
    assert (balance("escrow"), balance("provider")) == (2_580, -2_580)
    assert reading().scalars(sa.select(Notice.kind)).all() == ["orders.paid"]
    assert (stock_of(placed.oranges), stock_of(placed.rabbit)) == ((8, 0), (9, 0))


def test_late_money_revives_an_order_while_its_goods_are_there(make: Factories) -> None:
    placed = Placed(make, {"oranges": 2}, PaymentMethod.STRIPE)
    perform(orders.expire, placed.order.purchase_id)
    assert perform(orders.mark_paid, JOB, placed.order.purchase_id, placed.order.payment_id, "provider") is False
    assert perform(orders.revive, placed.order.purchase_id) is True
    assert perform(orders.mark_paid, JOB, placed.order.purchase_id, placed.order.payment_id, "provider") is True
    assert stock_of(placed.oranges) == (8, 0)
    assert booked(reading().scalars(sa.select(SubOrder.cycle_id)).one()) == 1
    assert state(SubOrder, placed.parts[0]) is SubOrderState.PLACED


@pytest.mark.parametrize("why", ["sold out", "cut-off passed", "full", "cancelled"])
def test_late_money_finds_nothing_to_revive_and_changes_nothing(make: Factories, why: str) -> None:
    placed = Placed(make, {"oranges": 2, "rabbit": 1}, PaymentMethod.STRIPE)
    purchase_id = placed.order.purchase_id
    if why == "cancelled":
        perform(orders.cancel, actor_of(placed.buyer), placed.order.number)
    else:
        perform(orders.expire, purchase_id)
    if why == "sold out":
        placed.shop.buy(placed.shop.buyer(), {"oranges": 9})
    if why == "cut-off passed":
        clock.move(timedelta(hours=7))
    if why == "full":
        with transaction() as session:
            session.execute(sa.update(Cycle).values(capacity=0))
    before = (state(Purchase, purchase_id), stock_of(placed.oranges), stock_of(placed.rabbit))
    assert perform(orders.revive, purchase_id) is False
    assert (state(Purchase, purchase_id), stock_of(placed.oranges), stock_of(placed.rabbit)) == before
    assert {state(SubOrder, part) for part in placed.parts} == {SubOrderState.CANCELLED}


def test_cancelling_before_paying_closes_the_payment(make: Factories) -> None:
    placed = Placed(make, {"oranges": 2}, PaymentMethod.STRIPE)
    perform(orders.cancel, actor_of(placed.buyer), placed.order.number)
    assert reading().scalars(sa.select(Payment.state)).one() is PaymentState.CANCELLED
    assert stock_of(placed.oranges) == (10, 0)
    with pytest.raises(PaymentClosed):
        perform(orders.payment_to_continue, actor_of(placed.buyer), placed.order.number)


def test_paying_goes_on_with_the_open_payment_or_a_new_one_after_a_failure(make: Factories) -> None:
    placed = Placed(make, {"oranges": 1}, PaymentMethod.STRIPE)
    buyer = actor_of(placed.buyer)
    assert perform(orders.payment_to_continue, buyer, placed.order.number) == placed.order.payment_id
    with transaction() as session:
        session.execute(sa.update(Payment).values(state=PaymentState.FAILED, closed_at=clock.now()))
    again = perform(orders.payment_to_continue, buyer, placed.order.number)
    assert again != placed.order.payment_id
    with pytest.raises(NotFound):
        perform(orders.payment_to_continue, actor_of(make.user()), placed.order.number)
    clock.move(timedelta(minutes=32))
    with pytest.raises(PaymentClosed):
        perform(orders.payment_to_continue, buyer, placed.order.number)
