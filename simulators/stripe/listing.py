"""Lists: newest first, in pages, with the filters of each kind."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from simulators.stripe.errors import invalid, no_such
from simulators.stripe.store import Entry, Unit, public

BOUNDS: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


def page(unit: Unit, kind: str, params: dict[str, Any], url: str) -> dict[str, Any]:
    """The page of `kind` that the parameters ask for."""
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        word = "less than or equal to 100" if limit > 100 else "greater than or equal to 1"
        raise invalid(f"This value must be {word}.", param="limit", code="parameter_invalid_integer")
    after, before = params.get("starting_after"), params.get("ending_before")
    if after and before:
        raise invalid("You may only specify one of these parameters: ending_before, starting_after.", param="ending_before")
    for name, cursor in (("starting_after", after), ("ending_before", before)):
        if cursor and unit.get(kind, cursor) is None:
            raise no_such(kind, cursor, name, status=400)
    wanted = (entry for entry in _cut(unit, kind, after, before) if _fits(entry, kind, params))
    if before:
        # The page just before the cursor: the last ones of everything newer.
        found = list(wanted)
        data, more = found[-limit:], len(found) > limit
    else:
        found = list(islice(wanted, limit + 1))
        data, more = found[:limit], len(found) > limit
    return {"object": "list", "data": [public(entry) for entry in data], "has_more": more, "url": url}


def whole(items: list[dict[str, Any]], params: dict[str, Any], url: str) -> dict[str, Any]:
    """A list that is kept inside another object, such as line items."""
    limit = params.get("limit", 10)
    start = next((number + 1 for number, item in enumerate(items) if item["id"] == params.get("starting_after")), 0)
    data = items[start : start + limit]
    return {"object": "list", "data": data, "has_more": start + limit < len(items), "url": url}


def _cut(unit: Unit, kind: str, after: str | None, before: str | None) -> Any:
    reached = after is None
    for entry in unit.newest_first(kind):
        if before is not None and entry["id"] == before:
            return
        if reached:
            yield entry
        elif entry["id"] == after:
            reached = True


def _fits(entry: Entry, kind: str, params: dict[str, Any]) -> bool:
    for name, wanted in params.items():
        if name in ("limit", "starting_after", "ending_before", "expand"):
            continue
        if name == "created":
            if not _in_time(entry["created"], wanted):
                return False
        elif name == "types":
            if entry["type"] not in wanted:
                return False
        elif name == "type" and kind == "event":
            if not _matches(entry["type"], wanted):
                return False
        elif name == "delivery_success":
            if (entry["pending_webhooks"] == 0) != wanted:
                return False
        elif name == "customer_details":
            if (entry["customer_details"] or {}).get("email") != wanted.get("email"):
                return False
        elif entry.get(name) != wanted:
            return False
    return True


def _in_time(created: int, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return all(BOUNDS[name](created, bound) for name, bound in wanted.items())
    return bool(created == wanted)


def _matches(event_type: str, wanted: str) -> bool:
    return event_type.startswith(wanted[:-1]) if wanted.endswith(".*") else event_type == wanted
