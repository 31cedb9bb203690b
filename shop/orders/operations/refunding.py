"""Money goes back to where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel.db import operation, take
from shop.kernel.errors import NotFound
from shop.kernel.money import ZERO, Money
from shop.kernel.statements import table
from shop.models.orders import SubOrder
from shop.models.payments import Refund, RefundMethod
from shop.orders import settled_days
from shop.orders.errors import RefundTooLarge
from shop.orders.operations.step import Part, Step, open_step_of
from shop.orders.rules import RELEASED, release_split, support_split
from shop.orders.tags import Done
from shop.payments import operations as payments
from shop.payments import taking_again
from shop.payments.rules import TAKEN_AGAIN
from shop.payments.snapshots import RefundSnapshot
from shop.platform import audit
from shop.platform.actor import Actor
from shop.wallet import operations as wallet

SUB_ORDERS = table(SubOrder)
REFUNDS = table(Refund)
PROMOTION = "promotion"
"""The account the platform pays from where it takes something off a merchant's goods."""


@operation
def refund(session: Session, actor: Actor, sub_order_id: int, *, amount: Money, cause: str, reason: str) -> bool:
    """Give back part of a paid sub-order to the tender it came from. Once per `cause`: False when told before.

    What the merchant already received comes back from it, commission included. Raises `RefundTooLarge`, `NotFound`.
    """
    step, part = open_step_of(session, sub_order_id)
    if session.scalar(sa.select(Refund.id).where(Refund.cause == cause)) is not None:
        return False
    give_back(session, step, part, amount, cause, reason)
    audit.record(session, actor, Done.SUB_ORDER_REFUNDED, "sub_order", sub_order_id, amount=amount.fen, reason=reason)
    return True


@operation
def refund_by_hand(session: Session, actor: Actor, sub_order_id: int, *, amount: Money, cause: str, reason: str) -> Refund:
    """The same for money that somebody transfers from our bank: the refund waits until its caller books that it was sent."""
    step, part = open_step_of(session, sub_order_id)
    made = give_back(session, step, part, amount, cause, reason, method=RefundMethod.BANK)
    audit.record(session, actor, Done.SUB_ORDER_REFUNDED, "sub_order", sub_order_id, amount=amount.fen, reason=reason)
    return made


def check_left(part: Part, amount: Money) -> None:
    """Refuse more than is left of a sub-order. Raises `RefundTooLarge`."""
    if not ZERO < amount <= part.left:
        raise RefundTooLarge()


def give_back(
    session: Session, step: Step, part: Part, amount: Money, cause: str, reason: str, *, method: RefundMethod | None = None,
    made: RefundSnapshot | None = None,
) -> Refund:
    """The refund itself: never more than is left, out of escrow, or back from the merchant when it has been released.

    `part` is as the step read it, before any other refund in the same step. `method` and `made` are for money that goes another way
    than it came, or has gone already. Raises `RefundTooLarge`, and `NotFound` when nothing was paid.
    """
    if step.paid_by is None:
        raise NotFound()
    if amount.fen <= 0:
        raise RefundTooLarge()
    within = sa.update(SUB_ORDERS).where(SUB_ORDERS.c.id == part.id, SUB_ORDERS.c.refunded_total + amount <= SUB_ORDERS.c.total)
    if not take(session, within.values(refunded_total=SUB_ORDERS.c.refunded_total + amount)):
        raise RefundTooLarge()
    if part.state in RELEASED:
        settled_days.reopen(session, [part.id])
        _take_back_release(session, part, amount, cause)
    return payments.open_refund(
        session, payment_id=step.paid_by, cause=cause, amount=amount, reason=reason, sub_order_id=part.id, method=method, made=made
    )


def given_for_weight(session: Session, sub_order_id: int, line_id: int) -> Sequence[Any]:
    """The refunds that stand for a line's weight, by id with their amounts. What carries one on that failed is the same money again."""
    cause = f"line:{line_id}:weighed"
    return session.execute(
        sa.select(REFUNDS.c.id, REFUNDS.c.amount)
        .where(REFUNDS.c.sub_order_id == sub_order_id, sa.or_(REFUNDS.c.cause == cause, REFUNDS.c.cause.startswith(f"{cause}:")))
        .where(REFUNDS.c.failure_code.is_distinct_from(TAKEN_AGAIN), REFUNDS.c.replaces_id.is_(None))
        .order_by(REFUNDS.c.id)
    ).all()


def take_again(session: Session, part: Part, refund_id: int, amount: Money) -> None:
    """A refund in the buyer's wallet was too much: all of it is booked back into escrow, within a step, before the goods have left.

    Raises `CannotTakeAgain`.
    """
    taking_again.take_again(session, refund_id)
    less = sa.update(SUB_ORDERS).where(SUB_ORDERS.c.id == part.id)
    session.execute(less.values(refunded_total=SUB_ORDERS.c.refunded_total - amount))


def _take_back_release(session: Session, part: Part, amount: Money, cause: str) -> None:
    """Merchant and commission return their shares to escrow, and to the platform what it paid of a discount, so that any series of
    refunds ends exactly at nothing.
    """
    after = {one.name: one.amount for one in takings(replace(part, refunded_total=part.refunded_total + amount))}
    for one in takings(part):
        if back := one.amount - after.get(one.name, ZERO):
            wallet.post(
                session, cause=f"{cause}:{one.whose}", kind="refund", debit=one.account, credit=one.source, amount=back,
                subject=("sub_order", part.id),
            )


@dataclass(frozen=True, slots=True)
class Taking:
    """What somebody gets of a sub-order that is over: `amount` out of `source`. `name` tells it from the others, as does `whose`."""

    name: str
    whose: str
    kind: str
    source: str
    account: str
    amount: Money


def takings(part: Part) -> list[Taking]:
    """Who gets what: of the buyer's money, and of what the platform pays in a discount's stead; only what is more than nothing."""
    merchant = f"merchant:{part.merchant_id}"
    net, commission = release_split(part.total, part.refunded_total, part.commission_bps)
    support, on_support = support_split(part.supported_total, part.total - part.fee_total, part.refunded_total, part.commission_bps)
    found = (
        Taking("release", "merchant", "release", "escrow", merchant, net),
        Taking("commission", "commission", "commission", "escrow", "commission", commission),
        Taking("support", "support", "release", PROMOTION, merchant, support),
        Taking("support_commission", "support_commission", "commission", PROMOTION, "commission", on_support),
    )
    return [one for one in found if one.amount]
