"""The one JSON reader: what it takes, what it refuses, and that it stays cheap."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import pytest

from shop.kernel.text import MAX_DEPTH, MOST_VALUES, MalformedBody, strict_json


@pytest.mark.parametrize(
    ("raw", "document"),
    [
        (b"{}", {}), (b"[1, 2.5, null, true]", [1, 2.5, None, True]), ('{"名": "李，\\"}]["}'.encode(), {"名": '李，"}]['}),
        (rb'"\u674e\ud83d\ude00"', "李😀"), (rb'["\\", "[", "\\\""]', ["\\", "[", '\\"']),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)),
        (b"[" + b"0," * (MOST_VALUES - 1) + b"0]", [0] * MOST_VALUES),
    ],
)  # fmt: skip
def test_what_is_json_is_read(raw: bytes, document: Any) -> None:
    assert strict_json(raw) == document


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"NaN", b"[Infinity]", b'{"a": 1, "a": 2}', b"\xff", b"\xed\xa0\x80", rb'"\ud800"', rb'{"\udc00": 1}',
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), b'{"a":' * 40 + b"1" + b"}" * 40, b"[" * 100_000, b"9" * 5_000, b'"' + b"\\" * 9,
        b"[" + b"0," * MOST_VALUES + b"0]",
    ],
    ids=range(15),
)  # fmt: skip
def test_what_is_not_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedBody):
        strict_json(raw)


def test_brackets_in_strings_are_not_depth() -> None:
    assert strict_json(json.dumps(["[" * 100, '"[' * 100]).encode()) == ["[" * 100, '"[' * 100]


def test_twice_as_much_takes_about_twice_as_long() -> None:
    """Strings without end, escapes, brackets, names: what could make a reader look back again and again."""

    def seconds(raw: bytes) -> float:
        best = 9.0
        for _ in range(3):
            before = time.process_time()
            with suppress(MalformedBody):
                strict_json(raw)
            best = min(best, time.process_time() - before)
        return best

    for part in (b'"\\', b"\\\"", b'"a', b"[]", b'{"a":', b"a", b'""'):
        small, large = seconds(part * 50_000), seconds(part * 400_000)
        assert large < 8 * 4 * small + 0.02, part
