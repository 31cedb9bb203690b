"""Who carries the shop's text messages, as people know them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from shop.platform import outbox, sms
from shop.platform.language import gettext as _
from shop.platform.partners import Known


def carriers(_session: Session) -> Sequence[Known]:
    """The one carrier. Codes have the lane of what is most urgent, all other messages this one."""
    called = _("Text messages")
    return [Known(sms.PARTNER, called, {outbox.partner(sms.PARTNER): called})]
