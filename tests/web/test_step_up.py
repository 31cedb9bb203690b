"""The code by text message that larger payments ask for, when no more of them can be sent: said clearly, and no dead end."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shop.accounts import operations as accounts
from shop.accounts import rules
from shop.accounts.errors import TooManyCodes
from shop.kernel import clock
from shop.kernel.db import perform
from shop.models.accounts import CodePurpose, User
from shop.platform import limits
from tests.support.factories import Factories
from tests.support.money import PIN
from tests.support.people import bearer, sign_in
from tests.support.shopping import Shopping, purchases


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def hidden(answer: Any, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', answer.text)
    assert found, f"no {name} on the page"
    return found[1]


@pytest.fixture
def buyer(make: Factories, client: FlaskClient) -> User:
    """Somebody with more in the cart than the PIN alone may pay a day."""
    shop = Shopping(make)
    shop.goods("oranges", price=120_000)
    user = shop.buyer(300_000)
    sign_in(client, user)
    client.post("/cart", data={"variant": "oranges"})
    return user


def use_up_codes(user: User) -> None:
    for _ in range(rules.OWN_CODES[0][1]):
        perform(accounts.request_code, user.phone, CodePurpose.STEP_UP, asker=rules.person(user.id))
        clock.move(clock.shift() + timedelta(seconds=61))


def pay(client: FlaskClient, page: Any, code: str = "") -> Any:
    return client.post(
        "/checkout",
        data={"quote": hidden(page, "quote"), "seen_total": hidden(page, "seen_total"), "method": "wallet", "pin": PIN, "code": code},
    )


def test_without_a_further_code_the_checkout_says_so_and_shows_the_ways_on(client: FlaskClient, buyer: User) -> None:
    use_up_codes(buyer)
    page = client.get("/checkout")
    answer = pay(client, page)
    told = text_of(answer)
    assert answer.status_code == 429
    assert re.search(r"no more codes to your phone before \d\d:\d\d (today|tomorrow). Nothing was charged.", told)
    assert "choose another way to pay" in told
    assert "We have sent it to" not in told
    assert 'value="stripe"' in answer.text
    assert re.search(r'value="wallet"[^>]* checked', answer.text), "what was chosen stays chosen"
    assert 0 < int(answer.headers["Retry-After"]) <= 3_660
    assert purchases() == 0


def test_a_code_of_before_still_pays_when_no_further_one_can_be_sent(client: FlaskClient, buyer: User) -> None:
    use_up_codes(buyer)
    clock.move(clock.shift() + timedelta(minutes=55))  # the first of the five is an hour old
    last = perform(accounts.request_code, buyer.phone, CodePurpose.STEP_UP, asker=rules.person(buyer.id))
    clock.move(clock.shift() + timedelta(seconds=61))
    code = rules.code_digits(last.id, last.nonce)
    assert pay(client, client.get("/checkout"), code).status_code == 303
    assert purchases() == 1


def test_strangers_and_sign_ins_do_not_touch_the_codes_of_payments(client: FlaskClient, buyer: User) -> None:
    for number in range(12):
        for asker in (rules.asker(f"198.51.100.{number}", f"browser {number}"), rules.asker("", "own", is_known=True)):
            with suppress(TooManyCodes):
                perform(accounts.request_code, buyer.phone, CodePurpose.SIGN_IN, asker=asker)
        clock.move(clock.shift() + timedelta(seconds=61))
    answer = pay(client, client.get("/checkout"))
    assert answer.status_code == 402
    assert "We have sent it to" in text_of(answer)


def test_the_page_that_asked_for_a_code_says_when_there_is_another(client: FlaskClient, buyer: User) -> None:
    use_up_codes(buyer)
    assert client.post("/wallet/codes", data={"next": "/wallet"}).location == "/wallet"
    assert "We can send no more codes to your phone before" in text_of(client.get("/wallet"))
    client.set_cookie("locale", "zh")
    client.post("/wallet/codes", data={"next": "/wallet"})
    assert "没有扣款" in client.get("/wallet").text


def test_a_house_full_of_neighbours_behind_one_address_can_still_pay(
    app: Flask, client: FlaskClient, buyer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Payments are counted by the person, in the database; the address they share does not matter."""
    monkeypatch.setitem(app.extensions, "limits", limits.Counters())
    for _ in range(40):
        client.post("/sign-in", data={"phone": ""})
    assert client.post("/sign-in", data={"phone": ""}).status_code == 429
    assert client.post("/wallet/codes", data={"next": "/wallet"}).status_code == 303
    clock.move(clock.shift() + timedelta(seconds=61))
    assert client.post("/api/v1/auth/step-up-codes", headers=bearer(app, buyer)).status_code == 202
