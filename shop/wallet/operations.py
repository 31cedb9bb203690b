"""Moving money, and keeping wallets. Every transfer in the shop is written here."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.accounts import operations as accounts
from shop.kernel import clock, ids, keys
from shop.kernel.db import operation, take
from shop.kernel.errors import Forbidden, Invalid
from shop.kernel.money import ZERO, Money
from shop.kernel.text import clean
from shop.models.wallet import TransferKind, Wallet, WalletClass, WalletState
from shop.platform import audit, notices
from shop.platform.actor import Actor
from shop.platform.own import refuse_own
from shop.wallet import ledger, queries
from shop.wallet.errors import PinAlreadySet, PinNotSet, ProofMissing, VerificationRequired, WalletFrozen, WalletNotOpen
from shop.wallet.rules import (
    PIN_LOCK,
    PIN_TRIES,
    PIN_WINDOW,
    REASON_LENGTH,
    Posting,
    Proof,
    check_limits,
    check_new_pin,
    class_for,
    wallet_code,
    was_cleared_lately,
)
from shop.wallet.tags import Done

__all__ = [
    "PinCheck", "PinResult", "Posting", "Proof", "TransferKind", "WalletClass", "authorise", "check_pin", "clear_pin",
    "open_wallet", "open_wallet_for", "pay", "post", "post_many", "set_pin", "upgrade",
]


def _locked(*columns: Any) -> Any:
    """Read a wallet and hold it until the transaction ends (SQLite has one writer at a time anyway)."""
    return sa.select(*columns).where(Wallet.user_id == sa.bindparam("user_id")).with_for_update(key_share=True)


FOR_PAYING = _locked(Wallet.account_id, Wallet.wallet_class, Wallet.state, Wallet.pin_cleared_at)
FOR_THE_PIN = _locked(Wallet.pin_hash, Wallet.pin_failures, Wallet.pin_failed_at, Wallet.locked_until)


@operation
def post(
    session: Session, *, cause: str, kind: TransferKind | str, debit: str, credit: str, amount: Money, subject: tuple[str, int],
    at: datetime | None = None,
) -> bool:
    """Move `amount` from account `debit` to account `credit`; False when this cause was told before (nothing moves twice).

    A wallet is never taken below zero (`InsufficientFunds`); a wallet that is not open is refused (`WalletNotOpen`).
    """
    return bool(ledger.write(session, [Posting(cause, kind, debit, credit, amount, subject, at)]))


@operation
def post_many(session: Session, postings: Sequence[Posting]) -> frozenset[str]:
    """Write several transfers at once, as `post` does each; the causes that were new. Floors are checked on the whole."""
    return ledger.write(session, postings) if postings else frozenset()


@operation
def authorise(session: Session, actor: Actor, amount: Money, proof: Proof | None) -> str:
    """Say that the actor may pay `amount` from their wallet now; the wallet's account code.

    Asked once for the total of a purchase, before its transfers (kind PAYMENT or BILL_HOLD) are posted in the same
    transaction: until that commits, nobody else gets to spend under the same limits. Raises `WalletNotOpen`,
    `WalletFrozen`, `ProofMissing`, a `LimitExceeded` or `StepUpRequired`. The balance is checked by the posting itself.
    """
    user_id = actor.signed_in_id()
    # Two payments of one wallet wait for each other here, so that both cannot fit under the same limit.
    wallet = session.connection().execute(FOR_PAYING, {"user_id": user_id}).first()
    if wallet is None:
        raise WalletNotOpen()
    if wallet.state is not WalletState.ACTIVE:
        raise WalletFrozen()
    if proof is None or proof.user_id != user_id:
        raise ProofMissing()
    moment = clock.now()
    spent = queries.spent(session, wallet.account_id, wallet.wallet_class, moment)
    lately = was_cleared_lately(wallet.pin_cleared_at, moment)
    check_limits(wallet.wallet_class, spent, amount, has_code=proof.has_code, cleared_lately=lately)
    return wallet_code(user_id)


@operation
def pay(
    session: Session, actor: Actor, *, cause: str, credit: str, amount: Money, subject: tuple[str, int], proof: Proof | None
) -> bool:
    """Pay from the actor's wallet within its limits; False when this cause was paid before. Raises as `authorise` and `post`."""
    code = authorise(session, actor, amount, proof)
    return post(session, cause=cause, kind=TransferKind.PAYMENT, debit=code, credit=credit, amount=amount, subject=subject)


@operation
def open_wallet(session: Session, user_id: int, wallet_class: WalletClass) -> Wallet:
    """Open a wallet, empty and without a PIN. Opened before, it stays as it is."""
    account_id = ledger.open_account(session, wallet_code(user_id), balance=ZERO)
    there = session.get(Wallet, user_id)
    if there is None:
        there = Wallet(user_id=user_id, account_id=account_id, wallet_class=wallet_class, opened_at=clock.now())
        session.add(there)
        audit.record(session, Actor("user", user_id), Done.WALLET_OPENED, "user", user_id, wallet_class=wallet_class.value)
    return there


@operation
def open_wallet_for(session: Session, actor: Actor) -> Wallet:
    """Open the actor's wallet in the class their verification allows. Raises `VerificationRequired` below level 1."""
    wallet_class = class_for(actor.verification_level)
    if wallet_class is None:
        raise VerificationRequired()
    return open_wallet(session, actor.signed_in_id(), wallet_class)


@operation
def upgrade(session: Session, actor: Actor) -> bool:
    """Give the actor's wallet the higher class their verification allows; False when it has it already."""
    user_id, wallet_class = actor.signed_in_id(), class_for(actor.verification_level)
    if wallet_class is None:
        raise VerificationRequired()
    lower = [other for other in WalletClass if len(other) < len(wallet_class)]  # I, II, III
    mine = sa.update(Wallet).where(Wallet.user_id == user_id, Wallet.wallet_class.in_(lower))
    raised = take(session, mine.values(wallet_class=wallet_class))
    if raised:
        audit.record(session, actor, Done.WALLET_UPGRADED, "user", user_id, wallet_class=wallet_class.value)
    return raised


@operation
def set_pin(session: Session, actor: Actor, pin: str, proof: Proof | None = None) -> None:
    """Set the wallet's PIN. One that is already set is only changed by who has just shown it (`PinAlreadySet`).

    Raises `PinMalformed`, `PinTooEasy`, `WalletNotOpen`.
    """
    user_id = actor.signed_in_id()
    check_new_pin(pin, actor.phone)
    salt = ids.secret()
    knows_old = proof is not None and proof.user_id == user_id
    guard = Wallet.user_id == user_id if knows_old else sa.and_(Wallet.user_id == user_id, Wallet.pin_hash.is_(None))
    if not take(session, sa.update(Wallet).where(guard).values(pin_hash=f"{salt}${pin_fingerprint(salt, pin)}", pin_failures=0)):
        raise WalletNotOpen() if queries.find(session, user_id) is None else PinAlreadySet()
    audit.record(session, actor, Done.WALLET_PIN_CHANGED if knows_old else Done.WALLET_PIN_SET, "user", user_id)


@operation
def clear_pin(session: Session, actor: Actor, user_id: int, reason: str) -> bool:
    """Take away a PIN its owner has forgotten, and what wrong tries have locked; False when there was none.

    For who has checked the owner's identity card; `reason` says so on the record. The owner is signed out
    everywhere, chooses a new one, and for a day the wallet pays less. Raises `WalletNotOpen`, `Forbidden`, `Invalid`, `OwnDeed`.
    """
    refuse_own(actor, user_id)
    if actor.kind != "command":
        raise Forbidden()
    why = clean(reason, REASON_LENGTH, field="reason")
    if not why:
        raise Invalid("reason")
    moment = clock.now()
    theirs = sa.update(Wallet).where(Wallet.user_id == user_id, Wallet.pin_hash.is_not(None))
    if not take(session, theirs.values(pin_hash=None, pin_failures=0, pin_failed_at=None, locked_until=None, pin_cleared_at=moment)):
        if queries.find(session, user_id) is None:
            raise WalletNotOpen()
        return False
    accounts.revoke_all(session, actor, user_id)  # whoever else is signed in must not be the one who chooses the new PIN
    audit.record(session, actor, Done.WALLET_PIN_CLEARED, "user", user_id, reason=why)
    notices.post(
        session, user_id, "wallet.pin_cleared", dedupe_key=f"wallet:{user_id}:pin_cleared:{moment:%Y%m%d%H%M%S%f}", link="/wallet/pin"
    )
    return True


def pin_fingerprint(salt: str, pin: str) -> str:
    """How a PIN is kept: a keyed hash. docs/decisions/0010 says why not a slow one."""
    return keys.fingerprint("wallet_pin", f"{salt}:{pin}")


class PinResult(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class PinCheck:
    """How a try ended; `tries_left` after a wrong one, `locked_until` while locked."""

    result: PinResult
    tries_left: int = 0
    locked_until: datetime | None = None


@operation
def check_pin(session: Session, actor: Actor, pin: str) -> PinCheck:
    """Try a PIN and count the try: five wrong ones within 24 hours lock the wallet for three hours.

    Tries of one wallet take turns, so parallel guesses get no more than five either. Run it in a transaction of its own
    and refuse afterwards (`shop.wallet.pin.require`), or the refusal would undo the count.
    """
    user_id, moment = actor.signed_in_id(), clock.now()
    wallet = session.connection().execute(FOR_THE_PIN, {"user_id": user_id}).first()
    if wallet is None:
        raise WalletNotOpen()
    if wallet.pin_hash is None:
        raise PinNotSet()
    if wallet.locked_until is not None and wallet.locked_until > moment:
        return PinCheck(PinResult.LOCKED, locked_until=wallet.locked_until)
    salt, _, expected = wallet.pin_hash.partition("$")
    mine = sa.update(Wallet).where(Wallet.user_id == user_id)
    if hmac.compare_digest(pin_fingerprint(salt, pin), expected):
        if wallet.pin_failures:
            session.execute(mine.values(pin_failures=0, pin_failed_at=None, locked_until=None))
        return PinCheck(PinResult.RIGHT)
    is_recent = wallet.pin_failed_at is not None and wallet.pin_failed_at > moment - PIN_WINDOW
    failures, first = (wallet.pin_failures + 1, wallet.pin_failed_at) if is_recent else (1, moment)
    if failures < PIN_TRIES:
        session.execute(mine.values(pin_failures=failures, pin_failed_at=first))
        return PinCheck(PinResult.WRONG, tries_left=PIN_TRIES - failures)
    session.execute(mine.values(pin_failures=0, pin_failed_at=None, locked_until=moment + PIN_LOCK))
    audit.record(session, actor, Done.WALLET_PIN_LOCKED, "user", user_id)
    return PinCheck(PinResult.LOCKED, locked_until=moment + PIN_LOCK)
