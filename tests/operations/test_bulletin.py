"""Notices: written by one person, published by another, corrected with all their history, counted, told, and forgotten."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from shop.bulletin import jobs, operations, queries, seeding
from shop.bulletin.errors import (
    AnotherIsOpen,
    CannotBePublished,
    NotADraft,
    NothingToWithdraw,
    NotWaiting,
    ReasonMissing,
    TextMissing,
)
from shop.bulletin.feature import FEATURE
from shop.bulletin.rules import Wording
from shop.cli.verify.checks import broken
from shop.kernel import clock
from shop.kernel.columns import CITY
from shop.kernel.db import perform, reading, transaction
from shop.kernel.errors import NotFound
from shop.models.bulletin import BulletinKind, BulletinNotice, BulletinReader, BulletinVersion, VersionState
from shop.models.pickup import PickupPoint
from shop.models.platform import AuditEntry, Job, Notice
from shop.platform import retention
from shop.platform.actor import Actor, Grant
from shop.platform.own import OwnDeed
from tests.support.factories import Factories, actor_of


@pytest.fixture
def point(make: Factories) -> PickupPoint:
    return make.point("here")


@pytest.fixture
def elsewhere(make: Factories) -> PickupPoint:
    return make.point("there")


@pytest.fixture
def keeper(make: Factories, point: PickupPoint) -> Actor:
    return actor_of(make.user(), Grant("keeper", pickup_point_id=point.id))


@pytest.fixture
def operator(make: Factories) -> Actor:
    return actor_of(make.user(), Grant("operator"))


@pytest.fixture
def wording() -> Wording:
    today = clock.today()
    return Wording(BulletinKind.COMMUNITY, "停水通知", "明天停水。", today, today + timedelta(days=3))


def written(actor: Actor, community_id: int, wording: Wording, *, sends: bool = True) -> int:
    return perform(operations.write, actor, community_id, wording, sends=sends)


def states() -> list[VersionState]:
    reading().rollback()
    return list(reading().scalars(sa.select(BulletinVersion.state).order_by(BulletinVersion.id)))


def deeds() -> list[str]:
    reading().rollback()
    return list(reading().scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)))


def titles(*communities: int) -> list[str]:
    reading().rollback()
    return [one.title_zh for one in queries.list_shown(reading(), communities)[0]]


def notice_of(version_id: int) -> int:
    reading().rollback()
    return reading().scalars(sa.select(BulletinVersion.notice_id).where(BulletinVersion.id == version_id)).one()


def test_what_one_wrote_another_publishes_and_it_stands_there(
    keeper: Actor, operator: Actor, point: PickupPoint, wording: Wording
) -> None:
    text = written(keeper, point.community_id, wording)
    assert titles(point.community_id) == []
    perform(operations.publish, operator, text)
    assert titles(point.community_id) == ["停水通知"]
    assert titles(CITY) == []
    assert deeds() == ["bulletin.written", "bulletin.sent", "bulletin.published"]


def test_nobody_publishes_what_they_wrote_and_nothing_changes(operator: Actor, wording: Wording) -> None:
    text = written(operator, CITY, wording)
    with pytest.raises(OwnDeed):
        perform(operations.publish, operator, text)
    assert states() == [VersionState.WAITING]


def test_the_database_too_knows_that_nobody_publishes_their_own(operator: Actor, wording: Wording) -> None:
    text = written(operator, CITY, wording)
    own = sa.update(BulletinVersion).where(BulletinVersion.id == text)
    published = own.values(state=VersionState.PUBLISHED, published_by_id=operator.user_id, published_at=clock.now())
    with pytest.raises(sa.exc.IntegrityError), transaction() as session:
        session.execute(published)


def test_a_keeper_writes_for_their_community_alone_and_publishes_nothing(
    keeper: Actor, operator: Actor, elsewhere: PickupPoint, wording: Wording
) -> None:
    for community_id in (elsewhere.community_id, CITY):
        with pytest.raises(NotFound):
            written(keeper, community_id, wording)
    assert states() == []
    text = written(operator, elsewhere.community_id, wording)
    for deed in (operations.publish, operations.rewrite, operations.withdraw, operations.refuse, operations.correct):
        arguments: tuple[Any, ...] = {operations.publish: ()}.get(deed, ("why",))
        named = {}
        if deed in (operations.rewrite, operations.correct):
            arguments, named = (wording,), {"sends": True}
        with pytest.raises(NotFound):
            perform(deed, keeper, notice_of(text) if deed is operations.correct else text, *arguments, **named)
    assert states() == [VersionState.WAITING]


def test_a_keepers_own_community_does_not_let_them_publish(keeper: Actor, operator: Actor, point: PickupPoint, wording: Wording) -> None:
    text = written(operator, point.community_id, wording)
    with pytest.raises(NotFound):
        perform(operations.publish, keeper, text)
    assert states() == [VersionState.WAITING]


def test_what_cannot_be_put_up_is_refused_and_nothing_is_kept(keeper: Actor, point: PickupPoint, wording: Wording) -> None:
    with pytest.raises(TextMissing):
        written(keeper, point.community_id, replace(wording, text_zh=""))
    reading().rollback()
    assert reading().scalar(sa.select(sa.func.count()).select_from(BulletinNotice)) == 0
    assert deeds() == []


def test_a_draft_is_changed_by_its_writer_until_it_is_sent(
    keeper: Actor, operator: Actor, make: Factories, point: PickupPoint, wording: Wording
) -> None:
    draft = written(keeper, point.community_id, wording, sends=False)
    with pytest.raises(NotADraft):
        perform(operations.rewrite, operator, draft, wording, sends=True)
    with pytest.raises(NotWaiting):
        perform(operations.publish, operator, draft)
    perform(operations.rewrite, keeper, draft, replace(wording, title_zh="改过"), sends=True)
    with pytest.raises(NotADraft):
        perform(operations.rewrite, keeper, draft, replace(wording, title_zh="再改"), sends=True)
    perform(operations.publish, operator, draft)
    assert titles(point.community_id) == ["改过"]


def test_a_correction_takes_the_place_of_what_stood_there_and_both_are_kept(
    keeper: Actor, operator: Actor, point: PickupPoint, wording: Wording
) -> None:
    first = written(keeper, point.community_id, wording)
    perform(operations.publish, operator, first)
    second = perform(operations.correct, keeper, notice_of(first), replace(wording, title_zh="后天停水"), sends=True)
    assert titles(point.community_id) == ["停水通知"], "until it is published"
    with pytest.raises(AnotherIsOpen):
        perform(operations.correct, keeper, notice_of(first), wording, sends=True)
    perform(operations.publish, operator, second)
    assert titles(point.community_id) == ["后天停水"]
    assert states() == [VersionState.REPLACED, VersionState.PUBLISHED]
    assert notice_of(first) == notice_of(second), "its address stays"
    assert [one.title_zh for one in queries.history(reading(), notice_of(first))] == ["后天停水", "停水通知"]


def test_published_twice_or_after_it_was_taken_away_is_refused(
    keeper: Actor, operator: Actor, point: PickupPoint, wording: Wording
) -> None:
    first, second = (written(keeper, point.community_id, wording) for _ in range(2))
    perform(operations.publish, operator, first)
    perform(operations.withdraw, keeper, second, "写错了")
    for text in (first, second):
        with pytest.raises(NotWaiting):
            perform(operations.publish, operator, text)
    assert states() == [VersionState.PUBLISHED, VersionState.WITHDRAWN]


def test_refused_it_says_why_and_stands_nowhere(keeper: Actor, operator: Actor, point: PickupPoint, wording: Wording) -> None:
    text = written(keeper, point.community_id, wording)
    with pytest.raises(ReasonMissing):
        perform(operations.refuse, operator, text, "")
    perform(operations.refuse, operator, text, "日期不对")
    with pytest.raises(NotWaiting):
        perform(operations.refuse, operator, text, "又一次")
    seen = queries.one_on_desk(reading(), None, text)
    assert (seen.state, seen.reason) == (VersionState.REFUSED, "日期不对")
    assert titles(point.community_id) == []
    again = perform(operations.correct, keeper, seen.notice_id, wording, sends=True)
    perform(operations.publish, operator, again)
    assert titles(point.community_id) == ["停水通知"]


def test_withdrawn_it_is_seen_no_more(keeper: Actor, operator: Actor, point: PickupPoint, wording: Wording) -> None:
    text = written(keeper, point.community_id, wording)
    perform(operations.publish, operator, text)
    with pytest.raises(ReasonMissing):
        perform(operations.withdraw, keeper, text, "")
    perform(operations.withdraw, keeper, text, "不停水了")
    with pytest.raises(NothingToWithdraw):
        perform(operations.withdraw, keeper, text, "又一次")
    assert titles(point.community_id) == []
    with pytest.raises(NotFound):
        queries.shown(reading(), notice_of(text))


def test_it_comes_and_goes_by_its_days(keeper: Actor, operator: Actor, point: PickupPoint, wording: Wording) -> None:
    later = replace(wording, starts_on=wording.starts_on + timedelta(days=1), ends_on=wording.starts_on + timedelta(days=2))
    text, late = written(keeper, point.community_id, later), written(keeper, point.community_id, later)
    perform(operations.publish, operator, text)
    seen = []
    for _ in range(4):
        seen.append(titles(point.community_id) != [])
        clock.move(clock.shift() + timedelta(days=1))
    assert seen == [False, True, True, False]
    with pytest.raises(CannotBePublished):
        perform(operations.publish, operator, late)


def test_pinned_come_first_then_the_newest_and_every_page_goes_on(
    keeper: Actor, operator: Actor, point: PickupPoint, wording: Wording
) -> None:
    for number in range(7):
        text = written(keeper, point.community_id, replace(wording, title_zh=str(number), is_pinned=number in (1, 2, 4)))
        perform(operations.publish, operator, text)
    seen: list[str] = []
    before: int | None = None
    while True:
        page, before = queries.list_shown(reading(), (CITY, point.community_id), before, 2)
        seen += [one.title_zh for one in page]
        if before is None:
            break
    assert seen == ["4", "2", "1", "6", "5", "3", "0"]


def test_a_reader_is_counted_once(keeper: Actor, operator: Actor, make: Factories, point: PickupPoint, wording: Wording) -> None:
    text = written(keeper, point.community_id, wording)
    reader, other = actor_of(make.user()), actor_of(make.user())
    with pytest.raises(NotFound):
        perform(operations.note_reader, reader, notice_of(text))
    perform(operations.publish, operator, text)
    for who in (reader, other, reader):
        perform(operations.note_reader, who, notice_of(text))
    reading().rollback()
    assert queries.readers(reading(), notice_of(text)) == 2


def run_jobs() -> None:
    """Those that are due, and those that they ask for."""
    reading().rollback()
    while due := reading().scalars(
        sa.select(Job).where(Job.kind == operations.TELL, Job.state == "queued", Job.run_at <= clock.now())
    ).first():  # fmt: skip
        job_id, arguments = due.id, dict(due.arguments)
        reading().rollback()
        jobs.tell(**arguments)
        jobs.tell(**arguments)  # a job may run twice
        with transaction() as session:
            session.execute(sa.update(Job).where(Job.id == job_id).values(state="done"))
        reading().rollback()


def told() -> list[int]:
    reading().rollback()
    return sorted(reading().scalars(sa.select(Notice.user_id).where(Notice.kind == "bulletin.pinned")))


@pytest.mark.parametrize("of_the_city", [True, False])
def test_what_the_government_pins_is_told_once_to_everybody_there(
    operator: Actor, make: Factories, point: PickupPoint, elsewhere: PickupPoint, wording: Wording, of_the_city: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(operations, "AT_ONCE", 2)
    here = [make.user(point=point).id for _ in range(5)]
    there, nowhere = make.user(point=elsewhere), make.user()
    grave = replace(wording, kind=BulletinKind.GOVERNMENT, is_pinned=True)
    writer = actor_of(nowhere, Grant("operator"))
    text = written(writer, CITY if of_the_city else point.community_id, grave)
    perform(operations.publish, operator, text)
    run_jobs()
    assert told() == sorted([*here, *([there.id] if of_the_city else [])])
    perform(operations.publish, operator, perform(operations.correct, writer, notice_of(text), grave, sends=True))
    run_jobs()
    assert len(told()) == len(set(told())), "a correction tells nobody twice"


@pytest.mark.parametrize(
    ("kind", "is_pinned"), [(BulletinKind.GOVERNMENT, False), (BulletinKind.COMMUNITY, True), (BulletinKind.PARTY_BUILDING, True)]
)
def test_other_notices_are_told_to_nobody(
    keeper: Actor, operator: Actor, make: Factories, point: PickupPoint, wording: Wording, kind: BulletinKind, is_pinned: bool
) -> None:
    make.user(point=point)
    perform(operations.publish, operator, written(keeper, point.community_id, replace(wording, kind=kind, is_pinned=is_pinned)))
    run_jobs()
    assert told() == []


def test_what_is_withdrawn_before_its_morning_is_told_to_nobody(
    keeper: Actor, operator: Actor, make: Factories, point: PickupPoint, wording: Wording
) -> None:
    make.user(point=point)
    grave = replace(wording, kind=BulletinKind.GOVERNMENT, is_pinned=True, starts_on=wording.starts_on + timedelta(days=1))
    text = written(keeper, point.community_id, grave)
    perform(operations.publish, operator, text)
    run_jobs()
    assert told() == []
    perform(operations.withdraw, keeper, text, "改期")
    clock.move(clock.shift() + timedelta(days=2))
    run_jobs()
    assert told() == []


def test_notices_are_forgotten_after_four_years_with_their_texts_but_not_what_still_stands(
    keeper: Actor, operator: Actor, make: Factories, point: PickupPoint, wording: Wording
) -> None:
    old, kept = (written(keeper, point.community_id, wording) for _ in range(2))
    perform(operations.publish, operator, old)
    perform(operations.note_reader, actor_of(make.user()), notice_of(old))
    clock.move(clock.shift() + timedelta(days=4 * 366 + 1))
    today = clock.today()
    written(keeper, point.community_id, replace(wording, starts_on=today, ends_on=today))  # the newest row always stays
    for model, keep in (FEATURE.keeps or {}).items():
        for number, rule in enumerate(keep.forget):
            retention.prune(model, rule, number, time.monotonic() + 10)
    reading().rollback()
    assert old not in set(reading().scalars(sa.select(BulletinVersion.id)))
    assert kept in set(reading().scalars(sa.select(BulletinVersion.id))), "it waits still"
    assert reading().scalar(sa.select(sa.func.count()).select_from(BulletinReader)) == 0


def test_the_demo_citys_notices_are_as_if_they_had_been_written_here(make: Factories) -> None:
    people = {phone: make.user(phone) for phone in (seeding.OPERATOR, seeding.SECOND_OPERATOR, seeding.KEEPER, *seeding.REGULARS)}
    home = make.community("tianchenghu")
    with transaction() as session:
        seeding.seed(session, Random(1))
    listed = queries.list_shown(reading(), (CITY, home.id))[0]
    assert len(listed) == 5, "what is over, waits or was refused is not read"
    assert all("{" not in each.text_zh + each.text_en for each in listed)
    assert all(each.text_zh for each in listed)
    assert reading().scalar(sa.select(sa.func.count()).select_from(BulletinReader)) > len(people)
    assert broken(reading()) == []
