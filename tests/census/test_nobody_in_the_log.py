"""Whatever people write into paths, addresses, forms, bodies and headers, and whatever is known of them: the log has nothing of it.

Every door is gone through as everybody who may, with marked values in every place that it reads, and the jobs of all that are run.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from shop.kernel.db import transaction
from shop.models.accounts import User
from shop.platform import logs, outbox
from tests.census import hostile
from tests.census.going import Census, encoded
from tests.census.test_every_door import census  # noqa: F401  (a fixture)
from tests.support.routes import Door, doors

PHONE, ID_CARD, ACCOUNT, PIN, CODE = "13987654321", "110101199003078515", "5119998887", "958473", "739164"
NAME, FLAT, MAIL = "欧阳青禾", "18-3-1702", "qinghe.ouyang@example.org"
TOKEN = "Zm9yLW5vLW9uZS1lbHNlLWJ1dC1tZS0xMjM0NTY3"
MARKS = (NAME, PHONE, ID_CARD, ACCOUNT, PIN, CODE, FLAT, MAIL, TOKEN)
HEADERS = {
    "X-Request-ID": PHONE * 2, "User-Agent": f"Browser of {NAME} {PHONE}".encode().decode("latin-1"), "Referer": f"http://localhost/{PHONE}",
    "X-Forwarded-For": FLAT, "Idempotency-Key": f"{ACCOUNT}-{ID_CARD}",
}  # fmt: skip


@pytest.fixture
def written(caplog: pytest.LogCaptureFixture) -> Iterator[io.StringIO]:
    """All that this process writes down, as it does in production."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonLines())
    with caplog.at_level(logging.INFO), caplog.at_level(logging.INFO, "shop"):
        logging.getLogger().addHandler(handler)
        yield stream
        logging.getLogger().removeHandler(handler)


def marked(names: set[str] | dict[str, Any], turn: int) -> dict[str, bytes]:
    """Each name with one mark or another."""
    return {name: MARKS[(place + turn) % len(MARKS)].encode() for place, name in enumerate(sorted(names))}


def say_marks(census: Census, door: Door, turn: int) -> None:  # noqa: F811
    """Ask a door with marks wherever it reads anything; what has to be an id or a number of ours stays right."""
    headers = HEADERS if door.is_api else {name: value for name, value in HEADERS.items() if name != "Idempotency-Key"}
    path = door.path({name: b"1" if door.is_id(name) and not value.isdigit() else value for name, value in census.path(door).items()})
    away = door.path({name: MARKS[(turn + place) % len(MARKS)].encode() for place, name in enumerate(door.places)})
    query = encoded(marked(census.good(door, "query"), turn))
    form, body = encoded(marked({*census.good(door, "form"), "note"}, turn)), {}
    if door.body is not None:
        known = {**census.known["json"], "phone": PHONE, "account_no": ACCOUNT, "pin": PIN, "code": CODE}
        body = hostile.example(door.body.model_json_schema(), known)
    for where in (path, away):
        sent: dict[str, Any] = census.form(door, form) if not door.is_api else {} if door.is_safe else {"json": body}
        census.ask(door, "marked", f"{where}?{query}", headers=headers, **sent)
        if door.is_api and not door.is_safe:
            census.ask(door, "marked and broken", where, headers=headers, data=f'{{"{NAME}": "{PHONE}", ', content_type="application/json")


def lines_of(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


DRAWN = ("time", "request", "job")
"""What chance puts into a line: six digits of somebody's code may stand there by accident."""


def marks_in(lines: list[dict[str, Any]]) -> list[str]:
    text = "\n".join(str({name: told for name, told in line.items() if name not in DRAWN}) for line in lines)
    return [mark for mark in MARKS if mark in text]


@pytest.mark.usefixtures("sms")
def test_every_door_with_everything_marked_leaves_nothing_of_it(census: Census, app: Flask, written: io.StringIO) -> None:  # noqa: F811
    with transaction() as session:
        for person in session.scalars(sa.select(User)):
            person.display_name = NAME
    asked = set()
    for turn, door in enumerate(doors(app)):
        for who in ("anonymous", *census.callers(door)):
            census.become(who, door)
            census.listen(door)
            say_marks(census, door, turn)
        asked.add(door.rule)
    outbox.run_due()
    lines = lines_of(written)
    assert marks_in(lines) == []
    told = {line["route"] for line in lines if line["logger"] == "shop.requests"}
    assert asked - told - {"/static/<path:filename>"} == set(), "every route is told, by its pattern"
    assert len(lines) > 1_000
    assert {line["logger"] for line in lines} >= {"shop.requests", "shop.jobs"}


def test_a_line_that_tells_a_path_is_found(census: Census, app: Flask, written: io.StringIO, client: FlaskClient) -> None:  # noqa: F811
    """The control: the same going finds the mark where a line is told by its address."""
    before = app.wsgi_app

    def careless(environ: dict[str, Any], start_response: Any) -> Any:
        said = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
        logging.getLogger("shop.requests").info("request", extra={"facts": {"path": said, "query": environ["QUERY_STRING"]}})
        return before(environ, start_response)

    app.wsgi_app = careless  # type: ignore[method-assign]
    try:
        some = [door for door in doors(app) if door.endpoint in {"catalog.product", "pickup.show", "accounts.send_code"}]
        for turn, door in enumerate(some):
            census.become("anonymous", door)
            say_marks(census, door, turn)
    finally:
        app.wsgi_app = before  # type: ignore[method-assign]
    assert marks_in(lines_of(written)) != []
