"""Signing in and out. A session is a row; the secret that opens it is kept as a fingerprint only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.accounts import authenticator, queries, rules
from shop.accounts.errors import AccountClosed, RefreshRefused, SecondFactorNotSetUp, WrongSecondFactor
from shop.accounts.operations import codes
from shop.accounts.rules import Asker, Choices
from shop.accounts.tags import Done
from shop.kernel import clock, ids
from shop.kernel.db import insert_once, operation, take
from shop.kernel.errors import Forbidden, NotFound, ShopError, SignInRequired
from shop.kernel.identifiers import phone_number
from shop.kernel.text import mask_phone
from shop.models.accounts import CodePurpose, SessionKind, SignInCode, User, UserSession, UserState
from shop.platform import audit
from shop.platform.actor import Actor

NOTHING_CHOSEN = Choices()


@dataclass(frozen=True, slots=True)
class Tokens:
    """The secrets of a new session, to be given away once. `refresh` for the API only."""

    user_id: int
    session_id: int
    access: str
    refresh: str | None
    expires_in: int  # seconds until `access` ends


@operation
def sign_in(
    session: Session, phone: str, code: str, kind: SessionKind, device: str, *, totp: str = "", choices: Choices = NOTHING_CHOSEN,
    asker: Asker = rules.SOMEBODY,
) -> Tokens | ShopError:
    """Open a session for whoever holds the number; a new number becomes a new account.

    `totp` confirms the second factor at once (API). `choices` of the browser are taken over where the account has none of its own.
    The refusal is answered, not raised, so that the wrong try counts: doors call `credentials.sign_in`. Every call makes a session
    of its own.
    """
    phone = phone_number(phone)
    found = codes.recognise(session, phone, code, CodePurpose.SIGN_IN, asker)
    if found is None:
        return codes.refusal(session, phone, code, CodePurpose.SIGN_IN, asker)
    user = _account(session, phone)
    if user.state is not UserState.ACTIVE:
        return AccountClosed()
    if totp and not _take_totp(session, user, totp):
        return WrongSecondFactor()
    if not codes.use_up(session, found):
        return codes.refusal(session, phone, code, CodePurpose.SIGN_IN, asker)
    user.pickup_point_id = user.pickup_point_id or choices.point_id
    user.locale = user.locale or choices.locale
    user.is_elder_mode = choices.elder_mode if user.is_elder_mode is None else user.is_elder_mode
    user.theme = user.theme or choices.theme
    return open_session(session, user, kind, device, has_second_factor=bool(totp))


def _account(session: Session, phone: str) -> User:
    """The account of a proven number, made at its first sign-in."""
    insert_once(session, User, phone=phone, display_name=mask_phone(phone), created_at=clock.now())
    return session.scalars(sa.select(User).where(User.phone == phone)).one()


def open_session(session: Session, user: User, kind: SessionKind, device: str, has_second_factor: bool = False) -> Tokens:
    """A new session row with new secrets: nothing of an earlier session lives on."""
    moment = clock.now()
    is_staff = bool(queries.live_grants(session, user.id))
    longest = rules.CONSOLE_SESSION if is_staff else rules.WEB_SESSION
    lasts = longest if kind is SessionKind.WEB else rules.ACCESS_TOKEN
    access = ids.secret()
    row = UserSession(
        user_id=user.id, kind=kind, token_hash=ids.fingerprint(access), created_at=moment, expires_at=moment + lasts,
        second_factor_at=moment if has_second_factor else None, device=device[:80],
    )
    refresh_token = None
    if kind is SessionKind.API:
        family, secret = ids.secret(), ids.secret()
        refresh_token = f"{family}.{secret}"
        row.refresh_family, row.refresh_hash = ids.fingerprint(family), ids.fingerprint(secret)
        row.refresh_expires_at = moment + min(rules.REFRESH_TOKEN, longest)
    session.add(row)
    session.flush()
    return Tokens(user.id, row.id, access, refresh_token, int(lasts.total_seconds()))


@operation
def refresh(session: Session, token: str) -> Tokens | ShopError:
    """New secrets for an API session; the old ones end. A refresh token used twice ends the session: one of the two was a thief.

    The refusal is answered, not raised, so that the end of the session is kept; doors call `credentials.refresh`.
    """
    moment = clock.now()
    family, _, secret = token.partition(".")
    row = session.scalars(sa.select(UserSession).where(UserSession.refresh_family == ids.fingerprint(family))).first()
    if row is None or row.revoked_at is not None or row.refresh_expires_at is None or row.refresh_expires_at <= moment:
        return RefreshRefused()
    if session.get_one(User, row.user_id).state is not UserState.ACTIVE:
        return RefreshRefused()
    access, following = ids.secret(), ids.secret()
    lasts = min(rules.ACCESS_TOKEN, row.refresh_expires_at - moment)
    current = sa.update(UserSession).where(
        UserSession.id == row.id, UserSession.refresh_hash == ids.fingerprint(secret), UserSession.revoked_at.is_(None)
    )
    rotated = current.values(token_hash=ids.fingerprint(access), refresh_hash=ids.fingerprint(following), expires_at=moment + lasts)
    if not take(session, rotated):
        _revoke(session, row.id, moment)
        audit.record(session, Actor("user", user_id=row.user_id), Done.SESSION_REFRESH_REUSED, "user_session", row.id)
        return RefreshRefused()
    return Tokens(row.user_id, row.id, access, f"{family}.{following}", int(lasts.total_seconds()))


def _revoke(session: Session, session_id: int, moment: datetime) -> bool:
    live = sa.update(UserSession).where(UserSession.id == session_id, UserSession.revoked_at.is_(None))
    return take(session, live.values(revoked_at=moment))


@operation
def sign_out(session: Session, actor: Actor) -> None:
    """End the session of the person who asks; again is harmless."""
    if actor.session_id is not None:
        _revoke(session, actor.session_id, clock.now())


@operation
def revoke(session: Session, actor: Actor, session_id: int) -> None:
    """End one of one's own sessions, on whatever device. Raises `NotFound` for others' and ended ones."""
    mine = sa.update(UserSession).where(
        UserSession.id == session_id, UserSession.user_id == actor.signed_in_id(), UserSession.revoked_at.is_(None)
    )
    if not take(session, mine.values(revoked_at=clock.now())):
        raise NotFound()
    audit.record(session, actor, Done.SESSION_REVOKED, "user_session", session_id)


@operation
def revoke_all(session: Session, actor: Actor, user_id: int, *, keep: int | None = None) -> int:
    """End every session of a person but `keep`, on whatever device; how many. None left, nothing is put on record.

    For the person, and for who cleared a PIN or changed an authenticator after a check.
    """
    if actor.kind != "command" and actor.signed_in_id() != user_id:
        raise Forbidden()
    theirs = [UserSession.user_id == user_id, UserSession.revoked_at.is_(None), *([UserSession.id != keep] if keep else [])]
    lives_until = sa.func.coalesce(UserSession.refresh_expires_at, UserSession.expires_at)
    ended: Any = session.execute(
        sa.update(UserSession).where(*theirs, lives_until > clock.now()).values(revoked_at=clock.now())
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    if ended.rowcount:
        audit.record(session, actor, Done.SESSION_ALL_REVOKED, "user", user_id, sessions=int(ended.rowcount))
    return int(ended.rowcount)


@operation
def confirm_second_factor(session: Session, actor: Actor, totp: str) -> str | ShopError:
    """Confirm the authenticator for this session; the new secret of the session, because the old one ends here.

    Five wrong codes end the session. Refusals are answered, not raised, so that the tries count; doors call
    `credentials.confirm_second_factor`. Raises `SecondFactorNotSetUp` for people without an authenticator.
    """
    user = session.get_one(User, actor.signed_in_id())
    if user.totp_secret is None:
        raise SecondFactorNotSetUp()
    this = sa.and_(UserSession.id == actor.session_id, UserSession.user_id == user.id, UserSession.revoked_at.is_(None))
    left = session.scalar(
        sa.update(UserSession)
        .where(this, UserSession.second_factor_tries_left > 0)
        .values(second_factor_tries_left=UserSession.second_factor_tries_left - 1)
        .returning(UserSession.second_factor_tries_left)
        .execution_options(synchronize_session=False)
    )
    if left is None:
        return SignInRequired()
    moment = clock.now()
    if not _take_totp(session, user, totp):
        if left == 0:
            session.execute(sa.update(UserSession).where(this).values(revoked_at=moment))
            audit.record(session, actor, Done.SESSION_SECOND_FACTOR_EXHAUSTED, "user_session", actor.session_id or 0)
            return SignInRequired()
        return WrongSecondFactor()
    access = ids.secret()
    renewed = {"token_hash": ids.fingerprint(access), "second_factor_at": moment, "second_factor_tries_left": rules.SECOND_FACTOR_TRIES}
    session.execute(sa.update(UserSession).where(this).values(renewed))
    audit.record(session, actor, Done.SESSION_SECOND_FACTOR_CONFIRMED, "user_session", actor.session_id or 0)
    return access


def _take_totp(session: Session, user: User, totp: str) -> bool:
    """Whether an authenticator code is right and newer than the last one used: each counts once."""
    if user.totp_secret is None:
        return False
    # An authenticator lives in real time, even where the shop's clock has been moved for a demonstration.
    step = authenticator.matching_step(user.totp_secret, totp, clock.now() - clock.shift())
    if step is None:
        return False
    newer = sa.update(User).where(User.id == user.id, sa.or_(User.totp_last_step.is_(None), User.totp_last_step < step))
    return take(session, newer.values(totp_last_step=step))


@operation
def forget_old(session: Session) -> None:
    """Delete codes of the day before yesterday and sessions that ended a month ago: nobody needs them."""
    moment = clock.now()
    session.execute(sa.delete(SignInCode).where(SignInCode.created_at < moment - timedelta(days=2)))
    ended = sa.func.coalesce(UserSession.revoked_at, UserSession.refresh_expires_at, UserSession.expires_at)
    session.execute(sa.delete(UserSession).where(ended < moment - timedelta(days=30)))
