"""The app's secret, for what must be recognised without being kept: one-time codes, PINs, ID numbers.

Set once at start (`wiring`), read where a keyed fingerprint is made; `purpose` keeps the uses apart.
"""

from __future__ import annotations

from shop.kernel.ids import keyed_fingerprint

_secret = ""


def keep(secret: str) -> None:
    """Keep the app's secret for this process."""
    global _secret
    _secret = secret


def fingerprint(purpose: str, value: str) -> str:
    """The keyed fingerprint of a short or personal value: HMAC-SHA-256, hex."""
    if not _secret:
        raise RuntimeError("no secret was kept; the app does that at start")
    return keyed_fingerprint(_secret, purpose, value)
