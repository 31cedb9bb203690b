"""Every list there is, in every way it can be looked at, in a shop after a year of business: none reads or sorts a whole table.

Which lists there are is told by the routes, and how they can be looked at by the pages themselves (`tests.support.looking`): a new page
is looked at without anybody thinking of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade

from shop import create_app
from shop.kernel import clock, memory
from shop.kernel.db import database, reading
from tests.conftest import IsolatedClient, dispose, execute_on_server, make_config, server_url
from tests.support.crowded import ROWS, Crowd, crowd
from tests.support.factories import Factories
from tests.support.gateways import RecordingSms
from tests.support.looking import CATALOGUE, ELSEWHERE, UNSEEN, Look
from tests.support.plans import Said, excess
from tests.support.routes import doors

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def crowded(engine_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Crowd]]:
    """A shop of its own with 100,000 rows in every table that grows, made once."""
    name = f"linli_test_crowded_{uuid.uuid4().hex[:8]}"
    if engine_name == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('crowded') / 'linli.db'}"
    else:
        execute_on_server(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        url = server_url().set(database=name).render_as_string(hide_password=False)
    app = create_app(make_config(url))
    app.test_client_class = IsolatedClient
    app.extensions["sms"] = RecordingSms()
    with app.app_context():
        upgrade()
        yield app, crowd(Factories(app))
        clock.share_shift(None)
        memory.forget()
        dispose(app)
    if engine_name == "postgresql":
        execute_on_server(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def test_no_list_reads_or_sorts_a_table_that_grows(crowded: tuple[Flask, Crowd]) -> None:
    app, made = crowded
    look = Look(app, made)
    too_much: dict[tuple[str, str], str] = {}
    unanswered = []
    seen = 0
    for door in doors(app):
        if not door.is_safe or door.endpoint in UNSEEN:
            continue
        for one in look.through(door):
            seen += 1
            if one.status != 200 and door.endpoint not in ELSEWHERE:
                unanswered.append(f"{one.address} as {one.who}: {one.status}")
            for said in {(known.statement, repr(known.values)): known for known in one.said}.values():
                if door.endpoint not in CATALOGUE and (door.endpoint, said.statement) not in too_much and (what := excess(said)):
                    too_much[door.endpoint, said.statement] = f"{one.address}: {what}"
    assert seen > 1_000
    assert unanswered == []
    assert list(too_much.values()) == []


def test_a_scan_is_noticed(crowded: tuple[Flask, Crowd]) -> None:
    """The control: what reads all orders is told, what takes one by its key is not."""
    with crowded[0].app_context():
        assert reading().scalar(sa.text("SELECT COUNT(*) FROM sub_orders")) > ROWS
        values: tuple[()] = ()
        assert excess(Said("SELECT COUNT(*) FROM sub_orders WHERE declined_reason = 'x'", values, 0.0))
        assert excess(Said("SELECT id FROM sub_orders ORDER BY declined_reason, total LIMIT 5", values, 0.0))
        assert not excess(Said("SELECT id FROM sub_orders WHERE id = 1000007", values, 0.0))
        database.session.rollback()
