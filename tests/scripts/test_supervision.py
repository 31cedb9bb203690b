"""Programs that die come back, and the end stops all of them and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from script.support.places import ROOT
from script.support.processes import Child, Program, describe_end
from script.support.supervisor import Supervisor, pause_before_restart

pytestmark = pytest.mark.one_engine

SAYS_ITS_ID = ["sh", "-c", "echo $$; exec sleep 60"]
IGNORES_SIGTERM = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
WITH_GRANDCHILD = ["sh", "-c", "sleep 60 & echo $!; wait"]


class Lines:
    """Collects what programs print."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def follow(self, name: str, text: str) -> None:
        self.said.append((name, text))

    def of(self, name: str) -> list[str]:
        return [text for who, text in self.said if who == name]


def eventually(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.02)
    return holds()


def is_alive(pid: int) -> bool:
    """True while the process runs; one that only waits to be reaped counts as gone."""
    try:
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat")
        return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def supervisor(lines: Lines) -> Iterator[Supervisor]:
    made = Supervisor(lines.follow, lambda text: lines.follow("server", text))
    yield made
    made.stop(patience=0.2)


def program(name: str, command: list[str]) -> Program:
    return Program(name, command, dict(os.environ))


def test_every_line_is_followed_under_the_program_s_name(lines: Lines) -> None:
    child = Child(program("web", ["sh", "-c", "echo 一; echo two >&2; exit 4"]), lines.follow)
    assert child.wait(10)
    assert child.bury() == 4
    assert lines.said == [("web", "一"), ("web", "two")]


def test_a_killed_program_is_started_again(lines: Lines, supervisor: Supervisor) -> None:
    supervisor.start(program("worker", SAYS_ITS_ID))
    assert eventually(lambda: len(lines.of("worker")) == 1)
    os.kill(int(lines.of("worker")[0]), signal.SIGKILL)

    def is_back() -> bool:
        supervisor.look()
        return len(lines.of("worker")) == 2

    assert eventually(is_back)
    first, second = map(int, lines.of("worker"))
    assert first != second
    assert is_alive(second)
    assert lines.of("server") == ["worker stopped (killed by SIGKILL); starting it again in 0.5 s"]


def test_what_a_dead_program_left_behind_is_killed_before_the_next_start(lines: Lines, supervisor: Supervisor) -> None:
    supervisor.start(program("web", WITH_GRANDCHILD))
    assert eventually(lambda: len(lines.of("web")) == 1)
    grandchild = int(lines.of("web")[0])
    child = supervisor.places[0].child
    assert child is not None
    assert is_alive(grandchild)
    os.kill(child.process.pid, signal.SIGKILL)
    assert eventually(child.has_ended)
    supervisor.look()
    assert eventually(lambda: not is_alive(grandchild))


def test_pauses_grow_up_to_a_limit() -> None:
    assert [pause_before_restart(deaths) for deaths in range(1, 8)] == [0.5, 1, 2, 4, 8, 15, 15]


def test_stop_ends_everything_it_started_and_nothing_else(lines: Lines, supervisor: Supervisor) -> None:
    bystander = subprocess.Popen(["sleep", "60"], stdin=subprocess.DEVNULL)
    try:
        supervisor.start(program("web", WITH_GRANDCHILD))
        supervisor.start(program("worker", SAYS_ITS_ID))
        assert eventually(lambda: bool(lines.of("web")) and bool(lines.of("worker")))
        started = [int(lines.of("web")[0]), int(lines.of("worker")[0])]
        supervisor.stop()
        assert eventually(lambda: not any(map(is_alive, started)))
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_program_that_ignores_the_request_is_killed_after_a_while(lines: Lines, supervisor: Supervisor) -> None:
    supervisor.start(program("worker", [sys.executable, "-c", IGNORES_SIGTERM]))
    assert eventually(lambda: bool(lines.of("worker")))
    child = supervisor.places[0].child
    assert child is not None
    supervisor.stop(patience=0.3)
    assert child.process.returncode == -signal.SIGKILL


def test_the_stand_ins_end_after_the_shop(lines: Lines, supervisor: Supervisor) -> None:
    ends_slowly = "import signal, sys, time\ndef end(*_):\n time.sleep(0.3); print('end', flush=True); sys.exit()\n"
    at_the_request = "signal.signal(signal.SIGTERM, end)\nprint('up', flush=True)\ntime.sleep(60)"
    for name in ("stripe", "web"):
        supervisor.start(program(name, [sys.executable, "-c", ends_slowly + at_the_request]))
    assert eventually(lambda: len(lines.said) == 2)
    supervisor.stop(names_last=["stripe"])
    assert [name for name, text in lines.said if text == "end"] == ["web", "stripe"]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's notice of a parent's death is Linux's own")
def test_kill_9_of_the_starter_ends_what_it_started() -> None:
    starter = (
        "import os, time\n"
        "from script.support.processes import Child, Program\n"
        "Child(Program('x', ['sleep', '60'], dict(os.environ)), print)\n"
        "child = Child(Program('y', ['sh', '-c', 'echo $$; exec sleep 60'], dict(os.environ)), lambda _, line: print(line, flush=True))\n"
        "time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", starter], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        started = int(process.stdout.readline())
        assert is_alive(started)
        process.kill()
        process.wait()
        assert eventually(lambda: not is_alive(started))


def test_an_end_is_told_in_words() -> None:
    assert describe_end(3) == "exit 3"
    assert describe_end(-9) == "killed by SIGKILL"
