"""The desk of the bulletin: where staff write notices, and others of them publish or refuse what was written."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from shop.bulletin import operations, queries, rules
from shop.bulletin.errors import PlaceMissing, ReasonMissing
from shop.bulletin.forms import NoticeForm
from shop.bulletin.permissions import BulletinPermission
from shop.bulletin.queries import OnDesk
from shop.bulletin.views import bp, place
from shop.communities.queries import directory
from shop.kernel import clock
from shop.kernel.columns import CITY
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, ShopError
from shop.models.bulletin import VersionState
from shop.platform.access import opens, permitted
from shop.platform.actor import Actor
from shop.platform.asked import address, sent
from shop.platform.http import told
from shop.platform.language import gettext as _
from shop.platform.language import name_of, words
from shop.platform.sure import ask_first

WHOLE_CITY = "*"
"""What stands for the city where communities stand by their slugs."""


def page(template: str, actor: Actor, section: str, **values: Any) -> str:
    """A page of this console."""
    facts = {"section": section, "may_open": partial(opens, actor), "person": actor.user_id, **values}
    return render_template(f"bulletin/desk/{template}.html", **facts)


def places(actor: Actor) -> queries.Places:
    return queries.places(reading(), actor, BulletinPermission.DESK_READ)


@bp.get("/bulletin/desk")
@permitted(BulletinPermission.DESK_READ)
def desk(actor: Actor) -> Any:
    """What is being written and waits, what was published, what is gone."""
    tab = address.choice("tab", queries.TABS, "open")
    rows, following = queries.list_on_desk(reading(), places(actor), tab, address.place())
    return page("index", actor, "desk", rows=rows, next_cursor=following, tab=tab)


@bp.get("/bulletin/desk/<id:version_id>")
@permitted(BulletinPermission.DESK_READ)
def text(actor: Actor, version_id: int) -> Any:
    """One text as it will be read, with all that happened to its notice."""
    return text_page(actor, version_id)


def text_page(actor: Actor, version_id: int, error: ShopError | None = None, about: str = "") -> Any:
    found = queries.one_on_desk(reading(), places(actor), version_id)
    shown = page(
        "text", actor, "desk", text=found, history=queries.history(reading(), found.notice_id), can_be=what_can_be_done(actor, found),
        trouble=told(error) if error else "", about=about, typed=sent.raw("reason", rules.LONGEST_REASON) if error else "",
    )  # fmt: skip
    return (shown, error.status) if error else shown


def what_can_be_done(actor: Actor, found: OnDesk) -> set[str]:
    """The steps this person may take with a text, so that the page offers no other."""
    steps = {step for state, step in rules.NEXT if state is found.state}
    can_be = set()
    if queries.covers(queries.places(reading(), actor, BulletinPermission.NOTICE_WRITE), found.community_id):
        is_own_draft = found.state is VersionState.DRAFT and found.written_by_id == actor.user_id
        can_be |= {"withdraw"} if rules.Step.WITHDRAW in steps else set()
        can_be |= {"edit"} if is_own_draft else set()
        can_be |= {"correct"} if found.state not in (VersionState.DRAFT, VersionState.WAITING, VersionState.REPLACED) else set()
    if queries.covers(queries.places(reading(), actor, BulletinPermission.NOTICE_PUBLISH), found.community_id):
        can_be |= {"publish", "refuse"} if rules.Step.PUBLISH in steps else set()
    return can_be


def prepared(actor: Actor, form: NoticeForm) -> NoticeForm:
    """The form with what may be chosen by this person."""
    writes_for = queries.places(reading(), actor, BulletinPermission.NOTICE_WRITE)
    own = [(one.slug, name_of(one)) for one in directory(reading()).communities if queries.covers(writes_for, one.id)]
    city = [(WHOLE_CITY, _("The whole city"))] if writes_for is None else []
    ask = [("", _("Please choose"))] if len(own) + len(city) > 1 else []
    form.community.choices = [*ask, *city, *own]
    form.kind.choices = [("", _("Please choose")), *((kind.value, words(told_as)) for kind, told_as in rules.KIND_WORDS.items())]
    return form


def community_of(form: NoticeForm) -> int:
    """For whom it is. Raises `PlaceMissing`."""
    chosen = form.community.data
    if chosen == WHOLE_CITY:
        return CITY
    found = next((one.id for one in directory(reading()).communities if one.slug == chosen), None)
    if found is None:
        raise PlaceMissing()
    return found


def written(actor: Actor, form: NoticeForm, save: Callable[[bool], int], corrected: OnDesk | None = None) -> Any:
    """Keep what was written when it can be, else show it again beside what is wrong."""
    sends = sent.has("send")
    try:
        if form.validate():
            version_id = save(sends)
            flash(_("Sent. Somebody else reads and publishes it.") if sends else _("The draft is kept."), "success")
            return redirect(url_for("bulletin.text", version_id=version_id), 303)
    except NotFound:
        raise
    except ShopError as error:
        form.show(error)
        return write_page(actor, form, corrected), error.status
    return write_page(actor, form, corrected), 422


def write_page(actor: Actor, form: NoticeForm, corrected: OnDesk | None = None) -> str:
    return page("write", actor, "write", form=prepared(actor, form), corrected=corrected)


@bp.get("/bulletin/desk/write")
@permitted(BulletinPermission.NOTICE_WRITE)
def write(actor: Actor) -> Any:
    return write_page(actor, NoticeForm(starts_on=clock.today()))


@bp.post("/bulletin/desk/write")
@permitted(BulletinPermission.NOTICE_WRITE)
def put_new(actor: Actor) -> Any:
    """A new notice, kept as a draft or sent for review."""
    form = NoticeForm()
    form.asks_for_place = True
    return written(actor, form, lambda sends: perform(operations.write, actor, community_of(form), form.wording(), sends=sends))


@bp.get("/bulletin/desk/<id:version_id>/edit")
@permitted(BulletinPermission.NOTICE_WRITE)
def edit(actor: Actor, version_id: int) -> Any:
    """One's draft to go on with, or the text of a notice to correct."""
    found = queries.one_on_desk(reading(), places(actor), version_id)
    return write_page(actor, NoticeForm(obj=found), found)


@bp.post("/bulletin/desk/<id:version_id>/edit")
@permitted(BulletinPermission.NOTICE_WRITE)
def put_again(actor: Actor, version_id: int) -> Any:
    """A draft is changed; of anything else a correction is written, and what is published stands until that is."""
    found = queries.one_on_desk(reading(), places(actor), version_id)
    form = NoticeForm()

    def save(sends: bool) -> int:
        if found.state is not VersionState.DRAFT:
            return perform(operations.correct, actor, found.notice_id, form.wording(), sends=sends)
        perform(operations.rewrite, actor, version_id, form.wording(), sends=sends)
        return version_id

    return written(actor, form, save, found)


@bp.post("/bulletin/desk/<id:version_id>/publish")
@permitted(BulletinPermission.NOTICE_PUBLISH)
def publish(actor: Actor, version_id: int) -> Any:
    """Put up what somebody else wrote."""
    found = queries.one_on_desk(reading(), places(actor), version_id)
    question = question_of(found)
    detail = _("Everybody there gets a message.") if rules.is_told(found.kind, found.is_pinned) else ""
    if asking := ask_first(question, yes=_("Publish"), detail=detail, is_grave=False):
        return asking
    return done(lambda: perform(operations.publish, actor, version_id), version_id, _("Published."))


@bp.app_template_global("publish_question")
def question_of(found: OnDesk) -> str:
    if found.community_id == CITY:
        return _("Publish “%(title)s” for the whole city?", title=found.title_zh)
    return _("Publish “%(title)s” for %(place)s?", title=found.title_zh, place=place(found))


def done(deed: Callable[[], None], version_id: int, said: str) -> Response:
    """Do it and go back to the text; a refusal is told there."""
    try:
        deed()
        flash(said, "success")
    except NotFound:
        raise
    except ShopError as error:
        flash(told(error), "error")
    return redirect(url_for("bulletin.text", version_id=version_id), 303)


def with_reason(actor: Actor, version_id: int, about: str, deed: Callable[[str], None], said: str) -> Any:
    """Do what needs a reason; without one the page asks for it beside its field."""
    try:
        reason = sent.text("reason", rules.LONGEST_REASON)
        if not reason:
            raise ReasonMissing()
    except ShopError as error:
        return text_page(actor, version_id, error, about)
    return done(lambda: deed(reason), version_id, said)


@bp.post("/bulletin/desk/<id:version_id>/refuse")
@permitted(BulletinPermission.NOTICE_PUBLISH)
def refuse(actor: Actor, version_id: int) -> Any:
    """Send back what waits, and say why."""
    return with_reason(
        actor, version_id, "refuse", lambda reason: perform(operations.refuse, actor, version_id, reason),
        _("Refused. Its writer sees why."),
    )  # fmt: skip


@bp.post("/bulletin/desk/<id:version_id>/withdraw")
@permitted(BulletinPermission.NOTICE_WRITE)
def withdraw(actor: Actor, version_id: int) -> Any:
    """Take a text away. What stood there is seen no more, and kept."""
    return with_reason(
        actor, version_id, "withdraw", lambda reason: perform(operations.withdraw, actor, version_id, reason),
        _("Withdrawn. It is seen no more."),
    )  # fmt: skip
