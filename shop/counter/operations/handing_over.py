"""At the counter: what a pass opens is let go once.

Every scan is kept, with its reason when it was refused. A hand-over is told apart by the id its device gave it: told again it does
nothing. The pass is locked while it is decided, and each thing on it leaves by a compare-and-set of its one row. What that means, money
above all, is done by the thing's kind in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.counter import rules
from shop.counter.operations.finding import HANDOVERS, find_pass, is_guess, keep_back, point_of, refusal, take_turn
from shop.counter.operations.moving import COLLECTABLES, by_kind
from shop.counter.permissions import CounterPermission
from shop.counter.rules import PassFacts, Reason, Thing, Verdict
from shop.counter.tags import Done
from shop.kernel import clock, identifiers, keys
from shop.kernel.crash import crashpoint
from shop.kernel.db import insert_once, operation
from shop.kernel.errors import ShopError
from shop.kernel.rows import all_as
from shop.models.pickup import Collectable, CollectableState, Handover, HandoverKept, HandoverOutcome
from shop.pickup import codes, passes
from shop.pickup.codes import Shown
from shop.platform import audit
from shop.platform.actor import Actor
from shop.platform.belonging import belonging_to
from shop.platform.collecting import Move, Opened
from shop.platform.features import registry


@dataclass(frozen=True, slots=True)
class HandoverEvent:
    """What a device says happened. `sub_orders` are numbers, of orders or other things; none means everything ready. `point_id` none means
    the keeper's own.

    `device_time` none means now, by our own clock. `only_whole`: the goods are still on the counter, so all that is named leaves or
    nothing does; otherwise they have left, and what can be is booked.
    """

    client_id: str
    pass_text: str
    sub_orders: tuple[str, ...] | None
    device_time: datetime | None
    point_id: int | None = None
    only_whole: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an event: the numbers that left the counter with it, and those that were meant and stayed, each with its reason.

    Told again, both are what they were the first time, or are by now when the hand-over was taken back.
    """

    client_id: str
    outcome: HandoverOutcome
    reason: str | None = None
    left: tuple[str, ...] = ()
    stayed: tuple[tuple[str, str], ...] = ()

    @property
    def handed(self) -> int:
        """How many things left the counter by this very call."""
        return 0 if self.outcome is HandoverOutcome.DUPLICATE else len(self.left)


@operation
def hand_over(session: Session, actor: Actor, event: HandoverEvent) -> Outcome:
    """Hand over what a pass opens. Once per `client_id`: told again, an accepted event is a `duplicate`, any other gets its first answer.

    Another event under an id that is taken is a conflict, `different_event`, kept under an id of its own: one row however often it is told.
    Refusals and conflicts are outcomes that are kept, not exceptions. What a kind does when its things leave is part of the transaction.
    Raises `NotFound` for a point that is not the keeper's, `TooManyGuesses`.
    """
    point_id = point_of(actor, event.point_id, CounterPermission.HAND_OVER)
    moment, told = clock.now(), _fingerprint(event, point_id)
    handover_id = _keep(session, actor, event, point_id, moment, event.client_id, told)
    if handover_id is None:
        return _told_before(session, actor, event, point_id, moment, told)
    shown = codes.understand(event.pass_text)
    if shown.is_guessable:
        take_turn(session, actor, point_id, moment)
    found = find_pass(session, point_id, shown)
    verdict, opened = _decide(session, found, point_id, shown, event, moment)
    if found and verdict.handed:
        verdict = _let_go(session, actor, Move(handover_id, found.id, found.user_id), verdict, opened)
    values = {
        "outcome": verdict.outcome, "reason": verdict.reason, "pass_id": found.id if found else None,
        "is_guess": is_guess(shown, verdict.reason),
    }  # fmt: skip
    session.execute(sa.update(HANDOVERS).where(HANDOVERS.c.id == handover_id).values(values))
    keep_back(session, handover_id, {kept.part.id: kept.reason for kept in verdict.kept})
    if found and verdict.handed:
        is_used, numbers = passes.close_if_empty(session, found.id), [part.number for part in verdict.handed]
        audit.record(session, actor, Done.PASS_HANDED_OVER, "pass", found.id, handover=handover_id, sub_orders=numbers, is_used=is_used)
    crashpoint("handover.before_commit")
    return _outcome(event, verdict)


def _fingerprint(event: HandoverEvent, point_id: int) -> str:
    """What was told, without its id: the same for a repeat, however the scan was spelled and in whatever order its numbers stand."""
    numbers = "*" if event.sub_orders is None else ",".join(sorted(set(event.sub_orders)))
    made = event.device_time.astimezone(UTC).isoformat() if event.device_time else ""
    scanned = identifiers.scanned(event.pass_text)
    return keys.fingerprint("hand-over", "\0".join((str(point_id), scanned, numbers, made, str(event.only_whole))))


def _keep(
    session: Session, actor: Actor, event: HandoverEvent, point_id: int, moment: datetime, client_id: str, told: str, **values: Any
) -> int | None:
    """Keep an event under an id; None when the id is taken."""
    facts = {"outcome": HandoverOutcome.ACCEPTED, "reason": None, "pass_id": None, "is_guess": False, **values}
    return insert_once(
        session, Handover, client_id=client_id, community_id=belonging_to("pickup_point", point_id), pickup_point_id=point_id,
        keeper_id=actor.signed_in_id(),
        device_time=event.device_time or moment, received_at=moment, told_hash=told, **facts,
    )  # fmt: skip


def _told_before(session: Session, actor: Actor, event: HandoverEvent, point_id: int, moment: datetime, told: str) -> Outcome:
    columns = (HANDOVERS.c.id, HANDOVERS.c.outcome, HANDOVERS.c.reason, HANDOVERS.c.pickup_point_id, HANDOVERS.c.told_hash)
    first = session.execute(sa.select(*columns).where(HANDOVERS.c.client_id == event.client_id)).one()
    named = event.sub_orders or ()
    if first.pickup_point_id not in actor.points(CounterPermission.HAND_OVER):
        return _stayed(event, HandoverOutcome.REFUSED, Reason.CLIENT_ID_TAKEN, named)
    if first.told_hash is not None and first.told_hash != told:
        return _other_event(session, actor, event, point_id, moment, told)
    gone = sa.select(Collectable.number).where(Collectable.handover_id == first.id)
    left = tuple(session.scalars(gone.order_by(Collectable.number)))
    back = sa.select(Collectable.number, HandoverKept.reason).join(HandoverKept, HandoverKept.collectable_id == Collectable.id)
    kept = [(row.number, row.reason) for row in session.execute(back.where(HandoverKept.handover_id == first.id))]
    duplicate = first.outcome is HandoverOutcome.ACCEPTED
    outcome, reason = (HandoverOutcome.DUPLICATE, None) if duplicate else (first.outcome, first.reason)
    return Outcome(event.client_id, outcome, reason, left, _with_the_unknown(event, reason, left, kept))


def _other_event(session: Session, actor: Actor, event: HandoverEvent, point_id: int, moment: datetime, told: str) -> Outcome:
    """Goods may have left without being booked: it is kept for a person to look at, under an id made of what was told."""
    values = {"outcome": HandoverOutcome.CONFLICT, "reason": Reason.DIFFERENT_EVENT}
    handover_id = _keep(session, actor, event, point_id, moment, f"different:{told}", told, **values)
    named = event.sub_orders or ()
    if handover_id is not None:
        here = sa.select(Collectable.id).where(Collectable.number.in_(named), Collectable.pickup_point_id == point_id)
        keep_back(session, handover_id, dict.fromkeys(session.scalars(here.order_by(Collectable.id)), Reason.DIFFERENT_EVENT))
    return _stayed(event, HandoverOutcome.CONFLICT, Reason.DIFFERENT_EVENT, named)


def _stayed(event: HandoverEvent, outcome: HandoverOutcome, reason: Reason, numbers: Sequence[str]) -> Outcome:
    return Outcome(event.client_id, outcome, reason, stayed=tuple((number, reason) for number in sorted(set(numbers))))


def _outcome(event: HandoverEvent, verdict: Verdict) -> Outcome:
    left = tuple(sorted(part.number for part in verdict.handed))
    kept = [(kept.part.number, kept.reason) for kept in verdict.kept]
    return Outcome(event.client_id, verdict.outcome, verdict.reason, left, _with_the_unknown(event, verdict.reason, left, kept))


def _with_the_unknown(
    event: HandoverEvent, reason: str | None, left: Sequence[str], kept: Sequence[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    """What stayed, and what was named and is not among what the pass holds, so that every number named is answered once."""
    answered = {*left, *(number for number, _ in kept)}
    of_the_rest = reason if reason and reason in _OF_THE_PASS else Reason.NOT_ON_PASS
    rest = [(number, of_the_rest) for number in set(event.sub_orders or ()) - answered]
    return tuple(sorted([*kept, *rest]))


_OF_THE_PASS = frozenset({
    Reason.UNKNOWN_PASS, Reason.FORGED_PASS, Reason.QR_EXPIRED, Reason.WRONG_POINT, Reason.PASS_EXPIRED, Reason.PASS_REVOKED,
    Reason.NOT_A_PASS, Reason.NOT_COLLECTED,
})  # fmt: skip


def _decide(
    session: Session, found: PassFacts | None, point_id: int, shown: Shown, event: HandoverEvent, moment: datetime
) -> tuple[Verdict, Mapping[str, Opened]]:
    """What comes of an event, and what it is about, opened by kind."""
    reason = refusal(found, point_id, shown, rules.scan_time(event.device_time or moment, moment))
    if reason is Reason.NOT_COLLECTED:  # it says that goods left which were given up: a person looks at it
        return Verdict(HandoverOutcome.CONFLICT, reason), {}
    if found is None or reason not in (None, Reason.PASS_USED):
        return rules.refused(reason or Reason.UNKNOWN_PASS), {}
    if reason is Reason.PASS_USED:  # a device says that goods left, and they had left before
        parts, opened = _things_on(session, found.id, None)
        return rules.all_gone(parts, event.sub_orders), opened
    parts, opened = _things_on(session, found.id, event.sub_orders)
    return rules.judge_parts(parts, event.sub_orders, only_whole=event.only_whole), opened


def _things_on(session: Session, pass_id: int, wanted: Collection[str] | None) -> tuple[list[Thing], Mapping[str, Opened]]:
    """What is on a pass, or what is named of it, locked by its kind: nobody gives money back while it is decided.

    Whatever moves a thing locks its pass first, so nothing that is read here changes until the end of the transaction.
    """
    named = sa.true() if wanted is None else COLLECTABLES.c.number.in_(wanted)
    columns = [COLLECTABLES.c[name] for name in ("id", "kind", "subject_id", "number", "state")]
    here = all_as(Thing, session.execute(sa.select(*columns).where(COLLECTABLES.c.pass_id == pass_id, named)))
    kinds = registry.collectables()
    opened = {kind: kinds[kind].open(session, [part.subject_id for part in parts]) for kind, parts in by_kind(here)}
    parts = [replace(part, stays=_reason(opened[part.kind].stays.get(part.subject_id))) for part in here]
    return sorted(parts, key=lambda part: part.id), opened


def _reason(told: str | None) -> Reason | None:
    return None if told is None else Reason(told)


def _let_go(session: Session, actor: Actor, move: Move, verdict: Verdict, opened: Mapping[str, Opened]) -> Verdict:
    """Let the things leave, all or none. Somebody else's step in between (a refund, a return) refuses the whole."""
    try:
        with session.begin_nested():
            left = take_things(session, move, [part.id for part in verdict.handed])
            handed = [part for part in verdict.handed if part.id in left]
            for name, parts in by_kind(handed):
                registry.collectables()[name].on_collected(session, actor, opened[name], [part.subject_id for part in parts], move)
    except ShopError:
        stays = tuple(rules.Kept(part, Reason.NOT_READY) for part in verdict.handed)
        return Verdict(HandoverOutcome.REFUSED, Reason.NOT_READY, kept=(*verdict.kept, *stays))
    if len(handed) == len(verdict.handed):
        return verdict
    gone = tuple(rules.Kept(part, Reason.ALREADY_HANDED_OVER) for part in verdict.handed if part.id not in left)
    return Verdict(HandoverOutcome.CONFLICT, Reason.ALREADY_HANDED_OVER, tuple(handed), (*verdict.kept, *gone))


def take_things(session: Session, move: Move, ids: Sequence[int]) -> set[int]:
    """Compare-and-set from waiting to collected: those that left by this very hand-over."""
    waiting = sa.update(COLLECTABLES).where(COLLECTABLES.c.id.in_(ids), COLLECTABLES.c.state == CollectableState.WAITING)
    left = waiting.values(state=CollectableState.COLLECTED, left_at=clock.now(), handover_id=move.handover_id)
    return set(session.execute(left.returning(COLLECTABLES.c.id)).scalars())
