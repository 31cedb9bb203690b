"""One-time codes by SMS. What is capped is counted here, in the database; docs/decisions/0031 says who is kept apart from whom."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.accounts import rules
from shop.accounts.errors import CodeSentRecently, CodeUsedUp, TooManyCodes, WrongCode
from shop.accounts.rules import Asker
from shop.kernel import clock, ids
from shop.kernel.db import insert_once, operation, take
from shop.kernel.errors import ShopError
from shop.kernel.identifiers import phone_number
from shop.models.accounts import CodePurpose, SignInCode
from shop.platform import outbox


@operation
def request_code(
    session: Session, phone: str, purpose: CodePurpose, locale: str = "zh", asker: Asker = rules.SOMEBODY
) -> SignInCode:
    """Make a code for a number and have it sent; earlier ones stay good for as long as they would have been.

    The answer is the same whether anybody has the number. `locale` is the asker's language, for numbers we do not know.
    Raises `InvalidPhone`, `CodeSentRecently` within 60 s, `TooManyCodes` beyond what `rules` allow this asker. Codes to step up,
    codes for browsers that the number's owner signed in on, and codes for everybody else are counted apart.
    """
    phone = phone_number(phone)
    code_id = None
    while code_id is None:  # of two who saw the same codes one gets the next number, and the other looks again
        moment = clock.now()
        recent = _recent(session, phone)
        _check_allowance([row for row in recent if _is_of_pool(row, purpose, asker)], purpose, asker, moment)
        code_id = insert_once(
            session, SignInCode, phone=phone, number=recent[0].number + 1 if recent else 1, purpose=purpose, nonce=ids.secret(),
            asker=asker.origin, holder=asker.holder, is_known=asker.is_known, created_at=moment, expires_at=moment + rules.CODE_VALID_FOR,
        )  # fmt: skip
    # Old codes are deleted, and SQLite gives their ids out again: by its id alone a later code would be one that was sent before.
    key = f"accounts.send_code:{code_id}:{moment:%Y%m%d%H%M%S%f}"
    outbox.enqueue(session, "accounts.send_code", dedupe_key=key, code_id=code_id, locale=locale)
    return session.get_one(SignInCode, code_id)


def of_number(phone: str) -> sa.ColumnElement[bool]:
    """The codes of a number. Nothing else compares the column."""
    return SignInCode.phone == phone


def _recent(session: Session, phone: str) -> Sequence[SignInCode]:
    """The newest codes of a number, newest first: more than all allowances of a day together."""
    asked = sa.select(SignInCode).where(of_number(phone)).order_by(SignInCode.number.desc()).limit(rules.CODES_LOOKED_AT)
    return session.scalars(asked.execution_options(populate_existing=True)).all()


def _is_of_pool(row: SignInCode, purpose: CodePurpose, asker: Asker) -> bool:
    """Whether a code counts against the same allowance as the one asked for."""
    return row.purpose is purpose and row.is_known == asker.is_known


def _check_allowance(pool: list[SignInCode], purpose: CodePurpose, asker: Asker, moment: datetime) -> None:
    """Raise when this asker has to wait, and say how long."""
    if pool and (wait := pool[0].created_at + rules.RESEND_AFTER - moment) > timedelta(0):
        raise CodeSentRecently(seconds=math.ceil(wait.total_seconds()))
    if purpose is CodePurpose.STEP_UP or asker.is_known:
        until = _opens_at(pool, rules.OWN_CODES, moment)
    else:
        own = [row for row in pool if row.asker == asker.origin]
        until = max(_opens_at(pool, rules.STRANGERS_CODES, moment), _opens_at(own, rules.ONE_STRANGERS_CODES, moment))
    if until > moment:  # told by the minute, and then it must be true
        raise TooManyCodes(until=until.replace(second=0, microsecond=0) + timedelta(minutes=1))


def _opens_at(pool: list[SignInCode], caps: tuple[tuple[timedelta, int], ...], moment: datetime) -> datetime:
    """When the next code fits under all caps: now, or when the oldest that fills one of them is old enough."""
    return max((pool[most - 1].created_at + period for period, most in caps if len(pool) >= most), default=moment)


@operation
def check_code(session: Session, phone: str, code: str, purpose: CodePurpose, asker: Asker = rules.SOMEBODY) -> ShopError | None:
    """Use up a code of a number: None when one of the live ones was right, else the refusal.

    The refusal is answered and not raised, because a wrong try must be counted though the caller's deed is refused.
    Doors call `credentials.use_code`, which raises after the count is committed.
    """
    found = recognise(session, phone, code, purpose, asker)
    if found is None or not use_up(session, found):
        return refusal(session, phone, code, purpose, asker)
    return None


def refusal(session: Session, phone: str, code: str, purpose: CodePurpose, asker: Asker) -> WrongCode:
    """Why a code was not taken. That it is used up is said only of codes made for this very asker: others could learn from it."""
    recent = sa.select(SignInCode).where(
        of_number(phone), SignInCode.purpose == purpose, SignInCode.holder == asker.holder, SignInCode.expires_at > clock.now(),
        sa.or_(SignInCode.used_at.is_not(None), SignInCode.tries_left == 0),
    )
    spent = session.scalars(recent.order_by(SignInCode.number.desc()).limit(rules.LIVE_CODES)).all()
    return CodeUsedUp() if asker.holder and any(is_right(row, code) for row in spent) else WrongCode()


def recognise(session: Session, phone: str, code: str, purpose: CodePurpose, asker: Asker) -> SignInCode | None:
    """Compare what was typed with the live codes this asker may try, at the price of one try of each; the right one, or None."""
    tried = [row for row in _live(session, phone, purpose, asker) if _take_try(session, row, asker)]
    return next((row for row in tried if is_right(row, code)), None)


def _live(session: Session, phone: str, purpose: CodePurpose, asker: Asker) -> list[SignInCode]:
    """The newest codes made for this asker, and the newest made for others.

    Not for others are codes to step up, and codes of a browser that the number's owner signed in on before.
    """
    live = (
        of_number(phone), SignInCode.purpose == purpose, SignInCode.used_at.is_(None), SignInCode.expires_at > clock.now(),
        SignInCode.tries_left > 0,
    )  # fmt: skip
    found = session.scalars(sa.select(SignInCode).where(*live).order_by(SignInCode.number.desc())).all()
    mine = [row for row in found if row.holder == asker.holder]
    others = [row for row in found if row.holder != asker.holder and not row.is_known and purpose is CodePurpose.SIGN_IN]
    return mine[: rules.LIVE_CODES] + others[: rules.LIVE_CODES]


def _take_try(session: Session, row: SignInCode, asker: Asker) -> bool:
    """Take one of a code's tries; whoever it was not made for takes none of the last three."""
    kept = 0 if row.holder == asker.holder else rules.TRIES_KEPT_FOR_HOLDER
    one_try = sa.update(SignInCode).where(
        SignInCode.id == row.id, SignInCode.tries_left > kept, SignInCode.used_at.is_(None), SignInCode.expires_at > clock.now()
    )
    return take(session, one_try.values(tries_left=SignInCode.tries_left - 1))


def is_right(row: SignInCode, code: str) -> bool:
    return ids.matches(rules.code_digits(row.id, row.nonce), rules.typed_digits(code))


def use_up(session: Session, row: SignInCode) -> bool:
    """Mark a code as used, and with it the others made for the same asker; False when somebody used it first."""
    unused = sa.update(SignInCode).where(SignInCode.id == row.id, SignInCode.used_at.is_(None))
    if not take(session, unused.values(used_at=clock.now())):
        return False
    rest = (of_number(row.phone), SignInCode.purpose == row.purpose, SignInCode.holder == row.holder, SignInCode.used_at.is_(None))
    session.execute(sa.update(SignInCode).where(*rest).values(used_at=clock.now()))
    return True
