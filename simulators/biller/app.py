"""The biller simulator as a Flask application."""

from __future__ import annotations

import hmac
import logging
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from simulators.biller.books import Books
from simulators.biller.clock import milliseconds, moment
from simulators.biller.control import control
from simulators.biller.controls import PACES
from simulators.biller.counter import Counter
from simulators.biller.dayfile import yuan
from simulators.biller.protocol import Refusal, counter, protocol
from simulators.biller.registry import billers
from simulators.serving import served

LOG_LENGTH = 2_000
SHOWN_PAYMENTS = 50
OPEN_ENDPOINTS = {"page", "health", "static", "icon"}
HEADINGS = {
    "title": "缴费单位模拟 · Biller simulator",
    "billers": "缴费单位 Billers",
    "posted": "最近销账 Posted",
    "count": "笔数 Count",
    "amount": "金额 Amount",
    "account": "户号 Account",
    "period": "账期 Period",
    "serial": "渠道流水 Serial",
    "time": "时间 Time",
    "nothing": "还没有销账。Nothing posted yet.",
    "day": "今日 Today",
    "down": "停机 down",
}


def create_app(
    data: Path | str | None = None,
    key: str = "demo-biller-key",
    seed: int | None = None,
    speed: str = "real",
    today: date | None = None,
) -> Flask:
    """The application over one book file; without `data` the books live in a temporary folder and go with the process."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    if data is None:
        folder = tempfile.TemporaryDirectory(prefix="biller-")
        app.extensions["folder"] = folder
        data = Path(folder.name) / "biller.sqlite"
    app.extensions["counter"] = Counter(Books(Path(data)), PACES[speed], seed=seed, today=today)
    app.extensions["stopping"] = threading.Event()
    app.extensions["log"] = deque(maxlen=LOG_LENGTH)
    app.register_blueprint(protocol)
    app.register_blueprint(control)
    app.add_url_rule("/", "page", page)
    app.add_url_rule("/favicon.ico", "icon", lambda: Response(status=204))
    app.add_url_rule("/healthz", "health", lambda: jsonify({"status": "ok"}))
    app.register_error_handler(Refusal, answer_refusal)
    app.register_error_handler(HTTPException, answer_http_error)

    @app.before_request
    def require_key() -> None:
        given = request.headers.get("X-Biller-Key", "")
        if request.endpoint not in OPEN_ENDPOINTS and not hmac.compare_digest(given.encode(), key.encode()):
            raise Refusal(401, "unauthorized", "X-Biller-Key is missing or wrong")

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = "default-src 'self'"
        response.headers["Cache-Control"] = "no-store"
        note(app, response)
        return response

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    return app


@contextmanager
def running_biller(**settings: Any) -> Iterator[str]:
    """The address of a simulator on a free port for the length of the block; settings are those of `create_app`."""
    with served(create_app(**settings), close) as address:
        yield address


def close(app: Flask) -> None:
    """End every wait and close the books; books without a file of their own are thrown away."""
    app.extensions["stopping"].set()
    app.extensions["counter"].books.close()
    if "folder" in app.extensions:
        app.extensions["folder"].cleanup()


def note(app: Flask, response: Response) -> None:
    """Put a protocol request into the log; account numbers stay out of it."""
    arrived = request.environ.get("biller.arrived")
    if arrived is None:
        return
    body = request.get_json(silent=True) if request.is_json else None
    lost = response.status_code == 504
    app.extensions["log"].append(
        {
            "at": moment(milliseconds(), 0).isoformat(),
            "method": request.method,
            "path": request.path,
            "serial": body.get("serial") if isinstance(body, dict) else (request.view_args or {}).get("serial"),
            "status": None if lost else response.status_code,
            "answered": not lost,
            "took_ms": round((time.monotonic() - arrived) * 1000),
        }
    )


def answer_refusal(refusal: Refusal) -> tuple[Response, int]:
    """A refusal of the protocol as JSON."""
    return jsonify({"code": refusal.code, "message": refusal.message}), refusal.status


def answer_http_error(error: HTTPException) -> tuple[Response, int]:
    """Everything else that goes wrong, also as JSON."""
    return jsonify({"code": error.name.lower().replace(" ", "_"), "message": error.description}), error.code or 500


def page() -> str:
    """The billers, and what was posted last, for a person to look at."""
    counter().settle()
    with counter().books.transaction() as book:
        sums = {
            row["biller"]: row
            for row in book.execute("SELECT biller, count(*) AS count, sum(amount_fen) AS amount_fen FROM postings GROUP BY biller")
        }
        latest = book.execute(
            "SELECT t.biller, t.account_no, t.amount_fen, t.posted_at, p.serial, p.periods FROM postings t"
            " JOIN payments p ON p.id = t.payment_id ORDER BY t.id DESC LIMIT ?",
            (SHOWN_PAYMENTS,),
        ).fetchall()
    rows: list[dict[str, Any]] = [
        {
            "biller": biller,
            "count": sums[code]["count"] if code in sums else 0,
            "yuan": yuan(sums[code]["amount_fen"] if code in sums else 0),
            "down": code in counter().controls.down,
        }
        for code, biller in billers().items()
    ]
    postings = [
        {
            "biller": billers()[row["biller"]],
            "account": "*" * (len(row["account_no"]) - 4) + row["account_no"][-4:],
            "periods": row["periods"].strip("[]").replace('"', ""),
            "yuan": yuan(row["amount_fen"]),
            "serial": row["serial"],
            "time": row["posted_at"][:19].replace("T", " "),
        }
        for row in latest
    ]
    return render_template("biller.html", words=HEADINGS, rows=rows, postings=postings, today=counter().today)
