"""The card provider as people know it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from shop.payments.gateway import PARTNER
from shop.platform.language import gettext as _
from shop.platform.partners import Known
from shop.settlement.jobs import SOMEBODY_WAITS, STRIPE


def card_provider(_session: Session) -> Sequence[Known]:
    """One provider, two lanes: what somebody has open before them does not stand behind the other work."""
    called = _("Card payments")
    return [Known(PARTNER, called, {STRIPE: called, SOMEBODY_WAITS: _("Card payments somebody waits for")})]
