"""Whether a biller takes a payment: pure rules, no book and no clock."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from simulators.biller.arrears import Bill
from simulators.biller.registry import CARD_LARGEST_FEN, CARD_MONTHLY_CAP_FEN, CARD_STEP_FEN, MONTHS_SOLD, TOP_UP_FACES_FEN, Biller


@dataclass(frozen=True)
class Order:
    """What the channel asks to be written off: named bills, or an amount."""

    serial: str
    account_no: str
    bill_refs: tuple[str, ...]
    total_fen: int


@dataclass(frozen=True)
class Taken:
    """The payment is good: the bills it settles and what is left over for the account."""

    bills: tuple[Bill, ...]
    surplus_fen: int


@dataclass(frozen=True)
class Refused:
    """The payment is not good, and why."""

    code: str
    message: str


NOT_FOUND = Refused("not_found", "There is no such account")


def judge_arrears(
    biller: Biller, order: Order, due: Sequence[Bill], held: Mapping[str, str], once_billed: Collection[str]
) -> Taken | Refused:
    """Arrears are paid oldest first and to the fen; where the rule is exact_or_more, more is kept as prepayment once nothing is left due.

    `due` is oldest first; `held` are references paid or being paid; `once_billed` are references of earlier, settled months.
    """
    if any(held.get(ref) == "pending" for ref in order.bill_refs):
        return Refused("in_progress", "Another payment of this bill is being processed")
    if any(ref in held or ref in once_billed for ref in order.bill_refs):
        return Refused("already_paid", "This bill is already paid")
    # A bill whose payment is under way is as good as paid when the order of the others is judged.
    unpaid = tuple(bill for bill in due if bill.bill_ref not in held)
    if not set(order.bill_refs) <= {bill.bill_ref for bill in unpaid}:
        return Refused("unknown_bill", "This account has no such bill")
    chosen = tuple(bill for bill in unpaid if bill.bill_ref in order.bill_refs) if order.bill_refs else unpaid
    if chosen != unpaid[: len(chosen)]:
        return Refused("older_due", "An older bill is due and must be paid first")
    owed = sum(bill.total_fen for bill in chosen)
    if not chosen and biller.amount_rule != "exact_or_more":
        return Refused("nothing_due", "Nothing is due on this account")
    surplus = order.total_fen - owed
    may_be_more = biller.amount_rule == "exact_or_more" and len(chosen) == len(unpaid)
    if surplus < 0 or (surplus > 0 and not may_be_more):
        return Refused("wrong_amount", f"The amount due is {owed} fen")
    return Taken(chosen, surplus)


def judge_purchase(biller: Biller, order: Order, monthly_fee_fen: int, bought_this_month_fen: int) -> Taken | Refused:
    """A prepaid amount must be one the biller sells: a face, a step of the card, or whole months."""
    total = order.total_fen
    if biller.amount_rule == "fixed_faces":
        good = total in TOP_UP_FACES_FEN
    elif biller.amount_rule == "months":
        good = total in {monthly_fee_fen * months for months in MONTHS_SOLD}
    else:
        good = total % CARD_STEP_FEN == 0 and total <= CARD_LARGEST_FEN
        if good and bought_this_month_fen + total > CARD_MONTHLY_CAP_FEN:
            return Refused("over_limit", f"A card may buy {CARD_MONTHLY_CAP_FEN} fen in a month; {bought_this_month_fen} are bought")
    return Taken((), total) if good else Refused("wrong_amount", "This amount is not sold")
