"""Which offers there are."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.communities.queries import directory
from shop.kernel import clock
from shop.kernel.memory import remember
from shop.kernel.rows import one_as
from shop.models.promotions import PriceOffer
from shop.promotions.rules import Offer

KEPT_SECONDS = 10
"""How late an offer may begin to count. What it took off is frozen with the quote, so that being late never changes what was promised."""

Place = tuple[int | None, int | None]
"""A merchant and a community, or all of them."""

COLUMNS = tuple(getattr(PriceOffer, name) for name in Offer.__slots__)


@remember(KEPT_SECONDS)
def known(session: Session) -> dict[Place, tuple[Offer, ...]]:
    """All offers that have not ended, also those to come, by where they count."""
    rows = session.connection().execute(
        sa.select(PriceOffer.community_id, *COLUMNS).where(PriceOffer.ends_at > clock.now()).order_by(PriceOffer.id)
    )
    found: dict[Place, list[Offer]] = {}
    for row in rows:
        offer = one_as(Offer, row, leave_out=("community_id",))
        found.setdefault((offer.merchant_id, row.community_id), []).append(offer)
    return {place: tuple(offers) for place, offers in found.items()}


def for_goods(session: Session, merchant_ids: Collection[int], point_id: int | None) -> tuple[Offer, ...]:
    """The offers that may take something off goods of these merchants, collected at a point. No query while they are known."""
    offers = known(session)
    if not offers:
        return ()
    point = directory(session).points_by_id.get(point_id) if point_id is not None else None
    communities = (None, point.community_id) if point else (None,)
    return tuple(
        offer for merchant_id in (None, *merchant_ids) for community in communities for offer in offers.get((merchant_id, community), ())
    )
