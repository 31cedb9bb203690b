"""The release before this one as processes: its code, taken out of the history, around a database that this code has migrated."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from script.support.places import ROOT, VENDOR
from script.support.processes import Child, Program
from tests.support.cities import SECRET, Template, flask, plain_environment, python
from tests.support.running import House
from tests.support.sealed import DATA_KEYS, LOOKUP_KEY

MARKER = ROOT / "migrations" / "last_release.toml"


class NoHistory(Exception):
    """The commit cannot be read here: no git, or a checkout without its history."""


def last_release() -> tuple[str, str]:
    """The commit in service, and why the next release needs a pause (empty: it does not)."""
    told = tomllib.loads(MARKER.read_text(encoding="utf-8"))
    return str(told["commit"]), str(told["needs_a_pause"])


def take_out(commit: str, folder: Path) -> Path:
    """The code of a commit in a folder, with the front-end files that set-up would fetch. Raises `NoHistory`."""
    try:
        packed = subprocess.run(["git", "archive", "--format=tar", commit], cwd=ROOT, capture_output=True, timeout=60, check=False)
    except OSError as error:
        raise NoHistory(str(error)) from error
    if packed.returncode:
        raise NoHistory(packed.stderr.decode(errors="replace").strip())
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    shutil.copytree(VENDOR, folder / "shop" / "static" / "vendor", dirs_exist_ok=True)
    return folder


@dataclass
class OlderHouse(House):
    """A house whose every process runs that code."""

    code: Path = ROOT

    def run(self, name: str, command: list[str], **more: str) -> Child:
        program = Program(name, command, {**self.environment, **more}, folder=self.code)
        child = self.children[name] = Child(program, lambda who, line: self.said.append(f"{who}: {line}"))
        return child

    def own_flask(self, *words: str) -> None:
        """One of that code's own commands, to its end."""
        python(self.environment, "-m", "flask", "--app", "wsgi", *words, code=self.code)

    def is_ready(self) -> bool:
        """It shows its first page. What it says of its readiness may be about the schema, which is not its own."""
        assert not self.children["web"].has_ended(), f"web ended by itself:\n{self.last_words()}"
        try:
            return self.web.get(f"{self.address()}/", timeout=20).status_code == 200
        except requests.RequestException:
            return False


def secret_in(code: Path) -> str:
    """What that code gives everybody's authenticator in its demo city, as its own tests know it."""
    found = re.search(r'^TOTP_SECRET = "([A-Z2-7]+)"$', (code / "tests/support/callers.py").read_text(), re.MULTILINE)
    assert found is not None, "that code says nowhere what its authenticators show"
    return found[1]


@contextmanager
def older_house(code: Path, template: Template, folder: Path) -> Iterator[OlderHouse]:
    """That code, serving the city of the template itself."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(template.folder / "clock", folder / "clock")
    house = OlderHouse(folder, template.copy(folder), 1, {}, shift=template.shift, code=code, totp_secret=secret_in(code))
    try:
        house.start()
        yield house
    finally:
        url = house.database_url
        house.stop()
        template.drop(url)


def environment_of(template: Template) -> dict[str, str]:
    """What commands need to work on the city of a template."""
    return {
        **plain_environment(), "DATABASE_URL": template.url, "INSTANCE_PATH": str(template.folder), "APP_ENV": "development",
        "SECRET_KEY": SECRET, "DATA_KEYS": DATA_KEYS, "LOOKUP_KEY": LOOKUP_KEY,
    }  # fmt: skip


def bring_forward(environment: dict[str, str]) -> None:
    """Run today's migrations on the database that these settings name."""
    flask({**environment, "APP_ENV": "development"}, "db", "upgrade")
