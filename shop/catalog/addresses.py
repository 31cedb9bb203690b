"""What of the catalogue search engines are told of: goods on sale in ranges of their ids, and shops that sell something.

A range is one page of the site map. However many goods there are, a page costs one query over one range of the primary key, and
the list of pages one query that jumps from range to range.
"""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel.rows import all_as
from shop.models.catalog import Listing
from shop.models.merchants import Merchant, MerchantState

RANGE = 2_000
"""Ids in one range. Each of its products has an address in every language, and a page of a site map may hold 10,000."""

MOST_SHOPS = 4_000


class Placed(NamedTuple):
    """A product by its address, and when what is said of it was last written: microseconds since 1970, 0 when nobody knows."""

    slug: str
    version: int


def ranges(session: Session) -> list[int]:
    """The ranges that hold any goods on sale, by number, the first being 1: range 3 begins at id 2 × `RANGE`."""
    first = sa.select(sa.func.min(Listing.product_id).label("at")).cte("starts", recursive=True)
    following = (
        sa.select(sa.func.min(Listing.product_id)).where(Listing.product_id >= (first.c.at // RANGE + 1) * RANGE).correlate(first)
    ).scalar_subquery()
    starts = first.union_all(sa.select(following).where(first.c.at.is_not(None)))
    return [at // RANGE + 1 for at in session.scalars(sa.select(starts.c.at).where(starts.c.at.is_not(None)))]


def goods_in(session: Session, number: int) -> list[Placed]:
    """The goods on sale of one range, in the order of their ids."""
    rows = session.execute(
        sa.select(Listing.slug, Listing.version)
        .where(Listing.product_id >= (number - 1) * RANGE, Listing.product_id < number * RANGE)
        .order_by(Listing.product_id)
    )
    return all_as(Placed, rows)


def selling(session: Session) -> list[str]:
    """The codes of shops that are open and have something on sale."""
    sells = sa.exists().where(Listing.merchant_id == Merchant.id)
    query = sa.select(Merchant.code).where(Merchant.state == MerchantState.ACTIVE, sells).order_by(Merchant.id).limit(MOST_SHOPS)
    return list(session.scalars(query))
