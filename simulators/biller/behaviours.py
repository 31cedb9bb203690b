"""How an account behaves: by the last digit of its number, unless the control says otherwise."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Meanwhile = Literal["processing", "failed", "not_found"]


@dataclass(frozen=True)
class Behaviour:
    """One way a biller can treat an account.

    `answer`: the answer to a payment is given, lost after the payment was taken, or the payment is dropped before it arrives.
    `late`: the outcome is settled only after the late-post time; until then an inquiry shows `meanwhile`.
    """

    name: str
    found: bool = True
    periods: int = 1
    slow: bool = False
    answer: Literal["given", "lost", "dropped"] = "given"
    outcome: Literal["posted", "failed"] = "posted"
    late: bool = False
    meanwhile: Meanwhile = "processing"
    file_difference: bool = False


NOT_FOUND = Behaviour("not_found", found=False)
PAID_UP = Behaviour("paid_up", periods=0)
LOST_THEN_POSTED = Behaviour("lost_then_posted", answer="lost", late=True)
LOST_THEN_FAILED = Behaviour("lost_then_failed", answer="lost", outcome="failed")
SLOW = Behaviour("slow", slow=True)
ONE_PERIOD = Behaviour("one_period")
TWO_PERIODS = Behaviour("two_periods", periods=2)
THREE_PERIODS = Behaviour("three_periods", periods=3)
FILE_DIFFERENCE = Behaviour("file_difference", file_difference=True)

BY_LAST_DIGIT = (
    NOT_FOUND,
    PAID_UP,
    LOST_THEN_POSTED,
    LOST_THEN_FAILED,
    SLOW,
    ONE_PERIOD,
    ONE_PERIOD,
    TWO_PERIODS,
    THREE_PERIODS,
    FILE_DIFFERENCE,
)

ON_REQUEST = (
    Behaviour("processing_then_posted", late=True),
    Behaviour("processing_then_failed", outcome="failed", late=True),
    Behaviour("refused", outcome="failed"),
    Behaviour("dropped", answer="dropped"),
    Behaviour("not_found_then_posted", answer="lost", late=True, meanwhile="not_found"),
    Behaviour("failed_then_posted", answer="lost", late=True, meanwhile="failed"),
)

BY_NAME = {behaviour.name: behaviour for behaviour in (*BY_LAST_DIGIT, *ON_REQUEST)}


def digits_of(account_no: str) -> str:
    """The ASCII digits of an account number, in order."""
    return re.sub(r"[^0-9]", "", account_no)


def behaviour_of(account_no: str) -> Behaviour:
    """The behaviour an account number carries in its last digit; one period due when it has none."""
    digits = digits_of(account_no)
    return BY_LAST_DIGIT[int(digits[-1])] if digits else ONE_PERIOD
