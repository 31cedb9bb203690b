"""What faults leave behind in logs and in `last_error`: where and of what kind, never what somebody typed."""

from __future__ import annotations

import logging
import sqlite3

import pytest

from shop.accounts.errors import WrongCode
from shop.kernel import discretion
from shop.kernel.discretion import discreet, told

NAME = "李梅"
PLANTED = {
    "phone": "13800138765", "spaced phone": "138 0013 8765", "phone with its country": "+86 138-0013-8765", "code": "482193",
    "account number": "5110000018", "token": "dGhpcyBpcyBhIHRva2VuIG9mIDMy-Ynl0ZXM1", "room": "14-2-0301",
}  # fmt: skip


@pytest.mark.parametrize("value", PLANTED.values(), ids=PLANTED)
def test_numbers_codes_and_tokens_are_left_out(value: str) -> None:
    assert discreet(f"asked for {value}, refused") == "asked for …, refused"


@pytest.mark.parametrize(
    "text",
    [
        "fault a1234567b89c at GET /orders/L261123-7K3M9QXA", "no page for payment 1840", "127.0.0.1:8000", "took 1250 ms", "really?",
        "[29/Nov/2026:20:52:04 +0000]", "[29/Nov/2026 20:52:04]", "2026-11-29 20:52:04", "in 0.123456 s", 'HTTP/1.1" 200 1234',
        "B261123-7K3M9QXA",
    ],
)  # fmt: skip
def test_what_helps_to_find_a_fault_stays(text: str) -> None:
    assert discreet(text) == text


def test_queries_of_addresses_are_left_out() -> None:
    assert discreet('"GET /station/waiting?tail=8765&x=李梅 HTTP/1.1" 200') == '"GET /station/waiting?… HTTP/1.1" 200'


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("invalid literal for int() with base 10: '李梅'"), ""),
        (RuntimeError("李梅 13800138765"), ""),
        (WrongCode(), ": wrong_code"),
        (AttributeError("'NoneType' object has no attribute 'phone'"), ": 'NoneType' object has no attribute 'phone'"),
        (sqlite3.IntegrityError("UNIQUE constraint failed: users.phone_hash"), ": UNIQUE constraint failed: users.phone_hash"),
        (sqlite3.OperationalError('unrecognized token: "李梅"'), ": unrecognized token: …"),
        (FileNotFoundError(2, "No such file or directory", "李梅.png"), ": No such file or directory"),
    ],
)  # fmt: skip
def test_an_error_is_told_by_its_class_and_place(error: Exception, words: str) -> None:
    try:
        raise error
    except Exception as caught:
        text = told(caught)
    assert text.endswith(f"{type(error).__qualname__}{words}")
    assert "in test_an_error_is_told_by_its_class_and_place" in text
    assert "李梅" not in text
    assert "138001" not in text


def test_what_led_to_an_error_is_told_first() -> None:
    try:
        try:
            raise KeyError(NAME)
        except KeyError as cause:
            raise LookupError(NAME) from cause
    except LookupError as caught:
        text = told(caught)
    assert text.index("KeyError") < text.index("LookupError")
    assert "李梅" not in text


def test_every_logger_writes_discreetly(caplog: pytest.LogCaptureFixture) -> None:
    discretion.install()
    discretion.install()
    log = logging.getLogger("of.somebody.else")
    log.warning("code %s for %s, try %d of %s", "482193", "13800138765", 3, 1234567)
    log.warning("%(r)s", {"r": "GET /a?b=13800138765"})
    log.warning("sent to 13800138765")
    log.warning("it broke: %s", ValueError(NAME))
    try:
        raise ValueError(NAME)
    except ValueError:
        log.exception("fault")
    assert [record.getMessage() for record in caplog.records] == [
        "code … for …, try 3 of 1234567", "GET /a?…", "sent to …", "it broke: ValueError", "fault",
    ]  # fmt: skip
    assert "builtins.ValueError" in caplog.text
    assert "李梅" not in caplog.text
