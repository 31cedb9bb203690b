"""`tools/screenshots`: every page on phone and desktop, in both languages, in large text, with long words, for people to look at."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page as Tab

from script.support.places import INSTANCE
from script.support.shell import CannotContinue, say
from tools.browsing import DESKTOP, PHONE, SIZES, Dress, Person, chromium, open_page, settle
from tools.city import City, running_city
from tools.page_table import AS_PEOPLE, CART, MEI, Page, areas, facts_of, pages_of
from tools.sheets import Shot, write_contact_sheet, write_joined_sheets

FOLDER = INSTANCE / "screenshots"
DRESSES = (
    (PHONE, Dress("zh")), (PHONE, Dress("en")), (DESKTOP, Dress("zh")), (DESKTOP, Dress("en")),
    (PHONE, Dress("zh", is_elder=True)), (PHONE, Dress("en", is_elder=True)),
)  # fmt: skip
LONG = "long"
WORDS = ("usual", LONG)
CONSOLES = frozenset({"merchant", "station", "admin"})
LONGEST = 6000
"""Pixels; a longer page is cut, its end says nothing new."""


def put_into_cart(person: Person) -> None:
    """Give somebody's cart two things, one of them sold by weight, unless there is something in it."""
    codes = [str(row[0]) for row in person.city.ask(CART, "eggs", "blood-orange")] or [
        str(row[0]) for row in person.city.ask("SELECT code FROM variants ORDER BY id LIMIT 2")
    ]
    with person.window(PHONE) as context:
        for code in codes[:2]:
            person.send(context, "/cart", variant=code, quantity="1")


def picture_whole(tab: Tab, path: Path, size: str) -> None:
    """The page as if the window were as tall as it: bars at the bottom edge stand where they belong."""
    window = SIZES[size]["viewport"]
    height = int(tab.evaluate("document.documentElement.scrollHeight"))
    tab.set_viewport_size({"width": window["width"], "height": max(window["height"], min(LONGEST, height))})
    tab.screenshot(path=path)
    tab.set_viewport_size(window)


def take(person: Person, chosen: set[str], dresses: list[tuple[str, Dress]], facts: dict[str, str], folder: Path, words: str) -> list[Shot]:
    """All pictures of one person's pages. A page that cannot be shown is named and left out."""
    shots: list[Shot] = []
    pages = list(pages_of(person.phone, chosen))
    for size, dress in dresses:
        with person.window(size) as context:
            person.dress(context, dress)
            tab = context.new_page()
            for page in pages:
                if dress.is_elder and page.area in CONSOLES:
                    continue
                missing = [name for name in page.needs if name not in facts]
                if missing:
                    say(f"left out: {page.area}/{page.name}, this city has no {', '.join(missing)}")
                    continue
                worn = f"{dress.name}-{LONG}" if words == LONG else dress.name
                shot = Shot(page.area, page.name, size, worn, folder / page.area / f"{page.name}-{size}-{worn}.png")
                try:
                    answer = open_page(tab, page, facts)
                    settle(tab)
                    shot.path.parent.mkdir(parents=True, exist_ok=True)
                    picture_whole(tab, shot.path, size)
                except BrowserError as error:
                    say(f"left out: {page.area}/{page.name} {size} {dress.name}: {str(error).splitlines()[0]}")
                    continue
                status = answer.status if answer else 0
                if status != page.status and not page.typed:
                    say(f"{page.area}/{page.name} {size} {dress.name}: answered {status}, not {page.status}")
                shots.append(shot)
    return shots


def take_all(browser: Browser, city: City, chosen: set[str], dresses: list[tuple[str, Dress]], folder: Path, words: str) -> list[Shot]:
    """Sign everybody in who is needed, and walk the table."""
    shots: list[Shot] = []
    for phone in AS_PEOPLE:
        pages: list[Page] = list(pages_of(phone, chosen))
        if not pages:
            continue
        person = Person(browser, city, phone)
        person.sign_in()
        if phone == MEI:
            put_into_cart(person)
        shots += take(person, chosen, dresses, facts_of(city), folder, words)
        say(f"{phone or 'stranger'}: {len(shots)} pictures so far")
    return shots


def main(arguments: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="tools/screenshots", description=__doc__.split(": ", 1)[1] if __doc__ else "")
    parser.add_argument("--only", action="append", default=[], choices=areas(), help="only this area; may be given again")
    parser.add_argument("--dress", action="append", default=[], help="only this one, as in phone-zh, desktop-en, phone-zh-elder")
    parser.add_argument("--words", action="append", default=[], choices=WORDS, help="the city's own words, or the longest it may hold")
    parser.add_argument("--city", type=Path, help="a folder where the demo city is kept between runs; else a fresh one is made")
    parser.add_argument("--into", type=Path, default=FOLDER, help="where the pictures go (instance/screenshots)")
    chosen = parser.parse_args(arguments)
    dresses = [(size, dress) for size, dress in DRESSES if not chosen.dress or f"{size}-{dress.name}" in chosen.dress]
    try:
        for area in chosen.only or areas():
            shutil.rmtree(chosen.into / area, ignore_errors=True)
        shots = []
        for words in chosen.words or WORDS:
            with running_city(chosen.city, is_wordy=words == LONG) as city, chromium() as browser:
                shots += take_all(browser, city, set(chosen.only), dresses, chosen.into, words)
        sheets = write_joined_sheets(shots, chosen.into)
        page = write_contact_sheet(chosen.into)
    except CannotContinue as error:
        print(error, file=sys.stderr)
        return 1
    say(f"{len(shots)} pictures, {len(sheets)} sheets; look at {page}")
    return 0
