"""How facts of the audit trail are told: money in yuan, weights in grams, known values in words, anything else as it was recorded."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

import shop.wiring  # noqa: F401  (names the features)
from shop.consoles.admin import deeds
from shop.platform.features import registry
from shop.platform.language import speaking

pytestmark = pytest.mark.one_engine
BILLERS = {"power": SimpleNamespace(name_zh="国网内江供电", name_en="Neijiang Power Supply")}


@pytest.fixture
def english(app: Flask) -> Iterator[None]:
    with speaking("en"):
        yield


def told(**facts: Any) -> list[tuple[str, str]]:
    return deeds.fact_words(facts, BILLERS)


@pytest.mark.usefixtures("english")
@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"amount": 28_303, "purpose": "top_up"}, [("Amount", "¥283.03"), ("Purpose", "Top-up")]),
        ({"new_fen": 1_090, "old_fen": 990}, [("Earlier price", "¥9.90"), ("New price", "¥10.90")]),
        ({"grams": 1_250, "refunded": 0}, [("Weighed", "1.25 kg"), ("Given back", "¥0.00")]),
        (
            {"role": "merchant_clerk", "merchant_id": 4, "pickup_point_id": None},
            [("Role", "Shop clerk"), ("Shop", "4")],
        ),
        ({"wallet_class": "II"}, [("Wallet class", "Class II")]),
        ({"kind": "spoilage", "quantity": -3}, [("Kind", "Spoiled"), ("Quantity", "-3")]),
        ({"kind": "bills.send"}, [("Kind", "bills.send")]),
        ({"code": "refused"}, [("Why it failed", "The biller refused the payment")]),
        ({"biller": "power"}, [("Biller", "Neijiang Power Supply")]),
        ({"biller": "gone"}, [("Biller", "gone")]),
        ({"state": "refunded", "biller_says": "posted"}, [("State", "Not paid, money returned"), ("The biller says", "Bill paid")]),
        ({"until": "2026-11-27T12:00:00+00:00"}, [("Good until", "2026-11-27 20:00")]),
        ({"sub_orders": ["L1-1", "L1-2"], "is_used": True}, [("Orders", "L1-1, L1-2"), ("Everything collected", "yes")]),
        ({"sub_orders": [], "is_used": False}, [("Orders", "–"), ("Everything collected", "no")]),
        ({"sub_orders": 4}, [("Number of orders", "4")]),
        ({"expected": 990, "arrived": 980, "currency": "CNY"},
         [("Amount expected", "¥9.90"), ("Amount that arrived", "¥9.80"), ("Currency", "CNY")]),
        ({"expected": 990, "arrived": 980, "currency": "JPY"},
         [("Amount expected", "¥9.90"), ("Amount that arrived", "980"), ("Currency", "JPY")]),
        ({}, []),
    ],
)  # fmt: skip
def test_facts_are_told_in_words(facts: dict[str, Any], said: list[tuple[str, str]]) -> None:
    assert told(**facts) == said


@pytest.mark.usefixtures("english")
@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"colour": "red", "amount": 100}, [("Amount", "¥1.00"), ("colour", "red")]),
        ({"amount": "a lot", "grams": 1.5}, [("Amount", "a lot"), ("Weighed", "1.5")]),
        ({"until": "tomorrow"}, [("Good until", "tomorrow")]),
        ({"until": "9999-12-31T23:00:00+00:00"}, [("Good until", "9999-12-31T23:00:00+00:00")]),
        ({"role": "jester"}, [("Role", "jester")]),
        ({"biller": {"code": "power"}, "more": [1, None]}, [("Biller", "{'code': 'power'}"), ("more", "1, None")]),
    ],
)
def test_what_is_not_known_is_shown_as_it_was_recorded(facts: dict[str, Any], said: list[tuple[str, str]]) -> None:
    assert told(**facts) == said


@pytest.mark.usefixtures("app")
def test_chinese_comes_first() -> None:
    assert deeds.action_words("session.second_factor_confirmed") == "登录二次验证通过"
    assert (deeds.subject_words("payment"), deeds.actor_words("provider")) == ("付款", "支付渠道")
    assert told(sub_orders=["L1-1", "L1-2"], biller="power", is_used=True) == [
        ("缴费单位", "国网内江供电"), ("订单", "L1-1、L1-2"), ("全部提完", "是"),
    ]  # fmt: skip


@pytest.mark.usefixtures("english")
def test_a_code_without_words_is_its_own_word() -> None:
    assert (deeds.action_words("moon.landed"), deeds.subject_words("moon"), deeds.actor_words("cat")) == ("moon.landed", "moon", "cat")


@pytest.mark.usefixtures("english")
def test_a_filter_offers_every_known_code_and_keeps_what_was_given_by_hand() -> None:
    offered = dict(deeds.action_choices(""))
    assert offered == {"": "All", **{code: tag.words for code, tag in registry.tags().items()}}
    assert deeds.action_choices("sub_order.packed") == list(offered.items())
    assert deeds.action_choices("sub_order")[:2] == [("", "All"), ("sub_order", "sub_order")]
    assert dict(deeds.subject_choices("moon")) == {"": "All", "moon": "moon", **registry.subjects()}
    assert [kind for kind, _said in deeds.actor_choices("")] == ["", "user", "job", "command", "provider"]
