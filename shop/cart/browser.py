"""Whose cart a request means: the person's; before sign-in the browser's, known by a secret in a cookie that scripts cannot read."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from flask import Response, after_this_request, current_app, request
from flask import session as cookie

from shop.cart import operations, queries
from shop.cart.rules import CartOwner, Merged
from shop.kernel.db import perform, reading
from shop.kernel.errors import ShopError
from shop.kernel.ids import fingerprint, secret
from shop.platform import along
from shop.platform.actor import Actor

KEPT_FOR = timedelta(days=60)
MEANT = "meant"
COUNT = "cart_count"
MOST_MEANT = 5


def cookie_name() -> str:
    """`__Host-` where cookies travel over https only: then no other host can set it."""
    return "__Host-cart" if current_app.config["COOKIES_SECURE"] else "cart"


def owner(actor: Actor) -> CartOwner | None:
    """Whose cart to read; None for a browser that has none yet."""
    if actor.user_id is not None:
        return CartOwner(user_id=actor.user_id)
    token = request.cookies.get(cookie_name(), "")
    return CartOwner(token_hash=fingerprint(token)) if 20 <= len(token) <= 100 else None


def count(actor: Actor) -> int:
    """How many units lie in the reader's cart, for the badge."""
    if actor.user_id is not None and (read := along.known(actor.user_id, COUNT)):
        return read[0] or 0
    return queries.count(reading(), owner(actor))


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


def left_here(actor: Actor) -> CartOwner | None:
    """This browser's own cart beside that of the person who is signed in: what found no room in theirs. None without one."""
    token = request.cookies.get(cookie_name(), "")
    return CartOwner(token_hash=fingerprint(token)) if actor.is_signed_in and 20 <= len(token) <= 100 else None


def bring_along(user_id: int, *, sets_aside: bool = False) -> Merged:
    """At sign-in: what this browser had gathered joins the person's cart. Its secret is forgotten once nothing is left behind it."""
    token = request.cookies.get(cookie_name(), "")
    if not token:
        return Merged()
    merged = perform(operations.merge, CartOwner(token_hash=fingerprint(token)), user_id, sets_aside=sets_aside)
    if merged.left_out:
        return merged

    @after_this_request
    def forget(response: Response) -> Response:
        response.delete_cookie(cookie_name(), path="/", secure=bool(current_app.config["COOKIES_SECURE"]), httponly=True, samesite="Lax")
        return response

    return merged


def mean(variant: str, quantity: int, seen: int | None) -> None:
    """Keep a change that was meant for the cart of somebody whose session has ended, until they sign in again."""
    cookie[MEANT] = [*cookie.get(MEANT, []), [variant, quantity, seen]][-MOST_MEANT:]


def meant() -> list[tuple[str, int, int | None]]:
    """The changes that are kept for after signing in, oldest first. Read them before the cookie is emptied."""
    return [(variant, quantity, seen) for variant, quantity, seen in cookie.get(MEANT, [])]


def carry_out(user_id: int, changes: list[tuple[str, int, int | None]]) -> int:
    """Do what was meant, as far as the cart still is as it was seen; how much was done."""
    done = 0
    for variant, quantity, seen in changes:
        with suppress(ShopError):
            perform(operations.set_line, CartOwner(user_id=user_id), variant, quantity, seen=seen)
            done += 1
    return done
