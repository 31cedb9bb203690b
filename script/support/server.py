"""`script/server`: set up, then run web, worker and simulators until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import get_type_hints

from config import Config, read_settings
from script.support.places import INSTANCE, flask_command, venv_command
from script.support.processes import Program
from script.support.screen import Screen, welcome
from script.support.settings import LOOPBACK, Ports, address, child_environment, kept_secret_key, read_port
from script.support.setup import set_up
from script.support.shell import CannotContinue, run_aloud, run_quietly, say
from script.support.supervisor import LOOK_EVERY, Supervisor
from script.support.watching import Watch

READY_WITHIN = 90.0
"""Seconds that the shop may take until /readyz answers."""

DEATHS_BEFORE_READY = 3
"""A program that dies this often before the shop is ready will not get better by itself."""

DESCRIPTION = "Set up and run the whole shop on this machine: web, worker, and stand-ins for Stripe, the billers and SMS."
NOTES = """environment:
  PORT=8000        where the shop listens; the stand-ins take PORT+101, +102, +103
  DATABASE_URL=    PostgreSQL or another SQLite file; by default instance/linli.db
  REDIS_URL=       sessions, limits and caches in Redis; by default in the database and in memory
  STRIPE_API_BASE=, BILLER_API_BASE=, SMS_API_BASE=
                   a real service or a stand-in of your own; ours is then not started

When a Python file, a template or a translation changes, web and worker start again by themselves (not in production).
"""


class Stopped:
    """Counts the signals that ask for the end. While `raises` holds, a signal also breaks into the step under way."""

    def __init__(self) -> None:
        self.count = 0
        self.raises = True
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup stays nohup
                signal.signal(number, self._receive)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.raises:
            raise KeyboardInterrupt


def simulator_programs(environment: Mapping[str, str], ports: Ports, instance: Path = INSTANCE) -> list[Program]:
    """The stand-ins that the settings point at. One whose address the caller named is the caller's own."""
    data = instance / "simulators"
    key = ["--key", environment.get("BILLER_API_KEY", "")]
    webhook = ["--webhook-url", address(ports.web) + "/webhooks/stripe"]  # its secret: STRIPE_WEBHOOK_SECRET
    wanted: tuple[tuple[str, str, int, list[str]], ...] = (
        ("stripe", "STRIPE_API_BASE", ports.stripe, webhook),
        ("biller", "BILLER_API_BASE", ports.biller, key),
        ("sms", "SMS_API_BASE", ports.sms, []),
    )
    return [
        Program(
            name,
            [venv_command("python"), "-m", f"simulators.{name}", "--port", str(port), "--data", str(data / f"{name}.db"), *more],
            environment,
        )
        for name, setting, port, more in wanted
        if environment.get(setting) == address(port)
    ]


def shop_programs(environment: Mapping[str, str], ports: Ports) -> list[Program]:
    """The worker and the web server."""
    web = [venv_command("python"), "-m", "gunicorn", "--bind", f"{LOOPBACK}:{ports.web}", "wsgi:app"]  # the rest: gunicorn.conf.py
    return [Program("worker", flask_command("jobs", "run"), environment), Program("web", web, environment)]


def refuse_taken_ports(ports: Ports, simulators: list[Program]) -> None:
    """Raise `CannotContinue` when somebody else listens where we want to, before anything is started."""
    wanted = {"web": ports.web, "stripe": ports.stripe, "biller": ports.biller, "sms": ports.sms}
    for name in ["web", *(program.name for program in simulators)]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, wanted[name]))
            except OSError as error:
                hint = f"PORT={ports.web + 1000} script/server uses others."
                raise CannotContinue(f"Port {wanted[name]} ({name}) cannot be used: {error.strerror}. {hint}") from error


def refuse_unreadable(environment: Mapping[str, str]) -> None:
    """Raise `CannotContinue` when a setting is not what the shop can read, before minutes are spent on setting up."""
    _, problems = read_settings(get_type_hints(Config), environment)
    if problems:
        raise CannotContinue("Linli cannot start:\n" + "\n".join(f"- {line}" for line in problems))


def is_ready(ports: Ports) -> bool:
    """True when the shop says that it can serve."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(address(ports.web) + "/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError, urllib.error.URLError):
        return False


def prepare_data(environment: Mapping[str, str], *, demo: bool) -> None:
    """Bring the schema up to date and, in an empty shop, make the demo data."""
    run_quietly(flask_command("db", "upgrade"), "Bringing the database up to date", environment=environment)
    if demo:
        run_aloud(flask_command("seed", "demo", "--if-empty"), "Making the demo data", environment=environment)


def run_until_stopped(environment: Mapping[str, str], ports: Ports, stopped: Stopped, *, demo: bool) -> int:
    """Start everything, keep it running, and stop it all when asked to. Returns the exit code."""
    screen = Screen()
    supervisor = Supervisor(screen.line, lambda text: screen.line("server", text))
    simulators = simulator_programs(environment, ports)
    stopped.raises = False
    (INSTANCE / "simulators").mkdir(parents=True, exist_ok=True)
    try:
        for program in [*simulators, *shop_programs(environment, ports)]:
            supervisor.start(program)
        deadline = time.monotonic() + READY_WITHIN
        ready = False
        watch = Watch() if environment.get("APP_ENV") == "development" else None
        while not stopped.count:
            supervisor.look()
            if watch and (changed := watch.changed()):
                screen.line("server", f"{changed[0]}{' and others' if len(changed) > 1 else ''} changed; web and worker start again")
                supervisor.begin_anew(("web", "worker"))
            if not ready:
                ready = is_ready(ports)
                if ready:
                    screen.block(welcome(ports, simulators=[program.name for program in simulators], demo=demo))
                elif supervisor.most_deaths() >= DEATHS_BEFORE_READY or time.monotonic() > deadline:
                    screen.line("server", "the shop does not get ready; what went wrong is above")
                    return 1
            time.sleep(LOOK_EVERY)
        return 0
    finally:
        screen.line("server", "stopping ...")
        before = stopped.count
        supervisor.stop(names_last=[program.name for program in simulators], is_urgent=lambda: stopped.count > max(before, 1))
        screen.line("server", "everything is stopped")


def main(arguments: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="script/server", description=DESCRIPTION, epilog=NOTES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--empty", action="store_true", help="leave out the demo data")
    chosen = parser.parse_args(arguments)
    stopped = Stopped()
    try:
        ports = read_port(os.environ)
        environment = child_environment(os.environ, ports, secret_key=kept_secret_key())
        refuse_unreadable(environment)
        if environment["APP_ENV"] == "production":
            raise CannotContinue("script/server is for development: it sets demo keys. docs/operations tells how to run in production.")
        refuse_taken_ports(ports, simulator_programs(environment, ports))
        set_up(development=False)
        say("Preparing the database ...")
        prepare_data(environment, demo=not chosen.empty)
        return run_until_stopped(environment, ports, stopped, demo=not chosen.empty)
    except CannotContinue as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
