"""What the committed locks promise: exact versions, hashes, and no word about where things are downloaded from."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from script.support.frontend import FOR_TESTS, VENDORED
from script.support.lock import PYTHON_LOCKS, without_addresses
from script.support.places import PACKAGE_LOCK, ROOT

pytestmark = pytest.mark.one_engine

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)


def front_end_packages() -> dict[str, Any]:
    packages: dict[str, Any] = json.loads(PACKAGE_LOCK.read_text())["packages"]
    return packages


def package_of(path: str) -> str:
    parts = path.split("/")
    return "/".join(parts[: 2 if path.startswith("@") else 1])


def test_the_front_end_lock_names_hashes_and_no_addresses() -> None:
    entries = {name: entry for name, entry in front_end_packages().items() if name}
    assert entries
    for name, entry in entries.items():
        assert entry["integrity"].startswith("sha512-"), name
        assert "resolved" not in entry, name


def test_the_front_end_lock_agrees_with_package_json() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())
    locked = front_end_packages()
    for kind in ("dependencies", "devDependencies"):
        assert locked[""][kind] == wanted[kind]
        for name, version in wanted[kind].items():
            assert re.fullmatch(r"\d+\.\d+\.\d+", version), f"{name} must be pinned exactly"
            assert locked[f"node_modules/{name}"]["version"] == version


def test_what_pages_use_is_no_development_package() -> None:
    locked = front_end_packages()
    assert all(not locked[f"node_modules/{package_of(origin)}"].get("dev") for origin in VENDORED.values())
    assert all(locked[f"node_modules/{package_of(origin)}"]["dev"] for origin in FOR_TESTS)


def test_addresses_of_an_older_npm_are_dropped() -> None:
    lock = {"name": "linli", "packages": {"": {}, "node_modules/a": {"version": "1.0.0", "resolved": "somewhere", "integrity": "x"}}}
    assert without_addresses(lock) == {"name": "linli", "packages": {"": {}, "node_modules/a": {"version": "1.0.0", "integrity": "x"}}}


@pytest.mark.parametrize("name", sorted(PYTHON_LOCKS.values()))
def test_python_locks_name_hashes_and_no_addresses(name: str) -> None:
    text = (ROOT / name).read_text()
    pins = PIN.findall(text)
    assert pins
    assert text.count("--hash=sha256:") >= len(pins)
    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text


def test_the_development_lock_contains_the_other_one_exactly() -> None:
    run, development = (dict(PIN.findall((ROOT / name).read_text())) for name in ("requirements.txt", "requirements-dev.txt"))
    assert run.items() <= development.items()


@pytest.mark.parametrize(("source", "lock"), sorted(PYTHON_LOCKS.items()))
def test_every_wish_is_locked(source: str, lock: str) -> None:
    locked = {name.lower() for name, _ in PIN.findall((ROOT / lock).read_text())}
    assert wishes(ROOT / source) <= locked


def wishes(path: Path) -> set[str]:
    lines = [line.strip() for line in path.read_text().splitlines()]
    return {re.split(r"[\[<>=!~; ]", line)[0].lower().replace("_", "-") for line in lines if line and not line.startswith(("#", "-"))}
