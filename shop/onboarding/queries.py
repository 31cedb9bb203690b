"""Reading applications: one's own, the queue of operators, and shops with what they are licensed for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel.errors import NotFound
from shop.kernel.rows import all_as
from shop.models.accounts import User
from shop.models.merchants import Merchant, MerchantKind, MerchantState
from shop.models.onboarding import (
    ApplicantKind,
    Application,
    ApplicationMessage,
    ApplicationPaper,
    ApplicationState,
    Licence,
    PaperKind,
    PaperSlice,
    Suspension,
)
from shop.onboarding import rules
from shop.onboarding.errors import PaperGone
from shop.onboarding.rules import Facts, Subject
from shop.onboarding.scans import Scan, joined
from shop.platform.actor import Actor

PAGE = 20
A, P = Application, ApplicationPaper


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper by what is known of it; what is on it is shown with a reason only."""

    id: int
    kind: PaperKind
    content_type: str
    size: int
    valid_until: date | None
    uploaded_at: datetime
    removed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Message:
    """A question or an answer."""

    is_question: bool
    text: str
    paper: PaperKind | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Queued:
    """An application in the queue."""

    id: int
    kind: ApplicantKind
    state: ApplicationState
    name_zh: str
    name_en: str
    applicant: str
    submitted_at: datetime | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop as operators see it; the suspension is the one that stands."""

    id: int
    code: str
    name_zh: str
    name_en: str
    kind: MerchantKind
    state: MerchantState
    suspended_at: datetime | None
    reason: str | None


def facts_of(found: Application) -> Facts:
    return Facts(
        found.kind, found.name_zh, found.business_zh, found.food, found.legal_name, found.uscc, found.person,
        found.declared_at is not None, found.point_ids,
    )  # fmt: skip


def mine(session: Session, actor: Actor) -> Application | None:
    """The newest application of the person who asks; the open one, if any is."""
    own = sa.select(A).where(A.user_id == actor.signed_in_id()).order_by(A.state.in_(rules.OPEN).desc(), A.id.desc())
    return session.scalars(own.limit(1)).first()


def my_open(session: Session, actor: Actor) -> Application | None:
    """The application that the person who asks has open."""
    return session.scalars(sa.select(A).where(A.user_id == actor.signed_in_id(), A.state.in_(rules.OPEN))).one_or_none()


def papers(session: Session, application_id: int) -> list[Paper]:
    """The papers of an application in the order in which they came."""
    columns = (P.id, P.kind, P.content_type, P.size, P.valid_until, P.uploaded_at, P.removed_at)
    return all_as(Paper, session.execute(sa.select(*columns).where(P.application_id == application_id).order_by(P.id)))


def kinds_there(session: Session, application_id: int) -> set[PaperKind]:
    """Which kinds of papers an application has."""
    return set(session.scalars(sa.select(P.kind).where(P.application_id == application_id, P.removed_at.is_(None))))


def missing(session: Session, found: Application) -> tuple[Subject, ...]:
    """The subjects of which something is still to be said."""
    return rules.missing(facts_of(found), kinds_there(session, found.id))


def messages(session: Session, application_id: int) -> list[Message]:
    """What was asked and answered, oldest first."""
    columns = (ApplicationMessage.is_question, ApplicationMessage.text, ApplicationMessage.paper, ApplicationMessage.at)
    said = sa.select(*columns).where(ApplicationMessage.application_id == application_id).order_by(ApplicationMessage.id)
    return all_as(Message, session.execute(said.limit(rules.MOST_MESSAGES)))


TABS: dict[str, tuple[ApplicationState, ...]] = {
    "waiting": (ApplicationState.WAITING,),
    "asked": (ApplicationState.ASKED,),
    "approved": (ApplicationState.APPROVED,),
    "closed": (ApplicationState.DECLINED, ApplicationState.WITHDRAWN),
}


def queue(session: Session, tab: str, after: int | None = None, limit: int = PAGE) -> tuple[list[Queued], int | None]:
    """The applications under one of `TABS`, and where the next page starts (give it back as `after`).

    What waits stands oldest first, by when it was first handed in: an answer keeps its place. What is decided stands newest first.
    """
    waits = tab in ("waiting", "asked")
    found = (
        sa.select(A.id, A.kind, A.state, A.name_zh, A.name_en, User.display_name.label("applicant"), A.submitted_at, A.decided_at)
        .join(User, User.id == A.user_id)
        .where(A.state.in_(TABS[tab]))
    )
    if waits:
        if after is not None:
            place = sa.select(A.submitted_at).where(A.id == after).scalar_subquery()
            found = found.where(sa.or_(A.submitted_at > place, sa.and_(A.submitted_at == place, A.id > after)))
        found = found.order_by(A.submitted_at, A.id)
    else:
        found = found.where(A.id < after) if after is not None else found
        found = found.order_by(A.id.desc())
    rows = all_as(Queued, session.execute(found.limit(limit + 1)))
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def waiting(session: Session) -> int:
    """How many applications wait for an operator."""
    return session.scalar(sa.select(sa.func.count()).select_from(A).where(A.state == ApplicationState.WAITING)) or 0


def handed_in(session: Session, application_id: int, *, locks: bool = False) -> Application:
    """An application that was handed in, in whatever state. A draft is nobody's business but its writer's. Raises `NotFound`."""
    found = session.get(A, application_id, with_for_update=locks or None, populate_existing=locks)
    if found is None or found.submitted_at is None:
        raise NotFound()
    return found


def applicant_of(session: Session, found: Application) -> User:
    return session.get_one(User, found.user_id)


def application_of(session: Session, paper_id: int) -> int:
    """Whose paper it is, by the id of the application. Raises `NotFound`, also for a draft's."""
    found = session.scalar(sa.select(P.application_id).where(P.id == paper_id))
    if found is None:
        raise NotFound()
    return handed_in(session, found).id


def content_of(session: Session, paper: ApplicationPaper) -> Scan:
    """What is on a paper, put together. Raises `PaperGone`."""
    pieces = session.scalars(sa.select(PaperSlice.content).where(PaperSlice.paper_id == paper.id).order_by(PaperSlice.number)).all()
    if not pieces:
        raise PaperGone()
    return Scan(joined(pieces), paper.content_type)


WHICH = ("open", "suspended")


def shops(session: Session, which: str, before: int | None = None, limit: int = PAGE) -> tuple[list[Shop], int | None]:
    """Shops, newest first: those that sell, or those that are suspended; and where the next page starts."""
    state = MerchantState.SUSPENDED if which == "suspended" else MerchantState.ACTIVE
    found = shop_rows().where(Merchant.state == state).order_by(Merchant.id.desc())
    if before is not None:
        found = found.where(Merchant.id < before)
    rows = all_as(Shop, session.execute(found.limit(limit + 1)))
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def shop_rows() -> sa.Select[*tuple[object, ...]]:
    stands = sa.and_(Suspension.merchant_id == Merchant.id, Suspension.lifted_at.is_(None))
    columns = (Merchant.id, Merchant.code, Merchant.name_zh, Merchant.name_en, Merchant.kind, Merchant.state)
    return sa.select(*columns, Suspension.suspended_at, Suspension.reason).outerjoin(Suspension, stands)


def shop(session: Session, code: str) -> Shop:
    """One shop that is not closed. Raises `NotFound`."""
    found = all_as(Shop, session.execute(shop_rows().where(Merchant.code == code, Merchant.state != MerchantState.CLOSED)))
    if not found:
        raise NotFound()
    return found[0]


def suspensions(session: Session, merchant_id: int) -> list[Suspension]:
    """The times a shop was suspended, newest first."""
    found = sa.select(Suspension).where(Suspension.merchant_id == merchant_id).order_by(Suspension.id.desc())
    return list(session.scalars(found.limit(PAGE)))


def licences(session: Session, merchant_id: int) -> list[Licence]:
    """What a shop is licensed for."""
    return list(session.scalars(sa.select(Licence).where(Licence.merchant_id == merchant_id).order_by(Licence.id)))


@dataclass(frozen=True, slots=True)
class OnShopPage:
    """What everybody may know of a shop: whether it pauses, what it is licensed for, or what it declared."""

    is_suspended: bool
    legal_name: str
    licences: list[Licence]
    has_declared: bool


def on_shop_page(session: Session, merchant_id: int) -> OnShopPage:
    """What the page of a shop says of it besides its goods."""
    found = session.execute(
        sa.select(Merchant.state, A.declared_at).outerjoin(A, A.merchant_id == Merchant.id).where(Merchant.id == merchant_id)
    ).one()
    held = licences(session, merchant_id)
    names = [licence.legal_name for licence in held if licence.legal_name]
    return OnShopPage(found.state is MerchantState.SUSPENDED, names[0] if names else "", held, found.declared_at is not None)


def sells_elsewhere(session: Session, uscc: str, states: Collection[MerchantState]) -> bool:
    """Whether a shop with this code of the register is there already."""
    return session.scalar(sa.select(Merchant.id).where(Merchant.uscc == uscc, Merchant.state.in_(states)).limit(1)) is not None
