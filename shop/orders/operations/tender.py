"""An order that waits for its payment is paid another way."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation
from shop.kernel.errors import NotFound
from shop.kernel.statements import table
from shop.models.orders import PaymentMethod, Purchase, PurchaseState
from shop.models.payments import Payment, PaymentPurpose, PaymentState
from shop.orders.operations.moving import follow_on
from shop.orders.operations.opening import mark_paid
from shop.orders.operations.step import open_step
from shop.orders.tags import Done
from shop.payments import operations as payments
from shop.payments.errors import AlreadyPaid, PaymentClosed, PaymentUnderWay
from shop.platform import audit
from shop.platform.actor import Actor
from shop.wallet import operations as wallet

PURCHASES = table(Purchase)


@operation
def pay_from_wallet(session: Session, actor: Actor, number: str, proof: wallet.Proof | None = None) -> str:
    """Pay an order from its buyer's wallet that was to be paid by card; its number. Asked twice, it is paid once.

    Attempts by card end: a page that is open at the provider is closed by a job, and money that comes there all the same goes back,
    because the order has its payment. Raises `NotFound`, `AlreadyPaid` (by card), `PaymentClosed` (its time is over, or it was cancelled),
    `PaymentUnderWay`, and what the wallet refuses: then nothing has changed and the card can still pay.
    """
    mine = (PURCHASES.c.number == number, PURCHASES.c.user_id == actor.signed_in_id())
    found = session.execute(sa.select(PURCHASES.c.id, PURCHASES.c.expires_at).where(*mine)).one_or_none()
    if found is None:
        raise NotFound()
    step = open_step(session, found.id)
    if step.state in {PurchaseState.PAID, PurchaseState.COMPLETED}:
        if step.method is PaymentMethod.WALLET:
            return step.number
        raise AlreadyPaid()
    if step.state is not PurchaseState.AWAITING_PAYMENT or found.expires_at <= clock.now():
        raise PaymentClosed()
    under_way = sa.select(Payment.id).where(Payment.purchase_id == found.id, Payment.state == PaymentState.PROCESSING)
    if session.scalars(under_way.limit(1)).first() is not None:
        raise PaymentUnderWay()
    payer = wallet.authorise(session, actor, step.total, proof)
    payments.give_up(session, purchase_id=found.id)
    payment = payments.start(
        session, actor, purpose=PaymentPurpose.PURCHASE, method=PaymentMethod.WALLET, amount=step.total, purchase_id=found.id, is_paid=True,
    )
    session.execute(sa.update(PURCHASES).where(PURCHASES.c.id == found.id).values(method=PaymentMethod.WALLET))
    if not mark_paid(session, actor, found.id, payment.id, payer):
        raise PaymentClosed()
    follow_on(session, found.id)
    audit.record(session, actor, Done.PURCHASE_TENDER_CHANGED, "purchase", found.id, total=step.total.fen)
    return step.number
