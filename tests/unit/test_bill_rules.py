"""The rules of bills on plain values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shop.bills import rules
from shop.bills.answers import Offer
from shop.bills.capitals import in_capitals
from shop.bills.errors import AccountNumberMissing, AmountNotSold, BillNotDue, MalformedAccountNumber, NothingChosen, OlderBillDue
from shop.bills.gateway import answer_of
from shop.kernel.money import Money
from shop.models.bills import AmountRule, AttemptKind, AttemptOutcome, BillPaymentState

pytestmark = pytest.mark.one_engine

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
WINDOW = timedelta(seconds=60)


# The figures of docs/algorithms/bill-payment.md.
@pytest.mark.parametrize(
    ("fen", "text"),
    [
        (0, "零元整"), (1, "壹分"), (10, "壹角整"), (15, "壹角伍分"), (100, "壹元整"), (105, "壹元零伍分"), (1_000, "壹拾元整"),
        (9_403, "玖拾肆元零叁分"), (10_000, "壹佰元整"), (32_504, "叁佰贰拾伍元零肆分"), (128_405, "壹仟贰佰捌拾肆元零伍分"),
        (140_950, "壹仟肆佰零玖元伍角整"), (168_032, "壹仟陆佰捌拾元零叁角贰分"), (600_714, "陆仟零柒元壹角肆分"),
        (1_640_902, "壹万陆仟肆佰零玖元零贰分"), (10_700_053, "壹拾万柒仟元零伍角叁分"), (10_000_001, "壹拾万元零壹分"),
        (1_000_050_000, "壹仟万零伍佰元整"), (10_000_000_000, "壹亿元整"), (10_000_000_500, "壹亿零伍元整"),
        (100_010_000_000, "壹拾亿零壹拾万元整"), (100_000_000_000_000, "壹万亿元整"),
    ],
)  # fmt: skip
def test_amounts_in_capitals(fen: int, text: str) -> None:
    assert in_capitals(Money(fen)) == text


def test_amounts_below_zero_have_no_capitals() -> None:
    with pytest.raises(ValueError, match="no voucher"):
        in_capitals(Money(-1))


def test_capitals_never_repeat_a_zero_and_always_end() -> None:
    for fen in range(0, 3_000_000, 917):
        text = in_capitals(Money(fen))
        assert "零零" not in text
        assert text.endswith(("整", "分"))
        assert not text.startswith("零") or fen == 0


@pytest.mark.parametrize(
    ("typed", "pattern", "number"),
    [
        ("5110000015", r"^\d{10}$|^\d{13}$", "5110000015"), (" 5110 0000 15 ", r"^\d{10}$", "5110000015"),
        ("５１１００００01５", r"^\d{10}$", "5110000015"), ("3-2-1201", r"^\d{1,2}-\d{1,2}-\d{3,4}$", "3-2-1201"),
        ("138 0000 0001", r"^1[3-9]\d{9}$", "13800000001"),
    ],
)  # fmt: skip
def test_numbers_are_read_as_people_type_them(typed: str, pattern: str, number: str) -> None:
    assert rules.account_number(typed, pattern) == number


@pytest.mark.parametrize("typed", ["511", "51100000150", "511000001x", "٥١١٠٠٠٠٠١٥", "5110000015\x00", "x" * 500])
def test_numbers_of_another_form_are_refused(typed: str) -> None:
    with pytest.raises(MalformedAccountNumber):
        rules.account_number(typed, r"^\d{10}$|^\d{13}$")


@pytest.mark.parametrize("is_mobile", [False, True])
def test_no_number_at_all_is_not_called_malformed(is_mobile: bool) -> None:
    with pytest.raises(AccountNumberMissing):
        rules.account_number(" \u3000", r"^\d{10}$", is_mobile=is_mobile)


@pytest.mark.parametrize("typed", ["+86 138 0000 0001", "138-0000-0001", "１３８００００00０１"])
def test_a_mobile_number_is_read_as_people_type_it(typed: str) -> None:
    assert rules.account_number(typed, r"^1[3-9]\d{9}$", is_mobile=True) == "13800000001"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("内江市东兴区西林街道甜城湖社区12栋2单元1201室", "内江市东兴区西林街道甜城湖社区12栋"),
        ("玉溪街道玉溪苑3号楼1单元502", "玉溪街道玉溪苑3号楼"), ("汉安里B座1801", "汉安里B座"), ("沱江湾三幢4-1", "沱江湾三幢"),
        ("大千路88号5楼", "大千路"), ("", ""),
    ],
)  # fmt: skip
def test_addresses_are_shown_up_to_the_building(address: str, shown: str) -> None:
    assert rules.mask_address(address) == shown


DUE = [rules.Period(f"r{month}", f"2026-{month:02d}", Money(100 * month)) for month in (7, 8, 9)]


@pytest.mark.parametrize("chosen", [["r7"], ["r7", "r8"], ["r8", "r7"], ["r9", "r8", "r7"]])
def test_the_oldest_periods_may_be_paid_together(chosen: list[str]) -> None:
    rules.check_oldest_first(DUE, chosen)


@pytest.mark.parametrize(
    ("chosen", "refusal"),
    [(["r8"], OlderBillDue), (["r7", "r9"], OlderBillDue), (["r6"], BillNotDue), (["r7", "r7"], BillNotDue), ([], NothingChosen)],
)
def test_a_gap_or_a_stranger_among_the_periods_is_refused(chosen: list[str], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        rules.check_oldest_first(DUE, chosen)


def test_prepaid_amounts_are_those_that_are_sold() -> None:
    rules.check_amount(AmountRule.FIXED_FACES, Money(5_000), None)
    rules.check_amount(AmountRule.MONTHS, Money(2_600), Offer((Money(2_600), Money(7_800)), (1, 3)))
    for rule, amount, offer in [(AmountRule.FIXED_FACES, 4_000, None), (AmountRule.MONTHS, 2_601, None)]:
        with pytest.raises(AmountNotSold):
            rules.check_amount(rule, Money(amount), offer)


def standing(*tries: tuple[str, str | None, float], state: str = "unknown", due: float = 0, **values: bool) -> rules.Standing:
    """A payment after some tries: kind, outcome, and how many seconds ago it was begun and ended."""
    known = tuple(
        rules.Try(
            number, AttemptKind(kind), NOW - timedelta(seconds=ago), NOW - timedelta(seconds=ago) if outcome else None,
            AttemptOutcome(outcome) if outcome else None,
        )
        for number, (kind, outcome, ago) in enumerate(tries, start=1)
    )  # fmt: skip
    sent_at = known[0].started_at if known else None
    flags = {"is_idempotent": True, "answers_inquiries": True, **values}
    return rules.Standing(BillPaymentState(state), NOW + timedelta(seconds=due), sent_at, known, **flags)


def test_a_held_payment_is_sent() -> None:
    assert rules.next_move(standing(state="funds_held"), WINDOW, NOW) is AttemptKind.POST


@pytest.mark.parametrize("state", ["created", "posted", "failed"])
def test_a_payment_whose_end_is_known_is_left_alone(state: str) -> None:
    assert rules.next_move(standing(("post", "accepted", 9), state=state), WINDOW, NOW) is None


def test_after_an_unclear_try_comes_an_inquiry_and_only_when_it_is_due() -> None:
    assert rules.next_move(standing(("post", "unclear", 6)), WINDOW, NOW) is AttemptKind.INQUIRY
    assert rules.next_move(standing(("post", "unclear", 3), due=2), WINDOW, NOW) is None


def test_a_worker_that_died_never_sends_again_by_itself() -> None:
    assert rules.next_move(standing(("post", None, 121), state="sending"), WINDOW, NOW) is AttemptKind.INQUIRY


@pytest.mark.parametrize("asked_ago", [119, 90, 61, 31])
def test_not_found_within_the_settle_window_never_sends_again(asked_ago: float) -> None:
    tries = standing(("post", "unclear", 90), ("inquiry", "not_found", asked_ago if asked_ago < 90 else 89))
    expected = AttemptKind.POST if asked_ago <= 30 else AttemptKind.INQUIRY
    assert rules.next_move(tries, WINDOW, NOW) is expected


@pytest.mark.parametrize("window", [10, 30, 60, 120])
@pytest.mark.parametrize("asked_after", range(0, 200, 7))
def test_sending_again_needs_not_found_after_the_settle_window(window: int, asked_after: int) -> None:
    tries = standing(("post", "unclear", 300), ("inquiry", "not_found", 300 - asked_after))
    sends = rules.next_move(tries, timedelta(seconds=window), NOW) is AttemptKind.POST
    assert sends is (asked_after >= window)


@pytest.mark.parametrize("outcome", ["unclear", "processing", None])
def test_anything_but_not_found_never_sends_again(outcome: str | None) -> None:
    assert rules.next_move(standing(("post", "unclear", 300), ("inquiry", outcome, 9)), WINDOW, NOW) is AttemptKind.INQUIRY


def test_not_found_before_the_newest_try_does_not_count() -> None:
    tries = standing(("post", "unclear", 300), ("inquiry", "not_found", 200), ("post", "unclear", 199))
    assert rules.next_move(tries, WINDOW, NOW) is AttemptKind.INQUIRY


def test_a_biller_that_forgets_serials_is_not_sent_to_again() -> None:
    tries = standing(("post", "unclear", 300), ("inquiry", "not_found", 9), is_idempotent=False)
    assert rules.next_move(tries, WINDOW, NOW) is AttemptKind.INQUIRY
    assert rules.follow_up(tries, WINDOW, NOW).needs_person


def test_the_schedule_of_inquiries() -> None:
    waits, ago = [], 0.0
    while ago < 10_000:
        following = rules.follow_up(standing(("post", "unclear", ago)), WINDOW, NOW).next_inquiry_at
        assert following is not None
        ago += (following - NOW).total_seconds()
        waits.append(ago)
    assert waits == [5, 15, 30, 60, 180, 600, 1_800, 5_400, 9_000, 12_600]


def test_the_last_inquiry_before_a_person_looks_is_made_when_the_day_is_over() -> None:
    assert rules.follow_up(standing(("post", "unclear", 85_000)), WINDOW, NOW).next_inquiry_at == NOW + timedelta(seconds=1_400)


def test_after_a_day_a_person_looks_and_we_ask_less_often() -> None:
    plan = rules.follow_up(standing(("post", "unclear", 86_400)), WINDOW, NOW)
    assert plan == rules.FollowUp(NOW + timedelta(hours=6), needs_person=True)


ANSWERS = [
    ("POST", 200, {"status": "posted", "serial": "s", "biller_serial": "b", "receipt_no": "r"}, "accepted"),
    ("POST", 200, {"status": "processing", "serial": "s"}, "processing"),
    ("POST", 200, {"status": "failed", "serial": "s", "code": "refused"}, "rejected"),
    ("GET", 404, {"code": "not_found"}, "not_found"),
    ("POST", 404, {"code": "not_found"}, "unclear"),
    ("GET", 404, {"code": "unknown_biller"}, "unclear"),
    ("POST", 422, {"code": "bad_request"}, "rejected"),
    ("GET", 422, {"code": "bad_request"}, "unclear"),
    ("POST", 422, {"code": "something_new"}, "unclear"),
    ("POST", 401, {"code": "unauthorized"}, "unclear"),
    ("POST", 409, {"code": "serial_reused"}, "unclear"),
    ("POST", 500, {}, "unclear"),
    ("POST", 503, {"code": "down"}, "unclear"),
    ("POST", 202, {"status": "posted", "serial": "s", "biller_serial": "b", "receipt_no": "r"}, "unclear"),
    ("POST", 200, {"status": "posted", "serial": "another", "biller_serial": "b", "receipt_no": "r"}, "unclear"),
    ("POST", 200, {"status": "posted", "serial": "s"}, "unclear"),
    ("POST", 200, {"status": "reversed", "serial": "s"}, "unclear"),
    ("POST", 200, {}, "unclear"),
]


@pytest.mark.parametrize(("method", "status", "body", "outcome"), ANSWERS)
def test_only_plain_answers_are_believed(method: str, status: int, body: dict[str, str], outcome: str) -> None:
    assert answer_of(method, status, body, "s").outcome.value == outcome
