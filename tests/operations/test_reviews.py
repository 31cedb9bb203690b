"""Saying something of what one collected, adding to it, answering, reporting and deciding; and what the stars come to."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.kernel.errors import NotFound
from shop.models.accounts import Role
from shop.models.orders import SubOrder
from shop.models.platform import AuditEntry, Notice
from shop.models.reviews import ReportKind, Review, ReviewPart, ReviewReport, ReviewState, ReviewVersion
from shop.platform.actor import Actor, Grant
from shop.platform.own import OwnDeed
from shop.reviews import errors, operations, queries
from shop.reviews.invariants import INVARIANTS
from shop.reviews.seeding import seed
from tests.support.factories import Factories, actor_of
from tests.support.reviews import Reviewing, review_of
from tests.support.shopping import count


@pytest.fixture
def shop(app: Flask, make: Factories) -> Reviewing:
    return Reviewing(make)


@pytest.fixture
def operator(make: Factories) -> Actor:
    user = make.user()
    make.grant(user, Role.OPERATOR)
    return actor_of(user, Grant("operator"))


def counts(shop: Reviewing) -> tuple[int, ...]:
    """The stars of rice as they are written down, which are always those of its reviews."""
    reading().rollback()
    assert [row for invariant in INVARIANTS for row in invariant.rows(reading(), ())] == []
    return queries.rating(reading(), shop.rice.product_id).counts


def told(user_id: int) -> list[str]:
    reading().rollback()
    kinds = sa.select(Notice.kind).where(Notice.user_id == user_id, Notice.kind.startswith("reviews."))
    return list(reading().scalars(kinds.order_by(Notice.id)))


def on_record(what: str) -> int:
    reading().rollback()
    return reading().scalar(sa.select(sa.func.count()).select_from(AuditEntry).where(AuditEntry.action == what)) or 0


def test_what_was_collected_can_be_reviewed_once(shop: Reviewing) -> None:
    buyer = shop.buyer()
    line_id = shop.collected(buyer)
    actor = actor_of(buyer)
    first = perform(operations.write, actor, line_id, 5, "很新鲜", False)
    again = perform(operations.write, actor, line_id, 5, "很新鲜", False)
    assert first == again
    assert (count(Review), count(ReviewVersion), counts(shop)) == (1, 0, (0, 0, 0, 0, 1))


def test_nobody_reviews_what_they_have_not_collected(shop: Reviewing) -> None:
    buyer = shop.buyer()
    shop.ready(buyer, {"rice": 1})
    reading().rollback()
    line_id = reading().scalars(sa.text("SELECT MAX(id) FROM order_lines")).one()
    with pytest.raises(errors.NotCollectedYet):
        perform(operations.write, actor_of(buyer), line_id, 5, "", False)
    assert (count(Review), counts(shop)) == (0, (0, 0, 0, 0, 0))


def test_nobody_reviews_what_was_paid_back(shop: Reviewing) -> None:
    buyer = shop.buyer()
    line_id = shop.collected(buyer)
    with transaction() as session:
        session.execute(sa.update(SubOrder).values(refunded_total=SubOrder.total))
    with pytest.raises(errors.NothingWasGot):
        perform(operations.write, actor_of(buyer), line_id, 5, "", False)
    assert count(Review) == 0


def test_nobody_reviews_for_another(shop: Reviewing) -> None:
    line_id = shop.collected(shop.buyer())
    other = actor_of(shop.buyer())
    for deed in (
        lambda: perform(operations.write, other, line_id, 5, "", False),
        lambda: perform(operations.take_back, other, line_id),
        lambda: perform(operations.follow_up, other, line_id, "x"),
    ):
        with pytest.raises(NotFound):
            deed()
    assert count(Review) == 0


def test_nobody_reviews_the_goods_of_the_shop_they_work_at(shop: Reviewing) -> None:
    buyer = shop.buyer()
    line_id = shop.collected(buyer)
    with pytest.raises(errors.OwnShop):
        perform(operations.write, actor_of(buyer, Grant("merchant_clerk", merchant_id=shop.merchants[0].id)), line_id, 5, "", False)
    assert count(Review) == 0


@pytest.mark.parametrize("stars", [0, 6, -1])
def test_stars_are_one_to_five(shop: Reviewing, stars: int) -> None:
    buyer = shop.buyer()
    line_id = shop.collected(buyer)
    with pytest.raises(errors.StarsMissing):
        perform(operations.write, actor_of(buyer), line_id, stars, "", False)
    assert count(Review) == 0


def test_a_change_keeps_what_was_said_and_counts_the_stars_anew(shop: Reviewing) -> None:
    buyer = shop.buyer()
    line_id = shop.said(buyer, 5, "很新鲜")
    perform(operations.write, actor_of(buyer), line_id, 2, "第二天就坏了", True)
    assert counts(shop) == (0, 1, 0, 0, 0)
    kept = reading().scalars(sa.select(ReviewVersion)).one()
    assert (kept.part, kept.stars, kept.text, kept.number) == (ReviewPart.REVIEW, 5, "很新鲜", 1)
    said = review_of(line_id)
    assert (said.stars, said.text, said.is_anonymous, said.number) == (2, "第二天就坏了", True, 2)


def test_after_thirty_days_it_stays_as_it_is(shop: Reviewing) -> None:
    buyer = shop.buyer()
    line_id = shop.said(buyer)
    clock.move(clock.shift() + timedelta(days=30))
    with pytest.raises(errors.TooLateToChange):
        perform(operations.write, actor_of(buyer), line_id, 1, "x", False)
    with pytest.raises(errors.TooLateToChange):
        perform(operations.take_back, actor_of(buyer), line_id)
    assert (review_of(line_id).stars, counts(shop)) == (5, (0, 0, 0, 0, 1))


def test_what_is_taken_back_counts_no_more_and_can_be_put_up_again(shop: Reviewing) -> None:
    buyer = shop.buyer()
    line_id = shop.said(buyer)
    for _ in range(2):
        perform(operations.take_back, actor_of(buyer), line_id)
    assert (counts(shop), on_record("reviews.taken_back"), count(ReviewVersion)) == ((0, 0, 0, 0, 0), 1, 1)
    assert queries.list_shown(reading(), shop.rice.product_id) == ([], None)
    with pytest.raises(errors.NothingToFollowUp):
        perform(operations.follow_up, actor_of(buyer), line_id, "x")
    perform(operations.write, actor_of(buyer), line_id, 5, "很新鲜", False)
    assert (counts(shop), review_of(line_id).state, count(ReviewVersion)) == ((0, 0, 0, 0, 1), ReviewState.SHOWN, 1)


def test_something_is_added_once_and_can_be_put_otherwise(shop: Reviewing) -> None:
    buyer = shop.buyer()
    line_id = shop.said(buyer)
    clock.move(clock.shift() + timedelta(days=40))
    perform(operations.follow_up, actor_of(buyer), line_id, "放了四天还好")
    added_at = review_of(line_id).followed_up_at
    perform(operations.follow_up, actor_of(buyer), line_id, "放了五天还好")
    said = review_of(line_id)
    assert (said.follow_up, said.followed_up_at) == ("放了五天还好", added_at)
    assert reading().scalars(sa.select(ReviewVersion.text)).all() == ["放了四天还好"]
    clock.move(clock.shift() + timedelta(days=30))
    with pytest.raises(errors.TooLateToChange):
        perform(operations.follow_up, actor_of(buyer), line_id, "x")
    assert counts(shop) == (0, 0, 0, 0, 1)


def test_half_a_year_after_collecting_nothing_is_added(shop: Reviewing) -> None:
    buyer = shop.buyer()
    line_id = shop.said(buyer)
    clock.move(clock.shift() + timedelta(days=180))
    with pytest.raises(errors.TooLateToFollowUp):
        perform(operations.follow_up, actor_of(buyer), line_id, "x")
    assert review_of(line_id).follow_up == ""


def test_a_shop_answers_once_and_may_correct_it_and_the_writer_is_told_once(shop: Reviewing) -> None:
    buyer = shop.buyer()
    line_id = shop.said(buyer)
    clerk, review_id = shop.clerks[0], review_of(line_id).id
    for text in ("谢谢", "谢谢", "谢谢您"):
        perform(operations.answer, clerk, review_id, text)
    said = review_of(line_id)
    assert (said.answer, said.answer_corrected_at is not None) == ("谢谢您", True)
    assert reading().execute(sa.select(ReviewVersion.part, ReviewVersion.text)).all() == [(ReviewPart.ANSWER, "谢谢")]
    assert told(buyer.id) == ["reviews.answered"]
    assert (on_record("reviews.answered"), on_record("reviews.corrected")) == (1, 1)


def test_another_shop_answers_nothing(app: Flask, make: Factories) -> None:
    shop = Reviewing(make, merchants=2)
    review_id = review_of(shop.said(shop.buyer())).id
    for actor in (shop.clerks[1], actor_of(shop.buyer())):
        with pytest.raises(NotFound):
            perform(operations.answer, actor, review_id, "x")
    with pytest.raises(errors.WordsMissing):
        perform(operations.answer, shop.clerks[0], review_id, "")
    reading().rollback()
    assert reading().scalars(sa.select(Review.answer)).all() == [""]


def test_a_report_waits_until_an_operator_keeps_the_review(shop: Reviewing, operator: Actor) -> None:
    buyer, reporter = shop.buyer(), actor_of(shop.buyer())
    review_id = review_of(shop.said(buyer)).id
    for _ in range(2):
        perform(operations.report, reporter, review_id, ReportKind.UNTRUE, "没这回事")
    assert count(ReviewReport) == 1
    assert [one.review_id for one in queries.list_reported(reading())[0]] == [review_id]
    perform(operations.keep_shown, operator, review_id)
    reading().rollback()
    assert queries.list_reported(reading())[0] == []
    assert (told(buyer.id), on_record("reviews.kept"), counts(shop)) == (["reviews.kept"], 1, (0, 0, 0, 0, 1))
    with pytest.raises(errors.NothingToDecide):
        perform(operations.keep_shown, operator, review_id)


def test_what_an_operator_hides_counts_no_more_and_can_be_shown_again(shop: Reviewing, operator: Actor) -> None:
    buyer = shop.buyer()
    line_id = shop.said(buyer, 1, "加我微信")
    review_id = review_of(line_id).id
    perform(operations.report, actor_of(shop.buyer()), review_id, ReportKind.ADVERT, "")
    with pytest.raises(errors.ReasonMissing):
        perform(operations.hide, operator, review_id, "")
    perform(operations.hide, operator, review_id, "拉人加微信")
    assert (counts(shop), review_of(line_id).hidden_reason, queries.list_reported(reading())[0]) == ((0, 0, 0, 0, 0), "拉人加微信", [])
    with pytest.raises(errors.IsHidden):
        perform(operations.write, actor_of(buyer), line_id, 1, "x", False)
    with pytest.raises(NotFound):
        perform(operations.answer, shop.clerks[0], review_id, "x")
    perform(operations.show_again, operator, review_id)
    assert (counts(shop), review_of(line_id).state) == ((1, 0, 0, 0, 0), ReviewState.SHOWN)
    assert told(buyer.id) == ["reviews.hidden", "reviews.shown_again"]
    assert (on_record("reviews.hidden"), on_record("reviews.shown_again")) == (1, 1)


def test_nobody_decides_about_their_own_review_and_nobody_but_operators_decides(shop: Reviewing, operator: Actor) -> None:
    buyer = shop.buyer()
    review_id = review_of(shop.said(buyer)).id
    with pytest.raises(OwnDeed):
        perform(operations.hide, actor_of(buyer, Grant("operator")), review_id, "why")
    for actor in (shop.clerks[0], actor_of(buyer), actor_of(buyer, Grant("auditor"))):
        with pytest.raises(NotFound):
            perform(operations.hide, actor, review_id, "why")
    with pytest.raises(errors.OwnReview):
        perform(operations.report, actor_of(buyer), review_id, ReportKind.OTHER, "")
    assert counts(shop) == (0, 0, 0, 0, 1)


def test_a_change_of_what_was_changed_meanwhile_is_refused(shop: Reviewing) -> None:
    """Two who saw the same: the second changes nothing, and the stars are counted once."""
    buyer = shop.buyer()
    line_id = shop.said(buyer, 5)
    seen = queries.of_line(reading(), line_id)
    assert seen is not None
    perform(operations.write, actor_of(buyer), line_id, 3, "x", False)
    with pytest.raises(errors.ChangedMeanwhile), transaction() as session:
        operations.change(session, seen, 1, "y", False)
    assert counts(shop) == (0, 0, 1, 0, 0)


def test_what_waits_is_what_was_collected_lately_and_not_reviewed(shop: Reviewing) -> None:
    buyer = shop.buyer()
    first, second = shop.collected(buyer), shop.collected(buyer)
    reading().rollback()
    assert [one.line_id for one in queries.list_to_review(reading(), actor_of(buyer))[0]] == [second, first]
    assert [one.line_id for one in queries.list_to_review(reading(), actor_of(buyer), before=second)[0]] == [first]
    listed, following = queries.list_to_review(reading(), actor_of(buyer), limit=1)
    assert ([one.line_id for one in listed], following) == ([second], second)
    perform(operations.write, actor_of(buyer), second, 4, "", False)
    reading().rollback()
    assert [one.line_id for one in queries.list_to_review(reading(), actor_of(buyer))[0]] == [first]
    clock.move(clock.shift() + timedelta(days=90))
    assert queries.list_to_review(reading(), actor_of(buyer))[0] == []


def test_names_are_shown_in_half_or_not_at_all(shop: Reviewing) -> None:
    shop.said(shop.buyer(display_name="张三丰"))
    shop.said(shop.buyer(display_name="李四"), is_anonymous=True)
    reading().rollback()
    assert [one.shown_name for one in queries.list_shown(reading(), shop.rice.product_id)[0]] == ["", "张**"]


def test_the_demo_city_has_reviews_of_every_kind(shop: Reviewing, operator: Actor) -> None:
    buyer = shop.buyer(money=10_000_000)
    for _ in range(20):
        shop.collected(buyer)
    with transaction() as session:
        seed(session, Random(7))
    assert sum(counts(shop)) == count(Review) > 10
    assert len(queries.list_reported(reading())[0]) == 3
    assert queries.list_to_review(reading(), actor_of(buyer))[0]
