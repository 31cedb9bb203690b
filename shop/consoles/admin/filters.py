"""Reading the filters of the audit trail from the address. One that cannot be used is told, never passed over: an empty list would lie."""

from __future__ import annotations

from dataclasses import dataclass, field

from shop.consoles.admin import numbers
from shop.consoles.admin.queries import Trail
from shop.kernel import gate, identifiers
from shop.kernel.errors import sentence
from shop.platform.asked import Asked
from shop.platform.language import words

THING = sentence("Please enter a whole number, or the number of an order or a delivery as it is printed.")
PERSON = sentence("Please enter the number of a person, or a mobile number.")

FIELDS = ("actor_id", "subject_id", "since", "until")
KINDS = ("action", "actor", "subject")
LONGEST = 60


@dataclass(slots=True)
class Filters:
    """What was asked for as it was typed, what is wrong with it by field, a mobile number that stands for a person, a number as people
    know it that stands for things (an order's, a delivery's), and all of it as the address says it.
    """

    wanted: Trail
    typed: dict[str, str]
    phone: str = ""
    printed: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)


def read(address: Asked) -> Filters:
    """All filters of the trail. Raises `UnreadableText`, `TextTooLong`."""
    typed = {name: address.text(name, LONGEST) for name in FIELDS}
    kinds = {name: address.text(name, LONGEST) for name in KINDS}
    errors: dict[str, str] = {}
    actor_id, subject_id = identifiers.figures(typed["actor_id"]), identifiers.figures(typed["subject_id"])
    printed = identifiers.order_number(typed["subject_id"]) if numbers.is_printed(identifiers.order_number(typed["subject_id"])) else ""
    for name, said, refusal in (("actor_id", actor_id, PERSON), ("subject_id", "" if printed else subject_id, THING)):
        if said and gate.number(said) is None:
            errors[name] = words(refusal)
    for name in ("since", "until"):
        if typed[name] and gate.day(typed[name]) is None:
            errors[name] = words(gate.NO_DAY, text=typed[name])
    phone = identifiers.phone_number(actor_id) if identifiers.is_phone(actor_id) else ""
    wanted = Trail(
        action=kinds["action"], actor_kind=kinds["actor"], actor_id=None if phone else gate.number(actor_id),
        subject_type=kinds["subject"],
        subject_id=None if printed else gate.number(subject_id), since=gate.day(typed["since"]), until=gate.day(typed["until"]),
    )  # fmt: skip
    given = {name: said for name, said in {**typed, **kinds, "size": address.word("size")}.items() if said}
    return Filters(wanted, typed, phone, printed, errors, given)


