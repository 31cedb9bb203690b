"""The catalogue's pages through the client, in both languages."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from shop.catalog import operations, pictures
from shop.catalog.queries import PAGE
from shop.kernel import clock, memory
from shop.kernel.db import perform, transaction
from shop.kernel.money import Money
from shop.models.catalog import Category, Listing, Product, ProductImage, Variant
from shop.models.orders import PaymentMethod
from shop.models.pickup import PickupPoint
from shop.models.stock import StockItem
from shop.platform.files import FolderStorage
from tests.support.factories import Factories
from tests.support.people import sign_in
from tests.support.queries import counted
from tests.support.shopping import Shopping


@pytest.fixture
def point(make: Factories) -> PickupPoint:
    """A point with a shelf: two merchants, of which one delivers here."""
    point = make.point("tianchenghu", name_zh="甜城湖自提点", name_en="Tianchenghu point")
    category = make.category("fruit", name_zh="水果", name_en="Fruit")
    coop = make.merchant("orange-coop", points=[point], name_zh="橙乡合作社", name_en="Orange Co-op")
    loose = make.product(
        coop, code="blood-orange-loose", category=category, price=580, by_weight=True, name_zh="资中血橙散装", name_en="Blood orange, loose"
    )
    make.product(make.merchant("far", name_zh="远方", name_en="Far"), code="far-fruit", category=category)
    perform(operations.refresh_search_terms, [loose.product_id], [])
    return point


def test_a_category_shows_what_comes_to_my_point(client: FlaskClient, point: PickupPoint) -> None:
    client.set_cookie("point", point.slug)
    page = client.get("/categories/fruit").get_data(as_text=True)
    assert "Blood orange, loose" in page
    assert "¥5.80" in re.sub(r"<[^>]+>", "", page)
    assert "/jin" in page
    assert "¥11.60/kg" in page
    assert "far-fruit" not in page


def test_without_a_point_everything_on_sale_is_shown(client: FlaskClient, point: PickupPoint) -> None:
    page = client.get("/categories/fruit").get_data(as_text=True)
    assert "/products/far-fruit" in page
    assert "delivered to your point" not in page
    assert "arrives" not in page


def test_pages_speak_chinese_to_chinese_readers(client: FlaskClient, point: PickupPoint) -> None:
    client.set_cookie("locale", "zh")
    page = client.get("/categories/fruit").get_data(as_text=True)
    assert '<html lang="zh-CN"' in page
    assert "资中血橙散装" in page
    assert "水果" in page


def test_a_product_says_what_the_law_wants_said(client: FlaskClient, point: PickupPoint) -> None:
    client.set_cookie("point", point.slug)
    page = client.get("/products/blood-orange-loose").get_data(as_text=True)
    prices = ("Priced by weight", "never more than ¥5.80", "¥11.60/kg")
    for words in ("No 7-day return: fresh or perishable", *prices, "Origin", "Neijiang", "Shelf life", "10 days"):
        assert words in page


@pytest.mark.parametrize("text", ["血橙", "xuecheng", "xc", "blood"])
def test_search_finds_and_says_so(client: FlaskClient, point: PickupPoint, text: str) -> None:
    assert "/products/blood-orange-loose" in client.get("/search", query_string={"q": text}).get_data(as_text=True)


def test_words_left_out_of_a_search_are_said(client: FlaskClient, point: PickupPoint) -> None:
    page = client.get("/search", query_string={"q": "新鲜的血橙"}).get_data(as_text=True)
    assert "Nothing has all of “新鲜的血橙”. These are for “血橙”:" in page
    assert "/products/blood-orange-loose" in page
    assert "Nothing has all of" not in client.get("/search", query_string={"q": "血橙"}).get_data(as_text=True)


def test_the_next_page_of_a_search_goes_on_with_the_words_that_found_something(
    client: FlaskClient, point: PickupPoint, make: Factories
) -> None:
    shop = make.merchant("many", points=[point], name_zh="多", name_en="Many")
    made = [make.product(shop, code=f"many-{number}", name_zh="苹果", name_en="Apple") for number in range(PAGE + 1)]
    perform(operations.refresh_search_terms, [variant.product_id for variant in made], [])
    page = client.get("/search", query_string={"q": "新鲜的苹果"}).get_data(as_text=True)
    assert f"{PAGE + 1} kinds found" in page
    following = client.get("/search", query_string={"q": "苹果", "page": 1})
    assert following.request.full_path.split("?")[1] in page.replace("&amp;", "&")
    assert "/products/many-" in following.get_data(as_text=True)


def test_a_search_without_result_says_what_to_do(client: FlaskClient, point: PickupPoint) -> None:
    page = client.get("/search?q=zzzz").get_data(as_text=True)
    assert "No shop here sells “zzzz” at the moment" in page
    assert goods_on(page) == [], "nothing else is offered in its place"
    assert "/categories/fruit" in page


@pytest.mark.parametrize("path", ["/categories/none", "/products/none", "/shops/none"])
def test_what_is_not_there_is_a_plain_404(client: FlaskClient, point: PickupPoint, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "could not find" in answer.get_data(as_text=True)


def test_a_search_too_long_is_refused_with_a_sentence(client: FlaskClient, point: PickupPoint) -> None:
    answer = client.get("/search", query_string={"q": "橙" * 61})
    assert answer.status_code == 422
    assert "fewer than 60" in answer.get_data(as_text=True)


@pytest.mark.parametrize("query", ["after=x", "after=1-2-3", "after=-1", "after=" + "9" * 40 + "-1", "sort=nothing", "page=-1"])
def test_odd_addresses_do_no_harm(client: FlaskClient, point: PickupPoint, query: str) -> None:
    assert client.get(f"/categories/fruit?{query}").status_code == 200
    assert client.get(f"/search?q=x&{query}").status_code == 200


def test_a_category_page_costs_the_same_for_one_and_for_many(client: FlaskClient, point: PickupPoint, make: Factories) -> None:
    client.set_cookie("point", point.slug)
    coop = make.merchant("second", points=[point])

    def statements() -> int:
        memory.forget()
        with counted() as seen:
            assert client.get("/categories/fruit").status_code == 200
        return len(seen)

    alone = statements()
    category_id = make.product(coop).product_id
    assert category_id
    for _ in range(20):
        make.product(coop)
    assert statements() == alone


def test_home_greets_strangers_and_offers_the_choice_of_a_point(client: FlaskClient, point: PickupPoint) -> None:
    page = client.get("/").get_data(as_text=True)
    assert "Choose your pick-up point" in page
    client.set_cookie("point", point.slug)
    assert "Order by" in client.get("/").get_data(as_text=True)


def test_a_bag_that_costs_what_a_jin_costs_says_so_all_the_same(client: FlaskClient, point: PickupPoint, make: Factories) -> None:
    grocer = make.merchant("grocer", points=[point])
    make.product(grocer, code="bag", price=990, grams=500)
    client.set_cookie("point", point.slug)
    for path in ("/shops/grocer", "/products/bag"):
        page = client.get(path).get_data(as_text=True)
        assert "¥9.90/jin" in page, path
        assert "¥19.80/kg" in page, path
    assert "¥5.80/jin" not in client.get("/categories/fruit").get_data(as_text=True), "its price says it already"


def test_home_does_not_give_the_first_cut_off_as_everybodys(client: FlaskClient, point: PickupPoint, make: Factories) -> None:
    client.set_cookie("point", point.slug)
    assert "Order by" in client.get("/").get_data(as_text=True)
    early = make.merchant("early")
    make.cycle(early, point, cut_off_at=clock.now() + timedelta(minutes=30), arrives_on=clock.today() + timedelta(days=1))
    memory.forget()
    page = client.get("/").get_data(as_text=True)
    assert "The first shops close at" in page
    assert "Order by" not in page


def goods_on(page: str) -> list[str]:
    """The products a page links to, in their order."""
    return re.findall(r'class="product-link" href="/products/([\w-]+)"', page)


def test_goods_that_do_not_come_to_my_point_are_shown_on_request_and_say_so(client: FlaskClient, point: PickupPoint) -> None:
    client.set_cookie("point", point.slug)
    page = client.get("/categories/fruit?all=1").get_data(as_text=True)
    assert set(goods_on(page)) == {"blood-orange-loose", "far-fruit"}
    assert page.count("Not delivered to your point") == 1
    assert page.count("Arrives tomorrow") == 1
    assert page.count('class="product-add"') == page.count('id="add-goods"') == 1


@pytest.fixture
def shelf(point: PickupPoint, make: Factories) -> None:
    """Four kinds of fruit at 5.80 by weight, 9.99, 10.00 and 30.00, one of them in season all the year round but January."""
    with transaction() as session:
        category = session.scalars(sa.select(Category).where(Category.slug == "fruit")).one()
        session.expunge(category)
    second = make.merchant("second", points=[point], name_zh="第二家", name_en="Second")
    for code, price in (("cheap", 999), ("middle", 1_000), ("dear", 3_000)):
        make.product(second, code=code, category=category, price=price)
    with transaction() as session:
        session.execute(sa.update(Listing).where(Listing.code == "dear").values(season_mask=0b111111111111 ^ 1))


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("weight=1", ["blood-orange-loose"]),
        ("price=0-10&sort=price", ["blood-orange-loose", "cheap"]),
        ("price=10-30", ["middle"]),
        ("price=30-", ["dear"]),
        ("shop=second&sort=price_down", ["dear", "middle", "cheap"]),
        ("shop=second&price=0-10", ["cheap"]),
        ("shop=nobody&price=30-", ["dear"]),
        ("price=nonsense&sort=price", ["blood-orange-loose", "cheap", "middle", "dear"]),
    ],
)
def test_a_shelf_is_narrowed_by_its_address(client: FlaskClient, point: PickupPoint, query: str, expected: list[str]) -> None:
    client.set_cookie("point", point.slug)
    page = client.get(f"/categories/fruit?{query}").get_data(as_text=True)
    assert goods_on(page) == expected
    assert f">{len(expected)} kind{'' if len(expected) == 1 else 's'}<" in page


@pytest.mark.usefixtures("shelf")
def test_a_season_filter_shows_what_has_its_season(client: FlaskClient, point: PickupPoint, monkeypatch: pytest.MonkeyPatch) -> None:
    client.set_cookie("point", point.slug)
    monkeypatch.setattr("shop.catalog.rules.month_bit", lambda _day: 1 << 5)
    assert goods_on(client.get("/categories/fruit?season=1").get_data(as_text=True)) == ["dear"]
    memory.forget()
    monkeypatch.setattr("shop.catalog.rules.month_bit", lambda _day: 1)
    assert goods_on(client.get("/categories/fruit?season=1").get_data(as_text=True)) == []


@pytest.mark.usefixtures("shelf")
def test_nothing_left_says_which_filters_can_be_taken_away(client: FlaskClient, point: PickupPoint) -> None:
    client.set_cookie("point", point.slug)
    page = client.get("/categories/fruit?weight=1&price=30-&sort=price").get_data(as_text=True)
    assert "Leave one of these out" in page
    assert "/categories/fruit?sort=price&amp;price=30-" in page
    assert "/categories/fruit?sort=price&amp;weight=1" in page
    assert goods_on(client.get("/categories/fruit?sort=price&price=30-").get_data(as_text=True)) == ["dear"]


@pytest.mark.usefixtures("shelf")
def test_a_fetched_list_puts_the_short_address_into_the_bar(client: FlaskClient) -> None:
    answer = client.get("/categories/fruit?sort=&season=&shop=second&price=", headers={"HX-Request": "true", "HX-Target": "goods"})
    assert answer.headers["HX-Push-Url"] == "/categories/fruit?shop=second"
    assert "HX-Push-Url" not in client.get("/categories/fruit?shop=second", headers={"HX-Request": "true", "HX-Target": "cards"}).headers


def test_a_long_shelf_goes_on_where_the_page_ended_and_keeps_its_filters(client: FlaskClient, make: Factories) -> None:
    category = make.category("fruit")
    for number in range(30):
        make.product(code=f"apple-{number}", category=category, price=500, by_weight=True, position=number)
    first = client.get("/categories/fruit?weight=1").get_data(as_text=True)
    (more,) = set(re.findall(r'id="more"><a class="[^"]*" href="([^"]+)"', first))
    second = client.get(more.replace("&amp;", "&")).get_data(as_text=True)
    assert "weight=1" in more
    assert ">30 kinds<" in first
    assert [*goods_on(first), *goods_on(second)] == [f"apple-{number}" for number in range(30)]
    assert 'id="more"></div>' in second


def test_search_shows_what_does_not_come_last_and_says_so(client: FlaskClient, point: PickupPoint, make: Factories) -> None:
    gone = make.product(make.merchant("gone", points=[point]), code="gone", name_en="Blood orange gone", on_hand=0, position=1)
    far = make.product(make.merchant("further"), code="further", name_en="Blood orange elsewhere", position=0)
    perform(operations.refresh_search_terms, [gone.product_id, far.product_id], [])
    client.set_cookie("point", point.slug)
    page = client.get("/search?q=blood").get_data(as_text=True)
    assert goods_on(page) == ["blood-orange-loose", "gone", "further"]
    assert page.index("/products/gone") < page.index("Goods that do not come to Tianchenghu point") < page.index("/products/further")
    assert "3 kinds found" in page
    assert 'data-searched="blood"' in page


@pytest.mark.parametrize("text", ["bloood", "xuechegn", "雪橙", "资中雪橙"])
def test_a_slip_of_the_pen_is_answered_with_what_may_be_meant(client: FlaskClient, point: PickupPoint, text: str) -> None:
    page = client.get("/search", query_string={"q": text}).get_data(as_text=True)
    assert "Blood orange, loose" in page
    assert "/search?q=Blood+orange,+loose" in page or goods_on(page)


def test_a_product_in_several_sizes_names_each_price_and_takes_the_first_that_is_left(
    client: FlaskClient, point: PickupPoint, make: Factories
) -> None:
    small = make.product(make.merchant("grocer", points=[point]), code="rice", price=1_000, on_hand=0)
    with transaction() as session:
        bag = {"label_zh": "10kg/袋", "label_en": "10 kg bag", "price": Money(5_800), "net_weight_grams": 10_000}
        large = Variant(code="rice-10", product_id=small.product_id, **bag)
        session.add(large)
        session.flush()
        session.add(StockItem(variant_id=large.id, on_hand=3, reserved=0))
    page = client.get("/products/rice").get_data(as_text=True)
    assert re.search(r'value="rice" disabled', page)
    assert re.search(r'value="rice-10" checked', page)
    for words in ("¥10.00", "¥58.00", "¥5.80/kg", "10 kg bag", "3 left"):
        assert words in page
    assert 'id="choose"' in page


@pytest.fixture
def storage(app: Flask, tmp_path: Path) -> Iterator[FolderStorage]:
    kept = app.extensions["storage"]
    app.extensions["storage"] = FolderStorage(tmp_path)
    yield app.extensions["storage"]
    app.extensions["storage"] = kept


def test_uploaded_pictures_stand_in_a_gallery(client: FlaskClient, point: PickupPoint, storage: FolderStorage) -> None:
    with transaction() as session:
        product = session.scalars(sa.select(Product).where(Product.code == "blood-orange-loose")).one()
        names = []
        for place, colour in enumerate(("orange", "red", "darkred")):
            upload = io.BytesIO()
            Image.new("RGB", (600, 400), colour).save(upload, "PNG")
            names.append(pictures.keep(storage, upload.getvalue()))
            session.add(ProductImage(product_id=product.id, file=names[-1], position=place))
    memory.forget()
    page = client.get("/products/blood-orange-loose").get_data(as_text=True)
    shown = re.findall(r'<li class="gallery-picture" id="picture-\d"><img class="product-hero" src="(/media/[^"]+)"', page)
    assert shown == [f"/media/{name}" for name in names]
    assert page.count("fetchpriority") == 1
    assert "picture 3" in page
    for address in shown:
        with client.get(address) as answer:
            assert answer.mimetype == "image/webp"


def test_a_product_offers_others_from_its_shelf(client: FlaskClient, point: PickupPoint) -> None:
    assert goods_on(client.get("/products/blood-orange-loose").get_data(as_text=True)) == ["far-fruit"]
    client.set_cookie("point", point.slug)
    assert goods_on(client.get("/products/blood-orange-loose").get_data(as_text=True)) == []


def test_times_are_said_as_people_say_them(client: FlaskClient, point: PickupPoint) -> None:
    client.set_cookie("point", point.slug)
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", client.get("/products/blood-orange-loose").get_data(as_text=True)))
    assert re.search(r"Order by \d\d:\d\d (today|tomorrow)", said)
    assert re.search(r"Collect tomorrow from \d\d:\d\d at Tianchenghu point", said)
    client.set_cookie("locale", "zh")
    said = re.sub(r"<[^>]+>", " ", client.get("/products/blood-orange-loose").get_data(as_text=True))
    assert re.search(r"(今天|明天) \d\d:\d\d 截单", said)


def test_things_nobody_weighs_have_no_price_by_weight(client: FlaskClient, make: Factories) -> None:
    make.product(code="kettle", category=make.category("general", has_unit_price=False), price=8_900, grams=1_200)
    for path in ("/categories/general", "/products/kettle"):
        assert "/kg" not in client.get(path).get_data(as_text=True)


def test_search_and_product_cost_the_same_for_one_and_for_many(client: FlaskClient, point: PickupPoint, make: Factories) -> None:
    client.set_cookie("point", point.slug)
    coop = make.merchant("second", points=[point])

    def statements(path: str) -> int:
        memory.forget()
        with counted() as seen:
            assert client.get(path).status_code == 200
        return len(seen)

    make.product(coop)
    paths = ("/search?q=xuecheng", "/products/blood-orange-loose", "/shops/second", "/")
    for path in paths:
        client.get(path)  # parts of pages are drawn once
    alone = [statements(path) for path in paths]
    made = [make.product(coop, name_zh="血橙") for _ in range(20)]
    perform(operations.refresh_search_terms, [variant.product_id for variant in made], [])
    assert [statements(path) for path in paths] == alone


def test_home_says_what_waits_for_me(client: FlaskClient, make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges")
    user = shop.buyer()
    sign_in(client, user)
    assert "waits for its payment" not in client.get("/").text
    shop.buy(user, {"oranges": 1}, PaymentMethod.STRIPE)
    page = client.get("/").text
    assert "1 order waits for its payment" in page
    assert 'href="/orders?tab=to_pay"' in page


def test_what_sounds_the_same_is_asked_about_and_what_nobody_sells_is_said(client: FlaskClient, point: PickupPoint) -> None:
    client.set_cookie("locale", "zh")
    heard = client.get("/search?q=雪橙").text
    assert "没有叫“雪橙”的商品，您是不是想找这些？" in heard
    assert "资中血橙散装" in heard
    nothing = client.get("/search?q=猫粮").text
    assert "这里暂时没有商家卖“猫粮”" in nothing
    assert "product-card" not in nothing
    assert "您是不是" not in nothing


def test_what_is_sold_by_volume_is_compared_by_the_litre(client: FlaskClient, make: Factories) -> None:
    category = make.category("oil", name_zh="粮油", name_en="Grain and oil")
    oil = make.product(make.merchant("oil"), code="oil", category=category, price=2_980, grams=1_656)
    with transaction() as session:
        session.execute(sa.update(Variant).where(Variant.id == oil.id).values(label_zh="1.8L/桶", label_en="1.8 L can"))
        session.execute(sa.update(Listing).where(Listing.variant_id == oil.id).values(unit_zh="1.8L/桶", unit_en="1.8 L can"))
    for path in ("/categories/oil", "/products/oil"):
        page = client.get(path).text
        assert "¥16.56/litre" in page, path
        assert "/jin" not in page, path
    assert '"unitCode":"LTR"' in client.get("/products/oil").text.replace(" ", "")
    client.set_cookie("locale", "zh")
    assert "¥16.56/升" in client.get("/categories/oil").text


def test_the_bar_says_what_several_cost_and_script_knows_how(client: FlaskClient, point: PickupPoint) -> None:
    client.set_cookie("point", point.slug)
    client.set_cookie("locale", "zh")
    page = client.get("/products/blood-orange-loose").text
    bar = page.partition('id="bar-price"')[2].partition("</div>")[0]
    assert 'data-each="580"' in bar
    assert re.search(r'data-several="%n[^"]*封顶"', bar)
