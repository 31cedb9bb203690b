"""What may leave the counter: the cases of docs/algorithms/hand-over.md."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from shop.counter import rules
from shop.counter.rules import PassFacts, Reason, Thing
from shop.fulfilment.rules import why_it_stays
from shop.kernel.money import Money
from shop.models.orders import PurchaseState
from shop.models.pickup import CollectableState, HandoverOutcome, PassState

pytestmark = pytest.mark.one_engine

NOW = datetime(2026, 6, 8, 9, 0, tzinfo=UTC)
HERE, ELSEWHERE = 1, 2


def a_pass(**changes: object) -> PassFacts:
    facts = {"id": 7, "pickup_point_id": HERE, "user_id": 3, "state": PassState.LIVE, "valid_until": NOW + timedelta(days=1), **changes}
    return PassFacts(**facts)  # type: ignore[arg-type]


def part(number: str, state: CollectableState = CollectableState.WAITING, **changes: object) -> Thing:
    facts = {"purchase_state": PurchaseState.PAID, "total": Money(1_000), "refunded_total": Money(0), **changes}
    return Thing(int(number[1:]), "sub_order", int(number[1:]), number, state, why_it_stays(**facts))  # type: ignore[arg-type]


GONE, NEVER_CAME = CollectableState.COLLECTED, CollectableState.NOT_COLLECTED


def test_a_live_pass_opens_at_its_own_point() -> None:
    assert rules.judge_pass(a_pass(), HERE, NOW) is None


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (None, Reason.UNKNOWN_PASS),
        (a_pass(pickup_point_id=ELSEWHERE), Reason.WRONG_POINT),
        (a_pass(pickup_point_id=ELSEWHERE, state=PassState.USED), Reason.WRONG_POINT),
        (a_pass(state=PassState.REVOKED), Reason.PASS_REVOKED),
        (a_pass(state=PassState.USED, used_at=NOW), Reason.PASS_USED),
        (a_pass(state=PassState.USED), Reason.NOT_COLLECTED),
        (a_pass(valid_until=NOW - timedelta(seconds=1)), Reason.PASS_EXPIRED),
    ],
)
def test_any_other_pass_says_why_not(found: PassFacts | None, reason: Reason) -> None:
    assert rules.judge_pass(found, HERE, NOW) is reason


def test_a_pass_is_good_until_its_last_second() -> None:
    assert rules.judge_pass(a_pass(valid_until=NOW), HERE, NOW) is None


@pytest.mark.parametrize(
    ("parts", "wanted", "outcome", "reason", "handed"),
    [
        ([part("A1"), part("A2")], None, "accepted", None, ["A1", "A2"]),
        ([part("A1"), part("A2")], ["A2"], "accepted", None, ["A2"]),
        ([part("A1", GONE), part("A2")], None, "accepted", None, ["A2"]),
        ([part("A1", GONE), part("A2")], ["A1", "A2"], "conflict", "already_handed_over", ["A2"]),
        ([part("A1", GONE)], None, "conflict", "already_handed_over", []),
        ([part("A1", GONE)], ["A1"], "conflict", "already_handed_over", []),
        ([], None, "refused", "nothing_ready", []),
        ([part("A1", NEVER_CAME)], None, "refused", "nothing_ready", []),
        ([part("A1"), part("A2", NEVER_CAME)], ["A1", "A2"], "refused", "not_ready", []),
        ([part("A1")], ["A1", "B9"], "refused", "not_on_pass", []),
        ([part("A1")], [], "refused", "not_on_pass", []),
        ([part("A1", purchase_state=PurchaseState.AWAITING_PAYMENT)], None, "refused", "not_paid", []),
        ([part("A1", refunded_total=Money(1_000))], None, "refused", "refunded", []),
        ([part("A1", refunded_total=Money(1_000)), part("A2")], None, "accepted", None, ["A2"]),
        ([part("A1", refunded_total=Money(1_000)), part("A2")], ["A1", "A2"], "refused", "refunded", []),
        ([part("A1", refunded_total=Money(999))], None, "accepted", None, ["A1"]),
        ([part("A1", total=Money(0))], None, "accepted", None, ["A1"]),
    ],
)
def test_what_leaves_with_a_good_pass(
    parts: list[Thing], wanted: list[str] | None, outcome: str, reason: str | None, handed: list[str]
) -> None:
    verdict = rules.judge_parts(parts, wanted)
    assert (verdict.outcome, verdict.reason, [one.number for one in verdict.handed]) == (HandoverOutcome(outcome), reason, handed)


@pytest.mark.parametrize(
    ("parts", "wanted", "only_whole", "outcome", "handed", "kept"),
    [
        ([part("A1"), part("A2")], ["A1", "A2"], True, "accepted", ["A1", "A2"], []),
        ([part("A1", GONE), part("A2")], ["A1", "A2"], True, "conflict", [], [("A1", "already_handed_over"), ("A2", "with_others")]),
        ([part("A1", GONE), part("A2")], ["A1", "A2"], False, "conflict", ["A2"], [("A1", "already_handed_over")]),
        ([part("A1", GONE), part("A2")], ["A2"], True, "accepted", ["A2"], []),
        ([part("A1", NEVER_CAME), part("A2")], ["A1", "A2"], True, "refused", [], [("A1", "not_ready"), ("A2", "with_others")]),
        ([part("A1", NEVER_CAME), part("A2")], ["A1", "A2"], False, "refused", [], [("A1", "not_ready"), ("A2", "with_others")]),
        ([part("A1", refunded_total=Money(1_000)), part("A2")], None, False, "accepted", ["A2"], [("A1", "refunded")]),
        ([part("A1", GONE)], None, False, "conflict", [], [("A1", "already_handed_over")]),
    ],
)
def test_what_stays_is_named_with_its_reason(
    parts: list[Thing], wanted: list[str] | None, only_whole: bool, outcome: str, handed: list[str], kept: list[tuple[str, str]]
) -> None:
    verdict = rules.judge_parts(parts, wanted, only_whole=only_whole)
    assert (verdict.outcome, [one.number for one in verdict.handed]) == (outcome, handed)
    assert [(one.part.number, one.reason) for one in verdict.kept] == kept


@pytest.mark.parametrize("wanted", [None, ["A1", "A2"]])
def test_a_reason_of_another_kind_holds_up_the_rest_too(wanted: list[str] | None) -> None:
    held = dataclasses.replace(part("A1"), kind="parcel", stays=Reason.UNKNOWN_LABEL)
    verdict = rules.judge_parts([held, part("A2")], wanted)
    assert (verdict.outcome, verdict.reason, verdict.handed) == (HandoverOutcome.REFUSED, Reason.UNKNOWN_LABEL, ())
    assert [one.reason for one in verdict.kept] == [Reason.UNKNOWN_LABEL, Reason.WITH_OTHERS]


@pytest.mark.parametrize(("lines", "milliseconds"), [(0, 1_200), (1, 1_200), (2, 1_300), (23, 3_400), (29, 4_000), (400, 4_000)])
def test_more_goods_are_looked_at_for_longer(lines: int, milliseconds: int) -> None:
    assert rules.reading_time(lines) == timedelta(milliseconds=milliseconds)


def test_a_device_is_believed_for_three_days_and_never_about_the_future() -> None:
    assert rules.scan_time(NOW - timedelta(days=1), NOW) == NOW - timedelta(days=1)
    assert rules.scan_time(NOW + timedelta(days=1), NOW) == NOW
    assert rules.scan_time(NOW - timedelta(days=30), NOW) == NOW - timedelta(days=3)


def test_every_reason_has_its_words() -> None:
    assert set(rules.WORDS) == set(Reason)


def test_a_keeper_works_at_their_own_points_only() -> None:
    assert rules.keeps((4, 5), None) == 4
    assert rules.keeps((4, 5), 5) == 5
    assert rules.keeps((4, 5), 6) is None
    assert rules.keeps((), None) is None
