"""At the counter: find out what a pass opens, and let it go once.

Every scan is kept, with its reason when it was refused. A hand-over is told apart by the id its device gave it: told again it does
nothing. The pass is locked while it is decided, each sub-order leaves under a unique key and a compare-and-set.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from shop.fulfilment import rules
from shop.fulfilment.errors import TooManyGuesses
from shop.fulfilment.queries import Parcel, deliveries_of_batches, parcel_at
from shop.fulfilment.rules import PartFacts, PassFacts, Reason, Verdict
from shop.kernel import clock, ids
from shop.kernel.crash import crashpoint
from shop.kernel.db import insert_once, operation
from shop.kernel.errors import NotFound, ShopError
from shop.models.accounts import User
from shop.models.orders import Purchase, SubOrder
from shop.models.pickup import Handover, HandoverItem, HandoverOutcome, Pass, PassState
from shop.orders import operations as orders
from shop.pickup import codes, passes
from shop.pickup.codes import Kind, Shown
from shop.pickup.visits import by_phone_tail
from shop.platform import audit, notices
from shop.platform.actor import Actor

HANDOVERS = cast(sa.Table, Handover.__table__)
ITEMS = cast(sa.Table, HandoverItem.__table__)
PASSES = cast(sa.Table, Pass.__table__)


@dataclass(frozen=True, slots=True)
class HandoverEvent:
    """What a device says happened. `sub_orders` are numbers, none means everything ready; `point_id` none means the keeper's own."""

    client_id: str
    pass_text: str
    sub_orders: tuple[str, ...] | None
    device_time: datetime
    point_id: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an event. `handed` is how many sub-orders left the counter by this very call."""

    client_id: str
    outcome: HandoverOutcome
    reason: str | None = None
    handed: int = 0


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
def hand_over(session: Session, actor: Actor, event: HandoverEvent) -> Outcome:
    """Hand over what a pass opens. Once per `client_id`: told again, an accepted event is a `duplicate`, any other gets its first answer.

    Refusals and conflicts are outcomes that are kept, not exceptions. The merchant is owed its money in the same transaction.
    Raises `NotFound` for a point that is not the keeper's, `TooManyGuesses`.
    """
    point_id = _point_of(actor, event.point_id)
    moment = clock.now()
    handover_id = insert_once(
        session, Handover, client_id=event.client_id, pickup_point_id=point_id, pass_id=None, keeper_id=actor.signed_in_id(),
        outcome=HandoverOutcome.ACCEPTED, reason=None, device_time=event.device_time, received_at=moment,
    )
    if handover_id is None:
        return _told_before(session, actor, event.client_id)
    shown = codes.understand(event.pass_text)
    if shown.is_guessable:
        _count_guesses(session, actor, moment)
    found = _find_pass(session, point_id, shown)
    verdict = _decide(session, found, point_id, shown, event, moment)
    if verdict.handed:
        verdict = _let_go(session, actor, handover_id, verdict)
    session.execute(
        sa.update(HANDOVERS)
        .where(HANDOVERS.c.id == handover_id)
        .values(outcome=verdict.outcome, reason=verdict.reason, pass_id=found.id if found else None)
    )
    if found and verdict.handed:
        _close(session, actor, handover_id, found, verdict)
    crashpoint("handover.before_commit")
    return Outcome(event.client_id, verdict.outcome, verdict.reason, len(verdict.handed))


@operation
def look_up(session: Session, actor: Actor, point_id: int, text: str) -> LookUp:
    """Find the pass somebody shows at the counter: QR code, six figures, or the last four of a phone number; or what a label is on.

    Four figures are nobody's secret: they never open a pass by themselves, only say who may be meant.
    What opens nothing is kept with its reason, and typed guesses are counted: `TooManyGuesses` after 20 wrong ones in a minute.
    """
    point_id = _point_of(actor, point_id)
    moment, shown = clock.now(), codes.understand(text)
    if shown.is_label:
        return _follow_label(session, actor, point_id, shown, moment)
    if shown.is_guessable:
        _count_guesses(session, actor, moment)
    if shown.kind is Kind.PHONE_TAIL:
        matches = tuple(visit.ref for visit in by_phone_tail(session, point_id, shown.value))
        audit.record(session, actor, "passes.searched_by_phone", "pickup_point", point_id, found=len(matches))
        if matches:
            return LookUp(matches=matches)
    found = _find_pass(session, point_id, shown)
    reason = _refusal(found, point_id, shown, moment)
    if reason is None and found is not None:
        return LookUp(ref=session.execute(sa.select(PASSES.c.ref).where(PASSES.c.id == found.id)).scalar_one())
    return _keep_refusal(session, actor, point_id, reason, moment, found)


def _keep_refusal(
    session: Session, actor: Actor, point_id: int, reason: Reason | None, moment: datetime, found: PassFacts | None = None
) -> LookUp:
    session.add(
        Handover(
            client_id=f"desk:{ids.secret()}", pickup_point_id=point_id, pass_id=found.id if found else None, keeper_id=actor.signed_in_id(),
            outcome=HandoverOutcome.REFUSED, reason=reason, device_time=moment, received_at=moment,
        )
    )
    return LookUp(reason=reason, pass_id=found.id if found else None)


def _follow_label(session: Session, actor: Actor, point_id: int, shown: Shown, moment: datetime) -> LookUp:
    """Where a label leads. It is no guess of a code, whatever it says; one that is not of this point is kept as refused."""
    if shown.kind is Kind.CRATE:
        if deliveries := deliveries_of_batches(session, [point_id], [shown.value]):
            return LookUp(cycle_id=deliveries[0].cycle_id)
    elif parcel := parcel_at(session, point_id, shown.value):
        return LookUp(ref=parcel.pass_ref) if parcel.pass_ref else LookUp(parcel=parcel)
    return _keep_refusal(session, actor, point_id, Reason.UNKNOWN_LABEL, moment)


def _point_of(actor: Actor, wanted: int | None) -> int:
    point_id = rules.keeps(actor.points("keeper"), wanted)
    if point_id is None:
        raise NotFound()
    return point_id


def _told_before(session: Session, actor: Actor, client_id: str) -> Outcome:
    first = session.execute(
        sa.select(HANDOVERS.c.outcome, HANDOVERS.c.reason, HANDOVERS.c.pickup_point_id).where(HANDOVERS.c.client_id == client_id)
    ).one()
    if first.pickup_point_id not in actor.points("keeper"):
        return Outcome(client_id, HandoverOutcome.REFUSED, Reason.CLIENT_ID_TAKEN)
    if first.outcome is HandoverOutcome.ACCEPTED:
        return Outcome(client_id, HandoverOutcome.DUPLICATE)
    return Outcome(client_id, first.outcome, first.reason)


def _count_guesses(session: Session, actor: Actor, moment: datetime) -> None:
    """Refuse another typed code after too many wrong ones. One keeper's codes take turns, so parallel guesses get no more."""
    keeper_id = actor.signed_in_id()
    session.execute(sa.select(User.id).where(User.id == keeper_id).with_for_update(key_share=True))
    wrong = session.scalar(
        sa.select(sa.func.count())
        .select_from(HANDOVERS)
        .where(
            HANDOVERS.c.keeper_id == keeper_id, HANDOVERS.c.received_at > moment - timedelta(minutes=1),
            HANDOVERS.c.outcome == HandoverOutcome.REFUSED, HANDOVERS.c.reason.in_(rules.GUESSES),
        )
    )  # fmt: skip
    if (wrong or 0) >= rules.GUESSES_PER_MINUTE:
        raise TooManyGuesses()


def _find_pass(session: Session, point_id: int, shown: Shown) -> PassFacts | None:
    """The pass that is meant, locked. Six figures mean a pass of this point before any other, a live one before a used one."""
    columns = (PASSES.c.id, PASSES.c.pickup_point_id, PASSES.c.user_id, PASSES.c.state, PASSES.c.valid_until)
    if shown.kind in (Kind.QR, Kind.REFERENCE):
        wanted: Any = sa.select(*columns).where(PASSES.c.ref == shown.value)
    elif shown.kind is Kind.CODE:
        here = sa.case((PASSES.c.pickup_point_id == point_id, 0), else_=1)
        live = sa.case((PASSES.c.state == PassState.LIVE, 0), else_=1)
        meant = sa.or_(PASSES.c.pickup_point_id == point_id, PASSES.c.state == PassState.LIVE)
        recent = PASSES.c.issued_at > clock.now() - passes.CODE_RESTS - timedelta(days=passes.KEPT_DAYS)
        wanted = sa.select(*columns).where(PASSES.c.code == shown.value, meant, recent).order_by(here, live, PASSES.c.id.desc()).limit(1)
    else:
        return None
    row = session.execute(wanted.with_for_update(key_share=True)).one_or_none()
    return PassFacts(*row) if row else None


def _refusal(found: PassFacts | None, point_id: int, shown: Shown, scanned_at: datetime) -> Reason | None:
    if shown.is_label:
        return Reason.NOT_A_PASS
    if shown.kind is Kind.FORGED:
        return Reason.FORGED_PASS
    reason = rules.judge_pass(found, point_id, scanned_at)
    if reason is None and shown.expires_at is not None and scanned_at > shown.expires_at:
        return Reason.QR_EXPIRED
    return reason


def _decide(
    session: Session, found: PassFacts | None, point_id: int, shown: Shown, event: HandoverEvent, moment: datetime
) -> Verdict:
    reason = _refusal(found, point_id, shown, rules.scan_time(event.device_time, moment))
    if reason is Reason.PASS_USED:  # a device says that goods left, and they had left before
        return Verdict(HandoverOutcome.CONFLICT, Reason.ALREADY_HANDED_OVER)
    if reason is not None or found is None:
        return rules.refused(reason or Reason.UNKNOWN_PASS)
    rows = session.execute(
        sa.select(SubOrder.id, SubOrder.number, SubOrder.state, Purchase.state, SubOrder.total, SubOrder.refunded_total)
        .join(Purchase, Purchase.id == SubOrder.purchase_id)
        .where(SubOrder.pass_id == found.id)
        .order_by(SubOrder.id)
    )
    return rules.judge_parts([PartFacts(*row) for row in rows], event.sub_orders)


def _let_go(session: Session, actor: Actor, handover_id: int, verdict: Verdict) -> Verdict:
    """Let the sub-orders leave, all or none. Somebody else's step in between (a refund, a return) refuses the whole."""
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    items = insert(ITEMS).on_conflict_do_nothing(index_elements=["sub_order_id"]).returning(ITEMS.c.sub_order_id)
    leaving = [{"handover_id": handover_id, "sub_order_id": part.id} for part in verdict.handed]
    taken = set(session.connection().execute(items, leaving).scalars())
    handed = [part for part in verdict.handed if part.id in taken]
    if len(handed) < len(verdict.handed):
        verdict = Verdict(HandoverOutcome.CONFLICT, Reason.ALREADY_HANDED_OVER, tuple(handed))
    try:
        with session.begin_nested():
            orders.mark_collected(session, actor, [part.id for part in handed])
    except ShopError:
        session.execute(sa.delete(ITEMS).where(ITEMS.c.handover_id == handover_id))
        return rules.refused(Reason.NOT_READY)
    return verdict


def _close(session: Session, actor: Actor, handover_id: int, found: PassFacts, verdict: Verdict) -> None:
    is_used = passes.close_if_empty(session, found.id)
    numbers = [part.number for part in verdict.handed]
    audit.record(session, actor, "pass.handed_over", "pass", found.id, handover=handover_id, sub_orders=numbers, is_used=is_used)
    notices.post(
        session, found.user_id, "fulfilment.handed_over", dedupe_key=f"handover:{handover_id}", link="/orders", orders=len(numbers),
    )
