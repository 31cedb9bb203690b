"""Goods that are gone without being sold: written off with a reason, taken back within a week by a movement that says the opposite."""

from __future__ import annotations

import time
from datetime import timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.models.accounts import Role
from shop.models.platform import AuditEntry, Notice
from shop.models.stock import LossReason, MovementKind, StockLoss, StockMovement
from shop.platform import retention
from shop.stock import counting, history, losses, rules, seeding, shelves
from shop.stock.counting import Why
from shop.stock.errors import (
    CountedSince,
    LossReasonMissing,
    LossWordsMissing,
    MoreThanThere,
    PromisedGoods,
    TakenBackBefore,
    ToldDifferently,
    TooLateToTakeBack,
)
from shop.stock.feature import FEATURE
from tests.support.books import assert_books_are_right
from tests.support.counter import Counter
from tests.support.factories import Factories
from tests.support.shopping import count


@pytest.fixture
def counter(make: Factories) -> Counter:
    made = Counter(make)
    made.goods("rice", on_hand=10)
    made.goods("oil", merchant=1, on_hand=10)
    return made


def write_off(counter: Counter, quantity: int, reason: LossReason, words: str = "", *, cause: str = "", sure: bool = False) -> bool:
    cause = cause or f"test:{count(StockMovement)}:{count(AuditEntry)}"
    return perform(
        counting.adjust, counter.clerks[0], "rice", MovementKind.SPOILAGE, quantity, cause, sure=lambda _doubt: sure,
        why=Why(reason, words),
    )  # fmt: skip


def listed(counter: Counter, **wanted: Any) -> list[losses.Loss]:
    reading().rollback()
    return losses.list_losses(reading(), counter.merchants[0].id, **wanted)[0]


def figures(counter: Counter) -> tuple[int, int, int]:
    """On the shelf, sold and waiting, free to sell."""
    reading().rollback()
    shelf = shelves.get_shelf(reading(), [counter.merchants[0].id], "rice")
    return shelf.on_shelf, shelf.waiting, shelf.available


def newest_movement() -> int:
    reading().rollback()
    return reading().scalars(sa.select(sa.func.max(StockMovement.id))).one()


def test_the_losses_of_the_documentation(counter: Counter) -> None:
    counter.ordered(counter.buyer(), {"rice": 4})
    assert figures(counter) == (10, 4, 6)
    write_off(counter, 2, LossReason.BROKEN)
    assert figures(counter) == (8, 4, 4)
    perform(counting.take_back, counter.clerks[0], "rice", newest_movement())
    assert figures(counter) == (10, 4, 6)
    with pytest.raises(PromisedGoods):
        write_off(counter, 7, LossReason.STOLEN, "at night")
    write_off(counter, 7, LossReason.STOLEN, "at night", sure=True)
    assert figures(counter) == (3, 4, 0)
    assert shelves.get_shelf(reading(), [counter.merchants[0].id], "rice").missing == 1
    assert_books_are_right()


@pytest.mark.parametrize("reason", list(LossReason))
def test_what_is_written_off_leaves_the_shelf_with_its_reason(counter: Counter, reason: LossReason) -> None:
    counter.ordered(counter.buyer(), {"rice": 2})
    assert write_off(counter, 3, reason, "fell down") is True
    assert figures(counter) == (7, 2, 5)
    (loss,) = listed(counter)
    assert (loss.code, loss.quantity, loss.reason, loss.words, loss.who, loss.is_taken_back) == (
        "rice", 3, reason, "fell down", "刘店员", False
    )  # fmt: skip
    entry = reading().scalars(sa.select(AuditEntry).where(AuditEntry.action == "stock.written_off")).one()
    assert (entry.facts["loss"], entry.facts["quantity"]) == (reason.value, -3)
    assert_books_are_right()


@pytest.mark.parametrize("reason", sorted(rules.NEED_WORDS))
def test_what_was_stolen_or_is_something_else_is_told_in_words(counter: Counter, reason: LossReason) -> None:
    with pytest.raises(LossWordsMissing):
        write_off(counter, 1, reason)
    assert figures(counter) == (10, 0, 10)
    assert count(StockLoss) == 0


def test_a_reason_belongs_to_goods_that_are_written_off(counter: Counter) -> None:
    with pytest.raises(LossReasonMissing):
        perform(counting.adjust, counter.clerks[0], "rice", MovementKind.RECEIVED, 1, "x", why=Why(LossReason.BROKEN))


def test_no_more_than_there_is_and_promised_goods_are_asked_about(counter: Counter) -> None:
    counter.ordered(counter.buyer(), {"rice": 4})
    with pytest.raises(MoreThanThere):
        write_off(counter, 11, LossReason.BROKEN)
    with pytest.raises(PromisedGoods):
        write_off(counter, 7, LossReason.BROKEN)
    assert write_off(counter, 7, LossReason.BROKEN, sure=True) is True
    assert figures(counter) == (3, 4, 0)
    assert_books_are_right()


def test_told_twice_it_is_lost_once_and_for_another_reason_it_is_refused(counter: Counter) -> None:
    assert write_off(counter, 2, LossReason.BROKEN, cause="same") is True
    assert write_off(counter, 2, LossReason.BROKEN, cause="same") is False
    with pytest.raises(ToldDifferently):
        write_off(counter, 2, LossReason.GIVEN_AWAY, cause="same")
    assert (figures(counter)[0], count(StockLoss)) == (8, 1)


def test_it_is_taken_back_within_a_week_and_stays_on_the_list(counter: Counter) -> None:
    write_off(counter, 3, LossReason.BROKEN)
    movement = newest_movement()
    clock.move(clock.shift() + rules.WRITTEN_OFF_FOR - timedelta(minutes=1))
    perform(counting.take_back, counter.clerks[0], "rice", movement)
    assert figures(counter) == (10, 0, 10)
    (loss,) = listed(counter)
    assert loss.is_taken_back
    assert losses.sums(reading(), counter.merchants[0].id) == {}
    with pytest.raises(TakenBackBefore):
        perform(counting.take_back, counter.clerks[0], "rice", movement)
    assert_books_are_right()


def test_after_a_week_or_a_count_it_stays(counter: Counter) -> None:
    write_off(counter, 3, LossReason.BROKEN)
    movement = newest_movement()
    (row, *_rest), _ = history.list_movements(reading(), shelves.get_shelf(reading(), [counter.merchants[0].id], "rice").variant_id)
    assert (row.can_be_taken_back, row.reason) == (True, LossReason.BROKEN)
    clock.move(clock.shift() + rules.WRITTEN_OFF_FOR + timedelta(minutes=1))
    assert not row.can_be_taken_back
    with pytest.raises(TooLateToTakeBack):
        perform(counting.take_back, counter.clerks[0], "rice", movement)
    write_off(counter, 1, LossReason.BROKEN)
    again = newest_movement()
    perform(counting.adjust, counter.clerks[0], "rice", MovementKind.CORRECTION, 6, "counted")
    with pytest.raises(CountedSince):
        perform(counting.take_back, counter.clerks[0], "rice", again)


def test_what_came_in_is_taken_back_after_a_week_too(counter: Counter) -> None:
    perform(counting.adjust, counter.clerks[0], "rice", MovementKind.RECEIVED, 5, "came")
    movement = newest_movement()
    clock.move(clock.shift() + rules.WRITTEN_OFF_FOR + timedelta(days=1))
    perform(counting.take_back, counter.clerks[0], "rice", movement)
    assert figures(counter)[0] == 10


def test_the_list_is_of_one_shop_by_reason_and_page_and_summed(counter: Counter) -> None:
    for quantity, reason in ((1, LossReason.BROKEN), (2, LossReason.SPOILED), (4, LossReason.BROKEN)):
        write_off(counter, quantity, reason)
    perform(counting.adjust, counter.clerks[1], "oil", MovementKind.SPOILAGE, 1, "other shop", why=Why(LossReason.BROKEN))
    assert [loss.quantity for loss in listed(counter)] == [4, 2, 1]
    assert [loss.quantity for loss in listed(counter, reason=LossReason.BROKEN)] == [4, 1]
    first, place = losses.list_losses(reading(), counter.merchants[0].id, limit=2)
    assert ([loss.quantity for loss in first], [loss.quantity for loss in listed(counter, before=place)]) == ([4, 2], [1])
    assert losses.sums(reading(), counter.merchants[0].id) == {LossReason.BROKEN: 5, LossReason.SPOILED: 2}
    clock.move(clock.shift() + losses.SUMMED + timedelta(hours=1))
    assert losses.sums(reading(), counter.merchants[0].id) == {}


def test_the_reason_is_forgotten_after_three_years_and_the_movement_stays(counter: Counter) -> None:
    write_off(counter, 1, LossReason.OTHER, "the cat")
    clock.move(clock.shift() + timedelta(days=3 * 366 + 1))
    write_off(counter, 1, LossReason.BROKEN)  # the newest row always stays
    for number, rule in enumerate((FEATURE.keeps or {})[StockLoss].forget):
        retention.prune(StockLoss, rule, number, time.monotonic() + 10)
    assert [loss.reason for loss in listed(counter)] == [LossReason.BROKEN]
    assert figures(counter)[0] == 8
    assert_books_are_right()


def test_the_demo_citys_shelves_are_as_people_would_leave_them(make: Factories) -> None:
    owner, shop = make.user(seeding.OWNER), make.merchant(seeding.SHOP)
    make.grant(owner, Role.MERCHANT_OWNER, merchant=shop)
    for code in {*seeding.FEW_LEFT, *(lost.code for lost in seeding.LOST)}:
        make.product(shop, code=code, on_hand=400)
    with transaction() as session:
        seeding.seed(session, Random(1))
    found = losses.list_losses(reading(), shop.id)[0]
    assert len(found) == len(seeding.LOST)
    assert [loss.is_taken_back for loss in found].count(True) == 1
    few, _ = shelves.list_shelves(reading(), [shop.id], only_few=True)
    assert {shelf.code: shelf.available for shelf in few} == seeding.FEW_LEFT
    assert all(shelf.low_since for shelf in few)
    assert reading().scalars(sa.select(Notice.kind).where(Notice.user_id == owner.id)).all() == ["stock.low"] * 2
    assert_books_are_right()
