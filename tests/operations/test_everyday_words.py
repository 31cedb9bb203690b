"""What people call things, against the goods of the demo city."""

from __future__ import annotations

from datetime import datetime

import pytest
import time_machine
from flask import Flask

from demo import catalogue
from shop.catalog import search
from shop.kernel import clock
from shop.kernel.db import reading, transaction
from tests.support.queries import counted

FIRST = 4
"""Among so many of what is found it must be."""

EVERYDAY = {
    # fruit
    "橙子": "blood-orange-m", "甜橙": "blood-orange-m", "血橙": "blood-orange-m", "橙": "blood-orange-m",
    "chengzi": "blood-orange-m", "xuecheng": "blood-orange-m", "塔罗科": "blood-orange-m", "橘子": "chunjian dekopon",
    "桔子": "chunjian dekopon", "柑子": "chunjian dekopon", "粑粑柑": "chunjian", "丑柑": "dekopon", "奇异果": "kiwi-red",
    "猕猴桃": "kiwi-red", "梨子": "pear-cuiguan", "李子": "plum-crisp", "提子": "grape-summer-black", "桑泡儿": "mulberry",
    "西瓜": "watermelon", "无花果": "fig-fresh",
    # vegetables
    "茄子": "eggplant", "矮瓜": "eggplant", "番茄": "tomato", "西红柿": "tomato", "xihongshi": "tomato", "土豆": "potato",
    "洋芋": "potato", "马铃薯": "potato", "红薯": "sweet-potato", "红苕": "sweet-potato", "地瓜": "sweet-potato",
    "卷心菜": "cabbage", "莲花白": "cabbage", "包菜": "cabbage", "空心菜": "water-spinach", "藤藤菜": "water-spinach",
    "莴笋": "celtuce", "青笋": "celtuce", "生姜": "ginger-young", "姜": "ginger-young", "子姜": "ginger-young",
    "鱼腥草": "houttuynia", "侧耳根": "houttuynia", "豌豆苗": "pea-tips", "青瓜": "cucumber", "南瓜": "pumpkin-young",
    "藕": "lotus-root", "香葱": "spring-onion", "葱": "spring-onion", "白萝卜": "radish", "青蒜": "garlic-shoots",
    "辣椒": "erjingtiao qixing-chilli", "海椒": "erjingtiao qixing-chilli", "青椒": "erjingtiao", "花椒": "green-pepper-frozen",
    "藤椒": "green-pepper-frozen", "菜苔": "caitai", "冬苋菜": "donghancai", "榨菜头": "qingcaitou", "叶子菜": "cabbage",
    # meat, fish, eggs, milk
    "猪肉": "pork-belly ribs", "五花肉": "pork-belly black-pork-belly", "排骨": "ribs", "猪脚": "trotters", "蹄花": "trotters",
    "牛肉": "beef", "羊肉": "goat", "兔子": "rabbit", "鸡肉": "chicken-free-range", "鸭子": "duck", "腊肉": "bacon",
    "香肠": "sausage", "腊肠": "sausage", "鸡蛋": "eggs eggs-free-range", "土鸡蛋": "eggs-free-range", "柴鸡蛋": "eggs-free-range",
    "盐蛋": "duck-eggs-salted", "鲇鱼": "catfish", "黑鱼": "white-carp", "鱼": "catfish grass-carp white-carp", "鲜奶": "milk",
    "酸牛奶": "yogurt",
    # from the cupboard
    "抽纸": "tissue", "纸巾": "tissue", "卫生纸": "tissue", "手纸": "tissue", "洗衣液": "detergent", "洗衣粉": "detergent",
    "洗头膏": "shampoo", "塑料袋": "bin-bags", "雨伞": "umbrella", "撑花": "umbrella", "烧水壶": "kettle", "水杯": "thermos",
    "床单": "quilt", "五号电池": "batteries", "菜油": "rapeseed-oil", "食用油": "rapeseed-oil", "酒米": "glutinous-rice",
    "面条": "noodles", "豆瓣酱": "doubanjiang", "醋": "vinegar", "陈醋": "vinegar", "花生": "peanuts", "红糖": "brown-sugar",
    "腐乳": "fermented-tofu", "豆腐脑": "douhua", "馄饨": "wontons", "元宵": "tangyuan", "米酒": "laozao", "咸菜": "pickles",
    "红茶": "instant-tea", "汽水": "soda", "橙汁": "blood-orange-juice", "扇子": "daqian-fan",
    # in traditional characters
    "雞蛋": "eggs eggs-free-range", "蘿蔔": "radish", "馬鈴薯": "potato", "蓮藕": "lotus-root", "麵條": "noodles",
    "豬肉": "pork-belly", "薑": "ginger-young",
    # as it is called on the label
    "柠檬": "lemon", "枇杷": "loquat", "桑葚": "mulberry", "草莓": "strawberry", "甘蔗": "sugarcane", "香蕉": "banana",
    "葡萄": "grape-summer-black", "儿菜": "er-cai", "豌豆尖": "pea-tips", "红菜薹": "caitai", "黄瓜": "cucumber",
    "莲花菜": "cabbage", "蒜苗": "garlic-shoots", "牛奶": "milk", "酸奶": "yogurt", "抄手": "wontons", "汤圆": "tangyuan",
    "豆花": "douhua", "泡菜": "pickles", "醪糟": "laozao", "豆瓣": "doubanjiang", "糯米": "glutinous-rice", "大米": "rice",
    "挂面": "noodles", "粉条": "sweet-potato-noodles", "苕粉": "sweet-potato-noodles", "牛肉面": "beef-noodles",
    "咸鸭蛋": "duck-eggs-salted", "草鱼": "grass-carp", "鲶鱼": "catfish", "垃圾袋": "bin-bags", "电水壶": "kettle",
    "保温杯": "thermos", "电池": "batteries", "四件套": "quilt", "饼干": "biscuits", "苏打水": "soda", "茶叶": "instant-tea",
    "洗发水": "shampoo", "蜜饯": "candied-mix candied-kumquat", "肋排": "ribs", "猪蹄": "trotters", "土鸡": "chicken-free-range",
    "麻鸭": "duck", "草魚": "grass-carp", "檸檬": "lemon", "雞": "chicken-free-range",
}  # fmt: skip

NOT_SOLD = ("榴莲", "手机", "鲫鱼", "四季豆", "洗洁精", "酱油", "龙虾", "baijiu", "充电器", "白糖", "有没有榴莲")

SAID_AROUND = {
    "新鲜的血橙": ("血橙", "blood-orange-m"), "买两斤五花肉": ("五花肉", "pork-belly"), "来点小葱": ("小葱", "spring-onion"),
    "请问有没有鸡蛋": ("鸡蛋", "eggs"), "我想买 土豆 3公斤": ("土豆", "potato"),
    "新鮮的雞蛋": ("鸡蛋", "eggs"), "some fresh eggs please": ("eggs", "eggs"), "一箱好吃的橙子": ("橙子", "blood-orange-m"),
}  # fmt: skip


@pytest.fixture(params=["2026-01-20", "2026-07-20"])
def goods(app: Flask, request: pytest.FixtureRequest) -> None:
    """The goods of the demo city, in winter and in summer."""
    with time_machine.travel(datetime.fromisoformat(request.param), tick=False), transaction() as session:
        catalogue.add_places(session)
        catalogue.add_merchants(session, clock.now(), {})
        catalogue.add_categories(session)
        catalogue.add_products(session, clock.now(), {})


def first_of(word: str) -> list[str]:
    return [card.code for card in search.find(reading(), word, {}).cards][:FIRST]


def test_everyday_words_find_what_they_mean(goods: None) -> None:
    wrong = {word: found for word, codes in EVERYDAY.items() if not set(codes.split()) <= set(found := first_of(word))}
    assert wrong == {}


def test_the_very_name_comes_before_other_names(goods: None) -> None:
    assert first_of("血橙")[0].startswith("blood-orange")
    assert first_of("番茄")[0] == "tomato"
    assert first_of("花生酥")[0] == "peanut-brittle-box"


def test_what_nobody_sells_finds_nothing(goods: None) -> None:
    assert {word: found for word in NOT_SOLD if (found := first_of(word))} == {}


PASTED_AND_HALF_KNOWN = {
    "xuèchéng": "blood-orange-m", "Xuè Chéng": "blood-orange-m", "oranges": "blood-orange-m", "tomatoes": "tomato", "potatoes": "potato",
    "kiwis": "kiwi-red", "x": "", "血橙\u200b": "blood-orange-m", "jiāng": "ginger-young",
}  # fmt: skip


def test_tone_marks_and_plurals_find_what_they_mean(goods: None) -> None:
    for word, code in PASTED_AND_HALF_KNOWN.items():
        assert not code or code in [card.code for card in search.find(reading(), word, {}).cards], word
    plain, marked = first_of("xuecheng"), first_of("xuèchéng")
    assert plain == marked


def test_another_character_of_the_same_sound_finds_what_is_close(goods: None) -> None:
    found = search.find(reading(), "雪橙", {})
    assert (found.is_exact, found.is_heard) == (False, True)
    assert [card.code for card in found.cards] == [card.code for card in search.find(reading(), "xuecheng", {}).cards]


def test_a_thing_comes_before_what_is_made_of_it(goods: None) -> None:
    """Also when it is asked for by its sound, by its initials, by a wider word or in English."""
    whole = {"blood-orange-m", "blood-orange-gift", "blood-orange-loose"}
    for word in ("血橙", "xuecheng", "xc", "橙子", "雪橙", "oranges", "blood orange"):
        found = [card.code for card in search.find(reading(), word, {}).cards]
        assert set(found[:3]) == whole, (word, found)
    assert first_of("无花果") == ["fig-fresh", "fig-dried"]
    assert first_of("牛肉")[0] == "beef"


def test_goods_of_one_word_stand_together_when_initials_are_typed(goods: None) -> None:
    found = [card.code for card in search.find(reading(), "xc", {}).cards]
    assert all("blood-orange" in code for code in found[:5])
    assert "sausage" in found[5:], "香肠 begins so too, and comes after all that is 血橙"


def test_what_nobody_sells_is_answered_with_no_other_offer(goods: None) -> None:
    for word in ("猫粮", "手机", "香菜", "苹果"):
        assert search.find(reading(), word, {}).cards == [], word
        assert search.nearest(reading(), word) == [], word


def test_eggs_are_no_chicken(goods: None) -> None:
    assert "eggs-free-range" not in first_of("鸡肉")


def test_words_around_the_thing_are_left_out_when_nothing_has_them(goods: None) -> None:
    for text, (plainly, code) in SAID_AROUND.items():
        found = search.find(reading(), text, {})
        assert (found.is_exact, found.plainly) == (True, plainly), text
        assert code in [card.code for card in found.cards][:FIRST], text


def test_words_around_the_thing_stay_when_something_has_them(goods: None) -> None:
    found = search.find(reading(), "散装", {})
    assert (found.plainly, [card.code for card in found.cards]) == ("", ["blood-orange-loose"])


def test_what_is_found_is_asked_for_once(goods: None) -> None:
    with counted() as statements:
        search.find(reading(), "橙子", {})
    assert len(statements) == 1
