"""Sums of days that are over: a statement says the same with them and without, whatever changes afterwards."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from flask import Flask

from shop.fulfilment import earnings
from shop.kernel.db import perform, reading
from shop.kernel.money import Money
from shop.models.orders import SettledDay, SubOrder
from shop.orders import settled_days
from shop.wallet import closing
from tests.support.counter import Counter, look_on, with_rice_and_oil
from tests.support.factories import Factories
from tests.support.money import balance, move


def collected(counter: Counter) -> SubOrder:
    """Something of the first shop, handed over."""
    buyer = counter.buyer()
    part = counter.packed(buyer, {"rice": 1})[0]
    counter.receive([part])
    counter.hand_over(counter.pass_of(buyer).code)
    return part


def count() -> int:
    """Days pass, and the worker sums those that are over."""
    perform(settled_days.open_days)
    look_on(settled_days.SUMMED_AFTER)
    return perform(settled_days.count_days)


def sums_kept() -> int:
    reading().rollback()
    return reading().scalar(sa.select(sa.func.count()).where(SettledDay.counted_at.is_not(None))) or 0


def test_a_statement_says_the_same_with_sums_and_without(app: Flask, make: Factories) -> None:
    counter = with_rice_and_oil(make)
    shop = counter.merchants[0].id
    buyers = [counter.buyer(), counter.buyer()]
    counter.receive([counter.packed(buyer, {"rice": 1})[0] for buyer in buyers])
    for buyer in buyers:
        counter.hand_over(counter.pass_of(buyer).code)
        look_on(timedelta(days=1))
    look_on(timedelta(hours=1))
    without = earnings.earned(reading(), shop)
    assert (without.orders, without.gross, without.commission) == (2, Money(4_000), Money(120))
    assert count() >= 2
    assert sums_kept() >= 2
    assert earnings.earned(reading(), shop) == without
    assert settled_days.summed(reading(), counter.merchants[1].id) == settled_days.Sums()


def test_a_day_is_summed_only_when_no_transaction_can_be_unaware_of_it(app: Flask, make: Factories) -> None:
    counter = with_rice_and_oil(make)
    collected(counter)
    assert perform(settled_days.open_days) == 0, "the day is not over"
    look_on(timedelta(days=1, hours=1))
    assert perform(settled_days.open_days) > 0
    assert perform(settled_days.open_days) == 0, "told twice"
    assert perform(settled_days.count_days) == 0, "it was opened just now"


def test_who_changes_an_order_of_a_day_takes_its_sum_away(app: Flask, make: Factories) -> None:
    counter = with_rice_and_oil(make)
    part = collected(counter)
    look_on(timedelta(days=2))
    count()
    before = sums_kept()
    perform(settled_days.reopen, [part.id])
    assert sums_kept() == before - 1
    assert earnings.earned(reading(), part.merchant_id).orders == 1
    assert count() == 1
    assert sums_kept() >= before


def test_a_balance_is_the_same_after_the_day_was_closed(app: Flask) -> None:
    move("first", "custodian", "escrow", 500)
    look_on(timedelta(days=2))
    move("second", "escrow", "commission", 200)
    assert perform(closing.close_day) == 3
    assert perform(closing.close_day) == 0, "told twice"
    assert (balance("escrow"), balance("commission"), balance("custodian")) == (300, 200, -500)
    move("third", "custodian", "escrow", 50)
    assert balance("escrow") == 350
    look_on(timedelta(days=1))
    perform(closing.close_day)
    assert (balance("escrow"), balance("custodian")) == (350, -550)
