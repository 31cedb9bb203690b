"""Who may do what for a merchant, a pick-up point or the city."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.accounts import authenticator, queries, rules
from shop.accounts.errors import AuthenticatorIsThere, RoleNeedsPlace
from shop.accounts.permissions import AccountPermission
from shop.accounts.tags import Done
from shop.kernel import clock
from shop.kernel.db import insert_once, operation, take
from shop.kernel.errors import Forbidden, NotFound
from shop.kernel.identifiers import phone_number
from shop.kernel.text import mask_phone
from shop.models.accounts import Role, RoleGrant, User, UserSession
from shop.platform import audit
from shop.platform.actor import Actor
from shop.platform.own import refuse_own


@dataclass(frozen=True, slots=True)
class Granted:
    """What came of a grant. `enrolment_uri` is shown once to whoever grants, when the person has no authenticator yet."""

    user_id: int
    is_new: bool
    enrolment_uri: str | None


@operation
def grant_role(
    session: Session, actor: Actor, phone: str, role: Role, merchant_id: int | None = None, pickup_point_id: int | None = None
) -> Granted:
    """Let the holder of a number act in a role; a new number becomes a new account. Granting what is held changes nothing.

    Only commands and operators grant. Raises `RoleNeedsPlace`, `Forbidden`, `InvalidPhone`.
    """
    _check(actor, AccountPermission.ROLE_GRANT)
    if not rules.is_place_right(role, merchant_id, pickup_point_id):
        raise RoleNeedsPlace()
    return give(session, actor, phone, role, merchant_id, pickup_point_id)


def give(session: Session, actor: Actor, phone: str, role: Role, merchant_id: int | None, pickup_point_id: int | None) -> Granted:
    """The role itself, for who was found to be allowed to give it."""
    phone = phone_number(phone)
    insert_once(session, User, phone=phone, display_name=mask_phone(phone), created_at=clock.now())
    # The person's row is locked, so that two grants of the same role at once are one.
    user = session.scalars(sa.select(User).where(User.phone == phone).with_for_update(key_share=True)).one()
    refuse_own(actor, user.id)
    uri = None
    if user.totp_secret is None:
        user.totp_secret = authenticator.new_secret()
        uri = authenticator.enrolment_uri(user.totp_secret, phone)
    if session.scalar(_held(user.id, role, merchant_id, pickup_point_id)) is not None:
        return Granted(user.id, is_new=False, enrolment_uri=uri)
    session.add(
        RoleGrant(user_id=user.id, role=role, merchant_id=merchant_id, pickup_point_id=pickup_point_id, created_at=clock.now())
    )
    audit.record(
        session, actor, Done.ROLE_GRANTED, "user", user.id, role=role.value, merchant_id=merchant_id, pickup_point_id=pickup_point_id
    )
    return Granted(user.id, is_new=True, enrolment_uri=uri)


@operation
def revoke_role(
    session: Session, actor: Actor, phone: str, role: Role, merchant_id: int | None = None, pickup_point_id: int | None = None
) -> None:
    """End a role at once, also in sessions that are open. Raises `NotFound` when the person does not hold it, `Forbidden`."""
    _check(actor, AccountPermission.ROLE_GRANT)
    user = session.scalars(sa.select(User).where(User.phone == phone_number(phone)).with_for_update(key_share=True)).first()
    if user is None or session.scalar(_held(user.id, role, merchant_id, pickup_point_id)) is None:
        raise NotFound()
    held = _held(user.id, role, merchant_id, pickup_point_id)
    session.execute(sa.update(RoleGrant).where(RoleGrant.id.in_(held)).values(revoked_at=clock.now()))
    audit.record(
        session, actor, Done.ROLE_REVOKED, "user", user.id, role=role.value, merchant_id=merchant_id, pickup_point_id=pickup_point_id
    )


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A new secret, for a person to type or to scan. Shown once."""

    secret: str
    uri: str


@operation
def set_up_second_factor(session: Session, actor: Actor) -> Enrolment:
    """A new authenticator for who works at a shop and has never confirmed with one. The caller has checked a code sent to their number.

    Raises `AuthenticatorIsThere` once one was used: then only an operator gives another. `Forbidden` for who works at no shop.
    """
    if not queries.works_at_a_shop(session, actor.signed_in_id()):
        raise Forbidden()
    secret = authenticator.new_secret()
    never_used = sa.update(User).where(User.id == actor.user_id, User.totp_last_step.is_(None))
    if not take(session, never_used.values(totp_secret=secret)):
        raise AuthenticatorIsThere()
    audit.record(session, actor, Done.SECOND_FACTOR_SET_UP, "user", actor.signed_in_id())
    return Enrolment(secret, authenticator.enrolment_uri(secret, actor.phone))


@operation
def reset_second_factor(session: Session, actor: Actor, phone: str) -> str:
    """A new authenticator for somebody who lost theirs; what to scan. Their open sessions end. Raises `NotFound`, `Forbidden`,
    `OwnDeed`."""
    _check(actor, AccountPermission.SECOND_FACTOR_RESET)
    user = session.scalars(sa.select(User).where(User.phone == phone_number(phone)).with_for_update(key_share=True)).first()
    if user is None:
        raise NotFound()
    refuse_own(actor, user.id)
    user.totp_secret, user.totp_last_step = authenticator.new_secret(), None
    session.execute(
        sa.update(UserSession).where(UserSession.user_id == user.id, UserSession.revoked_at.is_(None)).values(revoked_at=clock.now())
    )
    audit.record(session, actor, Done.SECOND_FACTOR_RESET, "user", user.id)
    return authenticator.enrolment_uri(user.totp_secret, user.phone)


def _check(actor: Actor, permission: AccountPermission) -> None:
    if actor.kind != "command" and not (actor.may(permission) and actor.has_second_factor):
        raise Forbidden()


def _held(user_id: int, role: Role, merchant_id: int | None, pickup_point_id: int | None) -> sa.Select[int]:
    return sa.select(RoleGrant.id).where(
        RoleGrant.user_id == user_id,
        RoleGrant.role == role,
        RoleGrant.merchant_id.is_(None) if merchant_id is None else RoleGrant.merchant_id == merchant_id,
        RoleGrant.pickup_point_id.is_(None) if pickup_point_id is None else RoleGrant.pickup_point_id == pickup_point_id,
        RoleGrant.revoked_at.is_(None),
    )
