"""Reading billers, saved accounts, what is due, and payments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.bills import rules
from shop.bills.answers import Offer
from shop.bills.errors import AccountNotFound, BillerNotFound, BillPaymentNotFound
from shop.kernel import clock
from shop.kernel.memory import remember
from shop.kernel.money import ZERO, Money
from shop.models.bills import (
    IN_FLIGHT,
    LOOKED_AFTER,
    Bill,
    BillAccount,
    BillAttempt,
    Biller,
    BillLookUp,
    BillPayment,
    BillPaymentItem,
    BillPaymentState,
    BillState,
)
from shop.models.orders import PaymentMethod
from shop.models.payments import Payment
from shop.platform import partners
from shop.platform.actor import Actor

# Said word for word as their indexes say it, else SQLite does not see that those few rows are enough.
LIVE = sa.text("bill_payment_items.is_live")
FLYING = sa.text(f"bill_payments.{IN_FLIGHT}")

PAGE = 20
SHOWN_AT_MOST = 60


@remember(30)
def billers(session: Session) -> list[Biller]:
    """All billers in their order."""
    found = list(session.scalars(sa.select(Biller).order_by(Biller.position, Biller.id)))
    for biller in found:
        session.expunge(biller)
    return found


def get_biller(session: Session, code: str) -> Biller:
    """The biller of a code. Raises `BillerNotFound`."""
    kept = next((biller for biller in billers(session) if biller.code == code), None)
    found = kept or session.scalars(sa.select(Biller).where(Biller.code == code)).first()
    if found is None:
        raise BillerNotFound()
    return found


def biller_of(session: Session, biller_id: int) -> Biller:
    """The biller of an account or a payment."""
    return next((biller for biller in billers(session) if biller.id == biller_id), None) or session.get_one(Biller, biller_id)


def silent_until(session: Session, biller: Biller) -> datetime | None:
    """Until when nobody asks a biller that does not answer; None while it does."""
    return partners.silent_until(session, rules.partner_of(biller.code))


def is_being_paid() -> sa.ColumnElement[bool]:
    """Whether a bill is within a payment that may still succeed. Such a bill asks nothing of anybody, though the biller still lists it."""
    return sa.exists().where(BillPaymentItem.bill_id == Bill.id, LIVE)


@dataclass(frozen=True, slots=True)
class Due:
    """How many bills a person still has to pay, and what they come to."""

    count: int = 0
    total: Money = ZERO


def due_in_all(session: Session, user_id: int) -> Due:
    """What is due on everything the person saved, as `accounts` has it, in one query."""
    count, total = session.execute(
        sa.select(sa.func.count(), sa.func.sum(Bill.total))
        .join(BillAccount, sa.and_(BillAccount.biller_id == Bill.biller_id, BillAccount.account_no == Bill.account_no))
        .where(BillAccount.user_id == user_id, BillAccount.removed_at.is_(None), Bill.state == BillState.DUE, ~is_being_paid())
    ).one()
    return Due(count, total or ZERO)


@dataclass(frozen=True, slots=True)
class AccountView:
    """A saved account with everything its page says. `due` is oldest first and leaves out what is being paid."""

    account: BillAccount
    biller: Biller
    due: tuple[Bill, ...] = ()
    being_paid: tuple[Bill, ...] = ()
    on_its_way: BillPayment | None = None
    look_up: BillLookUp | None = None

    @property
    def total(self) -> Money:
        return Money.total(bill.total for bill in self.due)

    @property
    def is_waiting(self) -> bool:
        """Whether an answer of the biller is still to come."""
        return self.look_up is not None and rules.is_waiting(self.look_up.asked_at, self.look_up.outcome, clock.now())

    @property
    def offer(self) -> Offer | None:
        return stored_offer(self.account)


def stored_offer(account: BillAccount) -> Offer | None:
    """What a prepaid account may buy, as last looked up."""
    if account.offer is None:
        return None
    left = account.offer.get("left_this_month_fen")
    return Offer(
        amounts=tuple(Money(fen) for fen in account.offer["amounts_fen"]), months=tuple(account.offer["months"]),
        left_this_month=None if left is None else Money(left),
    )


def accounts(session: Session, actor: Actor) -> list[AccountView]:
    """Everything the person saved, in the order of saving."""
    mine = sa.select(BillAccount).where(BillAccount.user_id == actor.signed_in_id(), BillAccount.removed_at.is_(None))
    return views_of(session, session.scalars(mine.order_by(BillAccount.id).limit(SHOWN_AT_MOST)).all())


def get_account(session: Session, actor: Actor, ref: str) -> AccountView:
    """One saved account of the person who asks. Raises `AccountNotFound`."""
    return views_of(session, [account_of(session, actor, ref)])[0]


def account_of(session: Session, actor: Actor, ref: str) -> BillAccount:
    """The row of a saved account of the person who asks. Raises `AccountNotFound`."""
    found = session.scalars(
        sa.select(BillAccount).where(
            BillAccount.ref == ref, BillAccount.user_id == actor.signed_in_id(), BillAccount.removed_at.is_(None)
        )
    ).first()
    if found is None:
        raise AccountNotFound()
    return found


def views_of(session: Session, saved: Sequence[BillAccount]) -> list[AccountView]:
    """Put together what the pages of some accounts say; the same number of queries for one and for fifty."""
    if not saved:
        return []
    numbers = [account.account_no for account in saved]
    due: dict[tuple[int, str], list[Bill]] = defaultdict(list)
    being_paid: dict[tuple[int, str], list[Bill]] = defaultdict(list)
    unpaid = sa.select(Bill, is_being_paid()).where(Bill.account_no.in_(numbers), Bill.state == BillState.DUE)
    for bill, is_live in session.execute(unpaid.order_by(Bill.period, Bill.id)):
        (being_paid if is_live else due)[bill.biller_id, bill.account_no].append(bill)
    billers_asked = {account.biller_id for account in saved}
    flying = sa.select(BillPayment).where(FLYING, BillPayment.biller_id.in_(billers_asked), BillPayment.account_no.in_(numbers))
    on_its_way = {(payment.biller_id, payment.account_no): payment for payment in session.scalars(flying)}
    look_ups = latest_look_ups(session, [account.ref for account in saved])
    views = []
    for account in saved:
        key = (account.biller_id, account.account_no)
        views.append(
            AccountView(
                account, biller_of(session, account.biller_id), tuple(due[key]), tuple(being_paid[key]), on_its_way.get(key),
                look_ups.get(account.ref),
            )
        )
    return views


MONTHS_SHOWN = 12


def history_of(session: Session, account: BillAccount) -> list[Bill]:
    """What a biller asked for one number, period by period, the latest twelve, oldest first. What it withdrew is left out."""
    asked = sa.select(Bill).where(
        Bill.biller_id == account.biller_id, Bill.account_no == account.account_no, Bill.state != BillState.WITHDRAWN
    )
    return list(reversed(session.scalars(asked.order_by(Bill.period.desc(), Bill.id.desc()).limit(MONTHS_SHOWN)).all()))


REFS: Any = sa.bindparam("refs", expanding=True)
# Made once: building a statement costs more than running it.
LATEST_LOOK_UPS = sa.select(BillLookUp).where(
    BillLookUp.id.in_(sa.select(sa.func.max(BillLookUp.id)).where(BillLookUp.account_ref.in_(REFS)).group_by(BillLookUp.account_ref))
)
BY_REFS = sa.select(Bill).where(Bill.ref.in_(REFS)).order_by(Bill.period, Bill.id)


def latest_look_ups(session: Session, refs: Iterable[str]) -> dict[str, BillLookUp]:
    """The newest question about each account."""
    return {found.account_ref: found for found in session.scalars(LATEST_LOOK_UPS, {"refs": list(refs)})}


def last_look_up(session: Session, actor: Actor, account_ref: str) -> BillLookUp | None:
    """The newest question the person asked about an account, also one that is not kept."""
    asked = sa.select(BillLookUp).where(BillLookUp.account_ref == account_ref, BillLookUp.user_id == actor.signed_in_id())
    return session.scalars(asked.order_by(BillLookUp.id.desc()).limit(1)).first()


def bills_by_refs(session: Session, refs: Sequence[str]) -> list[Bill]:
    """The bills of some references; those that are not there are left out."""
    return list(session.scalars(BY_REFS, {"refs": list(refs)}))


PAYMENTS_OF = (
    sa.select(BillPayment).where(BillPayment.request_key.in_(sa.bindparam("request_keys", expanding=True))).order_by(BillPayment.id)
)


def payments_of(session: Session, request_keys: Sequence[str]) -> list[BillPayment]:
    """The payments that a request has made already, by id."""
    return list(session.scalars(PAYMENTS_OF, {"request_keys": list(request_keys)}))


def payment_ref(session: Session, payment: BillPayment) -> str:
    """The reference of the payment that carries the money of a bill payment."""
    return session.scalars(sa.select(Payment.ref).where(Payment.id == payment.paid_with_id)).one()


@dataclass(frozen=True, slots=True)
class PaymentView:
    """A payment with what its receipt says; `paid_with` carries its money."""

    payment: BillPayment
    biller: Biller
    account: BillAccount | None
    paid_with: Payment | None = None
    items: tuple[tuple[BillPaymentItem, Bill], ...] = ()
    tries: tuple[BillAttempt, ...] = field(default=())

    @property
    def is_by_card(self) -> bool:
        return self.paid_with is not None and self.paid_with.method is PaymentMethod.STRIPE

    @property
    def awaits_card(self) -> bool:
        """Whether its money is still to come, by card."""
        return self.payment.state is BillPaymentState.CREATED

    @property
    def is_on_its_way(self) -> bool:
        """Whether its money is with us, and the biller is to say how it ends."""
        return self.payment.state in rules.ON_ITS_WAY and not self.awaits_card

    @property
    def is_posted(self) -> bool:
        return self.payment.state is BillPaymentState.POSTED


def get_payment(session: Session, actor: Actor, ref: str) -> PaymentView:
    """A payment of the person who asks, with its bills and tries. Raises `BillPaymentNotFound`."""
    payment = session.scalars(
        sa.select(BillPayment).where(BillPayment.ref == ref, BillPayment.user_id == actor.signed_in_id())
    ).first()
    if payment is None:
        raise BillPaymentNotFound()
    account = session.get(BillAccount, payment.bill_account_id) if payment.bill_account_id else None
    tries = session.scalars(sa.select(BillAttempt).where(BillAttempt.bill_payment_id == payment.id).order_by(BillAttempt.number)).all()
    paid_with = session.get(Payment, payment.paid_with_id) if payment.paid_with_id else None
    return PaymentView(
        payment, biller_of(session, payment.biller_id), account, paid_with, items_of(session, payment.id), tuple(tries)
    )


def items_of(session: Session, payment_id: int) -> tuple[tuple[BillPaymentItem, Bill], ...]:
    """The bills within a payment, oldest period first."""
    rows = session.execute(
        sa.select(BillPaymentItem, Bill)
        .join(Bill, Bill.id == BillPaymentItem.bill_id)
        .where(BillPaymentItem.bill_payment_id == payment_id)
        .order_by(Bill.period, Bill.id)
    )
    return tuple((item, bill) for item, bill in rows)


def payments(
    session: Session, actor: Actor, *, account_id: int | None = None, before: int | None = None, limit: int = PAGE
) -> tuple[list[PaymentView], int | None]:
    """The person's payments, newest first, and where the next page starts (give it back as `before`)."""
    mine = sa.select(BillPayment).where(BillPayment.user_id == actor.signed_in_id()).order_by(BillPayment.id.desc()).limit(limit + 1)
    if account_id is not None:
        mine = mine.where(BillPayment.bill_account_id == account_id)
    if before is not None:
        mine = mine.where(BillPayment.id < before)
    rows = session.scalars(mine).all()
    shown = [PaymentView(payment, biller_of(session, payment.biller_id), None) for payment in rows[:limit]]
    return shown, rows[limit - 1].id if len(rows) > limit else None


def standing_of(session: Session, payment: BillPayment) -> rules.Standing:
    """A payment as the rules see it."""
    biller = biller_of(session, payment.biller_id)
    tries = session.scalars(sa.select(BillAttempt).where(BillAttempt.bill_payment_id == payment.id).order_by(BillAttempt.number))
    return rules.Standing(
        payment.state, payment.next_inquiry_at, payment.sent_at,
        tuple(rules.Try(known.number, known.kind, known.started_at, known.ended_at, known.outcome) for known in tries),
        biller.is_idempotent, biller.answers_inquiries,
    )  # fmt: skip


def due_for_a_step(session: Session, moment: datetime, limit: int = 500) -> list[BillPayment]:
    """Payments whose next step is due, longest waiting first; those that were never sent begin with waiting when they are made."""
    waiting = (BillPaymentState.SENDING, BillPaymentState.UNKNOWN, BillPaymentState.REFUNDED)
    due_at = sa.func.coalesce(BillPayment.next_inquiry_at, BillPayment.held_at, BillPayment.created_at)
    is_due = sa.or_(
        sa.and_(BillPayment.state.in_(waiting), BillPayment.next_inquiry_at <= moment),
        sa.and_(BillPayment.state == BillPaymentState.FUNDS_HELD, sa.func.coalesce(BillPayment.held_at, BillPayment.created_at) <= moment),
    )
    return list(session.scalars(sa.select(BillPayment).where(is_due).order_by(due_at).limit(limit)))


def with_a_person(session: Session, limit: int = 200) -> list[PaymentView]:
    """Payments somebody has to look after, for the console: their end is not known, or the biller contradicted itself."""
    rows = session.scalars(sa.select(BillPayment).where(sa.text(f"({LOOKED_AFTER})")).order_by(BillPayment.id).limit(limit))
    return [PaymentView(payment, biller_of(session, payment.biller_id), None) for payment in rows]
