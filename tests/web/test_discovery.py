"""What machines ask for by fixed addresses: robots.txt, the site map, the icon, and whom to tell of a weakness."""

from __future__ import annotations

import io
import re
from datetime import datetime, timedelta
from itertools import pairwise
from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from shop.catalog import addresses
from shop.kernel import clock, memory
from shop.kernel.db import database, reading, transaction
from shop.models.catalog import Listing, Product, ProductState, Variant
from shop.models.merchants import Merchant, MerchantState
from tests.support.factories import Factories
from tests.support.heads import read_head
from tests.support.people import sign_in
from tests.support.queries import counted

SITE = "http://localhost"
NAMES = {"map": "http://www.sitemaps.org/schemas/sitemap/0.9", "xhtml": "http://www.w3.org/1999/xhtml"}
FILES = {
    "/robots.txt": "text/plain", "/sitemap.xml": "application/xml", "/sitemap/places.xml": "application/xml",
    "/sitemap/goods-1.xml": "application/xml", "/favicon.ico": "image/x-icon", "/.well-known/security.txt": "text/plain",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _products_are_counted_from_one(app: Flask, engine_name: str) -> None:
    """Pages of the map hold ranges of ids; on PostgreSQL the products of earlier tests have used up some."""
    if engine_name == "postgresql":
        with database.engines[None].begin() as connection:
            connection.execute(sa.text("SELECT setval(pg_get_serial_sequence('products', 'id'), 1, false)"))


@pytest.fixture
def goods(make: Factories) -> list[Variant]:
    """Two kinds of fruit of one shop."""
    shop, category = make.merchant("coop", points=[make.point()]), make.category("fruit")
    return [make.product(shop, code=code, category=category) for code in ("orange", "apple")]


def tree(client: FlaskClient, address: str) -> ElementTree.Element:
    answer = client.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "application/xml"), address
    return ElementTree.fromstring(answer.data)


def locations(client: FlaskClient, address: str) -> list[str]:
    return [str(found.text).removeprefix(SITE) for found in tree(client, address).iterfind(".//map:loc", NAMES)]


@pytest.mark.usefixtures("goods")
@pytest.mark.parametrize("address", FILES)
def test_machines_find_what_they_ask_for_without_a_cookie_and_need_not_fetch_it_twice(app: Flask, address: str) -> None:
    client = app.test_client()
    answer = client.get(address, buffered=True)
    assert (answer.status_code, answer.mimetype) == (200, FILES[address])
    assert "Set-Cookie" not in answer.headers
    assert "public" in answer.headers["Cache-Control"]
    again = client.get(address, headers={"If-None-Match": answer.headers["ETag"]}, buffered=True)
    assert (again.status_code, again.data) == (304, b"")


def rules_of(client: FlaskClient) -> RobotFileParser:
    rules = RobotFileParser()
    rules.parse(client.get("/robots.txt").text.splitlines())
    return rules


@pytest.mark.usefixtures("goods")
def test_robots_may_read_the_shop_and_are_shown_its_map(client: FlaskClient) -> None:
    rules = rules_of(client)
    assert rules.site_maps() == [f"{SITE}/sitemap.xml"]
    for address in ("/", "/products/orange", "/categories/fruit?sort=price", "/shops/coop", "/help", "/media/ab/x.jpg", "/static/x.svg"):
        assert rules.can_fetch("Baiduspider", f"{SITE}{address}"), address


def test_no_page_is_open_to_robots_by_mistake(app: Flask, client: FlaskClient, make: Factories, goods: list[Variant]) -> None:
    """Every page that is drawn for strangers is public, closed to robots, or says that it is not to be found."""
    rules, public = rules_of(client), set()
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.arguments or not rules.can_fetch("*", f"{SITE}{rule.rule}"):
            continue
        answer = client.get(rule.rule, buffered=True)
        if answer.mimetype == "text/html" and answer.status_code == 200 and read_head(answer.text).is_found:
            public.add(rule.rule)
    assert public - {"/dev/style"} == {"/", "/categories", "/communities", "/help", "/about", "/returns", "/terms", "/privacy", "/licences"}
    for closed in ("/me", "/cart", "/checkout", "/orders", "/bills", "/wallet", "/pickup", "/merchant/", "/station/", "/admin/", "/api/"):
        assert not rules.can_fetch("*", f"{SITE}{closed}"), closed


def test_every_address_of_the_map_is_there_and_names_itself(app: Flask, client: FlaskClient, make: Factories, goods: list[Variant]) -> None:
    pages = locations(client, "/sitemap.xml")
    assert pages == ["/sitemap/places.xml", "/sitemap/goods-1.xml"]
    stranger = app.test_client()
    seen: set[str] = set()
    for page in pages:
        for entry in tree(client, page).iterfind("map:url", NAMES):
            address = str(entry.findtext("map:loc", namespaces=NAMES))
            answer = stranger.get(address.removeprefix(SITE))
            head = read_head(answer.text)
            assert (answer.status_code, head.canonical, head.is_found) == (200, address, True)
            told = {link.get("hreflang"): link.get("href") for link in entry.iterfind("xhtml:link", NAMES)}
            assert told == {name: href for (rel, name), href in head.links.items() if rel == "alternate"}
            seen.add(address.removeprefix(SITE))
    for path in ("/", "/categories", "/categories/fruit", "/products/orange", "/products/apple", "/shops/coop", "/communities", "/about"):
        assert {f"{path}?lang=zh", f"{path}?lang=en"} <= seen


def test_the_map_forgets_what_is_no_longer_sold(client: FlaskClient, goods: list[Variant]) -> None:
    orange, apple = goods
    with transaction() as session:
        session.get_one(Product, orange.product_id).state = ProductState.OFF_SALE
        session.delete(session.get_one(Listing, orange.product_id))
    assert not [address for address in locations(client, "/sitemap/goods-1.xml") if "orange" in address]
    with transaction() as session:
        session.delete(session.get_one(Listing, apple.product_id))
    assert locations(client, "/sitemap.xml") == ["/sitemap/places.xml"]
    assert client.get("/sitemap/goods-1.xml").status_code == 404
    assert not [address for address in locations(client, "/sitemap/places.xml") if "/shops/" in address]


def test_a_shop_that_is_closed_is_not_on_the_map(client: FlaskClient, goods: list[Variant]) -> None:
    with transaction() as session:
        session.scalars(sa.select(Merchant)).one().state = MerchantState.CLOSED
    assert not [address for address in locations(client, "/sitemap/places.xml") if "/shops/" in address]


def test_the_map_says_when_a_page_was_last_written(client: FlaskClient, goods: list[Variant]) -> None:
    with transaction() as session:
        session.get_one(Listing, goods[0].product_id).version = 1_780_000_000_123_456
    said = {
        str(entry.findtext("map:loc", namespaces=NAMES)).rpartition("/")[2]: entry.findtext("map:lastmod", namespaces=NAMES)
        for entry in tree(client, "/sitemap/goods-1.xml").iterfind("map:url", NAMES)
    }
    assert said["orange?lang=zh"] == said["orange?lang=en"] == "2026-05-28T20:26:40Z"
    assert said["apple?lang=zh"] is None, "nobody knows"


def test_goods_far_apart_have_no_empty_pages_between_them_and_each_page_costs_one_query(
    client: FlaskClient, make: Factories, goods: list[Variant]
) -> None:
    shop, far = make.merchant("far"), []
    for number, product_id in enumerate((5 * addresses.RANGE - 1, 5 * addresses.RANGE, 400 * addresses.RANGE + 7)):
        far.append(make.product(shop, code=f"far-{number}", id=product_id).code)
    assert addresses.ranges(reading()) == [1, 5, 6, 401]
    pages = locations(client, "/sitemap.xml")[1:]
    assert [len(locations(client, page)) for page in pages] == [4, 2, 2, 2]
    memory.forget()
    costs = []
    for page in ("/sitemap.xml", *pages):
        with counted() as seen:
            client.get(page)
        costs.append(len(seen))
    assert costs == [1] * 5


def test_a_page_of_the_map_holds_at_most_ten_thousand_addresses() -> None:
    assert addresses.RANGE * 2 <= 10_000
    assert (addresses.MOST_SHOPS + 1_000) * 2 <= 10_000


@pytest.mark.parametrize("number", ["0", "2", "99999999999999999999999999", "x", "-1"])
def test_a_page_that_is_not_on_the_map_is_not_there(client: FlaskClient, number: str) -> None:
    assert client.get(f"/sitemap/goods-{number}.xml").status_code == 404


def test_the_icon_holds_the_sizes_of_tabs(client: FlaskClient) -> None:
    with Image.open(io.BytesIO(client.get("/favicon.ico", buffered=True).data)) as icon:
        assert (icon.format, icon.info["sizes"]) == ("ICO", {(16, 16), (32, 32), (48, 48)})


def test_whom_to_tell_of_a_weakness_can_be_read_by_rfc_9116(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = client.get("/.well-known/security.txt")
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert list(fields) == ["Contact", "Expires", "Preferred-Languages", "Canonical", "Policy"]
    until = datetime.fromisoformat(fields["Expires"].replace("Z", "+00:00"))
    assert timedelta(days=170) < until - clock.now() < timedelta(days=360)
    assert fields["Canonical"] == f"{SITE}/.well-known/security.txt"
    assert fields["Contact"] == f"{SITE}/help"
    assert fields["Preferred-Languages"] == "zh, en"
    policy, _, anchor = fields["Policy"].removeprefix(SITE).partition("#")
    assert f'id="{anchor}"' in client.get(policy).text
    monkeypatch.setitem(app.config, "SECURITY_CONTACT", "mailto:security@example.org")
    assert "Contact: mailto:security@example.org\n" in client.get("/.well-known/security.txt").text
    assert "Write to security@example.org." in client.get("/help").text


def test_the_day_it_runs_out_moves_with_today(client: FlaskClient) -> None:
    said = []
    for _ in range(2):
        found = re.search("Expires: (.*)", client.get("/.well-known/security.txt").text)
        assert found
        said.append(found[1])
        clock.move(clock.shift() + timedelta(days=200))
    assert all(early < late for early, late in pairwise(said))


def test_files_for_machines_say_the_same_to_the_signed_in(client: FlaskClient, make: Factories, goods: list[Variant]) -> None:
    before = [client.get(address, buffered=True).data for address in FILES]
    sign_in(client, make.user(locale="en"))
    assert [client.get(address, buffered=True).data for address in FILES] == before
