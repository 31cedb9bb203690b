"""A stand-in for S3-compatible storage that takes nothing unsigned: `with bucket() as kept: BucketStorage(kept.url, KEY)`.

It works signatures out from what came over the line, by itself; what it agrees on with the shop is held against Amazon's own
examples in tests/unit/test_bucket_signatures.py.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from flask import Flask, Response, request

from shop.platform.buckets import Key
from simulators.serving import served

KEY = Key("LINLITEST", "not a secret, only for tests", "region-1")
NAME = "pictures"
SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=(\S+?)/(\S+),SignedHeaders=(\S+),Signature=([0-9a-f]{64})")


@dataclass
class Bucket:
    """What is in it, what it was asked, and how it behaves. `troubles` are statuses or seconds of silence for the next calls."""

    files: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    troubles: deque[int | float] = field(default_factory=deque)
    url: str = ""


def derived(day: str) -> bytes:
    key = ("AWS4" + KEY.secret).encode()
    for part in (day, KEY.region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def proof(names: list[str], query: list[tuple[str, str]], content: str, moment: str) -> str:
    """The signature that this request must carry."""
    lines = [request.method, quote(request.path), "&".join(f"{quote(name, '')}={quote(value, '')}" for name, value in sorted(query))]
    lines += [f"{name}:{request.headers[name]}" for name in names] + ["", ";".join(names), content]
    scope = f"{moment[:8]}/{KEY.region}/s3/aws4_request"
    said = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(chr(10).join(lines).encode()).hexdigest()}"
    return hmac.digest(derived(moment[:8]), said.encode(), "sha256").hex()


def what_is_wrong() -> str:
    """Why this request is not believed; empty when it is."""
    if "X-Amz-Signature" in request.args:
        query = [(name, value) for name, value in request.args.items() if name != "X-Amz-Signature"]
        moment, lasts = request.args["X-Amz-Date"], int(request.args["X-Amz-Expires"])
        if datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) + timedelta(seconds=lasts) < datetime.now(UTC):
            return "expired"
        wanted = proof(["host"], query, "UNSIGNED-PAYLOAD", moment)
        return "" if hmac.compare_digest(wanted, request.args["X-Amz-Signature"]) else "wrong signature of an address"
    found = SIGNED.fullmatch(request.headers.get("Authorization", ""))
    if not found or found[1] != KEY.id:
        return "not signed"
    if hashlib.sha256(request.get_data()).hexdigest() != request.headers["X-Amz-Content-Sha256"]:
        return "another content than was signed"
    moment = request.headers["X-Amz-Date"]
    if abs(datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) - datetime.now(UTC)) > timedelta(minutes=15):
        return "signed at another time"
    wanted = proof(found[3].split(";"), [], request.headers["X-Amz-Content-Sha256"], moment)
    return "" if hmac.compare_digest(wanted, found[4]) else "wrong signature"


def make_app(kept: Bucket) -> Flask:
    app = Flask(__name__)

    @app.route(f"/{NAME}/<path:name>", methods=["GET", "PUT"])
    def answer(name: str) -> Response:
        kept.asked[request.method] += 1
        if kept.troubles:
            trouble = kept.troubles.popleft()
            if isinstance(trouble, int):
                return Response(status=trouble)
            time.sleep(trouble)
        if why := what_is_wrong():
            kept.refused.append(why)
            return Response(status=403)
        if request.method == "PUT":
            kept.files[name] = (request.get_data(), request.headers["Content-Type"])
            return Response(status=200)
        if name not in kept.files:
            return Response(status=404)
        content, kind = kept.files[name]
        return Response(content, mimetype=kind)

    return app


@contextmanager
def bucket() -> Iterator[Bucket]:
    """An empty bucket on a free port."""
    kept = Bucket()
    with served(make_app(kept)) as address:
        kept.url = f"{address}/{NAME}"
        yield kept
