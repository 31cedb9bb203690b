"""What may leave the counter, and why not. docs/algorithms/hand-over.md tells it with worked cases."""

# ruff: noqa: S105  (reasons, not passwords)

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shop.kernel.errors import sentence
from shop.models.pickup import CollectableState, HandoverOutcome, PassState

OFFLINE_FOR = timedelta(days=3)
"""How far back a device's own time is believed. Older scans are judged as if they were made that long ago."""

GUESSES_PER_MINUTE = 20
"""So many wrong codes of one keeper are answered in detail; further ones within a minute are only told to be too many. Right ones pass."""

GUESSES_PER_HOUR = 100
GUESSES_AT_POINT_PER_HOUR = 300
"""So many wrong codes of one keeper, or of all at a point: then no typed code opens anything until an hour has passed over them."""

READING = timedelta(milliseconds=1_200)
READING_A_LINE = timedelta(milliseconds=100)
LONGEST_READING = timedelta(seconds=4)
"""How long a list of goods must have been seen before it can be handed over: scanner guns press Enter twice, up to half a second apart."""

TAKE_BACK_FOR = timedelta(minutes=10)
"""So long a hand-over can be taken back: a slip is seen while the next few in the queue are served, and the goods are still near."""


class Reason(StrEnum):
    """Why a hand-over was refused, or is in conflict with another one."""

    UNKNOWN_PASS = "unknown_pass"
    FORGED_PASS = "forged_pass"
    QR_EXPIRED = "qr_expired"
    WRONG_POINT = "wrong_point"
    PASS_EXPIRED = "pass_expired"
    PASS_REVOKED = "pass_revoked"
    PASS_USED = "pass_used"
    NOT_COLLECTED = "not_collected"
    NOTHING_READY = "nothing_ready"
    NOT_ON_PASS = "not_on_pass"
    NOT_READY = "not_ready"
    NOT_PAID = "not_paid"
    REFUNDED = "refunded"
    ALREADY_HANDED_OVER = "already_handed_over"
    CLIENT_ID_TAKEN = "client_id_taken"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    NOT_A_PASS = "not_a_pass"
    UNKNOWN_LABEL = "unknown_label"
    UNKNOWN_ORDER = "unknown_order"
    NOBODY_WAITS = "nobody_waits"
    TAKEN_BACK = "taken_back"
    NOT_UNDERSTOOD = "not_understood"
    DIFFERENT_EVENT = "different_event"
    WITH_OTHERS = "with_others"


WORDS: dict[str, str] = {
    Reason.UNKNOWN_PASS: sentence("We do not know this code here. Please check the figures, or ask for the end of the phone number."),
    Reason.FORGED_PASS: sentence("This QR code was not made by us. Nothing may be handed over for it."),
    Reason.QR_EXPIRED: sentence("This QR code is too old. Please let the resident open the pass again, or type the six figures."),
    Reason.WRONG_POINT: sentence("This pass belongs to another pick-up point."),
    Reason.PASS_EXPIRED: sentence("This pass has run out."),
    Reason.PASS_REVOKED: sentence("This pass was withdrawn. Nothing may be handed over for it."),
    Reason.PASS_USED: sentence("Everything on this pass has been collected already."),
    Reason.NOT_COLLECTED: sentence("What waited on this pass was not collected in time. It is no longer here."),
    Reason.NOTHING_READY: sentence("Nothing on this pass is ready yet."),
    Reason.NOT_ON_PASS: sentence("One of these orders is not on this pass. Nothing was handed over."),
    Reason.NOT_READY: sentence("One of these orders is not ready to be collected. Nothing was handed over."),
    Reason.NOT_PAID: sentence("One of these orders is not paid. Nothing was handed over."),
    Reason.REFUNDED: sentence("All of the money for this order went back, so it must stay here."),
    Reason.ALREADY_HANDED_OVER: sentence("This was handed over before. Please look at what is still on the shelf."),
    Reason.CLIENT_ID_TAKEN: sentence("Another device used this number for its hand-over."),
    Reason.TOO_MANY_ATTEMPTS: sentence(
        "Too many wrong codes, one after the other. Please scan the QR code, or type the end of the phone number and ask for the name."
    ),
    Reason.NOT_A_PASS: sentence("This is no pass. Please scan the QR code of the resident, or type the six figures."),
    Reason.UNKNOWN_LABEL: sentence("No delivery to this pick-up point has this label."),
    Reason.UNKNOWN_ORDER: sentence("No order with this number comes to this pick-up point. Please check the number."),
    Reason.NOBODY_WAITS: sentence("Nothing waits here for this phone number. Please check the number, or ask for the six figures."),
    Reason.NOT_UNDERSTOOD: sentence("The device told us something we cannot read. Nothing was handed over for it; please look at it here."),
    Reason.TAKEN_BACK: sentence("This hand-over was taken back. The goods wait here again."),
    Reason.DIFFERENT_EVENT: sentence(
        "Another hand-over was told under this number before. Nothing was handed over for this one; please look at what is on the shelf."
    ),
    Reason.WITH_OTHERS: sentence("Nothing is wrong with this order. It stayed because others it was handed over with could not leave."),
}

GUESSES = (Reason.UNKNOWN_PASS, Reason.WRONG_POINT)
"""What somebody gets who tries six figures at random."""

GRAVEST = (Reason.NOT_PAID, Reason.NOT_READY, Reason.REFUNDED)
"""Of several reasons why things stay and hold up what is named with them, which is told; before all others."""


@dataclass(frozen=True, slots=True)
class PassFacts:
    """What decides about a pass."""

    id: int
    pickup_point_id: int
    user_id: int
    state: PassState
    valid_until: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Thing:
    """What decides about one thing on a pass. `stays` is why its kind does not let it go though it lies here."""

    id: int
    kind: str
    subject_id: int
    number: str
    state: CollectableState
    stays: Reason | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A thing that stays, and why."""

    part: Thing
    reason: Reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a hand-over comes to: the things that leave the counter with it, and those that were meant and stay."""

    outcome: HandoverOutcome
    reason: Reason | None = None
    handed: tuple[Thing, ...] = ()
    kept: tuple[Kept, ...] = ()


def refused(reason: Reason) -> Verdict:
    return Verdict(HandoverOutcome.REFUSED, reason)


def scan_time(device_time: datetime, moment: datetime) -> datetime:
    """When a scan counts as made: the device's own time, never in the future and not further back than devices are believed."""
    return max(min(device_time, moment), moment - OFFLINE_FOR)


def judge_pass(found: PassFacts | None, point_id: int, scanned_at: datetime) -> Reason | None:
    """Why this pass opens nothing at this point; None when it does."""
    if found is None:
        return Reason.UNKNOWN_PASS
    if found.pickup_point_id != point_id:
        return Reason.WRONG_POINT
    if found.state is PassState.REVOKED:
        return Reason.PASS_REVOKED
    if found.state is PassState.USED:
        return Reason.PASS_USED if found.used_at is not None else Reason.NOT_COLLECTED
    return Reason.PASS_EXPIRED if scanned_at > found.valid_until else None


def judge_parts(parts: Sequence[Thing], wanted: Collection[str] | None, *, only_whole: bool = False) -> Verdict:
    """Which things on a good pass leave: those named, or everything that is ready.

    All named ones leave or none does, with one exception: what was handed over before is a conflict that is written down,
    and the others leave, because at an offline desk they have left already. Where the goods are still on the counter
    (`only_whole`) there is no exception: something has changed since they were shown, so they are shown again.
    """
    if wanted is None:
        return _judge_unnamed(parts)
    chosen = [part for part in parts if part.number in wanted]
    if not wanted or len(chosen) != len(set(wanted)):
        return _none_leaves(chosen, Reason.NOT_ON_PASS)
    reasons = {part.number: _why_not(part) for part in chosen}
    if holding := _gravest(reason for reason in reasons.values() if reason not in (None, Reason.ALREADY_HANDED_OVER)):
        return _none_leaves(chosen, holding)
    gone = [part for part in chosen if reasons[part.number] is not None]
    if gone and only_whole:
        return _none_leaves(chosen, Reason.ALREADY_HANDED_OVER)
    ready = tuple(part for part in chosen if reasons[part.number] is None)
    if gone:
        kept = tuple(Kept(part, Reason.ALREADY_HANDED_OVER) for part in gone)
        return Verdict(HandoverOutcome.CONFLICT, Reason.ALREADY_HANDED_OVER, ready, kept)
    return Verdict(HandoverOutcome.ACCEPTED, None, ready)


def _judge_unnamed(parts: Sequence[Thing]) -> Verdict:
    """A scan alone means everything that is ready; what was paid back in full stays without holding up the rest."""
    ready = [part for part in parts if part.state is CollectableState.WAITING]
    if not ready:
        gone = all_gone(parts, None)
        return gone if gone.kept else refused(Reason.NOTHING_READY)
    refunded = tuple(Kept(part, Reason.REFUNDED) for part in ready if part.stays is Reason.REFUNDED)
    chosen = [part for part in ready if part.stays is not Reason.REFUNDED]
    if not chosen:
        return Verdict(HandoverOutcome.REFUSED, Reason.REFUNDED, kept=refunded)
    if holding := _gravest(part.stays for part in chosen):
        return _none_leaves(ready, holding)
    return Verdict(HandoverOutcome.ACCEPTED, None, tuple(chosen), refunded)


def all_gone(parts: Sequence[Thing], wanted: Collection[str] | None) -> Verdict:
    """Everything that was meant had left before."""
    gone = tuple(
        Kept(part, Reason.ALREADY_HANDED_OVER)
        for part in parts
        if part.state is CollectableState.COLLECTED and (wanted is None or part.number in wanted)
    )
    return Verdict(HandoverOutcome.CONFLICT, Reason.ALREADY_HANDED_OVER, kept=gone)


def _why_not(part: Thing) -> Reason | None:
    """Why this thing cannot leave; None when it can."""
    if part.state is CollectableState.COLLECTED:
        return Reason.ALREADY_HANDED_OVER
    return part.stays if part.state is CollectableState.WAITING else Reason.NOT_READY


def _gravest(reasons: Iterable[Reason | None]) -> Reason | None:
    found = {reason for reason in reasons if reason is not None}
    return next((reason for reason in (*GRAVEST, *Reason) if reason in found), None)


def _none_leaves(chosen: Sequence[Thing], reason: Reason) -> Verdict:
    """Nothing leaves because of some; the others stay with them."""
    outcome = HandoverOutcome.CONFLICT if reason is Reason.ALREADY_HANDED_OVER else HandoverOutcome.REFUSED
    return Verdict(outcome, reason, kept=tuple(Kept(part, _why_not(part) or Reason.WITH_OTHERS) for part in chosen))


def reading_time(lines: int) -> timedelta:
    """How long so many lines of goods are looked at before a press means them."""
    return min(READING + READING_A_LINE * max(lines - 1, 0), LONGEST_READING)


def can_be_taken_back(handed: int, received_at: datetime, moment: datetime) -> bool:
    """Whether a keeper is offered to take back what left with a hand-over."""
    return handed > 0 and received_at > moment - TAKE_BACK_FOR


def keeps(point_ids: Sequence[int], wanted: int | None) -> int | None:
    """The point a keeper works at: the one named if it is theirs, else their first; None when there is none."""
    if wanted is None:
        return point_ids[0] if point_ids else None
    return wanted if wanted in point_ids else None
