"""Everything that is recorded about the shop has words for the operators who read it. Each check is shown to catch what breaks it."""

from __future__ import annotations

import pytest

from shop.consoles.admin import deeds
from tests.architecture.recorded import Recorded, recorded_in
from tests.architecture.syntax import parsed, shop_modules

pytestmark = pytest.mark.one_engine


def recorded_by_the_shop() -> list[Recorded]:
    return list(recorded_in(shop_modules()))


def test_every_recorded_action_has_words() -> None:
    assert {entry.action: entry.place for entry in recorded_by_the_shop() if entry.action not in deeds.ACTIONS} == {}


def test_every_kind_of_subject_has_a_word() -> None:
    assert {entry.subject_type: entry.place for entry in recorded_by_the_shop() if entry.subject_type not in deeds.SUBJECTS} == {}


def test_every_fact_has_a_name() -> None:
    assert {name: entry.place for entry in recorded_by_the_shop() for name in entry.facts if name not in deeds.FACTS} == {}


def test_there_is_something_to_check() -> None:
    actions = {entry.action for entry in recorded_by_the_shop()}
    assert len(actions) > 40
    assert {"purchase.paid", "sub_order.in_transit", "sub_order.collected", "wallet.pin_set", "wallet.pin_changed"} <= actions


def test_what_is_told_as_money_or_by_its_value_is_a_fact() -> None:
    assert deeds.MONEY | set(deeds.VALUES) | set(deeds.COUNTS) <= set(deeds.FACTS)


def test_no_code_is_the_beginning_of_another() -> None:
    codes = sorted(deeds.ACTIONS)
    assert [(one, other) for one in codes for other in codes if one != other and other.startswith(one)] == []


def test_no_two_deeds_are_called_the_same() -> None:
    assert len(set(deeds.ACTIONS.values())) == len(deeds.ACTIONS)


# Planted: what the shop may write, and what nobody could read out of it.


def actions_in(source: str) -> list[str]:
    return [entry.action for entry in recorded_in([parsed(source)])]


def test_codes_written_in_any_of_the_shops_ways_are_found() -> None:
    assert actions_in("def f(s, a):\n    audit.record(s, a, 'a.done', 'a', 1, total=2)\n") == ["a.done"]
    assert actions_in("def f(s, a, x):\n    audit.record(s, a, 'a.changed' if x else 'a.set', 'a', 1)\n") == ["a.changed", "a.set"]
    source = (
        "def move(s, a, state):\n    audit.record_each(s, a, f'a.{state.value}', 'a', [1])\n"
        "def f(s, a):\n    move(s, a, SubOrderState.IN_TRANSIT)\n    move(s, a, SubOrderState.READY)\n"
    )
    assert actions_in(source) == ["a.in_transit", "a.ready"]
    assert list(recorded_in([parsed("def f(s, a):\n    audit.record(s, a, 'a.done', 'a', 1, total=2, why='x')\n")])) == [
        Recorded("a.done", "a", frozenset({"total", "why"}), "shop/example/views.py:2")
    ]


@pytest.mark.parametrize(
    "source",
    [
        "def f(s, a, code):\n    audit.record(s, a, code, 'a', 1)\n",
        "def f(s, a, code):\n    audit.record(s, a, f'{code}.done', 'a', 1)\n",
        "def f(s, a, state):\n    audit.record(s, a, f'a.{state.value}', 'a', 1)\n",
        "def f(s, a, kind):\n    audit.record(s, a, 'a.done', kind, 1)\n",
        "def f(s, a, facts):\n    audit.record(s, a, 'a.done', 'a', 1, **facts)\n",
    ],
)
def test_what_cannot_be_read_out_of_the_source_is_caught(source: str) -> None:
    with pytest.raises(AssertionError):
        actions_in(source)
