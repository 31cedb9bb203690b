"""Set-up does what changed, and only that."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest

from script.support import frontend, packages, translations
from script.support.frontend import VENDORED, copy_files, without_source_map
from script.support.packages import ensure_packages
from script.support.places import ROOT
from script.support.shell import CannotContinue, run_quietly
from script.support.stamps import Stamps, fingerprint_of_text, only_one_at_a_time
from script.support.translations import ensure_translations, is_outdated

pytestmark = pytest.mark.one_engine


def test_what_was_recorded_is_current_in_the_next_run(tmp_path: Path) -> None:
    Stamps(tmp_path / "stamps.json").record(packages="one")
    again = Stamps(tmp_path / "stamps.json")
    assert again.is_current("packages", "one")
    assert not again.is_current("packages", "two")
    assert not again.is_current("other", "one")


@pytest.mark.parametrize("damaged", ["", "{", "[]", "3"])
def test_a_damaged_stamp_file_means_that_nothing_is_done(tmp_path: Path, damaged: str) -> None:
    place = tmp_path / "stamps.json"
    place.write_text(damaged)
    assert not Stamps(place).is_current("packages", "one")


def test_where_one_text_ends_matters() -> None:
    assert fingerprint_of_text("ab", "c") != fingerprint_of_text("a", "bc")


def test_the_lock_is_free_again_after_the_block(tmp_path: Path) -> None:
    for _ in range(2):
        with only_one_at_a_time(tmp_path / "new" / "setup.lock"):
            pass
    assert (tmp_path / "new" / "setup.lock").exists()


def test_packages_are_installed_once_per_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, development = tmp_path / "requirements.txt", tmp_path / "requirements-dev.txt"
    run.write_text("flask==1")
    development.write_text("flask==1\npytest==1")
    installed: list[str] = []
    monkeypatch.setattr(packages, "RUN_LOCK", run)
    monkeypatch.setattr(packages, "DEVELOPMENT_LOCK", development)
    monkeypatch.setattr(packages, "install_locked", lambda lock: installed.append(lock.name))
    stamps = Stamps(tmp_path / "stamps.json")

    ensure_packages(stamps, development=False)
    ensure_packages(stamps, development=False)
    assert installed == ["requirements.txt"]

    run.write_text("flask==2")
    development.write_text("flask==2\npytest==1")
    ensure_packages(stamps, development=True)
    ensure_packages(stamps, development=False)
    assert installed == ["requirements.txt", "requirements-dev.txt"], "the development lock contains the other one"

    run.write_text("flask==3")
    ensure_packages(stamps, development=False)
    assert installed[2:] == ["requirements.txt"]


def test_a_failed_installation_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "requirements.txt"
    run.write_text("flask==1")
    monkeypatch.setattr(packages, "RUN_LOCK", run)
    stamps = Stamps(tmp_path / "stamps.json")

    def fail(lock: Path) -> None:
        raise CannotContinue("no network")

    monkeypatch.setattr(packages, "install_locked", fail)
    for _ in range(2):
        with pytest.raises(CannotContinue, match="no network"):
            ensure_packages(stamps, development=False)


def fill_node_modules(place: Path) -> None:
    for origin in VENDORED.values():
        (place / origin).parent.mkdir(parents=True, exist_ok=True)
        (place / origin).write_bytes(b"content\n//# sourceMappingURL=x.map")


def test_vendored_files_are_copied_without_source_maps_and_leftovers_go(tmp_path: Path) -> None:
    source, target = tmp_path / "node_modules", tmp_path / "vendor"
    fill_node_modules(source)
    target.mkdir()
    (target / "old.js").write_text("old")
    copy_files(source, target)
    assert {path.name for path in target.iterdir()} == set(VENDORED)
    assert (target / "htmx.min.js").read_bytes() == b"content\n"
    assert not any(b"sourceMappingURL" in path.read_bytes() for path in target.iterdir())


@pytest.mark.parametrize(
    ("content", "left"),
    [
        (b"a{}\n/*# sourceMappingURL=bootstrap.min.css.map */", b"a{}\n"),
        (b"f()\n//# sourceMappingURL=x.js.map\n", b"f()\n"),
        (b"f()\n//@ sourceMappingURL=x.js.map\ng()", b"f()\ng()"),
        (b'say("sourceMappingURL=x")', b'say("sourceMappingURL=x")'),
    ],
)
def test_only_source_map_lines_are_dropped(content: bytes, left: bytes) -> None:
    assert without_source_map(content) == left


def test_the_front_end_is_fetched_once_and_again_when_a_file_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, modules, vendor = tmp_path / "package-lock.json", tmp_path / "node_modules", tmp_path / "vendor"
    lock.write_text("{}")
    fetched: list[bool] = []

    def fetch(*, development: bool) -> None:
        fetched.append(development)
        fill_node_modules(modules)
        for name in frontend.FOR_TESTS if development else ():
            (modules / name).parent.mkdir(parents=True, exist_ok=True)
            (modules / name).write_text("axe")

    for name, value in {"PACKAGE_LOCK": lock, "NODE_MODULES": modules, "VENDOR": vendor, "fetch": fetch}.items():
        monkeypatch.setattr(frontend, name, value)
    stamps = Stamps(tmp_path / "stamps.json")

    for development in (False, False, True, True, False):
        frontend.ensure_frontend(stamps, development=development)
    assert fetched == [False, True]

    (vendor / "htmx.min.js").unlink()
    frontend.ensure_frontend(stamps, development=False)
    assert fetched == [False, True, False]
    assert (vendor / "htmx.min.js").exists()


def test_translations_are_compiled_when_a_source_changed_came_or_went(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "zh"
    folder.mkdir()
    compiled: list[int] = []

    def compile_all(command: list[str], purpose: str, *, environment: dict[str, str]) -> str:
        compiled.append(1)
        (folder / "messages.mo").write_text("compiled")
        return ""

    monkeypatch.setattr(translations, "TRANSLATIONS", tmp_path)
    monkeypatch.setattr(translations, "run_quietly", compile_all)
    stamps = Stamps(tmp_path / "stamps.json")

    ensure_translations(stamps)
    assert not compiled, "there is nothing to compile yet"
    for text in ("one", "two longer"):
        (folder / "cart.po").write_text(text)
        ensure_translations(stamps)
        ensure_translations(stamps)
    assert len(compiled) == 2
    (folder / "wallet.po").write_text("one")
    ensure_translations(stamps)
    (folder / "wallet.po").unlink()
    ensure_translations(stamps)
    (folder / "messages.mo").unlink()
    ensure_translations(stamps)
    assert len(compiled) == 5


def test_a_source_newer_than_its_compiled_file_is_outdated(tmp_path: Path) -> None:
    source, made = tmp_path / "cart.po", tmp_path / "messages.mo"
    source.write_text("")
    made.write_text("")
    os.utime(source, (100, 100))
    os.utime(made, (200, 200))
    assert not is_outdated([source], [made])
    os.utime(source, (300, 300))
    assert is_outdated([source], [made])


def test_a_failing_command_tells_its_last_words() -> None:
    with pytest.raises(CannotContinue, match=re.escape("Baking failed (exit 3):\nno flour")):
        run_quietly(["sh", "-c", "echo no flour; exit 3"], "Baking")
    with pytest.raises(CannotContinue, match="Baking failed"):
        run_quietly(["/nowhere/oven"], "Baking")


@pytest.mark.parametrize("name", ["setup", "server", "test", "lock", "fix"])
def test_every_command_can_be_started(name: str) -> None:
    place = ROOT / "script" / name
    assert place.stat().st_mode & stat.S_IXUSR
    assert place.read_text().startswith("#!/usr/bin/env python3\n")
