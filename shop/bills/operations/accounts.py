"""Saved accounts, and what a biller says about them."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.bills import queries, rules
from shop.bills.answers import DueBill, Offer, Statement
from shop.bills.errors import TooManyLookUps, TooManyNumbers
from shop.kernel import clock, ids, keys, text
from shop.kernel.db import insert_once, operation, take
from shop.kernel.text import mask_holder
from shop.models.bills import Bill, BillAccount, BillerFlow, BillLookUp, BillPayment, BillState, LookUpOutcome
from shop.platform import outbox
from shop.platform.actor import Actor
from shop.platform.belonging import belonging_to

LABEL_LENGTH = 20
COUNTED = sa.or_(BillLookUp.outcome.is_(None), BillLookUp.outcome != LookUpOutcome.UNAVAILABLE)


@operation
def save_account(session: Session, actor: Actor, biller_code: str, account_no: str, label: str = "") -> BillAccount:
    """Put a customer number on the person's list and ask the biller about it. Saved before, it is the same account.

    Raises `BillerNotFound`, what `rules.account_number` raises, `TooManyLookUps`, `TooManyNumbers`.
    """
    biller = queries.get_biller(session, biller_code)
    number = rules.account_number(account_no, biller.account_pattern, is_mobile=biller.flow is BillerFlow.PAY_ONLY)
    name = text.name(label, LABEL_LENGTH, field="label")
    user_id = actor.signed_in_id()
    insert_once(
        session, BillAccount, ref=ids.dated_reference("A"), user_id=user_id, biller_id=biller.id, account_no=number, label=name,
        created_at=clock.now(),
    )
    mine = (BillAccount.user_id == user_id, BillAccount.biller_id == biller.id, BillAccount.account_no == number)
    account = session.scalars(sa.select(BillAccount).where(*mine)).one()
    account.removed_at = None
    account.label = name or account.label
    session.flush()
    ask(session, actor, account.ref, rules.KEPT_FOR)
    return account


@operation
def ask(session: Session, actor: Actor, account_ref: str, max_age: timedelta) -> BillLookUp | None:
    """Have the biller asked about an account, unless its last answer is at most `max_age` old; the question, or None.

    A question still open is the same question. Raises `AccountNotFound`, `TooManyLookUps`, `TooManyNumbers`.
    """
    account = queries.account_of(session, actor, account_ref)
    biller = queries.biller_of(session, account.biller_id)
    moment = clock.now()
    if biller.flow is BillerFlow.PAY_ONLY or (account.fetched_at is not None and account.fetched_at + max_age > moment):
        return None
    last = queries.last_look_up(session, actor, account_ref)
    if last is not None and rules.is_waiting(last.asked_at, last.outcome, moment):
        return last
    made = None
    while made is None:
        key = keys.fingerprint("bill account", f"{biller.code}:{account.account_no}")
        number, place = _next_of_today(session, actor.signed_in_id(), key)
        made = insert_once(
            session, BillLookUp, community_id=belonging_to("user", actor.signed_in_id()), user_id=actor.signed_in_id(),
            biller_id=biller.id, account_ref=account.ref, account_key=key, day=clock.today(), number=number, place=place, asked_at=moment,
        )  # fmt: skip
        if made is None:  # the same person asked at the same moment on another page: about this number, or about one more
            last = queries.last_look_up(session, actor, account_ref)
            if last is not None and rules.is_waiting(last.asked_at, last.outcome, moment):
                return last
    outbox.enqueue(
        session, "bills.fetch", dedupe_key=f"bills.fetch:{made}", about=("bill_look_up", made), look_up_id=made, biller=biller.code
    )
    return session.get_one(BillLookUp, made)


def _next_of_today(session: Session, user_id: int, account_key: str) -> tuple[int, int | None]:
    """Which question of the day about this number the next one is, and for the first: which number of the day; at most so many.

    Two at the same moment find the same; the unique indexes let one of them have it, so the caps are exact.
    """
    today = (BillLookUp.user_id == user_id, BillLookUp.day == clock.today())
    asked = sa.select(sa.func.count().filter(COUNTED), sa.func.coalesce(sa.func.max(BillLookUp.number), 0))
    count, number = session.execute(asked.where(*today, BillLookUp.account_key == account_key)).one()
    if count >= rules.LOOK_UPS_PER_DAY:
        raise TooManyLookUps(limit=rules.LOOK_UPS_PER_DAY, until=clock.at(clock.today() + timedelta(days=1), time(0)))
    if number:
        return number + 1, None
    others = session.scalar(sa.select(sa.func.count(sa.distinct(BillLookUp.account_key))).where(*today)) or 0
    if others >= rules.NUMBERS_PER_DAY:
        raise TooManyNumbers(limit=rules.NUMBERS_PER_DAY, until=clock.at(clock.today() + timedelta(days=1), time(0)))
    return 1, others + 1


@operation
def record_answer(session: Session, look_up_id: int, outcome: LookUpOutcome, statement: Statement | None = None) -> bool:
    """Keep what the biller said, once; False when it was kept before.

    Of a number the biller does not know nothing stays but the question. Names and addresses are masked before they are kept.
    """
    mine = sa.update(BillLookUp).where(BillLookUp.id == look_up_id, BillLookUp.outcome.is_(None))
    if not take(session, mine.values(outcome=outcome, answered_at=clock.now())):
        return False
    look_up = session.get_one(BillLookUp, look_up_id)
    account = session.scalars(sa.select(BillAccount).where(BillAccount.ref == look_up.account_ref)).first()
    if account is None:
        return True
    if outcome is LookUpOutcome.FOUND and statement is not None:
        _keep(session, account, statement)
    elif outcome is LookUpOutcome.UNKNOWN_ACCOUNT:
        if account.fetched_at is None:
            session.delete(account)
        else:
            withdraw(session, account, listed=set())
    return True


def _keep(session: Session, account: BillAccount, statement: Statement) -> None:
    account.holder_masked = mask_holder(statement.holder)
    account.address_masked = rules.mask_address(statement.address)
    account.balance = statement.balance
    account.offer = offer_document(statement.offer) if statement.offer else None
    account.fetched_at = clock.now()
    session.flush()
    for due in statement.bills:
        keep_bill(session, account, due)
    withdraw(session, account, listed={due.biller_ref for due in statement.bills})


def offer_document(offer: Offer) -> dict[str, Any]:
    """What a prepaid account may buy, as it is stored."""
    return {
        "amounts_fen": [amount.fen for amount in offer.amounts], "months": list(offer.months),
        "left_this_month_fen": offer.left_this_month.fen if offer.left_this_month is not None else None,
    }


def keep_bill(session: Session, account: BillAccount, due: DueBill) -> None:
    """Write one period down as it is due now. One that is paid, or being paid, stays as it was paid."""
    figures = {
        "amount": due.amount, "late_fee": due.late_fee, "total": due.total, "due_on": due.due_on, "usage": due.usage,
        "fetched_at": clock.now(), "state": BillState.DUE,
    }
    made = insert_once(
        session, Bill, ref=ids.dated_reference("D"), biller_id=account.biller_id, account_no=account.account_no, biller_ref=due.biller_ref,
        period=due.period, **figures,
    )
    if made is None:
        same = (Bill.biller_id == account.biller_id, Bill.biller_ref == due.biller_ref, Bill.account_no == account.account_no)
        take(session, sa.update(Bill).where(*same, Bill.state != BillState.PAID, ~queries.is_being_paid()).values(**figures))


def withdraw(session: Session, account: BillAccount, listed: set[str]) -> None:
    """What the biller no longer asks for is no longer due here: it was paid elsewhere."""
    known = (Bill.biller_id == account.biller_id, Bill.account_no == account.account_no, Bill.state == BillState.DUE)
    session.execute(
        sa.update(Bill).where(*known, Bill.biller_ref.not_in(listed), ~queries.is_being_paid()).values(state=BillState.WITHDRAWN)
        .execution_options(synchronize_session=False)
    )  # fmt: skip


@operation
def rename_account(session: Session, actor: Actor, account_ref: str, label: str) -> None:
    """Give a saved account another name. Raises `AccountNotFound`."""
    queries.account_of(session, actor, account_ref).label = text.name(label, LABEL_LENGTH, field="label")


@operation
def remove_account(session: Session, actor: Actor, account_ref: str) -> None:
    """Take an account off the list: all of it, or where something was paid for it, all but the number its receipts are for.

    Removed before, nothing happens.
    """
    mine = (BillAccount.ref == account_ref, BillAccount.user_id == actor.signed_in_id(), BillAccount.removed_at.is_(None))
    is_paid_for = sa.exists().where(BillPayment.bill_account_id == BillAccount.id)
    if not take(session, sa.delete(BillAccount).where(*mine, ~is_paid_for)):
        left = {"removed_at": clock.now(), "label": "", "holder_masked": "", "address_masked": ""}
        take(session, sa.update(BillAccount).where(*mine).values(**left))
