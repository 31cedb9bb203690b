"""The query table of the algorithm page against the goods of the demo city: what is found, and in which order, on both engines alike.

The pages of the city's goods are read in winter, when blood oranges have their season.
"""

from __future__ import annotations

from datetime import datetime

import pytest
import time_machine
from flask import Flask

from demo import catalogue
from shop.catalog import search
from shop.kernel import clock
from shop.kernel.db import reading, transaction

WHOLE = ("blood-orange-m", "blood-orange-gift", "blood-orange-loose")
ORANGES = (*WHOLE, "blood-orange-slices", "blood-orange-juice")

FOUND = {
    # Han of any length, old and new characters, beside signs that mean nothing
    "血橙": ORANGES, "橙": ORANGES, "資中血橙": WHOLE, '血橙*"': ORANGES, "血橙'; DROP TABLE listings; --": (),
    # pinyin, with or without its tones and spaces, cut short, full-width, beside characters; initials
    "xuecheng": ORANGES, "xuèchéng": ORANGES, "xuech": ORANGES, "zzxc": WHOLE, "hss": ("peanut-brittle-box",),
    "ＤＯＮＧ尖": ("dongjian",),
    # amounts put the sizes meant first and leave nothing out; alone they are looked for themselves
    "血橙 5斤": ORANGES, "五斤血橙": ORANGES, "2.5kg血橙": ORANGES,
    "血橙10斤": ("blood-orange-gift", "blood-orange-m", "blood-orange-loose", "blood-orange-slices", "blood-orange-juice"),
    "豆杆 250g": ("longchang-dougan",), "豆杆 500g": ("longchang-dougan",),
    "5L菜油": ("rapeseed-oil",), "950ml": ("milk",), "30个鸡蛋": ("eggs-free-range", "eggs"),
    # other words for the same before what is made of it
    "红苕": ("sweet-potato", "sweet-potato-noodles"), "花生": ("peanuts", "peanut-brittle-box", "rice-brittle"), "西红柿": ("tomato",),
    # long words whose parts stand apart in the name
    "血橙礼盒": ("blood-orange-gift",), "威远羊肉": ("goat",), "手工面条": ("noodles",),
    # English, in one number or the other
    "oranges": ORANGES, "strawberrys": ("strawberry",), "chilli": ("qixing-chilli", "erjingtiao"),
    "lvdou": (), "huangl": (), "猫粮": (), "面包": (), "蕃茄酱油": (),
}  # fmt: skip

HEARD = {
    # the same sound
    "雪橙": ORANGES, "花生苏": ("peanut-brittle-box",), "洗衣夜": ("detergent",), "蕃茄": ("tomato",), "罗卜": ("radish",),
    # sounds that are one to many people here
    "兰瓜": ("pumpkin-young",), "流奶": ("milk", "yogurt"), "牛来": ("milk", "yogurt"),
    # one slip: two letters exchanged, one missing, too many, another
    "xuecehng": ORANGES, "xueceng": ORANGES, "huashengshu": ("peanut-brittle-box",), "huasengsu": ("peanut-brittle-box",),
    "xihongsi": ("tomato",), "tdou": ("potato",), "ornage": ORANGES, "blod orange": ORANGES, "strawbery": ("strawberry",),
    "rabit": ("rabbit", "cold-rabbit"),
}  # fmt: skip

CLOSE = {"无发果": ("fig-fresh", "fig-dried"), "土豆丝": ("potato",), "冷吃免": ("cold-rabbit",)}
"""What shares most of its characters."""


@pytest.fixture
def goods(app: Flask) -> None:
    with time_machine.travel(datetime.fromisoformat("2026-01-20"), tick=False), transaction() as session:
        catalogue.add_places(session)
        catalogue.add_merchants(session, clock.now(), {})
        catalogue.add_categories(session)
        catalogue.add_products(session, clock.now(), {})


def answered(text: str) -> tuple[tuple[str, ...], bool, bool]:
    found = search.find(reading(), text, {})
    return tuple(card.code for card in found.cards), found.is_exact, found.is_heard


def test_what_is_typed_finds_what_is_meant_in_this_order(goods: None) -> None:
    wrong = {text: found for text, codes in FOUND.items() if (found := answered(text)) != (codes, True, False)}
    assert wrong == {}


def test_what_is_mistyped_is_asked_back_and_shown(goods: None) -> None:
    wrong = {text: found for text, codes in HEARD.items() if (found := answered(text)) != (codes, False, True)}
    assert wrong == {}


def test_what_is_half_right_is_said_to_be_close(goods: None) -> None:
    wrong = {text: found for text, codes in CLOSE.items() if (found := answered(text)) != (codes, False, False)}
    assert wrong == {}


def test_a_sweet_of_peanuts_comes_before_the_other_sweets_of_its_shop(goods: None) -> None:
    codes, _is_exact, _is_heard = answered("花生酥")
    assert codes == ("peanut-brittle-box", "rice-brittle"), "that shop is called 花生酥: its rice sweets follow"
    assert "peanut-brittle-box" not in answered("米花酥")[0]
