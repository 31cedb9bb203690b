"""`script/setup`: everything a fresh checkout needs before it can run."""

from __future__ import annotations

import argparse
import sys

from script.support.frontend import ensure_frontend
from script.support.minifying import ensure_small_bundles
from script.support.packages import ensure_environment, ensure_packages
from script.support.places import INSTANCE
from script.support.shell import CannotContinue, say
from script.support.stamps import only_one_at_a_time
from script.support.translations import ensure_translations


def set_up(*, development: bool) -> None:
    """Bring the checkout up to date: environment, packages, front-end files, translations, bundles.

    Does only what changed since last time, so calling it again is quick and safe; two callers at once take turns.
    Raises `CannotContinue` with a message for people.
    """
    with only_one_at_a_time(INSTANCE / "setup.lock"):
        stamps = ensure_environment()
        ensure_packages(stamps, development=development)
        ensure_frontend(stamps, development=development)
        ensure_translations(stamps)
        ensure_small_bundles(stamps)


def main(arguments: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="script/setup", description="Set up what the shop needs. Does only what changed since last time.")
    parser.add_argument("--dev", action="store_true", help="also what the checks of script/test need")
    chosen = parser.parse_args(arguments)
    try:
        set_up(development=chosen.dev)
    except CannotContinue as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    say("Set up.")
    return 0
