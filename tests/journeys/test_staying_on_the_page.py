"""Somebody far down a list puts things into the cart and keeps the place."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import PATIENCE, People, Visitor
from tests.support.callers import RESIDENT

pytestmark = pytest.mark.browser

FAR_DOWN = 1200
# A second tap, on what has just slid to where the first thing was.
AGAIN_AT_ONCE = """() => document.addEventListener("htmx:afterSettle", () => {
  document.querySelector("#cart form[data-stepper] .stepper-button").click();
  document.documentElement.dataset.tapped = "again";
}, { once: true })"""


def far_down(somebody: Visitor) -> None:
    somebody.open("/categories/vegetables")
    somebody.page.evaluate(f"window.scrollTo(0, {FAR_DOWN})")


def in_sight(page: Page) -> list[int]:
    """Which of the quick-add buttons stand clear of the bars and can be touched without scrolling, by their places in the list."""
    return page.locator(".product-add").evaluate_all(
        "(all) => all.flatMap((one, place) => { const {top, bottom} = one.getBoundingClientRect();"
        " return top > 130 && bottom < window.innerHeight - 130 ? [place] : []; })"
    )


def test_two_things_from_far_down_a_list_go_into_the_cart_and_the_place_is_kept(people: People) -> None:
    mei = people.visitor("mei", RESIDENT)
    far_down(mei)
    buttons = mei.page.locator(".product-add")
    places = in_sight(mei.page)
    for place in places[:2]:
        buttons.nth(place).click()
    expect(mei.page.locator("#cart-count")).to_have_text(mei.pattern("items in the cart"), timeout=PATIENCE)
    expect(mei.page.locator("#cart-count")).to_contain_text("2", timeout=PATIENCE)
    expect(mei.page.locator("#said")).to_contain_text(mei.say("It is in your cart."))
    assert mei.page.evaluate("window.scrollY") == FAR_DOWN
    mei.page.locator("#said").get_by_role("link", name=mei.say("On to the cart")).click()
    expect(mei.page.locator(".goods-line")).to_have_count(2)


def test_double_click_on_a_card_puts_one_into_the_cart(people: People) -> None:
    mei = people.visitor("mei", RESIDENT)
    far_down(mei)
    mei.page.locator(".product-add").nth(in_sight(mei.page)[0]).dblclick()
    expect(mei.page.locator("#cart-count")).to_contain_text("1", timeout=PATIENCE)
    mei.open("/cart")
    expect(mei.page.locator(".stepper-count")).to_have_value("1")


def test_without_a_network_nothing_is_claimed_and_the_page_stays(people: People) -> None:
    mei = people.visitor("mei", RESIDENT)
    far_down(mei)
    mei.context.set_offline(True)
    button = mei.page.locator(".product-add").nth(in_sight(mei.page)[0])
    button.click()
    expect(mei.page.locator("#said")).to_have_text(
        mei.say("That did not get through. Please look into your cart before you try again."), timeout=PATIENCE
    )
    expect(button).not_to_have_attribute("aria-disabled", "true")
    assert all("htmx" in fault for fault in mei.faults), "the browser's own complaint is expected here"
    mei.faults.clear()
    mei.context.set_offline(False)
    button.click()
    expect(mei.page.locator("#cart-count")).to_contain_text("1", timeout=PATIENCE)


def test_a_size_is_put_into_the_cart_from_its_sheet(people: People) -> None:
    mei = people.visitor("mei", RESIDENT)
    mei.open("/products/rice")
    mei.page.locator("[data-sheet=choose]").first.click()
    sheet = mei.page.locator("dialog[open]")
    mei.press("Add to cart", within=sheet)
    expect(mei.page.locator("dialog[open]")).to_have_count(0)
    expect(mei.page.locator("#said")).to_contain_text(mei.say("It is in your cart."), timeout=PATIENCE)
    assert mei.page.url.endswith("/products/rice")


def test_choosing_a_size_leaves_its_sheet_open_and_the_page_agrees(people: People) -> None:
    mei = people.visitor("mei", RESIDENT)
    mei.open("/products/rice")
    row = mei.page.locator("#chosen-size")
    before = row.inner_text()
    mei.page.locator("[data-sheet=choose]").first.click()
    other = mei.page.locator("dialog[open] .choice-card:not(.is-off):not(.is-chosen)").first
    size = other.locator(".choice-title").inner_text()
    assert size != before
    other.click()
    expect(row).to_have_text(size, timeout=PATIENCE)
    bar = mei.page.locator("#bar-price")
    expect(bar).to_contain_text(size)
    expect(mei.page.locator("dialog[open]")).to_have_count(1)
    mei.page.locator("dialog[open] [data-step='1']").click()
    both = 2 * int(bar.get_attribute("data-each") or 0)
    expect(bar).to_contain_text(f"¥{both // 100}.{both % 100:02d}")


def test_two_quick_taps_take_one_thing_out_and_it_comes_back_by_undo(people: People) -> None:
    mei = people.visitor("mei", RESIDENT)
    far_down(mei)
    for place in in_sight(mei.page)[:2]:
        with mei.page.expect_response(lambda answer: answer.request.method == "POST"):
            mei.page.locator(".product-add").nth(place).click()
    mei.open("/cart")
    lines = mei.page.locator("#cart .goods-line")
    expect(lines).to_have_count(2)
    name = lines.first.locator(".goods-name").inner_text()
    mei.page.evaluate(AGAIN_AT_ONCE)
    lines.first.locator(".stepper-button").first.click()
    mei.sees(name, where=mei.page.locator("#said"))
    expect(lines).to_have_count(1)
    expect(mei.page.locator("html")).to_have_attribute("data-tapped", "again")
    mei.press("Undo", mei.page.locator("#said"))
    expect(lines).to_have_count(2)
