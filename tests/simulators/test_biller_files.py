"""The biller's day files, and that its books outlive its process."""

from __future__ import annotations

import hashlib
import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from simulators.biller.app import running_biller

pytestmark = pytest.mark.one_engine

ROOT = Path(__file__).resolve().parents[2]
HEADERS = {"X-Biller-Key": "demo-biller-key", "Content-Type": "application/json"}


def call(address: str, method: str, path: str, body: Any = None) -> tuple[int, bytes, Any]:
    line = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
    try:
        line.request(method, path, None if body is None else json.dumps(body), HEADERS)
        answer = line.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        line.close()


def pay_due(address: str, biller: str, serial: str, account_no: str) -> int:
    due = json.loads(call(address, "POST", f"/billers/{biller}/query", {"account_no": account_no})[1])
    references = [bill["bill_ref"] for bill in due["periods"]]
    body = {"serial": serial, "account_no": account_no, "bill_refs": references, "total_fen": due["total_fen"]}
    status, content, _ = call(address, "POST", f"/billers/{biller}/payments", body)
    assert status == 200
    assert json.loads(content)["status"] == "posted"
    return int(due["total_fen"])


def top_up(address: str, serial: str, phone: str, fen: int = 1000) -> dict[str, Any]:
    body = {"serial": serial, "account_no": phone, "amount_fen": fen, "total_fen": fen}
    answer: dict[str, Any] = json.loads(call(address, "POST", "/billers/mobile/payments", body)[1])
    return answer


def read_file(address: str, biller: str, day: str) -> tuple[list[str], list[list[str]]]:
    """Header and lines of a day file whose count, sum and digest hold."""
    status, content, _ = call(address, "GET", f"/billers/{biller}/day-files/{day}")
    assert status == 200
    *rows, trailer = content.decode().splitlines()
    covered = content[: content.rindex(b"sha256|")]
    assert trailer == f"sha256|{hashlib.sha256(covered).hexdigest()}"
    header, *lines = [row.split("|") for row in rows]
    assert int(header[3]) == len(lines)
    assert in_fen(header[4]) == sum(in_fen(line[4]) for line in lines)
    return header, lines


def in_fen(yuan: str) -> int:
    whole, cents = yuan.split(".")
    return int(whole) * 100 + int(cents)


@pytest.fixture
def address() -> Iterator[str]:
    with running_biller(speed="fast") as found:
        call(found, "POST", "/_control", {"today": "2026-10-15"})
        yield found


def test_the_day_file_lists_what_was_posted_with_count_sum_and_digest(address: str) -> None:
    first = pay_due(address, "water-city", "S1", "600018")
    second = pay_due(address, "water-city", "S2", "600015")
    header, lines = read_file(address, "water-city", "20261015")
    assert header[:3] == ["V1", "water-city", "20261015"]
    assert [(line[0], line[2], line[3], in_fen(line[4]), line[6]) for line in lines] == [
        ("S1", "600018", "202607+202608+202609", first, "posted"),
        ("S2", "600015", "202609", second, "posted"),
    ]
    assert lines[0][1].startswith("20261015")
    assert lines[0][5].startswith("2026-10-15T")


def test_each_posting_is_in_the_file_of_its_own_biller_and_day(address: str) -> None:
    top_up(address, "S1", "13800000005")
    call(address, "POST", "/_control", {"today": "2026-10-16"})
    top_up(address, "S2", "13800000005")
    assert [line[0] for line in read_file(address, "mobile", "20261015")[1]] == ["S1"]
    assert [line[0] for line in read_file(address, "mobile", "20261016")[1]] == ["S2"]
    assert read_file(address, "mobile", "20261014")[1] == []
    assert read_file(address, "unicom", "20261015")[1] == []


def test_failed_payments_are_not_in_the_file(address: str) -> None:
    assert top_up(address, "S1", "13800000005", 1)["status"] == "failed"
    assert read_file(address, "mobile", "20261015")[1] == []


def test_a_9_after_an_even_digit_is_listed_twice(address: str) -> None:
    top_up(address, "S1", "13800000029")
    _, lines = read_file(address, "mobile", "20261015")
    assert [line[0] for line in lines] == ["S1", "S1"]
    assert lines[0] == lines[1]
    books = json.loads(call(address, "GET", "/_control/books")[1])
    assert [entry["times_posted"] for entry in books["payments"]] == [1]


def test_a_9_after_an_odd_digit_is_listed_with_one_yuan_more(address: str) -> None:
    paid = pay_due(address, "water-city", "S1", "600019")
    _, (line,) = read_file(address, "water-city", "20261015")
    assert in_fen(line[4]) == paid + 100


def test_todays_file_is_open_and_tomorrows_is_not_there(address: str) -> None:
    assert call(address, "GET", "/billers/mobile/day-files/20261015")[2]["X-Day-File"] == "open"
    assert call(address, "GET", "/billers/mobile/day-files/20261014")[2]["X-Day-File"] == "closed"
    for day in ("20261016", "20261399", "tomorrow"):
        assert call(address, "GET", f"/billers/mobile/day-files/{day}")[0] == 404


# Restarts


@contextmanager
def program(data: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The program as a person starts it, and its address."""
    command = [sys.executable, "-m", "simulators.biller", "--port", "0", "--data", str(data), "--speed", "fast", *more]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        ready = process.stdout.readline().strip()
        assert ready.startswith("biller simulator ready on http://127.0.0.1:")
        yield process, ready.rpartition(" ")[2]
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_books_and_controls_survive_a_kill(tmp_path: Path) -> None:
    data = tmp_path / "books" / "biller.sqlite"
    with program(data, "--today", "2026-10-15") as (process, address):
        pay_due(address, "water-city", "S1", "600015")
        answer = top_up(address, "S2", "13800000005")
        call(address, "POST", "/_control", {"down": ["power"]})
        process.send_signal(signal.SIGKILL)
        process.wait()
    with program(data) as (process, address):
        assert top_up(address, "S2", "13800000005") == answer
        due = json.loads(call(address, "POST", "/billers/water-city/query", {"account_no": "600015"})[1])
        assert due["periods"] == []
        assert call(address, "GET", "/billers/power")[0] == 503
        books = json.loads(call(address, "GET", "/_control/books")[1])
        assert [(entry["serial"], entry["times_posted"]) for entry in books["payments"]] == [("S1", 1), ("S2", 1)]
        process.terminate()
        assert process.wait(timeout=5) == 0


def test_a_payment_accepted_before_a_kill_posts_after_it(tmp_path: Path) -> None:
    data = tmp_path / "biller.sqlite"
    with program(data) as (process, address):
        call(address, "POST", "/_control", {"late_post_ms": 1000})
        assert top_up(address, "S1", "13800000005")["status"] == "processing"
        process.send_signal(signal.SIGKILL)
        process.wait()
    with program(data) as (_, address):
        deadline = time.monotonic() + 8
        shown = "processing"
        while shown != "posted" and time.monotonic() < deadline:
            time.sleep(0.05)
            shown = json.loads(call(address, "GET", "/billers/mobile/payments/S1")[1])["status"]
        assert shown == "posted"
