"""Writing transfers: one row each, one per cause, and the wallets they touch moved under their floor.

Account ids never change, so each process remembers them; not those of accounts opened in a transaction that may still fail.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock, memory
from shop.kernel.db import insert_once
from shop.kernel.money import ZERO, Money
from shop.kernel.statements import PerEngine, insert_made_or_ignore, table
from shop.models.wallet import AccountKind, LedgerAccount, Transfer, TransferKind
from shop.platform.belonging import community_of
from shop.wallet.errors import CauseReused, InsufficientFunds, WalletNotOpen
from shop.wallet.rules import Posting, account_facts

KEPT = "ledger account ids"
KEPT_AT_MOST = 50_000
WALLET_PREFIX = AccountKind.WALLET + ":"

ACCOUNTS: Any = table(LedgerAccount)
TRANSFERS: Any = table(Transfer)
FEN = ACCOUNTS.c.balance.type
MOVE = (
    sa.update(ACCOUNTS)
    .where(ACCOUNTS.c.id == sa.bindparam("account_id"), ACCOUNTS.c.balance >= sa.bindparam("needed", type_=FEN))
    .values(balance=ACCOUNTS.c.balance + sa.bindparam("change", type_=FEN))
)


@cache
def inserting(subject_type: str) -> PerEngine:
    """Transfers about one kind of subject, unless their cause is told; the community is that of the subject."""
    values: dict[str, Any] = {column.name: sa.bindparam(column.name, type_=column.type) for column in TRANSFERS.c if column.name != "id"}
    values["community_id"] = community_of(subject_type, sa.bindparam("subject_id"))
    return insert_made_or_ignore(TRANSFERS, values, ["cause"], TRANSFERS.c.cause)


def account_ids(session: Session, codes: set[str]) -> dict[str, int]:
    """The ids of accounts by code. Shared accounts are opened when first named; wallets must be open (`WalletNotOpen`)."""
    kept = memory.shelf(KEPT)
    known: dict[str, int] = {code: kept[code] for code in codes if code in kept}
    missing = sorted(codes - known.keys())
    if missing:
        if len(kept) > KEPT_AT_MOST:
            kept.clear()
        uncommitted = session.info.get(KEPT, ())
        for row in session.execute(sa.select(ACCOUNTS.c.code, ACCOUNTS.c.id).where(ACCOUNTS.c.code.in_(missing))):
            known[row.code] = row.id
            if row.code not in uncommitted:
                kept[row.code] = row.id
        for code in missing:
            if code not in known:
                known[code] = open_account(session, code)
    return known


def open_account(session: Session, code: str, balance: Money | None = None) -> int:
    """Open an account unless it is there; its id. Two at once get the same one. Only wallets are given a balance."""
    facts = account_facts(code)
    if facts.kind is AccountKind.WALLET and balance is None:
        raise WalletNotOpen()
    session.info.setdefault(KEPT, set()).add(code)
    made = insert_once(
        session, LedgerAccount, code=code, kind=facts.kind, user_id=facts.user_id, merchant_id=facts.merchant_id,
        biller_id=facts.biller_id, balance=balance,
    )
    if made is not None:
        return made
    there: int = session.execute(sa.select(ACCOUNTS.c.id).where(ACCOUNTS.c.code == code)).scalar_one()
    return there


def write(session: Session, postings: Sequence[Posting]) -> frozenset[str]:
    """Write those postings whose cause is new; their causes. See `shop.wallet.operations.post_many`."""
    ids = account_ids(session, {code for posting in postings for code in (posting.debit, posting.credit)})
    now = clock.now()
    rows = [
        {
            "cause": posting.cause, "kind": TransferKind(posting.kind),
            "debit_account_id": ids[posting.debit], "credit_account_id": ids[posting.credit],
            "amount": posting.amount, "subject_type": posting.subject[0], "subject_id": posting.subject[1], "at": posting.at or now,
        }
        for posting in postings
    ]
    new = _insert(session, rows)
    if len(new) < len(postings):
        refuse_other_words(session, [row for row in rows if row["cause"] not in new])
    move_wallets(session, [posting for posting in postings if posting.cause in new], ids)
    return new


def _insert(session: Session, rows: Sequence[dict[str, Any]]) -> frozenset[str]:
    """Write the rows whose cause is new; their causes. As a rule all are about one kind of subject, and are one statement."""
    new = set[str]()
    for subject_type in dict.fromkeys(row["subject_type"] for row in rows):
        of_it = [row for row in rows if row["subject_type"] == subject_type]
        new.update(session.connection().execute(inserting(subject_type).of(session), of_it).scalars())
    return frozenset(new)


def move_wallets(session: Session, postings: Sequence[Posting], ids: dict[str, int]) -> None:
    """Change the balance of each wallet touched, by id, under its floor. Raises `InsufficientFunds`."""
    changes: dict[int, Money] = defaultdict(lambda: ZERO)
    for posting in postings:
        if posting.debit.startswith(WALLET_PREFIX):
            changes[ids[posting.debit]] -= posting.amount
        if posting.credit.startswith(WALLET_PREFIX):
            changes[ids[posting.credit]] += posting.amount
    for account_id, change in sorted(changes.items()):
        values = {"account_id": account_id, "change": change, "needed": max(-change, ZERO)}
        if change and session.connection().execute(MOVE, values).rowcount != 1:
            raise InsufficientFunds()


def refuse_other_words(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """A cause told again must say the same thing as the first time; otherwise somebody has a bug that would lose money."""
    columns = [TRANSFERS.c[name] for name in ("cause", "debit_account_id", "credit_account_id", "amount")]
    told = session.execute(sa.select(*columns).where(TRANSFERS.c.cause.in_([row["cause"] for row in rows])))
    first = {entry.cause: tuple(entry[1:]) for entry in told}
    for row in rows:
        if first[row["cause"]] != (row["debit_account_id"], row["credit_account_id"], row["amount"]):
            raise CauseReused(f"{row['cause']} was told before with other accounts or another amount")
