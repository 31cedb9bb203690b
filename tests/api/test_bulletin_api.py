"""The bulletin by the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from shop.kernel import clock
from shop.kernel.columns import CITY
from shop.kernel.db import reading
from shop.models.accounts import Role, User
from shop.models.bulletin import BulletinVersion
from tests.support.bulletin import make_text
from tests.support.factories import Factories
from tests.support.people import bearer


@pytest.fixture
def operator(make: Factories) -> User:
    user = make.user()
    make.grant(user, Role.OPERATOR)
    return user


@pytest.fixture
def another(make: Factories) -> User:
    user = make.user()
    make.grant(user, Role.OPERATOR)
    return user


def body(**values: Any) -> dict[str, Any]:
    today = clock.today()
    return {
        "kind": "event", "title_zh": "义诊", "text_zh": "周六义诊。\n请空腹来。", "first_day": today.isoformat(),
        "last_day": (today + timedelta(days=2)).isoformat(), **values,
    }  # fmt: skip


def count() -> int:
    reading().rollback()
    return reading().scalar(sa.select(sa.func.count()).select_from(BulletinVersion)) or 0


def test_written_by_one_and_published_by_another_it_is_read_by_everybody(
    app: Flask, client: FlaskClient, operator: User, another: User
) -> None:
    made = client.post("/api/v1/bulletin/texts", json=body(), headers=bearer(app, operator, True))
    assert (made.status_code, made.get_json()["state"]) == (201, "waiting")
    path = f"/api/v1/bulletin/texts/{made.get_json()['version']}/publish"
    own = client.post(path, headers=bearer(app, operator, True))
    assert (own.status_code, own.get_json()["code"]) == (403, "own_deed")
    assert client.get("/api/v1/bulletin").get_json() == {"items": [], "next_cursor": None}
    assert client.post(path, headers=bearer(app, another, True)).get_json()["state"] == "published"
    again = client.post(path, headers=bearer(app, another, True))
    assert (again.status_code, again.get_json()["code"]) == (409, "not_waiting")
    (item,) = client.get("/api/v1/bulletin").get_json()["items"]
    one = client.get(f"/api/v1/bulletin/{item['id']}").get_json()
    assert one["text"] == "周六义诊。\n请空腹来。"
    assert (one["community"], one["readers"], one["corrected"]) == (None, 0, False)


def test_a_repeated_key_writes_once(app: Flask, client: FlaskClient, operator: User) -> None:
    headers = bearer(app, operator, True) | {"Idempotency-Key": "one-notice"}
    first = client.post("/api/v1/bulletin/texts", json=body(), headers=headers)
    again = client.post("/api/v1/bulletin/texts", json=body(), headers=headers)
    assert again.get_json() == first.get_json()
    assert count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"title_zh": ""}, {"title_zh": "长" * 61}, {"text_zh": "长" * 4_001}, {"kind": "nothing"}, {"first_day": "0001-01-01"},
        {"last_day": "2020-01-01"}, {"last_day": 7}, {"more": 1}, {"title_en": "Doctors"},
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_and_nothing_is_kept(app: Flask, client: FlaskClient, operator: User, wrong: dict[str, Any]) -> None:
    assert client.post("/api/v1/bulletin/texts", json=body(**wrong), headers=bearer(app, operator, True)).status_code == 422
    assert count() == 0


def test_a_resident_writes_nothing_and_what_is_not_there_is_404(app: Flask, client: FlaskClient, make: Factories, operator: User) -> None:
    assert client.post("/api/v1/bulletin/texts", json=body(), headers=bearer(app, make.user())).status_code == 403
    assert client.post("/api/v1/bulletin/texts", json=body()).status_code == 401
    headers = bearer(app, operator, True)
    assert client.post("/api/v1/bulletin/texts", json=body(corrects=987_654), headers=headers).status_code == 404
    assert client.post("/api/v1/bulletin/texts", json=body(community="nothing"), headers=headers).status_code == 404
    assert client.post("/api/v1/bulletin/texts/987654/publish", headers=headers).status_code == 404
    assert client.get("/api/v1/bulletin/987654").status_code == 404
    assert client.get("/api/v1/bulletin?community=nothing").status_code == 404
    assert count() == 0


def test_a_list_goes_on_by_its_cursor(client: FlaskClient, make: Factories, operator: User) -> None:
    notices = [make_text(make, CITY, operator, is_pinned=number == 0).notice_id for number in range(5)]
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = client.get(f"/api/v1/bulletin?limit=2{f'&cursor={cursor}' if cursor else ''}").get_json()
        seen += [item["id"] for item in answer["items"]]
        cursor = answer["next_cursor"]
    assert seen == [notices[0], *reversed(notices[1:])]
