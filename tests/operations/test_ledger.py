"""The ledger: one row per transfer, one transfer per cause, wallets never below zero, nothing changed afterwards."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from shop.kernel.db import perform, reading, transaction
from shop.kernel.money import Money
from shop.models.wallet import LedgerAccount, Transfer, TransferKind
from shop.wallet import operations
from shop.wallet.errors import CauseReused, InsufficientFunds, WalletNotOpen
from shop.wallet.rules import Posting
from tests.support.factories import Factories
from tests.support.money import balance, fund, move
from tests.support.queries import counted


def told(cause: str, fen: int, debit: str = "provider", credit: str = "escrow") -> Posting:
    return Posting(cause, TransferKind.PAYMENT, debit, credit, Money(fen), ("test", 1))


def count_transfers() -> int:
    return reading().scalar(sa.select(sa.func.count()).select_from(Transfer)) or 0


def test_a_transfer_takes_from_one_account_and_gives_to_the_other(make: Factories) -> None:
    wallet = fund(make.user(), 5_000)
    assert move("sub_order:1:paid", wallet, "escrow", 1_280)
    assert (balance(wallet), balance("escrow"), balance("custodian")) == (3_720, 1_280, -5_000)


def test_all_balances_sum_to_zero(make: Factories) -> None:
    wallet = fund(make.user(), 5_000)
    move("a", wallet, "escrow", 300)
    move("b", "escrow", f"merchant:{make.merchant().id}", 291)
    codes = reading().scalars(sa.select(LedgerAccount.code)).all()
    assert sum(balance(code) for code in codes) == 0


def test_the_same_cause_moves_nothing_twice(make: Factories) -> None:
    wallet = fund(make.user(), 5_000)
    assert move("once", wallet, "escrow", 100)
    assert not move("once", wallet, "escrow", 100)
    assert (balance(wallet), balance("escrow"), count_transfers()) == (4_900, 100, 2)


def test_several_transfers_are_written_together_and_known_causes_left_out(make: Factories) -> None:
    wallet = fund(make.user(), 5_000)
    move("first", wallet, "escrow", 100)
    new = perform(operations.post_many, [told("first", 100, wallet), told("second", 200, wallet), told("third", 300)])
    assert new == {"second", "third"}
    assert (balance(wallet), balance("escrow"), balance("provider")) == (4_700, 600, -300)


def test_a_thousand_transfers_may_be_told_at_once(make: Factories) -> None:
    wallet = fund(make.user(), 5_000)
    perform(operations.post_many, [told(f"many:{number}", 1, wallet) for number in range(1_500)])
    assert (balance(wallet), balance("escrow"), count_transfers()) == (3_500, 1_500, 1_501)


def test_a_purchase_from_the_wallet_costs_two_statements(make: Factories) -> None:
    wallet = fund(make.user(), 5_000)
    for number in range(2):
        move(f"warm:{number}", wallet, "escrow", 1)
    with counted() as seen:
        perform(operations.post_many, [told("one", 100, wallet), told("two", 200, wallet)])
    assert len(seen) == 2, seen


def test_a_wallet_is_never_taken_below_zero(make: Factories) -> None:
    wallet = fund(make.user(), 500)
    with pytest.raises(InsufficientFunds):
        move("too much", wallet, "escrow", 501)
    assert (balance(wallet), balance("escrow"), count_transfers()) == (500, 0, 1)
    assert move("all of it", wallet, "escrow", 500)


def test_one_refused_transfer_of_several_moves_none(make: Factories) -> None:
    wallet = fund(make.user(), 500)
    with pytest.raises(InsufficientFunds):
        perform(operations.post_many, [told("one", 300, wallet), told("two", 201, wallet)])
    assert (balance(wallet), balance("escrow"), count_transfers()) == (500, 0, 1)


def test_a_wallet_that_is_not_open_is_refused(make: Factories) -> None:
    with pytest.raises(WalletNotOpen):
        move("nobody", "provider", f"wallet:{make.user().id}", 100)
    assert count_transfers() == 0


@pytest.mark.parametrize("code", ["wallet", "escrow:1", "merchant:", "merchant:x", "merchant:01", "till", ""])
def test_an_unknown_account_is_a_bug_not_a_new_account(make: Factories, code: str) -> None:
    with pytest.raises(ValueError):
        move("lost", "provider", code, 100)
    assert count_transfers() == 0


def test_a_cause_told_with_another_amount_is_a_bug(make: Factories) -> None:
    wallet = fund(make.user(), 500)
    move("once", wallet, "escrow", 100)
    with pytest.raises(CauseReused):
        move("once", wallet, "escrow", 101)
    with pytest.raises(CauseReused):
        move("once", wallet, "suspense", 100)
    assert balance(wallet) == 400


def test_an_account_opened_in_a_failed_transaction_is_not_remembered(make: Factories) -> None:
    wallet = fund(make.user(), 100)
    with pytest.raises(InsufficientFunds):
        move("fails", wallet, "bill_hold", 101)
    assert move("works", wallet, "bill_hold", 100)
    assert balance("bill_hold") == 100


@pytest.mark.parametrize("fen", [0, -5])
def test_nothing_and_less_cannot_be_moved(make: Factories, fen: int) -> None:
    with pytest.raises(DBAPIError):
        move("nothing", "provider", "escrow", fen)
    assert count_transfers() == 0


def test_an_account_cannot_pay_itself(make: Factories) -> None:
    with pytest.raises(DBAPIError):
        move("circle", "escrow", "escrow", 5)
    assert count_transfers() == 0


ATTACKS = {
    "sqlite": "INSERT OR REPLACE INTO transfers SELECT * FROM transfers",
    "postgresql": "TRUNCATE transfers CASCADE",
}


@pytest.mark.parametrize("statement", ["UPDATE transfers SET amount = 1", "DELETE FROM transfers", "the engine's own way round"])
def test_what_was_written_cannot_be_changed_or_deleted(make: Factories, engine_name: str, statement: str) -> None:
    if statement == "the engine's own way round":
        statement = ATTACKS[engine_name]
    wallet = fund(make.user(), 500)
    with pytest.raises(DBAPIError, match="append-only"), transaction() as session:
        session.execute(sa.text(statement))
    assert (balance(wallet), count_transfers()) == (500, 1)
