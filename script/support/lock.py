"""`script/lock`: compile the locks of Python packages and of front-end files. No lock holds a download address."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from script.support.frontend import find_npm, with_venv_first
from script.support.packages import NODE_LOCK, install_locked
from script.support.places import PACKAGE_LOCK, ROOT, venv_command
from script.support.setup import set_up
from script.support.shell import CannotContinue, run_quietly, say

PYTHON_LOCKS = {
    "requirements/run.in": "requirements.txt",
    "requirements/dev.in": "requirements-dev.txt",
    "requirements/node.in": "requirements/node.txt",
}


def compile_python(source: str, lock: str, *, upgrade: bool) -> None:
    """Compile one requirements file for every platform from Python 3.11 on. Pins stay as they are unless `upgrade`."""
    command = [venv_command("uv"), "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
    command += ["--generate-hashes", "--no-header", "--no-emit-index-url", "--no-emit-find-links", "--output-file", lock, source]
    run_quietly([*command, *(["--upgrade"] if upgrade else [])], f"Compiling {lock}")


def compile_frontend() -> None:
    """Write package-lock.json from package.json, which names exact versions."""
    npm = find_npm()
    if npm is None:
        install_locked(NODE_LOCK)
        npm = venv_command("npm")
    command = [npm, "install", "--package-lock-only", "--ignore-scripts", "--omit-lockfile-registry-resolved", "--no-audit", "--no-fund"]
    run_quietly(command, "Compiling package-lock.json", environment=with_venv_first(os.environ.copy()))
    without = without_addresses(json.loads(PACKAGE_LOCK.read_text(encoding="utf-8")))
    PACKAGE_LOCK.write_text(json.dumps(without, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def without_addresses(lock: dict[str, Any]) -> dict[str, Any]:
    """The same lock without download addresses, which an older npm writes whatever it is told."""
    kept = {name: {key: value for key, value in entry.items() if key != "resolved"} for name, entry in lock["packages"].items()}
    return {**lock, "packages": kept}


def main(arguments: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="script/lock", description="Compile requirements*.txt and package-lock.json anew.")
    parser.add_argument("--upgrade", action="store_true", help="take the newest Python packages that requirements/*.in allow")
    chosen = parser.parse_args(arguments)
    try:
        set_up(development=True)
        for source, lock in PYTHON_LOCKS.items():
            compile_python(source, lock, upgrade=chosen.upgrade)
            say(f"Compiled {lock}")
        compile_frontend()
        say(f"Compiled {PACKAGE_LOCK.relative_to(ROOT)}")
    except CannotContinue as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
