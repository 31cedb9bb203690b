"""The shop as an app: what a phone asks before it installs it, and what is left of pages when the network, or the person, has gone."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, expect
from playwright.sync_api import Page as Tab

from shop.models.accounts import SessionKind
from tests.support.counter import Counter
from tests.support.factories import Factories
from tests.support.people import open_session, sign_in, sign_out

READER = re.compile(r'<meta name="reader" content="([^"]*)"')


def reader_of(client: FlaskClient) -> str:
    found = READER.search(client.get("/help").text)
    assert found
    return found[1]


@pytest.mark.parametrize(("locale", "name", "shortcut"), [("zh", "邻里", "提货码"), ("en", "Linli", "Pick-up codes")])
def test_manifest_speaks_the_language_of_its_address(client: FlaskClient, locale: str, name: str, shortcut: str) -> None:
    answer = client.get(f"/manifest.webmanifest?locale={locale}")
    told = json.loads(answer.data)
    assert answer.mimetype == "application/manifest+json"
    assert (told["short_name"], told["shortcuts"][0]["name"]) == (name, shortcut)
    assert (told["start_url"], told["display"], told["scope"], told["id"]) == ("/", "standalone", "/", "/")
    assert [each["url"] for each in told["shortcuts"]] == ["/pickup", "/bills", "/orders"]


def test_icons_of_the_manifest_are_there_in_the_sizes_it_says(app: Flask, client: FlaskClient) -> None:
    told = json.loads(client.get("/manifest.webmanifest").data)
    assert {icon["purpose"] for icon in told["icons"]} == {"any", "maskable"}
    for icon in told["icons"]:
        assert client.get(icon["src"], buffered=True).status_code == 200
        with Image.open(Path(app.root_path) / icon["src"].split("?")[0].lstrip("/")) as picture:
            assert "x".join(map(str, picture.size)) == icon["sizes"]


def test_every_page_names_manifest_icon_and_reader(client: FlaskClient, make: Factories) -> None:
    page = client.get("/help").text
    assert '<link rel="manifest" href="/manifest.webmanifest?locale=en">' in page
    assert 'rel="apple-touch-icon"' in page
    assert reader_of(client) == ""


def test_worker_rules_the_whole_site_and_knows_its_release(app: Flask, client: FlaskClient) -> None:
    answer = client.get("/sw.js")
    assert answer.mimetype == "text/javascript"
    assert (answer.headers["Service-Worker-Allowed"], answer.headers["Cache-Control"]) == ("/", "no-cache")
    told = json.loads(re.match(r"const release = (.*);\n", answer.text)[1])  # type: ignore[index]
    assert told["version"] == app.extensions["assets"].version
    assert [client.get(address, buffered=True).status_code for address in told["shell"]] == [200] * len(told["shell"])


def test_offline_page_is_nobodys(client: FlaskClient, make: Factories) -> None:
    stranger = client.get("/offline?locale=en").text
    sign_in(client, make.user(display_name="李梅"))
    assert client.get("/offline?locale=en").text == stranger
    assert "李梅" not in stranger
    dressed = client.get("/offline?locale=zh&mode=elder&theme=dark").text
    assert '<html lang="zh-CN" data-mode="elder" data-theme="dark">' in dressed
    assert 'href="/help"' not in dressed  # it could not come up
    assert client.get("/offline?locale=xx&theme=%22%3E").status_code == 200


def test_reader_differs_between_people_and_between_two_sign_ins_and_is_not_the_secret(client: FlaskClient, make: Factories) -> None:
    mei, qiang = make.user(), make.user()
    names = []
    for user in (mei, qiang, mei):
        sign_in(client, user)
        names.append(reader_of(client))
        assert names[-1] == reader_of(client)
    assert len(set(names)) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in names)
    sign_out(client)
    assert reader_of(client) == ""


def test_signing_out_empties_the_cache(client: FlaskClient, make: Factories) -> None:
    sign_in(client, make.user())
    assert "Clear-Site-Data" not in client.get("/help").headers
    assert client.post("/sign-out").headers["Clear-Site-Data"] == '"cache"'


def test_signing_out_everywhere_empties_the_cache_when_it_ends_here_too(client: FlaskClient, make: Factories) -> None:
    sign_in(client, make.user())
    assert "Clear-Site-Data" not in client.post("/me/sessions/revoke").headers
    assert client.post("/me/sessions/revoke", data={"this_one_too": "1"}).headers["Clear-Site-Data"] == '"cache"'


def test_a_manifest_that_names_no_language_of_ours_is_nobody_elses(client: FlaskClient) -> None:
    """Its words are the reader's own then; kept for all it would speak the first one's language to everybody."""
    assert "public" in client.get("/manifest.webmanifest?locale=en").headers["Cache-Control"]
    assert "public" not in client.get("/manifest.webmanifest?locale=xx").headers["Cache-Control"]


# --- With a real browser ---


@pytest.fixture
def window(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="en-GB", viewport={"width": 390, "height": 844})
    context.set_default_timeout(30_000)
    yield context
    context.close()


def become(app: Flask, window: BrowserContext, site: str, user: Any) -> None:
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    value = signer.dumps({"_user_id": open_session(user, SessionKind.WEB), "_permanent": True})
    window.add_cookies([{"name": app.config["SESSION_COOKIE_NAME"], "value": value, "url": site}])


def wait_for(tab: Tab, expression: str, wanted: Any) -> None:
    """Ask again and again; the page's own policy forbids the waiting that Playwright would do inside it."""
    deadline = time.monotonic() + 20
    while (found := tab.evaluate(expression)) != wanted:
        assert time.monotonic() < deadline, f"{expression} gives {found!r}, not {wanted!r}"
        time.sleep(0.1)


def open_with_worker(window: BrowserContext, address: str) -> Tab:
    """Open a page again once the worker rules it."""
    tab = window.new_page()
    tab.goto(address)
    wait_for(tab, "navigator.serviceWorker.controller !== null", True)
    tab.reload()
    return tab


def holder_of_a_pass(app: Flask, make: Factories, site: str, window: BrowserContext) -> str:
    """Let the window be somebody's whose goods are ready; their code, as the page shows it."""
    counter = Counter(make)
    counter.goods("eggs")
    buyer = counter.buyer()
    code = counter.ready(buyer, {"eggs": 1}).code
    become(app, window, site, buyer)
    return f"{code[:3]} {code[3:]}"


NAMES = "caches.keys().then((names) => names.filter((name) => name.startsWith('linli-pages-')))"
PATHS = (
    "(async () => { const held = []; for (const name of await caches.keys()) if (name.startsWith('linli-pages-'))"
    " for (const each of await (await caches.open(name)).keys()) held.push(new URL(each.url).pathname); return held.sort(); })()"
)


@pytest.mark.browser
@pytest.mark.one_engine
def test_pass_can_be_shown_without_a_network_until_its_owner_signs_out(
    app: Flask, make: Factories, site: str, window: BrowserContext
) -> None:
    shown = holder_of_a_pass(app, make, site, window)
    tab = open_with_worker(window, f"{site}/pickup")
    assert shown in tab.inner_text("main")
    wait_for(tab, PATHS, ["/pickup"])

    window.set_offline(True)
    tab.reload()
    assert shown in tab.inner_text("main")
    tab.wait_for_selector(".notice-warn")
    assert "No connection" in tab.inner_text(".notice-warn")
    assert re.search(r"as you opened it: today \d\d:\d\d\.$", tab.inner_text(".notice-warn"))
    tab.close()  # it would load itself again at the first sign of a network
    tab = window.new_page()
    tab.goto(f"{site}/bills")
    assert tab.inner_text("h1") == "No connection"
    expect(tab.locator("[data-saved-pages] a:visible")).to_have_count(1)  # its script asks first what is kept

    with tab.expect_navigation():  # the page without a network goes on by itself
        window.set_offline(False)
    tab.goto(f"{site}/me")
    tab.locator("form[action='/sign-out'] button").first.click()
    tab.wait_for_url(f"{site}/")
    assert tab.evaluate(NAMES) == []

    window.set_offline(True)
    tab.goto(f"{site}/pickup")
    assert tab.inner_text("h1") == "No connection"
    assert shown.replace(" ", "") not in tab.content().replace(" ", "")
    expect(tab.locator("[data-saved-pages] a:visible")).to_have_count(0)


@pytest.mark.browser
@pytest.mark.one_engine
def test_next_person_on_the_phone_never_sees_the_pages_of_the_one_before(
    app: Flask, make: Factories, site: str, window: BrowserContext
) -> None:
    counter = Counter(make)
    counter.goods("eggs")
    first, second = counter.buyer(), counter.buyer()
    code = counter.ready(first, {"eggs": 1}).code
    become(app, window, site, first)
    tab = open_with_worker(window, f"{site}/pickup")
    wait_for(tab, PATHS, ["/pickup"])
    before = tab.evaluate(NAMES)

    become(app, window, site, second)  # without signing out: the session had run out
    tab.goto(f"{site}/orders")
    wait_for(tab, PATHS, ["/orders"])
    assert set(tab.evaluate(NAMES)).isdisjoint(before)

    window.set_offline(True)
    tab.goto(f"{site}/pickup")
    assert tab.inner_text("h1") == "No connection"
    assert code not in tab.content().replace(" ", "")


@pytest.mark.browser
@pytest.mark.one_engine
def test_stranger_leaves_nothing_behind(app: Flask, make: Factories, site: str, window: BrowserContext) -> None:
    make.point()
    tab = open_with_worker(window, f"{site}/help")
    tab.goto(f"{site}/pickup")
    assert "/sign-in" in tab.url
    assert tab.evaluate(NAMES) == []


@pytest.mark.browser
@pytest.mark.one_engine
def test_pass_opened_by_the_very_first_page_of_a_visit_is_kept_too(
    app: Flask, make: Factories, site: str, window: BrowserContext
) -> None:
    shown = holder_of_a_pass(app, make, site, window)
    tab = window.new_page()
    tab.goto(f"{site}/pickup")
    wait_for(tab, PATHS, ["/pickup"])
    window.set_offline(True)
    tab.reload()
    assert shown in tab.inner_text("main")


def forms_sent_by(tab: Tab) -> list[str]:
    """The paths of forms that a tab sends from now on."""
    sent: list[str] = []
    tab.on("request", lambda request: sent.append(urlsplit(request.url).path) if request.method == "POST" else None)
    return sent


def rename(tab: Tab, name: str) -> None:
    tab.get_by_label("Your name").fill(name)
    tab.locator("form:has([name=display_name]) button").click()


@pytest.mark.browser
@pytest.mark.one_engine
def test_form_without_an_answer_says_that_nobody_knows_and_is_not_sent_again_by_itself(
    app: Flask, make: Factories, site: str, window: BrowserContext
) -> None:
    user = make.user(display_name="李梅")
    become(app, window, site, user)
    tab = open_with_worker(window, f"{site}/me")
    sent = forms_sent_by(tab)
    window.set_offline(True)
    rename(tab, "李小梅")
    expect(tab.get_by_text("We cannot tell whether your last step got through.")).to_be_visible()
    expect(tab.get_by_text("nothing was sent twice")).to_be_hidden()
    window.set_offline(False)
    tab.get_by_role("link", name="Back to where I was").click()
    expect(tab.get_by_label("Your name")).to_have_value("李梅")
    assert sent == ["/me"]
    rename(tab, "李小梅")
    expect(tab.locator("h1")).to_have_text("李小梅")
    tab.go_back()
    expect(tab.get_by_label("Your name")).to_have_value("李小梅")
    assert sent == ["/me", "/me"]


@pytest.mark.browser
@pytest.mark.one_engine
def test_refused_form_is_not_sent_again_by_reloading_nor_by_going_back(
    app: Flask, make: Factories, site: str, window: BrowserContext
) -> None:
    become(app, window, site, make.user())
    tab = window.new_page()
    tab.goto(f"{site}/me")
    sent = forms_sent_by(tab)
    rename(tab, " ")
    expect(tab.locator(".field-error")).to_be_visible()
    tab.goto(f"{site}/help")
    tab.go_back()
    expect(tab.get_by_label("Your name")).to_be_visible()
    rename(tab, " ")
    expect(tab.locator(".field-error")).to_be_visible()
    tab.reload()
    expect(tab.get_by_label("Your name")).to_be_visible()
    expect(tab.locator(".field-error")).to_have_count(0)
    assert sent == ["/me", "/me"]
