"""A running shop with the demo city in it, for looking at: its own folder, its own free ports, gone when the block ends.

Needs the packages of requirements-dev.txt.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import sqlite3
import tempfile
import time
import urllib.parse
import urllib.request
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from config import read_data_keys, read_key
from script.support.places import flask_command
from script.support.processes import Child
from script.support.server import is_ready, shop_programs, simulator_programs
from script.support.settings import LOOPBACK, Ports, address, child_environment
from script.support.shell import CannotContinue, run_quietly, say
from shop.kernel.keys import KeyRing
from tools.wordy import lengthen

READY_WITHIN = 90.0
OF_A_SHOP = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DATA_KEYS", "LOOKUP_KEY", "PUBLIC_URL", "PORT", "APP_ENV", "INSTANCE_PATH")
KEY_FILES = ("data_key", "lookup_key")
OF_A_SHOP_BEGINNING_WITH = ("STRIPE_", "BILLER_", "SMS_", "FLASK_")


@dataclass
class City:
    """What stands and where."""

    folder: Path
    ports: Ports
    environment: dict[str, str]
    said: deque[str] = field(default_factory=lambda: deque(maxlen=200))

    @property
    def url(self) -> str:
        return address(self.ports.web)

    def ask(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """What is in the database."""
        with closing(sqlite3.connect(f"file:{self.folder / 'linli.db'}?mode=ro", uri=True)) as connection:
            return connection.execute(statement, values).fetchall()

    def phone_hash(self, phone: str) -> str:
        """What a person is found by in the database."""
        return kept_ring(self.folder).find("phone", phone)

    def messages(self, phone: str) -> list[dict[str, str]]:
        """Text messages to a number, newest first, as the SMS simulator has them."""
        query = urllib.parse.urlencode({"phone": phone})
        request = urllib.request.Request(f"{address(self.ports.sms)}/messages?{query}", headers={"X-Sms-Key": "demo-sms-key"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            found: list[dict[str, str]] = json.load(answer)
        return found


def free_ports() -> Ports:
    """Four ports that nobody uses now, in the distances the settings expect."""
    for _ in range(200):
        ports = Ports(20_000 + secrets.randbelow(20_000))
        if all(is_free(port) for port in (ports.web, ports.stripe, ports.biller, ports.sms)):
            return ports
    raise CannotContinue("No free ports were found on this machine.")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def kept_ring(folder: Path) -> KeyRing:
    """The keys that a shop in development made for itself."""
    data, lookup = ((folder / name).read_text().strip() for name in KEY_FILES)
    return KeyRing.of(read_data_keys(f"1:{data}"), read_key(lookup))


def settings_of(folder: Path, ports: Ports) -> dict[str, str]:
    """The caller's environment without the settings of a shop, completed for this one."""
    kept = {name: value for name, value in os.environ.items() if name not in OF_A_SHOP and not name.startswith(OF_A_SHOP_BEGINNING_WITH)}
    made = child_environment(kept, ports, secret_key=secrets.token_hex(32), instance=folder)
    return {**made, "INSTANCE_PATH": str(folder), "BILLER_TIMEOUT_SECONDS": "4"}


def fill(folder: Path, environment: dict[str, str]) -> None:
    """Migrate and seed, unless the folder holds a city already."""
    if (folder / "linli.db").exists():
        return
    say("Making the demo city; this takes a minute or two ...")
    run_quietly(flask_command("db", "upgrade"), "Bringing the database up to date", environment=environment)
    run_quietly(flask_command("seed", "demo"), "Making the demo data", environment=environment)


@contextmanager
def running_city(ready_made: Path | None = None, *, is_wordy: bool = False) -> Iterator[City]:
    """A shop that serves, with a fresh demo city or a copy of the one in the folder `ready_made`, which is made there if need be.

    With `is_wordy` every name and address in it is as long as they come.
    """
    ports = free_ports()
    with tempfile.TemporaryDirectory(prefix="linli-city-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        environment = settings_of(folder, ports)
        if ready_made is not None:
            ready_made.mkdir(parents=True, exist_ok=True)
            fill(ready_made, settings_of(ready_made, ports))
            with closing(sqlite3.connect(ready_made / "linli.db")) as source, closing(sqlite3.connect(folder / "linli.db")) as copy:
                source.backup(copy)
            for key in KEY_FILES:
                shutil.copy2(ready_made / key, folder / key)
            shutil.copytree(ready_made / "media", folder / "media", dirs_exist_ok=True)
        fill(folder, environment)
        if is_wordy:
            lengthen(folder / "linli.db", kept_ring(folder))
        (folder / "simulators").mkdir(exist_ok=True)
        city = City(folder, ports, environment)
        programs = [*simulator_programs(environment, ports, folder), *shop_programs(environment, ports)]
        children = [Child(program, lambda who, line: city.said.append(f"{who}: {line}")) for program in programs]
        try:
            wait_until_ready(city, children)
            yield city
        finally:
            for child in reversed(children):
                child.ask_to_stop()
            for child in reversed(children):
                child.wait(8)
                child.bury()


def wait_until_ready(city: City, children: list[Child]) -> None:
    """Return when the shop serves; `CannotContinue` with its last words when it does not."""
    deadline = time.monotonic() + READY_WITHIN
    while not is_ready(city.ports):
        if time.monotonic() > deadline or any(child.has_ended() for child in children):
            raise CannotContinue("The shop does not get ready:\n" + "\n".join(city.said))
        time.sleep(0.2)
