"""The grid on a page: one press saves all cells; what is wrong is marked in its cell, and what was typed stays."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from shop.models.accounts import Role
from shop.models.merchants import Merchant
from tests.support.factories import Factories
from tests.support.people import sign_in
from tests.support.queries import counted

pytestmark = pytest.mark.one_engine
GRID = "/merchant/grid"


@pytest.fixture
def shop(make: Factories, client: FlaskClient) -> Merchant:
    made = make.merchant("coop")
    make.product(made, code="eggs", category=make.category("fruit"), name_zh="鸡蛋", name_en="Eggs")
    owner = make.user()
    make.grant(owner, Role.MERCHANT_OWNER, merchant=made)
    sign_in(client, owner, second_factor=True)
    return made


def page(client: FlaskClient) -> str:
    return client.get(GRID, headers={"Accept-Language": "en"}).get_data(as_text=True)


def send(client: FlaskClient, **said: str) -> tuple[int, str]:
    was = {"was-name_zh-eggs": "鸡蛋", "was-price-eggs": "10.00", "was-stock-eggs": "100"}
    cells = {f"cell-{name}-eggs": value for name, value in said.items() if name != "sure"}
    more = {"sure": said["sure"]} if "sure" in said else {}
    answer = client.post(GRID, data={**was, **cells, **more, "once": "page"}, headers={"Accept-Language": "en"})
    return answer.status_code, answer.get_data(as_text=True)


def test_one_press_saves_all_cells(client: FlaskClient, shop: Merchant) -> None:
    assert send(client, name_zh="土鸡蛋", price="11", stock="90")[0] == 303
    told = page(client)
    for value in ("土鸡蛋", "11.00", "90"):
        assert f'value="{value}"' in told
    assert "Saved. 3 cells are new." in told


def test_what_is_wrong_is_marked_in_its_cell_and_what_was_typed_stays(client: FlaskClient, shop: Merchant) -> None:
    status, told = send(client, name_zh="土鸡蛋", price="5,80")
    assert status == 409
    assert told.count('class="field-error"') == 1
    for value in ("土鸡蛋", "5,80"):
        assert f'value="{value}"' in told
    assert 'value="土鸡蛋"' not in page(client)


def test_a_likely_slip_is_asked_about_on_the_page(client: FlaskClient, shop: Merchant) -> None:
    status, told = send(client, price="100")
    assert status == 409
    sure = re.search(r'name="sure" value="([^"]+)"', told)
    assert sure is not None
    assert send(client, price="120", sure=sure[1])[0] == 409, "a yes is to the very question"
    assert send(client, price="100", sure=sure[1])[0] == 303


def test_cells_that_are_none_are_not_found(client: FlaskClient, shop: Merchant) -> None:
    for name in ("cell-price-eggs", "cell-secret-eggs", "cell-price-", "cell-"):
        assert client.post(GRID, data={name: "11"}).status_code == 404


def test_fifty_goods_ask_no_more_than_one(client: FlaskClient, make: Factories, shop: Merchant) -> None:
    page(client)
    with counted() as few:
        page(client)
    for _ in range(49):
        make.product(shop)
    with counted() as many:
        assert page(client).count('<tr id="row-') == 50
    assert len(few) == len(many)
