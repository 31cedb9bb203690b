"""After a restore nothing leaves the house: what stands in a backup as waiting may have been sent since it was made.

    restored -> sending is paused -> providers were asked (`reconciled`) -> a person says so (`resumed`)

The row is in the restored database itself, so that every worker and every web process obeys it, whoever starts them.
docs/decisions/0052 says what is paused and why messages to people are not.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation
from shop.kernel.errors import ShopError, sentence
from shop.models.platform import Restoration
from shop.platform import audit
from shop.platform.actor import COMMAND
from shop.platform.tags import Done

IS_OPEN = Restoration.resumed_at.is_(None)
PAUSED_SINCE = sa.select(Restoration.restored_at).where(IS_OPEN).order_by(Restoration.id).limit(1)


class SendingPaused(ShopError):
    """What needs somebody outside is not begun while we do not know what they know."""

    code, status = "sending_paused", 503
    message = sentence("We are checking our books with the payment services. Please try again later; nothing was paid.")


class NothingPaused(ShopError):
    """There is no restore that waits to be resumed."""

    code, status = "nothing_paused", 409
    message = sentence("Sending is not paused. Nothing was changed.")


class NotReconciled(ShopError):
    """The providers have not been asked since the restore."""

    code, status = "not_reconciled", 409
    message = sentence("The providers have not been asked yet what they know. Nothing was changed.")


def is_paused() -> sa.ColumnElement[bool]:
    """Whether sending is paused, for a statement to ask; it goes through a table of a few rows, once."""
    return sa.select(Restoration.id).where(IS_OPEN).exists()


def paused_since(session: Session) -> datetime | None:
    """Since when nothing is sent; None when all is as usual."""
    since: datetime | None = session.connection().execute(PAUSED_SINCE).scalar_one_or_none()
    return since


def backup_moment(session: Session) -> datetime | None:
    """The moment of the oldest backup that this database was restored from and not resumed; None when all is as usual."""
    return session.scalars(sa.select(Restoration.made_at).where(IS_OPEN).order_by(Restoration.made_at).limit(1)).first()


def check_open(session: Session) -> None:
    """Refuse to begin what needs somebody outside. Raises `SendingPaused`."""
    if paused_since(session) is not None:
        raise SendingPaused()


@operation
def pause(session: Session, backup: str, made_at: datetime) -> None:
    """This database has just been restored from a backup made at that moment: nothing is sent from now on."""
    restored = Restoration(backup=backup, made_at=made_at, restored_at=clock.now())
    session.add(restored)
    session.flush()
    audit.record(session, COMMAND, Done.RESTORATION_MADE, "restoration", restored.id)


@operation
def note_reconciled(session: Session) -> None:
    """Everybody outside has answered what they know. Raises `NothingPaused`."""
    asked = sa.update(Restoration).where(IS_OPEN).values(reconciled_at=clock.now()).returning(Restoration.id)
    found = session.scalars(asked.execution_options(synchronize_session=False)).all()
    if not found:
        raise NothingPaused()
    audit.record_each(session, COMMAND, Done.RESTORATION_RECONCILED, "restoration", found)


@operation
def resume(session: Session) -> None:
    """Send again, and do what has waited. Raises `NothingPaused`, `NotReconciled`."""
    waiting = session.execute(sa.select(Restoration.id, Restoration.reconciled_at).where(IS_OPEN).with_for_update()).all()
    if not waiting:
        raise NothingPaused()
    if any(row.reconciled_at is None for row in waiting):
        raise NotReconciled()
    mine = sa.update(Restoration).where(IS_OPEN).values(resumed_at=clock.now())
    session.execute(mine.execution_options(synchronize_session=False))
    audit.record_each(session, COMMAND, Done.RESTORATION_RESUMED, "restoration", [row.id for row in waiting])
