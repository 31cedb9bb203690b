"""Pages of search: narrowed by what there is, inside one shop, while somebody types, and what many people search for."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from shop.catalog import operations, popular
from shop.kernel import clock, memory
from shop.kernel.db import perform, reading, transaction
from shop.models.catalog import SearchWord
from shop.models.pickup import PickupPoint
from tests.support.counter import Counter
from tests.support.factories import Factories
from tests.support.people import sign_in

pytestmark = pytest.mark.one_engine


@pytest.fixture
def point(make: Factories) -> PickupPoint:
    """Oranges of two shops in two categories, at three prices."""
    point = make.point("tianchenghu")
    fruit = make.category("fruit", name_zh="水果", name_en="Fruit")
    drinks = make.category("drinks", name_zh="饮料", name_en="Drinks")
    coop = make.merchant("coop", points=[point], name_zh="合作社", name_en="Co-op")
    mall = make.merchant("mall", points=[point], name_zh="商场", name_en="Mall")
    made = [
        make.product(coop, code="loose", category=fruit, price=580, by_weight=True, name_zh="资中血橙散装", name_en="Blood orange, loose"),
        make.product(coop, code="box", category=fruit, price=2_490, name_zh="资中血橙", name_en="Blood orange box"),
        make.product(mall, code="juice", category=drinks, price=3_990, name_zh="血橙汁", name_en="Blood orange juice"),
        make.product(mall, code="tomato", category=fruit, price=300, name_zh="番茄", name_en="Tomato"),
    ]
    perform(operations.refresh_search_terms, [variant.product_id for variant in made], [])
    return point


def goods_on(page: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r'href="/products/([a-z-]+)"', page)))


def found(client: FlaskClient, **asked: object) -> str:
    answer = client.get("/search", query_string={"q": "血橙", **asked})
    assert answer.status_code == 200
    return answer.text


def test_each_choice_says_how_many_there_are_of_it(client: FlaskClient, point: PickupPoint) -> None:
    page = found(client)
    assert goods_on(page) == ["loose", "box", "juice"]
    for words in ("Fruit (2)", "Drinks (1)", "Co-op (2)", "Mall (1)", "Sold by weight (1)"):
        assert words in page, words
    for words in ("up to ¥10 (1)", "¥10 to ¥30 (1)", "¥30 and up (1)"):
        assert words in page, words
    assert "3 kinds found" in page


@pytest.mark.parametrize(
    ("asked", "goods"),
    [
        ({"category": "drinks"}, ["juice"]), ({"category": "fruit"}, ["loose", "box"]), ({"shop": "mall"}, ["juice"]),
        ({"price": "10-30"}, ["box"]), ({"weight": "1"}, ["loose"]), ({"category": "fruit", "price": "0-10"}, ["loose"]),
        ({"sort": "price"}, ["loose", "box", "juice"]), ({"sort": "price_down"}, ["juice", "box", "loose"]),
        ({"category": "none", "shop": "none", "price": "x"}, ["loose", "box", "juice"]),
    ],
)  # fmt: skip
def test_a_search_is_narrowed_and_sorted(client: FlaskClient, point: PickupPoint, asked: dict[str, str], goods: list[str]) -> None:
    assert goods_on(found(client, **asked)) == goods


def test_counts_beside_a_choice_are_of_what_it_would_leave(client: FlaskClient, point: PickupPoint) -> None:
    page = found(client, price="30-")
    assert "Co-op (" not in page, "it has none at that price"
    assert "up to ¥10 (1)" in page, "what another price would leave"


def test_narrowed_to_nothing_names_each_way_back(client: FlaskClient, point: PickupPoint) -> None:
    page = found(client, category="drinks", price="0-10")
    assert "Nothing here is all of that at once" in page
    assert goods_on(page) == []
    assert 'href="/search?q=%E8%A1%80%E6%A9%99&amp;price=0-10"' in page or "price=0-10" in page
    assert "No shop here sells" not in page


def test_a_script_that_narrows_is_told_the_short_address(client: FlaskClient, point: PickupPoint) -> None:
    answer = client.get("/search", query_string={"q": "血橙", "sort": "", "shop": "mall", "price": ""}, headers={"HX-Target": "goods"})
    assert answer.headers["HX-Push-Url"] == "/search?q=%E8%A1%80%E6%A9%99&shop=mall"


def test_inside_a_shop_only_its_own_goods_are_found(client: FlaskClient, point: PickupPoint) -> None:
    page = client.get("/shops/mall", query_string={"q": "xuecheng"}).text
    assert goods_on(page) == ["juice"]
    assert "1 kind found" in page
    assert "All goods of this shop" in page
    nothing = client.get("/shops/mall", query_string={"q": "资中"}).text
    assert "This shop does not sell “资中” at the moment" in nothing
    assert 'href="/search?q=' in nothing
    assert client.get("/shops/mall", query_string={"q": "橙" * 61}).status_code == 422
    assert client.get("/shops/none", query_string={"q": "橙"}).status_code == 404


def test_suggestions_begin_with_the_second_letter(client: FlaskClient, point: PickupPoint) -> None:
    def suggested(text: str) -> str:
        return client.get("/search/suggestions", query_string={"q": text}).text

    assert "option" not in suggested("x")
    assert "Blood orange box" in suggested("xu")
    assert "Blood orange box" in suggested("橙"), "a character says enough"
    assert suggested("x1") == suggested("qq")


def test_what_many_people_search_for_is_offered_before_anything_is_typed(client: FlaskClient, point: PickupPoint) -> None:
    assert "Many people search for" not in client.get("/search").text
    with transaction() as session:
        seen = (1 << popular.FEWEST) - 1
        session.add(SearchWord(day=clock.today(), word="血橙", seen=seen, people=popular.FEWEST, created_at=clock.now()))
        session.add(SearchWord(day=clock.today(), word="番茄", seen=seen >> 1, people=popular.FEWEST - 1, created_at=clock.now()))
    memory.forget()
    for path in ("/search", "/search?q=zzzz", "/search/suggestions?q="):
        page = client.get(path).text
        assert "Many people search for" in page
        assert ">血橙<" in page
        assert "番茄" not in page


def test_a_page_that_found_goods_counts_one_more_person(client: FlaskClient, point: PickupPoint, make: Factories) -> None:
    assert "data-counts" not in found(client), "strangers are not counted"
    assert client.post("/search/words", data={"q": "血橙"}).status_code in (302, 303, 401)
    sign_in(client, make.user(point=point))
    assert 'data-counts="/search/words"' in found(client)
    assert "data-counts" not in client.get("/search", query_string={"q": "雪橙"}).text
    for _again in range(2):
        assert client.post("/search/words", data={"q": "血橙"}).status_code == 204
    assert client.post("/search/words", data={"q": "13800138000"}).status_code == 204
    assert client.post("/search/words", data={}).status_code == 204
    assert reading().execute(sa.select(SearchWord.word, SearchWord.people)).all() == [("血橙", 1)]


@pytest.mark.parametrize("path", ["/merchant/stock", "/merchant/products"])
def test_a_shop_finds_its_goods_by_pinyin_and_initials(client: FlaskClient, make: Factories, path: str) -> None:
    counter = Counter(make)
    rice, oil = counter.goods("rice", price=2_000), counter.goods("oil", merchant=1, price=5_000)
    with transaction() as session:
        for variant, name in ((rice, "东北大米"), (oil, "大米油")):
            session.execute(sa.text("UPDATE products SET name_zh = :name WHERE id = :id"), {"name": name, "id": variant.product_id})
    perform(operations.refresh_search_terms, [rice.product_id, oil.product_id], [])
    sign_in(client, counter.new_owner(counter.merchants[0])[0], second_factor=True)
    for text in ("dami", "dam", "dm", "dongbeidami", "DM", "dà mǐ"):
        assert 'id="row-rice"' in client.get(path, query_string={"q": text}).text, text
    for text in ("youm", "daxi", "dm you", "oil"):
        assert 'id="row-' not in client.get(path, query_string={"q": text}).text, text
