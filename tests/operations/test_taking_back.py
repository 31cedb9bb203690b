"""A hand-over to the wrong person: it is taken back with everything it did, and the goods can leave once more."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from shop.counter import operations as desk
from shop.counter import queries as counter_queries
from shop.counter import rules, scans
from shop.counter.errors import NothingToTakeBack, TooLateToTakeBack
from shop.counter.operations import HandoverEvent
from shop.counter.permissions import CounterPermission
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.models.orders import Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.pickup import PassState
from shop.models.platform import AuditEntry, Notice
from shop.orders import operations as orders
from shop.orders.errors import CannotTakeBack
from shop.pickup import visits
from shop.platform.actor import COMMAND, Actor
from tests.support.books import assert_books_are_right
from tests.support.counter import Counter, state_of, things_gone, with_rice_and_oil
from tests.support.counter import scans as scanned
from tests.support.factories import Factories
from tests.support.money import balance
from tests.support.shopping import count

REASON = "given to the neighbour"


@pytest.fixture
def counter(make: Factories) -> Counter:
    return with_rice_and_oil(make)


def handed(counter: Counter, text: str, sub_orders: list[str] | None = None) -> HandoverEvent:
    """A hand-over that was accepted."""
    event = counter.event(text, sub_orders)
    assert perform(desk.hand_over, counter.keeper, event).outcome == "accepted"
    return event


def take_back(counter: Counter, event: HandoverEvent, keeper: Actor | None = None) -> int:
    return perform(desk.take_back, keeper or counter.keeper, event.client_id, REASON)


def money(counter: Counter) -> tuple[int, int, int, int]:
    """Both merchants, the commission, and what is held."""
    reading().rollback()
    return (*(balance(f"merchant:{merchant.id}") for merchant in counter.merchants), balance("commission"), balance("escrow"))


def test_everything_a_hand_over_did_is_undone_and_told(counter: Counter) -> None:
    buyer = counter.buyer()
    visit = counter.ready(buyer, {"rice": 1, "oil": 1})
    event = handed(counter, visit.code)
    assert money(counter) == (1_940, 4_850, 210, 0)
    assert take_back(counter, event) == 2
    assert money(counter) == (0, 0, 0, 7_000)
    back = counter.pass_of(buyer)
    assert (back.id, back.state, back.used_at) == (visit.id, PassState.LIVE, None)
    assert set(reading().scalars(sa.select(SubOrder.state))) == {SubOrderState.READY}
    assert reading().execute(sa.select(Purchase.state, Purchase.completed_at)).all() == [(PurchaseState.PAID, None)]
    assert scanned() == [("accepted", "taken_back")]
    notice = reading().scalars(sa.select(Notice).where(Notice.kind == "fulfilment.taken_back")).one()
    assert (notice.user_id, notice.facts) == (buyer.id, {"orders": 1}), "one order, of two shops"
    entry = reading().scalars(sa.select(AuditEntry).where(AuditEntry.action == "pass.taken_back")).one()
    assert (entry.actor_id, entry.facts["reason"], len(entry.facts["sub_orders"])) == (counter.keeper.user_id, REASON, 2)
    assert counter_queries.point_figures(reading(), counter.point.id).collected_today == 0
    assert_books_are_right()


def test_told_again_it_does_nothing_and_the_device_hands_nothing_over_again(counter: Counter) -> None:
    event = handed(counter, counter.ready(counter.buyer(), {"rice": 1}).code)
    assert [take_back(counter, event) for _ in range(3)] == [1, 0, 0]
    assert money(counter) == (0, 0, 0, 2_000)
    assert perform(desk.hand_over, counter.keeper, event).outcome == "duplicate"
    assert money(counter) == (0, 0, 0, 2_000)
    assert count(Notice) == 3, "arrived, handed over, taken back"


def test_goods_leave_again_and_are_paid_for_again_as_often_as_they_were_taken_back(counter: Counter) -> None:
    buyer = counter.buyer()
    visit = counter.ready(buyer, {"rice": 1})
    for _ in range(3):
        event = handed(counter, visit.code)
        assert money(counter) == (1_940, 0, 60, 0)
        assert_books_are_right()
        take_back(counter, event)
        assert money(counter) == (0, 0, 0, 2_000)
        assert_books_are_right()
    handed(counter, visit.code)
    assert (money(counter), things_gone()) == ((1_940, 0, 60, 0), 1)
    assert counter.pass_of(buyer).state is PassState.USED
    assert_books_are_right()


def test_only_what_left_with_it_comes_back(counter: Counter) -> None:
    rice, oil = counter.packed(buyer := counter.buyer(), {"rice": 1, "oil": 1})
    counter.receive([rice, oil])
    code = counter.pass_of(buyer).code
    first = handed(counter, code, [rice.number])
    handed(counter, code)
    assert take_back(counter, first) == 1
    assert (state_of(rice), state_of(oil)) == (SubOrderState.READY, SubOrderState.COLLECTED)
    assert money(counter) == (0, 4_850, 150, 2_000)
    assert_books_are_right()


def test_goods_come_back_onto_the_pass_that_was_issued_meanwhile(counter: Counter) -> None:
    buyer = counter.buyer()
    event = handed(counter, counter.ready(buyer, {"rice": 1}).code)
    newer = counter.ready(buyer, {"oil": 1})
    take_back(counter, event)
    (visit,) = visits.live_of(reading(), buyer.id)
    assert (visit.id, len(visit.waiting)) == (newer.id, 2)
    assert counter.hand_over(newer.code).handed == 2
    assert_books_are_right()


def test_after_ten_minutes_it_stays(counter: Counter) -> None:
    event = handed(counter, counter.ready(counter.buyer(), {"rice": 1}).code)
    clock.move(rules.TAKE_BACK_FOR + timedelta(seconds=1))
    with pytest.raises(TooLateToTakeBack):
        take_back(counter, event)
    assert money(counter) == (1_940, 0, 60, 0)
    told = scans.told(reading(), counter.keeper.points(CounterPermission.POINT_READ), event.client_id)
    assert told is not None
    assert not told.can_be_taken_back


def test_money_that_went_back_since_keeps_it_as_it_is(counter: Counter) -> None:
    (part,) = counter.packed(buyer := counter.buyer(), {"rice": 1})
    counter.receive([part])
    event = handed(counter, counter.pass_of(buyer).code)
    perform(orders.refund, COMMAND, part.id, amount=Money(500), cause="claim:1", reason="bruised")
    before = money(counter)
    with pytest.raises(CannotTakeBack):
        take_back(counter, event)
    assert (money(counter), state_of(part), scanned()) == (before, SubOrderState.COLLECTED, [("accepted", None)])
    assert_books_are_right()


def test_what_was_weighed_lighter_comes_back_exactly(counter: Counter) -> None:
    counter.goods("fish", price=1_500, by_weight=True, grams=500)
    (part,) = counter.ordered(buyer := counter.buyer(), {"fish": 1})
    counter.pack(part, fish=437)
    counter.receive([part])
    visit = counter.pass_of(buyer)
    take_back(counter, handed(counter, visit.code))
    assert money(counter) == (0, 0, 0, 1_311)
    handed(counter, visit.code)
    assert money(counter) == (1_272, 0, 39, 0)
    assert_books_are_right()


def test_a_refused_scan_and_another_point_take_nothing_back(counter: Counter, make: Factories) -> None:
    refused = counter.event("000000")
    perform(desk.hand_over, counter.keeper, refused)
    with pytest.raises(NothingToTakeBack):
        take_back(counter, refused)
    event = handed(counter, counter.ready(counter.buyer(), {"rice": 1}).code)
    for stranger in (counter.new_keeper(make.point())[1], counter.clerks[0]):
        with pytest.raises(NotFound):
            take_back(counter, event, stranger)
    assert take_back(counter, event, counter.new_keeper(counter.point)[1]) == 1, "any keeper of the point may"


def part_left(counter: Counter) -> tuple[HandoverEvent, SubOrder, SubOrder]:
    """A device tells of two orders, and one of them had left before: the other leaves with a conflict."""
    rice, oil = counter.packed(buyer := counter.buyer(), {"rice": 1, "oil": 1})
    counter.receive([rice, oil])
    code = counter.pass_of(buyer).code
    handed(counter, code, [rice.number])
    event = counter.event(code, [rice.number, oil.number])
    assert perform(desk.hand_over, counter.keeper, event).outcome == "conflict"
    return event, rice, oil


def test_what_left_with_a_conflict_comes_back_too(counter: Counter) -> None:
    event, rice, oil = part_left(counter)
    assert money(counter) == (1_940, 4_850, 210, 0)
    told = scans.told(reading(), counter.keeper.points(CounterPermission.POINT_READ), event.client_id)
    assert told is not None
    assert told.can_be_taken_back
    assert [take_back(counter, event), take_back(counter, event)] == [1, 0]
    assert (state_of(rice), state_of(oil)) == (SubOrderState.COLLECTED, SubOrderState.READY)
    assert money(counter) == (1_940, 0, 60, 5_000)
    assert_books_are_right()


def test_part_of_a_hand_over_comes_back_and_then_the_rest(counter: Counter) -> None:
    rice, oil = counter.packed(buyer := counter.buyer(), {"rice": 1, "oil": 1})
    counter.receive([rice, oil])
    event = handed(counter, counter.pass_of(buyer).code)
    by_number = [perform(desk.take_back, counter.keeper, event.client_id, REASON, [rice.number]) for _ in range(2)]
    assert by_number == [1, 0]
    assert (state_of(rice), state_of(oil)) == (SubOrderState.READY, SubOrderState.COLLECTED)
    assert money(counter) == (0, 4_850, 150, 2_000)
    again = perform(desk.hand_over, counter.keeper, event)
    assert (again.outcome, again.left, again.stayed) == ("duplicate", (oil.number,), ((rice.number, "taken_back"),))
    assert scanned() == [("accepted", None)], "some of it is still gone"
    assert take_back(counter, event) == 1
    assert scanned() == [("accepted", "taken_back")]
    assert money(counter) == (0, 0, 0, 7_000)
    assert counter.hand_over(counter.pass_of(buyer).code).handed == 2
    assert money(counter) == (1_940, 4_850, 210, 0)
    assert_books_are_right()


def test_a_number_that_did_not_leave_with_it_takes_nothing_back(counter: Counter) -> None:
    event, rice, oil = part_left(counter)
    for numbers in ([rice.number], [oil.number, rice.number], ["L260608-22222222-1"], []):
        with pytest.raises(NothingToTakeBack):
            perform(desk.take_back, counter.keeper, event.client_id, REASON, numbers)
    assert (state_of(rice), state_of(oil)) == (SubOrderState.COLLECTED, SubOrderState.COLLECTED)


def test_a_refund_of_one_order_leaves_the_others_to_be_taken_back(counter: Counter) -> None:
    rice, oil = counter.packed(buyer := counter.buyer(), {"rice": 1, "oil": 1})
    counter.receive([rice, oil])
    event = handed(counter, counter.pass_of(buyer).code)
    perform(orders.refund, COMMAND, rice.id, amount=Money(500), cause="claim:1", reason="bruised")
    with pytest.raises(CannotTakeBack):
        take_back(counter, event)
    assert (state_of(rice), state_of(oil)) == (SubOrderState.COLLECTED, SubOrderState.COLLECTED)
    assert perform(desk.take_back, counter.keeper, event.client_id, REASON, [oil.number]) == 1
    assert state_of(oil) is SubOrderState.READY
    assert_books_are_right()
