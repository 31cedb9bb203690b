"""One address, one language: what `?lang=` promises to readers, links and caches."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shop.kernel.db import reading
from shop.models.accounts import User
from tests.support.factories import Factories
from tests.support.heads import read_head
from tests.support.people import sign_in

CHINESE, ENGLISH = '<html lang="zh-CN"', '<html lang="en"'


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    """Somebody who has chosen nothing."""
    made: FlaskClient = app.test_client()
    return made


@pytest.fixture(autouse=True)
def goods(make: Factories) -> None:
    make.product(make.merchant("coop", points=[make.point("lake")]), code="orange", category=make.category("fruit"))


@pytest.mark.parametrize(
    ("address", "browser", "expected"),
    [
        ("/help", "", CHINESE), ("/help", "en-GB", ENGLISH), ("/help", "zh-CN", CHINESE), ("/help?lang=zh", "en-GB", CHINESE),
        ("/help?lang=en", "zh-CN", ENGLISH), ("/help?lang=xx", "en", ENGLISH), ("/help?lang=", "zh", CHINESE),
        ("/products/orange?lang=en", "zh-CN", ENGLISH), ("/products/orange", "", CHINESE), ("/search?lang=en&q=x", "", ENGLISH),
    ],
)  # fmt: skip
def test_the_address_wins_over_the_browser(stranger: FlaskClient, address: str, browser: str, expected: str) -> None:
    assert expected in stranger.get(address, headers={"Accept-Language": browser} if browser else {}).text


def test_the_address_wins_over_what_was_chosen_and_changes_nothing(client: FlaskClient, make: Factories) -> None:
    user = make.user(locale="zh")
    sign_in(client, user)
    answer = client.get("/help?lang=en")
    assert ENGLISH in answer.text
    assert "locale=" not in "".join(answer.headers.getlist("Set-Cookie"))
    assert CHINESE in client.get("/help").text
    assert reading().get_one(User, user.id).locale == "zh"


@pytest.mark.parametrize("address", ["/", "/help", "/products/orange", "/categories/fruit", "/sign-in", "/none", "/offline", "/orders"])
def test_caches_are_told_what_a_page_depends_on(stranger: FlaskClient, address: str) -> None:
    plain = {part.strip() for part in stranger.get(address).headers["Vary"].split(",")}
    assert {"Accept-Language", "Cookie", "Accept-Encoding"} <= plain
    named = {part.strip() for part in stranger.get(f"{address}?lang=en").headers["Vary"].split(",")}
    assert "Accept-Language" not in named, "whatever the browser prefers, this address says the same"
    assert {"Cookie", "Accept-Encoding"} <= named


@pytest.mark.parametrize("address", ["/", "/categories", "/categories/fruit", "/products/orange", "/shops/coop", "/communities", "/help"])
def test_links_lead_on_in_the_language_of_the_address(stranger: FlaskClient, address: str) -> None:
    plain = stranger.get(address, headers={"Accept-Language": "en"}).text
    assert re.findall(r"[?;&]lang=", plain.partition("</head>")[2]) == []
    page = stranger.get(f"{address}?lang=en").text
    body = page.partition("</head>")[2]
    ways = [href for href in read_head(page).anchors if href.startswith("/")]
    ways += re.findall(r'(?:action|hx-get)="(/[^"]*)"', body)
    assert len(ways) > 10
    assert [way for way in ways if "lang=en" not in way] == []
    for form in re.findall(r'<form[^>]*method="get".*?</form>', body, re.DOTALL):
        assert '<input type="hidden" name="lang" value="en">' in form
    assert re.findall(r'(?:src|href)="/static/[^"]*lang=', body) == []


def test_every_link_of_a_named_page_is_there(stranger: FlaskClient) -> None:
    for address in ("/?lang=en", "/categories/fruit?lang=en", "/products/orange?lang=en"):
        for way in {href for href in read_head(stranger.get(address).text).anchors if href.startswith("/")}:
            answer = stranger.get(way, follow_redirects=True)
            assert answer.status_code == 200, way
            assert ENGLISH in answer.text, way


def test_the_switch_leads_away_from_the_language_of_the_address(stranger: FlaskClient) -> None:
    page = stranger.get("/products/orange?lang=en&variant=orange").text
    switch = r'action="(/preferences\?lang=en)"[^>]*>\s*<[^>]*>\s*<[^>]*name="next" value="([^"]*)">\s*<button[^>]*name="locale"'
    form = re.search(switch, page)
    assert form
    answer = stranger.post(form[1], data={"locale": "zh", "next": form[2].replace("&amp;", "&")})
    assert answer.headers["Location"] == "/products/orange?variant=orange"
    assert CHINESE in stranger.get(answer.headers["Location"]).text


def test_other_choices_stay_in_the_language_of_the_address(stranger: FlaskClient) -> None:
    answer = stranger.post("/preferences?lang=en", data={"elder_mode": "1", "next": "/help?lang=en"})
    assert answer.headers["Location"] == "/help?lang=en"


def test_the_interface_for_programs_knows_no_language_of_addresses(stranger: FlaskClient) -> None:
    told = [stranger.get(f"/api/v1/orders{query}", headers={"Accept-Language": "zh"}).json for query in ("", "?lang=en")]
    assert told[0]["title"] == told[1]["title"]


def test_a_page_kept_for_one_language_of_address_is_not_given_to_another(stranger: FlaskClient) -> None:
    first = stranger.get("/products/orange?lang=zh").text
    second = stranger.get("/products/orange").text
    assert 'href="/cart?lang=zh"' in first
    assert "/shops/coop?lang=zh" in first
    assert "lang=zh" not in second.partition("</head>")[2]


@pytest.mark.parametrize("address", ["/", "/products/orange", "/categories/fruit", "/help?lang=en", "/communities"])
def test_a_page_that_did_not_change_is_not_sent_again(stranger: FlaskClient, address: str) -> None:
    first = stranger.get(address)
    tag = first.headers["ETag"]
    again = stranger.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert "Content-Security-Policy" in again.headers
    assert stranger.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_page_is_sent_again_to_whoever_no_longer_holds_the_secret_of_its_forms(app: Flask, stranger: FlaskClient) -> None:
    tag = stranger.get("/help").headers["ETag"]
    assert app.test_client().get("/help", headers={"If-None-Match": tag}).status_code == 200
    stranger.delete_cookie("session")
    assert stranger.get("/help", headers={"If-None-Match": tag}).status_code == 200


def test_a_page_that_changed_is_sent_again(stranger: FlaskClient, make: Factories) -> None:
    tag = stranger.get("/categories/fruit").headers["ETag"]
    stranger.set_cookie("theme", "dark")
    assert stranger.get("/categories/fruit", headers={"If-None-Match": tag}).status_code == 200


def test_a_message_is_shown_once_and_not_by_what_asks_in_passing(client: FlaskClient) -> None:
    client.post("/communities", data={"point": "lake", "next": "/help"})
    client.get("/search/suggestions?q=o")
    first = client.get("/help")
    assert "You now collect at" in first.text
    again = client.get("/help", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200
    assert "You now collect at" not in again.text


def test_pages_of_the_signed_in_have_no_tag(client: FlaskClient, make: Factories) -> None:
    sign_in(client, make.user())
    answer = client.get("/help")
    assert "ETag" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
