"""Whatever starts also ends: orders nobody packs, sends, finds or collects, to their last fen. docs/algorithms/endings.md."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from shop.fulfilment import operations, overdue
from shop.fulfilment.endings import Wait
from shop.fulfilment.errors import NotOverdue
from shop.fulfilment.jobs import tell_late
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound
from shop.models.accounts import User
from shop.models.orders import Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.pickup import Batch, BatchState, Cycle, Pass, PassState
from shop.models.platform import AuditEntry, Notice
from shop.orders import operations as orders
from shop.orders.errors import WrongState
from shop.pickup import passes
from shop.platform import outbox
from shop.platform.actor import Actor, Grant
from tests.support.books import assert_books_are_right
from tests.support.counter import Counter, end, state_of
from tests.support.factories import Factories, actor_of
from tests.support.gateways import RecordingSms
from tests.support.money import balance

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def counter(make: Factories) -> Counter:
    """Rice keeps (it is at room temperature and good for a year), fish is chilled; both of one shop. Oil keeps, of another shop."""
    made = Counter(make)
    made.goods("rice", price=2_000, shelf_life_days=365)
    made.goods("fish", price=3_000, storage="chilled", shelf_life_days=3)
    made.goods("oil", merchant=1, price=5_000, shelf_life_days=365)
    return made


@pytest.fixture
def operator(make: Factories) -> Actor:
    return actor_of(make.user(display_name="运营"), Grant("operator"))


def be_at(moment: datetime, later: timedelta = timedelta(0)) -> None:
    """Let it be so long after a moment."""
    clock.move(moment + later - (clock.now() - clock.shift()))
    reading().rollback()


def arrives(part: SubOrder) -> datetime:
    return reading().scalars(sa.select(Cycle.arrives_at).where(Cycle.id == part.cycle_id)).one()


def work() -> None:
    """A round of the timers, twice: the second changes nothing."""
    for _ in range(2):
        tell_late()
        end()
        reading().rollback()


def told(user: User) -> list[str]:
    reading().rollback()
    return list(reading().scalars(sa.select(Notice.kind).where(Notice.user_id == user.id).order_by(Notice.id)))


def purse(user: User) -> int:
    return balance(f"wallet:{user.id}")


def purchase_state(part: SubOrder) -> PurchaseState:
    reading().rollback()
    return reading().scalars(sa.select(Purchase.state).where(Purchase.id == part.purchase_id)).one()


def deeds(action: str) -> int:
    return reading().scalar(sa.select(sa.func.count()).select_from(AuditEntry).where(AuditEntry.action == action)) or 0


def placed(counter: Counter, buyer: User) -> SubOrder:
    return counter.ordered(buyer, {"rice": 1})[0]


def accepted(counter: Counter, buyer: User) -> SubOrder:
    part = placed(counter, buyer)
    perform(orders.accept, counter.clerk_of(part), part.id)
    return part


def packed(counter: Counter, buyer: User) -> SubOrder:
    return counter.packed(buyer, {"rice": 1})[0]


def sent(counter: Counter, buyer: User) -> SubOrder:
    return sent_to(counter, buyer)[0]


def sent_to(counter: Counter, *buyers: User) -> list[SubOrder]:
    """One order of rice for each, in one delivery that has left its shop."""
    parts = [packed(counter, buyer) for buyer in buyers]
    be_at(arrives(parts[0]), -2 * HOUR)
    perform(operations.hand_to_driver, counter.clerk_of(parts[0]), parts[0].cycle_id)
    return parts


NEVER_CAME: list[tuple[Callable[[Counter, User], SubOrder], Wait, timedelta]] = [
    (placed, Wait.TO_PACK, 1 * DAY), (accepted, Wait.TO_PACK, 1 * DAY), (packed, Wait.TO_SEND, 3 * DAY), (sent, Wait.ON_THE_WAY, 3 * DAY),
]  # fmt: skip


@pytest.mark.parametrize(("begin", "wait", "ends"), NEVER_CAME)
def test_what_never_comes_is_paid_back_to_its_last_fen(
    counter: Counter, begin: Callable[[Counter, User], SubOrder], wait: Wait, ends: timedelta
) -> None:
    buyer = counter.buyer()
    before = purse(buyer)
    part = begin(counter, buyer)
    assert purse(buyer) == before - 2_000
    be_at(arrives(part), ends - timedelta(minutes=1))
    (row,), _more = overdue.too_long(reading())
    assert (row.number, row.wait, row.ends_at) == (part.number, wait, arrives(part) + ends)
    work()
    assert state_of(part) is not SubOrderState.SHORT
    assert purse(buyer) == before - 2_000
    be_at(arrives(part), ends)
    work()
    assert (state_of(part), purchase_state(part)) == (SubOrderState.SHORT, PurchaseState.CANCELLED)
    assert (purse(buyer), balance("escrow"), balance(f"merchant:{part.merchant_id}")) == (before, 0, 0)
    assert told(buyer).count("orders.not_delivered") == 1
    assert told(counter.clerk_users[0]).count("fulfilment.shop_not_delivered") == 1
    assert deeds("sub_order.not_delivered") == 1
    assert overdue.too_long(reading())[0] == []
    be_at(arrives(part), 60 * DAY)
    work()
    assert_books_are_right()


def test_a_crate_missing_at_receiving_is_on_every_list_until_it_is_found(counter: Counter) -> None:
    here, missing = sent_to(counter, counter.buyer(), counter.buyer())
    be_at(arrives(here), 10 * timedelta(minutes=1))
    counter.receive([here], counted={here.number})
    be_at(arrives(here), 20 * timedelta(minutes=1))
    for whose in ({}, {"merchant_id": missing.merchant_id}, {"point_id": missing.pickup_point_id}):
        (row,), _more = overdue.too_long(reading(), **whose)
        assert (row.number, row.wait) == (missing.number, Wait.MISSING)
        assert overdue.counts(reading(), **whose) == {Wait.MISSING: 1}
    work()
    assert "fulfilment.shop_missing" in told(counter.clerk_users[0])
    be_at(arrives(here), 2 * DAY)
    (row,), _more = overdue.too_long(reading())
    assert row.needs_a_person
    counter.receive([missing], counted={missing.number})
    assert state_of(missing) is SubOrderState.READY
    assert overdue.too_long(reading())[0] == []
    buyer = reading().get_one(User, missing.user_id)
    assert told(buyer)[-1] == "fulfilment.arrived"
    assert_books_are_right()


def test_a_crate_that_is_not_found_is_paid_back_and_the_one_that_came_is_not(counter: Counter) -> None:
    finder, loser = counter.buyer(), counter.buyer()
    before = purse(loser)
    here, missing = sent_to(counter, finder, loser)
    be_at(arrives(here), 10 * timedelta(minutes=1))
    counter.receive([here], counted={here.number})
    counter.hand_over(counter.pass_of(finder).code)
    be_at(arrives(here), 5 * HOUR)
    work()
    assert (told(loser).count("fulfilment.late"), told(finder).count("fulfilment.late")) == (1, 0)
    be_at(arrives(here), 60 * DAY)
    work()
    assert (state_of(missing), state_of(here)) == (SubOrderState.SHORT, SubOrderState.COMPLETED)
    assert (purse(loser), balance("escrow"), balance(f"merchant:{here.merchant_id}")) == (before, 0, 1_940)
    batch = reading().scalars(sa.select(Batch.state).where(Batch.cycle_id == here.cycle_id)).one()
    assert batch is BatchState.CLOSED
    assert counter.receive([missing], counted={missing.number}).ready == 0  # found too late: it goes back to its shop
    assert purse(loser) == before
    assert_books_are_right()


def test_a_delivery_received_before_its_time_misses_nothing_until_then(counter: Counter) -> None:
    here, later = sent_to(counter, counter.buyer(), counter.buyer())
    counter.receive([here], counted={here.number})
    be_at(arrives(here), -timedelta(minutes=1))
    assert overdue.too_long(reading(), point_id=later.pickup_point_id)[0] == []
    be_at(arrives(here))
    assert [row.number for row in overdue.too_long(reading(), point_id=later.pickup_point_id)[0]] == [later.number]


# What was not collected: who gets the money.
UNCOLLECTED = [
    # wanted, ends after the pass ran out, back to the buyer, to the shop, commission
    ({"rice": 2}, 4 * DAY, 4_000, 0, 0),
    ({"fish": 1}, 1 * DAY, 0, 2_910, 90),
    ({"fish": 1, "rice": 2}, 1 * DAY, 4_000, 2_910, 90),
]


@pytest.mark.parametrize(("wanted", "wait", "back", "shop", "commission"), UNCOLLECTED)
def test_what_nobody_collects_ends_by_what_keeps(
    counter: Counter, wanted: dict[str, int], wait: timedelta, back: int, shop: int, commission: int
) -> None:
    buyer = counter.buyer()
    before = purse(buyer)
    visit = counter.ready(buyer, wanted)
    (part,) = reading().scalars(sa.select(SubOrder)).all()
    spent = before - purse(buyer)
    be_at(visit.valid_until, wait - timedelta(minutes=1))
    work()
    assert state_of(part) is SubOrderState.READY
    assert [row.ends_at for row in overdue.too_long(reading(), point_id=counter.point.id)[0]] == [visit.valid_until + wait]
    be_at(visit.valid_until, wait)
    work()
    assert (state_of(part), purchase_state(part)) == (SubOrderState.NOT_COLLECTED, PurchaseState.COMPLETED)
    assert purse(buyer) == before - spent + back
    assert (balance(f"merchant:{part.merchant_id}"), balance("commission"), balance("escrow")) == (shop, commission, 0)
    assert told(buyer)[-1] == ("orders.not_collected_back" if back else "orders.not_collected")
    closed = counter.pass_of(buyer)
    assert (closed.state, closed.used_at) == (PassState.USED, None)
    comes_back = [one.number for one in overdue.coming_back(reading(), part.merchant_id)]
    assert comes_back == ([part.number] if back else [])
    assert_books_are_right()


def test_people_are_reminded_twice_and_not_when_they_came(counter: Counter, sms: RecordingSms) -> None:
    buyer, punctual = counter.buyer(), counter.buyer()
    counter.ready(buyer, {"rice": 1})
    counter.hand_over(counter.ready(punctual, {"rice": 1}).code)
    began = clock.now()
    outbox.run_due()
    be_at(began, DAY)
    work()
    assert told(buyer).count("fulfilment.still_waiting") == 1
    be_at(began, 2 * DAY)
    work()
    assert told(buyer).count("fulfilment.still_waiting") == 2
    assert "fulfilment.still_waiting" not in told(punctual)
    for job in range(3):
        outbox.run_due(limit=50 + job)
    assert sum("仍在" in text or "still wait" in text for text in sms.texts_to(buyer.phone)) == 1


def test_a_pass_that_a_keeper_lets_run_on_keeps_its_goods(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"fish": 1})
    (part,) = reading().scalars(sa.select(SubOrder)).all()
    be_at(visit.valid_until, 23 * HOUR)
    until = perform(passes.extend, counter.keeper, visit.ref)
    be_at(visit.valid_until, 1 * DAY)
    work()
    assert state_of(part) is SubOrderState.READY
    be_at(until, 1 * DAY)
    work()
    assert state_of(part) is SubOrderState.NOT_COLLECTED


def test_however_often_a_pass_is_moved_on_goods_end_at_last(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"fish": 1})
    (part,) = reading().scalars(sa.select(SubOrder)).all()
    began = clock.now()
    for days in range(3, 7):
        be_at(began, days * DAY)
        perform(passes.extend, counter.keeper, visit.ref)
        work()
        assert state_of(part) is SubOrderState.READY
    be_at(began, 7 * DAY + HOUR)
    perform(passes.extend, counter.keeper, visit.ref)
    work()
    assert state_of(part) is SubOrderState.NOT_COLLECTED
    assert_books_are_right()


@pytest.mark.parametrize(("wanted", "after"), [({"fish": 1}, 2 * DAY), ({"rice": 1}, 7 * DAY), ({"fish": 1, "rice": 1}, 7 * DAY)])
def test_the_time_for_claims_ends_and_moves_no_money(counter: Counter, wanted: dict[str, int], after: timedelta) -> None:
    counter.hand_over(counter.ready(counter.buyer(), wanted).code)
    (part,) = reading().scalars(sa.select(SubOrder)).all()
    earned, began = balance(f"merchant:{part.merchant_id}"), clock.now()
    be_at(began, after - HOUR)
    work()
    assert state_of(part) is SubOrderState.COLLECTED
    be_at(began, after + HOUR)
    work()
    assert (state_of(part), purchase_state(part)) == (SubOrderState.COMPLETED, PurchaseState.COMPLETED)
    assert balance(f"merchant:{part.merchant_id}") == earned
    assert deeds("sub_order.completed") == 1
    assert_books_are_right()


def test_one_part_of_two_that_never_comes_lets_the_other_complete_the_order(counter: Counter) -> None:
    buyer = counter.buyer()
    before = purse(buyer)
    rice, oil = counter.packed(buyer, {"rice": 1, "oil": 1})
    counter.receive([rice])
    counter.hand_over(counter.pass_of(buyer).code)
    assert purchase_state(oil) is PurchaseState.PAID
    be_at(arrives(oil), 60 * DAY)
    work()
    assert (state_of(rice), state_of(oil)) == (SubOrderState.COMPLETED, SubOrderState.SHORT)
    assert (purchase_state(oil), purse(buyer)) == (PurchaseState.COMPLETED, before - 2_000)
    assert_books_are_right()


# Somebody decides before.


def test_an_operator_need_not_wait(counter: Counter, operator: Actor) -> None:
    buyer = counter.buyer()
    before = purse(buyer)
    part = sent(counter, buyer)
    with pytest.raises(NotOverdue):
        perform(operations.end_now, operator, part.number, "the van broke down")
    be_at(arrives(part), HOUR)
    with pytest.raises(NotFound):
        perform(operations.end_now, counter.keeper, part.number, "the van broke down")
    assert state_of(part) is SubOrderState.IN_TRANSIT
    assert perform(operations.end_now, operator, part.number, "the van broke down").fen == 2_000
    assert (state_of(part), purse(buyer)) == (SubOrderState.SHORT, before)
    with pytest.raises(NotFound):
        perform(operations.end_now, operator, part.number, "again")
    assert_books_are_right()


def test_a_keeper_clears_the_shelf_once_the_pass_has_run_out(counter: Counter, make: Factories) -> None:
    buyer = counter.buyer()
    visit = counter.ready(buyer, {"fish": 1, "rice": 1})
    (part,) = reading().scalars(sa.select(SubOrder)).all()
    with pytest.raises(NotOverdue):
        perform(operations.clear, counter.keeper, part.number, "spoiled")
    be_at(visit.valid_until, HOUR)
    stranger = counter.new_keeper(make.point())[1]
    with pytest.raises(NotFound):
        perform(operations.clear, stranger, part.number, "spoiled")
    assert state_of(part) is SubOrderState.READY
    assert perform(operations.clear, counter.keeper, part.number, "spoiled").fen == 2_000
    assert state_of(part) is SubOrderState.NOT_COLLECTED
    assert_books_are_right()


def test_a_shop_says_that_what_nobody_collected_is_back(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    (part,) = reading().scalars(sa.select(SubOrder)).all()
    with pytest.raises(WrongState):
        perform(orders.returned, counter.clerks[0], part.id)
    be_at(visit.valid_until, 5 * DAY)
    work()
    with pytest.raises(NotFound):
        perform(orders.returned, counter.clerks[1], part.id)
    assert perform(orders.returned, counter.clerks[0], part.id)
    assert not perform(orders.returned, counter.clerks[0], part.id)
    assert state_of(part) is SubOrderState.RETURNED
    assert overdue.coming_back(reading(), part.merchant_id) == []
    assert_books_are_right()


def test_money_given_back_before_is_not_given_back_again(counter: Counter) -> None:
    buyer = counter.buyer()
    before = purse(buyer)
    visit = counter.ready(buyer, {"rice": 2})
    (part,) = reading().scalars(sa.select(SubOrder)).all()
    perform(orders.refund, counter.keeper, part.id, amount=part.total * 1 - part.total + type(part.total)(500), cause="a", reason="torn")
    be_at(visit.valid_until, 5 * DAY)
    work()
    assert (state_of(part), purse(buyer), balance("escrow")) == (SubOrderState.NOT_COLLECTED, before, 0)
    assert_books_are_right()


def test_passes_close_when_nothing_waits_on_them(counter: Counter) -> None:
    buyer = counter.buyer()
    issued = perform(passes.issue, buyer.id, counter.point.id)
    be_at(issued.valid_until, HOUR)
    work()
    assert reading().scalars(sa.select(Pass.state)).one() is PassState.USED
    assert deeds("pass.closed") == 1


def test_a_pass_on_which_something_waits_stays_open(counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    be_at(visit.valid_until, HOUR)
    work()
    assert reading().scalars(sa.select(Pass.state)).one() is PassState.LIVE


def test_batches_are_checked_when_all_is_here_and_closed_when_nothing_waits(counter: Counter) -> None:
    def batch() -> BatchState:
        reading().rollback()
        return reading().scalars(sa.select(Batch.state)).one()

    here, missing = sent_to(counter, counter.buyer(), counter.buyer())
    be_at(arrives(here), HOUR)
    counter.receive([here], counted={here.number})
    work()
    assert batch() is BatchState.ARRIVED
    counter.receive([missing], counted={missing.number})
    work()
    assert batch() is BatchState.CHECKED
    for part in (here, missing):
        counter.hand_over(counter.pass_of(reading().get_one(User, part.user_id)).code)
    work()
    assert batch() is BatchState.CLOSED
