"""Applications by the API: one's own and no other's, and the queue for staff."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shop.models.accounts import Role
from tests.support.applying import applied, fill_in
from tests.support.factories import Factories
from tests.support.people import bearer

pytestmark = pytest.mark.one_engine


def test_ones_own_application_says_how_far_it_is(app: Flask, make: Factories, client: FlaskClient) -> None:
    user = fill_in(make)
    told = client.get("/api/v1/applications/mine", headers=bearer(app, user)).get_json()
    assert (told["state"], told["missing"], told["shop"]) == ("draft", [], None)
    assert [paper["kind"] for paper in told["papers"]] == ["business_licence", "identity"]
    assert "content" not in str(told)
    assert client.get("/api/v1/applications/mine", headers=bearer(app, make.user())).status_code == 404
    assert client.get("/api/v1/applications/mine").status_code == 401


def test_staff_read_the_queue_page_by_page(app: Flask, make: Factories, client: FlaskClient) -> None:
    ids = [applied(make).id for _ in range(3)]
    auditor = make.user()
    make.grant(auditor, Role.AUDITOR)
    headers = bearer(app, auditor, second_factor=True)
    first = client.get("/api/v1/operations/applications?limit=2", headers=headers).get_json()
    second = client.get(f"/api/v1/operations/applications?limit=2&cursor={first['next_cursor']}", headers=headers).get_json()
    assert [one["id"] for one in (*first["items"], *second["items"])] == ids
    assert second["next_cursor"] is None
    told = client.get(f"/api/v1/operations/applications/{ids[0]}", headers=headers).get_json()
    assert (told["id"], told["state"]) == (ids[0], "waiting")
    for wrong in ("?tab=mine", "?limit=0", "?cursor=x"):
        assert client.get(f"/api/v1/operations/applications{wrong}", headers=headers).status_code == 422


def test_a_draft_and_what_is_not_there_are_not_found(app: Flask, make: Factories, client: FlaskClient) -> None:
    fill_in(make)
    operator = make.user()
    make.grant(operator, Role.OPERATOR)
    headers = bearer(app, operator, second_factor=True)
    for application_id in (1, 99):
        assert client.get(f"/api/v1/operations/applications/{application_id}", headers=headers).status_code == 404
    somebody = bearer(app, make.user(), second_factor=True)
    assert client.get("/api/v1/operations/applications", headers=somebody).status_code == 403
