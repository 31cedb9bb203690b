"""Pages load one style sheet and one script, and never an old one."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shop.home.assets import Assets
from shop.home.bundles import BUNDLES, joined, script_part, style_part
from tests.support.factories import Factories

STATIC = Path(__file__).parents[2] / "shop" / "static"
QUOTED = re.compile(r'"[^"\n]*"|\'[^\'\n]*\'')
pytestmark = pytest.mark.one_engine


def loaded_by(page: str) -> list[str]:
    return re.findall(r'<(?:link rel="stylesheet" href|script src)="/static/([^?"]+)\?v=', page)


@pytest.mark.parametrize(("address", "kind"), [("/terms", "site"), ("/sign-in", "site"), ("/dev/style", "site")])
def test_page_loads_one_sheet_and_one_script(client: FlaskClient, make: Factories, address: str, kind: str) -> None:
    page = client.get(address).text
    assert loaded_by(page) == [f"built/{kind}.css", f"built/{kind}.js"]
    assert page.count("<script") == 1


@pytest.mark.parametrize("name", BUNDLES)
def test_bundle_is_kept_for_a_year_and_says_the_same_packed(app: Flask, client: FlaskClient, name: str) -> None:
    address = app.extensions["assets"](f"built/{name}")
    plain, packed = client.get(address), client.get(address, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    for answer in (plain, packed):
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Accept-Encoding" in answer.headers["Vary"]
    assert client.get(address.split("?")[0]).headers["Cache-Control"] == "no-cache"
    again = client.get(address, headers={"If-None-Match": packed.headers["ETag"], "Accept-Encoding": "gzip"})
    assert (again.status_code, again.data) == (304, b"")


def test_unknown_bundle_is_not_there(client: FlaskClient) -> None:
    assert client.get("/static/built/other.css").status_code == 404


def test_every_file_of_ours_is_in_a_bundle_or_loaded_by_the_page_that_needs_it() -> None:
    used = {place for places in BUNDLES.values() for place in places}
    templates = "\n".join(path.read_text() for path in (STATIC.parent / "templates").rglob("*.html"))
    alone = set(re.findall(r"asset\('((?:css|js|vendor)/[^']+)'\)", templates))
    ours = {str(path.relative_to(STATIC)) for folder in ("css", "js", "vendor") for path in (STATIC / folder).rglob("*.*")}
    assert used | alone == ours
    assert used & alone == set()


def test_edited_part_is_a_new_bundle_under_a_new_address(
    app: Flask, client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in BUNDLES["site.css"]:
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text("a { color: red }")
    watching = Assets(tmp_path, "/static", is_watched=True)
    monkeypatch.setattr("shop.home.assets.LOOK_AGAIN_SECONDS", 0)
    monkeypatch.setitem(app.extensions, "assets", watching)
    before = watching("built/site.css")
    assert "blue" not in client.get(before).text
    edited = tmp_path / BUNDLES["site.css"][1]
    edited.write_text("a { color: blue }")
    os.utime(edited, (1, 1))
    after = watching("built/site.css")
    assert after != before
    assert "blue" in client.get(after).text


def test_style_loses_nothing_but_comments_and_space() -> None:
    for place in {place for places in BUNDLES.values() for place in places if place.startswith("css/")}:
        before = re.sub(r"/\*.*?\*/", "", (STATIC / place).read_text(), flags=re.DOTALL)
        after = style_part(place, before)
        assert QUOTED.findall(after) == QUOTED.findall(before)
        assert re.sub(r"\s", "", after) == re.sub(r"\s", "", before)
    assert style_part("css/x.css", "a:hover > b , i :focus { margin: 0 auto;\n  top: calc(1px + 2px) }") == (
        "a:hover > b , i :focus{margin:0 auto;top:calc(1px + 2px)}"
    )


def test_dark_by_choice_and_dark_by_the_phone_are_the_same() -> None:
    style = (STATIC / "css/tokens.css").read_text()
    by_phone, by_choice = (
        re.search(re.escape(selector) + r" \{([^}]*)\}", style)[1].split()  # type: ignore[index]
        for selector in (':root:not([data-theme="light"])', ':root[data-theme="dark"]')
    )
    assert by_phone == by_choice
    assert "--ground:" in by_choice


def test_script_parts_do_not_meet() -> None:
    assert (
        script_part("js/x.js", "// why\n\nconst a = 1; // here\n  f(a);\n") == '(() => {\n"use strict";\nconst a = 1; // here\nf(a);\n})();'
    )
    assert script_part("vendor/x.js", "// theirs\nf()") == "// theirs\nf()"


def test_a_part_that_exports_is_called_with_what_arrives() -> None:
    assert script_part("js/x.js", "export function enhance(root) {\n  f(root);\n}\n") == (
        '(() => {\n"use strict";\nfunction enhance(root) {\nf(root);\n}\n'
        'document.addEventListener("linli:arrived", (event) => enhance(event.detail));\n})();'
    )


@pytest.mark.parametrize("place", sorted({place for places in BUNDLES.values() for place in places if place.startswith("js/")}))
def test_parts_of_a_script_can_be_joined(place: str) -> None:
    """Lines lose their indentation on the way: a text over several would change. And nothing but `enhance` is imported or exported."""
    text = (STATIC / place).read_text()
    assert [line for line in text.splitlines() if line.count("`") % 2] == []
    assert "/*" not in text
    assert not re.search(r"^\s*(import\b|export (?!function enhance\())|\bimport[.(]", text, re.MULTILINE)
    assert not re.search(r"^(const .* = )?await\b", text, re.MULTILINE), "it would have to be a module"


def test_the_licences_of_others_stay_in() -> None:
    assert "Licensed under MIT" in joined(STATIC, "site.css")
