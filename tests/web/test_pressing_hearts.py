"""A heart pressed by keyboard in a browser: the place and the focus stay."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect

from shop.kernel.db import transaction
from shop.models.accounts import User
from shop.models.pickup import PickupPoint
from tests.support.factories import Factories
from tests.support.people import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.one_engine]


@pytest.fixture
def page(browser: Browser, site: str, client: FlaskClient, make: Factories) -> Page:
    """A reader in front of a shelf, on a phone."""
    point: PickupPoint = make.point("here")
    category, merchant = make.category("fruit"), make.merchant("coop", points=[point])
    for number in range(3):
        make.product(merchant, code=f"fruit-{number}", category=category, on_hand=0 if number == 2 else 9)
    sign_in(client, make.user(point=point, locale="en"))
    cookie = client.get_cookie(client.application.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    context = browser.new_context(viewport={"width": 390, "height": 844}, base_url=site)
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": site}])
    return context.new_page()


def keep_picture(page: Page, name: str) -> None:
    """For looking at it: with PICTURES= a folder."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("path", ["/categories/fruit", "/products/fruit-1"])
def test_a_heart_pressed_by_keyboard_keeps_the_focus_and_says_that_it_is_pressed(page: Page, path: str) -> None:
    page.goto(path)
    heart = page.locator('button[value="fruit-1"][form="keep-goods"]')
    heart.focus()
    for is_pressed in ("true", "false", "true"):
        heart.press("Enter")
        expect(heart).to_have_attribute("aria-pressed", is_pressed)
        expect(heart).to_be_focused()
    expect(page.locator("#said")).to_contain_text("It is in your favourites.")
    keep_picture(page, "phone" + path.replace("/", "-"))
    page.goto("/favourites")
    expect(page.locator(".product-card")).to_have_count(1)
    keep_picture(page, "phone-favourites")


@pytest.mark.parametrize("path", ["/categories/fruit", "/products/fruit-1"])
def test_a_heart_has_the_size_of_a_finger_and_is_pressed_as_itself(page: Page, path: str) -> None:
    for size, width in (("0", 390), ("1", 390), ("0", 1280)):
        with transaction() as session:
            session.execute(sa.update(User).values(is_elder_mode=size == "1", locale="zh" if size == "1" else "en"))
        page.set_viewport_size({"width": width, "height": 844})
        page.goto(path)
        for heart in page.locator('button[form="keep-goods"]').all():
            box = heart.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 44
            heart.click(trial=True)  # nothing lies over it
        keep_picture(page, f"{width}-{size}" + path.replace("/", "-"))
