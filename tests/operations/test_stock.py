"""Stock is taken by one conditional UPDATE, all or nothing, once per cause."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.models.catalog import Variant
from shop.models.orders import OrderLine, PaymentMethod
from shop.models.stock import MovementKind, Reservation, ReservationState, StockItem, StockMovement
from shop.orders import operations as orders
from shop.platform.actor import COMMAND
from shop.stock import operations as stock
from shop.stock.errors import QuantityNotPositive, StockShortage
from shop.stock.operations import Wanted
from tests.support.factories import Factories
from tests.support.shopping import Shopping, count, stock_of


def held_lines(make: Factories, on_hand: int, quantity: int) -> tuple[Variant, list[int]]:
    """A variant, and the lines of an unpaid order that hold some of it."""
    shop = Shopping(make, merchants=1)
    variant = shop.goods("oranges", on_hand=on_hand)
    shop.buy(shop.buyer(0), {"oranges": quantity}, PaymentMethod.STRIPE)
    return variant, list(reading().scalars(sa.select(OrderLine.id)))


def books_are_right(variant: Variant) -> None:
    """S1 and S2: on hand is the sum of movements, reserved the sum of active holds."""
    on_hand, reserved = stock_of(variant)
    moved = reading().scalar(sa.select(sa.func.sum(StockMovement.quantity)).where(StockMovement.variant_id == variant.id))
    active = sa.select(sa.func.coalesce(sa.func.sum(Reservation.quantity), 0)).where(
        Reservation.variant_id == variant.id, Reservation.state == ReservationState.ACTIVE
    )
    assert (on_hand, reserved) == (moved, reading().scalar(active))


def test_what_was_held_is_sold_when_it_is_paid(make: Factories) -> None:
    oranges, lines = held_lines(make, on_hand=10, quantity=3)
    assert stock_of(oranges) == (10, 3)
    perform(stock.consume, lines)
    assert stock_of(oranges) == (7, 0)
    books_are_right(oranges)
    perform(stock.consume, lines)
    assert stock_of(oranges) == (7, 0)


def test_what_was_held_is_free_again_when_it_is_given_up(make: Factories) -> None:
    oranges, lines = held_lines(make, on_hand=10, quantity=3)
    perform(stock.release, lines)
    perform(stock.release, lines)
    assert stock_of(oranges) == (10, 0)
    perform(stock.consume, lines)
    assert stock_of(oranges) == (10, 0)
    books_are_right(oranges)


def test_a_released_hold_can_be_taken_again_if_the_goods_are_there(make: Factories) -> None:
    oranges, lines = held_lines(make, on_hand=3, quantity=3)
    perform(stock.release, lines)
    perform(stock.reserve_again, lines, clock.now() + timedelta(minutes=5))
    assert stock_of(oranges) == (3, 3)
    perform(stock.release, lines)
    with transaction() as session:
        session.execute(sa.update(StockItem).values(reserved=1))
    with pytest.raises(StockShortage):
        perform(stock.reserve_again, lines, clock.now())
    assert reading().scalars(sa.select(Reservation.state)).one() is ReservationState.RELEASED


def test_two_lines_of_one_variant_are_added_up_before_looking(make: Factories) -> None:
    """Two of three and two of three would each fit; together they do not."""
    oranges, lines = held_lines(make, on_hand=3, quantity=1)
    perform(stock.release, lines)
    twice = [Wanted(oranges.id, lines[0], 2), Wanted(oranges.id, lines[0], 2)]
    with pytest.raises(StockShortage) as refused:
        perform(stock.sell, twice)
    assert refused.value.details == {"details": [{"variant_code": "oranges", "available": 3}]}
    assert stock_of(oranges) == (3, 0)


def test_a_shortage_of_one_variant_takes_nothing_of_the_others(make: Factories) -> None:
    plenty, scarce = make.product(on_hand=50), make.product(code="scarce", on_hand=1)
    for take in (stock.sell, lambda session, wanted: stock.reserve(session, wanted, clock.now())):
        with pytest.raises(StockShortage) as refused:
            perform(take, [Wanted(plenty.id, 1, 5), Wanted(scarce.id, 2, 2)])
        assert refused.value.details == {"details": [{"variant_code": "scarce", "available": 1}]}
        assert (stock_of(plenty), stock_of(scarce)) == ((50, 0), (1, 0))
    assert count(Reservation) == 0


def test_a_variant_nobody_ever_stocked_is_sold_out(make: Factories) -> None:
    variant = make.product(code="ghost", on_hand=0)
    with transaction() as session:
        session.execute(sa.delete(StockItem).where(StockItem.variant_id == variant.id))
    with pytest.raises(StockShortage) as refused:
        perform(stock.sell, [Wanted(variant.id, 1, 1)])
    assert refused.value.details == {"details": [{"variant_code": "ghost", "available": 0}]}


def test_goods_come_in_once_per_cause(make: Factories) -> None:
    variant = make.product(on_hand=0)
    assert perform(stock.receive, COMMAND, variant.id, 12, "delivery:7") is True
    assert perform(stock.receive, COMMAND, variant.id, 12, "delivery:7") is False
    assert stock_of(variant) == (12, 0)
    movement = reading().scalars(sa.select(StockMovement)).one()
    assert (movement.quantity, movement.kind, movement.cause) == (12, MovementKind.RECEIVED, "delivery:7")


def test_receiving_opens_the_stock_row_it_needs(make: Factories) -> None:
    variant = make.product(on_hand=0)
    with transaction() as session:
        session.execute(sa.delete(StockItem).where(StockItem.variant_id == variant.id))
    perform(stock.receive, COMMAND, variant.id, 4, "delivery:8")
    assert stock_of(variant) == (4, 0)


@pytest.mark.parametrize("quantity", [0, -1])
def test_nothing_comes_in_backwards(make: Factories, quantity: int) -> None:
    variant = make.product(on_hand=5)
    with pytest.raises(QuantityNotPositive):
        perform(stock.receive, COMMAND, variant.id, quantity, "delivery:9")
    assert stock_of(variant) == (5, 0)


def test_the_table_itself_refuses_to_promise_more_than_there_is(make: Factories) -> None:
    """The CHECK behind the conditional UPDATE: even code that forgets to look cannot oversell."""
    variant = make.product(on_hand=1)

    def forget_to_look(session: Session) -> None:
        session.execute(sa.update(StockItem).where(StockItem.variant_id == variant.id).values(reserved=StockItem.reserved + 2))

    with pytest.raises(sa.exc.IntegrityError):
        perform(forget_to_look)
    assert stock_of(variant) == (1, 0)


def test_the_example_of_the_documentation(make: Factories) -> None:
    """docs/algorithms/stock.md, step by step."""
    shop = Shopping(make, merchants=1)
    oranges = shop.goods("oranges", on_hand=10)
    anns = shop.buy(shop.buyer(0), {"oranges": 3}, PaymentMethod.STRIPE)
    assert stock_of(oranges) == (10, 3)
    shop.buy(shop.buyer(), {"oranges": 4})
    assert stock_of(oranges) == (6, 3)
    with pytest.raises(StockShortage) as refused:
        shop.buy(shop.buyer(), {"oranges": 7})
    assert refused.value.details == {"details": [{"variant_code": "oranges", "available": 3}]}
    assert stock_of(oranges) == (6, 3)
    perform(orders.expire, anns.purchase_id)
    assert stock_of(oranges) == (6, 0)
    assert perform(orders.revive, anns.purchase_id) is True
    perform(orders.mark_paid, COMMAND, anns.purchase_id, anns.payment_id, "provider")
    assert stock_of(oranges) == (3, 0)
    books_are_right(oranges)
