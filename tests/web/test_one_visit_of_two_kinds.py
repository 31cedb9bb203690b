"""One visit, one code, whatever it is: an order and a parcel of a carrier wait on one pass and leave with one hand-over."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from shop.counter import operations as desk
from shop.counter import queries, scans
from shop.counter.jobs import end
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.models.accounts import User
from shop.models.orders import SubOrder, SubOrderState
from shop.models.pickup import Collectable, CollectableState, Pass, PassState
from tests.support.books import assert_books_are_right
from tests.support.counter import Counter, shown, state_of, things_gone, with_rice_and_oil
from tests.support.factories import Factories
from tests.support.money import balance
from tests.support.parcels import Parcels
from tests.support.people import sign_in

SF, OTHER = "SF1234567890", "SF0000000001"


@pytest.fixture
def parcels(monkeypatch: pytest.MonkeyPatch) -> Parcels:
    return Parcels(monkeypatch)


@pytest.fixture
def counter(make: Factories, client: FlaskClient) -> Counter:
    made = with_rice_and_oil(make)
    sign_in(client, made.keeper_user, second_factor=True)
    return made


def waiting_visit(counter: Counter, parcels: Parcels) -> tuple[User, SubOrder, Pass]:
    (part,) = counter.packed(buyer := counter.buyer(), {"rice": 1})
    counter.receive([part])
    parcels.arrive(buyer, counter.point, 7, SF)
    return buyer, part, counter.pass_of(buyer)


def states() -> dict[str, CollectableState]:
    reading().rollback()
    return {row.number: row.state for row in reading().execute(sa.select(Collectable.number, Collectable.state))}


def test_the_page_shows_both_and_one_press_hands_both_over(client: FlaskClient, counter: Counter, parcels: Parcels) -> None:
    buyer, part, visit = waiting_visit(counter, parcels)
    figures = queries.point_figures(reading(), counter.point.id)
    assert (figures.waiting, figures.people_waiting) == (2, 1)
    page = client.get(f"/station/desk/{visit.ref}").text
    for told in (part.number, SF, "SF Express", "A-3-12", "Parcel", "2 pieces"):
        assert told in page, told
    answer = client.post(f"/station/desk/{visit.ref}", data=shown(client, visit.ref))
    assert answer.status_code == 303
    assert "2 orders" in client.get(answer.location).text, "things of every kind are counted"
    assert parcels.told == [("collected", (7,))]
    assert (state_of(part), balance(f"merchant:{counter.merchants[0].id}")) == (SubOrderState.COLLECTED, 1_940)
    assert states() == {part.number: CollectableState.COLLECTED, SF: CollectableState.COLLECTED}
    assert counter.pass_of(buyer).state is PassState.USED
    assert_books_are_right()


def test_a_device_hands_both_over_once_and_both_come_back(client: FlaskClient, counter: Counter, parcels: Parcels) -> None:
    buyer, part, visit = waiting_visit(counter, parcels)
    event = counter.event(visit.code, [part.number, SF])
    done = perform(desk.hand_over, counter.keeper, event)
    assert (done.outcome, set(done.left)) == ("accepted", {part.number, SF})
    assert perform(desk.hand_over, counter.keeper, event).outcome == "duplicate"
    assert [one.handed for one in scans.desk_events(reading(), counter.point.id, number=SF)] == [2]
    assert perform(desk.take_back, counter.keeper, event.client_id, "a slip") == 2
    assert parcels.told == [("collected", (7,)), ("taken back", (7,))]
    assert (state_of(part), balance("escrow")) == (SubOrderState.READY, 2_000)
    assert set(states().values()) == {CollectableState.WAITING}
    assert counter.hand_over(counter.pass_of(buyer).code).handed == 2
    assert_books_are_right()


def test_what_one_kind_refuses_keeps_the_other_here_with_its_money(client: FlaskClient, counter: Counter, parcels: Parcels) -> None:
    _buyer, part, visit = waiting_visit(counter, parcels)
    parcels.refuses = True
    refused = counter.hand_over(visit.code)
    assert (refused.outcome, refused.reason, refused.left) == ("refused", "not_ready", ())
    assert (state_of(part), balance(f"merchant:{counter.merchants[0].id}"), things_gone()) == (SubOrderState.READY, 0, 0)
    assert reading().scalar(sa.select(SubOrder.declined_reason).where(SubOrder.id == part.id)) is None, "what it wrote is undone"
    assert_books_are_right()


def test_a_kind_says_why_its_thing_stays(client: FlaskClient, counter: Counter, parcels: Parcels) -> None:
    _buyer, part, visit = waiting_visit(counter, parcels)
    parcels.stays = {7: "not_paid"}
    refused = counter.hand_over(visit.code, [part.number, SF])
    assert (refused.reason, dict(refused.stayed)) == ("not_paid", {part.number: "with_others", SF: "not_paid"})
    assert counter.hand_over(visit.code, [part.number]).outcome == "accepted"
    assert_books_are_right()


def test_a_parcel_nobody_collects_leaves_by_itself_and_its_pass_closes_with_the_last(
    client: FlaskClient, counter: Counter, parcels: Parcels
) -> None:
    buyer, part, visit = waiting_visit(counter, parcels)
    parcels.ends = {7: clock.now() + timedelta(hours=1)}
    end()
    assert states()[SF] is CollectableState.WAITING
    clock.move(timedelta(hours=2))
    end()
    end()
    assert parcels.told == [("not collected", (7,))]
    assert (states()[SF], state_of(part), counter.pass_of(buyer).state) == (
        CollectableState.NOT_COLLECTED, SubOrderState.READY, PassState.LIVE,
    )  # fmt: skip
    assert counter.hand_over(visit.code).left == (part.number,)
    assert counter.pass_of(buyer).state is PassState.USED
    assert_books_are_right()


def test_its_owner_sees_a_parcel_on_the_same_pass(client: FlaskClient, counter: Counter, parcels: Parcels) -> None:
    buyer, part, visit = waiting_visit(counter, parcels)
    sign_in(client, buyer)
    page = client.get("/pickup").text
    assert page.count(visit.code[:3]) >= 1
    assert "SF Express" in page
    assert SF in page
    assert part.number in page


def test_a_parcel_alone_needs_no_order(client: FlaskClient, counter: Counter, parcels: Parcels) -> None:
    buyer = counter.buyer()
    parcels.arrive(buyer, counter.point, 8, OTHER)
    visit = counter.pass_of(buyer)
    assert "Parcel" not in client.get(f"/station/desk/{visit.ref}").text.partition("<main")[2], "alone it need not say what it is"
    assert counter.hand_over(visit.code).left == (OTHER,)
    assert_books_are_right()
