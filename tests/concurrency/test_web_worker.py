"""The loop of a web process, turn by turn: news that comes too late for a connection that is gone."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from selectors import DefaultSelector

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.sock import TCPSocket

from shop.platform.server import PatientWorker

pytestmark = pytest.mark.one_engine

PLACES = 4


@pytest.fixture
def worker() -> Iterator[PatientWorker]:
    """A process of few places that accepts, but whose loop is turned by the test."""
    settings = Config()
    settings.set("worker_connections", PLACES)
    settings.set("threads", 1)
    listener = TCPSocket(("127.0.0.1", 0), settings, Logger(settings))
    made = PatientWorker(0, 0, [listener], None, 30, settings, Logger(settings))
    made.method_queue.init()
    made.tpool = made.get_thread_pool()
    made.poller = DefaultSelector()
    listener.sock.setblocking(False)
    yield made
    while made.drop_one():
        pass
    made.tpool.shutdown()
    made.poller.close()
    made.method_queue.close()
    made.tmp.close()
    listener.close()


def caller(worker: PatientWorker) -> socket.socket:
    """Somebody who has just connected and was let in."""
    made = socket.create_connection(worker.sockets[0].sock.getsockname(), timeout=5)
    worker.accept(worker.sockets[0])
    return made


def test_late_news_of_who_was_let_go_frees_no_second_place(worker: PatientWorker) -> None:
    callers = [caller(worker) for _ in range(PLACES - 1)]
    for one in callers:
        one.sendall(b"GET /")
    news = [(key.data, key.fileobj) for key, _ in worker.poller.select(1)]
    assert len(news) == PLACES - 1
    newcomers = [caller(worker) for _ in range(PLACES - 1)]  # each takes the place of one that has something to say
    for act, connection in news:
        act(connection)
    assert worker.nr_conns == len(worker.pending_conns) == PLACES - 1
    for one in callers + newcomers:
        one.close()


def test_late_news_of_a_kept_connection_that_was_let_go_stops_nothing(worker: PatientWorker) -> None:
    one = caller(worker)
    conn = worker.pending_conns[0]
    worker.release(conn)
    worker.go_on(conn, keeps=True, rest=b"")
    one.sendall(b"GET /")
    ((key, _),) = worker.poller.select(1)
    worker.drop(conn)
    key.data(key.fileobj)
    assert worker.nr_conns == 0
    one.close()


def test_what_is_held_is_counted_until_the_request_is_answered(worker: PatientWorker) -> None:
    one = caller(worker)
    conn = worker.pending_conns[0]
    one.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + b"x" * 50_000)
    while worker.held < 50_000:
        worker.wait_for_and_dispatch_events(1)
    assert worker.held == sum(worker.weights.values()) == len(worker.arrivals[conn].data)
    one.close()
    worker.wait_for_and_dispatch_events(1)
    assert (worker.held, worker.nr_conns) == (0, 0)


def test_who_waits_at_the_door_of_a_process_that_stops_is_let_in_and_nobody_after_them(worker: PatientWorker) -> None:
    """Its threads were busy, so it left them waiting; with the door, the system would hang up on them."""
    place = worker.sockets[0].sock.getsockname()
    callers = [socket.create_connection(place, timeout=5) for _ in range(2)]
    worker.alive = False
    worker.set_accept_enabled(False)
    assert worker.nr_conns == len(callers)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(place, timeout=5)
    for one in callers:
        one.close()
