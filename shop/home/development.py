"""Pages for building and showing the shop; never there in production."""

from __future__ import annotations

import requests
from flask import Blueprint, Response, current_app, jsonify, render_template
from werkzeug.exceptions import ServiceUnavailable

from shop.kernel.identifiers import phone_number
from shop.platform.access import open_to_everyone
from shop.platform.actor import Actor
from shop.platform.asked import address

bp = Blueprint("dev", __name__, url_prefix="/dev")


@bp.get("/sms")
@open_to_everyone
def sms(actor: Actor) -> Response:
    """The text messages to `?phone=`, newest first, as the SMS simulator has them: `[{"phone", "text", "code", "sent_at"}]`."""
    wanted = address.text("phone", 40)
    asked = {"phone": phone_number(wanted)} if wanted else {}
    base, key = current_app.config["SMS_API_BASE"].rstrip("/"), current_app.config["SMS_API_KEY"]
    try:
        answer = requests.get(f"{base}/messages", params=asked, headers={"X-Sms-Key": key}, timeout=5)
        answer.raise_for_status()
        return jsonify(answer.json())
    except requests.RequestException as error:
        raise ServiceUnavailable("The SMS simulator does not answer.") from error


@bp.get("/style")
@open_to_everyone
def style(actor: Actor) -> str:
    """Every component once."""
    return render_template("dev/style.html")
