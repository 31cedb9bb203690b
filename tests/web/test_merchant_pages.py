"""The merchant's console: weigh, pack, send; other merchants' things are not found."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from markupsafe import escape

from shop.kernel.db import reading
from shop.models.accounts import Role
from shop.models.orders import SubOrder, SubOrderState
from shop.models.platform import AuditEntry
from tests.support.asking import agreed
from tests.support.counter import Counter, state_of
from tests.support.factories import Factories
from tests.support.money import balance
from tests.support.people import sign_in
from tests.support.queries import counted
from tests.support.shopping import stock_of


@pytest.fixture
def counter(make: Factories, client: FlaskClient) -> Counter:
    made = Counter(make)
    made.rice = made.goods("rice", price=2_000, on_hand=10)  # type: ignore[attr-defined]
    made.goods("fish", price=1_500, by_weight=True, grams=500)
    made.oil = made.goods("oil", merchant=1, price=5_000)  # type: ignore[attr-defined]
    sign_in(client, made.clerk_users[0], second_factor=True)
    return made


def weight_field(page: str) -> str:
    found = re.search(r'name="(grams-\d+)"', page)
    assert found
    return found[1]


def actions() -> set[str]:
    reading().rollback()
    return set(reading().scalars(sa.select(AuditEntry.action)))


def test_the_board_leads_to_the_delivery_and_its_orders(client: FlaskClient, counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 2})
    board = client.get("/merchant/").text
    assert escape(counter.point.name_en) in board
    assert "¥40.00" in board
    delivery = client.get(f"/merchant/deliveries/{part.cycle_id}").text
    assert part.number in delivery
    assert "To fetch" in delivery
    assert part.number in client.get("/merchant/orders?tab=to_pack").text
    assert part.number not in client.get("/merchant/orders?tab=packed").text
    assert part.number in client.get(f"/merchant/deliveries/{part.cycle_id}/slips").text
    assert part.number in client.get(f"/merchant/orders/{part.number}/slip").text


def test_the_price_is_shown_before_it_is_packed_and_the_difference_goes_back(client: FlaskClient, counter: Counter) -> None:
    buyer = counter.buyer(money=10_000)
    (part,) = counter.ordered(buyer, {"fish": 2})
    page = client.get(f"/merchant/orders/{part.number}").text
    assert "never above ¥30.00" in page
    weights = {weight_field(page): "870"}
    checked = client.post(f"/merchant/orders/{part.number}/pack", data={**weights, "do": "check"})
    assert "870 g, 130 g less than ordered. This line costs ¥26.10, ¥3.90 goes back to the buyer." in checked.text
    assert state_of(part) is SubOrderState.PLACED
    assert 'value="870"' in checked.text
    packed = client.post(f"/merchant/orders/{part.number}/pack", data={**weights, "do": "pack"}, follow_redirects=True)
    assert "¥3.90 goes back to the buyer." in packed.text
    assert balance(f"wallet:{buyer.id}") == 7_390
    assert state_of(part) is SubOrderState.PACKED
    assert {"line.weighed", "sub_order.packed", "sub_order.put_into_batch"}.issubset(actions())


def test_until_script_listens_the_enter_of_a_scan_packs_nothing(client: FlaskClient, counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 1})
    page = client.get(f"/merchant/orders/{part.number}").text
    (button,) = re.findall(r'<button[^>]*value="pack"[^>]*>', page)
    assert "data-focus-by-script" in button
    assert " autofocus" not in button


@pytest.mark.parametrize("typed", ["12,5x", "-3", "eight", "99999999"])
def test_a_weight_that_makes_no_sense_stays_in_its_field_with_a_reason(client: FlaskClient, counter: Counter, typed: str) -> None:
    (part,) = counter.ordered(counter.buyer(), {"fish": 1})
    name = weight_field(client.get(f"/merchant/orders/{part.number}").text)
    answer = client.post(f"/merchant/orders/{part.number}/pack", data={name: typed, "do": "pack"})
    assert answer.status_code == 422
    assert f'value="{typed}"' in answer.text
    assert state_of(part) is SubOrderState.PLACED


def test_full_width_figures_are_figures(client: FlaskClient, counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"fish": 1})
    name = weight_field(client.get(f"/merchant/orders/{part.number}").text)
    client.post(f"/merchant/orders/{part.number}/pack", data={name: "４８０", "do": "pack"})
    assert state_of(part) is SubOrderState.PACKED


def test_the_driver_takes_the_batch(client: FlaskClient, counter: Counter) -> None:
    (part,) = counter.packed(counter.buyer(), {"rice": 1})
    answer = agreed(client, f"/merchant/deliveries/{part.cycle_id}/send", follow_redirects=True)
    assert "1 order is on its way." in answer.text
    assert state_of(part) is SubOrderState.IN_TRANSIT
    assert "batch.handed_to_driver" in actions()


def test_all_orders_can_be_accepted_at_once(client: FlaskClient, counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 1})
    agreed(client, f"/merchant/deliveries/{part.cycle_id}/accept")
    assert state_of(part) is SubOrderState.ACCEPTED


def test_what_cannot_be_delivered_gives_all_of_the_money_back(client: FlaskClient, counter: Counter) -> None:
    buyer = counter.buyer(money=10_000)
    (part,) = counter.ordered(buyer, {"rice": 1})
    client.post(f"/merchant/orders/{part.number}/decline", data={"reason": ""})
    assert state_of(part) is SubOrderState.PLACED
    agreed(client, f"/merchant/orders/{part.number}/decline", {"reason": "sold out this morning"})
    assert state_of(part) is SubOrderState.SHORT
    assert balance(f"wallet:{buyer.id}") == 10_000


def test_another_merchants_orders_are_not_found(client: FlaskClient, counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"oil": 1})
    orders, deliveries = f"/merchant/orders/{part.number}", f"/merchant/deliveries/{part.cycle_id}"
    for path in (orders, f"{orders}/slip", deliveries, f"{deliveries}/slips"):
        assert client.get(path).status_code == 404, path
    for path in (f"{orders}/pack", f"{orders}/decline", f"{deliveries}/accept", f"{deliveries}/send"):
        assert client.post(path, data={"reason": "mine"}).status_code == 404, path
    assert client.post("/merchant/stock", data={"code": "oil", "kind": "received", "quantity": "5"}).status_code == 404
    assert client.post("/merchant/shop", data={"shop": str(counter.merchants[1].id)}).status_code == 404
    assert part.number not in client.get("/merchant/orders").text
    assert "Oil" not in client.get("/merchant/stock").text
    assert state_of(part) is SubOrderState.PLACED
    assert stock_of(counter.oil) == (99, 0)  # type: ignore[attr-defined]


def test_an_unpaid_order_is_not_shown(client: FlaskClient, counter: Counter) -> None:
    from shop.models.orders import PaymentMethod

    buyer = counter.buyer()
    counter.buy(buyer, {"rice": 1}, PaymentMethod.STRIPE)
    number = reading().scalars(sa.select(SubOrder.number)).one()
    assert number not in client.get("/merchant/orders").text
    assert client.get(f"/merchant/orders/{number}").status_code == 404


@pytest.mark.parametrize("typed", ["8,70", "8，70", "1,250", "8 70"])
def test_a_comma_in_a_weight_is_refused(client: FlaskClient, counter: Counter, typed: str) -> None:
    (part,) = counter.ordered(counter.buyer(), {"fish": 2})
    path = f"/merchant/orders/{part.number}"
    field = weight_field(client.get(path).text)
    answer = client.post(f"{path}/pack", data={field: typed, "unit": "g", "do": "pack"})
    assert (answer.status_code, f'value="{typed}"' in answer.text) == (422, True)
    assert state_of(part) is SubOrderState.PLACED


def test_an_orders_number_is_found_behind_an_input_method(client: FlaskClient, counter: Counter) -> None:
    buyer = counter.buyer(phone="13900007788")
    (part,) = counter.ordered(buyer, {"rice": 2})
    wide = part.number.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})
    for typed in (wide, f"#{part.number.lower()}", f"\u202d{part.number}\u202c"):
        assert client.get("/merchant/orders", query_string={"number": typed}).location == f"/merchant/orders/{part.number}", typed
    for typed in ("13900007788", "+86 139 0000 7788", "7788"):
        assert part.number in client.get("/merchant/orders", query_string={"number": typed}).text, typed
    assert 'id="row-rice"' in client.get("/merchant/stock", query_string={"q": "ｒｉｃｅ"}).text


def test_the_statement_shows_what_is_owed_after_commission(client: FlaskClient, counter: Counter) -> None:
    sign_in(client, counter.new_owner(counter.merchants[0])[0], second_factor=True)
    visit = counter.ready(counter.buyer(), {"rice": 1})
    counter.ordered(counter.buyer(), {"rice": 1})
    assert "¥40.00" in client.get("/merchant/statement").text
    counter.hand_over(visit.code)
    page = client.get("/merchant/statement").text
    assert "¥19.40" in page
    assert "¥0.60" in page


def test_a_list_of_orders_costs_the_same_for_one_and_for_many(client: FlaskClient, counter: Counter) -> None:
    buyer = counter.buyer(money=1_000_000)
    costs = []
    for number in (1, 1, 4):
        for _ in range(number):
            counter.ordered(buyer, {"rice": 1})
        with counted() as statements:
            assert client.get("/merchant/orders").status_code == 200
        costs.append(len(statements))
    assert costs[1] == costs[2]


def test_somebody_with_two_shops_can_change_between_them(client: FlaskClient, counter: Counter, make: Factories) -> None:
    make.grant(counter.clerk_users[0], Role.MERCHANT_OWNER, merchant=counter.merchants[1])
    assert (
        escape(counter.merchants[1].name_en)
        in client.post("/merchant/shop", data={"shop": str(counter.merchants[1].id)}, follow_redirects=True)
        .text.partition("<title>")[2]
        .partition("</title>")[0]
    )


@pytest.mark.parametrize("path", ["/merchant/", "/merchant/orders", "/merchant/stock", "/merchant/products"])
def test_only_a_merchants_people_come_in(client: FlaskClient, counter: Counter, path: str) -> None:
    assert client.get(path).status_code == 200
    sign_in(client, counter.clerk_users[0])
    assert client.get(path).status_code in {302, 303, 403}
    sign_in(client, counter.keeper_user, second_factor=True)
    assert client.get(path).status_code == 403


def test_operators_see_jobs_and_deeds_and_merchants_do_not(client: FlaskClient, counter: Counter, make: Factories) -> None:
    counter.ready(counter.buyer(), {"rice": 1})
    assert client.get("/admin/").status_code == 403
    operator = make.user()
    make.grant(operator, Role.OPERATOR)
    sign_in(client, operator, second_factor=True)
    assert "fulfilment.tell_arrived" in client.get("/admin/jobs").text
    assert ">Delivery arrived at the point</a>" in client.get("/admin/audit?action=batch").text
    assert client.get("/admin/").status_code == 200
