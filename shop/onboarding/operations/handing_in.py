"""Papers: handed in, taken away again, looked at with a reason, removed when their time is over."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation
from shop.kernel.errors import NotFound
from shop.models.onboarding import Application, ApplicationMessage, ApplicationPaper, ApplicationState, PaperKind, PaperSlice
from shop.onboarding import queries, rules
from shop.onboarding.errors import ReasonMissing, TooManyPapers
from shop.onboarding.operations.drafting import writable, write
from shop.onboarding.permissions import OnboardingPermission
from shop.onboarding.scans import Scan, slices
from shop.onboarding.tags import Done
from shop.platform import audit
from shop.platform.actor import Actor

A, P = Application, ApplicationPaper
AT_ONCE = 50


@operation
def add_paper(session: Session, actor: Actor, kind: PaperKind, scan: Scan, valid_until: date | None) -> int:
    """Put a paper to one's application; its id. A new one of the same kind replaces the old one, "another paper" does not.

    Raises `EndMissing`, `PaperExpired`, `TooManyPapers`, `NotOpen`.
    """
    rules.check_end(kind, valid_until, clock.today())
    found = write(session, actor)
    if kind is not PaperKind.OTHER:
        remove(session, list(session.scalars(sa.select(P.id).where(P.application_id == found.id, P.kind == kind))))
    if (session.scalar(sa.select(sa.func.count()).select_from(P).where(P.application_id == found.id)) or 0) >= rules.MOST_PAPERS:
        raise TooManyPapers(most=rules.MOST_PAPERS)
    paper = P(
        application_id=found.id, kind=kind, content_type=scan.content_type, size=len(scan.content), valid_until=valid_until,
        uploaded_at=clock.now(),
    )  # fmt: skip
    session.add(paper)
    session.flush()
    session.add_all(PaperSlice(paper_id=paper.id, number=number, content=piece) for number, piece in enumerate(slices(scan.content)))
    return paper.id


@operation
def take_away(session: Session, actor: Actor, paper_id: int) -> None:
    """Take a paper out of one's application; it is gone at once. Raises `NotFound`, `NotOpen`."""
    paper = session.get(P, paper_id)
    found = queries.my_open(session, actor)
    if paper is None or found is None or paper.application_id != found.id:
        raise NotFound()
    writable(session, actor)
    write(session, actor)
    remove(session, [paper_id])


def remove(session: Session, paper_ids: list[int]) -> None:
    """Papers with all that is on them."""
    session.execute(sa.delete(PaperSlice).where(PaperSlice.paper_id.in_(paper_ids)))
    session.execute(sa.delete(P).where(P.id.in_(paper_ids)))


@operation
def reveal(session: Session, actor: Actor, paper_id: int, reason: str) -> Scan:
    """What is on a paper, for who may look and says why; that is put on record. Raises `NotFound`, `ReasonMissing`, `PaperGone`."""
    paper = session.get(P, paper_id)
    if paper is None or not actor.everywhere(OnboardingPermission.PAPER_REVEAL):
        raise NotFound()
    found = queries.handed_in(session, paper.application_id)
    if not reason:
        raise ReasonMissing()
    scan = queries.content_of(session, paper)
    audit.record(session, actor, Done.REVEALED, "application", found.id, paper=paper.kind.value, reason=reason)
    return scan


@operation
def tidy(session: Session) -> int:
    """Remove what has served: drafts nobody went on with, papers some time after the decision, at last what was declined.

    Some at a time; how many applications and papers went.
    """
    moment = clock.now()
    left = (A.state == ApplicationState.DRAFT) & (A.touched_at < moment - rules.DRAFT_KEPT)
    closed = A.state.in_((ApplicationState.DECLINED, ApplicationState.WITHDRAWN))
    over = closed & (A.decided_at < moment - rules.CLOSED_KEPT)
    ids = list(session.scalars(sa.select(A.id).where(sa.or_(left, over)).order_by(A.id).limit(AT_ONCE).with_for_update(skip_locked=True)))
    remove(session, list(session.scalars(sa.select(P.id).where(P.application_id.in_(ids)))))
    session.execute(sa.delete(ApplicationMessage).where(ApplicationMessage.application_id.in_(ids)))
    session.execute(sa.delete(A).where(A.id.in_(ids)))
    decided = sa.and_(A.decided_at < moment - rules.PAPERS_KEPT, sa.or_(closed, P.kind == PaperKind.IDENTITY))
    served = sa.select(P.id).join(A, A.id == P.application_id).where(decided, P.removed_at.is_(None)).order_by(P.id).limit(AT_ONCE)
    paper_ids = list(session.scalars(served))
    session.execute(sa.delete(PaperSlice).where(PaperSlice.paper_id.in_(paper_ids)))
    session.execute(sa.update(P).where(P.id.in_(paper_ids)).values(removed_at=moment))
    return len(ids) + len(paper_ids)
