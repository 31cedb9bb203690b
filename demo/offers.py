"""The demo city's offers: one that Linli pays for everywhere, one that a shop pays for on its own goods."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from shop.kernel.money import Money
from shop.merchants.queries import get_merchant
from shop.models.promotions import Funder
from shop.platform.actor import COMMAND
from shop.promotions.operations import Threshold, make_threshold

LASTS = timedelta(days=365)


def add_offers(session: Session, moment: datetime) -> None:
    """Both count from `moment`, when the city opens, for a year."""
    until = moment + LASTS
    mart = get_merchant(session, "hanan-mart").id
    for offer in (
        Threshold("linli-50", Funder.PLATFORM, 5_000, Money(300), "邻里满50减3", "Linli: ¥3 off from ¥50", moment, until),
        Threshold("hanan-30", Funder.MERCHANT, 3_000, Money(200), "汉安满30减2", "Han'an: ¥2 off from ¥30", moment, until, mart),
    ):
        make_threshold(session, COMMAND, offer)
