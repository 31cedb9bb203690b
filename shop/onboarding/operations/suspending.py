"""Suspending a shop, and letting it sell again."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.accounts.queries import staff_of_merchants
from shop.kernel import clock
from shop.kernel.db import insert_once, operation, take
from shop.kernel.errors import NotFound
from shop.merchants import operations as merchants
from shop.merchants.errors import AlreadySuspended, NotSuspended
from shop.models.onboarding import Suspension
from shop.onboarding import queries
from shop.onboarding.errors import ReasonMissing
from shop.onboarding.permissions import OnboardingPermission
from shop.onboarding.queries import Shop
from shop.onboarding.tags import Done
from shop.orders.permissions import OrderPermission
from shop.platform import audit, notices
from shop.platform.actor import Actor
from shop.platform.own import refuse_own


def here(session: Session, actor: Actor, code: str, reason: str) -> Shop:
    """A shop this person may suspend. Raises `NotFound`, `OwnDeed` for who works there, `ReasonMissing`."""
    if not actor.everywhere(OnboardingPermission.SHOP_SUSPEND):
        raise NotFound()
    found = queries.shop(session, code)
    for merchant_id in actor.workplaces():
        refuse_own(actor, actor.user_id if merchant_id == found.id else None)
    if not reason:
        raise ReasonMissing()
    return found


def told(session: Session, found: Shop, kind: str, suspension_id: int, **facts: str) -> None:
    """Tell everybody who works there."""
    name = {"zh": found.name_zh, "en": found.name_en}
    for user_id in staff_of_merchants(session, [found.id], OrderPermission.SHOP_READ).get(found.id, []):
        key = f"onboarding:{kind}:{suspension_id}:{user_id}"
        notices.post(session, user_id, f"onboarding.{kind}", dedupe_key=key, link="/merchant/", shop=name, **facts)


@operation
def suspend(session: Session, actor: Actor, code: str, reason: str) -> None:
    """From now on nothing of a shop is ordered, not even what lies in carts; what was ordered goes on, and no listing changes.

    Raises `NotFound`, `OwnDeed`, `ReasonMissing`, `AlreadySuspended`.
    """
    found = here(session, actor, code, reason)
    merchants.suspend(session, found.id)
    made = insert_once(
        session, Suspension, merchant_id=found.id, reason=reason, suspended_by_id=actor.signed_in_id(), suspended_at=clock.now(),
        lifted_reason="",
    )  # fmt: skip
    if made is None:
        raise AlreadySuspended()
    audit.record(session, actor, Done.SUSPENDED, "merchant", found.id, reason=reason)
    told(session, found, "suspended", made, reason=reason)


@operation
def restore(session: Session, actor: Actor, code: str, reason: str) -> None:
    """Let a shop sell again what was on sale. Raises `NotFound`, `OwnDeed`, `ReasonMissing`, `NotSuspended`."""
    found = here(session, actor, code, reason)
    merchants.restore(session, found.id)
    stands = session.scalar(sa.select(Suspension.id).where(Suspension.merchant_id == found.id, Suspension.lifted_at.is_(None)))
    if stands is not None:
        lifted = sa.update(Suspension).where(Suspension.id == stands, Suspension.lifted_at.is_(None))
        if not take(session, lifted.values(lifted_at=clock.now(), lifted_by_id=actor.signed_in_id(), lifted_reason=reason)):
            raise NotSuspended()
    audit.record(session, actor, Done.RESTORED, "merchant", found.id, reason=reason)
    told(session, found, "restored", stands or found.id)
