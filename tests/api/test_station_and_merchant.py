"""The API of residents' passes, of keepers' devices and of merchants."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from shop.counter import rules
from shop.fulfilment import queries
from shop.kernel import clock
from shop.kernel.db import reading
from shop.models.orders import SubOrder, SubOrderState
from shop.models.pickup import Cycle
from shop.models.platform import Job
from shop.pickup import codes
from tests.support.counter import Counter, scans, state_of
from tests.support.factories import Factories
from tests.support.money import balance
from tests.support.people import bearer

API = "/api/v1"


@pytest.fixture
def counter(make: Factories) -> Counter:
    made = Counter(make)
    made.goods("rice", price=2_000)
    made.goods("oil", merchant=1, price=5_000)
    made.goods("fish", price=1_500, by_weight=True, grams=500)
    return made


@pytest.fixture
def keeper(app: Flask, counter: Counter) -> dict[str, str]:
    return bearer(app, counter.keeper_user, second_factor=True)


@pytest.fixture
def clerk(app: Flask, counter: Counter) -> dict[str, str]:
    return bearer(app, counter.clerk_users[0], second_factor=True)


@pytest.fixture
def owner(app: Flask, counter: Counter) -> dict[str, str]:
    return bearer(app, counter.new_owner(counter.merchants[0])[0], second_factor=True)


def event(client_id: str, text: str, **values: Any) -> dict[str, Any]:
    return {"client_id": client_id, "pass": text, "device_time": clock.now().isoformat()} | values


def test_a_resident_reads_their_pass(app: Flask, client: FlaskClient, counter: Counter) -> None:
    buyer = counter.buyer()
    visit = counter.ready(buyer, {"rice": 1, "oil": 2})
    body = client.get(f"{API}/passes", headers=bearer(app, buyer)).json
    assert body["code"] == visit.code
    assert codes.understand(body["qr"]).value == visit.ref
    assert body["point"] == counter.point.slug
    assert [item["lines"][0]["quantity"] for item in body["items"]] == [1, 2]
    assert len(body["passes"]) == 1


def test_without_goods_there_is_no_code(app: Flask, client: FlaskClient, counter: Counter) -> None:
    body = client.get(f"{API}/passes", headers=bearer(app, counter.buyer())).json
    assert body == {"code": None, "qr": None, "point": None, "valid_until": None, "items": [], "passes": []}


def test_a_device_learns_what_its_point_expects(client: FlaskClient, counter: Counter, keeper: dict[str, str]) -> None:
    visit = counter.ready(counter.buyer(display_name="李梅"), {"rice": 1})
    counter.packed(counter.buyer(), {"oil": 1})
    body = client.get(f"{API}/station/expected?point={counter.point.slug}", headers=keeper).json
    assert {batch["merchant"]: (batch["state"], batch["ready"], batch["on_the_way"]) for batch in body["batches"]} == {
        counter.merchants[0].code: ("arrived", 1, 0), counter.merchants[1].code: ("packing", 0, 1),
    }  # fmt: skip
    (waiting,) = body["passes"]
    assert (waiting["ref"], waiting["code"], waiting["holder"]) == (visit.ref, visit.code, "李*")


def test_hand_overs_told_twice_count_once(client: FlaskClient, counter: Counter, keeper: dict[str, str]) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    events = {"events": [event("device-1:1", visit.code), event("device-1:2", "000000"), event("device-2:1", visit.code)]}
    first = client.post(f"{API}/station/handovers", json=events, headers=keeper).json
    assert [(one["outcome"], one["reason"]) for one in first["outcomes"]] == [
        ("accepted", None), ("refused", "unknown_pass"), ("conflict", "already_handed_over"),
    ]  # fmt: skip
    second = client.post(f"{API}/station/handovers", json=events, headers=keeper).json
    assert [one["outcome"] for one in second["outcomes"]] == ["duplicate", "refused", "conflict"]
    assert balance(f"merchant:{counter.merchants[0].id}") == 1_940
    assert len(scans()) == 3


def test_named_lines_leave_and_others_stay(client: FlaskClient, counter: Counter, keeper: dict[str, str]) -> None:
    rice, oil = counter.packed(buyer := counter.buyer(), {"rice": 1, "oil": 1})
    counter.receive([rice, oil])
    body = {"events": [event("a", counter.pass_of(buyer).code, lines=[oil.number])], "point": counter.point.slug}
    assert client.post(f"{API}/station/handovers", json=body, headers=keeper).json["outcomes"][0]["outcome"] == "accepted"
    assert (state_of(rice), state_of(oil)) == (SubOrderState.READY, SubOrderState.COLLECTED)


def test_a_scan_without_network_is_judged_as_of_its_own_time(app: Flask, client: FlaskClient, counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    clock.move(visit.valid_until + timedelta(hours=12) - clock.now())
    keeper = bearer(app, counter.keeper_user, second_factor=True)
    too_late, in_time = (
        event(name, visit.code, device_time=(visit.valid_until + timedelta(hours=after)).isoformat())
        for name, after in (("too-late", 1), ("in-time", -1))
    )
    answer = client.post(f"{API}/station/handovers", json={"events": [too_late, in_time]}, headers=keeper).json
    assert [one["reason"] for one in answer["outcomes"]] == ["pass_expired", None]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"events": []},
        {"events": {"client_id": "a"}},
        {"events": [event("a", "1")], "point": "\x00"},
        {"events": [event("a", "1")], "more": 1},
        {"events": [event(str(number), "1") for number in range(501)]},
    ],
    ids=lambda body: str(body)[:40],
)
def test_a_batch_of_the_wrong_shape_is_refused_as_a_whole(client: FlaskClient, keeper: dict[str, str], body: dict[str, Any]) -> None:
    assert client.post(f"{API}/station/handovers", json=body, headers=keeper).status_code == 422
    assert scans() == []


@pytest.mark.parametrize(
    ("bad", "client_id"),
    [
        ({"device_time": "0001-01-01T00:00:00+08:00"}, "bad"),
        ({"device_time": "9999-12-31T23:59:59-14:00"}, "bad"),
        ({"device_time": "1999-12-31T23:59:59Z"}, "bad"),
        ({"device_time": "2026-01-01T00:00:00"}, "bad"),
        ({"device_time": "soon"}, "bad"),
        ({"device_time": None}, "bad"),
        ({"device_time": 10**25}, "bad"),
        ({"pass": "\x00"}, "bad"),
        ({"pass": ["1"]}, "bad"),
        ({"lines": ["\x00"]}, "bad"),
        ({"lines": {"a": 1}}, "bad"),
        ({"more": 1}, "bad"),
        ({"client_id": ""}, ""),
        ({"client_id": "a b"}, "a b"),
        ({"client_id": 7}, ""),
        ({"client_id": "\x00"}, ""),
        ({"client_id": "a" * 81}, ""),
        (None, ""),
        ("event", ""),
        ([], ""),
    ],
)
def test_one_bad_event_is_its_own_refusal_and_those_after_it_are_kept(
    client: FlaskClient, counter: Counter, keeper: dict[str, str], bad: Any, client_id: str
) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    poison = event("bad", visit.code) | bad if isinstance(bad, dict) else bad
    body = {"events": [event("before", "000000"), poison, event("after", visit.code)]}
    answer = client.post(f"{API}/station/handovers", json=body, headers=keeper)
    assert answer.status_code == 200, answer.text
    assert [(one["client_id"], one["outcome"], one["reason"]) for one in answer.json["outcomes"]] == [
        ("before", "refused", "unknown_pass"), (client_id, "refused", "not_understood"), ("after", "accepted", None),
    ]  # fmt: skip
    assert answer.json["outcomes"][1]["message"].startswith("The device told us something")
    assert len(scans()) == 2


def test_a_device_takes_a_hand_over_back_once(app: Flask, client: FlaskClient, counter: Counter, keeper: dict[str, str]) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    client.post(f"{API}/station/handovers", json={"events": [event("a", visit.code)]}, headers=keeper)
    told = {"client_id": "a", "reason": "the wrong neighbour"}
    answers = [client.post(f"{API}/station/take-backs", json=told, headers=keeper).json for _ in range(2)]
    assert answers == [{"client_id": "a", "orders": 1}, {"client_id": "a", "orders": 0}]
    assert scans() == [("accepted", "taken_back")]
    assert client.post(f"{API}/station/take-backs", json={"client_id": "a", "reason": " "}, headers=keeper).status_code == 422
    assert client.post(f"{API}/station/take-backs", json={**told, "client_id": "b"}, headers=keeper).status_code == 404
    again = client.post(f"{API}/station/handovers", json={"events": [event("c", visit.code)]}, headers=keeper).json
    assert again["outcomes"][0]["outcome"] == "accepted"
    clock.move(rules.TAKE_BACK_FOR)
    late = client.post(f"{API}/station/take-backs", json={**told, "client_id": "c"}, headers=keeper)
    assert (late.status_code, late.json["code"]) == (409, "too_late_to_take_back")


def batch_of(part: SubOrder) -> str:
    found = queries.deliveries(reading(), Cycle.id == part.cycle_id)
    return found[0].code


ARRIVALS = f"{API}/station/batches/arrivals"


def test_a_device_tells_that_a_batch_is_here(app: Flask, client: FlaskClient, counter: Counter, keeper: dict[str, str]) -> None:
    buyer = counter.buyer()
    here, late = counter.packed(buyer, {"rice": 1})[0], counter.packed(counter.buyer(), {"rice": 1})[0]
    code = batch_of(here)
    answer = client.post(ARRIVALS, json={"batches": [code], "missing": [late.number]}, headers=keeper).json
    assert (answer["ready"], answer["people"], answer["missing"]) == (1, 1, 1)
    assert [(batch["code"], batch["state"]) for batch in answer["batches"]] == [(code, "arrived")]
    assert (state_of(here), state_of(late)) == (SubOrderState.READY, SubOrderState.PACKED)
    assert client.get(f"{API}/passes", headers=bearer(app, buyer)).json["code"] == counter.pass_of(buyer).code
    again = client.post(ARRIVALS, json={"batches": [code]}, headers=keeper).json
    assert (again["ready"], again["people"], again["missing"], again["batches"]) == (1, 1, 0, answer["batches"])
    assert client.post(ARRIVALS, json={"batches": [code]}, headers=keeper).json["ready"] == 0
    assert (state_of(here), state_of(late)) == (SubOrderState.READY, SubOrderState.READY)


def test_batches_that_come_together_are_told_to_each_resident_once(
    client: FlaskClient, counter: Counter, keeper: dict[str, str]
) -> None:  # fmt: skip
    parts = counter.packed(counter.buyer(), {"rice": 1, "oil": 1})
    answer = client.post(ARRIVALS, json={"batches": [batch_of(part) for part in parts]}, headers=keeper).json
    assert (answer["ready"], answer["people"], len(answer["batches"])) == (2, 1, 2)
    told = reading().scalars(sa.select(Job.kind).where(Job.kind == "fulfilment.tell_arrived")).all()
    assert len(told) == 1


def test_an_arrival_told_under_one_key_is_one_arrival(client: FlaskClient, counter: Counter, keeper: dict[str, str]) -> None:
    (part,) = counter.packed(counter.buyer(), {"rice": 1})
    headers = {**keeper, "Idempotency-Key": "arrival-1"}
    first, second = (client.post(ARRIVALS, json={"batches": [batch_of(part)]}, headers=headers) for _ in range(2))
    assert first.json == second.json
    assert second.headers["Idempotent-Replayed"] == "true"
    assert first.json["ready"] == 1


def test_a_missing_number_of_another_batch_changes_nothing(client: FlaskClient, counter: Counter, keeper: dict[str, str]) -> None:
    (part,) = counter.packed(counter.buyer(), {"rice": 1})
    (other,) = counter.packed(counter.buyer(), {"oil": 1})
    answer = client.post(ARRIVALS, json={"batches": [batch_of(part)], "missing": [other.number]}, headers=keeper)
    assert (answer.status_code, answer.json["code"]) == (422, "not_in_batch")
    assert {state_of(part), state_of(other)} == {SubOrderState.PACKED}


def test_one_batch_of_which_nothing_is_packed_holds_up_the_others(client: FlaskClient, counter: Counter, keeper: dict[str, str]) -> None:
    (packed,) = counter.packed(counter.buyer(), {"rice": 1})
    (part,) = counter.ordered(counter.buyer(), {"oil": 1})
    answer = client.post(ARRIVALS, json={"batches": [batch_of(packed), batch_of(part)]}, headers=keeper)
    assert (answer.status_code, answer.json["code"]) == (409, "nothing_arrived")
    assert (state_of(packed), state_of(part)) == (SubOrderState.PACKED, SubOrderState.PLACED)


def test_batches_of_other_points_and_none_are_not_found(app: Flask, client: FlaskClient, counter: Counter, make: Factories) -> None:
    (part,) = counter.packed(counter.buyer(), {"rice": 1})
    code = batch_of(part)
    stranger = bearer(app, counter.new_keeper(make.point())[0], second_factor=True)
    keeper = bearer(app, counter.keeper_user, second_factor=True)
    assert client.post(ARRIVALS, json={"batches": [code]}, headers=stranger).status_code == 404
    for wrong in ("T000000" + code[7:], "T260101-9999"):
        assert client.post(ARRIVALS, json={"batches": [code, wrong]}, headers=keeper).status_code == 404, wrong
    for shape in ({"batches": []}, {"batches": ["nonsense"]}, {"batches": [code], "more": 1}, {}):
        assert client.post(ARRIVALS, json=shape, headers=keeper).status_code == 422, shape
    assert state_of(part) is SubOrderState.PACKED


def test_other_points_are_not_found(app: Flask, client: FlaskClient, counter: Counter, make: Factories) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    stranger = bearer(app, counter.new_keeper(make.point())[0], second_factor=True)
    assert client.get(f"{API}/station/expected?point={counter.point.slug}", headers=stranger).status_code == 404
    named = {"events": [event("a", visit.code)], "point": counter.point.slug}
    assert client.post(f"{API}/station/handovers", json=named, headers=stranger).status_code == 404
    unnamed = {"events": [event("a", codes.qr_text(visit.ref, visit.valid_until, clock.now()))]}
    outcome = client.post(f"{API}/station/handovers", json=unnamed, headers=stranger).json["outcomes"][0]
    assert (outcome["outcome"], outcome["reason"]) == ("refused", "wrong_point")


def test_guesses_through_the_api_are_capped_and_not_lost(
    client: FlaskClient, counter: Counter, keeper: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "GUESSES_PER_HOUR", 20)
    events = {"events": [event(f"guess-{number}", f"{number:06d}", lines=["L260608-22222222-1"]) for number in range(22)]}
    outcomes = client.post(f"{API}/station/handovers", json=events, headers=keeper).json["outcomes"]
    assert [one["reason"] for one in outcomes] == ["unknown_pass"] * 20 + ["too_many_attempts"] * 2
    assert {one["not_handed"][0]["reason"] for one in outcomes} == {"unknown_pass", "too_many_attempts"}
    assert len(scans()) == 20


def test_a_right_code_after_twenty_wrong_ones_is_handed_over(client: FlaskClient, counter: Counter, keeper: dict[str, str]) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    wrong = [event(f"guess-{number}", f"{number:06d}") for number in range(30) if f"{number:06d}" != visit.code]
    events = {"events": [*wrong, event("right", visit.code)]}
    outcomes = client.post(f"{API}/station/handovers", json=events, headers=keeper).json["outcomes"]
    assert (outcomes[-2]["outcome"], outcomes[-1]["outcome"]) == ("refused", "accepted")


def test_a_batch_says_of_each_event_what_left_and_what_did_not(client: FlaskClient, counter: Counter, keeper: dict[str, str]) -> None:
    rice, oil = counter.packed(buyer := counter.buyer(), {"rice": 1, "oil": 1})
    counter.receive([rice, oil])
    code = counter.pass_of(buyer).code
    both = [rice.number, oil.number]
    events = [
        event("a", code, lines=[rice.number]), event("a", code, lines=both), event("whole", code, lines=both, only_whole=True),
        event("left", code, lines=both),
    ]  # fmt: skip
    outcomes = client.post(f"{API}/station/handovers", json={"events": events}, headers=keeper).json["outcomes"]
    assert [(one["outcome"], one["reason"], one["handed"]) for one in outcomes] == [
        ("accepted", None, [rice.number]), ("conflict", "different_event", []), ("conflict", "already_handed_over", []),
        ("conflict", "already_handed_over", [oil.number]),
    ]  # fmt: skip
    stayed = [{stay["number"]: stay["reason"] for stay in one["not_handed"]} for one in outcomes]
    assert stayed == [
        {}, dict.fromkeys(both, "different_event"), {rice.number: "already_handed_over", oil.number: "with_others"},
        {rice.number: "already_handed_over"},
    ]  # fmt: skip
    assert outcomes[3]["not_handed"][0]["message"].startswith("This was handed over before.")
    assert client.post(f"{API}/station/handovers", json={"events": events[1:]}, headers=keeper).json["outcomes"] == outcomes[1:]
    back = {"client_id": "left", "reason": "the wrong neighbour", "lines": [oil.number]}
    assert client.post(f"{API}/station/take-backs", json=back, headers=keeper).json == {"client_id": "left", "orders": 1}
    assert (state_of(rice), state_of(oil)) == (SubOrderState.COLLECTED, SubOrderState.READY)
    wrong = client.post(f"{API}/station/take-backs", json={**back, "lines": [rice.number]}, headers=keeper)
    assert (wrong.status_code, wrong.json["code"]) == (409, "nothing_to_take_back")


def test_a_merchant_weighs_and_packs(client: FlaskClient, counter: Counter, clerk: dict[str, str]) -> None:
    (part,) = counter.ordered(counter.buyer(), {"fish": 2})
    (order,) = client.get(f"{API}/merchant/orders?state=placed", headers=clerk).json["items"]
    assert (order["number"], order["lines"][0]["nominal_grams"]) == (part.number, 1_000)
    weights = {str(order["lines"][0]["line"]): 870}
    packed = client.post(f"{API}/merchant/orders/{part.number}/pack", json={"weights": weights}, headers=clerk).json
    assert (packed["state"], packed["refunded_minor"]) == ("packed", 390)
    again = client.post(f"{API}/merchant/orders/{part.number}/pack", json={"weights": weights}, headers=clerk).json
    assert again["refunded_minor"] == 0
    read = client.get(f"{API}/merchant/orders/{part.number}", headers=clerk).json
    assert (read["lines"][0]["final_grams"], read["lines"][0]["final_total_minor"], read["refunded_minor"]) == (870, 2_610, 390)


def test_a_weight_far_off_is_a_problem_until_it_is_told_to_be_right(client: FlaskClient, counter: Counter, clerk: dict[str, str]) -> None:
    (part,) = counter.ordered(counter.buyer(), {"fish": 2})
    weights = {str(line): 5 for line in counter.weights(part)}
    place = f"{API}/merchant/orders/{part.number}/pack"
    answer = client.post(place, json={"weights": weights}, headers=clerk)
    assert (answer.status_code, answer.json["code"]) == (409, "weight_far_off")
    assert state_of(part) is SubOrderState.PLACED
    assert client.post(place, json={"weights": weights, "sure": {"x": 1}}, headers=clerk).status_code == 404
    assert client.post(place, json={"weights": weights, "sure": weights}, headers=clerk).json["refunded_minor"] == 2_985


def test_lines_without_weight_are_named_as_the_reason(client: FlaskClient, counter: Counter, clerk: dict[str, str]) -> None:
    (part,) = counter.ordered(counter.buyer(), {"fish": 2})
    answer = client.post(f"{API}/merchant/orders/{part.number}/pack", json={"weights": {}}, headers=clerk)
    assert (answer.status_code, answer.json["code"]) == (409, "lines_not_weighed")


def test_a_merchant_reads_and_counts_their_stock(client: FlaskClient, counter: Counter, clerk: dict[str, str]) -> None:
    items = client.get(f"{API}/merchant/stock", headers=clerk).json["items"]
    assert [(item["code"], item["available"]) for item in items] == [("fish", 100), ("rice", 100)]
    moved = {"kind": "received", "quantity": 7, "client_id": "delivery-note-1"}
    for _ in range(2):
        assert client.post(f"{API}/merchant/stock/rice/movements", json=moved, headers=clerk).json["on_hand"] == 107


def test_lists_go_on_where_they_stopped(client: FlaskClient, counter: Counter, clerk: dict[str, str]) -> None:
    buyer = counter.buyer()
    numbers = [counter.ordered(buyer, {"rice": 1})[0].number for _ in range(3)]
    seen, cursor = [], ""
    for _ in range(3):
        body = client.get(f"{API}/merchant/orders?limit=1{cursor}", headers=clerk).json
        seen += [item["number"] for item in body["items"]]
        cursor = f"&cursor={body['next_cursor']}"
    assert seen == numbers[::-1]
    assert body["next_cursor"] is None


def test_the_statement_of_a_merchant_is_for_its_owner(
    client: FlaskClient, counter: Counter, clerk: dict[str, str], owner: dict[str, str]
) -> None:
    counter.hand_over(counter.ready(counter.buyer(), {"rice": 1}).code)
    assert client.get(f"{API}/merchant/statements", headers=clerk).status_code == 403
    body = client.get(f"{API}/merchant/statements", headers=owner).json
    assert (body["payable_minor"], body["in_escrow_minor"], body["items"][0]["net_minor"]) == (1_940, 0, 1_940)


def test_other_merchants_things_are_not_found(
    client: FlaskClient, counter: Counter, clerk: dict[str, str], owner: dict[str, str]
) -> None:
    (part,) = counter.ordered(counter.buyer(), {"oil": 1})
    other = counter.merchants[1].code
    assert client.get(f"{API}/merchant/orders/{part.number}", headers=clerk).status_code == 404
    assert client.post(f"{API}/merchant/orders/{part.number}/pack", json={"weights": {}}, headers=clerk).status_code == 404
    for resource in ("orders", "stock", "statements"):
        assert client.get(f"{API}/merchant/{resource}?merchant={other}", headers=owner).status_code == 404
    moved = {"kind": "received", "quantity": 7}
    assert client.post(f"{API}/merchant/stock/oil/movements", json=moved, headers=clerk).status_code == 404
    assert client.get(f"{API}/merchant/orders", headers=clerk).json["items"] == []
    assert state_of(part) is SubOrderState.PLACED


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/station/expected"), ("POST", "/station/handovers"), ("POST", "/station/batches/arrivals"),
        ("POST", "/station/take-backs"), ("GET", "/merchant/orders"), ("GET", "/merchant/stock"),
        ("GET", "/merchant/statements"),
    ],
)  # fmt: skip
def test_residents_do_not_get_in(app: Flask, client: FlaskClient, counter: Counter, method: str, path: str) -> None:
    assert client.open(f"{API}{path}", method=method).status_code == 401
    assert client.open(f"{API}{path}", method=method, headers=bearer(app, counter.buyer(), second_factor=True)).status_code == 403
    staff = counter.keeper_user if path.startswith("/station") else counter.clerk_users[0]
    assert client.open(f"{API}{path}", method=method, headers=bearer(app, staff)).status_code == 403
