"""Pages load one style sheet and one script, and never an old one."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shop.home import minifying
from shop.home.assets import Assets
from shop.home.bundles import BUNDLES, joined, script_part
from tests.support.factories import Factories

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "shop" / "static"
ESBUILD = ROOT / "node_modules" / ".bin" / "esbuild"
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


def test_the_small_form_is_served_as_long_as_it_was_made_of_these_very_parts(tmp_path: Path) -> None:
    minifying.make({"site.css": "a { color: red }", "site.js": "(() => { f(1); })();"}, ESBUILD, tmp_path)
    assert minifying.kept("site.css", "a { color: red }", tmp_path) == b"a{color:red}\n"
    assert minifying.kept("site.css", "a { color: blue }", tmp_path) is None
    assert minifying.kept("console.css", "a { color: red }", tmp_path) is None
    minifying.make({"site.css": "a { color: blue }"}, ESBUILD, tmp_path)
    assert [place.name for place in tmp_path.iterdir()] == [minifying.place_of("site.css", "a { color: blue }", tmp_path).name]


def test_a_part_that_cannot_be_read_leaves_the_small_forms_as_they_were(tmp_path: Path) -> None:
    minifying.make({"site.js": "f(1);"}, ESBUILD, tmp_path)
    before = {place.name: place.read_bytes() for place in tmp_path.iterdir()}
    with pytest.raises(subprocess.CalledProcessError, match="esbuild"):
        minifying.make({"site.js": "f(1;", "site.css": "a { color: red }"}, ESBUILD, tmp_path)
    assert {place.name: place.read_bytes() for place in tmp_path.iterdir()} == before


@pytest.mark.parametrize("name", BUNDLES)
def test_set_up_made_a_small_form_of_every_bundle(app: Flask, client: FlaskClient, name: str) -> None:
    parts = joined(STATIC, name)
    served = client.get(app.extensions["assets"](f"built/{name}")).data
    assert served == minifying.kept(name, parts)
    assert len(served) < 0.9 * len(parts.encode())


def test_dark_by_choice_and_dark_by_the_phone_are_the_same() -> None:
    style = (STATIC / "css/tokens.css").read_text()
    by_phone, by_choice = (
        re.search(re.escape(selector) + r" \{([^}]*)\}", style)[1].split()  # type: ignore[index]
        for selector in (':root:not([data-theme="light"])', ':root[data-theme="dark"]')
    )
    assert by_phone == by_choice
    assert "--ground:" in by_choice


def test_script_parts_do_not_meet() -> None:
    assert script_part("js/x.js", "const a = 1;\nf(a);\n") == '(() => {\n"use strict";\nconst a = 1;\nf(a);\n\n})();'
    assert script_part("vendor/x.js", "// theirs\nf()") == "// theirs\nf()"


def test_a_part_that_exports_is_called_with_what_arrives() -> None:
    assert script_part("js/x.js", "export function enhance(root) {\n  f(root);\n}\n") == (
        '(() => {\n"use strict";\nfunction enhance(root) {\n  f(root);\n}\n\n'
        'document.addEventListener("linli:arrived", (event) => enhance(event.detail));\n})();'
    )


@pytest.mark.parametrize("place", sorted({place for places in BUNDLES.values() for place in places if place.startswith("js/")}))
def test_parts_of_a_script_can_be_joined(place: str) -> None:
    """Nothing but `enhance` is imported or exported."""
    text = (STATIC / place).read_text()
    assert not re.search(r"^\s*(import\b|export (?!function enhance\())|\bimport[.(]", text, re.MULTILINE)
    assert not re.search(r"^(const .* = )?await\b", text, re.MULTILINE), "it would have to be a module"


def test_the_licences_of_others_stay_in() -> None:
    assert "Licensed under MIT" in joined(STATIC, "site.css")
