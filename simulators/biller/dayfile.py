"""The file a biller hands over for each day: what it posted, with a digest; on purpose wrong for accounts ending in 9."""

from __future__ import annotations

import hashlib
import json
import sqlite3

from simulators.biller.behaviours import digits_of
from simulators.biller.books import Books
from simulators.biller.counter import biller_serial
from simulators.biller.registry import Biller

AMOUNT_DIFFERENCE_FEN = 1_00


def yuan(fen: int) -> str:
    """`94.03`."""
    return f"{fen // 100}.{fen % 100:02d}"


def line_amounts(account_no: str, amount_fen: int, differs: bool) -> list[int]:
    """The amounts a posting is listed with: once, as it was.

    Where the file is to differ: twice when the digit before the last is even, else once with 1 yuan more.
    """
    if not differs:
        return [amount_fen]
    digits = digits_of(account_no)
    if len(digits) > 1 and int(digits[-2]) % 2 == 0:
        return [amount_fen, amount_fen]
    return [amount_fen + AMOUNT_DIFFERENCE_FEN]


def _line(posting: sqlite3.Row, amount_fen: int) -> str:
    periods = "+".join(period.replace("-", "") for period in json.loads(posting["periods"])) or "-"
    fields = (posting["serial"], biller_serial(posting), posting["account_no"], periods, yuan(amount_fen), posting["posting_at"], "posted")
    return "|".join(fields)


def day_file(books: Books, biller: Biller, day: str) -> bytes:
    """The file of one biller and one day (yyyymmdd) as the books stand; its count and sum are those of its own lines."""
    with books.transaction() as book:
        postings = book.execute(
            "SELECT p.*, t.amount_fen, t.posted_at AS posting_at FROM postings t JOIN payments p ON p.id = t.payment_id"
            " WHERE t.biller = ? AND t.posted_day = ? ORDER BY t.id",
            (biller.code, day),
        ).fetchall()
    listed = [
        (posting, amount)
        for posting in postings
        for amount in line_amounts(posting["account_no"], posting["amount_fen"], bool(posting["file_difference"]))
    ]
    header = f"V1|{biller.code}|{day}|{len(listed)}|{yuan(sum(amount for _, amount in listed))}"
    body = "".join(f"{line}\n" for line in (header, *(_line(posting, amount) for posting, amount in listed))).encode()
    return body + f"sha256|{hashlib.sha256(body).hexdigest()}\n".encode()
