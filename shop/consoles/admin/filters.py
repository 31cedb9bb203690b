"""Reading the filters of the audit trail from the address. One that cannot be used is told, never passed over: an empty list would lie."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from shop.consoles.admin.queries import Trail
from shop.kernel.errors import sentence
from shop.platform.language import words

NUMBER = sentence("Please enter a whole number.")
PERSON = sentence("Please enter the number of a person, or a mobile number.")
DAY = sentence("%(text)s is no day. Please choose one.")

MOBILE = re.compile(r"1\d{10}", re.ASCII)


@dataclass(slots=True)
class Filters:
    """What was asked for as it was typed, what is wrong with it by field, and a mobile number that stands for a person."""

    wanted: Trail
    typed: dict[str, str]
    phone: str = ""
    errors: dict[str, str] = field(default_factory=dict)


def read(given: Mapping[str, str]) -> Filters:
    """All filters of the trail."""
    typed = {name: given.get(name, "").strip()[:60] for name in ("actor_id", "subject_id", "since", "until")}
    errors: dict[str, str] = {}
    actor_id, subject_id = plain(typed["actor_id"]), plain(typed["subject_id"])
    for name, said, refusal in (("actor_id", actor_id, PERSON), ("subject_id", subject_id, NUMBER)):
        if said and number_of(said) is None:
            errors[name] = words(refusal)
    for name in ("since", "until"):
        if typed[name] and day_of(typed[name]) is None:
            errors[name] = words(DAY, text=typed[name])
    phone = actor_id if MOBILE.fullmatch(actor_id) else ""
    wanted = Trail(
        action=given.get("action", "").strip()[:60], actor_kind=given.get("actor", "").strip()[:60],
        actor_id=None if phone else number_of(actor_id), subject_type=given.get("subject", "").strip()[:60],
        subject_id=number_of(subject_id), since=day_of(typed["since"]), until=day_of(typed["until"]),
    )  # fmt: skip
    return Filters(wanted, typed, phone, errors)


def plain(said: str) -> str:
    """Figures without the blanks and hyphens people put between them."""
    return re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", said))


def number_of(said: str) -> int | None:
    """A whole number; anything else is none."""
    return int(said) if said.isascii() and said.isdigit() and len(said) < 16 else None


def day_of(said: str) -> date | None:
    """A day such as `2026-11-25`; anything else is no day."""
    try:
        return date.fromisoformat(said)
    except ValueError:
        return None
