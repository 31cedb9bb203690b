"""`script/release`: put a prepared release into service while the one before it serves, and take it back when it does not get ready.

    1. the database is brought forward (the release before it goes on: docs/recipes/migration.md)
    2. `current` points here
    3. the worker is restarted, so that whatever the new pages ask for is known to somebody
    4. one web instance after the other is restarted, the next only when this one is ready
    5. rows that the release before wrote meanwhile get the keys it does not know: `flask scale fill-keys`
    6. `flask verify` looks at the books

When something of 3 or 4 does not come up, `current` points back, and what was restarted is restarted with the release before.
A release whose migrations leave no room for the one before says so in migrations/last_release.toml; it is put in with a pause:
everything is stopped first, and nothing can be taken back but by restoring a backup.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from script.support.places import ROOT, flask_command
from script.support.probe import is_ready_within
from script.support.shell import CannotContinue, say

READY_WITHIN = 60.0
WORKER_STEADY = 3.0
"""Seconds after which a worker that still runs is taken to have started."""


class Keeper(Protocol):
    """Whoever keeps the programs running."""

    def restart(self, name: str) -> None:
        """Stop a program, wait for its end, and start it with what `current` points at. Raises `CannotContinue`."""

    def stop(self, name: str) -> None:
        """Stop a program and wait for its end. Raises `CannotContinue`."""

    def is_running(self, name: str) -> bool:
        """Whether it runs now."""


class Systemd:
    """The units of deploy/systemd, and commands as they run: as the shop's own user, with the settings of /etc/linli."""

    AS_A_UNIT = (
        "systemd-run", "--quiet", "--wait", "--pipe", "--collect", "--uid=linli", "--gid=linli",
        "--property=EnvironmentFile=/etc/linli/environment", f"--working-directory={ROOT}",
    )  # fmt: skip

    def restart(self, name: str) -> None:
        self.tell("restart", name)

    def stop(self, name: str) -> None:
        self.tell("stop", name)

    def tell(self, verb: str, name: str) -> None:
        if subprocess.run(["systemctl", verb, f"linli-{name}.service"], check=False).returncode:
            raise CannotContinue(f"systemd could not {verb} {name}: journalctl -u 'linli-{name}'")

    def run(self, words: Sequence[str]) -> None:
        """A `flask` command of the release that this script belongs to."""
        if subprocess.run([*self.AS_A_UNIT, *flask_command(*words)], check=False).returncode:
            raise CannotContinue(f"`flask {' '.join(words)}` failed; what it said is above.")

    def is_running(self, name: str) -> bool:
        return subprocess.run(["systemctl", "is-active", "--quiet", f"linli-{name}.service"], check=False).returncode == 0


@dataclass(frozen=True)
class Instance:
    """A web instance by the name its keeper knows, and where it listens."""

    name: str
    place: str


INSTANCES = tuple(Instance(f"web@{number}", f"unix:/run/linli/web-{number}/shop.sock") for number in (1, 2))


@dataclass
class Release:
    """The steps, with everything they touch. `run` runs a `flask` command of the new release and raises `CannotContinue`."""

    keeper: Keeper
    instances: Sequence[Instance]
    run: Callable[[Sequence[str]], None]
    current: Path
    new: Path
    ready_within: float = READY_WITHIN
    worker_steady: float = WORKER_STEADY
    with_a_pause: bool = False

    def put_in(self) -> None:
        """All steps. Raises `CannotContinue` with what serves now, and why."""
        if self.with_a_pause:
            say("Stopping everything ...")
            for name in (*(instance.name for instance in self.instances), "worker"):
                self.keeper.stop(name)
        say("The database ...")
        self.run(["db", "upgrade"])
        before = self.current.resolve() if self.current.is_symlink() else None
        self.point_at(self.new)
        restarted: list[str] = []
        try:
            self.restart_all(restarted)
        except CannotContinue as trouble:
            if self.with_a_pause or before is None or before == self.new.resolve():
                raise
            self.take_back(before, restarted)
            raise CannotContinue(f"{trouble}\nThe release before serves again; the database has room for both.") from trouble
        say("The keys ...")
        self.run(["scale", "fill-keys"])
        say("The books ...")
        self.run(["verify"])

    def restart_all(self, restarted: list[str]) -> None:
        """The worker, then the instances one by one; `restarted` is told of each before it is touched."""
        say("worker ...")
        restarted.append("worker")
        self.keeper.restart("worker")
        time.sleep(self.worker_steady)
        if not self.keeper.is_running("worker"):
            raise CannotContinue("The worker does not keep running.")
        for instance in self.instances:
            say(f"{instance.name} ...")
            restarted.append(instance.name)
            self.keeper.restart(instance.name)
            if not is_ready_within(instance.place, self.ready_within):
                raise CannotContinue(f"{instance.name} did not get ready within {self.ready_within:g} s.")

    def point_at(self, release: Path) -> None:
        """Let `current` lead to a release, in one step."""
        waiting = self.current.with_name(f"{self.current.name}.new")
        waiting.unlink(missing_ok=True)
        waiting.symlink_to(release.resolve())
        os.replace(waiting, self.current)

    def take_back(self, before: Path, restarted: Sequence[str]) -> None:
        """Serve the release before again: what came up last is restarted first, for it is what serves nobody."""
        self.point_at(before)
        places = {instance.name: instance.place for instance in self.instances}
        for name in reversed(restarted):
            say(f"{name}: back to the release before ...")
            self.keeper.restart(name)
            if name in places and not is_ready_within(places[name], self.ready_within):
                raise CannotContinue(f"{name} does not get ready with the release before either. See docs/operations/runbook.md.")


def reason_for_a_pause(release: Path) -> str:
    """Why a release can only be put in while the shop is stopped; empty when it need not be."""
    told = tomllib.loads((release / "migrations" / "last_release.toml").read_text(encoding="utf-8"))
    return str(told["needs_a_pause"])


def main(arguments: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="script/release", description="Put this checkout, set up before, into service without an interruption.",
        epilog="docs/operations/deploying.md tells what to prepare.",
    )  # fmt: skip
    parser.add_argument("--current", type=Path, default=Path("/srv/linli/current"), help="the link that services follow")
    parser.add_argument("--with-a-pause", action="store_true", help="stop everything first; for releases that say they need it")
    chosen = parser.parse_args(arguments)
    try:
        if (reason := reason_for_a_pause(ROOT)) and not chosen.with_a_pause:
            raise CannotContinue(f"This release needs the shop to be stopped: {reason}\nMake a backup, then --with-a-pause.")
        keeper = Systemd()
        Release(keeper, INSTANCES, keeper.run, chosen.current, ROOT, with_a_pause=chosen.with_a_pause).put_in()
    except CannotContinue as error:
        print(error, file=sys.stderr)
        return 1
    say("Released.")
    return 0
