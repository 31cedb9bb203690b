"""Compile the translations when one of them changed."""

from __future__ import annotations

import os
from pathlib import Path

from script.support.places import TRANSLATIONS, flask_command
from script.support.shell import run_quietly, say
from script.support.stamps import Stamps, fingerprint_of_listing


def ensure_translations(stamps: Stamps) -> None:
    """Compile every language anew when a .po file is new, changed or gone, or newer than what was made of it."""
    sources = sorted(TRANSLATIONS.rglob("*.po"))
    if not sources:
        return
    listing = fingerprint_of_listing(sources)
    if stamps.is_current("translations", listing) and not is_outdated(sources, sorted(TRANSLATIONS.rglob("*.mo"))):
        return
    say("Compiling the translations ...")
    environment = {**os.environ, "APP_ENV": "development"}  # whatever the caller runs, nothing of it is needed for this
    run_quietly(flask_command("translate", "compile"), "Compiling the translations", environment=environment)
    stamps.record(translations=listing)


def is_outdated(sources: list[Path], compiled: list[Path]) -> bool:
    """True when nothing is compiled yet, or a source is newer than the oldest compiled file."""
    if not compiled:
        return True
    return max(path.stat().st_mtime_ns for path in sources) > min(path.stat().st_mtime_ns for path in compiled)
