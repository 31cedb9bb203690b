"""Changing what is listed: all or nothing, over nobody's head; sizes are added and withdrawn, never deleted."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from shop.kernel.db import finish_reading, perform, reading, transaction
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.listings import operations, queries
from shop.listings.errors import ChangedMeanwhile, LastSize, NothingToSell, ShopNotInBusiness, TooManySizes
from shop.models.accounts import Role
from shop.models.catalog import Listing, PriceChange, Product, ProductState, Variant
from shop.models.merchants import Merchant, MerchantState
from shop.models.stock import StockItem
from shop.platform.actor import Actor, Grant
from tests.support.factories import Factories, actor_of

SIZE = {"label_zh": "30枚", "label_en": "30 pieces", "net_weight_grams": 1_800, "barcode": None, "minimum_quantity": 1, "multiple": 1}


@pytest.fixture
def owner(make: Factories) -> Actor:
    """Of the shop that sells eggs, in one size."""
    shop = make.merchant("coop")
    make.product(shop, code="eggs", price=2_000)
    return actor_of(make.user(), Grant(Role.MERCHANT_OWNER.value, shop.id))


def eggs() -> Product:
    finish_reading()
    return reading().scalars(sa.select(Product).where(Product.code == "eggs")).one()


def sizes() -> list[Variant]:
    return queries.sizes_of_product(reading(), eggs().id)


def seen() -> str:
    return operations.version_of(eggs(), sizes())


def change(owner: Actor, version: str, of_size: dict[str, object] | None = None, **said: object) -> int:
    return perform(operations.change_listing, owner, "eggs", version, said, {"eggs": of_size} if of_size else {})


def test_what_is_said_changes_on_the_card_at_once_and_said_again_it_is_nothing(owner: Actor) -> None:
    of_size = {"label_zh": "12枚/盒", "minimum_quantity": 2}
    assert change(owner, seen(), of_size, name_zh="土鸡蛋", allergens="egg", season_months="3-5") == 2
    assert (eggs().name_zh, eggs().allergens, sizes()[0].minimum_quantity) == ("土鸡蛋", "egg", 2)
    listed = reading().execute(sa.select(Listing.name_zh, Listing.unit_zh, Listing.season_mask)).one()
    assert tuple(listed) == ("土鸡蛋", "12枚/盒", 0b11100)
    assert change(owner, seen(), {"label_zh": "12枚/盒"}, name_zh="土鸡蛋") == 0


def test_over_somebody_elses_change_nothing_is_saved(owner: Actor) -> None:
    version = seen()
    change(owner, version, name_zh="土鸡蛋")
    with pytest.raises(ChangedMeanwhile):
        change(owner, version, name_zh="洋鸡蛋")
    with pytest.raises(ChangedMeanwhile):
        change(owner, version, {"multiple": 3})
    assert (eggs().name_zh, sizes()[0].multiple) == ("土鸡蛋", 1)


def test_off_sale_it_is_shown_to_nobody_and_on_sale_again_to_everybody(owner: Actor) -> None:
    change(owner, seen(), state=ProductState.OFF_SALE)
    assert reading().scalar(sa.select(sa.func.count()).select_from(Listing)) == 0
    change(owner, seen(), state=ProductState.ON_SALE)
    assert reading().scalar(sa.select(sa.func.count()).select_from(Listing)) == 1


def test_what_nobody_can_buy_is_not_put_on_sale(owner: Actor) -> None:
    change(owner, seen(), state=ProductState.OFF_SALE)
    with transaction() as session:
        session.get_one(Merchant, owner.grants[0].merchant_id).state = MerchantState.SUSPENDED
    with pytest.raises(ShopNotInBusiness):
        change(owner, seen(), state=ProductState.ON_SALE)
    with transaction() as session:
        session.get_one(Merchant, owner.grants[0].merchant_id).state = MerchantState.ACTIVE
        session.execute(sa.update(Variant).values(is_on_sale=False))
    with pytest.raises(NothingToSell):
        change(owner, seen(), state=ProductState.ON_SALE)
    assert eggs().state is ProductState.OFF_SALE


def test_a_size_is_added_once_with_price_and_stock(owner: Actor) -> None:
    codes = [perform(operations.add_size, owner, "eggs", SIZE, Money(4_500), 7, "page") for _ in range(2)]
    assert codes[0] == codes[1]
    first, second = sizes()
    assert (second.code, second.price, second.position > first.position) == (codes[0], Money(4_500), True)
    assert reading().scalars(sa.select(PriceChange.price).where(PriceChange.variant_id == second.id)).all() == [Money(4_500)]
    assert reading().scalars(sa.select(StockItem.on_hand).where(StockItem.variant_id == second.id)).all() == [7]
    assert reading().scalars(sa.select(Listing.has_choices)).one() is True


def test_fifty_sizes_are_enough(make: Factories, owner: Actor) -> None:
    product_id = eggs().id
    make.save(*(Variant(code=f"x{number}", product_id=product_id, price=Money(1), **SIZE) for number in range(49)))
    with pytest.raises(TooManySizes):
        perform(operations.add_size, owner, "eggs", SIZE, Money(1), 0, "more")
    assert len(sizes()) == 50


def test_a_size_is_withdrawn_and_offered_again_and_never_the_last_one(owner: Actor) -> None:
    code = perform(operations.add_size, owner, "eggs", SIZE, Money(4_500), 7, "page")
    assert [perform(operations.withdraw_size, owner, "eggs", code) for _ in range(2)] == [True, False]
    with pytest.raises(LastSize):
        perform(operations.withdraw_size, owner, "eggs", "eggs")
    assert [one.is_on_sale for one in sizes()] == [True, False]
    assert reading().scalars(sa.select(Listing.has_choices)).one() is False
    assert perform(operations.withdraw_size, owner, "eggs", code, is_on_sale=True) is True
    assert [one.is_on_sale for one in sizes()] == [True, True]


@pytest.mark.parametrize("role", [Role.MERCHANT_CLERK, Role.MERCHANT_OWNER])
def test_clerks_and_other_shops_change_nothing(make: Factories, owner: Actor, role: Role) -> None:
    shop = make.merchant().id if role is Role.MERCHANT_OWNER else owner.grants[0].merchant_id
    stranger, version = actor_of(make.user(), Grant(role.value, shop)), seen()
    with pytest.raises(NotFound):
        change(stranger, version, name_zh="x")
    with pytest.raises(NotFound):
        perform(operations.add_size, stranger, "eggs", SIZE, Money(1), 0, "x")
    with pytest.raises(NotFound):
        perform(operations.withdraw_size, stranger, "eggs", "eggs")
    assert seen() == version


def test_a_size_of_another_product_is_not_there(make: Factories, owner: Actor) -> None:
    make.product(code="rice")
    with pytest.raises(NotFound):
        perform(operations.change_listing, owner, "eggs", seen(), {}, {"rice": {"multiple": 2}})
    with pytest.raises(NotFound):
        perform(operations.withdraw_size, owner, "eggs", "rice")
