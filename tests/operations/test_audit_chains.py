"""The audit is sealed by what is new, whatever commits late; each community's month is a chain that is checked by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.kernel import clock
from shop.kernel.columns import CITY
from shop.kernel.db import database, perform, reading, transaction
from shop.kernel.statements import table
from shop.models.platform import AuditChain, AuditEntry, AuditGap, AuditLink, AuditSeal
from shop.platform import audit, audit_chains, audit_checks, jobs
from shop.platform.actor import JOB
from tests.support.factories import Factories
from tests.support.queries import counted
from tests.support.tags import tag

AT_ONCE = timedelta(0)


def note(count: int = 1, subject: str = "variant", subject_id: int = 1) -> None:
    with transaction() as session:
        audit.record_each(session, JOB, tag("test.done"), subject, [subject_id] * count)


def insert_numbered(*ids: int, at: datetime | None = None, community_id: int = CITY) -> None:
    """Entries under these numbers: as if their transactions committed now."""
    row = {
        "at": at or clock.now(), "actor_kind": "job", "action": "test.done", "subject_type": "variant", "subject_id": 1, "facts": {},
        "community_id": community_id,
    }  # fmt: skip
    with transaction() as session:
        session.execute(sa.insert(AuditEntry), [{**row, "id": entry_id} for entry_id in ids])


def seal(**how: Any) -> int:
    return perform(audit_chains.seal, **{"grace": AT_ONCE, **how})


def sealed() -> list[int]:
    """The entries in the order in which they were sealed, of the one chain there is."""
    reading().rollback()
    return list(reading().scalars(sa.select(AuditLink.entry_id).order_by(AuditLink.position)))


def breaks(**how: Any) -> list[str]:
    reading().rollback()
    return [found.wrong for found in audit_checks.broken_links(reading(), **how)]


def forge(statement: str) -> None:
    """What somebody does who may switch triggers off; where both engines are asked for it, without a trace."""
    with database.engines[None].begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
            connection.execute(sa.text(statement))
            return
        named = connection.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit%'")).all()
        for trigger in named:
            connection.execute(sa.text(f"DROP TRIGGER {trigger.name}"))
        connection.execute(sa.text(statement))
        for trigger in named:
            connection.exec_driver_sql(trigger.sql)


def first_id() -> int:
    """A number from which on none is taken."""
    note()
    seal()
    reading().rollback()
    return (reading().scalar(sa.select(sa.func.max(AuditEntry.id))) or 0) + 1


def test_a_deed_is_of_the_community_of_what_it_was_done_to(make: Factories) -> None:
    point = make.point()
    user = make.user(pickup_point_id=point.id)
    for subject, subject_id in (("pickup_point", point.id), ("user", user.id), ("variant", 1), ("user", user.id + 1)):
        note(subject=subject, subject_id=subject_id)
    found = reading().scalars(sa.select(AuditEntry.community_id).order_by(AuditEntry.id)).all()
    assert found == [point.community_id, point.community_id, CITY, CITY]


def test_entries_wait_until_those_before_them_have_had_time_to_commit(app: Flask) -> None:
    note()
    assert perform(audit_chains.seal) == 0
    clock.move(audit_chains.GRACE)
    assert perform(audit_chains.seal) == 1


def test_what_commits_late_is_sealed_too_and_the_chain_holds(app: Flask) -> None:
    start = first_id()
    insert_numbered(start + 2, start + 3)  # of a transaction that began after those of `start` and the next, and was faster
    assert seal() == 2
    insert_numbered(start + 1)
    assert seal() == 1
    insert_numbered(start)
    insert_numbered(start + 4)
    assert seal() == 2
    assert sealed()[1:] == [start + 2, start + 3, start + 1, start, start + 4]
    assert breaks(whole=True) == []
    assert reading().scalar(sa.select(sa.func.count()).select_from(AuditGap)) == (1 if start > 2 and sealed()[0] > 1 else 0)


def test_without_looking_for_what_was_missing_it_would_stay_unsealed(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_chains, "_note_gaps", lambda *_: None)
    start = first_id()
    insert_numbered(start + 1)
    seal()
    insert_numbered(start)
    assert seal() == 0
    assert audit_checks.passed_over(reading()) == [start]


def test_a_number_that_never_comes_is_given_up(app: Flask) -> None:
    start = first_id()
    insert_numbered(start + 5)
    seal()
    assert start in [gap.first_id for gap in reading().scalars(sa.select(AuditGap))]
    clock.move(audit_chains.LOOKED_FOR + timedelta(seconds=1))
    seal()
    reading().rollback()
    assert reading().scalars(sa.select(AuditGap)).all() == []


def test_each_community_and_month_is_a_chain_of_its_own_that_is_checked_alone(app: Flask) -> None:
    start = first_id()
    october = datetime(2025, 10, 31, 15, 59, tzinfo=UTC)  # a minute before November begins in the city
    insert_numbered(start, at=october, community_id=3)
    insert_numbered(start + 1, at=october + timedelta(minutes=1), community_id=3)
    insert_numbered(start + 2, at=october, community_id=4)
    seal()
    found = reading().execute(sa.select(AuditChain.community_id, AuditChain.month, AuditChain.links).where(AuditChain.community_id > CITY))
    assert sorted(tuple(row) for row in found) == [(3, "2025-10", 1), (3, "2025-11", 1), (4, "2025-10", 1)]
    forge(f"UPDATE audit_entries SET action = 'test.undone' WHERE id = {start + 1}")
    assert breaks(month="2025-10") == []
    assert breaks(month="2025-11") == ["entry changed"]


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        ("UPDATE audit_entries SET facts = '{\"amount\": 1}' WHERE id = {third}", ["entry changed"]),
        ("UPDATE audit_entries SET community_id = 9 WHERE id = {third}", ["elsewhere"]),
        ("DELETE FROM audit_entries WHERE id = {third}", ["entry lost"]),
        ("DELETE FROM audit_links WHERE entry_id = {third}", ["link lost"]),
        ("DELETE FROM audit_links WHERE entry_id = {last}", ["end lost"]),
        ("UPDATE audit_links SET hash = 'x' WHERE entry_id = {third}", ["entry changed", "entry changed"]),
    ],
)  # fmt: skip
def test_what_is_done_to_a_chain_is_found(app: Flask, statement: str, wrong: list[str]) -> None:
    start = first_id()
    insert_numbered(*range(start, start + 5))
    seal()
    assert breaks() == []
    forge(statement.replace("{third}", str(start + 2)).replace("{last}", str(start + 4)))
    assert breaks() == wrong


def test_a_check_goes_on_from_the_last_anchor_and_the_whole_from_the_beginning(app: Flask) -> None:
    start = first_id()
    insert_numbered(start, start + 1)
    seal()
    jobs.anchor_audit()
    forge(f"UPDATE audit_entries SET action = 'test.undone' WHERE id = {start}")
    insert_numbered(start + 2)
    seal()
    assert breaks() == []
    assert breaks(whole=True) == ["entry changed"]
    forge(f"UPDATE audit_entries SET action = 'test.undone' WHERE id = {start + 2}")
    assert breaks() == ["entry changed"]


def test_nothing_is_anchored_that_does_not_hold_and_what_was_anchored_cannot_be_sealed_anew(app: Flask) -> None:
    start = first_id()
    insert_numbered(start)
    seal()
    jobs.anchor_audit()
    anchored = sa.select(AuditChain.anchored_links)
    before = reading().scalars(anchored).all()
    insert_numbered(start + 1)
    seal()
    forge(f"DELETE FROM audit_entries WHERE id = {start + 1}")
    jobs.anchor_audit()
    reading().rollback()
    assert reading().scalars(anchored).all() == before
    forge(f"UPDATE audit_links SET hash = 'x' WHERE entry_id = {start}")
    assert "anchor differs" in breaks()


def test_a_check_of_chains_that_have_not_grown_costs_the_same_however_many_entries_there_are(app: Flask) -> None:
    note(5)
    seal()
    jobs.anchor_audit()
    with counted() as few:
        assert breaks() == []
    note(500)
    seal()
    jobs.anchor_audit()
    with counted() as many:
        assert breaks() == []
    assert len(many) == len(few)


def test_sealing_asks_for_what_is_new_only(app: Flask) -> None:
    note(5)
    seal()
    note(5)
    with counted() as statements:
        assert seal() == 5
    text = " ".join(str(statement) for statement in statements)
    assert "NOT (EXISTS" not in text
    assert len(statements) <= 10


def test_the_command_says_whether_chains_hold(app: Flask) -> None:
    start = first_id()
    insert_numbered(start)
    seal()
    runner = app.test_cli_runner()
    assert runner.invoke(args=["audit", "check", "--whole"]).output == "every chain holds\n"
    assert "1 chains anchored" in runner.invoke(args=["audit", "anchor"]).output
    assert runner.invoke(args=["audit", "check", "--month", "2026-13"]).exit_code == 2
    forge(f"DELETE FROM audit_entries WHERE id = {start}")
    assert runner.invoke(args=["audit", "check"]).exit_code == 0, "nothing is new"
    month = f"{clock.local(clock.now()):%Y-%m}"
    found = runner.invoke(args=["audit", "check", "--month", month])
    assert found.exit_code == 1
    assert "entry lost" in found.output


def test_the_first_chain_is_anchored_too_whoever_began_it(app: Flask) -> None:
    start = first_id()
    insert_numbered(start)
    entry = reading().execute(sa.select(table(AuditEntry)).where(AuditEntry.id == start)).one()
    sealed_as = audit_chains.digest(audit_checks.GENESIS_OF_FIRST, audit_chains.spelled(entry))
    with transaction() as session:
        session.execute(sa.insert(AuditSeal).values(sequence=1, entry_id=start, hash=sealed_as))
    jobs.anchor_audit()
    reading().rollback()
    anchored = sa.select(AuditChain.anchored_links).where(AuditChain.month == "first")
    assert reading().scalar(anchored) == 1
    assert breaks(whole=True) == []
    forge(f"UPDATE audit_entries SET action = 'test.undone' WHERE id = {start}")
    assert breaks(month="first", whole=True) == ["entry changed"]
