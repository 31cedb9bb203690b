"""The SMS simulator as a Flask application: a gateway that takes messages, and a page that shows them like a phone."""

from __future__ import annotations

import hmac
import logging
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, jsonify, render_template, request
from markupsafe import Markup, escape
from werkzeug.exceptions import HTTPException

from simulators.serving import served
from simulators.sms.messages import Message, Messages, ReferenceReused

PHONE = re.compile(r"1[3-9][0-9]{9}")
REFERENCE = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
LONGEST_TEXT = 500
LONGEST_DELAY_MS = 600_000
LISTED = 100
SHOWN = 200
OPEN_ENDPOINTS = {"inbox", "health", "static", "icon"}
HEADINGS = {
    "title": "短信收件箱 · Messages",
    "empty": "还没有短信。No messages yet.",
    "explain": "这里显示发往演示手机号的短信，不会真正发出。 Messages to demo phones end here; nothing is really sent.",
    "all": "全部 All",
    "messages": "条 messages",
}


@dataclass
class Controls:
    """How the gateway behaves now."""

    down: bool = False
    delay_ms: int = 0
    lose_answers: bool = False


class Refusal(Exception):
    """The request is refused; nothing was sent."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def create_app(data: Path | str | None = None, key: str = "demo-sms-key") -> Flask:
    """The application over one message file; without `data` the messages live in a temporary folder and go with the process."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 16 * 1024
    if data is None:
        folder = tempfile.TemporaryDirectory(prefix="sms-")
        app.extensions["folder"] = folder
        data = Path(folder.name) / "sms.sqlite"
    app.extensions["messages"] = Messages(Path(data))
    app.extensions["controls"] = Controls()
    app.extensions["stopping"] = threading.Event()
    app.add_url_rule("/", "inbox", inbox)
    app.add_url_rule("/favicon.ico", "icon", lambda: Response(status=204))
    app.add_url_rule("/healthz", "health", lambda: jsonify({"status": "ok"}))
    app.add_url_rule("/messages", "send", send, methods=["POST"])
    app.add_url_rule("/messages", "read", read)
    app.add_url_rule("/_control", "show_controls", show_controls)
    app.add_url_rule("/_control", "set_controls", set_controls, methods=["POST"])
    app.add_url_rule("/_control/reset", "reset", reset, methods=["POST"])
    app.register_error_handler(Refusal, answer_refusal)
    app.register_error_handler(HTTPException, answer_http_error)
    app.add_template_filter(mark_code)
    app.add_template_filter(spaced)

    @app.before_request
    def require_key() -> None:
        given = request.headers.get("X-Sms-Key", "")
        if request.endpoint not in OPEN_ENDPOINTS and not hmac.compare_digest(given.encode(), key.encode()):
            raise Refusal(401, "unauthorized", "X-Sms-Key is missing or wrong")

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = "default-src 'self'"
        response.headers["Cache-Control"] = "no-store"
        return response

    # Phone numbers stand in the addresses of requests, so requests are not logged.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    return app


@contextmanager
def running_sms(**settings: Any) -> Iterator[str]:
    """The address of a simulator on a free port for the length of the block; settings are those of `create_app`."""
    with served(create_app(**settings), close) as address:
        yield address


def close(app: Flask) -> None:
    """End every wait and close the messages; those without a file of their own are thrown away."""
    app.extensions["stopping"].set()
    app.extensions["messages"].close()
    if "folder" in app.extensions:
        app.extensions["folder"].cleanup()


def messages() -> Messages:
    """The messages of this application."""
    found = current_app.extensions["messages"]
    assert isinstance(found, Messages)
    return found


def controls() -> Controls:
    """The controls of this application."""
    found = current_app.extensions["controls"]
    assert isinstance(found, Controls)
    return found


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refusal(400, "bad_request", "The body is one JSON object")
    return body


def _be_slow_or_down() -> None:
    current_app.extensions["stopping"].wait(controls().delay_ms / 1000)
    if controls().down:
        raise Refusal(503, "down", "The gateway is not available")


def send() -> tuple[Response, int]:
    """Take a message: 202. The same reference again is the same message; with another phone or text it is a conflict."""
    _be_slow_or_down()
    body = _body()
    phone, text, reference = body.get("to"), body.get("text"), body.get("reference")
    if not isinstance(phone, str) or PHONE.fullmatch(phone) is None:
        raise Refusal(422, "bad_phone", "to is a mainland mobile number of 11 digits")
    if not isinstance(text, str) or not 0 < len(text.strip()) <= len(text) <= LONGEST_TEXT:
        raise Refusal(422, "bad_text", f"text has 1 to {LONGEST_TEXT} characters")
    if not isinstance(reference, str) or REFERENCE.fullmatch(reference) is None:
        raise Refusal(422, "bad_reference", "reference has 1 to 100 letters, digits, dots, colons, hyphens or underscores")
    try:
        is_new = messages().send(phone, text, reference)
    except ReferenceReused as error:
        raise Refusal(409, "reference_reused", "This reference was used for another message") from error
    if controls().lose_answers:
        raise Refusal(504, "timeout", "The message was taken; this answer stands for one that was lost")
    return jsonify({"status": "accepted", "reference": reference, "duplicate": not is_new}), 202


def read() -> Response:
    """The last messages of ?phone=, or of all, newest first; also while the gateway is down."""
    phone = request.args.get("phone")
    return jsonify([message.as_json() for message in messages().newest(phone, LISTED)])


def show_controls() -> Response:
    """The controls as they are."""
    return jsonify(asdict(controls()))


def set_controls() -> Response:
    """Change the controls that are named; a wrong one changes nothing."""
    wishes = _body()
    for name, value in wishes.items():
        if name == "delay_ms":
            good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LONGEST_DELAY_MS
        else:
            good = name in ("down", "lose_answers") and isinstance(value, bool)
        if not good:
            raise Refusal(400, "bad_request", f"{name} is unknown or of the wrong kind")
    for name, value in wishes.items():
        setattr(controls(), name, value)
    return show_controls()


def reset() -> Response:
    """Controls back to the start, every inbox empty."""
    current_app.extensions["controls"] = Controls()
    messages().burn()
    return show_controls()


def inbox() -> str:
    """The phones and their messages, newest first, for a person to look at."""
    phone = request.args.get("phone") or None
    by_phone: dict[str, list[Message]] = {}
    for message in messages().newest(phone, SHOWN):
        by_phone.setdefault(message.phone, []).append(message)
    return render_template("inbox.html", words=HEADINGS, by_phone=by_phone, phone=phone)


def mark_code(message: Message) -> Markup:
    """The text with its code made to stand out."""
    code = message.code
    if code is None:
        return escape(message.text)
    before, _, after = message.text.partition(code)
    return Markup("{}<strong>{}</strong>{}").format(before, code, after)


def spaced(phone: str) -> str:
    """A number as people read it: 138 0000 0001."""
    return f"{phone[:3]} {phone[3:7]} {phone[7:]}"


def answer_refusal(refusal: Refusal) -> tuple[Response, int]:
    """A refusal as JSON."""
    return jsonify({"code": refusal.code, "message": refusal.message}), refusal.status


def answer_http_error(error: HTTPException) -> tuple[Response, int]:
    """Everything else that goes wrong, also as JSON."""
    return jsonify({"code": error.name.lower().replace(" ", "_"), "message": error.description}), error.code or 500
