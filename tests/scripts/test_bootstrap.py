"""Of Bootstrap, pages carry what they use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config import ROOT
from script.support.bootstrap import CLASSES, COMMENT, READING, blocks, least_of
from script.support.places import NODE_MODULES

pytestmark = pytest.mark.one_engine
WHOLE = NODE_MODULES / "bootstrap" / "dist" / "css" / "bootstrap.min.css"
CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")


def classes_of(sheet: str) -> set[str]:
    found: set[str] = set()
    for opening, body in blocks(COMMENT.sub("", sheet)):
        found |= classes_of(body) if opening.startswith("@") else set(CLASS.findall(opening))
    return found


def named_in_templates() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "shop" / "templates").rglob("*.html"):
        spoken = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", " ", path.read_text(), flags=re.DOTALL)
        for words in re.findall(r'class="([^"]*)"', spoken):
            found |= set(words.split())
    return found


def test_every_class_of_bootstrap_that_a_template_names_is_there() -> None:
    own = set[str]().union(*(classes_of(path.read_text()) for path in (ROOT / "shop" / "static" / "css").rglob("*.css")))
    missing = (named_in_templates() & classes_of(WHOLE.read_text())) - own - CLASSES
    assert missing == set(), "add it to CLASSES, or use a class of our own"


def test_no_class_is_carried_that_nothing_names() -> None:
    sources = [*(ROOT / "shop" / "templates").rglob("*.html"), *(ROOT / "shop" / "static" / "js").iterdir()]
    spoken = "\n".join(path.read_text() for path in sources)
    assert {name for name in CLASSES if not re.search(rf"(?<![\w-]){name}(?![\w-])", spoken)} == set()
    assert classes_of(WHOLE.read_text()) >= CLASSES


def test_every_value_of_bootstrap_that_our_sheets_read_is_there() -> None:
    """What only they read would be dropped."""
    least = least_of(WHOLE.read_text())
    for path in (ROOT / "shop" / "static" / "css").rglob("*.css"):
        assert [name for name in READING.findall(path.read_text()) if f"{name}:" not in least] == []


def test_it_is_a_small_part_of_the_whole() -> None:
    least = least_of(WHOLE.read_text())
    assert len(least) < 20_000
    assert least.count("{") == least.count("}")
    assert classes_of(least) - CLASSES <= {"btn-check"}


@pytest.mark.parametrize(
    ("sheet", "left"),
    [
        ("a{b:c}.btn{d:e}.nav{f:g}", "a{b:c}.btn{d:e}"),
        (".btn,.nav>.btn,.btn:hover{d:e}", ".btn,.btn:hover{d:e}"),
        (":not(.nav,.tab)+.btn{d:e}", ":not(.nav,.tab)+.btn{d:e}"),
        ("@media print{.nav{a:b}}@media (x:y){.nav{a:b}.btn{c:d}}", "@media (x:y){.btn{c:d}}"),
        ('@charset "UTF-8";@keyframes turn{to{a:b}}p{c:d}', "p{c:d}"),
        ("[data-bs-theme=dark] .btn{a:b}:root,[data-bs-theme=light]{c:d}", ":root{c:d}"),
        (":root{--bs-a:1;--bs-b:var(--bs-c);--bs-c:2}p{x:var(--bs-a)}", ":root{--bs-a:1;}p{x:var(--bs-a)}"),
        (":root{--bs-a:1}p{x:y}", "p{x:y}"),
    ],
)
def test_what_is_kept(sheet: str, left: str) -> None:
    assert least_of(f"/*! by others */{sheet}", frozenset({"btn"})) == f"/*! by others */\n{left}\n"


def test_the_served_file_is_the_one_cut_out() -> None:
    assert (Path(ROOT) / "shop" / "static" / "vendor" / "bootstrap.css").read_text() == least_of(WHOLE.read_text())
