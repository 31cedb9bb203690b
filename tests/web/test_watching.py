"""Each request is one line: its number, its route, who, how long, what it asked of the database. Nothing that people wrote."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from shop.kernel import work
from shop.kernel.db import database
from shop.kernel.work import watch_statements
from shop.platform import figures, logs
from shop.platform.watching import request_number
from tests.support.factories import Factories
from tests.support.people import bearer, sign_in

MADE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[dict[str, Any]]]:
    """The facts of each request that was told."""
    told: list[dict[str, Any]] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(json.loads(logs.JsonLines().format(record)))

    listener = Listener()
    logger = logging.getLogger("shop.requests")
    with caplog.at_level(logging.INFO, "shop.requests"):
        logger.addHandler(listener)
        yield told
        logger.removeHandler(listener)


def test_a_request_is_told_by_its_route_and_by_what_it_cost(
    client: FlaskClient, make: Factories, lines: list[dict[str, Any]]
) -> None:
    make.product(code="rice", on_hand=5)
    reader = make.user()
    sign_in(client, reader)
    answer = client.get("/products/rice?from=13812345678", headers={"X-Request-ID": MADE})
    assert answer.status_code == 200
    (line,) = lines
    told = {name: line[name] for name in ("level", "logger", "request", "route", "method", "status", "actor", "bytes")}
    assert told == {
        "level": "info", "logger": "shop.requests", "request": MADE, "route": "/products/<slug>", "method": "GET", "status": 200,
        "actor": reader.id, "bytes": int(answer.headers["Content-Length"]),
    }  # fmt: skip
    assert answer.headers["X-Request-ID"] == MADE
    assert line["statements"] >= 2
    assert 0 < line["database_ms"] <= line["ms"]


def test_a_refusal_a_stranger_and_an_address_that_leads_nowhere_are_told_too(
    client: FlaskClient, app: Flask, make: Factories, lines: list[dict[str, Any]]
) -> None:
    client.get("/nowhere/13812345678")
    client.get("/me")
    client.open("/cart", method="BREW")
    client.get("/api/v1/orders/L260101-0001", headers=bearer(app, make.user()))
    told = [(line["route"], line["method"], line["status"]) for line in lines]
    assert told[0] == ("none", "GET", 404)
    assert told[1][:2] == ("/me", "GET")
    assert told[2] == ("none", "other", 405)
    assert told[3] == ("/api/v1/orders/<number>", "GET", 404)
    assert (lines[1]["actor"], lines[3]["actor"] is None) == (None, False)


def test_requests_are_counted_by_route_method_and_status(client: FlaskClient) -> None:
    def counted() -> float:
        found = figures.OWN.get_sample_value("linli_request_seconds_count", {"route": "/healthz", "method": "GET", "status": "200"})
        return found or 0

    before = counted()
    client.get("/healthz?whatever=1")
    client.get("/healthz")
    assert counted() == before + 2


@pytest.mark.parametrize("offered", [MADE, "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", "4BF92F3577B34DA6A3CE929D0E0E4736", "00000000deadbeef"])
def test_a_number_that_a_machine_made_stays(offered: str) -> None:
    assert request_number(offered) == offered


@pytest.mark.parametrize(
    "offered",
    [
        "", "13812345678", "1381234567813812345678", "110101199003078515", "wangxiaoming1234567", "deadbeef", "a" * 65, "ÿ" * 20, "٣" * 20,
        f"{MADE}\n", f"{MADE} x", "deadbeefdeadbeef?x", "1101-0119-9003-0785-15",
    ],
)  # fmt: skip
def test_a_number_that_may_be_somebodys_or_is_none_does_not(client: FlaskClient, offered: str, lines: list[dict[str, Any]]) -> None:
    assert request_number(offered) != offered
    if "\n" not in offered:
        answer = client.get("/healthz", headers={"X-Request-ID": offered.encode().decode("latin-1")})
        assert answer.headers["X-Request-ID"] == lines[0]["request"] == request_number(lines[0]["request"])


# --- statements that take long ---


@pytest.fixture
def watched(app: Flask) -> Iterator[sa.Engine]:
    """An engine on the database of this test for which every statement takes long."""
    engine = sa.create_engine(database.engines[None].url, poolclass=sa.NullPool, hide_parameters=True)
    watch_statements(engine, 0.0)
    yield engine
    engine.dispose()


def test_a_slow_statement_is_told_with_its_place_and_without_any_value(watched: sa.Engine, caplog: pytest.LogCaptureFixture) -> None:
    with work.begun("request", "/sign-in", MADE) as seen, watched.connect() as connection:
        question = sa.text("SELECT count(*) FROM users WHERE phone = :phone AND display_name <> '欧阳小梅'")
        connection.execute(question, {"phone": "13812345678"})
    (told,) = [record.getMessage() for record in caplog.records if record.name == "shop.statements"]
    assert "request /sign-in" in told
    assert "SELECT count(*) FROM users WHERE phone = " in told
    assert "13812345678" not in caplog.text
    assert "欧阳" not in caplog.text
    assert (seen.statements, seen.database_seconds > 0) == (1, True)


def test_a_statement_that_fails_is_counted_and_told_as_well(watched: sa.Engine, caplog: pytest.LogCaptureFixture) -> None:
    with work.begun("job", "bills.send", "7") as seen, watched.connect() as connection, pytest.raises(sa.exc.DBAPIError):
        connection.execute(sa.text("SELECT nothing FROM nowhere"))
    assert seen.statements == 1
    assert "job bills.send" in caplog.text


def test_work_outside_of_requests_and_jobs_is_nobodys(watched: sa.Engine) -> None:
    with watched.connect() as connection:
        connection.execute(sa.text("SELECT 1"))
    assert work.current() is None


# --- the lines themselves ---


def line_of(record: logging.LogRecord) -> dict[str, Any]:
    said = logs.JsonLines().format(record)
    assert "\n" not in said
    found: dict[str, Any] = json.loads(said)
    return found


def record_of(message: str, *values: Any, **more: Any) -> logging.LogRecord:
    return logging.getLogger("shop").makeRecord("shop", logging.ERROR, "x.py", 1, message, values, more.pop("exc_info", None), **more)


def test_a_fault_is_one_line_with_its_place_and_nobodys_words() -> None:
    try:
        raise ValueError("13812345678 of 欧阳小梅")
    except ValueError as error:
        record = record_of("fault %s", "13812345678", exc_info=(type(error), error, error.__traceback__))
    with work.begun("request", "/me", MADE):
        line = line_of(record)
    assert line["message"] == "fault …"
    assert line["request"] == MADE
    assert line["fault"].endswith("builtins.ValueError")
    assert "test_watching.py" in line["fault"]
    assert line["time"].endswith("Z")
    assert len(line["time"]) == len("2026-01-01T00:00:00.000Z")


def test_a_line_of_a_job_names_the_job() -> None:
    with work.begun("job", "bills.send", "4711"):
        assert line_of(record_of("hello"))["job"] == "4711"


def test_people_read_plain_lines() -> None:
    said = logs.PlainLines().format(record_of("job", extra={"facts": {"lane": "now", "ms": 3.5, "actor": None}}))
    assert said.endswith("ERROR shop: job lane=now ms=3.5")


@pytest.mark.parametrize(
    ("environment", "chosen", "kind"),
    [("production", "", logs.JsonLines), ("production", "plain", logs.PlainLines), ("development", "", logs.PlainLines),
     ("development", "json", logs.JsonLines)],
)  # fmt: skip
def test_production_writes_json_unless_told_otherwise(environment: str, chosen: str, kind: type[logging.Formatter]) -> None:
    assert type(logs.lines_of({"APP_ENV": environment, "LOG_FORMAT": chosen})) is kind


def test_servers_write_to_standard_output_and_commands_do_not(capsys: pytest.CaptureFixture[str]) -> None:
    stream = logs.Stream()
    stream.setFormatter(logs.PlainLines())
    stream.emit(record_of("of a command"))
    stream.serves = True
    stream.emit(record_of("of a server"))
    said = capsys.readouterr()
    assert "of a command" in said.err
    assert "of a server" in said.out
