"""Which pass is meant at the counter, whether it opens anything, and how many codes may be tried to find one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.counter import rules
from shop.counter.errors import TooManyGuesses
from shop.counter.rules import PassFacts, Reason
from shop.kernel import clock, ids
from shop.kernel.errors import NotFound
from shop.kernel.rows import one_as
from shop.kernel.statements import table
from shop.models.accounts import User
from shop.models.pickup import Handover, HandoverKept, HandoverOutcome, Pass, PassState
from shop.pickup import passes
from shop.pickup.codes import Kind, Shown
from shop.platform.actor import Actor
from shop.platform.belonging import community_of
from shop.platform.permissions import Permission

HANDOVERS = table(Handover)
PASSES = table(Pass)
KEPT = table(HandoverKept)
HOUR = timedelta(hours=1)


def point_of(actor: Actor, wanted: int | None, permission: Permission) -> int:
    """The point at which the actor may do this. Raises `NotFound` for one that is not theirs."""
    point_id = rules.keeps(actor.points(permission), wanted)
    if point_id is None:
        raise NotFound()
    return point_id


def take_turn(session: Session, actor: Actor, point_id: int, moment: datetime) -> bool:
    """Before a code that could be guessed is looked up: whether this keeper made too many wrong ones within a minute.

    Then a wrong one is only told to be too many; a right one passes all the same. Codes of one keeper take turns, so parallel guesses
    get no more. Raises `TooManyGuesses` after `rules.GUESSES_PER_HOUR` of the keeper, or `GUESSES_AT_POINT_PER_HOUR` at the point.
    """
    keeper_id = actor.signed_in_id()
    session.execute(sa.select(User.id).where(User.id == keeper_id).with_for_update(key_share=True))
    within = HANDOVERS.c.received_at > moment - HOUR
    last_minute = sa.func.count().filter(HANDOVERS.c.received_at > moment - timedelta(minutes=1))
    own = sa.select(sa.func.count(), last_minute).where(HANDOVERS.c.keeper_id == keeper_id, within, HANDOVERS.c.is_guess)
    in_hour, in_minute = session.execute(own).one()
    at_point = session.scalar(
        sa.select(sa.func.count()).select_from(HANDOVERS).where(HANDOVERS.c.pickup_point_id == point_id, within, HANDOVERS.c.is_guess)
    )
    if in_hour >= rules.GUESSES_PER_HOUR or (at_point or 0) >= rules.GUESSES_AT_POINT_PER_HOUR:
        raise TooManyGuesses(seconds=60)
    return bool(in_minute >= rules.GUESSES_PER_MINUTE)


def find_pass(session: Session, point_id: int, shown: Shown) -> PassFacts | None:
    """The pass that is meant, locked. Six figures mean a pass of this point before any other, a live one before a used one."""
    columns = tuple(PASSES.c[name] for name in PassFacts.__slots__)
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
    return one_as(PassFacts, row) if row else None


def refusal(found: PassFacts | None, point_id: int, shown: Shown, scanned_at: datetime) -> Reason | None:
    """Why what was shown opens nothing here; None when it does."""
    if shown.is_no_pass:
        return Reason.NOT_A_PASS
    if shown.kind is Kind.FORGED:
        return Reason.FORGED_PASS
    reason = rules.judge_pass(found, point_id, scanned_at)
    if reason is None and shown.expires_at is not None and scanned_at > shown.expires_at:
        return Reason.QR_EXPIRED
    return reason


def is_guess(shown: Shown, reason: Reason | None) -> bool:
    """Whether this was a wrong code, as somebody makes who tries figures at random."""
    return shown.is_guessable and reason in rules.GUESSES


def keep_refusal(
    session: Session, actor: Actor, point_id: int, reason: Reason | None, moment: datetime, pass_id: int | None = None, *,
    is_guess: bool = False,
) -> None:  # fmt: skip
    """Keep a scan that was looked up and opens nothing."""
    session.add(
        Handover(
            client_id=f"desk:{ids.secret()}", community_id=community_of("pickup_point", point_id), pickup_point_id=point_id,
            pass_id=pass_id, keeper_id=actor.signed_in_id(), outcome=HandoverOutcome.REFUSED, reason=reason,
            device_time=moment, received_at=moment, is_guess=is_guess,
        )
    )


def keep_back(session: Session, handover_id: int, reasons: Mapping[int, str]) -> None:
    """Write down what stayed at the desk with a hand-over, or came back to it, each with its reason."""
    if reasons:
        found = sa.select(HANDOVERS.c.id.label("handover_id"), HANDOVERS.c.community_id, HANDOVERS.c.received_at)
        whose = session.execute(found.where(HANDOVERS.c.id == handover_id)).mappings().one()
        rows = [{"collectable_id": one, "reason": str(reason), **whose} for one, reason in reasons.items()]
        session.connection().execute(sa.insert(KEPT), rows)
