"""What a browser or an API client holds of a session, and how the next request is recognised by it."""

from __future__ import annotations

from datetime import timedelta

from flask import current_app, request
from flask import session as cookie
from flask_login import login_user, logout_user
from werkzeug.wrappers import Response

from shop.accounts import queries, rules
from shop.kernel import keys
from shop.kernel.db import reading
from shop.models.accounts import SessionKind
from shop.platform import along
from shop.platform.actor import Actor, SignedIn, bearer_loader, forget_actor, login_manager

# The row behind the cookie decides; flask-login's own guess from address and browser would sign out people who change networks.
login_manager.session_protection = None


@login_manager.user_loader  # type: ignore[untyped-decorator]  # flask-login has no types
def signed_in_by_cookie(token: str) -> SignedIn | None:
    """The person behind the secret in a session cookie. One query."""
    found = queries.reader_of_token(reading(), token)
    if found is None:
        return None
    actor, read = found
    along.keep(actor.signed_in_id(), read)
    return SignedIn(actor, token)


@bearer_loader
def signed_in_by_token(token: str) -> Actor | None:
    """The person behind an access token. One query."""
    return queries.actor_of_token(reading(), token, SessionKind.API)


def remember(token: str) -> Actor:
    """Put the secret of a new session into the cookie; whatever the cookie held before is gone."""
    cookie.clear()
    actor = queries.actor_of_token(reading(), token, SessionKind.WEB)
    if actor is None:
        raise LookupError("the session that was just opened is not there")
    cookie.permanent = True
    login_user(SignedIn(actor, token))
    for unused in ("_id", "_fresh"):
        cookie.pop(unused, None)
    forget_actor()
    return actor


# Which numbers signed in on this browser: fingerprints that only the app can make, so that nobody says it of another's number.
KNOWN = "known"
MOST_KNOWN = 5
KNOWN_FOR = timedelta(days=365)


def asker_here(phone: str, secret: str) -> rules.Asker:
    """This browser as one that asks for codes; `secret` is kept in its cookie alone."""
    return rules.asker(request.remote_addr or "", f"browser {secret}", is_known=known_mark(phone) in known_marks())


def asker_by_address() -> rules.Asker:
    """A program, which keeps no cookies: whoever calls from its address."""
    return rules.asker(request.remote_addr or "", f"address {request.remote_addr}")


def keep_known(answer: Response, phone: str) -> Response:
    """Have this browser known as one the number's owner signed in on; signing out does not change that."""
    marks = [known_mark(phone), *(mark for mark in known_marks() if mark != known_mark(phone))]
    answer.set_cookie(
        KNOWN, ".".join(marks[:MOST_KNOWN]), max_age=KNOWN_FOR, secure=bool(current_app.config["COOKIES_SECURE"]), httponly=True,
        samesite="Lax",
    )  # fmt: skip
    return answer


def known_marks() -> list[str]:
    return request.cookies.get(KNOWN, "")[:1_000].split(".")


def known_mark(phone: str) -> str:
    return keys.fingerprint("signed in here", phone)


def has_ended(actor: Actor) -> bool:
    """Whether this browser still holds a session that was ended elsewhere: it was signed in, and is not any more."""
    return not actor.is_signed_in and "_user_id" in cookie


def note_ended(actor: Actor) -> bool:
    """The same, once: whoever asks tells the reader, who is a stranger from here on and need not hear it again."""
    ended = has_ended(actor)
    if ended:
        cookie.pop("_user_id", None)
    return ended


def forget() -> None:
    """Empty the cookie after signing out."""
    logout_user()
    cookie.clear()
    forget_actor()
