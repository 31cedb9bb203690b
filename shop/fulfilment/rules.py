"""What may leave the counter, and why not. docs/algorithms/hand-over.md tells it with worked cases."""

# ruff: noqa: S105  (reasons, not passwords)

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shop.kernel.errors import sentence
from shop.kernel.money import Money
from shop.models.orders import PurchaseState, SubOrderState
from shop.models.pickup import HandoverOutcome, PassState

OFFLINE_FOR = timedelta(days=3)
"""How far back a device's own time is believed. Older scans are judged as if they were made that long ago."""

GUESSES_PER_MINUTE = 20

TAKE_BACK_FOR = timedelta(minutes=10)
"""So long a hand-over can be taken back: a slip is seen while the next few in the queue are served, and the goods are still near."""

FAR_PERCENT = 40
"""So far from what was ordered a weight is asked about. Goods vary by a fifth; a jin taken for a kilogram is half or double, a digit
too few a tenth, and what is packed by mistake is given back at once."""


class Reason(StrEnum):
    """Why a hand-over was refused, or is in conflict with another one."""

    UNKNOWN_PASS = "unknown_pass"
    FORGED_PASS = "forged_pass"
    QR_EXPIRED = "qr_expired"
    WRONG_POINT = "wrong_point"
    PASS_EXPIRED = "pass_expired"
    PASS_REVOKED = "pass_revoked"
    PASS_USED = "pass_used"
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
    TAKEN_BACK = "taken_back"


WORDS: dict[str, str] = {
    Reason.UNKNOWN_PASS: sentence("We do not know this code here. Please check the figures, or ask for the end of the phone number."),
    Reason.FORGED_PASS: sentence("This QR code was not made by us. Nothing may be handed over for it."),
    Reason.QR_EXPIRED: sentence("This QR code is too old. Please let the resident open the pass again, or type the six figures."),
    Reason.WRONG_POINT: sentence("This pass belongs to another pick-up point."),
    Reason.PASS_EXPIRED: sentence("This pass has run out."),
    Reason.PASS_REVOKED: sentence("This pass was withdrawn. Nothing may be handed over for it."),
    Reason.PASS_USED: sentence("Everything on this pass has been collected already."),
    Reason.NOTHING_READY: sentence("Nothing on this pass is ready yet."),
    Reason.NOT_ON_PASS: sentence("One of these orders is not on this pass. Nothing was handed over."),
    Reason.NOT_READY: sentence("One of these orders is not ready to be collected. Nothing was handed over."),
    Reason.NOT_PAID: sentence("One of these orders is not paid. Nothing was handed over."),
    Reason.REFUNDED: sentence("All of the money for this order went back, so it must stay here."),
    Reason.ALREADY_HANDED_OVER: sentence("This was handed over before. Please look at what is still on the shelf."),
    Reason.CLIENT_ID_TAKEN: sentence("Another device used this number for its hand-over."),
    Reason.TOO_MANY_ATTEMPTS: sentence("Too many wrong codes in the last minute. Please scan the QR code, or wait a minute."),
    Reason.NOT_A_PASS: sentence("This is a label, not a pass. Please scan the QR code of the resident."),
    Reason.UNKNOWN_LABEL: sentence("No delivery to this pick-up point has this label."),
    Reason.TAKEN_BACK: sentence("This hand-over was taken back. The goods wait here again."),
}

GUESSES = (Reason.UNKNOWN_PASS, Reason.FORGED_PASS, Reason.WRONG_POINT)
"""What somebody gets who tries codes at random."""

COLLECTED = (SubOrderState.COLLECTED, SubOrderState.COMPLETED, SubOrderState.RETURNED)
PAID = (PurchaseState.PAID, PurchaseState.COMPLETED)


@dataclass(frozen=True, slots=True)
class PassFacts:
    """What decides about a pass."""

    id: int
    pickup_point_id: int
    user_id: int
    state: PassState
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class PartFacts:
    """What decides about a sub-order on a pass."""

    id: int
    number: str
    state: SubOrderState
    purchase_state: PurchaseState
    total: Money
    refunded_total: Money

    @property
    def is_refunded(self) -> bool:
        """Whether nothing of its money is left with us."""
        return bool(self.total) and self.refunded_total >= self.total


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a hand-over comes to, and the sub-orders that leave the counter with it."""

    outcome: HandoverOutcome
    reason: Reason | None = None
    handed: tuple[PartFacts, ...] = ()


def is_far_off(grams: int, ordered: int) -> bool:
    """Whether a weight is so far from what was ordered that it is more likely a slip than the goods."""
    return abs(grams - ordered) * 100 > ordered * FAR_PERCENT


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
        return Reason.PASS_USED
    return Reason.PASS_EXPIRED if scanned_at > found.valid_until else None


def judge_parts(parts: Sequence[PartFacts], wanted: Collection[str] | None) -> Verdict:
    """Which sub-orders of a good pass leave: those named, or everything that is ready.

    All named ones leave or none does, with one exception: what was handed over before is a conflict that is written down,
    and the others leave, because at an offline desk they have left already.
    """
    if wanted is None:
        chosen = [part for part in parts if part.state is SubOrderState.READY]
        if not chosen:
            gone = any(part.state in COLLECTED for part in parts)
            return Verdict(HandoverOutcome.CONFLICT, Reason.ALREADY_HANDED_OVER) if gone else refused(Reason.NOTHING_READY)
        chosen = [part for part in chosen if not part.is_refunded]
        if not chosen:
            return refused(Reason.REFUNDED)
    else:
        chosen = [part for part in parts if part.number in wanted]
        if not wanted or len(chosen) != len(set(wanted)):
            return refused(Reason.NOT_ON_PASS)
    if any(part.purchase_state not in PAID for part in chosen):
        return refused(Reason.NOT_PAID)
    ready = tuple(part for part in chosen if part.state is SubOrderState.READY)
    gone_before = [part for part in chosen if part.state in COLLECTED]
    if len(ready) + len(gone_before) < len(chosen):
        return refused(Reason.NOT_READY)
    if any(part.is_refunded for part in ready):
        return refused(Reason.REFUNDED)
    if gone_before:
        return Verdict(HandoverOutcome.CONFLICT, Reason.ALREADY_HANDED_OVER, ready)
    return Verdict(HandoverOutcome.ACCEPTED, None, ready)


def can_be_taken_back(outcome: HandoverOutcome, reason: str | None, received_at: datetime, moment: datetime) -> bool:
    """Whether a keeper is offered to take a hand-over back."""
    return outcome is HandoverOutcome.ACCEPTED and reason is None and received_at > moment - TAKE_BACK_FOR


def keeps(point_ids: Sequence[int], wanted: int | None) -> int | None:
    """The point a keeper works at: the one named if it is theirs, else their first; None when there is none."""
    if wanted is None:
        return point_ids[0] if point_ids else None
    return wanted if wanted in point_ids else None
