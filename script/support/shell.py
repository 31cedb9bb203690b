"""Run other programs, and tell people what is going on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from script.support.places import ROOT

LAST_LINES_SHOWN = 40


class CannotContinue(Exception):
    """A step failed in a way that people must read about; the message is for them."""


def say(text: str = "") -> None:
    """Print a line at once, also into a pipe."""
    print(text, flush=True)


def run_quietly(command: Sequence[str], purpose: str, *, environment: Mapping[str, str] | None = None, folder: Path = ROOT) -> str:
    """Run a command and return what it printed. When it fails, raise `CannotContinue` with its last lines."""
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
    except OSError as error:
        raise CannotContinue(f"{purpose} failed: {error}") from error
    output = done.stdout.decode("utf-8", "replace")
    if done.returncode != 0:
        last = "\n".join(output.rstrip().splitlines()[-LAST_LINES_SHOWN:])
        raise CannotContinue(f"{purpose} failed (exit {done.returncode}):\n{last}")
    return output


def run_aloud(command: Sequence[str], purpose: str, *, environment: Mapping[str, str] | None = None) -> None:
    """Run a command whose output people follow. When it fails, raise `CannotContinue`."""
    sys.stdout.flush()
    done = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise CannotContinue(f"{purpose} failed (exit {done.returncode}); what it said is above.")
