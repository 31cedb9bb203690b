"""A count of the shelf counts what lies on it: also what is sold and not packed. What was written down can be taken back."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound
from shop.models.catalog import Variant
from shop.models.orders import PaymentMethod
from shop.models.platform import AuditEntry
from shop.models.stock import MovementKind, StockItem, StockMovement
from shop.orders import operations as orders
from shop.platform.actor import Actor
from shop.stock import counting, history, shelves
from shop.stock import operations as stock
from shop.stock.errors import (
    CountedSince,
    CountFarOff,
    Doubtful,
    GoodsGone,
    MoreThanThere,
    NotByHand,
    PromisedGoods,
    QuantityOutOfRange,
    ShelfMoved,
    StockShortage,
    TakenBackBefore,
    ToldDifferently,
)
from shop.stock.rules import Wanted
from shop.stock.shelves import Shelf
from tests.support.books import assert_books_are_right
from tests.support.counter import Counter, state_of
from tests.support.factories import Factories
from tests.support.shopping import count

RECEIVED, COUNTED, SPOILED, SOLD_HERE = MovementKind.RECEIVED, MovementKind.CORRECTION, MovementKind.SPOILAGE, MovementKind.OFFLINE_SALE


@pytest.fixture
def counter(make: Factories) -> Counter:
    made = Counter(make)
    made.goods("rice", on_hand=3)
    made.goods("oil", merchant=1, on_hand=3)
    return made


def tell(counter: Counter, kind: MovementKind, quantity: int, cause: str = "", *, sure: bool = False, **values: Any) -> bool:
    cause = cause or f"test:{count(StockMovement)}:{count(AuditEntry)}"
    return perform(counting.adjust, counter.clerks[0], "rice", kind, quantity, cause, sure=lambda _doubt: sure, **values)


def shelf_of(counter: Counter, code: str = "rice") -> Shelf:
    reading().rollback()
    return shelves.get_shelf(reading(), [counter.merchants[0].id], code)


def figures(counter: Counter) -> tuple[int, int, int, int]:
    """On the shelf, sold and waiting, held, free to sell."""
    shelf = shelf_of(counter)
    return shelf.on_shelf, shelf.waiting, shelf.reserved, shelf.available


def test_the_count_of_the_documentation(counter: Counter) -> None:
    """Three on the shelf, two sold and not packed, three counted: one more can be sold, and not three."""
    assert figures(counter) == (3, 0, 0, 3)
    first, second = counter.ordered(counter.buyer(), {"rice": 1}) + counter.ordered(counter.buyer(), {"rice": 1})
    assert figures(counter) == (3, 2, 0, 1)
    assert tell(counter, COUNTED, 3) is False
    assert figures(counter) == (3, 2, 0, 1)
    counter.ordered(counter.buyer(), {"rice": 1})
    with pytest.raises(StockShortage):
        counter.ordered(counter.buyer(), {"rice": 1})
    assert figures(counter) == (3, 3, 0, 0)
    counter.pack(first)
    assert figures(counter) == (2, 2, 0, 0)
    perform(orders.decline, counter.clerks[0], second.id, "dropped")
    assert figures(counter) == (1, 1, 0, 0)
    assert tell(counter, COUNTED, 2) is True, "it lies there after all, and can be sold"
    assert figures(counter) == (2, 1, 0, 1)
    assert_books_are_right()


def test_what_is_held_for_a_payment_lies_there_too(counter: Counter) -> None:
    placed = counter.buy(counter.buyer(), {"rice": 2}, PaymentMethod.STRIPE)
    assert figures(counter) == (3, 0, 2, 1)
    assert tell(counter, COUNTED, 3) is False
    perform(orders.expire, placed.purchase_id)
    assert figures(counter) == (3, 0, 0, 3)


def test_a_count_below_what_is_promised_names_the_orders_and_is_written_down_by_who_decides(counter: Counter) -> None:
    older, newer = counter.ordered(counter.buyer(), {"rice": 1}) + counter.ordered(counter.buyer(), {"rice": 1})
    with pytest.raises(PromisedGoods) as doubt:
        tell(counter, COUNTED, 1)
    said = doubt.value.details
    assert (said["promised"], said["waiting"], said["held"], said["short"]) == (2, 2, 0, 1)
    assert said["orders"] == [{"number": newer.number, "quantity": 1, "is_paid": True}]
    assert figures(counter) == (3, 2, 0, 1)
    assert tell(counter, COUNTED, 1, sure=True) is True
    assert figures(counter) == (1, 2, 0, 0)
    assert shelf_of(counter).missing == 1
    assert_books_are_right()
    perform(orders.decline, counter.clerks[0], newer.id, "one bag was torn")
    perform(orders.decline, counter.clerks[0], older.id, "the other too")
    assert figures(counter) == (0, 0, 0, 0)
    assert shelf_of(counter).missing == 0
    assert_books_are_right()


def test_what_is_cancelled_while_goods_are_missing_is_not_sold_again(counter: Counter) -> None:
    buyer = counter.buyer()
    first, _second = counter.ordered(buyer, {"rice": 1}) + counter.ordered(counter.buyer(), {"rice": 1})
    tell(counter, COUNTED, 1, sure=True)
    perform(orders.cancel, counter_actor(buyer), first.number)
    assert figures(counter) == (1, 1, 0, 0), "the one that lies there is the other buyer's"
    for take in (stock.sell, lambda session, wanted: stock.reserve(session, wanted, clock.now())):
        with pytest.raises(StockShortage):
            perform(take, [Wanted(shelf_of(counter).variant_id, 1, 1)])
    with pytest.raises(StockShortage):
        counter.ordered(counter.buyer(), {"rice": 1})
    tell(counter, RECEIVED, 4)
    assert figures(counter) == (5, 1, 0, 4)
    assert tell(counter, COUNTED, 5) is True, "nothing is missing any more"
    assert (figures(counter), shelf_of(counter).missing) == ((5, 1, 0, 4), 0)
    assert_books_are_right()


def counter_actor(user: Any) -> Actor:
    from tests.support.factories import actor_of

    return actor_of(user)


@pytest.mark.parametrize(("kind", "on_shelf"), [(SPOILED, 1), (SOLD_HERE, 1)])
def test_what_leaves_the_shelf_of_promised_goods_is_asked_about(counter: Counter, kind: MovementKind, on_shelf: int) -> None:
    counter.ordered(counter.buyer(), {"rice": 2})
    with pytest.raises(PromisedGoods):
        tell(counter, kind, 2)
    assert tell(counter, kind, 2, sure=True) is True
    assert (figures(counter)[0], shelf_of(counter).missing) == (on_shelf, 1)
    with pytest.raises(MoreThanThere) as refused:
        tell(counter, kind, 2, sure=True)
    assert refused.value.details == {"on_shelf": 1}
    assert_books_are_right()


def test_a_count_against_a_page_that_is_old_is_asked_about(counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 2})
    counter.pack(part)
    with pytest.raises(ShelfMoved) as doubt:
        tell(counter, COUNTED, 3, expected=3)
    assert doubt.value.details == {"now": 1, "expected": 3}
    assert tell(counter, COUNTED, 1, expected=1) is False
    assert tell(counter, COUNTED, 2, expected=3, sure=True) is True
    assert figures(counter) == (2, 0, 0, 2)


@pytest.mark.parametrize(("kind", "quantity"), [(RECEIVED, 999_999), (RECEIVED, 51), (COUNTED, 900)])
def test_a_figure_that_is_likely_a_slip_is_asked_about_and_nothing_happened(counter: Counter, kind: MovementKind, quantity: int) -> None:
    with pytest.raises(Doubtful) as doubt:
        tell(counter, kind, quantity)
    assert doubt.value.code == "quantity_far_off"
    assert (figures(counter), count(StockMovement)) == ((3, 0, 0, 3), 2)
    assert tell(counter, kind, quantity, sure=True) is True


def test_every_doubt_is_in_the_question(counter: Counter) -> None:
    """Whoever is sure is sure of all of them: none hides behind another."""
    counter.ordered(counter.buyer(), {"rice": 2})
    tell(counter, RECEIVED, 20)
    with pytest.raises(PromisedGoods) as doubt:
        tell(counter, COUNTED, 1, expected=3)
    assert [type(other) for other in doubt.value.others] == [ShelfMoved, CountFarOff]


@pytest.mark.parametrize(("kind", "quantity"), [(RECEIVED, 0), (SPOILED, -1), (COUNTED, counting.MOST + 1), (MovementKind.SALE, 1)])
def test_what_makes_no_sense_is_refused_and_nothing_happened(counter: Counter, kind: MovementKind, quantity: int) -> None:
    with pytest.raises(QuantityOutOfRange):
        tell(counter, kind, quantity, sure=True)
    assert (figures(counter), count(StockMovement)) == ((3, 0, 0, 3), 2)


def test_a_cause_is_one_movement_for_good(counter: Counter) -> None:
    assert tell(counter, COUNTED, 2, "count:1") is True
    counter.ordered(counter.buyer(), {"rice": 1})
    counter.pack(counter.ordered(counter.buyer(), {"rice": 1})[0])
    assert figures(counter) == (1, 1, 0, 0)
    assert tell(counter, COUNTED, 2, "count:1") is False, "the same count again says nothing about the shelf of now"
    assert figures(counter) == (1, 1, 0, 0)
    for kind, quantity in ((COUNTED, 3), (RECEIVED, 2)):
        with pytest.raises(ToldDifferently):
            tell(counter, kind, quantity, "count:1")
    assert figures(counter) == (1, 1, 0, 0)


def test_a_count_that_changed_nothing_is_remembered_as_well(counter: Counter) -> None:
    tell(counter, COUNTED, 3, "count:1")
    counter.pack(counter.ordered(counter.buyer(), {"rice": 2})[0])
    assert tell(counter, COUNTED, 3, "count:1") is False
    assert figures(counter) == (1, 0, 0, 1)


def newest(kind: MovementKind) -> int:
    reading().rollback()
    return reading().scalars(sa.select(StockMovement.id).where(StockMovement.kind == kind).order_by(StockMovement.id.desc())).first() or 0


@pytest.mark.parametrize(("kind", "quantity", "between"), [(RECEIVED, 5, 8), (SPOILED, 2, 1), (SOLD_HERE, 1, 2), (COUNTED, 7, 7)])
def test_a_movement_is_taken_back_once_by_its_opposite(counter: Counter, kind: MovementKind, quantity: int, between: int) -> None:
    tell(counter, kind, quantity)
    assert figures(counter)[0] == between
    movement = newest(kind)
    perform(counting.take_back, counter.clerks[0], "rice", movement)
    assert figures(counter) == (3, 0, 0, 3)
    with pytest.raises(TakenBackBefore):
        perform(counting.take_back, counter.clerks[0], "rice", movement)
    assert figures(counter) == (3, 0, 0, 3)
    assert_books_are_right()


def test_a_short_count_is_taken_back_with_what_it_said_was_missing(counter: Counter) -> None:
    counter.ordered(counter.buyer(), {"rice": 2})
    tell(counter, COUNTED, 1, sure=True)
    perform(counting.take_back, counter.clerks[0], "rice", newest(COUNTED))
    assert (figures(counter), shelf_of(counter).missing) == ((3, 2, 0, 1), 0)
    assert_books_are_right()


def test_goods_that_are_gone_since_cannot_be_taken_back(counter: Counter) -> None:
    tell(counter, RECEIVED, 2)
    counter.ordered(counter.buyer(), {"rice": 4})
    with pytest.raises(GoodsGone) as refused:
        perform(counting.take_back, counter.clerks[0], "rice", newest(RECEIVED))
    assert refused.value.details == {"available": 1}
    assert figures(counter) == (5, 4, 0, 1)


def test_what_a_count_has_put_right_is_not_put_right_twice(counter: Counter) -> None:
    tell(counter, RECEIVED, 50)
    received = newest(RECEIVED)
    tell(counter, COUNTED, 8, sure=True)
    with pytest.raises(CountedSince):
        perform(counting.take_back, counter.clerks[0], "rice", received)
    perform(counting.take_back, counter.clerks[0], "rice", newest(COUNTED))
    perform(counting.take_back, counter.clerks[0], "rice", received)
    assert figures(counter) == (3, 0, 0, 3)


def test_sales_and_things_of_others_cannot_be_taken_back(counter: Counter) -> None:
    counter.ordered(counter.buyer(), {"rice": 1})
    with pytest.raises(NotByHand):
        perform(counting.take_back, counter.clerks[0], "rice", newest(MovementKind.SALE))
    for actor, code, movement in ((counter.clerks[1], "rice", 1), (counter.clerks[0], "rice", 999_999), (counter.clerks[0], "oil", 1)):
        with pytest.raises(NotFound):
            perform(counting.take_back, actor, code, movement)
    assert figures(counter) == (3, 1, 0, 2)


def test_the_history_names_orders_and_staff_and_no_buyer(counter: Counter) -> None:
    buyer = counter.buyer(display_name="买家甲")
    (part,) = counter.ordered(buyer, {"rice": 1})
    tell(counter, RECEIVED, 5)
    perform(orders.cancel, counter_actor(buyer), part.number)
    perform(counting.take_back, counter.clerks[0], "rice", newest(RECEIVED))
    reading().rollback()
    rows, following = history.list_movements(reading(), shelf_of(counter).variant_id)
    assert following is None
    assert [(row.kind.value, row.quantity, row.who, row.order_number == part.number) for row in rows] == [
        ("taken_back", -5, "刘店员", False), ("cancellation", 1, None, True), ("received", 5, "刘店员", False), ("sale", -1, None, True),
        ("received", 3, None, False),
    ]  # fmt: skip
    assert [row.can_be_taken_back for row in rows] == [False] * 5
    first, place = history.list_movements(reading(), shelf_of(counter).variant_id, limit=2)
    second, _end = history.list_movements(reading(), shelf_of(counter).variant_id, place, 10)
    assert [*first, *second] == rows


def test_a_shelf_that_has_no_row_yet_is_counted(counter: Counter, make: Factories) -> None:
    variant: Variant = counter.goods("ghost", on_hand=0)
    from shop.kernel.db import transaction

    with transaction() as session:
        session.execute(sa.delete(StockItem).where(StockItem.variant_id == variant.id))
    assert perform(counting.adjust, counter.clerks[0], "ghost", COUNTED, 4, "first") is True
    assert shelf_of(counter, "ghost").available == 4


def test_a_packed_order_that_is_declined_was_on_no_shelf(counter: Counter) -> None:
    first, second = counter.ordered(counter.buyer(), {"rice": 1}) + counter.ordered(counter.buyer(), {"rice": 1})
    tell(counter, COUNTED, 1, sure=True)
    counter.pack(first)
    perform(orders.decline, counter.clerks[0], first.id, "fell from the cart")
    assert (state_of(first).value, shelf_of(counter).missing) == ("short", 1), "what is missing is the other order's"
    perform(orders.decline, counter.clerks[0], second.id, "not there")
    assert shelf_of(counter).missing == 0
    assert_books_are_right()
