"""`/v1/events`."""

from __future__ import annotations

from typing import Any

from simulators.stripe.store import Entry, Unit


def retrieve(unit: Unit, params: dict[str, Any], identifier: str) -> Entry:
    """`GET /v1/events/:id`."""
    return unit.need("event", identifier, "id")
