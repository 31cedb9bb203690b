"""Asking billers, sending payments, and finding out what became of them."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from shop.bills import operations, queries, rules
from shop.bills.answers import Answer
from shop.bills.gateway import Biller, BillerUnavailable, gateway
from shop.kernel import clock
from shop.kernel.crash import crashpoint
from shop.kernel.db import finish_reading, perform, reading, transaction
from shop.models.bills import AttemptKind, BillAccount, BillerFlow, BillLookUp, BillPayment, BillPaymentState, LookUpOutcome
from shop.platform import outbox

STEPS_AT_ONCE = 4
OVERLOOKED_AFTER = timedelta(minutes=1)


def lane_of(*, biller: str = "", **_ids: int) -> str:
    """Each biller has a lane of its own: one that hangs keeps nobody else waiting."""
    return outbox.partner(rules.partner_of(biller))


@outbox.job("bills.fetch", lane=lane_of)
def fetch(look_up_id: int, biller: str = "") -> None:
    """Ask a biller about an account and keep the answer."""
    session = reading()
    look_up = session.get(BillLookUp, look_up_id)
    if look_up is None or look_up.outcome is not None:
        return
    account = session.scalars(sa.select(BillAccount).where(BillAccount.ref == look_up.account_ref)).first()
    if account is None:
        return
    asked = queries.biller_of(session, account.biller_id)
    number, is_prepaid = account.account_no, asked.flow is BillerFlow.VALIDATE_PAY
    finish_reading()
    try:
        statement = gateway().look_up(asked.code, number, prepaid=is_prepaid)
    except BillerUnavailable:
        perform(operations.record_answer, look_up_id, LookUpOutcome.UNAVAILABLE)
        return
    outcome = LookUpOutcome.UNKNOWN_ACCOUNT if statement is None else LookUpOutcome.FOUND
    perform(operations.record_answer, look_up_id, outcome, statement)


@outbox.job("bills.send", lane=lane_of)
def send(payment_id: int, biller: str = "") -> None:
    """Take a payment as many steps towards its end as are due; one job follows it all the way."""
    channel = gateway()
    for _step in range(STEPS_AT_ONCE):
        if leaves_alone(payment_id):
            return
        call = perform(operations.begin, payment_id, channel.settle_window)
        if call is None:
            break
        crashpoint("bill.before_send")
        answer = made(channel, call)
        crashpoint("bill.after_send")
        perform(operations.finish, call, answer, channel.settle_window)
    payment = reading().get(BillPayment, payment_id, populate_existing=True)
    if payment is not None and payment.next_inquiry_at is not None:
        raise outbox.TryLater(max(payment.next_inquiry_at - clock.now(), timedelta(seconds=1)))


def leaves_alone(payment_id: int) -> bool:
    """Whether nothing is left to do about a payment because its biller does not answer and nothing was ever sent to it.

    Raises `Outage` while it is only to wait: a silent biller is sent nothing and asked nothing, until it is a person's turn.
    """
    session = reading()
    payment = session.get(BillPayment, payment_id, populate_existing=True)
    moment = clock.now()
    if payment is None or not (
        payment.state is BillPaymentState.FUNDS_HELD or (payment.next_inquiry_at is not None and payment.next_inquiry_at <= moment)
    ):
        return False
    biller = queries.biller_of(session, payment.biller_id)
    if queries.silent_until(session, biller) is None:
        return False
    if payment.state is BillPaymentState.FUNDS_HELD and (payment.held_at or payment.created_at) + rules.UNSENT_FOR <= moment:
        return perform(operations.return_unsent, payment_id)
    if rules.is_overdue(payment.sent_at, moment) and payment.handed_over_at is None:
        return False
    raise outbox.Outage(f"partner {rules.partner_of(biller.code)} does not answer")


def made(channel: Biller, call: operations.Call) -> Answer:
    """Make the call."""
    if call.kind is AttemptKind.POST:
        return channel.pay(call.biller, call.order)
    return channel.inquire(call.biller, call.order.serial)


@outbox.periodic("bills.inquire", every=timedelta(minutes=1), lane=outbox.SOON)
def inquire() -> None:
    """Find payments whose next step is due and whose own job is gone, and give them a new one."""
    moment = clock.now()
    session = reading()
    overlooked = [
        (payment.id, payment.attempts, queries.biller_of(session, payment.biller_id).code)
        for payment in queries.due_for_a_step(session, moment - OVERLOOKED_AFTER)
    ]
    if not overlooked:
        return
    with transaction() as session:
        for payment_id, attempts, code in overlooked:
            key = f"bills.send:{payment_id}:{attempts}:{moment:%Y%m%d%H}"
            outbox.enqueue(session, "bills.send", dedupe_key=key, about=("bill_payment", payment_id), payment_id=payment_id, biller=code)
