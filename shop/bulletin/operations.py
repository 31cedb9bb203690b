"""Writing, reviewing, publishing and withdrawing notices, counting who reads them, and telling people of the grave ones."""

from __future__ import annotations

from dataclasses import asdict
from datetime import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.bulletin import queries, rules
from shop.bulletin.errors import (
    AnotherIsOpen,
    CannotBePublished,
    NotADraft,
    NothingToWithdraw,
    NotWaiting,
    ReasonMissing,
)
from shop.bulletin.permissions import BulletinPermission
from shop.bulletin.rules import Step, Wording
from shop.bulletin.tags import Done
from shop.kernel import clock
from shop.kernel.columns import CITY
from shop.kernel.db import insert_once, operation, take
from shop.kernel.errors import NotFound
from shop.models.accounts import User, UserState
from shop.models.bulletin import BulletinNotice, BulletinReader, BulletinVersion, VersionState
from shop.models.pickup import PickupPoint
from shop.platform import audit, notices, outbox
from shop.platform.actor import Actor
from shop.platform.own import refuse_own

TELL = "bulletin.tell"
AT_ONCE = 200
"""How many people one job tells; it asks for the next one itself."""

MORNING = time(8)
"""When people hear of a notice that was published before its first day."""

V = BulletinVersion


@operation
def write(session: Session, actor: Actor, community_id: int, wording: Wording, *, sends: bool) -> int:
    """A new notice of a community, or of the city (`CITY`): its first text, a draft or sent for review; the id of that text.

    Raises `NotFound` for a place where one does not write, and what `rules.check` raises.
    """
    if not queries.covers(queries.places(session, actor, BulletinPermission.NOTICE_WRITE), community_id):
        raise NotFound("community")
    notice = BulletinNotice(community_id=community_id, created_at=clock.now())
    session.add(notice)
    session.flush()
    return add_version(session, actor, notice.id, community_id, wording, sends)


@operation
def correct(session: Session, actor: Actor, notice_id: int, wording: Wording, *, sends: bool) -> int:
    """Another text of a notice; what is published stands until this one is. The id of the text.

    Raises `NotFound` for a notice of elsewhere, `AnotherIsOpen`, and what `rules.check` raises.
    """
    community_id = session.scalar(sa.select(BulletinNotice.community_id).where(BulletinNotice.id == notice_id))
    if community_id is None or not queries.covers(queries.places(session, actor, BulletinPermission.NOTICE_WRITE), community_id):
        raise NotFound()
    return add_version(session, actor, notice_id, community_id, wording, sends)


def add_version(session: Session, actor: Actor, notice_id: int, community_id: int, wording: Wording, sends: bool) -> int:
    rules.check(wording, clock.today())
    latest = session.scalar(sa.select(sa.func.max(V.number)).where(V.notice_id == notice_id)) or 0
    made = insert_once(
        session, V, notice_id=notice_id, community_id=community_id, number=latest + 1,
        state=VersionState.WAITING if sends else VersionState.DRAFT, written_by_id=actor.signed_in_id(), written_at=clock.now(),
        **asdict(wording),
    )  # fmt: skip
    if made is None:
        raise AnotherIsOpen()
    audit.record(session, actor, Done.WRITTEN, "bulletin_notice", notice_id, version=latest + 1)
    if sends:
        audit.record(session, actor, Done.SENT, "bulletin_notice", notice_id, version=latest + 1)
    return made


@operation
def rewrite(session: Session, actor: Actor, version_id: int, wording: Wording, *, sends: bool) -> None:
    """Its writer changes a draft, and perhaps sends it for review. Raises `NotFound`, `NotADraft`, and what `rules.check` raises."""
    found = here(session, actor, version_id, BulletinPermission.NOTICE_WRITE)
    rules.check(wording, clock.today())
    draft = sa.update(V).where(V.id == version_id, V.state == VersionState.DRAFT, V.written_by_id == actor.signed_in_id())
    state = rules.NEXT[VersionState.DRAFT, Step.SEND] if sends else VersionState.DRAFT
    if not take(session, draft.values(state=state, written_at=clock.now(), **asdict(wording))):
        raise NotADraft()
    if sends:
        audit.record(session, actor, Done.SENT, "bulletin_notice", found.notice_id, version=found.number)


def here(session: Session, actor: Actor, version_id: int, permission: BulletinPermission) -> Any:
    """What is to be known of a text for a step. Raises `NotFound` where the permission is not held."""
    wanted = sa.select(V.notice_id, V.community_id, V.number, V.kind, V.is_pinned, V.state, V.starts_on, V.ends_on, V.written_by_id)
    found = session.execute(wanted.where(V.id == version_id)).one_or_none()
    if found is None or not queries.covers(queries.places(session, actor, permission), found.community_id):
        raise NotFound()
    return found


def step(version_id: int, taken: Step, **values: Any) -> sa.Update:
    """One step of a text, from a state that leads there."""
    states = rules.before(taken)
    (onto,) = {rules.NEXT[state, taken] for state in states}
    return sa.update(V).where(V.id == version_id, V.state.in_(states)).values(state=onto, **values)


@operation
def publish(session: Session, actor: Actor, version_id: int) -> None:
    """Put up what somebody else wrote, in place of what stood there; what the government pins is told to its readers, once.

    Raises `NotFound`, `OwnDeed` for one's own text, `CannotBePublished` when its last day is over, `NotWaiting`.
    """
    found = here(session, actor, version_id, BulletinPermission.NOTICE_PUBLISH)
    refuse_own(actor, found.written_by_id)
    if found.state is not VersionState.WAITING:
        raise NotWaiting()
    if found.ends_on < clock.today():
        raise CannotBePublished()
    moment = clock.now()
    shown = sa.update(V).where(V.notice_id == found.notice_id, V.state.in_(rules.before(Step.REPLACE)))
    take(session, shown.values(state=VersionState.REPLACED))
    if not take(session, step(version_id, Step.PUBLISH, published_by_id=actor.signed_in_id(), published_at=moment)):
        raise NotWaiting()
    audit.record(session, actor, Done.PUBLISHED, "bulletin_notice", found.notice_id, version=found.number)
    if rules.is_told(found.kind, found.is_pinned):
        outbox.enqueue(
            session, TELL, dedupe_key=f"{TELL}:{version_id}", about=("bulletin_notice", found.notice_id), version_id=version_id,
            run_at=max(moment, clock.at(found.starts_on, MORNING)),
        )  # fmt: skip


@operation
def refuse(session: Session, actor: Actor, version_id: int, reason: str) -> None:
    """Send back what waits, and say why. Raises `NotFound`, `ReasonMissing`, `NotWaiting`."""
    found = here(session, actor, version_id, BulletinPermission.NOTICE_PUBLISH)
    if not reason:
        raise ReasonMissing()
    if not take(session, step(version_id, Step.REFUSE, closed_by_id=actor.signed_in_id(), closed_at=clock.now(), reason=reason)):
        raise NotWaiting()
    audit.record(session, actor, Done.REFUSED, "bulletin_notice", found.notice_id, version=found.number, reason=reason)


@operation
def withdraw(session: Session, actor: Actor, version_id: int, reason: str) -> None:
    """Take a text away, whether it is written, waits or stands there: it is seen no more, and kept.

    Raises `NotFound`, `ReasonMissing`, `NothingToWithdraw`.
    """
    found = here(session, actor, version_id, BulletinPermission.NOTICE_WRITE)
    if not reason:
        raise ReasonMissing()
    if not take(session, step(version_id, Step.WITHDRAW, closed_by_id=actor.signed_in_id(), closed_at=clock.now(), reason=reason)):
        raise NothingToWithdraw()
    audit.record(session, actor, Done.WITHDRAWN, "bulletin_notice", found.notice_id, version=found.number, reason=reason)


@operation
def note_reader(session: Session, actor: Actor, notice_id: int) -> None:
    """The person who asks has opened a notice; opened before, nothing changes. Raises `NotFound` for one that does not stand there."""
    found = queries.shown(session, notice_id)
    once = {"notice_id": notice_id, "user_id": actor.signed_in_id()}
    if insert_once(session, BulletinReader, community_id=found.community_id, at=clock.now(), **once) is not None:
        take(session, sa.update(BulletinNotice).where(BulletinNotice.id == notice_id).values(readers=BulletinNotice.readers + 1))


@operation
def tell(session: Session, version_id: int, after: int) -> int:
    """Tell the next people of a pinned notice and ask for a job for those after them; how many were told now.

    Once a person and notice, however often it runs and is corrected. What does not stand there any more is told to nobody more.
    """
    found = queries.shown_version(session, version_id)
    if found is None or not rules.is_told(found.kind, found.is_pinned):
        return 0
    there = sa.select(PickupPoint.id)
    if found.community_id != CITY:
        there = there.where(PickupPoint.community_id == found.community_id)
    people = sa.select(User.id).where(User.id > after, User.state == UserState.ACTIVE, User.pickup_point_id.in_(there))
    told = list(session.scalars(people.order_by(User.id).limit(AT_ONCE)))
    title = {"zh": found.title_zh, "en": found.title_en or found.title_zh}
    for user_id in told:
        key, link = f"bulletin:{found.notice_id}:{user_id}", f"/bulletin/{found.notice_id}"
        notices.post(session, user_id, "bulletin.pinned", dedupe_key=key, link=link, title=title)
    if len(told) == AT_ONCE:
        key, about = f"{TELL}:{version_id}:{told[-1]}", ("bulletin_notice", found.notice_id)
        outbox.enqueue(session, TELL, dedupe_key=key, about=about, version_id=version_id, after=told[-1])
    return len(told)
