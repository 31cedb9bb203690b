"""The virtual environment and the Python packages in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from script.support.places import ROOT, VENV, venv_command
from script.support.shell import CannotContinue, run_quietly, say
from script.support.stamps import Stamps, fingerprint_of_file

RUN_LOCK = ROOT / "requirements.txt"
DEVELOPMENT_LOCK = ROOT / "requirements-dev.txt"
NODE_LOCK = ROOT / "requirements" / "node.txt"
STAMP_FILE = VENV / "linli-setup.json"


def ensure_environment() -> Stamps:
    """Make `.venv` when it is missing, broken, or was moved here from another folder. Returns its stamps."""
    stamps = Stamps(STAMP_FILE)
    known = "root" in stamps.values
    moved = known and not stamps.is_current("root", str(ROOT))
    if moved or not starts(VENV) or not (known or has_pip(VENV)):
        make_environment(VENV)
        stamps = Stamps(STAMP_FILE)
    if not stamps.is_current("root", str(ROOT)):
        stamps.record(root=str(ROOT))
    return stamps


def starts(venv: Path) -> bool:
    """True when the environment's Python starts."""
    return succeeds([venv_command("python", venv), "-I", "-S", "-c", ""])


def has_pip(venv: Path) -> bool:
    """True when the environment's pip starts: its making was not cut short."""
    return succeeds([venv_command("python", venv), "-m", "pip", "--version"])


def succeeds(command: list[str]) -> bool:
    """True when the command can be started and exits with 0."""
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def make_environment(venv: Path) -> None:
    """Make an empty virtual environment in place of whatever is there."""
    say("Making the Python environment in .venv ...")
    python = getattr(sys, "_base_executable", None) or sys.executable
    try:
        run_quietly([python, "-m", "venv", "--clear", str(venv)], "Making the Python environment")
    except CannotContinue as error:
        hint = "On Debian and Ubuntu the package python3-venv is needed: apt-get install python3-venv"
        raise CannotContinue(f"{error}\n{hint}") from error


def ensure_packages(stamps: Stamps, *, development: bool) -> None:
    """Install the locked packages when the lock changed since last time. The development lock contains the other one."""
    lock = DEVELOPMENT_LOCK if development else RUN_LOCK
    if stamps.is_current(lock.name, fingerprint_of_file(lock)):
        return
    say(f"Installing the Python packages of {lock.name}; the first time this takes a minute ...")
    install_locked(lock)
    stamps.record(**{each.name: fingerprint_of_file(each) for each in {lock, RUN_LOCK}})


def install_locked(lock: Path) -> None:
    """Install exactly what a hashed lock names, and nothing without a hash.

    The lock is complete, so nothing is resolved here: a newer release of something that is wanted with extras would stop pip.
    """
    pip = [venv_command("python"), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    run_quietly([*pip, "install", "--no-deps", "--require-hashes", "-r", str(lock)], f"Installing the packages of {lock.name}")
