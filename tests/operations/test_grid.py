"""Many cells saved at once: all or none, each against what was seen; likely slips are asked about."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from shop.kernel.db import finish_reading, perform, reading, transaction
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.listings import operations
from shop.listings.errors import GridDoubtful, GridRefused
from shop.listings.operations import Cell
from shop.models.accounts import Role
from shop.models.catalog import Listing, PriceChange, Product, Variant
from shop.models.stock import StockItem
from shop.platform.actor import Actor, Grant
from tests.support.factories import Factories, actor_of


@pytest.fixture
def owner(make: Factories) -> Actor:
    """Of the shop that sells eggs and rice, 100 of each at ¥10."""
    shop = make.merchant("coop")
    for code in ("eggs", "rice"):
        make.product(shop, code=code, name_zh=code, name_en=code)
    return actor_of(make.user(), Grant(Role.MERCHANT_OWNER.value, shop.id))


def save(owner: Actor, *cells: tuple[str, str, str, str], once: str = "page", sure: bool = False) -> int:
    wanted = [Cell(*one) for one in cells]
    return perform(operations.save_grid, owner, owner.grants[0].merchant_id or 0, wanted, once, sure=lambda _doubt: sure)


def now() -> list[tuple[object, ...]]:
    finish_reading()
    rows = reading().execute(
        sa.select(Variant.code, Product.name_zh, Product.name_en, Variant.label_zh, Variant.price, StockItem.on_hand)
        .join(Product, Product.id == Variant.product_id)
        .join(StockItem, StockItem.variant_id == Variant.id)
        .order_by(Variant.code)
    )
    return [tuple(row) for row in rows]


BEFORE = [("eggs", "eggs", "eggs", "盒", Money(1_000), 100), ("rice", "rice", "rice", "盒", Money(1_000), 100)]


def test_all_cells_are_saved_together_and_cards_show_them(owner: Actor) -> None:
    cells = [
        ("name_zh", "eggs", "eggs", "土鸡蛋"), ("label_zh", "rice", "盒", "袋"), ("price", "eggs", "10.00", "11.5"),
        ("stock", "rice", "100", "90"),
    ]  # fmt: skip
    assert save(owner, *cells) == 4
    assert now() == [("eggs", "土鸡蛋", "土鸡蛋", "盒", Money(1_150), 100), ("rice", "rice", "rice", "袋", Money(1_000), 90)]
    assert tuple(reading().execute(sa.select(Listing.name_zh, Listing.price).where(Listing.code == "eggs")).one()) == (
        "土鸡蛋", Money(1_150),
    )  # fmt: skip
    assert reading().scalars(sa.select(PriceChange.price)).all() == [Money(1_150)]
    assert save(owner, *cells) == 0, "sent again, nothing is new"


@pytest.mark.parametrize(
    ("cell", "refusal"),
    [
        (("price", "rice", "10.00", "5,80"), "unclear_comma"), (("price", "rice", "10.00", "0"), "listing_price_not_understood"),
        (("stock", "rice", "100", "many"), "number_not_understood"), (("stock", "rice", "100", "-1"), "number_not_understood"),
        (("name_zh", "rice", "rice", " "), "field_missing"), (("label_zh", "rice", "盒", "x" * 41), "text_too_long"),
        (("price", "rice", "9.00", "9.50"), "cell_changed_meanwhile"), (("stock", "rice", "99", "98"), "cell_changed_meanwhile"),
    ],
)  # fmt: skip
def test_one_wrong_cell_and_nothing_is_saved(owner: Actor, cell: tuple[str, str, str, str], refusal: str) -> None:
    with pytest.raises(GridRefused) as refused:
        save(owner, ("name_zh", "eggs", "eggs", "土鸡蛋"), cell)
    assert {place: error.code for place, error in refused.value.refused.items()} == {cell[:2]: refusal}
    assert now() == BEFORE


def test_what_somebody_else_wrote_the_same_is_no_conflict(owner: Actor) -> None:
    assert save(owner, ("price", "eggs", "9.00", "10.00"), ("stock", "eggs", "7", "100")) == 0
    assert now() == BEFORE


def test_likely_slips_are_asked_about_and_saved_when_somebody_is_sure(owner: Actor) -> None:
    cells = [("price", "eggs", "10.00", "100"), ("stock", "rice", "100", "10"), ("label_zh", "eggs", "盒", "箱")]
    with pytest.raises(GridDoubtful) as doubt:
        save(owner, *cells)
    assert set(doubt.value.refused) == {("price", "eggs"), ("stock", "rice")}
    assert now() == BEFORE
    assert save(owner, *cells, sure=True) == 3
    assert [row[4:] for row in now()] == [(Money(10_000), 100), (Money(1_000), 10)]


def test_two_sizes_of_one_product_cannot_give_it_two_names(make: Factories, owner: Actor) -> None:
    product_id = reading().scalars(sa.select(Variant.product_id).where(Variant.code == "eggs")).one()
    more = {"label_zh": "箱", "label_en": "box", "price": Money(1), "net_weight_grams": 1}
    make.save(Variant(code="eggs-2", product_id=product_id, **more))
    with pytest.raises(GridRefused):
        save(owner, ("name_zh", "eggs", "eggs", "土鸡蛋"), ("name_zh", "eggs-2", "eggs", "洋鸡蛋"))


@pytest.mark.parametrize("role", [Role.MERCHANT_CLERK, Role.MERCHANT_OWNER])
def test_clerks_and_other_shops_save_nothing(make: Factories, owner: Actor, role: Role) -> None:
    elsewhere = make.merchant()
    shop = elsewhere.id if role is Role.MERCHANT_OWNER else owner.grants[0].merchant_id or 0
    stranger = actor_of(make.user(), Grant(role.value, shop))
    with pytest.raises(NotFound):
        perform(operations.save_grid, stranger, shop, [Cell("price", "eggs", "10.00", "11")], "x")
    with pytest.raises(NotFound):
        save(owner, ("secret", "eggs", "", "x"))
    assert now() == BEFORE


def test_a_price_somebody_changed_is_not_written_over(owner: Actor) -> None:
    with transaction() as session:
        session.execute(sa.update(Variant).where(Variant.code == "eggs").values(price=Money(1_200)))
    with pytest.raises(GridRefused) as refused:
        save(owner, ("price", "eggs", "10.00", "11"))
    assert refused.value.refused["price", "eggs"].details == {"now": "12.00"}
