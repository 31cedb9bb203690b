"""Signed-in people: `sign_in(client, user)` for pages, `bearer(app, user)` for the API.

Both put the session's row there directly; how people really sign in is tested in tests/web/test_sign_in.py and tests/api/test_auth.py.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient

from shop.kernel import clock, ids
from shop.kernel.db import transaction
from shop.models.accounts import SessionKind, User, UserSession

# Longer than any real session, so that tests may move the clock.
LASTS = timedelta(days=3650)


def sign_in(client: FlaskClient, user: User, second_factor: bool = False) -> None:
    """Sign the client in as this person, in place of whoever was; with `second_factor`, the consoles let staff in."""
    token = open_session(user, SessionKind.WEB, second_factor)
    app = client.application
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    client.set_cookie(app.config["SESSION_COOKIE_NAME"], signer.dumps({"_user_id": token, "_permanent": True}))


def sign_out(client: FlaskClient) -> None:
    """Forget who was signed in on this client."""
    client.delete_cookie(client.application.config["SESSION_COOKIE_NAME"])


def bearer(app: Flask, user: User, second_factor: bool = False) -> dict[str, str]:
    """Headers of an API call by this person."""
    return {"Authorization": f"Bearer {open_session(user, SessionKind.API, second_factor)}"}


def open_session(user: User, kind: SessionKind, second_factor: bool = False) -> str:
    """A live session's row; the secret that opens it is given back."""
    token, moment = ids.secret(), clock.now()
    with transaction() as session:
        session.add(
            UserSession(
                user_id=user.id, kind=kind, token_hash=ids.fingerprint(token), created_at=moment, expires_at=moment + LASTS,
                second_factor_at=moment if second_factor else None, device="Chrome, Linux",
            )
        )
    return token
