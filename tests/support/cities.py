"""The demo city's database, made once per run and copied for every house; and running commands of the checkout.

What waits at the counters of the demo city depends on the hour it is looked at. So that a test finds the same whenever it runs,
the city of the tests is made in the middle of a morning, with the clock moved on to it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path

import sqlalchemy as sa

from config import engine_url
from script.support.places import ROOT
from shop.kernel.clock import BUSINESS_ZONE
from tests.support.sealed import DATA_KEYS, LOOKUP_KEY

SETTINGS_OF_A_SHOP = (
    "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DATA_KEYS", "LOOKUP_KEY", "PUBLIC_URL", "PORT", "APP_ENV", "CRASH_AT", "TESTING",
    "INSTANCE_PATH",
)  # fmt: skip
SECRET = "a house of tests, gone when they are over, and known to nobody"
MORNING = time_of_day(10, 0)
LONGEST_RUN = timedelta(hours=3)
PREFIXES_OF_A_SHOP = ("STRIPE_", "BILLER_", "SMS_", "FLASK_")


@dataclass
class Template:
    """A database with the demo city in it, made once and copied for every house. `server` is empty on SQLite.

    `shift` is how far the city's clock is ahead of the real one.
    """

    folder: Path
    url: str
    server: str = ""
    shift: timedelta = timedelta(0)

    def copy(self, folder: Path) -> str:
        """The address of a fresh copy of the demo city."""
        if not self.server:
            shutil.copyfile(self.folder / "linli.db", folder / "linli.db")
            return f"sqlite:///{folder / 'linli.db'}"
        source = sa.make_url(self.url)
        name = f"{source.database}_{uuid.uuid4().hex[:8]}"
        on_server(self.server, f"CREATE DATABASE {name} TEMPLATE {source.database}")
        return source.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Remove a copy; SQLite files go with their folder."""
        if self.server:
            on_server(self.server, f"DROP DATABASE IF EXISTS {sa.make_url(url).database} WITH (FORCE)")


def on_server(server: str, statement: str) -> None:
    """Run one statement outside any transaction on a PostgreSQL server."""
    engine = sa.create_engine(engine_url(server), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


@contextmanager
def template_of_the_run(folder: Path, server: str, pictures: bool) -> Iterator[Template]:
    """The demo city of all the processes and steps of one `script/test`, made by whoever comes first (`TEST_CITIES` is their folder).

    For a single pytest it is made in `folder`, and gone afterwards. Whoever comes later finds the time of day at which it was made.
    """
    together = os.environ.get("TEST_CITIES")
    if not together:
        made = make_template(folder, server, pictures)
        yield made
        made.drop(made.url)
        return
    place = Path(together) / f"{'postgresql' if server else 'sqlite'}{'-with-pictures' if pictures else ''}"
    place.mkdir(parents=True, exist_ok=True)
    facts = place / "city.json"
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not facts.exists():
            made = make_template(place, server, pictures)
            facts.write_text(json.dumps({"url": made.url, "server": server, "moment": (datetime.now(UTC) + made.shift).isoformat()}))
    known = json.loads(facts.read_text())
    yield Template(place, known["url"], known["server"], datetime.fromisoformat(known["moment"]) - datetime.now(UTC))


def drop_templates(together: Path) -> None:
    """Remove the cities of a run from the servers they are on; their folder is removed by whoever made it."""
    for facts in together.glob("*/city.json"):
        known = json.loads(facts.read_text())
        Template(facts.parent, known["url"], known["server"]).drop(known["url"])


def make_template(folder: Path, server: str = "", pictures: bool = True, code: Path = ROOT) -> Template:
    """Migrate and seed a database in `folder`, or on a PostgreSQL server, by the code of this checkout or of another folder."""
    folder.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{folder / 'linli.db'}"
    if server:
        name = f"linli_house_{uuid.uuid4().hex[:12]}"
        on_server(server, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        url = sa.make_url(engine_url(server)).set(database=name).render_as_string(hide_password=False)
    template = Template(folder, url, server, until_morning())
    set_clock(folder, template.shift)
    environment = {
        **plain_environment(), "DATABASE_URL": url, "INSTANCE_PATH": str(folder), "APP_ENV": "development", "SECRET_KEY": SECRET,
        "DATA_KEYS": DATA_KEYS, "LOOKUP_KEY": LOOKUP_KEY,
    }  # fmt: skip
    try:
        python(environment, "-m", "flask", "--app", "wsgi", "db", "upgrade", code=code)
        python(environment, "-m", "tests.support.seeding", *(["--pictures"] if pictures else []), code=code)
    except BaseException:
        template.drop(url)
        raise
    if not server:
        engine = sa.create_engine(url)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
    return template


def until_morning() -> timedelta:
    """How long it is from now to the city's next morning; long enough that a later copy, put back to it, is not behind the real time."""
    now = datetime.now(UTC).astimezone(BUSINESS_ZONE)
    morning = datetime.combine(now.date(), MORNING, BUSINESS_ZONE)
    while morning - now < LONGEST_RUN:
        morning += timedelta(days=1)
    return morning - now


def set_clock(folder: Path, shift: timedelta) -> None:
    """Have the shop of an instance folder live `shift` ahead of the real time; its processes follow within half a second."""
    waiting = folder / "clock.waiting"
    waiting.write_text(str(shift.total_seconds()))
    waiting.replace(folder / "clock")


def plain_environment() -> dict[str, str]:
    """The environment of this test run without anything that sets up a shop."""
    kept = {
        name: value for name, value in os.environ.items() if name not in SETTINGS_OF_A_SHOP and not name.startswith(PREFIXES_OF_A_SHOP)
    }
    return {**kept, "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost", "PYTHONUNBUFFERED": "1"}


def flask(environment: dict[str, str], *words: str, may_fail: bool = False) -> subprocess.CompletedProcess[str]:
    """Run one `flask` command to its end."""
    return python(environment, "-m", "flask", "--app", "wsgi", *words, may_fail=may_fail)


def python(environment: dict[str, str], *words: str, may_fail: bool = False, code: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run one program of the checkout, or of another one, to its end."""
    command = [sys.executable, *words]
    done = subprocess.run(command, cwd=code, env=environment, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode and not may_fail:
        raise AssertionError(f"{' '.join(words)} failed ({done.returncode}):\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done


if __name__ == "__main__":  # `python -m tests.support.cities FOLDER`, at the end of `script/test`
    drop_templates(Path(sys.argv[1]))
