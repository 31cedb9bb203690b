"""Hearts and the page of favourites, with script and without, for the signed in and for strangers."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from shop.favourites import operations, queries
from shop.kernel.db import perform, reading, transaction
from shop.models.accounts import User
from shop.models.catalog import Listing, Product, ProductState
from shop.models.favourites import Favourite
from shop.models.pickup import PickupPoint
from shop.models.stock import StockItem
from tests.support.factories import Factories, actor_of
from tests.support.people import sign_in
from tests.support.queries import counted

BY_SCRIPT = {"HX-Request": "true"}
LONG = "A very long name of goods from the farms around Neijiang, picked in the morning and packed by hand " * 2


@pytest.fixture
def point(make: Factories) -> PickupPoint:
    return make.point("here")


@pytest.fixture
def reader(make: Factories, point: PickupPoint, client: FlaskClient) -> User:
    user = make.user(point=point)
    sign_in(client, user)
    return user


@pytest.fixture
def shelf(make: Factories, point: PickupPoint) -> list[str]:
    """Fifty kinds of fruit that come to the point."""
    category, merchant = make.category("fruit"), make.merchant("coop", points=[point])
    return [make.product(merchant, code=f"fruit-{number}", category=category).code and f"fruit-{number}" for number in range(50)]


def liked(user: User) -> int:
    reading().rollback()
    return len(queries.kept_ids(reading(), user.id))


def heart_of(page: str, slug: str) -> str:
    found = re.search(rf'<button class="[^"]*heart[^"]*"[^>]*value="{slug}"[^>]*>', page)
    assert found, f"no heart for {slug}"
    return found[0]


def test_pressed_without_script_it_leads_back_and_the_heart_says_that_it_is_pressed(
    client: FlaskClient, reader: User, shelf: list[str]
) -> None:
    back = "http://localhost/categories/fruit"
    answer = client.post("/favourites", data={"keep": "fruit-1"}, headers={"Referer": back})
    assert (answer.status_code, answer.location) == (303, "/categories/fruit")
    page = client.get("/categories/fruit").get_data(as_text=True)
    assert 'aria-pressed="true"' in heart_of(page, "fruit-1")
    assert 'name="drop"' in heart_of(page, "fruit-1")
    assert 'aria-pressed="false"' in heart_of(page, "fruit-2")
    assert page.count('id="keep-goods"') == 1
    client.post("/favourites", data={"drop": "fruit-1"}, headers={"Referer": back})
    assert liked(reader) == 0


def test_pressed_with_script_the_hearts_of_that_product_come_back_changed(client: FlaskClient, reader: User, shelf: list[str]) -> None:
    answer = client.post("/favourites", data={"keep": "fruit-1"}, headers=BY_SCRIPT).get_data(as_text=True)
    assert answer.count('hx-swap-oob="outerHTML:') == 2
    assert 'aria-pressed="true"' in heart_of(answer, "fruit-1")
    assert "It is in your favourites." in answer
    assert 'role="' not in answer, "what swaps carries no live role of its own"


def test_pressing_twice_by_mistake_changes_nothing(client: FlaskClient, reader: User, shelf: list[str]) -> None:
    for _ in range(2):
        client.post("/favourites", data={"keep": "fruit-1"}, headers=BY_SCRIPT)
    assert liked(reader) == 1


@pytest.mark.parametrize("data", [{"keep": "nothing"}, {"drop": "nothing"}, {}, {"keep": "\x00"}])
def test_what_is_not_there_is_said_and_nothing_is_kept(client: FlaskClient, reader: User, data: dict[str, str]) -> None:
    answer = client.post("/favourites", data=data, headers=BY_SCRIPT)
    assert answer.status_code == 200
    assert "We could not find this product" in answer.get_data(as_text=True)
    assert liked(reader) == 0


def test_a_stranger_is_led_to_signing_in_and_back_and_nothing_is_kept(client: FlaskClient, shelf: list[str]) -> None:
    page = client.get("/products/fruit-1").get_data(as_text=True)
    assert 'aria-pressed="false"' in heart_of(page, "fruit-1")
    headers = {"Referer": "http://localhost/products/fruit-1"}
    answer = client.post("/favourites", data={"keep": "fruit-1"}, headers=headers)
    assert (answer.status_code, answer.location) == (303, "/sign-in?next=/products/fruit-1")
    by_script = client.post("/favourites", data={"keep": "fruit-1"}, headers=headers | BY_SCRIPT)
    assert by_script.headers["HX-Redirect"] == "/sign-in?next=/products/fruit-1"
    assert reading().scalar(sa.select(sa.func.count()).select_from(Favourite)) == 0


def test_hearts_of_one_reader_are_never_shown_to_another(client: FlaskClient, reader: User, shelf: list[str], make: Factories) -> None:
    client.post("/favourites", data={"keep": "fruit-1"})
    assert 'aria-pressed="true"' in heart_of(client.get("/products/fruit-1").get_data(as_text=True), "fruit-1")
    sign_in(client, make.user())
    for path in ("/products/fruit-1", "/categories/fruit"):
        assert 'aria-pressed="false"' in heart_of(client.get(path).get_data(as_text=True), "fruit-1")


def test_the_page_shows_them_newest_first_with_what_is_sold_out_and_what_is_off_sale(
    client: FlaskClient, reader: User, shelf: list[str], make: Factories
) -> None:
    actor = actor_of(reader)
    for slug in ("fruit-1", "fruit-2", "fruit-3"):
        perform(operations.keep, actor, slug)
    with transaction() as session:
        ids = {row.slug: row.id for row in session.execute(sa.select(Product.slug, Product.id))}
        session.execute(sa.update(StockItem).where(StockItem.variant_id == sa.select(Listing.variant_id).where(
            Listing.product_id == ids["fruit-2"]).scalar_subquery()).values(on_hand=0))  # fmt: skip
        session.execute(sa.delete(Listing).where(Listing.product_id == ids["fruit-3"]))
        session.execute(sa.update(Product).where(Product.id == ids["fruit-3"]).values(state=ProductState.OFF_SALE, name_en=LONG))
    page = client.get("/favourites").get_data(as_text=True)
    assert page.index("/products/fruit-2") < page.index("/products/fruit-1")
    assert "Sold out" in page
    assert "Not on sale any more" in page
    assert 'name="drop" value="fruit-3"' in page
    assert LONG.strip() in page


def test_the_empty_page_says_what_to_press(client: FlaskClient, reader: User) -> None:
    assert "Press the heart on goods you like." in client.get("/favourites").get_data(as_text=True)
    assert "/favourites" in client.get("/me").get_data(as_text=True)


def test_more_favourites_than_one_page_are_all_reached(client: FlaskClient, reader: User, shelf: list[str]) -> None:
    for slug in shelf:
        perform(operations.keep, actor_of(reader), slug)
    seen: set[str] = set()
    path: str | None = "/favourites"
    while path:
        page = client.get(path).get_data(as_text=True)
        seen |= set(re.findall(r'class="product-link" href="/products/([^"]+)"', page))
        more = re.search(r'href="(/favourites\?cursor=\d+)"', page)
        path = more[1] if more else None
    assert seen == set(shelf)


def test_it_is_called_in_chinese_too(client: FlaskClient, reader: User, shelf: list[str]) -> None:
    client.set_cookie("locale", "zh")
    with transaction() as session:
        session.execute(sa.update(User).values(locale="zh"))
    assert "我的收藏" in client.get("/me").get_data(as_text=True)
    assert 'aria-label="收藏：' in client.get("/categories/fruit").get_data(as_text=True)


def test_one_favourite_and_fifty_ask_the_same_number_of_statements(client: FlaskClient, reader: User, shelf: list[str]) -> None:
    paths = ("/favourites", "/categories/fruit", "/products/fruit-1", "/")

    def statements() -> list[int]:
        costs = []
        for path in paths:
            client.get(path)  # what is kept in memory is there
            with counted() as asked:
                client.get(path)
            costs.append(len(asked))
        return costs

    perform(operations.keep, actor_of(reader), shelf[0])
    alone = statements()
    for slug in shelf:
        perform(operations.keep, actor_of(reader), slug)
    assert statements() == alone


def test_strangers_cost_no_statement_more_for_their_hearts(client: FlaskClient, shelf: list[str]) -> None:
    client.get("/categories/fruit")
    with counted() as asked:
        client.get("/categories/fruit")
    assert not any("favourites" in statement for statement in asked)
