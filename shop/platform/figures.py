"""What the processes of the shop count while they work, for Prometheus. What lies in the database is asked there (consoles/admin/metrics).

All processes of a machine count together: each has a place of its own in one folder, numbered from 1, and keeps it for as long as it
lives. Who comes later takes the lowest place that is free and goes on counting from there, so restarts lose nothing and leave nothing
behind. Where the folder cannot be had, a process counts by itself.

Labels are ours, and few: routes, methods, statuses, kinds of jobs, lanes, partners, codes of refusals. Nothing from outside is one.
"""

from __future__ import annotations

import fcntl
import logging
import os
import struct
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from config import INSTANCE

log = logging.getLogger("shop.figures")

QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
LONG = (0.05, 0.25, 1.0, 2.5, 5.0, 10.0, 30.0)
MOST_PLACES = 200
ROOM = 4 * 1024 * 1024
"""Bytes taken on the disk for each kind of figure of a place, before the first is written: where the disk is full, a page of a file
that is not there yet kills who writes it."""

OWN = CollectorRegistry()
"""The figures of this process alone."""

REQUESTS = Histogram("linli_request_seconds", "How long answers took to make.", ("route", "method", "status"), buckets=QUICK, registry=OWN)
JOBS = Histogram("linli_job_seconds", "How long jobs ran.", ("kind", "lane", "outcome"), buckets=LONG, registry=OWN)
CALLS = Histogram("linli_partner_call_seconds", "How long partners took to answer.", ("partner", "outcome"), buckets=LONG, registry=OWN)
REFUSALS = Counter("linli_stock_refusals", "Orders and holds refused because too little was left.", ("step",), registry=OWN)


class Places:
    """Where this process counts, among the others of its machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.Lock()
        self.process, self.place, self.handle = 0, "", -1

    def mine(self) -> str:
        """The place of this process; a child that was forked takes another than its parent's."""
        process = os.getpid()
        if process != self.process:
            with self.lock:
                if process != self.process:
                    self.place = self.take()
                    self.process = process
        return self.place

    def take(self) -> str:
        """The lowest place that nobody has; the kernel frees it when the process ends, however it ends. Raises `OSError`."""
        for number in range(1, MOST_PLACES + 1):
            handle = os.open(self.folder / f"{number}.taken", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(handle)
                continue
            self.handle = handle  # held open: closing it would give the place away
            for kind in ("histogram", "counter"):
                make_ready(self.folder / f"{kind}_{number}.db")
            return str(number)
        raise OSError(f"more than {MOST_PLACES} processes count here")


def make_ready(file: Path) -> None:
    """Have the disk give a file its room at once; one that cannot be read begins anew. Raises `OSError` when there is no room."""
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if os.fstat(handle).st_size and not is_readable(file):
            os.ftruncate(handle, 0)
        os.posix_fallocate(handle, 0, ROOM)
    finally:
        os.close(handle)


def is_readable(file: Path) -> bool:
    try:
        for _figure in MmapedDict.read_all_values_from_file(str(file)):  # type: ignore[no-untyped-call]
            pass
    except (RuntimeError, ValueError, OSError, struct.error):
        return False
    return True


_folder: Path | None = None


def count_together(settings: Mapping[str, Any]) -> None:
    """From here on count together with the other servers of this machine; for web processes and workers, before they begin to work.

    Tests, and who cannot use the folder, count by themselves.
    """
    global _folder
    if settings["TESTING"] or _folder is not None:
        return
    folder = Path(settings["FIGURES_FOLDER"] or INSTANCE / "figures")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        places = Places(folder)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)  # where the library looks for it, at every file it opens
        together = values.MultiProcessValue(places.mine)  # type: ignore[no-untyped-call]
    except OSError as error:
        log.warning("this process counts by itself, because its folder cannot be used: %s", error)
        return
    values.ValueClass = together  # read by the library for every figure that begins
    _folder = folder


def told() -> bytes:
    """All figures counted on this machine, in the text that Prometheus reads."""
    if _folder is None:
        return bytes(generate_latest(OWN))
    everybody = CollectorRegistry()
    MultiProcessCollector(everybody, path=str(_folder))  # type: ignore[no-untyped-call]
    return bytes(generate_latest(everybody))
