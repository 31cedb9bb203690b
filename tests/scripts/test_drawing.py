"""What the load of `bench/run` asks for: drawn at random by rules that every run and every release share."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bench.city import City, DueBill, Goods, Person, meet
from bench.drawing import Draw, Popular, chance, draw_for, queries_of
from bench.measures import MEASURES, Queue

pytestmark = pytest.mark.one_engine
TRIES = 20_000


def person(number: int, point: str = "north") -> Person:
    return Person(f"token-{number}", f"cookie-{number}", point)


CITY = City(
    points=["north", "south"], categories=["fruit", "rice"], products=["orange", "pear", "rice"], names=["血橙", "梨", "大米"],
    goods={"north": [Goods("orange", "grove"), Goods("rice", "mill")], "south": [Goods("pear", "grove"), Goods("rice", "mill")]},
    readers=[person(1)], shoppers=[person(2)], buyers=[person(3)], crowd=[person(4)], hot="pear", bills=[DueBill("token-3", "B1", 100)],
    keeper="token-9", visits=["pass"], pin="246813",
)  # fmt: skip


@pytest.mark.parametrize(("count", "rank", "share"), [
    (1, 1, 1.0), (2, 1, 2 / 3), (2, 2, 1 / 3), (4, 1, 12 / 25), (4, 4, 3 / 25), (100, 1, 0.1928), (100, 10, 0.01928),
])  # fmt: skip
def test_the_thing_of_rank_n_is_wanted_an_nth_as_often_as_the_first(count: int, rank: int, share: float) -> None:
    popular = Popular(range(count), "things")
    source = chance("test", count)
    found = Counter(popular.one(source) for _ in range(TRIES))
    assert found[popular.things[rank - 1]] / TRIES == pytest.approx(share, rel=0.15)


def test_everything_is_asked_for_sooner_or_later() -> None:
    popular, source = Popular(range(100), "things"), chance("test")
    assert {popular.one(source) for _ in range(TRIES)} == set(range(100))


def test_what_is_wanted_most_is_drawn_as_well() -> None:
    firsts = {Popular(range(50), f"things {number}").things[0] for number in range(20)}
    assert len(firsts) > 10


def test_the_same_names_draw_the_same_and_others_do_not() -> None:
    def drawn(*names: object) -> list[float]:
        source = chance(*names)
        return [source.random() for _ in range(5)]

    assert drawn("product", 1, 0) == drawn("product", 1, 0)
    assert len({tuple(drawn(*names)) for names in (("product", 1, 0), ("product", 1, 1), ("product", 2, 0), ("category", 1, 0))}) == 4


def test_two_codes_are_asked_the_same_in_the_same_turn() -> None:
    popular = Popular(range(100), "things")
    now, then = (draw_for("product", 3, 5, 16) for _ in range(2))
    assert [popular.one(now.source) for _ in range(50)] == [popular.one(then.source) for _ in range(50)]


@pytest.mark.parametrize(("count", "wanted", "found"), [(10, 4, 4), (3, 4, 3), (1, 1, 1)])
def test_several_things_are_different_ones(count: int, wanted: int, found: int) -> None:
    things = Popular(range(count), "things").some(chance("test"), wanted)
    assert len(things) == len(set(things)) == found


def test_from_nothing_nothing_is_drawn() -> None:
    with pytest.raises(ValueError, match="nothing to draw from: products"):
        Popular([], "products")


@pytest.mark.parametrize(("people", "connections"), [(40, 8), (41, 8), (8, 8)])
def test_no_two_connections_are_the_same_person_at_once(people: int, connections: int) -> None:
    seen: dict[int, set[int]] = {}
    for number in range(connections):
        draw = Draw(chance(number), number, connections, start=number * 7)
        seen[number] = set()
        for _ in range(people):
            seen[number].add(draw.next_of(range(people)))
            draw.deeds += 1
    assert sum(len(mine) for mine in seen.values()) == people
    assert set().union(*seen.values()) == set(range(people))


@pytest.mark.parametrize(("name", "code", "queries"), [
    ("血橙", "blood-orange", ["血橙", "blood"]),
    ("夏黑葡萄", "grape-summer-black", ["夏黑", "葡萄", "夏黑葡萄", "grape"]),
    ("梨", "pear", ["pear"]),
    ("梨", "p", []),
])  # fmt: skip
def test_people_search_by_beginning_end_whole_and_latin(name: str, code: str, queries: list[str]) -> None:
    assert queries_of([name], [code]) == queries


def test_what_can_be_had_once_is_given_once() -> None:
    queue = Queue(2)
    assert [queue.next() for _ in range(4)] == [0, 1, None, None]


def test_a_city_is_read_as_it_was_written(tmp_path: Path) -> None:
    CITY.write(tmp_path / "city.json")
    assert City.read(tmp_path / "city.json") == CITY


def test_two_releases_are_asked_for_what_both_have() -> None:
    other = replace(
        CITY, products=["rice", "orange", "plum"], names=["米", "橙", "李"], categories=["rice"], points=["north"],
        goods={"north": [Goods("rice", "mill")]}, pin="other",
    )  # fmt: skip
    now, then = meet([CITY, other])
    assert (now.products, now.names) == (then.products, then.names) == (["orange", "rice"], ["血橙", "大米"])
    assert now.goods == then.goods == {"north": [Goods("rice", "mill")]}
    assert (now.categories, now.points) == (["rice"], ["north"])
    assert (now.pin, then.pin) == ("246813", "other")


def test_a_city_alone_is_asked_for_all_it_has() -> None:
    assert meet([CITY]) == [CITY]


def test_every_measure_can_be_made_of_a_city() -> None:
    assert all(callable(one.work(CITY)) for one in MEASURES)
    assert len({one.name for one in MEASURES}) == len(MEASURES)
