"""A refund was too much, and what it put into a wallet is taken out again. Money that went to a card is gone."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation, take
from shop.kernel.statements import table
from shop.models.orders import PaymentMethod
from shop.models.payments import Payment, Refund, RefundState
from shop.payments.errors import CannotTakeAgain
from shop.payments.rules import TAKEN_AGAIN, money_account
from shop.wallet import operations as wallet
from shop.wallet.errors import InsufficientFunds

REFUNDS = table(Refund)
PAYMENTS = table(Payment)


@operation
def take_again(session: Session, refund_id: int) -> None:
    """Book the counter-entry of a refund that went into a wallet: out of it again, to where it came from. Once: told twice, nothing moves.

    Nothing of it is left to be sent another way (`carried_on`). Raises `CannotTakeAgain` when it did not go into a wallet, or the wallet
    no longer holds so much. The caller holds the payment.
    """
    refund = session.execute(sa.select(REFUNDS).where(REFUNDS.c.id == refund_id)).one()
    payment = session.execute(sa.select(PAYMENTS).where(PAYMENTS.c.id == refund.payment_id)).one()
    if payment.method is not PaymentMethod.WALLET:
        raise CannotTakeAgain()
    given = sa.update(REFUNDS).where(REFUNDS.c.id == refund_id, REFUNDS.c.state == RefundState.SUCCEEDED)
    ended = {"state": RefundState.FAILED, "failure_code": TAKEN_AGAIN, "settled_at": clock.now(), "carried_on": refund.amount}
    if not take(session, given.values(ended)):
        return
    try:
        wallet.post(
            session, cause=f"refund:{refund_id}:{TAKEN_AGAIN}", kind=wallet.TransferKind.CORRECTION, debit=f"wallet:{payment.user_id}",
            credit=money_account(payment.purpose, payment.user_id), amount=refund.amount, subject=("refund", refund_id),
        )
    except InsufficientFunds as spent:
        raise CannotTakeAgain() from spent
    session.execute(
        sa.update(PAYMENTS).where(PAYMENTS.c.id == payment.id).values(refunded_amount=PAYMENTS.c.refunded_amount - refund.amount)
    )
