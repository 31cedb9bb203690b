"""Selling units read as people say them; what is not understood stays as it was written."""

from __future__ import annotations

import pytest

from shop.kernel.units import counter_of, millilitres_of, per_unit, quantity_of


@pytest.mark.parametrize(
    ("unit", "one", "several", "after_a_price", "counted"),
    [
        ("斤", "1斤", "3斤", "斤", "斤"),
        ("公斤", "1公斤", "3公斤", "公斤", "公斤"),
        ("盒", "1盒", "3盒", "盒", "盒"),
        ("12枚/盒", "1盒（12枚）", "3盒（每盒12枚）", "盒（12枚）", "盒"),
        ("5斤/箱", "1箱（5斤）", "3箱（每箱5斤）", "箱（5斤）", "箱"),
        ("245ml×6/组", "1组（245ml×6）", "3组（每组245ml×6）", "组（245ml×6）", "组"),
        ("408g×2/礼盒", "1礼盒（408g×2）", "3礼盒（每礼盒408g×2）", "礼盒（408g×2）", "礼盒"),
        ("只(约2.5斤)", "1只（约2.5斤）", "3只（每只约2.5斤）", "只（约2.5斤）", "只"),
        ("条（约2斤）", "1条（约2斤）", "3条（每条约2斤）", "条（约2斤）", "条"),
        ("30枚", "30枚 × 1", "30枚 × 3", "30枚", ""),
        ("245ml×6", "245ml×6 × 1", "245ml×6 × 3", "245ml×6", ""),
        ("大果", "大果 × 1", "大果 × 3", "大果", ""),
        ("大果/精品", "大果/精品 × 1", "大果/精品 × 3", "大果/精品", ""),
        ("jin", "1 jin", "3 jin", "jin", "jin"),
        ("box of 12", "box of 12 × 1", "box of 12 × 3", "box of 12", ""),
        ("each (about 1 kg)", "each (about 1 kg) × 1", "each (about 1 kg) × 3", "each (about 1 kg)", ""),
    ],
)
def test_a_unit_reads_as_people_say_it(unit: str, one: str, several: str, after_a_price: str, counted: str) -> None:
    assert (quantity_of(unit, 1), quantity_of(unit, 3)) == (one, several)
    assert per_unit(unit) == after_a_price
    assert counter_of(unit) == counted


@pytest.mark.parametrize(
    ("unit", "millilitres"),
    [
        ("5L/桶", 5_000),
        ("1.8L/桶", 1_800),
        ("1.8 L can", 1_800),
        ("950ml/盒", 950),
        ("950 ml box", 950),
        ("245ml×6/组", 1_470),
        ("6 × 245 ml pack", 1_470),
        ("500毫升/瓶", 500),
        ("1升", 1_000),
        ("500g/袋", 0),
        ("2.5 kg box", 0),
        ("斤", 0),
        ("5 lots", 0),
        ("个", 0),
        ("9" * 60 + "ml", 0),
    ],
)
def test_what_is_sold_by_volume_says_how_much_it_holds(unit: str, millilitres: int) -> None:
    assert millilitres_of(unit) == millilitres
