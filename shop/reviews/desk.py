"""What shops do with reviews (read and answer) and what operators do (keep, hide with a reason, show again)."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _

from shop.catalog.views import picture_url
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.platform.access import opens, permitted
from shop.platform.actor import Actor
from shop.platform.asked import address, sent
from shop.platform.http import told
from shop.platform.language import words
from shop.platform.sure import ask_first
from shop.reviews import operations, queries, rules
from shop.reviews.errors import ReasonMissing
from shop.reviews.forms import AnswerForm
from shop.reviews.permissions import ReviewPermission
from shop.reviews.views import bp, done

QUEUE_TABS = ("reported", "hidden")


def page(template: str, actor: Actor, **values: Any) -> str:
    facts = {"may_open": partial(opens, actor), "person": actor.user_id, "now": clock.now(), "picture_url": picture_url, **values}
    shown: str = render_template(f"reviews/{template}.html", **facts)
    return shown


@bp.get("/merchant/reviews")
@permitted(ReviewPermission.SHOP_READ)
def of_shop(actor: Actor) -> Any:
    """What people say of the goods of one's shops."""
    tab = address.choice("tab", queries.TABS, "unanswered")
    merchants = actor.merchants(ReviewPermission.SHOP_READ)
    listed, following = queries.list_of_shops(reading(), merchants, tab, address.place())
    return page("desk/index", actor, reviews=listed, next_cursor=following, tab=tab)


@bp.get("/merchant/reviews/<id:review_id>")
@permitted(ReviewPermission.SHOP_READ)
def one_of_shop(actor: Actor, review_id: int) -> Any:
    return answer_page(actor, review_id)


def answer_page(actor: Actor, review_id: int, form: AnswerForm | None = None, status: int = 200) -> Any:
    said = queries.one_of_shops(reading(), actor.merchants(ReviewPermission.SHOP_READ), review_id)
    form = form or AnswerForm(formdata=None, answer=said.answer)
    return page("desk/one", actor, said=said, form=form), status


@bp.post("/merchant/reviews/<id:review_id>")
@permitted(ReviewPermission.ANSWER_WRITE)
def answer(actor: Actor, review_id: int) -> Any:
    """Answer what somebody said, or correct the answer."""
    queries.one_of_shops(reading(), actor.merchants(ReviewPermission.ANSWER_WRITE), review_id)
    form = AnswerForm()
    return done(
        form, lambda: perform(operations.answer, actor, review_id, form.answer.data), _("Your answer stands below the review."),
        url_for("reviews.one_of_shop", review_id=review_id), lambda status: answer_page(actor, review_id, form, status),
    )  # fmt: skip


@bp.get("/admin/reviews")
@permitted(ReviewPermission.QUEUE_READ)
def queue(actor: Actor) -> Any:
    """What was reported and waits, the oldest first; what is hidden."""
    tab = address.choice("tab", QUEUE_TABS, "reported")
    read = queries.list_reported if tab == "reported" else queries.list_hidden
    listed, following = read(reading(), address.place())
    return page("queue/index", actor, listed=listed, next_cursor=following, tab=tab, kind_words=kind_words())


def kind_words() -> dict[str, str]:
    return {kind.value: words(told_as) for kind, told_as in rules.KIND_WORDS.items()}


@bp.get("/admin/reviews/<id:review_id>")
@permitted(ReviewPermission.QUEUE_READ)
def one_for_staff(actor: Actor, review_id: int) -> Any:
    """A review with what was reported of it and what it said before."""
    return staff_page(actor, review_id)


def staff_page(actor: Actor, review_id: int, error: ShopError | None = None) -> Any:
    session, said = reading(), queries.one(reading(), review_id)
    shown = page(
        "queue/one", actor, said=said, reports=queries.reports_of(session, review_id), versions=queries.earlier(session, review_id),
        kind_words=kind_words(), is_own=said.user_id == actor.user_id, trouble=told(error) if error else "",
        typed=sent.raw("reason", rules.LONGEST_REASON) if error else "", show_question=show_question(),
    )  # fmt: skip
    return (shown, error.status) if error else shown


def show_question() -> str:
    return str(_("Show this review again? It is read and counted again, and its writer is told."))


@bp.post("/admin/reviews/<id:review_id>/keep")
@permitted(ReviewPermission.REPORT_DECIDE)
def keep_shown(actor: Actor, review_id: int) -> Any:
    """What was reported stays."""
    return decided(review_id, lambda: perform(operations.keep_shown, actor, review_id), _("The review stays. Its writer is told."))


@bp.post("/admin/reviews/<id:review_id>/hide")
@permitted(ReviewPermission.REPORT_DECIDE)
def hide(actor: Actor, review_id: int) -> Any:
    """Hide it, and say why."""
    try:
        reason = sent.text("reason", rules.LONGEST_REASON)
        if not reason:
            raise ReasonMissing()
    except ShopError as error:
        return staff_page(actor, review_id, error)
    said = _("Hidden. Its writer is told why, and nobody else reads it.")
    return decided(review_id, lambda: perform(operations.hide, actor, review_id, reason), said)


@bp.post("/admin/reviews/<id:review_id>/show")
@permitted(ReviewPermission.REPORT_DECIDE)
def show_again(actor: Actor, review_id: int) -> Any:
    """Show what was hidden again; asks first."""
    queries.one(reading(), review_id)
    if asking := ask_first(show_question(), yes=_("Show it again"), is_grave=False):
        return asking
    return decided(review_id, lambda: perform(operations.show_again, actor, review_id), _("It is shown again. Its writer is told."))


def decided(review_id: int, deed: Any, said: str) -> Any:
    """Do it and go back to the review; a refusal is told there."""
    try:
        deed()
        flash(said, "success")
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("reviews.one_for_staff", review_id=review_id), 303)
