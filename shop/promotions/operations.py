"""Offers are made and ended, never changed: what orders got of one can always be read from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import insert_once, operation, take
from shop.kernel.errors import NotFound
from shop.kernel.money import ZERO, Money
from shop.models.promotions import Funder, OfferKind, PriceOffer
from shop.platform import audit
from shop.platform.actor import Actor
from shop.promotions.errors import OfferExists, OfferImpossible
from shop.promotions.tags import Done

MOMENT = timedelta(microseconds=1)
"""How long an offer is kept that was ended before it began: a time has an end after its start."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """Goods worth `at_least` fen, of one merchant or of all, in one community or in all, cost `off` less. Merchants pay for their own."""

    code: str
    funder: Funder
    at_least: int
    off: Money
    name_zh: str
    name_en: str
    starts_at: datetime
    ends_at: datetime
    merchant_id: int | None = None
    community_id: int | None = None


@operation
def make_threshold(session: Session, actor: Actor, wish: Threshold) -> bool:
    """Make an offer; it counts within ten seconds of its time. False when just this one is there.

    Raises `OfferImpossible`, and `OfferExists` for another of that code.
    """
    is_payable = wish.funder is Funder.PLATFORM or wish.merchant_id is not None
    if not (is_payable and ZERO < wish.off < Money(wish.at_least) and max(wish.starts_at, clock.now()) < wish.ends_at):
        raise OfferImpossible()
    facts = {**asdict(wish), "off": wish.off}
    made = insert_once(session, PriceOffer, kind=OfferKind.THRESHOLD, **facts)
    if made is None:
        there = session.execute(sa.select(PriceOffer).where(PriceOffer.code == wish.code)).scalar_one()
        if any(getattr(there, name) != value for name, value in facts.items()):
            raise OfferExists()
        return False
    audit.record(session, actor, Done.OFFER_MADE, "offer", made, code=wish.code, at_least=wish.at_least, off=wish.off.fen)
    return True


@operation
def end(session: Session, actor: Actor, code: str) -> bool:
    """End an offer now. Quotes that show it keep it for their ten minutes. False when it is over already; raises `NotFound`."""
    offer = session.execute(sa.select(PriceOffer.id, PriceOffer.starts_at).where(PriceOffer.code == code)).one_or_none()
    if offer is None:
        raise NotFound()
    moment = clock.now()
    running = sa.update(PriceOffer).where(PriceOffer.id == offer.id, PriceOffer.ends_at > moment)
    if not take(session, running.values(ends_at=max(moment, offer.starts_at + MOMENT))):
        return False
    audit.record(session, actor, Done.OFFER_ENDED, "offer", offer.id, code=code)
    return True
