"""Who may review what and until when; what stars come to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shop.kernel.money import Money
from shop.models.orders import SubOrderState
from shop.models.reviews import ReviewState
from shop.reviews import errors, rules
from shop.reviews.rules import Bought, Standing

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)
RICE = Bought(1, 1, 1, SubOrderState.COLLECTED, NOON, 2, 0, None, Money(2_000), Money(0))


@pytest.mark.parametrize(
    ("changes", "after", "refused"),
    [
        ({}, timedelta(0), None),
        ({"state": SubOrderState.COMPLETED}, 7 * DAY, None),
        ({"state": SubOrderState.READY}, DAY, errors.NotCollectedYet),
        ({"state": SubOrderState.NOT_COLLECTED, "collected_at": None}, DAY, errors.NotCollectedYet),
        ({"collected_at": None}, DAY, errors.NotCollectedYet),
        ({"state": SubOrderState.CANCELLED}, DAY, errors.NotCollectedYet),
        ({"state": SubOrderState.RETURNED}, DAY, errors.NotCollectedYet),
        ({"short_quantity": 1}, DAY, None),
        ({"short_quantity": 2}, DAY, errors.NothingWasGot),
        ({"refunded_total": Money(1_999)}, DAY, None),
        ({"refunded_total": Money(2_000)}, DAY, errors.NothingWasGot),
        ({"total": Money(0)}, DAY, None),
        ({"final_total": Money(0)}, DAY, errors.NothingWasGot),
        ({"final_total": Money(1)}, DAY, None),
        ({}, 90 * DAY - timedelta(seconds=1), None),
        ({}, 90 * DAY, errors.TooLateToReview),
    ],
)
def test_who_may_review(changes: dict[str, Any], after: timedelta, refused: type[Exception] | None) -> None:
    found = rules.refusal_to_review(replace(RICE, **changes), NOON + after)
    assert (type(found) if found else None) is refused


@pytest.mark.parametrize(
    ("state", "after", "refused"),
    [
        (ReviewState.SHOWN, timedelta(0), None),
        (ReviewState.TAKEN_BACK, 29 * DAY, None),
        (ReviewState.SHOWN, 30 * DAY, errors.TooLateToChange),
        (ReviewState.TAKEN_BACK, 30 * DAY, errors.TooLateToChange),
        (ReviewState.HIDDEN, timedelta(0), errors.IsHidden),
    ],
)
def test_until_when_it_may_be_changed(state: ReviewState, after: timedelta, refused: type[Exception] | None) -> None:
    found = rules.refusal_to_change(Standing(state, NOON), NOON + after)
    assert (type(found) if found else None) is refused


@pytest.mark.parametrize(
    ("standing", "after", "refused"),
    [
        (Standing(ReviewState.SHOWN, NOON), 179 * DAY, None),
        (Standing(ReviewState.SHOWN, NOON), 180 * DAY, errors.TooLateToFollowUp),
        (Standing(ReviewState.SHOWN, NOON, True, NOON + 170 * DAY), 199 * DAY, None),
        (Standing(ReviewState.SHOWN, NOON, True, NOON + 170 * DAY), 200 * DAY, errors.TooLateToChange),
        (Standing(ReviewState.TAKEN_BACK, NOON), DAY, errors.NothingToFollowUp),
        (Standing(ReviewState.HIDDEN, NOON), DAY, errors.IsHidden),
    ],
)
def test_until_when_something_may_be_added(standing: Standing, after: timedelta, refused: type[Exception] | None) -> None:
    found = rules.refusal_to_follow_up(standing, NOON, NOON + after)
    assert (type(found) if found else None) is refused


@pytest.mark.parametrize(
    ("counts", "tenths"),
    [  # the figures of docs/algorithms/ratings.md
        ((0, 0, 0, 0, 0), 40),
        ((0, 0, 0, 0, 1), 42),
        ((1, 0, 0, 0, 0), 35),
        ((0, 0, 0, 0, 3), 44),
        ((0, 0, 0, 0, 10), 47),
        ((0, 0, 0, 10, 90), 49),
        ((2, 0, 0, 0, 8), 41),
        ((5, 0, 0, 0, 0), 25),
        ((0, 0, 0, 0, 95), 50),
        ((10_000, 0, 0, 0, 0), 10),
        ((0, 1, 3, 5, 0), 36),
    ],
)
def test_few_voices_do_not_decide(counts: tuple[int, ...], tenths: int) -> None:
    assert rules.mean_tenths(counts) == tenths


@pytest.mark.parametrize(
    ("counts", "share"), [((0, 0, 0, 0, 0), 0), ((0, 0, 0, 1, 2), 100), ((1, 0, 0, 0, 199), 99), ((1, 0, 1, 0, 1), 33)]
)
def test_how_many_of_a_hundred_are_good(counts: tuple[int, ...], share: int) -> None:
    assert rules.good_share(counts) == share
