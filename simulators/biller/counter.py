"""The biller's counter: takes payments and answers inquiries. Every answer comes from the books."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from simulators.biller import books as bookkeeping
from simulators.biller.acceptance import NOT_FOUND, Order, Refused, Taken, judge_arrears, judge_purchase
from simulators.biller.accounts import Accounts
from simulators.biller.clock import milliseconds
from simulators.biller.registry import Biller


class SerialReused(Exception):
    """A serial came back with another body; one serial names one payment."""


@dataclass(frozen=True)
class Result:
    """What happened to a payment sent in: the answer, how long it takes, and whether the channel ever hears it."""

    answer: dict[str, Any]
    delay_ms: int
    heard: bool


class Counter(Accounts):
    """The accounts, and the counter at which they are paid."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._arrivals: dict[str, int] = {}

    def request_dropped(self, biller: Biller, serial: str, account_no: str) -> bool:
        """Whether a payment is lost on its way in; nothing is recorded of it. By rate, each try of a serial is drawn anew."""
        if self.behaviour(biller, account_no).answer == "dropped":
            return True
        if self.controls.lose_request_rate == 0:
            return False
        tries = self._arrivals[serial] = self._arrivals.get(serial, 0) + 1
        return self._by_chance(f"request {tries}", serial, self.controls.lose_request_rate)

    def _by_chance(self, what: str, serial: str, rate: float) -> bool:
        digest = hashlib.sha256(f"{self.controls.seed}|{what}|{serial}".encode()).digest()
        return int.from_bytes(digest[:6], "big") < rate * 2**48

    def pay(self, biller: Biller, order: Order) -> Result:
        """Take a payment. The same serial and body again gives the same outcome and no second write-off.

        Raises SerialReused when the serial was used with another body. The outcome is in the books before this returns.
        """
        digest = hashlib.sha256(json.dumps([order.account_no, order.bill_refs, order.total_fen]).encode()).hexdigest()
        with self.books.transaction() as book:
            self._settle(book)
            payment = bookkeeping.payment_by_serial(book, biller.code, order.serial)
            first_time = payment is None
            if payment is None:
                self._record(book, biller, order, digest)
            elif payment["body_digest"] != digest:
                raise SerialReused(order.serial)
            else:
                book.execute("UPDATE payments SET times_received = times_received + 1 WHERE id = ?", (payment["id"],))
                if biller.code in self.controls.no_idempotency and payment["outcome"] == "posted":
                    self._post_again(book, payment)
            self._settle(book)
            answer = self._acknowledge(book, biller, order.serial)
        behaviour = self.behaviour(biller, order.account_no)
        refused = answer is not None and answer["status"] == "failed" and answer["code"] != "refused"
        lost = (behaviour.answer == "lost" and not refused) or self._by_chance("answer", order.serial, self.controls.lose_answer_rate)
        # Only the first answer is lost; a repeat finds the line mended.
        answer = answer or {"status": "processing", "serial": order.serial}
        return Result(answer, self.delay_ms(biller, order.account_no), heard=not (first_time and lost))

    def inquire(self, biller: Biller, serial: str) -> dict[str, Any] | None:
        """What became of a payment; None when it never arrived."""
        with self.books.transaction() as book:
            self._settle(book)
            return self._acknowledge(book, biller, serial)

    def _post_again(self, book: sqlite3.Connection, payment: sqlite3.Row) -> None:
        """What a biller without idempotency does with a repeated serial: it writes the money off once more."""
        if payment["state"] == "pending":
            bookkeeping.post(book, payment, milliseconds(), self.controls.shift_days)
        posted = bookkeeping.payment_by_serial(book, payment["biller"], payment["serial"])
        if posted is not None:
            bookkeeping.post(book, posted, milliseconds(), self.controls.shift_days)

    def _judge(self, book: sqlite3.Connection, biller: Biller, order: Order) -> Taken | Refused:
        if not self.exists(biller, order.account_no):
            return NOT_FOUND
        if biller.flow == "fetch_pay":
            _, due, held = self._due(book, biller, order.account_no)
            return judge_arrears(biller, order, due, held, self._once_billed(biller, order.account_no, due))
        bought = bookkeeping.bought_in_month_fen(book, biller.code, order.account_no, f"{self.today:%Y-%m}")
        return judge_purchase(biller, order, self._household(biller, order.account_no).flat_fee_fen(), bought)

    def _record(self, book: sqlite3.Connection, biller: Biller, order: Order, digest: str) -> None:
        """Write the payment down with its outcome, which may lie a while ahead, and hold its bills until then."""
        behaviour, verdict = self.behaviour(biller, order.account_no), self._judge(book, biller, order)
        if isinstance(verdict, Taken) and (behaviour.outcome == "failed" or self._by_chance("fail", order.serial, self.controls.fail_rate)):
            code, message = "refused", "The biller refused the payment"
        elif isinstance(verdict, Refused):
            code, message = verdict.code, verdict.message
        else:
            code, message = None, None
        late = isinstance(verdict, Taken) and (behaviour.late or self.controls.late_post_ms is not None)
        bills = verdict.bills if isinstance(verdict, Taken) else ()
        now = milliseconds()
        inserted = book.execute(
            "INSERT INTO payments (biller, serial, body_digest, account_no, bill_refs, periods, total_fen, surplus_fen, state, outcome,"
            " meanwhile, settles_at_ms, received_month, code, message, file_difference)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?)",
            (
                biller.code,
                order.serial,
                digest,
                order.account_no,
                json.dumps([bill.bill_ref for bill in bills] or list(order.bill_refs)),
                json.dumps([bill.period for bill in bills]),
                order.total_fen,
                verdict.surplus_fen if isinstance(verdict, Taken) else 0,
                "posted" if code is None else "failed",
                behaviour.meanwhile,
                now + (self._late_ms(biller, order.account_no) if late else 0),
                f"{self.today:%Y-%m}",
                code,
                message,
                behaviour.file_difference,
            ),
        )
        book.executemany(
            "INSERT INTO write_offs (biller, bill_ref, payment_id) VALUES (?, ?, ?)",
            [(biller.code, bill.bill_ref, inserted.lastrowid) for bill in bills],
        )

    def _late_ms(self, biller: Biller, account_no: str) -> int:
        usual = self.pace.late_post_ms if self.controls.late_post_ms is None else self.controls.late_post_ms
        return int(self._wishes(biller, account_no).get("late_post_ms", usual))

    def _acknowledge(self, book: sqlite3.Connection, biller: Biller, serial: str) -> dict[str, Any] | None:
        """What the channel is told of a payment now; with double_ack each further answer carries a new receipt."""
        payment = bookkeeping.payment_by_serial(book, biller.code, serial)
        if payment is None:
            return None
        shown = payment["meanwhile"] if payment["state"] == "pending" else payment["state"]
        if shown == "not_found":
            return None
        if shown == "processing":
            return {"status": "processing", "serial": serial}
        if shown == "failed":
            code = payment["code"] or "refused"
            return {"status": "failed", "serial": serial, "code": code, "message": payment["message"] or "The biller refused the payment"}
        book.execute("UPDATE payments SET acknowledgements = acknowledgements + 1 WHERE id = ?", (payment["id"],))
        count = payment["acknowledgements"] + 1 if self.controls.double_ack else 1
        answer = {
            "status": "posted",
            "serial": serial,
            "biller_serial": biller_serial(payment, count),
            "receipt_no": f"R{payment['id']:010d}{count:02d}",
            "posted_at": payment["posted_at"],
            "total_fen": payment["total_fen"],
            "surplus_fen": payment["surplus_fen"],
        }
        if biller.mode == "prepaid_card":
            answer["next_step"] = "load_card"
        return answer


def biller_serial(payment: sqlite3.Row, count: int = 1) -> str:
    """The biller's own number of a posted payment: its day and its place in the books."""
    return f"{payment['posted_at'][:10].replace('-', '')}{payment['id']:09d}{count:02d}"
