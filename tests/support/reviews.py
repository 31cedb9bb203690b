"""Reviews put there as rows: `make_review(make, line)`; and words for writing them: `Reviewing(make)`."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.models.accounts import User
from shop.models.orders import OrderLine
from shop.models.reviews import ReportKind, Review, ReviewPart, ReviewReport, ReviewState, ReviewVersion
from shop.reviews import operations
from tests.support.counter import Counter
from tests.support.factories import SHARP, Factories, actor_of


def make_review(make: Factories, line: OrderLine, merchant_id: int, user_id: int, reporter: User | None = None, **values: Any) -> Review:
    """What somebody says of a line, with an earlier version of it; reported where somebody is named who does so."""
    review: Review = make.save(
        Review(
            **{
                "line_id": line.id, "product_id": line.product_id, "merchant_id": merchant_id, "user_id": user_id,
                "state": ReviewState.SHOWN, "number": 2, "stars": 4, "text": f"很新鲜{SHARP}", "is_anonymous": False,
                "written_at": clock.now(), **values,
            }
        )
    )
    with transaction() as session:
        operations.count(session, line.product_id, shown=review.stars)
    make.save(
        ReviewVersion(
            review_id=review.id, merchant_id=merchant_id, number=1, part=ReviewPart.REVIEW, stars=3, text=f"新鲜{SHARP}", at=clock.now()
        )
    )
    if reporter is not None:
        make.save(
            ReviewReport(
                review_id=review.id, merchant_id=merchant_id, user_id=reporter.id, kind=ReportKind.UNTRUE, words=f"不实{SHARP}",
                reported_at=clock.now(),
            )
        )
    return review


class Reviewing(Counter):
    """Buying, collecting, and saying something of it."""

    def __init__(self, make: Factories, merchants: int = 1, **terms: Any) -> None:
        super().__init__(make, merchants, **terms)
        self.rice = self.goods("rice", price=2_000, on_hand=1_000)

    def collected(self, buyer: User, wanted: dict[str, int] | None = None) -> int:
        """Bought and collected: the id of its newest line."""
        self.hand_over(self.ready(buyer, wanted or {"rice": 1}).code)
        reading().rollback()
        return reading().scalars(sa.select(sa.func.max(OrderLine.id))).one()

    def said(self, buyer: User, stars: int = 5, text: str = "很新鲜", is_anonymous: bool = False) -> int:
        """Bought, collected and reviewed: the id of the line."""
        line_id = self.collected(buyer)
        perform(operations.write, actor_of(buyer), line_id, stars, text, is_anonymous)
        return line_id


def review_of(line_id: int) -> Review:
    reading().rollback()
    found = reading().scalars(sa.select(Review).where(Review.line_id == line_id)).one()
    reading().expunge(found)
    return found
