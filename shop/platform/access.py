"""The only way to attach a view: every route says who may call it, or the app does not start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Flask, current_app

from shop.kernel.errors import Forbidden, ShopError, SignInRequired, sentence
from shop.platform.actor import Actor, current_actor
from shop.platform.grants import holders
from shop.platform.permissions import Permission

View = Callable[..., Any]


@dataclass(frozen=True)
class Access:
    """Who may call a route: everyone, the signed in, or staff who hold `permission`."""

    who: str
    permission: Permission | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that hold the permission; none where there is none to hold."""
        return tuple(role.value for role in holders(self.permission)) if self.permission is not None else ()


class SecondFactorRequired(ShopError):
    code, status = "second_factor_required", 403
    message = sentence("Please confirm with your authenticator code first.")


def _guard(access: Access, admit: Callable[[Actor], None]) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def run(*args: Any, **kwargs: Any) -> Any:
            actor = current_actor()
            admit(actor)
            return view(actor, *args, **kwargs)

        run.access = access  # type: ignore[attr-defined]
        return run

    return decorate


def _admit_anyone(actor: Actor) -> None:
    return None


def _admit_signed_in(actor: Actor) -> None:
    actor.signed_in_id()


open_to_everyone = _guard(Access("everyone"), _admit_anyone)
"""Anybody, signed in or not. The view's first argument is the actor, perhaps anonymous."""

signed_in = _guard(Access("signed_in"), _admit_signed_in)
"""Any signed-in person. The view's first argument is the actor."""


def permitted(permission: Permission) -> Callable[[View], View]:
    """Staff who hold the permission somewhere, with a second factor confirmed in this session.

    Where they hold it is the view's to ask: `actor.merchants(permission)`, `actor.points(permission)`. Raises `LookupError` for a
    permission that no row of `shop.platform.grants` gives to anybody.
    """
    holders(permission)

    def admit(actor: Actor) -> None:
        if not actor.is_signed_in:
            raise SignInRequired()
        if not actor.may(permission):
            raise Forbidden()
        if not actor.has_second_factor:
            raise SecondFactorRequired()

    return _guard(Access("staff", permission), admit)


def access_of(endpoint: str) -> Access:
    """Who may call a door of the running app."""
    view: Any = current_app.view_functions[endpoint]
    access: Access = view.access
    return access


def opens(actor: Actor, endpoint: str) -> bool:
    """Whether a door lets this person in, so that nothing is shown that leads to a refusal. The second factor is asked for there."""
    access = access_of(endpoint)
    if access.permission is not None:
        return actor.may(access.permission)
    return access.who != "signed_in" or actor.is_signed_in


def provider_only(view: View) -> View:
    """A provider's server; the view itself checks the signature before it reads anything."""
    view.access = Access("provider")  # type: ignore[attr-defined]
    return view


def public_file(view: View) -> View:
    """A file or probe without a person: static files, health, manifest."""
    view.access = Access("public_file")  # type: ignore[attr-defined]
    return view


def declare_access(app: Flask) -> None:
    """Refuse to start with a route that does not say who may call it."""
    files: Any = app.view_functions["static"]
    files.access = Access("public_file")
    silent = sorted(endpoint for endpoint, view in app.view_functions.items() if not hasattr(view, "access"))
    if silent:
        raise RuntimeError(f"these routes do not declare who may call them: {', '.join(silent)}; use shop.platform.access")
