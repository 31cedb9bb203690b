"""`flask clock`: one clock for the whole demo city."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from shop.cli.clock import duration
from shop.kernel import clock


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    return app.test_cli_runner()


def test_advancing_moves_every_process_that_shares_the_clock(runner: FlaskCliRunner, tmp_path: Path) -> None:
    shared = tmp_path / "clock"
    clock.share_shift(shared)
    before = clock.now()
    result = runner.invoke(args=["clock", "advance", "1d 6h"])
    assert result.exit_code == 0
    assert "moved by +1 day, 6:00:00" in result.output
    assert timedelta(hours=30) <= clock.now() - before < timedelta(hours=30, minutes=1)
    assert float(shared.read_text()) == 30 * 3600


def test_advancing_twice_adds_up(runner: FlaskCliRunner) -> None:
    runner.invoke(args=["clock", "advance", "90min"])
    runner.invoke(args=["clock", "advance", "30s"])
    assert clock.shift() == timedelta(minutes=90, seconds=30)


def test_the_clock_can_be_set_to_a_wall_clock_time_and_back(runner: FlaskCliRunner) -> None:
    assert "2030-01-05 08:30:00 Asia/Shanghai" in runner.invoke(args=["clock", "set", "2030-01-05 08:30"]).output
    assert clock.local(clock.now()).strftime("%Y-%m-%d %H:%M") == "2030-01-05 08:30"
    assert "2030-01-05 22:15:00" in runner.invoke(args=["clock", "set", "22:15"]).output
    assert "not moved" in runner.invoke(args=["clock", "set", "now"]).output
    assert clock.shift() == timedelta(0)


@pytest.mark.parametrize(
    "arguments",
    [
        ["set", "half past nine"], ["set", "25:00"], ["set", "0001-01-01"], ["set", "9999-12-31 23:59"],
        ["advance", "soon"], ["advance", "2h and a bit"], ["advance", "30000d"], ["advance", "99999d"], ["advance", "9" * 5_000 + "d"],
        ["advance", "999999999d" * 5_000], ["advance", "٣d"],
    ],
    ids=lambda arguments: " ".join(arguments)[:40],
)  # fmt: skip
def test_what_is_no_time_is_refused_and_the_clock_stays(runner: FlaskCliRunner, arguments: list[str]) -> None:
    assert runner.invoke(args=["clock", *arguments]).exit_code == 2
    assert clock.shift() == timedelta(0)


@pytest.mark.parametrize("arguments", [["set", "now"], ["advance", "2h"]])
def test_production_keeps_real_time(app: Flask, runner: FlaskCliRunner, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.setitem(app.config, "APP_ENV", "production")
    result = runner.invoke(args=["clock", *arguments])
    assert result.exit_code == 1
    assert "the clock is the real one" in result.output
    assert clock.shift() == timedelta(0)


def test_spans_are_read_as_people_write_them() -> None:
    assert duration("1d 2h 3min 4s") == timedelta(days=1, hours=2, minutes=3, seconds=4)
    assert duration("15m") == timedelta(minutes=15)


def test_a_block_apart_moves_nobody_else(tmp_path: Path) -> None:
    shared = tmp_path / "clock"
    clock.share_shift(shared)
    try:
        clock.move(timedelta(hours=1))
        with clock.apart():
            clock.move(timedelta(days=-30))
            assert clock.shift() == timedelta(days=-30)
            assert float(shared.read_text()) == 3600
        assert clock.shift() == timedelta(hours=1)
    finally:
        clock.share_shift(None)
