"""Ticks in a cart, two carts that become one at sign-in, and a page that is no longer true."""

from __future__ import annotations

import pytest

from shop.cart import operations as cart
from shop.cart import queries
from shop.cart.errors import CartMovedOn
from shop.cart.rules import MOST_LINES, CartOwner, CartView, Merged
from shop.checkout.errors import NothingChosen
from shop.kernel.db import perform, reading, transaction
from shop.kernel.money import Money
from shop.models.accounts import User
from tests.support.factories import Factories
from tests.support.shopping import Shopping

BROWSER = CartOwner(token_hash="f" * 64)


def seen(shop: Shopping, owner: CartOwner) -> CartView:
    reading().rollback()
    return queries.view(reading(), owner, shop.point.id)


def lying(shop: Shopping, owner: CartOwner) -> dict[str, tuple[int, bool, bool]]:
    """By code: how many, whether ticked, whether from before."""
    return {item.code: (item.quantity, item.is_chosen, item.is_earlier) for item in seen(shop, owner).items}


@pytest.fixture
def shop(make: Factories) -> Shopping:
    shop = Shopping(make, pickup_fee=Money(150), minimum_order=Money(2_000))
    for code in ("oranges", "rice", "lemons"):
        shop.goods(code, 1 if code == "rice" else 0, price=1_000)
    return shop


@pytest.fixture
def user(shop: Shopping) -> User:
    return shop.buyer()


def test_what_is_not_ticked_is_neither_quoted_nor_bought_and_stays(shop: Shopping, user: User) -> None:
    mine = CartOwner(user_id=user.id)
    shop.fill(user, {"oranges": 2, "rice": 3, "lemons": 1})
    assert perform(cart.choose, mine, ["rice", "lemons", "never-was"], False) == 2
    view = seen(shop, mine)
    assert (view.total, view.count) == (Money(2_150), 6), "the sum is of what is ticked, the badge of all"
    assert view.can_be_ordered, "what is not ticked needs no minimum"
    placed = shop.place(user, shop.quote(user))
    assert placed.total == Money(2_150)
    assert lying(shop, mine) == {"rice": (3, False, False), "lemons": (1, False, False)}
    with pytest.raises(NothingChosen):
        shop.quote(user)
    perform(cart.choose, mine, ["rice"], True)
    assert shop.quote(user).total == Money(3_150)


def test_goods_below_a_shops_minimum_count_only_what_is_ticked(shop: Shopping, user: User) -> None:
    shop.fill(user, {"oranges": 1, "lemons": 1})
    assert seen(shop, CartOwner(user_id=user.id)).can_be_ordered
    perform(cart.choose, CartOwner(user_id=user.id), ["lemons"], False)
    assert not seen(shop, CartOwner(user_id=user.id)).can_be_ordered


def test_a_tick_stays_with_the_steppers_and_comes_back_with_adding(shop: Shopping, user: User) -> None:
    mine = CartOwner(user_id=user.id)
    shop.fill(user, {"oranges": 1})
    perform(cart.set_line, mine, "oranges", 2, chosen=False)
    perform(cart.set_line, mine, "oranges", 3)
    assert lying(shop, mine)["oranges"] == (3, False, False)
    perform(cart.add_line, mine, "oranges", 1)
    assert lying(shop, mine)["oranges"] == (4, True, False)


@pytest.mark.parametrize(
    ("present", "saw", "wanted", "left"),
    [
        (2, 2, 3, 3),  # as it was seen
        (3, 2, 3, 3),  # pressed twice by mistake: once
        (0, 0, 1, 1),
        (2, 2, 0, 0),
    ],
)
def test_a_stepper_does_what_was_meant(shop: Shopping, user: User, present: int, saw: int, wanted: int, left: int) -> None:
    mine = CartOwner(user_id=user.id)
    perform(cart.set_line, mine, "oranges", present)
    perform(cart.set_line, mine, "oranges", wanted, seen=saw)
    assert lying(shop, mine).get("oranges", (0,))[0] == left


@pytest.mark.parametrize(("present", "saw", "wanted"), [(17, 19, 20), (0, 17, 18), (5, 2, 0)])
def test_a_page_that_is_no_longer_true_changes_nothing(shop: Shopping, user: User, present: int, saw: int, wanted: int) -> None:
    mine = CartOwner(user_id=user.id)
    perform(cart.set_line, mine, "oranges", present)
    with pytest.raises(CartMovedOn) as refused:
        perform(cart.set_line, mine, "oranges", wanted, seen=saw)
    assert refused.value.details == {"quantity": present}
    assert lying(shop, mine).get("oranges", (0,))[0] == present


def two_carts(shop: Shopping, user: User) -> CartOwner:
    """The person's from before, and what this browser has gathered now."""
    mine = CartOwner(user_id=user.id)
    for owner, wanted in ((mine, {"oranges": 5, "rice": 2}), (BROWSER, {"oranges": 2, "lemons": 1})):
        for code, quantity in wanted.items():
            perform(cart.set_line, owner, code, quantity)
    return mine


def test_on_the_way_to_paying_the_sum_that_was_seen_stays(shop: Shopping, user: User) -> None:
    mine = two_carts(shop, user)
    before = seen(shop, BROWSER).total
    assert perform(cart.merge, BROWSER, user.id, sets_aside=True) == Merged(earlier=1, joined=2)
    assert lying(shop, mine) == {"oranges": (2, True, False), "rice": (2, False, True), "lemons": (1, True, False)}
    assert seen(shop, mine).total == before
    assert [item.code for item in seen(shop, mine).earlier] == ["rice"]


def test_otherwise_everything_is_ticked_and_marked_as_earlier(shop: Shopping, user: User) -> None:
    mine = two_carts(shop, user)
    assert perform(cart.merge, BROWSER, user.id) == Merged(earlier=1, joined=2)
    assert lying(shop, mine) == {"oranges": (5, True, False), "rice": (2, True, True), "lemons": (1, True, False)}
    perform(cart.set_line, mine, "rice", 3)
    assert lying(shop, mine)["rice"] == (3, True, False), "who has touched it knows of it"


def test_an_empty_browser_leaves_a_cart_alone(shop: Shopping, user: User) -> None:
    mine = CartOwner(user_id=user.id)
    shop.fill(user, {"oranges": 1})
    assert perform(cart.merge, BROWSER, user.id, sets_aside=True) == Merged()
    assert lying(shop, mine) == {"oranges": (1, True, False)}


def test_a_merge_keeps_to_the_limit_and_what_finds_no_room_waits(shop: Shopping, user: User) -> None:
    mine = CartOwner(user_id=user.id)
    codes = [f"goods-{number}" for number in range(MOST_LINES + 20)]
    for code in codes:
        shop.goods(code, price=1_000)
    with transaction() as session:
        for code in codes[:60]:
            cart.set_line(session, mine, code, 1)
        for code in codes[60:]:
            cart.set_line(session, BROWSER, code, 1)
        cart.set_line(session, BROWSER, codes[0], 4)
    assert perform(cart.merge, BROWSER, user.id) == Merged(earlier=59, joined=41, left_out=20)
    assert queries.kinds(reading(), mine) == MOST_LINES
    assert set(lying(shop, BROWSER)) == set(codes[100:]), "nothing is thrown away"
    perform(cart.set_line, mine, codes[0], 2)  # every change is still taken
    perform(cart.set_line, mine, codes[1], 0)
    assert perform(cart.merge, BROWSER, user.id) == Merged(earlier=99, joined=1, left_out=19)
