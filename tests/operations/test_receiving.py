"""At the point: a batch arrives, its orders are ready, everybody is told once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from shop.counter import queries as counter_queries
from shop.counter.permissions import CounterPermission
from shop.fulfilment import operations, queries
from shop.fulfilment.errors import NothingArrived
from shop.home.queries import waiting_for
from shop.kernel import clock, ids
from shop.kernel.db import perform, reading, transaction
from shop.kernel.errors import NotFound
from shop.models.orders import SubOrder, SubOrderState
from shop.models.pickup import Batch, BatchState, Cycle, Pass, PassState
from shop.models.platform import AuditEntry, Notice
from shop.pickup import passes, visits
from shop.platform import outbox
from shop.platform.actor import Actor
from shop.platform.language import dated_moment, speaking
from tests.support.counter import Counter, state_of
from tests.support.factories import Factories, actor_of
from tests.support.gateways import RecordingSms
from tests.support.shopping import count


@pytest.fixture
def counter(make: Factories) -> Counter:
    made = Counter(make)
    made.goods("rice", price=2_000)
    made.goods("oil", merchant=1, price=5_000)
    return made


def notices_of(user_id: int, kind: str = "fulfilment.arrived") -> list[Notice]:
    reading().rollback()
    return list(reading().scalars(sa.select(Notice).where(Notice.user_id == user_id, Notice.kind == kind)))


def test_goods_of_two_shops_arrive_on_one_pass_and_one_message(counter: Counter, sms: RecordingSms) -> None:
    buyer = counter.buyer()
    parts = counter.packed(buyer, {"rice": 1, "oil": 1})
    arrival = counter.receive(parts)
    assert (arrival.ready, arrival.people, arrival.missing) == (2, 1, 0)
    assert {state_of(part) for part in parts} == {SubOrderState.READY}
    (visit,) = visits.live_of(reading(), buyer.id)
    assert [part.number for part in visit.waiting] == [part.number for part in parts]
    assert visit.shops == 2
    outbox.run_due()
    (text,) = sms.texts_to(buyer.phone)
    assert f"{visit.code[:3]} {visit.code[3:]}" in text
    (notice,) = notices_of(buyer.id)
    assert (notice.facts["orders"], notice.facts["shops"]) == (1, 2), "one order of two shops, as the page of the pass counts"
    assert (visit.orders, visit.shops, waiting_for(reading(), actor_of(buyer)).ready) == (1, 2, 1)
    assert "1单（2家商家）" in text


def test_a_text_message_is_read_on_any_day_and_so_it_names_the_date(counter: Counter, sms: RecordingSms) -> None:
    buyer = counter.buyer()
    counter.receive(counter.packed(buyer, {"rice": 1}))
    (visit,) = visits.live_of(reading(), buyer.id)
    clock.move(visit.valid_until - timedelta(hours=1) - clock.now())
    outbox.run_due()
    (text,) = sms.texts_to(buyer.phone)
    with speaking("zh"):
        assert dated_moment(visit.valid_until) in text
    assert "今天" not in text


def test_told_twice_nobody_is_told_again(counter: Counter, sms: RecordingSms) -> None:
    buyer = counter.buyer()
    parts = counter.packed(buyer, {"rice": 1})
    counter.receive(parts)
    again = counter.receive(parts)
    assert (again.ready, again.people) == (0, 0)
    outbox.run_due()
    assert len(sms.texts_to(buyer.phone)) == 1
    assert len(notices_of(buyer.id)) == 1
    assert reading().scalar(sa.select(sa.func.count()).where(AuditEntry.action == "batch.arrived")) == 1


def test_a_later_arrival_joins_the_same_pass(counter: Counter) -> None:
    buyer = counter.buyer()
    rice, oil = counter.packed(buyer, {"rice": 1, "oil": 1})
    counter.receive([rice])
    first = counter.pass_of(buyer)
    clock.move(timedelta(days=1))
    counter.receive([oil])
    (visit,) = visits.live_of(reading(), buyer.id)
    assert (visit.ref, visit.code, len(visit.waiting)) == (first.ref, first.code, 2)
    assert visit.valid_until > first.valid_until
    assert len(notices_of(buyer.id)) == 2


def test_missing_parcels_stay_on_their_way_and_can_come_later(counter: Counter) -> None:
    here, missing = counter.packed(counter.buyer(), {"rice": 1})[0], counter.packed(counter.buyer(), {"rice": 1})[0]
    arrival = counter.receive([here], missing={missing.number})
    assert (arrival.ready, arrival.missing) == (1, 1)
    assert state_of(missing) is SubOrderState.PACKED
    assert counter.receive([here]).ready == 1
    assert state_of(missing) is SubOrderState.READY


def test_what_was_not_packed_is_not_ready(counter: Counter) -> None:
    packed = counter.packed(counter.buyer(), {"rice": 1})[0]
    (unpacked,) = counter.ordered(counter.buyer(), {"rice": 1})
    arrival = counter.receive([packed])
    assert (arrival.ready, arrival.missing) == (1, 1)
    assert state_of(unpacked) is SubOrderState.PLACED


def test_a_delivery_of_which_nothing_was_packed_has_not_arrived(counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 1})
    with pytest.raises(NothingArrived):
        counter.receive([part])
    assert count(Batch) == 0


def test_another_point_finds_no_such_delivery(counter: Counter, make: Factories) -> None:
    parts = counter.packed(counter.buyer(), {"rice": 1})
    _, stranger = counter.new_keeper(make.point())
    with pytest.raises(NotFound):
        perform(operations.receive, stranger, {part.cycle_id for part in parts})
    assert state_of(parts[0]) is SubOrderState.PACKED
    assert queries.point_delivery(reading(), stranger.points(CounterPermission.POINT_READ), parts[0].cycle_id) is None


def test_the_batch_is_marked_with_who_received_it(counter: Counter) -> None:
    parts = counter.packed(counter.buyer(), {"rice": 1})
    counter.receive(parts)
    batch = reading().scalars(sa.select(Batch)).one()
    assert (batch.state, batch.arrived_by_id) == (BatchState.ARRIVED, counter.keeper.user_id)


def test_the_board_of_the_point_counts_what_comes_and_what_waits(counter: Counter) -> None:
    counter.packed(counter.buyer(), {"rice": 1})
    counter.ordered(counter.buyer(), {"rice": 1})
    (delivery,) = queries.expected(reading(), counter.point.id)
    assert (delivery.coming, delivery.to_pack, delivery.ready) == (1, 1, 0)
    perform(operations.receive, counter.keeper, {delivery.cycle_id})
    reading().rollback()
    (delivery,) = queries.expected(reading(), counter.point.id)
    assert (delivery.batch_state, delivery.ready) == (BatchState.ARRIVED, 1)
    figures = counter_queries.point_figures(reading(), counter.point.id)
    assert (figures.waiting, figures.people_waiting, figures.overdue) == (1, 1, 0)


def test_a_point_is_told_of_a_later_delivery_once_it_has_left(counter: Counter) -> None:
    (part,) = counter.packed(counter.buyer(), {"rice": 1})
    with transaction() as session:
        session.execute(sa.update(Cycle).where(Cycle.id == part.cycle_id).values(arrives_on=clock.today() + timedelta(days=3)))
    assert queries.expected(reading(), counter.point.id) == [], "its day is not near, and the shop still has it"
    reading().rollback()
    counter.send(part)
    (delivery,) = queries.expected(reading(), counter.point.id)
    assert (delivery.cycle_id, delivery.coming) == (part.cycle_id, 1)


def test_codes_are_not_given_out_again_for_a_month(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["482193", "482193", "111222"])
    monkeypatch.setattr(ids, "digits", lambda length: next(drawn))
    one, other = counter.buyer(), counter.buyer()
    first = perform(passes.issue, one.id, counter.point.id)
    assert perform(passes.issue, other.id, counter.point.id).code == "111222"
    assert first.code == "482193"


def test_after_a_month_a_used_code_may_come_again(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "digits", lambda length: "482193")
    first = perform(passes.issue, counter.buyer().id, counter.point.id)
    assert perform(passes.close_if_empty, first.id)
    clock.move(timedelta(days=31))
    assert perform(passes.issue, counter.buyer().id, counter.point.id).code == "482193"


def test_a_person_has_one_live_pass_per_point(counter: Counter, make: Factories) -> None:
    buyer = counter.buyer()
    first = perform(passes.issue, buyer.id, counter.point.id)
    assert perform(passes.issue, buyer.id, counter.point.id).id == first.id
    assert perform(passes.issue, buyer.id, make.point().id).id != first.id
    assert count(Pass) == 2


def test_a_pass_runs_until_closing_time_of_the_third_day(counter: Counter) -> None:
    issued = perform(passes.issue, counter.buyer().id, counter.point.id)
    local = clock.local(issued.valid_until)
    assert (local.date() - clock.today()).days == 3
    assert local.time() == counter.point.closes


def test_a_keeper_can_let_a_pass_run_until_the_next_closing_time(counter: Counter, make: Factories) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    other = counter.ready(counter.buyer(), {"rice": 1})
    clock.move(timedelta(days=5))
    until = perform(passes.extend, counter.keeper, visit.ref)
    assert timedelta(0) < until - clock.now() <= timedelta(days=1)
    assert counter.hand_over(visit.code).outcome == "accepted"
    with pytest.raises(NotFound):
        perform(passes.extend, counter.keeper, visit.ref)
    stranger: Actor = counter.new_keeper(make.point())[1]
    with pytest.raises(NotFound):
        perform(passes.extend, stranger, other.ref)


def test_somebody_elses_pass_cannot_be_read(counter: Counter) -> None:
    buyer, stranger = counter.buyer(), counter.buyer()
    mine = counter.ready(buyer, {"rice": 1})
    assert visits.one_of(reading(), buyer.id, mine.ref) is not None
    assert visits.one_of(reading(), stranger.id, mine.ref) is None
    assert reading().scalars(sa.select(SubOrder.pass_id)).all() == [mine.id]
    assert mine.state is PassState.LIVE
