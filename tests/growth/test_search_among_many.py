"""Search among 100,000 goods, on both engines: nothing that is asked reads or sorts all that match to show a page of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from flask import Flask
from flask_migrate import upgrade

from shop import create_app
from shop.catalog import facets, search
from shop.catalog.queries import Wanted, arrivals
from shop.kernel import memory
from shop.kernel.db import reading
from shop.merchants import queries as merchants
from tests.conftest import dispose, execute_on_server, make_config, server_url
from tests.support.many_goods import multiply_goods
from tests.support.plans import Said, excess, heard_by_driver

pytestmark = pytest.mark.slow

GOODS = 100_000
WORDS = (
    "血橙", "橙", "水果", "红富士", "资中血橙", "血橙礼盒", "血橙 5斤", "5斤", "500g", "一二三四五六七八九", "四川无花果蜜饯",
    "大家电饭煲", "雪橙", "兰瓜", "新鲜的血橙", "xuecheng", "xc", "x", "xu", "xuechegn", "zzqq", "orange", "oranges",
    "blood orange", "fresh milk", "a b c d e f g h", "血橙 juice",
)  # fmt: skip
"""Of one term and of many, of few entries and of thousands, found as they stand, by sound, by a slip, by likeness and not at all."""


@pytest.fixture(scope="module")
def city(engine_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    name = f"linli_test_search_{uuid.uuid4().hex[:8]}"
    if engine_name == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('search') / 'linli.db'}"
    else:
        execute_on_server(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        url = server_url().set(database=name).render_as_string(hide_password=False)
    app = create_app(make_config(url))
    with app.app_context():
        upgrade()
        multiply_goods(GOODS)
        yield app
        memory.forget()
        dispose(app)
    if engine_name == "postgresql":
        execute_on_server(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def too_much(said: list[Said], times: int = 1) -> list[str]:
    return [what[:60] for one in said if (what := excess(one, times))]


@pytest.mark.parametrize("has_point", [False, True])
def test_no_search_reads_all_that_match(city: Flask, has_point: bool) -> None:
    arriving = arrivals(reading(), 1) if has_point else {}
    wrong = {}
    for text in WORDS:
        memory.forget()
        with heard_by_driver() as said:
            search.find(reading(), text, arriving, with_groups=True)
            search.find(reading(), text, arriving, wanted=Wanted(category_id=1, order="price"), with_groups=True)
            search.suggest(reading(), text)
        if what := too_much(said):
            wrong[text] = what
    assert not wrong, str(wrong)


def test_nor_does_a_search_inside_a_shop_a_shelf_or_a_list_of_the_console(city: Flask) -> None:
    shop = merchants.get_merchant(reading(), "orange-coop")
    with heard_by_driver() as said:
        for text in ("血橙", "xuecheng", "橙", "fresh", "番茄"):
            search.find(reading(), text, {}, shop_id=shop.id, with_groups=True)
        facets.of_shelf(reading(), 1, ())
        facets.of_shelf(reading(), 1, tuple(arrivals(reading(), 1)))
    assert not too_much(said, times=2), str(too_much(said, times=2))  # looked up from both sides: by the word, and by the shop


def test_a_common_word_finds_the_best_and_says_that_there_are_more(city: Flask) -> None:
    found = search.find(reading(), "血橙", {}, with_groups=True)
    assert found.cards[0].code == "blood-orange-m"
    assert all("血橙" in card.name_zh for card in found.cards)
    assert found.has_more
    assert found.count == search.MOST_FOUND
    assert search.find(reading(), "番茄", {}).cards[0].code == "tomato"


def test_what_a_shop_sells_is_found_inside_it_however_much_others_sell_of_it(city: Flask) -> None:
    shop = merchants.get_merchant(reading(), "orange-coop")
    found = search.find(reading(), "血橙", {}, shop_id=shop.id)
    assert {card.merchant_code for card in found.cards} == {"orange-coop"}
    assert search.find(reading(), "番茄", {}, shop_id=shop.id).cards == []


def test_counting_all_is_noticed(city: Flask) -> None:
    """The control."""
    assert excess(Said("SELECT COUNT(*) FROM search_terms WHERE weight = 20", (), 0.0))
