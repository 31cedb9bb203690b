"""Files in a bucket of S3-compatible storage: three calls, each signed as Amazon's signature version 4 says.

docs/decisions/0054-how-the-shop-is-put-into-service.md says why no client library does this. A call is over within `PATIENCE`
whatever the other side does, a failed one is made once more, and callers make none in a transaction. Objects are private; whoever
looks at a page is sent to an address that is signed for a while.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import mimetypes
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import requests

from shop.kernel import clock
from shop.platform.deadlines import session, within
from shop.platform.files import is_name, name_beside, name_of

log = logging.getLogger("shop.files")

PATIENCE, TRIES, PAUSE = 6.0, 2, 0.3
"""Seconds that one call may take in all, how often it is made, and the seconds between."""

SHOWN_FOR, ADDRESS_CHANGES = timedelta(days=2), timedelta(days=1)
"""How long a signed address works, and after what time pages are given another: it stays the same for a day, so browsers keep pictures."""

ALGORITHM, SERVICE, EMPTY = "AWS4-HMAC-SHA256", "s3", hashlib.sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"


class StorageAway(OSError):
    """The bucket did not answer, or not as it should; the message names the status, never an address or a key."""


@dataclass(frozen=True, slots=True)
class Key:
    """Who asks."""

    id: str
    secret: str
    region: str


def real_time() -> datetime:
    """What time it is at the bucket, however the shop's clock was moved."""
    return clock.now() - clock.shift()


def told(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%SZ")


def scope_of(key: Key, moment: datetime) -> str:
    return f"{moment:%Y%m%d}/{key.region}/{SERVICE}/aws4_request"


def signature(key: Key, moment: datetime, request: str) -> str:
    """The signature of a request in its canonical form."""
    said = "\n".join((ALGORITHM, told(moment), scope_of(key, moment), hashlib.sha256(request.encode()).hexdigest()))
    derived = f"AWS4{key.secret}".encode()
    for part in (f"{moment:%Y%m%d}", key.region, SERVICE, "aws4_request", said):
        derived = hmac.new(derived, part.encode(), hashlib.sha256).digest()
    return derived.hex()


def canonical(method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], content: str) -> str:
    """A request as it is signed: everything in one order and one spelling."""
    asked = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(query.items()))
    lines = [f"{name}:{' '.join(value.split())}" for name, value in sorted(headers.items())]
    return "\n".join((method, quote(path, safe="/"), asked, *lines, "", ";".join(sorted(headers)), content))


def signed_headers(key: Key, method: str, url: str, content: bytes, moment: datetime, more: Mapping[str, str]) -> dict[str, str]:
    """The headers of a signed call."""
    where = urlsplit(url)
    digest = hashlib.sha256(content).hexdigest()
    headers = {"host": where.netloc, "x-amz-content-sha256": digest, "x-amz-date": told(moment), **more}
    proof = signature(key, moment, canonical(method, where.path, {}, headers, digest))
    who = f"Credential={key.id}/{scope_of(key, moment)}"
    return {**headers, "Authorization": f"{ALGORITHM} {who},SignedHeaders={';'.join(sorted(headers))},Signature={proof}"}


def signed_address(key: Key, url: str, moment: datetime, lasts: timedelta) -> str:
    """An address that whoever has it may read, from `moment` and for so long."""
    where = urlsplit(url)
    query = {
        "X-Amz-Algorithm": ALGORITHM, "X-Amz-Credential": f"{key.id}/{scope_of(key, moment)}", "X-Amz-Date": told(moment),
        "X-Amz-Expires": str(int(lasts.total_seconds())), "X-Amz-SignedHeaders": "host",
    }  # fmt: skip
    proof = signature(key, moment, canonical("GET", where.path, query, {"host": where.netloc}, UNSIGNED))
    asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
    return f"{url}?{asked}&X-Amz-Signature={proof}"


class BucketStorage:
    """Files in a bucket, under the names a folder would give them. `url` is the bucket's own address, with its name in host or path."""

    def __init__(self, url: str, key: Key) -> None:
        self.url, self.key = url.rstrip("/"), key
        self.lines = threading.local()

    def keep(self, content: bytes, suffix: str) -> str:
        name = name_of(content, suffix)
        self.put(name, content)
        return name

    def keep_beside(self, name: str, content: bytes, variation: str, suffix: str = "") -> None:
        self.put(name_beside(name, variation, suffix), content)

    def read(self, name: str) -> bytes:
        answer = self._call("GET", name)
        if answer.status_code == 404:
            raise FileNotFoundError(name)
        return bytes(answer.content)

    def has(self, name: str) -> bool:
        return self._call("HEAD", name).status_code == 200

    def may_show(self, name: str) -> bool:
        """Yes: all forms of a picture are put there before its name is written down, and `flask files move` brings all."""
        return True

    def address(self, name: str) -> str:
        """Where this file is read in the next hours; made without asking anybody."""
        now = real_time()
        begun = now - (now - datetime.min.replace(tzinfo=UTC)) % ADDRESS_CHANGES
        return signed_address(self.key, f"{self.url}/{name}", begun, SHOWN_FOR)

    def put_back(self, name: str, content: bytes) -> bool:
        if not is_name(name):
            raise ValueError("not the name of a kept file")
        if self.has(name):
            return False
        self.put(name, content)
        return True

    def put(self, name: str, content: bytes) -> None:
        """Content never changes under a name, so to put it there again is harmless."""
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        more = {"content-type": kind, "cache-control": "private, max-age=31536000, immutable"}
        self._call("PUT", name, content, more)

    def _call(self, method: str, name: str, content: bytes = b"", more: Mapping[str, str] | None = None) -> requests.Response:
        """One answer, 200 or 404. Raises `StorageAway` when the second try brings none either."""
        url, trouble = f"{self.url}/{name}", ""
        for turn in range(TRIES):
            if turn:
                time.sleep(PAUSE)
            headers = signed_headers(self.key, method, url, content, real_time(), more or {})
            try:
                with within(PATIENCE):
                    line = self._line()
                    answer = line.request(method, url, data=content or None, headers=headers, allow_redirects=False, timeout=PATIENCE)
            except requests.RequestException as error:
                trouble = type(error).__name__
                continue
            if answer.status_code == 200 or (answer.status_code == 404 and method != "PUT"):
                return answer
            trouble = f"status {answer.status_code}"
            if answer.status_code < 500 and answer.status_code != 429:
                break
        log.warning("the bucket does not take %s: %s", method, trouble)
        raise StorageAway(trouble)

    def close(self) -> None:
        """Let go of this thread's connections; the next use opens new ones."""
        if hasattr(self.lines, "session"):
            self.lines.session.close()
            del self.lines.session

    def _line(self) -> requests.Session:
        """Connections of this thread."""
        if not hasattr(self.lines, "session"):
            self.lines.session = session()
        found: requests.Session = self.lines.session
        return found
