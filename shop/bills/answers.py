"""What a biller can say, as plain values. The gateway makes them, operations act on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from shop.kernel.money import Money
from shop.models.bills import AttemptOutcome


@dataclass(frozen=True, slots=True)
class DueBill:
    """One period a biller asks for."""

    biller_ref: str
    period: str
    amount: Money
    late_fee: Money
    due_on: date
    usage: str = ""

    @property
    def total(self) -> Money:
        return self.amount + self.late_fee


@dataclass(frozen=True, slots=True)
class Offer:
    """What a prepaid account may buy: `months` beside the amounts where whole months are sold."""

    amounts: tuple[Money, ...]
    months: tuple[int, ...] = ()
    left_this_month: Money | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """What a biller says about one account. `holder` and `address` are in full here; they are masked before they are kept."""

    holder: str
    address: str
    balance: Money | None
    bills: tuple[DueBill, ...] = ()
    offer: Offer | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A payment as the biller is told of it. The serial is ours, and the same for every try."""

    serial: str
    account_no: str
    bill_refs: tuple[str, ...]
    total: Money


@dataclass(frozen=True, slots=True)
class Answer:
    """How a try to pay or an inquiry ended. Only ACCEPTED and REJECTED say how the payment ended."""

    outcome: AttemptOutcome
    detail: str = ""
    biller_serial: str | None = None
    receipt_no: str | None = None
    next_step: str | None = None


