"""A hard end for calls outside.

The time-out of an HTTP library starts anew with every packet, so a partner that sends a byte now and then is never late.
Here one clock runs over the whole call: connecting, TLS, sending, headers and every piece of the body, redirects and
further tries included. Only resolving the partner's name keeps the limits of the machine's resolver.

    with within(8):
        answer = session().post(...)
"""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

_end: ContextVar[float | None] = ContextVar("end", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Calls of a `session()` inside the block are over `seconds` after it began; an earlier end that is set already stays.

    What is not over by then raises `TimeoutError`, which `requests` tells as `Timeout` or `ConnectionError`.
    """
    end, before = time.monotonic() + seconds, _end.get()
    token = _end.set(end if before is None else min(end, before))
    try:
        yield
    finally:
        _end.reset(token)


def left(wish: float | None) -> float | None:
    """Seconds that one step of a call may still take: the end of the call, or its own `wish` if that is sooner."""
    end = _end.get()
    if end is None:
        return wish
    rest = end - time.monotonic()
    if rest <= 0:
        raise TimeoutError("the time for this call is over")
    return rest if wish is None else min(wish, rest)


class TimedReads(io.RawIOBase):
    """The receiving side of a connection: each read waits no longer than the call may still take."""

    def __init__(self, connection: socket.socket, wish: float | None) -> None:
        self._connection, self._wish = connection, wish
        self._source: Any = connection.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._connection.settimeout(left(self._wish))
        count: int | None = self._source.readinto(buffer)
        return count

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()


class TimedSocket:
    """A connected socket under the clock of the call it serves."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._wish = connection.gettimeout()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def settimeout(self, seconds: float | None) -> None:
        self._wish = seconds
        self._connection.settimeout(seconds)

    def sendall(self, data: Any, *flags: int) -> None:
        self._connection.settimeout(left(self._wish))
        self._connection.sendall(data, *flags)

    def makefile(self, *_mode: Any, **_options: Any) -> io.BufferedReader:
        return io.BufferedReader(TimedReads(self._connection, self._wish))


class _Timed:
    """What both kinds of connection do differently."""

    host: str
    port: int
    timeout: Any
    sock: Any
    _dns_host: str

    def _new_conn(self) -> socket.socket:
        """Each address of the name in turn, all of them under the one clock."""
        name, wish = self._dns_host, self.timeout
        try:
            addresses = dict.fromkeys(found[4][0] for found in socket.getaddrinfo(name.strip("[]"), self.port, type=socket.SOCK_STREAM))
        except OSError as error:
            raise NameResolutionError(name, self, error) from error  # type: ignore[arg-type]
        failure: HTTPError | None = None
        try:
            for address in addresses:
                self._dns_host, self.timeout = str(address), left(wish)
                try:
                    made: socket.socket = super()._new_conn()  # type: ignore[misc]
                except (NewConnectionError, ConnectTimeoutError) as error:
                    failure = error
                    continue
                made.settimeout(left(wish))  # TLS takes what is left now
                return made
        except TimeoutError as over:
            raise ConnectTimeoutError(self, str(over)) from over
        finally:
            self._dns_host, self.timeout = name, wish
        raise failure or NewConnectionError(self, "the name has no address")  # type: ignore[arg-type]

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self.sock = TimedSocket(self.sock)


class TimedHttp(_Timed, HTTPConnection):
    pass


class TimedHttps(_Timed, HTTPSConnection):
    pass


class TimedHttpPool(HTTPConnectionPool):
    ConnectionCls = TimedHttp


class TimedHttpsPool(HTTPSConnectionPool):
    ConnectionCls = TimedHttps


POOLS = {"http": TimedHttpPool, "https": TimedHttpsPool}


class TimedAdapter(HTTPAdapter):
    """`requests` over connections that keep the time, straight and through a proxy of the environment."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = POOLS
        return manager


def session() -> requests.Session:
    """A `requests` session that knows `within`; also what Stripe's `RequestsClient(session=...)` takes."""
    made = requests.Session()
    for scheme in ("http://", "https://"):
        made.mount(scheme, TimedAdapter())
    return made
