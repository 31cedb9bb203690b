"""Every door of the shop: `for door in doors(app)`, with what stands in its path, who may pass, and what the API expects there.

For tests that go through all of them, so that a new route is tried without anybody thinking of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote_from_bytes

from flask import Flask
from pydantic import BaseModel

from shop.platform.access import Access
from shop.platform.api.core import ENDPOINTS

PLACE = re.compile(r"<(?:(?P<kind>\w+)(?:\([^)]*\))?:)?(?P<name>\w+)>")
UNASKED = frozenset({"HEAD", "OPTIONS"})
SAFE = frozenset({"GET"})


@dataclass(frozen=True)
class Door:
    """One rule with one method."""

    method: str
    rule: str
    endpoint: str
    access: Access
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None

    @property
    def is_safe(self) -> bool:
        return self.method in SAFE

    @property
    def is_api(self) -> bool:
        return self.rule.startswith("/api/")

    @property
    def places(self) -> tuple[str, ...]:
        """The names of what stands in the path."""
        return tuple(found["name"] for found in PLACE.finditer(self.rule))

    def is_id(self, name: str) -> bool:
        """Whether an id of the database stands there."""
        return any(found["name"] == name and found["kind"] == "id" for found in PLACE.finditer(self.rule))

    def path(self, values: Mapping[str, bytes]) -> str:
        """The path with these values in it, percent-encoded."""
        return PLACE.sub(lambda found: quote_from_bytes(values.get(found["name"], b"1"), safe=""), self.rule)

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"


def doors(app: Flask) -> Iterator[Door]:
    """All rules of the app with each of their methods, those that change nothing first."""
    described = {(endpoint.method, endpoint.path): endpoint for endpoint in ENDPOINTS}
    found = [
        (method, rule.rule, rule.endpoint) for rule in app.url_map.iter_rules() for method in sorted((rule.methods or set()) - UNASKED)
    ]
    for method, rule, endpoint in sorted(found, key=lambda facts: (facts[0] not in SAFE, facts[1])):
        known = described.get((method, rule))
        access: Access = app.view_functions[endpoint].access  # type: ignore[attr-defined]
        yield Door(method, rule, endpoint, access, known.body if known else None, known.query if known else None)
