"""What every page promises, shown on those that matter most: axe finds nothing, nothing is said on the console, the policy holds, no
request leaves the shop, nothing is wider than the phone or cut off with large text and with zoom, and the home page is light.

`tools/audit` asks the same of every page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Route, expect

from tests.journeys.test_the_day import NAMES, PIN, choose_point, empty_the_cart
from tests.support.browsing import People, Visitor
from tests.support.callers import RESIDENT, Caller
from tests.support.desks import Desk
from tests.support.running import House, wait_until
from tests.support.sealed import RING
from tools import measures
from tools.auditing import MOST_BYTES, MOST_REQUESTS, examine, look_at
from tools.browsing import DESKTOP, PHONE, Dress, Person
from tools.page_table import KEEPER, MEI, ORANGE_OWNER, STRANGER, Page, facts_of
from tools.photographing import put_into_cart

pytestmark = pytest.mark.browser

ZH, EN, ELDER = Dress("zh"), Dress("en"), Dress("zh", is_elder=True)
LOOKED_AT = {
    STRANGER: ({"shop/home", "shop/category", "shop/product", "account/sign-in"}, [EN, ELDER, ZH]),
    MEI: (
        {"shop/home-mei", "cart/cart", "cart/checkout", "bills/bills", "pickup/pass", "wallet/wallet", "orders/order-ready"},
        [EN, ELDER, ZH],
    ),
    ORANGE_OWNER: ({"merchant/today"}, [ZH, EN]),
    KEEPER: ({"station/desk"}, [ZH, EN]),
}  # fmt: skip
CONSOLES = {ORANGE_OWNER: "/merchant/", KEEPER: "/station/"}


@dataclass
class Town:
    """A house, as the tools that look at pages know the demo city."""

    house: House

    @property
    def url(self) -> str:
        return self.house.address()

    def ask(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        with self.house.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement, values)]

    def phone_hash(self, phone: str) -> str:
        return RING.find("phone", phone)


@pytest.fixture(scope="module")
def something_to_collect(house: House) -> None:
    """The resident has money left, and goods that have arrived."""
    app = Caller.signed_in(house, RESIDENT)
    started = app.top_up(50_000)
    house.pay_by_card(started["url"])
    wait_until(lambda: app.balance() >= 50_000, 10, "the money in the wallet")
    app.put("/me/pickup-point", {"pickup_point": "tianchenghu"}).ok(200)
    placed = app.buy({"blood-orange-m": 1})
    owner, desk = Caller.signed_in(house, ORANGE_OWNER, second_factor=True), Desk.signed_in(house, KEEPER)
    owner.pack(placed)
    desk.receive(placed["sub_orders"][0]["number"])
    for line in (app, owner, desk):
        line.close()
    house.settle()


def somebody(people: People, house: House, phone: str) -> Person:
    """A person signed in through the pages, as the tools know one."""
    person = Person(people.browser, Town(house), phone)  # type: ignore[arg-type]
    if phone != STRANGER:
        visitor = people.visitor("somebody", phone, "en")
        visitor.sign_in()
        if phone in CONSOLES:
            visitor.confirm(CONSOLES[phone])
        person.cookies = visitor.context.storage_state()
    return person


@pytest.mark.parametrize("phone", LOOKED_AT, ids=["stranger", "resident", "merchant", "keeper"])
def test_pages_keep_what_they_promise(people: People, house: House, something_to_collect: None, phone: str) -> None:
    chosen, dresses = LOOKED_AT[phone]
    person = somebody(people, house, phone)
    if phone == MEI:
        put_into_cart(person)
    sizes = (PHONE, DESKTOP) if phone in CONSOLES else (PHONE,)
    findings = [each for size in sizes for each in look_at(person, chosen, size, dresses, facts_of(person.city))]
    assert {f"{each.page} {each.size} {each.dress}": each.faults for each in findings if each.faults} == {}
    looked_at = {(each.page, each.size, each.dress) for each in findings}
    assert looked_at == {(page, size, dress.name) for page in chosen for size in sizes for dress in dresses}


PLANTED = """<!doctype html><html lang="en"><head><title>Planted</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head><body><main>
<p>words</p><p class="dim">words that are hard to read by night</p><img src="/static/img/logo.svg"><div style="color: red">styled</div>
<a href="/a">Open</a><a href="/b">Open</a><p class="forced">words nobody sees</p>
<p id="wide">wide</p><p id="cut">These words are cut off when they grow</p>
</main><script src="/planted.js"></script></body></html>"""
PLANTED_SCRIPT = """console.error('broken'); new Image().src = 'http://127.0.0.1:9/elsewhere.png';
for (let count = 0; count < 20; count++) fetch(`/healthz?${count}`).then((answer) => answer.text());
Object.assign(document.querySelector('#wide').style, {width: '2000px'});
const night = new CSSStyleSheet();
night.replaceSync('@media (prefers-color-scheme: dark) { .dim { color: #eee; background: #fff; } }'
  + '@media (forced-colors: active) { .forced { forced-color-adjust: none; color: #ddd; background: #fff; } }');
document.adoptedStyleSheets = [night];
Object.assign(document.querySelector('#cut').style, {width: '12rem', height: '1.2rem', overflow: 'hidden', fontSize: '1rem'});"""


def test_a_page_that_breaks_them_is_found_out(people: People, house: House) -> None:
    """Each kind of fault once, on a page made to have them all."""

    def answer(route: Route) -> None:
        is_script = route.request.url.endswith(".js")
        route.fulfill(
            body=PLANTED_SCRIPT if is_script else PLANTED + " " * MOST_BYTES,
            headers={"Content-Type": "text/javascript" if is_script else "text/html", "Content-Security-Policy": "default-src 'self'"},
        )

    person = somebody(people, house, STRANGER)
    with person.window(PHONE) as context:
        context.route(re.compile("/planted"), answer)
        found = examine(context, Page("shop", "home", "/planted"), PHONE, ZH, {}, person.city.url)
    assert any(each.startswith("image-alt") for each in found.axe)
    assert any(each.startswith("dark, color-contrast") for each in found.axe)
    assert any(each.startswith("forced colours, color-contrast") for each in found.axe)
    assert [each.split(":")[0] for each in found.names] == ["link Open x 2"]
    assert "broken" in found.errors
    assert any("style" in each and "Content Security Policy" in each for each in found.errors)
    assert "http://127.0.0.1:9/elsewhere.png" in found.strangers
    assert any("px too wide" in each for each in found.width)
    assert any(each.startswith("30 px text, p") for each in found.clipped)
    assert any(each.startswith("200 % zoom, ") for each in found.clipped)
    assert found.requests > MOST_REQUESTS
    assert len(found.budget) == 2


# --- Buying and paying a bill when everything is large ---

LARGE = f"document.addEventListener('DOMContentLoaded', () => {{ document.documentElement.style.fontSize = '{measures.LARGE_TEXT}'; }})"


def nothing_is_cut_off(mei: Visitor) -> None:
    mei.page.wait_for_load_state("networkidle")
    assert [*mei.page.evaluate(measures.CLIPPED), *mei.page.evaluate(measures.OVERFLOW)] == [], mei.page.url


@pytest.mark.parametrize(("way", "account"), [("text of 30 px", "5110000065"), ("zoom of 200 %", "5110000068")])
def test_buying_and_paying_a_bill_when_everything_is_large(people: People, something_to_collect: None, way: str, account: str) -> None:
    mei = people.visitor("mei", RESIDENT)
    names = NAMES["zh"]
    mei.sign_in("/communities")
    if way == "text of 30 px":
        mei.context.add_init_script(LARGE)
    else:
        mei.page.set_viewport_size(measures.ZOOMED)
    mei.open("/communities")
    nothing_is_cut_off(mei)
    choose_point(mei, names)
    empty_the_cart(mei)
    for path in ("/", "/categories/fruit", "/products/blood-orange-m"):
        mei.open(path)
        nothing_is_cut_off(mei)
    mei.press("Add to cart")
    mei.open("/cart")
    nothing_is_cut_off(mei)
    mei.open("/products/blood-orange-m")
    mei.press("Buy now")
    mei.arrives("/checkout")
    nothing_is_cut_off(mei)
    mei.fill("Wallet PIN (6 digits)", PIN)
    mei.press("Pay")
    mei.arrives("/orders/L")
    mei.reads("Paid. We tell you when it can be collected.")
    nothing_is_cut_off(mei)

    mei.open("/bills/add")
    nothing_is_cut_off(mei)
    mei.page.get_by_role("link", name=names["power"]).click()
    mei.fill("Account number", account)
    nothing_is_cut_off(mei)
    mei.press("Look it up")
    mei.arrives("/bills/accounts/")
    expect(mei.page.get_by_role("button", name=mei.say("Go on to pay"), exact=True)).to_be_visible()
    nothing_is_cut_off(mei)
    mei.press("Go on to pay")
    mei.arrives("/bills/accounts/.*/pay")
    nothing_is_cut_off(mei)
    mei.fill("Wallet PIN (6 digits)", PIN)
    mei.press("Pay now")
    mei.arrives("/bills/B")
    mei.reads("Receipt number")
    nothing_is_cut_off(mei)
