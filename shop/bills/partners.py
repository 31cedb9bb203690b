"""Billers as people know them: each is asked through a lane of its own."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.bills.rules import partner_of
from shop.models.bills import Biller
from shop.platform import outbox
from shop.platform.language import name_of
from shop.platform.partners import Known

MOST = 100


def billers(session: Session) -> Sequence[Known]:
    """All billers, in the order in which residents see them."""
    rows = session.execute(sa.select(Biller.code, Biller.name_zh, Biller.name_en).order_by(Biller.position, Biller.id).limit(MOST)).all()
    return [Known(name := partner_of(row.code), called := name_of(row), {outbox.partner(name): called}) for row in rows]
