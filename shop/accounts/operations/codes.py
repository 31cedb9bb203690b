"""One-time codes by SMS. What is capped is counted here, in the database."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.accounts import rules
from shop.accounts.errors import CodeSentRecently, TooManyCodes, WrongCode
from shop.kernel import clock, ids
from shop.kernel.db import insert_once, operation, take
from shop.kernel.errors import ShopError
from shop.kernel.text import phone_number
from shop.models.accounts import CodePurpose, SignInCode
from shop.platform import outbox


@operation
def request_code(session: Session, phone: str, purpose: CodePurpose, locale: str = "zh") -> SignInCode:
    """Make a code for a number and have it sent; an earlier one is void from now on.

    The answer is the same whether anybody has the number. `locale` is the asker's language, for numbers we do not know.
    Raises `InvalidPhone`, `CodeSentRecently` within 60 s for the same purpose, `TooManyCodes` beyond 5 an hour or 10 a day.
    """
    phone = phone_number(phone)
    moment = clock.now()
    number = _next_number(session, phone, purpose, moment)
    code_id = insert_once(
        session, SignInCode, phone=phone, number=number, purpose=purpose, nonce=ids.secret(), created_at=moment,
        expires_at=moment + rules.CODE_VALID_FOR,
    )
    if code_id is None:  # somebody asked at the very same moment
        raise CodeSentRecently(seconds=int(rules.RESEND_AFTER.total_seconds()))
    outbox.enqueue(session, "accounts.send_code", dedupe_key=f"accounts.send_code:{code_id}", code_id=code_id, locale=locale)
    return session.get_one(SignInCode, code_id)


def _next_number(session: Session, phone: str, purpose: CodePurpose, moment: datetime) -> int:
    """The number of the next code of a phone, if it may have one."""
    recent = session.execute(
        sa.select(SignInCode.number, SignInCode.purpose, SignInCode.created_at)
        .where(SignInCode.phone == phone)
        .order_by(SignInCode.number.desc())
        .limit(rules.CODES_PER_DAY)
    ).all()
    for row in recent:
        wait = row.created_at + rules.RESEND_AFTER - moment
        if row.purpose is purpose and wait > timedelta(0):
            raise CodeSentRecently(seconds=math.ceil(wait.total_seconds()))
    caps = ((timedelta(hours=1), rules.CODES_PER_HOUR), (timedelta(days=1), rules.CODES_PER_DAY))
    until = max((recent[cap - 1].created_at + period for period, cap in caps if len(recent) >= cap), default=moment)
    if until > moment:  # told by the minute, and then it must be true
        raise TooManyCodes(until=until.replace(second=0, microsecond=0) + timedelta(minutes=1))
    return int(recent[0].number) + 1 if recent else 1


@operation
def check_code(session: Session, phone: str, code: str, purpose: CodePurpose) -> ShopError | None:
    """Use up the newest code of a number: None when it was right, else the refusal.

    The refusal is answered and not raised, because a wrong try must be counted though the caller's deed is refused.
    Doors call `credentials.use_code`, which raises after the count is committed.
    """
    live = claim_try(session, phone, purpose)
    if live is None or not is_right(live, code) or not use_up(session, live):
        return WrongCode()
    return None


def claim_try(session: Session, phone: str, purpose: CodePurpose) -> SignInCode | None:
    """Take one of the tries of the number's newest code; None when it has none left, is used or too old."""
    newest = session.scalars(
        sa.select(SignInCode).where(SignInCode.phone == phone, SignInCode.purpose == purpose).order_by(SignInCode.number.desc()).limit(1)
    ).first()
    if newest is None:
        return None
    one_try = sa.update(SignInCode).where(
        SignInCode.id == newest.id, SignInCode.tries_left > 0, SignInCode.used_at.is_(None), SignInCode.expires_at > clock.now()
    )
    return newest if take(session, one_try.values(tries_left=SignInCode.tries_left - 1)) else None


def is_right(row: SignInCode, code: str) -> bool:
    return ids.matches(rules.code_digits(row.id, row.nonce), rules.typed_digits(code))


def use_up(session: Session, row: SignInCode) -> bool:
    """Mark a code as used; False when somebody used it first."""
    unused = sa.update(SignInCode).where(SignInCode.id == row.id, SignInCode.used_at.is_(None))
    return take(session, unused.values(used_at=clock.now()))
