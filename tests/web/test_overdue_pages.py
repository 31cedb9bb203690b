"""The lists of what waits too long: of the city, of a point, of a shop; and what somebody can do about it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from shop.fulfilment import operations
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.models.accounts import Role
from shop.models.orders import SubOrder, SubOrderState
from shop.models.pickup import Cycle
from shop.platform.sure import yes_to
from tests.support.counter import Counter, end, state_of
from tests.support.factories import Factories
from tests.support.money import balance
from tests.support.people import sign_in
from tests.support.queries import counted


@pytest.fixture
def counter(make: Factories) -> Counter:
    made = Counter(make)
    made.goods("rice", price=2_000, on_hand=500, shelf_life_days=365)
    made.goods("fish", price=3_000, storage="chilled", shelf_life_days=3)
    return made


def missing_one(counter: Counter) -> SubOrder:
    """Of two orders of one delivery one was received, half an hour ago."""
    here, missing = (counter.packed(counter.buyer(display_name="王小明"), {"rice": 1})[0] for _ in range(2))
    arrives_at = reading().scalars(sa.select(Cycle.arrives_at).where(Cycle.id == here.cycle_id)).one()
    clock.move(arrives_at - (clock.now() - clock.shift()))
    perform(operations.hand_to_driver, counter.clerk_of(here), here.cycle_id)
    counter.receive([here], counted={here.number})
    clock.move(clock.shift() + timedelta(minutes=30))
    return missing


def test_a_missing_crate_stands_on_all_three_lists(client: FlaskClient, counter: Counter, make: Factories) -> None:
    missing = missing_one(counter)
    operator = make.user()
    make.grant(operator, Role.OPERATOR)
    for user, page, today in (
        (counter.keeper_user, "/station/overdue", "/station/"), (counter.clerk_users[0], "/merchant/overdue", "/merchant/"),
        (operator, "/admin/overdue", "/admin/"),
    ):  # fmt: skip
        sign_in(client, user, second_factor=True)
        text = client.get(page).text
        assert missing.number in text, page
        assert "Missing at the point" in text
        assert "王小明" not in text
        assert page in client.get(today).text
    sign_in(client, counter.clerk_users[1], second_factor=True)
    assert missing.number not in client.get("/merchant/overdue").text


def test_a_keeper_finds_it_and_its_buyer_is_told(client: FlaskClient, counter: Counter) -> None:
    missing = missing_one(counter)
    sign_in(client, counter.keeper_user, second_factor=True)
    form: dict[str, str] = {}
    asked = client.post(f"/station/overdue/{missing.number}/found", data=form)
    assert "Is order" in asked.text
    assert state_of(missing) is not SubOrderState.READY
    sure = yes_to(f"Is order {missing.number} here? Its buyer gets a message with the code.")
    assert client.post(f"/station/overdue/{missing.number}/found", data={**form, "sure": sure}).status_code == 303
    assert state_of(missing) is SubOrderState.READY
    assert "Nothing is missing or overdue" in client.get("/station/overdue").text


def test_an_operator_ends_it_with_a_reason_and_is_asked_first(client: FlaskClient, counter: Counter, make: Factories) -> None:
    missing = missing_one(counter)
    before = balance(f"wallet:{missing.user_id}")
    operator = make.user()
    make.grant(operator, Role.OPERATOR)
    sign_in(client, operator, second_factor=True)
    form: dict[str, str] = {}
    nothing_said = client.post(f"/admin/overdue/{missing.number}/end", data=form)
    assert (nothing_said.status_code, "Please say why" in nothing_said.text) == (422, True)
    asked = client.post(f"/admin/overdue/{missing.number}/end", data={**form, "reason": "fell off the van"})
    assert "¥20.00" in asked.text
    assert "fell off the van" in asked.text  # nothing typed is lost
    assert balance(f"wallet:{missing.user_id}") == before
    sure = yes_to(f"End order {missing.number} now? What belongs to the buyer of its ¥20.00 goes back.")
    client.post(f"/admin/overdue/{missing.number}/end", data={**form, "reason": "fell off the van", "sure": sure})
    assert (state_of(missing), balance(f"wallet:{missing.user_id}")) == (SubOrderState.SHORT, before + 2_000)


def test_finance_and_auditors_look_and_press_nothing(client: FlaskClient, counter: Counter, make: Factories) -> None:
    missing = missing_one(counter)
    auditor = make.user()
    make.grant(auditor, Role.AUDITOR)
    sign_in(client, auditor, second_factor=True)
    page = client.get("/admin/overdue").text
    assert missing.number in page
    assert "/end" not in page
    assert client.post(f"/admin/overdue/{missing.number}/end", data={"reason": "x"}).status_code == 403


def test_what_nobody_collected_is_said_to_its_buyer_and_comes_back_to_its_shop(client: FlaskClient, counter: Counter) -> None:
    buyer = counter.buyer()
    visit = counter.ready(buyer, {"rice": 1})
    (part,) = reading().scalars(sa.select(SubOrder)).all()
    sign_in(client, buyer)
    assert "What is left here" in client.get(f"/pickup/{visit.ref}").text
    clock.move(visit.valid_until + timedelta(days=5) - (clock.now() - clock.shift()))
    end()
    page = client.get(f"/orders/{part.number.rpartition('-')[0]}").text
    assert "<h1>Not collected</h1>" in page
    assert "¥20.00 given back" in page
    assert "not collected in time" in client.get(f"/pickup/{visit.ref}").text
    sign_in(client, counter.keeper_user, second_factor=True)
    assert "It is no longer here" in client.get(f"/station/desk/{visit.ref}").text
    sign_in(client, counter.clerk_users[0], second_factor=True)
    assert "Coming back to you" in client.get("/merchant/overdue").text
    form: dict[str, str] = {}
    client.post(f"/merchant/overdue/{part.number}/returned", data=form)
    assert state_of(part) is SubOrderState.RETURNED


def test_a_shop_sees_what_it_was_paid_for_fresh_goods_nobody_collected(client: FlaskClient, counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"fish": 1})
    (part,) = reading().scalars(sa.select(SubOrder)).all()
    clock.move(visit.valid_until + timedelta(days=2) - (clock.now() - clock.shift()))
    end()
    sign_in(client, counter.new_owner(counter.merchants[0])[0], second_factor=True)
    statement = client.get("/merchant/statement").text
    assert part.number in statement
    assert "¥29.10" in statement


def test_nothing_is_too_old_for_the_boards(client: FlaskClient, counter: Counter) -> None:
    (part,) = counter.packed(counter.buyer(), {"rice": 1})
    clock.move(clock.shift() + timedelta(days=40))  # no worker ran meanwhile
    sign_in(client, counter.keeper_user, second_factor=True)
    assert f"/station/deliveries/{part.cycle_id}" in client.get("/station/").text
    sign_in(client, counter.clerk_users[0], second_factor=True)
    assert f"/merchant/deliveries/{part.cycle_id}" in client.get("/merchant/").text


@pytest.mark.one_engine
def test_a_list_of_many_asks_as_much_as_a_list_of_one(client: FlaskClient, counter: Counter) -> None:
    counter.packed(counter.buyer(), {"rice": 1})
    several = [counter.packed(counter.buyer(), {"rice": 1})[0] for _ in range(12)]
    clock.move(clock.shift() + timedelta(days=5))
    sign_in(client, counter.keeper_user, second_factor=True)
    client.get("/station/overdue")
    with counted() as of_many:
        client.get("/station/overdue")
    for part in several:
        perform(operations.end_by_itself, part.id)
    with counted() as of_one:
        client.get("/station/overdue")
    assert len(of_one) == len(of_many)
