"""Billers spoken to over HTTP. Called from jobs only, never inside a transaction and never by a web thread.

Each biller has a breaker of its own: while it does not answer nobody waits for it. Every call has a hard end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any, Protocol, TypeVar

import requests
from flask import current_app

from shop.bills import rules
from shop.bills.answers import Answer, DueBill, Offer, Order, Statement
from shop.kernel.money import Money
from shop.kernel.text import MalformedBody, strict_json
from shop.models.bills import AttemptOutcome
from shop.platform import deadlines, partners

CONNECT_SECONDS = 3.0
LOOK_UP_SECONDS = 35.0  # some billers take half a minute to look an account up; nothing is at stake while we wait
UNITS = {"m2": "m²", "m3": "m³"}
LARGEST_ANSWER = 256 * 1024
# The biller read the order and refused its form: it was not recorded, and never will be in this form.
DEFINITE_REFUSALS = {"bad_request", "wrong_flow"}

NO_ANSWER = (requests.RequestException, ValueError, partners.NotAnswering)

T = TypeVar("T")


class BillerUnavailable(Exception):
    """No answer from the biller, or none that can be understood."""


class Biller(Protocol):
    """Whoever takes bill payments."""

    settle_window: timedelta
    """How long after a try the biller may still come to know of it. "Not found" counts only after that."""

    def look_up(self, biller: str, account_no: str, *, prepaid: bool) -> Statement | None:
        """What an account owes, or (`prepaid`) may buy; None when there is no such account. Raises `BillerUnavailable`."""

    def pay(self, biller: str, order: Order) -> Answer:
        """Hand a payment over. The same order twice is one write-off. Never raises: what is not known is UNCLEAR."""

    def inquire(self, biller: str, serial: str) -> Answer:
        """What became of a payment. Never raises: what is not known is UNCLEAR."""


class HttpBiller:
    """The billers' common protocol."""

    def __init__(self, base: str, key: str, timeout_seconds: float, settle_window: timedelta = timedelta(seconds=60)) -> None:
        self.base = base.rstrip("/")
        self.key = key
        self.timeout_seconds = timeout_seconds
        self.settle_window = settle_window

    def look_up(self, biller: str, account_no: str, *, prepaid: bool) -> Statement | None:
        try:
            status, body = self._call("POST", biller, "validate" if prepaid else "query", {"account_no": account_no}, LOOK_UP_SECONDS)
        except NO_ANSWER as error:
            raise BillerUnavailable(type(error).__name__) from error
        if status == 404 and body.get("code") == "not_found":
            return None
        if status != 200:
            raise BillerUnavailable(f"{status} {body.get('code', '')}")
        return understood(statement_of, body)

    def pay(self, biller: str, order: Order) -> Answer:
        what: dict[str, Any] = {"bill_refs": list(order.bill_refs)} if order.bill_refs else {"amount_fen": order.total.fen}
        body = {"serial": order.serial, "account_no": order.account_no, "total_fen": order.total.fen, **what}
        return self._ask("POST", biller, "payments", body, order.serial)

    def inquire(self, biller: str, serial: str) -> Answer:
        return self._ask("GET", biller, f"payments/{serial}", None, serial)

    def _ask(self, method: str, biller: str, path: str, body: dict[str, Any] | None, serial: str) -> Answer:
        try:
            status, document = self._call(method, biller, path, body, self.timeout_seconds)
        except NO_ANSWER as error:
            return Answer(AttemptOutcome.UNCLEAR, type(error).__name__)
        return answer_of(method, status, document, serial)

    def _call(self, method: str, biller: str, path: str, body: dict[str, Any] | None, seconds: float) -> tuple[int, dict[str, Any]]:
        """One call; status and JSON object. Raises ValueError for any other answer. Redirects are not followed.

        Over within `seconds`; a biller may take all of them to think, but once it has begun to speak it must come to an end
        within the usual time.
        """
        with partners.asking(rules.partner_of(biller), seconds, counts=(requests.RequestException, ValueError)) as asked:
            with deadlines.session() as session, session.request(
                method, f"{self.base}/billers/{biller}/{path}", json=body, headers={"X-Biller-Key": self.key},
                timeout=(CONNECT_SECONDS, seconds), allow_redirects=False, stream=True,
            ) as answer:  # fmt: skip
                with deadlines.within(self.timeout_seconds):
                    document = document_of(answer.iter_content(16 * 1024))
                if answer.status_code >= 500:
                    asked.failed(str(answer.status_code))
            return answer.status_code, document


def document_of(pieces: Iterable[bytes]) -> dict[str, Any]:
    """The JSON object that an answer is. Raises ValueError for anything else, and for more than is sensible."""
    raw = b""
    for piece in pieces:
        raw += piece
        if len(raw) > LARGEST_ANSWER:
            raise ValueError("the answer is too long")
    try:
        document = strict_json(raw)
    except MalformedBody as error:
        raise ValueError("the answer is not JSON") from error
    if not isinstance(document, dict):
        raise ValueError("the answer is not an object")
    return document


def answer_of(method: str, status: int, body: dict[str, Any], serial: str) -> Answer:
    """Read an answer to a payment or an inquiry. Whatever is not plainly one of the known answers is UNCLEAR."""
    code = str(body.get("code", ""))[:64]
    if status == 404 and code == "not_found" and method == "GET":
        return Answer(AttemptOutcome.NOT_FOUND)
    if status == 422 and code in DEFINITE_REFUSALS and method == "POST":
        return Answer(AttemptOutcome.REJECTED, code)
    if status != 200 or body.get("serial") != serial:
        return Answer(AttemptOutcome.UNCLEAR, f"{status} {code}".strip())
    match body.get("status"):
        case "posted" if body.get("biller_serial") and body.get("receipt_no"):
            return Answer(
                AttemptOutcome.ACCEPTED, biller_serial=str(body["biller_serial"]), receipt_no=str(body["receipt_no"]),
                next_step=str(body["next_step"]) if body.get("next_step") else None,
            )
        case "failed":
            return Answer(AttemptOutcome.REJECTED, code or "failed")
        case "processing":
            return Answer(AttemptOutcome.PROCESSING)
    return Answer(AttemptOutcome.UNCLEAR, "unreadable")


def understood(read: Callable[[dict[str, Any]], T], body: dict[str, Any]) -> T:
    """Read a document, or say that the biller cannot be understood."""
    try:
        return read(body)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BillerUnavailable(f"unreadable: {type(error).__name__}") from error


def statement_of(body: dict[str, Any]) -> Statement:
    """Read what a biller says about an account."""
    balance = body.get("balance_fen")
    return Statement(
        holder=str(body["holder"]), address=str(body["address"]), balance=None if balance is None else Money(balance),
        bills=tuple(bill_of(period) for period in body.get("periods", [])), offer=offer_of(body) if "amounts_fen" in body else None,
    )


def bill_of(period: dict[str, Any]) -> DueBill:
    usage, unit = period.get("usage"), period.get("unit")
    bill = DueBill(
        biller_ref=str(period["bill_ref"]), period=str(period["period"]), amount=Money(period["amount_fen"]),
        late_fee=Money(period["late_fee_fen"]), due_on=date.fromisoformat(period["due_on"]),
        usage=f"{usage} {UNITS.get(unit, unit)}" if usage is not None and unit else "",
    )
    if bill.total != Money(period["total_fen"]) or bill.amount.fen < 0 or bill.late_fee.fen < 0 or not bill.total:
        raise ValueError("the period does not add up")
    return bill


def offer_of(body: dict[str, Any]) -> Offer:
    left = body.get("left_this_month_fen")
    return Offer(
        amounts=tuple(Money(fen) for fen in body["amounts_fen"]), months=tuple(int(sold["months"]) for sold in body.get("months", [])),
        left_this_month=None if left is None else Money(left),
    )


def gateway() -> Biller:
    """The billers of this app, chosen by wiring; tests put their own in its place."""
    made: Biller = current_app.extensions["biller"]
    return made
