"""An elder with the large text: the same as last time in a few taps, pages that read themselves aloud, and somebody to call."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import FloatRect, Locator, ViewportSize, expect

from tests.support.browsing import PATIENCE, PHONE, People, Visitor
from tests.support.callers import ELDER, PIN
from tests.support.running import House, wait_until
from tests.support.sealed import phone_hash

pytestmark = pytest.mark.browser

MOST_TAPS = 6
TABLET: ViewportSize = {"width": 1024, "height": 768}
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
SMALLEST = 60
"""Pixels of what an elder has to hit."""

BOUGHT = "SELECT COUNT(*) FROM purchases WHERE user_id = (SELECT id FROM users WHERE phone_hash = :who)"

A_VOICE = """
  window.spoken = [];
  const heard = { speaking: false, getVoices: () => [{ lang: 'zh-CN', localService: true }], addEventListener: () => {},
    speak: (speech) => { window.spoken.push(speech.text); heard.last = speech; }, cancel: () => { window.cancelled = true; } };
  Object.defineProperty(window, 'speechSynthesis', { value: heard });
  window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
"""
ANOTHERS_VOICE = """
  const voices = [{ lang: 'zh-CN', localService: false }, { lang: 'de-DE', localService: true }];
  Object.defineProperty(window, 'speechSynthesis', { value: { getVoices: () => voices, addEventListener: () => {} } });
"""


@dataclass
class Finger:
    """Counts every touch of the screen; typing on the keys that come up is not counted, bringing them up is."""

    elder: Visitor
    taps: int = 0

    def tap(self, place: Locator) -> None:
        expect(place).to_be_visible(timeout=PATIENCE)
        box = place.bounding_box()
        assert box is not None
        assert round(box["height"]) >= SMALLEST, f"{place} is only {box['height']} px high"
        place.tap()
        self.taps += 1


def test_an_elder_orders_the_same_again_in_at_most_six_taps(people: People, house: House) -> None:
    chen = people.visitor("chen", ELDER)
    chen.sign_in("/")
    expect(chen.page.locator("html")).to_have_attribute("data-mode", "elder")
    before = house.number(BOUGHT, who=phone_hash(ELDER))
    chen.open("/")
    finger = Finger(chen)

    finger.tap(chen.main.get_by_role("link", name=chen.say("Order again"), exact=True))
    chen.arrives("/orders")
    finger.tap(chen.main.get_by_role("button", name=chen.named("Buy again")).first)
    chen.page.wait_for_url(re.compile(r"/cart$|/again$"), timeout=PATIENCE)
    if chen.page.url.endswith("/again"):  # something is different today, and is said
        chen.reads("What can be had today is in your cart. Nothing is ordered until you pay.")
        finger.tap(chen.page.get_by_role("link", name=chen.say("On to the cart")))
    finger.tap(chen.page.get_by_role("link", name=chen.say("Check out"), exact=True))
    chen.arrives("/checkout")
    finger.tap(chen.page.get_by_label(chen.say("Wallet PIN (6 digits)")))
    chen.page.keyboard.type(PIN)
    finger.tap(chen.page.get_by_role("button", name=chen.say("Pay"), exact=True))
    chen.arrives("/orders/L")

    chen.reads("Paid. We tell you when it can be collected.")
    assert finger.taps <= MOST_TAPS
    after = house.number(BOUGHT, who=phone_hash(ELDER))
    assert after == before + 1
    house.settle()
    assert house.verify() == []


def test_the_four_choices_of_an_elder_are_whole_in_the_first_screen(people: People, house: House) -> None:
    chen = people.visitor("chen", ELDER)
    chen.sign_in("/")
    guest = people.visitor("guest", "", language="en")
    chosen = (("locale", "en"), ("elder_mode", "1"))
    guest.context.add_cookies([{"name": name, "value": value, "url": house.address()} for name, value in chosen])
    for elder in (chen, guest):
        for size in (PHONE, TABLET, DESKTOP):
            elder.page.set_viewport_size(size)
            elder.open("/")
            lowest = box_of(elder.page.locator(".tab-bar"))["y"] if size is PHONE else size["height"]
            choices = elder.main.locator(".tile").all()
            assert len(choices) == 4
            for choice in choices:
                box, label = box_of(choice), choice.locator(".tile-label")
                letter = float(label.evaluate("label => parseFloat(getComputedStyle(label).fontSize)"))
                assert box["y"] + box["height"] <= lowest, f"{choice.inner_text()} ends below {size}"
                assert box_of(label)["height"] < 3 * letter, f"{label.inner_text()} takes more than two lines at {size}"


def box_of(place: Locator) -> FloatRect:
    box = place.bounding_box()
    assert box is not None
    return box


def lowest_of(place: Locator) -> float:
    box = box_of(place)
    return box["y"] + box["height"]


def test_what_is_wrong_with_a_pin_is_in_sight_above_the_bar_of_the_payment(people: People) -> None:
    chen = people.visitor("chen", ELDER)
    chen.sign_in("/orders")
    chen.main.get_by_role("button", name=chen.named("Buy again")).first.tap()
    chen.page.wait_for_url(re.compile(r"/cart$|/again$"), timeout=PATIENCE)
    chen.open("/checkout")
    chen.page.locator("input[name=method][value=wallet]").check(force=True)
    chen.page.get_by_label(chen.say("Wallet PIN (6 digits)")).fill("975310")
    chen.page.locator(".action-bar").get_by_role("button").tap()

    wrong = chen.page.locator(".field-error")
    expect(wrong).to_be_in_viewport(ratio=1, timeout=PATIENCE)
    expect(chen.page.locator("#field-pin")).to_be_focused()
    expect(chen.page.locator("#field-pin")).to_be_in_viewport(ratio=1)
    field, bar = chen.page.locator("#field-pin"), chen.page.locator(".action-bar")
    wait_until(lambda: lowest_of(field) <= box_of(bar)["y"], what="a field clear of the bar")


def test_every_page_of_an_elder_can_be_read_aloud_and_calls_the_own_point(people: People, house: House) -> None:
    chen = people.visitor("chen", ELDER)
    chen.context.add_init_script(A_VOICE)
    chen.sign_in("/")
    phone = house.rows(
        "SELECT phone FROM pickup_points WHERE id = (SELECT pickup_point_id FROM users WHERE phone_hash = :who)", who=phone_hash(ELDER)
    )[0].phone
    for path in ("/", "/orders", "/pickup", "/bills", "/wallet", "/cart", "/notices", "/help"):
        chen.open(path)
        tools = chen.page.locator(".elder-tools")
        expect(tools.get_by_role("link", name=chen.say("Call for help"))).to_have_attribute("href", f"tel:{phone}")
        expect(tools.get_by_role("button", name=chen.say("Read aloud"))).to_be_visible(timeout=PATIENCE)


def test_a_code_is_spoken_figure_by_figure_and_speech_can_be_stopped(people: People) -> None:
    chen = people.visitor("chen", ELDER)
    chen.context.add_init_script(A_VOICE)
    chen.sign_in("/pickup")
    code = chen.page.locator(".code-value [aria-hidden]").first.inner_text().replace("\u00a0", " ")
    chen.page.locator(".elder-tools").get_by_role("button", name=chen.say("Read aloud")).tap()
    spoken = chen.page.evaluate("window.spoken")
    assert " ".join(code.replace(" ", "")) in spoken
    assert all("¥" not in sentence for sentence in spoken)
    chen.page.evaluate("window.cancelled = false")
    chen.page.locator(".elder-tools").get_by_role("button", name=chen.say("Stop reading")).tap()
    assert chen.page.evaluate("window.cancelled") is True
    expect(chen.page.locator(".elder-tools").get_by_role("button", name=chen.say("Read aloud"))).to_be_visible()


def test_where_the_device_has_no_voice_of_its_own_there_is_no_button(people: People) -> None:
    """A voice from the network would be sent what stands on the page."""
    chen = people.visitor("chen", ELDER)
    chen.context.add_init_script(ANOTHERS_VOICE)
    chen.sign_in("/pickup")
    expect(chen.page.locator(".elder-tools .call-help")).to_be_visible()
    chen.page.wait_for_timeout(500)
    expect(chen.page.locator(".read-aloud").first).to_be_hidden()
