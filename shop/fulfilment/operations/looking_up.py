"""At the counter, before anything is handed over: what a scan or a typed word leads to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.counter.operations.finding import PASSES, find_pass, is_guess, keep_refusal, point_of, refusal, take_turn
from shop.counter.permissions import CounterPermission
from shop.counter.rules import PassFacts, Reason
from shop.fulfilment.queries import Parcel, deliveries_of_batches, parcels_named
from shop.fulfilment.tags import Done
from shop.kernel import clock
from shop.kernel.db import operation
from shop.models.orders import SubOrderState
from shop.pickup import codes
from shop.pickup.codes import Kind, Shown
from shop.pickup.visits import by_phone_tail
from shop.platform import audit
from shop.platform.actor import Actor

COMING = (SubOrderState.PLACED, SubOrderState.ACCEPTED, SubOrderState.PACKED, SubOrderState.IN_TRANSIT)


@dataclass(frozen=True, slots=True)
class LookUp:
    """What a scan or a typed code leads to: one pass, people with that end of their number, or the reason why not.

    A label leads to its delivery, to the pass its parcel waits on, or to the parcel that is not here yet.
    """

    ref: str | None = None
    matches: tuple[str, ...] = ()
    cycle_id: int | None = None
    parcel: Parcel | None = None
    reason: Reason | None = None
    pass_id: int | None = None


@operation
def look_up(session: Session, actor: Actor, point_id: int, text: str) -> LookUp:
    """Find the pass somebody shows at the counter: QR code, six figures, or a phone number or its last four; or what a label is on.

    A phone number is nobody's secret: it never opens a pass by itself, only says who may be meant. The number of an order and the
    short code of a label lead where the label leads.
    What opens nothing is kept with its reason. After `rules.GUESSES_PER_MINUTE` wrong codes of a keeper, further wrong ones are only
    told to be `too_many_attempts`; a right one is answered always. Raises `TooManyGuesses` at the limits of an hour, `NotFound`.
    """
    point_id = point_of(actor, point_id, CounterPermission.PASS_FIND)
    moment, shown = clock.now(), codes.understand(text)
    if shown.is_label:
        return _follow_label(session, actor, point_id, shown, moment)
    if shown.kind in {Kind.PHONE, Kind.PHONE_TAIL}:
        matches = _people(session, actor, point_id, shown)
        return LookUp(matches=matches) if matches else _keep_refusal(session, actor, point_id, Reason.NOBODY_WAITS, moment)
    is_slowed = take_turn(session, actor, point_id, moment) if shown.is_guessable else False
    found = find_pass(session, point_id, shown)
    reason = refusal(found, point_id, shown, moment)
    if reason is None and found is not None:
        return LookUp(ref=session.execute(sa.select(PASSES.c.ref).where(PASSES.c.id == found.id)).scalar_one())
    if not is_guess(shown, reason):
        return _keep_refusal(session, actor, point_id, reason, moment, found)
    kept = _keep_refusal(session, actor, point_id, reason, moment, found, is_guess=True)
    return LookUp(reason=Reason.TOO_MANY_ATTEMPTS) if is_slowed else kept


def _keep_refusal(
    session: Session, actor: Actor, point_id: int, reason: Reason | None, moment: datetime, found: PassFacts | None = None, *,
    is_guess: bool = False,
) -> LookUp:  # fmt: skip
    pass_id = found.id if found else None
    keep_refusal(session, actor, point_id, reason, moment, pass_id, is_guess=is_guess)
    return LookUp(reason=reason, pass_id=pass_id)


def _people(session: Session, actor: Actor, point_id: int, shown: Shown) -> tuple[str, ...]:
    """The passes of people with this phone number, or with this end of it; who asked is put on record."""
    ends_so = by_phone_tail(session, point_id, shown.value[-4:])
    matches = tuple(visit.ref for visit in ends_so if shown.kind is Kind.PHONE_TAIL or visit.holder_phone == shown.value)
    audit.record(session, actor, Done.PASSES_SEARCHED_BY_PHONE, "pickup_point", point_id, found=len(matches))
    return matches


def _follow_label(session: Session, actor: Actor, point_id: int, shown: Shown, moment: datetime) -> LookUp:
    """Where a label or an order's number leads. It is no guess of a code; what is not of this point is kept as refused."""
    if shown.kind is Kind.CRATE:
        if deliveries := deliveries_of_batches(session, [point_id], [shown.value]):
            return LookUp(cycle_id=deliveries[0].cycle_id)
    elif parcels := parcels_named(session, point_id, shown.value):
        parcel = min(parcels, key=_nearness)
        return LookUp(ref=parcel.pass_ref) if parcel.pass_ref else LookUp(parcel=parcel)
    unknown = Reason.UNKNOWN_ORDER if shown.kind is Kind.ORDER else Reason.UNKNOWN_LABEL
    return _keep_refusal(session, actor, point_id, unknown, moment)


def _nearness(parcel: Parcel) -> int:
    """Of several parts of an order: what waits here before what is coming, then what was collected, then what never comes."""
    if parcel.state is SubOrderState.READY:
        return 0
    return 1 if parcel.state in COMING else 2 if parcel.pass_ref else 3
