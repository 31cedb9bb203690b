"""Signing in through the API, and the resource of the person who asks."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from shop.accounts import authenticator
from shop.kernel import clock
from shop.kernel.db import reading
from shop.models.accounts import Role, SignInCode, User, UserSession
from shop.models.platform import IdempotencyKey
from shop.platform import outbox
from tests.support.factories import Factories
from tests.support.gateways import RecordingSms
from tests.support.people import bearer

PHONE = "13812345678"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code_of(sms: RecordingSms, phone: str = PHONE) -> str:
    outbox.run_due()
    found = re.search(r"\d{6}", sms.texts_to(phone)[-1])
    assert found is not None
    return found[0]


def sign_in(client: FlaskClient, sms: RecordingSms, **more: Any) -> dict[str, Any]:
    assert client.post("/api/v1/auth/codes", json={"phone": PHONE}).status_code == 202
    answer = client.post("/api/v1/auth/tokens", json={"phone": PHONE, "code": code_of(sms), **more})
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.get_json()
    return tokens


def headers_of(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def test_a_program_signs_in_and_asks_who_it_is(client: FlaskClient, make: Factories, sms: RecordingSms) -> None:
    asked = client.post("/api/v1/auth/codes", json={"phone": "+86 138 1234 5678"})
    assert (asked.status_code, asked.get_json()) == (202, {"expires_in": 300, "resend_after": 60})
    answer = client.post("/api/v1/auth/tokens", json={"phone": PHONE, "code": code_of(sms)})
    tokens = answer.get_json()
    assert (answer.status_code, tokens["token_type"], tokens["expires_in"]) == (200, "Bearer", 7200)
    me = client.get("/api/v1/me", headers=headers_of(tokens)).get_json()
    assert me == {
        "phone": PHONE, "display_name": "138****5678", "verification_level": 0, "pickup_point": None, "locale": None, "roles": [],
        "second_factor": False,
    }  # fmt: skip


def test_the_api_reads_a_phone_number_as_pages_do(client: FlaskClient, make: Factories, sms: RecordingSms) -> None:
    pasted = "\u202d138\u20111234\u20115678\u202c"
    assert client.post("/api/v1/auth/codes", json={"phone": pasted}).status_code == 202
    code = code_of(sms)
    answer = client.post("/api/v1/auth/tokens", json={"phone": "86 138 1234 5678", "code": f"{code[:3]} {code[3:]}"})
    assert answer.status_code == 200
    assert client.post("/api/v1/auth/codes", json={"phone": 13812345678}).status_code == 422, "JSON stays strict"


def test_known_and_unknown_numbers_get_the_same_answer(client: FlaskClient, make: Factories) -> None:
    make.user(PHONE)
    known, unknown = (client.post("/api/v1/auth/codes", json={"phone": phone}) for phone in (PHONE, "13900000000"))
    assert (known.status_code, known.data) == (unknown.status_code, unknown.data)
    wrong = [client.post("/api/v1/auth/tokens", json={"phone": phone, "code": "000000"}) for phone in (PHONE, "13900000000")]
    assert (wrong[0].status_code, wrong[0].data) == (wrong[1].status_code, wrong[1].data) == (422, wrong[0].data)


def test_a_wrong_code_is_a_problem_with_its_field_and_opens_nothing(client: FlaskClient, make: Factories, sms: RecordingSms) -> None:
    client.post("/api/v1/auth/codes", json={"phone": PHONE})
    wrong = f"{(int(code_of(sms)) + 1) % 1_000_000:06d}"
    answer = client.post("/api/v1/auth/tokens", json={"phone": PHONE, "code": wrong})
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert (answer.get_json()["code"], answer.get_json()["field"]) == ("wrong_code", "code")
    assert reading().scalars(sa.select(UserSession)).all() == []


def test_a_second_code_within_a_minute_says_how_long_to_wait(client: FlaskClient, make: Factories) -> None:
    client.post("/api/v1/auth/codes", json={"phone": PHONE})
    answer = client.post("/api/v1/auth/codes", json={"phone": PHONE})
    assert (answer.status_code, answer.get_json()["code"]) == (429, "code_sent_recently")
    assert 58 <= answer.get_json()["seconds"] <= 60


def test_asking_again_with_the_same_key_is_one_code(client: FlaskClient, make: Factories) -> None:
    first, second = (client.post("/api/v1/auth/codes", json={"phone": PHONE}, headers={"Idempotency-Key": "once"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert reading().scalar(sa.select(sa.func.count()).select_from(SignInCode)) == 1


@pytest.mark.parametrize(
    "body",
    [{}, {"phone": 13812345678}, {"phone": None}, {"phone": "12345"}, {"phone": PHONE, "more": 1}, [], "x", {"phone": "1" * 41}],
)
def test_bodies_of_the_wrong_shape_are_refused_and_nothing_is_sent(client: FlaskClient, make: Factories, body: Any) -> None:
    answer = client.post("/api/v1/auth/codes", json=body)
    assert answer.status_code == 422
    assert answer.get_json()["errors"]
    assert reading().scalars(sa.select(SignInCode)).all() == []


def test_tokens_are_never_kept_for_repeats(client: FlaskClient, make: Factories, sms: RecordingSms) -> None:
    client.post("/api/v1/auth/codes", json={"phone": PHONE})
    body = {"phone": PHONE, "code": code_of(sms)}
    first, second = (client.post("/api/v1/auth/tokens", json=body, headers={"Idempotency-Key": "once"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 422)
    assert reading().scalars(sa.select(IdempotencyKey)).all() == []


def test_refreshing_turns_tokens_over_and_a_reused_one_ends_the_sign_in(client: FlaskClient, make: Factories, sms: RecordingSms) -> None:
    tokens = sign_in(client, sms)
    renewed = client.post("/api/v1/auth/tokens/refresh", json={"refresh_token": tokens["refresh_token"]}).get_json()
    assert client.get("/api/v1/me", headers=headers_of(tokens)).status_code == 401
    assert client.get("/api/v1/me", headers=headers_of(renewed)).status_code == 200
    reused = client.post("/api/v1/auth/tokens/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert (reused.status_code, reused.get_json()["code"]) == (401, "refresh_refused")
    assert client.get("/api/v1/me", headers=headers_of(renewed)).status_code == 401


def test_an_access_token_ends_after_two_hours(client: FlaskClient, make: Factories, sms: RecordingSms) -> None:
    tokens = sign_in(client, sms)
    clock.move(timedelta(hours=2, seconds=1))
    assert client.get("/api/v1/me", headers=headers_of(tokens)).status_code == 401
    answer = client.post("/api/v1/auth/tokens/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert client.get("/api/v1/me", headers=headers_of(answer.get_json())).status_code == 200


@pytest.mark.parametrize(("query", "here"), [("", 200), ("?this_one_too=true", 401)])
def test_signing_out_everywhere(client: FlaskClient, make: Factories, sms: RecordingSms, query: str, here: int) -> None:
    first = sign_in(client, sms)
    clock.move(timedelta(minutes=2))
    mine = sign_in(client, sms)
    assert client.delete(f"/api/v1/auth/sessions{query}", headers=headers_of(mine)).status_code == 204
    assert client.get("/api/v1/me", headers=headers_of(first)).status_code == 401
    assert client.post("/api/v1/auth/tokens/refresh", json={"refresh_token": first["refresh_token"]}).status_code == 401
    assert client.get("/api/v1/me", headers=headers_of(mine)).status_code == here


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/me"), ("GET", "/api/v1/products"), ("POST", "/api/v1/auth/codes"),
        ("GET", "/api/v1/nothing"), ("POST", "/webhooks/stripe"), ("GET", "/api/v1/categories"),
    ],
)  # fmt: skip
def test_no_answer_of_the_api_is_kept_on_the_way(client: FlaskClient, make: Factories, method: str, path: str) -> None:
    assert client.open(path, method=method).headers["Cache-Control"] == "no-store"


def test_signing_out_ends_both_tokens(client: FlaskClient, make: Factories, sms: RecordingSms) -> None:
    tokens = sign_in(client, sms)
    assert client.delete("/api/v1/auth/tokens", headers=headers_of(tokens)).status_code == 204
    assert client.get("/api/v1/me", headers=headers_of(tokens)).status_code == 401
    assert client.post("/api/v1/auth/tokens/refresh", json={"refresh_token": tokens["refresh_token"]}).status_code == 401


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer x", "Basic eDp5", "Bearer " + "a" * 5_000, "bearer ☃".encode().decode("latin-1")]
)
def test_nonsense_opens_nothing(client: FlaskClient, make: Factories, header: str) -> None:
    answer = client.get("/api/v1/me", headers={"Authorization": header})
    assert (answer.status_code, answer.get_json()["code"]) == (401, "sign_in_required")


def test_staff_confirm_their_authenticator_while_signing_in(client: FlaskClient, make: Factories, sms: RecordingSms) -> None:
    user = make.user(PHONE, totp_secret=SECRET)
    point = make.point("tianchenghu")
    merchant = make.merchant("fruit-hall")
    make.grant(user, Role.KEEPER, point=point)
    make.grant(user, Role.MERCHANT_CLERK, merchant=merchant)
    tokens = sign_in(client, sms, totp=authenticator.code_at(SECRET, authenticator.step_at(clock.now())))
    me = client.get("/api/v1/me", headers=headers_of(tokens)).get_json()
    assert me["second_factor"] is True
    assert me["roles"] == [
        {"role": "keeper", "merchant": None, "pickup_point": "tianchenghu"},
        {"role": "merchant_clerk", "merchant": "fruit-hall", "pickup_point": None},
    ]


def test_a_wrong_authenticator_code_opens_nothing(client: FlaskClient, make: Factories, sms: RecordingSms) -> None:
    make.grant(make.user(PHONE, totp_secret=SECRET), Role.OPERATOR)
    client.post("/api/v1/auth/codes", json={"phone": PHONE})
    wrong = authenticator.code_at(SECRET, authenticator.step_at(clock.now()) + 9)
    answer = client.post("/api/v1/auth/tokens", json={"phone": PHONE, "code": code_of(sms), "totp": wrong})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "wrong_second_factor")
    assert reading().scalars(sa.select(UserSession)).all() == []


def test_a_step_up_code_goes_to_the_own_number(client: FlaskClient, app: Flask, make: Factories, sms: RecordingSms) -> None:
    answer = client.post("/api/v1/auth/step-up-codes", headers=bearer(app, make.user(PHONE)))
    assert answer.status_code == 202
    outbox.run_due()
    assert "confirm a payment" in sms.texts_to(PHONE)[0]


def test_I_choose_my_point(client: FlaskClient, app: Flask, make: Factories) -> None:  # noqa: N802
    point, user = make.point("tianchenghu"), make.user()
    headers = bearer(app, user)
    answer = client.put("/api/v1/me/pickup-point", json={"pickup_point": "tianchenghu"}, headers=headers)
    assert (answer.status_code, answer.get_json()) == (200, {"pickup_point": "tianchenghu"})
    assert reading().get_one(User, user.id).pickup_point_id == point.id
    assert client.get("/api/v1/me", headers=headers).get_json()["pickup_point"] == "tianchenghu"


def test_a_point_that_is_not_there_or_closed_is_not_chosen(client: FlaskClient, app: Flask, make: Factories) -> None:
    home = make.point()
    make.point("closed", is_open=False)
    user = make.user(point=home)
    for slug in ("nowhere", "closed", ""):
        answer = client.put("/api/v1/me/pickup-point", json={"pickup_point": slug}, headers=bearer(app, user))
        assert (answer.status_code, answer.get_json()["field"]) == (404, "pickup_point")
    assert reading().get_one(User, user.id).pickup_point_id == home.id
