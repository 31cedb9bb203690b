"""From cart to order: one transaction, one purchase per quote, and nothing happened when it is refused."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa

from shop.cart import queries as carts
from shop.cart.rules import CartOwner
from shop.checkout import operations as checkout
from shop.checkout.errors import BelowMinimum, CartChanged, CartEmpty, MethodUnavailable, NotDeliveredHere, PriceChanged, QuoteExpired
from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.kernel.statements import table
from shop.models.catalog import Product, ProductState, Variant
from shop.models.merchants import Merchant, MerchantState
from shop.models.orders import OrderLine, PaymentMethod, Purchase, PurchaseState, SubOrder
from shop.models.payments import Payment, PaymentState
from shop.models.pickup import Cycle
from shop.models.platform import Notice
from shop.models.stock import Reservation, ReservationState, StockMovement
from shop.pickup.errors import CutOffPassed, SlotFull
from shop.stock.errors import StockShortage
from shop.wallet.errors import DayLimitExceeded, InsufficientFunds, ProofMissing
from tests.support.factories import SHARP, Factories, actor_of
from tests.support.money import balance
from tests.support.queries import counted
from tests.support.shopping import Shopping, booked, count, purchases, stock_of


def change(model: type, row_id: int, **values: object) -> None:
    """Something changes behind the buyer's back."""
    with transaction() as session:
        session.execute(sa.update(model).where(model.id == row_id).values(**values))


def nothing_happened(*untouched: tuple[str, int]) -> None:
    assert purchases() == 0
    assert count(Payment) == 0
    assert count(Reservation) == 0
    for account, fen in untouched:
        assert balance(account) == fen


def test_a_purchase_of_two_merchants_is_paid_from_the_wallet(make: Factories) -> None:
    shop = Shopping(make, pickup_fee=Money(200))
    oranges, rice = shop.goods("oranges", price=2_490, on_hand=10), shop.goods("rice", 1, price=3_000, on_hand=5)
    user = shop.buyer(100_000)
    placed = shop.buy(user, {"oranges": 2, "rice": 1})

    assert placed.state is PurchaseState.PAID
    assert placed.total == Money(2 * 2_490 + 3_000 + 2 * 200)
    assert balance(f"wallet:{user.id}") == 100_000 - placed.total.fen
    assert balance("escrow") == placed.total.fen
    assert stock_of(oranges) == (8, 0)
    assert stock_of(rice) == (4, 0)
    parts = reading().scalars(sa.select(SubOrder).order_by(SubOrder.id)).all()
    assert [part.number for part in parts] == [f"{placed.number}-1", f"{placed.number}-2"]
    assert [part.total for part in parts] == [Money(5_180), Money(3_200)]
    assert [booked(part.cycle_id) for part in parts] == [1, 1]
    lines = reading().scalars(sa.select(OrderLine).order_by(OrderLine.id)).all()
    bought = {(line.name_en, line.quantity, line.line_total.fen) for line in lines}
    assert bought == {(f"Oranges{SHARP}", 2, 4_980), (f"Rice{SHARP}", 1, 3_000)}
    sales = reading().execute(sa.select(StockMovement.order_line_id, StockMovement.quantity).where(StockMovement.quantity < 0)).all()
    assert sorted(sales) == sorted((line.id, -line.quantity) for line in lines)
    payment = reading().scalars(sa.select(Payment)).one()
    assert (payment.state, payment.amount, payment.purchase_id) == (PaymentState.SUCCEEDED, placed.total, placed.purchase_id)
    assert carts.count(reading(), CartOwner(user_id=user.id)) == 0
    assert count(Notice) == 0, "who has just paid needs no message about it"


def test_a_card_purchase_holds_goods_and_slots_until_it_is_paid(make: Factories) -> None:
    shop = Shopping(make)
    oranges = shop.goods("oranges", price=2_490, on_hand=10)
    user = shop.buyer(0)
    placed = shop.buy(user, {"oranges": 2}, PaymentMethod.STRIPE)

    assert placed.state is PurchaseState.AWAITING_PAYMENT
    assert placed.payment_state is PaymentState.CREATED
    assert stock_of(oranges) == (10, 2)
    assert booked(reading().scalars(sa.select(SubOrder.cycle_id)).one()) == 1
    hold = reading().scalars(sa.select(Reservation)).one()
    assert (hold.state, hold.quantity, hold.expires_at) == (ReservationState.ACTIVE, 2, placed.expires_at)
    assert balance("escrow") == 0


def test_the_same_quote_is_one_purchase_and_the_same_answer(make: Factories) -> None:
    shop = Shopping(make)
    oranges = shop.goods("oranges", on_hand=10)
    user = shop.buyer()
    shop.fill(user, {"oranges": 1})
    quote = shop.quote(user)
    first, second = shop.place(user, quote), shop.place(user, quote)
    assert second == first
    assert purchases() == 1
    assert stock_of(oranges) == (9, 0)
    assert balance("escrow") == 1_000


def test_two_tabs_of_the_checkout_show_one_quote(make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges")
    user = shop.buyer()
    shop.fill(user, {"oranges": 1})
    one, other = (perform(checkout.current_quote, actor_of(user), shop.point.id) for _ in range(2))
    assert one.ref == other.ref
    shop.fill(user, {"oranges": 2})
    assert perform(checkout.current_quote, actor_of(user), shop.point.id).ref != one.ref


def test_a_second_quote_of_the_same_cart_cannot_buy_it_again(make: Factories) -> None:
    shop = Shopping(make)
    oranges = shop.goods("oranges", on_hand=10)
    user = shop.buyer()
    shop.fill(user, {"oranges": 1})
    one, other = shop.quote(user), shop.quote(user)
    shop.place(user, one)
    with pytest.raises(CartChanged):
        shop.place(user, other)
    assert purchases() == 1
    assert stock_of(oranges) == (9, 0)


def test_the_number_of_statements_of_an_order_does_not_grow_with_the_cart(make: Factories) -> None:
    """14 for two lines of two merchants, as many for seven lines; docs/algorithms/stock.md lists them."""
    shop = Shopping(make)
    for number in range(9):
        shop.goods(f"goods-{number}", number % 2)
    user = shop.buyer(500_000)
    for _warm in range(2):  # opens the ledger's accounts, then remembers them
        shop.buy(user, {"goods-0": 1, "goods-1": 1})
    statements = []
    for wanted in ({"goods-0": 1, "goods-1": 1}, {f"goods-{number}": 1 for number in range(2, 9)}):
        shop.fill(user, wanted)
        quote = shop.quote(user)
        with counted() as seen:
            shop.place(user, quote)
        statements.append(seen)
    assert len(statements[0]) == len(statements[1]) == 14, "\n".join(statements[0])


def test_a_cart_line_and_a_quote_cost_two_statements_each(make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges")
    user = shop.buyer()
    with counted() as putting:
        shop.fill(user, {"oranges": 1})
    with counted() as first:  # asks which offers there are; for the next ten seconds they are known
        shop.quote(user)
    with counted() as quoting:
        shop.quote(user)
    assert (len(putting), len(first), len(quoting)) == (2, 3, 2)


def test_prices_are_frozen_in_the_quote_and_a_change_is_shown_before_anything_happens(make: Factories) -> None:
    shop = Shopping(make)
    oranges = shop.goods("oranges", price=1_000, on_hand=10)
    user = shop.buyer(100_000)
    shop.fill(user, {"oranges": 2})
    quote = shop.quote(user)
    change(Variant, oranges.id, price=Money(1_100))
    with pytest.raises(PriceChanged) as refused:
        shop.place(user, quote)
    assert refused.value.details == {"total_minor": 2_200}
    nothing_happened((f"wallet:{user.id}", 100_000))
    assert stock_of(oranges) == (10, 0)
    assert carts.count(reading(), CartOwner(user_id=user.id)) == 2


def test_another_total_than_the_quote_says_is_refused(make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges", price=1_000)
    user = shop.buyer()
    shop.fill(user, {"oranges": 2})
    with pytest.raises(PriceChanged) as refused:
        shop.place(user, shop.quote(user), seen_total=Money(1))
    assert refused.value.details == {"total_minor": 2_000}
    nothing_happened()


def test_a_quote_holds_for_ten_minutes(make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges")
    user = shop.buyer()
    shop.fill(user, {"oranges": 1})
    quote = shop.quote(user)
    clock.move(timedelta(minutes=10, seconds=1))
    with pytest.raises(QuoteExpired):
        shop.place(user, quote)
    nothing_happened()


def test_a_quote_of_somebody_else_does_not_exist(make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges")
    user, other = shop.buyer(), shop.buyer()
    shop.fill(user, {"oranges": 1})
    quote = shop.quote(user)
    with pytest.raises(NotFound):
        shop.place(other, quote)
    nothing_happened()


def test_not_enough_money_takes_nothing(make: Factories) -> None:
    shop = Shopping(make)
    oranges = shop.goods("oranges", price=1_000, on_hand=10)
    user = shop.buyer(999)
    shop.fill(user, {"oranges": 1})
    with pytest.raises(InsufficientFunds):
        shop.place(user, shop.quote(user))
    nothing_happened((f"wallet:{user.id}", 999), ("escrow", 0))
    assert stock_of(oranges) == (10, 0)


def test_without_the_pin_nothing_is_paid(make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges")
    user = shop.buyer()
    shop.fill(user, {"oranges": 1})
    quote = shop.quote(user)
    wish = checkout.PlaceOrder(quote.ref, quote.total, PaymentMethod.WALLET, channel="api")  # type: ignore[arg-type]
    with pytest.raises(ProofMissing):
        perform(checkout.place_order, actor_of(user), wish)
    nothing_happened()


def test_limits_are_checked_on_the_whole_purchase(make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("left", 0, price=300_000)
    shop.goods("right", 1, price=300_000)
    user = shop.buyer(10_000_000)
    shop.fill(user, {"left": 1, "right": 1})
    with pytest.raises(DayLimitExceeded):
        shop.place(user, shop.quote(user))
    nothing_happened((f"wallet:{user.id}", 10_000_000))


def test_a_shortage_says_what_is_left_and_takes_nothing_of_the_rest(make: Factories) -> None:
    shop = Shopping(make)
    oranges, rice = shop.goods("oranges", on_hand=3), shop.goods("rice", 1, on_hand=10)
    first, second = shop.buyer(), shop.buyer()
    shop.fill(second, {"oranges": 2, "rice": 1})
    quote = shop.quote(second)
    shop.buy(first, {"oranges": 2})
    with pytest.raises(StockShortage) as refused:
        shop.place(second, quote)
    assert refused.value.details == {"details": [{"variant_code": "oranges", "available": 1}]}
    assert purchases() == 1
    assert (stock_of(oranges), stock_of(rice)) == ((1, 0), (10, 0))
    assert balance(f"wallet:{second.id}") == 100_000
    assert booked(reading().scalars(sa.select(Cycle.id).where(Cycle.merchant_id == shop.merchants[1].id)).one()) == 0


def test_the_last_slot_goes_once(make: Factories) -> None:
    shop = Shopping(make, merchants=1)
    oranges = shop.goods("oranges", on_hand=10)
    cycle = reading().scalars(sa.select(Cycle)).one()
    change(Cycle, cycle.id, capacity=1)
    first, second = shop.buyer(), shop.buyer()
    for user in (first, second):
        shop.fill(user, {"oranges": 1})
    quotes = [shop.quote(user) for user in (first, second)]
    shop.place(first, quotes[0])
    with pytest.raises(SlotFull):
        shop.place(second, quotes[1])
    assert stock_of(oranges) == (9, 0)
    assert booked(cycle.id) == 1
    with pytest.raises(NotDeliveredHere):
        shop.quote(second)


@pytest.mark.parametrize(("second", "in_time"), [("22:59:59", True), ("23:00:00", False)])
def test_the_servers_clock_decides_the_cut_off_at_placement(make: Factories, second: str, in_time: bool) -> None:
    shop = Shopping(make, merchants=1)
    oranges = shop.goods("oranges", on_hand=10)
    evening = datetime.fromisoformat(f"2027-03-01T{second}+08:00")
    cycle = reading().scalars(sa.select(Cycle)).one()
    change(
        Cycle, cycle.id, cut_off_at=datetime.fromisoformat("2027-03-01T23:00:00+08:00"),
        arrives_at=datetime.fromisoformat("2027-03-02T16:00:00+08:00"), arrives_on=date(2027, 3, 2),
    )
    user = shop.buyer()
    now = clock.now()
    clock.move(evening - timedelta(minutes=2) - now)
    shop.fill(user, {"oranges": 1})
    quote = shop.quote(user)
    clock.move(evening - now + timedelta(milliseconds=100))
    # the clock keeps running: hold it inside the second
    if in_time:
        assert shop.place(user, quote).state is PurchaseState.PAID
        return
    with pytest.raises(CutOffPassed) as refused:
        shop.place(user, quote)
    assert refused.value.details == {"merchants": [shop.merchants[0].code]}
    nothing_happened()
    assert stock_of(oranges) == (10, 0)


def test_a_product_taken_off_sale_is_a_shortage_of_all_of_it(make: Factories) -> None:
    shop = Shopping(make)
    oranges = shop.goods("oranges", on_hand=10)
    user = shop.buyer()
    shop.fill(user, {"oranges": 1})
    quote = shop.quote(user)
    change(Product, oranges.product_id, state=ProductState.OFF_SALE)
    with pytest.raises(StockShortage) as refused:
        shop.place(user, quote)
    assert refused.value.details == {"details": [{"variant_code": "oranges", "available": 0}]}
    nothing_happened()


def test_a_suspended_merchant_sells_nothing_quoted_or_not(make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges")
    user = shop.buyer()
    shop.fill(user, {"oranges": 1})
    quote = shop.quote(user)
    change(Merchant, shop.merchants[0].id, state=MerchantState.SUSPENDED)
    with pytest.raises(StockShortage):
        shop.place(user, quote)
    with pytest.raises(StockShortage):
        shop.quote(user)
    nothing_happened()


def test_a_changed_fee_is_shown_before_anything_happens(make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges", price=1_000)
    user = shop.buyer()
    shop.fill(user, {"oranges": 1})
    quote = shop.quote(user)
    change(Merchant, shop.merchants[0].id, pickup_fee=Money(300))
    with pytest.raises(PriceChanged) as refused:
        shop.place(user, quote)
    assert refused.value.details == {"total_minor": 1_300}
    nothing_happened()


def test_an_empty_cart_has_no_quote(make: Factories) -> None:
    shop = Shopping(make)
    with pytest.raises(CartEmpty):
        shop.quote(shop.buyer())


def test_below_the_minimum_there_is_no_quote(make: Factories) -> None:
    shop = Shopping(make, minimum_order=Money(2_000))
    shop.goods("oranges", price=1_500)
    user = shop.buyer()
    shop.fill(user, {"oranges": 1})
    with pytest.raises(BelowMinimum) as refused:
        shop.quote(user)
    assert refused.value.details == {"shops": [{"merchant": shop.merchants[0].code, "missing_minor": 500}]}
    shop.fill(user, {"oranges": 2})
    assert shop.quote(user).total == Money(3_000)


def test_cash_is_not_taken_here(make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges")
    user = shop.buyer()
    shop.fill(user, {"oranges": 1})
    with pytest.raises(MethodUnavailable):
        shop.place(user, shop.quote(user), PaymentMethod.CASH)
    nothing_happened()


def test_when_the_next_delivery_is_full_the_one_after_is_offered(make: Factories) -> None:
    shop = Shopping(make, merchants=1)
    shop.goods("oranges")
    later = make.cycle(
        shop.merchants[0], shop.point, arrives_on=clock.today() + timedelta(days=2), arrives_at=clock.now() + timedelta(days=2),
        cut_off_at=clock.now() + timedelta(hours=30),
    )
    tomorrow = reading().scalars(sa.select(Cycle.id).order_by(Cycle.cut_off_at).limit(1)).one()
    change(Cycle, tomorrow, capacity=0)
    user = shop.buyer()
    shop.fill(user, {"oranges": 1})
    assert shop.quote(user).terms.sub_orders[0].cycle_id == later.id


def test_terms_survive_being_kept(make: Factories) -> None:
    shop = Shopping(make, pickup_fee=Money(150))
    shop.goods("oranges", by_weight=True)
    shop.goods("rice", 1)
    user = shop.buyer()
    shop.fill(user, {"oranges": 2, "rice": 1})
    quote = shop.quote(user)
    from shop.checkout import queries

    assert queries.quote(reading(), user.id, quote.ref).terms == quote.terms
    assert table(Purchase).c.quote_id.unique
