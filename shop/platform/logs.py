"""What the shop writes down while it runs: one line of JSON each in production, plain text in development.

Servers (web processes, workers) write to standard output, for whoever collects it; commands to standard error, because their output
is somebody's. Every record has been through `shop.kernel.discretion`. `extra={"facts": {...}}` adds members to a line: numbers and
names of our own, never what a person wrote.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from flask import Flask

from shop.kernel import discretion
from shop.kernel.work import current

ANNOUNCEMENTS = logging.getLogger("shop.announcements")
"""Said whatever the level is: that a server is ready, or stops."""

ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # kept: making one costs as much as using it

PLAIN = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class JsonLines(logging.Formatter):
    """One object a line: `time` (UTC), `level`, `logger`, `message`, the request or job it belongs to, the facts, a fault's place."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "level": record.levelname.lower(),
            "logger": record.name, "message": record.getMessage(),
        }  # fmt: skip
        if work := current():
            line |= {"request" if work.kind == "request" else "job": work.number}
        line |= getattr(record, "facts", {})
        if fault := fault_of(record):
            line["fault"] = fault
        return ENCODER.encode(line)


class PlainLines(logging.Formatter):
    """For a person's eyes."""

    def __init__(self) -> None:
        super().__init__(PLAIN, datefmt="%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, Any] = getattr(record, "facts", {})
        return " ".join([super().format(record), *(f"{name}={value}" for name, value in facts.items() if value is not None)])


def fault_of(record: logging.LogRecord) -> str:
    """Where and of what class the trouble is that a record tells of; empty when it tells of none."""
    if record.exc_text:
        return record.exc_text
    return discretion.told(record.exc_info[1]) if record.exc_info and record.exc_info[1] else ""


class Stream(logging.StreamHandler[TextIO]):
    """Where lines go: looked up for each line, so that it can be changed."""

    def __init__(self) -> None:
        self.serves = False
        super().__init__()

    @property
    def stream(self) -> TextIO:
        return sys.stdout if self.serves else sys.stderr

    @stream.setter
    def stream(self, _given: TextIO) -> None:
        """There is nothing to keep."""


HANDLER = Stream()


def lines_of(settings: Mapping[str, Any]) -> logging.Formatter:
    """How these settings have lines written."""
    usual = "json" if settings["APP_ENV"] == "production" else "plain"
    return JsonLines() if (settings["LOG_FORMAT"] or usual) == "json" else PlainLines()


def init_app(app: Flask) -> None:
    """Have every logger of this process write as the settings say. Again is harmless; tests listen for themselves."""
    if app.config["TESTING"]:
        return
    HANDLER.setFormatter(lines_of(app.config))
    for name in ("logThreads", "logProcesses", "logMultiprocessing", "logAsyncioTasks", "_srcfile"):
        setattr(logging, name, None)  # no line of ours says which thread or line of code wrote it: the manual of `logging` has it so
    if HANDLER not in logging.getLogger().handlers:
        logging.getLogger().addHandler(HANDLER)
    usual = "info" if app.config["APP_ENV"] == "production" else "warning"
    logging.getLogger("shop").setLevel((app.config["LOG_LEVEL"] or usual).upper())
    ANNOUNCEMENTS.setLevel(logging.INFO)


def serve() -> None:
    """From here on this process is a server: its lines go to standard output."""
    HANDLER.serves = True
