"""The counter with a scanner gun and a keyboard: a scan counts wherever the focus is, and never presses what has it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import People, Visitor
from tests.support.callers import KEEPER, ORANGE_OWNER, RESIDENT, Caller
from tests.support.running import House
from tests.support.sealed import RING

pytestmark = [pytest.mark.slow, pytest.mark.browser]

GUN = 8  # milliseconds between two figures; a person needs more than 80
PASS = "SELECT p.code, p.ref FROM passes p JOIN sub_orders s ON s.pass_id = p.id WHERE s.number = :number"


def scan(page: Page, text: str) -> None:
    """What a scanner gun does: it types fast, wherever the focus is, and presses Enter."""
    page.keyboard.type(text, delay=GUN)
    page.keyboard.press("Enter")


def somebody_waits(house: House) -> tuple[str, str]:
    """Goods have been bought and packed, and stand at the point: the code and the reference of their pass."""
    buyer = Caller.signed_in(house, RESIDENT)
    seller, station = (Caller.signed_in(house, phone, second_factor=True) for phone in (ORANGE_OWNER, KEEPER))
    placed = buyer.buy({"blood-orange-m": 1})
    number = placed["sub_orders"][0]["number"]
    seller.pack(placed)
    station.receive(number)
    for caller in (buyer, seller, station):
        caller.close()
    code, ref = house.rows(PASS, number=number)[0]
    return RING.open("passes.code", code), str(ref)


def waiting_on(house: House, ref: str) -> int:
    counted = "SELECT count(*) FROM sub_orders s JOIN passes p ON p.id = s.pass_id WHERE p.ref = :ref AND s.state = 'ready'"
    return house.number(counted, ref=ref)


def at_the_station(people: People) -> Visitor:
    """A keeper at a desk, let into the console."""
    keeper = people.visitor("keeper", KEEPER, "en", wide=True)
    keeper.sign_in("/me")
    keeper.confirm("/station/")
    return keeper


def test_a_queue_is_served_with_a_scanner_gun_alone(people: People, house: House) -> None:
    code, ref = somebody_waits(house)
    keeper = at_the_station(people)
    page = keeper.page
    here = waiting_on(house, ref)

    keeper.open("/station/desk")
    page.get_by_role("link", name="Waiting", exact=True).focus()  # anywhere but the field
    scan(page, "000000")
    keeper.reads("Do not hand over")
    expect(page.locator("#scan")).to_be_focused()

    page.evaluate("document.activeElement.blur()")
    scan(page, code)
    keeper.arrives(f"/station/desk/{ref}")
    expect(page.locator("[data-deaf]")).to_be_focused()
    scan(page, "000000")  # the next in the queue came too early: the button in focus is not pressed
    keeper.reads("Do not hand over")
    assert waiting_on(house, ref) == here

    scan(page, code)
    keeper.arrives(f"/station/desk/{ref}")
    expect(page.locator("[data-deaf]")).to_be_focused()
    expect(page.locator("[data-deaf]")).to_be_enabled()
    page.keyboard.press("Enter")
    keeper.reads("Handed over")
    expect(page.locator("#scan")).to_be_focused()
    assert waiting_on(house, ref) == 0


def test_a_scan_on_a_slow_line_opens_the_next_pass_and_hands_nothing_over(people: People, house: House) -> None:
    _code, ref = somebody_waits(house)
    keeper = at_the_station(people)
    page = keeper.page
    here = waiting_on(house, ref)
    page.route(re.compile(r"/static/built/console\.js"), lambda route: route.abort())  # script that has not come yet
    keeper.open(f"/station/desk/{ref}")
    expect(page.locator("#scan")).to_be_focused()
    scan(page, "000000")
    keeper.reads("Do not hand over")
    assert waiting_on(house, ref) == here


def test_keys_lead_everywhere_and_are_listed(people: People, house: House) -> None:
    keeper = people.visitor("keeper", KEEPER, "en", wide=True)
    keeper.sign_in("/me")
    keeper.confirm("/station/")
    page = keeper.page
    keeper.open("/station/")
    page.keyboard.press("?")
    expect(page.locator("dialog[open]")).to_contain_text("Counter")
    page.keyboard.press("Escape")
    page.keyboard.press("l")
    keeper.arrives("/station/log")
    page.keyboard.press("j")
    expect(page.locator("main tbody tr a:focus")).to_have_count(1)
    page.keyboard.press("?")
    page.get_by_label("Single keys do something").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    page.wait_for_timeout(300)
    assert page.url.endswith("/station/log"), "switched off, single keys do nothing"
