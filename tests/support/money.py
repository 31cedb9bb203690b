"""Words about money: `fund(user, 5_000)`, `balance("escrow")`."""

from __future__ import annotations

from typing import Any

from shop.cli.verify.checks import broken
from shop.kernel.db import perform, reading
from shop.kernel.money import Money
from shop.models.accounts import User
from shop.models.wallet import TransferKind, WalletClass
from shop.payments.invariants import INVARIANTS as PAYMENTS
from shop.stock.invariants import INVARIANTS as STOCK
from shop.wallet import operations, queries
from shop.wallet.invariants import INVARIANTS as WALLET
from shop.wallet.rules import Proof
from tests.support.factories import actor_of

PIN = "246810"


def fund(user: User, fen: int = 0, *, wallet_class: WalletClass = WalletClass.II, pin: str | None = PIN) -> str:
    """Open somebody's wallet with a PIN and so much money; its account code."""
    perform(operations.open_wallet, user.id, wallet_class)
    if pin is not None:
        perform(operations.set_pin, actor_of(user), pin)
    if fen:
        perform(
            operations.post, cause=f"opening:{user.id}", kind=TransferKind.OPENING, debit="custodian", credit=f"wallet:{user.id}",
            amount=Money(fen), subject=("user", user.id),
        )
    return f"wallet:{user.id}"


def balance(code: str) -> int:
    """What an account holds, in fen."""
    return queries.balance(reading(), code).fen


def move(cause: str, debit: str, credit: str, fen: int, **values: Any) -> bool:
    """Tell the ledger one transfer."""
    facts: dict[str, Any] = {"kind": TransferKind.PAYMENT, "subject": ("test", 1), **values}
    return perform(operations.post, cause=cause, debit=debit, credit=credit, amount=Money(fen), **facts)


def pay(user: User, cause: str, fen: int, *, has_code: bool = False) -> bool:
    """Pay from somebody's wallet into escrow, the PIN having been shown."""
    return perform(
        operations.pay, actor_of(user), cause=cause, credit="escrow", amount=Money(fen), subject=("test", 1),
        proof=Proof(user.id, has_code),
    )


def books_hold() -> None:
    """Every invariant of money and stock holds now."""
    reading().rollback()
    findings = broken(reading(), invariants=(*WALLET, *PAYMENTS, *STOCK))
    assert not findings, findings
