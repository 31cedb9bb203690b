"""Twelve people in the queue: a gun that presses Enter twice, a tab that is out of date, a code that comes too early."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.test_the_desk_by_keyboard import at_the_station, scan, somebody_waits, waiting_on
from tests.support.browsing import People
from tests.support.callers import KEEPER
from tests.support.running import House

PRESS_WHILE_DEAF = """() => {
  const button = document.querySelector("[data-deaf]");
  if (button.matches(".is-deaf")) button.click();
}"""

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_nothing_leaves_unseen_and_nothing_twice(people: People, house: House) -> None:
    code, ref = somebody_waits(house)
    keeper = at_the_station(people)
    page = keeper.page
    here = waiting_on(house, ref)
    button = page.locator("[data-deaf]")

    for after in (60, 450):  # milliseconds between the two Enters of a gun
        keeper.open("/station/desk")
        scan(page, code)
        page.wait_for_timeout(after)
        page.keyboard.press("Enter")
        keeper.arrives(f"/station/desk/{ref}")
        expect(button).to_be_focused()
        page.evaluate(PRESS_WHILE_DEAF)
        page.wait_for_timeout(300)
        assert waiting_on(house, ref) == here
        assert page.url.endswith(f"/station/desk/{ref}")

    expect(button).to_be_enabled()
    other = keeper.context.new_page()  # a second tab, which gets old
    other.goto(f"{house.address()}/station/desk/{ref}")
    expect(other.locator("[data-deaf]")).to_be_enabled()
    page.bring_to_front()
    expect(button).to_be_enabled()
    button.focus()
    page.keyboard.press("Enter")
    keeper.reads("Handed over")
    page.keyboard.press("Enter")  # and once more on an empty field
    page.wait_for_timeout(300)
    keeper.reads("Handed over")
    assert waiting_on(house, ref) == 0

    other.bring_to_front()
    other.locator("[data-deaf]").click()
    expect(other.locator("body")).to_contain_text("Nothing was handed over now")
    take_back(other)
    assert waiting_on(house, ref) == here

    other.goto(f"{house.address()}/station/desk/{ref}")
    scan(other, "000000")  # the next in the queue, while this pass is open
    expect(other.locator("body")).to_contain_text("were not handed over." if here > 1 else "was not handed over.")
    other.get_by_role("link", name="Back to").click()
    expect(other.locator("[data-deaf]")).to_be_enabled()
    assert waiting_on(house, ref) == here


def take_back(page: Page) -> None:
    page.get_by_text("Take this hand-over back").first.click()
    page.get_by_label("Why").first.fill("given to the neighbour")
    page.get_by_role("button", name="Take it back").first.click()
    expect(page.locator("body")).to_contain_text("The goods wait here again.")


def test_without_script_a_press_before_the_goods_were_read_hands_nothing_over(people: People, house: House) -> None:
    code, ref = somebody_waits(house)
    keeper = people.visitor("keeper", KEEPER, "en", wide=True, script=False)
    keeper.sign_in("/me")
    keeper.confirm("/station/")
    page = keeper.page
    here = waiting_on(house, ref)
    keeper.open("/station/desk")
    expect(page.locator("#scan")).to_be_focused()
    scan(page, code)
    keeper.arrives(f"/station/desk/{ref}")
    page.keyboard.press("Enter")  # the second of the gun, into an empty field: the same pass again
    page.wait_for_load_state()
    page.locator("[data-deaf]").click()
    keeper.reads("That was too quick. Nothing was handed over; please look at the goods first.")
    assert waiting_on(house, ref) == here
    page.wait_for_timeout(2_500)
    page.locator("[data-deaf]").click()
    keeper.reads("Handed over")
    assert waiting_on(house, ref) == 0
