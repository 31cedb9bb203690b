"""Commands that drive a browser run in the virtual environment, with everything set up that the checks need."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from script.support.places import VENV, venv_command
from script.support.setup import set_up
from script.support.shell import CannotContinue

SET_UP = "LINLI_IS_SET_UP"


def into_the_environment() -> None:
    """Set up, and start this same command again in the virtual environment; return when it runs there already."""
    if os.environ.get(SET_UP) == "1" and Path(sys.prefix) == VENV:
        return
    try:
        set_up(development=True)
    except CannotContinue as error:
        sys.exit(str(error))
    os.environ[SET_UP] = "1"
    os.execv(venv_command("python"), [venv_command("python"), *sys.argv])
