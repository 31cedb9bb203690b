"""Reviews by the API: reading them, writing what one says of a line, answering, reporting and deciding."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from shop.catalog.errors import ProductNotFound
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound
from shop.models.reviews import ReportKind, ReviewState
from shop.platform.access import open_to_everyone, permitted, signed_in
from shop.platform.actor import Actor
from shop.platform.api.core import Schema, decode_cursor, encode_cursor, route
from shop.platform.api.fields import READABLE_LINES, Cursor
from shop.platform.language import name_of
from shop.platform.own import OwnDeed
from shop.reviews import operations, queries
from shop.reviews.errors import (
    ChangedMeanwhile,
    IsHidden,
    NotCollectedYet,
    NothingToDecide,
    NothingToFollowUp,
    NothingWasGot,
    NotThere,
    OwnReview,
    OwnShop,
    TooLateToChange,
    TooLateToFollowUp,
    TooLateToReview,
)
from shop.reviews.permissions import ReviewPermission
from shop.reviews.queries import Said
from shop.reviews.rules import LONGEST_ANSWER, LONGEST_FOLLOW_UP, LONGEST_REASON, LONGEST_TEXT

TAG = "reviews"


class RatingOut(Schema):
    reviews: int
    mean_tenths: int = Field(description="Stars in tenths; five reviews of four stars are counted with them, so that few do not decide.")
    by_stars: list[int] = Field(description="How many reviews have 1, 2, 3, 4 and 5 stars.")


class ReviewItem(Schema):
    id: int
    product: str = Field(description="Slug of the product.")
    stars: int
    text: str = Field(description="Empty when somebody gave stars alone.")
    writer: str | None = Field(description="Half of a name, such as 李*; null for who wants none shown.")
    written_at: AwareDatetime
    changed_at: AwareDatetime | None
    follow_up: str
    followed_up_at: AwareDatetime | None
    answer: str = Field(description="The shop's; empty while there is none.")
    answered_at: AwareDatetime | None


class OwnReviewOut(ReviewItem):
    line: int = Field(description="The line of an order that it is about.")
    state: ReviewState
    hidden_reason: str = Field(description="Why staff hid it; empty when they did not.")


class ReviewPage(Schema):
    rating: RatingOut
    items: list[ReviewItem]
    next_cursor: str | None


class OwnReviewPage(Schema):
    items: list[OwnReviewOut]
    next_cursor: str | None


class ShopReviewPage(Schema):
    items: list[ReviewItem]
    next_cursor: str | None


class ToReviewItem(Schema):
    line: int = Field(description="What a review is written of.")
    product: str = Field(description="Slug of the product.")
    name: str
    merchant_name: str
    collected_at: AwareDatetime


class ToReviewPage(Schema):
    items: list[ToReviewItem]
    next_cursor: str | None


class ReviewsQuery(Schema):
    stars: Literal["good", "middling", "bad"] | None = Field(default=None, description="Four and five stars, three, one and two.")
    cursor: Cursor | None = None
    limit: int = Field(default=20, ge=1, le=100)


class ReviewPlace(Schema):
    cursor: Cursor | None = None
    limit: int = Field(default=20, ge=1, le=100)


class ShopReviewsQuery(ReviewPlace):
    unanswered: bool = Field(default=False, description="Only those that the shop has not answered.")


class ReviewIn(Schema):
    stars: int = Field(ge=1, le=5)
    text: Annotated[str, Field(max_length=LONGEST_TEXT), READABLE_LINES] = ""
    anonymous: bool = Field(default=False, description="Show no name at all.")


class ReviewFollowUp(Schema):
    text: Annotated[str, Field(min_length=1, max_length=LONGEST_FOLLOW_UP), READABLE_LINES]


class ReviewAnswer(Schema):
    text: Annotated[str, Field(min_length=1, max_length=LONGEST_ANSWER), READABLE_LINES]


class ReviewReportIn(Schema):
    kind: Literal["abuse", "advert", "privacy", "untrue", "other"]
    words: Annotated[str, Field(max_length=LONGEST_REASON), READABLE_LINES] = ""


class ReviewDecision(Schema):
    decision: Literal["keep", "hide", "show_again"]
    reason: Annotated[str, Field(max_length=LONGEST_REASON), READABLE_LINES] = Field(
        default="", description="Why it is hidden, which its writer reads; not read otherwise."
    )


def item(said: Said) -> dict[str, Any]:
    return {
        "id": said.id, "product": said.slug, "stars": said.stars, "text": said.text, "writer": said.shown_name or None,
        "written_at": said.written_at, "changed_at": said.changed_at, "follow_up": said.follow_up, "followed_up_at": said.followed_up_at,
        "answer": said.answer, "answered_at": said.answered_at,
    }  # fmt: skip


def own(said: Said) -> dict[str, Any]:
    return {**item(said), "line": said.line_id, "state": said.state, "hidden_reason": said.hidden_reason}


def own_of(line_id: int) -> dict[str, Any]:
    said = queries.of_line(reading(), line_id)
    if said is None:
        raise NotFound()
    return own(said)


def onward(place: int | None) -> str | None:
    return encode_cursor(place) if place is not None else None


def begun(cursor: str | None) -> int | None:
    place = decode_cursor(cursor, int)
    return place[0] if place else None


@route(
    "GET", "/products/<slug>/reviews", open_to_everyone, summary="What people say of a product, newest first", tag=TAG, query=ReviewsQuery,
    answers={200: ReviewPage}, refuses=(ProductNotFound,),
)  # fmt: skip
def list_product_reviews(_actor: Actor, slug: str, query: ReviewsQuery) -> Any:
    product = queries.product(reading(), slug)
    rating = queries.rating(reading(), product.id)
    listed, following = queries.list_shown(reading(), product.id, query.stars or "", begun(query.cursor), query.limit)
    return {
        "rating": {"reviews": rating.count, "mean_tenths": rating.tenths, "by_stars": list(rating.counts)},
        "items": [item(one) for one in listed], "next_cursor": onward(following),
    }  # fmt: skip


@route(
    "GET", "/reviews/mine", signed_in, summary="My reviews, newest first", tag=TAG, query=ReviewPlace, answers={200: OwnReviewPage},
)  # fmt: skip
def list_own_reviews(actor: Actor, query: ReviewPlace) -> Any:
    listed, following = queries.list_mine(reading(), actor, begun(query.cursor), query.limit)
    return {"items": [own(one) for one in listed], "next_cursor": onward(following)}


@route(
    "GET", "/reviews/to-write", signed_in, summary="What I collected and may review", tag=TAG, query=ReviewPlace,
    answers={200: ToReviewPage},
)  # fmt: skip
def list_reviews_to_write(actor: Actor, query: ReviewPlace) -> Any:
    listed, following = queries.list_to_review(reading(), actor, begun(query.cursor), query.limit)
    items = [
        {
            "line": one.line_id, "product": one.slug, "name": name_of(one), "merchant_name": name_of(one, "merchant_name"),
            "collected_at": one.collected_at,
        }
        for one in listed
    ]  # fmt: skip
    return {"items": items, "next_cursor": onward(following)}


@route(
    "PUT", "/reviews/lines/<id:line_id>", signed_in, summary="Review a line of an order, or change the review", tag=TAG, body=ReviewIn,
    answers={200: OwnReviewOut},
    refuses=(NotFound, NotCollectedYet, NothingWasGot, TooLateToReview, TooLateToChange, IsHidden, OwnShop, ChangedMeanwhile),
)  # fmt: skip
def put_review(actor: Actor, line_id: int, body: ReviewIn) -> Any:
    perform(operations.write, actor, line_id, body.stars, body.text, body.anonymous)
    return own_of(line_id)


@route(
    "DELETE", "/reviews/lines/<id:line_id>", signed_in, summary="Take a review back", tag=TAG, answers={200: OwnReviewOut},
    refuses=(NotFound, NothingToFollowUp, TooLateToChange, IsHidden, ChangedMeanwhile),
)  # fmt: skip
def delete_review(actor: Actor, line_id: int) -> Any:
    perform(operations.take_back, actor, line_id)
    return own_of(line_id)


@route(
    "PUT", "/reviews/lines/<id:line_id>/follow-up", signed_in, summary="Add something to a review later, or put it otherwise", tag=TAG,
    body=ReviewFollowUp, answers={200: OwnReviewOut},
    refuses=(NotFound, NothingToFollowUp, TooLateToFollowUp, TooLateToChange, IsHidden, ChangedMeanwhile),
)  # fmt: skip
def put_review_follow_up(actor: Actor, line_id: int, body: ReviewFollowUp) -> Any:
    perform(operations.follow_up, actor, line_id, body.text)
    return own_of(line_id)


@route(
    "POST", "/reviews/<id:review_id>/reports", signed_in, summary="Report a review", tag=TAG, body=ReviewReportIn, answers={204: None},
    refuses=(NotFound, OwnReview),
)  # fmt: skip
def report_review(actor: Actor, review_id: int, body: ReviewReportIn) -> Any:
    perform(operations.report, actor, review_id, ReportKind(body.kind), body.words)
    return None, 204


@route(
    "GET", "/merchant/reviews", permitted(ReviewPermission.SHOP_READ), summary="What people say of the goods of my shops, newest first",
    tag=TAG, query=ShopReviewsQuery, answers={200: ShopReviewPage},
)  # fmt: skip
def list_shop_reviews(actor: Actor, query: ShopReviewsQuery) -> Any:
    merchants, tab = actor.merchants(ReviewPermission.SHOP_READ), "unanswered" if query.unanswered else "all"
    listed, following = queries.list_of_shops(reading(), merchants, tab, begun(query.cursor), query.limit)
    return {"items": [item(one) for one in listed], "next_cursor": onward(following)}


@route(
    "PUT", "/merchant/reviews/<id:review_id>/answer", permitted(ReviewPermission.ANSWER_WRITE),
    summary="Answer a review, or correct the answer", tag=TAG, body=ReviewAnswer, answers={200: ReviewItem},
    refuses=(NotFound, ChangedMeanwhile),
)  # fmt: skip
def put_review_answer(actor: Actor, review_id: int, body: ReviewAnswer) -> Any:
    perform(operations.answer, actor, review_id, body.text)
    return item(queries.one_of_shops(reading(), actor.merchants(ReviewPermission.ANSWER_WRITE), review_id))


@route(
    "POST", "/operations/reviews/<id:review_id>/decision", permitted(ReviewPermission.REPORT_DECIDE),
    summary="Keep a reported review, hide it with a reason, or show it again", tag=TAG, body=ReviewDecision, answers={200: OwnReviewOut},
    refuses=(NotFound, NotThere, NothingToDecide, ChangedMeanwhile, OwnDeed),
)  # fmt: skip
def decide_review(actor: Actor, review_id: int, body: ReviewDecision) -> Any:
    if body.decision == "hide":
        perform(operations.hide, actor, review_id, body.reason)
    else:
        perform(operations.keep_shown if body.decision == "keep" else operations.show_again, actor, review_id)
    return own(queries.one(reading(), review_id))
