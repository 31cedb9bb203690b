"""Seasons, comparable prices, and how text becomes search terms."""

from __future__ import annotations

from datetime import date

import pytest

from shop.catalog import measures as amounts
from shop.catalog import rules, spelling, terms
from shop.catalog.names import Names
from shop.kernel.money import Money

pytestmark = pytest.mark.one_engine


@pytest.mark.parametrize(
    ("months", "day", "in_season"),
    [
        ("12-5", date(2026, 12, 1), True),
        ("12-5", date(2026, 1, 31), True),
        ("12-5", date(2026, 6, 1), False),
        ("7-10", date(2026, 7, 1), True),
        ("7-10", date(2026, 11, 1), False),
        ("3-3", date(2026, 3, 15), True),
        ("", date(2026, 3, 15), False),  # all year is not a season
    ],
)
def test_a_season_may_pass_over_new_year(months: str, day: date, in_season: bool) -> None:
    assert rules.is_in_season(rules.season_mask(months), day) is in_season


def test_months_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="not months"):
        rules.season_mask("0-13")


def test_comparable_prices_are_rounded_half_up_once() -> None:
    assert rules.comparable_prices(Money(2490), 2500) == (Money(498), Money(996))
    assert rules.comparable_prices(Money(1080), 1500) == (Money(360), Money(720))
    assert rules.comparable_prices(Money(4500), 1485) == (Money(1515), Money(3030))


def test_a_litre_is_priced_once_and_rounded_half_up() -> None:
    assert rules.price_per_litre(Money(2_980), 1_800) == Money(1_656)
    assert rules.price_per_litre(Money(4_500), 1_470) == Money(3_061)


@pytest.mark.parametrize(
    ("text", "exact", "beginnings"),
    [
        ("血橙", ("血橙",), ()),
        ("橙", ("橙",), ()),
        ("红富士", ("红富", "富士"), ()),
        ("xuecheng", (), ("xuecheng",)),
        ("ＸＣ", (), ("xc",)),
        ('血橙*"; --', ("血橙",), ()),
        ("雞蛋", ("鸡蛋",), ()),
        ("xuèchéng", (), ("xuecheng",)),
        ("lǜdòu", (), ("lvdou",)),
        ("oranges", (), ("oranges",)),
        ("雪橙", ("雪橙",), ()),
        ("0" * 60, (), ("0" * 60,)),
        ("橙" * 10_000, ("橙橙",), ()),
        ("  ", (), ()),
    ],
)
def test_what_is_typed_becomes_terms(text: str, exact: tuple[str, ...], beginnings: tuple[str, ...]) -> None:
    assert terms.parse(text) == terms.Query(exact, beginnings)


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("oranges", ("orang", "orange")), ("tomatoes", ("tomato", "tomatoe")), ("peas", ("pea",)), ("berries", ("berry", "berrie")),
        ("strawberry", ("strawberries",)), ("leaves", ("leaf", "leafe", "leave")), ("knife", ("knives",)), ("glass", ()), ("orange", ()),
        ("xc", ()), ("123456", ()),
    ],
)  # fmt: skip
def test_an_english_word_is_found_in_its_other_number(word: str, forms: tuple[str, ...]) -> None:
    assert terms.other_forms(word) == forms


@pytest.mark.parametrize(
    ("text", "heard"), [("雪橙", ("xuecheng",)), ("绿豆", ("lvdou",)), ("橙", ()), ("abc", ()), ("血橙 xc", ())]
)
def test_characters_are_known_by_their_sound(text: str, heard: tuple[str, ...]) -> None:
    assert terms.sounding(text) == terms.Query((), heard)


@pytest.mark.parametrize(
    ("name", "thing"),
    [
        ("资中血橙大果礼盒", "资中血橙"),
        ("资中血橙散装", "资中血橙"),
        ("NFC血橙汁", "nfc血橙汁"),
        ("血橙冻片", "血橙冻片"),
        ("抽纸10包", "抽纸"),
        ("内江牛肉面(4人份)", "内江牛肉面"),
        ("电热水壶1.5L", "电热水壶"),
        ("Zizhong blood orange, medium", "zizhong blood orange"),
        ("Zizhong blood orange gift box", "zizhong blood orange"),
        ("礼盒", "礼盒"),
        ("", ""),
    ],
)
def test_the_thing_itself_is_what_stands_last_in_a_name(name: str, thing: str) -> None:
    assert terms.thing(name) == thing


def test_the_thing_itself_weighs_more_than_what_it_is_made_of() -> None:
    orange: dict[str, int] = {}
    terms.index_thing("资中血橙中果", 24, orange)
    assert orange == {"血橙": 24, "橙": 24, "p:xuecheng": 12, "p:cheng": 12, "i:xc": 12}
    juice: dict[str, int] = {}
    terms.index_thing("NFC血橙汁", 24, juice)
    assert juice == {"橙汁": 24, "汁": 24, "p:chengzhi": 12, "p:zhi": 12, "i:cz": 12}


@pytest.mark.parametrize(
    ("name", "initials", "word"),
    [
        ("资中血橙散装", "xc", "血橙"),
        ("麻辣香肠", "xc", "香肠"),
        ("资中血橙散装", "zzxc", "资中血橙"),
        ("莲花白", "xc", ""),
        ("Soda", "so", ""),
    ],
)
def test_initials_stand_for_a_word_of_a_name(name: str, initials: str, word: str) -> None:
    assert terms.word_of_initials(name, initials) == word


def test_pinyin_and_initials_of_every_tail_are_indexed() -> None:
    found = terms.pinyin_terms("资中血橙")
    assert {"p:zizhongxuecheng", "p:xuecheng", "i:zzxc", "i:xc"} <= set(found)
    assert "i:c" not in found


@pytest.mark.parametrize(
    ("text", "plainly"),
    [
        ("新鲜的血橙", "血橙"),
        ("买两斤五花肉", "五花肉"),
        ("我想要一点小葱", "小葱"),
        ("土豆 3.5 公斤", "土豆"),
        ("有没有鱼", "鱼"),
        ("some fresh eggs, please", "eggs"),
        ("血橙", ""),
        ("西点", ""),
        ("5kgs", ""),
        ("新鲜的", ""),
    ],
)
def test_the_thing_alone_is_what_is_left_of_a_sentence(text: str, plainly: str) -> None:
    assert terms.plainly(text) == plainly


NAMES = Names([["番茄", "西红柿"], ["土鸡", "鸡肉"], ["土鸡蛋", "柴鸡蛋"], ["橙子", "甜橙"]], [["橙子", "血橙"], ["水果", "橙子"]])


@pytest.mark.parametrize(
    ("name", "same", "wider"),
    [
        ("番茄", {"番茄", "西红柿"}, set()),
        ("散养土鸡", {"土鸡", "鸡肉"}, set()),
        ("散养土鸡蛋", {"土鸡蛋", "柴鸡蛋"}, set()),
        ("資中血橙", set(), {"橙子", "甜橙", "水果"}),
        ("甜橙", {"橙子", "甜橙"}, {"水果"}),
        ("香蕉", set(), set()),
    ],
)
def test_a_name_is_known_by_other_words_and_by_wider_ones(name: str, same: set[str], wider: set[str]) -> None:
    assert NAMES.beside(name) == (same, wider)


def test_without_other_words_nothing_is_added() -> None:
    assert Names([]).beside("番茄") == (set(), set())


@pytest.mark.parametrize(
    ("text", "measures", "rest"),
    [
        ("血橙5斤", ["g:2500"], "血橙"), ("2.5kg 血橙", ["g:2500"], "血橙"), ("五斤血橙", ["g:2500"], "血橙"), ("一斤半", ["g:750"], ""),
        ("半斤", ["g:250"], ""), ("1.8l 油", ["v:1800"], "油"), ("950毫升", ["v:950"], ""), ("30枚", ["c:30"], ""),
        ("30个鸡蛋", ["c:30"], "鸡蛋"),
        ("1个", [], "1个"), ("0斤", [], "0斤"), ("5号电池", [], "5号电池"), ("四件套", [], "四件套"), ("三两", ["g:150"], ""),
        ("5斤5斤", ["g:2500"], ""), ("x5斤", [], "x5斤"), ("5kgs", [], "5kgs"), ("999999999斤", [], "999999999斤"),
    ],
)  # fmt: skip
def test_amounts_are_read_however_they_are_written(text: str, measures: list[str], rest: str) -> None:
    found, left = amounts.taken_out(text)
    assert (found, " ".join(left.split())) == (measures, rest)


@pytest.mark.parametrize(
    ("label_zh", "label_en", "grams", "terms_of_it"),
    [
        ("5斤/箱", "2.5 kg box", 2_500, {"g:2500"}), ("30枚/盒", "30 eggs", 1_500, {"g:1500", "c:30"}),
        ("950ml×6/箱", "6 × 950 ml pack", 5_880, {"g:5880", "v:950", "v:5700", "c:6"}), ("斤", "jin", 500, {"g:500"}),
        ("1.8l/桶", "1.8 l can", 1_656, {"g:1656", "v:1800"}),
    ],
)  # fmt: skip
def test_a_size_is_found_by_what_it_weighs_holds_and_counts(label_zh: str, label_en: str, grams: int, terms_of_it: set[str]) -> None:
    assert amounts.of_size(label_zh, label_en, grams) == terms_of_it


@pytest.mark.parametrize(
    ("text", "ways"),
    [
        ("血橙", []), ("花生酥", []), ("血橙礼盒", [("血橙", "礼盒")]),
        ("威远无花果", [("威远", "无花", "花果"), ("威远", "远无", "花果")]),
        ("买 血橙礼盒", [("买", "血橙", "礼盒")]),
    ],
)  # fmt: skip
def test_a_long_word_may_be_two(text: str, ways: list[tuple[str, ...]]) -> None:
    assert sorted(query.exact for query in terms.apart(text)) == sorted(ways)


@pytest.mark.parametrize(
    ("syllable", "ways"),
    [
        ("liu", {"liu", "niu"}), ("zhen", {"zhen", "zen", "zheng", "zeng"}), ("xin", {"xin", "xing"}), ("fa", {"fa", "ha"}),
        ("xiang", {"xiang"}),
        ("an", {"an"}), ("", {""}),
    ],
)  # fmt: skip
def test_sounds_that_are_not_told_apart_here(syllable: str, ways: set[str]) -> None:
    assert set(spelling.variants(syllable)) == ways


def test_one_slip_is_a_letter_too_many_missing_another_or_two_exchanged() -> None:
    near = spelling.one_error_from("rabit")
    assert {"rabbit", "rabi", "habit", "arbit"} <= set(near)
    assert not {"rabit", "rabbits", "bait", ""} & set(near)
    assert len(near) < 350
