"""Reviews as people read and write them. All of it works without script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _

from shop.catalog.views import picture_url
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.platform.access import open_to_everyone, signed_in
from shop.platform.actor import Actor
from shop.platform.asked import address
from shop.platform.forms import ShopForm
from shop.platform.http import told
from shop.platform.language import words
from shop.platform.sure import ask_first
from shop.reviews import operations, queries, rules
from shop.reviews.forms import FollowUpForm, ReportForm, ReviewForm

bp = Blueprint("reviews", __name__)


@bp.get("/products/<slug>/reviews")
@open_to_everyone
def of_product(_actor: Actor, slug: str) -> Any:
    """All that people say of a product, narrowed by stars where somebody wants that."""
    product, which = queries.product(reading(), slug), address.choice("stars", queries.STARS)
    listed, following = queries.list_shown(reading(), product.id, which, address.place())
    return render_template(
        "reviews/product.html", product=product, rating=queries.rating(reading(), product.id), reviews=listed, which=which,
        next_cursor=following,
    )  # fmt: skip


@bp.get("/reviews")
@signed_in
def mine(actor: Actor) -> Any:
    """What can still be reviewed, and what was."""
    tab = address.choice("tab", ("waiting", "written"), "waiting")
    read = queries.list_to_review if tab == "waiting" else queries.list_mine
    listed, following = read(reading(), actor, address.place())
    return render_template("reviews/mine.html", tab_now=tab, listed=listed, next_cursor=following, picture_url=picture_url)


@bp.get("/reviews/lines/<id:line_id>")
@signed_in
def line(actor: Actor, line_id: int) -> Any:
    """The page on which goods are reviewed, and on which their buyer finds what they said, what was answered and what may be added."""
    return line_page(actor, line_id)


def line_page(actor: Actor, line_id: int, form: ReviewForm | None = None, added: FollowUpForm | None = None, status: int = 200) -> Any:
    bought, moment = queries.bought(reading(), actor, line_id), clock.now()
    said = queries.of_line(reading(), line_id)
    if said is None:
        refusal, no_more = rules.refusal_to_review(bought, moment), None
        form = form or ReviewForm(formdata=None)
    else:
        standing = operations.standing(said)
        refusal = rules.refusal_to_change(standing, moment)
        no_more = rules.refusal_to_follow_up(standing, said.collected_at or said.written_at, moment)
        form = form or ReviewForm(formdata=None, stars=str(said.stars), text=said.text, is_anonymous=said.is_anonymous)
    added = added or FollowUpForm(formdata=None, follow_up=said.follow_up if said else "")
    page = render_template(
        "reviews/line.html", goods=queries.one_line(reading(), line_id), said=said, form=form, added=added, picture_url=picture_url,
        refusal=told(refusal) if refusal else "", may_add=said is not None and no_more is None, question=take_back_question(),
        change_days=rules.CHANGE_WITHIN.days, is_open=bool(form.errors), may_write=refusal is None,
    )  # fmt: skip
    return page, status


def take_back_question() -> str:
    return _("Take your review back? Nobody reads it any more, and its stars no longer count.")


@bp.post("/reviews/lines/<id:line_id>")
@signed_in
def write(actor: Actor, line_id: int) -> Any:
    """Say something of what one collected, or say it otherwise."""
    form = ReviewForm()

    def save() -> None:
        perform(operations.write, actor, line_id, form.given(), form.text.data, form.is_anonymous.data)

    return done(
        form, save, _("Thank you. Your neighbours read it now."), url_for("reviews.line", line_id=line_id),
        lambda status: line_page(actor, line_id, form, status=status),
    )  # fmt: skip


@bp.post("/reviews/lines/<id:line_id>/follow-up")
@signed_in
def follow_up(actor: Actor, line_id: int) -> Any:
    """Add something to what one said."""
    form = FollowUpForm()
    return done(
        form, lambda: perform(operations.follow_up, actor, line_id, form.follow_up.data), _("It was added to your review."),
        url_for("reviews.line", line_id=line_id), lambda status: line_page(actor, line_id, added=form, status=status),
    )  # fmt: skip


@bp.post("/reviews/lines/<id:line_id>/take-back")
@signed_in
def take_back(actor: Actor, line_id: int) -> Any:
    """Nobody shall read it any more; asks first."""
    queries.bought(reading(), actor, line_id)
    if page := ask_first(take_back_question(), yes=_("Take the review back"), no=_("Leave it there"), is_grave=False):
        return page
    try:
        perform(operations.take_back, actor, line_id)
        flash(_("Your review was taken back. You can put it up again on this page."), "success")
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("reviews.line", line_id=line_id), 303)


@bp.get("/reviews/<id:review_id>/report")
@signed_in
def report(actor: Actor, review_id: int) -> Any:
    return report_page(review_id, ReportForm(formdata=None))


def report_page(review_id: int, form: ReportForm, status: int = 200) -> Any:
    said = queries.one_shown(reading(), review_id)
    form.kind.choices = [("", _("Please choose")), *((kind.value, words(told_as)) for kind, told_as in rules.KIND_WORDS.items())]
    return render_template("reviews/report.html", said=said, form=form), status


@bp.post("/reviews/<id:review_id>/report")
@signed_in
def send_report(actor: Actor, review_id: int) -> Any:
    """Somebody says that a review should not stand there."""
    form = ReportForm()
    slug = queries.one_shown(reading(), review_id).slug

    def save() -> None:
        perform(operations.report, actor, review_id, form.chosen(), form.words.data)

    return done(
        form, save, _("Thank you. Our staff look at it."), url_for("reviews.of_product", slug=slug),
        lambda status: report_page(review_id, form, status),
    )  # fmt: skip


def done(form: ShopForm, save: Callable[[], None], said: str, onward: str, again: Callable[[int], Any]) -> Any:
    """Keep what was written when it can be, else show it again beside what is wrong."""
    try:
        if form.validate():
            save()
            flash(said, "success")
            return redirect(onward, 303)
    except NotFound:
        raise
    except ShopError as error:
        form.show(error)
        return again(error.status)
    return again(422)
