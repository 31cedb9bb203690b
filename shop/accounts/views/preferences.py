"""Language, large text, light or dark: kept with the account, and in cookies for whoever is signed out."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Blueprint, current_app, redirect, request
from werkzeug.wrappers import Response

from shop.accounts import operations, rules
from shop.accounts.views.me import way_back
from shop.kernel.db import perform
from shop.kernel.errors import Invalid
from shop.platform.access import open_to_everyone
from shop.platform.actor import Actor
from shop.platform.asked import sent
from shop.platform.language import ADDRESS

bp = Blueprint("preferences", __name__)

A_YEAR = 31_536_000
CHOICES = {"locale": rules.LOCALES, "elder_mode": ("0", "1"), "theme": rules.THEMES}


@bp.post("/preferences")
@open_to_everyone
def save(actor: Actor) -> Response:
    """Keep whichever of the choices was sent, and go back to the page it came from."""
    chosen = {name: sent.word(name) for name in CHOICES if sent.has(name)}
    for name, value in chosen.items():
        if value not in CHOICES[name]:
            raise Invalid(name)
    if actor.is_signed_in:
        elder = chosen.get("elder_mode")
        perform(
            operations.set_preferences, actor, locale=chosen.get("locale"), elder_mode=None if elder is None else elder == "1",
            theme=chosen.get("theme"),
        )  # fmt: skip
    answer = redirect(without_language(way_back()) if "locale" in chosen else way_back(), 303)
    for name, value in chosen.items():
        keep(answer, name, value)
    return answer


def without_language(path: str) -> str:
    """The plain address of a page: it speaks the language that was chosen, whatever the address named before."""
    parts = urlsplit(path)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != ADDRESS]
    return urlunsplit(parts._replace(query=urlencode(kept)))


def chosen_here(point_id: int | None) -> rules.Choices:
    """What was chosen on this browser, not what was only guessed: for whoever signs in on it, with the point they look at."""
    found = {name: value for name, values in CHOICES.items() if (value := request.cookies.get(name)) in values}
    elder = found.get("elder_mode")
    return rules.Choices(point_id, found.get("locale"), None if elder is None else elder == "1", found.get("theme"))


def keep_look(answer: Response, actor: Actor) -> Response:
    """Have the browser look the same when this person has signed out: the sign-in page too must be large for who needs it large."""
    for name, value, usual in (("elder_mode", str(int(actor.elder_mode)), "0"), ("theme", actor.theme, rules.THEMES[0])):
        if request.cookies.get(name, usual) != value:
            keep(answer, name, value)
    return answer


def keep(answer: Response, name: str, value: str) -> None:
    """A cookie for a year that only this site reads and no script needs."""
    secure = bool(current_app.config["COOKIES_SECURE"])
    answer.set_cookie(name, value, max_age=A_YEAR, secure=secure, httponly=True, samesite="Lax")
