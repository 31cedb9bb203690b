"""What was said by mistake at the packing table is put right while nothing was built on it; what has left is closed."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from shop.checkout import operations as checkout
from shop.fulfilment import operations
from shop.fulfilment.errors import AlreadyArrived, DeliveryChanged, StillOpen
from shop.kernel.db import perform, reading
from shop.models.orders import OrderLine, PaymentMethod, Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.payments import Payment
from shop.models.pickup import Batch, BatchState, Cycle
from shop.models.platform import AuditEntry, Notice
from shop.orders import operations as orders
from shop.orders.errors import AlreadyWeighed, ReasonMissing, WrongState
from shop.payments.errors import CannotTakeAgain
from shop.payments.snapshots import Snapshot, Stage
from shop.pickup import operations as pickup
from shop.pickup.errors import CutOffPassed
from shop.settlement import operations as settlement
from tests.support.books import assert_books_are_right
from tests.support.counter import Counter, state_of
from tests.support.factories import Factories, actor_of
from tests.support.money import balance
from tests.support.shopping import booked


@pytest.fixture
def counter(make: Factories) -> Counter:
    made = Counter(make)
    made.goods("rice", price=2_000)
    made.goods("fish", merchant=1, price=1_500, by_weight=True, grams=500)
    return made


def line_of(part: SubOrder) -> OrderLine:
    reading().rollback()
    return reading().scalars(sa.select(OrderLine).where(OrderLine.sub_order_id == part.id)).one()


def cycle_of(part: SubOrder) -> Cycle:
    reading().rollback()
    found = reading().scalars(sa.select(SubOrder).where(SubOrder.id == part.id)).one()
    return reading().scalars(sa.select(Cycle).where(Cycle.id == found.cycle_id)).one()


def batch_of(part: SubOrder) -> Batch:
    reading().rollback()
    return reading().scalars(sa.select(Batch).where(Batch.cycle_id == part.cycle_id)).one()


def actions() -> list[str]:
    reading().rollback()
    return list(reading().scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)))


def kinds(user_id: int) -> list[str]:
    reading().rollback()
    return list(reading().scalars(sa.select(Notice.kind).where(Notice.user_id == user_id).order_by(Notice.id)))


def weigh_again(counter: Counter, part: SubOrder, grams: int, instead: int | None) -> operations.Packed:
    line = line_of(part).id
    return perform(operations.pack, counter.clerk_of(part), part.id, {line: grams}, {line: grams}, {line: instead} if instead else None)


# --- two clerks weigh one order ---


def test_the_second_weight_is_not_dropped_but_refused_with_the_first(counter: Counter) -> None:
    buyer = counter.buyer(money=10_000)
    (part,) = counter.ordered(buyer, {"fish": 2})
    counter.pack(part, fish=850)
    with pytest.raises(AlreadyWeighed) as refused:
        weigh_again(counter, part, 950, None)
    assert refused.value.details["grams"] == 850
    with pytest.raises(AlreadyWeighed):  # somebody corrected it since it was looked at
        weigh_again(counter, part, 950, 800)
    assert (line_of(part).final_grams, balance("escrow")) == (850, 2_550)


@pytest.mark.parametrize(
    ("first", "second", "back", "kept"),
    [
        (850, 950, -300, 2_850),  # too much had been given back: taken out of the wallet again
        (950, 850, 300, 2_550),
        (850, 1_400, -450, 3_000),  # never above what was agreed
        (1_400, 850, 450, 2_550),
        (1_200, 1_400, 0, 3_000),
        (850, 0, 2_550, 0),
    ],
)
def test_a_correction_moves_the_money_both_ways(counter: Counter, first: int, second: int, back: int, kept: int) -> None:
    buyer = counter.buyer(money=10_000)
    counter.goods("eggs", merchant=1, price=500)
    (part,) = counter.ordered(buyer, {"fish": 2, "eggs": 1})
    weights = dict.fromkeys(counter.weights(part), first)
    perform(operations.pack, counter.clerk_of(part), part.id, weights, weights)
    other = dict.fromkeys(weights, second)
    corrected = perform(operations.pack, counter.clerk_of(part), part.id, other, other, weights)
    assert (corrected.refunded.fen, corrected.is_new) == (back, False)
    assert balance("escrow") == kept + 500
    assert balance(f"wallet:{buyer.id}") == 10_000 - kept - 500
    assert "line.weight_corrected" in actions()
    assert kinds(buyer.id).count("orders.weighed_again") == (1 if back else 0)
    assert_books_are_right()
    third = perform(operations.pack, counter.clerk_of(part), part.id, weights, weights, other)
    assert third.refunded.fen == -back
    assert_books_are_right()


def test_money_that_was_spent_is_not_taken_again_and_nothing_happened(counter: Counter) -> None:
    buyer = counter.buyer(money=3_000)
    (part,) = counter.ordered(buyer, {"fish": 2})
    counter.pack(part, fish=700)
    counter.goods("eggs", price=900)
    counter.ordered(buyer, {"eggs": 1})
    with pytest.raises(CannotTakeAgain):
        weigh_again(counter, part, 950, 700)
    assert (line_of(part).final_grams, balance(f"wallet:{buyer.id}")) == (700, 0)
    assert_books_are_right()


def test_what_has_left_is_not_weighed_any_more(counter: Counter) -> None:
    (part,) = counter.packed(counter.buyer(), {"fish": 2})
    counter.send(part)
    with pytest.raises(WrongState):
        weigh_again(counter, part, 900, 1_000)


def test_unpacked_weights_are_kept_and_the_buyer_is_told_once(counter: Counter) -> None:
    buyer = counter.buyer(money=10_000)
    (part,) = counter.ordered(buyer, {"fish": 2})
    counter.pack(part, fish=850)
    assert perform(operations.unpack, counter.clerk_of(part), [part.id]) == 1
    assert (state_of(part), line_of(part).final_grams) == (SubOrderState.ACCEPTED, 850)
    assert perform(operations.unpack, counter.clerk_of(part), [part.id]) == 0
    assert perform(operations.pack, counter.clerk_of(part), part.id).is_new
    assert kinds(buyer.id).count("orders.weighed") == 1
    assert balance(f"wallet:{buyer.id}") == 10_000 - 2_550
    assert_books_are_right()


def test_what_has_left_cannot_be_unpacked(counter: Counter) -> None:
    (part,) = counter.packed(counter.buyer(), {"rice": 1})
    counter.send(part)
    with pytest.raises(WrongState):
        perform(operations.unpack, counter.clerk_of(part), [part.id])


# --- sending ---


def test_a_delivery_that_can_still_be_ordered_leaves_only_when_that_is_meant(counter: Counter) -> None:
    (part,) = counter.packed(counter.buyer(), {"rice": 1})
    with pytest.raises(StillOpen):
        perform(operations.hand_to_driver, counter.clerk_of(part), part.cycle_id)
    assert (state_of(part), cycle_of(part).closed_at) == (SubOrderState.PACKED, None)
    assert counter.send(part) == 1
    assert cycle_of(part).closed_at is not None


def test_nobody_joins_a_delivery_that_has_left(counter: Counter) -> None:
    """A quote from before is refused; a new one comes with the next delivery."""
    (part,) = counter.packed(counter.buyer(), {"rice": 1})
    late = counter.buyer()
    counter.fill(late, {"rice": 1})
    quote = counter.quote(late)
    assert quote.terms.sub_orders[0].cycle_id == part.cycle_id
    counter.send(part)
    perform(pickup.open_cycles)
    with pytest.raises(CutOffPassed):
        counter.place(late, quote)
    assert (booked(part.cycle_id), balance(f"wallet:{late.id}")) == (1, 100_000)
    again = perform(checkout.current_quote, actor_of(late), counter.point.id)
    assert again.terms.sub_orders[0].cycle_id != part.cycle_id
    counter.place(late, again)
    assert_books_are_right()


def test_what_changed_between_question_and_yes_is_asked_anew(counter: Counter) -> None:
    (part,) = counter.packed(counter.buyer(), {"rice": 1})
    (joined,) = counter.ordered(counter.buyer(), {"rice": 1})
    with pytest.raises(DeliveryChanged):
        perform(operations.hand_to_driver, counter.clerk_of(part), part.cycle_id, staying=0, before_cut_off=True)
    assert (state_of(part), cycle_of(part).closed_at) == (SubOrderState.PACKED, None)
    assert perform(operations.hand_to_driver, counter.clerk_of(part), part.cycle_id, staying=1, before_cut_off=True) == 1
    assert state_of(joined) is SubOrderState.PLACED


def test_sending_is_taken_back_until_it_has_arrived_and_can_be_joined_again(counter: Counter) -> None:
    (part,) = counter.packed(counter.buyer(), {"rice": 1})
    counter.send(part)
    clerk = counter.clerk_of(part)
    with pytest.raises(ReasonMissing):
        perform(operations.take_back_sending, clerk, part.cycle_id, " ")
    assert perform(operations.take_back_sending, clerk, part.cycle_id, "wrong van") == 1
    assert (state_of(part), batch_of(part).state, cycle_of(part).closed_at) == (SubOrderState.PACKED, BatchState.PACKING, None)
    assert perform(operations.take_back_sending, clerk, part.cycle_id, "wrong van") == 0
    assert actions().count("batch.brought_back") == 1
    counter.ordered(counter.buyer(), {"rice": 1})
    assert_books_are_right()
    counter.send(part)
    counter.receive([part])
    with pytest.raises(AlreadyArrived):
        perform(operations.take_back_sending, clerk, part.cycle_id, "too late")
    assert state_of(part) is SubOrderState.READY


# --- money that comes when the delivery has left ---


def paid_late(counter: Counter, other_deliveries: bool = True) -> tuple[Any, SubOrder, Payment]:
    """A card order whose money comes when its delivery has left: its buyer, its part, its payment."""
    (packed,) = counter.packed(counter.buyer(), {"rice": 1})
    buyer = counter.buyer()
    placed = counter.buy(buyer, {"rice": 2}, PaymentMethod.STRIPE)
    counter.send(packed)
    reading().rollback()
    part = reading().scalars(sa.select(SubOrder).where(SubOrder.purchase_id == placed.purchase_id)).one()
    payment = reading().scalars(sa.select(Payment).where(Payment.purchase_id == placed.purchase_id)).one()
    reading().expunge_all()
    if other_deliveries:
        perform(pickup.open_cycles)
    return buyer, part, payment


def money_comes(payment: Payment) -> settlement.Outcome:
    snapshot = Snapshot(stage=Stage.SUCCEEDED, amount=payment.amount, intent="pi_1", failure_code=None, fee=None)
    return perform(settlement.apply, payment.id, snapshot)


def test_an_order_paid_when_its_delivery_has_left_comes_with_the_next_and_may_be_cancelled(counter: Counter) -> None:
    buyer, part, payment = paid_late(counter)
    assert money_comes(payment) is settlement.Outcome.PAID
    moved = cycle_of(part)
    assert moved.id != part.cycle_id
    assert (booked(part.cycle_id), booked(moved.id)) == (1, 1)
    assert "orders.moved" in kinds(buyer.id)
    assert_books_are_right()
    perform(orders.cancel, actor_of(buyer), part.number)
    assert state_of(part) is SubOrderState.CANCELLED


def test_without_a_next_delivery_all_of_the_money_goes_back(counter: Counter) -> None:
    buyer, part, payment = paid_late(counter, other_deliveries=False)
    assert money_comes(payment) is settlement.Outcome.PAID
    assert state_of(part) is SubOrderState.CANCELLED
    purchase = reading().scalars(sa.select(Purchase).where(Purchase.id == part.purchase_id)).one()
    assert (purchase.state, balance("refund_due")) == (PurchaseState.CANCELLED, 4_000)
    assert "orders.left" in kinds(buyer.id)
    assert_books_are_right(leave_out=("plumbing.",))


def test_an_order_that_had_run_out_is_not_revived_onto_what_has_left(counter: Counter) -> None:
    _buyer, part, payment = paid_late(counter)
    perform(orders.expire, part.purchase_id)
    assert money_comes(payment) is settlement.Outcome.RETURNED
    assert state_of(part) is SubOrderState.CANCELLED
    assert balance("escrow") == 2_000
