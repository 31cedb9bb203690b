"""What an address that nobody of ours wrote is answered: absent is 404, wrong is 422, and a place that is none is the beginning."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shop.models.accounts import Role
from shop.platform.api.core import encode_cursor
from tests.support.counter import Counter
from tests.support.factories import Factories
from tests.support.people import bearer, sign_in

BEYOND, FAR = str(2**63), "1" + "0" * 25


@pytest.mark.parametrize(
    ("who", "method", "address", "status"),
    [
        *[("resident", "POST", f"/me/sessions/{number}/revoke", 404) for number in (BEYOND, FAR, "0", "٣")],
        ("resident", "POST", f"/notices/{BEYOND}/open", 404),
        ("operator", "POST", f"/admin/jobs/{BEYOND}/retry", 404),
        *[("clerk", "GET", f"/merchant/deliveries/{BEYOND}{paper}", 404) for paper in ("", "/slips", "/labels", "/packing-list")],
        *[("clerk", "POST", f"/merchant/deliveries/{BEYOND}/{deed}", 404) for deed in ("accept", "send")],
        *[("keeper", "GET", f"/station/deliveries/{BEYOND}{paper}", 404) for paper in ("", "/print")],
        ("keeper", "GET", "/station/log?day=0001-01-01", 422),
        ("keeper", "GET", "/station/log?day=9999-12-31", 422),
        ("keeper", "GET", "/station/log?day=someday", 422),
        ("keeper", "GET", "/station/desk?done=%00", 200),
        *[("operator", "GET", f"/admin/audit?{end}={day}", 422) for end in ("since", "until") for day in ("0001-01-01", "9999-12-31")],
        *[("operator", "GET", f"/admin/audit?{name}=a%00", 422) for name in ("action", "subject", "actor", "actor_id")],
        ("operator", "GET", f"/admin/audit?subject_id={FAR}", 422),
        ("operator", "GET", "/admin/jobs?kind=%00a", 422),
        ("operator", "GET", f"/admin/jobs?cursor={FAR}&size={FAR}&state=%00", 200),
        ("resident", "GET", f"/wallet?cursor=-{FAR}", 200),
        ("resident", "GET", f"/orders?cursor={BEYOND}&tab=%00", 200),
        *[("clerk", "GET", f"/merchant/{page}=a%00b", 422) for page in ("orders?number", "stock?q", "products?q")],
        *[("clerk", "GET", f"/merchant/{page}=a%00b", 200) for page in ("orders?point", "stock?cursor", "orders?ticked")],
        ("clerk", "GET", "/merchant/orders/papers?number=a%00b", 404),
        ("anybody", "GET", "/search?q=a%00b", 422),
        ("anybody", "GET", "/products/%00", 404),
        ("anybody", "GET", "/products/" + "x" * 201, 404),
        ("anybody", "GET", f"/categories/fruit?after={BEYOND}-{FAR}", 200),
        ("anybody", "GET", f"/api/v1/products?cursor={encode_cursor(2**63, 1)}", 422),
        ("anybody", "GET", f"/api/v1/products?q=a&cursor={encode_cursor(-1)}", 422),
        ("anybody", "GET", "/api/v1/products?q=a%00", 422),
        ("clerk", "GET", "/api/v1/merchant/stock?q=a%00", 422),
        ("clerk", "GET", "/api/v1/merchant/stock?cursor=" + encode_cursor("\ud800"), 422),
        ("clerk", "GET", f"/api/v1/merchant/orders?cursor={encode_cursor(10**25)}", 422),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_an_odd_address_is_answered(
    app: Flask, client: FlaskClient, make: Factories, who: str, method: str, address: str, status: int
) -> None:
    counter = Counter(make, merchants=1)
    counter.goods("rice", category=make.category("fruit"))
    operator = make.user()
    make.grant(operator, Role.OPERATOR)
    people = {"resident": counter.buyer(), "clerk": counter.clerk_users[0], "keeper": counter.keeper_user, "operator": operator}
    headers = bearer(app, people[who], second_factor=True) if who in people and address.startswith("/api/") else {}
    if who in people and not headers:
        sign_in(client, people[who], second_factor=True)
    assert client.open(address, method=method, headers=headers).status_code == status


def test_a_day_that_is_none_is_told_beside_its_field_and_the_log_stays(client: FlaskClient, make: Factories) -> None:
    counter = Counter(make, merchants=1)
    counter.goods("rice")
    counter.hand_over(counter.ready(counter.buyer(), {"rice": 1}).code)
    sign_in(client, counter.keeper_user, second_factor=True)
    page = client.get("/station/log?day=0001-01-01").text
    assert "0001-01-01 is no day. Please choose one." in page
    assert 'aria-invalid="true"' in page
    assert ">Handed over<" in page


def test_a_list_goes_on_whatever_else_its_address_says(client: FlaskClient, make: Factories) -> None:
    """Names of our own functions in an address are not arguments of them."""
    category, merchant = make.category("fruit"), make.merchant()
    for number in range(30):
        make.product(merchant, code=f"fruit-{number}", category=category)
    page = client.get("/categories/fruit?endpoint=x&_external=1&_scheme=gopher&_anchor=y&slug=z&all=1")
    assert page.status_code == 200
    assert "after=" in page.text
    assert "gopher:" not in page.text


@pytest.mark.parametrize("referrer", ["http://[", "//[", "http://localhost:99999999999/"])
def test_a_referrer_that_is_no_address_is_none(client: FlaskClient, referrer: str) -> None:
    assert client.post("/cart", data={"variant": "nothing"}, headers={"Referer": referrer}).location == "/cart"
    assert client.get("/", headers={"Referer": referrer, "Accept-Encoding": "gzip"}).status_code == 200


@pytest.mark.parametrize("body", ["[]", '"a"', "7", "null", '{"phone": "13800000001"}'])
def test_a_page_reads_no_json(client: FlaskClient, body: str) -> None:
    answer = client.post("/sign-in", data=body, content_type="application/json")
    assert answer.status_code == 422
    assert "13800000001" not in answer.text
