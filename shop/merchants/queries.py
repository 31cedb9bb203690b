"""Reading merchants."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel.errors import NotFound
from shop.models.merchants import Merchant, MerchantState


def by_code(session: Session, code: str) -> Merchant | None:
    """A merchant in whatever state; None when there is none."""
    return session.scalars(sa.select(Merchant).where(Merchant.code == code)).first()


def by_ids(session: Session, ids: Iterable[int]) -> dict[int, Merchant]:
    """Merchants by id, one query."""
    return {row.id: row for row in session.scalars(sa.select(Merchant).where(Merchant.id.in_(sorted(set(ids)))))}


def get_merchant(session: Session, code: str) -> Merchant:
    """A merchant that is not closed, by its code. Raises `NotFound`."""
    merchant = by_code(session, code)
    if merchant is None or merchant.state is MerchantState.CLOSED:
        raise NotFound()
    return merchant
