"""What chats and search engines are told of a page: title, text, price, picture, shop, and the page's addresses."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from playwright.sync_api import Browser

from shop.catalog import operations, pictures
from shop.kernel import memory
from shop.kernel.db import perform, transaction
from shop.kernel.money import Money
from shop.models.catalog import Category, Product, ProductImage, Variant
from shop.models.stock import StockItem
from shop.platform import parts
from shop.platform.files import FolderStorage
from tests.support.factories import Factories
from tests.support.heads import Head, read_head
from tests.support.people import sign_in

PUBLIC = ("/", "/categories", "/categories/fruit", "/products/orange", "/shops/coop", "/communities", "/help", "/about", "/terms",
          "/returns", "/privacy", "/licences")  # fmt: skip
HOSTILE = """<b>&"'</script><img src=x onerror=alert(1)>{{ 7 * 7 }}"""


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    parts._pages.clear()
    yield
    parts._pages.clear()


@pytest.fixture
def orange(make: Factories) -> Variant:
    """Oranges by weight, from a co-operative."""
    category = make.category("fruit", name_zh="水果", name_en="Fruit")
    coop = make.merchant("coop", points=[make.point("lake")], name_zh="橙乡合作社", name_en="Orange Co-op")
    return make.product(
        coop, code="orange", category=category, price=580, by_weight=True, name_zh="资中血橙", name_en="Blood orange", origin_zh="资中县",
        origin_en="Zizhong", description_zh="皮薄\n多汁", description_en="Thin skin,\n   much juice",
    )  # fmt: skip


@pytest.fixture
def storage(app: Flask, tmp_path: Path) -> Iterator[FolderStorage]:
    kept = app.extensions["storage"]
    app.extensions["storage"] = FolderStorage(tmp_path)
    yield app.extensions["storage"]
    app.extensions["storage"] = kept


def head_of(client: FlaskClient, address: str) -> Head:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return read_head(answer.text)


@pytest.mark.usefixtures("orange")
@pytest.mark.parametrize("address", PUBLIC)
@pytest.mark.parametrize(("lang", "territory"), [("zh", "zh_CN"), ("en", "en_US")])
def test_every_public_page_introduces_itself(client: FlaskClient, address: str, lang: str, territory: str) -> None:
    head = head_of(client, f"{address}?lang={lang}")
    plain = f"http://localhost{address}"
    assert head.is_found
    assert head.canonical == head.meta["og:url"] == f"{plain}?lang={lang}"
    assert {name: href for (rel, name), href in head.links.items() if rel == "alternate"} == {
        "zh-Hans": f"{plain}?lang=zh", "en": f"{plain}?lang=en", "x-default": plain,
    }  # fmt: skip
    words = head.meta["description"]
    assert 10 <= len(words) <= 150
    assert "\n" not in words
    assert bool(re.search("[一-鿿]", words)) is (lang == "zh")
    assert words == head.meta["og:description"] == head.meta["twitter:description"] == head.meta["itemprop description"]
    assert head.meta["og:title"] == head.meta["twitter:title"] == head.meta["itemprop name"] != ""
    assert head.meta["og:image"] == head.meta["twitter:image"] == head.meta["itemprop image"]
    assert head.meta["og:image"].startswith("http://localhost/")
    assert (head.meta["og:image:width"], head.meta["og:image:height"]) == ("800", "800")
    assert head.meta["og:image:alt"]
    assert (head.meta["og:locale"], head.meta["og:site_name"]) == (territory, "邻里" if lang == "zh" else "Linli")
    assert head.meta["og:locale:alternate"] != territory
    assert head.meta["twitter:card"] == "summary"
    assert head.meta["og:type"] == ("product" if address.startswith("/products/") else "website")


@pytest.mark.usefixtures("orange")
def test_no_two_public_pages_say_the_same_of_themselves(client: FlaskClient) -> None:
    heads = [head_of(client, f"{address}?lang={lang}") for address in PUBLIC for lang in ("zh", "en")]
    assert len({head.meta["description"] for head in heads}) == len({(head.title, head.canonical) for head in heads}) == len(heads)


PRODUCT_WORDS = [
    ("zh", "资中血橙", "¥5.80/斤 · 橙乡合作社 · 产地资中县 皮薄 多汁"),
    ("en", "Blood orange", "¥5.80/jin · Orange Co-op · from Zizhong Thin skin, much juice"),
]


@pytest.mark.usefixtures("orange")
@pytest.mark.parametrize(("lang", "name", "words"), PRODUCT_WORDS)
def test_a_shared_product_shows_name_price_shop_and_origin(client: FlaskClient, lang: str, name: str, words: str) -> None:
    head = head_of(client, f"/products/orange?lang={lang}")
    assert head.meta["og:title"] == name
    assert head.meta["description"] == words
    assert (head.meta["product:price:amount"], head.meta["product:price:currency"]) == ("5.80", "CNY")


@pytest.mark.usefixtures("orange")
def test_a_product_is_told_in_the_terms_of_schema_org(client: FlaskClient) -> None:
    here = "http://localhost/products/orange?lang=en"
    goods = head_of(client, here).fact("Product")
    assert {name: goods[name] for name in ("name", "sku", "url", "category", "description")} == {
        "name": "Blood orange", "sku": "orange", "url": here, "category": "Fruit", "description": "Thin skin,\n   much juice",
    }  # fmt: skip
    offer = goods["offers"]
    assert {name: offer[name] for name in ("@type", "price", "priceCurrency", "availability", "seller")} == {
        "@type": "Offer", "price": "5.80", "priceCurrency": "CNY", "availability": "https://schema.org/InStock",
        "seller": {"@type": "Organization", "name": "Orange Co-op", "url": "http://localhost/shops/coop?lang=en"},
    }  # fmt: skip
    rates = [
        (rate["@type"], rate["price"], rate["priceCurrency"], rate["referenceQuantity"]["value"], rate["referenceQuantity"]["unitCode"])
        for rate in offer["priceSpecification"]
    ]
    assert rates == [("UnitPriceSpecification", "5.80", "CNY", 500, "GRM"), ("UnitPriceSpecification", "11.60", "CNY", 1, "KGM")]
    assert "priceValidUntil" not in offer, "nobody promised until when"


def test_the_trail_of_a_product_leads_from_home_to_it(client: FlaskClient, orange: Variant) -> None:
    steps = head_of(client, "/products/orange?lang=zh").fact("BreadcrumbList")["itemListElement"]
    assert [(step["position"], step["name"]) for step in steps] == [(1, "邻里"), (2, "分类"), (3, "水果"), (4, "资中血橙")]
    for step in steps:
        assert client.get(step["item"].removeprefix("http://localhost")).status_code == 200


def test_what_is_sold_out_or_dearer_is_told_at_once(client: FlaskClient, orange: Variant) -> None:
    assert head_of(client, "/products/orange").fact("Product")["offers"]["availability"].endswith("InStock")
    with transaction() as session:
        session.execute(sa.update(Variant).where(Variant.id == orange.id).values(price=Money(123_456)))
        session.execute(sa.update(StockItem).where(StockItem.variant_id == orange.id).values(on_hand=0))
    head = head_of(client, "/products/orange")
    offer = head.fact("Product")["offers"]
    assert (offer["availability"], offer["price"]) == ("https://schema.org/OutOfStock", "1234.56")
    assert head.meta["product:price:amount"] == "1234.56"
    assert "¥1,234.56" in head.meta["description"]


def test_who_is_signed_in_is_told_of_a_new_price_at_once_as_well(client: FlaskClient, make: Factories, orange: Variant) -> None:
    sign_in(client, make.user())
    assert head_of(client, "/products/orange").meta["product:price:amount"] == "5.80"
    with transaction() as session:
        session.execute(sa.update(Variant).where(Variant.id == orange.id).values(price=Money(2_490)))
    head = head_of(client, "/products/orange")
    assert (head.meta["product:price:amount"], head.fact("Product")["offers"]["price"]) == ("24.90", "24.90")


def test_every_size_is_an_offer_and_the_address_of_one_is_no_page_of_its_own(client: FlaskClient, orange: Variant) -> None:
    with transaction() as session:
        box = {"label_zh": "10斤/箱", "label_en": "10-jin box", "price": Money(5_500), "net_weight_grams": 5_000, "position": 1}
        large = Variant(code="orange-10", product_id=orange.product_id, **box)
        session.add(large)
        session.flush()
        session.add(StockItem(variant_id=large.id, on_hand=0, reserved=0))
    head = head_of(client, "/products/orange?variant=orange-10&lang=en")
    assert head.canonical == "http://localhost/products/orange?lang=en"
    assert head.meta["description"].startswith("¥5.80/jin and up · ")
    offers = head.fact("Product")["offers"]
    had = {offer["sku"]: offer["availability"].rpartition("/")[2] for offer in offers}
    assert had == {"orange": "InStock", "orange-10": "OutOfStock"}
    for offer in offers:
        assert client.get(offer["url"].removeprefix("http://localhost")).status_code == 200


def test_goods_nobody_weighs_have_no_price_by_weight(client: FlaskClient, make: Factories) -> None:
    make.product(code="kettle", category=make.category("general", has_unit_price=False), price=8_900)
    assert "priceSpecification" not in head_of(client, "/products/kettle").fact("Product")["offers"]


@pytest.mark.usefixtures("orange")
def test_home_says_who_runs_it_and_how_it_is_searched(client: FlaskClient) -> None:
    head = head_of(client, "/?lang=en")
    action = head.fact("WebSite")["potentialAction"]
    address = action["target"]["urlTemplate"]
    assert address == "http://localhost/search?q={search_term_string}&lang=en"
    assert "/products/orange" in client.get("/categories/fruit").text
    assert client.get(address.removeprefix("http://localhost").replace("{search_term_string}", "orange")).status_code == 200
    logo = head.fact("Organization")["logo"].removeprefix("http://localhost")
    assert client.get(logo, buffered=True).mimetype == "image/png"


@pytest.mark.usefixtures("orange")
@pytest.mark.parametrize("address", ["/categories/fruit", "/shops/coop"])
def test_a_list_names_its_goods(client: FlaskClient, address: str) -> None:
    listed = head_of(client, f"{address}?lang=en").fact("ItemList")["itemListElement"]
    assert [(each["position"], each["url"]) for each in listed] == [(1, "http://localhost/products/orange?lang=en")]


@pytest.mark.usefixtures("orange")
@pytest.mark.parametrize(
    "address",
    ["/categories/fruit?sort=price", "/categories/fruit?weight=1", "/categories/fruit?after=1-1", "/categories/fruit?utm=x",
     "/shops/coop?sort=price", "/search?q=orange", "/search", "/communities?q=lake", "/cart", "/life", "/sign-in"],
)  # fmt: skip
def test_what_is_narrowed_found_or_private_is_not_to_be_kept(client: FlaskClient, address: str) -> None:
    head = head_of(client, address)
    assert not head.is_found
    assert head.canonical == ""


def test_pages_of_a_person_and_refusals_are_not_to_be_kept(client: FlaskClient, make: Factories) -> None:
    assert not read_head(client.get("/products/nothing").text).is_found
    sign_in(client, make.user())
    for address in ("/me", "/orders", "/wallet", "/notices"):
        assert not head_of(client, address).is_found, address


def test_what_a_merchant_writes_stays_words(client: FlaskClient, make: Factories) -> None:
    shop = make.merchant("evil", points=[make.point()], name_zh=HOSTILE, name_en=HOSTILE, business_en=HOSTILE, business_zh=HOSTILE)
    named = {"name_zh": HOSTILE, "name_en": HOSTILE, "description_en": HOSTILE * 9, "description_zh": HOSTILE, "origin_en": HOSTILE}
    make.product(shop, code="evil", category=make.category("evil", name_en=HOSTILE, name_zh=HOSTILE), **named)
    for address in ("/products/evil", "/shops/evil", "/categories/evil"):
        page = client.get(address).text
        head = read_head(page)
        assert head.meta["og:title"] == HOSTILE
        assert len(head.meta["description"]) <= 150
        assert "<b>" not in page
        assert "src=x" not in "".join(head.pictures)
        assert page.count("</script>") == page.count("<script")
    goods = read_head(client.get("/products/evil").text).fact("Product")
    assert (goods["name"], goods["description"], goods["offers"]["seller"]["name"]) == (HOSTILE, HOSTILE * 9, HOSTILE)


@pytest.mark.usefixtures("orange")
def test_addresses_come_from_the_settings_whatever_a_request_calls_us(client: FlaskClient) -> None:
    for address in ("/", "/products/orange", "/categories/fruit", "/sitemap.xml", "/sitemap/places.xml", "/robots.txt",
                    "/.well-known/security.txt"):  # fmt: skip
        assert "evil.example" not in client.get(address, headers={"Host": "evil.example"}).text, address


@pytest.mark.parametrize("address", ["/", "/categories/fruit", "/shops/coop", "/products/orange", "/search?q=orange"])
def test_headings_follow_each_other_and_every_card_has_one(client: FlaskClient, make: Factories, orange: Variant, address: str) -> None:
    with transaction() as session:
        category = session.get_one(Category, session.get_one(Product, orange.product_id).category_id)
        session.expunge(category)
    lemon = make.product(code="lemon", name_en="Lemon, no orange", category=category)
    perform(operations.refresh_search_terms, [orange.product_id, lemon.product_id], [])
    page = client.get(address).text
    head = read_head(page)
    assert head.headings.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(head.headings, head.headings[1:], strict=False)), head.headings
    cards = page.count('<article class="product-card')
    assert len(re.findall(r'<h[23] class="product-name">', page)) == cards
    assert cards


def drawing(colour: str = "orange", size: tuple[int, int] = (900, 600)) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, colour).save(made, "PNG")
    return made.getvalue()


def noise() -> bytes:
    made = io.BytesIO()
    Image.effect_noise((1_200, 1_200), 120).convert("RGB").save(made, "PNG")
    return made.getvalue()


def give_picture(variant: Variant, storage: FolderStorage, content: bytes) -> str:
    name = pictures.keep(storage, content)
    with transaction() as session:
        session.add(ProductImage(product_id=variant.product_id, file=name, position=0))
    memory.forget()
    return name


def test_the_picture_of_a_link_is_a_small_square_jpeg(client: FlaskClient, orange: Variant, storage: FolderStorage) -> None:
    give_picture(orange, storage, noise())
    address = head_of(client, "/products/orange").meta["og:image"]
    assert re.fullmatch(r"http://localhost/media/[0-9a-f]{2}/[0-9a-f]{32}-share\.jpg", address)
    with client.get(address.removeprefix("http://localhost")) as answer:
        assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
        assert "immutable" in answer.headers["Cache-Control"]
        assert len(answer.data) <= 150_000
        with Image.open(io.BytesIO(answer.data)) as picture:
            assert (picture.format, picture.size) == ("JPEG", (800, 800))


def test_the_first_picture_on_the_page_is_of_the_goods(client: FlaskClient, orange: Variant, storage: FolderStorage) -> None:
    name = give_picture(orange, storage, drawing())
    assert head_of(client, "/products/orange").pictures[0] == f"/media/{name}"


def test_the_sign_in_the_head_is_the_logo(app: Flask) -> None:
    """It is drawn from the file of the icons, which every page has: one request less, and no first picture for chats to take."""
    folder = Path(app.root_path) / "static" / "img"
    logo, icons = ((folder / name).read_text(encoding="utf-8") for name in ("logo.svg", "icons.svg"))
    drawn = logo.partition("</title>")[2].removesuffix("</svg>\n").strip()
    symbol = re.search(r'<symbol id="logo" viewBox="0 0 64 64">(.*?)</symbol>', icons, re.DOTALL)
    assert symbol
    assert symbol[1].strip() == drawn


def test_a_picture_kept_before_is_made_up_for_and_the_page_notices(app: Flask, orange: Variant, storage: FolderStorage) -> None:
    client = app.test_client()
    name = give_picture(orange, storage, drawing())
    (storage.folder / pictures.shared(name)).unlink()
    assert "/img/app-icons/share.jpg" in head_of(client, "/products/orange").meta["og:image"]
    run = app.test_cli_runner().invoke
    assert run(args=["catalog", "pictures"]).output == "1 made, 0 were there already, 0 cannot be read\n"
    assert head_of(client, "/products/orange").meta["og:image"] == f"http://localhost/media/{pictures.shared(name)}"
    assert run(args=["catalog", "pictures"]).output == "0 made, 1 were there already, 0 cannot be read\n"
    (storage.folder / pictures.shared(name)).unlink()
    (storage.folder / name).unlink()
    assert "1 cannot be read" in run(args=["catalog", "pictures"]).output


def test_a_page_without_a_picture_shows_the_shop(client: FlaskClient, orange: Variant) -> None:
    address = head_of(client, "/help").meta["og:image"].removeprefix("http://localhost")
    answer = client.get(address, buffered=True)
    assert answer.mimetype == "image/jpeg"
    assert len(answer.data) <= 60_000
    with Image.open(io.BytesIO(answer.data)) as picture:
        assert picture.size == (800, 800)


@pytest.mark.browser
@pytest.mark.one_engine
def test_the_policy_for_scripts_has_nothing_against_the_facts(app: Flask, orange: Variant, browser: Browser, site: str) -> None:
    window = browser.new_context(service_workers="block")
    tab = window.new_page()
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    for address in ("/products/orange?lang=zh", "/?lang=en", "/categories/fruit"):
        tab.goto(f"{site}{address}")
        assert tab.evaluate("JSON.parse(document.querySelector('script[type=\"application/ld+json\"]').textContent)['@context']")
    window.close()
    assert said == []
