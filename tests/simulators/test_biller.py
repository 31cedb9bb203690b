"""The biller simulator over real HTTP: looking accounts up and paying them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from simulators.biller.app import running_biller
from simulators.biller.channel import Channel
from simulators.biller.registry import billers

pytestmark = pytest.mark.one_engine

TODAY = "2026-10-15"
TWICE = ["x", "x"]


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


# Looking up


def test_every_biller_of_the_registry_is_served(channel: Channel) -> None:
    status, listed = channel.call("GET", "/billers")
    assert status == 200
    assert len(listed) == 12
    assert {entry["code"] for entry in listed} == set(billers())


def test_one_period_is_due_with_holder_reading_and_tiers(channel: Channel) -> None:
    found = channel.query("power", "5110000015")
    assert found["account_no"] == "5110000015"
    assert len(found["holder"]) >= 2
    assert found["address"].startswith("内江市")
    assert found["balance_fen"] == 0
    (bill,) = found["periods"]
    assert (bill["period"], bill["due_on"], bill["late_fee_fen"], bill["unit"]) == ("2026-09", "2026-10-31", 0, "kWh")
    assert bill["reading"] - bill["previous_reading"] == bill["usage"]
    assert 120 <= bill["usage"] <= 260
    assert sum(line["usage"] for line in found["tier_lines"]) == bill["usage"]
    exact = sum(line["amount_fen_x100"] for line in found["tier_lines"])
    assert bill["amount_fen"] == (exact + 50) // 100
    assert found["total_fen"] == bill["total_fen"] == bill["amount_fen"]


@pytest.mark.parametrize(("last_digit", "periods"), [("1", 0), ("2", 1), ("3", 1), ("5", 1), ("6", 1), ("7", 2), ("8", 3), ("9", 1)])
def test_the_last_digit_decides_how_many_periods_are_due(channel: Channel, last_digit: str, periods: int) -> None:
    found = channel.query("water-city", f"60001{last_digit}")
    assert [bill["period"] for bill in found["periods"]] == ["2026-07", "2026-08", "2026-09"][3 - periods :]


def test_three_periods_carry_late_fees_on_the_overdue_ones_only(channel: Channel) -> None:
    july, august, september = channel.query("water-city", "600018")["periods"]
    # Ten basis points a day, half up: 45 days after 31 August, 15 days after 30 September.
    assert july["late_fee_fen"] == (july["amount_fen"] * 10 * 45 + 5000) // 10000 > 0
    assert august["late_fee_fen"] == (august["amount_fen"] * 10 * 15 + 5000) // 10000 > 0
    assert september["late_fee_fen"] == 0
    assert july["total_fen"] == july["amount_fen"] + july["late_fee_fen"]
    assert july["reading"] == august["previous_reading"]


def test_composite_and_letter_accounts_go_by_the_last_digit_found(channel: Channel) -> None:
    assert channel.query("property-tianchenghu", "3-2-1201")["periods"] == []
    due = channel.query("property-tianchenghu", "3-2-1207")
    assert len(due["periods"]) == 2
    assert due["address"] == "内江市东兴区西林街道甜城湖社区3栋2单元1207室"
    assert due["periods"][0]["late_fee_fen"] == 0
    assert len(channel.query("broadband", "njtel8user")["periods"]) == 3
    assert len(channel.query("broadband", "nodigitshere")["periods"]) == 1


def test_amounts_repeat_for_the_same_seed_and_differ_for_another(channel: Channel) -> None:
    accounts = [f"5110000{number}5" for number in range(10, 20)]
    first = [channel.query("power", account) for account in accounts]
    assert [channel.query("power", account) for account in accounts] == first
    channel.control(seed=2)
    assert [channel.query("power", account)["total_fen"] for account in accounts] != [found["total_fen"] for found in first]
    channel.control(seed=1)
    assert [channel.query("power", account) for account in accounts] == first


def test_a_month_later_the_unpaid_bill_is_still_there_and_late(channel: Channel) -> None:
    (september,) = channel.query("water-city", "600015")["periods"]
    channel.control(today="2026-11-10")
    still, october = channel.query("water-city", "600015")["periods"]
    assert still["bill_ref"] == september["bill_ref"]
    assert still["late_fee_fen"] > 0
    assert october["period"] == "2026-10"


def test_a_meter_account_tells_balance_and_what_it_can_buy(channel: Channel) -> None:
    status, card = channel.call("POST", "/billers/gas-city/validate", {"account_no": "80000015"})
    assert status == 200
    assert card["step_fen"] == 1000
    assert card["largest_fen"] == 50000
    assert card["holder"]
    status, cable = channel.call("POST", "/billers/cable-tv/validate", {"account_no": "90000015"})
    assert status == 200
    assert {"months": 3, "amount_fen": 3 * cable["monthly_fen"]} in cable["months"]


def test_an_unknown_account_gives_nothing_away(channel: Channel) -> None:
    for account in ("5110000010", "12"):
        assert channel.call("POST", "/billers/power/query", {"account_no": account}) == (
            404,
            {"code": "not_found", "message": "There is no such account"},
        )
    assert channel.call("POST", "/billers/gas-city/validate", {"account_no": "80000010"})[0] == 404


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/billers/nobody/query", {"account_no": "600015"}, 404, "unknown_biller"),
        ("/billers/mobile/query", {"account_no": "13800000005"}, 422, "wrong_flow"),
        ("/billers/gas-city/query", {"account_no": "80000015"}, 422, "wrong_flow"),
        ("/billers/power/validate", {"account_no": "5110000015"}, 422, "wrong_flow"),
        ("/billers/power/query", {"account_no": 5110000015}, 422, "bad_request"),
        ("/billers/power/query", ["5110000015"], 400, "bad_request"),
        ("/billers/power/payments", {"serial": "a b", "account_no": "5110000015", "amount_fen": 1, "total_fen": 1}, 422, "bad_request"),
        ("/billers/power/payments", {"serial": "a", "account_no": "5110000015", "total_fen": 100}, 422, "bad_request"),
        ("/billers/power/payments", {"serial": "a", "account_no": "5110000015", "amount_fen": True, "total_fen": True}, 422, "bad_request"),
        ("/billers/power/payments", {"serial": "a", "account_no": "5110000015", "amount_fen": 1.5, "total_fen": 1.5}, 422, "bad_request"),
        ("/billers/mobile/payments", {"serial": "a", "account_no": "13800000005", "amount_fen": 100, "total_fen": 99}, 422, "bad_request"),
        ("/billers/water-city/payments", {"serial": "a", "account_no": "600015", "amount_fen": 1, "total_fen": 1}, 422, "bad_request"),
        ("/billers/water-city/payments", {"serial": "a", "account_no": "600015", "bill_refs": TWICE, "total_fen": 1}, 422, "bad_request"),
    ],
)
def test_a_malformed_request_is_refused_and_nothing_recorded(channel: Channel, path: str, body: Any, status: int, code: str) -> None:
    answered, refusal = channel.call("POST", path, body)
    assert (answered, refusal["code"]) == (status, code)
    assert channel.call("GET", "/_control/books?all=yes")[1]["payments"] == []


def test_nothing_is_served_without_the_key(channel: Channel) -> None:
    for method, path in [("POST", "/billers/power/query"), ("GET", "/billers"), ("POST", "/_control"), ("GET", "/_control/books")]:
        status, refusal = channel.call(method, path, {"account_no": "5110000015"}, key="wrong")
        assert (status, refusal["code"]) == (401, "unauthorized")


# Paying


def test_paying_what_is_due_posts_it_and_clears_the_account(channel: Channel) -> None:
    due = channel.query("power", "5110000018")
    status, answer = channel.pay_all_due("power", "S1", "5110000018")
    assert (status, answer["status"], answer["total_fen"]) == (200, "posted", due["total_fen"])
    assert answer["biller_serial"].startswith("20261015")
    assert answer["posted_at"].startswith("2026-10-15T")
    assert answer["posted_at"].endswith("+08:00")
    assert answer["receipt_no"]
    assert channel.query("power", "5110000018")["periods"] == []
    (entry,) = channel.books()["payments"]
    assert entry["bill_refs"] == [bill["bill_ref"] for bill in due["periods"]]
    assert (entry["biller"], entry["account_no"], entry["total_fen"], entry["times_posted"]) == ("power", "5110000018", due["total_fen"], 1)


def test_the_oldest_bill_may_be_paid_alone(channel: Channel) -> None:
    oldest, *others = channel.query("water-city", "600018")["periods"]
    status, answer = channel.pay("water-city", "S1", "600018", bill_refs=[oldest["bill_ref"]], total_fen=oldest["total_fen"])
    assert (status, answer["status"]) == (200, "posted")
    assert channel.query("water-city", "600018")["periods"] == others


def test_more_than_due_is_kept_as_prepayment_where_the_rule_allows_it(channel: Channel) -> None:
    due = channel.query("power", "5110000015")
    total = due["total_fen"] + 5000
    _, answer = channel.pay("power", "S1", "5110000015", bill_refs=[due["periods"][0]["bill_ref"]], total_fen=total)
    assert (answer["status"], answer["surplus_fen"]) == ("posted", 5000)
    _, answer = channel.pay("power", "S2", "5110000015", amount_fen=2000, total_fen=2000)
    assert answer["status"] == "posted"
    after = channel.query("power", "5110000015")
    assert (after["periods"], after["balance_fen"]) == ([], 7000)


def test_an_amount_without_bills_settles_all_that_is_due(channel: Channel) -> None:
    total = channel.query("power", "5110000017")["total_fen"]
    _, answer = channel.pay("power", "S1", "5110000017", amount_fen=total - 1, total_fen=total - 1)
    assert (answer["status"], answer["code"]) == ("failed", "wrong_amount")
    _, answer = channel.pay("power", "S2", "5110000017", amount_fen=total, total_fen=total)
    assert answer["status"] == "posted"
    assert channel.query("power", "5110000017")["periods"] == []


def test_a_phone_is_topped_up_by_a_face(channel: Channel) -> None:
    _, answer = channel.pay("mobile", "S1", "13800000001", amount_fen=5000, total_fen=5000)
    assert answer["status"] == "posted"
    _, answer = channel.pay("mobile", "S2", "13800000001", amount_fen=5100, total_fen=5100)
    assert (answer["status"], answer["code"]) == ("failed", "wrong_amount")
    _, answer = channel.pay("mobile", "S3", "13800000000", amount_fen=5000, total_fen=5000)
    assert (answer["status"], answer["code"]) == ("failed", "not_found")
    assert channel.posted() == {"S1": 1}


def test_a_gas_card_is_bought_in_steps_up_to_its_monthly_cap(channel: Channel) -> None:
    balance = channel.call("POST", "/billers/gas-city/validate", {"account_no": "80000015"})[1]["balance_fen"]
    _, answer = channel.pay("gas-city", "S1", "80000015", amount_fen=50000, total_fen=50000)
    assert (answer["status"], answer["next_step"]) == ("posted", "load_card")
    assert channel.call("POST", "/billers/gas-city/validate", {"account_no": "80000015"})[1]["balance_fen"] == balance + 50000
    assert channel.pay("gas-city", "S2", "80000015", amount_fen=1050, total_fen=1050)[1]["code"] == "wrong_amount"
    assert channel.pay("gas-city", "S3", "80000015", amount_fen=50000, total_fen=50000)[1]["status"] == "posted"
    assert channel.pay("gas-city", "S4", "80000015", amount_fen=1000, total_fen=1000)[1]["code"] == "over_limit"
    assert channel.posted() == {"S1": 1, "S3": 1}


def test_cable_tv_is_bought_in_whole_months(channel: Channel) -> None:
    monthly = channel.call("POST", "/billers/cable-tv/validate", {"account_no": "90000015"})[1]["monthly_fen"]
    assert channel.pay("cable-tv", "S1", "90000015", amount_fen=6 * monthly, total_fen=6 * monthly)[1]["status"] == "posted"
    assert channel.pay("cable-tv", "S2", "90000015", amount_fen=monthly + 1, total_fen=monthly + 1)[1]["code"] == "wrong_amount"


def test_a_newer_bill_before_an_older_one_is_refused_and_nothing_written_off(channel: Channel) -> None:
    before = channel.query("water-city", "600018")
    newest = before["periods"][-1]
    _, answer = channel.pay("water-city", "S1", "600018", bill_refs=[newest["bill_ref"]], total_fen=newest["total_fen"])
    assert (answer["status"], answer["code"]) == ("failed", "older_due")
    assert channel.query("water-city", "600018") == before
    assert channel.posted() == {}


@pytest.mark.parametrize("difference", [-1, 1])
def test_one_fen_off_is_refused_where_the_rule_is_exact(channel: Channel, difference: int) -> None:
    (bill,) = channel.query("water-city", "600015")["periods"]
    _, answer = channel.pay("water-city", "S1", "600015", bill_refs=[bill["bill_ref"]], total_fen=bill["total_fen"] + difference)
    assert (answer["status"], answer["code"]) == ("failed", "wrong_amount")
    assert channel.posted() == {}


def test_a_paid_bill_cannot_be_paid_under_another_serial(channel: Channel) -> None:
    (bill,) = channel.query("water-city", "600015")["periods"]
    what = {"bill_refs": [bill["bill_ref"]], "total_fen": bill["total_fen"]}
    assert channel.pay("water-city", "S1", "600015", **what)[1]["status"] == "posted"
    _, answer = channel.pay("water-city", "S2", "600015", **what)
    assert (answer["status"], answer["code"]) == ("failed", "already_paid")
    assert channel.posted() == {"S1": 1}


def test_a_bill_nobody_wrote_is_refused(channel: Channel) -> None:
    _, answer = channel.pay("water-city", "S1", "600015", bill_refs=["202609-000000000000"], total_fen=100)
    assert (answer["status"], answer["code"]) == ("failed", "unknown_bill")


def test_the_same_serial_and_body_is_one_write_off_and_one_answer(channel: Channel) -> None:
    (bill,) = channel.query("water-city", "600015")["periods"]
    what = {"bill_refs": [bill["bill_ref"]], "total_fen": bill["total_fen"]}
    answers = [channel.pay("water-city", "S1", "600015", **what) for _ in range(3)]
    assert answers[0][1]["status"] == "posted"
    assert answers == [answers[0]] * 3
    (entry,) = channel.books()["payments"]
    assert (entry["times_received"], entry["times_posted"]) == (3, 1)


def test_a_failed_serial_fails_again_with_the_same_words(channel: Channel) -> None:
    first = channel.pay("mobile", "S1", "13800000005", amount_fen=1, total_fen=1)
    assert first[1]["status"] == "failed"
    assert channel.pay("mobile", "S1", "13800000005", amount_fen=1, total_fen=1) == first
    assert channel.inquire("mobile", "S1") == first


def test_the_same_serial_with_another_body_is_a_conflict(channel: Channel) -> None:
    channel.pay("mobile", "S1", "13800000005", amount_fen=1000, total_fen=1000)
    status, refusal = channel.pay("mobile", "S1", "13800000005", amount_fen=2000, total_fen=2000)
    assert (status, refusal["code"]) == (409, "serial_reused")
    assert channel.books()["posted_fen"] == 1000


def test_twenty_at_once_under_one_serial_are_one_write_off(channel: Channel) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: channel.pay("mobile", "S1", "13800000005", amount_fen=1000, total_fen=1000), range(20)))
    assert {json.dumps(answer) for answer in answers} == {json.dumps(answers[0])}
    assert channel.posted() == {"S1": 1}


def test_twenty_at_once_for_one_bill_are_one_write_off(channel: Channel) -> None:
    (bill,) = channel.query("water-city", "600015")["periods"]

    def pay(number: int) -> Any:
        return channel.pay("water-city", f"S{number}", "600015", bill_refs=[bill["bill_ref"]], total_fen=bill["total_fen"])[1]

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(pay, range(20)))
    assert sorted(answer["status"] for answer in answers) == ["failed"] * 19 + ["posted"]
    assert channel.books()["posted"] == 1
