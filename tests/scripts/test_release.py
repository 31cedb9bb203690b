"""`script/release` does things in their order, and puts the release before back when the new one does not come up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from script.support import release as script
from script.support.probe import is_ready_within, main, status_of
from script.support.release import Instance, Release
from script.support.shell import CannotContinue

pytestmark = pytest.mark.one_engine


@contextmanager
def answering(place: Path, status: int) -> Iterator[None]:
    """Somebody at a socket who says the same to everybody."""
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(place))
    door.listen()
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            caller, _ = door.accept()
            with caller:
                if caller.recv(4_096):
                    caller.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(str(place))
        thread.join()
        door.close()
        place.unlink()


@dataclass
class Keeper:
    """Writes down what it is told; programs of a release named in `broken` do not run."""

    current: Path
    done: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def restart(self, name: str) -> None:
        self.done.append(f"{name} with {self.current.resolve().name}")

    def stop(self, name: str) -> None:
        self.done.append(f"{name} stopped")

    def is_running(self, name: str) -> bool:
        return self.done[-1] not in self.broken


class Shop:
    """A machine with two releases on it; `ready` tells of each instance whether it gets ready, release by release."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.current = folder / "current"
        for name in ("before", "new"):
            (folder / name).mkdir()
        self.current.symlink_to(folder / "before")
        self.keeper = Keeper(self.current)
        self.unready: set[str] = set()
        monkeypatch.setattr(script, "is_ready_within", lambda _place, _seconds: self.keeper.done[-1] not in self.unready)
        instances = [Instance(name, f"unix:{folder}/{name}") for name in ("web-1", "web-2")]
        self.release = Release(self.keeper, instances, self.run, self.current, folder / "new", worker_steady=0)

    def run(self, words: Sequence[str]) -> None:
        self.keeper.done.append(" ".join(words))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    return Shop(tmp_path, monkeypatch)


def test_everything_happens_in_its_order(shop: Shop) -> None:
    shop.release.put_in()
    assert shop.keeper.done == ["db upgrade", "worker with new", "web-1 with new", "web-2 with new", "scale fill-keys", "verify"]
    assert shop.current.resolve().name == "new"


def test_what_does_not_get_ready_is_taken_back_and_the_other_is_never_touched(shop: Shop) -> None:
    shop.unready.add("web-1 with new")
    with pytest.raises(CannotContinue, match="The release before serves again"):
        shop.release.put_in()
    assert shop.keeper.done == ["db upgrade", "worker with new", "web-1 with new", "web-1 with before", "worker with before"]
    assert shop.current.resolve().name == "before"


def test_a_worker_that_does_not_run_is_taken_back_before_anybody_sees_the_release(shop: Shop) -> None:
    shop.keeper.broken.add("worker with new")
    with pytest.raises(CannotContinue, match="The worker does not keep running"):
        shop.release.put_in()
    assert shop.keeper.done == ["db upgrade", "worker with new", "worker with before"]


def test_when_the_database_cannot_be_brought_forward_nothing_is_restarted(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_words: Sequence[str]) -> None:
        raise CannotContinue("no")

    monkeypatch.setattr(shop.release, "run", fail)
    with pytest.raises(CannotContinue):
        shop.release.put_in()
    assert shop.keeper.done == []
    assert shop.current.resolve().name == "before"


def test_with_a_pause_everything_stops_before_the_database_changes(shop: Shop) -> None:
    shop.release.with_a_pause = True
    shop.release.put_in()
    assert shop.keeper.done[:4] == ["web-1 stopped", "web-2 stopped", "worker stopped", "db upgrade"]


def test_a_release_that_needs_a_pause_is_not_put_in_without(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(script, "reason_for_a_pause", lambda _release: "a column changes its meaning.")
    assert script.main([]) == 1
    assert "a column changes its meaning." in capsys.readouterr().err


def test_a_probe_asks_over_a_socket(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "s"
    assert status_of(f"unix:{place}") == 0
    assert main([f"unix:{place}"]) == 1
    assert "not ready (/readyz: no answer)" in capsys.readouterr().err
    with answering(place, 503):
        assert status_of(f"unix:{place}") == 503
        assert not is_ready_within(f"unix:{place}", 0.1)
    with answering(place, 200):
        assert is_ready_within(f"unix:{place}", 1)
        assert main([f"unix:{place}"]) == 0
