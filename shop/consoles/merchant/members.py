"""Who works at the shop: its owner lets people in by their number, and ends it again."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, url_for

from shop.accounts import operations, queries
from shop.accounts.permissions import AccountPermission
from shop.accounts.rules import FOUNDS_A_SHOP
from shop.consoles.merchant.here import page, shop_of
from shop.consoles.merchant.views import bp
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.asked import sent
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.sure import ask_first

LONGEST_PHONE = 40


@bp.get("/members")
@permitted(AccountPermission.MEMBER_WRITE)
def members(actor: Actor) -> Any:
    """Everybody who works there."""
    return members_page(actor)


def members_page(actor: Actor, error: ShopError | None = None) -> Any:
    shop = shop_of(actor, AccountPermission.MEMBER_WRITE)
    shown = page(
        "members", actor, "members", members=queries.members(reading(), shop.id), founds=FOUNDS_A_SHOP, person=actor.user_id,
        trouble=told(error) if error else "", typed=sent.raw("phone", LONGEST_PHONE) if error else "",
    )  # fmt: skip
    return (shown, error.status) if error else shown


@bp.post("/members")
@permitted(AccountPermission.MEMBER_WRITE)
def add_member(actor: Actor) -> Any:
    """Let somebody in by their number."""
    shop = shop_of(actor, AccountPermission.MEMBER_WRITE)
    try:
        is_new = perform(operations.add_member, actor, shop.id, sent.raw("phone", LONGEST_PHONE))
        flash(_("They can work here now. They get a message.") if is_new else _("They work here already."), "success")
    except NotFound:
        raise
    except ShopError as error:
        return members_page(actor, error)
    return redirect(url_for("merchant.members"), 303)


@bp.post("/members/<id:user_id>/remove")
@permitted(AccountPermission.MEMBER_WRITE)
def remove_member(actor: Actor, user_id: int) -> Any:
    """End somebody's work there."""
    shop = shop_of(actor, AccountPermission.MEMBER_WRITE)
    if user_id not in {one.user_id for one in queries.members(reading(), shop.id)}:
        raise NotFound()
    if asked := ask_first(_("End this person's work at your shop? They are out at once."), yes=_("End it")):
        return asked
    try:
        perform(operations.remove_member, actor, shop.id, user_id)
        flash(_("They cannot get in any more."), "success")
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("merchant.members"), 303)
