"""`script/test`: set up, run every check one after the other, and tell plainly what ran, what failed and what was skipped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from script.support.outcomes import Outcome, failed_tests, outcome_of_check, outcome_of_pytest, refuse_skips, summary
from script.support.places import ROOT, venv_command
from script.support.services import Service, postgres, redis
from script.support.setup import set_up
from script.support.shell import CannotContinue, say

USAGE = """usage: script/test [--fast] [PATH or pytest option ...]

Sets up and runs every check: lint, types, floors, tests on SQLite and on PostgreSQL, tests with Redis,
browser journeys, races and kills, load and faults.

  --fast      leave out browser journeys, races, kills, load and faults
  PATH ...    only lint, floors and these tests, on SQLite and then on PostgreSQL; pytest's own options may follow

environment:
  TEST_POSTGRES_URL=   a PostgreSQL server to test on; else one is started for the run
  TEST_REDIS_URL=      a Redis server to test with; else one is started if the machine has redis-server
  CHROMIUM=            the browser; else chromium, chromium-browser or google-chrome is looked for
  CI=true              turns everything skipped into a failure
"""

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
MINUTE = 60.0
OF_THE_SHOP = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DATA_KEYS", "LOOKUP_KEY", "PUBLIC_URL", "PORT")
OF_THE_SHOP_BEGINNING_WITH = ("STRIPE_", "BILLER_", "SMS_", "FLASK_")
"""Settings of a running shop that must not reach the tests: they would touch its data."""

GIVEN_PER_STEP = ("TEST_POSTGRES_URL", "TEST_REDIS_URL", "TEST_CITIES", "CHROMIUM")

LOOKED_AT_AGAIN = 3
"""So many failed tests of a step are asked once more, alone; more than that is no bad luck."""

QUICK = ("lint", "floors")
"""Types take longer: `mypy` from a shell, or the whole `script/test`."""


@dataclass(frozen=True)
class Step:
    """One check. A pytest step has an `engine`; a step with a `skip` reason is not run."""

    name: str
    command: list[str]
    engine: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    limit: float = 25 * MINUTE
    skip: str = ""


def static_steps() -> list[Step]:
    """The checks that only read the code."""
    python = venv_command("python")
    return [
        Step("lint", [python, "-m", "ruff", "check", "--output-format=concise"], limit=5 * MINUTE),
        Step("types", [python, "-m", "mypy"], limit=5 * MINUTE),
        Step("floors", [venv_command("lint-imports")], limit=5 * MINUTE),
    ]


def quick_steps() -> list[Step]:
    """Those of them that take a second or two: run whatever else is asked for."""
    return [step for step in static_steps() if step.name in QUICK]


def pytest_command(engine: str, *more: str) -> list[str]:
    """pytest on one engine."""
    return [venv_command("python"), "-m", "pytest", "--engine", engine, *more]


def suite_steps(on_postgres: Service, with_redis: Service, browser: str, *, fast: bool) -> list[Step]:
    """The test suites in their order; what cannot run carries the reason."""
    ordinary = ("-n", parallel_workers(), "-m", "not browser and not slow and not redis")
    no_postgres = "" if on_postgres.url else on_postgres.note
    steps = [
        Step("tests", pytest_command("sqlite", *ordinary), "sqlite"),
        Step("tests", pytest_command("postgresql", *ordinary), "postgresql", skip=no_postgres),
        Step(
            "tests with Redis",
            pytest_command("sqlite", "-m", "redis and not browser and not slow"),
            "sqlite",
            extra={"TEST_REDIS_URL": with_redis.url},
            skip="" if with_redis.url else with_redis.note,
        ),
    ]
    if fast:
        return steps
    no_browser = "" if browser else f"no Chromium: CHROMIUM is not set, and none of {', '.join(BROWSERS)} is on this machine"
    extra = {"CHROMIUM": browser, "TEST_REDIS_URL": with_redis.url}
    # A file keeps its house and its seeded city to itself: `loadscope`.
    side_by_side = ("-n", parallel_workers(), "--dist", "loadscope", "-m")
    races, one_by_one = "slow and not browser and not alone", ("-m", "alone and not browser")
    return [
        *steps,
        Step("browser journeys", pytest_command("sqlite", *side_by_side, "browser"), "sqlite", extra=extra, skip=no_browser),
        Step("races and kills", pytest_command("sqlite", *side_by_side, races), "sqlite", extra=extra),
        Step("races and kills", pytest_command("postgresql", *side_by_side, races), "postgresql", extra=extra, skip=no_postgres),
        Step("load and faults", pytest_command("sqlite", *one_by_one), "sqlite", extra=extra),
        Step("load and faults", pytest_command("postgresql", *one_by_one), "postgresql", extra=extra, skip=no_postgres),
    ]


def chosen_steps(words: Sequence[str], on_postgres: Service, with_redis: Service, browser: str) -> list[Step]:
    """Only the tests that the caller named, on both engines."""
    extra = {"CHROMIUM": browser, "TEST_REDIS_URL": with_redis.url}
    no_postgres = "" if on_postgres.url else on_postgres.note
    return [
        Step("chosen tests", pytest_command("sqlite", *words), "sqlite", extra=extra),
        Step("chosen tests", pytest_command("postgresql", *words), "postgresql", extra=extra, skip=no_postgres),
    ]


def parallel_workers() -> str:
    """Two at least, for what only shows in parallel; not more than eight."""
    return str(min(max(os.cpu_count() or 2, 2), 8))


def find_browser(environment: Mapping[str, str]) -> str:
    """The path of a Chromium: the one that CHROMIUM names, else the first that this machine has; empty when there is none."""
    if named := environment.get("CHROMIUM"):
        return shutil.which(named) or ""
    return next((found for found in map(shutil.which, BROWSERS) if found), "")


def environment_of_tests(caller: Mapping[str, str], on_postgres: Service) -> dict[str, str]:
    """The caller's environment without the settings of a running shop."""
    unwanted = {*OF_THE_SHOP, *GIVEN_PER_STEP}
    kept = {name: value for name, value in caller.items() if name not in unwanted and not name.startswith(OF_THE_SHOP_BEGINNING_WITH)}
    servers = {"TEST_POSTGRES_URL": on_postgres.url} if on_postgres.url else {}
    if on_postgres.programs:  # backups are made by programs as new as the server
        servers["PATH"] = f"{on_postgres.programs}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return {**kept, "APP_ENV": "test", **servers}


def run_step(step: Step, environment: Mapping[str, str], folder: Path) -> Outcome:
    """Run one check with its output shown as it comes, and count what came out; a few failed tests are asked again."""
    title = f"{step.name} on {step.engine}" if step.engine else step.name
    say(f"\n=== {title} " + "=" * max(100 - len(title), 3))
    if step.skip:
        say(f"skipped: {step.skip}")
        outcome = Outcome(step.name, step.engine)
        outcome.skipped[step.skip] += 1
        return outcome
    outcome = attempt(step, title, environment, folder)
    again = failed_tests(cache_of(step, folder)) if step.engine and outcome.failed else []
    if again and len(again) == outcome.failed <= LOOKED_AT_AGAIN:
        look_again(step, again, outcome, environment, folder)
    return outcome


def look_again(step: Step, tests: list[str], outcome: Outcome, environment: Mapping[str, str], folder: Path) -> None:
    """Ask the few tests that failed once more, by themselves. What passes now is unsteady: told by name, but no failure.

    With ten thousand tests on two busy cores, one that meets real time now and then fails; a fault of the code fails alone as well."""
    title = f"once more, {step.name} on {step.engine}"
    say(f"\n=== {title} " + "=" * max(100 - len(title), 3))
    alone = replace(step, command=[*pytest_command(step.engine), *tests])
    second = attempt(alone, title, environment, folder)
    outcome.seconds += second.seconds
    if second.passed == len(tests) and not second.failed:
        outcome.passed, outcome.failed, outcome.unsteady = outcome.passed + len(tests), 0, tests


def attempt(step: Step, title: str, environment: Mapping[str, str], folder: Path) -> Outcome:
    """Run the command of a step once."""
    report = folder / f"{title.replace(' ', '-').replace(',', '')}.xml"
    options = [f"--junitxml={report}", "-o", "junit_family=xunit2", "-o", f"cache_dir={cache_of(step, folder)}"] if step.engine else []
    started = time.monotonic()
    code, in_time = run_limited([*step.command, *options], {**environment, **present(step.extra)}, step.limit)
    seconds = time.monotonic() - started
    say(f"--- {title}: {seconds:.1f} s, exit code {code}")
    if step.engine:
        outcome = outcome_of_pytest(step.name, step.engine, code, seconds, report)
    else:
        outcome = outcome_of_check(step.name, code, seconds)
    if not in_time:
        outcome.failed = max(outcome.failed, 1)
        outcome.note = f"stopped after {step.limit / MINUTE:.0f} minutes"
    return outcome


def cache_of(step: Step, folder: Path) -> Path:
    """Where pytest remembers what failed in a step."""
    return folder / f"{step.name}-{step.engine}.cache".replace(" ", "-")


def present(values: Mapping[str, str]) -> dict[str, str]:
    """Without what is empty."""
    return {name: value for name, value in values.items() if value}


def run_limited(command: Sequence[str], environment: Mapping[str, str], limit: float) -> tuple[int, bool]:
    """Run a command to its end, or interrupt it after `limit` seconds. Returns its exit code and whether it ended in time."""
    try:
        process = subprocess.Popen(command, cwd=ROOT, env=dict(environment), stdin=subprocess.DEVNULL)
    except OSError as error:
        say(f"cannot start: {error}")
        return 127, True
    try:
        return process.wait(limit), True
    except subprocess.TimeoutExpired:
        return end(process, signal.SIGINT), False
    except BaseException:
        end(process, signal.SIGTERM)
        raise


def end(process: subprocess.Popen[bytes], how: signal.Signals) -> int:
    """Ask a process to end, and make sure that it does."""
    process.send_signal(how)
    try:
        return process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def run_all(words: Sequence[str], *, fast: bool, nothing_may_be_skipped: bool) -> int:
    """Run what was asked for and print the table. Returns the exit code."""
    outcomes: list[Outcome] = []
    interrupted = False
    browser = find_browser(os.environ)
    with tempfile.TemporaryDirectory(prefix="linli-test-") as name, broken_off_by_sigterm():
        try:
            outcomes += [run_step(step, os.environ, Path(name)) for step in (quick_steps() if words else static_steps())]
            with postgres(os.environ) as on_postgres, redis(os.environ) as with_redis:
                say(f"\nPostgreSQL: {on_postgres.note}\nRedis: {with_redis.note}\nChromium: {browser or 'none'}")
                if words:
                    steps = chosen_steps(words, on_postgres, with_redis, browser)
                else:
                    steps = suite_steps(on_postgres, with_redis, browser, fast=fast)
                cities = Path(name) / "cities"
                environment = {**environment_of_tests(os.environ, on_postgres), "TEST_CITIES": str(cities)}
                try:
                    for step in steps:
                        outcomes.append(run_step(step, environment, Path(name)))
                finally:
                    run_limited([venv_command("python"), "-m", "tests.support.cities", str(cities)], environment, MINUTE)
        except KeyboardInterrupt:
            interrupted = True
    if words:
        forgive_tests_of_one_engine(outcomes)
    if nothing_may_be_skipped:
        for outcome in outcomes:
            refuse_skips(outcome)
    say("\n=== result " + "=" * 94)
    say("\n".join(summary(outcomes, left_out=("browser journeys", "races and kills", "load and faults") if fast and not words else ())))
    if interrupted:
        say("interrupted: what is not in the table did not run")
        return 130
    return 1 if any(outcome.failed for outcome in outcomes) or not any(outcome.passed for outcome in outcomes) else 0


def forgive_tests_of_one_engine(outcomes: list[Outcome]) -> None:
    """Chosen tests may all belong to one engine: finding none on the other is no skip worth naming."""
    if any(outcome.passed or outcome.failed for outcome in outcomes):
        for outcome in outcomes:
            outcome.skipped.pop("there is no such test", None)


@contextmanager
def broken_off_by_sigterm() -> Iterator[None]:
    """Let SIGTERM break off the run in the same good order as Ctrl-C."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def main(arguments: list[str]) -> int:
    """The command."""
    if "-h" in arguments or "--help" in arguments:
        say(USAGE)
        return 0
    words = [word for word in arguments if word != "--fast"]
    try:
        set_up(development=True)
    except CannotContinue as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    nothing_may_be_skipped = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
    return run_all(words, fast="--fast" in arguments, nothing_may_be_skipped=nothing_may_be_skipped)
