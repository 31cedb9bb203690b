"""The resident's passes: the code, the QR code, what is ready; nobody else's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from markupsafe import escape

from shop.kernel import clock
from tests.support.counter import Counter
from tests.support.factories import Factories
from tests.support.people import sign_in
from tests.support.queries import counted


@pytest.fixture
def counter(make: Factories) -> Counter:
    made = Counter(make)
    made.goods("rice", price=2_000)
    made.goods("oil", merchant=1, price=5_000)
    made.goods("fish", merchant=1, price=1_500, by_weight=True)
    return made


def test_the_page_shows_the_code_the_qr_and_what_is_ready_from_whom(client: FlaskClient, counter: Counter) -> None:
    buyer = counter.buyer()
    visit = counter.ready(buyer, {"rice": 2, "fish": 1})
    sign_in(client, buyer)
    page = client.get("/pickup").text
    assert f"{visit.code[:3]} {visit.code[3:]}" in page
    assert "<svg" in page
    assert "style=" not in page
    for word in ("Rice", "Fish", counter.merchants[0].name_en, counter.merchants[1].name_en, counter.point.phone, "08:30–20:30"):
        assert escape(word) in page


def test_a_used_pass_says_when_it_was_used(client: FlaskClient, counter: Counter) -> None:
    buyer = counter.buyer()
    visit = counter.ready(buyer, {"rice": 1})
    counter.hand_over(visit.code)
    sign_in(client, buyer)
    assert visit.code not in client.get("/pickup").text
    page = client.get(f"/pickup/{visit.ref}").text
    assert "Everything on this pass was collected" in page
    assert "<svg" not in page.partition("<main")[2].partition('class="qr')[2]


def test_a_pass_that_ran_out_says_what_to_do(client: FlaskClient, counter: Counter) -> None:
    buyer = counter.buyer()
    counter.ready(buyer, {"rice": 1})
    clock.move(timedelta(days=5))
    sign_in(client, buyer)
    assert "This pass ran out" in client.get("/pickup").text


def test_nothing_to_collect_says_so(client: FlaskClient, counter: Counter) -> None:
    buyer = counter.buyer()
    counter.ordered(buyer, {"rice": 1})
    sign_in(client, buyer)
    page = client.get("/pickup").text
    assert "Nothing to collect yet" in page
    assert "1 order has not arrived yet." in page


def test_somebody_elses_pass_is_not_found(client: FlaskClient, counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    sign_in(client, counter.buyer())
    assert client.get(f"/pickup/{visit.ref}").status_code == 404
    assert visit.code not in client.get("/pickup").text


def test_signed_out_it_asks_to_sign_in(client: FlaskClient) -> None:
    assert client.get("/pickup").status_code == 302


def test_the_page_costs_the_same_for_one_shop_and_for_two(client: FlaskClient, counter: Counter) -> None:
    one, two = counter.buyer(), counter.buyer()
    counter.ready(one, {"rice": 1})
    counter.ready(two, {"rice": 3, "oil": 1, "fish": 2})
    costs = []
    for buyer in (one, one, two):
        sign_in(client, buyer)
        with counted() as statements:
            client.get("/pickup")
        costs.append(len(statements))
    assert costs[1] == costs[2]
