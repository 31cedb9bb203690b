"""The biller simulator over real HTTP: losing answers, lying, being down, and proving what was written off."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from simulators.biller.app import running_biller
from simulators.biller.channel import LOST, Channel
from simulators.stripe.harness import eventually

pytestmark = pytest.mark.one_engine

TODAY = "2026-10-15"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running_biller(speed="fast") as found:
        yield found


@pytest.fixture
def channel(address: str) -> Channel:
    made = Channel(address)
    made.call("POST", "/_control/reset")
    made.control(today=TODAY, late_post_ms=None, slow_ms=300, hang_ms=1500)
    return made


# Losing answers


def test_a_serial_never_sent_is_definitely_not_found(channel: Channel) -> None:
    assert channel.inquire("power", "never") == (404, {"code": "not_found", "message": "No payment arrived under this serial"})


def test_digit_2_loses_the_answer_then_says_processing_then_posted(channel: Channel) -> None:
    with pytest.raises(TimeoutError):
        channel.pay_all_due("water-city", "S1", "600012", timeout=0.5)
    status, answer = channel.inquire("water-city", "S1")
    assert (status, answer["status"]) == (200, "processing")
    posted = channel.wait_until_posted("water-city", "S1")
    assert channel.inquire("water-city", "S1")[1] == posted
    assert channel.query("water-city", "600012")["periods"] == []
    assert channel.posted() == {"S1": 1}


def test_a_lost_answer_ends_with_a_cut_line_for_a_patient_caller(channel: Channel) -> None:
    channel.control(hang_ms=200)
    began = time.monotonic()
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        channel.pay("mobile", "S1", "13800000002", amount_fen=1000, total_fen=1000)
    assert time.monotonic() - began >= 0.2
    # The line is cut a moment before the request is written down.
    noted = eventually(lambda: [entry for entry in channel.call("GET", "/_control/log")[1] if entry["serial"] == "S1"])
    assert [entry["answered"] for entry in noted] == [False]


def test_a_repeat_after_a_lost_answer_is_heard_and_posts_nothing_more(channel: Channel) -> None:
    channel.control(lost_answer="close")
    with pytest.raises(LOST):
        channel.pay("mobile", "S1", "13800000002", amount_fen=1000, total_fen=1000)
    status, answer = channel.pay("mobile", "S1", "13800000002", amount_fen=1000, total_fen=1000)
    assert (status, answer["status"]) == (200, "processing")
    channel.wait_until_posted("mobile", "S1")
    assert channel.posted() == {"S1": 1}


def test_another_serial_for_a_bill_being_paid_is_refused(channel: Channel) -> None:
    channel.control(lost_answer="close")
    (bill,) = channel.query("water-city", "600012")["periods"]
    what = {"bill_refs": [bill["bill_ref"]], "total_fen": bill["total_fen"]}
    with pytest.raises(LOST):
        channel.pay("water-city", "S1", "600012", **what)
    _, answer = channel.pay("water-city", "S2", "600012", **what)
    assert (answer["status"], answer["code"]) == ("failed", "in_progress")
    channel.wait_until_posted("water-city", "S1")
    assert channel.posted() == {"S1": 1}


def test_digit_3_loses_the_answer_then_says_failed_and_the_bill_stays_due(channel: Channel) -> None:
    before = channel.query("water-city", "600013")
    with pytest.raises(TimeoutError):
        channel.pay_all_due("water-city", "S1", "600013", timeout=0.5)
    status, answer = channel.inquire("water-city", "S1")
    assert (status, answer["status"], answer["code"]) == (200, "failed", "refused")
    assert channel.query("water-city", "600013") == before
    assert channel.posted() == {}


def test_digit_4_is_slow_but_right(channel: Channel) -> None:
    began = time.monotonic()
    channel.query("water-city", "600014")
    assert time.monotonic() - began >= 0.3
    began = time.monotonic()
    _, answer = channel.pay_all_due("water-city", "S1", "600014")
    assert time.monotonic() - began >= 0.6
    assert answer["status"] == "posted"


def test_a_slow_payment_is_in_the_books_before_its_answer(channel: Channel) -> None:
    channel.control(slow_ms=1500)
    with pytest.raises(TimeoutError):
        channel.pay("mobile", "S1", "13800000004", timeout=0.4, amount_fen=1000, total_fen=1000)
    assert channel.inquire("mobile", "S1")[1]["status"] == "posted"


def test_a_request_lost_on_the_way_in_is_not_found_and_may_be_sent_again(channel: Channel) -> None:
    channel.control(lose_request_rate=1.0, lost_answer="close")
    with pytest.raises(LOST):
        channel.pay("mobile", "S1", "13800000005", amount_fen=1000, total_fen=1000)
    assert channel.inquire("mobile", "S1")[0] == 404
    channel.control(lose_request_rate=0)
    assert channel.pay("mobile", "S1", "13800000005", amount_fen=1000, total_fen=1000)[1]["status"] == "posted"
    assert channel.posted() == {"S1": 1}


def test_not_found_then_posted_is_late_by_the_settle_window(channel: Channel) -> None:
    channel.control(per_account={"mobile/13800000005": {"behaviour": "not_found_then_posted", "late_post_ms": 700}}, lost_answer="close")
    with pytest.raises(LOST):
        channel.pay("mobile", "S1", "13800000005", amount_fen=1000, total_fen=1000)
    assert channel.inquire("mobile", "S1")[0] == 404
    channel.wait_until_posted("mobile", "S1")
    assert channel.posted() == {"S1": 1}


def test_failed_then_posted_takes_back_its_word(channel: Channel) -> None:
    channel.control(per_account={"13800000005": {"behaviour": "failed_then_posted", "late_post_ms": 700}}, lost_answer="close")
    with pytest.raises(LOST):
        channel.pay("mobile", "S1", "13800000005", amount_fen=1000, total_fen=1000)
    assert channel.inquire("mobile", "S1")[1]["status"] == "failed"
    channel.wait_until_posted("mobile", "S1")


def test_processing_then_failed_frees_the_bill(channel: Channel) -> None:
    channel.control(per_account={"600015": {"behaviour": "processing_then_failed", "late_post_ms": 300}})
    assert channel.pay_all_due("water-city", "S1", "600015")[1] == {"status": "processing", "serial": "S1"}
    time.sleep(0.4)
    assert channel.inquire("water-city", "S1")[1]["status"] == "failed"
    channel.control(per_account={})
    assert channel.pay_all_due("water-city", "S2", "600015")[1]["status"] == "posted"


def test_lost_answers_by_rate_are_all_posted_exactly_once_by_a_careful_channel(channel: Channel) -> None:
    channel.control(lose_answer_rate=0.3, lose_request_rate=0.1, lost_answer="close")
    lost = threading.Semaphore(0)

    def pay(number: int) -> None:
        serial = f"S{number}"
        try:
            channel.pay("mobile", serial, "13800000005", amount_fen=1000, total_fen=1000)
        except LOST:
            lost.release()
            while channel.inquire("mobile", serial)[0] == 404:
                with suppress(*LOST):
                    channel.pay("mobile", serial, "13800000005", amount_fen=1000, total_fen=1000)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(pay, range(100)))
    assert lost.acquire(blocking=False), "no answer was lost, so nothing was shown"
    assert channel.posted() == {f"S{number}": 1 for number in range(100)}


def test_a_careless_channel_is_caught_by_the_books(channel: Channel) -> None:
    channel.control(no_idempotency=["mobile"], no_inquiry=["mobile"])
    assert channel.inquire("mobile", "S1")[0] == 501
    for _ in range(2):
        channel.pay("mobile", "S1", "13800000005", amount_fen=1000, total_fen=1000)
    books = channel.books()
    assert (books["posted_more_than_once"], books["posted_fen"]) == (["S1"], 2000)


# Controls


def test_the_fail_rate_refuses_and_books_nothing(channel: Channel) -> None:
    channel.control(fail_rate=1)
    assert channel.pay_all_due("water-city", "S1", "600015")[1]["code"] == "refused"
    assert channel.posted() == {}
    channel.control(fail_rate=0)
    assert channel.pay_all_due("water-city", "S2", "600015")[1]["status"] == "posted"


def test_late_posting_answers_processing_first(channel: Channel) -> None:
    channel.control(late_post_ms=400)
    assert channel.pay("mobile", "S1", "13800000005", amount_fen=1000, total_fen=1000)[1]["status"] == "processing"
    assert channel.posted() == {}
    channel.wait_until_posted("mobile", "S1")
    assert channel.posted() == {"S1": 1}


def test_a_second_acknowledgement_has_a_new_receipt_for_one_write_off(channel: Channel) -> None:
    channel.control(double_ack=True)
    _, first = channel.pay("mobile", "S1", "13800000005", amount_fen=1000, total_fen=1000)
    _, second = channel.inquire("mobile", "S1")
    assert first["status"] == second["status"] == "posted"
    assert first["receipt_no"] != second["receipt_no"]
    assert first["biller_serial"] != second["biller_serial"]
    assert channel.posted() == {"S1": 1}


def test_a_biller_that_is_down_answers_503_and_the_others_go_on(channel: Channel) -> None:
    channel.control(down=["power"])
    status, refusal = channel.call("POST", "/billers/power/query", {"account_no": "5110000015"})
    assert (status, refusal["code"]) == (503, "down")
    assert channel.pay("power", "S1", "5110000015", amount_fen=1000, total_fen=1000)[0] == 503
    assert channel.query("water-city", "600015")["periods"]
    channel.control(down=[])
    assert channel.inquire("power", "S1")[0] == 404


def test_an_account_can_be_given_other_manners(channel: Channel) -> None:
    channel.control(per_account={"water-city/600015": {"periods": 4, "holder": "李梅"}, "600018": {"behaviour": "paid_up"}})
    found = channel.query("water-city", "600015")
    assert (found["holder"], len(found["periods"])) == ("李梅", 4)
    assert channel.query("water-city", "600018")["periods"] == []


@pytest.mark.parametrize(
    "wishes",
    [
        {"nonsense": 1},
        {"fail_rate": 2},
        {"down": ["nobody"]},
        {"today": "tomorrow"},
        {"default_delay_ms": -1},
        {"double_ack": "yes"},
        {"per_account": {"600015": {"behaviour": "kind"}}},
    ],
)
def test_the_control_refuses_what_it_does_not_know_and_changes_nothing(channel: Channel, wishes: dict[str, Any]) -> None:
    before = channel.call("GET", "/_control")[1]
    assert channel.call("POST", "/_control", wishes)[0] == 400
    assert channel.call("GET", "/_control")[1] == before


def test_a_reset_can_keep_the_books(channel: Channel) -> None:
    channel.pay("mobile", "S1", "13800000005", amount_fen=1000, total_fen=1000)
    channel.control(down=["power"])
    assert channel.call("POST", "/_control/reset", {"keep_books": True})[1]["down"] == []
    assert channel.posted() == {"S1": 1}
    channel.call("POST", "/_control/reset")
    assert channel.posted() == {}


def test_the_page_shows_billers_and_postings_without_a_full_account_number(channel: Channel) -> None:
    channel.pay("mobile", "S1", "13812345675", amount_fen=1000, total_fen=1000)
    status, page = channel.call("GET", "/", key="")
    assert status == 200
    assert "国网内江供电" in page
    assert "S1" in page
    assert "¥10.00" in page
    assert "13812345675" not in page
    assert "5675" in page
