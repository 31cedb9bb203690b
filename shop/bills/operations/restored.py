"""Bill payments after a restore: what stands as not sent may have been sent since the backup, so the biller is asked first."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.bills import queries, rules
from shop.bills.tags import Done
from shop.kernel import clock
from shop.kernel.db import operation, take
from shop.models.bills import AttemptKind, AttemptOutcome, BillAttempt, BillPayment, BillPaymentState
from shop.platform import audit
from shop.platform.actor import COMMAND

RESTORED = "restored"
"""The detail of a call that perhaps was made after the backup."""


@operation
def doubt_unsent(session: Session, settle_window: timedelta) -> int:
    """Write down for each payment that would be sent next that it perhaps was, by a call nobody knows the end of; how many.

    From then on it goes as after any lost answer: the biller is asked, and sent the payment only once it says, later than the settle
    window, that none arrived. To a biller that keeps no serials it is not sent again by itself at all. As often as you like: a payment
    that is doubted already is left alone.
    """
    moment = clock.now()
    about_to_go = sa.select(BillPayment).where(BillPayment.state.in_((BillPaymentState.FUNDS_HELD, BillPaymentState.UNKNOWN)))
    doubted = []
    for payment in session.scalars(about_to_go.order_by(BillPayment.id)):
        standing = queries.standing_of(session, payment)
        if payment.state is BillPaymentState.UNKNOWN and not rules.never_arrived(standing, settle_window):
            continue
        number = payment.attempts + 1
        as_read = (BillPayment.id == payment.id, BillPayment.state == payment.state, BillPayment.attempts == payment.attempts)
        values = {
            "state": BillPaymentState.UNKNOWN, "attempts": number, "next_inquiry_at": moment,
            "sent_at": sa.func.coalesce(BillPayment.sent_at, moment),
        }  # fmt: skip
        if not take(session, sa.update(BillPayment).where(*as_read).values(values)):
            continue
        session.add(
            BillAttempt(
                community_id=payment.community_id, bill_payment_id=payment.id, number=number, kind=AttemptKind.POST, started_at=moment,
                ended_at=moment, outcome=AttemptOutcome.UNCLEAR, detail=RESTORED,
            )
        )  # fmt: skip
        doubted.append(payment.id)
    session.flush()
    audit.record_each(session, COMMAND, Done.BILL_PAYMENT_DOUBTED, "bill_payment", doubted)
    return len(doubted)
