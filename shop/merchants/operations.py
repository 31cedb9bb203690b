"""Opening a shop, suspending it, and letting it sell again."""

from __future__ import annotations

from datetime import time

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation, take
from shop.kernel.money import ZERO
from shop.merchants.errors import AlreadySuspended, NotSuspended
from shop.models.merchants import Merchant, MerchantKind, MerchantState

CUT_OFF, ARRIVAL, LEAD_DAYS = time(22, 0), time(16, 0), 1
"""What a new shop begins with: ordered by ten in the evening, there at four the next day."""


@operation
def open_shop(
    session: Session, code: str, kind: MerchantKind, *, name_zh: str, name_en: str, uscc: str, business_zh: str, business_en: str,
    commission_bps: int,
) -> int:  # fmt: skip
    """A shop that sells from now on, by the usual hours and without fees; its id. The caller has checked everything."""
    shop = Merchant(
        code=code, kind=kind, name_zh=name_zh, name_en=name_en, uscc=uscc, business_zh=business_zh, business_en=business_en,
        state=MerchantState.ACTIVE, commission_bps=commission_bps, cut_off=CUT_OFF, lead_days=LEAD_DAYS, arrival=ARRIVAL,
        minimum_order=ZERO, pickup_fee=ZERO, created_at=clock.now(),
    )  # fmt: skip
    session.add(shop)
    session.flush()
    return shop.id


@operation
def suspend(session: Session, merchant_id: int) -> None:
    """Take no new orders; what was ordered goes on, and no listing is changed. Raises `AlreadySuspended`."""
    if not take(session, _from(merchant_id, MerchantState.ACTIVE).values(state=MerchantState.SUSPENDED)):
        raise AlreadySuspended()


@operation
def restore(session: Session, merchant_id: int) -> None:
    """Sell again what was on sale. Raises `NotSuspended`."""
    if not take(session, _from(merchant_id, MerchantState.SUSPENDED).values(state=MerchantState.ACTIVE)):
        raise NotSuspended()


def _from(merchant_id: int, state: MerchantState) -> sa.Update:
    return sa.update(Merchant).where(Merchant.id == merchant_id, Merchant.state == state)
