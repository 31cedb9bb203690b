"""The inbox."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from shop.accounts import rules
from shop.kernel.db import perform, reading
from shop.models.platform import Notice
from shop.platform import notices
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.asked import address
from shop.platform.language import day, reader_locale, spoken_deadline, words

bp = Blueprint("notices", __name__)

TIMES = frozenset({"until", "cancel"})
"""Facts of notices that are times; they are kept as ISO 8601 and told as people say them."""


class Message(NamedTuple):
    """A notice in the reader's words."""

    title: str
    body: str
    link: str
    at: datetime
    is_unread: bool
    id: int


def spoken(name: str, fact: Any) -> Any:
    """A fact as the reader says it: a time by the day, a name in their own language."""
    if name in TIMES:
        return spoken_deadline(datetime.fromisoformat(fact))
    return fact[reader_locale()] if isinstance(fact, dict) else fact


def message_of(notice: Notice) -> Message:
    title, body = notices.WORDS[notice.kind]
    facts = {name: spoken(name, fact) for name, fact in notice.facts.items()}
    link = rules.local_path(notice.link, "")
    return Message(words(title, **facts), words(body, **facts), link, notice.created_at, notice.read_at is None, notice.id)


@bp.get("/notices")
@signed_in
def inbox(actor: Actor) -> str:
    """The newest messages, day by day. Looking does not mark them: a preview by the browser must not."""
    found, following = notices.list_mine(reading(), actor, before=address.place())
    messages = [message_of(notice) for notice in found if notice.kind in notices.WORDS]
    days = [(label, list(of_day)) for label, of_day in groupby(messages, key=lambda message: day(message.at))]
    return render_template(
        "notices/inbox.html", days=days, unread=notices.count_unread(reading(), actor), next_cursor=following,
    )  # fmt: skip


@bp.post("/notices/<id:notice_id>/open")
@signed_in
def open_one(actor: Actor, notice_id: int) -> Response:
    """Mark a message as read and go where it leads."""
    link = perform(notices.mark_read, actor, notice_id)
    return redirect(rules.local_path(link, url_for("notices.inbox")), 303)


@bp.post("/notices/read")
@signed_in
def mark_read(actor: Actor) -> Response:
    perform(notices.mark_all_read, actor)
    return redirect(url_for("notices.inbox"), 303)
