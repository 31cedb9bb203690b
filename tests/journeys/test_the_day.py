"""The day in Tianchenghu in a browser, phone in hand: shop from two merchants, pay, pack, receive, collect, pay the bills."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.support.browsing import PATIENCE, People, Visitor
from tests.support.callers import FOREIGN_KEEPER, KEEPER, ORANGE_OWNER, RESIDENT, SECOND_RESIDENT, Caller
from tests.support.running import House, wait_until

pytestmark = pytest.mark.browser

NAMES = {
    "zh": {"point": "甜城湖", "oranges": "资中血橙散装", "box": "资中血橙中果", "eggs": "普通鲜鸡蛋", "power": "国网内江供电"},
    "en": {
        "point": "Tianchenghu", "oranges": "Zizhong blood orange, loose", "box": "Zizhong blood orange, medium", "eggs": "Fresh eggs",
        "power": "Neijiang Power Supply",
    },
}  # fmt: skip
CEILING, EGGS, TOTAL, BOX = "11.60", "19.90", "31.50", "24.90"
LIGHTER, LIGHTER_PRICE, BACK = "870", "10.09", "1.51"
PIN = "246810"
AT_MOST = "You pay at most ¥%(most)s, and less if it is lighter."


@pytest.fixture(scope="module", autouse=True)
def _minds_both_shops(house: House) -> None:
    """The owner of the orange co-operative minds the farm's shop as well."""
    house.flask("users", "grant", ORANGE_OWNER, "merchant_clerk", "--merchant", "farm-coop")


@pytest.fixture(scope="module")
def app_of_mei(house: House) -> Iterator[Caller]:
    """The resident's app, which tells a test what the page draws as a QR code. She tops up her wallet with it first."""
    made = Caller.signed_in(house, RESIDENT)
    started = made.top_up(50_000)
    house.pay_by_card(started["url"])
    wait_until(lambda: made.balance() >= 50_000, 10, "the money in the wallet")
    house.settle()
    yield made
    made.close()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_day_in_tianchenghu(people: People, house: House, app_of_mei: Caller, language: str) -> None:
    names = NAMES[language]
    has_worker = language == "en"  # one day with the worker between page and shop, one without
    mei = people.visitor("mei", RESIDENT, language, worker=has_worker)
    mei.sign_in("/communities")
    choose_point(mei, names)
    money = wallet_of(mei)
    empty_the_cart(mei)
    find_and_put_into_cart(mei, names)
    number = order_from_the_wallet(mei, names)
    assert wallet_of(mei) == pytest.approx(money - 31.50)

    owner = people.visitor("owner", ORANGE_OWNER, language)
    owner.sign_in("/me")
    owner.confirm("/merchant/")
    pack_lighter(owner, f"{number}-1")
    assert wallet_of(mei) == pytest.approx(money - 31.50 + 1.51), "what it weighed less is back at once"
    mei.open(f"/orders/{number}")
    mei.sees(f"¥{LIGHTER_PRICE}", f"¥{BACK}")
    pack(owner, f"{number}-2")
    for part in (1, 2):
        hand_to_the_driver(owner, house, f"{number}-{part}")

    keeper = people.visitor("keeper", KEEPER, language)
    keeper.sign_in("/me")
    keeper.confirm("/station/")
    before = len(house.messages(RESIDENT))
    mark_arrived(keeper, house, number, 2)
    wait_until(lambda: len(house.messages(RESIDENT)) > before, 10, "the text message")
    code = str(app_of_mei.get("/passes").ok(200)["code"])
    assert code in house.messages(RESIDENT)[0]["text"].replace(" ", "")
    mei.open("/notices")
    mei.reads("Your goods have arrived")
    mei.open("/pickup")
    shown = mei.page.get_by_text(re.compile(rf"{code[:3]}\s?{code[3:]}"))
    expect(shown.first).to_be_visible()
    expect(mei.page.locator("svg[class*=qr], .qr svg, .visit-code svg").first).to_be_visible()

    foreign = people.visitor("foreign keeper", FOREIGN_KEEPER, language)
    foreign.sign_in("/me")
    foreign.confirm("/station/")
    look_up(foreign, code)
    foreign.reads("Do not hand over")
    foreign.reads("This pass belongs to another pick-up point: %(point)s.")

    look_up(keeper, code)
    keeper.arrives(r"/station/desk/")
    keeper.sees(names["oranges"], names["eggs"])
    keeper.page.locator("[data-deaf]").click()  # heard once the goods can have been read
    keeper.reads("Handed over")
    look_up(keeper, code)
    keeper.reads("Do not hand over")
    keeper.reads("Everything on this pass was collected: %(at)s.")
    mei.open(f"/orders/{number}")
    mei.reads("Collected")

    second = buy_a_box_by_card(mei, names)
    assert mei.page.evaluate("Boolean(navigator.serviceWorker?.controller)") == has_worker
    pack(owner, f"{second}-1")
    hand_to_the_driver(owner, house, f"{second}-1")  # of a later day, as that of tomorrow has left: the point is told of it all the same
    mark_arrived(keeper, house, second, 1)
    qr = str(app_of_mei.get("/passes").ok(200)["qr"])
    keeper.open("/station/desk")
    field = keeper.page.locator("#scan")
    expect(field).to_be_focused()
    keeper.page.keyboard.insert_text(qr)  # as a scanner gun types
    keeper.page.keyboard.press("Enter")
    keeper.arrives(r"/station/desk/")
    keeper.page.locator("[data-deaf]").click()  # heard once the goods can have been read
    keeper.reads("Handed over")
    look_up(keeper, qr)
    keeper.reads("Do not hand over")

    house.settle()
    assert house.verify() == []


def choose_point(mei: Visitor, names: dict[str, str]) -> None:
    place = mei.page.locator("li", has=mei.page.get_by_role("heading", name=names["point"])).first
    mei.press("Collect here", place)
    mei.page.wait_for_url(lambda url: "/communities" not in url)
    expect(mei.page.locator(".place").first).to_contain_text(names["point"])
    mei.reads("The first shops close at %(until)s")


def empty_the_cart(mei: Visitor) -> None:
    """Whatever lies in the cart already goes out by its stepper."""
    mei.open("/cart")
    lines = mei.page.locator("#cart .goods-line")
    minus = lines.first.locator(".stepper-button").first
    while count := lines.count():
        wanted = str(minus.get_attribute("value"))
        minus.click()
        if wanted == "0":
            expect(lines).to_have_count(count - 1)
            mei.open("/cart")  # a press that comes at once would be taken for one meant for what is gone
        else:
            expect(minus).not_to_have_attribute("value", wanted)
    mei.reads("Your cart is empty")


def find_and_put_into_cart(mei: Visitor, names: dict[str, str]) -> None:
    mei.open("/")
    for words in ("血橙", "xuecheng", "xc"):
        search = mei.page.locator("#site-search")
        search.fill(words)
        search.press("Enter")
        mei.arrives("/search")
        mei.sees(names["oranges"])
    mei.page.get_by_role("link", name=names["oranges"]).first.click()
    expect(mei.page.get_by_role("heading", level=1)).to_have_text(names["oranges"])
    mei.reads("Priced by weight: never more than ¥%(most)s a %(unit)s")
    mei.fill("Quantity", "2")
    mei.press("Add to cart")
    mei.reads("It is in your cart.")
    mei.open("/products/eggs")
    mei.press("Add to cart")
    mei.reads("It is in your cart.")
    mei.open("/cart")
    expect(mei.page.locator(".cart-block")).to_have_count(2)
    mei.sees(names["oranges"], names["eggs"])
    expect(mei.page.locator("#cart-sum")).to_contain_text(f"¥{TOTAL}")


def order_from_the_wallet(mei: Visitor, names: dict[str, str]) -> str:
    mei.follow("Check out")
    mei.arrives("/checkout")
    mei.reads("Collect at")
    mei.sees(names["point"])
    blocks = mei.page.locator("section[aria-labelledby^=shop-]")
    expect(blocks).to_have_count(2)
    for block in blocks.all():
        expect(block).to_contain_text(mei.pattern("Order by %(until)s"))
        expect(block).to_contain_text(mei.pattern("Collect %(when)s"))
    expect(blocks.nth(0)).to_contain_text(mei.say(AT_MOST, most=CEILING))
    expect(blocks.nth(1)).to_contain_text(f"¥{EGGS}")
    mei.sees(f"¥{TOTAL}")
    mei.fill("Wallet PIN (6 digits)", "135790")
    mei.press("Pay")
    mei.reads("That is not the PIN of this wallet. Tries left: %(left)s.")
    mei.fill("Wallet PIN (6 digits)", PIN)
    mei.press("Pay")
    mei.arrives("/orders/L")
    mei.reads("Paid. We tell you when it can be collected.")
    return mei.page.url.rsplit("/", 1)[1].split("?")[0]


def wallet_of(mei: Visitor) -> float:
    """What the wallet's own page says it holds, in yuan."""
    mei.open("/wallet")
    text = mei.page.locator("main .price-large").first.inner_text()
    return float(re.sub(r"[^0-9.]", "", text))


def pack_lighter(owner: Visitor, part: str) -> None:
    owner.open("/merchant/orders?tab=to_pack")
    owner.sees(part)
    owner.page.get_by_role("link", name=part).first.click()
    owner.fill("Real weight", LIGHTER)
    owner.press("Check the price")
    lighter = "%(weight)s, %(off)s less than ordered. This line costs %(price)s, %(back)s goes back to the buyer."
    owner.sees(owner.pattern(lighter), LIGHTER_PRICE, BACK)
    owner.press("Packed")
    owner.reads("Packed. %(amount)s went back to the buyer at once.")


def pack(owner: Visitor, part: str) -> None:
    owner.open(f"/merchant/orders/{part}")
    owner.press("Packed")
    owner.reads("Packed.")


def hand_to_the_driver(owner: Visitor, house: House, part: str) -> None:
    owner.open(f"/merchant/deliveries/{cycle_of(house, part)}")
    owner.press("Hand to the driver")
    with owner.page.expect_navigation():
        owner.press("It has left")
    wait_until(lambda: state_of(house, part) == "in_transit", 10, f"{part} being on its way")


def mark_arrived(keeper: Visitor, house: House, number: str, parts: int) -> None:
    keeper.open("/station/")
    for cycle in {cycle_of(house, f"{number}-{part}") for part in range(1, parts + 1)}:
        keeper.page.locator(f"input[name=cycles][value='{cycle}']").check()
    keeper.press("Arrived")
    keeper.press("Yes, it is here")  # what is ordered today is expected tomorrow
    expect(keeper.page.locator("#toasts")).to_contain_text(re.compile(r"\d"), timeout=PATIENCE)
    for part in range(1, parts + 1):
        assert state_of(house, f"{number}-{part}") == "ready"


def look_up(keeper: Visitor, text: str) -> None:
    keeper.open("/station/desk")
    keeper.page.locator("#scan").fill(text)
    keeper.press("Look up")


def buy_a_box_by_card(mei: Visitor, names: dict[str, str]) -> str:
    mei.open("/products/blood-orange-m")
    mei.press("Buy now")
    mei.arrives("/checkout")
    mei.sees(names["box"], f"¥{BOX}")
    mei.page.locator("input[name=method][value=stripe]").check()
    mei.press("Pay")
    mei.page.wait_for_url(re.compile(re.escape(mei.house.address("stripe")) + "/pay/"), timeout=PATIENCE)
    mei.page.locator("#number").fill("4242 4242 4242 4242")
    mei.page.locator("form.by-card button").click()
    mei.arrives("/payments/")
    mei.reads("You can collect it at %(point)s %(when)s. We tell you when it is there.")
    mei.follow("To the order")
    mei.arrives("/orders/L")
    number = mei.page.url.rsplit("/", 1)[1]
    assert mei.house.rows("SELECT state FROM purchases WHERE number = :number", number=number) == [("paid",)]
    return number


def cycle_of(house: House, part: str) -> int:
    return house.number("SELECT cycle_id FROM sub_orders WHERE number = :number", number=part)


def state_of(house: House, part: str) -> str:
    return str(house.rows("SELECT state FROM sub_orders WHERE number = :number", number=part)[0].state)


def test_bills_are_paid_and_what_goes_wrong_ends_by_itself(people: People, house: House, app_of_mei: Caller) -> None:
    mei = people.visitor("mei", RESIDENT)
    mei.sign_in("/bills")
    money = wallet_of(mei)
    assert money * 100 == pytest.approx(app_of_mei.balance())
    paid = pay_bill(mei, "5110000067", periods=2)
    mei.reads("Receipt number")
    paid += pay_bill(mei, "5110000062", periods=1)
    mei.reads("Receipt number")
    pay_bill(mei, "5110000063", periods=1)
    mei.reads("The bill was not paid")
    assert wallet_of(mei) == pytest.approx(money - paid)
    books = house.biller.books()
    assert books["posted_more_than_once"] == []
    assert {payment["account_no"]: payment["times_posted"] for payment in books["payments"]} == {"5110000067": 1, "5110000062": 1}
    house.settle()
    assert house.verify() == []


def pay_bill(mei: Visitor, number: str, periods: int) -> float:
    """From a new account number to where the payment stands; what was paid, in yuan."""
    mei.open("/bills/add")
    mei.page.get_by_role("link", name=NAMES[mei.language]["power"]).click()
    mei.fill("Account number", number)
    mei.press("Look it up")
    mei.arrives("/bills/accounts/")
    go_on = mei.page.get_by_role("button", name=mei.say("Go on to pay"), exact=True)
    expect(go_on).to_be_visible(timeout=PATIENCE)
    mei.sees(re.compile(r"\*\S+"), number)
    expect(mei.page.locator("form.panel li")).to_have_count(periods)
    mei.press("Go on to pay")
    mei.arrives("/bills/accounts/.*/pay")
    due = float(re.sub(r"[^0-9.]", "", mei.page.locator(".action-bar .price-large").inner_text()))
    mei.fill("Wallet PIN (6 digits)", PIN)
    mei.press("Pay now")
    mei.arrives("/bills/B")
    return due


def test_buying_and_paying_a_bill_work_without_script(people: People, house: House) -> None:
    wang = people.visitor("wang", SECOND_RESIDENT, script=False)
    names = NAMES["zh"]
    wang.sign_in("/communities")
    choose_point(wang, names)
    empty_the_cart(wang)
    find_and_put_into_cart(wang, names)
    order_from_the_wallet(wang, names)
    wang.sees(names["oranges"], names["eggs"])
    pay_bill(wang, "5110000066", periods=1)
    wang.reads("Receipt number")
    house.settle()
    assert house.verify() == []


def test_the_watch_over_pages_notices_errors_breaches_and_calls_elsewhere(people: People) -> None:
    """If it did not, the journeys above would prove less than they seem to."""
    somebody = people.visitor("somebody", RESIDENT)
    somebody.open("/")
    assert somebody.faults == []
    somebody.page.evaluate("console.error('broken')")
    somebody.page.evaluate("document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/elsewhere.png'}))")
    somebody.page.evaluate("fetch('/nothing-here')")
    somebody.page.evaluate("setTimeout(() => { throw new Error('unseen') })")
    for sign in ("console: broken", "policy: img-src", "404 ", "script: unseen"):
        wait_until(lambda sign=sign: (somebody.page.wait_for_timeout(50), any(sign in fault for fault in somebody.faults))[1], 5, sign)
    somebody.faults.clear()
