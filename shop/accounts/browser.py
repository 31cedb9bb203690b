"""What a browser or an API client holds of a session, and how the next request is recognised by it."""

from __future__ import annotations

from flask import session as cookie
from flask_login import login_user, logout_user

from shop.accounts import queries
from shop.kernel.db import reading
from shop.models.accounts import SessionKind
from shop.platform.actor import Actor, SignedIn, bearer_loader, forget_actor, login_manager

# The row behind the cookie decides; flask-login's own guess from address and browser would sign out people who change networks.
login_manager.session_protection = None


@login_manager.user_loader  # type: ignore[untyped-decorator]  # flask-login has no types
def signed_in_by_cookie(token: str) -> SignedIn | None:
    """The person behind the secret in a session cookie. One query."""
    actor = queries.actor_of_token(reading(), token, SessionKind.WEB)
    return SignedIn(actor, token) if actor else None


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


def forget() -> None:
    """Empty the cookie after signing out."""
    logout_user()
    cookie.clear()
    forget_actor()
