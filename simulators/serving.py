"""Serve a simulator: as a program until it is told to stop, or inside a test on a free port."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

HOST = "127.0.0.1"


class QuietHandler(WSGIRequestHandler):
    """No line per request: phone numbers and account numbers may stand in addresses."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def keep_private(data: Path | None) -> None:
    """From now on this process makes files only its owner can read; the folder of the data is made, and its file taken from others."""
    os.umask(0o077)
    if data is not None:
        data.parent.mkdir(parents=True, exist_ok=True)
        if data.exists():
            data.chmod(0o600)


def listening(app: Flask, port: int) -> BaseWSGIServer:
    """A server on that port of this machine; 0 takes a free one."""
    return make_server(HOST, port, app, threaded=True, request_handler=QuietHandler)


def address(server: BaseWSGIServer) -> str:
    """Where the server listens."""
    return f"http://{HOST}:{server.server_port}"


@contextmanager
def served(app: Flask, close: Callable[[Flask], None] = lambda app: None) -> Iterator[str]:
    """The address of `app` on a free port for the length of the block; `close` ends what the app itself has begun."""
    server = listening(app, 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield address(server)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        close(app)


def serve(app: Flask, port: int, name: str, close: Callable[[Flask], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; says in one line when it is ready."""
    server = listening(app, port)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    print(f"{name} simulator ready on {address(server)}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        close(app)
