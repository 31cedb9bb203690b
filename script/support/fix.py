"""`script/fix`: let ruff mend what it can mend by itself."""

from __future__ import annotations

import subprocess
import sys

from script.support.places import ROOT, venv_command
from script.support.setup import set_up
from script.support.shell import CannotContinue


def main(arguments: list[str]) -> int:
    """The command. Arguments go to ruff; without any it looks at everything."""
    try:
        set_up(development=True)
    except CannotContinue as error:
        print(error, file=sys.stderr)
        return 1
    return subprocess.run([venv_command("ruff"), "check", "--fix", *arguments], cwd=ROOT, check=False).returncode
