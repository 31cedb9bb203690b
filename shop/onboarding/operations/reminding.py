"""Licences that run out: told 30, 7 and 1 days before the last day and after it; and writing down that one was renewed."""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.accounts.queries import staff_of_merchants
from shop.kernel import clock
from shop.kernel.db import operation, take
from shop.kernel.errors import NotFound
from shop.models.merchants import Merchant, MerchantState
from shop.models.onboarding import Licence, PaperKind
from shop.onboarding import queries, rules
from shop.onboarding.permissions import OnboardingPermission
from shop.onboarding.tags import Done
from shop.orders.permissions import OrderPermission
from shop.platform import audit, notices
from shop.platform.actor import Actor
from shop.platform.own import refuse_own

AT_ONCE = 200


@operation
def remind(session: Session, after: int = 0) -> int | None:
    """Tell of the next licences that run out or have; after which one to go on, None at the end. Each step is told once.

    A step that was missed, because nothing ran that day, is told by the next day's round: what counts is the last step reached.
    """
    today = clock.today()
    due = (
        sa.select(Licence.id, Licence.merchant_id, Licence.kind, Licence.valid_until, Merchant.name_zh, Merchant.name_en)
        .join(Merchant, Merchant.id == Licence.merchant_id)
        .where(Licence.id > after, Licence.valid_until <= today + timedelta(days=rules.REMINDED[0]))
        .where(Licence.valid_until >= today - timedelta(days=rules.TOLD_LATE), Merchant.state != MerchantState.CLOSED)
    )
    rows = session.execute(due.order_by(Licence.id).limit(AT_ONCE)).all()
    staff = staff_of_merchants(session, {row.merchant_id for row in rows}, OrderPermission.SHOP_READ)
    for row in rows:
        left = (row.valid_until - today).days
        kind = "expired" if left < 0 else "expires"
        key = f"onboarding:licence:{row.id}:{row.valid_until}:{rules.reminder(left)}"
        facts = {"shop": {"zh": row.name_zh, "en": row.name_en}, "paper": rules.paper_fact(row.kind), "day": str(row.valid_until)}
        for user_id in staff.get(row.merchant_id, []):
            notices.post(session, user_id, f"onboarding.{kind}", dedupe_key=f"{key}:{user_id}", link="/merchant/", **facts)
    return rows[-1].id if len(rows) == AT_ONCE else None


@operation
def renew(session: Session, actor: Actor, code: str, kind: PaperKind, valid_until: date | None) -> None:
    """Write down the new last day of a shop's licence, once somebody has seen the paper. The same again changes nothing.

    Raises `NotFound` for a shop or a licence that is not there, `OwnDeed` for who works there, `EndMissing`, `PaperExpired`.
    """
    if not actor.everywhere(OnboardingPermission.LICENCE_WRITE):
        raise NotFound()
    found = queries.shop(session, code)
    if found.id in actor.workplaces():
        refuse_own(actor, actor.user_id)
    rules.check_end(kind, valid_until, clock.today())
    renewed = sa.update(Licence).where(Licence.merchant_id == found.id, Licence.kind == kind)
    if not take(session, renewed.values(valid_until=valid_until)):
        raise NotFound()
    audit.record(session, actor, Done.RENEWED, "merchant", found.id, paper=kind.value, last_day=str(valid_until or ""))
