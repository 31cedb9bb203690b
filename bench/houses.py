"""The code that is measured: this checkout, or a commit taken out of the history, each with a demo city of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import servers
from bench.city import City

ROOT = Path(__file__).resolve().parent.parent
OF_SOMEBODY_ELSE = ("PYTHONPATH", "REDIS_URL", "PORT", "METRICS_TOKEN", "FLASK_DEBUG", "TESTING", "GUNICORN_CMD_ARGS")
DAYS = 3
"""Of history in the demo city."""


class Stopped(Exception):
    """A command of the measured code failed; its last words."""


@dataclass
class House:
    """Some release with its city, served by two web processes."""

    name: str
    code: Path
    instance: Path
    database: servers.Database

    @property
    def environment(self) -> dict[str, str]:
        """As in production as far as it costs something: lines of JSON for every request, which go nowhere here."""
        kept = {name: value for name, value in os.environ.items() if name not in OF_SOMEBODY_ELSE}
        return {
            **kept, "DATABASE_URL": self.database.url, "APP_ENV": "development", "SECRET_KEY": "bench only", "WEB_CONCURRENCY": "2",
            "INSTANCE_PATH": str(self.instance), "LOG_FORMAT": "json", "LOG_LEVEL": "info", "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip

    def run(self, *words: str) -> None:
        """Run a command of this code. Raises `Stopped`."""
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=self.code, env=self.environment, capture_output=True, text=True, check=False
        )  # fmt: skip
        if done.returncode:
            raise Stopped(f"{self.name}: {' '.join(words[:4])} failed:\n{(done.stdout + done.stderr)[-2_000:]}")

    def prepare(self) -> City:
        """Its migrations, its demo city, and what a load needs besides."""
        self.run("flask", "--app", "wsgi", "db", "upgrade")
        self.run("flask", "--app", "wsgi", "seed", "demo", "--days", str(DAYS))
        place = self.instance / "city.json"
        self.run("bench.prepare", str(place))
        return City.read(place)

    @contextmanager
    def open(self) -> Iterator[servers.Web]:
        with servers.web("wsgi:app", self.environment, self.code, self.instance / "said.txt") as web:
            yield web


def name_of(commit: str) -> str:
    """The commit as its history knows it, short. Raises `LookupError` when it cannot be read here."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "--verify", "--quiet", "--short=9", f"{commit}^{{commit}}"],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    except OSError as error:
        raise LookupError("git is not installed, and without it no commit can be read") from error
    if found.returncode:
        raise LookupError(f"no commit {commit} in this checkout; is its history here?")
    return found.stdout.strip()


@contextmanager
def code_of(commit: str) -> Iterator[Path]:
    """A folder with the code of a commit and today's measurements; gone afterwards."""
    from tests.support.last_release import take_out

    with tempfile.TemporaryDirectory(prefix="linli-bench-code-") as place:
        folder = take_out(commit, Path(place))
        shutil.rmtree(folder / "bench", ignore_errors=True)
        shutil.copytree(ROOT / "bench", folder / "bench", ignore=shutil.ignore_patterns("__pycache__"))
        environment = {**os.environ, "APP_ENV": "development", "INSTANCE_PATH": str(folder / "instance")}
        compiled = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", "translate", "compile"],
            cwd=folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if compiled.returncode:
            raise Stopped(f"{commit}: its translations do not compile:\n{compiled.stderr[-2_000:]}")
        yield folder


@contextmanager
def houses(engine: str, codes: dict[str, Path]) -> Iterator[list[House]]:
    """A house for each code, with an empty database and a folder of its own."""
    with ExitStack() as stack:
        made = []
        for name, code in codes.items():
            instance = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="linli-bench-instance-")))
            made.append(House(name, code, instance, stack.enter_context(servers.database(engine))))
        yield made
