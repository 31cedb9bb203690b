"""Whether a list of goods was on the screen long enough to be read, before somebody hands over what is on it.

The page carries the moment it was drawn, signed together with its pass and its own number, so that it cannot be carried over to
another page. The time is the server's on both ends: a browser's clock says nothing, and no script is needed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shop.counter import rules
from shop.kernel import clock, gate, ids, keys

PURPOSE = "shown at the counter"


def stamp(ref: str, client_id: str) -> str:
    """What a page carries that is drawn now: milliseconds, and their seal."""
    shown = str(round(clock.now().timestamp() * 1_000))
    return f"{shown}.{_seal(ref, client_id, shown)}"


def was_read(carried: str, ref: str, client_id: str, lines: int) -> bool:
    """Whether a page of so many lines of goods was drawn long enough ago. What was not sealed by us, or lies ahead, was not read."""
    shown, _, seal = carried.partition(".")
    moment = gate.number(shown, 1)
    if moment is None or not ids.matches(seal, _seal(ref, client_id, shown)):
        return False
    return clock.now() - datetime.fromtimestamp(moment / 1_000, UTC) >= rules.reading_time(lines) - ROUNDING


ROUNDING = timedelta(milliseconds=1)


def _seal(ref: str, client_id: str, shown: str) -> str:
    return keys.fingerprint(PURPOSE, f"{ref}\0{client_id}\0{shown}")[:32]
