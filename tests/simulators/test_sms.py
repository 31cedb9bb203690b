"""The SMS simulator over real HTTP: sending once, reading, and misbehaving on demand."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from simulators.sms.app import running_sms

pytestmark = pytest.mark.one_engine

ROOT = Path(__file__).resolve().parents[2]
LI_MEI, WANG_QIANG = "13800000001", "13800000002"


def call(address: str, method: str, path: str, body: Any = None, key: str = "demo-sms-key", timeout: float = 10) -> tuple[int, Any]:
    line = http.client.HTTPConnection(address.removeprefix("http://"), timeout=timeout)
    try:
        line.request(method, path, None if body is None else json.dumps(body), {"X-Sms-Key": key, "Content-Type": "application/json"})
        answer = line.getresponse()
        text = answer.read().decode()
        return answer.status, json.loads(text) if answer.headers.get_content_type() == "application/json" else text
    finally:
        line.close()


def send(address: str, phone: str, text: str, reference: str) -> tuple[int, Any]:
    return call(address, "POST", "/messages", {"to": phone, "text": text, "reference": reference})


def inbox(address: str, phone: str) -> list[dict[str, Any]]:
    status, listed = call(address, "GET", f"/messages?{urlencode({'phone': phone})}")
    assert status == 200
    return listed


@pytest.fixture
def address() -> Iterator[str]:
    with running_sms() as found:
        yield found


def test_a_message_lands_in_the_inbox_of_its_phone_with_its_code(address: str) -> None:
    status, answer = send(address, LI_MEI, "【邻里】验证码 482913,5分钟内有效。", "otp:1")
    assert (status, answer) == (202, {"status": "accepted", "reference": "otp:1", "duplicate": False})
    (message,) = inbox(address, LI_MEI)
    assert (message["phone"], message["text"], message["code"]) == (LI_MEI, "【邻里】验证码 482913,5分钟内有效。", "482913")
    assert datetime.fromisoformat(message["sent_at"]).utcoffset() is not None
    assert inbox(address, WANG_QIANG) == []


def test_messages_are_listed_newest_first(address: str) -> None:
    for number in range(3):
        send(address, LI_MEI, f"message {number}", f"m-{number}")
    assert [message["text"] for message in inbox(address, LI_MEI)] == ["message 2", "message 1", "message 0"]


@pytest.mark.parametrize(
    ("text", "code"),
    [("订单 20261015000123 已到,取件码 550182", "550182"), ("no code", None), ("1234567", None), ("first 111111 then 222222", "111111")],
)
def test_the_code_is_the_first_group_of_exactly_six_digits(address: str, text: str, code: str | None) -> None:
    send(address, LI_MEI, text, "m")
    assert inbox(address, LI_MEI)[0]["code"] == code


def test_the_same_reference_twice_is_one_message(address: str) -> None:
    send(address, LI_MEI, "hello", "m")
    assert send(address, LI_MEI, "hello", "m") == (202, {"status": "accepted", "reference": "m", "duplicate": True})
    assert len(inbox(address, LI_MEI)) == 1


def test_twenty_at_once_under_one_reference_are_one_message(address: str) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: send(address, LI_MEI, "hello", "m"), range(20)))
    assert [status for status, _ in answers] == [202] * 20
    assert sum(not answer["duplicate"] for _, answer in answers) == 1
    assert len(inbox(address, LI_MEI)) == 1


def test_a_reference_cannot_name_another_message(address: str) -> None:
    send(address, LI_MEI, "hello", "m")
    for phone, text in [(LI_MEI, "other"), (WANG_QIANG, "hello")]:
        status, refusal = send(address, phone, text, "m")
        assert (status, refusal["code"]) == (409, "reference_reused")
    assert [message["text"] for message in inbox(address, LI_MEI)] == ["hello"]
    assert inbox(address, WANG_QIANG) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"to": "12345678901", "text": "x", "reference": "m"}, "bad_phone"),
        ({"to": "١٣٨٠٠٠٠٠٠٠١", "text": "x", "reference": "m"}, "bad_phone"),
        ({"to": 13800000001, "text": "x", "reference": "m"}, "bad_phone"),
        ({"to": LI_MEI, "text": "  ", "reference": "m"}, "bad_text"),
        ({"to": LI_MEI, "text": "x" * 501, "reference": "m"}, "bad_text"),
        ({"to": LI_MEI, "text": "x"}, "bad_reference"),
    ],
)
def test_a_malformed_message_is_refused_and_nothing_sent(address: str, body: dict[str, Any], code: str) -> None:
    status, refusal = call(address, "POST", "/messages", body)
    assert (status, refusal["code"]) == (422, code)
    assert call(address, "GET", "/messages") == (200, [])


def test_messages_are_neither_taken_nor_told_without_the_key(address: str) -> None:
    send(address, LI_MEI, "hello", "m")
    for method, path in [("POST", "/messages"), ("GET", f"/messages?phone={LI_MEI}"), ("POST", "/_control"), ("POST", "/_control/reset")]:
        assert call(address, method, path, {}, key="wrong")[0] == 401
    assert len(inbox(address, LI_MEI)) == 1


def test_a_gateway_that_is_down_takes_nothing(address: str) -> None:
    call(address, "POST", "/_control", {"down": True})
    status, refusal = send(address, LI_MEI, "hello", "m")
    assert (status, refusal["code"]) == (503, "down")
    assert inbox(address, LI_MEI) == []
    call(address, "POST", "/_control", {"down": False})
    assert send(address, LI_MEI, "hello", "m")[0] == 202


def test_a_slow_gateway_outlasts_an_impatient_caller(address: str) -> None:
    call(address, "POST", "/_control", {"delay_ms": 800})
    with pytest.raises(TimeoutError):
        call(address, "POST", "/messages", {"to": LI_MEI, "text": "hello", "reference": "m"}, timeout=0.2)
    began = time.monotonic()
    assert send(address, LI_MEI, "hello", "m")[0] == 202
    assert time.monotonic() - began >= 0.8
    assert len(inbox(address, LI_MEI)) == 1


def test_a_lost_answer_left_one_message_however_often_it_is_sent(address: str) -> None:
    call(address, "POST", "/_control", {"lose_answers": True})
    assert send(address, LI_MEI, "hello", "m")[0] == 504
    call(address, "POST", "/_control", {"lose_answers": False})
    assert send(address, LI_MEI, "hello", "m")[1]["duplicate"] is True
    assert len(inbox(address, LI_MEI)) == 1


@pytest.mark.parametrize("wishes", [{"nonsense": True}, {"down": "yes"}, {"down": True, "delay_ms": -1}, {"delay_ms": True}])
def test_the_control_refuses_what_it_does_not_know_and_changes_nothing(address: str, wishes: dict[str, Any]) -> None:
    assert call(address, "POST", "/_control", wishes)[0] == 400
    assert call(address, "GET", "/_control") == (200, {"down": False, "delay_ms": 0, "lose_answers": False})


def test_the_page_groups_by_phone_marks_the_code_and_escapes_the_text(address: str) -> None:
    send(address, LI_MEI, "验证码 482913", "m1")
    send(address, WANG_QIANG, "<script>alert(1)</script>", "m2")
    status, page = call(address, "GET", "/", key="")
    assert status == 200
    assert "138 0000 0001" in page
    assert "<strong>482913</strong>" in page
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert 'http-equiv="refresh"' in page
    only = call(address, "GET", f"/?phone={LI_MEI}", key="")[1]
    assert "138 0000 0001" in only
    assert "138 0000 0002" not in only


def test_a_reset_empties_the_inboxes(address: str) -> None:
    send(address, LI_MEI, "hello", "m")
    call(address, "POST", "/_control", {"down": True})
    call(address, "POST", "/_control/reset")
    assert inbox(address, LI_MEI) == []
    assert send(address, LI_MEI, "hello", "m")[0] == 202


def test_messages_survive_a_kill(tmp_path: Path) -> None:
    data = tmp_path / "new" / "sms.sqlite"
    command = [sys.executable, "-m", "simulators.sms", "--port", "0", "--data", str(data)]
    for round_number in range(2):
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            ready = process.stdout.readline().strip()
            assert ready.startswith("SMS simulator ready on http://127.0.0.1:")
            found = ready.rpartition(" ")[2]
            assert send(found, LI_MEI, "hello", "m")[1]["duplicate"] is (round_number == 1)
            assert len(inbox(found, LI_MEI)) == 1
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
