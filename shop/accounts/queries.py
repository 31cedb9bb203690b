"""Reading people, their sessions and their roles."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.accounts import rules
from shop.kernel import clock, keys
from shop.kernel.ids import fingerprint
from shop.kernel.text import mask_phone
from shop.models.accounts import TAIL, Role, RoleGrant, SessionKind, User, UserSession, UserState
from shop.platform.actor import Actor, Grant
from shop.platform.features import registry
from shop.platform.grants import holders
from shop.platform.permissions import Permission


@cache
def _session_statement() -> sa.Select[*tuple[Any, ...]]:
    """The one query of every signed-in request: session, person and roles, a row per role."""
    return (
        sa.select(
            UserSession.id, UserSession.second_factor_at, User.id.label("user_id"), User.display_name, User.phone, User.locale,
            User.is_elder_mode, User.theme, User.pickup_point_id, User.verification_level,
            RoleGrant.role, RoleGrant.merchant_id, RoleGrant.pickup_point_id.label("role_point_id"),
        )
        .join(User, User.id == UserSession.user_id)
        .outerjoin(RoleGrant, sa.and_(RoleGrant.user_id == User.id, RoleGrant.revoked_at.is_(None)))
        .where(
            UserSession.token_hash == sa.bindparam("token_hash"),
            UserSession.kind == sa.bindparam("kind"),
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > sa.bindparam("now"),
            User.state == UserState.ACTIVE,
        )
        .order_by(RoleGrant.id)
    )


@cache
def _reader_statement() -> sa.Select[*tuple[Any, ...]]:
    """The same with what pages say of their reader."""
    return _session_statement().add_columns(*(wanted.label(name) for name, wanted in registry.read_along().items()))


def actor_of_token(session: Session, token: str, kind: SessionKind) -> Actor | None:
    """Who holds this secret, as operations see them; None when it opens no live session. One query."""
    rows, moment = _rows_of(session, _session_statement(), token, kind)
    return _actor_of(rows, kind, moment) if rows else None


def reader_of_token(session: Session, token: str) -> tuple[Actor, dict[str, Any]] | None:
    """Who holds the secret of a browser, and what pages say of them, by its name; None when it opens no live session. One query."""
    rows, moment = _rows_of(session, _reader_statement(), token, SessionKind.WEB)
    if not rows:
        return None
    return _actor_of(rows, SessionKind.WEB, moment), {name: getattr(rows[0], name) for name in registry.read_along()}


def _rows_of(session: Session, statement: sa.Select[Any], token: str, kind: SessionKind) -> tuple[Sequence[sa.Row[Any]], datetime]:
    moment = clock.now()
    return session.connection().execute(statement, {"token_hash": fingerprint(token), "kind": kind, "now": moment}).all(), moment


def _actor_of(rows: Sequence[sa.Row[Any]], kind: SessionKind, moment: datetime) -> Actor:
    """The person of these rows, one for each role."""
    found: Any = rows[0]
    confirmed_at: datetime | None = found.second_factor_at
    return Actor(
        "user",
        user_id=found.user_id,
        display_name=found.display_name,
        phone=found.phone,
        locale=found.locale,
        elder_mode=bool(found.is_elder_mode),
        theme=found.theme or rules.THEMES[0],
        pickup_point_id=found.pickup_point_id,
        verification_level=found.verification_level,
        session_id=found.id,
        has_second_factor=confirmed_at is not None and confirmed_at + rules.SECOND_FACTOR > moment,
        grants=tuple(Grant(row.role.value, row.merchant_id, row.role_point_id) for row in rows if row.role is not None),
        channel=kind.value,
    )


def actor_of_user(session: Session, user_id: int) -> Actor | None:
    """A person with the roles they hold now, for work that they asked for and that a job does; None when their account is not active."""
    user = session.get(User, user_id)
    if user is None or user.state is not UserState.ACTIVE:
        return None
    held = sa.select(RoleGrant).where(RoleGrant.user_id == user_id, RoleGrant.revoked_at.is_(None))
    grants = session.scalars(held.order_by(RoleGrant.id))
    return Actor(
        "user", user_id=user.id, display_name=user.display_name, phone=user.phone, locale=user.locale, pickup_point_id=user.pickup_point_id,
        verification_level=user.verification_level,
        grants=tuple(Grant(grant.role.value, grant.merchant_id, grant.pickup_point_id) for grant in grants),
    )  # fmt: skip


def user_by_phone(session: Session, phone: str) -> User | None:
    return session.scalars(sa.select(User).where(User.phone == phone)).first()


def phone_ends_in(session: Session, figures: str, among: sa.Select[int]) -> sa.ColumnElement[bool]:
    """People whose number ends in these figures, as a condition on `User`. `among` are the ids of all who may be meant.

    Four figures, as people say them, and the whole number are found by their hash; for any other length those who may be meant are
    opened and looked at.
    """
    if len(figures) == len("13800138000"):
        return User.phone == figures
    if len(figures) == TAIL:
        return User.phone_tail_hash == keys.ring().find("phone tail", figures)
    rows = session.execute(sa.select(User.id, User.phone).where(User.id.in_(among)))
    return User.id.in_([row.id for row in rows if row.phone.endswith(figures)])


def live_grants(session: Session, user_id: int, role: Role | None = None) -> list[RoleGrant]:
    """The roles somebody holds now, oldest first."""
    held = sa.select(RoleGrant).where(RoleGrant.user_id == user_id, RoleGrant.revoked_at.is_(None)).order_by(RoleGrant.id)
    return list(session.scalars(held.where(RoleGrant.role == role) if role else held))


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who works at a shop, as its owner sees them."""

    user_id: int
    name: str
    phone: str
    role: Role
    since: datetime
    has_authenticator: bool


def members(session: Session, merchant_id: int) -> list[Member]:
    """Everybody who works at a shop, those there longest first; numbers are masked."""
    rows = session.execute(
        sa.select(User.id, User.display_name, User.phone, RoleGrant.role, RoleGrant.created_at, User.totp_last_step)
        .join(RoleGrant, RoleGrant.user_id == User.id)
        .where(RoleGrant.merchant_id == merchant_id, RoleGrant.revoked_at.is_(None))
        .order_by(RoleGrant.id)
        .limit(rules.MOST_MEMBERS * 2)
    )
    return [
        Member(row.id, row.display_name, mask_phone(row.phone), row.role, row.created_at, row.totp_last_step is not None) for row in rows
    ]


def works_at_a_shop(session: Session, user_id: int) -> bool:
    """Whether somebody holds a role at a shop now."""
    return any(grant.merchant_id is not None for grant in live_grants(session, user_id))


def can_set_up_authenticator(session: Session, actor: Actor) -> bool:
    """Whether the person who asks works at a shop and has never confirmed with an authenticator."""
    never_used = sa.select(User.id).where(User.id == actor.signed_in_id(), User.totp_last_step.is_(None))
    return session.scalar(never_used) is not None and works_at_a_shop(session, actor.signed_in_id())


@dataclass(frozen=True, slots=True)
class SignedInDevice:
    """One live sign-in of a person, for the list on their own page."""

    session_id: int
    kind: SessionKind
    device: str
    signed_in_at: datetime
    is_this_one: bool


def my_devices(session: Session, actor: Actor) -> list[SignedInDevice]:
    """Where the person who asks is signed in, newest first."""
    moment = clock.now()
    lives_until = sa.func.coalesce(UserSession.refresh_expires_at, UserSession.expires_at)
    rows = session.execute(
        sa.select(UserSession.id, UserSession.kind, UserSession.device, UserSession.created_at)
        .where(UserSession.user_id == actor.signed_in_id(), UserSession.revoked_at.is_(None), lives_until > moment)
        .order_by(UserSession.id.desc())
        .limit(50)
    )
    return [SignedInDevice(row.id, row.kind, row.device, row.created_at, row.id == actor.session_id) for row in rows]


def staff_of_merchants(session: Session, merchant_ids: Collection[int], permission: Permission) -> dict[int, list[int]]:
    """Who may do this at each of these merchants now, by id. One query, none without merchants."""
    if not merchant_ids:
        return {}
    merchant_id = sa.type_coerce(RoleGrant.merchant_id, sa.BigInteger)
    held = sa.select(merchant_id, RoleGrant.user_id).where(
        RoleGrant.merchant_id.in_(list(merchant_ids)), RoleGrant.role.in_(holders(permission)),
        RoleGrant.revoked_at.is_(None),
    )  # fmt: skip
    found: dict[int, list[int]] = {}
    for shop_id, user_id in session.execute(held.distinct().order_by(merchant_id, RoleGrant.user_id)):
        found.setdefault(shop_id, []).append(user_id)
    return found
