"""The small form of a bundle, made by esbuild at set-up and found by a fingerprint of the parts it was made of."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "built"
"""Not in `static/`: what is served is the bundle, whichever form of it there is."""

OLDEST = {"css": "chrome87,firefox91,safari14", "js": "es2020"}
"""The oldest browsers and language that pages are written for; esbuild spells nothing in a newer way."""


def place_of(name: str, parts: str, folder: Path = FOLDER) -> Path:
    """Where the small form of a bundle with exactly these parts is, if it was made."""
    stem, _, kind = name.partition(".")
    return folder / f"{stem}-{hashlib.sha256(parts.encode()).hexdigest()[:16]}.{kind}"


def kept(name: str, parts: str, folder: Path = FOLDER) -> bytes | None:
    """The small form of a bundle with exactly these parts; None when set-up made none, or a part was changed since."""
    try:
        return place_of(name, parts, folder).read_bytes()
    except FileNotFoundError:
        return None


def make(bundles: dict[str, str], esbuild: Path, folder: Path = FOLDER) -> None:
    """Make the small form of each bundle (name -> joined parts), and drop those of other parts.

    Raises `subprocess.CalledProcessError`, with what esbuild says, for a part that it cannot read; nothing is changed then.
    """
    fresh = {place_of(name, parts, folder): small(name, parts, esbuild) for name, parts in bundles.items()}
    folder.mkdir(exist_ok=True)
    for place, content in fresh.items():
        waiting = place.with_name(f"{place.name}.new")
        waiting.write_bytes(content)
        os.replace(waiting, place)
    for place in folder.iterdir():
        if place not in fresh:
            place.unlink()


def small(name: str, parts: str, esbuild: Path) -> bytes:
    """One bundle without what only people need."""
    kind = name.rpartition(".")[2]
    command = [str(esbuild), f"--loader={kind}", "--minify", f"--target={OLDEST[kind]}", "--legal-comments=inline", "--charset=utf8"]
    done = subprocess.run(command, input=parts.encode(), capture_output=True, check=True, timeout=60)  # noqa: S603  (our own words)
    return done.stdout
