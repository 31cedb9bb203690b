"""The wallet, its statement, top-ups, and how a payment stands."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from shop.accounts import operations as accounts
from shop.accounts.rules import person
from shop.api.v1.money_back import MoneyBack, money_back
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.money import CURRENCY, Money
from shop.models.accounts import CodePurpose
from shop.models.orders import PaymentMethod
from shop.models.payments import Payment, PaymentPurpose, PaymentState
from shop.payments import checkout
from shop.payments import queries as payments
from shop.payments.errors import PaymentClosed
from shop.payments.rules import CARD_MINIMUM, OPEN
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.api.core import Schema, decode_cursor, encode_cursor, route
from shop.platform.api.fields import READABLE, Cursor
from shop.platform.language import reader_locale
from shop.settlement import operations as settlement
from shop.settlement.errors import TopUpBeyondLimit
from shop.wallet import operations, pin, queries, rules, statements, words
from shop.wallet.custody import custodian
from shop.wallet.errors import PinLocked, VerificationRequired, WalletNotOpen, WrongPin
from shop.wallet.rules import TransferKind, WalletClass, WalletState


class WalletLimits(Schema):
    class_minor: int = Field(description="What the class may pay: in all for class I, in a calendar year for II and III.")
    class_left_minor: int
    day_minor: int = Field(description="With the PIN and a code by text message.")
    day_left_minor: int
    day_with_pin_minor: int = Field(description="With the PIN alone.")


class WalletAnswer(Schema):
    wallet_class: WalletClass
    state: WalletState
    balance_minor: int
    currency: str = Field(examples=["CNY"])
    has_pin: bool
    custodian: str = Field(description="The licensed institution that holds the money.")
    limits: WalletLimits


class EntryAnswer(Schema):
    id: int
    at: AwareDatetime
    kind: TransferKind
    amount_minor: int = Field(description="Positive: came in. Negative: went out.")
    currency: str
    description: str


class Entries(Schema):
    items: list[EntryAnswer]
    next_cursor: str | None


class EntriesQuery(Schema):
    cursor: Cursor | None = None
    limit: int = Field(20, ge=1, le=100)


class TopUp(Schema):
    amount_minor: int = Field(ge=CARD_MINIMUM.fen, le=settlement.TOP_UP_MOST.fen)


class PaymentAnswer(Schema):
    ref: str
    purpose: PaymentPurpose
    method: PaymentMethod
    state: PaymentState
    amount_minor: int
    refunded_minor: int
    money_back: MoneyBack
    currency: str
    url: str | None = Field(
        description="Where the person pays, while the payment is open. None while that page is being opened, usually for less than a "
        "second: ask for the payment again until it is there."
    )


class PinChange(Schema):
    pin: Annotated[str, Field(max_length=12), READABLE]
    old_pin: Annotated[str, Field(max_length=12), READABLE] | None = None


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
        wallet_class=wallet.wallet_class, state=wallet.state, balance_minor=wallet.balance.fen, currency=CURRENCY,
        has_pin=wallet.has_pin, custodian=custodian(),
        limits=WalletLimits(
            class_minor=limit.fen, class_left_minor=rules.left_of(limit, spent.period).fen, day_minor=wallet.day_limit.fen,
            day_left_minor=rules.left_of(wallet.day_limit, spent.today).fen, day_with_pin_minor=rules.DAY_LIMIT_PIN.fen,
        ),
    )


@route("GET", "/wallet", signed_in, summary="My wallet", tag="Wallet", answers={200: WalletAnswer}, refuses=(WalletNotOpen,))
def get_wallet(actor: Actor) -> Any:
    return wallet_answer(actor)


@route(
    "POST", "/wallet", signed_in, summary="Open my wallet", tag="Wallet", answers={201: WalletAnswer}, refuses=(VerificationRequired,)
)
def open_my_wallet(actor: Actor) -> Any:
    perform(operations.open_wallet_for, actor)
    return wallet_answer(actor), 201


@route(
    "PUT", "/wallet/pin", signed_in, summary="Set or change the PIN", tag="Wallet", body=PinChange, answers={204: None},
    refuses=(WrongPin, PinLocked), stores_answer=False,
)
def put_pin(actor: Actor, body: PinChange) -> Any:
    rules.check_new_pin(body.pin, actor.phone)
    proof = pin.require(actor, body.old_pin) if body.old_pin else None
    perform(operations.set_pin, actor, body.pin, proof)
    return None, 204


@route("POST", "/wallet/codes", signed_in, summary="Ask for the code that lifts the day's limit", tag="Wallet", answers={202: None})
def ask_for_code(actor: Actor) -> Any:
    perform(accounts.request_code, actor.phone, CodePurpose.STEP_UP, reader_locale(), person(actor.signed_in_id()))
    return None, 202


@route("GET", "/wallet/entries", signed_in, summary="My statement, newest first", tag="Wallet", query=EntriesQuery, answers={200: Entries})
def get_entries(actor: Actor, query: EntriesQuery) -> Any:
    wallet, session = opened(actor), reading()
    place = decode_cursor(query.cursor, int)
    entries, following = statements.statement(session, wallet.account_id, before=place[0] if place else None, limit=query.limit)
    facts = statements.subjects(session, entries)
    items = [
        EntryAnswer(
            id=entry.id, at=entry.at, kind=entry.kind, amount_minor=entry.amount.fen, currency=CURRENCY,
            description=words.title(entry, facts.get((entry.subject_type, entry.subject_id))),
        )
        for entry in entries
    ]
    return Entries(items=items, next_cursor=encode_cursor(following) if following is not None else None)


def payment_answer(payment: Payment) -> PaymentAnswer:
    return PaymentAnswer(
        ref=payment.ref, purpose=payment.purpose, method=payment.method, state=payment.state,
        amount_minor=payment.amount.fen, refunded_minor=payment.refunded_amount.fen, currency=CURRENCY,
        money_back=money_back(payments.back_of_payment(reading(), payment.id)),
        url=payment.provider_url if payment.state in OPEN else None,
    )


@route(
    "POST", "/wallet/top-ups", signed_in, summary="Top up by card", tag="Wallet", body=TopUp, answers={201: PaymentAnswer},
    refuses=(PaymentClosed, TopUpBeyondLimit),
)  # fmt: skip
def post_top_up(actor: Actor, body: TopUp) -> Any:
    payment = perform(settlement.start_top_up, actor, Money(body.amount_minor))
    checkout.ask_for_page(payment.id)
    return payment_answer(payments.mine(reading(), actor, payment.ref)), 201


@route("GET", "/payments/<ref>", signed_in, summary="How a payment stands", tag="Payments", answers={200: PaymentAnswer})
def get_payment(actor: Actor, ref: str) -> Any:
    """What is known; asking also has the provider asked, so that asking again in a moment shows what is new there."""
    checkout.ask_for_news(payments.mine(reading(), actor, ref))
    return payment_answer(payments.mine(reading(), actor, ref))
