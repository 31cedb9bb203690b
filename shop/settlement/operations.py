"""What happens when the provider's word is known. One idempotent operation for webhook, return page and reconciler."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import operation
from shop.kernel.money import CURRENCY, ZERO, Money
from shop.models.accounts import User
from shop.models.orders import PaymentMethod, Purchase
from shop.models.payments import Payment, PaymentPurpose, PaymentState
from shop.orders import operations as orders
from shop.payments import operations as payments
from shop.payments.errors import PaymentNotFound
from shop.payments.gateway import DisputeMovement, Snapshot, Stage
from shop.payments.rules import CARD_MINIMUM, CARD_MINUTES, OPEN
from shop.platform import audit, notices, outbox
from shop.platform.actor import PROVIDER, Actor
from shop.settlement.errors import TopUpOutOfRange
from shop.wallet import operations as wallet
from shop.wallet import queries as wallets
from shop.wallet.errors import WalletNotOpen
from shop.wallet.operations import TransferKind

TOP_UP_MOST = Money(500_000)
SAME_CLICK = timedelta(minutes=2)
MISMATCH = "amount_mismatch"


class Outcome(StrEnum):
    """What a look at the provider's object changed."""

    PAID = "paid"
    RETURNED = "returned"  # the money came, but for nothing that can still be had: it goes back
    REJECTED = "rejected"  # not the amount or currency we asked for
    ENDED = "ended"  # no money will come
    WAITING = "waiting"
    KNOWN = "known"  # nothing new


@operation
def apply(session: Session, payment_id: int, snapshot: Snapshot) -> Outcome:
    """Bring our books to what the provider's object says now. However often and in whatever order: one effect.

    Money that arrived wins over anything concluded before. It pays for what the payment was for; where that has run out
    it is reserved again if it can be, and otherwise all of the money goes back by itself.
    """
    payment = session.get(Payment, payment_id, with_for_update={"key_share": True}, populate_existing=True)
    if payment is None:
        raise PaymentNotFound()
    if snapshot.stage is Stage.SUCCEEDED:
        return _arrived(session, payment, snapshot)
    if payment.state not in OPEN:
        return Outcome.KNOWN
    if snapshot.stage is Stage.FAILED:
        payments.fail(session, payment_id, snapshot.failure_code or "failed", snapshot.intent)
        notices.post(
            session, payment.user_id, "payment.failed", dedupe_key=f"payment:{payment_id}:failed", link=f"/payments/{payment.ref}",
            amount=str(payment.amount),
        )
        return Outcome.ENDED
    if snapshot.stage is Stage.CANCELLED:
        payments.cancel(session, payment_id)
        expire_if_unpaid(session, payment.purchase_id)
        return Outcome.ENDED
    if snapshot.stage is not Stage.OPEN:
        payments.progress(session, payment_id, PaymentState(snapshot.stage.value), snapshot.intent)
    return Outcome.WAITING


def _arrived(session: Session, payment: Payment, snapshot: Snapshot) -> Outcome:
    if payment.state is PaymentState.SUCCEEDED:
        if snapshot.fee is not None:
            payments.keep_fee(session, payment.id, snapshot.fee)
        return Outcome.KNOWN
    if (snapshot.amount, snapshot.currency) != (payment.amount, CURRENCY):
        return _reject(session, payment, snapshot)
    payments.succeed(session, payment.id, intent=snapshot.intent)
    if snapshot.fee is not None:
        payments.keep_fee(session, payment.id, snapshot.fee)
    audit.record(session, PROVIDER, "payment.succeeded", "payment", payment.id, amount=payment.amount.fen, purpose=payment.purpose.value)
    pay_for = PAYS_FOR.get(payment.purpose)
    if pay_for is not None and pay_for(session, payment):
        return Outcome.PAID
    return _return(session, payment)


def pay_purchase(session: Session, payment: Payment) -> bool:
    """Pay an order, one that had run out as well if its goods and slots are still to be had."""
    assert payment.purchase_id is not None
    if session.scalar(sa.select(Purchase.total).where(Purchase.id == payment.purchase_id)) != payment.amount:
        return False
    if orders.mark_paid(session, PROVIDER, payment.purchase_id, "provider"):
        return True
    return orders.revive(session, payment.purchase_id) and orders.mark_paid(session, PROVIDER, payment.purchase_id, "provider")


def pay_top_up(session: Session, payment: Payment) -> bool:
    """Put the money into the person's wallet."""
    wallet.post(
        session, cause=f"payment:{payment.id}:received", kind=TransferKind.TOP_UP, debit="provider", credit=f"wallet:{payment.user_id}",
        amount=payment.amount, subject=("payment", payment.id),
    )
    notices.post(
        session, payment.user_id, "wallet.topped_up", dedupe_key=f"payment:{payment.id}:received", link="/wallet",
        amount=str(payment.amount),
    )
    return True


PAYS_FOR: dict[PaymentPurpose, Callable[[Session, Payment], bool]] = {
    PaymentPurpose.PURCHASE: pay_purchase,
    PaymentPurpose.TOP_UP: pay_top_up,
}
"""What to do with money, by purpose. True: it has paid for that. False: that cannot be had any more, and nothing was changed."""


def _return(session: Session, payment: Payment) -> Outcome:
    """Money for something that cannot be had any more: held aside, and sent back in full."""
    wallet.post(
        session, cause=f"payment:{payment.id}:received", kind=TransferKind.PAYMENT, debit="provider", credit="suspense",
        amount=payment.amount, subject=("payment", payment.id),
    )
    payments.open_refund(
        session, payment_id=payment.id, cause=f"payment:{payment.id}:late", amount=payment.amount, reason="paid late", source="suspense"
    )
    audit.record(session, PROVIDER, "payment.returned", "payment", payment.id, amount=payment.amount.fen)
    notices.post(
        session, payment.user_id, "payment.late", dedupe_key=f"payment:{payment.id}:late", link=f"/payments/{payment.ref}",
        amount=str(payment.amount),
    )
    return Outcome.RETURNED


def _reject(session: Session, payment: Payment, snapshot: Snapshot) -> Outcome:
    """Not what we asked for: never counted as paid, put on record, and sent back."""
    if not payments.reject(session, payment.id, MISMATCH, snapshot.intent):
        return Outcome.KNOWN
    audit.record(
        session, PROVIDER, "payment.amount_mismatch", "payment", payment.id, expected=payment.amount.fen, arrived=snapshot.amount.fen,
        currency=snapshot.currency,
    )
    if snapshot.currency == CURRENCY:
        wallet.post(
            session, cause=f"payment:{payment.id}:mismatch", kind=TransferKind.CORRECTION, debit="provider", credit="suspense",
            amount=snapshot.amount, subject=("payment", payment.id),
        )
    outbox.enqueue(session, "settlement.return_mismatch", dedupe_key=f"settlement.return_mismatch:{payment.id}", payment_id=payment.id)
    return Outcome.REJECTED


@operation
def mismatch_returned(session: Session, payment_id: int) -> None:
    """The wrong amount has gone back: out of suspense again."""
    came = wallets.amount_of(session, f"payment:{payment_id}:mismatch")
    if came is not None:
        wallet.post(
            session, cause=f"payment:{payment_id}:mismatch_returned", kind=TransferKind.CORRECTION, debit="suspense", credit="provider",
            amount=came, subject=("payment", payment_id),
        )


@operation
def note_dispute(session: Session, payment_id: int, kind: str, event_row_id: int) -> None:
    """A buyer's bank questions a payment: on record for finance. `event_row_id` tells one message from the next."""
    audit.record(session, PROVIDER, "payment.disputed", "payment", payment_id, event=kind, event_row_id=event_row_id)


@operation
def book_dispute(session: Session, payment_id: int, movements: Iterable[DisputeMovement]) -> None:
    """Book what disputes about a payment moved at the provider, each movement once: taken back, given back, and the fees."""
    for movement in movements:
        cause = f"payment:{payment_id}:dispute:{movement.provider_ref}"
        for legs, kind, amount, account in (
            (cause, TransferKind.DISPUTE, movement.amount, "disputed"),
            (f"{cause}:fee", TransferKind.PROVIDER_FEE, -movement.fee, "provider_fee"),
        ):
            if amount:
                debit, credit = (account, "provider") if amount < ZERO else ("provider", account)
                wallet.post(
                    session, cause=legs, kind=kind, debit=debit, credit=credit, amount=max(amount, -amount), subject=("payment", payment_id)
                )


def expire_if_unpaid(session: Session, purchase_id: int | None) -> bool:
    """Let an unpaid purchase run out, unless another attempt may still pay it. False when it stays."""
    if purchase_id is None:
        return False
    live = sa.select(Payment.id).where(Payment.purchase_id == purchase_id, Payment.state.in_((*OPEN, PaymentState.SUCCEEDED)))
    if session.scalars(live.limit(1)).first() is not None:
        return False
    return orders.expire(session, purchase_id)


@operation
def close_unopened(session: Session, payment_id: int) -> bool:
    """End a payment nobody was sent to the provider for, and what it was to pay. False when there is a page by now."""
    payment = session.get(Payment, payment_id, with_for_update={"key_share": True}, populate_existing=True)
    if payment is None or not payments.cancel_unopened(session, payment_id):
        return False
    expire_if_unpaid(session, payment.purchase_id)
    return True


@operation
def expire_purchase(session: Session, purchase_id: int) -> bool:
    """Let a purchase run out whose attempts to pay have all ended."""
    return expire_if_unpaid(session, purchase_id)


@operation
def start_top_up(session: Session, actor: Actor, amount: Money) -> Payment:
    """Begin to top up the actor's wallet by card. A double click is one payment. Raises `TopUpOutOfRange`, `WalletNotOpen`."""
    user_id, moment = actor.signed_in_id(), clock.now()
    if not CARD_MINIMUM <= amount <= TOP_UP_MOST:
        raise TopUpOutOfRange(least=CARD_MINIMUM, most=TOP_UP_MOST)
    if wallets.find(session, user_id) is None:
        raise WalletNotOpen()
    session.execute(sa.select(User.id).where(User.id == user_id).with_for_update(key_share=True))
    just_now = sa.select(Payment).where(
        Payment.user_id == user_id, Payment.purpose == PaymentPurpose.TOP_UP, Payment.amount == amount,
        Payment.state == PaymentState.CREATED, Payment.created_at > moment - SAME_CLICK,
    )
    found = session.scalars(just_now.order_by(Payment.id.desc()).limit(1)).first()
    return found or payments.start(
        session, actor, purpose=PaymentPurpose.TOP_UP, method=PaymentMethod.STRIPE, amount=amount, expires_at=moment + CARD_MINUTES
    )
