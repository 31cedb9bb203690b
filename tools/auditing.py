"""`tools/audit`: axe, console, policy, width, clipped words and weight of every page; paint of the pages that matter most."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext
from playwright.sync_api import Error as BrowserError

from script.support.places import INSTANCE
from script.support.shell import CannotContinue, say
from tools import measures
from tools.browsing import DESKTOP, PHONE, SIZES, Dress, Person, chromium, open_page, settle, watched
from tools.city import City, running_city
from tools.lighthouse import MOST_SHIFT, SLOWEST_PAINT, Scores, scored
from tools.page_table import AS_PEOPLE, MEI, STRANGER, Page, areas, facts_of, names, pages_of
from tools.photographing import LONG, WORDS, put_into_cart

REPORT = INSTANCE / "audit.json"
MOST_REQUESTS = 15
MOST_BYTES = 150_000
DRESSES = tuple(Dress(locale, is_elder=elder) for locale in ("zh", "en") for elder in (False, True))
AS_IT_IS: dict[str, Any] = {"color_scheme": "light", "forced_colors": "none", "contrast": "no-preference"}
OTHER_COLOURS: dict[str, dict[str, Any]] = {
    "dark": {**AS_IT_IS, "color_scheme": "dark"},
    "forced colours": {**AS_IT_IS, "forced_colors": "active"},
    "forced colours by night": {**AS_IT_IS, "forced_colors": "active", "color_scheme": "dark"},
    "more contrast": {**AS_IT_IS, "contrast": "more"},
}
"""How else the same page is seen; axe measures colours in each."""

OF_SPECIMENS = ("style",)
"""Shows the same control several times, doing nothing."""

WITH_BUDGET = ("home", "category", "product", "cart", "bills", "pass")
"""Pages that must paint fast."""

LIGHT = ("home", "home-mei")
"""The first page, which must also be light."""


@dataclass
class Finding:
    """One page in one dress: what is wrong with it, and what it weighs."""

    page: str
    dress: str
    size: str
    axe: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    width: list[str] = field(default_factory=list)
    clipped: list[str] = field(default_factory=list)
    budget: list[str] = field(default_factory=list)
    requests: int = 0
    received: int = 0

    @property
    def faults(self) -> list[str]:
        kinds = ("axe", "names", "errors", "strangers", "width", "clipped", "budget")
        return [f"{kind}: {each}" for kind in kinds for each in getattr(self, kind)]


def look_at(person: Person, chosen: set[str], size: str, dresses: list[Dress], facts: dict[str, str]) -> list[Finding]:
    """One person's pages in each dress, by light and by dark."""
    found: list[Finding] = []
    for dress in dresses:
        with person.window(size, reduced_motion="reduce") as context:  # colours are read at once, not on their way
            person.dress(context, dress)
            pages = [page for page in pages_of(person.phone, chosen) if all(name in facts for name in page.needs)]
            found += [examine(context, page, size, dress, facts, person.city.url) for page in pages]
    return found


def examine(context: BrowserContext, page: Page, size: str, dress: Dress, facts: dict[str, str], origin: str) -> Finding:
    """One page, opened as by somebody who was never here. Large text is asked of a phone's pages."""
    tab = context.new_page()
    line = measures.Line.of(context, tab)
    watch = watched(tab, origin)
    finding = Finding(f"{page.area}/{page.name}", dress.name, size)
    try:
        line.begin()
        answer = open_page(tab, page, facts)
        tab.wait_for_load_state("networkidle")
        if answer and answer.status != page.status and not page.typed:
            finding.errors.append(f"answered {answer.status}, not {page.status}")
        finding.requests, finding.received = line.requests, line.received
        settle(tab)
        finding.width = measures.overflow(tab)
        finding.axe = measures.axe(tab)
        finding.names = measures.same_names(tab) if page.name not in OF_SPECIMENS else []
        for look, media in OTHER_COLOURS.items():
            tab.emulate_media(**media)
            finding.axe += [f"{look}, {each}" for each in measures.axe(tab, *measures.OF_COLOUR) if each not in finding.axe]
        tab.emulate_media(**AS_IT_IS)
        if size == PHONE:
            finding.clipped = measures.clipped_when_large(tab)
    except BrowserError as error:
        finding.errors.append(str(error).splitlines()[0])
    finding.errors += [each for each in watch.errors if not is_expected(each, page)]
    finding.strangers = watch.strangers
    finding.budget = over_budget(page, finding)
    tab.close()
    return finding


def is_expected(error: str, page: Page) -> bool:
    """Chromium writes every refused answer into its console, also where a refusal is what we came to see."""
    return error.startswith("Failed to load resource") and (page.status >= 400 or bool(page.typed))


def over_budget(page: Page, finding: Finding) -> list[str]:
    """A phone's first page must be light."""
    if page.name not in LIGHT or finding.size != PHONE:
        return []
    faults = []
    if finding.received > MOST_BYTES:
        faults.append(f"{finding.received / 1000:.0f} kB over the wire, at most {MOST_BYTES / 1000:.0f}")
    if finding.requests > MOST_REQUESTS:
        faults.append(f"{finding.requests} requests, at most {MOST_REQUESTS}")
    return faults


def measure_paint(people: list[Person], facts: dict[str, str]) -> list[str]:
    """Paint and shift of the pages with a budget, as lines of a table; what is over it is marked."""
    lines = []
    for person in people:
        for page in pages_of(person.phone, set()):
            if page.name not in WITH_BUDGET or any(name not in facts for name in page.needs):
                continue
            with person.window(PHONE) as context:
                told = measures.vitals(context, page.address.format(**facts))
            mark = "" if told["lcp"] <= SLOWEST_PAINT and told["cls"] <= MOST_SHIFT else "  OVER"
            lines.append(f"{page.area + '/' + page.name:24} paint {told['lcp']:6.0f} ms  shift {told['cls']:.3f}  {told['what']}{mark}")
    return lines


def table_of(findings: list[Finding]) -> list[str]:
    """One line per page and dress, and below it what is wrong."""
    heads = f"{'axe':>5}{'names':>7}{'errors':>8}{'foreign':>9}{'width':>7}{'clipped':>9}{'requests':>10}{'kB':>7}"
    lines = [f"{'page':28}{'size':9}{'dress':10}{heads}"]
    for each in findings:
        lines.append(
            f"{each.page:28}{each.size:9}{each.dress:10}{len(each.axe):5}{len(each.names):7}{len(each.errors):8}"
            f"{len(each.strangers):9}{len(each.width):7}{len(each.clipped):9}{each.requests:10}{each.received / 1000:7.0f}"
        )
        lines += [f"    {fault}" for fault in each.faults]
    return lines


def people_of(browser: Browser, city: City, chosen: set[str]) -> list[Person]:
    """Everybody whose pages are looked at, signed in, with something in the cart where that is part of the picture."""
    people: list[Person] = []
    for phone in AS_PEOPLE:
        if not list(pages_of(phone, chosen)):
            continue
        person = Person(browser, city, phone)
        person.sign_in()
        people.append(person)
        if phone == MEI:
            put_into_cart(person)
    return people


def look_all(city: City, people: list[Person], chosen: set[str], sizes: list[str], dresses: list[Dress]) -> list[Finding]:
    """Everybody's pages in every size and dress."""
    findings: list[Finding] = []
    for person in people:
        for size in sizes:
            findings += look_at(person, chosen, size, dresses, facts_of(city))
            say(f"{person.phone or 'stranger'}, {size}: {len(findings)} looks so far")
    return findings


def slow_line(city: City, people: list[Person]) -> list[str]:
    """The pages with a budget as they paint on a slow phone."""
    ones = [person for person in people if person.phone in {STRANGER, MEI}]
    for person in ones:
        with person.window(PHONE) as context:
            person.dress(context, Dress("zh"))
    return measure_paint(ones, facts_of(city))


def score_all(command: str, city: City, people: list[Person], chosen: set[str], dresses: list[Dress]) -> list[str]:
    """Lighthouse on everybody's pages in every dress, each told as it comes; given back are those that break a promise."""
    bad = []
    for person in people:
        for dress in dresses:
            for told in scored(command, person, dress, chosen, facts_of(city)):
                is_good = isinstance(told, Scores) and told.is_good_enough(must_be_fast=told.page.split("/")[1] in WITH_BUDGET)
                say(f"{told}{'' if is_good else '  BELOW'}")
                bad += [] if is_good else [str(told)]
    return bad


def main(arguments: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="tools/audit", description=__doc__.split(": ", 1)[1] if __doc__ else "",
        epilog="environment: LIGHTHOUSE= the command of a Lighthouse of your own, which then gives every page its scores",
    )  # fmt: skip
    parser.add_argument("--only", action="append", default=[], choices=[*areas(), *names()], metavar="AREA[/PAGE]",
                        help="only this area or page; may be given again")
    parser.add_argument("--dress", action="append", default=[], help="only this one: zh, en, zh-elder, en-elder")
    parser.add_argument("--size", action="append", default=[], choices=tuple(SIZES), help="only this one")
    parser.add_argument("--words", choices=WORDS, default=WORDS[0], help="the city's own words, or the longest it may hold")
    parser.add_argument("--city", type=Path, help="a folder where the demo city is kept between runs; else a fresh one is made")
    parser.add_argument("--no-paint", action="store_true", help="leave out the slow line")
    parser.add_argument("--no-looks", action="store_true", help="leave out axe and all that the browser is asked; for scores alone")
    chosen = parser.parse_args(arguments)
    dresses = [dress for dress in DRESSES if not chosen.dress or dress.name in chosen.dress]
    sizes = chosen.size or [PHONE, DESKTOP]
    bad: list[str] = []
    try:
        with running_city(chosen.city, is_wordy=chosen.words == LONG) as city, chromium() as browser:
            people = people_of(browser, city, set(chosen.only))
            findings = [] if chosen.no_looks else look_all(city, people, set(chosen.only), sizes, dresses)
            REPORT.parent.mkdir(exist_ok=True)
            REPORT.write_text(json.dumps([asdict(each) for each in findings], indent=1, ensure_ascii=False), encoding="utf-8")
            say("\n".join(table_of(findings)))
            if not chosen.no_paint:
                say("\n".join(["", *slow_line(city, people)]))
            if command := os.environ.get("LIGHTHOUSE"):
                bad += score_all(command, city, people, set(chosen.only), dresses)
    except CannotContinue as error:
        print(error, file=sys.stderr)
        return 1
    bad += [each.page for each in findings if each.faults]
    say(f"{len(findings)} looks at {len({each.page for each in findings})} pages; {len(bad)} with something to mend; {REPORT}")
    return 1 if bad else 0
