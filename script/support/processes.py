"""One long-running program: started in a process group of its own, followed line by line, stopped by its id."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from script.support.places import ROOT

LEASH = Path(__file__).with_name("leash.py")

Follower = Callable[[str, str], None]
"""Receives the program's name and one line that it printed."""


@dataclass(frozen=True)
class Program:
    """What to run and under which short name its output appears. `user` is `UID:GID` where root starts what must not be root."""

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = "-"
    folder: Path = ROOT


class Child:
    """A running `Program`. Its process group holds whatever it starts in turn."""

    def __init__(self, program: Program, follow: Follower) -> None:
        self.program = program
        self.started = time.monotonic()
        self.buried = False
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), program.user, *program.command],
            cwd=program.folder,
            env=dict(program.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.reader = threading.Thread(target=self._read, args=(self.process.stdout, follow), daemon=True)
        self.reader.start()

    def _read(self, stream: IO[bytes], follow: Follower) -> None:
        with stream:
            for line in stream:
                follow(self.program.name, line.decode("utf-8", "replace").rstrip("\r\n"))

    def age(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def has_ended(self) -> bool:
        """True when the program itself is gone. Its id stays reserved until `bury`, so nobody else can be hit by a signal meant for it."""
        if self.process.returncode is not None:
            return True
        if not hasattr(os, "waitid"):
            return self.process.poll() is not None
        return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def ask_to_stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """A signal to the program alone, which ends its own children in good order."""
        if not self.has_ended():
            self.process.send_signal(how)

    def wait(self, seconds: float) -> bool:
        """Wait for the end, at most this long. True when it ended."""
        deadline = time.monotonic() + seconds
        while not self.has_ended():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        return True

    def bury(self) -> int:
        """Kill whatever is left of the process group and return how the program ended (negative: the signal)."""
        if not self.buried:
            self.buried = True
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        code = self.process.wait()
        self.reader.join(timeout=2)
        return code


def describe_end(code: int) -> str:
    """How a program ended, in words: `exit 3`, `killed by SIGKILL`."""
    if code >= 0:
        return f"exit {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
