"""The app's keys: its secret, for what must be recognised without being kept, and the ring that seals personal data.

Set once at start (`wiring`). The secret makes keyed fingerprints of one-time codes, PINs and QR codes; `purpose` keeps the uses apart.
The ring has the versions of the data key and the one key that values are found by; docs/decisions/0027 says why they are apart.
"""

from __future__ import annotations

import binascii
import hmac
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shop.kernel.ids import keyed_fingerprint

NONCE_BYTES = 12

_secret = ""
_ring: KeyRing | None = None


class CannotOpen(ValueError):
    """A sealed value that no key of ours opens, or that was never sealed. The value itself is not told."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by version, one of which seals, and the key that values are found by."""

    newest: int  # the version that seals
    ciphers: dict[int, AESGCM]
    lookup: bytes

    @classmethod
    def of(cls, data_keys: dict[int, bytes], lookup_key: bytes) -> KeyRing:
        """A ring of 256-bit keys. The first one named seals, all of them open."""
        return cls(next(iter(data_keys)), {version: AESGCM(key) for version, key in data_keys.items()}, lookup_key)

    def seal(self, place: str, value: str) -> str:
        """`2:<base64>` under the newest key, bound to its place (`table.column`). Nothing stays nothing."""
        if not value:
            return ""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self.ciphers[self.newest].encrypt(nonce, value.encode(), place.encode())
        return f"{self.newest}:{binascii.b2a_base64(nonce + sealed, newline=False).decode()}"

    def open(self, place: str, sealed: str) -> str:
        """What `seal` was given. Raises `CannotOpen`."""
        if not sealed:
            return ""
        version, _, text = sealed.partition(":")
        try:
            raw = binascii.a2b_base64(text, strict_mode=True)
            return self.ciphers[int(version)].decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], place.encode()).decode()
        except (InvalidTag, KeyError, ValueError, binascii.Error):
            raise CannotOpen(f"a value of {place} cannot be opened") from None

    def find(self, purpose: str, value: str) -> str:
        """What a value is found by, always the same: HMAC-SHA-256, hex."""
        return hmac.digest(self.lookup, f"{purpose}\0{value}".encode(), "sha256").hex()


def keep(secret: str) -> None:
    """Keep the app's secret for this process."""
    global _secret
    _secret = secret


def keep_ring(ring: KeyRing) -> None:
    """Keep the keys of personal data for this process."""
    global _ring
    _ring = ring


def ring() -> KeyRing:
    """The keys of personal data."""
    if _ring is None:
        raise RuntimeError("no keys were kept; the app does that at start")
    return _ring


def fingerprint(purpose: str, value: str) -> str:
    """The keyed fingerprint of a short or personal value: HMAC-SHA-256, hex."""
    if not _secret:
        raise RuntimeError("no secret was kept; the app does that at start")
    return keyed_fingerprint(_secret, purpose, value)
