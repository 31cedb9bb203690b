"""The wallet, its statement, top-ups, and how a payment stands."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from pydantic import Field

from shop.accounts import operations as accounts
from shop.api.v1.core import Schema, decode_cursor, encode_cursor, route
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.money import CURRENCY, Money
from shop.models.accounts import CodePurpose
from shop.models.payments import Payment
from shop.payments import checkout
from shop.payments import queries as payments
from shop.payments.errors import ProviderRefused, ProviderUnavailable
from shop.payments.rules import OPEN
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.language import reader_locale
from shop.settlement import inquiry
from shop.settlement import operations as settlement
from shop.wallet import operations, pin, queries, rules, statements, words
from shop.wallet.custody import custodian
from shop.wallet.errors import WalletNotOpen


class WalletLimits(Schema):
    class_minor: int = Field(description="What the class may pay: in all for class I, in a calendar year for II and III.")
    class_left_minor: int
    day_minor: int = Field(description="With the PIN and a code by text message.")
    day_left_minor: int
    day_with_pin_minor: int = Field(description="With the PIN alone.")


class WalletAnswer(Schema):
    wallet_class: str = Field(examples=["II"])
    state: str = Field(examples=["active"])
    balance_minor: int
    currency: str = Field(examples=["CNY"])
    has_pin: bool
    custodian: str = Field(description="The licensed institution that holds the money.")
    limits: WalletLimits


class EntryAnswer(Schema):
    id: int
    at: datetime
    kind: str
    amount_minor: int = Field(description="Positive: came in. Negative: went out.")
    currency: str
    description: str


class Entries(Schema):
    items: list[EntryAnswer]
    next_cursor: str | None


class EntriesQuery(Schema):
    cursor: str | None = None
    limit: int = Field(20, ge=1, le=100)


class TopUp(Schema):
    amount_minor: int = Field(ge=1, le=100_000_000)


class PaymentAnswer(Schema):
    ref: str
    purpose: str
    method: str
    state: str
    amount_minor: int
    refunded_minor: int
    currency: str
    url: str | None = Field(description="Where the person pays, while the payment is open.")


class PinChange(Schema):
    pin: str = Field(max_length=12)
    old_pin: str | None = Field(None, max_length=12)


def opened(actor: Actor) -> queries.WalletFacts:
    """The actor's wallet; raises `WalletNotOpen`."""
    wallet = queries.find(reading(), actor.signed_in_id())
    if wallet is None:
        raise WalletNotOpen()
    return wallet


def wallet_answer(actor: Actor) -> WalletAnswer:
    wallet = opened(actor)
    spent = queries.spent(reading(), wallet.account_id, wallet.wallet_class, clock.now())
    limit = rules.class_limit(wallet.wallet_class)
    return WalletAnswer(
        wallet_class=wallet.wallet_class.value, state=wallet.state.value, balance_minor=wallet.balance.fen, currency=CURRENCY,
        has_pin=wallet.has_pin, custodian=custodian(),
        limits=WalletLimits(
            class_minor=limit.fen, class_left_minor=rules.left_of(limit, spent.period).fen, day_minor=wallet.day_limit.fen,
            day_left_minor=rules.left_of(wallet.day_limit, spent.today).fen, day_with_pin_minor=rules.DAY_LIMIT_PIN.fen,
        ),
    )


@route("GET", "/wallet", signed_in, summary="My wallet", tag="Wallet", answers={200: WalletAnswer})
def get_wallet(actor: Actor) -> Any:
    return wallet_answer(actor)


@route("POST", "/wallet", signed_in, summary="Open my wallet", tag="Wallet", answers={201: WalletAnswer})
def open_my_wallet(actor: Actor) -> Any:
    perform(operations.open_wallet_for, actor)
    return wallet_answer(actor), 201


@route(
    "PUT", "/wallet/pin", signed_in, summary="Set or change the PIN", tag="Wallet", body=PinChange, answers={204: None},
    stores_answer=False,
)
def put_pin(actor: Actor, body: PinChange) -> Any:
    rules.check_new_pin(body.pin, actor.phone)
    proof = pin.require(actor, body.old_pin) if body.old_pin else None
    perform(operations.set_pin, actor, body.pin, proof)
    return None, 204


@route("POST", "/wallet/codes", signed_in, summary="Ask for the code that lifts the day's limit", tag="Wallet", answers={202: None})
def ask_for_code(actor: Actor) -> Any:
    perform(accounts.request_code, actor.phone, CodePurpose.STEP_UP, reader_locale())
    return None, 202


@route("GET", "/wallet/entries", signed_in, summary="My statement, newest first", tag="Wallet", query=EntriesQuery, answers={200: Entries})
def get_entries(actor: Actor, query: EntriesQuery) -> Any:
    wallet, session = opened(actor), reading()
    place = decode_cursor(query.cursor, int)
    entries, following = statements.statement(session, wallet.account_id, before=place[0] if place else None, limit=query.limit)
    facts = statements.subjects(session, entries)
    items = [
        EntryAnswer(
            id=entry.id, at=entry.at, kind=entry.kind.value, amount_minor=entry.amount.fen, currency=CURRENCY,
            description=words.title(entry, facts.get((entry.subject_type, entry.subject_id))),
        )
        for entry in entries
    ]
    return Entries(items=items, next_cursor=encode_cursor(following) if following is not None else None)


def payment_answer(payment: Payment, url: str | None = None) -> PaymentAnswer:
    return PaymentAnswer(
        ref=payment.ref, purpose=payment.purpose.value, method=payment.method.value, state=payment.state.value,
        amount_minor=payment.amount.fen, refunded_minor=payment.refunded_amount.fen, currency=CURRENCY,
        url=url or (payment.provider_url if payment.state in OPEN else None),
    )


@route("POST", "/wallet/top-ups", signed_in, summary="Top up by card", tag="Wallet", body=TopUp, answers={201: PaymentAnswer})
def post_top_up(actor: Actor, body: TopUp) -> Any:
    payment = perform(settlement.start_top_up, actor, Money(body.amount_minor))
    answer = payment_answer(payment)
    return answer.model_copy(update={"url": checkout.open_session(payment.id)}), 201


@route("GET", "/payments/<ref>", signed_in, summary="How a payment stands", tag="Payments", answers={200: PaymentAnswer})
def get_payment(actor: Actor, ref: str) -> Any:
    payment = payments.mine(reading(), actor, ref)
    if payment.state in OPEN:
        with suppress(ProviderUnavailable, ProviderRefused):  # no news: then what we know
            inquiry.settle(payment.id)
    return payment_answer(payments.mine(reading(), actor, ref))
