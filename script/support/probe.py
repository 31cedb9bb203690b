"""`script/probe`: ask one instance of the shop whether it serves, over its socket or its port. Needs nothing but Python."""

from __future__ import annotations

import argparse
import http.client
import socket
import sys
import time

LOOK_EVERY = 0.2
ANSWER_WITHIN = 5.0


class OverSocket(http.client.HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=ANSWER_WITHIN)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(ANSWER_WITHIN)
        self.sock.connect(self.path)


def connection_to(place: str) -> http.client.HTTPConnection:
    """A connection to `unix:/run/linli/web-1/shop.sock` or `127.0.0.1:8000`, made when it is first used. Raises `ValueError`."""
    kind, _, rest = place.partition(":")
    return OverSocket(rest) if kind == "unix" else http.client.HTTPConnection(kind, int(rest), timeout=ANSWER_WITHIN)


def status_of(place: str, path: str = "/readyz") -> int:
    """The status of an answer; 0 when there was none."""
    connection = connection_to(place)
    try:
        connection.request("GET", path)
        with connection.getresponse() as answer:
            return answer.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def is_ready_within(place: str, seconds: float) -> bool:
    """Whether an instance is ready at some moment of the next seconds."""
    end = time.monotonic() + seconds
    while status_of(place) != 200:
        if time.monotonic() > end:
            return False
        time.sleep(LOOK_EVERY)
    return True


def main(arguments: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="script/probe", description="Ask an instance of the shop for /readyz. Exit 0 when it is ready.")
    parser.add_argument("place", help="unix:PATH of its socket, or HOST:PORT")
    parser.add_argument("--within", type=float, default=0.0, metavar="SECONDS", help="keep asking for so long (default: ask once)")
    chosen = parser.parse_args(arguments)
    if is_ready_within(chosen.place, chosen.within):
        return 0
    print(f"{chosen.place}: not ready (/readyz: {status_of(chosen.place) or 'no answer'})", file=sys.stderr)
    return 1
