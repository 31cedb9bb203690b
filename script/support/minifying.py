"""Make the bundles of pages small, when one of their parts changed."""

from __future__ import annotations

import os

from script.support.frontend import with_venv_first
from script.support.places import BUILT, NODE_MODULES, PACKAGE_LOCK, STATIC, flask_command
from script.support.shell import run_quietly, say
from script.support.stamps import Stamps, fingerprint_of_file, fingerprint_of_listing, fingerprint_of_text

ESBUILD = NODE_MODULES / ".bin" / "esbuild"


def ensure_small_bundles(stamps: Stamps) -> None:
    """Make every bundle's small form anew when a style sheet, a script or the lock is another than last time."""
    parts = [path for path in STATIC.rglob("*") if path.suffix in {".css", ".js"}]
    wanted = fingerprint_of_text(fingerprint_of_listing(parts), fingerprint_of_file(PACKAGE_LOCK))
    if stamps.is_current("bundles", wanted) and BUILT.is_dir():
        return
    say("Making the pages' files small ...")
    environment = with_venv_first({**os.environ, "APP_ENV": "development"})  # whatever the caller runs, nothing of it is needed for this
    run_quietly(flask_command("bundles", "minify", str(ESBUILD)), "Making the pages' files small", environment=environment)
    stamps.record(bundles=wanted)
