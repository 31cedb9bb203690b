"""The shop as an app on the phone: the manifest, the worker that answers without a network, and the page for when it cannot.

The worker (static/sw/worker.js) keeps the last pass and order pages that this person opened, under a key that changes with every
sign-in. They are gone when the person signs out: the worker hears of it, and the browser is told to empty its cache.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, render_template, request, url_for

from shop.accounts.rules import THEMES
from shop.kernel import keys
from shop.platform.access import public_file
from shop.platform.actor import Actor, current_actor
from shop.platform.asked import address
from shop.platform.language import LOCALES, gettext, reader_locale

bp = Blueprint("installable", __name__)

GROUND = "#fbf8f3"
"""The ground colour of tokens.css, around the page while the app opens."""

SHELL = ("built/site.css", "built/site.js", "js/offline.js", "img/logo.svg", "img/icons.svg", "img/empty/parcels.svg")
"""What the page without a network is made of."""

SIGNING_OUT = frozenset({"accounts.sign_out", "accounts.revoke", "accounts.revoke_everywhere"})
KEY_LENGTH = 32


@bp.app_template_global()
def offline_key(actor: Actor) -> str:
    """Under which name the worker keeps this session's pages; empty for strangers. It opens nothing and tells nobody who it is."""
    if actor.session_id is None:
        return ""
    return keys.fingerprint("offline pages", str(actor.session_id))[:KEY_LENGTH]


def speak_as_asked() -> None:
    """These answers are kept by browsers under their address: the address says the language."""
    asked = address.word("locale")
    if asked in LOCALES:
        g.locale = asked


@bp.get("/manifest.webmanifest")
@public_file
def manifest() -> Response:
    """What the phone asks before it puts the shop beside its apps."""
    speak_as_asked()
    asset = current_app.extensions["assets"]
    icons = [
        {"src": asset(f"img/app-icons/{name}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for name, size, purpose in (("192", 192, "any"), ("512", 512, "any"), ("maskable-512", 512, "maskable"))
    ]
    shortcuts = [
        (gettext("Pick-up codes"), "pickup.passes"), (gettext("Bills"), "bills.index"), (gettext("My orders"), "orders.list_mine"),
    ]  # fmt: skip
    answer = jsonify(
        {
            "id": "/",
            "name": gettext("Linli, the neighbourhood's shop"),
            "short_name": gettext("Linli"),
            "description": gettext("Linli · what the neighbourhood needs, downstairs"),
            "lang": "zh-CN" if reader_locale() == "zh" else "en",
            "dir": "ltr",
            "start_url": url_for("home.index"),
            "scope": "/",
            "display": "standalone",
            "theme_color": GROUND,
            "background_color": GROUND,
            "categories": ["shopping", "utilities"],
            "icons": icons,
            "shortcuts": [{"name": name, "url": url_for(endpoint), "icons": icons[:1]} for name, endpoint in shortcuts],
        }
    )
    answer.mimetype = "application/manifest+json"
    answer.headers["Cache-Control"] = "public, max-age=3600" if address.word("locale") in LOCALES else "no-cache, private"
    return answer


@bp.get("/sw.js")
@public_file
def worker() -> Response:
    """The worker, told the version it belongs to. Never kept: a new release must be noticed."""
    asset = current_app.extensions["assets"]
    told = {"version": asset.version, "shell": [asset(path) for path in SHELL]}
    script = (asset.folder / "sw" / "worker.js").read_text(encoding="utf-8")
    answer = Response(f"const release = {json.dumps(told)};\n{script}", mimetype="text/javascript")
    answer.headers["Service-Worker-Allowed"] = "/"
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@bp.get("/offline")
@public_file
def offline() -> Response:
    """The page the worker shows when nothing else can be had. The same for everybody who chose the same language, size and light."""
    speak_as_asked()
    theme = address.choice("theme", THEMES, "auto")
    facts: dict[str, Any] = {"elder_mode": address.word("mode") == "elder", "theme": theme}
    answer = Response(render_template("home/offline.html", **facts), mimetype="text/html")
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@bp.after_app_request
def empty_the_cache(response: Response) -> Response:
    """Whoever signs out leaves nothing on a shared phone."""
    if request.endpoint in SIGNING_OUT and response.status_code < 400 and not current_actor().is_signed_in:
        response.headers["Clear-Site-Data"] = '"cache"'
    return response
