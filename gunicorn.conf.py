"""How `gunicorn wsgi:app` serves the shop; read by itself when started in this folder. docs/operations/serving.md explains."""

from __future__ import annotations

import os
from typing import Any

from config import Config
from shop.kernel import db
from shop.platform import figures, logs

settings = Config.from_environment()  # what is refused is refused once, before any process is started

bind = f"127.0.0.1:{os.environ.get('PORT') or 8000}"  # behind nginx: --bind unix:..., see docs/operations/deploying.md
umask = 0o007  # of a socket in the file system: for its owner and for the group that the proxy belongs to, since it is believed
worker_class = "shop.platform.server.PatientWorker"
workers = settings.WEB_CONCURRENCY
threads = 4
worker_connections = 800  # of each process; below the usual limit of 1,024 open files
backlog = 1_024
keepalive = 5
graceful_timeout = 8  # in production 30, on the command line: script/server waits twelve seconds in all
timeout = 30  # a process whose loop says nothing for so long is ended and replaced
limit_request_line = 8_190  # the most there is: what is too long for the shop is refused by the shop, in words (shop/platform/bodies.py)
control_socket_disable = True
loglevel = "warning"
logger_class = "shop.platform.server_log.ServerLogger"

# No header says where we are or how we were reached: `PROXY_HOPS` does, inside the shop.
forwarded_allow_ips = ""
forwarder_headers = ""


def post_worker_init(worker: Any) -> None:
    """A web process is about to serve: its lines go to standard output, and it counts with the others."""
    logs.serve()
    figures.count_together(vars(settings))


def worker_exit(_server: Any, worker: Any) -> None:
    """A web process ends: its connections are given back in order, and SQLite learns of what has grown."""
    if worker.wsgi is not None:  # it had loaded the shop
        with worker.wsgi.app_context():
            db.close_connections()
