"""Which shop a page of this console speaks for, and what its layout needs."""

from __future__ import annotations

from typing import Any

from flask import render_template, session

from shop.catalog.views import picture_url
from shop.fulfilment.queries import MERCHANT_ROLES
from shop.kernel import clock
from shop.kernel.db import reading
from shop.kernel.errors import NotFound
from shop.merchants import queries as merchants
from shop.models.merchants import Merchant
from shop.platform.actor import Actor


def shop_ids(actor: Actor) -> tuple[int, ...]:
    """The shops this person works for."""
    return actor.merchants(*MERCHANT_ROLES)


def shop_of(actor: Actor) -> Merchant:
    """The shop chosen in this session if it is one of theirs, else their first."""
    own = shop_ids(actor)
    if not own:
        raise NotFound()
    chosen = session.get("merchant")
    shop_id = chosen if chosen in own else own[0]
    return merchants.by_ids(reading(), [shop_id])[shop_id]


def page(template: str, actor: Actor, section: str, **values: Any) -> str:
    """A page of this console."""
    own = merchants.by_ids(reading(), shop_ids(actor))
    return render_template(
        f"merchant/{template}.html", section=section, shop=shop_of(actor), own_shops=[own[shop_id] for shop_id in shop_ids(actor)],
        picture_url=picture_url, now=clock.now(), **values,
    )  # fmt: skip
