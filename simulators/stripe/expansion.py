"""`expand[]`: puts whole objects in the place of their ids, up to four levels deep."""

from __future__ import annotations

from typing import Any

from simulators.stripe.errors import ApiError, invalid
from simulators.stripe.listing import page, whole
from simulators.stripe.resources import sessions
from simulators.stripe.store import Unit, public

DEEPEST = 4
SOURCES = {"ch": "charge", "py": "charge", "re": "refund", "pyr": "refund", "du": "dispute"}
# Object -> field -> kind of what the id stands for.
EXPANDABLE: dict[str, dict[str, str]] = {
    "payment_intent": {"latest_charge": "charge", "payment_method": "payment_method", "customer": "customer"},
    "charge": {
        "balance_transaction": "balance_transaction",
        "failure_balance_transaction": "balance_transaction",
        "payment_intent": "payment_intent",
        "customer": "customer",
        "refunds": "refund",
    },
    "refund": {
        "balance_transaction": "balance_transaction",
        "failure_balance_transaction": "balance_transaction",
        "charge": "charge",
        "payment_intent": "payment_intent",
    },
    "dispute": {"charge": "charge", "payment_intent": "payment_intent"},
    "checkout.session": {"payment_intent": "payment_intent", "customer": "customer", "line_items": "item"},
    "balance_transaction": {"source": "source"},
    "payment_method": {"customer": "customer"},
}


def expand(unit: Unit, answer: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """`answer` with every path expanded. Raises a 400 for a property that cannot be, or one too deep."""
    for path in paths:
        parts = path.split(".")
        in_list = answer.get("object") == "list"
        if in_list:
            if parts[0] != "data" or len(parts) < 2:
                raise _cannot(path)
            parts = parts[1:]
        if len(parts) > DEEPEST:
            raise invalid(f"You cannot expand more than {DEEPEST} levels of a property. Property: {path}", param="expand")
        for entry in answer["data"] if in_list else [answer]:
            _expand(unit, entry, parts, path)
    return answer


def _expand(unit: Unit, entry: dict[str, Any], parts: list[str], path: str) -> None:
    name, *rest = parts
    kind = EXPANDABLE.get(entry["object"], {}).get(name)
    if kind is None:
        raise _cannot(path)
    if name in ("refunds", "line_items"):
        entry[name] = _inner_list(unit, entry, name)
        inner = entry[name]["data"]
        if rest and rest[0] == "data":
            for one in inner:
                _expand(unit, one, rest[1:], path)
        return
    value = entry.get(name)
    if isinstance(value, str):
        found = unit.get(SOURCES[value.split("_")[0]] if kind == "source" else kind, value)
        entry[name] = public(found) if found is not None else value
    if rest and isinstance(entry.get(name), dict):
        _expand(unit, entry[name], rest, path)


def _inner_list(unit: Unit, entry: dict[str, Any], name: str) -> dict[str, Any]:
    if name == "refunds":
        return page(unit, "refund", {"charge": entry["id"]}, f"/v1/charges/{entry['id']}/refunds")
    return whole(sessions.line_items(unit, entry["id"]), {}, f"/v1/checkout/sessions/{entry['id']}/line_items")


def _cannot(path: str) -> ApiError:
    return invalid(f"This property cannot be expanded ({path}).", param="expand")
