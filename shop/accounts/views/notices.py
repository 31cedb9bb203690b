"""The inbox."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from shop.accounts import rules
from shop.kernel.db import perform, reading
from shop.models.platform import Notice
from shop.platform import notices
from shop.platform.access import signed_in
from shop.platform.actor import Actor
from shop.platform.language import words

bp = Blueprint("notices", __name__)


class Message(NamedTuple):
    """A notice in the reader's words."""

    title: str
    body: str
    link: str
    at: datetime
    is_unread: bool


def message_of(notice: Notice) -> Message:
    title, body = notices.WORDS[notice.kind]
    link = rules.local_path(notice.link, "")
    return Message(words(title, **notice.facts), words(body, **notice.facts), link, notice.created_at, notice.read_at is None)


@bp.get("/notices")
@signed_in
def inbox(actor: Actor) -> str:
    """The newest messages. Looking does not mark them: a preview by the browser must not."""
    found = notices.list_mine(reading(), actor)
    return render_template("notices/inbox.html", messages=[message_of(notice) for notice in found if notice.kind in notices.WORDS])


@bp.post("/notices/read")
@signed_in
def mark_read(actor: Actor) -> Response:
    perform(notices.mark_all_read, actor)
    return redirect(url_for("notices.inbox"), 303)
