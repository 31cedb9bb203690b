"""What somebody at a counter has checked about a person."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.accounts import rules
from shop.accounts.tags import Done
from shop.kernel.db import operation
from shop.kernel.errors import Forbidden, Invalid, NotFound
from shop.kernel.identifiers import phone_number
from shop.kernel.text import clean
from shop.models.accounts import User
from shop.platform import audit, notices
from shop.platform.actor import Actor
from shop.platform.own import refuse_own


@operation
def verify(session: Session, actor: Actor, phone: str, level: int, reason: str) -> bool:
    """Write down up to which level a person's identity was checked; False when it was checked that far before.

    Never lowers a level. `reason` says who saw what, for the record. Raises `NotFound`, `Forbidden`, `Invalid`,
    `OwnDeed`.
    """
    refuse_own(actor, session.scalar(sa.select(User.id).where(User.phone == phone_number(phone))))
    if actor.kind != "command":
        raise Forbidden()
    why = clean(reason, rules.REASON_LENGTH, field="reason")
    if not why:
        raise Invalid("reason")
    if level not in rules.LEVELS:
        raise Invalid("level")
    user = session.scalars(sa.select(User).where(User.phone == phone_number(phone)).with_for_update(key_share=True)).first()
    if user is None:
        raise NotFound()
    if user.verification_level >= level:
        return False
    user.verification_level = level
    audit.record(session, actor, Done.USER_VERIFIED, "user", user.id, level=level, reason=why)
    notices.post(session, user.id, "user.verified", dedupe_key=f"user:{user.id}:verified:{level}", link="/wallet")
    return True
