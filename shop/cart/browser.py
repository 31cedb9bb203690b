"""Whose cart a request means: the person's; before sign-in the browser's, known by a secret in a cookie that scripts cannot read."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, after_this_request, current_app, request

from shop.cart import operations
from shop.cart.rules import CartOwner
from shop.kernel.db import perform
from shop.kernel.ids import fingerprint, secret
from shop.platform.actor import Actor

KEPT_FOR = timedelta(days=60)


def cookie_name() -> str:
    """`__Host-` where cookies travel over https only: then no other host can set it."""
    return "__Host-cart" if current_app.config["COOKIES_SECURE"] else "cart"


def owner(actor: Actor) -> CartOwner | None:
    """Whose cart to read; None for a browser that has none yet."""
    if actor.user_id is not None:
        return CartOwner(user_id=actor.user_id)
    token = request.cookies.get(cookie_name(), "")
    return CartOwner(token_hash=fingerprint(token)) if 20 <= len(token) <= 100 else None


def owner_to_fill(actor: Actor) -> CartOwner:
    """Whose cart to write into; a browser without one is given the secret of a new cart with this answer."""
    known = owner(actor)
    if known is not None:
        return known
    token = secret()

    @after_this_request
    def remember(response: Response) -> Response:
        response.set_cookie(
            cookie_name(), token, max_age=KEPT_FOR, path="/", httponly=True, samesite="Lax",
            secure=bool(current_app.config["COOKIES_SECURE"]),
        )
        return response

    return CartOwner(token_hash=fingerprint(token))


def bring_along(user_id: int) -> None:
    """At sign-in: what this browser had gathered joins the person's cart, and the browser's secret is forgotten."""
    token = request.cookies.get(cookie_name(), "")
    if not token:
        return
    perform(operations.merge, CartOwner(token_hash=fingerprint(token)), user_id)

    @after_this_request
    def forget(response: Response) -> Response:
        response.delete_cookie(cookie_name(), path="/", secure=bool(current_app.config["COOKIES_SECURE"]), httponly=True, samesite="Lax")
        return response
