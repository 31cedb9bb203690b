"""Reviews by the API: said, changed, taken back, added to, answered, reported, decided."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from shop.kernel.db import reading
from shop.models.accounts import Role
from shop.models.reviews import Review, ReviewReport
from tests.support.factories import Factories
from tests.support.people import bearer
from tests.support.reviews import Reviewing, review_of
from tests.support.shopping import count


@pytest.fixture
def shop(app: Flask, make: Factories) -> Reviewing:
    return Reviewing(make)


def test_said_changed_and_taken_back(app: Flask, client: FlaskClient, shop: Reviewing) -> None:
    buyer = shop.buyer(display_name="张三丰")
    line_id, headers = shop.collected(buyer), bearer(app, buyer)
    place = f"/api/v1/reviews/lines/{line_id}"
    waiting = client.get("/api/v1/reviews/to-write", headers=headers).get_json()
    assert [one["line"] for one in waiting["items"]] == [line_id]
    put = client.put(place, headers=headers, json={"stars": 5, "text": "很新鲜"}).get_json()
    assert (put["stars"], put["text"], put["writer"], put["state"], put["line"]) == (5, "很新鲜", "张**", "shown", line_id)
    assert client.put(place, headers=headers, json={"stars": 5, "text": "很新鲜"}).get_json() == put, "again is the same"
    changed = client.put(place, headers=headers, json={"stars": 3, "text": "还行", "anonymous": True}).get_json()
    assert (changed["stars"], changed["writer"]) == (3, None)
    shown = client.get("/api/v1/products/rice/reviews").get_json()
    assert shown["rating"] == {"reviews": 1, "mean_tenths": 38, "by_stars": [0, 0, 1, 0, 0]}
    assert [one["text"] for one in shown["items"]] == ["还行"]
    for _ in range(2):
        assert client.delete(place, headers=headers).get_json()["state"] == "taken_back"
    assert client.get("/api/v1/products/rice/reviews").get_json()["items"] == []
    assert [one["state"] for one in client.get("/api/v1/reviews/mine", headers=headers).get_json()["items"]] == ["taken_back"]


def test_once_by_key(app: Flask, client: FlaskClient, shop: Reviewing) -> None:
    buyer = shop.buyer()
    line_id = shop.collected(buyer)
    headers = {**bearer(app, buyer), "Idempotency-Key": "review-1"}
    first = client.put(f"/api/v1/reviews/lines/{line_id}", headers=headers, json={"stars": 5})
    again = client.put(f"/api/v1/reviews/lines/{line_id}", headers=headers, json={"stars": 5})
    assert (first.status_code, again.status_code, again.headers["Idempotent-Replayed"], count(Review)) == (200, 200, "true", 1)


@pytest.mark.parametrize(
    "body",
    [{}, {"stars": 0}, {"stars": 6}, {"stars": "5"}, {"stars": True}, {"stars": 5, "text": "x" * 1_001}, {"stars": 5, "text": "\x00"},
     {"stars": 5, "anonymous": 1}, {"stars": 5, "more": 1}],
)  # fmt: skip
def test_what_is_wrong_is_refused_and_nothing_is_kept(app: Flask, client: FlaskClient, shop: Reviewing, body: dict[str, Any]) -> None:
    buyer = shop.buyer()
    line_id = shop.collected(buyer)
    assert client.put(f"/api/v1/reviews/lines/{line_id}", headers=bearer(app, buyer), json=body).status_code == 422
    assert count(Review) == 0


def test_strangers_and_what_is_anothers(app: Flask, client: FlaskClient, shop: Reviewing) -> None:
    line_id = shop.collected(shop.buyer())
    other = bearer(app, shop.buyer())
    place = f"/api/v1/reviews/lines/{line_id}"
    assert client.put(place, json={"stars": 5}).status_code == 401
    assert client.put(place, headers=other, json={"stars": 5}).status_code == 404
    assert client.delete(place, headers=other).status_code == 404
    assert client.put(f"{place}/follow-up", headers=other, json={"text": "x"}).status_code == 404
    assert client.post("/api/v1/reviews/987654/reports", headers=other, json={"kind": "other"}).status_code == 404
    assert client.get("/api/v1/products/nothing/reviews").status_code == 404
    assert (count(Review), count(ReviewReport)) == (0, 0)


def test_added_answered_reported_and_decided(app: Flask, client: FlaskClient, make: Factories, shop: Reviewing) -> None:
    buyer, operator = shop.buyer(), make.user()
    make.grant(operator, Role.OPERATOR)
    line_id = shop.said(buyer, 1, "加我微信")
    review_id = review_of(line_id).id
    added = client.put(f"/api/v1/reviews/lines/{line_id}/follow-up", headers=bearer(app, buyer), json={"text": "又坏了"}).get_json()
    assert added["follow_up"] == "又坏了"
    clerk = bearer(app, shop.clerk_users[0], second_factor=True)
    listed = client.get("/api/v1/merchant/reviews?unanswered=true", headers=clerk).get_json()
    assert [one["id"] for one in listed["items"]] == [review_id]
    answered = client.put(f"/api/v1/merchant/reviews/{review_id}/answer", headers=clerk, json={"text": "抱歉"}).get_json()
    assert answered["answer"] == "抱歉"
    assert client.get("/api/v1/merchant/reviews?unanswered=true", headers=clerk).get_json()["items"] == []
    report = client.post(f"/api/v1/reviews/{review_id}/reports", headers=bearer(app, shop.buyer()), json={"kind": "advert"})
    assert report.status_code == 204
    desk, place = bearer(app, operator, second_factor=True), f"/api/v1/operations/reviews/{review_id}/decision"
    assert client.post(place, headers=desk, json={"decision": "hide"}).status_code == 422
    assert client.post(place, headers=desk, json={"decision": "hide", "reason": "广告"}).get_json()["state"] == "hidden"
    assert client.post(place, headers=desk, json={"decision": "hide", "reason": "广告"}).status_code == 409
    assert client.post(place, headers=desk, json={"decision": "show_again"}).get_json()["state"] == "shown"
    assert client.post(place, headers=desk, json={"decision": "keep"}).status_code == 409
    reading().rollback()
    assert reading().scalar(sa.select(sa.func.count()).select_from(ReviewReport).where(ReviewReport.decided_at.is_(None))) == 0


def test_lists_go_on_by_their_cursor(app: Flask, client: FlaskClient, shop: Reviewing) -> None:
    for stars in (5, 4, 1):
        shop.said(shop.buyer(), stars)
    first = client.get("/api/v1/products/rice/reviews?limit=2").get_json()
    second = client.get(f"/api/v1/products/rice/reviews?limit=2&cursor={first['next_cursor']}").get_json()
    assert [one["stars"] for one in (*first["items"], *second["items"])] == [1, 4, 5]
    assert second["next_cursor"] is None
    assert [one["stars"] for one in client.get("/api/v1/products/rice/reviews?stars=bad").get_json()["items"]] == [1]
    for wrong in ("cursor=wrong", "stars=x", "limit=101"):
        assert client.get(f"/api/v1/products/rice/reviews?{wrong}").status_code == 422
