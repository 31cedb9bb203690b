"""Orders when many ask at the very same moment: real threads, real connections, on either engine."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from shop.checkout.errors import CartChanged
from shop.checkout.queries import Placed
from shop.kernel import db
from shop.kernel.db import database, perform, reading, transaction
from shop.models.accounts import User
from shop.models.orders import PaymentMethod, Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.pickup import Cycle
from shop.models.stock import MovementKind, StockItem, StockMovement
from shop.orders import operations as orders
from shop.orders.errors import TooLateToCancel, WrongState
from shop.pickup.errors import SlotFull
from shop.platform.actor import JOB
from shop.stock import operations as stock
from shop.stock.errors import StockShortage
from tests.support.factories import Factories, actor_of
from tests.support.money import PIN, balance
from tests.support.people import bearer
from tests.support.shopping import Shopping, at_once, booked, purchases, stock_of

pytestmark = pytest.mark.slow

THREADS = 8


def kinds(outcomes: list[Any]) -> Counter[str]:
    return Counter(type(outcome).__name__ for outcome in outcomes)


def buyers_ready_to_press(shop: Shopping, wanted: Callable[[int], dict[str, int]], how_many: int = THREADS) -> list[Callable[[], Placed]]:
    """People with a filled cart and a quote: what each of them presses."""
    presses = []
    for number in range(how_many):
        user = shop.buyer()
        shop.fill(user, wanted(number))
        quote = shop.quote(user)
        presses.append(lambda user=user, quote=quote: shop.place(user, quote))
    return presses


def units_sold() -> int:
    reading().rollback()
    sold = sa.select(sa.func.sum(-StockMovement.quantity)).where(StockMovement.kind == MovementKind.SALE)
    return reading().scalar(sold) or 0


def test_the_last_box_is_sold_once(app: Flask, make: Factories) -> None:
    shop = Shopping(make)
    oranges = shop.goods("oranges", on_hand=1)
    outcomes = at_once(app, buyers_ready_to_press(shop, lambda _number: {"oranges": 1}))
    assert kinds(outcomes) == {"Placed": 1, "StockShortage": THREADS - 1}, outcomes
    refusals = [outcome.details["details"] for outcome in outcomes if isinstance(outcome, StockShortage)]
    assert all(details == [{"variant_code": "oranges", "available": 0}] for details in refusals)
    assert (units_sold(), stock_of(oranges), purchases()) == (1, (0, 0), 1)
    assert balance("escrow") == 1_000


def test_without_the_guard_the_last_box_is_sold_to_everybody(app: Flask, make: Factories, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: looking first and writing then. If this stops overselling, the test above proves nothing."""
    shop = Shopping(make)
    oranges = shop.goods("oranges", on_hand=1)
    presses = buyers_ready_to_press(shop, lambda _number: {"oranges": 1})
    everybody_has_looked = threading.Barrier(THREADS)
    looked = threading.local()

    def trust_what_was_seen(session: Session, wanted: dict[int, int], *, held: bool) -> None:
        for variant_id, quantity in wanted.items():
            if looked.left < quantity:
                raise StockShortage()
            session.execute(sa.update(StockItem).where(StockItem.variant_id == variant_id).values(on_hand=looked.left - quantity))

    def look_then_press(press: Callable[[], Placed]) -> Placed:
        looked.left = reading().scalars(sa.select(StockItem.on_hand).where(StockItem.variant_id == oranges.id)).one()
        reading().rollback()
        everybody_has_looked.wait()
        return press()

    monkeypatch.setattr(stock, "_take", trust_what_was_seen)
    outcomes = at_once(app, [lambda press=press: look_then_press(press) for press in presses])
    assert kinds(outcomes) == {"Placed": THREADS}
    assert units_sold() == THREADS


def test_the_last_slot_is_booked_once(app: Flask, make: Factories) -> None:
    shop = Shopping(make, merchants=1)
    oranges = shop.goods("oranges", on_hand=100)
    with transaction() as session:
        session.execute(sa.update(Cycle).values(capacity=1))
    cycle = reading().scalars(sa.select(Cycle.id)).one()
    outcomes = at_once(app, buyers_ready_to_press(shop, lambda _number: {"oranges": 1}))
    assert kinds(outcomes) == {"Placed": 1, SlotFull.__name__: THREADS - 1}, outcomes
    assert (booked(cycle), stock_of(oranges)) == (1, (99, 0))


def test_scarce_goods_over_many_baskets_are_sold_exactly(app: Flask, make: Factories) -> None:
    """Eight four-line baskets on goods of which there is half enough; nothing of a refused basket is taken."""
    shop = Shopping(make, merchants=4)
    variants = [shop.goods(f"goods-{number}", number, on_hand=4) for number in range(4)]
    outcomes = at_once(app, buyers_ready_to_press(shop, lambda _number: {f"goods-{number}": 1 for number in range(4)}))
    assert kinds(outcomes) == {"Placed": 4, "StockShortage": 4}, outcomes
    assert [stock_of(variant) for variant in variants] == [(0, 0)] * 4
    assert balance("escrow") == 4 * 4_000


def test_baskets_in_opposite_order_never_wait_in_a_circle(app: Flask, make: Factories, monkeypatch: pytest.MonkeyPatch) -> None:
    """No deadlock, so no transaction had to be run again."""
    again: list[object] = []
    is_transient = db.is_transient
    monkeypatch.setattr(db, "is_transient", lambda error: again.append(error) or is_transient(error))
    shop = Shopping(make, merchants=4)
    variants = [shop.goods(f"goods-{number}", number, on_hand=1_000) for number in range(4)]
    for _round in range(5):
        presses = buyers_ready_to_press(
            shop, lambda number: {f"goods-{place}": 1 for place in (range(4) if number % 2 else reversed(range(4)))}
        )
        assert kinds(at_once(app, presses)) == {"Placed": THREADS}
    assert again == []
    assert [stock_of(variant) for variant in variants] == [(1_000 - 5 * THREADS, 0)] * 4


def test_twenty_presses_of_one_quote_make_one_purchase(app: Flask, make: Factories) -> None:
    shop = Shopping(make)
    oranges = shop.goods("oranges", on_hand=50)
    user = shop.buyer()
    shop.fill(user, {"oranges": 2})
    quote = shop.quote(user)
    outcomes = at_once(app, [lambda: shop.place(user, quote) for _press in range(20)])
    assert kinds(outcomes) == {"Placed": 20}, outcomes
    assert len({outcome.number for outcome in outcomes}) == 1
    assert (purchases(), stock_of(oranges), balance(f"wallet:{user.id}")) == (1, (48, 0), 98_000)


@pytest.mark.parametrize("key", [None, "one-key-for-all"])
def test_twenty_api_calls_with_one_quote_make_one_purchase(app: Flask, make: Factories, key: str | None) -> None:
    shop = Shopping(make)
    shop.goods("oranges", on_hand=50)
    user = shop.buyer()
    shop.fill(user, {"oranges": 2})
    quote = shop.quote(user)
    headers = {**bearer(app, user), **({"Idempotency-Key": key} if key else {})}
    body = {"quote_id": quote.ref, "seen_total_minor": quote.total.fen, "payment": {"method": "wallet", "pin": PIN}}

    def press() -> tuple[int, Any]:
        answer = app.test_client().post("/api/v1/orders", json=body, headers=headers)
        return answer.status_code, answer.json

    outcomes = at_once(app, [press for _press in range(20)])
    numbers = {answer["number"] for status, answer in outcomes if status == 201}
    waiting = [answer["code"] for status, answer in outcomes if status != 201]
    assert len(numbers) == 1, outcomes
    assert set(waiting) <= ({"idempotency_in_flight"} if key else set()), waiting
    assert (purchases(), balance(f"wallet:{user.id}")) == (1, 98_000)
    assert press()[1]["number"] in numbers


def test_several_quotes_of_one_cart_buy_it_once(app: Flask, make: Factories) -> None:
    shop = Shopping(make)
    oranges = shop.goods("oranges", on_hand=50)
    user = shop.buyer()
    shop.fill(user, {"oranges": 1})
    quotes = [shop.quote(user) for _tab in range(THREADS)]
    outcomes = at_once(app, [lambda quote=quote: shop.place(user, quote) for quote in quotes])
    assert kinds(outcomes) == {"Placed": 1, CartChanged.__name__: THREADS - 1}, outcomes
    assert stock_of(oranges) == (49, 0)


def card_order(shop: Shopping) -> tuple[User, Placed]:
    user = shop.buyer(0)
    return user, shop.buy(user, {"oranges": 2}, PaymentMethod.STRIPE)


@pytest.mark.parametrize("_round", range(5))
def test_paid_and_run_out_at_once_is_one_or_the_other(app: Flask, make: Factories, _round: int) -> None:
    shop = Shopping(make)
    oranges = shop.goods("oranges", on_hand=10)
    _user, order = card_order(shop)
    paid, expired = at_once(
        app,
        [
            lambda: perform(orders.mark_paid, JOB, order.purchase_id, order.payment_id, "provider"),
            lambda: perform(orders.expire, order.purchase_id),
        ],
    )
    assert sorted([paid, expired]) == [False, True]
    assert stock_of(oranges) == ((8, 0) if paid else (10, 0))
    assert reading().scalars(sa.select(Purchase.state)).one() is (PurchaseState.PAID if paid else PurchaseState.EXPIRED)
    assert balance("escrow") == (2_000 if paid else 0)


@pytest.mark.parametrize("_round", range(5))
def test_cancelled_and_accepted_at_once_is_one_or_the_other(app: Flask, make: Factories, _round: int) -> None:
    shop = Shopping(make)
    shop.goods("oranges", on_hand=10)
    user = shop.buyer(100_000)
    order = shop.buy(user, {"oranges": 1})
    (part,) = order.sub_orders
    cancelled, accepted = at_once(
        app, [lambda: perform(orders.cancel, actor_of(user), order.number), lambda: perform(orders.accept, JOB, part.id)]
    )
    state = reading().scalars(sa.select(SubOrder.state)).one()
    if isinstance(cancelled, TooLateToCancel):
        assert (accepted, state, balance(f"wallet:{user.id}")) == (True, SubOrderState.ACCEPTED, 99_000)
    else:
        assert isinstance(accepted, WrongState), (cancelled, accepted)
        assert (state, balance(f"wallet:{user.id}")) == (SubOrderState.CANCELLED, 100_000)


def test_both_parts_collected_at_once_complete_the_purchase(app: Flask, make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges", on_hand=10)
    shop.goods("rice", 1, on_hand=10)
    order = shop.buy(shop.buyer(), {"oranges": 1, "rice": 1})
    with transaction() as session:
        session.execute(sa.update(SubOrder).values(state=SubOrderState.READY))
    outcomes = at_once(app, [lambda part=part: perform(orders.mark_collected, JOB, [part.id]) for part in order.sub_orders])
    assert outcomes == [1, 1]
    assert reading().scalars(sa.select(Purchase.state)).one() is PurchaseState.COMPLETED
    database.session.remove()
