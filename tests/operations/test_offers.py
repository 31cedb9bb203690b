"""What offers take off: frozen with the order, given back as it was paid, borne by who made them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskCliRunner

from shop.cart import queries as carts
from shop.cart.rules import CartOwner
from shop.checkout.errors import PriceChanged
from shop.kernel import clock, memory
from shop.kernel.db import perform, reading, transaction
from shop.kernel.money import ZERO, Money
from shop.models.catalog import Variant
from shop.models.merchants import Merchant
from shop.models.orders import LineDiscount, OrderLine, PaymentMethod, Purchase, SubOrder
from shop.models.promotions import Funder, PriceOffer
from shop.orders import operations as orders
from shop.orders import queries
from shop.platform.actor import COMMAND, JOB
from shop.promotions import operations as offers
from shop.promotions.errors import OfferExists, OfferImpossible
from tests.operations.test_orders import Placed
from tests.support.books import PLUMBING, assert_books_are_right
from tests.support.factories import Factories, actor_of
from tests.support.money import balance
from tests.support.offers import offer
from tests.support.queries import counted
from tests.support.shopping import Shopping, count, purchases


def books(*leave_out: str) -> None:
    """All books but those of the desk: goods are handed over here without one."""
    assert_books_are_right(leave_out=(*PLUMBING, "pickup.", "counter.", "endings.", *leave_out))


def lines() -> list[Any]:
    reading().rollback()
    wanted = sa.select(OrderLine.line_total, OrderLine.discount_total, OrderLine.paid_total).order_by(OrderLine.id)
    return [tuple(amount.fen for amount in row) for row in reading().execute(wanted)]


def parts() -> list[Any]:
    reading().rollback()
    columns = (SubOrder.goods_total, SubOrder.discount_total, SubOrder.supported_total, SubOrder.total)
    return [tuple(amount.fen for amount in row) for row in reading().execute(sa.select(*columns).order_by(SubOrder.id))]


def shares() -> list[tuple[str, int]]:
    wanted = sa.select(LineDiscount.funder, LineDiscount.share).order_by(LineDiscount.id)
    return [(funder.value, share.fen) for funder, share in reading().execute(wanted)]


def set_price(variant: Variant, fen: int) -> None:
    with transaction() as session:
        session.execute(sa.update(Variant).where(Variant.id == variant.id).values(price=Money(fen)))


def hand_over(placed: Placed, part: int) -> None:
    placed.make_ready(part)
    perform(orders.mark_collected, JOB, [part])


def merchant(placed: Placed, place: int = 0) -> str:
    return f"merchant:{placed.shop.merchants[place].id}"


def test_what_the_cart_shows_is_quoted_charged_and_frozen(make: Factories) -> None:
    """¥30.00 of oranges and ¥15.00 of fish: ¥2.00 off by the first shop, then ¥3.00 off by the platform on ¥43.00."""
    shop = Shopping(make, pickup_fee=Money(100))
    shop.goods("oranges", price=1_000)
    shop.goods("fish", 1, price=1_500)
    own, ours = offer(200, at_least=3_000, merchant=shop.merchants[0], own=True), offer(300, at_least=4_300)
    buyer = shop.buyer(100_000)
    shop.fill(buyer, {"oranges": 3, "fish": 1})
    cart = carts.view(reading(), CartOwner(user_id=buyer.id), shop.point.id)
    assert (cart.discount.fen, cart.total.fen) == (500, 4_200)
    quote = shop.quote(buyer)
    assert quote.total == cart.total
    assert [one.id for one in quote.terms.offers] == [own.id, ours.id]
    placed = shop.place(buyer, quote)
    assert placed.total == quote.total
    assert balance(f"wallet:{buyer.id}") == 100_000 - 4_200
    assert lines() == [(3_000, 395, 2_605), (1_500, 105, 1_395)]
    assert parts() == [(3_000, 395, 195, 2_705), (1_500, 105, 105, 1_495)]
    assert shares() == [("merchant", 200), ("platform", 195), ("platform", 105)]
    seen = queries.mine(reading(), buyer.id, placed.number)
    assert (seen.goods_total.fen, seen.discount_total.fen, seen.fee_total.fen, seen.total.fen) == (4_500, 500, 200, 4_200)
    books()


def test_an_order_with_offers_takes_one_statement_more_whatever_lies_in_it(make: Factories) -> None:
    shop = Shopping(make)
    for number in range(9):
        shop.goods(f"goods-{number}", number % 2)
    user = shop.buyer(500_000)
    offer(100, at_least=1_000)
    for _warm in range(2):
        shop.buy(user, {"goods-0": 1, "goods-1": 1})
    statements = []
    for wanted in ({"goods-0": 1, "goods-1": 1}, {f"goods-{number}": 1 for number in range(2, 9)}):
        shop.fill(user, wanted)
        quote = shop.quote(user)
        with counted() as seen:
            shop.place(user, quote)
        statements.append(len(seen))
    assert statements == [15, 15]


def sold(make: Factories, wanted: dict[str, int], *, own: int = 0, ours: int = 0, at_least: int = 1_000, **terms: Any) -> Placed:
    """An order of goods that lie under offers: `own` off by their shops, then `ours` off by the platform."""
    memory.forget()
    made = Placed.__new__(Placed)
    made.make, made.shop = make, Shopping(make, **terms)
    made.oranges = made.shop.goods("oranges", price=1_000, on_hand=10)
    made.rabbit = made.shop.goods("rabbit", 1, price=1_500, on_hand=10, by_weight=True)
    for shop in made.shop.merchants if own else ():
        offer(own, at_least=at_least, merchant=shop, own=True)
    if ours:
        offer(ours, at_least=at_least)
    made.buyer = made.shop.buyer(100_000)
    made.order = made.shop.buy(made.buyer, wanted)
    made.parts = [part.id for part in made.order.sub_orders]
    return made


def test_merchant_platform_and_funders_sum_to_the_charge(make: Factories) -> None:
    """¥20.00 less ¥1.00 of its own and ¥2.00 of ours: the buyer pays ¥17.00, and the merchant is owed 97 % of ¥19.00."""
    placed = sold(make, {"oranges": 2}, own=100, ours=200)
    (part,) = placed.parts
    assert placed.order.total == Money(1_700)
    hand_over(placed, part)
    assert (balance(merchant(placed)), balance("commission"), balance("escrow"), balance("promotion")) == (1_649 + 194, 51 + 6, 0, -200)
    books()


def test_a_hand_over_taken_back_takes_the_platforms_part_back(make: Factories) -> None:
    placed = sold(make, {"oranges": 2}, ours=200)
    (part,) = placed.parts
    hand_over(placed, part)
    waits_on = reading().scalars(sa.select(SubOrder.pass_id)).one()
    assert waits_on is not None
    perform(orders.take_back, JOB, [part], waits_on)
    assert (balance(merchant(placed)), balance("commission"), balance("promotion")) == (0, 0, 0)
    perform(orders.mark_collected, JOB, [part])
    assert (balance(merchant(placed)), balance("promotion")) == (1_746 + 194, -200)
    books()


@pytest.mark.parametrize("amounts", [(1_803,), (1, 1_802), (601, 601, 601), (900, 2, 901)])
def test_refunds_after_the_hand_over_end_at_exactly_nothing_in_any_order(make: Factories, amounts: tuple[int, ...]) -> None:
    placed = sold(make, {"oranges": 2}, own=100, ours=197, pickup_fee=Money(100))
    (part,) = placed.parts
    hand_over(placed, part)
    for number, fen in enumerate(amounts):
        perform(orders.refund, COMMAND, part, amount=Money(fen), cause=f"sub_order:{part}:given:{number}", reason="sorry")
        books()
    for account in (merchant(placed), "commission", "promotion", "escrow"):
        assert balance(account) == 0
    assert balance(f"wallet:{placed.buyer.id}") == 100_000


def test_what_is_missing_gives_back_what_was_paid_for_it_to_the_last_fen(make: Factories) -> None:
    """Of 3 at ¥10.00 less ¥1.00 together, ¥9.66, ¥9.67 and ¥9.67 were paid: the last goes first."""
    placed = sold(make, {"oranges": 3, "rabbit": 1}, ours=150)
    assert lines() == [(3_000, 100, 2_900), (1_500, 50, 1_450)]
    line = reading().scalars(sa.select(OrderLine.id).order_by(OrderLine.id).limit(1)).one()
    back = [perform(orders.short_line, JOB, line, there, "frost").given_back.fen for there in (2, 1)]
    assert back == [967, 967]
    books()
    assert perform(orders.short_line, JOB, line, 0, "frost").is_declined
    assert balance(f"wallet:{placed.buyer.id}") == 100_000 - 1_450
    books()


def test_what_weighs_less_gives_back_what_was_paid_for_the_difference(make: Factories) -> None:
    """¥30.00 of fish for ¥27.00: 850 of 1,000 g cost ¥22.95, not the ¥25.50 of the list."""
    placed = sold(make, {"rabbit": 2}, ours=300)
    (part,) = placed.parts
    line = reading().scalars(sa.select(OrderLine.id)).one()
    perform(orders.accept, JOB, part)
    assert perform(orders.weigh_line, JOB, line, 850) == Money(405)
    perform(orders.mark_packed, JOB, part)
    assert perform(orders.weigh_line, JOB, line, 950, 850) == Money(-270)
    perform(orders.mark_in_transit, JOB, [part])
    perform(orders.mark_ready, JOB, [part], placed.a_pass())
    perform(orders.mark_collected, JOB, [part])
    assert balance("promotion") == -285, "95 % of what the platform took off"
    assert balance(merchant(placed, 1)) == (2_565 - 77) + (285 - 9)
    books()


def test_a_cancelled_order_gives_back_what_was_paid_and_costs_the_platform_nothing(make: Factories) -> None:
    placed = sold(make, {"oranges": 2}, own=100, ours=200)
    perform(orders.cancel, actor_of(placed.buyer), placed.order.number)
    assert balance(f"wallet:{placed.buyer.id}") == 100_000
    assert (balance("promotion"), balance("escrow")) == (0, 0)
    books()


def test_an_offer_that_ended_holds_for_who_saw_it(make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges", price=1_000)
    ours = offer(200, at_least=1_500)
    buyer = shop.buyer()
    shop.fill(buyer, {"oranges": 2})
    quote = shop.quote(buyer)
    assert perform(offers.end, COMMAND, ours.code) is True
    assert perform(offers.end, COMMAND, ours.code) is False
    memory.forget()
    assert shop.quote(buyer).total == Money(2_000)
    assert shop.place(buyer, quote).total == Money(1_800)
    books()


def test_a_lower_price_that_loses_an_offer_and_costs_more_is_asked_about(make: Factories) -> None:
    shop = Shopping(make)
    oranges = shop.goods("oranges", price=1_000)
    offer(500, at_least=2_000)
    buyer = shop.buyer()
    shop.fill(buyer, {"oranges": 2})
    quote = shop.quote(buyer)
    set_price(oranges, 990)
    with pytest.raises(PriceChanged) as refused:
        shop.place(buyer, quote)
    assert refused.value.details == {"total_minor": 1_980}
    assert (purchases(), balance(f"wallet:{buyer.id}")) == (0, 100_000)
    set_price(oranges, 700)
    assert shop.place(buyer, quote).total == Money(1_400), "without the offer, and still less than was seen"
    assert count(LineDiscount) == 0
    books("stock.listings")


def test_an_order_by_card_asks_for_what_is_left(make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges", price=1_000)
    offer(200, at_least=1_500)
    placed = shop.buy(shop.buyer(), {"oranges": 2}, PaymentMethod.STRIPE)
    reading().rollback()
    assert reading().scalars(sa.select(Purchase.total).where(Purchase.id == placed.purchase_id)).one() == Money(1_800)
    books()


def test_an_offer_counts_in_its_community_only(make: Factories) -> None:
    elsewhere = make.community()
    shop = Shopping(make)
    shop.goods("oranges", price=1_000)
    buyer = shop.buyer()
    shop.fill(buyer, {"oranges": 2})
    offer(200, at_least=1_500, community=elsewhere)
    assert shop.quote(buyer).terms.discount == ZERO
    with transaction() as session:
        session.execute(sa.update(PriceOffer).values(community_id=shop.point.community_id))
    memory.forget()
    assert shop.quote(buyer).terms.discount == Money(200)


def test_what_cannot_be_an_offer_is_refused_and_nothing_is_written(make: Factories) -> None:
    moment = clock.now()
    right = {"code": "o", "funder": Funder.PLATFORM, "at_least": 1_000, "off": Money(100), "name_zh": "减", "name_en": "Off",
             "starts_at": moment, "ends_at": moment + timedelta(days=1)}  # fmt: skip
    past = moment - timedelta(days=1)
    for wrong in ({"off": Money(1_000)}, {"off": ZERO}, {"ends_at": moment}, {"ends_at": past}, {"funder": Funder.MERCHANT}):
        with pytest.raises(OfferImpossible):
            perform(offers.make_threshold, COMMAND, offers.Threshold(**{**right, **wrong}))
    assert count(PriceOffer) == 0
    assert [perform(offers.make_threshold, COMMAND, offers.Threshold(**right)) for _ in range(2)] == [True, False]
    with pytest.raises(OfferExists):
        perform(offers.make_threshold, COMMAND, offers.Threshold(**{**right, "off": Money(99)}))
    assert count(PriceOffer) == 1


def test_a_person_makes_lists_and_ends_offers_by_command(app: Flask, make: Factories) -> None:
    runner: FlaskCliRunner = app.test_cli_runner()
    shop: Merchant = make.merchant("hall")
    said = runner.invoke(args=["offers", "add", "fifty", "50", "3.50", "--zh", "满50减3.5", "--en", "3.50 off", "--merchant", shop.code])
    assert said.exit_code == 0, said.output
    listed = runner.invoke(args=["offers", "list"]).output
    assert "fifty: from ¥50.00 ¥3.50 off, paid for by the platform" in listed
    assert "is over" in runner.invoke(args=["offers", "end", "fifty"]).output
    assert runner.invoke(args=["offers", "list"]).output == ""
    for wrong in (["add", "x", "5", "6"], ["add", "x", "five", "1"], ["add", "x", "50", "1", "--merchant", "nobody"], ["end", "nothing"]):
        names = ["--zh", "减", "--en", "Off"] if wrong[0] == "add" else []
        assert runner.invoke(args=["offers", *wrong, *names]).exit_code != 0
    assert count(PriceOffer) == 1
