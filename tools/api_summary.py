"""What the API promises, in short: calls with what they take and answer, schemas with their fields. Compared, it shows what went."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shop.wiring  # noqa: F401  (names the features, and with them every call)
from shop.api.v1.openapi import document, kind_of

RELEASED = Path(__file__).resolve().parents[1] / "docs" / "api-released.json"
"""The summary of the last release. Written anew when a version is released, never in between."""

Summary = dict[str, list[str]]
"""`GET /api/v1/me` or `schema Product`, with one line for each thing it has. A line that ends in `!` must be sent."""

REFERENCE = re.compile(r"#/components/schemas/(\w+)")
MUST_BE_SENT = "!"


@dataclass(frozen=True)
class Change:
    """A call or a schema that is not what it was: `removed`, or `changed` with the lines that went or must be sent now."""

    name: str
    kind: str
    lines: tuple[str, ...] = ()


def summary(described: Mapping[str, Any]) -> Summary:
    """An OpenAPI document in short."""
    schemas = described["components"]["schemas"]
    asked = reachable(schemas, [body for _, operation in calls(described) if (body := operation.get("requestBody"))])
    found = {call: lines_of_call(operation) for call, operation in calls(described)}
    return found | {f"schema {name}": lines_of_schema(schema, is_asked=name in asked) for name, schema in sorted(schemas.items())}


def calls(described: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path, methods in sorted(described["paths"].items()):
        for method, operation in sorted(methods.items()):
            yield f"{method.upper()} {path}", operation


def lines_of_call(operation: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{one['in']} {one['name']}: {kind_of(one['schema'])}{MUST_BE_SENT if one['required'] and one['in'] != 'path' else ''}"
        for one in operation["parameters"]
    ]
    if body := operation.get("requestBody"):
        lines.append(f"body: {kind_of(body['content']['application/json']['schema'])}")
    for status, answer in operation["responses"].items():
        content = answer.get("content", {}).get("application/json")
        if status.startswith("2"):
            lines.append(f"{status}: {kind_of(content['schema']) if content else 'nothing'}")
    return sorted(lines)


def lines_of_schema(schema: Mapping[str, Any], *, is_asked: bool) -> list[str]:
    if "properties" not in schema:
        return sorted(kind_of(dict(schema)).split(" | "))
    must = set(schema.get("required", ())) if is_asked else set()
    return sorted(f"{name}: {kind_of(field)}{MUST_BE_SENT if name in must else ''}" for name, field in schema["properties"].items())


def reachable(schemas: Mapping[str, Any], parts: list[Any]) -> set[str]:
    """The names of all schemas that some parts of a document lead to."""
    found: set[str] = set()
    waiting = REFERENCE.findall(json.dumps(parts))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += REFERENCE.findall(json.dumps(schemas[name]))
    return found


def differences(before: Summary, now: Summary) -> Iterator[Change]:
    """What a program written against `before` may stumble over. What was added and need not be sent is no such thing."""
    for name, lines in before.items():
        if name not in now:
            yield Change(name, "removed")
            continue
        went = [line for line in lines if line not in now[name] and line.removesuffix(MUST_BE_SENT) not in now[name]]
        asked = [line for line in now[name] if line.endswith(MUST_BE_SENT) and line not in lines]
        if went or asked:
            yield Change(name, "changed", (*went, *asked))


def released(place: Path = RELEASED) -> Summary:
    """The API of the last release."""
    found: Summary = json.loads(place.read_text(encoding="utf-8"))
    return found


def main() -> int:
    """The command: what the API promises now becomes what the last release promised."""
    text = json.dumps(summary(document()), indent=1, ensure_ascii=False)
    RELEASED.write_text(text + "\n", encoding="utf-8")
    return 0
