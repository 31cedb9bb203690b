"""Asking billers, sending payments, and finding out what became of them."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from shop.bills import operations, queries
from shop.bills.answers import Answer
from shop.bills.gateway import Biller, BillerUnavailable, gateway
from shop.kernel import clock
from shop.kernel.crash import crashpoint
from shop.kernel.db import finish_reading, perform, reading, transaction
from shop.kernel.errors import sentence
from shop.models.bills import AttemptKind, BillAccount, BillerFlow, BillLookUp, BillPayment, LookUpOutcome
from shop.platform import notices, outbox

notices.declare("bill.paid", sentence("Bill paid"), sentence("%(biller)s has received ¥%(amount)s. The receipt is ready."))
notices.declare(
    "bill.returned",
    sentence("Bill not paid, money returned"),
    sentence("%(biller)s did not take the payment. ¥%(amount)s is back in your wallet."),
)
notices.declare(
    "bill.with_a_person",
    sentence("We are looking after your bill payment"),
    sentence("%(biller)s still has not told us what became of ¥%(amount)s. Our staff is asking; please do not pay again."),
)
notices.declare(
    "bill.needs_a_person",
    sentence("A bill payment needs a person"),
    sentence("%(biller)s does not say what became of ¥%(amount)s, serial %(serial)s."),
)
notices.declare(
    "bill.contradiction",
    sentence("A biller contradicts itself"),
    sentence("%(biller)s now says the opposite of before about ¥%(amount)s, serial %(serial)s. No money was moved; please decide."),
)

STEPS_AT_ONCE = 4
OVERLOOKED_AFTER = timedelta(minutes=1)


@outbox.job("bills.fetch")
def fetch(look_up_id: int) -> None:
    """Ask a biller about an account and keep the answer."""
    session = reading()
    look_up = session.get(BillLookUp, look_up_id)
    if look_up is None or look_up.outcome is not None:
        return
    account = session.scalars(sa.select(BillAccount).where(BillAccount.ref == look_up.account_ref)).first()
    if account is None:
        return
    biller = queries.biller_of(session, account.biller_id)
    number, is_prepaid = account.account_no, biller.flow is BillerFlow.VALIDATE_PAY
    finish_reading()
    try:
        statement = gateway().look_up(biller.code, number, prepaid=is_prepaid)
    except BillerUnavailable:
        perform(operations.record_answer, look_up_id, LookUpOutcome.UNAVAILABLE)
        return
    outcome = LookUpOutcome.UNKNOWN_ACCOUNT if statement is None else LookUpOutcome.FOUND
    perform(operations.record_answer, look_up_id, outcome, statement)


@outbox.job("bills.send")
def send(payment_id: int) -> None:
    """Take a payment as many steps towards its end as are due; one job follows it all the way."""
    biller = gateway()
    for _step in range(STEPS_AT_ONCE):
        call = perform(operations.begin, payment_id, biller.settle_window)
        if call is None:
            break
        crashpoint("bill.before_send")
        answer = made(biller, call)
        crashpoint("bill.after_send")
        perform(operations.finish, call, answer, biller.settle_window)
    payment = reading().get(BillPayment, payment_id, populate_existing=True)
    if payment is not None and payment.next_inquiry_at is not None:
        raise outbox.TryLater(max(payment.next_inquiry_at - clock.now(), timedelta(seconds=1)))


def made(biller: Biller, call: operations.Call) -> Answer:
    """Make the call."""
    if call.kind is AttemptKind.POST:
        return biller.pay(call.biller, call.order)
    return biller.inquire(call.biller, call.order.serial)


@outbox.periodic("bills.inquire", every=timedelta(minutes=1))
def inquire() -> None:
    """Find payments whose next step is due and whose own job is gone, and give them a new one."""
    moment = clock.now()
    overlooked = [(payment.id, payment.attempts) for payment in queries.due_for_a_step(reading(), moment - OVERLOOKED_AFTER)]
    if not overlooked:
        return
    with transaction() as session:
        for payment_id, attempts in overlooked:
            key = f"bills.send:{payment_id}:{attempts}:{moment:%Y%m%d%H}"
            outbox.enqueue(session, "bills.send", dedupe_key=key, payment_id=payment_id)
