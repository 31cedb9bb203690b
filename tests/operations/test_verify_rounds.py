"""Rounds of `flask verify`: what is new is checked at once, wherever the books are cut; what is broken stays so until it is whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from shop.cli.verify import rounds
from shop.cli.verify.checks import broken, check
from shop.cli.verify.facts import Facts, parts, snapshot
from shop.cli.verify.slices import EVERY_ROUND, SLICED, SLICES, SOURCES, cut
from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.models.platform import AuditEntry, InvariantCheck, Mark
from shop.platform import marks
from shop.platform.features import registry
from shop.platform.invariants import Row, ScriptedInvariant
from tests.operations.test_verify import planted
from tests.operations.verify_faults import FAULTS
from tests.support import right_books

INVARIANTS = registry.invariants()
NOTHING_NEW = dict.fromkeys(SOURCES, 10**9)
ALL_NEW = dict.fromkeys(SOURCES, 0)


def sliced(session: Session, since: dict[str, int]) -> list[str]:
    outcomes = rounds.check_slices(session, Facts(session), since, set(), rounds.nothing)
    assert [one for one in outcomes if one.trouble] == []
    return [one.name for one in outcomes if one.finding]


@pytest.mark.one_engine
def test_what_is_checked_in_rounds_are_invariants() -> None:
    names = {one.name for one in INVARIANTS}
    assert names >= SLICED | EVERY_ROUND
    assert not SLICED & EVERY_ROUND
    assert sum(len(part.invariants) for part in SLICES) == len(SLICED)


@pytest.mark.one_engine
def test_named_queries_are_told_apart() -> None:
    assert parts("a AS (SELECT '(' FROM t), b AS (SELECT (1) FROM a)") == {"a": "SELECT '(' FROM t", "b": "SELECT (1) FROM a"}
    recursive = parts("RECURSIVE r AS (SELECT 1 UNION SELECT 2 FROM r), s AS (SELECT 3)")
    assert recursive == {"r": "WITH RECURSIVE r AS (SELECT 1 UNION SELECT 2 FROM r) SELECT * FROM r", "s": "SELECT 3"}


def test_right_books_hold_wherever_they_are_cut(app: Flask) -> None:
    right_books.write()
    for since in (ALL_NEW, NOTHING_NEW, *({**NOTHING_NEW, source: number} for source in SOURCES for number in range(12))):
        with snapshot() as session:  # one each: a transaction of PostgreSQL has room for so many tables
            assert sliced(session, since) == [], since


@pytest.mark.parametrize("name", sorted(SLICED))
def test_a_fault_in_new_rows_is_found_in_the_slice(app: Flask, name: str) -> None:
    right_books.write()
    with planted(app, *FAULTS[name]) as session:
        assert name in sliced(session, ALL_NEW)


@pytest.mark.parametrize("name", sorted(one.name for one in INVARIANTS))
def test_facts_worked_out_once_find_the_same(app: Flask, name: str) -> None:
    right_books.write()
    with planted(app, *FAULTS[name]) as session:
        outcomes = check(session, INVARIANTS, Facts(session))
    assert [one.name for one in outcomes if not one.holds] == [name]


def test_a_slice_leaves_the_books_as_they_were(app: Flask) -> None:
    right_books.write()
    with snapshot() as session:
        before = session.scalar(sa.text("SELECT COUNT(*) FROM purchases"))
        with cut(session, SLICES[0], NOTHING_NEW):
            assert session.scalar(sa.text("SELECT COUNT(*) FROM purchases")) < before
        assert session.scalar(sa.text("SELECT COUNT(*) FROM purchases")) == before
    assert reading().scalar(sa.text("SELECT COUNT(*) FROM purchases")) == before


def let_deeds_be_recorded() -> None:
    """The books were written with numbers of their own, which PostgreSQL's sequence does not know."""
    if reading().get_bind().dialect.name == "postgresql":
        with transaction() as session:
            session.execute(sa.text("SELECT setval(pg_get_serial_sequence('audit_entries', 'id'), 100)"))


def spoil() -> None:
    """A card payment that nobody asked the provider for, of another amount than its purchase: no constraint sees it."""
    with transaction() as session:
        session.execute(sa.text("UPDATE purchases SET total = total + 1, goods_total = goods_total + 1 WHERE id = 3"))


def mend() -> None:
    with transaction() as session:
        session.execute(sa.text("UPDATE purchases SET total = total - 1, goods_total = goods_total - 1 WHERE id = 3"))


def standing(name: str) -> InvariantCheck:
    reading().rollback()
    return reading().get_one(InvariantCheck, name)


def test_the_mark_does_not_move_past_a_broken_row(app: Flask) -> None:
    right_books.write()
    let_deeds_be_recorded()
    rounds.run_round()
    spoil()
    clock.move(timedelta(minutes=1))
    found = {one.name for one in rounds.run_round() if one.finding}
    assert "payments.ask_for_what_is_owed" in found
    for minutes in (30, 60, 90):  # long past every mark, and the purchase is not open any more
        clock.move(timedelta(minutes=minutes))
        assert "payments.ask_for_what_is_owed" in {one.name for one in rounds.run_round() if one.finding}
        assert standing("payments.ask_for_what_is_owed").broken_since is not None
    mend()
    rounds.run_round()
    assert standing("payments.ask_for_what_is_owed").broken_since is None
    about_it = AuditEntry.facts["invariant"].as_string() == "payments.ask_for_what_is_owed"
    deeds = list(reading().scalars(sa.select(AuditEntry.action).where(about_it).order_by(AuditEntry.id)))
    assert deeds == ["invariant.broken", "invariant.mended"], "each is put on record once"


def test_marks_wait_for_those_who_commit_late(app: Flask) -> None:
    right_books.write()
    with transaction() as session:
        marks.follow(session, {"verify:transfers": 10})
    for minutes, top, expected in ((1, 20, 10), (11, 30, 10), (12, 40, 10), (22, 50, 30)):
        clock.move(timedelta(minutes=minutes))
        with transaction() as session:
            marks.follow(session, {"verify:transfers": top})
        reading().rollback()
        assert reading().get_one(Mark, "verify:transfers").up_to == expected, (minutes, top)


def test_everything_is_checked_whole_within_a_day(app: Flask) -> None:
    right_books.write()
    rounds.run_round()
    names = {one.name for one in INVARIANTS}
    whole = set(reading().scalars(sa.select(InvariantCheck.name).where(InvariantCheck.whole_at.is_not(None))))
    assert whole == names
    with_nothing_due = {one.name for one in rounds.run_round()}
    assert with_nothing_due == SLICED | EVERY_ROUND


def raises(_session: Session) -> Iterable[Row]:
    raise ZeroDivisionError


def test_one_check_that_fails_hides_no_other(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    right_books.write()
    bad = replace(INVARIANTS[0], name="a.bad", sentence="Bad.", statement="SELECT nonsense FROM nowhere")
    crashing = ScriptedInvariant("a.crashing", "Crashes.", raises)
    with snapshot() as session:
        outcomes = check(session, [bad, crashing, *INVARIANTS], Facts(session))
    assert [one.name for one in outcomes if not one.holds] == ["a.bad", "a.crashing"]
    assert all(one.trouble for one in outcomes[:2])
    monkeypatch.setattr(registry, "invariants", lambda: (bad, *INVARIANTS))
    result = app.test_cli_runner().invoke(args=["verify"])
    assert result.exit_code == 2
    assert "NOT CHECKED a.bad" in result.output


def test_a_snapshot_sees_one_moment(app: Flask) -> None:
    right_books.write()
    with snapshot() as session:
        session.scalar(sa.text("SELECT COUNT(*) FROM purchases"))
        spoil()
        assert broken(session) == []
    assert broken(reading()) != []
    mend()


def test_a_mark_is_put_where_somebody_has_come_to(app: Flask) -> None:
    perform(marks.put, "prune:test", 3)
    assert marks.read(reading(), ["prune:test"]) == {"prune:test": 3}
