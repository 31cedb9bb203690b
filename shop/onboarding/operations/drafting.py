"""What an applicant says, subject by subject; handing it in, answering, taking it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.communities.queries import directory
from shop.kernel import clock
from shop.kernel.db import insert_once, operation, take
from shop.merchants.rules import credit_code
from shop.models.onboarding import ApplicantKind, Application, ApplicationMessage, ApplicationState, Food
from shop.onboarding import queries, rules
from shop.onboarding.errors import FoodUnknown, NotComplete, NotDeclared, NotOpen, PointsMissing
from shop.onboarding.rules import Step
from shop.onboarding.tags import Done
from shop.platform import audit
from shop.platform.actor import Actor

A = Application
KEPT_FOR_ANOTHER_TRY = ("name_zh", "name_en", "business_zh", "business_en", "food", "legal_name", "uscc", "person", "point_ids")


@dataclass(frozen=True, slots=True)
class About:
    """What a shop is called and what it sells; the texts have passed the gate."""

    name_zh: str
    name_en: str
    business_zh: str
    business_en: str
    food: Food


@operation
def choose_kind(session: Session, actor: Actor, kind: ApplicantKind) -> int:
    """Begin an application, or sell in another way than was said before; the id of it.

    Who tries again goes on from what they said last time, but for the papers. Raises `NotOpen` while an operator looks at it.
    """
    moment, before = clock.now(), queries.mine(session, actor)
    said: dict[str, Any] = dict.fromkeys(KEPT_FOR_ANOTHER_TRY, "") | {"food": None, "point_ids": []}
    if before is not None and before.state in (ApplicationState.DECLINED, ApplicationState.WITHDRAWN):
        said = {name: getattr(before, name) for name in KEPT_FOR_ANOTHER_TRY}
    if said["food"] not in rules.foods_of(kind):
        said["food"] = None
    made = insert_once(
        session, A, user_id=actor.signed_in_id(), kind=kind, state=ApplicationState.DRAFT, changes=1, created_at=moment, touched_at=moment,
        reason="", **said,
    )  # fmt: skip
    if made is not None:
        return made
    found = write(session, actor, kind=kind)
    if found.food is not None and found.food not in rules.foods_of(kind):
        write(session, actor, food=None)
    return found.id


def write(session: Session, actor: Actor, **values: Any) -> Application:
    """Change what is said in one's open application. Raises `NotOpen`."""
    own = sa.update(A).where(A.user_id == actor.signed_in_id(), A.state.in_(rules.WRITABLE))
    if not take(session, own.values(changes=A.changes + 1, touched_at=clock.now(), **values)):
        raise NotOpen()
    found = queries.my_open(session, actor)
    assert found is not None, "it was just written"
    session.refresh(found)
    return found


def writable(session: Session, actor: Actor) -> Application:
    """One's open application, to be changed. Raises `NotOpen`."""
    found = queries.my_open(session, actor)
    if found is None or found.state not in rules.WRITABLE:
        raise NotOpen()
    return found


@operation
def describe(session: Session, actor: Actor, about: About) -> None:
    """Say what the shop is called and what it sells. Raises `AnswerMissing`, `FoodUnknown`, `NotOpen`."""
    found = writable(session, actor)
    if about.food not in rules.foods_of(found.kind):
        raise FoodUnknown()
    write(
        session, actor, name_zh=rules.needed(about.name_zh, "name_zh"), name_en=about.name_en,
        business_zh=rules.needed(about.business_zh, "business_zh"), business_en=about.business_en, food=about.food,
    )  # fmt: skip


@operation
def register(session: Session, actor: Actor, person: str, legal_name: str, uscc: str, *, declares: bool) -> None:
    """Say who answers for the shop, and what stands in the register; without a licence, that there is only own produce.

    Raises `AnswerMissing`, `InvalidCreditCode`, `WrongCreditCode`, `NotDeclared`, `NotOpen`.
    """
    found = writable(session, actor)
    rules.needed(person, "person")
    if rules.is_licensed(found.kind):
        rules.needed(legal_name, "legal_name")
        write(session, actor, person=person, legal_name=legal_name, uscc=credit_code(rules.needed(uscc, "uscc")), declared_at=None)
        return
    if not declares:
        raise NotDeclared()
    write(session, actor, person=person, legal_name="", uscc="", declared_at=found.declared_at or clock.now())


@operation
def choose_points(session: Session, actor: Actor, slugs: Sequence[str]) -> None:
    """Say to which pick-up points the shop would deliver. Raises `PointsMissing`, `NotOpen`."""
    known = directory(session).points_by_slug
    chosen = sorted({known[slug].id for slug in slugs[: rules.MOST_POINTS] if slug in known and known[slug].is_open})
    if not chosen:
        raise PointsMissing()
    write(session, actor, point_ids=chosen)


def step(application: sa.ColumnElement[bool], taken: Step, **values: Any) -> sa.Update:
    """One step of an application, from a state that leads there."""
    return sa.update(A).where(application, A.state.in_(rules.before(taken))).values(state=rules.after(taken), **values)


@operation
def submit(session: Session, actor: Actor) -> None:
    """Hand it in, once everything is there. Pressed twice it is handed in once. Raises `NotComplete`, `NotOpen`."""
    found = queries.my_open(session, actor)
    if found is None:
        raise NotOpen()
    if queries.missing(session, found):
        raise NotComplete()
    moment = clock.now()
    if not take(session, step(A.id == found.id, Step.SUBMIT, submitted_at=moment, touched_at=moment)):
        raise NotOpen()
    audit.record(session, actor, Done.SUBMITTED, "application", found.id)


@operation
def answer(session: Session, actor: Actor, text: str) -> None:
    """Answer what an operator asked; the application waits again where it stood. Raises `AnswerMissing`, `NotComplete`, `NotOpen`."""
    found = queries.my_open(session, actor)
    if found is None:
        raise NotOpen()
    rules.needed(text, "text")
    if queries.missing(session, found):
        raise NotComplete()
    moment = clock.now()
    if not take(session, step(A.id == found.id, Step.ANSWER, touched_at=moment, changes=A.changes + 1)):
        raise NotOpen()
    session.add(ApplicationMessage(application_id=found.id, author_id=actor.signed_in_id(), is_question=False, text=text, at=moment))
    audit.record(session, actor, Done.ANSWERED, "application", found.id)


@operation
def withdraw(session: Session, actor: Actor) -> None:
    """Take one's application back before it is decided. Raises `NotOpen`."""
    found = queries.my_open(session, actor)
    if found is None or not take(session, step(A.id == found.id, Step.WITHDRAW, decided_at=clock.now(), touched_at=clock.now())):
        raise NotOpen()
    audit.record(session, actor, Done.WITHDRAWN, "application", found.id)
