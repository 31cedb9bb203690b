"""Load: so many connections doing one kind of deed for some seconds, each drawing its own. Loopback only, bounded, stops by itself."""

from __future__ import annotations

import json
import multiprocessing
import resource
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.drawing import Draw, draw_for


class Connection:
    """One kept-alive HTTP connection; lean, so that the load weighs little beside what it measures."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.open()

    def open(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def request(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Status and body of the answer."""
        content = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in (headers or {}).items())]
        if method != "GET":
            lines += [f"Content-Length: {len(content)}"] + (["Content-Type: application/json"] if content else [])
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
        return self.answer()

    def answer(self) -> tuple[int, bytes]:
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self.receive()
        head, rest = received[:end].decode("latin-1"), received[end + 4 :]
        length = closes = 0
        for line in head.split("\r\n")[1:]:
            name, _, value = line.partition(":")
            if name.lower() == "content-length":
                length = int(value)
            elif name.lower() == "connection":
                closes = value.strip().lower() == "close"
        while len(rest) < length:
            rest += self.receive()
        if closes:
            self.socket.close()
            self.open()
        return int(head.split(" ", 2)[1]), rest

    def receive(self) -> bytes:
        received = self.socket.recv(65_536)
        if not received:
            raise ConnectionError("the server closed the connection")
        return received


@dataclass
class Tally:
    """What happened: how many times, how long each took, what was answered."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    cpu_seconds: float = 0.0
    """What the load itself used."""

    @property
    def done(self) -> int:
        return self.outcomes.get("ok", 0)

    @property
    def rate(self) -> float:
        return self.done / self.seconds if self.seconds else 0.0

    @property
    def requests_rate(self) -> float:
        return self.requests / self.seconds if self.seconds else 0.0


def percentile(times: Sequence[float], share: float) -> float:
    """Milliseconds within which that share of all was answered."""
    ordered = sorted(times)
    return 1_000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


Work = Callable[[Connection, Draw], tuple[str, int]]
"""One deed, drawn; what became of it ("ok" or a code) and how many requests it took."""


@dataclass(frozen=True)
class Turn:
    """Which turn of which measure, over how many connections and how long; or `once` on each of them."""

    name: str
    number: object
    connections: int
    seconds: float
    once: bool = False


def run(port: int, work: Work, turn: Turn) -> Tally:
    """Do `work` over so many connections at once, in two processes, for some seconds; or once on each of them."""
    context = multiprocessing.get_context("fork")
    queue: Any = context.Queue()
    shares = [list(range(turn.connections))[start::2] for start in range(2)]
    processes = [context.Process(target=_drive, args=(port, work, turn, share, queue)) for share in shares if share]
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    for process in processes:
        process.start()
    tally = Tally()
    for _ in processes:
        times, outcomes, requests = queue.get(timeout=turn.seconds + 120)
        tally.times += times
        tally.requests += requests
        for outcome, count in outcomes.items():
            tally.outcomes[outcome] = tally.outcomes.get(outcome, 0) + count
    for process in processes:
        process.join()
    tally.seconds = time.perf_counter() - started
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    tally.cpu_seconds = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    return tally


def _drive(port: int, work: Work, turn: Turn, numbers: list[int], queue: Any) -> None:
    times: list[float] = []
    outcomes: dict[str, int] = {}
    requests = [0]
    lock = threading.Lock()
    end = time.perf_counter() + turn.seconds

    def loop(number: int) -> None:
        connection, draw = Connection(port), draw_for(turn.name, turn.number, number, turn.connections)
        while draw.deeds == 0 if turn.once else time.perf_counter() < end:
            begun = time.perf_counter()
            try:
                outcome, count = work(connection, draw)
            except (OSError, ValueError) as error:
                outcome, count = type(error).__name__, 1
                connection = Connection(port)
            with lock:
                times.append(time.perf_counter() - begun)
                outcomes[outcome] = outcomes.get(outcome, 0) + 1
                requests[0] += count
            draw.deeds += 1

    threads = [threading.Thread(target=loop, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    queue.put((times, outcomes, requests[0]))
