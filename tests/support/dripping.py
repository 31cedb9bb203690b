"""A partner that never quite answers: a plain socket that drips, stalls or hangs, for the length of a block."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"

EVERY = 0.1


@contextmanager
def dripping(first: bytes, drop: bytes = b"") -> Iterator[str]:
    """An address where every caller gets `first` at once and then, for as long as it stays, `drop` ten times a second.

    Without `drop` nothing more comes: it hangs.
    """
    over = threading.Event()
    door = socket.create_server(("127.0.0.1", 0))
    door.settimeout(0.1)

    def serve(caller: socket.socket) -> None:
        with caller, suppress(OSError):
            caller.sendall(first)
            while not over.wait(EVERY):
                caller.sendall(drop)

    def listen() -> None:
        while not over.is_set():
            with suppress(TimeoutError):
                threads.append(threading.Thread(target=serve, args=(door.accept()[0],)))
                threads[-1].start()

    threads = [threading.Thread(target=listen)]
    threads[0].start()
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        over.set()
        for thread in list(threads):
            thread.join()
        door.close()
