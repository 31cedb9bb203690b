"""A whole purchase without a mouse: at each step the focus is where a person left it or where the next thing is, and nothing is lost."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.test_keeping_the_focus import EAR, at_home, told
from tests.support.browsing import PATIENCE, People
from tests.support.callers import PIN
from tests.support.running import House

pytestmark = pytest.mark.browser

MOST_TABS = 60
NAME = """() => { const here = document.activeElement;
  const label = here.labels?.[0]?.innerText ?? '';
  return (here.getAttribute('aria-label') ?? (label || here.innerText || '')).replace(/\\s+/g, ' ').trim(); }"""

CHOSEN = "() => document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))?.textContent ?? ''"


def tab_to(page: Page, name: str) -> int:
    """Press Tab until the focus is on something of that name; how many times that took."""
    for count in range(1, MOST_TABS):
        page.keyboard.press("Tab")
        if re.match(name, page.evaluate(NAME)):
            assert page.evaluate("document.activeElement.matches(':focus-visible')"), f"{name} has the focus and nobody sees it"
            return count
    raise AssertionError(f"{name} is not reached by {MOST_TABS} tabs; the focus is on {page.evaluate(NAME)!r}")


def test_a_whole_purchase_by_keyboard(people: People, house: House) -> None:
    mei = at_home(people, wide=True)
    page = mei.page
    mei.open("/")
    page.keyboard.press("Tab")
    assert page.evaluate(NAME) == "Skip to the content"

    tab_to(page, "Search goods")
    page.keyboard.type("luobo")
    expect(page.get_by_role("option").first).to_be_visible(timeout=PATIENCE)
    while "radish" not in page.evaluate(CHOSEN):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=*")

    tab_to(page, "(?!Add).*Neijiang radish$")
    page.keyboard.press("Enter")
    mei.arrives("/products/")
    told(page)
    tab_to(page, "Add to cart$")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("It is in your cart.", timeout=PATIENCE)
    assert page.evaluate(NAME) == "Add to cart", "the focus stays on what was pressed"
    assert told(page) == ["It is in your cart"]

    mei.open("/cart")
    told(page)
    tab_to(page, "One more of Neijiang radish")
    for count in ("2", "3"):
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="One more of Neijiang radish")).to_be_focused(timeout=PATIENCE)
        said = told(page)
        assert len(said) == 1, said
        assert said[0].startswith(f"Neijiang radish: {count}. Total to pay ¥")
    assert tab_to(page, "Check out") <= 20, "without a walk through the whole page"
    page.keyboard.press("Enter")
    mei.arrives("/checkout")

    tab_to(page, "Wallet")
    assert page.evaluate("document.activeElement.type") == "radio"
    tab_to(page, re.escape("Wallet PIN (6 digits)"))
    page.keyboard.type(PIN)
    tab_to(page, "Pay$")
    page.keyboard.press("Enter")
    mei.arrives("/orders/L")
    mei.reads("Paid. We tell you when it can be collected.")
    page.keyboard.press("Tab")
    assert page.evaluate(NAME) == "Skip to the content", "a new page begins at its beginning"
    house.settle()
    assert house.verify() == []


READ = ("/", "/categories/vegetables", "/products/rice", "/cart", "/help", "/communities", "/orders", "/pickup", "/bills", "/wallet")


def test_pages_read_by_their_headings_and_landmarks(people: People) -> None:
    """What a screen reader walks by: one heading of the first level, none left out below it, each kind of landmark known by name."""
    mei = at_home(people)
    mei.context.add_init_script(EAR)
    for path in READ:
        mei.open(path)
        tree = mei.page.locator("body").aria_snapshot()
        levels = [int(level) for level in re.findall(r"heading .*?\[level=(\d)\]", tree)]
        assert levels.count(1) == 1, (path, levels)
        assert levels[0] == 1, (path, levels)
        assert all(after <= before + 1 for before, after in pairwise(levels)), (path, levels)
        for landmark in ("banner", "main", "contentinfo"):
            assert len(re.findall(rf"^\s*- {landmark}\b", tree, re.MULTILINE)) == 1, (path, landmark)
        ways = re.findall(r"^\s*- navigation(?: \"(.*?)\")?", tree, re.MULTILINE)
        assert len(set(ways)) == len(ways), (path, ways)
        assert all(ways), (path, ways)
