"""What accounts owe to the time between a backup and its restore: doors that were closed since must not stand open again."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation
from shop.models.accounts import SignInCode, UserSession


@operation
def close_doors(session: Session) -> tuple[int, int]:
    """Sign everybody out and end all codes that are not used; how many sessions and codes.

    Some of these sessions were ended after the backup, some of these codes used: nobody knows which any more.
    """
    moment = clock.now()
    signed_in = sa.update(UserSession).where(UserSession.revoked_at.is_(None)).values(revoked_at=moment)
    unused = sa.update(SignInCode).where(SignInCode.used_at.is_(None), SignInCode.expires_at > moment).values(expires_at=moment)
    ended: list[Any] = [session.execute(one.execution_options(synchronize_session=False)) for one in (signed_in, unused)]
    return int(ended[0].rowcount), int(ended[1].rowcount)
