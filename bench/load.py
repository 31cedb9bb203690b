"""Load: so many connections doing one thing again and again for some seconds. Loopback only, bounded, stops by itself."""

from __future__ import annotations

import json
import multiprocessing
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


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

    @property
    def done(self) -> int:
        return self.outcomes.get("ok", 0)

    @property
    def rate(self) -> float:
        return self.done / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """Milliseconds within which that share of all was answered."""
        ordered = sorted(self.times)
        return 1_000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


Work = Callable[[Connection, int, int], tuple[str, int]]
"""One deed of connection `number`, the `turn`-th time; what became of it ("ok" or a code) and how many requests it took."""


def run(port: int, work: Work, connections: int, seconds: float, once: bool = False) -> Tally:
    """Do `work` over so many connections at once, in two processes, for some seconds; or `once` on each of them."""
    context = multiprocessing.get_context("fork")
    queue: Any = context.Queue()
    shares = [list(range(connections))[start::2] for start in range(2)]
    processes = [context.Process(target=_drive, args=(port, work, share, seconds, once, queue)) for share in shares if share]
    started = time.perf_counter()
    for process in processes:
        process.start()
    tally = Tally()
    for _ in processes:
        times, outcomes, requests = queue.get(timeout=seconds + 120)
        tally.times += times
        tally.requests += requests
        for outcome, count in outcomes.items():
            tally.outcomes[outcome] = tally.outcomes.get(outcome, 0) + count
    for process in processes:
        process.join()
    tally.seconds = time.perf_counter() - started
    return tally


def _drive(port: int, work: Work, numbers: list[int], seconds: float, once: bool, queue: Any) -> None:
    import threading

    times: list[float] = []
    outcomes: dict[str, int] = {}
    requests = [0]
    lock = threading.Lock()
    end = time.perf_counter() + seconds

    def loop(number: int) -> None:
        connection, turn = Connection(port), 0
        while turn == 0 if once else time.perf_counter() < end:
            begun = time.perf_counter()
            try:
                outcome, count = work(connection, number, turn)
            except (OSError, ValueError) as error:
                outcome, count = type(error).__name__, 1
                connection = Connection(port)
            with lock:
                times.append(time.perf_counter() - begun)
                outcomes[outcome] = outcomes.get(outcome, 0) + 1
                requests[0] += count
            turn += 1

    threads = [threading.Thread(target=loop, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    queue.put((times, outcomes, requests[0]))


def get(path: str, headers: dict[str, str] | None = None, expect: int = 200) -> Work:
    """Fetch one page again and again."""

    def work(connection: Connection, number: int, turn: int) -> tuple[str, int]:
        status, _ = connection.request("GET", path, headers=headers)
        return "ok" if status == expect else str(status), 1

    return work


