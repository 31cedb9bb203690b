"""What happens when the provider's word is known. One idempotent operation for webhook, return page and reconciler."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.bills import operations as bills
from shop.kernel import clock
from shop.kernel.db import operation
from shop.kernel.money import ZERO, Money
from shop.models.accounts import User
from shop.models.orders import PaymentMethod, Purchase
from shop.models.payments import MovementKind, Payment, PaymentPurpose, PaymentState
from shop.orders import operations as orders
from shop.orders.operations.step import open_step
from shop.payments import operations as payments
from shop.payments.errors import PaymentNotFound
from shop.payments.foreign import Dispute, currency_of, minor_of
from shop.payments.rules import CARD_MINIMUM, CARD_MINUTES, OPEN
from shop.payments.snapshots import Snapshot, Stage
from shop.platform import audit, notices, outbox
from shop.platform.actor import PROVIDER, Actor
from shop.settlement.errors import NotThatMuch, TopUpBeyondLimit, TopUpOutOfRange
from shop.settlement.rules import MISMATCH
from shop.settlement.rules import TOP_UP_MOST as TOP_UP_MOST
from shop.settlement.tags import Done
from shop.wallet import operations as wallet
from shop.wallet import queries as wallets
from shop.wallet.errors import WalletNotOpen
from shop.wallet.operations import TransferKind

SAME_CLICK = timedelta(minutes=2)


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
    payment = _locked(session, payment_id)
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
        bills.drop_unpaid(session, payment_id)
        return Outcome.ENDED
    if snapshot.stage is Stage.CANCELLED:
        payments.cancel(session, payment_id)
        _let_go(session, payment)
        return Outcome.ENDED
    payments.note_answer(session, payment_id)
    if snapshot.stage is not Stage.OPEN:
        payments.progress(session, payment_id, PaymentState(snapshot.stage.value), snapshot.intent)
    return Outcome.WAITING


def _locked(session: Session, payment_id: int) -> Payment | None:
    """A payment as it is now, locked with the order it is for."""
    purchase_id = session.scalar(sa.select(Payment.purchase_id).where(Payment.id == payment_id))
    if purchase_id is not None:
        open_step(session, purchase_id)
    return session.get(Payment, payment_id, with_for_update={"key_share": True}, populate_existing=True)


def _arrived(session: Session, payment: Payment, snapshot: Snapshot) -> Outcome:
    if payment.state is PaymentState.SUCCEEDED:
        _keep_fee(session, payment.id, snapshot)
        return Outcome.KNOWN
    if snapshot.amount != payment.amount:
        return _reject(session, payment, snapshot)
    payments.succeed(session, payment.id, intent=snapshot.intent)
    _keep_fee(session, payment.id, snapshot)
    audit.record(session, PROVIDER, Done.PAYMENT_SUCCEEDED, "payment", payment.id, amount=payment.amount.fen, purpose=payment.purpose.value)
    pay_for = PAYS_FOR.get(payment.purpose)
    if pay_for is not None and pay_for(session, payment):
        return Outcome.PAID
    return _return(session, payment)


def _keep_fee(session: Session, payment_id: int, snapshot: Snapshot) -> None:
    if snapshot.settled is not None:
        payments.note_movement(session, payment_id, MovementKind.CHARGE, snapshot.settled)
    if snapshot.fee is not None:
        payments.keep_fee(session, payment_id, snapshot.fee)


def pay_purchase(session: Session, payment: Payment) -> bool:
    """Pay an order, one that had run out as well if its goods and slots are still to be had. What has missed its delivery meanwhile
    comes with the next one.
    """
    assert payment.purchase_id is not None
    if session.scalar(sa.select(Purchase.total).where(Purchase.id == payment.purchase_id)) != payment.amount:
        return False
    pays = (payment.purchase_id, payment.id, "provider")
    is_paid = orders.mark_paid(session, PROVIDER, *pays) or (
        orders.revive(session, payment.purchase_id) and orders.mark_paid(session, PROVIDER, *pays)
    )
    if is_paid:
        orders.follow_on(session, payment.purchase_id)
    return is_paid


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


def pay_bills(session: Session, payment: Payment) -> bool:
    """Hold the money for the billers, unless somebody gave these bills up meanwhile."""
    return bills.take_card_money(session, payment.id, payment.amount)


PAYS_FOR: dict[PaymentPurpose, Callable[[Session, Payment], bool]] = {
    PaymentPurpose.PURCHASE: pay_purchase,
    PaymentPurpose.BILL: pay_bills,
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
    audit.record(session, PROVIDER, Done.PAYMENT_RETURNED, "payment", payment.id, amount=payment.amount.fen)
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
        session, PROVIDER, Done.PAYMENT_AMOUNT_MISMATCH, "payment", payment.id, expected=payment.amount.fen,
        arrived=minor_of(snapshot.amount), currency=currency_of(snapshot.amount),
    )
    if isinstance(snapshot.amount, Money):
        wallet.post(
            session, cause=f"payment:{payment.id}:mismatch", kind=TransferKind.CORRECTION, debit="provider", credit="suspense",
            amount=snapshot.amount, subject=("payment", payment.id),
        )
    key = f"settlement.return_mismatch:{payment.id}"
    outbox.enqueue(session, "settlement.return_mismatch", dedupe_key=key, about=("payment", payment.id), payment_id=payment.id)
    return Outcome.REJECTED


@operation
def mismatch_returned(session: Session, payment_id: int) -> None:
    """The wrong amount has gone back: out of suspense again."""
    payments.note_returned(session, payment_id)
    came = wallets.amount_of(session, f"payment:{payment_id}:mismatch")
    if came is not None:
        wallet.post(
            session, cause=f"payment:{payment_id}:mismatch_returned", kind=TransferKind.CORRECTION, debit="suspense", credit="provider",
            amount=came, subject=("payment", payment_id),
        )


@operation
def mismatch_refused(session: Session, payment_id: int, reason: str) -> None:
    """The provider will not take the wrong amount back: it stays where it is, and a person has it. Told twice, written down once."""
    if payments.note_return_refused(session, payment_id, reason):
        audit.record(session, PROVIDER, Done.PAYMENT_MISMATCH_KEPT, "payment", payment_id, reason=reason)


@operation
def note_dispute(session: Session, payment_id: int, kind: str, event_row_id: int) -> None:
    """A buyer's bank questions a payment: on record for finance. `event_row_id` tells one message from the next."""
    audit.record(session, PROVIDER, Done.PAYMENT_DISPUTED, "payment", payment_id, event=kind, event_row_id=event_row_id)


@operation
def book_dispute(session: Session, payment_id: int, dispute: Dispute) -> bool:
    """Book what a dispute about a payment moved at the provider, each movement once: taken back, given back, and the fees.

    In yuan, whatever the account settles in; what the provider's figures do not say in yuan is kept unbooked, and a person has it.
    False when all of it was known.
    """
    is_new = False
    for movement in dispute.movements:
        if not payments.note_movement(session, payment_id, MovementKind.DISPUTE, movement, dispute.provider_ref):
            continue
        is_new = True
        _book_movement(session, payment_id, movement.provider_ref, movement.booked, movement.booked_fee)
    return is_new


def _book_movement(session: Session, payment_id: int, provider_ref: str, moved: Money | None, fee: Money | None) -> None:
    cause = f"payment:{payment_id}:dispute:{provider_ref}"
    for legs, kind, amount, account in (
        (cause, TransferKind.DISPUTE, moved, "disputed"),
        (f"{cause}:fee", TransferKind.PROVIDER_FEE, fee and -fee, "provider_fee"),
    ):
        if amount:
            debit, credit = (account, "provider") if amount < ZERO else ("provider", account)
            wallet.post(
                session, cause=legs, kind=kind, debit=debit, credit=credit, amount=max(amount, -amount), subject=("payment", payment_id)
            )


@operation
def book_by_hand(session: Session, actor: Actor, provider_ref: str, amount: Money, fee: Money, reason: str) -> bool:
    """Book a movement in yuan as a person read it at the provider; False when it is booked already, or nobody knows of it.

    The sign of `amount` is that of the movement, and for a charge it is what was paid. Raises `NotThatMuch`.
    """
    movement = payments.say_movement(session, provider_ref, amount, fee)
    if movement is None:
        return False
    payment_id, paid = movement.payment_id, session.get_one(Payment, movement.payment_id).amount
    is_charge = movement.kind is MovementKind.CHARGE
    if max(amount, -amount) > paid or (amount < ZERO) is not (movement.amount < 0) or (is_charge and amount != paid):
        raise NotThatMuch(paid=paid)
    if is_charge:
        payments.keep_fee(session, payment_id, fee)
    else:
        _book_movement(session, payment_id, provider_ref, amount, fee)
    audit.record(
        session, actor, Done.PAYMENT_BOOKED_BY_HAND, "payment", payment_id, movement=provider_ref, amount=amount.fen, fee=fee.fen,
        reason=reason,
    )  # fmt: skip
    return True


@operation
def say_fee(session: Session, actor: Actor, payment_ref: str, fee: Money, reason: str) -> bool:
    """Book the fee of a payment that the provider never told, as a person read it there; False when it is known."""
    payment = session.scalars(sa.select(Payment).where(Payment.ref == payment_ref, Payment.method == PaymentMethod.STRIPE)).first()
    if payment is None or payment.state is not PaymentState.SUCCEEDED:
        raise PaymentNotFound()
    if payment.provider_fee is not None:
        return False
    payments.keep_fee(session, payment.id, fee)
    audit.record(session, actor, Done.PAYMENT_BOOKED_BY_HAND, "payment", payment.id, fee=fee.fen, reason=reason)
    return True


@operation
def find_dispute(session: Session, payment_id: int, dispute: Dispute) -> None:
    """A dispute nobody told us about: booked and put on record as if somebody had. Once, also beside its own events."""
    is_new = book_dispute(session, payment_id, dispute)
    if is_new or not audit.is_recorded(session, Done.PAYMENT_DISPUTED, "payment", payment_id):
        audit.record(session, PROVIDER, Done.PAYMENT_DISPUTED, "payment", payment_id, event="found by asking")


def _let_go(session: Session, payment: Payment) -> None:
    """What an ended payment was to pay: an order runs out unless another attempt may still pay it, bills may be paid again."""
    expire_if_unpaid(session, payment.purchase_id)
    bills.drop_unpaid(session, payment.id)


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
    payment = _locked(session, payment_id)
    if payment is None or not payments.cancel_unopened(session, payment_id):
        return False
    _let_go(session, payment)
    return True


@operation
def expire_purchase(session: Session, purchase_id: int) -> bool:
    """Let a purchase run out whose attempts to pay have all ended."""
    return expire_if_unpaid(session, purchase_id)


@operation
def start_top_up(session: Session, actor: Actor, amount: Money) -> Payment:
    """Begin to top up the actor's wallet by card. A double click is one payment.

    Raises `TopUpOutOfRange`, `WalletNotOpen`, and `TopUpBeyondLimit` for money that a class I wallet could never spend.
    """
    user_id, moment = actor.signed_in_id(), clock.now()
    if amount < CARD_MINIMUM:
        raise TopUpOutOfRange(least=CARD_MINIMUM, most=TOP_UP_MOST)
    means = wallets.means(session, user_id, ZERO)
    if means is None:
        raise WalletNotOpen()
    if amount > means.room_for_top_up:
        most = means.room_for_top_up
        raise TopUpBeyondLimit(limit=means.class_limit, left=means.class_left, balance=means.wallet.balance, most=most)
    if amount > TOP_UP_MOST:  # asked last: of two limits the nearer one is told
        raise TopUpOutOfRange(least=CARD_MINIMUM, most=TOP_UP_MOST)
    session.execute(sa.select(User.id).where(User.id == user_id).with_for_update(key_share=True))
    just_now = sa.select(Payment).where(
        Payment.user_id == user_id, Payment.purpose == PaymentPurpose.TOP_UP, Payment.amount == amount,
        Payment.state == PaymentState.CREATED, Payment.created_at > moment - SAME_CLICK,
    )
    found = session.scalars(just_now.order_by(Payment.id.desc()).limit(1)).first()
    return found or payments.start(
        session, actor, purpose=PaymentPurpose.TOP_UP, method=PaymentMethod.STRIPE, amount=amount, expires_at=moment + CARD_MINUTES
    )
