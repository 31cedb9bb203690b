"""The bulletin as residents read it. Signed out it is read as well; only who is signed in is counted."""

from __future__ import annotations

from flask import Blueprint, render_template

from shop.bulletin import operations, queries, rules
from shop.communities.current import current_point
from shop.communities.queries import directory
from shop.kernel.columns import CITY
from shop.kernel.db import perform, reading
from shop.platform.access import open_to_everyone
from shop.platform.actor import Actor
from shop.platform.asked import address
from shop.platform.language import gettext as _
from shop.platform.language import name_of, reader_locale, words

bp = Blueprint("bulletin", __name__)

bp.add_app_template_filter(rules.paragraphs, "paragraphs")

TONES = {"community": "neutral", "government": "info", "party_building": "brand", "event": "fresh"}
ICONS = {"community": "group", "government": "building", "party_building": "star", "event": "calendar"}


@bp.app_template_filter("notice_title")
def title(notice: queries.Shown | queries.OnDesk) -> str:
    """In the reader's language, else as it was written."""
    return notice.title_zh if reader_locale() == "zh" else notice.title_en or notice.title_zh


@bp.app_template_filter("notice_text")
def text(notice: queries.Shown | queries.OnDesk) -> list[str]:
    """Its paragraphs, in the reader's language or as they were written."""
    return rules.paragraphs(notice.text_zh if reader_locale() == "zh" else notice.text_en or notice.text_zh)


@bp.app_template_filter("notice_kind")
def kind(notice: queries.Shown | queries.OnDesk) -> tuple[str, str, str]:
    """The word, tone and drawing of its kind."""
    return words(rules.KIND_WORDS[notice.kind]), TONES[notice.kind.value], ICONS[notice.kind.value]


@bp.app_template_filter("notice_place")
def place(notice: queries.Shown | queries.OnDesk) -> str:
    """Of which community it is, or of the city."""
    if notice.community_id == CITY:
        return _("The whole city")
    return next((name_of(one) for one in directory(reading()).communities if one.id == notice.community_id), "")


@bp.get("/bulletin")
@open_to_everyone
def index(actor: Actor) -> str:
    """What stands there for the reader's community and for the whole city."""
    point = current_point(actor)
    listed, following = queries.list_shown(reading(), queries.read_in(point.community_id if point else None), address.place())
    return render_template("bulletin/index.html", notices=listed, next_cursor=following)


@bp.get("/bulletin/<id:bulletin_id>")
@open_to_everyone
def show(actor: Actor, bulletin_id: int) -> str:
    """One notice, which counts its reader."""
    notice = queries.shown(reading(), bulletin_id)
    if actor.is_signed_in and not queries.has_read(reading(), actor, bulletin_id):
        perform(operations.note_reader, actor, bulletin_id)
    return render_template("bulletin/show.html", notice=notice, readers=queries.readers(reading(), bulletin_id))
