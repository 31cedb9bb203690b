"""Which shop a page of this console speaks for, and what its layout needs."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import render_template, session

from shop.catalog.views import picture_url
from shop.kernel import clock
from shop.kernel.db import reading
from shop.kernel.errors import Forbidden, NotFound
from shop.merchants import queries as merchants
from shop.models.merchants import Merchant
from shop.platform.access import access_of
from shop.platform.actor import Actor
from shop.platform.permissions import Permission


def chosen_shop(actor: Actor) -> int:
    """The shop chosen in this session if it is one of theirs, else their first. Raises `NotFound` for who works for none."""
    own = actor.workplaces()
    if not own:
        raise NotFound()
    chosen: int | None = session.get("merchant")
    return chosen if chosen in own else own[0]


def shop_of(actor: Actor, permission: Permission) -> Merchant:
    """The chosen shop. Raises `Forbidden` for who may not do this there, though perhaps at another."""
    shop_id = chosen_shop(actor)
    if shop_id not in actor.merchants(permission):
        raise Forbidden()
    return merchants.by_ids(reading(), [shop_id])[shop_id]


def opens_here(actor: Actor, endpoint: str) -> bool:
    """Whether a door of this console lets the person in at the chosen shop."""
    permission = access_of(endpoint).permission
    return permission is not None and chosen_shop(actor) in actor.merchants(permission)


def page(template: str, actor: Actor, section: str, **values: Any) -> str:
    """A page of this console."""
    own = merchants.by_ids(reading(), actor.workplaces())
    return render_template(
        f"merchant/{template}.html", section=section, shop=own[chosen_shop(actor)],
        own_shops=[own[shop_id] for shop_id in actor.workplaces()], picture_url=picture_url, now=clock.now(),
        may_open=partial(opens_here, actor), **values,
    )  # fmt: skip
