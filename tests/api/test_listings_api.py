"""Goods by API: a new one, changed, put on sale, with pictures; repeated by key, refused to others, wrong fields named."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from shop.kernel import clock
from shop.kernel.db import finish_reading, reading
from shop.listings import jobs
from shop.models.accounts import Role, User
from shop.models.catalog import Product, Variant
from shop.models.listings import PictureUpload
from tests.support.factories import Factories
from tests.support.people import bearer
from tests.support.photos import SVG, photo

PATH = "/api/v1/merchant/products"
PLUM: dict[str, Any] = {
    "merchant": "coop", "name_zh": "青脆李", "category": "fruit", "origin_zh": "资中县", "price_minor": 580, "stock": 40,
}  # fmt: skip


@pytest.fixture
def owner(make: Factories) -> User:
    shop = make.merchant("coop", points=[make.point("here")])
    make.product(shop, code="eggs", category=make.category("fruit"))
    made = make.user()
    make.grant(made, Role.MERCHANT_OWNER, merchant=shop)
    return made


@pytest.fixture
def headers(app: Flask, owner: User) -> dict[str, str]:
    return bearer(app, owner, second_factor=True)


def count(of: type) -> int:
    finish_reading()
    return reading().scalar(sa.select(sa.func.count()).select_from(of)) or 0


def test_a_product_is_made_changed_and_put_on_sale(client: FlaskClient, headers: dict[str, str]) -> None:
    made = client.post(PATH, json=PLUM, headers={**headers, "Idempotency-Key": "one"})
    assert made.status_code == 201, made.get_json()
    assert client.post(PATH, json=PLUM, headers={**headers, "Idempotency-Key": "one"}).get_json() == made.get_json()
    draft = made.get_json()
    assert (draft["state"], count(Variant)) == ("draft", 2)
    assert [(one["unit_zh"], one["price_minor"], one["grams"]) for one in draft["sizes"]] == [("斤", 580, 500)]
    path = f"{PATH}/{draft['product']}"
    said = {key: PLUM[key] for key in ("category", "origin_zh")} | {"name_zh": "李子", "version": draft["version"]}
    changed = client.put(path, json=said, headers=headers)
    assert (changed.status_code, changed.get_json()["name_zh"]) == (200, "李子")
    assert client.put(path, json=said, headers=headers).status_code == 409, "somebody changed it since this version"
    assert client.post(f"{path}/publish", json={}, headers=headers).get_json()["state"] == "on_sale"
    listed = client.get(f"{PATH}?merchant=coop", headers=headers).get_json()
    assert [one["product"] for one in listed["items"]] == [draft["product"], "eggs"]


def test_a_draft_is_planned(client: FlaskClient, headers: dict[str, str]) -> None:
    path = f"{PATH}/{client.post(PATH, json=PLUM, headers=headers).get_json()['product']}/publish"
    moment = (clock.now() + timedelta(days=1)).replace(microsecond=0)
    planned = client.post(path, json={"at": moment.isoformat()}, headers=headers)
    assert planned.status_code == 200
    assert planned.get_json()["publish_at"] is not None
    past = client.post(path, json={"at": (moment - timedelta(days=2)).isoformat()}, headers=headers)
    assert past.status_code == 422


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"category": "stars"}, "category"), ({"name_zh": ""}, "name_zh"), ({"origin_zh": " "}, "origin_zh"),
        ({"price_minor": 0}, "price_minor"), ({"season_from": 3}, "season_to"), ({"unit_zh": "箱"}, "grams"),
        ({"minimum": 3, "multiple": 2}, "minimum"), ({"stock": -1}, "stock"), ({"allergens": ["stone"]}, "allergens"),
    ],
)  # fmt: skip
def test_each_wrong_field_is_named_and_nothing_is_kept(
    client: FlaskClient, headers: dict[str, str], changed: dict[str, Any], field: str
) -> None:
    answer = client.post(PATH, json={**PLUM, **changed}, headers=headers)
    assert answer.status_code == 422
    assert field in answer.get_data(as_text=True)
    assert count(Product) == 1


def test_a_picture_is_sent_made_and_taken_off(client: FlaskClient, headers: dict[str, str]) -> None:
    path = f"{PATH}/eggs/pictures"
    sent = client.post(path, json={"content": base64.b64encode(photo()).decode()}, headers=headers)
    assert (sent.status_code, sent.get_json()["waiting"]) == (202, 1)
    (upload_id,) = reading().scalars(sa.select(PictureUpload.id))
    finish_reading()
    jobs.make_picture(upload_id)
    (made,) = client.get(path, headers=headers).get_json()["items"]
    for _ in range(2):
        assert client.delete(f"{path}/{made['id']}", headers=headers).get_json()["items"] == []
    for content in (base64.b64encode(SVG).decode(), "a", ""):
        assert client.post(path, json={"content": content}, headers=headers).status_code == 422


def test_strangers_and_other_shops_reach_nothing(app: Flask, client: FlaskClient, make: Factories, headers: dict[str, str]) -> None:
    other = make.user()
    make.grant(other, Role.MERCHANT_OWNER, merchant=make.merchant("elsewhere"))
    theirs = bearer(app, other, second_factor=True)
    said = {"category": "fruit", "origin_zh": "x", "name_zh": "x", "version": ""}
    for asked, status in (({}, 401), (theirs, 404)):
        assert client.get(f"{PATH}?merchant=coop", headers=asked).status_code == status
        assert client.post(PATH, json=PLUM, headers=asked).status_code == status
        assert client.get(f"{PATH}/eggs", headers=asked).status_code == status
        assert client.put(f"{PATH}/eggs", json=said, headers=asked).status_code == status
        assert client.post(f"{PATH}/eggs/publish", json={}, headers=asked).status_code == status
        assert client.get(f"{PATH}/eggs/pictures", headers=asked).status_code == status
        assert client.post(f"{PATH}/eggs/pictures", json={"content": ""}, headers=asked).status_code == status
        assert client.delete(f"{PATH}/eggs/pictures/1", headers=asked).status_code == status
    assert client.get(f"{PATH}/nothing", headers=headers).status_code == 404
    assert count(Product) == 1
