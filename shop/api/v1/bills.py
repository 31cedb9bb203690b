"""Household bills: billers, saved accounts, what is due, paying."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from flask import request
from pydantic import AwareDatetime, Field

from shop.api.v1.orders import PaymentOut
from shop.bills import door, operations, queries, rules
from shop.bills.errors import AccountNotFound, BillerSilent, NothingChosen, UnknownAccount
from shop.bills.operations import Wish
from shop.bills.queries import AccountView, PaymentView
from shop.kernel import clock, ids
from shop.kernel.db import finish_reading, perform, reading
from shop.kernel.money import CURRENCY, Money
from shop.models.bills import Biller, BillerFlow, BillPaymentState, LookUpOutcome
from shop.models.orders import PaymentMethod
from shop.payments.errors import CardMinimum
from shop.platform.access import open_to_everyone, signed_in
from shop.platform.actor import Actor
from shop.platform.api.core import Schema, route
from shop.platform.api.fields import READABLE, Amount
from shop.platform.language import name_of
from shop.wallet.errors import PAYING

REF = r"^[A-Za-z0-9-]+$"
Ref = Annotated[str, Field(max_length=40, pattern=REF)]
TAG = "Bills"


class BillerOut(Schema):
    code: str
    name: str
    category: str
    flow: BillerFlow
    account_pattern: str
    amounts_minor: list[int] = Field(description="What pay_only billers sell; empty for all others.")


class BillerList(Schema):
    items: list[BillerOut]


class AccountIn(Schema):
    biller: str = Field(max_length=40, pattern=r"^[a-z0-9-]+$")
    account_no: Annotated[str, Field(max_length=64), READABLE]
    label: Annotated[str, Field(max_length=20), READABLE] = ""


class BillOut(Schema):
    id: str
    period: str
    amount_minor: int
    late_fee_minor: int
    total_minor: int
    currency: str
    due_on: date
    usage: str


class OfferOut(Schema):
    amounts_minor: list[int]
    months: list[int] = Field(description="Beside the amounts, where whole months are sold.")
    left_this_month_minor: int | None


class AccountOut(Schema):
    id: str
    biller: str
    account_no: str
    label: str
    holder: str = Field(description="With the first character hidden.")
    address: str = Field(description="Up to the building.")
    state: Literal["asking", "ready", "being_paid", "unavailable"]
    total_minor: int
    currency: str
    fetched_at: AwareDatetime | None


class AccountList(Schema):
    items: list[AccountOut]
    next_cursor: str | None


class FetchOut(Schema):
    state: Literal["asking", "ready"]
    bills: list[BillOut]
    total_minor: int
    currency: str
    balance_minor: int | None
    offer: OfferOut | None
    fetched_at: AwareDatetime | None


class TenderIn(Schema):
    method: Literal["wallet", "stripe"]
    pin: Annotated[str, Field(max_length=20), READABLE] | None = None
    code: Annotated[str, Field(max_length=20), READABLE] | None = Field(
        default=None, description="From a text message, when step_up_required was answered."
    )


class BillPaymentIn(Schema):
    bill_ids: list[Ref] = Field(default_factory=list, max_length=36, description="Bills of one account, oldest first without a gap.")
    bill_account: Ref | None = Field(default=None, description="A prepaid account, in place of bills.")
    amount_minor: int | None = Field(default=None, gt=0, le=100_000_000, description="What to buy for a prepaid account.")
    seen_total_minor: Amount = Field(description="The total that was shown; another one is refused.")
    payment: TenderIn


class AccountPartIn(Schema):
    bill_ids: list[Ref] = Field(min_length=1, max_length=36, description="Bills of one account, oldest first without a gap.")
    seen_total_minor: Amount = Field(description="The total of this account that was shown; another one is refused.")


class BillsTogetherIn(Schema):
    parts: list[AccountPartIn] = Field(min_length=1, max_length=rules.MOST_TOGETHER)
    payment: TenderIn


class ReceiptOut(Schema):
    number: str
    biller_serial: str
    holder: str
    posted_at: AwareDatetime


class BillPaymentOut(Schema):
    ref: str
    state: BillPaymentState
    total_minor: int
    currency: str
    biller: str
    account_no: str
    serial: str
    bills: list[BillOut]
    created_at: AwareDatetime
    failure: str | None
    next_step: str | None
    payment: PaymentOut = Field(description="What carries its money; by card several bill payments may share one.")
    receipt: ReceiptOut | None = Field(description="Once the biller has written it off, not before.")


class BillsTogetherOut(Schema):
    items: list[BillPaymentOut]
    payment: PaymentOut | None = Field(description="By card the one payment over all of them; from the wallet each has its own.")


def biller_out(biller: Biller) -> BillerOut:
    faces = [face.fen for face in rules.FACES] if biller.flow is BillerFlow.PAY_ONLY else []
    return BillerOut(
        code=biller.code, name=name_of(biller), category=biller.category, flow=biller.flow, account_pattern=biller.account_pattern,
        amounts_minor=faces,
    )


def bill_out(bill: Any) -> BillOut:
    return BillOut(
        id=bill.ref, period=bill.period, amount_minor=bill.amount.fen, late_fee_minor=bill.late_fee.fen, total_minor=bill.total.fen,
        currency=CURRENCY, due_on=bill.due_on, usage=bill.usage,
    )


def state_of(view: AccountView) -> Literal["asking", "ready", "being_paid", "unavailable"]:
    if view.on_its_way is not None:
        return "being_paid"
    if view.is_waiting:
        return "asking"
    is_known = view.account.fetched_at is not None or view.biller.flow is BillerFlow.PAY_ONLY
    return "ready" if is_known else "unavailable"


def account_out(view: AccountView) -> AccountOut:
    account = view.account
    return AccountOut(
        id=account.ref, biller=view.biller.code, account_no=account.account_no, label=account.label, holder=account.holder_masked,
        address=account.address_masked, state=state_of(view), total_minor=view.total.fen, currency=CURRENCY,
        fetched_at=account.fetched_at,
    )  # fmt: skip


def fetch_out(view: AccountView, state: Literal["asking", "ready"]) -> FetchOut:
    offer, account = view.offer, view.account
    is_ready = state == "ready"
    return FetchOut(
        state=state, bills=[bill_out(bill) for bill in view.due] if is_ready else [], total_minor=view.total.fen if is_ready else 0,
        currency=CURRENCY, balance_minor=account.balance.fen if is_ready and account.balance is not None else None,
        offer=OfferOut(
            amounts_minor=[amount.fen for amount in offer.amounts], months=list(offer.months),
            left_this_month_minor=offer.left_this_month.fen if offer.left_this_month is not None else None,
        ) if is_ready and offer else None,
        fetched_at=account.fetched_at,
    )  # fmt: skip


def payment_out(view: PaymentView) -> BillPaymentOut:
    payment = view.payment
    receipt = None
    if view.is_posted and payment.posted_at is not None:
        receipt = ReceiptOut(
            number=payment.receipt_no or "", biller_serial=payment.biller_serial or "", holder=payment.holder_masked,
            posted_at=payment.posted_at,
        )  # fmt: skip
    return BillPaymentOut(
        ref=payment.ref, state=payment.state, total_minor=payment.total.fen, currency=CURRENCY, biller=view.biller.code,
        account_no=payment.account_no, serial=payment.serial, bills=[bill_out(bill) for _, bill in view.items],
        created_at=payment.created_at, failure=payment.failure_code, next_step=payment.next_step, receipt=receipt,
        payment=carried_by(view),
    )  # fmt: skip


def carried_by(view: PaymentView) -> PaymentOut:
    """What carries the money of a bill payment, with the page where it is paid by card."""
    paid_with = view.paid_with
    assert paid_with is not None
    return PaymentOut(
        ref=paid_with.ref, method=paid_with.method, state=paid_with.state, amount_minor=paid_with.amount.fen, url=paid_with.provider_url
    )


@route("GET", "/billers", open_to_everyone, summary="Who can be paid, and how", tag=TAG, answers={200: BillerList})
def list_billers(actor: Actor) -> BillerList:
    return BillerList(items=[biller_out(biller) for biller in queries.billers(reading())])


@route(
    "POST", "/bill-accounts", signed_in, summary="Save a customer number; the biller is asked about it", tag=TAG, body=AccountIn,
    answers={201: AccountOut},
)  # fmt: skip
def save_bill_account(actor: Actor, body: AccountIn) -> Any:
    made = perform(operations.save_account, actor, body.biller, body.account_no, body.label)
    return account_out(queries.get_account(reading(), actor, made.ref)), 201


@route("GET", "/bill-accounts", signed_in, summary="Saved customer numbers", tag=TAG, answers={200: AccountList})
def list_bill_accounts(actor: Actor) -> AccountList:
    return AccountList(items=[account_out(view) for view in queries.accounts(reading(), actor)], next_cursor=None)


@route("DELETE", "/bill-accounts/<ref>", signed_in, summary="Take a customer number off the list", tag=TAG, answers={204: None})
def remove_bill_account(actor: Actor, ref: str) -> Any:
    perform(operations.remove_account, actor, ref)
    return None, 204


@route(
    "POST", "/bill-accounts/<ref>/fetch", signed_in, summary="What is due: 200 when known, 202 while the biller is asked", tag=TAG,
    answers={200: FetchOut, 202: FetchOut}, stores_answer=False,
)  # fmt: skip
def fetch_bills(actor: Actor, ref: str) -> Any:
    try:
        return fetched(actor, ref)
    except AccountNotFound:  # perhaps just now: a number that its biller does not know is not kept
        finish_reading()
        asked = queries.last_look_up(reading(), actor, ref)
        if asked is not None and asked.outcome is LookUpOutcome.UNKNOWN_ACCOUNT:
            raise UnknownAccount() from None
        raise


def fetched(actor: Actor, ref: str) -> tuple[FetchOut, int]:
    """What is due if that is known, else the question is put. Raises `AccountNotFound`, `BillerSilent`."""
    view = queries.get_account(reading(), actor, ref)
    if view.biller.flow is BillerFlow.PAY_ONLY or (not view.is_waiting and rules.is_payable(view.account.fetched_at, clock.now())):
        return fetch_out(view, "ready"), 200
    moment = clock.now()
    if (until := queries.silent_until(reading(), view.biller)) is not None and not view.is_waiting:
        raise BillerSilent(until=until)
    told_at = view.look_up.answered_at if view.look_up else None
    if view.look_up and view.look_up.outcome is LookUpOutcome.UNAVAILABLE and told_at and told_at + rules.REST_AFTER_SILENCE > moment:
        raise BillerSilent(until=told_at + rules.REST_AFTER_SILENCE)
    perform(operations.ask, actor, ref, rules.PAYABLE_FOR)
    return fetch_out(queries.get_account(reading(), actor, ref), "asking"), 202


@route(
    "POST", "/bill-payments", signed_in, summary="Pay bills of one account, or buy for a prepaid one", tag=TAG, body=BillPaymentIn,
    answers={201: BillPaymentOut}, refuses=(*PAYING, CardMinimum),
)  # fmt: skip
def pay_bills(actor: Actor, body: BillPaymentIn) -> Any:
    if bool(body.bill_ids) == bool(body.bill_account) or (body.bill_account is None) != (body.amount_minor is None):
        raise NothingChosen()
    key = request.headers.get("Idempotency-Key")
    wish = Wish(
        seen_total=Money(body.seen_total_minor), request_key=f"api:{key or ids.secret()}", account_ref=body.bill_account,
        bill_refs=tuple(body.bill_ids), amount=Money(body.amount_minor) if body.amount_minor else None,
    )  # fmt: skip
    return paid(actor, [wish], body.payment)[0], 201


@route(
    "POST", "/bill-payments/together", signed_in, summary="Pay the bills of several accounts: all of them or none", tag=TAG,
    body=BillsTogetherIn, answers={201: BillsTogetherOut}, refuses=(*PAYING, CardMinimum),
)  # fmt: skip
def pay_bills_together(actor: Actor, body: BillsTogetherIn) -> Any:
    key = request.headers.get("Idempotency-Key") or ids.secret()
    wishes = [
        Wish(seen_total=Money(part.seen_total_minor), request_key=f"api:{key}:{place}", bill_refs=tuple(part.bill_ids))
        for place, part in enumerate(body.parts)
    ]
    made = paid(actor, wishes, body.payment)
    return BillsTogetherOut(items=made, payment=made[0].payment if body.payment.method == "stripe" else None), 201


def paid(actor: Actor, wishes: list[Wish], tender: TenderIn) -> list[BillPaymentOut]:
    """Pay, by card have the page opened, and tell how it stands."""
    made = door.pay(actor, wishes, PaymentMethod(tender.method), tender.pin, tender.code)
    if made[0].state is BillPaymentState.CREATED and made[0].paid_with_id is not None:
        door.payment_page(made[0].paid_with_id)
    return [payment_out(queries.get_payment(reading(), actor, payment.ref)) for payment in made]


@route("GET", "/bill-payments/<ref>", signed_in, summary="Where a payment stands, with its receipt", tag=TAG, answers={200: BillPaymentOut})
def get_bill_payment(actor: Actor, ref: str) -> BillPaymentOut:
    return payment_out(queries.get_payment(reading(), actor, ref))
