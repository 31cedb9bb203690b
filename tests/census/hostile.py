"""What strangers, broken clients and curious people put where a number, a day or a name is expected."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

BEYOND = 2**63

TEXTS: dict[str, bytes] = {
    "beyond 63 bits": str(BEYOND).encode(),
    "the last of 63 bits": str(BEYOND - 1).encode(),
    "minus one": b"-1",
    "10^25": b"1" + b"0" * 25,
    "5,000 figures": b"9" * 5_000,
    "nothing": b"",
    "NUL": b"a\x00" + b"b" * 18,
    "a lone surrogate": b"\xed\xa0\x80",
    "no UTF-8": b"\xff\xfe",
    "right to left": "\u202eabc".encode(),
    "10 kB": b"x" * 10_000,
    "the year 1": b"0001-01-01",
    "the year 9999": b"9999-12-31",
    "the month 0000-00": b"0000-00",
    "the month 9999-12": b"9999-12",
    "deep JSON": b"[" * 2_000,
    "1e999": b"1e999",
    "Arabic figures": "٣".encode(),
    "a superscript": "²".encode(),
    "lines": b"a\r\nb",
    "a path": b"../../etc",
    "an address": b"//[",
    "a form of format": b"%(x)s {0} {{7*7}}",
    "a pair": b"1-99999999999999999999",
    "a cursor beyond": b"WzkyMjMzNzIwMzY4NTQ3NzU4MDhd",
    "a cursor with a surrogate": b"WyJcdWQ4MDAiXQ",
    "a cursor with NUL": b"WyJcdTAwMDAiXQ",
    "two numbers beyond": b"WzkyMjMzNzIwMzY4NTQ3NzU4MDgsOTIyMzM3MjAzNjg1NDc3NTgwOF0",
}
"""As bytes, because some of them are no text."""

CORE = ("beyond 63 bits", "10^25", "NUL", "a lone surrogate", "10 kB", "the year 1", "a superscript")
"""What every name of every door is tried with; the rest is tried with every name once, and everywhere in a thorough census."""

FIGURES = ("beyond 63 bits", "10^25", "5,000 figures", "minus one", "Arabic figures", "a superscript")
PARTS = ("NUL", "a lone surrogate", "no UTF-8", "right to left", "10 kB", "lines", "an address", "beyond 63 bits")
"""What stands in paths: in place of ids, and in place of names."""

RAW = {"an endless number": "1e999", "no number": "NaN", "5,000 figures": "9" * 5_000, "half a surrogate": '"\\ud800"'}
"""JSON that Python does not write by itself."""

JSON: dict[str, Any] = {
    "beyond 63 bits": BEYOND,
    "the last of 63 bits": BEYOND - 1,
    "minus one": -1,
    "10^25": 10**25,
    "a fraction": 0.5,
    "nothing": "",
    "null": None,
    "true": True,
    "NUL": "a\x00" + "b" * 18,
    "right to left": "\u202eabc",
    "10 kB": "x" * 10_000,
    "the year 1": "0001-01-01T00:00:00+08:00",
    "the year 9999": "9999-12-31T23:59:59-14:00",
    "Arabic figures": "٣",
    "a list": ["a"],
    "an object": {"a": {"b": [None]}},
    "a key with NUL": {"\x00": 1},
    "a key beyond": {str(BEYOND): 1},
    "deep": json.loads("[" * 25 + "]" * 25),
}

BODIES: dict[str, bytes] = {
    "nothing": b"", "null": b"null", "a list": b"[]", "a text": b'"a"', "a number": b"7", "open": b"{", "no UTF-8": b"\xff", "NUL": b"\x00",
    "NaN": b"NaN", "twice": b'{"a": 1, "a": 2}', "deep": b"[" * 50_000, "deep objects": b'{"a":' * 5_000, "figures": b"9" * 5_000,
    "a surrogate": rb'{"\ud800": "\udfff"}', "another member": b'{"nobody": 1}',
}  # fmt: skip

HEADERS: dict[str, tuple[str, ...]] = {
    "Referer": ("http://[", "http://localhost\x7f", "//", "x" * 9_000),
    "Accept-Language": ("zz-ZZ;q=x", "*", ",", "zh;q=9" * 500, "\xff"),
    "Authorization": ("Bearer", "Bearer \xff", "Bearer " + "x" * 9_000, "Basic ="),
    "Cookie": (
        "locale=\xff; point=%00; theme=\x01; elder_mode=7; cart=\xed\xa0\x80", "session=" + "x" * 4_000, "=;=;==", "cart=" + "x" * 4_000,
    ),
    "User-Agent": ("", "\xff" * 300, "iPhone" * 2_000),
    "Idempotency-Key": ("", "\xff", "x" * 300, "a b"),
    "X-Request-ID": ("\xff" * 9, "x" * 300),
    "Content-Type": ("", "\xff", "multipart/form-data; boundary=", "application/json; charset=utf-7", "text/plain;;;"),
    "HX-Request": ("\xff",),
    "HX-Target": ("goods", "\xff"),
    "Range": ("bytes=9-1", "bytes=-", "items=0-99999999999999999999"),
    "If-None-Match": ('"', "W/\xff", "*"),
    "If-Modified-Since": ("Thu, 01 Jan 0001 00:00:00 GMT", "soon"),
    "Accept": ("\xff/\xff;q=x",),
    "Accept-Encoding": ("gzip;q=x", "\xff"),
    "Sec-Fetch-Site": ("\xff",),
}  # fmt: skip


def spoiled(document: Any) -> Iterator[tuple[str, str]]:
    """A document with one thing in it exchanged for something hostile, in all ways; what was done, and the JSON."""
    for steps in places_in(document):
        named = ".".join(str(step) for step in steps)
        for kind, value in JSON.items():
            yield f"{named}: {kind}", json.dumps(exchanged(document, steps, value))
        for kind, raw in RAW.items():
            yield f"{named}: {kind}", json.dumps(exchanged(document, steps, "\ue000raw")).replace('"\\ue000raw"', raw)


def places_in(document: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything in a document, without the document itself."""
    for step, value in document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ():
        yield (*before, step)
        yield from places_in(value, (*before, step))


def exchanged(document: Any, steps: tuple[Any, ...], value: Any) -> Any:
    made = copy.deepcopy(document)
    inside = made
    for step in steps[:-1]:
        inside = inside[step]
    inside[steps[-1]] = value
    return made


def example(schema: dict[str, Any], known: dict[str, Any], name: str = "", defs: dict[str, Any] | None = None) -> Any:
    """A document that a JSON schema describes, with known values by the names of members."""
    defs = schema.get("$defs", {}) if defs is None else defs
    if "$ref" in schema:
        return example(defs[schema["$ref"].rsplit("/", 1)[-1]], known, name, defs)
    if name in known:
        return known[name]
    if "anyOf" in schema:
        return example(next(one for one in schema["anyOf"] if one.get("type") != "null"), known, name, defs)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if schema.get("type") == "object" and "properties" not in schema:
        return {"1": example(schema["additionalProperties"], known, "", defs)}
    if schema.get("type") == "object":
        return {member: example(facts, known, member, defs) for member, facts in schema["properties"].items()}
    if schema.get("type") == "array":
        return [example(schema["items"], known, "", defs)]
    return {"integer": max(schema.get("minimum", 1), 1), "boolean": False}.get(schema.get("type", ""), "a")
