"""The few front-end files that pages use: fetched by npm from the lock, copied to where the shop serves them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from script.support import bootstrap
from script.support.packages import NODE_LOCK, install_locked
from script.support.places import NODE_MODULES, PACKAGE_LOCK, ROOT, VENDOR, VENV, venv_command
from script.support.shell import run_quietly, say
from script.support.stamps import Stamps, fingerprint_of_file, fingerprint_of_text

OLDEST_NPM = 7
"""The first npm that reads the format of our lock."""

VENDORED = {
    "bootstrap.css": "bootstrap/dist/css/bootstrap.min.css",
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
}
"""Name under `shop/static/vendor/` and the file in `node_modules/` that it comes from."""

FOR_TESTS = ("axe-core/axe.min.js",)
"""Read by the browser tests straight from `node_modules/`; never served."""

SOURCE_MAP_LINE = re.compile(rb"^[ \t]*(?://[#@]|/\*[#@])[ \t]*sourceMappingURL=[^\n]*\n?", re.MULTILINE)


def ensure_frontend(stamps: Stamps, *, development: bool) -> None:
    """Fetch and copy the front-end files when the lock or the list of files changed, or a file is missing."""
    locked = fingerprint_of_file(PACKAGE_LOCK)
    wanted = fingerprint_of_text(locked, repr(sorted(VENDORED.items())), fingerprint_of_file(Path(bootstrap.__file__)))
    served = stamps.is_current("vendor", wanted) and all((VENDOR / name).is_file() for name in VENDORED)
    tested = stamps.is_current("node_modules", f"{locked} with tests") and all((NODE_MODULES / name).is_file() for name in FOR_TESTS)
    if served and (tested or not development):
        return
    say("Fetching the front-end files ...")
    fetch(development=development)
    copy_files(NODE_MODULES, VENDOR)
    stamps.record(vendor=wanted, node_modules=f"{locked} with tests" if development else locked)


def fetch(*, development: bool) -> None:
    """Fill `node_modules/` with exactly what the lock names. No package may run a script of its own."""
    npm = find_npm()
    if npm is None:
        say("This machine has no npm; taking it into .venv ...")
        install_locked(NODE_LOCK)
        npm = venv_command("npm")
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    leave_out = [] if development else ["--omit=dev"]
    run_quietly([npm, "ci", *quiet, *leave_out], "Fetching the front-end files", environment=with_venv_first(os.environ.copy()))


def find_npm() -> str | None:
    """An npm that is new enough: the machine's own, or the one in `.venv`."""
    for candidate in (shutil.which("npm"), venv_command("npm")):
        if candidate and Path(candidate).exists() and is_new_enough(candidate):
            return candidate
    return None


def is_new_enough(npm: str) -> bool:
    """True when this npm starts and reads our lock."""
    environment = with_venv_first(os.environ.copy())
    try:
        answer = subprocess.run([npm, "--version"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    major = answer.stdout.strip().split(".")[0]
    return answer.returncode == 0 and major.isdigit() and int(major) >= OLDEST_NPM


def with_venv_first(environment: dict[str, str]) -> dict[str, str]:
    """The same environment in which an npm of `.venv` finds its own node. A machine's node stays first when there is one."""
    path = environment.get("PATH", os.defpath)
    return environment if shutil.which("node", path=path) else {**environment, "PATH": f"{VENV / 'bin'}{os.pathsep}{path}"}


def copy_files(source: Path, target: Path) -> None:
    """Copy what the shop needs of the vendored files, and drop whatever else is there."""
    target.mkdir(parents=True, exist_ok=True)
    for extra in target.iterdir():
        if extra.name not in VENDORED and extra.is_file():
            extra.unlink()
    for name, origin in VENDORED.items():
        fresh = target / f"{name}.new"
        fresh.write_bytes(needed_of(name, (source / origin).read_bytes()))
        os.replace(fresh, target / name)


def needed_of(name: str, content: bytes) -> bytes:
    """The file as it is served: of Bootstrap the least, and nothing that makes browsers ask for a source map."""
    content = without_source_map(content)
    return bootstrap.least_of(content.decode()).encode() if name == "bootstrap.css" else content


def without_source_map(content: bytes) -> bytes:
    """The same file without the lines that make browsers ask for a source map."""
    return SOURCE_MAP_LINE.sub(b"", content)
