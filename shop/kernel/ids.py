"""Names for things: references people read aloud, and secrets nobody can guess."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime

from shop.kernel import clock

# Without 0/O, 1/I/L and U, so that a reference survives a telephone call.
READABLE = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def readable(length: int) -> str:
    """Random letters and digits that are hard to confuse."""
    number, found = secrets.randbelow(len(READABLE) ** length), ""  # drawn once: drawing each costs nine calls
    for _ in range(length):
        number, place = divmod(number, len(READABLE))
        found += READABLE[place]
    return found


def dated_reference(prefix: str, moment: datetime | None = None) -> str:
    """A reference such as `L261123-7K3M9QXA`: business day, then 8 random characters (about 39 bits)."""
    day = clock.local(moment or clock.now())
    return f"{prefix}{day:%y%m%d}-{readable(8)}"


def secret() -> str:
    """An unguessable token of 256 bits, safe in a URL."""
    return secrets.token_urlsafe(32)


def digits(length: int) -> str:
    """A random code of decimal digits, leading zeros included."""
    return f"{secrets.randbelow(10**length):0{length}d}"


def fingerprint(value: str) -> str:
    """How a long random secret is kept: SHA-256, hex. Not for passwords or short codes."""
    return hashlib.sha256(value.encode()).hexdigest()


def keyed_fingerprint(key: str, purpose: str, value: str) -> str:
    """How a short or personal value is looked up without being kept: HMAC-SHA-256 under a purpose."""
    return hmac.new(f"{purpose}:{key}".encode(), value.encode(), hashlib.sha256).hexdigest()


def matches(one: str, other: str) -> bool:
    """Equal, in time that does not depend on where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())
