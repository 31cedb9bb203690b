"""The rules of wallets: account codes, limits by class and proof, and which PINs are too easy."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shop.kernel.money import Money
from shop.models.wallet import AccountKind, WalletClass
from shop.wallet import rules
from shop.wallet.errors import (
    ClearedPinLimitExceeded,
    DayLimitExceeded,
    LifetimeLimitExceeded,
    LimitExceeded,
    PinMalformed,
    PinTooEasy,
    StepUpRequired,
    YearLimitExceeded,
)
from shop.wallet.rules import Spent

pytestmark = pytest.mark.one_engine

I, II, III = WalletClass.I, WalletClass.II, WalletClass.III  # noqa: E741  (the regulation's own numerals)


def yuan(amount: float) -> Money:
    return Money(round(amount * 100))


def check(wallet_class: WalletClass, today: float, period: float, amount: float, has_code: bool = False) -> None:
    rules.check_limits(wallet_class, Spent(yuan(today), yuan(period)), yuan(amount), has_code=has_code)


@pytest.mark.parametrize(
    ("wallet_class", "today", "period", "amount", "has_code"),
    [
        (I, 0, 980, 20, False),  # exactly the lifetime limit
        (II, 0, 99_990, 10, False),
        (III, 0, 199_990, 10, False),
        (III, 0, 99_990, 20, False),  # above class II, within class III
        (II, 950, 950, 50, False),  # exactly the day's limit of a PIN
        (II, 950, 950, 60, True),  # a code lifts it
        (II, 4_980, 4_980, 20, True),
        (II, 0, 0, 5_000, True),
        (II, 0, 0, 1_000, False),
    ],
)
def test_what_the_limits_allow(wallet_class: WalletClass, today: float, period: float, amount: float, has_code: bool) -> None:
    check(wallet_class, today, period, amount, has_code)


@pytest.mark.parametrize(("today", "amount"), [(0, 1_000), (950, 50)])
def test_after_a_cleared_pin_the_limit_of_the_pin_alone_is_left(today: float, amount: float) -> None:
    spent = Spent(yuan(today), yuan(today))
    for has_code in (False, True):
        rules.check_limits(II, spent, yuan(amount), has_code=has_code, cleared_lately=True)
        with pytest.raises(ClearedPinLimitExceeded):
            rules.check_limits(II, spent, yuan(amount + 0.01), has_code=has_code, cleared_lately=True)


@pytest.mark.parametrize(
    ("wallet_class", "today", "period", "amount", "has_code", "refusal", "left"),
    [
        (I, 0, 980, 30, False, LifetimeLimitExceeded, "20.00"),
        (I, 0, 980, 30, True, LifetimeLimitExceeded, "20.00"),
        (I, 0, 1_000, 0.01, False, LifetimeLimitExceeded, "0.00"),
        (II, 0, 99_990, 20, False, YearLimitExceeded, "10.00"),
        (II, 0, 99_990, 20, True, YearLimitExceeded, "10.00"),
        (III, 0, 199_990, 20, True, YearLimitExceeded, "10.00"),
        (II, 950, 950, 60, False, StepUpRequired, "50.00"),
        (II, 0, 0, 1_000.01, False, StepUpRequired, "1,000.00"),
        (II, 4_980, 4_980, 30, True, DayLimitExceeded, "20.00"),
        (II, 0, 0, 5_000.01, True, DayLimitExceeded, "5,000.00"),
        (II, 4_980, 4_980, 30, False, DayLimitExceeded, "20.00"),  # a code would not help, so none is asked for
        (II, 6_000, 6_000, 1, True, DayLimitExceeded, "0.00"),
    ],
)
def test_what_the_limits_refuse(
    wallet_class: WalletClass, today: float, period: float, amount: float, has_code: bool, refusal: type[Exception], left: str
) -> None:
    with pytest.raises(refusal) as refused:
        check(wallet_class, today, period, amount, has_code)
    assert str(refused.value.details["left"]) == left  # type: ignore[attr-defined]


def test_limits_are_told_as_the_api_promises() -> None:
    refused = [LifetimeLimitExceeded, YearLimitExceeded, DayLimitExceeded]
    assert {(error.code, error.status) for error in refused} == {("limit_exceeded", 402)} == {(LimitExceeded.code, LimitExceeded.status)}
    assert (StepUpRequired.code, StepUpRequired.status) == ("step_up_required", 402)


def test_the_day_and_the_year_begin_at_the_citys_midnight() -> None:
    new_years_eve = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)  # half past midnight on the first of January in Neijiang
    assert rules.day_start(new_years_eve) == datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    assert rules.period_start(II, new_years_eve) == datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    assert rules.period_start(III, datetime(2026, 12, 31, 15, 59, tzinfo=UTC)) == datetime(2025, 12, 31, 16, 0, tzinfo=UTC)
    assert rules.period_start(I, new_years_eve) is None


def test_the_class_follows_from_the_verification_level() -> None:
    assert [rules.class_for(level) for level in range(4)] == [None, I, II, III]


@pytest.mark.parametrize("pin", ["246810", "135790", "102938", "200001", "112233"])
def test_a_good_pin(pin: str) -> None:
    rules.check_new_pin(pin, "13800000001")


@pytest.mark.parametrize(
    "pin", ["111111", "000000", "121212", "123123", "123456", "654321", "012345", "987654", "789012", "210987", "000001"]
)
def test_a_pin_that_is_too_easy(pin: str) -> None:
    with pytest.raises(PinTooEasy):
        rules.check_new_pin(pin, "13800000001")


@pytest.mark.parametrize("pin", ["", "12345", "2468101", "24681a", " 24681", "２４６８１０", "٢٤٦٨١٠", "24681\n", "-24681"])
def test_a_pin_is_six_plain_digits(pin: str) -> None:
    with pytest.raises(PinMalformed):
        rules.check_new_pin(pin, "13800000001")


def test_account_codes_say_whose_they_are() -> None:
    assert rules.account_facts("escrow").kind is AccountKind.ESCROW
    assert rules.account_facts("refund_due").kind is AccountKind.REFUND_DUE
    assert rules.account_facts("wallet:17").user_id == 17
    assert rules.account_facts("merchant:4").merchant_id == 4
    assert rules.account_facts("biller:9").biller_id == 9
    assert rules.account_facts("cash:2").kind is AccountKind.CASH
