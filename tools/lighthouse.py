"""What Lighthouse's throttled phone thinks of pages. It is no part of the lock: `LIGHTHOUSE` names the command of one's own."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from script.support.checks import find_browser
from tools.browsing import PHONE, Dress, Person
from tools.page_table import Page, pages_of

LEAST_SCORES = {"performance": 95, "accessibility": 100, "best-practices": 100}
SLOWEST_PAINT = 1800
MOST_SHIFT = 0.02
WITHIN = 180
TRIES = 3
"""A browser that does not come up is no fault of the page."""



@dataclass(frozen=True)
class Scores:
    """One page in one dress. Paint in milliseconds; `below` names the audits that cost points."""

    page: str
    dress: str
    scores: dict[str, int]
    paint: float
    shift: float
    below: tuple[str, ...]

    def is_good_enough(self, *, must_be_fast: bool) -> bool:
        """Whether it keeps what is promised; only pages with a budget promise to be fast."""
        kept = all(self.scores[key] >= least for key, least in LEAST_SCORES.items() if must_be_fast or key != "performance")
        return kept and (not must_be_fast or (self.paint <= SLOWEST_PAINT and self.shift <= MOST_SHIFT))

    def __str__(self) -> str:
        numbers = "".join(f"{self.scores[key]:5}" for key in LEAST_SCORES)
        return f"{self.page:28}{self.dress:10}{numbers}  paint {self.paint:5.0f} ms  shift {self.shift:.3f}  {', '.join(self.below)}"


def can_be_scored(page: Page, facts: dict[str, str]) -> bool:
    """Lighthouse opens addresses: it types nothing and does not look at refusals."""
    return page.status == 200 and not page.typed and all(name in facts for name in page.needs)


def scored(command: str, person: Person, dress: Dress, chosen: set[str], facts: dict[str, str]) -> Iterator[Scores | str]:
    """One person's pages in one dress; a page that Lighthouse could not open is told as a line."""
    with person.window(PHONE) as context:
        person.dress(context, dress)
    cookies = "; ".join(f"{each['name']}={each['value']}" for each in (person.cookies or {}).get("cookies", ()))
    for page in pages_of(person.phone, chosen):
        if not can_be_scored(page, facts):
            continue
        url = person.city.url + page.address.format(**facts)
        told = next((told for _ in range(TRIES) if (told := ask(command, url, cookies))), None)
        name = f"{page.area}/{page.name}"
        yield scores_of(name, dress, told) if told else f"{name} {dress.name}: Lighthouse did not answer"


def ask(command: str, url: str, cookies: str) -> dict[str, Any] | None:
    """Its report on one address."""
    with tempfile.TemporaryDirectory() as name:
        headers, report = Path(name) / "headers.json", Path(name) / "report.json"
        headers.write_text(json.dumps({"Cookie": cookies}))
        subprocess.run(
            [command, url, "--quiet", "--output=json", f"--output-path={report}", f"--extra-headers={headers}",
             f"--only-categories={','.join(LEAST_SCORES)}", "--chrome-flags=--headless=new --no-sandbox --disable-dev-shm-usage"],
            env={**os.environ, "CHROME_PATH": find_browser(os.environ)}, check=False, capture_output=True, timeout=WITHIN,
        )  # fmt: skip
        if not report.exists():
            return None
        told: dict[str, Any] = json.loads(report.read_text())
    return None if told.get("runtimeError") else told


def scores_of(name: str, dress: Dress, told: dict[str, Any]) -> Scores:
    """The figures of a report that we promise something about."""
    counted = {"binary", "numeric"}
    return Scores(
        name,
        dress.name,
        {key: round((told["categories"][key]["score"] or 0) * 100) for key in LEAST_SCORES},
        told["audits"]["largest-contentful-paint"].get("numericValue", 0),
        told["audits"]["cumulative-layout-shift"].get("numericValue", 0),
        tuple(
            each["id"] for each in told["audits"].values()
            if each.get("score") is not None and each["score"] < 0.9 and each["scoreDisplayMode"] in counted
        ),
    )  # fmt: skip
