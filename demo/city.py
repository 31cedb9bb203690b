"""What deeds in the demo city need to know: who lives there, who works where, what is sold."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from demo.people import actor_of
from shop.catalog import rules
from shop.kernel import clock
from shop.models.accounts import RoleGrant, User
from shop.models.catalog import PricedBy, Product, Variant
from shop.platform.actor import Actor, Grant


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that can be put into a cart."""

    code: str
    merchant_id: int
    fen: int
    is_by_weight: bool
    is_in_season: bool


@dataclass(frozen=True, slots=True)
class City:
    """Everybody by phone, shopkeepers by merchant, keepers by point, and the offers of each merchant."""

    residents: dict[str, Actor]
    shopkeepers: dict[int, Actor]
    keepers: dict[int, Actor]
    offers: dict[int, list[Offer]]

    @classmethod
    def of(cls, session: Session) -> City:
        """The city as it stands in the database."""
        grants: dict[int, list[Grant]] = {}
        for row in session.scalars(sa.select(RoleGrant).order_by(RoleGrant.id)):
            grants.setdefault(row.user_id, []).append(Grant(row.role.value, row.merchant_id, row.pickup_point_id))
        residents, shopkeepers, keepers = {}, {}, {}
        for user in session.scalars(sa.select(User).order_by(User.id)):
            held = tuple(grants.get(user.id, ()))
            actor = actor_of(user, held)
            if not held:
                residents[user.phone] = actor
            for grant in held:
                if grant.merchant_id is not None:
                    shopkeepers[grant.merchant_id] = actor
                if grant.pickup_point_id is not None:
                    keepers[grant.pickup_point_id] = actor
        return cls(residents, shopkeepers, keepers, offers_of(session))


def offers_of(session: Session) -> dict[int, list[Offer]]:
    """What each merchant sells, by rank. What waits for its season is left out."""
    today, offers = clock.today(), dict[int, list[Offer]]()
    rows = session.execute(
        sa.select(Variant.code, Product.merchant_id, Variant.price, Product.priced_by, Product.season_months)
        .join(Product, Product.id == Variant.product_id)
        .order_by(Product.position, Product.id)
    )
    for row in rows:
        mask = rules.season_mask(row.season_months)
        if mask & rules.month_bit(today):
            offer = Offer(row.code, row.merchant_id, row.price.fen, row.priced_by is PricedBy.WEIGHT, mask != rules.ALL_YEAR)
            offers.setdefault(row.merchant_id, []).append(offer)
    return offers
