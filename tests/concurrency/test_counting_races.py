"""A count beside sales, packing, cancelling and declining: whichever comes first, nothing is sold twice and nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from shop.catalog import pricing
from shop.catalog.errors import PriceChangedMeanwhile, PricesRefused
from shop.catalog.pricing import NewPrice
from shop.fulfilment import operations as fulfilment
from shop.kernel.db import perform, reading
from shop.kernel.money import Money
from shop.models.catalog import Listing, PriceChange, Variant
from shop.models.orders import PaymentMethod
from shop.models.payments import Payment
from shop.models.stock import MovementKind, StockItem, StockMovement
from shop.orders import operations as orders
from shop.platform.actor import COMMAND
from shop.stock import counting, queries, shelves
from shop.stock.errors import GoodsGone, StockShortage, TakenBackBefore
from shop.stock.rules import Lying
from shop.stock.shelves import Shelf
from tests.support.books import assert_books_are_right
from tests.support.counter import Counter
from tests.support.factories import Factories, actor_of
from tests.support.shopping import at_once, count

pytestmark = pytest.mark.slow

THREADS = 8


@pytest.fixture
def counter(make: Factories) -> Counter:
    made = Counter(make, merchants=1)
    made.goods("rice", on_hand=20)
    return made


def shelf(counter: Counter) -> Shelf:
    reading().rollback()
    return shelves.get_shelf(reading(), [counter.merchants[0].id], "rice")


def tell(counter: Counter, quantity: int, cause: str) -> Callable[[], bool]:
    return lambda: perform(counting.adjust, counter.clerks[0], "rice", MovementKind.CORRECTION, quantity, cause, sure=lambda _doubt: True)


def presses_to_buy(counter: Counter, how_many: int) -> list[Callable[[], Any]]:
    presses = []
    for _ in range(how_many):
        user = counter.buyer()
        counter.fill(user, {"rice": 1})
        quote = counter.quote(user)
        presses.append(lambda user=user, quote=quote: counter.place(user, quote))
    return presses


def test_counts_beside_sales_find_all_there(app: Flask, counter: Counter) -> None:
    """Nobody takes anything from the shelf: twenty lie there whatever is sold meanwhile, and twenty can be sold in all."""
    outcomes = at_once(app, [*presses_to_buy(counter, THREADS), *(tell(counter, 20, f"count:{number}") for number in range(4))])
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert outcomes[THREADS:] == [False] * 4, "no count changed anything"
    after = shelf(counter)
    assert (after.on_shelf, after.waiting, after.available, after.missing) == (20, THREADS, 20 - THREADS, 0)
    assert_books_are_right()


def wait_between(monkeypatch: pytest.MonkeyPatch, counter: Counter) -> tuple[threading.Event, threading.Event]:
    """The control: what waits is read first, the row locked afterwards, with a sale between the two."""
    looked, sold = threading.Event(), threading.Event()

    def waiting_first(session: Session, row: Shelf) -> Lying:
        waiting = queries.waiting(reading(), [row.merchant_id], [row.variant_id]).get(row.variant_id, 0)
        reading().rollback()
        looked.set()
        sold.wait(3)
        found = session.execute(
            sa.select(StockItem.on_hand, StockItem.reserved, StockItem.missing)
            .where(StockItem.variant_id == row.variant_id)
            .with_for_update(key_share=True)
        ).one()
        return Lying(found.on_hand, found.reserved, found.missing, waiting)

    monkeypatch.setattr(counting, "locked", waiting_first)
    return looked, sold


def test_without_the_lock_a_count_beside_a_sale_puts_it_back_for_sale(
    app: Flask, counter: Counter, monkeypatch: pytest.MonkeyPatch, engine_name: str
) -> None:
    """If this stops selling twice, the test above proves nothing. SQLite has one writer: there the sale waits for the count's end."""
    looked, sold = wait_between(monkeypatch, counter)
    (press,) = presses_to_buy(counter, 1)

    def buy_while_it_counts() -> None:
        looked.wait(3)
        press()
        sold.set()

    at_once(app, [tell(counter, 20, "count:1"), buy_while_it_counts])
    assert shelf(counter).available == (20 if engine_name == "postgresql" else 19), "one of them is sold"


@pytest.mark.parametrize("what", ["pack", "decline", "cancel", "expire", "pay"])
def test_a_count_beside_whatever_moves_an_order_leaves_nothing_to_sell_twice(app: Flask, counter: Counter, what: str) -> None:
    """Whichever comes first, the figures are those of one after the other: what is free never counts what is promised."""
    buyer = counter.buyer()
    method = PaymentMethod.STRIPE if what in {"expire", "pay"} else PaymentMethod.WALLET
    placed = counter.buy(buyer, {"rice": 4}, method)
    part = placed.sub_orders[0]
    payment_id = reading().scalars(sa.select(Payment.id)).one()
    moves: dict[str, Callable[[], Any]] = {
        "pack": lambda: perform(fulfilment.pack, counter.clerks[0], part.id, {}, {}),
        "decline": lambda: perform(orders.decline, counter.clerks[0], part.id, "gone"),
        "cancel": lambda: perform(orders.cancel, actor_of(buyer), placed.number),
        "expire": lambda: perform(orders.expire, placed.purchase_id),
        "pay": lambda: perform(orders.mark_paid, COMMAND, placed.purchase_id, payment_id, "provider"),
    }
    outcomes = at_once(app, [moves[what], tell(counter, 10, "count:1")])
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    after = shelf(counter)
    found = (after.on_shelf, after.waiting, after.reserved, after.available)
    assert (
        found
        in {
            "pack": {(10, 0, 0, 10), (6, 0, 0, 6)},  # counted after it was packed, or before
            "decline": {(10, 0, 0, 10), (6, 0, 0, 6)},
            "cancel": {(10, 0, 0, 10)},
            "expire": {(10, 0, 0, 10)},
            "pay": {(10, 4, 0, 6)},
        }[what]
    )
    assert_books_are_right(leave_out=("plumbing.", "payments."))  # the money itself does not come here


def test_the_same_count_told_by_many_at_once_is_one_movement(app: Flask, counter: Counter) -> None:
    outcomes = at_once(app, [tell(counter, 15, "count:1")] * THREADS)
    assert sorted(outcomes, key=str) == [False] * (THREADS - 1) + [True], outcomes
    assert (shelf(counter).available, count(StockMovement)) == (15, 2)


def test_goods_taken_back_and_sold_at_once_are_one_or_the_other(app: Flask, counter: Counter) -> None:
    perform(counting.adjust, counter.clerks[0], "rice", MovementKind.RECEIVED, 5, "delivery")
    movement = reading().scalars(sa.select(StockMovement.id).where(StockMovement.cause == "delivery")).one()
    counter.buy(counter.buyer(), {"rice": 20})
    takes = [lambda: perform(counting.take_back, counter.clerks[0], "rice", movement)] * 2
    outcomes = at_once(app, [*takes, *presses_to_buy(counter, 2)])
    kinds = {type(outcome) for outcome in outcomes if isinstance(outcome, Exception)}
    assert kinds <= {StockShortage, TakenBackBefore, GoodsGone}, outcomes
    after = shelf(counter)
    assert after.available in {0, 3, 4}
    assert after.available == 5 - sum(1 for sale in outcomes[2:] if not isinstance(sale, Exception)) - (5 if None in outcomes[:2] else 0)
    assert_books_are_right()


def test_two_owners_who_change_one_price_do_not_overwrite_each_other(app: Flask, counter: Counter) -> None:
    (owner, other) = (counter.new_owner(counter.merchants[0])[1] for _ in range(2))
    wishes = [(owner, 1_100), (other, 1_200)]
    outcomes = at_once(
        app,
        [
            lambda actor=actor, fen=fen: perform(pricing.change_prices, actor, [NewPrice("rice", Money(fen), Money(1_000))])
            for actor, fen in wishes
        ],
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, PricesRefused)]
    assert (outcomes.count(1), [type(one.refused["rice"]) for one in refused]) == (1, [PriceChangedMeanwhile]), outcomes
    assert count(PriceChange) == 1


def test_two_sizes_of_one_product_priced_at_once_leave_one_true_card(app: Flask, counter: Counter) -> None:
    """Both write the same card anew: the second after the first, from what is then."""
    small = reading().scalars(sa.select(Variant).where(Variant.code == "rice")).one()
    reading().expunge(small)
    make = counter.make
    make.save(
        Variant(code="rice-big", product_id=small.product_id, label_zh="袋", label_en="bag", price=Money(2_000), net_weight_grams=900)
    )
    owner = counter.new_owner(counter.merchants[0])[1]
    for low, high in ((900, 1_900), (950, 1_950), (980, 1_980)):
        wishes = [("rice", low), ("rice-big", high)]
        outcomes = at_once(
            app, [lambda code=code, fen=fen: perform(pricing.change_prices, owner, [NewPrice(code, Money(fen))]) for code, fen in wishes]
        )
        assert outcomes == [1, 1], outcomes
        reading().rollback()
        card = reading().scalars(sa.select(Listing).where(Listing.product_id == small.product_id)).one()
        assert card.price == Money(low)
    assert_books_are_right()
