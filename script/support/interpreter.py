"""Find a Python that is new enough. Written so that an old Python can read it."""

import os
import shutil
import sys

OLDEST = (3, 11)
NEWER_NAMES = ("python3.13", "python3.12", "python3.11", "python3.14")


def require_python():  # type: ignore[no-untyped-def]  # an old Python must be able to read this file
    """Return when this Python is new enough; else start the same command with one that is, or stop with a sentence."""
    if sys.version_info >= OLDEST:
        return
    for name in NEWER_NAMES:
        found = shutil.which(name)
        if found:
            os.execv(found, [found, *sys.argv])
    sys.exit("Linli needs Python {}.{} or newer; this is Python {}.{}.".format(*OLDEST, *sys.version_info[:2]))
