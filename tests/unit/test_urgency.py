"""What a merchant should do next: the most pressing first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shop.consoles.merchant import forms
from shop.consoles.merchant.forms import WeightNotUnderstood, grams_of
from shop.fulfilment.queries import Delivery, cycle_of_batch
from shop.fulfilment.urgency import Deed, Urgency, next_steps
from shop.kernel import gate
from shop.kernel.money import Money
from shop.models.pickup import BatchState

pytestmark = pytest.mark.one_engine

NOW = datetime(2026, 6, 8, 4, 0, tzinfo=UTC)


def delivery(cycle_id: int, hours: float, *, closed: bool = True, **counts: int) -> Delivery:
    """A delivery that arrives so many hours from now."""
    facts: dict[str, Any] = dict.fromkeys(Delivery.__slots__, 0)
    arrives = NOW + timedelta(hours=hours)
    facts |= {
        "cycle_id": cycle_id, "arrives_on": arrives.date(), "arrives_at": arrives, "batch_state": BatchState.PACKING,
        "total": Money(0), "closed_at": None,
        "cut_off_at": NOW - timedelta(hours=1) if closed else NOW + timedelta(hours=1), **counts,
    }  # fmt: skip
    return Delivery(**facts)


def told(*deliveries: Delivery) -> list[tuple[int, Deed, Urgency, int]]:
    return [(step.delivery.cycle_id, step.deed, step.urgency, step.orders) for step in next_steps(deliveries, NOW)]


def test_what_is_late_comes_before_what_is_soon_and_what_can_wait() -> None:
    steps = told(delivery(1, 40, to_pack=1), delivery(2, 3, to_pack=2), delivery(3, -1, to_pack=3), delivery(4, 9, to_pack=4))
    assert steps == [
        (3, Deed.PACK, Urgency.LATE, 3), (2, Deed.PACK, Urgency.NOW, 2), (4, Deed.PACK, Urgency.TODAY, 4),
        (1, Deed.PACK, Urgency.LATER, 1),
    ]  # fmt: skip


def test_before_the_cut_off_orders_are_accepted_and_neither_packed_nor_sent() -> None:
    assert told(delivery(1, 3, closed=False, to_pack=2, to_accept=1, packed=1)) == [(1, Deed.ACCEPT, Urgency.LATER, 1)]
    assert told(delivery(1, 3, closed=False, to_pack=2)) == []


def test_a_packed_delivery_goes_to_the_driver() -> None:
    assert told(delivery(1, 9, packed=2)) == [(1, Deed.SEND, Urgency.TODAY, 2)]


def test_a_delivery_that_is_partly_packed_is_sent_only_when_it_is_time() -> None:
    assert [step[1] for step in told(delivery(1, 9, packed=2, to_pack=1))] == [Deed.PACK]
    assert [step[1] for step in told(delivery(1, 3, packed=2, to_pack=1))] == [Deed.PACK, Deed.SEND]


def test_nothing_is_to_be_done_about_what_is_on_its_way() -> None:
    assert told(delivery(1, 3, in_transit=2), delivery(2, -3, ready=1, collected=4)) == []


@pytest.mark.parametrize(
    ("typed", "unit", "grams"),
    [
        ("850", "g", 850), ("850g", "jin", 850), ("1.7", "jin", 850), ("1.7斤", "g", 850), ("1斤7两", "g", 850), ("1斤7", "kg", 850),
        ("0.85", "kg", 850), ("0.85 KG", "g", 850), ("1.7 jin", "g", 850), ("８５０", "g", 850), ("0.85公斤", "g", 850), ("0", "g", 0),
        ("0.01", "jin", 5),
    ],
)  # fmt: skip
def test_a_weight_is_understood_as_it_is_said(typed: str, unit: str, grams: int) -> None:
    assert grams_of(typed, unit) == grams


@pytest.mark.parametrize(
    "typed", ["", "-3", "1,7", "１，７", "0.333斤", "1.2345kg", "850.5", "8两", "12 lb", "1斤17两", "١٢", "9999999999"]
)
def test_a_weight_that_is_not_whole_grams_is_never_guessed(typed: str) -> None:
    with pytest.raises(WeightNotUnderstood):
        grams_of(typed, "g")


def test_a_month_is_a_month_that_has_begun() -> None:
    today = NOW.date()
    assert forms.month_of(gate.month("2026-06"), today) == today.replace(day=1)
    for wrong in ("", "2026-07", "2026-13", "june", "26-06", "2026-6", "0001-01", "1999-12"):
        assert forms.month_of(gate.month(wrong), today) is None, wrong


@pytest.mark.parametrize(
    ("code", "cycle_id"), [("T260608-0042", 42), ("T260608-12345", 12_345), ("T260608-42", None), ("0042", None), ("", None)]
)
def test_a_batch_code_names_its_delivery(code: str, cycle_id: int | None) -> None:
    assert cycle_of_batch(code) == cycle_id
