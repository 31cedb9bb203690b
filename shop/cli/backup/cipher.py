"""A stream sealed piece by piece, so that neither a piece nor its end can be changed, moved or cut off unnoticed.

Layout: a head (magic, version of the key, salt), then pieces of at most `PIECE` bytes, each AES-256-GCM under a key of its own file
(HKDF-SHA-256 of `BACKUP_KEY` and the salt) with its number and "is the last" as nonce, and the head as what it is bound to.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shop.cli.backup.errors import BrokenBackup

MAGIC = b"linli sealed 1\n"
HEAD = struct.Struct(">15sI32s")
PIECE = 256 * 1024
TAG = 16
SALT_BYTES = 32
CHANGED = "the backup was changed, cut short, or sealed under another key"


def is_sealed(head: bytes) -> bool:
    """Whether a file that begins so is a sealed one."""
    return head.startswith(MAGIC)


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=MAGIC).derive(key))


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


class Sealing:
    """Write into it; what arrives in `target` is sealed. Without `close` the file has no end and is refused when read."""

    def __init__(self, target: IO[bytes], version: int, key: bytes) -> None:
        salt = os.urandom(SALT_BYTES)
        self.target = target
        self.head = HEAD.pack(MAGIC, version, salt)
        self.cipher = _cipher(key, salt)
        self.number = 0
        self.waiting = bytearray()
        target.write(self.head)

    def write(self, data: bytes) -> int:
        self.waiting += data
        while len(self.waiting) > PIECE:  # never the last one: which that is, only `close` knows
            self._seal(bytes(self.waiting[:PIECE]), is_last=False)
            del self.waiting[:PIECE]
        return len(data)

    def close(self) -> None:
        """Seal the last piece; `target` stays open."""
        self._seal(bytes(self.waiting), is_last=True)
        self.waiting.clear()

    def _seal(self, piece: bytes, *, is_last: bool) -> None:
        self.target.write(self.cipher.encrypt(_nonce(self.number, is_last), piece, self.head))
        self.number += 1


class Opening:
    """Read what `Sealing` was given. Raises `BrokenBackup`, before anything of a changed piece is given out."""

    def __init__(self, source: IO[bytes], keys: Mapping[int, bytes]) -> None:
        self.source = source
        self.head = source.read(HEAD.size)
        if len(self.head) != HEAD.size or not is_sealed(self.head):
            raise BrokenBackup(CHANGED)
        _magic, version, salt = HEAD.unpack(self.head)
        if version not in keys:
            raise BrokenBackup(f"the backup is sealed under version {version} of BACKUP_KEY, which is not here")
        self.cipher = _cipher(keys[version], salt)
        self.number = 0
        self.ahead = source.read(PIECE + TAG)
        self.opened = bytearray()
        self.has_ended = False

    def read(self, size: int = -1) -> bytes:
        while not self.has_ended and (size < 0 or len(self.opened) < size):
            self._open()
        wanted = len(self.opened) if size < 0 else size
        given = bytes(self.opened[:wanted])
        del self.opened[:wanted]
        return given

    def _open(self) -> None:
        piece, self.ahead = self.ahead, self.source.read(PIECE + TAG)
        self.has_ended = not self.ahead
        try:
            self.opened += self.cipher.decrypt(_nonce(self.number, self.has_ended), piece, self.head)
        except (InvalidTag, ValueError):
            raise BrokenBackup(CHANGED) from None
        self.number += 1
