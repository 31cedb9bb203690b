"""The control and the books over HTTP: for tests and demonstrations, not part of the biller's protocol."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request

from simulators.biller.clock import shift_to
from simulators.biller.controls import ControlRefused
from simulators.biller.counter import biller_serial
from simulators.biller.protocol import Refusal, counter

control = Blueprint("control", __name__, url_prefix="/_control")


def _state() -> dict[str, Any]:
    return {**counter().controls.as_json(), "today": counter().today.isoformat()}


def _wishes() -> dict[str, Any]:
    wishes = request.get_json(silent=True) if request.get_data() else {}
    if not isinstance(wishes, dict):
        raise Refusal(400, "bad_request", "The body is one JSON object")
    return wishes


@control.get("")
def show_controls() -> Response:
    """The controls as they are."""
    return jsonify(_state())


@control.post("")
def set_controls() -> Response:
    """Change the controls that are named, leave the others."""
    try:
        changed = counter().controls.changed(_wishes(), shift_to)
    except ControlRefused as error:
        raise Refusal(400, "bad_request", str(error)) from error
    counter().set_controls(changed)
    return jsonify(_state())


@control.post("/reset")
def reset() -> Response:
    """Controls back to the start and the books empty; with {"keep_books": true} only the controls."""
    counter().reset(keep_books=_wishes().get("keep_books") is True)
    current_app.extensions["log"].clear()
    return jsonify(_state())


@control.get("/books")
def show_books() -> Response:
    """Every posted payment and how often it was written off; with ?all=yes also the failed and the pending ones."""
    counter().settle()
    with counter().books.transaction() as book:
        rows = book.execute(
            "SELECT p.*, (SELECT count(*) FROM postings t WHERE t.payment_id = p.id) AS times_posted FROM payments p ORDER BY p.id"
        ).fetchall()
        posted_fen = book.execute("SELECT coalesce(sum(amount_fen), 0) FROM postings").fetchone()[0]
    shown = [row for row in rows if row["state"] == "posted" or request.args.get("all") == "yes"]
    payments = [
        {
            "biller": row["biller"],
            "serial": row["serial"],
            "biller_serial": biller_serial(row) if row["state"] == "posted" else None,
            "account_no": row["account_no"],
            "bill_refs": json.loads(row["bill_refs"]),
            "periods": json.loads(row["periods"]),
            "total_fen": row["total_fen"],
            "surplus_fen": row["surplus_fen"],
            "state": row["state"],
            "code": row["code"],
            "posted_at": row["posted_at"],
            "times_received": row["times_received"],
            "times_posted": row["times_posted"],
            "acknowledgements": row["acknowledgements"],
        }
        for row in shown
    ]
    more_than_once = [row["serial"] for row in rows if row["times_posted"] > 1]
    return jsonify(
        {
            "payments": payments,
            "posted": sum(row["times_posted"] for row in rows),
            "posted_fen": posted_fen,
            "posted_more_than_once": more_than_once,
        }
    )


@control.get("/log")
def show_log() -> Response:
    """The last requests of the protocol, oldest first: when, what, which serial, the answer or that it was lost."""
    return jsonify(list(current_app.extensions["log"]))
