"""What a movement in another currency is in yuan: the figures of docs/algorithms/provider-money.md."""

from __future__ import annotations

import pytest

from shop.kernel.money import Money
from shop.payments.foreign import Amount, Foreign, Movement, amount_of, currency_of, minor_of


def movement(settled: int, fee: int, currency: str, rate: str | None, source: Amount) -> Movement:
    return Movement("txn_1", amount_of(settled, currency), amount_of(fee, currency), source, rate)


@pytest.mark.parametrize(
    ("settled", "fee", "currency", "rate", "source", "booked", "booked_fee"),
    [
        pytest.param(5_002, 145, "cny", None, 5_002, 5_002, 145, id="yuan are yuan"),
        pytest.param(5_452, 158, "hkd", "1.09", 5_002, 5_002, 145, id="a charge in Hong Kong dollars"),
        pytest.param(-5_452, 10_900, "hkd", "1.09", 5_002, -5_002, 10_000, id="a dispute in Hong Kong dollars"),
        pytest.param(5_502, 0, "hkd", "1.1", 5_002, 5_002, 0, id="given back at another rate"),
        pytest.param(5_502, -10_900, "hkd", "1.1", 5_002, 5_002, -9_909, id="the fee given back at another rate"),
        pytest.param(56, 30, "usd", "0.1405", 400, 400, 214, id="the rate is finer than small amounts"),
        pytest.param(56, 30, "usd", None, 400, 400, 214, id="without a rate the two amounts say it"),
        pytest.param(703, 20, "usd", "0.1405", 5_002, 5_002, 142, id="a charge in dollars"),
        pytest.param(1_025, 30, "jpy", "20.5", 5_002, 5_002, 146, id="yen have no decimals, the rate is between whole units"),
        pytest.param(1_025, 30, "jpy", "0.205", 5_002, 5_002, 146, id="the same between smallest units"),
        pytest.param(10_904, 3_000, "kwd", "0.04361", 250_035, 250_035, 68_792, id="dinars have three decimals, between smallest units"),
        pytest.param(109_000_000, 3_161_000, "hkd", "1.09001", 99_999_999, 99_999_999, 2_899_973, id="rates have six digits"),
        pytest.param(10, 5, "hkd", "1", 10, 10, 5, id="one to one"),
        pytest.param(20, 3, "hkd", "2", 10, 10, 2, id="half a fen is rounded up"),
        pytest.param(20, -3, "hkd", "2", 10, 10, -2, id="half a fen back is rounded away from zero too"),
        pytest.param(5_452, 158, "hkd", "1.2", 5_002, None, None, id="a rate that does not explain the amounts"),
        pytest.param(5_455, 158, "hkd", "1.09", 5_002, None, None, id="three cents off"),
        pytest.param(0, 8_500, "hkd", "1.09", 5_002, 0, 7_798, id="a fee alone"),
        pytest.param(0, 8_500, "hkd", None, 5_002, 0, None, id="a fee alone without a rate"),
        pytest.param(0, 200, "jpy", "20.5", 5_002, 0, None, id="a fee alone of which nobody knows what its rate is between"),
        pytest.param(5_452, 158, "hkd", None, 0, None, None, id="much of nothing"),
        pytest.param(5_452, 158, "hkd", "0", 5_002, None, None, id="a rate of nothing"),
        pytest.param(0, 0, "hkd", None, 0, 0, 0, id="nothing at all"),
    ],
)
def test_another_currency_is_turned_into_yuan_by_what_the_provider_says(
    settled: int, fee: int, currency: str, rate: str | None, source: int, booked: int | None, booked_fee: int | None
) -> None:
    found = movement(settled, fee, currency, rate, Money(source))
    assert found.booked == (None if booked is None else Money(booked))
    assert found.booked_fee == (None if booked_fee is None else Money(booked_fee))


def test_a_source_in_another_currency_is_not_known_in_yuan() -> None:
    found = movement(-5_452, 8_500, "hkd", None, Foreign(5_452, "HKD"))
    assert (found.booked, found.booked_fee) == (None, None)


def test_an_integer_is_yuan_only_beside_its_currency() -> None:
    assert amount_of(5_002, "cny") == amount_of(5_002, "CNY") == Money(5_002)
    assert amount_of(5_002, "hkd") == Foreign(5_002, "HKD") != Money(5_002)
    assert amount_of(5_002, "hkd") != amount_of(5_002, "jpy")
    assert (currency_of(Foreign(7, "JPY")), minor_of(Foreign(7, "JPY"))) == ("JPY", 7)
    assert (currency_of(Money(7)), minor_of(Money(7))) == ("CNY", 7)


@pytest.mark.parametrize(
    ("minor", "currency", "error"), [(1.5, "HKD", TypeError), (True, "HKD", TypeError), (1, "CNY", ValueError), (1, "hkd", ValueError)]
)
def test_a_foreign_amount_is_whole_and_not_in_yuan(minor: int, currency: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        Foreign(minor, currency)
