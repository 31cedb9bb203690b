"""The audit trail as operators read it: deeds, things and facts in words, found by choosing from a list."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from shop.kernel.db import transaction
from shop.models.accounts import Role, User
from shop.platform import audit
from shop.platform.actor import COMMAND, JOB, PROVIDER
from tests.support.bills import save_billers
from tests.support.counter import Counter
from tests.support.factories import Factories, actor_of
from tests.support.people import sign_in
from tests.support.queries import counted
from tests.support.tags import tag

pytestmark = pytest.mark.both_engines


@pytest.fixture(autouse=True)
def operator(make: Factories, client: FlaskClient) -> User:
    user = make.user()
    make.grant(user, Role.OPERATOR)
    sign_in(client, user, second_factor=True)
    return user


def record(action: str, subject_type: str, subject_id: int, actor: Any = COMMAND, **facts: Any) -> None:
    with transaction() as session:
        audit.record(session, actor, tag(action), subject_type, subject_id, **facts)


def text_of(page: str) -> str:
    """What stands in the list of deeds, without its tags."""
    rows = page.partition("<tbody>")[2].partition("</tbody>")[0]
    return " ".join(re.sub(r"<[^>]*>", " ", rows).split())


def offered(page: str, name: str) -> dict[str, str]:
    select = page.partition(f'name="{name}"')[2].partition("</select>")[0]
    return dict(re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)<', select))


def chosen(page: str, name: str) -> list[str]:
    select = page.partition(f'name="{name}"')[2].partition("</select>")[0]
    return re.findall(r'<option value="([^"]*)" selected>', select)


@pytest.mark.parametrize("path", ["/admin/", "/admin/audit"])
def test_deeds_are_told_in_english_and_in_chinese(client: FlaskClient, path: str) -> None:
    record("payment.succeeded", "payment", 764, PROVIDER, amount=28_303, purpose="top_up")
    page = client.get(path).text
    assert "Payment received payment.succeeded" in text_of(page)
    assert "Payment provider Payment 764 Amount ¥283.03 Purpose Top-up" in text_of(page)
    assert 'href="/admin/audit?subject=payment&amp;subject_id=764"' in page
    assert 'href="/admin/audit?action=payment.succeeded"' in page
    client.set_cookie("locale", "zh")
    said = text_of(client.get(path).text)
    assert "付款已到账 payment.succeeded" in said
    assert "支付渠道 付款 764 金额 ¥283.03 用途 充值" in said


@pytest.mark.parametrize("path", ["/admin/", "/admin/audit"])
def test_the_biller_of_a_payment_is_called_by_its_name(client: FlaskClient, path: str) -> None:
    save_billers()
    record("bill_payment.held", "bill_payment", 1, total=9_901, biller="power")
    assert "Total ¥99.01 Biller Neijiang Power Supply" in text_of(client.get(path).text)


def test_the_names_of_many_billers_cost_one_question(client: FlaskClient) -> None:
    save_billers()
    client.get("/admin/audit")
    costs = []
    for biller in ("power", "gone", "power"):
        record("bill_payment.held", "bill_payment", 1, total=9_901, biller=biller)
        with counted() as statements:
            client.get("/admin/audit?action=bill")
        costs.append(len(statements))
    assert len(set(costs)) == 1, costs


def test_who_did_it_is_named_masked_with_what_they_are(client: FlaskClient, make: Factories) -> None:
    client.get("/admin/audit")
    costs = []
    for name in ("王小明", "李梅", "陈桂芳"):
        keeper = make.user(display_name=name)
        make.grant(keeper, Role.KEEPER, point=make.point())
        record("pass.extended", "pass", 3, actor_of(keeper))
        record("second_factor.reset", "user", keeper.id, COMMAND)
        with counted() as statements:
            page = client.get("/admin/audit?since=2026-01-01").text
        costs.append(len(statements))
        assert f"Person {keeper.id} {name[0]}{'*' * len(name[1:])} · Keeper" in text_of(page)
        assert text_of(page).count(f"Person {keeper.id} ") == 2
        assert name not in text_of(page)
        assert keeper.phone not in page
    assert len(set(costs)) == 1, costs


def test_a_mobile_number_finds_the_person_and_does_not_stay_in_the_address(client: FlaskClient, make: Factories) -> None:
    keeper = make.user(phone="13900007788")
    record("pass.extended", "pass", 3, actor_of(keeper))
    record("pass.extended", "pass", 4, COMMAND)
    found = client.get("/admin/audit?actor_id=139 0000 7788&action=pass.extended")
    assert (found.status_code, "13900007788" in found.location) == (302, False)
    page = client.get(found.location).text
    assert "Pick-up pass 3" in text_of(page)
    assert "Pick-up pass 4" not in text_of(page)


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        ("actor_id=wang", "actor_id", "Please enter the number of a person, or a mobile number."),
        ("actor_id=13900009999", "actor_id", "Nobody has this mobile number."),
        ("subject_id=L2", "subject_id", "Please enter a whole number, or the number of an order or a delivery as it is printed."),
        ("since=yesterday", "since", "yesterday is no day."),
        ("until=2026-13-01", "until", "2026-13-01 is no day."),
    ],
)
def test_a_filter_that_cannot_be_used_lists_nothing_and_says_so_at_its_field(
    client: FlaskClient, query: str, field: str, says: str
) -> None:  # fmt: skip
    record("pass.extended", "pass", 3)
    answer = client.get(f"/admin/audit?{query}")
    assert answer.status_code == 422
    assert says in answer.text.partition(f'id="field-{field}-error"')[2].partition("</p>")[0]
    assert f'value="{query.partition("=")[2]}"' in answer.text
    assert text_of(answer.text) == ""


def test_an_unknown_kind_of_person_is_kept_and_finds_nobody(client: FlaskClient) -> None:
    record("pass.extended", "pass", 3)
    page = client.get("/admin/audit?actor=moon").text
    assert (chosen(page, "actor"), text_of(page)) == (["moon"], "")


def test_an_old_code_without_words_is_shown_as_it_is(client: FlaskClient) -> None:
    record("moon.landed", "moon", 11, JOB, crew=["N. A.", "<b>"], sample_grams=21, is_back=True, flag=None)
    for path in ("/admin/", "/admin/audit", "/admin/audit?action=moon.landed&subject=moon"):
        assert "Worker moon 11 crew N. A., &lt;b&gt; is_back yes sample_grams 21" in text_of(client.get(path).text), path


def test_every_known_deed_and_thing_can_be_chosen(client: FlaskClient) -> None:
    page = client.get("/admin/audit").text
    assert offered(page, "action")["sub_order.packed"] == "Order packed"
    assert offered(page, "subject")["sub_order"] == "Sub-order"
    assert chosen(page, "action") == chosen(page, "subject") == [""]
    client.set_cookie("locale", "zh")
    assert offered(client.get("/admin/audit").text, "action")["sub_order.packed"] == "订单已备好"


def test_what_is_chosen_filters_and_stays_chosen(client: FlaskClient) -> None:
    record("sub_order.packed", "sub_order", 5)
    record("purchase.expired", "purchase", 6)
    page = client.get("/admin/audit?action=sub_order.packed&subject=sub_order").text
    assert "Sub-order 5" in text_of(page)
    assert "Order 6" not in text_of(page)
    assert (chosen(page, "action"), chosen(page, "subject")) == (["sub_order.packed"], ["sub_order"])


def test_a_beginning_or_an_old_code_in_the_address_filters_and_is_kept(client: FlaskClient) -> None:
    record("sub_order.packed", "sub_order", 5)
    record("sub_order.ready", "sub_order", 6)
    record("moon.landed", "moon", 7)
    page = client.get("/admin/audit?action=sub_order.").text
    assert re.findall(r"Sub-order (\d)", text_of(page)) == ["6", "5"]
    assert "moon" not in text_of(page)
    assert (chosen(page, "action"), offered(page, "action")["sub_order."]) == (["sub_order."], "sub_order.")
    page = client.get("/admin/audit?subject=moon").text
    assert "moon 7" in text_of(page)
    assert "Sub-order" not in text_of(page)
    assert chosen(page, "subject") == ["moon"]
    assert "&lt;i&gt;" in client.get("/admin/audit?action=<i>").text


def test_an_order_is_called_by_its_number_and_found_by_it(client: FlaskClient, make: Factories) -> None:
    counter = Counter(make)
    counter.goods("fish", price=1_500, by_weight=True, grams=500)
    (part,), (other,) = (counter.ordered(counter.buyer(), {"fish": 1}) for _ in range(2))
    packed = counter.pack(part, fish=450)
    number = part.number.rpartition("-")[0]
    listed = text_of(client.get("/admin/audit").text)
    assert f"Sub-order {part.number}" in listed
    assert f"Order line {part.number}" in listed
    assert f"Order {number} " in listed
    for asked in (number, part.number, f" #{number.lower()} "):
        found = text_of(client.get("/admin/audit", query_string={"subject_id": asked}).text)
        assert "Goods of an order weighed" in found, asked
        assert other.number not in found
    assert "Order paid for" in text_of(client.get("/admin/audit", query_string={"subject_id": number}).text)
    counter.send(part)
    found = text_of(client.get("/admin/audit", query_string={"subject_id": packed.batch_code}).text)
    assert "Delivery handed to the driver batch.handed_to_driver" in found
    assert f"Delivery {packed.batch_code}" in found


@pytest.mark.parametrize(("number", "said"), [("L261130-7K3M9QXA", "Nothing has this number."), ("L1127", "Please enter a whole number")])
def test_a_number_that_nothing_has_is_said_and_stays_where_it_was_typed(client: FlaskClient, number: str, said: str) -> None:
    answer = client.get("/admin/audit", query_string={"subject_id": number})
    assert (answer.status_code, said in answer.text, f'value="{number}"' in answer.text) == (422, True, True)


def test_the_numbers_of_many_things_cost_one_question(client: FlaskClient, make: Factories) -> None:
    counter = Counter(make)
    counter.goods("rice", price=1_500)
    client.get("/admin/audit")
    costs = []
    for _ in range(2):
        counter.pack(counter.ordered(counter.buyer(), {"rice": 1})[0])
        with counted() as statements:
            client.get("/admin/audit")
        costs.append(len(statements))
    assert len(set(costs)) == 1, costs
