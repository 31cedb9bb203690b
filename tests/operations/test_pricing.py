"""Prices are changed on purpose: by owners, all or none, with a question where they are far off, and a history."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from shop.catalog import pricing
from shop.catalog.errors import PriceChangedMeanwhile, PriceMuchHigher, PriceMuchLower, PriceNotPositive, PricesRefused
from shop.catalog.pricing import NewPrice
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.models.catalog import Listing, PriceChange, Variant
from shop.models.platform import AuditEntry
from shop.platform.actor import Actor
from tests.support.counter import Counter
from tests.support.factories import Factories
from tests.support.shopping import count


@pytest.fixture
def counter(make: Factories) -> Counter:
    made = Counter(make)
    made.goods("rice", price=580)
    made.goods("salt", price=300)
    made.goods("oil", merchant=1, price=5_000)
    return made


@pytest.fixture
def owner(counter: Counter) -> Actor:
    return counter.new_owner(counter.merchants[0])[1]


def prices() -> dict[str, int]:
    reading().rollback()
    return {code: price.fen for code, price in reading().execute(sa.select(Variant.code, Variant.price))}


def want(code: str, fen: int, before: int | None = None) -> NewPrice:
    return NewPrice(code, Money(fen), None if before is None else Money(before))


def test_a_new_price_reaches_the_listing_and_the_history_with_who_set_it(counter: Counter, owner: Actor) -> None:
    assert perform(pricing.change_prices, owner, [want("rice", 620, 580)]) == 1
    variant = reading().scalars(sa.select(Variant).where(Variant.code == "rice")).one()
    assert reading().get_one(Listing, variant.product_id).price == Money(620)
    assert reading().execute(sa.select(PriceChange.price, PriceChange.actor_id)).all() == [(Money(620), owner.user_id)]
    assert perform(pricing.change_prices, owner, [want("rice", 620)]) == 0
    assert count(PriceChange) == 1
    perform(pricing.change_prices, owner, [want("rice", 700)])
    reading().rollback()
    rows, _more = pricing.price_history(reading(), variant.id)
    assert [(row.old, row.new, row.who) for row in rows] == [(Money(620), Money(700), "周店主"), (None, Money(620), "周店主")]
    newest, place = pricing.price_history(reading(), variant.id, limit=1)
    assert [*newest, *pricing.price_history(reading(), variant.id, place)[0]] == rows


def test_several_prices_are_saved_together_or_not_at_all(counter: Counter, owner: Actor) -> None:
    with pytest.raises(PricesRefused) as refused:
        perform(pricing.change_prices, owner, [want("rice", 600), want("salt", 0)])
    assert {code: type(error) for code, error in refused.value.refused.items()} == {"salt": PriceNotPositive}
    assert (prices()["rice"], count(PriceChange), count(AuditEntry)) == (580, 0, 0)
    assert perform(pricing.change_prices, owner, [want("rice", 600), want("salt", 310)]) == 2
    assert prices() == {"rice": 600, "salt": 310, "oil": 5_000}


@pytest.mark.parametrize(
    ("fen", "kind", "said"),
    [
        (58_000, PriceMuchHigher, {"old_minor": 580, "new_minor": 58_000, "times": "100"}),
        (755, PriceMuchHigher, {"old_minor": 580, "new_minor": 755, "times": "1.3"}),
        (1, PriceMuchLower, {"old_minor": 580, "new_minor": 1, "percent": "99%"}),
    ],
)
def test_a_price_far_off_names_both_prices_and_waits_for_a_yes(
    counter: Counter, owner: Actor, fen: int, kind: type[Exception], said: dict[str, object]
) -> None:
    with pytest.raises(PricesRefused) as refused:
        perform(pricing.change_prices, owner, [want("rice", fen), want("salt", 310)])
    assert refused.value.is_question
    doubt = refused.value.refused["rice"]
    assert (type(doubt), doubt.code) == (kind, "price_far_off")
    assert said.items() <= doubt.details.items()
    assert prices()["salt"] == 300, "nothing of it happened"
    asked: list[set[str]] = []
    assert (
        perform(
            pricing.change_prices, owner, [want("rice", fen), want("salt", 310)], sure=lambda one: asked.append(set(one.refused)) or True
        )
        == 2
    )
    assert asked == [{"rice"}]
    assert prices()["rice"] == fen


def test_a_price_that_was_changed_meanwhile_is_noticed_even_by_who_is_sure(counter: Counter, owner: Actor) -> None:
    perform(pricing.change_prices, owner, [want("rice", 600, 580)])
    with pytest.raises(PricesRefused) as refused:
        perform(pricing.change_prices, owner, [want("rice", 590, 580)], sure=lambda _doubt: True)
    assert isinstance(refused.value.refused["rice"], PriceChangedMeanwhile)
    assert refused.value.refused["rice"].details["now_minor"] == 600
    assert not refused.value.is_question
    assert perform(pricing.change_prices, owner, [want("rice", 600, 580)]) == 0, "both wanted the same"
    assert prices()["rice"] == 600


def test_clerks_and_others_change_no_prices(counter: Counter, owner: Actor) -> None:
    for actor, code in ((counter.clerks[0], "rice"), (owner, "oil"), (counter.keeper, "rice"), (owner, "nothing")):
        with pytest.raises(NotFound):
            perform(pricing.change_prices, actor, [want("salt", 310), want(code, 590)])
    assert prices() == {"rice": 580, "salt": 300, "oil": 5_000}
