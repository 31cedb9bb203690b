"""A database that is away, full, busy or only to be read is told as that: 503, when to come back, no defect in the log."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from shop.cli.jobs import report
from shop.kernel.db import database, perform, reading, refuse_fault
from shop.kernel.errors import Busy, Unavailable
from shop.platform import health, outbox
from tests.conftest import dispose
from tests.support.factories import Factories

pytestmark = pytest.mark.both_engines

SAID = "Our books cannot be reached right now."


@contextmanager
def each_connection(statement: str) -> Iterator[None]:
    """Have every writing connection begin with a statement; they are thrown away afterwards."""
    engine = database.engines[None]

    def begin(connection: Any, _record: object, _proxy: object) -> None:
        cursor = connection.cursor()
        cursor.execute(statement)
        cursor.close()
        if engine.dialect.name == "postgresql":
            connection.commit()

    sa.event.listen(engine, "checkout", begin)
    try:
        yield
    finally:
        sa.event.remove(engine, "checkout", begin)
        engine.dispose()


@contextmanager
def full(engine_name: str) -> Iterator[None]:
    """The file may not grow and has no page left; PostgreSQL says of itself that its disk is full."""
    engine = database.engines[None]
    writes = ("INSERT", "UPDATE", "SELECT count(*) FROM generate_series")

    def use_up(_connection: object, cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(writes):
            return
        if engine_name == "postgresql":
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$")
        cursor.execute("CREATE TABLE filler (pages BLOB)")
        cursor.execute("INSERT INTO filler VALUES (zeroblob(50000000))")

    with each_connection("PRAGMA max_page_count = 1" if engine_name == "sqlite" else "SELECT 1"):  # what is there already stays
        sa.event.listen(engine, "before_cursor_execute", use_up)
        try:
            yield
        finally:
            sa.event.remove(engine, "before_cursor_execute", use_up)


@contextmanager
def read_only(engine_name: str) -> Iterator[None]:
    with each_connection("PRAGMA query_only = ON" if engine_name == "sqlite" else "SET default_transaction_read_only = on"):
        yield


@contextmanager
def away(engine_name: str) -> Iterator[None]:
    """Nothing is where the database was: no file, no server at the port."""
    with ExitStack() as stack:
        for engine in database.engines.values():
            engine.dispose()
            if engine_name == "postgresql":

                def nowhere(_dialect: object, _record: object, _args: object, options: dict[str, Any]) -> None:
                    options.update(host="127.0.0.1", port=1)

                sa.event.listen(engine, "do_connect", nowhere)
                stack.callback(sa.event.remove, engine, "do_connect", nowhere)
        if engine_name == "sqlite":
            place = Path(str(database.engines[None].url.database)).parent
            elsewhere = place.with_name(place.name + "-unmounted")
            place.rename(elsewhere)
            stack.callback(elsewhere.rename, place)
        yield


Fault = Callable[[str], Any]


@pytest.fixture(autouse=True)
def fresh_connections(app: Flask) -> Iterator[None]:
    yield
    dispose(app)


def assert_told(answer: TestResponse, code: str = "unavailable") -> None:
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    if answer.mimetype == "application/problem+json":
        assert answer.get_json()["code"] == code
    else:
        assert "Content-Security-Policy" in answer.headers


def assert_no_defect(caplog: pytest.LogCaptureFixture, lines: int) -> None:
    ours = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.levelname for record in ours] == ["WARNING"] * lines
    assert not [record for record in ours if record.exc_info]


ENGLISH = {"Accept-Language": "en"}


def test_pages_and_api_say_that_the_database_is_away(client: FlaskClient, engine_name: str, caplog: pytest.LogCaptureFixture) -> None:
    client.set_cookie("point", "tianchenghu")
    with away(engine_name):
        page = client.get("/", headers=ENGLISH)
        assert_told(page)
        assert SAID in page.text
        assert "Our books cannot be reached</h1>" in page.text
        again = client.get("/search?q=rice", headers=ENGLISH).text
        assert re.search(r'<a class="btn btn-primary" href="/search\?q=rice">Try again</a>', again), "home is away too"
        client.set_cookie("locale", "zh")
        assert "我们的账本暂时打不开" in client.get("/categories/fruit").text
        assert_told(client.get("/api/v1/products"))
        assert_told(client.post("/api/v1/auth/codes", json={"phone": "13812345678"}))
        assert_told(client.post("/sign-in", data={"phone": "13812345678"}))
        assert_told(client.get("/readyz"))
        assert client.get("/healthz").status_code == 200
    assert_no_defect(caplog, 7)
    assert client.get("/readyz").status_code == 200
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("fault", [full, read_only])
def test_what_cannot_be_written_is_told_and_what_is_there_can_still_be_read(
    client: FlaskClient, engine_name: str, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    with fault(engine_name):
        assert client.get("/", headers=ENGLISH).status_code == 200
        assert_told(client.post("/api/v1/auth/codes", json={"phone": "13812345678"}))
        page = client.post("/sign-in", data={"phone": "13812345678"}, headers=ENGLISH)
        assert_told(page)
        assert SAID in page.text
        assert_told(client.get("/readyz"))
        assert client.get("/healthz").status_code == 200
    assert_no_defect(caplog, 3)
    assert client.get("/readyz").status_code == 200
    assert client.post("/api/v1/auth/codes", json={"phone": "13812345678"}).status_code == 202


def test_a_form_that_shows_refusals_does_not_take_it_for_one(client: FlaskClient, make: Factories, engine_name: str) -> None:
    make.product(code="rice", on_hand=50)
    with full(engine_name):
        assert_told(client.post("/cart", data={"variant": "rice", "quantity": "1"}))
    assert client.post("/cart", data={"variant": "rice", "quantity": "1"}).status_code == 303


def test_connections_all_in_use_are_told_as_busy(client: FlaskClient, engine_name: str, caplog: pytest.LogCaptureFixture) -> None:
    pool: Any = database.engines["reading"].pool
    patience, pool._timeout = pool._timeout, 0.05
    try:
        with ExitStack() as stack:
            for _ in range(pool.size() + pool._max_overflow):
                stack.enter_context(database.engines["reading"].connect())
            answer = client.get("/api/v1/products", headers=ENGLISH)
    finally:
        pool._timeout = patience
    assert_told(answer, "busy")
    assert_no_defect(caplog, 1)
    assert client.get("/api/v1/products").status_code == 200


def test_a_disk_with_little_room_is_not_ready(client: FlaskClient, engine_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "LEAST_ROOM", 1 << 60)
    assert client.get("/readyz").status_code == (503 if engine_name == "sqlite" else 200)


def test_a_writer_at_work_makes_nobody_unready(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PROBE_WAITS", 50)
    with database.engines[None].connect() as writer:
        writer.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")
        assert client.get("/readyz").status_code == 200
        writer.rollback()


def test_a_probe_of_ours_is_told_in_a_document_that_machines_read(client: FlaskClient, engine_name: str) -> None:
    with away(engine_name):
        answer = client.get("/readyz")
    assert_told(answer)
    assert answer.mimetype == "application/problem+json"


@pytest.fixture
def probed(monkeypatch: pytest.MonkeyPatch) -> health.Prober:
    """A prober of its own that knows nothing yet and remembers as in production."""
    made = health.Prober()
    monkeypatch.setattr(health, "PROBER", made)
    monkeypatch.setattr(health, "GOOD_FOR", 10.0)
    return made


def finish(prober: health.Prober) -> None:
    if prober.begun is not None:
        prober.begun.join()


def test_who_asks_writes_nothing_himself_and_is_told_what_was_found_lately(
    client: FlaskClient, probed: health.Prober, engine_name: str
) -> None:
    assert client.get("/readyz").status_code == 200
    asking, wrote = threading.get_ident(), []
    engine = database.engines[None]

    def note(*_rest: object) -> None:
        wrote.append(threading.get_ident())

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        assert client.get("/readyz").status_code == 200
        assert wrote == [], "what was found a moment ago is told"
        probed.found_at -= health.LOOK_AFTER + 0.1
        assert client.get("/readyz").status_code == 200
        finish(probed)
        assert wrote
        assert asking not in wrote
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    with full(engine_name):
        probed.found_at -= health.LOOK_AFTER + 0.1
        assert client.get("/readyz").status_code == 200, "the probe that begins now has found nothing yet"
        finish(probed)
        assert_told(client.get("/readyz"))
    probed.found_at -= health.LOOK_AFTER + 0.1
    client.get("/readyz")
    finish(probed)
    assert client.get("/readyz").status_code == 200


def test_a_disk_that_hangs_is_not_ready_and_holds_nobody_up(
    client: FlaskClient, probed: health.Prober, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, begun = threading.Event(), []

    def hang(_app: Flask) -> None:
        begun.append(1)
        released.wait(30)

    monkeypatch.setattr(health, "PATIENCE", 0.2)
    with monkeypatch.context() as hanging:
        hanging.setattr(health, "probe", hang)
        before = time.monotonic()
        for _ in range(3):
            assert_told(client.get("/readyz"))
        assert time.monotonic() - before < 3
        assert begun == [1], "one hangs, not one for each who asks"
        released.set()
        finish(probed)
    assert client.get("/readyz").status_code == 200


def test_a_probe_leaves_nothing_behind(client: FlaskClient, app: Flask) -> None:
    assert client.get("/readyz").status_code == 200
    assert not sa.inspect(database.engines[None]).has_table("room_for_more")


def test_killed_connections_cost_one_answer_at_most(client: FlaskClient, engine_name: str, caplog: pytest.LogCaptureFixture) -> None:
    if engine_name == "postgresql":
        assert client.get("/api/v1/products").status_code == 200
        with database.engines[None].connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        first = client.get("/api/v1/products")
        assert first.status_code in {200, 503}
        if first.status_code == 503:
            assert_told(first)
            assert_no_defect(caplog, 1)
    assert client.get("/api/v1/products").status_code == 200


def test_a_statement_that_ran_out_of_time_is_busy_and_a_wrong_one_a_defect(app: Flask, engine_name: str) -> None:
    with pytest.raises(sa.exc.DBAPIError) as wrong:
        reading().execute(sa.text("SELECT nothing FROM nowhere"))
    refuse_fault(wrong.value)
    reading().rollback()
    if engine_name == "postgresql":
        with database.engines["reading"].connect() as connection:
            connection.exec_driver_sql("SET statement_timeout = 30")
            with pytest.raises(sa.exc.DBAPIError) as late:
                connection.exec_driver_sql("SELECT pg_sleep(2)")
        with pytest.raises(Busy):
            refuse_fault(late.value)


def test_to_write_where_only_reading_is_meant_stays_a_defect(app: Flask) -> None:
    with pytest.raises(sa.exc.DBAPIError) as stray:
        reading().execute(sa.text("DELETE FROM jobs"))
    refuse_fault(stray.value)
    reading().rollback()


def test_the_worker_says_one_line_and_goes_on(app: Flask, engine_name: str, caplog: pytest.LogCaptureFixture) -> None:
    with away(engine_name):
        try:
            outbox.lanes_due(reading())
        except sa.exc.SQLAlchemyError as error:
            report(app, error, "the worker could not look for jobs")
    reading().rollback()
    with full(engine_name), pytest.raises(Unavailable) as trouble:
        perform(outbox.start_periodic)
    report(app, trouble.value, "the worker could not look for jobs")
    assert_no_defect(caplog, 2)
    perform(outbox.start_periodic)
    caplog.clear()
    report(app, ValueError("ours"), "the worker could not look for jobs")
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "ValueError" in str(caplog.records[0].exc_text)
