"""Deliveries open by themselves, keep what people saw, and give their slots out once."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
import sqlalchemy as sa

from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.models.merchants import Merchant, MerchantState
from shop.models.pickup import Cycle, MerchantPoint
from shop.pickup import jobs, operations, queries
from shop.pickup.errors import CutOffPassed, SlotFull
from tests.support.factories import Factories
from tests.support.shopping import booked, count


def deliver(make: Factories, **terms: object) -> tuple[Merchant, int]:
    """A merchant that delivers to a point, without any cycle yet."""
    merchant, point = make.merchant(**terms), make.point()
    make.save(MerchantPoint(merchant_id=merchant.id, pickup_point_id=point.id))
    return merchant, point.id


def at(moment: str) -> None:
    clock.move(datetime.fromisoformat(moment) - (clock.now() - clock.shift()))


def test_a_week_of_deliveries_is_opened_and_opening_again_adds_nothing(make: Factories) -> None:
    at("2027-03-01T12:00:00+08:00")
    merchant, point_id = deliver(make)
    assert perform(operations.open_cycles) == 7
    jobs.open_cycles()
    assert count(Cycle) == 7
    first = queries.next_cycles(reading(), point_id)[merchant.id]
    assert str(first.arrives_on) == "2027-03-02"
    assert first.cut_off_at == datetime.fromisoformat("2027-03-01T23:00:00+08:00")
    assert first.arrives_at == datetime.fromisoformat("2027-03-02T16:00:00+08:00")


@pytest.mark.parametrize(("moment", "day"), [("2027-03-01T22:59:58+08:00", "2027-03-02"), ("2027-03-01T23:00:00+08:00", "2027-03-03")])
def test_at_the_cut_off_the_next_day_is_offered(make: Factories, moment: str, day: str) -> None:
    at("2027-03-01T12:00:00+08:00")
    merchant, point_id = deliver(make)
    perform(operations.open_cycles)
    at(moment)
    assert str(queries.next_cycles(reading(), point_id, [merchant.id])[merchant.id].arrives_on) == day


def test_changed_hours_never_move_a_cut_off_people_already_saw(make: Factories) -> None:
    at("2027-03-01T12:00:00+08:00")
    merchant, _point = deliver(make)
    perform(operations.open_cycles, 1)
    before = reading().scalars(sa.select(Cycle.cut_off_at)).all()
    reading().rollback()
    with transaction() as session:
        session.execute(sa.update(Merchant).values(cut_off=time(20, 0)))
    perform(operations.open_cycles, 2)
    assert reading().scalars(sa.select(Cycle.cut_off_at).order_by(Cycle.id)).all()[:1] == before
    assert clock.local(reading().scalars(sa.select(Cycle.cut_off_at).order_by(Cycle.id.desc())).first()).hour == 20  # type: ignore[arg-type]
    assert merchant.id


def test_suspended_merchants_open_nothing(make: Factories) -> None:
    deliver(make, state=MerchantState.SUSPENDED)
    assert perform(operations.open_cycles) == 0


def test_a_slot_is_booked_and_freed(make: Factories) -> None:
    merchant = make.merchant(points=[make.point()])
    cycle = reading().scalars(sa.select(Cycle.id).where(Cycle.merchant_id == merchant.id)).one()
    perform(operations.book_slot, cycle)
    assert booked(cycle) == 1
    perform(operations.free_slot, cycle)
    assert booked(cycle) == 0


def test_all_slots_of_a_basket_or_none_and_the_reason(make: Factories) -> None:
    point = make.point()
    open_one, full, closed = (make.merchant(points=[point]) for _ in range(3))
    cycles = {row.merchant_id: row.id for row in reading().execute(sa.select(Cycle.id, Cycle.merchant_id))}
    reading().rollback()
    with transaction() as session:
        session.execute(sa.update(Cycle).where(Cycle.merchant_id == full.id).values(booked=Cycle.capacity))
        session.execute(sa.update(Cycle).where(Cycle.merchant_id == closed.id).values(cut_off_at=clock.now() - timedelta(seconds=1)))
    with pytest.raises(SlotFull) as no_slot:
        perform(operations.book_slots, [cycles[open_one.id], cycles[full.id]])
    assert no_slot.value.details == {"merchants": [full.code]}
    with pytest.raises(CutOffPassed) as too_late:
        perform(operations.book_slots, [cycles[open_one.id], cycles[full.id], cycles[closed.id]])
    assert too_late.value.details == {"merchants": [closed.code]}
    assert booked(cycles[open_one.id]) == 0
