"""Money goes back to where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel.db import operation, take
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.models.orders import SubOrder, SubOrderState
from shop.models.payments import Payment, PaymentState, Refund
from shop.orders.errors import RefundTooLarge
from shop.orders.rules import RELEASED, release_split
from shop.payments import operations as payments
from shop.platform import audit
from shop.platform.actor import Actor
from shop.wallet import operations as wallet

SUB_ORDERS = cast(sa.Table, SubOrder.__table__)


@dataclass(frozen=True, slots=True)
class Part:
    """What a refund must know of a sub-order."""

    id: int
    number: str
    purchase_id: int
    merchant_id: int
    user_id: int
    pickup_point_id: int
    cycle_id: int
    state: SubOrderState
    total: Money
    refunded_total: Money
    commission_bps: int


PART = tuple(SUB_ORDERS.c[name] for name in Part.__slots__)


def parts_where(session: Session, *conditions: Any) -> list[Part]:
    """Sub-orders by id."""
    return [Part(*row) for row in session.connection().execute(sa.select(*PART).where(*conditions).order_by(SUB_ORDERS.c.id))]


def part_of(session: Session, sub_order_id: int) -> Part:
    """One sub-order; raises `NotFound`."""
    found = parts_where(session, SUB_ORDERS.c.id == sub_order_id)
    if not found:
        raise NotFound()
    return found[0]


def lock_payment(session: Session, purchase_id: int) -> int:
    """Lock the payment that paid a purchase, first of all rows, and give its id. Raises `NotFound` when nothing was paid."""
    paid = sa.select(Payment.id).where(Payment.purchase_id == purchase_id, Payment.state == PaymentState.SUCCEEDED)
    payment_id = session.scalars(paid.order_by(Payment.id).limit(1).with_for_update(key_share=True)).first()
    if payment_id is None:
        raise NotFound()
    return payment_id


@operation
def refund(session: Session, actor: Actor, sub_order_id: int, *, amount: Money, cause: str, reason: str) -> bool:
    """Give back part of a paid sub-order to the tender it came from. Once per `cause`: False when told before.

    What the merchant already received comes back from it, commission included. Raises `RefundTooLarge`, `NotFound`.
    """
    payment_id = lock_payment(session, part_of(session, sub_order_id).purchase_id)
    if session.scalar(sa.select(Refund.id).where(Refund.cause == cause)) is not None:
        return False
    give_back(session, payment_id, part_of(session, sub_order_id), amount, cause, reason)
    audit.record(session, actor, "sub_order.refunded", "sub_order", sub_order_id, amount=amount.fen, reason=reason)
    return True


def give_back(session: Session, payment_id: int, part: Part, amount: Money, cause: str, reason: str) -> None:
    """The refund itself: never more than is left, out of escrow, or back from the merchant when it has been released."""
    if amount.fen <= 0:
        raise RefundTooLarge()
    within = sa.update(SUB_ORDERS).where(SUB_ORDERS.c.id == part.id, SUB_ORDERS.c.refunded_total + amount <= SUB_ORDERS.c.total)
    if not take(session, within.values(refunded_total=SUB_ORDERS.c.refunded_total + amount)):
        raise RefundTooLarge()
    if part.state in RELEASED:
        _take_back_release(session, part, amount, cause)
    payments.open_refund(session, payment_id=payment_id, cause=cause, amount=amount, reason=reason, sub_order_id=part.id)


def _take_back_release(session: Session, part: Part, amount: Money, cause: str) -> None:
    """Merchant and commission return their shares to escrow, so that any series of refunds ends exactly at nothing."""
    merchant_before, commission_before = release_split(part.total, part.refunded_total, part.commission_bps)
    merchant_after, commission_after = release_split(part.total, part.refunded_total + amount, part.commission_bps)
    shares = (
        (f"merchant:{part.merchant_id}", "merchant", merchant_before - merchant_after),
        ("commission", "commission", commission_before - commission_after),
    )
    for account, whose, share in shares:
        if share:
            wallet.post(
                session, cause=f"{cause}:{whose}", kind="refund", debit=account, credit="escrow", amount=share,
                subject=("sub_order", part.id),
            )
