"""Writing, changing and taking back reviews, adding to them, answering, reporting and deciding. Whatever changes which stars are shown
counts them anew within the same step."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import insert_once, operation, take
from shop.kernel.errors import NotFound
from shop.models.reviews import ProductRating, ReportKind, Review, ReviewPart, ReviewReport, ReviewState, ReviewVersion
from shop.platform import audit, notices
from shop.platform.actor import Actor
from shop.platform.own import refuse_own
from shop.reviews import queries, rules
from shop.reviews.errors import (
    ChangedMeanwhile,
    NothingToDecide,
    NothingToFollowUp,
    NotThere,
    OwnReview,
    OwnShop,
    ReasonMissing,
    StarsMissing,
    WordsMissing,
)
from shop.reviews.permissions import ReviewPermission
from shop.reviews.queries import Said
from shop.reviews.rules import Standing
from shop.reviews.tags import Done


@operation
def write(session: Session, actor: Actor, line_id: int, stars: int, text: str, is_anonymous: bool) -> int:
    """Say something of a line one collected; said already, it is changed, and put up again if it was taken back. The id of the review.

    Told twice it is one review. Raises `NotFound` for another's line, `StarsMissing`, `OwnShop`, and what the rules refuse.
    """
    bought, moment = queries.bought(session, actor, line_id), clock.now()
    if not 1 <= stars <= rules.MOST_STARS:
        raise StarsMissing()
    if any(grant.merchant_id == bought.merchant_id for grant in actor.grants):
        raise OwnShop()
    said = queries.of_line(session, line_id)
    if said is not None:
        return change(session, said, stars, text, is_anonymous)
    if refusal := rules.refusal_to_review(bought, moment):
        raise refusal
    made = insert_once(
        session, Review, line_id=line_id, product_id=bought.product_id, merchant_id=bought.merchant_id, user_id=actor.signed_in_id(),
        state=ReviewState.SHOWN, number=1, stars=stars, text=text, is_anonymous=is_anonymous, written_at=moment,
    )  # fmt: skip
    if made is None:
        raise ChangedMeanwhile()
    count(session, bought.product_id, shown=stars)
    return made


def change(session: Session, said: Said, stars: int, text: str, is_anonymous: bool) -> int:
    """The same review with other words; those of before are kept."""
    if said.is_shown and (said.stars, said.text, said.is_anonymous) == (stars, text, is_anonymous):
        return said.id
    moment = clock.now()
    if refusal := rules.refusal_to_change(standing(said), moment):
        raise refusal
    onto = {"state": ReviewState.SHOWN, "stars": stars, "text": text, "is_anonymous": is_anonymous, "changed_at": moment}
    alter(session, said, **onto)
    if said.is_shown:  # what was taken back was kept then
        keep(session, said, ReviewPart.REVIEW, said.text, said.stars)
    count(session, said.product_id, shown=stars, gone=said.stars if said.is_shown else None)
    return said.id


def standing(said: Said) -> Standing:
    return Standing(said.state, said.written_at, bool(said.follow_up), said.followed_up_at)


def alter(session: Session, said: Said, **values: Any) -> None:
    """Change a review that is still as it was seen. Raises `ChangedMeanwhile`."""
    seen = sa.update(Review).where(Review.id == said.id, Review.number == said.number, Review.state == said.state)
    if not take(session, seen.values(number=said.number + 1, **values)):
        raise ChangedMeanwhile()


def keep(session: Session, said: Said, part: ReviewPart, text: str, stars: int | None = None) -> None:
    """What a part of a review said, for the record; once for each number of the review, which only one change has."""
    insert_once(
        session, ReviewVersion, review_id=said.id, merchant_id=said.merchant_id, number=said.number, part=part, stars=stars, text=text,
        at=clock.now(),
    )  # fmt: skip


def count(session: Session, product_id: int, *, shown: int | None = None, gone: int | None = None) -> None:
    """One review more of `shown` stars, one less of `gone`; with neither, something else of it is seen otherwise."""
    insert_once(session, ProductRating, product_id=product_id, ones=0, twos=0, threes=0, fours=0, fives=0, changes=0)
    by = dict.fromkeys(rules.COUNTERS, 0)
    if shown is not None:
        by[rules.COUNTERS[shown - 1]] += 1
    if gone is not None:
        by[rules.COUNTERS[gone - 1]] -= 1
    values = {name: getattr(ProductRating, name) + step for name, step in by.items() if step}
    of_product = sa.update(ProductRating).where(ProductRating.product_id == product_id)
    take(session, of_product.values(changes=ProductRating.changes + 1, **values))


def mine(session: Session, actor: Actor, line_id: int) -> Said:
    """What the person who asks said of a line of theirs. Raises `NotFound` for another's, `NothingToFollowUp` where nothing was said."""
    queries.bought(session, actor, line_id)
    said = queries.of_line(session, line_id)
    if said is None:
        raise NothingToFollowUp()
    return said


@operation
def take_back(session: Session, actor: Actor, line_id: int) -> None:
    """Nobody reads it any more; taken back already, nothing changes. Its writer may put it up again while it may be changed.

    Raises `NotFound`, `NothingToFollowUp`, `IsHidden`, `TooLateToChange`.
    """
    said = mine(session, actor, line_id)
    if said.state is ReviewState.TAKEN_BACK:
        return
    if refusal := rules.refusal_to_change(standing(said), clock.now()):
        raise refusal
    alter(session, said, state=ReviewState.TAKEN_BACK)
    keep(session, said, ReviewPart.REVIEW, said.text, said.stars)
    count(session, said.product_id, gone=said.stars)
    audit.record(session, actor, Done.TAKEN_BACK, "review", said.id)


@operation
def follow_up(session: Session, actor: Actor, line_id: int, text: str) -> None:
    """Add something later, once; for a while it can be put otherwise, and what it said is kept.

    Raises `NotFound`, `WordsMissing`, `NothingToFollowUp`, `IsHidden`, `TooLateToFollowUp`, `TooLateToChange`.
    """
    if not text:
        raise WordsMissing("follow_up")
    said, moment = mine(session, actor, line_id), clock.now()
    if said.follow_up == text and said.is_shown:
        return
    if refusal := rules.refusal_to_follow_up(standing(said), said.collected_at or said.written_at, moment):
        raise refusal
    alter(session, said, follow_up=text, followed_up_at=said.followed_up_at or moment)
    if said.follow_up:
        keep(session, said, ReviewPart.FOLLOW_UP, said.follow_up)
    count(session, said.product_id)


@operation
def answer(session: Session, actor: Actor, review_id: int, text: str) -> None:
    """A shop answers what is said of its goods, once; told again it corrects the answer, and what it said is kept. Its writer is told once.

    Raises `WordsMissing`, `NotFound` for a review of another shop or one that is not shown, `ChangedMeanwhile`.
    """
    if not text:
        raise WordsMissing("answer")
    said = queries.one_of_shops(session, actor.merchants(ReviewPermission.ANSWER_WRITE), review_id)
    if said.answer == text:
        return
    moment = clock.now()
    if said.answer:
        alter(session, said, answer=text, answered_by_id=actor.signed_in_id(), answer_corrected_at=moment)
        keep(session, said, ReviewPart.ANSWER, said.answer)
        audit.record(session, actor, Done.CORRECTED, "review", said.id)
    else:
        alter(session, said, answer=text, answered_by_id=actor.signed_in_id(), answered_at=moment)
        audit.record(session, actor, Done.ANSWERED, "review", said.id)
        tell(session, said, "reviews.answered", "answered", shop={"zh": said.merchant_name_zh, "en": said.merchant_name_en})
    count(session, said.product_id)


def tell(session: Session, said: Said, kind: str, what: str, **facts: Any) -> None:
    """Tell its writer, once for each `what`."""
    product = {"zh": said.name_zh, "en": said.name_en}
    link = f"/reviews/lines/{said.line_id}"
    notices.post(session, said.user_id, kind, dedupe_key=f"review:{said.id}:{what}", link=link, product=product, **facts)


@operation
def report(session: Session, actor: Actor, review_id: int, kind: ReportKind, words: str) -> None:
    """Somebody says that a review should not stand there; said before, nothing changes. An operator decides.

    Raises `NotFound` for one that is not shown, `OwnReview`.
    """
    said = queries.one_shown(session, review_id)
    if said.user_id == actor.signed_in_id():
        raise OwnReview()
    insert_once(
        session, ReviewReport, review_id=review_id, merchant_id=said.merchant_id, user_id=actor.signed_in_id(), kind=kind, words=words,
        reported_at=clock.now(),
    )  # fmt: skip


def for_staff(session: Session, actor: Actor, review_id: int) -> Said:
    """A review about which somebody decides. Raises `NotFound` unless that is permitted everywhere, `OwnDeed` for one's own."""
    if not actor.everywhere(ReviewPermission.REPORT_DECIDE):
        raise NotFound()
    said = queries.one(session, review_id)
    refuse_own(actor, said.user_id)
    return said


def close_reports(session: Session, review_id: int) -> int:
    """What was reported of a review is decided; how many reports waited."""
    waiting = sa.update(ReviewReport).where(ReviewReport.review_id == review_id, ReviewReport.decided_at.is_(None))
    outcome: Any = session.execute(waiting.values(decided_at=clock.now()).execution_options(synchronize_session=False))
    return int(outcome.rowcount)


@operation
def keep_shown(session: Session, actor: Actor, review_id: int) -> None:
    """What was reported stays; its writer is told. Raises `NotFound`, `OwnDeed`, `NothingToDecide`."""
    said = for_staff(session, actor, review_id)
    if not close_reports(session, review_id):
        raise NothingToDecide()
    audit.record(session, actor, Done.KEPT, "review", review_id)
    if said.is_shown:
        tell(session, said, "reviews.kept", f"kept:{said.number}")


@operation
def hide(session: Session, actor: Actor, review_id: int, reason: str) -> None:
    """A review is shown to nobody but its writer and staff, who read why; its stars count no more.

    Raises `ReasonMissing`, `NotFound`, `OwnDeed`, `NotThere` for one that is not shown.
    """
    if not reason:
        raise ReasonMissing()
    said = for_staff(session, actor, review_id)
    if not said.is_shown:
        raise NotThere()
    decided = {"decided_by_id": actor.signed_in_id(), "decided_at": clock.now()}
    alter(session, said, state=ReviewState.HIDDEN, hidden_reason=reason, **decided)
    close_reports(session, review_id)
    count(session, said.product_id, gone=said.stars)
    audit.record(session, actor, Done.HIDDEN, "review", review_id, reason=reason)
    tell(session, said, "reviews.hidden", f"hidden:{said.number}", reason=reason)


@operation
def show_again(session: Session, actor: Actor, review_id: int) -> None:
    """What was hidden is read and counted again; its writer is told. Raises `NotFound`, `OwnDeed`, `NothingToDecide`."""
    said = for_staff(session, actor, review_id)
    if not said.is_hidden:
        raise NothingToDecide()
    decided = {"decided_by_id": actor.signed_in_id(), "decided_at": clock.now()}
    alter(session, said, state=ReviewState.SHOWN, hidden_reason="", **decided)
    count(session, said.product_id, shown=said.stars)
    audit.record(session, actor, Done.SHOWN_AGAIN, "review", review_id)
    tell(session, said, "reviews.shown_again", f"shown:{said.number}")
