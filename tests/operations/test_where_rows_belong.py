"""Rows belong where the goods are collected, or where the person collected when they were written; they stay there."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from shop.kernel.columns import CITY
from shop.kernel.db import Base, perform, reading, transaction
from shop.kernel.money import Money
from shop.models.accounts import User
from shop.models.orders import PaymentMethod
from shop.models.payments import PaymentPurpose
from shop.orders import operations as orders
from shop.payments import operations as payments
from shop.platform import notices
from shop.wallet.rules import Proof
from tests.support.books import assert_books_are_right
from tests.support.factories import Factories, actor_of
from tests.support.shopping import Shopping

OF_AN_ORDER = ("quotes", "purchases", "sub_orders", "order_lines", "payments", "cycles")


def keys(table: str, key: str = "community_id", **which: object) -> set[int]:
    reading().rollback()
    columns = Base.metadata.tables[table].c
    return set(reading().scalars(sa.select(columns[key]).where(*(columns[name] == value for name, value in which.items()))))


def moved(shop: Shopping, user: User) -> int:
    """The person now collects somewhere else; the community there."""
    elsewhere = shop.make.point()
    with transaction() as session:
        session.execute(sa.update(User).where(User.id == user.id).values(pickup_point_id=elsewhere.id))
    return elsewhere.community_id


@pytest.mark.parametrize("method", [PaymentMethod.WALLET, PaymentMethod.STRIPE])
def test_everything_of_an_order_belongs_to_the_community_of_its_point(make: Factories, method: PaymentMethod) -> None:
    shop = Shopping(make)
    shop.goods("oranges", price=2_500, on_hand=9)
    buyer = shop.buyer(10_000)
    there = moved(shop, buyer)
    placed = shop.buy(buyer, {"oranges": 2}, method)
    here = shop.point.community_id
    assert here != there
    if method is PaymentMethod.STRIPE:
        perform(orders.pay_from_wallet, actor_of(buyer), placed.number, Proof(buyer.id))
    for table in OF_AN_ORDER:
        assert keys(table) == {here}, table
    assert keys("transfers", subject_type="sub_order") == keys("audit_entries", subject_type="purchase") == {here}
    assert keys("stock_movements", "merchant_id", kind="sale") == {shop.merchants[0].id}
    assert keys("order_lines", "placed_at") == keys("purchases", "placed_at")
    assert_books_are_right(leave_out=("plumbing.",))


def test_a_hold_belongs_to_the_merchant_of_the_goods(make: Factories) -> None:
    shop = Shopping(make)
    shop.goods("oranges", price=2_500, merchant=1)
    shop.buy(shop.buyer(10_000), {"oranges": 1}, PaymentMethod.STRIPE)
    assert keys("reservations", "merchant_id") == {shop.merchants[1].id}


def test_what_is_the_persons_belongs_where_the_person_collects_and_to_the_city_before_one_was_chosen(make: Factories) -> None:
    shop = Shopping(make)
    here, nowhere = shop.buyer(10_000), make.user()
    for user, community in ((here, shop.point.community_id), (nowhere, CITY)):
        made = perform(
            payments.start, actor_of(user), purpose=PaymentPurpose.TOP_UP, method=PaymentMethod.STRIPE, amount=Money(5_000)
        )
        assert keys("payments", id=made.id) == {community}
        with transaction() as session:
            notices.post(session, user.id, "orders.paid", dedupe_key=f"n{user.id}", link="/", number="L1")
        assert keys("notices", user_id=user.id) == {community}
