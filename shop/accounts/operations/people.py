"""What people choose for themselves."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.accounts import rules
from shop.accounts.errors import NameMissing
from shop.kernel import text
from shop.kernel.db import operation
from shop.kernel.errors import Invalid, NotFound
from shop.models.accounts import User
from shop.models.pickup import PickupPoint
from shop.platform.actor import Actor


@operation
def set_preferences(
    session: Session, actor: Actor, *, locale: str | None = None, elder_mode: bool | None = None, theme: str | None = None
) -> None:
    """Keep the choices that are given; the others stay. Raises `Invalid` for a language or theme we do not have."""
    values: dict[str, str | bool] = {}
    if locale is not None:
        if locale not in rules.LOCALES:
            raise Invalid("locale")
        values["locale"] = locale
    if theme is not None:
        if theme not in rules.THEMES:
            raise Invalid("theme")
        values["theme"] = theme
    if elder_mode is not None:
        values["is_elder_mode"] = elder_mode
    if values:
        session.execute(sa.update(User).where(User.id == actor.signed_in_id()).values(values))


@operation
def rename(session: Session, actor: Actor, display_name: str) -> None:
    """How the person is called in the shop and at the station: 1 to 40 characters. Raises `NameMissing`, `TextTooLong`."""
    name = text.name(display_name, rules.NAME_LENGTH, field="display_name")
    if not name:
        raise NameMissing()
    session.execute(sa.update(User).where(User.id == actor.signed_in_id()).values(display_name=name))


@operation
def choose_point(session: Session, actor: Actor, point_id: int) -> None:
    """Collect at this point from now on. Raises `NotFound` when there is no such open point."""
    if session.scalar(sa.select(PickupPoint.id).where(PickupPoint.id == point_id, PickupPoint.is_open)) is None:
        raise NotFound("pickup_point")
    session.execute(sa.update(User).where(User.id == actor.signed_in_id()).values(pickup_point_id=point_id))
