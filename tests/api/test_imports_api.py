"""Sheets of goods by API: brought, looked at, confirmed, decided about; repeated by key, and refused to others."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from shop.imports import jobs
from shop.kernel.db import finish_reading, reading
from shop.models.accounts import Role, User
from shop.models.imports import ProductImport
from tests.support.factories import Factories
from tests.support.people import bearer
from tests.support.sheets import as_csv

PATH = "/api/v1/merchant/imports"


@pytest.fixture
def owner(make: Factories) -> User:
    shop = make.merchant("coop", points=[make.point("here")])
    make.product(shop, code="eggs", price=2_000, on_hand=40)
    made = make.user()
    make.grant(made, Role.MERCHANT_OWNER, merchant=shop)
    return made


def sheet(content: bytes, **said: Any) -> dict[str, Any]:
    return {"merchant": "coop", "kind": "figures", "file_name": "x.csv", "content": base64.b64encode(content).decode(), **said}


def read() -> int:
    finish_reading()
    found = reading().scalars(sa.select(ProductImport.id)).one()
    jobs.check(found)
    return found


def test_a_sheet_is_brought_confirmed_and_applied(app: Flask, client: FlaskClient, owner: User) -> None:
    headers = bearer(app, owner, second_factor=True)
    body = sheet(as_csv([["eggs", "200", "38"]], ["code", "price", "stock"]))
    brought = client.post(PATH, json=body, headers={**headers, "Idempotency-Key": "one"})
    assert brought.status_code == 201
    again = client.post(PATH, json=body, headers={**headers, "Idempotency-Key": "one"})
    assert again.get_json() == brought.get_json(), "told again, it is the same sheet"
    ref, import_id = brought.get_json()["ref"], read()
    assert client.get(f"{PATH}/{ref}", headers=headers).get_json()["to_confirm"] == 1
    (one,) = client.get(f"{PATH}/{ref}/rows?which=asked", headers=headers).get_json()["items"]
    assert {change["column"]: change["after"] for change in one["changes"]} == {"price": 20_000, "stock": 38}
    assert client.post(f"{PATH}/{ref}/decide", json={"choice": "all"}, headers=headers).status_code == 409
    assert client.post(f"{PATH}/{ref}/sure", json={"rows": [one["row"]]}, headers=headers).get_json()["to_confirm"] == 0
    assert client.post(f"{PATH}/{ref}/decide", json={"choice": "all"}, headers=headers).get_json()["state"] == "applying"
    jobs.apply(import_id)
    assert client.get(f"{PATH}/{ref}", headers=headers).get_json()["rows_applied"] == 1
    assert [row["ref"] for row in client.get(PATH, headers=headers).get_json()["items"]] == [ref]
    assert client.post(f"{PATH}/{ref}/drop", headers=headers).status_code == 409


@pytest.mark.parametrize(
    ("changed", "status"),
    [({"content": "!"}, 422), ({"content": "YQ"}, 422), ({"content": ""}, 422), ({"kind": "x"}, 422), ({"merchant": "nobody"}, 404)],
)
def test_what_cannot_be_brought_is_refused(app: Flask, client: FlaskClient, owner: User, changed: dict[str, str], status: int) -> None:
    answer = client.post(PATH, json={**sheet(b"code,price\neggs,1\n"), **changed}, headers=bearer(app, owner, second_factor=True))
    assert answer.status_code == status
    finish_reading()
    assert reading().scalar(sa.select(sa.func.count()).select_from(ProductImport)) == 0


def test_a_sheet_of_another_shop_is_not_there(app: Flask, client: FlaskClient, owner: User, make: Factories) -> None:
    ref = client.post(PATH, json=sheet(b"code,price\neggs,20\n"), headers=bearer(app, owner, second_factor=True)).get_json()["ref"]
    stranger = make.user()
    make.grant(stranger, Role.MERCHANT_OWNER, merchant=make.merchant("mall"))
    headers = bearer(app, stranger, second_factor=True)
    assert client.get(f"{PATH}/{ref}", headers=headers).status_code == 404
    assert client.get(f"{PATH}?merchant=coop", headers=headers).status_code == 404
    assert client.post(f"{PATH}/{ref}/drop", headers=headers).status_code == 404
