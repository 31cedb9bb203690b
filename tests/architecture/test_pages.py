"""Rules of the pages themselves, read out of templates and scripts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config import ROOT

pytestmark = pytest.mark.one_engine

TEMPLATES, SCRIPTS, STYLES = ROOT / "shop" / "templates", ROOT / "shop" / "static" / "js", ROOT / "shop" / "static" / "css"
FOCUS_IS_KEPT_BY = {
    "bills/account.html": "looks again by itself",
    "bills/asking.html": "looks again by itself",
    "bills/payment.html": "looks again by itself",
    "cart/show.html": "the stepper",
    "catalog/_filters.html": "the filters",
    "catalog/_grid.html": "more goods",
    "catalog/_variants.html": "the sizes",
    "layout/page.html": "the suggestions",
    "merchant/import.html": "looks again by itself",
    "merchant/pictures.html": "looks again by itself",
    "payments/onward.html": "looks again by itself",
    "pickup/passes.html": "looks again by itself",
}
"""Every template that has a part of its page swapped, and with what; each kind is shown in tests/journeys/test_keeping_the_focus.py."""

SWAPS = re.compile(r"hx-(?:get|post)\b")
IN_A_COMMENT = re.compile(r"{#.*?#}", re.DOTALL)
LIVE = re.compile(r'role="(?:status|alert|log)"|aria-live="(?:polite|assertive)"')


def sources(folder: Path, ending: str) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in sorted(folder.rglob(f"*{ending}"))}


def test_the_browsers_own_question_is_asked_nowhere() -> None:
    """It cannot be read in large text, speaks another language, and is not there without script (shop/platform/sure.py)."""
    asking = re.compile(r"\bconfirm\(|data-confirm|\b(?:alert|prompt)\(")
    for folder, ending in ((TEMPLATES, ".html"), (SCRIPTS, ".js")):
        found = {name: asking.findall(text.replace("event.prompt()", "")) for name, text in sources(folder, ending).items()}
        assert {name: each for name, each in found.items() if each} == {}


def test_every_part_that_is_swapped_is_one_whose_focus_is_looked_after() -> None:
    swapping = {name for name, text in sources(TEMPLATES, ".html").items() if SWAPS.search(IN_A_COMMENT.sub("", text))}
    assert swapping == set(FOCUS_IS_KEPT_BY)


def test_what_is_fetched_again_by_itself_is_told_by_the_one_place_that_tells() -> None:
    """A live region within would be new each time, and told each time."""
    for name, text in sources(TEMPLATES, ".html").items():
        if 'hx-trigger="every' in text:
            assert LIVE.findall(text) == [], name


def test_a_role_that_does_not_exist_is_given_to_nothing() -> None:
    assert [name for name, text in sources(TEMPLATES, ".html").items() if 'role="text"' in text] == []


def test_storage_that_a_browser_may_refuse_is_only_touched_where_that_is_caught() -> None:
    for name, text in sources(SCRIPTS, ".js").items():
        for use in re.finditer(r"\b(?:local|session)Storage\.", text):
            before = text[max(0, use.start() - 160) : use.start()]
            assert "try {" in before, f"{name} touches storage outside of try"


def tokens_of(text: str, selector: str) -> dict[str, str]:
    """What a rule of tokens says; `selector` as it stands before the brace."""
    found = re.search(re.escape(selector) + r"\s*{(.*?)}", text, re.DOTALL)
    assert found, selector
    return dict(re.findall(r"(--[\w-]+):\s*([^;]+);", found.group(1)))


def test_more_contrast_by_night_is_the_same_by_choice_and_by_the_phone() -> None:
    text = (STYLES / "contrast.css").read_text(encoding="utf-8")
    by_phone = tokens_of(text, ':root:not([data-theme="light"]), :root[data-mode="elder"]:not([data-theme="light"])')
    assert by_phone == tokens_of(text, ':root[data-theme="dark"], :root[data-mode="elder"][data-theme="dark"]')


def test_what_machines_read_stays_black_on_white_in_forced_colours() -> None:
    text = (STYLES / "contrast.css").read_text(encoding="utf-8")
    rule = re.search(r"\.qr-square, \.label-qr[^{]*{([^}]*)}", text)
    assert rule
    assert "forced-color-adjust: none" in rule.group(1)
    assert "background: #fff" in rule.group(1)
