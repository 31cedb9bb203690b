"""The web processes: gunicorn's threads, with requests read before a thread is taken, and answers sent after it is free again.

gunicorn gives a connection to a thread, which then waits for the request: eight connections that say nothing, or stop in the middle
of a header or a body, and nobody else is served. Here the loop that waits for all connections also collects what they send, and a
request takes a thread once it is there as a whole. The thread reads what was collected and nothing else, and leaves to the loop what
a connection does not take at once: whatever somebody sends or does not read, no thread waits for it, and nor does the loop.
docs/decisions/0025-a-thread-for-whole-requests.md has the figures.
"""

from __future__ import annotations

import errno
import socket
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any, BinaryIO

from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from shop.platform.arrivals import MOST_HEAD, Arrival, Collected

SILENCE = 20.0
"""Seconds without news after which a connection in the middle of a request, or of taking its answer, is closed."""

LEAVE = 2.0
"""Seconds a connection has to close its side after the last answer. Closed at once, what it still sends would cost it the answer."""

ANSWER = 262_144
"""Bytes the kernel keeps of an answer, more than most pages have."""

MOST_HELD = 64 * 1024 * 1024
"""What a process holds of requests and answers; beyond it, those that wait longest are let go."""


class Outgoing:
    """A connection as threads know it: they never wait for it. What the kernel does not take of an answer at once is `left`."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.connection.setblocking(False)
        self.left = bytearray()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def setblocking(self, _blocks: bool) -> None:
        """It never does."""

    def settimeout(self, _seconds: float | None) -> None:
        """There is nothing to wait for."""

    def sendall(self, data: bytes) -> None:
        if len(self.left) + len(data) > MOST_HELD:
            raise OSError(errno.ENOBUFS, "more than can be held for one connection")
        self.left += data if self.left else data[self.send_now(data) :]

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def sendfile(self, file: BinaryIO, offset: int = 0, count: int | None = None) -> None:
        file.seek(offset)
        self.sendall(file.read(-1 if count is None else count))

    def send_on(self) -> None:
        """Give the kernel more of what is left."""
        del self.left[: self.send_now(self.left)]

    def send_now(self, data: bytes | bytearray) -> int:
        try:
            return self.connection.send(data)
        except BlockingIOError:
            return 0


def is_gone(conn: TConn) -> bool:
    """Whether a connection was closed, perhaps in the very turn of the loop that brought news of it."""
    return bool(conn.sock.fileno() < 0)


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """One web process. What waits stands in `pending_conns`, the one that is silent longest first."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.arrivals: dict[TConn, Arrival] = {}
        self.leaving: deque[TConn] = deque()
        self.weights: dict[TConn, int] = {}
        self.held = 0
        self.at_work = 0
        self.has_shut_door = False

    def init_process(self) -> None:
        for listener in self.sockets:  # what it accepts inherits this
            listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ANSWER)
        super().init_process()

    def set_accept_enabled(self, enabled: bool) -> None:
        """A process whose threads are all at work leaves new connections to the others; one that stops, to nobody."""
        super().set_accept_enabled(enabled and self.at_work < self.cfg.threads)
        if not self.alive and not self.cfg.is_ssl and not self.has_shut_door:
            self.has_shut_door = True
            for listener in self.sockets:
                listener.setblocking(False)
                while self.nr_conns < self.worker_connections and self.accept(listener):
                    pass
                listener.close()  # whoever comes now is refused, and knows it

    def accept(self, listener: Any) -> bool:
        """Let in who is at the door; False when nobody is."""
        if self.cfg.is_ssl:  # what comes then is not the request
            super().accept(listener)
            return True
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return False
        except OSError as error:
            if error.errno not in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}:
                raise
            self.drop_one()  # it takes no more, so somebody goes
            return False
        self.nr_conns += 1
        while self.nr_conns >= self.worker_connections and self.drop_one():
            pass
        self.begin(TConn(self.cfg, Outgoing(client), address, listener.getsockname()))
        return True

    def drop_one(self) -> bool:
        """Let one go that keeps a place without using it; False when there is none."""
        idle = self.leaving or self.pending_conns or self.keepalived_conns
        if idle:
            self.drop(idle[0])
        return bool(idle)

    def on_client_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        """The next request of a connection that was kept."""
        if self.cfg.is_ssl:
            super().on_client_socket_readable(conn, client)
        elif not is_gone(conn):
            self.release(conn)
            self.begin(conn)

    def begin(self, conn: TConn, data: bytes = b"") -> None:
        """A connection's next request, of which `data` has come: to a thread if it is all there, else to those that wait."""
        arrival = Arrival()
        data = data or self.received(conn) or b""
        arrival.data += data
        self.weigh(conn, len(data))
        if data and arrival.is_whole():
            self.hand_over(conn, arrival)
            return
        self.arrivals[conn] = arrival
        self.watch(conn, self.pending_conns, EVENT_READ, self.collect)
        self.wait_on(conn, arrival)

    def received(self, conn: TConn) -> bytes | None:
        """What a connection has sent; nothing at all when it has ended, None when it has sent nothing yet."""
        try:
            data: bytes = conn.sock.recv(MOST_HEAD)
        except BlockingIOError:
            return None
        except OSError:
            return b""
        return data

    def collect(self, conn: TConn) -> None:
        """Take what a waiting connection sent."""
        data = self.received(conn)
        if data == b"":
            self.drop(conn)
        elif data:
            arrival = self.arrivals[conn]
            seen = len(arrival.data)
            arrival.data += data
            self.weigh(conn, len(arrival.data))
            if arrival.is_whole(seen):
                self.release(conn)
                self.hand_over(conn, arrival)
            else:
                self.wait_on(conn, arrival)

    def hand_over(self, conn: TConn, arrival: Arrival) -> None:
        conn.init()
        conn.parser.unreader = Collected(arrival)
        conn.data_ready = True
        self.enqueue_req(conn)

    def wait_on(self, conn: TConn, arrival: Arrival) -> None:
        """For the rest of a request."""
        if arrival.wants_go_ahead:
            arrival.wants_go_ahead = False
            with suppress(OSError):
                conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.put_off(conn)

    def put_off(self, conn: TConn) -> None:
        """News of a connection that is waited for put off its end, and move it behind the others. Too much held, the first ones go."""
        conn.timeout = time.monotonic() + SILENCE
        self.pending_conns.remove(conn)
        self.pending_conns.append(conn)
        while self.held > MOST_HELD and self.pending_conns:
            self.drop(self.pending_conns[0])

    def watch(self, conn: TConn, waiting: deque[TConn], event: int, act: Callable[[TConn], None]) -> None:
        """Put a connection among those that wait, and act on news of it for as long as it is there."""
        waiting.append(conn)
        self.poller.register(conn.sock, event, lambda _socket: None if is_gone(conn) else act(conn))

    def weigh(self, conn: TConn, size: int) -> None:
        """Note how many bytes are held for a connection: of its request until that is answered, then of the answer."""
        self.held += size - self.weights.pop(conn, 0)
        if size:
            self.weights[conn] = size

    def release(self, conn: TConn) -> None:
        """Stop waiting for a connection, whatever it was expected to do."""
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)
        for waiting in (self.pending_conns, self.keepalived_conns, self.leaving):
            with suppress(ValueError):
                waiting.remove(conn)
        self.arrivals.pop(conn, None)

    def drop(self, conn: TConn) -> None:
        if not is_gone(conn):
            self.release(conn)
            self.weigh(conn, 0)
            self.nr_conns -= 1
            conn.close()

    def murder_pending(self) -> None:
        """Let those go that were silent for too long; they keep nobody from stopping."""
        moment = time.monotonic()
        last = moment if self.alive else moment + SILENCE - LEAVE
        for waiting, until in ((self.pending_conns, last), (self.leaving, moment)):
            while waiting and waiting[0].timeout <= until:
                self.drop(waiting[0])

    def enqueue_req(self, conn: TConn) -> None:
        self.at_work += 1
        super().enqueue_req(conn)
        if self._accepting and self.at_work >= self.cfg.threads:
            self.set_accept_enabled(False)

    def finish_request(self, conn: TConn, future: Future[Any]) -> None:
        """After an answer: what was sent behind its request is the beginning of the next one."""
        self.at_work -= 1
        if self.cfg.is_ssl:
            super().finish_request(conn, future)
            return
        self.weigh(conn, 0)
        if is_gone(conn):  # closed by the thread, in the middle of an answer
            self.nr_conns -= 1
            return
        collected: Collected = conn.parser.unreader
        rest = collected.take_rest()
        keeps = not future.cancelled() and future.exception() is None and future.result() is True and not collected.has_ended
        self.go_on(conn, keeps, rest)

    def go_on(self, conn: TConn, keeps: bool, rest: bytes) -> None:
        """Once the kernel has all of an answer, to the next request or to the end."""
        if conn.sock.left:
            self.weigh(conn, len(conn.sock.left) + len(rest))
            self.watch(conn, self.pending_conns, EVENT_WRITE, partial(self.send_on, keeps=keeps, rest=rest))
            self.put_off(conn)
        elif not keeps:
            self.take_leave(conn)
        elif rest:
            self.begin(conn, rest)
        else:
            conn.set_timeout()
            if not self.alive:
                conn.timeout = min(conn.timeout, time.monotonic() + STOP_KEEPALIVE_LINGER)
            self.keepalived_conns.append(conn)
            self.poller.register(conn.sock, EVENT_READ, partial(self.on_client_socket_readable, conn))

    def send_on(self, conn: TConn, keeps: bool, rest: bytes) -> None:
        """A slow reader takes more of its answer."""
        try:
            conn.sock.send_on()
        except OSError:
            self.drop(conn)
            return
        self.weigh(conn, len(conn.sock.left) + len(rest))
        if conn.sock.left:
            self.put_off(conn)
        else:
            self.release(conn)
            self.weigh(conn, 0)
            self.go_on(conn, keeps, rest)

    def take_leave(self, conn: TConn) -> None:
        """End our side of a connection, and wait a moment for the other without looking at what it still sends."""
        conn.timeout = time.monotonic() + LEAVE
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.drop(conn)
        else:
            self.watch(conn, self.leaving, EVENT_READ, self.see_off)

    def see_off(self, conn: TConn) -> None:
        if self.received(conn) == b"":
            self.drop(conn)
