"""The first thing a request meets: nothing that its headers say about where we are gets any further.

The shop stands at the root of its host. A prefix somebody else names would be written into every address of a page, and a page that
is kept would show it to everybody; so would a host we do not answer for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from werkzeug.sansio.utils import host_is_trusted

PROBES = frozenset({"/healthz", "/readyz"})
"""What load balancers and orchestrators ask, by an address of the machine: answered whatever host they name."""

METRICS = "/metrics"
"""What Prometheus asks, by an address of the machine as well."""

NO_HOST = "localhost"
MOST_HOSTS = 64
STRANGE_HOST = "linli.strange_host"
"""Set in the environment of a request for a host that is not ours; it is answered with 400."""

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Door:
    """WSGI around the shop. What a proxy of ours said (`PROXY_HOPS`) has been taken in before."""

    def __init__(self, application: Application, trusted: list[str]) -> None:
        self.application = application
        self.trusted = trusted
        self.known = lru_cache(MOST_HOSTS)(self.shown_as)  # most requests name the same one

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        forget_prefix(environ)
        for name in [name for name in environ if "FORWARDED" in name and name.startswith(("HTTP_X_FORWARDED_", "HTTP_FORWARDED"))]:
            del environ[name]
        self.settle_host(environ)
        return self.application(environ, start_response)

    def settle_host(self, environ: dict[str, Any]) -> None:
        """Leave a host in the request that can be shown: the one it names if we answer for it, else one of ours."""
        named = environ.get("HTTP_HOST")
        if named is None:
            if not self.trusted and self.known(environ.get("SERVER_NAME", "")) is not None:
                return
        elif (host := self.known(named)) is not None:
            environ["HTTP_HOST"] = host
            return
        environ["HTTP_HOST"] = self.trusted[0].lstrip(".") if self.trusted else NO_HOST
        environ[STRANGE_HOST] = environ.get("PATH_INFO") not in {*PROBES, METRICS}

    def shown_as(self, named: str) -> str | None:
        """A host that we answer for, as browsers write it; None for any other."""
        host = settled(named)
        return host if can_be_a_name(host) and host_is_trusted(host, self.trusted) else None


def forget_prefix(environ: dict[str, Any]) -> None:
    """Make the address what the request line said."""
    if prefix := environ.get("SCRIPT_NAME"):
        environ["SCRIPT_NAME"] = ""
        environ["PATH_INFO"] = prefix + environ.get("PATH_INFO", "")


def can_be_a_name(host: str) -> bool:
    """Whether the parts of a host are of a length that names have. No address can be made for any other."""
    try:
        host.partition(":")[0].encode("idna")
    except UnicodeError:
        return False
    return True


def settled(host: str) -> str:
    """A host as browsers write it: lower case, without the dot that ends a full name."""
    name, colon, port = host.strip().lower().rpartition(":")
    if not colon or host.endswith("]"):
        return host.strip().lower().rstrip(".")
    return f"{name.rstrip('.')}:{port}"
