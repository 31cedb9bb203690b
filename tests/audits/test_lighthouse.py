"""What counts as good enough when Lighthouse has looked at a page."""

from __future__ import annotations

import pytest

from tools.browsing import Dress
from tools.lighthouse import can_be_scored, scores_of
from tools.page_table import Page

pytestmark = pytest.mark.one_engine


def told(performance: float = 1, accessibility: float = 1, practices: float = 1, paint: float = 900, shift: float = 0) -> dict[str, object]:
    scores = {"performance": performance, "accessibility": accessibility, "best-practices": practices}
    numbers = {"largest-contentful-paint": paint, "cumulative-layout-shift": shift}
    audits = {name: {"id": name, "score": 1, "scoreDisplayMode": "numeric", "numericValue": value} for name, value in numbers.items()}
    audits["image-alt"] = {"id": "image-alt", "score": 0, "scoreDisplayMode": "binary"}
    audits["tap-targets"] = {"id": "tap-targets", "score": None, "scoreDisplayMode": "notApplicable"}
    return {"categories": {name: {"score": score} for name, score in scores.items()}, "audits": audits}


@pytest.mark.parametrize(
    ("report", "for_any", "for_fast"),
    [
        (told(), True, True),
        (told(performance=0.94), True, False),
        (told(performance=0.95), True, True),
        (told(accessibility=0.99), False, False),
        (told(practices=0.96), False, False),
        (told(paint=1801), True, False),
        (told(paint=1800, shift=0.02), True, True),
        (told(shift=0.021), True, False),
    ],
)
def test_only_pages_with_a_budget_promise_to_be_fast(report: dict[str, object], for_any: bool, for_fast: bool) -> None:
    scores = scores_of("shop/home", Dress("zh"), report)
    assert scores.is_good_enough(must_be_fast=False) is for_any
    assert scores.is_good_enough(must_be_fast=True) is for_fast


def test_what_costs_points_is_named() -> None:
    scores = scores_of("shop/home", Dress("en", is_elder=True), told())
    assert scores.below == ("image-alt",)
    assert str(scores).split()[:2] == ["shop/home", "en-elder"]


def test_refusals_and_typed_pages_are_not_scored() -> None:
    assert can_be_scored(Page("shop", "home", "/"), {})
    assert not can_be_scored(Page("legal", "not-found", "/x", status=404), {})
    assert not can_be_scored(Page("account", "wrong", "/sign-in", typed={"phone": "1"}), {})
    assert not can_be_scored(Page("shop", "product", "/products/{product}"), {})
    assert can_be_scored(Page("shop", "product", "/products/{product}"), {"product": "rice"})
