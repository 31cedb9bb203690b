"""What people are told: goods have arrived, goods were handed over, goods are late; and the timers that let everything end."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import sqlalchemy as sa

from shop.fulfilment import endings, operations, overdue
from shop.fulfilment.endings import NOT_HERE, Wait
from shop.kernel import clock
from shop.kernel.db import finish_reading, perform, reading
from shop.kernel.errors import sentence
from shop.models.accounts import User
from shop.models.pickup import Pass, PassState, PickupPoint
from shop.orders import operations as orders
from shop.platform import outbox, sms
from shop.platform.actor import JOB
from shop.platform.language import dated_moment, group_code, name_of, speaking, words
from shop.platform.rounds import alone, chunks

STILL_WAITING = sentence("Your goods still wait at %(point)s (orders: %(orders)s). Pick-up code %(code)s, until %(until)s.")
ARRIVED = sentence("Your goods are at %(point)s (orders: %(orders)s, shops: %(shops)s). Pick-up code %(code)s, until %(until)s.")


@outbox.job("fulfilment.tell_arrived", lane=outbox.partner(sms.PARTNER), is_message=True)
def tell_arrived(pass_id: int, orders: int, shops: int, occasion: str) -> None:
    """Send the pick-up code by SMS, however long the carrier is away while the code is good. Nothing when it has been collected."""
    send_code(ARRIVED, pass_id, occasion, orders=orders, shops=shops)


@outbox.job("fulfilment.tell_waiting", lane=outbox.partner(sms.PARTNER), is_message=True)
def tell_waiting(pass_id: int, orders: int, occasion: str) -> None:
    """Remind by SMS, with the code, of goods that still wait. Nothing when they have been collected."""
    send_code(STILL_WAITING, pass_id, occasion, orders=orders)


def send_code(message: str, pass_id: int, occasion: str, **facts: int) -> None:
    """An SMS about a pass that still opens something."""
    session = reading()
    row = session.execute(
        sa.select(Pass.code, Pass.state, Pass.valid_until, User.phone, User.locale, PickupPoint.name_zh, PickupPoint.name_en)
        .join(User, User.id == Pass.user_id)
        .join(PickupPoint, PickupPoint.id == Pass.pickup_point_id)
        .where(Pass.id == pass_id)
    ).one_or_none()
    finish_reading()  # nothing is held open while the gateway is asked
    if row is None or row.state is not PassState.LIVE or row.valid_until <= clock.now():
        return
    with speaking(row.locale or "zh"):
        text = words(message, point=name_of(row), code=group_code(row.code), until=dated_moment(row.valid_until), **facts)
    try:
        sms.gateway().send(row.phone, f"{sms.SIGNATURE}{text}", reference=occasion)
    except sms.SmsUnavailable as silence:
        raise outbox.Outage(str(silence)) from silence


TEN_MINUTES = timedelta(minutes=10)
COMPLETED_AT_ONCE = 50


@outbox.periodic("fulfilment.tell_late", every=TEN_MINUTES, lane=outbox.BULK)
def tell_late() -> None:
    """Shops hear of it as soon as a delivery is late, buyers a little later; who has goods waiting is reminded of them."""
    perform(operations.tell_shops, overdue.late_deliveries(reading()))
    for wait in NOT_HERE:
        for late in chunks(partial(overdue.buyers_to_tell, reading(), wait), lambda one: one.id):
            perform(operations.tell_buyers, late)
    for number in range(len(endings.REMINDERS), 0, -1):  # who is told the second time need not be told the first time any more
        for found in chunks(partial(overdue.reminders, reading(), number), lambda one: one.pass_id):
            perform(operations.remind, found)


@outbox.periodic("fulfilment.end", every=TEN_MINUTES, lane=outbox.BULK)
def end() -> None:
    """What never came, and what may be claimed no longer, ends, each order in a transaction of its own; then deliveries close."""
    for wait in NOT_HERE:
        for due in chunks(partial(overdue.due, reading(), wait), int):
            for sub_order_id in due:
                alone(operations.end_by_itself, sub_order_id)
    for due in chunks(partial(overdue.due, reading(), Wait.TO_CLAIM, limit=COMPLETED_AT_ONCE), int):
        alone(orders.complete, JOB, due)
    after: int | None = 0
    while after is not None:
        _moved, after = perform(operations.close_batches, after)
