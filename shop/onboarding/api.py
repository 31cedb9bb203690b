"""Applications by the API: one's own, and the queue for staff. Papers are never told here."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from shop.communities.queries import directory
from shop.kernel.db import reading
from shop.kernel.errors import NotFound
from shop.models.onboarding import ApplicantKind, Application, ApplicationState, Food, PaperKind
from shop.onboarding import queries, rules
from shop.onboarding.permissions import OnboardingPermission
from shop.onboarding.rules import Subject
from shop.platform.access import permitted, signed_in
from shop.platform.actor import Actor
from shop.platform.api.core import Schema, decode_cursor, encode_cursor, route
from shop.platform.api.fields import Cursor, Day

TAG = "applications to sell"


class ApplicationPaperOut(Schema):
    kind: PaperKind
    last_day: Day | None = Field(description="The last day it is valid; null without an end.")
    uploaded_at: AwareDatetime
    removed_at: AwareDatetime | None


class ApplicationMessageOut(Schema):
    question: bool = Field(description="Asked by an operator; else an answer.")
    text: str
    paper: PaperKind | None = Field(description="Which paper is wanted besides.")
    at: AwareDatetime


class ApplicationOut(Schema):
    id: int
    kind: ApplicantKind
    state: ApplicationState
    name_zh: str
    name_en: str
    business_zh: str
    business_en: str
    food: Food | None
    legal_name: str
    credit_code: str = Field(description="Unified social credit code; empty for own produce without a licence.")
    pickup_points: list[str] = Field(description="Slugs.")
    missing: list[Subject] = Field(description="The subjects of which something is still to be said.")
    papers: list[ApplicationPaperOut]
    messages: list[ApplicationMessageOut]
    submitted_at: AwareDatetime | None
    decided_at: AwareDatetime | None
    reason: str = Field(description="Why it was declined.")
    shop: str | None = Field(description="Code of the shop that was made of it.")


class QueuedOut(Schema):
    id: int
    kind: ApplicantKind
    state: ApplicationState
    name_zh: str
    name_en: str
    submitted_at: AwareDatetime | None
    decided_at: AwareDatetime | None


class QueueQuery(Schema):
    tab: Literal["waiting", "asked", "approved", "closed"] = Field(default="waiting", description="What waits stands oldest first.")
    cursor: Cursor | None = None
    limit: int = Field(default=20, ge=1, le=100)


class QueuePage(Schema):
    items: list[QueuedOut]
    next_cursor: str | None


def told(found: Application) -> dict[str, Any]:
    known = directory(reading()).points_by_id
    is_declined = found.state is ApplicationState.DECLINED
    return {
        "id": found.id, "kind": found.kind, "state": found.state, "name_zh": found.name_zh, "name_en": found.name_en,
        "business_zh": found.business_zh, "business_en": found.business_en, "food": found.food, "legal_name": found.legal_name,
        "credit_code": found.uscc, "pickup_points": [known[point].slug for point in found.point_ids if point in known],
        "missing": list(queries.missing(reading(), found)) if found.state in rules.WRITABLE else [],
        "papers": [
            {"kind": one.kind, "last_day": one.valid_until, "uploaded_at": one.uploaded_at, "removed_at": one.removed_at}
            for one in queries.papers(reading(), found.id)
        ],
        "messages": [
            {"question": one.is_question, "text": one.text, "paper": one.paper, "at": one.at}
            for one in queries.messages(reading(), found.id)
        ],
        "submitted_at": found.submitted_at, "decided_at": found.decided_at, "reason": found.reason if is_declined else "",
        "shop": f"shop-{found.id}" if found.merchant_id else None,
    }  # fmt: skip


@route(
    "GET", "/applications/mine", signed_in, summary="The newest application of the person who asks, and how far it is", tag=TAG,
    answers={200: ApplicationOut}, refuses=(NotFound,),
)  # fmt: skip
def get_my_application(actor: Actor) -> Any:
    found = queries.mine(reading(), actor)
    if found is None:
        raise NotFound()
    return told(found)


@route(
    "GET", "/operations/applications", permitted(OnboardingPermission.APPLICATION_READ), summary="Applications to sell", tag=TAG,
    query=QueueQuery, answers={200: QueuePage},
)  # fmt: skip
def list_applications(_actor: Actor, query: QueueQuery) -> Any:
    place = decode_cursor(query.cursor, int)
    rows, following = queries.queue(reading(), query.tab, place[0] if place else None, query.limit)
    names = ("id", "kind", "state", "name_zh", "name_en", "submitted_at", "decided_at")
    items = [{name: getattr(row, name) for name in names} for row in rows]
    return {"items": items, "next_cursor": encode_cursor(following) if following is not None else None}


@route(
    "GET", "/operations/applications/<id:application_id>", permitted(OnboardingPermission.APPLICATION_READ),
    summary="One application that was handed in", tag=TAG, answers={200: ApplicationOut},
)  # fmt: skip
def get_application(_actor: Actor, application_id: int) -> Any:
    return told(queries.handed_in(reading(), application_id))
