"""A request on its way in: when all of it is there, and how gunicorn reads it (`server`)."""

from __future__ import annotations

import re

from gunicorn.http.errors import LimitRequestHeaders
from gunicorn.http.unreader import Unreader

MOST_HEAD, MOST_BODY = 65_536, 8 * 1024 * 1024 + 65_536
"""What is collected of one request; of more, gunicorn and the shop see the beginning and refuse it."""

PIECE, LARGEST_PIECE = 8_192, 1_048_576
LONGEST_CHUNK_LINE = 1_024
MOST_CHUNKS = 10_000
"""A picture of 8 MiB in chunks of less than a kilobyte. To read a chunk costs the same, however little it holds."""

HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"^content-length:[ \t]*0*([0-9]{1,15})[ \t]*\r$", re.IGNORECASE | re.MULTILINE)
CHUNKED = re.compile(rb"^transfer-encoding:[^\r\n]*chunked", re.IGNORECASE | re.MULTILINE)
EXPECTS = re.compile(rb"^expect:[ \t]*100-continue", re.IGNORECASE | re.MULTILINE)


class Arrival:
    """What has come of one request. It judges when to stop waiting, never what is right: that is gunicorn's."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.body_at = 0
        self.length = 0
        self.is_chunked = False
        self.wants_go_ahead = False
        self.next_chunk = 0
        self.chunks = 0
        self.trailer_seen = 0

    def is_whole(self, seen: int = 0) -> bool:
        """Whether all of it is there, or enough to refuse it. The first `seen` bytes were looked at before."""
        if not self.body_at:
            end = self.data.find(HEAD_END, max(0, seen - 3))
            if end < 0:
                return len(self.data) > MOST_HEAD
            self.read_head(bytes(self.data[: end + 2]))
        if len(self.data) - self.body_at > MOST_BODY:
            return True
        if self.is_chunked:
            return self.has_last_chunk()
        return self.length > MOST_BODY or len(self.data) - self.body_at >= self.length

    def read_head(self, head: bytes) -> None:
        self.body_at = self.next_chunk = len(head) + 2
        length = LENGTH.search(head)
        self.length = int(length[1]) if length else 0
        self.is_chunked = CHUNKED.search(head) is not None
        self.wants_go_ahead = EXPECTS.search(head) is not None

    def has_last_chunk(self) -> bool:
        if self.trailer_seen:
            return self.has_trailer()
        while (end := self.data.find(b"\r\n", self.next_chunk)) >= 0:
            digits = bytes(self.data[self.next_chunk : end]).partition(b";")[0].strip().lstrip(b"0") or b"0"
            self.chunks += 1
            if not re.fullmatch(rb"[0-9a-fA-F]{1,12}", digits) or self.chunks > MOST_CHUNKS:
                return True
            size = int(digits, 16)
            if size == 0:
                self.trailer_seen = end
                return self.has_trailer()
            if size > MOST_BODY:
                return True
            self.next_chunk = end + 2 + size + 2
        return len(self.data) - self.next_chunk > LONGEST_CHUNK_LINE

    def has_trailer(self) -> bool:
        """Whether what follows the last chunk is there; what was looked at is not looked at again."""
        start, self.trailer_seen = self.trailer_seen, max(self.trailer_seen, len(self.data) - 3)
        return self.data.find(HEAD_END, start) >= 0 or len(self.data) - self.next_chunk > MOST_HEAD


class Collected(Unreader):  # type: ignore[misc]  # gunicorn has no types
    """What came of a connection, for gunicorn to read in small pieces: with every chunk its parser copies what is left of a piece.

    There is never more to wait for. Whoever declares more than came finds the end here, and the connection is not used again.
    """

    def __init__(self, arrival: Arrival) -> None:
        super().__init__()
        self.data, self.at = arrival.data, 0
        self.has_head = arrival.body_at > 0
        self.has_ended = False

    def chunk(self, size_hint: int | None = None) -> bytes:
        piece = bytes(self.data[self.at : self.at + min(max(size_hint or 0, PIECE), LARGEST_PIECE)])
        self.at += len(piece)
        if not piece:
            self.has_ended = True
            if not self.has_head:
                raise LimitRequestHeaders("limit request headers size")
        return piece

    def take_rest(self) -> bytes:
        """What was sent behind the request. Nothing is left here."""
        rest: bytes = self.take_buffered() + self.data[self.at :]
        self.data, self.at = bytearray(), 0
        return rest
