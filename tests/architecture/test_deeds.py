"""Everything that is recorded about the shop has words for the operators who read it. Each check is shown to catch what breaks it."""

from __future__ import annotations

import pytest

import shop.wiring  # noqa: F401  (names the features)
from shop.consoles.admin import deeds
from shop.platform.features import registry
from tests.architecture.recorded import Recorded, recorded_in
from tests.architecture.syntax import parsed, shop_modules

pytestmark = pytest.mark.one_engine


def recorded_by_the_shop() -> list[Recorded]:
    return list(recorded_in(shop_modules()))


def test_every_kind_of_deed_is_recorded_somewhere() -> None:
    assert set(registry.tags()) - {entry.action for entry in recorded_by_the_shop()} == set()


def test_every_kind_of_subject_has_a_word() -> None:
    assert {entry.subject_type: entry.place for entry in recorded_by_the_shop() if entry.subject_type not in registry.subjects()} == {}


def test_every_fact_has_a_name() -> None:
    named = deeds.FACTS | registry.facts()
    assert {name: entry.place for entry in recorded_by_the_shop() for name in entry.facts if name not in named} == {}


def test_there_is_something_to_check() -> None:
    actions = {entry.action for entry in recorded_by_the_shop()}
    assert len(actions) > 40
    assert {"purchase.paid", "sub_order.in_transit", "sub_order.collected", "wallet.pin_set", "wallet.pin_changed"} <= actions


def test_what_is_told_as_money_or_by_its_value_is_a_fact() -> None:
    assert deeds.MONEY | set(deeds.VALUES) | set(deeds.COUNTS) <= set(deeds.FACTS)


def test_no_code_is_the_beginning_of_another() -> None:
    codes = sorted(registry.tags())
    assert [(one, other) for one in codes for other in codes if one != other and other.startswith(one)] == []


def test_no_two_deeds_are_called_the_same() -> None:
    told = [tag.words for tag in registry.tags().values()]
    assert len(set(told)) == len(told)


# Planted: what the shop may write, and what nobody could read out of it.


def actions_in(source: str) -> list[str]:
    return [entry.action for entry in recorded_in([parsed(source)])]


TAGS = "from shop.orders.tags import Done\n"


def test_tags_written_in_any_of_the_shops_ways_are_found() -> None:
    assert actions_in(TAGS + "def f(s, a):\n    audit.record(s, a, Done.PURCHASE_PAID, 'a', 1, total=2)\n") == ["purchase.paid"]
    either = "def f(s, a, x):\n    audit.record(s, a, Done.LINE_SHORT if x else Done.LINE_WEIGHED, 'a', 1)\n"
    assert actions_in(TAGS + either) == ["line.short", "line.weighed"]
    source = (
        "def move(s, a, state):\n    audit.record_each(s, a, Done.of(f'sub_order.{state.value}'), 'a', [1])\n"
        "def f(s, a):\n    move(s, a, SubOrderState.IN_TRANSIT)\n    move(s, a, SubOrderState.READY)\n"
    )
    assert actions_in(TAGS + source) == ["sub_order.in_transit", "sub_order.ready"]
    named = TAGS + "def f(s, a):\n    audit.record(s, a, Done.PURCHASE_PAID, 'a', 1, total=2, why='x')\n"
    assert list(recorded_in([parsed(named)])) == [Recorded("purchase.paid", "a", frozenset({"total", "why"}), "shop/example/views.py:3")]


@pytest.mark.parametrize(
    "source",
    [
        "def f(s, a):\n    audit.record(s, a, 'a.done', 'a', 1)\n",
        "def f(s, a, code):\n    audit.record(s, a, code, 'a', 1)\n",
        "def f(s, a, code):\n    audit.record(s, a, f'{code}.done', 'a', 1)\n",
        "def f(s, a, state):\n    audit.record(s, a, f'a.{state.value}', 'a', 1)\n",
        "def f(s, a, kind):\n    audit.record(s, a, Done.PURCHASE_PAID, kind, 1)\n",
        "def f(s, a, facts):\n    audit.record(s, a, Done.PURCHASE_PAID, 'a', 1, **facts)\n",
    ],
)
def test_what_cannot_be_read_out_of_the_source_is_caught(source: str) -> None:
    with pytest.raises(AssertionError):
        actions_in(TAGS + source)
