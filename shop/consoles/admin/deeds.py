"""The audit trail in words: what each recorded code is called. A code without words is shown as it is, so old rows always can be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shop.bills.terms import FAILURES, REFUSED, STATES
from shop.kernel.errors import sentence
from shop.kernel.money import CURRENCY, Money
from shop.platform.language import grams, name_of, reader_locale, stamp, words, yuan

ACTORS = {
    "user": sentence("Person"),
    "job": sentence("Worker"),
    "command": sentence("Command"),
    "provider": sentence("Payment provider"),
}

ACTIONS = {
    "purchase.placed": sentence("Order placed"),
    "purchase.paid": sentence("Order paid for"),
    "purchase.expired": sentence("Order not paid in time"),
    "purchase.revived": sentence("Order revived by late payment"),
    "purchase.cancelled": sentence("Unpaid order cancelled"),
    "sub_order.cancelled": sentence("Paid order cancelled"),
    "sub_order.accepted": sentence("Accepted by the shop"),
    "sub_order.declined": sentence("Order declined by the shop"),
    "line.weighed": sentence("Goods of an order weighed"),
    "sub_order.packed": sentence("Order packed"),
    "sub_order.put_into_batch": sentence("Order put into a delivery"),
    "sub_order.in_transit": sentence("Order on its way"),
    "sub_order.ready": sentence("Order ready to collect"),
    "sub_order.collected": sentence("Order collected"),
    "sub_order.taken_back": sentence("Order taken back after a hand-over"),
    "sub_order.refunded": sentence("Part of an order refunded"),
    "batch.handed_to_driver": sentence("Delivery handed to the driver"),
    "batch.arrived": sentence("Delivery arrived at the point"),
    "pass.handed_over": sentence("Goods handed over on a pass"),
    "pass.taken_back": sentence("Hand-over taken back"),
    "pass.extended": sentence("Pass extended"),
    "passes.searched_by_phone": sentence("Pass looked up by phone number"),
    "payment.succeeded": sentence("Payment received"),
    "payment.returned": sentence("Late payment sent back"),
    "payment.amount_mismatch": sentence("The wrong amount arrived"),
    "payment.disputed": sentence("Payment disputed at the bank"),
    "refund.failed": sentence("Refund failed"),
    "bill_payment.held": sentence("Money taken for a bill"),
    "bill_payment.posted": sentence("Bill paid"),
    "bill_payment.returned": sentence("Bill not paid, money returned"),
    "bill_payment.handed_over": sentence("Bill payment handed to a person"),
    "bill_payment.contradicted": sentence("A biller contradicts itself"),
    "bill_payment.asked_again": sentence("Biller asked again"),
    "wallet.opened": sentence("Wallet opened"),
    "wallet.upgraded": sentence("Wallet given a higher class"),
    "wallet.pin_set": sentence("Wallet PIN set"),
    "wallet.pin_changed": sentence("Wallet PIN changed"),
    "wallet.pin_cleared": sentence("Wallet PIN cleared"),
    "wallet.pin_locked": sentence("Wallet locked after wrong PINs"),
    "variant.priced": sentence("Price changed"),
    "stock.adjusted": sentence("Stock adjusted"),
    "session.second_factor_confirmed": sentence("Second factor confirmed"),
    "session.second_factor_exhausted": sentence("Signed out: wrong second factors"),
    "session.revoked": sentence("Device signed out"),
    "session.refresh_reused": sentence("Signed out: refresh token used twice"),
    "second_factor.reset": sentence("Second factor reset"),
    "user.verified": sentence("Identity checked"),
    "role.granted": sentence("Role granted"),
    "role.revoked": sentence("Role taken away"),
    "job.retried": sentence("Job put back into the queue"),
}

SUBJECTS = {
    "purchase": sentence("Order"),
    "sub_order": sentence("Sub-order"),
    "order_line": sentence("Order line"),
    "batch": sentence("Delivery"),
    "pass": sentence("Pick-up pass"),
    "pickup_point": sentence("Pick-up point"),
    "payment": sentence("Payment"),
    "refund": sentence("Refund"),
    "bill_payment": sentence("Payment of a bill"),
    "variant": sentence("Variant"),
    "user": sentence("Person"),
    "user_session": sentence("Device"),
    "job": sentence("Job"),
}

FACTS = {
    "total": sentence("Total"),
    "amount": sentence("Amount"),
    "purpose": sentence("Purpose"),
    "expected": sentence("Amount expected"),
    "arrived": sentence("Amount that arrived"),
    "currency": sentence("Currency"),
    "old_fen": sentence("Earlier price"),
    "new_fen": sentence("New price"),
    "grams": sentence("Weighed"),
    "batch": sentence("Delivery"),
    "refunded": sentence("Given back"),
    "biller": sentence("Biller"),
    "tries": sentence("Tries"),
    "state": sentence("State"),
    "biller_says": sentence("The biller says"),
    "code": sentence("Why it failed"),
    "failure_code": sentence("Why it failed"),
    "kind": sentence("Kind"),
    "quantity": sentence("Quantity"),
    "reason": sentence("Why"),
    "level": sentence("Level"),
    "role": sentence("Role"),
    "merchant_id": sentence("Shop"),
    "pickup_point_id": sentence("Pick-up point"),
    "wallet_class": sentence("Wallet class"),
    "handover": sentence("Hand-over number"),
    "sub_orders": sentence("Orders"),
    "is_used": sentence("Everything collected"),
    "ready": sentence("Here"),
    "missing": sentence("Missing"),
    "found": sentence("Passes found"),
    "until": sentence("Good until"),
    "event": sentence("Event"),
    "event_row_id": sentence("Event number"),
}
"""What facts are called, in the order they are told in."""

COUNTS = {"sub_orders": sentence("Number of orders")}
"""What some are called when they are a number of things, not the things."""

MONEY = frozenset({"total", "amount", "expected", "arrived", "old_fen", "new_fen", "refunded"})

ROLES = {
    "merchant_owner": sentence("Shop owner"), "merchant_clerk": sentence("Shop clerk"), "keeper": sentence("Keeper"),
    "operator": sentence("Operations staff"), "finance": sentence("Finance staff"), "auditor": sentence("Auditor"),
}  # fmt: skip

VALUES: dict[str, Mapping[str, str]] = {
    "purpose": {"purchase": SUBJECTS["purchase"], "bill": SUBJECTS["bill_payment"], "top_up": sentence("Top-up")},
    "role": ROLES,
    "wallet_class": {"I": sentence("Class I"), "II": sentence("Class II"), "III": sentence("Class III")},
    "kind": {
        "received": sentence("Goods came in"), "correction": sentence("Stock count"), "spoilage": sentence("Spoiled"),
        "offline_sale": sentence("Sold at the shop"),
    },
    "state": {state.value: told for state, (told, _tone) in STATES.items()},
    "biller_says": {state.value: told for state, (told, _tone) in STATES.items()},
    "code": {**FAILURES, "refused": REFUSED},
    "failure_code": {"refused": sentence("Refused")},
    "event": {
        "charge.dispute.created": sentence("Dispute opened"), "charge.dispute.updated": sentence("Dispute updated"),
        "charge.dispute.closed": sentence("Dispute closed"), "charge.dispute.funds_withdrawn": sentence("Bank took the money back"),
        "charge.dispute.funds_reinstated": sentence("Bank gave the money back again"),
    },
}  # fmt: skip
"""What values are called, by the fact they are values of."""


def actor_words(kind: str) -> str:
    """Who did it: a kind of actor."""
    return words(ACTORS[kind]) if kind in ACTORS else kind


def action_words(action: str) -> str:
    """What was done."""
    return words(ACTIONS[action]) if action in ACTIONS else action


def subject_words(subject_type: str) -> str:
    """What it was done to: the word before its number."""
    return words(SUBJECTS[subject_type]) if subject_type in SUBJECTS else subject_type


def role_words(role: str) -> str:
    """What somebody is here."""
    return words(ROLES[role]) if role in ROLES else role


def fact_words(facts: Mapping[str, Any], billers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each fact as its name and its value. What is None was not told and is left out. `billers` are the rows of codes."""
    order = {key: place for place, key in enumerate(FACTS)}
    told = sorted((key for key, value in facts.items() if value is not None), key=lambda key: (order.get(key, len(order)), key))
    is_foreign = facts.get("currency", CURRENCY) != CURRENCY
    return [
        (_name_words(key, facts[key]), str(facts[key]) if is_foreign and key == "arrived" else _value_words(key, facts[key], billers))
        for key in told
    ]


def _name_words(key: str, value: Any) -> str:
    known = COUNTS.get(key) if isinstance(value, int) else None
    return words(known or FACTS[key]) if key in FACTS else key


def _value_words(key: str, value: Any, billers: Mapping[str, Any]) -> str:
    """A value as people write it. Of a kind that is not known for its fact, it is shown as it was recorded."""
    if isinstance(value, bool):
        return words(sentence("yes")) if value else words(sentence("no"))
    if isinstance(value, list):
        return ("、" if reader_locale() == "zh" else ", ").join(_value_words(key, one, billers) for one in value) or "–"
    if isinstance(value, int):
        return yuan(Money(value)) if key in MONEY else grams(value) if key == "grams" else str(value)
    if key == "until":
        return _stamped(str(value))
    if key == "biller" and str(value) in billers:
        return name_of(billers[str(value)])
    known = VALUES.get(key, {}).get(str(value))
    return str(value) if known is None else words(known).rstrip(".。")


def _stamped(moment: str) -> str:
    try:
        return stamp(datetime.fromisoformat(moment))
    except (ValueError, OverflowError):
        return moment


def action_choices(wanted: str) -> list[tuple[str, str]]:
    """What a filter by deed offers; `wanted` stays in it even if no code is called that, such as the beginning of several."""
    return _choices(ACTIONS, wanted)


def subject_choices(wanted: str) -> list[tuple[str, str]]:
    """The same for what deeds are done to."""
    return _choices(SUBJECTS, wanted)


def actor_choices(wanted: str) -> list[tuple[str, str]]:
    """The same for who does them."""
    return _choices(ACTORS, wanted, sentence("Anybody"))


def _choices(known: Mapping[str, str], wanted: str, everything: str = sentence("All")) -> list[tuple[str, str]]:
    by_hand = [] if not wanted or wanted in known else [(wanted, wanted)]
    return [("", words(everything)), *by_hand, *((code, words(told)) for code, told in known.items())]
