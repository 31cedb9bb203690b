"""One app per worker, one engine per run (`--engine`), a clean database per test.

Every test may use the database: an app context is always pushed, and `client` answers each request in a context of its
own, so that nobody's sign-in or session leaks from the test into a request or from one client to another.
"""

from __future__ import annotations

import contextvars
import os
import re
import shutil
import uuid
from collections.abc import Generator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask, has_app_context
from flask.testing import FlaskClient
from flask_migrate import upgrade
from playwright.sync_api import Browser

from config import Config, engine_url
from shop import create_app
from shop.kernel import clock, db, memory
from shop.platform import health
from tests.support.browsing import chromium, running_browser
from tests.support.described import hold_answers_against_description
from tests.support.escaped import hold_pages_to_escaping
from tests.support.factories import Factories
from tests.support.gateways import RecordingSms
from tests.support.money import books_hold
from tests.support.provider import CardProvider, card_provider
from tests.support.sealed import DATA_KEYS, LOOKUP_KEY


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", choices=("sqlite", "postgresql"), default="sqlite", help="the database engine of this run")
    parser.addoption("--moment", default=USUAL_MOMENT, help="when this run begins, on the city's wall clock; 'now' for the real time")


USUAL_MOMENT = "2026-11-18T10:07"
"""A morning in the middle of a week and of a month, so that no test passes by day and fails by night, or on a first."""

STARTED = datetime.now(UTC)


def ahead(config: pytest.Config) -> timedelta:
    """How far the clock of this run is ahead of the real one."""
    named = str(config.getoption("--moment"))
    return timedelta(0) if named == "now" else datetime.fromisoformat(named).replace(tzinfo=clock.BUSINESS_ZONE) - STARTED


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test, with the fixtures it is the first to ask for, at the moment of the run. Slow tests, journeys and those that say so
    meet other processes, which have the real time only; so these have it too."""
    if any(item.get_closest_marker(name) for name in ("slow", "browser", "alone", "real_time")):
        return (yield)
    with time_machine.travel(datetime.now(UTC) + ahead(item.config), tick=True):
        return (yield)


PAGES = Path(__file__).with_name("web")


def runs_once(item: pytest.Item) -> bool:
    """Pages ask through queries and operations that have tests on both engines, and `growth` looks at every list on both."""
    if item.get_closest_marker("both_engines"):
        return False
    return item.get_closest_marker("one_engine") is not None or PAGES in item.path.parents


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--engine") == "postgresql":
        once = [item for item in items if runs_once(item)]
        config.hook.pytest_deselected(items=once)
        items[:] = [item for item in items if item not in once]


class IsolatedClient(FlaskClient):
    """A browser: each request runs in an empty context, as on a server."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        if has_app_context():  # not while a redirect is followed
            db.database.session.rollback()
        return contextvars.Context().run(super().open, *args, **kwargs)


class TestDatabase:
    """A database of this run with the newest schema, emptied between tests."""

    __test__ = False

    def __init__(self, url: str, empty: Any) -> None:
        self.url = url
        self.empty = empty


def make_config(url: str, **settings: Any) -> Config:
    return Config(
        **{
            "APP_ENV": "test", "TESTING": True, "DATABASE_URL": url, "SECRET_KEY": "tests only, never anywhere else",
            "DATA_KEYS": DATA_KEYS, "LOOKUP_KEY": LOOKUP_KEY,
            "WTF_CSRF_ENABLED": False, "PUBLIC_URL": "http://localhost", "STRIPE_SECRET_KEY": "sk_test_linli",
            "STRIPE_WEBHOOK_SECRET": "whsec_tests", "STRIPE_API_BASE": "http://127.0.0.1:1", "BILLER_API_BASE": "http://127.0.0.1:1",
            "BILLER_API_KEY": "demo-biller-key", "SMS_API_BASE": "http://127.0.0.1:1", "SMS_API_KEY": "demo-sms-key",
            **settings,
        }
    )


def server_url() -> sa.URL:
    named = os.environ.get("TEST_POSTGRES_URL")
    if not named:
        pytest.fail("PostgreSQL tests need TEST_POSTGRES_URL; script/test starts a server and sets it")
    return sa.make_url(engine_url(named))


def execute_on_server(statement: str) -> None:
    url = server_url().set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


@pytest.fixture(scope="session")
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(request.config.getoption("--engine"))


@pytest.fixture(scope="session")
def database_url(engine_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where this worker's database is."""
    if engine_name == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('database') / 'linli.db'}"
        return
    name = f"linli_test_{uuid.uuid4().hex[:12]}"
    execute_on_server(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    yield server_url().set(database=name).render_as_string(hide_password=False)
    execute_on_server(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def app(database_url: str) -> Iterator[Flask]:
    made = create_app(make_config(database_url))
    made.test_client_class = IsolatedClient
    health.GOOD_FOR = 0.0  # whoever asks looks anew
    made.extensions["sms"] = RecordingSms()
    hold_answers_against_description(made)
    hold_pages_to_escaping(made)
    with made.app_context():
        upgrade()
        if database_url.startswith("sqlite"):
            checkpoint(made)
            shutil.copyfile(sqlite_file(database_url), sqlite_file(database_url).with_suffix(".empty"))
        else:
            remember_touched_tables(made)
    yield made
    with made.app_context():
        dispose(made)


def dispose(app: Flask) -> None:
    db.database.session.remove()
    for engine in db.database.engines.values():
        engine.dispose()


def checkpoint(app: Flask) -> None:
    with db.database.engines[None].connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    dispose(app)


def sqlite_file(url: str) -> Path:
    return Path(str(sa.make_url(url).database))


def remember_touched_tables(app: Flask) -> None:
    touched: set[str] = app.extensions.setdefault("touched_tables", set())

    @sa.event.listens_for(db.database.engines[None], "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        touched.update(re.findall(r"INSERT INTO (\w+)", statement))


def empty_database(app: Flask, url: str) -> None:
    """Put the database back to the empty schema."""
    if url.startswith("sqlite"):
        dispose(app)
        place = sqlite_file(url)
        for suffix in ("-wal", "-shm"):
            Path(f"{place}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(place.with_suffix(".empty"), place)
        return
    db.database.session.remove()
    touched: set[str] = app.extensions["touched_tables"]
    if touched:
        statements = "; ".join(["SET LOCAL session_replication_role = replica", *(f"DELETE FROM {name}" for name in sorted(touched))])
        with db.database.engines[None].begin() as connection:
            connection.exec_driver_sql(statements)
        touched.clear()


@pytest.fixture(autouse=True)
def _push_request_context() -> None:
    """Switches off pytest-flask's fixture of this name: one context for a whole test makes guards pass that should not."""
    return


@pytest.fixture(autouse=True)
def _clean(request: pytest.FixtureRequest) -> Iterator[None]:
    """An app context and a clean database around every test that uses the app."""
    if "app" not in request.fixturenames:
        yield
        return
    app: Flask = request.getfixturevalue("app")
    app.extensions["sms"] = RecordingSms()
    with app.app_context():
        try:
            yield
        finally:
            clock.share_shift(None)
            memory.forget()
            db.database.session.remove()
            empty_database(app, app.config["DATABASE_URL"])


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser nobody is signed in on, reading English."""
    made = app.test_client()
    made.set_cookie("locale", "en")
    return made


@pytest.fixture
def make(app: Flask) -> Factories:
    """Words that put rows there."""
    return Factories(app)


@pytest.fixture
def sms(app: Flask) -> RecordingSms:
    """The text messages that were sent."""
    recorded: RecordingSms = app.extensions["sms"]
    return recorded


@pytest.fixture
def stripe(app: Flask) -> Iterator[CardProvider]:
    """The card provider, in a thread of this test."""
    with card_provider(app) as provider:
        yield provider


@pytest.fixture
def books_hold_afterwards(app: Flask) -> Iterator[None]:
    """Whatever happens in the test, the books hold after it."""
    yield
    books_hold()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this process."""
    if not chromium():
        pytest.skip("no Chromium: CHROMIUM is not set, and none is on this machine")
    with running_browser() as made:
        yield made
