"""Something cannot be delivered: units of a line, or a whole part. The money goes back at once, and the buyer reads what and why."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from shop.fulfilment import operations as fulfilment
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.models.catalog import Variant
from shop.models.orders import OrderLine, Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.platform import AuditEntry, Notice
from shop.orders import operations as orders
from shop.orders import queries
from shop.orders.errors import LineComplete, LinesNotWeighed, ReasonMissing, TooLateToCancel, WeighedLine, WrongState
from shop.stock import counting
from tests.support.books import assert_books_are_right
from tests.support.counter import Counter, state_of
from tests.support.factories import Factories, actor_of
from tests.support.money import balance
from tests.support.shopping import booked, stock_of


@pytest.fixture
def counter(make: Factories) -> Counter:
    made = Counter(make, pickup_fee=Money(300))
    made.goods("rice", price=2_000, on_hand=20)
    made.goods("eggs", price=1_000)
    made.goods("fish", price=1_500, by_weight=True, grams=500)
    made.goods("oil", merchant=1, price=5_000)
    return made


def lines(part: SubOrder) -> list[OrderLine]:
    reading().rollback()
    found = reading().scalars(sa.select(OrderLine).where(OrderLine.sub_order_id == part.id).order_by(OrderLine.id)).all()
    reading().expunge_all()
    return list(found)


def rice_left() -> tuple[int, int]:
    """On hand and reserved."""
    reading().rollback()
    return stock_of(reading().scalars(sa.select(Variant).where(Variant.code == "rice")).one())


def short(counter: Counter, part: SubOrder, there: int, line: int = 0, **values: Any) -> orders.Short:
    facts = {"reason": "frost", **values}
    return perform(orders.short_line, counter.clerk_of(part), lines(part)[line].id, there, facts.pop("reason"), **facts)


def notices(user_id: int) -> list[Notice]:
    reading().rollback()
    return list(reading().scalars(sa.select(Notice).where(Notice.user_id == user_id).order_by(Notice.id)))


def purchase_of(part: SubOrder) -> Purchase:
    reading().rollback()
    return reading().scalars(sa.select(Purchase).where(Purchase.id == part.purchase_id)).one()


def test_two_of_five_are_there_three_are_given_back_and_the_rest_comes(counter: Counter) -> None:
    buyer = counter.buyer(money=30_000)
    (part,) = counter.ordered(buyer, {"rice": 5, "eggs": 1})
    before = balance(f"wallet:{buyer.id}")
    assert short(counter, part, 2) == orders.Short(given_back=lines(part)[0].unit_price * 3, is_declined=False)
    assert balance(f"wallet:{buyer.id}") - before == 6_000
    assert state_of(part) is SubOrderState.PLACED  # and may still be cancelled by who wanted five
    told = notices(buyer.id)[-1]
    assert (told.kind, told.facts["amount"], told.facts["reason"]) == ("orders.line_short", "60.00", "frost")
    assert told.facts["names"]["en"].endswith("× 3")
    counter.pack(part)
    counter.receive([part])
    visit = counter.pass_of(buyer)
    assert counter.hand_over(visit.code).handed == 1
    assert (balance("escrow"), balance(f"merchant:{part.merchant_id}") + balance("commission")) == (0, 5_000 + 300)
    assert_books_are_right()


def test_what_is_missing_is_not_sold_to_anybody_else(counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 5, "eggs": 1})
    assert rice_left() == (15, 0)
    short(counter, part, 2)
    assert rice_left() == (0, 0)
    assert_books_are_right()


def test_a_shop_that_has_more_goes_on_selling_it(counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 5, "eggs": 1})
    short(counter, part, 2, keep_selling=True)
    assert rice_left() == (15, 0)


def test_the_same_number_again_changes_nothing_and_fewer_are_more_missing(counter: Counter) -> None:
    buyer = counter.buyer(money=30_000)
    (part,) = counter.ordered(buyer, {"rice": 5, "eggs": 1})
    short(counter, part, 3)
    after_one = balance(f"wallet:{buyer.id}")
    assert short(counter, part, 3).given_back.fen == 0
    assert balance(f"wallet:{buyer.id}") == after_one
    assert short(counter, part, 1).given_back.fen == 4_000
    with pytest.raises(LineComplete):
        short(counter, part, 2)
    assert len([notice for notice in notices(buyer.id) if notice.kind == "orders.line_short"]) == 2
    assert_books_are_right()


def test_nothing_at_all_is_a_decline_and_the_fee_goes_back_as_well(counter: Counter) -> None:
    buyer = counter.buyer(money=30_000)
    (part,) = counter.ordered(buyer, {"rice": 2, "eggs": 1})
    short(counter, part, 0)
    said = short(counter, part, 0, line=1)
    assert said.is_declined
    assert (state_of(part), balance(f"wallet:{buyer.id}")) == (SubOrderState.SHORT, 30_000)
    assert purchase_of(part).state is PurchaseState.CANCELLED
    assert booked(part.cycle_id) == 0
    assert_books_are_right()


@pytest.mark.parametrize("there", [-1, 6, 10**12])
def test_more_than_were_ordered_are_not_there_and_nothing_happened(counter: Counter, there: int) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 5, "eggs": 1})
    with pytest.raises(LineComplete):
        short(counter, part, there)
    assert lines(part)[0].short_quantity == 0


def test_without_a_reason_nothing_is_missing(counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 5, "eggs": 1})
    with pytest.raises(ReasonMissing):
        short(counter, part, 2, reason="  ")
    with pytest.raises(ReasonMissing):
        perform(orders.decline, counter.clerk_of(part), part.id, " ")
    assert state_of(part) is SubOrderState.PLACED


def test_another_shop_finds_no_such_line(counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 5, "eggs": 1})
    with pytest.raises(NotFound):
        perform(orders.short_line, counter.clerks[1], lines(part)[0].id, 2, "frost")
    with pytest.raises(NotFound):
        perform(orders.short_line, counter.clerks[1], 10**15, 2, "frost")


def test_what_is_packed_is_opened_first(counter: Counter) -> None:
    (part,) = counter.packed(counter.buyer(), {"rice": 5, "eggs": 1})
    with pytest.raises(WrongState):
        short(counter, part, 2)
    perform(orders.unpack, counter.clerk_of(part), [part.id], "one was broken")
    assert short(counter, part, 2).given_back.fen == 6_000


def test_fish_that_is_not_there_is_given_back_at_its_ceiling_and_the_rest_is_weighed(counter: Counter) -> None:
    buyer = counter.buyer(money=30_000)
    (part,) = counter.ordered(buyer, {"fish": 3, "eggs": 1})
    before = balance(f"wallet:{buyer.id}")
    assert short(counter, part, 2).given_back.fen == 1_500
    line = lines(part)[0].id
    with pytest.raises(LinesNotWeighed):
        perform(fulfilment.pack, counter.clerk_of(part), part.id)
    perform(orders.accept, counter.clerk_of(part), part.id)
    perform(orders.weigh_line, counter.clerk_of(part), line, 1_400)  # two of 500 g: never more than two were agreed for
    assert balance(f"wallet:{buyer.id}") - before == 1_500
    with pytest.raises(WeighedLine):
        short(counter, part, 1)
    perform(orders.weigh_line, counter.clerk_of(part), line, 900, 1_400)
    assert balance(f"wallet:{buyer.id}") - before == 1_500 + 300
    assert_books_are_right()


def test_a_line_of_which_nothing_is_there_needs_no_weight(counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"fish": 1, "eggs": 1})
    short(counter, part, 0)
    assert perform(fulfilment.pack, counter.clerk_of(part), part.id).is_new
    assert state_of(part) is SubOrderState.PACKED


def test_who_cancels_after_a_short_line_gets_the_rest_and_only_what_was_there_is_sold_again(counter: Counter) -> None:
    buyer = counter.buyer(money=30_000)
    (part,) = counter.ordered(buyer, {"rice": 5, "eggs": 1})
    short(counter, part, 2)
    perform(orders.cancel, actor_of(buyer), part.number)
    assert balance(f"wallet:{buyer.id}") == 30_000
    assert rice_left() == (2, 0)
    assert_books_are_right()
    with pytest.raises(WrongState):
        short(counter, part, 1)


def test_the_trail_tells_how_many_and_why(counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 5, "eggs": 1})
    short(counter, part, 2)
    reading().rollback()
    entry = reading().scalars(sa.select(AuditEntry).where(AuditEntry.action == "line.short")).one()
    assert entry.facts == {"quantity": 3, "refunded": 6_000, "reason": "frost"}


def test_goods_that_came_in_can_be_sold_again_after_a_short_line(counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 5, "eggs": 1})
    short(counter, part, 2)
    perform(counting.adjust, counter.clerk_of(part), "rice", counting.MovementKind.RECEIVED, 8, "delivery")
    assert rice_left() == (8, 0)
    assert_books_are_right()


# --- one shop declines ---


def test_the_buyer_reads_which_shop_declined_why_and_what_still_comes(counter: Counter) -> None:
    buyer = counter.buyer(money=30_000)
    rice, oil = counter.ordered(buyer, {"rice": 1, "oil": 1})
    perform(orders.decline, counter.clerk_of(oil), oil.id, "the bottles broke")
    told = notices(buyer.id)[-1]
    shops = {merchant.id: merchant.name_zh for merchant in counter.merchants}
    assert told.kind == "orders.declined_in_part"
    assert (told.facts["shop"]["zh"], told.facts["rest"]["zh"]) == (shops[oil.merchant_id], shops[rice.merchant_id])
    assert (told.facts["reason"], told.facts["amount"]) == ("the bottles broke", "53.00")
    order = queries.mine(reading(), buyer.id, rice.number.rpartition("-")[0])
    assert [(part.number, part.declined_reason) for part in order.declined] == [(oil.number, "the bottles broke")]


def test_when_everything_is_declined_nothing_is_said_to_come(counter: Counter) -> None:
    buyer = counter.buyer(money=30_000)
    for part in counter.ordered(buyer, {"rice": 1, "oil": 1}):
        perform(orders.decline, counter.clerk_of(part), part.id, "closed today")
    assert [notice.kind for notice in notices(buyer.id)][-2:] == ["orders.declined_in_part", "orders.declined"]


def test_the_rest_can_be_cancelled_after_one_shop_declined(counter: Counter) -> None:
    buyer = counter.buyer(money=30_000)
    rice, oil = counter.ordered(buyer, {"rice": 1, "oil": 1})
    number = rice.number.rpartition("-")[0]
    perform(orders.decline, counter.clerk_of(oil), oil.id, "the bottles broke")
    assert queries.mine(reading(), buyer.id, number).can_be_cancelled(rice.placed_at)
    perform(orders.cancel, actor_of(buyer), number)
    assert (state_of(rice), state_of(oil)) == (SubOrderState.CANCELLED, SubOrderState.SHORT)
    assert balance(f"wallet:{buyer.id}") == 30_000
    assert_books_are_right()


def test_what_is_being_prepared_cannot_be_cancelled_because_another_shop_declined(counter: Counter) -> None:
    buyer = counter.buyer(money=30_000)
    rice, oil = counter.ordered(buyer, {"rice": 1, "oil": 1})
    perform(orders.decline, counter.clerk_of(oil), oil.id, "the bottles broke")
    perform(orders.accept, counter.clerk_of(rice), rice.id)
    with pytest.raises(TooLateToCancel):
        perform(orders.cancel, actor_of(buyer), rice.number.rpartition("-")[0])
