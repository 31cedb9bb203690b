"""Words that many people search for: counted without keeping who they were."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from shop.catalog import operations, popular
from shop.kernel import clock, memory
from shop.kernel.db import perform, reading, transaction
from shop.models.catalog import SearchWord
from shop.platform.actor import Actor
from tests.support.factories import Factories, actor_of

KEY = "of the shop"


@pytest.fixture
def people(make: Factories) -> list[Actor]:
    """Goods that are searched for, and people who do, none on the place of another for these words."""
    shop = make.merchant("coop", name_zh="橙乡合作社", name_en="Orange Co-op")
    made = [make.product(shop, name_zh=name, name_en=name_en) for name, name_en in (("资中血橙", "Blood orange"), ("番茄", "Tomato"))]
    perform(operations.refresh_search_terms, [variant.product_id for variant in made], [])
    found: list[Actor] = []
    taken: dict[str, set[int]] = {"血橙": set(), "番茄": set()}
    while len(found) < popular.FEWEST:
        actor = actor_of(make.user())
        places = {word: popular.place_of(actor.signed_in_id(), word, KEY) for word in taken}
        if all(place not in taken[word] for word, place in places.items()):
            found.append(actor)
            for word, place in places.items():
                taken[word].add(place)
    return found


def searched(people: list[Actor], word: str) -> list[bool]:
    return [perform(popular.count_word, actor, word, KEY) for actor in people]


def shown() -> list[str]:
    memory.forget()
    return popular.words(reading())


def test_a_word_is_shown_when_enough_people_searched_for_it(people: list[Actor]) -> None:
    assert searched(people[:-1], "血橙") == [True] * (popular.FEWEST - 1)
    assert shown() == []
    searched(people[-1:], "血橙")
    assert shown() == ["血橙"]


def test_one_person_is_counted_once_however_often_and_however_written(people: list[Actor]) -> None:
    assert searched([people[0]] * popular.FEWEST, "血橙") == [True, *[False] * (popular.FEWEST - 1)]
    assert searched([people[0]], " 血橙\u3000") == [False]
    assert reading().scalars(sa.select(SearchWord.people)).all() == [1]


def test_one_person_on_many_days_is_still_one(people: list[Actor]) -> None:
    for _day in range(popular.DAYS):
        with transaction() as session:
            for row in session.scalars(sa.select(SearchWord).order_by(SearchWord.day)):
                row.day -= timedelta(days=1)
                session.flush()
        searched(people[:1], "血橙")
    assert reading().scalar(sa.select(sa.func.count()).select_from(SearchWord)) == popular.DAYS
    assert shown() == []


def test_people_of_several_days_count_together(people: list[Actor]) -> None:
    searched(people[:2], "血橙")
    with transaction() as session:
        session.execute(sa.update(SearchWord).values(day=clock.today() - timedelta(days=3)))
    searched(people[2:], "血橙")
    assert shown() == ["血橙"]
    with transaction() as session:
        old = sa.update(SearchWord).where(SearchWord.day < clock.today())
        session.execute(old.values(day=clock.today() - timedelta(days=popular.DAYS)))
    assert shown() == [], "what is a week old is over"


def test_what_most_people_searched_for_comes_first(people: list[Actor], make: Factories) -> None:
    searched(people, "番茄")
    searched(people, "血橙")
    more = [actor_of(make.user()) for _ in range(10)]
    searched(more, "血橙")
    assert shown() == ["血橙", "番茄"]


@pytest.mark.parametrize(
    "text",
    ["", "橙", "13800138000", "血橙13800138000", "李梅", "榴莲", "xu", "血橙" * 11, "我家住在甜城湖三栋二单元五号", "'; --", "\u200b"],
)
def test_what_is_no_word_for_goods_is_never_kept(people: list[Actor], text: str) -> None:
    assert searched(people, text) == [False] * len(people)
    assert reading().scalar(sa.select(sa.func.count()).select_from(SearchWord)) == 0


def test_nothing_that_is_kept_points_to_a_person(people: list[Actor]) -> None:
    searched(people, "血橙")
    assert {column.name for column in SearchWord.__table__.columns} == {"id", "day", "word", "seen", "people", "created_at"}
    row = reading().execute(sa.select(SearchWord.seen, SearchWord.people)).one()
    assert (row.seen.bit_count(), row.people) == (popular.FEWEST, popular.FEWEST)
    assert row.seen < 1 << popular.PLACES


def test_another_key_puts_people_on_other_places() -> None:
    mine = [popular.place_of(user_id, "血橙", "one") for user_id in range(50)]
    assert mine != [popular.place_of(user_id, "血橙", "other") for user_id in range(50)]
    assert mine != [popular.place_of(user_id, "番茄", "one") for user_id in range(50)]
    assert all(0 <= place < popular.PLACES for place in mine)
