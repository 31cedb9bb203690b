"""Chromium in front of the demo city: people sign in through the real forms, choose language, size and light, and open pages.

Needs the packages of requirements-dev.txt and a Chromium.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Response, sync_playwright
from playwright.sync_api import Page as Tab

from script.support.checks import find_browser
from script.support.shell import CannotContinue
from shop.accounts import authenticator
from tools.city import City
from tools.page_table import STAFF, STRANGER, Page

TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PHONE, DESKTOP = "phone", "desktop"
SIZES: dict[str, dict[str, Any]] = {
    PHONE: {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
    DESKTOP: {"viewport": {"width": 1440, "height": 900}},
}
MESSAGE_WITHIN = 20.0
# Whether the last digit of a code sends its form, so that there may be nothing left to press.
SENDS_ITSELF = "(field) => Boolean(field.dataset.started) && document.documentElement.dataset.mode !== 'elder'"


@dataclass(frozen=True)
class Dress:
    """How somebody wants pages to look."""

    locale: str = "zh"
    is_elder: bool = False
    is_dark: bool = False

    @property
    def name(self) -> str:
        return "-".join([self.locale, *(["elder"] if self.is_elder else []), *(["dark"] if self.is_dark else [])])


@dataclass
class Watch:
    """What went wrong on one opened page, and what it cost."""

    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser that script/test uses too."""
    path = find_browser(os.environ)
    if not path:
        raise CannotContinue("No Chromium was found; CHROMIUM names one.")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--disable-dev-shm-usage"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Person:
    """Somebody with a browser of their own. The cookies are kept between windows."""

    browser: Browser
    city: City
    phone: str
    cookies: Any = None

    @contextmanager
    def window(self, size: str, **more: Any) -> Iterator[BrowserContext]:
        """A window of this size, signed in as before. Workers are left out: they would answer in place of the server."""
        settings: dict[str, Any] = {"base_url": self.city.url, "service_workers": "block", **SIZES[size], **more}
        context = self.browser.new_context(storage_state=self.cookies, **settings)
        context.set_default_timeout(60_000)
        try:
            yield context
            self.cookies = context.storage_state()
        finally:
            context.close()

    def sign_in(self) -> None:
        """Phone, the code from the SMS simulator, and for staff the authenticator. A stranger chooses the pick-up point only."""
        with self.window(PHONE) as context:
            tab = context.new_page()
            if self.phone == STRANGER:
                return
            before = len(self.city.messages(self.phone))
            tab.goto("/sign-in")
            tab.fill("input[name=phone]", self.phone)
            tab.press("input[name=phone]", "Enter")
            tab.wait_for_url("**/sign-in/code")
            sends_itself = tab.locator("input[name=code]").evaluate(SENDS_ITSELF)
            tab.fill("input[name=code]", self.new_code(before))
            if not sends_itself:
                tab.press("input[name=code]", "Enter")
            tab.wait_for_url(lambda url: "/sign-in" not in url)
            if self.phone in STAFF:
                tab.goto("/second-factor")
                moment = datetime.now(UTC)
                tab.fill("input[name=totp]", authenticator.code_at(TOTP_SECRET, authenticator.step_at(moment)))
                tab.press("input[name=totp]", "Enter")
                tab.wait_for_url(lambda url: "/second-factor" not in url)

    def new_code(self, before: int) -> str:
        deadline = time.monotonic() + MESSAGE_WITHIN
        while time.monotonic() < deadline:
            found = self.city.messages(self.phone)
            if len(found) > before:
                return found[0]["code"]
            time.sleep(0.2)
        raise CannotContinue(f"No code came for {self.phone}:\n" + "\n".join(self.city.said))

    def send(self, context: BrowserContext, path: str, **values: str) -> None:
        """Send a form as the page would, with its token."""
        tab = context.new_page()
        tab.goto("/help")
        token = tab.locator("input[name=csrf_token]").first.input_value()
        came_from = {"Referer": f"{self.city.url}/help"}
        answer = context.request.post(path, form={"csrf_token": token, **values}, max_redirects=0, headers=came_from)
        tab.close()
        if answer.status != 303:
            raise CannotContinue(f"POST {path} answered {answer.status}")

    def dress(self, context: BrowserContext, dress: Dress) -> None:
        """Choose language and size as the buttons on every page do."""
        self.send(context, "/preferences", locale=dress.locale, elder_mode="1" if dress.is_elder else "0", theme="auto", next="/help")


def watched(tab: Tab, origin: str) -> Watch:
    """Note what a page complains about, and what it asks of others."""
    watch = Watch()
    tab.on("console", lambda message: watch.errors.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: watch.errors.append(str(error)))
    tab.on("request", lambda request: watch.strangers.append(request.url) if is_foreign(request.url, origin) else None)
    return watch


def is_foreign(url: str, origin: str) -> bool:
    return not url.startswith((f"{origin}/", "data:", "blob:"))


def open_page(tab: Tab, page: Page, facts: dict[str, str]) -> Response | None:
    """Open a page of the table, send what it says is typed, and wait until it is drawn."""
    answer = tab.goto(page.address.format(**facts), wait_until="load")
    if page.typed:
        for name, text in page.typed.items():
            tab.fill(f"main [name={name}]", text)
        with tab.expect_navigation(wait_until="load") as navigation:
            tab.press(f"main [name={name}]", "Enter")
        answer = navigation.value
    return answer


def settle(tab: Tab) -> None:
    """Let pictures that wait for their turn come, fonts too."""
    tab.evaluate(
        "() => Promise.race([Promise.all([document.fonts.ready, ...[...document.images].map((picture) => { picture.loading = 'eager';"
        " return picture.complete ? null : new Promise((done) => { picture.onload = picture.onerror = done; }); })]),"
        " new Promise((done) => setTimeout(done, 5000))])"
    )
