"""The demo's bills are the bills the biller simulator asks for."""

from __future__ import annotations

from datetime import date

import pytest

from demo import files
from demo.bill_paying import NUMBERS
from demo.households import Household, periods_due, step
from simulators.biller.arrears import month_bill
from simulators.biller.behaviours import behaviour_of
from simulators.biller.households import Household as SimulatedHousehold
from simulators.biller.registry import billers

pytestmark = pytest.mark.one_engine

TODAY = date(2026, 11, 24)
ACCOUNTS = sorted({(number.biller, number.account_no) for number in NUMBERS} | {("refuse", "70001235"), ("broadband", "08320001236")})


@pytest.mark.parametrize(("biller", "account_no"), ACCOUNTS)
def test_a_household_is_the_simulators_household(biller: str, account_no: str) -> None:
    ours, theirs = Household(biller, account_no), SimulatedHousehold(1, billers()[biller], account_no)
    assert (ours.holder, ours.address) == (theirs.holder, theirs.address)
    bps = {row["code"]: int(row["late_fee_bp_per_day"]) for row in files.rows("billers")}[biller]
    for back in range(1, 9):
        month = step((TODAY.year, TODAY.month), -back)
        bill, expected = ours.bill(month, TODAY, bps), month_bill(theirs, month, TODAY)
        assert bill.biller_ref == expected.bill_ref
        assert (bill.period, bill.amount.fen, bill.late_fee.fen) == (expected.period, expected.amount_fen, expected.late_fee_fen)
        assert bill.due_on.isoformat() == expected.due_on
        assert bill.usage.split(" ")[0] == ("" if expected.usage is None else str(expected.usage))


@pytest.mark.parametrize("digit", "15678")
def test_the_last_digit_says_how_much_is_due(digit: str) -> None:
    assert periods_due(f"51100100{digit}") == behaviour_of(f"51100100{digit}").periods
