"""The first answer to a key is the answer: what makes every unsafe API call safe to repeat.

A key belongs to one person and one route for 30 days; before sign-in, to whoever calls from the same place in the same
way. A repeat with the same body gets the stored answer; with another body 422; while the first is still running 409.
Operations below are idempotent by their own natural keys as well, so a crash between the deed and its stored answer does no
harm.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock, keys
from shop.kernel.db import insert_once, operation, take
from shop.kernel.errors import Invalid, ShopError, sentence
from shop.models.platform import IdempotencyKey

LEASE = timedelta(seconds=60)
KEPT_FOR = timedelta(days=30)


class KeyInFlight(ShopError):
    code, status = "idempotency_in_flight", 409
    message = sentence("The same request is still being worked on. Please ask again in a moment.")


class KeyReused(ShopError):
    code, status = "idempotency_mismatch", 422
    message = sentence("This Idempotency-Key was used for a different request.")


class KeyTooLong(Invalid):
    code = "idempotency_key_too_long"
    message = sentence("An Idempotency-Key has 1 to 255 printable characters.")


@dataclass(frozen=True)
class Answer:
    """A stored answer: HTTP status and body."""

    status: int
    body: str


def fingerprint(method: str, path: str, body: bytes) -> str:
    """What a repeat is known by. Keyed, because a body that holds a PIN or a phone is soon guessed from a plain hash."""
    return keys.fingerprint("idempotent request", hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).hexdigest())


def checked_key(key: str) -> str:
    if not re.fullmatch(r"[\x20-\x7e]{1,255}", key):
        raise KeyTooLong()
    return key


def strangers_key(key: str, marks: tuple[str, ...]) -> str:
    """The key as it is kept for a caller without an account: nobody with other marks (address, program) meets it."""
    return keys.fingerprint("idempotency", "\0".join((*marks, key)))


@operation
def begin(session: Session, user_id: int, route: str, key: str, request_hash: str) -> Answer | None:
    """Open the key, or give back its stored answer. Raises `KeyReused`, `KeyInFlight`."""
    moment = clock.now()
    opened = insert_once(
        session, IdempotencyKey, user_id=user_id, route=route, key=key, request_hash=request_hash,
        created_at=moment, lease_until=moment + LEASE,
    )
    if opened is not None:
        return None
    mine = sa.and_(IdempotencyKey.user_id == user_id, IdempotencyKey.route == route, IdempotencyKey.key == key)
    row = session.scalars(sa.select(IdempotencyKey).where(mine)).one_or_none()
    if row is None:  # given back in this very moment
        raise KeyInFlight()
    if not hmac.compare_digest(row.request_hash, request_hash):
        raise KeyReused()
    if row.status is not None:
        return Answer(row.status, row.body or "")
    taken_over = sa.update(IdempotencyKey).where(mine, IdempotencyKey.status.is_(None), IdempotencyKey.lease_until < moment)
    if not take(session, taken_over.values(lease_until=moment + LEASE)):
        raise KeyInFlight()
    return None


@operation
def complete(session: Session, user_id: int, route: str, key: str, answer: Answer) -> None:
    """Store the first answer."""
    session.execute(
        sa.update(IdempotencyKey)
        .where(IdempotencyKey.user_id == user_id, IdempotencyKey.route == route, IdempotencyKey.key == key, IdempotencyKey.status.is_(None))
        .values(status=answer.status, body=answer.body)
    )


@operation
def abandon(session: Session, user_id: int, route: str, key: str) -> None:
    """Give the key back after a fault of ours (5xx) or input that never reached an operation, so that a repeat can succeed."""
    session.execute(
        sa.delete(IdempotencyKey).where(
            IdempotencyKey.user_id == user_id, IdempotencyKey.route == route, IdempotencyKey.key == key, IdempotencyKey.status.is_(None)
        )
    )
