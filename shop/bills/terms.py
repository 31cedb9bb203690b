"""The words of bills: categories with their drawings, how a number looks, periods, states, why a biller refused."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from shop.bills import rules
from shop.kernel.errors import sentence
from shop.models.bills import AmountRule, Biller, BillPayment, BillPaymentState
from shop.platform.language import month_name, short_month, stamp, words

CATEGORIES = {
    "electricity": (sentence("Electricity"), "bolt"),
    "water": (sentence("Water"), "water"),
    "gas": (sentence("Gas"), "flame"),
    "phone": (sentence("Phone top-up"), "mobile"),
    "broadband": (sentence("Broadband and landline"), "wifi"),
    "cable_tv": (sentence("Cable TV"), "tv"),
    "property": (sentence("Property fee"), "building"),
    "refuse": (sentence("Refuse fee"), "trash"),
}

HINTS = {
    "electricity": sentence("10 or 13 digits, on top of your electricity bill or the meter card."),
    "water": sentence("6 to 10 digits, on your water bill."),
    "gas": sentence("8 to 10 digits, on your gas bill."),
    "gas_card": sentence("8 to 16 digits, printed on the gas card."),
    "phone": sentence("The 11-digit mobile number to top up."),
    "broadband": sentence("The broadband account, or 0832 and the 7 digits of the landline."),
    "cable_tv": sentence("8 to 10 digits of the customer number, or the 16 digits of the smart card."),
    "property": sentence("Building-unit-room, for example 3-2-1201."),
    "refuse": sentence("6 to 10 digits, as on your water bill."),
}

STATES = {
    BillPaymentState.CREATED: (sentence("To be paid"), "warn"),
    BillPaymentState.FUNDS_HELD: (sentence("Being paid"), "warn"),
    BillPaymentState.SENDING: (sentence("Being paid"), "warn"),
    BillPaymentState.UNKNOWN: (sentence("Waiting for the biller"), "warn"),
    BillPaymentState.POSTED: (sentence("Bill paid"), "good"),
    BillPaymentState.FAILED: (sentence("Not paid"), "danger"),
    BillPaymentState.REFUNDED: (sentence("Not paid, money returned"), "danger"),
}

FAILURES = {
    "not_found": sentence("The biller does not know this account."),
    "nothing_due": sentence("Nothing was due any more."),
    "already_paid": sentence("This bill was already paid."),
    "in_progress": sentence("Somebody else's payment of this bill is being processed."),
    "unknown_bill": sentence("The biller no longer asks for this bill."),
    "older_due": sentence("An older period has to be paid first."),
    "wrong_amount": sentence("The amount had changed at the biller."),
    rules.NEVER_SENT: sentence("The biller did not answer for half an hour, so nothing was sent to it."),
    rules.NOT_PAID: sentence("It was not paid, so nothing was sent to the biller and nothing was charged."),
    "over_limit": sentence("This is above what the biller sells in one month."),
}
REFUSED = sentence("The biller refused the payment.")


def category_icon(biller: Biller) -> str:
    """The drawing of what a biller supplies."""
    return CATEGORIES.get(biller.category, ("", "receipt"))[1]


def account_hint(biller: Biller) -> str:
    """Where to find the number and how it looks."""
    kind = "gas_card" if biller.amount_rule is AmountRule.FIXED_STEPS else biller.category
    return words(HINTS[kind]) if kind in HINTS else ""


def period_words(period: str, *, is_short: bool = False) -> str:
    """2026年10月 for a biller's "2026-10"; what a biller writes otherwise stays as it is."""
    if not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", period):
        return period
    month = date(int(period[:4]), int(period[5:]), 1)
    return short_month(month) if is_short else month_name(month)


def state_words(state: BillPaymentState) -> str:
    return words(STATES[state][0])


def tone_of(state: BillPaymentState) -> str:
    return STATES[state][1]


def failure_words(code: str | None) -> str:
    """Why the biller did not take a payment, without its codes."""
    return words(FAILURES.get(code or "", REFUSED))


def steps_of(payment: BillPayment, *, is_by_card: bool = False) -> list[dict[str, Any]]:
    """The way of a payment, for a timeline."""
    is_over = payment.posted_at is not None or payment.refunded_at is not None
    sent = {"label": words(sentence("Handed to the biller")), "at": stamp(payment.sent_at) if payment.sent_at else ""}
    if payment.held_at is None:
        is_open = payment.failed_at is None
        step = {"label": words(sentence("To be paid by card")), "at": stamp(payment.created_at), "state": "now" if is_open else "done"}
        ended = {"label": words(sentence("Not paid, nothing was charged")), "at": stamp(payment.failed_at or payment.created_at)}
        return [step] if is_open else [step, {**ended, "state": "failed"}]
    taken = sentence("Paid by card") if is_by_card else sentence("Money taken from your wallet")
    steps: list[dict[str, Any]] = [
        {"label": words(taken), "at": stamp(payment.held_at), "state": "done"},
        {**sent, "state": "done" if is_over or payment.state is BillPaymentState.UNKNOWN else "now"},
    ]
    if payment.refunded_at is not None:
        is_unsent = payment.failure_code == rules.NEVER_SENT
        why = sentence("Not sent: the biller did not answer") if is_unsent else sentence("Refused by the biller")
        steps[1:] = [*([] if is_unsent else steps[1:]), {"label": words(why), "at": stamp(payment.refunded_at), "state": "failed"}]
        back = sentence("Money on its way back to the card") if is_by_card else sentence("Money back in your wallet")
        steps.append({"label": words(back), "at": stamp(payment.refunded_at), "state": "done"})
        return steps
    is_waiting = payment.state is BillPaymentState.UNKNOWN
    if payment.posted_at:
        steps.append({"label": words(sentence("Booked by the biller")), "at": stamp(payment.posted_at), "state": "done"})
    else:
        steps.append({"label": words(sentence("The biller is to book it")), "at": "", "state": "now" if is_waiting else "todo"})
    if payment.next_step == "load_card":
        steps.append({"label": words(sentence("Load it onto your card at the machine")), "at": "", "state": "now"})
    return steps
