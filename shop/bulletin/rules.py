"""What a notice may say and for how long, which steps a text takes, and of what people get a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shop.bulletin.errors import EndsBeforeItStarts, IsOver, TextMissing, TooLong
from shop.kernel.errors import sentence
from shop.models.bulletin import BulletinKind, VersionState

LONGEST_TITLE, LONGEST_TEXT, LONGEST_BUILDING, LONGEST_REASON = 60, 4_000, 60, 200
MOST_DAYS = 366

KIND_WORDS: Mapping[BulletinKind, str] = {
    BulletinKind.COMMUNITY: sentence("Community"),
    BulletinKind.GOVERNMENT: sentence("Government"),
    BulletinKind.PARTY_BUILDING: sentence("Party building"),
    BulletinKind.EVENT: sentence("Activity"),
}


@dataclass(frozen=True, slots=True)
class Wording:
    """What somebody wants to put up. Days are inclusive; the texts have passed the gate; English and building may be empty."""

    kind: BulletinKind
    title_zh: str
    text_zh: str
    starts_on: date
    ends_on: date
    title_en: str = ""
    text_en: str = ""
    building: str = ""
    is_pinned: bool = False


class Step(StrEnum):
    SEND = "send"  # for review
    PUBLISH = "publish"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    REPLACE = "replace"  # a correction was published


NEXT: Mapping[tuple[VersionState, Step], VersionState] = {
    (VersionState.DRAFT, Step.SEND): VersionState.WAITING,
    (VersionState.DRAFT, Step.WITHDRAW): VersionState.WITHDRAWN,
    (VersionState.WAITING, Step.PUBLISH): VersionState.PUBLISHED,
    (VersionState.WAITING, Step.REFUSE): VersionState.REFUSED,
    (VersionState.WAITING, Step.WITHDRAW): VersionState.WITHDRAWN,
    (VersionState.PUBLISHED, Step.REPLACE): VersionState.REPLACED,
    (VersionState.PUBLISHED, Step.WITHDRAW): VersionState.WITHDRAWN,
}
"""Every step there is. What is replaced, refused or withdrawn stays so: a correction is a new text."""


def before(step: Step) -> tuple[VersionState, ...]:
    """The states from which a step leads on."""
    return tuple(state for state, one in NEXT if one is step)


def check(wording: Wording, today: date) -> None:
    """Raises `TextMissing`, `EndsBeforeItStarts`, `IsOver` or `TooLong` for what cannot be put up."""
    for field in ("title_zh", "text_zh"):
        if not getattr(wording, field):
            raise TextMissing(field)
    if bool(wording.title_en) != bool(wording.text_en):
        raise TextMissing("text_en" if wording.title_en else "title_en")
    if wording.ends_on < wording.starts_on:
        raise EndsBeforeItStarts()
    if wording.ends_on < today:
        raise IsOver()
    if (wording.ends_on - wording.starts_on).days >= MOST_DAYS:
        raise TooLong(days=MOST_DAYS)


def is_told(kind: BulletinKind, is_pinned: bool) -> bool:
    """Whether people get a message in their inbox: of what the government pins and of nothing else."""
    return is_pinned and kind is BulletinKind.GOVERNMENT


class Standing(StrEnum):
    """How a text stands today; those that are published stand by their days."""

    DRAFT = "draft"
    WAITING = "waiting"
    TO_COME = "to_come"
    SHOWN = "shown"
    ENDED = "ended"
    REPLACED = "replaced"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


def standing(state: VersionState, starts_on: date, ends_on: date, today: date) -> Standing:
    if state is not VersionState.PUBLISHED:
        return Standing(state.value)
    if ends_on < today:
        return Standing.ENDED
    return Standing.SHOWN if starts_on <= today else Standing.TO_COME


def paragraphs(text: str) -> list[str]:
    """A plain text as its paragraphs: each line that says something."""
    return [line for each in text.split("\n") if (line := each.strip())]
