"""Idempotency keys, as Stripe keeps them for the v1 API.

The first answer of a call that began to execute is kept under its key for 24 hours and given again, whatever it was. A
call refused before it began (wrong parameters, a twin still running) keeps nothing. The answer is committed together with
the work, so that not even a killed process can know one without the other.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from simulators.stripe.errors import ApiError, invalid
from simulators.stripe.store import Entry, Unit
from simulators.stripe.world import World

KEPT_SECONDS = 24 * 3600
LONGEST_KEY = 255


def fingerprint(params: dict[str, Any]) -> str:
    """A digest that is equal for equal parameters. The parameters themselves are not kept."""
    return hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()


class Claim:
    """A key held by the call that is being carried out; use as a context manager around the whole call."""

    def __init__(self, world: World, account: str, key: str, path: str, digest: str) -> None:
        self._world = world
        self._id = hashlib.sha256(f"{account}\0{key}".encode()).hexdigest()
        self.key = key
        self._path = path
        self._digest = digest

    def __enter__(self) -> Claim:
        """Take the key. Raises the 409 for a twin in flight."""
        if len(self.key) > LONGEST_KEY:
            raise invalid("Idempotency keys must be at most 255 characters long.", kind="idempotency_error")
        with self._world.lock:
            if self._id in self._world.in_flight:
                raise ApiError(
                    409,
                    "There is currently another in-progress request using this Idempotent Key (that probably means you submitted "
                    f"twice, and the other request is still going through): {self.key}. Please try again later.",
                    code="idempotency_key_in_use",
                    kind="idempotency_error",
                )
            self._world.in_flight.add(self._id)
        return self

    def __exit__(self, *problem: object) -> None:
        """Let the key go."""
        with self._world.lock:
            self._world.in_flight.discard(self._id)

    def kept(self, unit: Unit) -> Entry | None:
        """The answer given before under this key. Raises a 400 if it was to another request."""
        answer = unit.get("_answer", self._id)
        if answer is None:
            return None
        if answer["created"] < unit.now - KEPT_SECONDS:
            unit.remove("_answer", self._id)
            return None
        if answer["path"] != self._path:
            raise _reused(
                f"Keys for idempotent requests can only be used for the same endpoint they were first used for ('{answer['path']}' "
                f"vs '{self._path}'). Try using a key other than '{self.key}' if you meant to execute a different request."
            )
        if answer["digest"] != self._digest:
            raise _reused(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a "
                f"key other than '{self.key}' if you meant to execute a different request."
            )
        return answer

    def keep(self, unit: Unit, status: int, body: dict[str, Any], request_id: str) -> None:
        """Keep the answer in the same commit as the work."""
        unit.save(
            {
                "object": "_answer",
                "id": self._id,
                "path": self._path,
                "digest": self._digest,
                "status": status,
                "body": body,
                "request_id": request_id,
                "created": unit.now,
            }
        )


def _reused(message: str) -> ApiError:
    return ApiError(400, message, kind="idempotency_error")
