"""The whole house as processes: web, worker and the stand-ins, on free ports around a database of their own.

`with running_house(template) as house:` then `house.advance(minutes=2)`, `house.restart("web", crash_at=...)`, `house.verify()`.
A house has its own instance folder, so its clock can be moved without anybody else noticing. Whatever it started it stops, by id.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import requests
import sqlalchemy as sa
from flask import Flask

from config import engine_url
from script.support.processes import Child, Program
from script.support.services import free_port, listens
from shop.kernel.db import Base
from simulators.biller.channel import Channel
from tests.support.cities import SECRET, Template, flask, plain_environment, set_clock
from tests.support.sealed import DATA_KEYS, LOOKUP_KEY

T = TypeVar("T")

READY_WITHIN = 120.0
NAMES = ("web", "stripe", "biller", "sms")


class DidNotHappen(AssertionError):
    """Something awaited did not come in time."""


def others_write(app: Flask) -> None:
    """A process of its own writes into the database of this test: all of it is emptied afterwards, not only what was written here."""
    app.extensions.setdefault("touched_tables", set()).update(Base.metadata.tables)


def wait_until(look: Callable[[], T], seconds: float = 10.0, what: str = "", every: float = 0.1) -> T:
    """The first true answer of `look`, or `DidNotHappen` with the last one."""
    deadline = time.monotonic() + seconds
    while True:
        answer = look()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise DidNotHappen(f"{what or 'it'} did not happen within {seconds:g} s; last seen: {answer!r}")
        time.sleep(every)


def utc(value: Any) -> datetime:
    """A time out of the database, which SQLite keeps as text."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


@dataclass
class House:
    """One running shop with everything around it."""

    folder: Path
    database_url: str
    workers: int = 1
    settings: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    children: dict[str, Child] = field(default_factory=dict)
    said: deque[str] = field(default_factory=lambda: deque(maxlen=400))
    armed: dict[str, str] = field(default_factory=dict)
    shift: timedelta = timedelta(0)
    codes_asked: dict[str, list[datetime]] = field(default_factory=dict)
    totp_steps: dict[str, int] = field(default_factory=dict)
    totp_secret: str = ""  # of everybody in a city that other code filled

    def __post_init__(self) -> None:
        while len(set(self.ports.values())) < len(NAMES):
            self.ports = {name: free_port() for name in NAMES}
        self.engine = sa.create_engine(engine_url(self.database_url), poolclass=sa.NullPool)
        self.web = requests.Session()
        self.web.trust_env = False
        self.biller = Channel(self.address("biller"))

    # --- where things are, and how they are set up ---

    def address(self, name: str = "web") -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **plain_environment(),
            "APP_ENV": "development", "DATABASE_URL": self.database_url, "INSTANCE_PATH": str(self.folder),
            "SECRET_KEY": SECRET, "DATA_KEYS": DATA_KEYS, "LOOKUP_KEY": LOOKUP_KEY, "PUBLIC_URL": self.address(),
            "STRIPE_SECRET_KEY": "sk_test_linli", "STRIPE_WEBHOOK_SECRET": "whsec_tests", "STRIPE_API_BASE": self.address("stripe"),
            "BILLER_API_BASE": self.address("biller"), "BILLER_API_KEY": "demo-biller-key", "BILLER_TIMEOUT_SECONDS": "2",
            "BILLER_SETTLE_SECONDS": "2", "SMS_API_BASE": self.address("sms"), "SMS_API_KEY": "demo-sms-key", **self.settings,
        }  # fmt: skip

    # --- starting, stopping, killing ---

    def start(self) -> None:
        """Start everything and wait until the shop serves."""
        (self.folder / "simulators").mkdir(exist_ok=True)
        extra = {"stripe": ["--webhook-url", f"{self.address()}/webhooks/stripe"], "biller": ["--speed", "fast"], "sms": []}
        for name, more in extra.items():
            data = str(self.folder / "simulators" / f"{name}.db")
            self.run(name, [sys.executable, "-m", f"simulators.{name}", "--port", str(self.ports[name]), "--data", data, *more])
        self.start_worker(wait=False)
        self.start_web()
        for name in extra:
            wait_until(lambda name=name: self.is_up(name), READY_WITHIN, f"{name} answering")
        self.wait_for_line("worker", "worker ready")

    def run(self, name: str, command: list[str], **more: str) -> Child:
        """Start one program under a name."""
        program = Program(name, command, {**self.environment, **more})
        child = self.children[name] = Child(program, lambda who, line: self.said.append(f"{who}: {line}"))
        return child

    def start_web(self, crash_at: str = "", workers: int | None = None) -> None:
        """Start the web server and wait until it serves."""
        command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.ports['web']}"]
        command += ["--workers", str(workers or self.workers), "--graceful-timeout", "5"]
        self.run("web", [*command, "wsgi:app"], CRASH_AT=crash_at)
        wait_until(self.is_ready, READY_WITHIN, "the shop serving")

    def start_worker(self, crash_at: str = "", wait: bool = True) -> None:
        """Start the worker; with `wait`, until it says that it works."""
        self.said.append("worker: --- started ---")
        self.run("worker", [sys.executable, "-m", "flask", "--app", "wsgi", "jobs", "run"], CRASH_AT=crash_at)
        if wait:
            self.wait_for_line("worker", "worker ready")

    def wait_for_line(self, name: str, words: str) -> None:
        def seen() -> bool:
            for line in reversed(list(self.said)):
                if line == f"{name}: --- started ---":
                    return False
                if line.startswith(f"{name}: ") and words in line:
                    return True
            return False

        wait_until(lambda: seen() or self.children[name].has_ended(), READY_WITHIN, f"{name} saying {words!r}", every=0.05)

    def is_up(self, name: str) -> bool:
        assert not self.children[name].has_ended(), f"{name} ended by itself:\n{self.last_words()}"
        return listens(self.ports[name])

    def is_ready(self) -> bool:
        assert not self.children["web"].has_ended(), f"web ended by itself:\n{self.last_words()}"
        try:
            return self.web.get(f"{self.address()}/readyz", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def kill(self, name: str) -> None:
        """kill -9 of a program and everything it had started."""
        child = self.children.pop(name)
        if child.process.poll() is None:
            os.killpg(child.process.pid, signal.SIGKILL)
        child.bury()

    def has_died(self, name: str) -> bool:
        """Whether the program died by SIGKILL; of the web server, one of its workers (the server itself would start another)."""
        if name == "web":
            return any("SIGKILL" in line for line in self.said if line.startswith("web: "))
        child = self.children[name]
        return child.has_ended() and child.process.wait() == -signal.SIGKILL

    def restart(self, name: str, crash_at: str = "") -> None:
        """kill -9, then start again, dying at `crash_at` when that is given."""
        if name in self.children:
            self.kill(name)
        for line in [line for line in self.said if line.startswith(f"{name}: ")]:
            self.said.remove(line)
        self.armed[name] = crash_at
        if name == "web":
            self.start_web(crash_at, workers=1 if crash_at else None)
        else:
            self.start_worker(crash_at)

    def stop(self) -> None:
        """Stop what was started: the shop first, then the stand-ins."""
        self.web.close()
        self.engine.dispose()
        for names in (("web", "worker"), ("stripe", "biller", "sms")):
            group = [self.children.pop(name) for name in names if name in self.children]
            for child in group:
                child.ask_to_stop()
            for child in group:
                child.wait(6)
                child.bury()

    def last_words(self, count: int = 60) -> str:
        return "\n".join(list(self.said)[-count:])

    # --- looking inside ---

    def flask(self, *words: str, may_fail: bool = False) -> subprocess.CompletedProcess[str]:
        return flask(self.environment, *words, may_fail=may_fail)

    def verify(self) -> list[dict[str, Any]]:
        """The invariants that do not hold now."""
        done = self.flask("verify", "--json", may_fail=True)
        try:
            found: list[dict[str, Any]] = json.loads(done.stdout)["broken"]
        except ValueError:
            raise AssertionError(f"flask verify did not answer:\n{done.stdout[-1000:]}\n{done.stderr[-3000:]}") from None
        assert (done.returncode == 0) == (not found)
        return found

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """What is in the database now."""
        with self.engine.connect() as connection:
            return list(connection.execute(sa.text(statement), values).all())

    def number(self, statement: str, **values: Any) -> int:
        """One number out of the database; nothing counts as 0."""
        found = self.rows(statement, **values)
        return int(found[0][0] or 0) if found else 0

    def unfinished_jobs(self) -> list[str]:
        """Kinds of jobs to be done now or in the next minutes; those that come round by themselves are left out."""
        waiting = self.rows("SELECT kind, run_at FROM jobs WHERE state IN ('queued', 'running') AND dedupe_key NOT LIKE '%@%'")
        soon = self.now() + timedelta(minutes=3)
        return [row.kind for row in waiting if utc(row.run_at) < soon]

    def settle(self, seconds: float = 20.0) -> None:
        """Wait until the worker has nothing left to do."""
        left: list[str] = []

        def is_done() -> bool:
            left[:] = self.unfinished_jobs()
            return not left

        try:
            wait_until(is_done, seconds, "the end of all jobs")
        except DidNotHappen as late:
            raise DidNotHappen(f"{late}; left: {left}") from None

    # --- time ---

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def advance(self, **ahead: float) -> None:
        """Move the shop's clock (the providers keep theirs); every process follows within half a second."""
        self.shift += timedelta(**ahead)
        set_clock(self.folder, self.shift)
        time.sleep(0.6)

    def hurry(self, look: Callable[[], T], what: str, step: float = 20.0, seconds: float = 40.0) -> T:
        """As `wait_until`, with the shop's clock moved on meanwhile, `step` seconds at a time."""

        def after_a_while() -> T:
            found = look()
            if not found:
                self.advance(seconds=step)
            return found

        return wait_until(after_a_while, seconds, what)

    # --- the stand-ins ---

    def messages(self, phone: str) -> list[dict[str, Any]]:
        """Text messages to a number, newest first."""
        answer = self.web.get(
            f"{self.address('sms')}/messages", params={"phone": phone}, headers={"X-Sms-Key": "demo-sms-key"}, timeout=10
        )
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    def make_room_for_code(self, phone: str) -> int:
        """Let the time pass that lies between two codes of a number, and between four; how many messages it has had so far."""
        asked = self.codes_asked.setdefault(phone, [])
        waits = [timedelta(seconds=61) - (self.now() - before) for before in asked[-1:]]
        waits += [timedelta(hours=1, seconds=1) - (self.now() - before) for before in asked[-4:-3]]
        if (wait := max(waits, default=timedelta(0))) > timedelta(0):
            self.advance(seconds=wait.total_seconds())
        asked.append(self.now())
        return len(self.messages(phone))

    def new_code(self, phone: str, before: int) -> str:
        """The code of the first message after the `before` ones."""

        def code() -> str | None:
            found = self.messages(phone)
            return found[0]["code"] if len(found) > before else None

        return str(wait_until(code, 40, f"a code for {phone}"))

    def stripe(self, path: str = "", **changes: Any) -> dict[str, Any]:
        """Set the card provider's switches, or (`flush`, `expire`) make it do something."""
        answer = self.web.post(f"{self.address('stripe')}/_control{path}", json=changes, timeout=30)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def stripe_books(self) -> dict[str, Any]:
        """What the card provider charged and gave back, by our reference of the payment."""
        answer = self.web.get(f"{self.address('stripe')}/_control/books", timeout=30)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def stripe_log(self) -> list[dict[str, Any]]:
        """The calls the card provider has had."""
        answer = self.web.get(f"{self.address('stripe')}/_control/log", timeout=30)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["requests"]
        return found

    def pay_by_card(self, page: str, card: str = "4242 4242 4242 4242") -> None:
        """Pay on the provider's page as a browser would that does not come back."""
        answer = self.web.post(f"{page}/card", data={"number": card, "expiry": "12 / 34", "cvc": "123"}, allow_redirects=False, timeout=20)
        assert answer.status_code in {302, 303}, answer.text[:500]


@contextmanager
def running_house(template: Template, folder: Path, workers: int = 1, **settings: str) -> Iterator[House]:
    """A house around a fresh copy of the demo city, for the length of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    media = template.folder / "media"
    if media.exists():
        with suppress(FileExistsError):
            (folder / "media").symlink_to(media)
    url = template.copy(folder)
    set_clock(folder, template.shift)
    house = House(folder, url, workers, settings, shift=template.shift)
    try:
        house.start()
        yield house
    finally:
        house.stop()
        template.drop(url)
