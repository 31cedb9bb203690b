"""The biller's protocol over HTTP: reads requests strictly, answers in JSON, and loses answers when it is told to."""

from __future__ import annotations

import re
import socket
import threading
import time
from contextlib import suppress
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request

from simulators.biller.acceptance import Order
from simulators.biller.counter import Counter, SerialReused
from simulators.biller.dayfile import day_file
from simulators.biller.registry import TOP_UP_FACES_FEN, Biller, billers

protocol = Blueprint("protocol", __name__, url_prefix="/billers")

SERIAL = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
ACCOUNT = re.compile(r"[A-Za-z0-9-]{1,32}", re.ASCII)
REFERENCE = re.compile(r"[A-Za-z0-9-]{1,40}", re.ASCII)
LARGEST_FEN = 100_000_000


class Refusal(Exception):
    """The request itself is refused; nothing was recorded."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def counter() -> Counter:
    """The counter of this application."""
    found = current_app.extensions["counter"]
    assert isinstance(found, Counter)
    return found


def wait(milliseconds: int) -> None:
    """Let time pass, or stop waiting when the server stops."""
    stopping: threading.Event = current_app.extensions["stopping"]
    stopping.wait(milliseconds / 1000)


def _biller(code: str, *flows: str) -> Biller:
    """The biller of that code, when it is not down and knows that way of paying. Raises Refusal."""
    biller = billers().get(code)
    if biller is None:
        raise Refusal(404, "unknown_biller", "There is no such biller")
    if code in counter().controls.down:
        raise Refusal(503, "down", "The biller is not available")
    if flows and biller.flow not in flows:
        raise Refusal(422, "wrong_flow", f"This biller is {biller.flow}")
    return biller


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refusal(400, "bad_request", "The body is one JSON object")
    return body


def _matching(body: dict[str, Any], name: str, form: re.Pattern[str]) -> str:
    value = body.get(name)
    if not isinstance(value, str) or form.fullmatch(value) is None:
        raise Refusal(422, "bad_request", f"{name} is missing or malformed")
    return value


def _fen(body: dict[str, Any], name: str) -> int:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LARGEST_FEN:
        raise Refusal(422, "bad_request", f"{name} is a whole number of fen above 0")
    return value


def _order(biller: Biller) -> Order:
    """The payment asked for. Raises Refusal when it does not say exactly one of bills and amount."""
    body = _body()
    if unknown := set(body) - {"serial", "account_no", "bill_refs", "amount_fen", "total_fen"}:
        raise Refusal(422, "bad_request", f"unknown {', '.join(sorted(unknown))}")
    serial, account_no, total = _matching(body, "serial", SERIAL), _matching(body, "account_no", ACCOUNT), _fen(body, "total_fen")
    if ("bill_refs" in body) == ("amount_fen" in body):
        raise Refusal(422, "bad_request", "Either bill_refs or amount_fen")
    if "amount_fen" in body:
        if biller.flow == "fetch_pay" and biller.amount_rule != "exact_or_more":
            raise Refusal(422, "bad_request", "This biller takes bill_refs")
        if _fen(body, "amount_fen") != total:
            raise Refusal(422, "bad_request", "total_fen is not amount_fen")
        return Order(serial, account_no, (), total)
    references = body["bill_refs"]
    if biller.flow != "fetch_pay":
        raise Refusal(422, "bad_request", "This biller takes amount_fen")
    if not isinstance(references, list) or not 1 <= len(references) <= 36:
        raise Refusal(422, "bad_request", "bill_refs is a list of 1 to 36")
    if not all(isinstance(reference, str) and REFERENCE.fullmatch(reference) for reference in references):
        raise Refusal(422, "bad_request", "bill_refs is malformed")
    if len(set(references)) != len(references):
        raise Refusal(422, "bad_request", "bill_refs names a bill twice")
    return Order(serial, account_no, tuple(sorted(references)), total)


def _description(biller: Biller) -> dict[str, Any]:
    described: dict[str, Any] = {
        "code": biller.code,
        "name_zh": biller.name_zh,
        "name_en": biller.name_en,
        "category": biller.category,
        "mode": biller.mode,
        "flow": biller.flow,
        "amount_rule": biller.amount_rule,
        "account_pattern": biller.account_pattern.pattern,
        "late_fee_bp_per_day": biller.late_fee_bp_per_day,
        "idempotent": biller.code not in counter().controls.no_idempotency,
        "inquiry": biller.code not in counter().controls.no_inquiry,
    }
    if biller.flow == "pay_only":
        described["amounts_fen"] = list(TOP_UP_FACES_FEN)
    return described


def lose_answer() -> Response:
    """Keep the line open for the hanging time, then cut it without a word."""
    wait(counter().hang_ms)
    line = request.environ.get("werkzeug.socket") or request.environ.get("gunicorn.socket")
    if isinstance(line, socket.socket):
        # The caller may have hung up already, which is what a time-out looks like from here.
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
    # Seen only by a test client without a socket: a gateway time-out, which is no answer either.
    return Response(status=504)


@protocol.get("")
def every_biller() -> Response:
    """The billers and how each is paid."""
    return jsonify([_description(biller) for biller in billers().values()])


@protocol.get("/<code>")
def one_biller(code: str) -> Response:
    """One biller: flow, amount rule, faces, and whether it keeps serials and answers inquiries."""
    return jsonify(_description(_biller(code)))


@protocol.post("/<code>/query")
def query(code: str) -> Response:
    """What an account owes."""
    biller = _biller(code, "fetch_pay")
    account_no = _matching(_body(), "account_no", ACCOUNT)
    found = counter().query(biller, account_no)
    wait(counter().delay_ms(biller, account_no))
    if found is None:
        raise Refusal(404, "not_found", "There is no such account")
    return jsonify(found)


@protocol.post("/<code>/validate")
def validate(code: str) -> Response:
    """Who a prepaid account belongs to and what it can buy."""
    biller = _biller(code, "validate_pay")
    account_no = _matching(_body(), "account_no", ACCOUNT)
    found = counter().validate(biller, account_no)
    wait(counter().delay_ms(biller, account_no))
    if found is None:
        raise Refusal(404, "not_found", "There is no such account")
    return jsonify(found)


@protocol.post("/<code>/payments")
def pay(code: str) -> Response:
    """Take a payment. It is in the books before any delay begins, so `not_found` on inquiry means that it never arrived."""
    biller = _biller(code)
    order = _order(biller)
    if counter().request_dropped(biller, order.serial, order.account_no):
        return lose_answer()
    try:
        result = counter().pay(biller, order)
    except SerialReused as error:
        raise Refusal(409, "serial_reused", "This serial was used for another payment") from error
    wait(result.delay_ms)
    return jsonify(result.answer) if result.heard else lose_answer()


@protocol.get("/<code>/payments/<serial>")
def inquire(code: str, serial: str) -> Response:
    """What became of a payment."""
    biller = _biller(code)
    if code in counter().controls.no_inquiry:
        raise Refusal(501, "not_supported", "This biller answers no inquiries")
    found = counter().inquire(biller, serial)
    wait(counter().controls.default_delay_ms)
    if found is None:
        raise Refusal(404, "not_found", "No payment arrived under this serial")
    return jsonify(found)


@protocol.get("/<code>/day-files/<day>")
def read_day_file(code: str, day: str) -> Response:
    """The day file; today's is still open, a later day's is not there."""
    biller = _biller(code)
    if re.fullmatch(r"\d{8}", day, re.ASCII) is None:
        raise Refusal(404, "not_found", "A day is yyyymmdd")
    try:
        wanted = datetime.strptime(day, "%Y%m%d").date()
    except ValueError as error:
        raise Refusal(404, "not_found", "There is no such day") from error
    today = counter().today
    if wanted > today:
        raise Refusal(404, "not_ready", "That day has not come")
    counter().settle()
    answer = Response(day_file(counter().books, biller, day), mimetype="text/plain")
    answer.headers["X-Day-File"] = "open" if wanted == today else "closed"
    return answer


@protocol.before_request
def note_arrival() -> None:
    """Remember when the request came, for the log."""
    request.environ["biller.arrived"] = time.monotonic()
