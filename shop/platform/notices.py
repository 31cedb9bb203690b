"""The inbox: what happened, kept as a kind with its facts and put into words in the reader's language."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import insert_once, operation
from shop.kernel.errors import NotFound
from shop.models.platform import Notice
from shop.platform.actor import Actor
from shop.platform.belonging import belonging_to

Words = dict[str, tuple[str, str]]
"""Kind of notice to (title, body): English msgids with `%(fact)s` places, marked with `sentence` where they are declared."""

WORDS: Words = {}
"""Those of all features; `shop.wiring` fills it."""


def post(session: Session, user_id: int, kind: str, *, dedupe_key: str, link: str, **facts: Any) -> bool:
    """Put a notice into somebody's inbox, once per `dedupe_key`; whether it was new. `facts` are plain JSON values.

    A fact that differs by language is told as `{"zh": …, "en": …}`.
    """
    if kind not in WORDS:
        raise LookupError(f"no words for the notice {kind!r}: write them into shop/<feature>/notices.py, named by its feature.py")
    new = insert_once(
        session, Notice, community_id=belonging_to("user", user_id), user_id=user_id, kind=kind, facts=facts, link=link,
        dedupe_key=dedupe_key, created_at=clock.now(),
    )  # fmt: skip
    return new is not None


def list_mine(session: Session, actor: Actor, limit: int = 50, before: int | None = None) -> tuple[list[Notice], int | None]:
    """The newest notices of the person who asks, and where the next page starts (give it back as `before`)."""
    mine = sa.select(Notice).where(Notice.user_id == actor.signed_in_id()).order_by(Notice.id.desc()).limit(limit + 1)
    found = list(session.scalars(mine.where(Notice.id < before) if before is not None else mine))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def count_unread(session: Session, actor: Actor) -> int:
    unread = sa.select(sa.func.count()).select_from(Notice).where(Notice.user_id == actor.signed_in_id(), Notice.read_at.is_(None))
    return session.scalar(unread) or 0


@operation
def mark_read(session: Session, actor: Actor, notice_id: int) -> str:
    """One notice was opened; where it leads. Raises `NotFound` for somebody else's."""
    mine = sa.and_(Notice.id == notice_id, Notice.user_id == actor.signed_in_id())
    link = session.scalars(sa.select(Notice.link).where(mine)).one_or_none()
    if link is None:
        raise NotFound()
    session.execute(sa.update(Notice).where(mine, Notice.read_at.is_(None)).values(read_at=clock.now()))
    return link


@operation
def mark_all_read(session: Session, actor: Actor) -> None:
    session.execute(sa.update(Notice).where(Notice.user_id == actor.signed_in_id(), Notice.read_at.is_(None)).values(read_at=clock.now()))
