"""Favourites by the API."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from shop.kernel.db import reading
from shop.models.accounts import User
from shop.models.favourites import Favourite
from shop.models.pickup import PickupPoint
from tests.support.factories import Factories
from tests.support.people import bearer


@pytest.fixture
def point(make: Factories) -> PickupPoint:
    return make.point("here")


@pytest.fixture
def reader(make: Factories, point: PickupPoint) -> User:
    merchant = make.merchant("coop", points=[point])
    for code in ("orange", "pear", "rice"):
        make.product(merchant, code=code)
    return make.user(point=point)


def count() -> int:
    reading().rollback()
    return reading().scalar(sa.select(sa.func.count()).select_from(Favourite)) or 0


def test_put_get_and_delete_say_how_it_stands(app: Flask, client: FlaskClient, reader: User) -> None:
    headers = bearer(app, reader)
    assert client.get("/api/v1/favourites/orange", headers=headers).get_json() == {"product": "orange", "favourite": False, "since": None}
    put = client.put("/api/v1/favourites/orange", headers=headers).get_json()
    assert put["favourite"] is True
    assert client.put("/api/v1/favourites/orange", headers=headers).get_json() == put, "again is the same"
    assert client.get("/api/v1/favourites/orange", headers=headers).get_json() == put
    for _ in range(2):
        assert client.delete("/api/v1/favourites/orange", headers=headers).get_json()["favourite"] is False


def test_a_repeated_key_is_answered_as_before_and_done_once(app: Flask, client: FlaskClient, reader: User) -> None:
    headers = bearer(app, reader) | {"Idempotency-Key": "one-press"}
    first = client.put("/api/v1/favourites/orange", headers=headers)
    client.delete("/api/v1/favourites/orange", headers=bearer(app, reader))
    again = client.put("/api/v1/favourites/orange", headers=headers)
    assert again.get_json() == first.get_json()
    assert again.headers["Idempotent-Replayed"] == "true"
    now = client.get("/api/v1/favourites/orange", headers=bearer(app, reader)).get_json()
    assert now["favourite"] is False, "it was not done a second time"


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_what_is_not_there_is_404_and_strangers_are_401(app: Flask, client: FlaskClient, reader: User, method: str) -> None:
    assert getattr(client, method)("/api/v1/favourites/nothing", headers=bearer(app, reader)).status_code == 404
    assert getattr(client, method)("/api/v1/favourites/orange").status_code == 401
    assert count() == 0


def test_the_list_is_read_page_by_page_and_is_ones_own(app: Flask, client: FlaskClient, reader: User, make: Factories) -> None:
    headers = bearer(app, reader)
    for product in ("orange", "pear", "rice"):
        client.put(f"/api/v1/favourites/{product}", headers=headers)
    first = client.get("/api/v1/favourites?limit=2", headers=headers).get_json()
    assert [item["product"] for item in first["items"]] == ["rice", "pear"]
    assert first["items"][0]["available"] == 100
    assert first["items"][0]["arrives_at_my_point"] is True
    second = client.get(f"/api/v1/favourites?limit=2&cursor={first['next_cursor']}", headers=headers).get_json()
    assert [item["product"] for item in second["items"]] == ["orange"]
    assert second["next_cursor"] is None
    assert client.get("/api/v1/favourites", headers=bearer(app, make.user())).get_json() == {"items": [], "next_cursor": None}
    assert client.get("/api/v1/favourites?cursor=wrong", headers=headers).status_code == 422
