"""Reading reviews: of a product, of who wrote them, of a shop, and what lies on the desk of operators."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.catalog.errors import ProductNotFound
from shop.kernel import clock
from shop.kernel.errors import NotFound
from shop.kernel.money import ZERO
from shop.kernel.rows import all_as, one_as
from shop.kernel.text import mask_person
from shop.models.accounts import User, UserState
from shop.models.catalog import Product, ProductState
from shop.models.merchants import Merchant
from shop.models.orders import OrderLine, SubOrder
from shop.models.reviews import ProductRating, ReportKind, Review, ReviewPart, ReviewReport, ReviewState, ReviewVersion
from shop.platform.actor import Actor
from shop.reviews.rules import BAD, GOOD, GOT, MIDDLING, REVIEW_WITHIN, Bought, good_share, mean_tenths

PAGE = 20
ON_PRODUCT = 3
"""How many reviews a product's own page shows; the rest are a page further."""
MOST_VERSIONS = 50
MOST_REPORTS = 50

STARS: dict[str, tuple[int, ...]] = {"good": GOOD, "middling": MIDDLING, "bad": BAD}
"""The lists people look for reviews in, besides all of them."""


@dataclass(frozen=True, slots=True)
class Rating:
    """What the shown reviews of a product come to."""

    product_id: int
    ones: int
    twos: int
    threes: int
    fours: int
    fives: int
    changes: int

    @property
    def counts(self) -> tuple[int, int, int, int, int]:
        return self.ones, self.twos, self.threes, self.fours, self.fives

    @property
    def count(self) -> int:
        return sum(self.counts)

    @property
    def tenths(self) -> int:
        return mean_tenths(self.counts)

    @property
    def good(self) -> int:
        """Of a hundred."""
        return good_share(self.counts)

    def of(self, name: str) -> int:
        """How many there are in one of the lists of `STARS`."""
        return sum(self.counts[star - 1] for star in STARS[name])


@dataclass(frozen=True, slots=True)
class Named:
    """A product, and what it is called."""

    id: int
    slug: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Said:
    """A review with everything that belongs to it, whoever looks."""

    id: int
    line_id: int
    product_id: int
    merchant_id: int
    user_id: int
    state: ReviewState
    number: int
    stars: int
    text: str
    is_anonymous: bool
    written_at: datetime
    changed_at: datetime | None
    follow_up: str
    followed_up_at: datetime | None
    answer: str
    answered_at: datetime | None
    answer_corrected_at: datetime | None
    hidden_reason: str
    decided_at: datetime | None
    writer: str
    writer_state: UserState
    name_zh: str
    name_en: str
    unit_zh: str
    unit_en: str
    image: str
    collected_at: datetime | None
    slug: str
    category_id: int
    merchant_name_zh: str
    merchant_name_en: str

    @property
    def shown_name(self) -> str:
        """Half of a name (`张*`), empty for who wants none said or has left."""
        return "" if self.is_anonymous or self.writer_state is UserState.CLOSED else mask_person(self.writer)

    @property
    def days_after(self) -> int:
        """After how many days something was added."""
        return (self.followed_up_at - self.written_at).days if self.followed_up_at else 0

    @property
    def is_hidden(self) -> bool:
        return self.state is ReviewState.HIDDEN

    @property
    def is_shown(self) -> bool:
        return self.state is ReviewState.SHOWN


@dataclass(frozen=True, slots=True)
class ToReview:
    """Goods somebody collected and has not said anything of."""

    line_id: int
    name_zh: str
    name_en: str
    unit_zh: str
    unit_en: str
    quantity: int
    image: str
    slug: str
    category_id: int
    merchant_name_zh: str
    merchant_name_en: str
    collected_at: datetime


@dataclass(frozen=True, slots=True)
class Reported:
    """A report that waits, with the review it is about."""

    id: int
    review_id: int
    kind: ReportKind
    words: str
    reported_at: datetime
    reporter: str
    stars: int
    text: str
    name_zh: str
    name_en: str
    merchant_name_zh: str
    merchant_name_en: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a part of a review said before."""

    number: int
    part: ReviewPart
    stars: int | None
    text: str
    at: datetime


SAID: Any = (
    sa.select(
        Review.id, Review.line_id, Review.product_id, Review.merchant_id, Review.user_id, Review.state, Review.number, Review.stars,
        Review.text, Review.is_anonymous, Review.written_at, Review.changed_at, Review.follow_up, Review.followed_up_at, Review.answer,
        Review.answered_at, Review.answer_corrected_at, Review.hidden_reason, Review.decided_at, User.display_name.label("writer"),
        User.state.label("writer_state"), OrderLine.name_zh, OrderLine.name_en, OrderLine.unit_zh, OrderLine.unit_en, OrderLine.image,
        SubOrder.collected_at, Product.slug, Product.category_id, Merchant.name_zh.label("merchant_name_zh"),
        Merchant.name_en.label("merchant_name_en"),
    )
    .join(User, User.id == Review.user_id)
    .join(OrderLine, OrderLine.id == Review.line_id)
    .join(SubOrder, SubOrder.id == OrderLine.sub_order_id)
    .join(Product, Product.id == Review.product_id)
    .join(Merchant, Merchant.id == Review.merchant_id)
)  # fmt: skip

GOODS: Any = (
    sa.select(
        OrderLine.id.label("line_id"), OrderLine.name_zh, OrderLine.name_en, OrderLine.unit_zh, OrderLine.unit_en,
        (OrderLine.quantity - OrderLine.short_quantity).label("quantity"), OrderLine.image, Product.slug, Product.category_id,
        Merchant.name_zh.label("merchant_name_zh"), Merchant.name_en.label("merchant_name_en"), SubOrder.collected_at,
    )
    .join(SubOrder, SubOrder.id == OrderLine.sub_order_id)
    .join(Product, Product.id == OrderLine.product_id)
    .join(Merchant, Merchant.id == SubOrder.merchant_id)
)  # fmt: skip

RATING = sa.select(
    ProductRating.product_id, ProductRating.ones, ProductRating.twos, ProductRating.threes, ProductRating.fours, ProductRating.fives,
    ProductRating.changes,
)  # fmt: skip
RATINGS = RATING.where(ProductRating.product_id.in_(sa.bindparam("product_ids", expanding=True)))
RATING_OF_ONE = RATING.where(ProductRating.product_id == sa.bindparam("product_id"))
"""Put together once: they are asked for every page with goods on it."""


def ratings(session: Session, product_ids: Sequence[int]) -> dict[int, Rating]:
    """What reviews of some products come to, of those that have any. One statement."""
    if not product_ids:
        return {}
    return {found.product_id: found for found in all_as(Rating, session.connection().execute(RATINGS, {"product_ids": list(product_ids)}))}


def rating(session: Session, product_id: int) -> Rating:
    """The same of one product, all noughts where nobody said anything."""
    row = session.connection().execute(RATING_OF_ONE, {"product_id": product_id}).one_or_none()
    return one_as(Rating, row) if row else Rating(product_id, 0, 0, 0, 0, 0, 0)


def paged(session: Session, found: Any, before: int | None, limit: int) -> tuple[list[Said], int | None]:
    """Some reviews, newest first, and where the next page starts (give it back as `before`)."""
    if before is not None:
        found = found.where(Review.id < before)
    listed = all_as(Said, session.execute(found.order_by(Review.id.desc()).limit(limit + 1)))
    return listed[:limit], listed[limit - 1].id if len(listed) > limit else None


def list_shown(
    session: Session, product_id: int, which: str = "", before: int | None = None, limit: int = PAGE
) -> tuple[list[Said], int | None]:
    """The reviews of a product that everybody reads: all, or one of `STARS`."""
    found = SAID.where(Review.product_id == product_id, Review.state == sa.literal_column("'shown'"))
    return paged(session, found.where(Review.stars.in_(STARS[which])) if which else found, before, limit)


def product(session: Session, slug: str) -> Named:
    """A product by its name in an address, on sale or not. Raises `ProductNotFound`."""
    wanted = sa.select(Product.id, Product.slug, Product.name_zh, Product.name_en, Product.state).where(Product.slug == slug)
    row = session.execute(wanted).one_or_none()
    if row is None or row.state is ProductState.DRAFT:
        raise ProductNotFound()
    return one_as(Named, row, leave_out=("state",))


def bought(session: Session, actor: Actor, line_id: int) -> Bought:
    """A line of an order of the person who asks. Raises `NotFound`."""
    wanted = (
        sa.select(
            OrderLine.id.label("line_id"), OrderLine.product_id, SubOrder.merchant_id, SubOrder.state, SubOrder.collected_at,
            OrderLine.quantity, OrderLine.short_quantity, OrderLine.final_total, SubOrder.total, SubOrder.refunded_total,
        )
        .join(SubOrder, SubOrder.id == OrderLine.sub_order_id)
        .where(OrderLine.id == line_id, SubOrder.user_id == actor.signed_in_id())
    )  # fmt: skip
    row = session.execute(wanted).one_or_none()
    if row is None:
        raise NotFound()
    return one_as(Bought, row)


def of_line(session: Session, line_id: int) -> Said | None:
    """What was said of a line, whatever became of it; None when nothing was."""
    row = session.execute(SAID.where(Review.line_id == line_id)).one_or_none()
    return one_as(Said, row) if row else None


def waiting(session: Session, user_id: int) -> Any:
    """The lines that somebody collected lately and has not reviewed."""
    since = clock.now() - REVIEW_WITHIN
    is_paid_back = sa.and_(SubOrder.total > ZERO, SubOrder.refunded_total >= SubOrder.total)
    weighs_nothing = sa.and_(OrderLine.final_total.is_not(None), OrderLine.final_total == ZERO, SubOrder.total > ZERO)
    return (
        GOODS
        .where(SubOrder.user_id == user_id, SubOrder.state.in_(GOT), SubOrder.collected_at > since)
        .where(OrderLine.short_quantity < OrderLine.quantity, ~is_paid_back, ~weighs_nothing)
        .where(~sa.select(Review.id).where(Review.line_id == OrderLine.id).exists())
    )


def list_to_review(session: Session, actor: Actor, before: int | None = None, limit: int = PAGE) -> tuple[list[ToReview], int | None]:
    """What the person who asks may still review, newest first, and where the next page starts."""
    found = waiting(session, actor.signed_in_id())
    if before is not None:
        found = found.where(OrderLine.id < before)
    listed = all_as(ToReview, session.execute(found.order_by(OrderLine.id.desc()).limit(limit + 1)))
    return listed[:limit], listed[limit - 1].line_id if len(listed) > limit else None


def list_mine(session: Session, actor: Actor, before: int | None = None, limit: int = PAGE) -> tuple[list[Said], int | None]:
    """What the person who asks wrote, newest first, also what was taken back or hidden."""
    return paged(session, SAID.where(Review.user_id == actor.signed_in_id()), before, limit)


def one_line(session: Session, line_id: int) -> ToReview:
    """The goods of a line, for the page on which they are reviewed; whoever asks was let in before."""
    return one_as(ToReview, session.execute(GOODS.where(OrderLine.id == line_id)).one())


def of_lines(session: Session, actor: Actor, line_ids: Collection[int]) -> dict[int, Said | None]:
    """Those lines of one's order that can be reviewed, or were, with what was said. Two statements."""
    if not line_ids:
        return {}
    said = {one.line_id: one for one in all_as(Said, session.execute(SAID.where(Review.line_id.in_(line_ids))))}
    open_lines = session.execute(waiting(session, actor.signed_in_id()).where(OrderLine.id.in_(line_ids))).all()
    return {**dict.fromkeys(row.line_id for row in open_lines), **said}


def one_shown(session: Session, review_id: int) -> Said:
    """A review that everybody reads. Raises `NotFound`."""
    row = session.execute(SAID.where(Review.id == review_id, Review.state == ReviewState.SHOWN)).one_or_none()
    if row is None:
        raise NotFound()
    return one_as(Said, row)


TABS = ("unanswered", "all")


def list_of_shops(
    session: Session, merchants: Sequence[int], tab: str, before: int | None = None, limit: int = PAGE
) -> tuple[list[Said], int | None]:
    """What people say of the goods of some shops under one of `TABS`, newest first. What was taken back or hidden is not theirs to read."""
    shown = Review.state == sa.literal_column("'shown'")
    found = SAID.where(Review.merchant_id.in_(merchants), shown)
    return paged(session, found.where(Review.answer == sa.literal_column("''")) if tab == "unanswered" else found, before, limit)


def one_of_shops(session: Session, merchants: Sequence[int], review_id: int) -> Said:
    """A shown review of some shops' goods. Raises `NotFound`."""
    wanted = SAID.where(Review.id == review_id, Review.merchant_id.in_(merchants), Review.state == ReviewState.SHOWN)
    row = session.execute(wanted).one_or_none()
    if row is None:
        raise NotFound()
    return one_as(Said, row)


REPORTED: Any = (
    sa.select(
        ReviewReport.id, ReviewReport.review_id, ReviewReport.kind, ReviewReport.words, ReviewReport.reported_at,
        User.display_name.label("reporter"), Review.stars, Review.text, OrderLine.name_zh, OrderLine.name_en,
        Merchant.name_zh.label("merchant_name_zh"), Merchant.name_en.label("merchant_name_en"),
    )
    .join(Review, Review.id == ReviewReport.review_id)
    .join(User, User.id == ReviewReport.user_id)
    .join(OrderLine, OrderLine.id == Review.line_id)
    .join(Merchant, Merchant.id == Review.merchant_id)
)  # fmt: skip


def list_reported(session: Session, after: int | None = None, limit: int = PAGE) -> tuple[list[Reported], int | None]:
    """Reports that wait for an operator, the oldest first, and where the next page starts."""
    found = REPORTED.where(ReviewReport.decided_at.is_(None))
    if after is not None:
        found = found.where(ReviewReport.id > after)
    listed = all_as(Reported, session.execute(found.order_by(ReviewReport.id).limit(limit + 1)))
    return listed[:limit], listed[limit - 1].id if len(listed) > limit else None


def list_hidden(session: Session, before: int | None = None, limit: int = PAGE) -> tuple[list[Said], int | None]:
    """Hidden reviews, newest first."""
    return paged(session, SAID.where(Review.state == sa.literal_column("'hidden'")), before, limit)


def one(session: Session, review_id: int) -> Said:
    """Any review, for staff. Raises `NotFound`."""
    row = session.execute(SAID.where(Review.id == review_id)).one_or_none()
    if row is None:
        raise NotFound()
    return one_as(Said, row)


def reports_of(session: Session, review_id: int) -> list[Reported]:
    """The reports of a review that wait, the oldest first."""
    found = REPORTED.where(ReviewReport.review_id == review_id, ReviewReport.decided_at.is_(None))
    return all_as(Reported, session.execute(found.order_by(ReviewReport.id).limit(MOST_REPORTS)))


def earlier(session: Session, review_id: int) -> list[Earlier]:
    """What a review said before, the newest first."""
    wanted = sa.select(ReviewVersion.number, ReviewVersion.part, ReviewVersion.stars, ReviewVersion.text, ReviewVersion.at)
    found = wanted.where(ReviewVersion.review_id == review_id).order_by(ReviewVersion.number.desc()).limit(MOST_VERSIONS)
    return all_as(Earlier, session.execute(found))


def is_decided() -> sa.ColumnElement[bool]:
    """Whether an operator has decided about what was reported."""
    return ReviewReport.decided_at.is_not(None)
