"""Who works at a shop: its owners let people in and out, without asking anybody."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.accounts import queries, rules
from shop.accounts.errors import TooManyMembers
from shop.accounts.operations.roles import give
from shop.accounts.permissions import AccountPermission
from shop.accounts.tags import Done
from shop.kernel import clock
from shop.kernel.db import operation
from shop.kernel.errors import NotFound
from shop.models.accounts import RoleGrant, User
from shop.platform import audit, notices
from shop.platform.actor import Actor
from shop.platform.own import refuse_own


def _check(actor: Actor, merchant_id: int) -> None:
    if merchant_id not in actor.merchants(AccountPermission.MEMBER_WRITE):
        raise NotFound()


@operation
def add_member(session: Session, actor: Actor, merchant_id: int, phone: str) -> bool:
    """Let the holder of a number work at one's shop; whether that is new. They set up their authenticator themselves.

    Raises `NotFound` for a shop that is not one's own, `InvalidPhone`, `OwnDeed`, `TooManyMembers`.
    """
    _check(actor, merchant_id)
    if len(queries.members(session, merchant_id)) >= rules.MOST_MEMBERS:
        raise TooManyMembers(most=rules.MOST_MEMBERS)
    granted = give(session, actor, phone, rules.JOINS_A_SHOP, merchant_id, None)
    if granted.is_new:
        key = f"accounts:member:{merchant_id}:{granted.user_id}:{clock.now():%Y%m%d%H%M%S%f}"
        notices.post(session, granted.user_id, "accounts.member_added", dedupe_key=key, link="/me/authenticator")
    return granted.is_new


@operation
def remove_member(session: Session, actor: Actor, merchant_id: int, user_id: int) -> None:
    """End somebody's work at one's shop at once, also in sessions that are open; not that of an owner.

    Raises `NotFound`, `OwnDeed`.
    """
    _check(actor, merchant_id)
    refuse_own(actor, user_id)
    user = session.scalars(sa.select(User).where(User.id == user_id).with_for_update(key_share=True)).first()
    held = (
        RoleGrant.user_id == user_id, RoleGrant.merchant_id == merchant_id, RoleGrant.role == rules.JOINS_A_SHOP,
        RoleGrant.revoked_at.is_(None),
    )  # fmt: skip
    if user is None or session.scalar(sa.select(RoleGrant.id).where(*held)) is None:
        raise NotFound()
    session.execute(sa.update(RoleGrant).where(*held).values(revoked_at=clock.now()))
    audit.record(session, actor, Done.ROLE_REVOKED, "user", user_id, role=rules.JOINS_A_SHOP.value, merchant_id=merchant_id)
