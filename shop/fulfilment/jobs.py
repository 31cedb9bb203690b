"""What people are told: goods have arrived, goods were handed over."""

from __future__ import annotations

import sqlalchemy as sa

from shop.kernel.db import finish_reading, reading
from shop.kernel.errors import sentence
from shop.models.accounts import User
from shop.models.pickup import Pass, PassState, PickupPoint
from shop.platform import notices, outbox, sms
from shop.platform.language import group_code, name_of, speaking, spoken_moment, words

notices.declare(
    "fulfilment.arrived",
    sentence("Your goods have arrived"),
    sentence("Orders: %(orders)s, shops: %(shops)s. Show the code %(code)s at the counter by %(until)s."),
)
notices.declare(
    "fulfilment.handed_over",
    sentence("Collected"),
    sentence("Orders handed over to you at the counter: %(orders)s. If that was not you, please call your pick-up point."),
)

notices.declare(
    "fulfilment.taken_back",
    sentence("Not collected after all"),
    sentence("A hand-over was taken back at the counter. Orders of yours that wait there again: %(orders)s."),
)

ARRIVED = sentence("Your goods are at %(point)s (orders: %(orders)s, shops: %(shops)s). Pick-up code %(code)s, until %(until)s.")


@outbox.job("fulfilment.tell_arrived")
def tell_arrived(pass_id: int, orders: int, shops: int, occasion: str) -> None:
    """Send the pick-up code by SMS. Nothing when it has been collected meanwhile."""
    session = reading()
    row = session.execute(
        sa.select(Pass.code, Pass.state, Pass.valid_until, User.phone, User.locale, PickupPoint.name_zh, PickupPoint.name_en)
        .join(User, User.id == Pass.user_id)
        .join(PickupPoint, PickupPoint.id == Pass.pickup_point_id)
        .where(Pass.id == pass_id)
    ).one_or_none()
    finish_reading()  # nothing is held open while the gateway is asked
    if row is None or row.state is not PassState.LIVE:
        return
    with speaking(row.locale or "zh"):
        text = words(
            ARRIVED, orders=orders, shops=shops, point=name_of(row), code=group_code(row.code), until=spoken_moment(row.valid_until),
        )
    sms.gateway().send(row.phone, f"{sms.SIGNATURE}{text}", reference=occasion)
