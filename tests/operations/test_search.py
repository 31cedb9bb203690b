"""Search over real rows: Chinese of any length, pinyin, initials, synonyms; the same on both engines."""

from __future__ import annotations

import pytest

from shop.catalog import matching, operations, search, terms
from shop.catalog.errors import SearchTooLong
from shop.catalog.queries import arrivals
from shop.kernel.db import perform, reading
from shop.models.catalog import Variant
from tests.support.factories import Factories
from tests.support.queries import counted

SYNONYMS = [["西红柿", "番茄"], ["折耳根", "鱼腥草"]]


@pytest.fixture
def shelf(make: Factories) -> dict[str, Variant]:
    """A few products with their search terms."""
    merchant = make.merchant("orange-coop", name_zh="资中橙乡合作社", name_en="Orange Co-op")
    names = {
        "blood-orange": ("资中血橙散装", "Zizhong blood orange, loose"), "juice": ("NFC血橙汁", "NFC blood orange juice"),
        "tomato": ("番茄", "Tomato"), "root": ("折耳根", "Fish mint root"), "eggs": ("散养土鸡蛋", "Free-range eggs"),
    }  # fmt: skip
    made = {
        code: make.product(merchant, code=code, name_zh=zh, name_en=en, position=place)
        for place, (code, (zh, en)) in enumerate(names.items())
    }
    perform(operations.refresh_search_terms, [variant.product_id for variant in made.values()], SYNONYMS)
    return made


def codes(text: str) -> list[str]:
    return [card.code for card in search.find(reading(), text, {}).cards]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("血橙", ["blood-orange", "juice"]),
        ("橙", ["blood-orange", "juice", "tomato", "root", "eggs"]),  # the co-operative's own name has it too
        ("血橙散", ["blood-orange"]),
        ("xuecheng", ["blood-orange", "juice"]),
        ("xuech", ["blood-orange", "juice"]),
        ("xc", ["blood-orange", "juice", "root"]),  # 腥草 begins so too
        ("zzxc", ["blood-orange"]),
        ("西红柿", ["tomato"]),
        ("鱼腥草", ["root"]),
        ("yuxingcao", ["root"]),
        ("blood", ["blood-orange", "juice"]),
        ("Tomato", ["tomato"]),
        ("土鸡蛋", ["eggs"]),
        ("血橙 juice", ["juice"]),
        ("'; DROP TABLE listings; --", []),
        ("%", []),
    ],
)
def test_search_finds(shelf: dict[str, Variant], text: str, expected: list[str]) -> None:
    assert codes(text) == expected


def test_nothing_exact_shows_what_comes_close(shelf: dict[str, Variant]) -> None:
    found = search.find(reading(), "血橙子", {})
    assert not found.is_exact
    assert [card.code for card in found.cards] == ["blood-orange", "juice"]


def test_what_can_be_had_comes_first(make: Factories, shelf: dict[str, Variant]) -> None:
    point = make.point()
    near = make.merchant("near", points=[point], name_zh="近处", name_en="Near")
    variant = make.product(near, code="near-orange", name_zh="近处血橙", name_en="Blood orange", position=99)
    perform(operations.refresh_search_terms, [variant.product_id], [])
    assert codes("血橙") == ["blood-orange", "near-orange", "juice"]
    arriving = arrivals(reading(), point.id)
    assert search.find(reading(), "血橙", arriving).cards[0].code == "near-orange"


def test_a_search_too_long_is_refused(shelf: dict[str, Variant]) -> None:
    with pytest.raises(SearchTooLong):
        search.find(reading(), "橙" * 61, {})


@pytest.mark.parametrize("text", ["", " \u3000", "。，！？…", "%_'\\", "\u200b\u202e", "·" * 60, "\U0001f34a"])
def test_what_has_no_word_asks_the_database_nothing(shelf: dict[str, Variant], text: str) -> None:
    with counted() as statements:
        assert search.find(reading(), text, {}).cards == []
        assert search.suggest(reading(), text * 200) == []
        assert search.nearest(reading(), text) == []
    assert statements == []


@pytest.mark.parametrize("text", ["0" * 10_000, "a " * 5_000, "一" * 10_000, "x1" * 5_000, "0." * 5_000])
def test_ten_thousand_characters_are_cut_before_anything_is_made_of_them(shelf: dict[str, Variant], text: str) -> None:
    with counted() as statements:
        search.suggest(reading(), text)
    assert len(statements) <= 2, "with more than one term it is asked first which of them is rarest"
    query = terms.parse(text)
    assert len(query.exact) + len(query.beginnings) <= terms.MAX_TERMS
    assert sum(map(len, query.beginnings)) <= terms.MOST_CHARACTERS


def test_a_search_looks_at_the_first_entries_only(shelf: dict[str, Variant], monkeypatch: pytest.MonkeyPatch) -> None:
    made = (search.with_all_terms, matching.candidates)
    monkeypatch.setattr(matching, "MOST_ENTRIES", 1)
    for statements in made:
        statements.cache_clear()
    try:
        assert len(codes("x")) == 1, "of its pinyin; no word begins so"
        assert len(codes("xc")) == 1, "of its initials"
        assert codes("血橙") == ["blood-orange"], "the entry that weighs most"
    finally:
        for statements in made:
            statements.cache_clear()


def test_suggestions_begin_to_match(shelf: dict[str, Variant]) -> None:
    assert search.suggest(reading(), "xuec")[0] == ("资中血橙散装", "Zizhong blood orange, loose")
