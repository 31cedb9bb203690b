"""Form encoding with brackets: `a[b][0][c]=1` is {"a": {"b": {"0": {"c": "1"}}}}; `a[]=1` is a list."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from simulators.stripe.errors import invalid

NAME = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
PART = re.compile(r"\[([^\[\]]*)\]")


def parse(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The nested values of `pairs`. Raises a 400 for a name that cannot be read or that means two things at once."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        match = NAME.match(name)
        if match is None:
            raise invalid(f"Invalid parameter name: {name}", param=name)
        path = [match.group(1), *PART.findall(match.group(2))]
        _put(tree, path, value, name)
    return tree


def _put(tree: dict[str, Any], path: list[str], value: str, name: str) -> None:
    node: dict[str, Any] = tree
    for part in path[:-1]:
        # `a[][b]=` starts no new element of its own here; the SDK numbers list elements, so only `a[]=` is needed.
        child = node.setdefault(part, {})
        if not isinstance(child, dict):
            raise invalid(f"Invalid parameter: {name}", param=name)
        node = child
    last = path[-1]
    if last == "":
        last = str(len(node))
    if isinstance(node.get(last), dict):
        raise invalid(f"Invalid parameter: {name}", param=name)
    node[last] = value


def flat(value: Any) -> list[Any]:
    """The elements of a parsed list in the order of their numbers. Raises ValueError if it is no list."""
    if not isinstance(value, dict):
        raise ValueError("not a list")
    return [value[key] for key in sorted(value, key=int)]
