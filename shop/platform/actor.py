"""Who is asking: a person on a page or through the API, a job, a command, a provider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Response, g, request, session
from flask_login import LoginManager, UserMixin, current_user

from shop.kernel.errors import SignInRequired
from shop.platform.grants import holders
from shop.platform.permissions import Permission

API_PREFIX = "/api/"


@dataclass(frozen=True, slots=True)
class Grant:
    """A role somebody holds: at a merchant, at a point, or for the whole city."""

    role: str
    merchant_id: int | None = None
    pickup_point_id: int | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who asks, as operations see them. Plain data: no row, no request."""

    kind: str  # "anonymous", "user", "job", "command", "provider"
    user_id: int | None = None
    display_name: str = ""
    phone: str = ""
    locale: str | None = None
    elder_mode: bool = False
    theme: str = "auto"
    pickup_point_id: int | None = None
    verification_level: int = 0
    session_id: int | None = None
    has_second_factor: bool = False
    grants: tuple[Grant, ...] = ()
    channel: str = "web"  # "web" or "api"

    @property
    def is_signed_in(self) -> bool:
        return self.user_id is not None

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(grant.role for grant in self.grants)

    def may(self, permission: Permission) -> bool:
        """Whether a permission is held, wherever that is."""
        return not self.roles.isdisjoint(holders(permission))

    def merchants(self, permission: Permission) -> tuple[int, ...]:
        """The merchants where a permission is held."""
        roles = holders(permission)
        return tuple(grant.merchant_id for grant in self.grants if grant.role in roles and grant.merchant_id is not None)

    def points(self, permission: Permission) -> tuple[int, ...]:
        """The pick-up points where a permission is held."""
        roles = holders(permission)
        return tuple(grant.pickup_point_id for grant in self.grants if grant.role in roles and grant.pickup_point_id is not None)

    def everywhere(self, permission: Permission) -> bool:
        """Whether a permission is held in the whole city."""
        roles = holders(permission)
        return any(grant.role in roles and grant.merchant_id is None and grant.pickup_point_id is None for grant in self.grants)

    def workplaces(self) -> tuple[int, ...]:
        """The merchants where anything is permitted."""
        return tuple(dict.fromkeys(grant.merchant_id for grant in self.grants if grant.merchant_id is not None))

    def signed_in_id(self) -> int:
        """The person's id; raises `SignInRequired` for anybody else."""
        if self.user_id is None:
            raise SignInRequired()
        return self.user_id


ANONYMOUS = Actor("anonymous")
JOB = Actor("job")
COMMAND = Actor("command")
PROVIDER = Actor("provider")


class SignedIn(UserMixin):  # type: ignore[misc]  # flask-login has no types
    """What flask-login carries: the actor, and the device secret that names the session."""

    def __init__(self, actor: Actor, token: str) -> None:
        self.actor = actor
        self.token = token

    def get_id(self) -> str:
        return self.token


class Login(LoginManager):  # type: ignore[misc]  # flask-login has no types
    """Nobody is remembered beside the session, which lasts by itself: after an answer there is nothing to write down."""

    def _update_remember_cookie(self, response: Response) -> Response:
        return response


login_manager = Login()


def current_actor() -> Actor:
    """Who asks in this request. The API believes bearer tokens only, pages believe the session cookie only."""
    mine = g._get_current_object()
    known: Actor | None = mine.get("actor")
    if known is None:
        known = mine.actor = bearer_actor() if request.path.startswith(API_PREFIX) else actor_of_cookie()
    return known


def actor_of_cookie() -> Actor:
    """A cookie that names no session is a stranger's: flask-login need not be asked."""
    return getattr(current_user, "actor", ANONYMOUS) if "_user_id" in session else ANONYMOUS


def forget_actor() -> None:
    """After signing in or out within a request."""
    g.pop("actor", None)


def _no_tokens(token: str) -> Actor | None:
    return None


_bearer_loader: Callable[[str], Actor | None] = _no_tokens


def bearer_loader(load: Callable[[str], Actor | None]) -> Callable[[str], Actor | None]:
    """Set how an access token becomes an actor (decorator); the accounts feature owns sessions."""
    global _bearer_loader
    _bearer_loader = load
    return load


def bearer_actor() -> Actor:
    header: Any = request.headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        return ANONYMOUS
    return _bearer_loader(token.strip()) or ANONYMOUS
