"""The pages a customer sees: the hosted Checkout page, the page of the bank or wallet, the drawn code.

Plain forms; nothing needs script. The number of a card is looked at and forgotten, only its last four digits are kept.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import segno
from flask import Blueprint, Flask, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from simulators.stripe.money import shown
from simulators.stripe.resources import payment_methods, payments, sessions
from simulators.stripe.resources.cards import NUMBERS, TestCard, passes_luhn
from simulators.stripe.store import Entry, Unit
from simulators.stripe.text import TEXTS
from simulators.stripe.world import World

POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"
EXPIRY = re.compile(r"^(0[1-9]|1[0-2])\s*(?:/\s*)?(\d{2}|\d{4})$")


@dataclass(frozen=True)
class Problem:
    """Why a payment did not go through: the id of a text, and the field it belongs to."""

    text: str
    field: str | None = None


def register(app: Flask, world: World) -> None:
    """Serve the pages on `app`."""
    pages = Pages(world)
    blueprint = Blueprint("hosted", __name__, template_folder="templates", static_folder="static", static_url_path="/_assets")
    blueprint.add_url_rule("/pay/<session_id>", "checkout", pages.checkout, methods=["GET"])
    blueprint.add_url_rule("/pay/<session_id>/card", "card", pages.pay_by_card, methods=["POST"])
    blueprint.add_url_rule("/pay/<session_id>/wallet", "wallet", pages.pay_by_wallet, methods=["POST"])
    blueprint.add_url_rule("/authorise/<intent_id>", "authorise", pages.authorise, methods=["GET"])
    blueprint.add_url_rule("/authorise/<intent_id>", "decide", pages.decide, methods=["POST"])
    blueprint.add_url_rule("/code/<intent_id>.<suffix>", "code", pages.code, methods=["GET"])
    blueprint.after_request(_protected)
    app.register_blueprint(blueprint)


def _protected(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-store" if response.mimetype == "text/html" else "max-age=3600"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def language(session: Entry | None = None) -> str:
    """zh or en: what the address asks for, else what the shop set on the session, else what the browser prefers."""
    for wanted in (request.args.get("locale"), (session or {}).get("locale")):
        if wanted and wanted != "auto":
            return "zh" if wanted.lower().startswith("zh") else "en"
    for code, _ in request.accept_languages:
        if code.lower().startswith(("zh", "en")):
            return code[:2].lower()
    return "en"


class Pages:
    """The views, all of one account."""

    def __init__(self, world: World) -> None:
        self._world = world

    def checkout(self, session_id: str) -> ResponseReturnValue:
        """The page that `session.url` leads to."""
        with self._world.lock:
            session = self._world.new_unit().get("checkout.session", session_id)
        if session is None:
            return self._message("not_found", 404)
        failed = request.args.get("failed")
        problem = Problem(failed) if failed in TEXTS["en"] else None
        return self._checkout_page(session, problem)

    def _checkout_page(self, session: Entry, problem: Problem | None, status: int = 200) -> ResponseReturnValue:
        if session["status"] == "expired":
            return self._message("expired", 410, session)
        if session["status"] == "complete":
            return self._message("complete", 200, session, onward=_success_url(session))
        lines = [
            {
                "name": line["description"],
                "note": line["price"]["_description"],
                "quantity": line["quantity"],
                "amount": shown(line["amount_total"], line["currency"]),
            }
            for line in session["_lines"]
        ]
        page = render_template(
            "checkout.html",
            text=TEXTS[language(session)],
            language=language(session),
            session=session,
            lines=lines,
            total=shown(session["amount_total"], session["currency"]),
            problem=problem,
            cards=TEST_CARDS,
            other_language=_other_language(session),
        )
        return page, status

    def pay_by_card(self, session_id: str) -> ResponseReturnValue:
        """The card form was sent."""
        with self._world.unit(base_url=_base()) as unit:
            session = unit.get("checkout.session", session_id)
            if session is None:
                return self._message("not_found", 404)
            if session["status"] != "open" or "card" not in session["payment_method_types"]:
                return _back(session)
            card, problem = _typed_card()
            if card is None:
                return self._checkout_page(session, problem, 422)
            return self._pay(unit, session, payment_methods.create_card(unit, card))

    def pay_by_wallet(self, session_id: str) -> ResponseReturnValue:
        """The Alipay or WeChat Pay button was pressed."""
        with self._world.unit(base_url=_base()) as unit:
            session = unit.get("checkout.session", session_id)
            if session is None:
                return self._message("not_found", 404)
            kind = request.form.get("type", "")
            if session["status"] != "open" or kind not in session["payment_method_types"] or kind == "card":
                return _back(session)
            return self._pay(unit, session, payment_methods.create_wallet(unit, kind, "type"))

    def _pay(self, unit: Unit, session: Entry, method: Entry) -> ResponseReturnValue:
        intent = sessions.payment_of(unit, session)
        back = url_for("hosted.checkout", session_id=session["id"], locale=request.args.get("locale"), _external=True)
        refusal = payments.begin(unit, intent, method, return_url=back)
        current = unit.need("checkout.session", session["id"], "session")
        if refusal is not None:
            text = refusal.details.get("decline_code") or refusal.code or "declined"
            return self._checkout_page(current, Problem(text if text in TEXTS["en"] else "declined"), 402)
        if intent["status"] == "requires_action":
            page = url_for("hosted.authorise", intent_id=intent["id"], key=intent["_key"], locale=request.args.get("locale"))
            return redirect(page, 303)
        return redirect(_success_url(current), 303)

    def authorise(self, intent_id: str) -> ResponseReturnValue:
        """The page of the bank (3-D Secure) or of the wallet (a code to scan)."""
        with self._world.lock:
            unit = self._world.new_unit()
            intent = _keyed(unit, intent_id)
            if intent is None:
                return self._message("not_found", 404)
            session = unit.get("checkout.session", intent["_session"])
            method = unit.get("payment_method", intent["payment_method"])
        if intent["status"] != "requires_action" or method is None:
            return redirect(_onward(intent, session), 303)
        words = language(session)
        return render_template(
            "authorise.html",
            text=TEXTS[words],
            language=words,
            intent=intent,
            kind=method["type"],
            amount=shown(intent["amount"], intent["currency"]),
            other_language=_other_language(session),
        )

    def decide(self, intent_id: str) -> ResponseReturnValue:
        """Pay or fail was pressed on that page. Pressed twice, the second does nothing."""
        with self._world.unit(base_url=_base()) as unit:
            intent = _keyed(unit, intent_id)
            if intent is None:
                return self._message("not_found", 404)
            if intent["status"] == "requires_action":
                payments.authenticated(unit, intent, request.form.get("outcome") == "pay")
            session = unit.get("checkout.session", intent["_session"])
            return redirect(_onward(intent, session), 303)

    def code(self, intent_id: str, suffix: str) -> ResponseReturnValue:
        """The drawn code of a wallet payment."""
        with self._world.lock:
            intent = self._world.new_unit().get("payment_intent", intent_id)
        if intent is None or suffix not in ("svg", "png"):
            return self._message("not_found", 404)
        drawn = io.BytesIO()
        segno.make(payments.code_data(intent)).save(drawn, kind=suffix, scale=6, border=2)
        return Response(drawn.getvalue(), mimetype="image/svg+xml" if suffix == "svg" else "image/png")

    def _message(self, name: str, status: int, session: Entry | None = None, onward: str | None = None) -> ResponseReturnValue:
        words = language(session)
        back = onward or (session or {}).get("cancel_url")
        page = render_template(
            "message.html",
            text=TEXTS[words],
            language=words,
            name=name,
            back=back,
            other_language=_other_language(session),
        )
        return page, status


TEST_CARDS = (
    ("4242 4242 4242 4242", "card_ok"),
    ("4000 0000 0000 0002", "card_declined_hint"),
    ("4000 0000 0000 9995", "card_insufficient_hint"),
    ("4000 0025 0000 3155", "card_secure_hint"),
)


def _base() -> str:
    return request.host_url.rstrip("/")


def _other_language(session: Entry | None) -> str:
    other = "en" if language(session) == "zh" else "zh"
    kept = {name: value for name, value in request.args.items() if name not in ("locale", "failed")}
    # A form that was sent is answered under its own address, which cannot be asked for again: lead to the page instead.
    path = request.path.rsplit("/", 1)[0] if request.method == "POST" and request.path.startswith("/pay/") else request.path
    return f"{path}?{urlencode({**kept, 'locale': other})}"


def _typed_card() -> tuple[TestCard | None, Problem | None]:
    number = re.sub(r"[\s-]", "", request.form.get("number", ""))
    if not number.isascii() or not number.isdigit() or not 12 <= len(number) <= 19 or not passes_luhn(number):
        return None, Problem("incorrect_number", "number")
    if not EXPIRY.match(request.form.get("expiry", "").strip()):
        return None, Problem("invalid_expiry", "expiry")
    if not re.fullmatch(r"\d{3,4}", request.form.get("cvc", "").strip(), re.ASCII):
        return None, Problem("invalid_cvc", "cvc")
    if number not in NUMBERS:
        # As at Stripe in test mode, where only the published numbers work.
        return None, Problem("not_a_test_card", "number")
    return NUMBERS[number], None


def _success_url(session: Entry) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", quote(session["id"], safe=""))


def _back(session: Entry) -> ResponseReturnValue:
    if session["status"] == "complete":
        return redirect(_success_url(session), 303)
    return redirect(url_for("hosted.checkout", session_id=session["id"], locale=request.args.get("locale")), 303)


def _keyed(unit: Unit, intent_id: str) -> Entry | None:
    intent = unit.get("payment_intent", intent_id)
    if intent is None or request.values.get("key") != intent["_key"]:
        return None
    return intent


def _onward(intent: Entry, session: Entry | None) -> str:
    """Where the customer goes from the bank or wallet: to the shop, or back to choose another way to pay."""
    done = intent["status"] in ("succeeded", "processing", "requires_capture")
    if session is not None:
        if session["status"] == "complete":
            return _success_url(session)
        failed = None if done else "authentication_failed"
        return url_for("hosted.checkout", session_id=session["id"], locale=request.args.get("locale"), failed=failed)
    if not intent["_return_url"]:
        return url_for("hosted.checkout", session_id="none")
    parts = urlsplit(intent["_return_url"])
    more = urlencode(
        {
            "payment_intent": intent["id"],
            "payment_intent_client_secret": intent["client_secret"],
            "redirect_status": "succeeded" if done else "failed",
        }
    )
    return urlunsplit(parts._replace(query=f"{parts.query}&{more}" if parts.query else more))
