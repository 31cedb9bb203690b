"""New goods are typed, kept word for word, and put on sale when they are whole; at once, many together, or at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from shop.kernel import clock
from shop.kernel.db import finish_reading, perform, reading, transaction
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.listings import jobs, operations
from shop.listings.errors import AlreadyPublished, ListingIncomplete, MomentNotUnderstood, NothingToSell, ShopNotInBusiness
from shop.models.accounts import Role
from shop.models.catalog import Listing, PriceChange, PricedBy, Product, ProductState, SoldBy, Storage, Variant
from shop.models.listings import ListingDraft
from shop.models.merchants import Merchant, MerchantState
from shop.models.stock import StockItem
from shop.platform.actor import Actor, Grant
from tests.support.factories import Factories, actor_of

PLUM = {"name_zh": "青脆李", "category": "fruit", "price": "5.80", "stock": "40", "origin_zh": "资中县"}


@pytest.fixture
def shop(make: Factories) -> Merchant:
    make.category("fruit")
    return make.merchant("coop")


@pytest.fixture
def owner(make: Factories, shop: Merchant) -> Actor:
    return actor_of(make.user(), Grant(Role.MERCHANT_OWNER.value, shop.id))


def save(owner: Actor, once: str = "page", **typed: str) -> str:
    return perform(operations.save_draft, owner, owner.grants[0].merchant_id or 0, typed, once)


def product(code: str) -> Product:
    finish_reading()
    return reading().scalars(sa.select(Product).where(Product.code == code)).one()


def count(of: type) -> int:
    return reading().scalar(sa.select(sa.func.count()).select_from(of)) or 0


def test_half_a_price_is_kept_word_for_word_and_nobody_sees_it(owner: Actor) -> None:
    code = save(owner, name_zh="李", price="5.")
    assert save(owner, name_zh="李子", price="5.8") == code, "the same page goes on with the same draft"
    assert reading().scalars(sa.select(ListingDraft.typed)).one() == {"name_zh": "李子", "price": "5.8"}
    assert (product(code).state, product(code).name_zh, count(Variant), count(Listing)) == (ProductState.DRAFT, "李子", 0, 0)


def test_a_name_a_price_and_how_many_are_enough_in_a_category(owner: Actor) -> None:
    code = save(owner, **PLUM)
    found = perform(operations.publish, owner, [code])
    assert (found.done, found.refused) == ([code], {})
    made = product(code)
    assert (made.state, made.sold_by, made.priced_by, made.storage) == (
        ProductState.ON_SALE, SoldBy.WEIGHT, PricedBy.WEIGHT, Storage.AMBIENT,
    )  # fmt: skip
    assert (made.name_en, made.origin_en, made.shelf_life_days, made.is_agricultural, made.is_returnable_within_7_days) == (
        "青脆李", "资中县", 7, True, False,
    )  # fmt: skip
    size = reading().scalars(sa.select(Variant)).one()
    assert (size.label_zh, size.label_en, size.net_weight_grams, size.price) == ("斤", "jin", 500, Money(580))
    assert reading().scalars(sa.select(StockItem.on_hand)).one() == 40
    assert reading().scalars(sa.select(PriceChange.price)).one() == Money(580)
    assert reading().scalars(sa.select(Listing.price)).one() == Money(580)
    assert count(ListingDraft) == 0


def test_put_on_sale_twice_is_put_on_sale_once(owner: Actor) -> None:
    code = save(owner, **PLUM)
    assert [perform(operations.publish, owner, [code]).done for _ in range(2)] == [[code], [code]]
    assert (count(Variant), count(PriceChange)) == (1, 1)
    with pytest.raises(AlreadyPublished):
        save(owner, **PLUM)


WRONG = [
    ({"name_zh": ""}, {"name_zh": "field_missing"}), ({"category": "", "grams": "500 g"}, {"category": "field_missing"}),
    ({"category": "stars", "grams": "500 g"}, {"category": "not_one_of_these"}),
    ({"price": "0"}, {"price": "listing_price_not_understood"}),
    ({"price": "5,80"}, {"price": "unclear_comma"}), ({"price": "abc", "stock": "x"}, {"price": "listing_price_not_understood",
                                                                                       "stock": "number_not_understood"}),
    ({"stock": "-1"}, {"stock": "number_not_understood"}), ({"stock": "1.5"}, {"stock": "number_not_understood"}),
    ({"unit_zh": "箱"}, {"grams": "field_missing"}), ({"grams": "0"}, {"grams": "listing_weight_not_understood"}),
    ({"origin_zh": ""}, {"origin_zh": "field_missing"}), ({"season_from": "3"}, {"season_to": "season_incomplete"}),
    ({"season_from": "13"}, {"season_from": "not_one_of_these"}), ({"minimum": "3", "multiple": "2"}, {"minimum": "steps_do_not_fit"}),
    ({"barcode": "123"}, {"barcode": "barcode_not_understood"}), ({"selling": "stars"}, {"selling": "not_one_of_these"}),
    ({"shelf_life": "0"}, {"shelf_life": "number_not_understood"}), ({"allergens": "stone"}, {"allergens": "not_one_of_these"}),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "refused"), WRONG)
def test_what_is_missing_or_not_understood_is_told_by_field_and_nothing_happened(
    owner: Actor, changed: dict[str, str], refused: dict[str, str]
) -> None:
    code = save(owner, **{**PLUM, **changed})
    told = perform(operations.publish, owner, [code]).refused[code]
    assert isinstance(told, ListingIncomplete)
    assert {name: error.code for name, error in told.refused.items()} == refused
    assert (product(code).state, count(Variant), count(ListingDraft)) == (ProductState.DRAFT, 0, 1)


def test_whole_drafts_of_a_sheet_are_put_on_sale_and_others_stay_with_their_reason(make: Factories, shop: Merchant, owner: Actor) -> None:
    make.product(shop, code="rice", state=ProductState.DRAFT)
    make.product(shop, code="bare", state=ProductState.DRAFT)
    with transaction() as session:
        session.execute(sa.update(Variant).where(Variant.code == "bare").values(is_on_sale=False))
        session.execute(sa.delete(Listing))
    half = save(owner, name_zh="李")
    found = perform(operations.publish, owner, ["rice", "bare", half])
    assert (found.done, {code: type(error) for code, error in found.refused.items()}) == (
        ["rice"], {"bare": NothingToSell, half: ListingIncomplete},
    )  # fmt: skip
    assert reading().scalars(sa.select(Listing.code)).all() == ["rice"]


def test_another_shops_draft_is_not_there_and_nothing_happened(make: Factories, owner: Actor) -> None:
    code = save(owner, **PLUM)
    stranger = actor_of(make.user(), Grant(Role.MERCHANT_OWNER.value, make.merchant().id))
    clerk = actor_of(make.user(), Grant(Role.MERCHANT_CLERK.value, owner.grants[0].merchant_id))
    for person in (stranger, clerk):
        for deed, arguments in (
            (operations.publish, ([code],)), (operations.retype_draft, (code, {})), (operations.drop_draft, (code,)),
            (operations.schedule, (code, None)), (operations.save_draft, (owner.grants[0].merchant_id, PLUM, "x")),
        ):  # fmt: skip
            with pytest.raises(NotFound):
                perform(deed, person, *arguments)  # type: ignore[arg-type]
    assert product(code).state is ProductState.DRAFT


def test_a_shop_that_does_not_sell_puts_nothing_on_sale(owner: Actor, shop: Merchant) -> None:
    code = save(owner, **PLUM)
    with transaction() as session:
        session.get_one(Merchant, shop.id).state = MerchantState.SUSPENDED
    assert type(perform(operations.publish, owner, [code]).refused[code]) is ShopNotInBusiness


def test_a_draft_goes_on_sale_by_itself_at_its_time_and_once(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    code = save(owner, **PLUM)
    moment = clock.now() + timedelta(hours=2)
    perform(operations.schedule, owner, code, moment)
    assert (product(code).publish_at, count(Variant)) == (moment, 1)
    jobs.publish_due()
    assert product(code).state is ProductState.DRAFT
    with transaction() as session:
        session.execute(sa.update(Product).values(publish_at=clock.now() - timedelta(seconds=1)))
    jobs.publish_due()
    jobs.publish_due()
    assert (product(code).state, product(code).publish_at, count(Listing)) == (ProductState.ON_SALE, None, 1)


@pytest.mark.parametrize("days", [-1, 400])
def test_a_time_that_is_over_or_far_away_is_refused(owner: Actor, days: int) -> None:
    code = save(owner, **PLUM)
    with pytest.raises(MomentNotUnderstood):
        perform(operations.schedule, owner, code, clock.now() + timedelta(days=days))
    assert count(ListingDraft) == 1


def test_a_draft_is_thrown_away_once_and_goods_on_sale_are_not(make: Factories, shop: Merchant, owner: Actor) -> None:
    code = save(owner, **PLUM)
    for _ in range(2):
        perform(operations.drop_draft, owner, code)
    assert (product(code).state, count(ListingDraft)) == (ProductState.OFF_SALE, 0)
    make.product(shop, code="rice")
    with pytest.raises(AlreadyPublished):
        perform(operations.drop_draft, owner, "rice")
    assert product("rice").state is ProductState.ON_SALE
