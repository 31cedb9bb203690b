"""At the merchant: weighing gives money back, packing fills the batch, the driver takes what is packed."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from shop.fulfilment import operations, orders_to_pack, queries
from shop.fulfilment.errors import NothingLeftToPack, NothingPacked, WeightFarOff
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound
from shop.models.orders import OrderLine, SubOrderState
from shop.models.pickup import Batch, BatchState
from shop.models.platform import AuditEntry, Notice
from shop.orders.errors import LinesNotWeighed, WeightOutOfRange, WrongState
from tests.support.counter import Counter, state_of
from tests.support.factories import Factories
from tests.support.money import balance


@pytest.fixture
def counter(make: Factories) -> Counter:
    made = Counter(make)
    made.goods("rice", price=2_000)
    made.goods("fish", merchant=1, price=1_500, by_weight=True, grams=500)
    return made


def batch_of(cycle_id: int) -> Batch:
    reading().rollback()
    return reading().scalars(sa.select(Batch).where(Batch.cycle_id == cycle_id)).one()


def actions() -> list[str]:
    reading().rollback()
    return list(reading().scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)))


def test_packing_accepts_the_order_and_puts_it_into_the_batch_of_its_delivery(counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 1})
    packed = counter.pack(part)
    assert packed.is_new
    assert packed.refunded.fen == 0
    assert state_of(part) is SubOrderState.PACKED
    batch = batch_of(part.cycle_id)
    assert (batch.state, batch.code) == (BatchState.PACKING, packed.batch_code)
    assert {"sub_order.accepted", "sub_order.packed", "sub_order.put_into_batch"}.issubset(actions())


def test_a_lighter_fish_gives_the_difference_back_at_once(counter: Counter) -> None:
    buyer = counter.buyer(money=10_000)
    (part,) = counter.ordered(buyer, {"fish": 2})
    assert balance(f"wallet:{buyer.id}") == 7_000
    packed = counter.pack(part, fish=870)  # 870 g at 15.00 per 500 g are 26.10; the ceiling was 30.00
    assert packed.refunded.fen == 390
    assert balance(f"wallet:{buyer.id}") == 7_390
    assert balance("escrow") == 2_610
    assert "line.weighed" in actions()


def test_one_message_tells_what_a_whole_bag_gave_back(counter: Counter) -> None:
    counter.goods("radish", merchant=1, price=120, by_weight=True, grams=500)
    buyer = counter.buyer(money=10_000)
    (part,) = counter.ordered(buyer, {"fish": 1, "radish": 2})
    counter.pack(part, fish=450, radish=900)
    notice = reading().scalars(sa.select(Notice).where(Notice.user_id == buyer.id, Notice.kind == "orders.weighed")).one()
    lines = reading().scalars(sa.select(OrderLine).where(OrderLine.sub_order_id == part.id).order_by(OrderLine.id)).all()
    assert notice.facts["names"] == {"zh": "、".join(line.name_zh for line in lines), "en": "; ".join(line.name_en for line in lines)}
    assert notice.facts["amount"] == "1.74"  # 1.50 of the fish, 0.24 of the radish


def test_a_bag_that_weighed_enough_is_not_spoken_of(counter: Counter) -> None:
    buyer = counter.buyer(money=10_000)
    (part,) = counter.ordered(buyer, {"fish": 1})
    counter.pack(part, fish=500)
    assert not reading().scalars(sa.select(Notice).where(Notice.user_id == buyer.id, Notice.kind == "orders.weighed")).all()


def test_a_heavier_fish_costs_no_more_than_was_shown(counter: Counter) -> None:
    buyer = counter.buyer(money=10_000)
    (part,) = counter.ordered(buyer, {"fish": 2})
    assert counter.pack(part, fish=1_400).refunded.fen == 0
    assert balance(f"wallet:{buyer.id}") == 7_000


def test_packing_twice_changes_nothing(counter: Counter) -> None:
    buyer = counter.buyer(money=10_000)
    (part,) = counter.ordered(buyer, {"fish": 1})
    counter.pack(part, fish=400)
    before = balance(f"wallet:{buyer.id}")
    assert not counter.pack(part, fish=400).is_new
    assert balance(f"wallet:{buyer.id}") == before


def test_without_its_weight_a_line_is_not_packed_and_nothing_happened(counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"fish": 1})
    with pytest.raises(LinesNotWeighed):
        perform(operations.pack, counter.clerk_of(part), part.id, {})
    assert state_of(part) is SubOrderState.PLACED


@pytest.mark.parametrize(("grams", "asked"), [(1_000, False), (600, False), (599, True), (1_400, False), (1_401, True), (0, True)])
def test_a_weight_far_from_what_was_ordered_is_asked_about(counter: Counter, grams: int, asked: bool) -> None:
    (part,) = counter.ordered(counter.buyer(), {"fish": 2, "rice": 1})[1:]
    told = dict.fromkeys(counter.weights(part), grams)
    clerk = counter.clerk_of(part)
    if asked:
        with pytest.raises(WeightFarOff):
            perform(operations.pack, clerk, part.id, told, dict.fromkeys(told, grams + 1))
        assert (state_of(part), balance("escrow")) == (SubOrderState.PLACED, 5_000)
    if grams:
        assert perform(operations.pack, clerk, part.id, told, told if asked else None).is_new


def test_an_absurd_weight_is_refused_and_nothing_happened(counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"fish": 1})
    with pytest.raises(WeightOutOfRange):
        counter.pack(part, fish=2_000_000)
    assert state_of(part) is SubOrderState.PLACED


def test_an_order_of_which_nothing_is_left_is_not_packed(counter: Counter) -> None:
    buyer = counter.buyer(money=10_000)
    (part,) = counter.ordered(buyer, {"fish": 1})
    with pytest.raises(NothingLeftToPack):
        counter.pack(part, fish=0)
    assert balance(f"wallet:{buyer.id}") == 8_500


def test_another_shop_finds_no_such_order(counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 1})
    stranger = counter.clerks[1]
    with pytest.raises(NotFound):
        perform(operations.pack, stranger, part.id, {})
    with pytest.raises(NotFound):
        perform(operations.accept_all, stranger, part.cycle_id)
    with pytest.raises(NotFound):
        perform(operations.hand_to_driver, stranger, part.cycle_id)
    with pytest.raises(NotFound):
        orders_to_pack.get_order(reading(), [counter.merchants[1].id], part.number)
    assert state_of(part) is SubOrderState.PLACED


def test_weights_of_another_order_are_not_taken(counter: Counter) -> None:
    (mine,) = counter.ordered(counter.buyer(), {"fish": 1})
    (other,) = counter.ordered(counter.buyer(), {"fish": 1})
    with pytest.raises(NotFound):
        perform(operations.pack, counter.clerk_of(mine), mine.id, {**counter.weights(mine), **counter.weights(other)})
    assert state_of(mine) is SubOrderState.PLACED


def test_the_driver_takes_what_is_packed_and_the_rest_can_follow(counter: Counter) -> None:
    first = counter.packed(counter.buyer(), {"rice": 1})[0]
    (late,) = counter.ordered(counter.buyer(), {"rice": 2})
    assert counter.send(first) == 1
    assert batch_of(first.cycle_id).state is BatchState.IN_TRANSIT
    assert (state_of(first), state_of(late)) == (SubOrderState.IN_TRANSIT, SubOrderState.PLACED)
    counter.pack(late)
    assert counter.send(first) == 1
    assert state_of(late) is SubOrderState.IN_TRANSIT
    assert counter.send(first) == 0


def test_nothing_packed_is_nothing_to_send(counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 1})
    with pytest.raises(NothingPacked):
        perform(operations.hand_to_driver, counter.clerk_of(part), part.cycle_id)


def test_what_left_cannot_be_packed_again(counter: Counter) -> None:
    (part,) = counter.packed(counter.buyer(), {"rice": 1})
    counter.send(part)
    with pytest.raises(WrongState):
        counter.pack(part)


def test_all_orders_of_a_delivery_are_accepted_at_once(counter: Counter) -> None:
    parts = [counter.ordered(counter.buyer(), {"rice": 1})[0] for _ in range(3)]
    assert perform(operations.accept_all, counter.clerk_of(parts[0]), parts[0].cycle_id) == 3
    assert {state_of(part) for part in parts} == {SubOrderState.ACCEPTED}
    assert perform(operations.accept_all, counter.clerk_of(parts[0]), parts[0].cycle_id) == 0


def test_the_board_counts_what_is_to_pack_and_what_it_comes_to(counter: Counter) -> None:
    first, second = (counter.buyer() for _ in range(2))
    counter.ordered(first, {"rice": 2})
    counter.packed(second, {"rice": 1})
    (delivery,) = queries.merchant_board(reading(), counter.merchants[0].id)
    assert (delivery.orders, delivery.people, delivery.to_accept, delivery.to_pack, delivery.packed) == (2, 2, 1, 1, 1)
    assert delivery.total.fen == 6_000
    (pick,) = orders_to_pack.pick_list(reading(), [counter.merchants[0].id], delivery.cycle_id)
    assert (pick.quantity, pick.orders) == (2, 1)
    assert queries.merchant_delivery(reading(), [counter.merchants[1].id], delivery.cycle_id) is None
