"""What goods cost with offers, in figures and at random; docs/algorithms/pricing.md works the figures out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shop.kernel.money import ZERO, Money
from shop.models.promotions import Funder, OfferKind
from shop.orders.rules import ceiling, final_total, paid_for, release_split, support_split
from shop.orders.terms import Terms as OrderTerms
from shop.promotions.rules import Line, Offer, Share, Terms, of_units, price, unit_shares

pytestmark = pytest.mark.one_engine

NOW = datetime(2026, 11, 30, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)
numbers = count(1)


def offer(kind: OfferKind, funder: Funder, at_least: int, off: int, merchant: int | None = None, **values: object) -> Offer:
    facts = {"variant_id": None, "name_zh": "减", "name_en": "Off", "starts_at": NOW - HOUR, "ends_at": NOW + HOUR, **values}
    return Offer(id=next(numbers), kind=kind, funder=funder, merchant_id=merchant, at_least=at_least, off=Money(off), **facts)  # type: ignore[arg-type]


def platform(at_least: int, off: int, merchant: int | None = None, **values: object) -> Offer:
    return offer(OfferKind.THRESHOLD, Funder.PLATFORM, at_least, off, merchant, **values)


def of_shop(merchant: int, at_least: int, off: int, **values: object) -> Offer:
    return offer(OfferKind.THRESHOLD, Funder.MERCHANT, at_least, off, merchant, **values)


def ladder(variant: int, at_least: int, off: int, merchant: int = 1) -> Offer:
    return offer(OfferKind.LADDER, Funder.MERCHANT, at_least, off, merchant, variant_id=variant)


def paid(terms: Terms) -> list[int]:
    return [line.paid_total.fen for line in terms.lines]


ORANGES, TEA, FISH = Line(1, 1, 3, Money(1_000)), Line(2, 1, 1, Money(2_500)), Line(3, 2, 2, Money(1_500))


def test_without_offers_goods_cost_their_list_price() -> None:
    terms = price([ORANGES, TEA], [], NOW)
    assert (paid(terms), terms.discount, terms.applied, terms.nearest) == ([3_000, 2_500], ZERO, (), ())


def test_a_threshold_is_shared_by_largest_remainder_and_the_odd_fen_goes_where_most_was_cut_off() -> None:
    """¥5.00 off ¥85.00: 176.47, 147.06 and 176.47 fen; the odd fen falls on the first."""
    terms = price([ORANGES, TEA, FISH], [platform(8_000, 500)], NOW)
    assert [line.discount.fen for line in terms.lines] == [177, 147, 176]
    assert paid(terms) == [2_823, 2_353, 2_824]


def test_a_threshold_counts_from_its_very_fen_and_only_in_its_time() -> None:
    assert price([TEA], [platform(2_500, 300)], NOW).discount == Money(300)
    short = price([TEA], [platform(2_501, 300)], NOW)
    assert (short.discount, [near.missing for near in short.nearest]) == (ZERO, [Money(1)])
    edge = platform(2_500, 300)
    assert [price([TEA], [edge], moment).discount.fen for moment in (edge.starts_at - HOUR, edge.starts_at, edge.ends_at)] == [0, 300, 0]


def test_of_several_steps_the_one_that_takes_most_off_counts_alone() -> None:
    steps = [platform(2_000, 100), platform(5_000, 400), platform(9_000, 900)]
    terms = price([ORANGES, TEA], steps, NOW)
    assert (terms.discount, terms.applied) == (Money(400), (steps[1],))
    assert [(near.offer, near.missing) for near in terms.nearest] == [(steps[2], Money(3_500))]


def test_first_the_ladder_then_the_shop_then_the_platform_each_on_what_is_left() -> None:
    """3 oranges at ¥10.00 less ¥1.00 each are ¥27.00, with tea ¥52.00; ¥2.00 off from ¥52.00; then ¥50.00 are left for ¥5.00 off."""
    offers = [platform(5_000, 500), of_shop(1, 5_200, 200), ladder(1, 3, 100), ladder(1, 2, 50)]
    terms = price([ORANGES, TEA], offers, NOW)
    assert [[share.amount.fen for share in line.shares] for line in terms.lines] == [[300, 104, 260], [96, 240]]
    assert paid(terms) == [2_336, 2_164]
    assert [[share.funder for share in line.shares] for line in terms.lines][1] == [Funder.MERCHANT, Funder.PLATFORM]


def test_one_fen_less_on_the_shelf_and_the_shops_threshold_is_out_of_reach() -> None:
    terms = price([ORANGES, TEA], [of_shop(1, 5_201, 200), ladder(1, 3, 100)], NOW)
    assert (terms.discount, terms.nearest[0].missing) == (Money(300), Money(1))


def test_a_shops_threshold_counts_and_cheapens_its_own_goods_only() -> None:
    terms = price([ORANGES, TEA, FISH], [of_shop(2, 3_000, 300), of_shop(1, 5_600, 500), platform(3_000, 200, 2)], NOW)
    assert paid(terms) == [3_000, 2_500, 3_000 - 300]
    assert {(near.offer.merchant_id, near.missing.fen) for near in terms.nearest} == {(1, 100), (2, 300)}


def test_a_unit_never_costs_nothing() -> None:
    assert paid(price([Line(1, 1, 2, Money(80))], [ladder(1, 2, 100)], NOW)) == [2]
    assert paid(price([Line(1, 1, 2, Money(1))], [ladder(1, 2, 100)], NOW)) == [2]


@pytest.mark.parametrize(("amount", "quantity", "units"), [(100, 3, [34, 33, 33]), (2, 3, [1, 1, 0]), (0, 2, [0, 0]), (7, 1, [7])])
def test_an_amount_falls_on_units_by_largest_remainder(amount: int, quantity: int, units: list[int]) -> None:
    upto = [of_units(Money(amount), quantity, number).fen for number in range(quantity + 1)]
    assert [after - before for before, after in pairwise(upto)] == units


def test_the_odd_fen_of_two_shares_do_not_fall_on_one_unit() -> None:
    shares = [Share(1, Funder.MERCHANT, Money(1)), Share(2, Funder.PLATFORM, Money(1))]
    assert unit_shares(shares, 2) == [(Money(1), ZERO), (ZERO, Money(1))]


@dataclass
class Agreed:
    """A line of an order, as far as its money goes."""

    unit_price: Money
    discount_total: Money
    quantity: int
    short_quantity: int = 0
    unit_grams: int = 500


@pytest.mark.parametrize(
    ("price_", "discount", "quantity", "short", "grams", "owed"),
    [
        (580, 0, 2, 0, 930, 1_079),  # without an offer as ever: 1078.8
        (1_500, 300, 2, 0, 850, 2_295),  # ¥27.00 were agreed for 1,000 g: 85 % of it
        (1_500, 300, 2, 0, 1_200, 2_700),  # heavier: what was agreed
        (1_500, 301, 3, 1, 1_000, 2_799),  # of 3 for ¥41.99 one is missing: ¥27.99 for the two that are there
        (1_500, 301, 3, 1, 930, 2_603),  # 2603.07
        (1_500, 301, 3, 3, 500, 0),
    ],
)
def test_a_weighed_line_costs_its_weight_of_what_was_paid_for_it(
    price_: int, discount: int, quantity: int, short: int, grams: int, owed: int
) -> None:
    assert final_total(Agreed(Money(price_), Money(discount), quantity, short), grams) == Money(owed)


@pytest.mark.parametrize(
    ("supported", "goods_paid", "refunded", "bps", "merchant", "commission"),
    [
        (500, 9_500, 0, 300, 485, 15),
        (500, 9_500, 4_750, 300, 242, 8),  # half of the goods kept: 250, of which 7.5
        (500, 9_500, 9_500, 300, 0, 0),
        (500, 9_500, 9_600, 300, 0, 0),  # the fee as well
        (1, 3, 1, 0, 1, 0),  # two thirds of a fen
        (700, 0, 0, 300, 679, 21),  # offers have made it free
    ],
)
def test_the_platforms_part_follows_the_goods_that_were_kept(
    supported: int, goods_paid: int, refunded: int, bps: int, merchant: int, commission: int
) -> None:
    assert support_split(Money(supported), Money(goods_paid), Money(refunded), bps) == (Money(merchant), Money(commission))


@st.composite
def baskets(draw: st.DrawFn) -> tuple[list[Line], list[Offer]]:
    shops = st.integers(1, 3)
    lines = [
        Line(variant, draw(shops), draw(st.integers(1, 12)), Money(draw(st.integers(1, 9_999))))
        for variant in range(draw(st.integers(1, 6)))
    ]
    offers = []
    for _ in range(draw(st.integers(0, 6))):
        at_least = draw(st.integers(2, 30_000))
        off = draw(st.integers(1, at_least - 1))
        shop = draw(shops)
        offers.append(
            draw(st.sampled_from([platform(at_least, off), platform(at_least, off, shop), of_shop(shop, at_least, off),
                                  ladder(draw(st.integers(0, 5)), draw(st.integers(1, 12)), off, shop)]))
        )  # fmt: skip
    return lines, offers


@settings(max_examples=400, deadline=None)
@given(baskets())
def test_shares_sum_to_what_came_off_for_every_basket_line_and_unit(found: tuple[list[Line], list[Offer]]) -> None:
    lines, offers = found
    terms = price(lines, offers, NOW)
    assert terms.paid_total + terms.discount == terms.list_total
    assert terms.paid_total > ZERO
    by_offer = {one.id: [s.amount for line in terms.lines for s in line.shares if s.offer_id == one.id] for one in terms.applied}
    for one in terms.applied:
        if one.kind is OfferKind.THRESHOLD:
            assert Money.total(by_offer[one.id]) == one.off
    for line in terms.lines:
        assert ZERO <= line.paid_total <= line.line.list_total
        units = unit_shares(line.shares, line.line.quantity)
        assert [Money.total(unit[place] for unit in units) for place in range(len(line.shares))] == [s.amount for s in line.shares]
        left = [line.line.unit_price - Money.total(unit) for unit in units]
        assert min(left) >= ZERO
        assert min(part for unit in units for part in (*unit, ZERO)) >= ZERO
        for number in range(line.line.quantity + 1):
            assert paid_for(Agreed(line.line.unit_price, line.discount, line.line.quantity), number) == Money.total(left[:number])
    assert price(lines, reversed(offers), NOW) == terms, "the order in which offers are read says nothing"


@settings(max_examples=400, deadline=None)
@given(st.integers(1, 20), st.integers(1, 9_999), st.data())
def test_units_that_go_missing_one_by_one_end_at_exactly_nothing(quantity: int, unit: int, data: st.DataObject) -> None:
    line = Agreed(Money(unit), Money(data.draw(st.integers(0, unit * quantity))), quantity)
    paid_total, back = line.unit_price * quantity - line.discount_total, ZERO
    while line.short_quantity < quantity:
        before = ceiling(line)
        line.short_quantity += data.draw(st.integers(1, quantity - line.short_quantity))
        back += before - ceiling(line)
        assert back <= paid_total
    assert (back, ceiling(line)) == (paid_total, ZERO)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 9_999), st.integers(0, 300), st.integers(0, 9_999), st.integers(0, 2_000), st.randoms(use_true_random=False))
def test_any_order_of_partial_refunds_takes_back_exactly_what_was_given(
    goods: int, fee: int, supported: int, bps: int, chance: Random
) -> None:
    total, refunded = goods + fee, 0

    def given_() -> list[Money]:
        return [
            *release_split(Money(total), Money(refunded), bps), *support_split(Money(supported), Money(goods), Money(refunded), bps)
        ]

    before = given_()
    assert sum(amount.fen for amount in before) == total + supported
    while refunded < total:
        refunded += chance.randint(1, total - refunded)
        after = given_()
        assert all(ZERO <= less <= more for less, more in zip(after, before, strict=True)), "nobody is given more for a refund"
        before = after
    if total:
        assert before == [ZERO] * 4


def test_a_quote_of_before_has_no_offers_and_no_shares() -> None:
    assert OrderTerms.from_document({"sub_orders": []}) == OrderTerms(())
