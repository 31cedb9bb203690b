"""Who may say what of which goods and until when, what the stars of a product come to, and what kinds of reports there are.

Pure: the cases are a table (tests/unit/test_review_rules.py), the mean is told in docs/algorithms/ratings.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shop.kernel.errors import ShopError, sentence
from shop.kernel.money import ZERO, Money
from shop.models.orders import SubOrderState
from shop.models.reviews import ReportKind, ReviewState
from shop.reviews.errors import (
    IsHidden,
    NotCollectedYet,
    NothingToFollowUp,
    NothingWasGot,
    TooLateToChange,
    TooLateToFollowUp,
    TooLateToReview,
)

LONGEST_TEXT, LONGEST_FOLLOW_UP, LONGEST_ANSWER, LONGEST_REASON = 1_000, 500, 500, 200
MOST_STARS = 5

COUNTERS = ("ones", "twos", "threes", "fours", "fives")
"""What the numbers of stars are called where they are counted."""

REVIEW_WITHIN = timedelta(days=90)
CHANGE_WITHIN = timedelta(days=30)
FOLLOW_UP_WITHIN = timedelta(days=180)

PRIOR_REVIEWS, PRIOR_STARS = 5, 4
"""So many reviews of so many stars are counted with those of a product, so that a few voices do not decide."""

GOT = (SubOrderState.COLLECTED, SubOrderState.COMPLETED)

GOOD, MIDDLING, BAD = (4, 5), (3,), (1, 2)
"""What people call stars when they look through many."""

KIND_WORDS: Mapping[ReportKind, str] = {
    ReportKind.ABUSE: sentence("It insults or threatens somebody"),
    ReportKind.ADVERT: sentence("It advertises something"),
    ReportKind.PRIVACY: sentence("It tells private things of somebody"),
    ReportKind.UNTRUE: sentence("It is not about these goods, or not true"),
    ReportKind.OTHER: sentence("Something else"),
}


@dataclass(frozen=True, slots=True)
class Bought:
    """A line of somebody's order, with what became of it."""

    line_id: int
    product_id: int
    merchant_id: int
    state: SubOrderState
    collected_at: datetime | None
    quantity: int
    short_quantity: int
    final_total: Money | None
    total: Money
    refunded_total: Money


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a review for the question whether it may be changed."""

    state: ReviewState
    written_at: datetime
    has_follow_up: bool = False
    followed_up_at: datetime | None = None


def refusal_to_review(bought: Bought, moment: datetime) -> ShopError | None:
    """Why a line cannot be reviewed; None when it can. Only what was collected counts, and not what never came or was paid back whole."""
    if bought.state not in GOT or bought.collected_at is None:
        return NotCollectedYet()
    is_paid_back = ZERO < bought.total <= bought.refunded_total
    weighs_nothing = bought.final_total is not None and bought.final_total == ZERO and bought.total > ZERO
    if bought.short_quantity >= bought.quantity or is_paid_back or weighs_nothing:
        return NothingWasGot()
    if moment >= bought.collected_at + REVIEW_WITHIN:
        return TooLateToReview(days=REVIEW_WITHIN.days)
    return None


def refusal_to_change(review: Standing, moment: datetime) -> ShopError | None:
    """Why a review cannot be changed, taken back, or put up again; None when it can."""
    if review.state is ReviewState.HIDDEN:
        return IsHidden()
    return TooLateToChange(days=CHANGE_WITHIN.days) if moment >= review.written_at + CHANGE_WITHIN else None


def refusal_to_follow_up(review: Standing, collected_at: datetime, moment: datetime) -> ShopError | None:
    """Why nothing can be added to a review, or what was added cannot be changed; None when it can."""
    if review.state is ReviewState.HIDDEN:
        return IsHidden()
    if review.state is ReviewState.TAKEN_BACK:
        return NothingToFollowUp()
    if review.has_follow_up and review.followed_up_at is not None:
        return TooLateToChange(days=CHANGE_WITHIN.days) if moment >= review.followed_up_at + CHANGE_WITHIN else None
    return TooLateToFollowUp(days=FOLLOW_UP_WITHIN.days) if moment >= collected_at + FOLLOW_UP_WITHIN else None


def mean_tenths(counts: Sequence[int]) -> int:
    """The stars of a product in tenths, drawn towards the middle while there are few; `counts` are those of 1, 2, 3, 4 and 5 stars.

    (5 x 4 + all stars) / (5 + all reviews), rounded half up, in whole numbers.
    """
    reviews = PRIOR_REVIEWS + sum(counts)
    stars = PRIOR_REVIEWS * PRIOR_STARS + sum(star * count for star, count in enumerate(counts, start=1))
    return (20 * stars + reviews) // (2 * reviews)


def good_share(counts: Sequence[int]) -> int:
    """Of a hundred reviews so many have four or five stars, rounded down: "all of them" is said of all only; 0 of none."""
    return 100 * sum(counts[star - 1] for star in GOOD) // sum(counts) if sum(counts) else 0
