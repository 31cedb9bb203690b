"""Run the SMS simulator: as a program until it is told to stop, or inside a test on a free port."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, make_server

from simulators.sms.app import close, create_app

HOST = "127.0.0.1"


def address(server: BaseWSGIServer) -> str:
    """Where the server listens."""
    return f"http://{HOST}:{server.server_port}"


@contextmanager
def running_sms(**settings: Any) -> Iterator[str]:
    """The address of a simulator served on a free port for the length of the block; settings are those of `create_app`."""
    app = create_app(**settings)
    server = make_server(HOST, 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield address(server)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        close(app)


def serve(app: Flask, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C; says in one line when it is ready."""
    server = make_server(HOST, port, app, threaded=True)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    print(f"SMS simulator ready on {address(server)}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        close(app)
