"""The accounts of every biller: how each behaves, whom it belongs to, what it owes. Answers come from the books and the controls."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from simulators.biller import books as bookkeeping
from simulators.biller.arrears import (
    Bill,
    Month,
    bill_reference,
    last_full_month,
    month_bill,
    month_tier_lines,
    months_between,
    period_name,
    step,
)
from simulators.biller.behaviours import BY_NAME, Behaviour, behaviour_of
from simulators.biller.books import Books
from simulators.biller.clock import milliseconds, moment, shift_to
from simulators.biller.controls import Controls, Pace
from simulators.biller.households import Household
from simulators.biller.registry import CARD_LARGEST_FEN, CARD_MONTHLY_CAP_FEN, CARD_STEP_FEN, MONTHS_SOLD, TOP_UP_FACES_FEN, Biller

MONTHS_REMEMBERED = 36


class Accounts:
    """Every account of every biller, with one set of books and one set of controls."""

    def __init__(self, books: Books, pace: Pace, seed: int | None = None, today: date | None = None) -> None:
        """Controls kept in the books come back; a seed or a day given here wins over them."""
        self.books = books
        self.pace = pace
        self.started_with = Controls(seed=1 if seed is None else seed, shift_days=0 if today is None else shift_to(today))
        kept = books.kept_setting("controls")
        controls = self.started_with if kept is None else Controls.kept(kept)
        if seed is not None:
            controls = replace(controls, seed=seed)
        if today is not None:
            controls = replace(controls, shift_days=self.started_with.shift_days)
        self.controls = controls

    # Controls

    def set_controls(self, controls: Controls) -> None:
        """From now on behave so, also after a restart.

        A calendar moved back, and new wishes for accounts, let every account open its arrears anew.
        """
        self.settle()
        if controls.shift_days < self.controls.shift_days or controls.per_account != self.controls.per_account:
            self.books.forget_openings()
        self.controls = controls
        self.books.keep_setting("controls", controls.as_json())

    def reset(self, keep_books: bool) -> None:
        """Back to the controls of the start; the books are emptied unless they are to be kept."""
        if not keep_books:
            self.books.burn()
        self.set_controls(self.started_with)

    @property
    def today(self) -> date:
        """The date on the biller's calendar."""
        return moment(milliseconds(), self.controls.shift_days).date()

    # What an account is

    def _wishes(self, biller: Biller, account_no: str) -> dict[str, Any]:
        wishes = self.controls.per_account
        return {**wishes.get(account_no, {}), **wishes.get(f"{biller.code}/{account_no}", {})}

    def behaviour(self, biller: Biller, account_no: str) -> Behaviour:
        """How this account behaves: by its last digit, or as the control wishes."""
        wishes = self._wishes(biller, account_no)
        found = BY_NAME[wishes["behaviour"]] if "behaviour" in wishes else behaviour_of(account_no)
        return replace(found, periods=wishes.get("periods", found.periods))

    def exists(self, biller: Biller, account_no: str) -> bool:
        """Whether the biller has such an account."""
        return biller.knows_form_of(account_no) and self.behaviour(biller, account_no).found

    def delay_ms(self, biller: Biller, account_no: str) -> int:
        """How long this account's answers take."""
        wishes = self._wishes(biller, account_no)
        if "delay_ms" in wishes:
            return int(wishes["delay_ms"])
        if self.behaviour(biller, account_no).slow:
            return self.pace.slow_ms if self.controls.slow_ms is None else self.controls.slow_ms
        return self.controls.default_delay_ms

    @property
    def hang_ms(self) -> int:
        """How long a lost answer keeps the line open before it is cut."""
        if self.controls.lost_answer == "close":
            return 0
        return self.pace.hang_ms if self.controls.hang_ms is None else self.controls.hang_ms

    def _household(self, biller: Biller, account_no: str) -> Household:
        return Household(self.controls.seed, biller, account_no)

    def _identity(self, biller: Biller, account_no: str) -> dict[str, Any]:
        household, wishes = self._household(biller, account_no), self._wishes(biller, account_no)
        return {
            "account_no": account_no,
            "holder": wishes.get("holder", household.holder),
            "address": wishes.get("address", household.address),
        }

    # What an account owes

    def _months_billed(self, book: sqlite3.Connection, biller: Biller, account_no: str) -> list[Month]:
        """The months that are or were due since the account opened, oldest first."""
        periods = self.behaviour(biller, account_no).periods
        if periods == 0:
            return []
        newest = last_full_month(self.today)
        oldest = step(newest, 1 - periods)
        opened = bookkeeping.opened_period(book, biller.code, account_no, period_name(oldest))
        return months_between(min(oldest, (int(opened[:4]), int(opened[5:]))), newest)

    def _due(self, book: sqlite3.Connection, biller: Biller, account_no: str) -> tuple[list[Month], list[Bill], dict[str, str]]:
        """The unpaid months, their bills, and every reference that is paid or being paid."""
        held = bookkeeping.held_references(book, biller.code, account_no)
        paid = {ref for ref, state in held.items() if state == "posted"}
        billed = self._months_billed(book, biller, account_no)
        months = [month for month in billed if bill_reference(biller, account_no, month) not in paid]
        household = self._household(biller, account_no)
        return months, [month_bill(household, month, self.today) for month in months], held

    def _once_billed(self, biller: Biller, account_no: str, due: Sequence[Bill]) -> set[str]:
        newest = last_full_month(self.today)
        recent = {bill_reference(biller, account_no, step(newest, -back)) for back in range(MONTHS_REMEMBERED)}
        return recent - {bill.bill_ref for bill in due}

    def query(self, biller: Biller, account_no: str) -> dict[str, Any] | None:
        """What a fetch-and-pay account owes today, oldest first; None when there is no such account."""
        if not self.exists(biller, account_no):
            return None
        with self.books.transaction() as book:
            self._settle(book)
            months, due, _ = self._due(book, biller, account_no)
            balance = bookkeeping.surplus_fen(book, biller.code, account_no)
        household = self._household(biller, account_no)
        return {
            **self._identity(biller, account_no),
            "periods": [bill.as_json() for bill in due],
            "total_fen": sum(bill.total_fen for bill in due),
            "balance_fen": balance,
            "tier_lines": [asdict(line) for month in months for line in month_tier_lines(household, month)],
        }

    def validate(self, biller: Biller, account_no: str) -> dict[str, Any] | None:
        """Who a prepaid account belongs to, what it holds and which amounts it can buy; None when there is no such account."""
        if not self.exists(biller, account_no):
            return None
        household = self._household(biller, account_no)
        with self.books.transaction() as book:
            self._settle(book)
            surplus = bookkeeping.surplus_fen(book, biller.code, account_no)
            bought = bookkeeping.bought_in_month_fen(book, biller.code, account_no, f"{self.today:%Y-%m}")
        return {
            **self._identity(biller, account_no),
            "balance_fen": household.opening_balance_fen() + surplus,
            "amount_rule": biller.amount_rule,
            **_for_sale(biller, household.flat_fee_fen(), bought),
        }

    def settle(self) -> None:
        """Bring every payment whose time has come to its outcome."""
        with self.books.transaction() as book:
            self._settle(book)

    def _settle(self, book: sqlite3.Connection) -> None:
        bookkeeping.settle_due(book, milliseconds(), self.controls.shift_days)


def _for_sale(biller: Biller, monthly_fee_fen: int, bought_fen: int) -> dict[str, Any]:
    if biller.amount_rule == "months":
        offers = [{"months": months, "amount_fen": months * monthly_fee_fen} for months in MONTHS_SOLD]
        return {"monthly_fen": monthly_fee_fen, "months": offers, "amounts_fen": [offer["amount_fen"] for offer in offers]}
    most = min(CARD_LARGEST_FEN, max(0, CARD_MONTHLY_CAP_FEN - bought_fen))
    return {
        "step_fen": CARD_STEP_FEN,
        "smallest_fen": CARD_STEP_FEN,
        "largest_fen": most,
        "left_this_month_fen": max(0, CARD_MONTHLY_CAP_FEN - bought_fen),
        "amounts_fen": [face for face in TOP_UP_FACES_FEN if face <= most],
    }
