"""What `script/test` runs, and how it counts."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from script.support import services
from script.support.checks import (
    Step,
    chosen_steps,
    environment_of_tests,
    find_browser,
    forgive_tests_of_one_engine,
    quick_steps,
    run_step,
    suite_steps,
)
from script.support.outcomes import Outcome, outcome_of_check, outcome_of_pytest, refuse_skips, summary
from script.support.services import Service

pytestmark = pytest.mark.one_engine

THERE = Service("postgresql://there", "there")
MISSING = Service("", "no such server")
REPORT = """<?xml version="1.0"?><testsuites><testsuite>
<testcase name="a"/><testcase name="b"/>
<testcase name="c"><failure message="no"/></testcase>
<testcase name="d"><error message="broken fixture"/></testcase>
<testcase name="e"><skipped type="pytest.skip" message="no camera"/></testcase>
<testcase name="f"><skipped type="pytest.xfail" message="known"/></testcase>
</testsuite></testsuites>"""


def names(steps: list[Step]) -> list[tuple[str, str]]:
    return [(step.name, step.engine) for step in steps]


def test_all_suites_run_on_both_engines_in_order() -> None:
    steps = suite_steps(THERE, THERE, "/usr/bin/chromium", fast=False)
    assert names(steps) == [
        ("tests", "sqlite"),
        ("tests", "postgresql"),
        ("tests with Redis", "sqlite"),
        ("browser journeys", "sqlite"),
        ("races and kills", "sqlite"),
        ("races and kills", "postgresql"),
        ("load and faults", "sqlite"),
        ("load and faults", "postgresql"),
    ]
    assert not any(step.skip for step in steps)


def test_fast_leaves_out_browser_load_and_faults() -> None:
    assert {name for name, _ in names(suite_steps(THERE, THERE, "", fast=True))} == {"tests", "tests with Redis"}


def test_what_is_missing_is_named() -> None:
    skips = {(step.name, step.engine): step.skip for step in suite_steps(MISSING, MISSING, "", fast=False) if step.skip}
    assert skips.keys() == {
        ("tests", "postgresql"),
        ("tests with Redis", "sqlite"),
        ("browser journeys", "sqlite"),
        ("races and kills", "postgresql"),
        ("load and faults", "postgresql"),
    }
    assert skips["tests", "postgresql"] == "no such server"
    assert "no Chromium" in skips["browser journeys", "sqlite"]


def test_chosen_tests_are_passed_on_for_both_engines() -> None:
    steps = chosen_steps(["tests/unit", "-k", "money"], THERE, THERE, "")
    assert [step.engine for step in steps] == ["sqlite", "postgresql"]
    assert all(step.command[-3:] == ["tests/unit", "-k", "money"] for step in steps)


def test_lint_and_floors_are_looked_at_whatever_tests_are_chosen() -> None:
    assert [step.name for step in quick_steps()] == ["lint", "floors"]


def test_settings_of_a_running_shop_do_not_reach_the_tests() -> None:
    live = {"DATABASE_URL": "postgresql://live", "REDIS_URL": "redis://live", "STRIPE_SECRET_KEY": "sk_live", "TEST_REDIS_URL": "redis://x"}
    caller = {"PATH": "/bin", **live}
    assert environment_of_tests(caller, THERE) == {"PATH": "/bin", "APP_ENV": "test", "TEST_POSTGRES_URL": "postgresql://there"}
    assert "TEST_POSTGRES_URL" not in environment_of_tests(caller, MISSING)
    assert environment_of_tests(caller, Service("postgresql://there", "", "/of/it"))["PATH"] == "/of/it:/bin"


def test_the_named_browser_wins_and_a_wrong_name_is_no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("script.support.checks.BROWSERS", ("python-of-nobody", "sh"))
    assert find_browser({"CHROMIUM": sys.executable}) == sys.executable
    assert find_browser({"CHROMIUM": "/nowhere/chromium"}) == ""
    assert find_browser({}).endswith("/sh")


def test_a_pytest_run_is_counted_from_its_report(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    outcome = outcome_of_pytest("tests", "sqlite", 1, 2.0, report)
    assert (outcome.passed, outcome.failed, dict(outcome.skipped)) == (3, 2, {"no camera": 1})
    assert outcome.verdict == "FAILED"


@pytest.mark.parametrize(("exit_code", "note"), [(2, "exit code 2"), (3, "exit code 3"), (-9, "exit code -9"), (0, "no report")])
def test_a_run_that_broke_off_is_a_failure(tmp_path: Path, exit_code: int, note: str) -> None:
    outcome = outcome_of_pytest("tests", "sqlite", exit_code, 1.0, tmp_path / "missing.xml")
    assert outcome.failed == 1
    assert note in outcome.note


def test_a_damaged_report_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_text("<testsuites>")
    assert outcome_of_pytest("tests", "sqlite", 0, 1.0, tmp_path / "report.xml").failed == 1


def test_no_matching_test_is_a_skip(tmp_path: Path) -> None:
    outcome = outcome_of_pytest("browser journeys", "sqlite", 5, 1.0, tmp_path / "missing.xml")
    assert (outcome.failed, outcome.verdict, dict(outcome.skipped)) == (0, "skipped", {"there is no such test": 1})


def test_in_ci_every_skip_is_a_failure() -> None:
    outcome = Outcome("tests", "sqlite", passed=3)
    outcome.skipped["no camera"] += 2
    refuse_skips(outcome)
    assert (outcome.passed, outcome.failed, outcome.skipped.total()) == (3, 2, 0)
    assert outcome.note == "CI allows no skip: 2 x no camera"


def test_chosen_tests_of_one_engine_are_no_skip_but_finding_none_at_all_is() -> None:
    found, nothing = Outcome("chosen tests", "sqlite", passed=1), Outcome("chosen tests", "postgresql")
    nothing.skipped["there is no such test"] += 1
    forgive_tests_of_one_engine([nothing])
    assert nothing.skipped.total() == 1
    forgive_tests_of_one_engine([found, nothing])
    assert nothing.skipped.total() == 0


def test_the_summary_ends_with_the_total_alone_on_its_line() -> None:
    skipped = Outcome("tests", "postgresql")
    skipped.skipped["no such server"] += 1
    lines = summary([outcome_of_check("lint", 0, 1.0), outcome_of_check("types", 1, 2.0), skipped], left_out=["browser journeys"])
    assert lines[-1] == "1 passed, 1 failed, 1 skipped"
    assert "skipped, tests on postgresql: no such server" in lines
    assert "left out as asked: browser journeys" in lines
    assert summary([outcome_of_check("lint", 0, 1.0)])[-1] == "1 passed, 0 failed"


def test_a_step_over_its_limit_is_stopped_and_fails(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    step = Step("lint", [sys.executable, "-c", "import time; time.sleep(60)"], limit=0.3)
    outcome = run_step(step, {}, tmp_path)
    assert outcome.failed == 1
    assert "stopped after" in outcome.note
    assert "=== lint" in capfd.readouterr().out


UNSTEADY = """
from pathlib import Path

def test_right():
    assert True

def test_unlucky():
    place = Path(__file__).with_name("asked")
    place.write_text(place.read_text() + "x" if place.exists() else "x")
    assert len(place.read_text()) >= {passes_at}
"""


@pytest.mark.parametrize(
    ("passes_at", "verdict", "passed", "failed", "unsteady"),
    [
        pytest.param(1, "ok", 2, 0, 0, id="it passes at once"),
        pytest.param(2, "UNSTEADY", 2, 0, 1, id="it passes when asked again"),
        pytest.param(3, "FAILED", 1, 1, 0, id="it fails twice"),
    ],
)
def test_a_test_that_failed_is_asked_once_more_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passes_at: int, verdict: str, passed: int, failed: int, unsteady: int
) -> None:
    file = tmp_path / "test_some.py"
    file.write_text(UNSTEADY.format(passes_at=passes_at))
    plain = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "--rootdir", str(tmp_path), "-c", "/dev/null"]
    monkeypatch.setattr("script.support.checks.ROOT", tmp_path)
    monkeypatch.setattr("script.support.checks.pytest_command", lambda _engine: plain)
    outcome = run_step(Step("tests", [*plain, str(file)], "sqlite"), {**os.environ}, tmp_path)
    assert (outcome.verdict, outcome.passed, outcome.failed, len(outcome.unsteady)) == (verdict, passed, failed, unsteady)
    named = [line for line in summary([outcome]) if line.startswith("unsteady, tests on sqlite: ")]
    assert [line.partition("::")[2] for line in named] == ["test_unlucky"] * unsteady


def test_a_step_that_passes_runs_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without this, "those that failed" were none, and none by name means all."""
    monkeypatch.setattr("script.support.checks.attempt", lambda *_: Outcome("tests", "sqlite", passed=9))
    monkeypatch.setattr("script.support.checks.look_again", lambda *_: pytest.fail("asked again"))
    assert run_step(Step("tests", [], "sqlite"), {}, tmp_path).passed == 9


def test_many_failures_are_not_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("script.support.checks.attempt", lambda *_: Outcome("tests", "sqlite", passed=9, failed=4))
    monkeypatch.setattr("script.support.checks.failed_tests", lambda _cache: ["a", "b", "c", "d"])
    monkeypatch.setattr("script.support.checks.look_again", lambda *_: pytest.fail("asked again"))
    assert run_step(Step("tests", [], "sqlite"), {}, tmp_path).failed == 4


def test_a_check_that_cannot_start_fails(tmp_path: Path) -> None:
    assert run_step(Step("floors", ["/nowhere/lint-imports"]), {}, tmp_path).failed == 1


def test_named_servers_are_used_as_they_are() -> None:
    mine = {"TEST_POSTGRES_URL": "postgresql://mine", "TEST_REDIS_URL": "redis://mine"}
    with services.postgres(mine) as database, services.redis(mine) as cache:
        assert (database.url, cache.url) == ("postgresql://mine", "redis://mine")


def test_a_started_postgresql_can_make_databases_and_is_gone_afterwards() -> None:
    with services.postgres({}) as server:
        assert server.url, server.note
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE another ENCODING 'UTF8'")
            data = connection.execute("SHOW data_directory").fetchone()
            port = connection.info.port
    assert data is not None
    assert not Path(data[0]).exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_without_the_wheel_there_is_no_postgresql_and_the_reason_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "VENV", tmp_path)
    with services.postgres({}) as server:
        assert not server.url
        assert "TEST_POSTGRES_URL is not set" in server.note


@pytest.mark.redis
def test_a_started_redis_answers_and_is_gone_afterwards() -> None:
    with services.redis({}) as server:
        assert server.url, server.note
        client = Redis.from_url(server.url)
        assert client.ping()
        client.close()
        port = int(server.url.rpartition(":")[2].split("/")[0])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_without_redis_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with services.redis({}) as server:
        assert not server.url
        assert "no redis-server" in server.note
