"""Connections that say nothing or stop half-way take no thread from anybody: the server that `script/server` starts, over sockets."""

from __future__ import annotations

import http.client
import os
import re
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from script.support.processes import Child, Program
from script.support.server import shop_programs
from script.support.services import free_port, listens
from script.support.settings import Ports, child_environment
from tests.support.running import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.one_engine]

SOCKETS = 100
LOOKS = 50
FORM = b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
HALVES = {
    "silent": b"",
    "half a request line": b"GET /heal",
    "half a header": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "half a body": FORM + b"Content-Length: 1000\r\n\r\nphone=1",
    "half a chunk": FORM + b"Transfer-Encoding: chunked\r\n\r\n40\r\nphone=1",
    "half a second request": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\nHo",
    "half a body whose length begins with zeros": FORM + b"Content-Length: 00000000000000001000\r\n\r\nphone=1",
    "half a chunk whose size begins with zeros": FORM + b"Transfer-Encoding: chunked\r\n\r\n0000000000000040\r\nphone=1",
    "half a body of a size that nobody is let send": FORM + b"Content-Length: 99999999\r\n\r\nphone=1",
    "a header without an end": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 12_000,
    "nothing after the last answer": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
}


@contextmanager
def serving(folder: Path, *more: str) -> Iterator[int]:
    """The web server of `script/server` on a port of its own, with `more` options."""
    ports = Ports(free_port())
    environment = child_environment(dict(os.environ), ports, secret_key="0123456789abcdef" * 4, instance=folder)
    environment |= {"INSTANCE_PATH": str(folder), "APP_ENV": "development"}
    web = shop_programs(environment, ports)[1]
    said: deque[str] = deque(maxlen=40)
    command = [sys.executable, *web.command[1:-1], *more, web.command[-1]]
    child = Child(Program("web", command, environment), lambda _, line: said.append(line))
    try:
        wait_until(lambda: listens(ports.web) and seconds_of_a_look(ports.web, patience=20.0) < 20, 60, "the server answering")
        yield ports.web
    finally:
        child.ask_to_stop()
        child.wait(12)
        child.bury()


def seconds_of_a_look(port: int, patience: float = 3.0) -> float:
    """How long somebody new waits for `/healthz`; `patience` when it never came."""
    begun = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read()
        return time.monotonic() - begun if answer.status == 200 else patience
    except OSError:
        return patience
    finally:
        connection.close()


@contextmanager
def held(port: int, beginning: bytes, count: int = SOCKETS) -> Iterator[list[socket.socket]]:
    """So many connections that sent `beginning` and stay."""
    opened: list[socket.socket] = []
    try:
        for _ in range(count):
            one = socket.create_connection(("127.0.0.1", port), timeout=10)
            one.sendall(beginning)
            opened.append(one)
        time.sleep(0.3)
        yield opened
    finally:
        for one in opened:
            one.close()


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with serving(tmp_path_factory.mktemp("slow")) as opened:
        yield opened


@pytest.mark.parametrize("beginning", HALVES.values(), ids=HALVES.keys())
def test_a_hundred_that_stop_half_way_keep_nobody_waiting(port: int, beginning: bytes) -> None:
    with held(port, beginning):
        looks = sorted(seconds_of_a_look(port) for _ in range(LOOKS))
    assert looks[int(0.99 * LOOKS) - 1] < 1.0, looks[-5:]


@pytest.mark.parametrize("kind", ["silent", "half a header", "half a body"])
def test_control_with_threads_that_read_for_themselves_they_stop_the_shop(tmp_path: Path, kind: str) -> None:
    with serving(tmp_path, "--worker-class", "gthread", "--workers", "1") as port, held(port, HALVES[kind]):
        assert seconds_of_a_look(port) == 3.0


def test_more_than_there_is_room_for_make_room_for_who_asks(tmp_path: Path) -> None:
    with serving(tmp_path, "--worker-connections", "50") as port, held(port, b"GET /", 200):
        looks = [seconds_of_a_look(port) for _ in range(10)]
    assert max(looks) < 1.0, looks


def exchange(port: int, *pieces: bytes, pause: float = 0.15) -> bytes:
    """What is answered to something sent in pieces, until the server closes or says no more."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
        for piece in pieces:
            one.sendall(piece)
            time.sleep(pause)
        one.settimeout(1.5)
        answer = b""
        with suppress(TimeoutError):
            while data := one.recv(65_536):
                answer += data
        return answer


LOOK = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST_LOOK = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("pieces", "statuses"),
    [
        ([LAST_LOOK], [200]),
        ([LOOK + LAST_LOOK], [200, 200]),
        ([LOOK, LAST_LOOK], [200, 200]),
        ([LOOK + LAST_LOOK[:20], LAST_LOOK[20:]], [200, 200]),
        ([LAST_LOOK[:5], LAST_LOOK[5:30], LAST_LOOK[30:-2], LAST_LOOK[-2:]], [200]),
        ([FORM + b"Connection: close\r\nContent-Length: 7\r\n\r\n", b"pho", b"ne=1"], [400]),
        ([FORM + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n", b"phone=1\r\n", b"0\r\n", b"\r\n"], [400]),
        ([FORM + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 7\r\n\r\n", b"phone=1"], [100, 100, 400]),
        ([b"no request at all\r\n\r\n"], [400]),
        ([b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000, b"\r\n\r\n"], [431]),
    ],
)
def test_requests_are_understood_in_whatever_pieces_they_come(port: int, pieces: list[bytes], statuses: list[int]) -> None:
    answer = exchange(port, *pieces)
    assert [int(status) for status in re.findall(rb"HTTP/1\.1 ([0-9]{3})", answer)] == statuses, answer[:500]


def test_whoever_reads_no_answers_keeps_nobody_waiting(port: int) -> None:
    many = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 60
    with held(port, many, 16):
        time.sleep(2)
        looks = sorted(seconds_of_a_look(port) for _ in range(LOOKS))
    assert looks[int(0.99 * LOOKS) - 1] < 1.0, looks[-5:]


def test_an_answer_larger_than_the_kernel_keeps_comes_whole_to_a_slow_reader(port: int) -> None:
    """Ten answers one behind the other, read only after a while."""
    look = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
        one.sendall(look * 29 + look.replace(b"Host", b"Connection: close\r\nHost"))
        time.sleep(1)
        answers = b"".join(iter(lambda: one.recv(65_536), b""))
    lengths = [int(length) for length in re.findall(rb"Content-Length: ([0-9]+)", answers)]
    assert len(lengths) == 30
    assert answers.count(b"HTTP/1.1 200") == 30
    assert sum(lengths) < len(answers) < sum(lengths) + 30 * 2_000


def test_a_body_in_tiny_chunks_costs_no_more_than_it_holds(port: int) -> None:
    begun = time.monotonic()
    answer = exchange(port, FORM + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 60_000 + b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400"), answer[:200]
    assert time.monotonic() - begun < 5


def test_what_follows_a_body_that_was_not_read_is_no_request(port: int) -> None:
    body = LAST_LOOK * 20
    answer = exchange(port, FORM + b"Content-Length: 99999999\r\n\r\n", body)
    assert answer.count(b"HTTP/1.1 ") == 1, answer[:400]


def test_a_body_too_large_is_refused_before_it_is_sent(port: int) -> None:
    answer = exchange(port, FORM + b"Connection: close\r\nContent-Length: 99999999\r\n\r\nphone=1")
    assert answer.startswith((b"HTTP/1.1 413", b"HTTP/1.1 400")), answer[:200]


@pytest.mark.parametrize(
    "header",
    [
        b"SCRIPT_NAME: //evil.example", b"SCRIPT-NAME: //evil.example", b"SCRIPT_NAME: /nowhere", b"X-Forwarded-Proto: https",
        b"X-Forwarded-Ssl: on\r\nX-Forwarded-Proto: http", b"PATH_INFO: /admin/",
    ],
)  # fmt: skip
def test_headers_that_say_where_we_are_are_not_believed(port: int, header: bytes) -> None:
    path = b"//evil.example/about" if b"//evil" in header else b"/about"
    answer = exchange(port, b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + header + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 404" if b"//evil" in header else b"HTTP/1.1 200"), answer[:300]
    after = exchange(port, b"GET /about HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert b"evil.example" not in after


def test_stopping_lets_a_request_under_way_finish(tmp_path: Path) -> None:
    """A request that is there as a whole when the server is told to stop is answered."""
    with serving(tmp_path) as port, socket.create_connection(("127.0.0.1", port), timeout=10) as one:
        one.sendall(LOOK)
        assert one.recv(1_000).startswith(b"HTTP/1.1 200")
        begun = time.monotonic()
    assert time.monotonic() - begun < 8, "an idle connection keeps nothing from stopping"
