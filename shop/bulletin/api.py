"""The bulletin by the API: reading it, and for staff writing and publishing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from shop.bulletin import operations, queries, rules
from shop.bulletin.errors import AnotherIsOpen, CannotBePublished, NotWaiting
from shop.bulletin.permissions import BulletinPermission
from shop.bulletin.rules import LONGEST_BUILDING, LONGEST_TEXT, LONGEST_TITLE, Wording
from shop.communities.queries import directory
from shop.kernel import gate
from shop.kernel.columns import CITY
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound
from shop.kernel.text import name
from shop.models.bulletin import BulletinKind, VersionState
from shop.platform.access import open_to_everyone, permitted
from shop.platform.actor import Actor
from shop.platform.api.core import Schema, decode_cursor, encode_cursor, route
from shop.platform.api.fields import READABLE, READABLE_LINES, Cursor, Day
from shop.platform.language import reader_locale

TAG = "bulletin"

Title = Annotated[str, Field(max_length=LONGEST_TITLE), READABLE]
Text = Annotated[str, Field(max_length=LONGEST_TEXT), READABLE_LINES]
Slug = Annotated[str, Field(max_length=80), READABLE]


class BulletinItem(Schema):
    id: int
    community: str | None = Field(description="Slug of its community; null for the whole city.")
    kind: BulletinKind
    title: str
    building: str = Field(description="For which buildings; empty for all.")
    first_day: Day
    last_day: Day
    pinned: bool
    published_at: AwareDatetime


class BulletinOut(BulletinItem):
    text: str = Field(description="Plain paragraphs, ended by line ends.")
    corrected: bool
    readers: int = Field(description="How many people have opened its page, each counted once.")


class BulletinQuery(Schema):
    community: Slug | None = Field(default=None, description="Slug of a community, whose notices come with those of the city.")
    cursor: Cursor | None = None
    limit: int = Field(default=20, ge=1, le=100)


class BulletinPage(Schema):
    items: list[BulletinItem]
    next_cursor: str | None


class BulletinText(Schema):
    """What is to be put up."""

    community: Slug | None = Field(default=None, description="Slug of the community; null for the whole city. Not read for a correction.")
    corrects: int | None = Field(default=None, ge=1, le=gate.MOST_NUMBER, description="The notice of which this is a correction.")
    kind: Literal["community", "government", "party_building", "event"]
    title_zh: Title
    text_zh: Text
    title_en: Title = ""
    text_en: Text = ""
    building: Annotated[str, Field(max_length=LONGEST_BUILDING), READABLE] = ""
    first_day: Day
    last_day: Day
    pinned: bool = False
    send: bool = Field(default=True, description="Send it for review; else it is kept as a draft.")


class VersionOut(Schema):
    version: int = Field(description="The text, as it is published by.")
    notice: int
    number: int
    state: VersionState


def community_of(slug: str | None) -> int:
    """A community by its slug, the city without one. Raises `NotFound`."""
    if slug is None:
        return CITY
    found = next((one.id for one in directory(reading()).communities if one.slug == slug), None)
    if found is None:
        raise NotFound("community")
    return found


def item(notice: queries.Shown) -> dict[str, Any]:
    slug = next((one.slug for one in directory(reading()).communities if one.id == notice.community_id), None)
    title = notice.title_zh if reader_locale() == "zh" else notice.title_en or notice.title_zh
    return {
        "id": notice.notice_id, "community": slug, "kind": notice.kind, "title": title, "building": notice.building,
        "first_day": notice.starts_on, "last_day": notice.ends_on, "pinned": notice.is_pinned, "published_at": notice.published_at,
    }  # fmt: skip


def version_out(actor: Actor, version_id: int, permission: BulletinPermission) -> dict[str, Any]:
    found = queries.one_on_desk(reading(), queries.places(reading(), actor, permission), version_id)
    return {"version": found.id, "notice": found.notice_id, "number": found.number, "state": found.state}


@route(
    "GET", "/bulletin", open_to_everyone, summary="Notices that stand there today, pinned first, then the newest", tag=TAG,
    query=BulletinQuery, answers={200: BulletinPage}, refuses=(NotFound,),
)  # fmt: skip
def list_bulletin(_actor: Actor, query: BulletinQuery) -> Any:
    place = decode_cursor(query.cursor, int)
    communities = queries.read_in(community_of(query.community))
    listed, following = queries.list_shown(reading(), communities, place[0] if place else None, query.limit)
    return {"items": [item(each) for each in listed], "next_cursor": encode_cursor(following) if following is not None else None}


@route(
    "GET", "/bulletin/<id:bulletin_id>", open_to_everyone, summary="One notice; reading it here is not counted", tag=TAG,
    answers={200: BulletinOut},
)  # fmt: skip
def get_bulletin_notice(_actor: Actor, bulletin_id: int) -> Any:
    notice = queries.shown(reading(), bulletin_id)
    text = notice.text_zh if reader_locale() == "zh" else notice.text_en or notice.text_zh
    readers = queries.readers(reading(), bulletin_id)
    return {**item(notice), "text": "\n".join(rules.paragraphs(text)), "corrected": notice.number > 1, "readers": readers}


@route(
    "POST", "/bulletin/texts", permitted(BulletinPermission.NOTICE_WRITE), summary="Write a notice or a correction", tag=TAG,
    body=BulletinText, answers={201: VersionOut}, refuses=(NotFound, AnotherIsOpen),
)  # fmt: skip
def write_bulletin_text(actor: Actor, body: BulletinText) -> Any:
    wording = Wording(
        kind=BulletinKind(body.kind), title_zh=name(body.title_zh, LONGEST_TITLE, field="title_zh"), text_zh=body.text_zh,
        title_en=name(body.title_en, LONGEST_TITLE, field="title_en"), text_en=body.text_en, starts_on=body.first_day,
        ends_on=body.last_day, building=name(body.building, LONGEST_BUILDING, field="building"), is_pinned=body.pinned,
    )  # fmt: skip
    if body.corrects is not None:
        made = perform(operations.correct, actor, body.corrects, wording, sends=body.send)
    else:
        made = perform(operations.write, actor, community_of(body.community), wording, sends=body.send)
    return version_out(actor, made, BulletinPermission.NOTICE_WRITE), 201


@route(
    "POST", "/bulletin/texts/<id:version_id>/publish", permitted(BulletinPermission.NOTICE_PUBLISH),
    summary="Publish what somebody else wrote", tag=TAG, answers={200: VersionOut}, refuses=(NotWaiting, CannotBePublished),
)  # fmt: skip
def publish_bulletin_text(actor: Actor, version_id: int) -> Any:
    perform(operations.publish, actor, version_id)
    return version_out(actor, version_id, BulletinPermission.NOTICE_PUBLISH)
