"""People with a browser: `mei = people.visitor("mei", RESIDENT)`, `mei.press("Pay")`. They read the page's own words, in their language.

Every page is watched: errors on the console, breaches of the content policy, and requests that leave the shop are faults of the journey.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, Response, expect, sync_playwright

from config import ROOT
from shop.platform.catalogues import joined
from tests.support.callers import authenticator
from tests.support.running import House
from tools.browsing import SENDS_ITSELF

PICTURES = ROOT / "instance" / "journeys"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run"]
PHONE = {"width": 390, "height": 844}
PATIENCE = 15_000
WATCH_POLICY = """document.addEventListener('securitypolicyviolation', (event) =>
  console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI + ' at ' + location.pathname));"""


def chromium() -> str:
    """The browser: the one that CHROMIUM names, else the one of this machine; empty when there is none."""
    named = os.environ.get("CHROMIUM")
    candidates = [named] if named else ["chromium", "chromium-browser", "google-chrome"]
    return next((found for name in candidates if (found := shutil.which(name))), "")


@cache
def translations() -> dict[str, Any]:
    """English sentence to the Chinese ones."""
    catalogue, _conflicts = joined()
    return {message.id[0] if isinstance(message.id, tuple) else message.id: message.string for message in catalogue if message.id}


@dataclass
class Visitor:
    """One person, one browser window, one language."""

    house: House
    name: str
    phone: str
    language: str
    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)

    # --- words ---

    def say(self, sentence: str, **facts: Any) -> str:
        """A sentence of the shop in this person's language."""
        text: Any = sentence
        if self.language == "zh":
            text = translations()[sentence]
            text = text[0] if isinstance(text, tuple) else text
        return str(text % facts) if facts else str(text)

    def pattern(self, sentence: str) -> re.Pattern[str]:
        """A sentence of the shop with any facts in its places."""
        parts = re.split(r"%\(\w+\)s", self.say(sentence).replace("%%", "%"))
        return re.compile(r".{1,80}?".join(re.escape(part) for part in parts))

    def named(self, label: str) -> re.Pattern[str]:
        """The name of a control: its words, and after them what it is about, which is heard and not seen."""
        return re.compile(rf"^{re.escape(self.say(label))}(\s*, .*)?$")

    # --- doing ---

    def open(self, path: str) -> None:
        self.page.goto(self.house.address() + path)

    def fill(self, label: str, value: str) -> None:
        self.page.get_by_label(self.say(label), exact=False).first.fill(value)

    def give_code(self, label: str, code: str, button: str) -> None:
        """Type a code and send it. Where its last digit sends the form, the button may be gone before anybody can press it."""
        field = self.page.get_by_label(self.say(label), exact=False).first
        sends_itself = field.evaluate(SENDS_ITSELF)
        field.fill(code)
        if not sends_itself:
            self.press(button)

    def press(self, label: str, within: Locator | Page | None = None) -> None:
        (within or self.page).get_by_role("button", name=self.named(label)).first.click()

    def follow(self, label: str) -> None:
        self.page.get_by_role("link", name=self.named(label)).first.click()

    def panel(self, words: str | re.Pattern[str]) -> Locator:
        """The part of the page under a heading."""
        return self.page.locator("section, article, .panel").filter(has_text=words).last

    # --- seeing ---

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    def sees(self, *words: str | re.Pattern[str], where: Locator | None = None) -> None:
        """The page says all of this, now or in a moment."""
        for text in words:
            expect(where or self.main).to_contain_text(text, timeout=PATIENCE)

    def reads(self, sentence: str) -> None:
        """The page, or a message above it, says this sentence of the shop."""
        expect(self.page.locator("body")).to_contain_text(self.pattern(sentence), timeout=PATIENCE)

    def arrives(self, path: str) -> None:
        """The address becomes this path (a pattern)."""
        self.page.wait_for_url(re.compile(re.escape(self.house.address()) + path), timeout=PATIENCE)

    # --- the way in ---

    def sign_in(self, following: str = "/") -> None:
        """By phone and code, through the pages."""
        before = self.house.make_room_for_code(self.phone)
        self.open(f"/sign-in?next={following}")
        self.fill("Mobile number", self.phone)
        self.press("Send me the code")
        self.arrives("/sign-in/code")
        self.give_code("Code from the text message", self.house.new_code(self.phone, before), "Sign in")
        self.page.wait_for_url(lambda url: "/sign-in" not in url, timeout=PATIENCE)

    def confirm(self, following: str) -> None:
        """Into a console: asked for the authenticator on the way."""
        self.open(following)
        self.arrives("/second-factor")
        self.fill("Code from your authenticator", authenticator(self.house, self.phone))
        self.press("Confirm")
        self.arrives(f"{re.escape(following)}$")

    # --- watching ---

    def watch(self) -> None:
        self.context.add_init_script(WATCH_POLICY)
        self.page.on("console", self.hear)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("request", self.follow_request)
        self.page.on("response", self.look_at)
        self.page.on("dialog", lambda dialog: dialog.accept())

    def hear(self, message: ConsoleMessage) -> None:
        """Errors count; a page that refuses something says so by its status, which the journey itself expects."""
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.faults.append(f"console: {message.text}")

    def follow_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"data", "blob"} or f"{parts.scheme}://{parts.netloc}" == self.house.address():
            return
        at_provider = f"{parts.scheme}://{parts.netloc}" == self.house.address("stripe")
        if not at_provider or not (request.is_navigation_request() or self.page.url.startswith(self.house.address("stripe"))):
            self.faults.append(f"left the shop: {request.url}")

    def look_at(self, response: Response) -> None:
        """What a page needs must be there; what a server error is, is a fault."""
        if response.status >= 500 or (response.status >= 400 and not response.request.is_navigation_request()):
            self.faults.append(f"{response.status} {response.url}")


@dataclass
class People:
    """Everybody with a browser in one journey."""

    house: House
    browser: Browser
    visitors: list[Visitor] = field(default_factory=list)

    def visitor(
        self, name: str, phone: str, language: str = "zh", *, script: bool = True, wide: bool = False, worker: bool = False
    ) -> Visitor:
        """Somebody with a phone (`wide`: a desk) who reads that language; `worker`: who has been here before."""
        context = self.browser.new_context(
            viewport={"width": 1280, "height": 900} if wide else PHONE, locale="zh-CN" if language == "zh" else "en-US",
            java_script_enabled=script, has_touch=not wide, service_workers="allow" if worker else "block",
        )  # fmt: skip
        context.set_default_timeout(PATIENCE)
        made = Visitor(self.house, name, phone, language, context, context.new_page())
        made.watch()
        self.visitors.append(made)
        return made

    def faults(self) -> list[str]:
        return [f"{visitor.name}: {fault}" for visitor in self.visitors for fault in visitor.faults]

    def keep_pictures(self, journey: str) -> None:
        """What everybody saw last."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^a-z0-9]+", "-", journey.lower()).strip("-")
        for visitor in self.visitors:
            visitor.page.screenshot(path=PICTURES / f"{name}-{visitor.name.replace(' ', '-')}.png", full_page=True)

    def leave(self) -> None:
        for visitor in self.visitors:
            visitor.context.close()


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Chromium without a screen."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS, headless=True)
        try:
            yield browser
        finally:
            browser.close()
