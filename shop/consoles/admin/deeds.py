"""The audit trail in words: what each recorded code is called. A code without words is shown as it is, so old rows always can be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shop.bills.terms import FAILURES, REFUSED, STATES
from shop.kernel.errors import sentence
from shop.kernel.money import CURRENCY, Money
from shop.platform.features import registry
from shop.platform.language import grams, name_of, reader_locale, stamp, words, yuan
from shop.stock.rules import LOSS_WORDS

ACTORS = {
    "user": sentence("Person"),
    "job": sentence("Worker"),
    "command": sentence("Command"),
    "provider": sentence("Payment provider"),
}

FACTS = {
    "total": sentence("Total"),
    "amount": sentence("Amount"),
    "at_least": sentence("From, in fen"),
    "off": sentence("Less by"),
    "fee": sentence("The card provider's fee"),
    "movement": sentence("Movement at the card provider"),
    "purpose": sentence("Purpose"),
    "expected": sentence("Amount expected"),
    "arrived": sentence("Amount that arrived"),
    "currency": sentence("Currency"),
    "old_fen": sentence("Earlier price"),
    "new_fen": sentence("New price"),
    "grams": sentence("Weighed"),
    "grams_before": sentence("Written down before"),
    "batch": sentence("Delivery"),
    "refunded": sentence("Given back"),
    "left": sentence("Still to give back"),
    "way": sentence("By which way"),
    "asked_by": sentence("Asked for by person"),
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
    "sessions": sentence("Devices signed out"),
    "sub_orders": sentence("Orders"),
    "is_used": sentence("Everything collected"),
    "ready": sentence("Here"),
    "loss": sentence("Why it was lost"),
    "missing": sentence("Missing"),
    "found": sentence("Passes found"),
    "until": sentence("Good until"),
    "event": sentence("Event"),
    "event_row_id": sentence("Event number"),
}
"""What facts are called, in the order they are told in. A feature may bring names of its own facts, told after these."""

COUNTS = {"sub_orders": sentence("Number of orders")}
"""What some are called when they are a number of things, not the things."""

MONEY = frozenset({"total", "amount", "expected", "arrived", "old_fen", "new_fen", "refunded", "fee", "left", "off"})

ROLES = {
    "merchant_owner": sentence("Shop owner"), "merchant_clerk": sentence("Shop clerk"), "keeper": sentence("Keeper"),
    "operator": sentence("Operations staff"), "finance": sentence("Finance staff"), "auditor": sentence("Auditor"),
}  # fmt: skip

WAYS = {
    "stripe": sentence("To the card"), "wallet": sentence("Into the wallet"), "cash": sentence("In cash"),
    "bank": sentence("By bank transfer"),
}  # fmt: skip

VALUES: dict[str, Mapping[str, str]] = {
    "purpose": {"purchase": sentence("Order"), "bill": sentence("Payment of a bill"), "top_up": sentence("Top-up")},
    "role": ROLES,
    "wallet_class": {"I": sentence("Class I"), "II": sentence("Class II"), "III": sentence("Class III")},
    "kind": {
        "received": sentence("Goods came in"), "correction": sentence("Stock count"), "spoilage": sentence("Spoiled"),
        "offline_sale": sentence("Sold at the shop"),
    },
    "loss": {reason.value: told for reason, told in LOSS_WORDS.items()},
    "state": {state.value: told for state, (told, _tone) in STATES.items()},
    "biller_says": {state.value: told for state, (told, _tone) in STATES.items()},
    "code": {**FAILURES, "refused": REFUSED},
    "failure_code": {"refused": sentence("Refused")},
    "way": WAYS,
    "event": {
        "found by asking": sentence("Dispute found by asking"),
        "charge.dispute.created": sentence("Dispute opened"), "charge.dispute.updated": sentence("Dispute updated"),
        "charge.dispute.closed": sentence("Dispute closed"), "charge.dispute.funds_withdrawn": sentence("Bank took the money back"),
        "charge.dispute.funds_reinstated": sentence("Bank gave the money back again"),
    },
}  # fmt: skip
"""What values are called, by the fact they are values of."""


REASONS = {
    "cancelled by the buyer": sentence("Cancelled by the buyer"), "weighed less": sentence("Weighed less than ordered"),
    "paid late": sentence("Paid too late"), "given back at the provider's side": sentence("Given back at the provider's side"),
}  # fmt: skip
"""Why money went back, where a machine wrote it; what people write is shown as they wrote it."""


def reason_words(reason: str) -> str:
    """Why money went back."""
    return words(REASONS[reason]) if reason in REASONS else reason


def actor_words(kind: str) -> str:
    """Who did it: a kind of actor."""
    return words(ACTORS[kind]) if kind in ACTORS else kind


def action_words(action: str) -> str:
    """What was done."""
    tag = registry.tags().get(action)
    return words(tag.words) if tag else action


def subject_words(subject_type: str) -> str:
    """What it was done to: the word before its number."""
    subjects = registry.subjects()
    return words(subjects[subject_type]) if subject_type in subjects else subject_type


def role_words(role: str) -> str:
    """What somebody is here."""
    return words(ROLES[role]) if role in ROLES else role


def fact_words(facts: Mapping[str, Any], billers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each fact as its name and its value. What is None was not told and is left out. `billers` are the rows of codes."""
    names = FACTS | registry.facts()
    order = {key: place for place, key in enumerate(names)}
    told = sorted((key for key, value in facts.items() if value is not None), key=lambda key: (order.get(key, len(order)), key))
    is_foreign = facts.get("currency", CURRENCY) != CURRENCY
    return [
        (_name_words(key, facts[key]), str(facts[key]) if is_foreign and key == "arrived" else _value_words(key, facts[key], billers))
        for key in told
    ]


def _name_words(key: str, value: Any) -> str:
    known = COUNTS.get(key) if isinstance(value, int) else None
    names = FACTS | registry.facts()
    return words(known or names[key]) if key in names else key


def _value_words(key: str, value: Any, billers: Mapping[str, Any]) -> str:
    """A value as people write it. Of a kind that is not known for its fact, it is shown as it was recorded."""
    if isinstance(value, bool):
        return words(sentence("yes")) if value else words(sentence("no"))
    if isinstance(value, list):
        return ("、" if reader_locale() == "zh" else ", ").join(_value_words(key, one, billers) for one in value) or "–"
    if isinstance(value, int):
        return yuan(Money(value)) if key in MONEY else grams(value) if key.startswith("grams") else str(value)
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
    return _choices({tag.value: tag.words for tag in registry.tags().values()}, wanted)


def subject_choices(wanted: str) -> list[tuple[str, str]]:
    """The same for what deeds are done to."""
    return _choices(registry.subjects(), wanted)


def actor_choices(wanted: str) -> list[tuple[str, str]]:
    """The same for who does them."""
    return _choices(ACTORS, wanted, sentence("Anybody"))


def _choices(known: Mapping[str, str], wanted: str, everything: str = sentence("All")) -> list[tuple[str, str]]:
    by_hand = [] if not wanted or wanted in known else [(wanted, wanted)]
    return [("", words(everything)), *by_hand, *((code, words(told)) for code, told in known.items())]
