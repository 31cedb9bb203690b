"""Where the focus is after a part of a page was swapped, and what was told of it: once, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browsing import PATIENCE, People, Visitor
from tests.support.callers import RESIDENT
from tests.support.running import House

pytestmark = pytest.mark.browser

SETTLED = 700
"""Milliseconds after which all has been told."""

# Writes down everything that any live region of the page says, with the time.
EAR = """(() => {
  window.told = [];
  const LIVE = '[aria-live=polite], [aria-live=assertive], [role=status]:not([aria-live=off]), [role=alert], output:not([aria-live=off])';
  const hear = (root) => { for (const place of [root, ...root.querySelectorAll?.(LIVE) ?? []]) {
    if (place.matches?.(LIVE) && place.textContent.trim()) window.told.push(place.textContent.trim()); } };
  new MutationObserver((changes) => { for (const {target, addedNodes} of changes) {
    const live = (target.nodeType === 1 ? target : target.parentElement)?.closest(LIVE);
    if (live) { if (live.textContent.trim()) window.told.push(live.textContent.trim()); continue; }
    for (const node of addedNodes) if (node.nodeType === 1) hear(node); } })
    .observe(document, {childList: true, subtree: true, characterData: true});
})()"""


def told(page: Page) -> list[str]:
    """What has been told since somebody last asked."""
    page.wait_for_timeout(SETTLED)
    said: list[str] = page.evaluate("() => window.told.splice(0)")
    return said


def listening(people: People, *, wide: bool = False) -> Visitor:
    """Somebody whose page is listened to."""
    somebody = people.visitor("mei", RESIDENT, "en", wide=wide)
    somebody.context.add_init_script(EAR)
    return somebody


KEPT: dict[str, Any] = {}
"""Signed in once at each house: codes are not sent without end."""


def at_home(people: People, *, wide: bool = False) -> Visitor:
    """The resident, signed in and listened to."""
    mei, where = listening(people, wide=wide), people.house.address()
    if where not in KEPT:
        mei.sign_in("/bills")
        KEPT[where] = mei.context.cookies()
    mei.context.add_cookies(KEPT[where])
    return mei


def put(mei: Visitor, *slugs: str) -> None:
    mei.open("/communities")
    mei.press("Collect here")
    mei.page.wait_for_url(lambda url: "/communities" not in url)
    for slug in slugs:
        mei.open(f"/products/{slug}")
        with mei.page.expect_response(lambda answer: answer.request.method == "POST"):
            mei.page.get_by_role("button", name="Add to cart", exact=True).locator("visible=true").first.click()
    mei.open("/cart")


def press(place: Locator, key: str = "Enter") -> None:
    place.focus()
    place.press(key)


def test_the_stepper_keeps_the_focus_and_the_new_sum_is_told_once(people: People) -> None:
    mei = listening(people)
    put(mei, "radish")
    page = mei.page
    more = page.get_by_role("button", name="One more of Neijiang radish")
    told(page)
    press(more)
    expect(page.locator(".stepper-count")).to_have_value("2")
    expect(more).to_be_focused()
    first = told(page)
    assert len(first) == 1
    assert first[0].startswith("Neijiang radish: 2. Total to pay ¥")
    for _ in range(3):
        page.keyboard.press("Enter")
        page.wait_for_timeout(60)
    expect(more).to_be_focused()
    less = page.get_by_role("button", name="One less of Neijiang radish")
    press(less)
    expect(page.locator(".stepper [aria-label*='Neijiang radish']:focus")).to_have_count(1)


def test_what_is_gone_hands_the_focus_to_a_link_beside_it(people: People) -> None:
    mei = listening(people)
    put(mei, "radish", "cabbage")
    page = mei.page
    button = page.get_by_role("button", name="Remove Neijiang radish")
    told(page)
    press(button)
    expect(button).to_have_count(0)
    expect(page.locator("#cart a", has_text="Cabbage")).to_be_focused()
    said = told(page)
    assert len(said) == 1
    assert said[0].startswith("Neijiang radish is out of your cart. Total to pay ¥"), "without the button beside it"


QUICK_MORE = """() => { document.querySelector('#more').innerHTML = '<a class="btn" href="/categories/fruit" hx-get="/categories/fruit"'
  + ' hx-target="#cards" hx-select="#cards > *" hx-swap="beforeend" hx-select-oob="#more">More</a>';
  htmx.process(document.querySelector('#more')); }"""
LOOK_AGAIN = "([address, part]) => htmx.ajax('GET', address, {target: part, select: part, swap: 'outerHTML'})"


def test_more_goods_lead_on_to_the_first_new_one(people: People) -> None:
    mei = listening(people)
    mei.open("/categories/vegetables")
    cards = mei.page.locator("#cards .product-card")
    before = cards.count()
    mei.page.evaluate(QUICK_MORE)
    press(mei.page.locator("#more a"))
    expect(cards.nth(before).locator("a")).to_be_focused(timeout=PATIENCE)


def test_filters_keep_the_focus_and_tell_how_many_there_are(people: People) -> None:
    mei = listening(people)
    mei.open("/categories/vegetables")
    told(mei.page)
    season = mei.page.get_by_role("checkbox", name="In season now")
    press(season, "Space")
    mei.page.wait_for_load_state("networkidle")
    expect(season).to_be_focused()
    said = told(mei.page)
    assert len(said) == 1
    assert said[0].endswith(("kinds", "kind"))


def test_a_size_keeps_the_focus_and_its_price_is_told(people: People) -> None:
    mei = listening(people)
    mei.open("/products/rice")
    told(mei.page)
    mei.page.locator("[data-sheet=choose]").first.press("Enter")
    chosen = mei.page.locator("dialog[open] input[type=radio]:checked")
    chosen.focus()
    mei.page.keyboard.press("ArrowDown")
    mei.page.wait_for_load_state("networkidle")
    assert mei.page.evaluate("document.activeElement.type") == "radio"
    said = told(mei.page)
    assert len(said) == 1
    assert "¥" in said[0]
    mei.page.keyboard.press("Escape")
    expect(mei.page.locator("[data-sheet=choose]").first).to_be_focused()


def test_a_quick_add_tells_its_words_without_its_buttons_and_closing_it_leads_back(people: People) -> None:
    mei = listening(people)
    mei.open("/categories/vegetables")
    told(mei.page)
    add = mei.page.locator(".product-add").first
    press(add)
    expect(mei.page.locator("#said")).to_contain_text("It is in your cart.", timeout=PATIENCE)
    expect(add).to_be_focused()
    assert told(mei.page) == ["It is in your cart"]
    press(mei.page.locator("#said [data-dismiss]"))
    expect(mei.page.locator("#said > *")).to_have_count(0)
    expect(add).to_be_focused()


def test_a_message_does_not_go_while_the_focus_is_in_it(people: People) -> None:
    mei = listening(people)
    mei.page.clock.install()
    mei.open("/categories/vegetables")
    press(mei.page.locator(".product-add").first)
    line = mei.page.locator("#said > *")
    expect(line).to_have_count(1, timeout=PATIENCE)
    line.get_by_role("link").focus()
    mei.page.clock.run_for(30_000)
    expect(line.get_by_role("link")).to_be_focused()
    mei.page.locator(".product-add").first.focus()
    mei.page.clock.run_for(30_000)
    expect(line).to_have_count(0)


@dataclass(frozen=True)
class LooksAgain:
    """A part of a page that is fetched again by itself, and what in it may have the focus."""

    address: str
    part: str
    control: str


PARTS = (
    LooksAgain("/pickup", "#passes", "a"),
    LooksAgain("/bills/accounts/{account}", "#bill-body", "button"),
)


@pytest.mark.parametrize("looked", PARTS, ids=lambda looked: looked.part)
def test_what_looks_again_by_itself_moves_nobody_and_says_nothing_new(people: People, house: House, looked: LooksAgain) -> None:
    mei = at_home(people)
    address = looked.address
    if "{account}" in address:
        mei.open("/bills/add/power")
        mei.fill("Account number", "5110000121")
        mei.press("Look it up")
        mei.arrives("/bills/accounts/")
        mei.sees("Take it off my list")
        address = mei.page.url.removeprefix(house.address())
    else:
        mei.open(address)
    told(mei.page)
    place = mei.page.locator(f"{looked.part} {looked.control}").locator("visible=true").last
    name = place.inner_text()
    place.focus()
    mei.page.evaluate(LOOK_AGAIN, [address, looked.part])
    mei.page.wait_for_load_state("networkidle")
    mei.page.wait_for_timeout(300)
    assert mei.page.evaluate("document.activeElement.innerText") == name
    assert told(mei.page) == []


def test_a_look_up_tells_that_it_asks_and_then_what_came_of_it(people: People) -> None:
    mei = at_home(people)
    mei.open("/bills/add/power")
    mei.fill("Account number", "5110000124")  # a biller that takes its time
    mei.press("Look it up")
    mei.arrives("/bills/accounts/")
    mei.sees("Go on to pay")
    said = told(mei.page)
    assert len(said) == 2, said
    assert said[0].startswith("Asking Neijiang Power Supply")
    assert said[1].startswith(("1 bill is due, ¥", "2 bills are due, ¥"))


# --- the search field ---


def state_of(field: Locator) -> dict[str, Any]:
    state: dict[str, Any] = field.evaluate(
        "f => ({role: f.getAttribute('role'), open: f.getAttribute('aria-expanded'), value: f.value,"
        " active: document.getElementById(f.getAttribute('aria-activedescendant'))?.textContent ?? ''})"
    )
    return state


def test_suggestions_are_chosen_by_arrows_and_escape_first_closes_and_only_then_clears(people: People) -> None:
    mei = listening(people)
    mei.open("/")
    field = mei.page.get_by_role("combobox", name="Search goods")
    field.focus()
    mei.page.keyboard.type("xue")
    offered = mei.page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    expect(offered.first).to_be_visible(timeout=PATIENCE)
    names = offered.all_inner_texts()
    assert state_of(field) == {"role": "combobox", "open": "true", "value": "xue", "active": ""}
    for key, active in (("ArrowDown", 0), ("ArrowDown", 1), ("ArrowUp", 0), ("ArrowUp", -1), ("ArrowDown", 0)):
        mei.page.keyboard.press(key)
        assert state_of(field)["active"] == names[active]
    expect(field).to_be_focused()
    mei.page.keyboard.press("Escape")
    assert state_of(field) == {"role": "combobox", "open": "false", "value": "xue", "active": ""}
    mei.page.keyboard.press("ArrowDown")
    assert state_of(field)["open"] == "true"
    mei.page.keyboard.press("Escape")
    mei.page.keyboard.press("Escape")
    assert state_of(field)["value"] == ""
    mei.page.keyboard.type("xue")
    expect(offered.first).to_be_visible(timeout=PATIENCE)
    mei.page.keyboard.press("ArrowDown")
    mei.page.keyboard.press("Enter")
    mei.page.wait_for_url("**/search?q=*")
    mei.sees(names[0])


def test_without_script_the_search_field_is_a_plain_one(people: People) -> None:
    guest = people.visitor("guest", "", "en", script=False)
    guest.open("/")
    field = guest.page.get_by_role("searchbox", name="Search goods")
    field.fill("radish")
    field.press("Enter")
    guest.page.wait_for_url("**/search?q=radish")
    guest.sees("Neijiang radish")


# --- the question before something hard to take back ---


def test_a_question_begins_on_what_does_no_harm_keeps_the_focus_and_gives_it_back(people: People) -> None:
    mei = at_home(people)
    mei.open("/bills/add/power")
    mei.fill("Account number", "5110000131")
    mei.press("Look it up")
    mei.arrives("/bills/accounts/")
    button = mei.page.get_by_role("button", name="Take it off my list")
    press(button)
    sheet = mei.page.get_by_role("alertdialog", name="Take this account off your list? Payments and receipts stay.")
    no, yes = sheet.get_by_role("button", name="Leave it as it is"), sheet.get_by_role("button", name="Take it off my list")
    expect(no).to_be_focused()
    for answer in (no, yes):
        box = answer.bounding_box()
        assert box is not None
        assert box["height"] >= 52
    mei.page.keyboard.press("Tab")
    mei.page.keyboard.press("Tab")
    assert mei.page.evaluate("document.activeElement === document.body || Boolean(document.activeElement.closest('dialog'))")
    mei.page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    expect(button).to_be_focused()
    press(button)
    press(yes)
    mei.arrives("/bills$")
    mei.reads("The account is off your list. Payments and receipts stay.")
