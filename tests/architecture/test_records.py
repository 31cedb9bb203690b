"""What is kept beside the code says what the code is: decisions, the API's changes, the version, the licence."""

from __future__ import annotations

from collections import Counter

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import ROOT, VERSION
from shop.api.v1.openapi import document
from tools import api_summary, deciding

pytestmark = pytest.mark.one_engine


def test_the_index_names_every_decision_as_it_stands() -> None:
    pages = list(deciding.decisions())
    assert len(pages) > 30
    assert deciding.INDEX.read_text(encoding="utf-8") == deciding.index(pages), "run tools/decisions"


def test_no_number_of_a_decision_was_given_out_twice() -> None:
    counted = Counter(page.number for page in deciding.decisions())
    assert [number for number, times in counted.items() if times > 1] == []


def test_a_decision_that_supersedes_another_is_there() -> None:
    pages = list(deciding.decisions())
    later = {page.status.removeprefix("superseded by ") for page in pages if page.status.startswith("superseded")}
    assert later <= {page.number for page in pages}


@pytest.mark.parametrize(
    "text", ["# 7. Title\n\nNo day.\n", "# 8. Title\n\n2026-11-30 · accepted\n", "Title\n\n2026-11-30 · accepted\n", ""]
)
def test_a_decision_without_title_day_or_its_own_number_is_caught(text: str) -> None:
    with pytest.raises(deciding.Unclear):
        deciding.read("0007-example.md", text)


def test_what_went_from_the_api_or_changed_since_the_last_release_is_written_down(app: Flask) -> None:
    written = (ROOT / "docs" / "api-changes.md").read_text(encoding="utf-8")
    changes = list(api_summary.differences(api_summary.released(), api_summary.summary(document())))
    assert [change for change in changes if f"`{change.name.removeprefix('schema ')}`" not in written] == []


@pytest.mark.parametrize(
    ("before", "now", "kinds"),
    [
        ({"GET /a": ["200: A"]}, {}, ["removed"]),
        ({"GET /a": ["200: A"]}, {"GET /a": ["200: B"]}, ["changed"]),
        ({"schema A": ["id: integer", "name: string"]}, {"schema A": ["id: integer"]}, ["changed"]),
        ({"schema A": ["id: integer"]}, {"schema A": ["id: integer", "name: string!"]}, ["changed"]),
        ({"schema A": ["id: integer"]}, {"schema A": ["id: integer!"]}, ["changed"]),
        ({"schema A": ["id: integer!"]}, {"schema A": ["id: integer", "name: string"], "GET /b": []}, []),
    ],
)
def test_what_a_program_would_stumble_over_is_seen(before: api_summary.Summary, now: api_summary.Summary, kinds: list[str]) -> None:
    assert [change.kind for change in api_summary.differences(before, now)] == kinds


def test_one_version_is_told_everywhere(app: Flask, client: FlaskClient) -> None:
    assert f'version = "{VERSION}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert client.get("/healthz").headers["Linli-Version"] == VERSION
    assert document()["info"]["version"] == VERSION
    assert f"Linli {VERSION}" in app.test_cli_runner().invoke(args=["doctor"]).output
    assert f"## {VERSION} " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_licence_is_whole() -> None:
    words = (ROOT / "LICENSE").read_text(encoding="utf-8").split()
    assert " ".join(words[:9]) == "GNU AFFERO GENERAL PUBLIC LICENSE Version 3, 19 November"
    assert len(words) > 5_000
    assert 'license = "AGPL-3.0-or-later"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
