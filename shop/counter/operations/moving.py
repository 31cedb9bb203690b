"""Things come to a counter, and those that nobody collects leave it again. Their kind does what that means, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation, take
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.kernel.statements import table
from shop.models.pickup import Collectable, CollectableState, Pass
from shop.pickup import passes
from shop.platform.actor import JOB, Actor
from shop.platform.collecting import Opened
from shop.platform.features import registry

COLLECTABLES = table(Collectable)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A thing that came: its row, its number, and who sent it."""

    subject_id: int
    number: str
    source: str
    place: str | None = None


class OfAKind(Protocol):
    @property
    def kind(self) -> str: ...


T = TypeVar("T", bound=OfAKind)


def by_kind(things: Iterable[T]) -> Iterator[tuple[str, list[T]]]:
    """Things together with others of their kind, always in the same order: two hand-overs never wait for each other in a circle."""
    for kind, some in groupby(sorted(things, key=lambda one: one.kind), key=lambda one: one.kind):
        yield kind, list(some)


@operation
def put_down(session: Session, kind: str, things: Sequence[Arrived], pass_id: int) -> None:
    """Things of a kind lie at the counter from now on, to be collected with a pass that the caller has locked. Each thing once.

    Raises `sqlalchemy.exc.IntegrityError` for one that lay there before: whoever brings it has made sure that it comes once.
    """
    whose = sa.select(Pass.community_id, Pass.pickup_point_id, Pass.user_id).where(Pass.id == pass_id)
    of_pass = session.execute(whose).mappings().one()
    facts = {**of_pass, "pass_id": pass_id, "kind": kind, "state": CollectableState.WAITING, "since": clock.now()}
    rows = [
        {"subject_id": one.subject_id, "number": one.number, "source": one.source, "place": one.place, **facts}
        for one in things
    ]  # fmt: skip
    session.connection().execute(sa.insert(COLLECTABLES), rows)


@operation
def end_by_itself(session: Session, kind: str, subject_id: int) -> bool:
    """Take off the shelf what has waited its whole time. False, and nothing happens, when it has left or has more time meanwhile."""
    held = _hold(session, kind, subject_id)
    until = registry.collectables()[kind].ends_at(session, subject_id) if held else None
    if held is None or until is None or until > clock.now():
        return False
    _give_up(session, JOB, kind, subject_id, held, "not collected")
    return True


@operation
def give_up(session: Session, actor: Actor, kind: str, subject_id: int, reason: str) -> Money:
    """Somebody does not wait any longer for whoever should collect it; what goes back. Raises `NotFound` when it does not wait there."""
    held = _hold(session, kind, subject_id)
    if held is None:
        raise NotFound()
    return _give_up(session, actor, kind, subject_id, held, reason)


def _is(kind: str, subject_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return COLLECTABLES.c.kind == kind, COLLECTABLES.c.subject_id == subject_id, COLLECTABLES.c.state == CollectableState.WAITING


def _hold(session: Session, kind: str, subject_id: int) -> tuple[int, Opened] | None:
    """The pass of a thing, locked as at the desk, and the thing opened by its kind; None when it does not wait."""
    pass_id = session.scalar(sa.select(COLLECTABLES.c.pass_id).where(*_is(kind, subject_id)))
    if pass_id is None:
        return None
    session.execute(sa.select(Pass.id).where(Pass.id == pass_id).with_for_update(key_share=True))
    return pass_id, registry.collectables()[kind].open(session, [subject_id])


def _give_up(session: Session, actor: Actor, kind: str, subject_id: int, held: tuple[int, Opened], reason: str) -> Money:
    pass_id, opened = held
    left = sa.update(COLLECTABLES).where(*_is(kind, subject_id), COLLECTABLES.c.pass_id == pass_id)
    if not take(session, left.values(state=CollectableState.NOT_COLLECTED, left_at=clock.now())):
        raise NotFound()  # it was collected while we waited for its pass
    back = registry.collectables()[kind].on_not_collected(session, actor, opened, subject_id, reason)
    passes.close_uncollected(session, pass_id)
    return back
