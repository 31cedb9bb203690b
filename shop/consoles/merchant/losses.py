"""Goods that are gone without being sold: writing them off from one small page, and the list of what was lost."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, url_for

from shop.consoles.merchant import forms
from shop.consoles.merchant.goods import question_of, saved_words
from shop.consoles.merchant.here import page, shop_of
from shop.consoles.merchant.views import bp
from shop.kernel import clock, ids
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.models.stock import LossReason, MovementKind
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.asked import address, sent
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import moment, name_of, words
from shop.platform.sure import ask_first, is_sure
from shop.stock import counting, losses, rules, shelves
from shop.stock.errors import Doubtful, LossReasonMissing
from shop.stock.permissions import StockPermission
from shop.stock.shelves import Shelf


def reasons() -> list[tuple[str, str]]:
    """What people choose from."""
    return [(reason.value, words(told_as)) for reason, told_as in rules.LOSS_WORDS.items()]


@bp.app_template_global("loss_words")
def loss_words(reason: LossReason) -> str:
    return words(rules.LOSS_WORDS[reason])


@bp.get("/stock/<code>/write-off")
@permitted(StockPermission.COUNT_WRITE)
def write_off(actor: Actor, code: str) -> Any:
    """How many are gone, and why. The address may fill it in: what somebody typed, and looks at again before it is saved."""
    shelf = shelves.get_shelf(reading(), actor.merchants(StockPermission.COUNT_WRITE), code)
    typed = {"quantity": address.word("quantity", 20), "reason": address.word("reason"), "words": address.text("words", rules.MOST_WORDS)}
    return write_off_page(actor, shelf, typed, {})


def write_off_page(actor: Actor, shelf: Shelf, typed: dict[str, str], errors: dict[str, str], trouble: str = "") -> str:
    return page(
        "write_off", actor, "stock", shelf=shelf, typed=typed, errors=errors, trouble=trouble, reasons=reasons(), once=ids.secret(),
        days=rules.WRITTEN_OFF_FOR.days, most_words=rules.MOST_WORDS,
    )  # fmt: skip


@bp.post("/stock/<code>/write-off")
@permitted(StockPermission.COUNT_WRITE)
def put_off(actor: Actor, code: str) -> Any:
    """Write goods off. The page's own number makes it happen once; what leaves promised goods missing is asked about first."""
    shelf = shelves.get_shelf(reading(), actor.merchants(StockPermission.COUNT_WRITE), code)
    typed = {"quantity": sent.raw("quantity", 20), "reason": sent.word("reason"), "words": sent.raw("words", 2 * rules.MOST_WORDS)}
    try:
        why = why_of(typed["reason"], sent.text("words", rules.MOST_WORDS))
        quantity = forms.quantity_of(typed["quantity"])
        changed = perform(
            counting.adjust, actor, code, MovementKind.SPOILAGE, quantity,
            f"write-off:{actor.user_id}:{sent.word('once') or ids.secret()}:{code}",
            sure=lambda doubt: is_sure(question_of(doubt, name_of(shelf))), why=why,
        )  # fmt: skip
    except NotFound:
        raise
    except Doubtful as doubt:
        again = url_for("merchant.write_off", code=code, quantity=typed["quantity"], reason=typed["reason"], words=typed["words"])
        question = question_of(doubt, name_of(shelf))
        return ask_first(question, yes=_("Yes, write it off"), no=_("No, let me look again"), is_grave=False, back=again)
    except ShopError as error:
        errors = {error.field: told(error)} if error.field in typed else {}
        return write_off_page(actor, shelf, typed, errors, "" if errors else told(error)), error.status
    after = shelves.get_shelf(reading(), actor.merchants(StockPermission.COUNT_WRITE), code)
    if changed:
        until = _("It can be taken back below until %(when)s.", when=moment(clock.now() + rules.WRITTEN_OFF_FOR))
        flash(f"{saved_words(after)} {until}", "success")
    else:
        flash(_("This was written off before. Nothing has changed."), "info")
    return redirect(url_for("merchant.shelf_history", code=code), 303)


def why_of(reason: str, said: str) -> counting.Why:
    """The reason that was chosen, with what was said of it. Raises `LossReasonMissing`."""
    chosen = next((one for one in LossReason if one.value == reason), None)
    if chosen is None:
        raise LossReasonMissing()
    return counting.Why(chosen, said)


@bp.get("/losses")
@permitted(StockPermission.SHELF_READ)
def lost(actor: Actor) -> Any:
    """What the shop lost, and how much of it for which reason. The reason stands in the address."""
    shop, data = shop_of(actor, StockPermission.SHELF_READ), reading()
    chosen = address.choice("reason", [reason.value for reason in LossReason])
    size = address.size(losses.SIZES)
    rows, following = losses.list_losses(
        data, shop.id, reason=LossReason(chosen) if chosen else None, before=address.place(), limit=size
    )
    return page(
        "losses", actor, "stock", losses=rows, next_cursor=following, reason=chosen, reasons=reasons(), size=size, sizes=losses.SIZES,
        sums=losses.sums(data, shop.id), days=losses.SUMMED.days,
    )  # fmt: skip
