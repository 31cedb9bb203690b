"""Signing in on pages, as a browser does it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from shop.accounts import authenticator
from shop.kernel import clock
from shop.kernel.db import reading
from shop.models.accounts import Role, SignInCode, User, UserSession
from shop.platform import limits, outbox
from tests.support.factories import Factories
from tests.support.gateways import RecordingSms
from tests.support.people import sign_in

PHONE = "13812345678"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def ask(client: FlaskClient, phone: str = PHONE, **values: str) -> TestResponse:
    return client.post("/sign-in", data={"phone": phone, **values})


def code_of(sms: RecordingSms, phone: str = PHONE) -> str:
    outbox.run_due()
    found = re.search(r"\d{6}", sms.texts_to(phone)[-1])
    assert found is not None
    return found[0]


@pytest.mark.parametrize("pasted", ["\u202d138 0000 0001\u202c", "138\u20110000\u20110001", "86 138 0000 0001", "１３８００００0001"])
def test_a_pasted_number_and_a_pasted_code_sign_in(client: FlaskClient, sms: RecordingSms, make: Factories, pasted: str) -> None:
    assert ask(client, pasted).status_code == 303
    code = code_of(sms, "13800000001")
    typed = f"\u200b{code[:3]}\u2011{code[3:]}"
    assert client.post("/sign-in/code", data={"code": typed}).status_code == 303


def sign_in_by_hand(client: FlaskClient, sms: RecordingSms, phone: str = PHONE, **values: str) -> TestResponse:
    assert ask(client, phone, **values).status_code == 303
    return client.post("/sign-in/code", data={"code": code_of(sms, phone)})


def session_cookie(client: FlaskClient) -> str:
    cookie = client.get_cookie("session")
    return cookie.value if cookie else ""


def test_a_new_resident_signs_in_and_gets_to_where_they_wanted(client: FlaskClient, make: Factories, sms: RecordingSms) -> None:
    answer = client.get("/notices")
    assert answer.status_code == 302
    assert answer.location == "/sign-in?next=/notices"
    page = client.get(answer.location)
    assert 'name="next" value="/notices"' in page.text
    asked = ask(client, "+86 138 1234 5678", next="/notices")
    assert asked.location == "/sign-in/code"
    assert "138****5678" in client.get(asked.location).text
    answer = client.post("/sign-in/code", data={"code": code_of(sms)})
    assert (answer.status_code, answer.location) == (303, "/notices")
    assert client.get("/notices").status_code == 200
    assert "138****5678" in client.get("/me").text


def test_the_number_is_in_no_address(client: FlaskClient, make: Factories) -> None:
    assert PHONE not in str(ask(client).location)


def test_known_and_unknown_numbers_get_the_same_answers(client: FlaskClient, app: Flask, make: Factories) -> None:
    make.user(PHONE)
    other = app.test_client()
    other.set_cookie("locale", "en")
    pages = []
    for browser, phone in ((client, PHONE), (other, "13900000000")):
        first = ask(browser, phone)
        code_page = browser.get("/sign-in/code").text
        again = browser.post("/sign-in", data={"phone": phone}, follow_redirects=True).text
        wrong = browser.post("/sign-in/code", data={"code": "000000"})
        texts = "\n".join([first.text, code_page, again, str(wrong.status_code), wrong.text])
        told = texts.replace(phone, "X").replace(f"{phone[:3]}****{phone[-4:]}", "Y")
        pages.append(re.sub(r'in \d+ seconds|data-countdown="\d+"|>\d\d:\d\d<|"[^"]{60,120}"', "", told))  # the wait, and the forms' tokens
    assert pages[0] == pages[1]


def test_a_wrong_code_is_told_beside_the_field_and_signs_nobody_in(client: FlaskClient, make: Factories, sms: RecordingSms) -> None:
    ask(client)
    wrong = f"{(int(code_of(sms)) + 1) % 1_000_000:06d}"
    answer = client.post("/sign-in/code", data={"code": wrong})
    assert answer.status_code == 422
    assert "That code is not right" in answer.text
    assert f'name="code" value="{wrong}"' in answer.text, "what was typed can be compared with the message and corrected"
    assert client.get("/me").status_code == 302


def test_a_bad_number_is_told_beside_the_field_and_kept(client: FlaskClient, make: Factories) -> None:
    answer = ask(client, "12345", next="/cart")
    assert answer.status_code == 422
    assert "11-digit mobile number" in answer.text
    assert 'value="12345"' in answer.text
    assert 'value="/cart"' in answer.text
    assert reading().scalars(sa.select(SignInCode)).all() == []


def test_a_double_click_sends_one_code_and_goes_on(client: FlaskClient, make: Factories, sms: RecordingSms) -> None:
    ask(client)
    second = ask(client)
    assert second.location == "/sign-in/code"
    assert "A code was just sent" in client.get("/sign-in/code").text
    outbox.run_due()
    assert len(sms.texts_to(PHONE)) == 1


def test_too_many_codes_are_told(client: FlaskClient, make: Factories) -> None:
    for number in range(4):
        clock.move(timedelta(minutes=2 * number))
        assert ask(client).status_code == 303
    clock.move(timedelta(minutes=12))
    answer = ask(client)
    assert answer.status_code == 429
    assert 48 * 60 <= int(answer.headers["Retry-After"]) <= 50 * 60
    assert re.search(r"Too many codes were sent to this number. Please ask again after \d\d:\d\d (today|tomorrow).", answer.text)
    client.set_cookie("locale", "zh")
    assert re.search(r"请 (今天|明天) \d\d:\d\d 后再试", ask(client).text)


def test_a_browser_that_signed_in_before_gets_its_code_whatever_strangers_did(
    client: FlaskClient, app: Flask, make: Factories, sms: RecordingSms
) -> None:
    sign_in_by_hand(client, sms)
    client.post("/sign-out")
    later = timedelta(hours=25)
    for number in range(12):
        clock.move(later + timedelta(seconds=61 * number))
        app.test_client().post("/sign-in", data={"phone": PHONE}, environ_base={"REMOTE_ADDR": f"198.51.100.{number}"})
    newcomer = app.test_client().post("/sign-in", data={"phone": PHONE}, environ_base={"REMOTE_ADDR": "198.51.100.99"})
    assert newcomer.status_code == 429
    assert sign_in_by_hand(client, sms).status_code == 303
    assert client.get("/me").status_code == 200


def test_a_browser_is_known_for_the_numbers_that_signed_in_on_it_and_no_others(
    client: FlaskClient, make: Factories, sms: RecordingSms
) -> None:
    sign_in_by_hand(client, sms)
    mark = client.get_cookie("known")
    assert mark is not None
    assert (mark.http_only, mark.same_site, PHONE in mark.value) == (True, "Lax", False)
    client.post("/sign-out")
    for phone in (PHONE, "13900000000"):
        clock.move(clock.shift() + timedelta(minutes=2))
        ask(client, phone)
    rows = reading().execute(sa.select(SignInCode.phone, SignInCode.is_known).order_by(SignInCode.id)).all()
    assert [tuple(row) for row in rows] == [(PHONE, False), (PHONE, True), ("13900000000", False)]


def test_a_stranger_who_asks_and_guesses_does_not_keep_anybody_out(
    client: FlaskClient, app: Flask, make: Factories, sms: RecordingSms
) -> None:
    ask(client)
    right = code_of(sms)
    clock.move(timedelta(seconds=61))
    stranger = app.test_client()
    elsewhere = {"REMOTE_ADDR": "198.51.100.7"}
    assert stranger.post("/sign-in", data={"phone": PHONE}, environ_base=elsewhere).status_code == 303
    for guess in range(100_000, 100_020):
        stranger.post("/sign-in/code", data={"code": str(guess)}, environ_base=elsewhere)
        stranger.post("/api/v1/auth/tokens", json={"phone": PHONE, "code": str(guess)}, environ_base=elsewhere)
    assert client.post("/sign-in/code", data={"code": right}).status_code == 303
    assert client.get("/me").status_code == 200


def test_where_codes_are_asked_for_somebody_can_be_asked_for_help(client: FlaskClient, make: Factories) -> None:
    point = make.point()
    assert 'href="/help"' in client.get("/sign-in").text
    client.set_cookie("elder_mode", "1")
    assert re.search(r'<a class="btn [^"]*" href="/help">.*Call for help', client.get("/sign-in").text)
    client.set_cookie("point", point.slug)
    assert f'href="tel:{point.phone}"' in client.get("/sign-in").text
    assert f'href="tel:{point.phone}"' in client.get("/nothing-here").text


def test_a_code_fits_its_field_however_it_was_grouped(client: FlaskClient, make: Factories) -> None:
    """A browser cuts what is pasted down to the field's length: half a code would be a wrong guess."""
    ask(client)
    room = re.search(r'name="code"[^>]*maxlength="(\d+)"', client.get("/sign-in/code").text)
    assert room is not None
    assert int(room[1]) >= len("\u20661 2 3 - 4 5 6\u2069.")


def test_the_code_page_without_a_number_starts_over(client: FlaskClient, make: Factories) -> None:
    assert client.get("/sign-in/code").location == "/sign-in"
    assert client.post("/sign-in/code", data={"code": "123456"}).location == "/sign-in"


def test_every_sign_in_is_a_new_session_under_a_new_secret(client: FlaskClient, make: Factories, sms: RecordingSms) -> None:
    user = make.user(PHONE)
    sign_in(client, user)
    planted = session_cookie(client)
    client.post("/sign-out")
    sign_in_by_hand(client, sms)
    assert reading().scalar(sa.select(sa.func.count()).select_from(UserSession)) == 2
    stranger = client.application.test_client()
    stranger.set_cookie("session", planted)
    assert stranger.get("/me").status_code == 302
    assert client.get("/me").status_code == 200


def test_the_cookie_holds_the_secret_and_nothing_of_before(client: FlaskClient, make: Factories, sms: RecordingSms) -> None:
    with client.session_transaction() as before:
        before["planted"] = "by somebody else"
    sign_in_by_hand(client, sms)
    with client.session_transaction() as after:
        assert set(after) == {"_user_id", "_permanent"}


def test_the_session_cookie_is_closed_to_scripts_and_other_sites(client: FlaskClient, make: Factories, sms: RecordingSms) -> None:
    header = sign_in_by_hand(client, sms).headers["Set-Cookie"]
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert "Expires=" in header


def test_another_browser_never_inherits_a_sign_in(client: FlaskClient, app: Flask, make: Factories, sms: RecordingSms) -> None:
    sign_in_by_hand(client, sms)
    assert client.get("/me").status_code == 200
    assert app.test_client().get("/me").status_code == 302
    assert client.get("/me").status_code == 200


def test_the_pages_do_not_believe_access_tokens_nor_the_api_cookies(client: FlaskClient, make: Factories, sms: RecordingSms) -> None:
    sign_in_by_hand(client, sms)
    assert client.get("/api/v1/me").status_code == 401
    with client.session_transaction() as cookie:
        secret = cookie["_user_id"]
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.application.test_client().get("/me", headers=headers).status_code == 302
    assert client.get("/api/v1/me", headers=headers).status_code == 401


def test_signing_out_ends_the_session_also_for_a_copied_cookie(client: FlaskClient, app: Flask, make: Factories, sms: RecordingSms) -> None:
    sign_in_by_hand(client, sms)
    thief = app.test_client()
    thief.set_cookie("session", session_cookie(client))
    assert thief.get("/me").status_code == 200
    assert client.post("/sign-out").status_code == 303
    assert client.get("/me").status_code == 302
    assert thief.get("/me").status_code == 302
    assert client.post("/sign-out").status_code == 303


def test_a_signed_in_reader_is_not_asked_again(client: FlaskClient, make: Factories) -> None:
    sign_in(client, make.user())
    assert client.get("/sign-in?next=/cart").location == "/cart"


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example", "/\r\nX: y"])
def test_no_way_back_leads_elsewhere(client: FlaskClient, make: Factories, sms: RecordingSms, target: str) -> None:
    assert sign_in_by_hand(client, sms, next=target).location == "/"
    assert client.get("/sign-in", query_string={"next": target}).location == "/"
    assert client.post("/preferences", data={"theme": "dark", "next": target}).location == "/"


def test_what_the_browser_had_chosen_comes_along(client: FlaskClient, make: Factories, sms: RecordingSms) -> None:
    point = make.point("tianchenghu")
    client.post("/communities", data={"point": "tianchenghu"})
    sign_in_by_hand(client, sms)
    user = reading().scalars(sa.select(User)).one()
    assert (user.pickup_point_id, user.locale) == (point.id, "en")


def test_large_text_chosen_before_signing_in_stays_large_and_stays_after_signing_out(
    app: Flask, make: Factories, sms: RecordingSms
) -> None:
    browser = app.test_client()
    browser.post("/preferences", data={"elder_mode": "1"})
    browser.post("/preferences", data={"theme": "dark"})
    sign_in_by_hand(browser, sms)
    assert 'data-mode="elder" data-theme="dark"' in browser.get("/me").text
    elsewhere = app.test_client()
    clock.move(clock.shift() + timedelta(minutes=2))
    sign_in_by_hand(elsewhere, sms)
    assert 'data-mode="elder" data-theme="dark"' in elsewhere.get("/me").text, "it went to the account"
    elsewhere.post("/sign-out")
    assert 'data-mode="elder" data-theme="dark"' in elsewhere.get("/sign-in").text


def test_on_a_shared_phone_the_choice_of_one_does_not_become_the_choice_of_the_other(
    app: Flask, make: Factories, sms: RecordingSms
) -> None:
    make.user(PHONE, is_elder_mode=True)
    make.user("13900000000", is_elder_mode=False)
    browser = app.test_client()
    for phone, mode in ((PHONE, "elder"), ("13900000000", "standard"), (PHONE, "elder")):
        sign_in_by_hand(browser, sms, phone)
        assert f'data-mode="{mode}"' in browser.get("/me").text
        browser.post("/sign-out")
        assert f'data-mode="{mode}"' in browser.get("/").text
        clock.move(clock.shift() + timedelta(minutes=2))


def test_forms_without_their_token_are_refused_and_nothing_happened(app: Flask, client: FlaskClient, make: Factories) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        for path in ("/sign-in", "/sign-in/code", "/sign-out", "/preferences", "/communities", "/second-factor", "/me"):
            assert client.post(path, data={"phone": PHONE}).status_code == 400, path
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    assert reading().scalars(sa.select(SignInCode)).all() == []


def staff(make: Factories) -> User:
    user = make.user(PHONE, totp_secret=SECRET)
    make.grant(user, Role.OPERATOR)
    return user


def totp() -> str:
    return authenticator.code_at(SECRET, authenticator.step_at(clock.now()))


def test_staff_confirm_their_authenticator_and_the_secret_changes(client: FlaskClient, make: Factories, sms: RecordingSms) -> None:
    staff(make)
    sign_in_by_hand(client, sms)
    before = session_cookie(client)
    page = client.get("/second-factor?next=/me")
    assert page.status_code == 200
    answer = client.post("/second-factor", data={"totp": totp(), "next": "/me"})
    assert (answer.status_code, answer.location) == (303, "/me")
    assert client.get("/second-factor?next=/me").location == "/me"
    thief = client.application.test_client()
    thief.set_cookie("session", before)
    assert thief.get("/me").status_code == 302
    assert "Operator console" in client.get("/me").text


def test_five_wrong_authenticator_codes_sign_staff_out(client: FlaskClient, make: Factories) -> None:
    sign_in(client, staff(make))
    wrong = f"{(int(totp()) + 1) % 1_000_000:06d}"
    for _ in range(4):
        answer = client.post("/second-factor", data={"totp": wrong, "next": "/me"})
        assert answer.status_code == 422
        assert "authenticator code is not right" in answer.text
    assert client.post("/second-factor", data={"totp": wrong, "next": "/me"}).location == "/sign-in?next=/me"
    assert "Too many wrong codes" in client.get("/sign-in").text
    assert client.get("/me").status_code == 302


def test_residents_have_nothing_to_confirm(client: FlaskClient, make: Factories) -> None:
    sign_in(client, make.user())
    assert client.get("/second-factor?next=/cart").location == "/cart"


def test_an_address_that_asks_too_often_is_refused_although_the_numbers_differ(
    app: Flask, client: FlaskClient, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.extensions, "limits", limits.Counters())
    for number in range(30):
        assert ask(client, f"139{number:08d}").status_code == 303
    assert ask(client, "13900000099").status_code == 429
    assert client.post("/api/v1/auth/codes", json={"phone": "13900000098"}).status_code == 429
    assert reading().scalar(sa.select(sa.func.count()).select_from(SignInCode)) == 30
    assert client.post("/sign-in", data={"phone": "13900000097"}, environ_base={"REMOTE_ADDR": "10.0.0.9"}).status_code == 303


def test_limits_are_counted_here_while_redis_is_away(
    app: Flask, client: FlaskClient, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.extensions, "limits", limits.Counters("redis://127.0.0.1:1/0"))
    answers = [ask(client, f"139{number:08d}").status_code for number in range(31)]
    assert answers == [303] * 30 + [429]


def seconds_to_wait(page: str) -> int:
    found = re.search(r'data-countdown="(\d+)"', page)
    assert found is not None
    return int(found[1])


def test_the_page_of_the_code_says_how_long_until_another_can_be_sent(client: FlaskClient, make: Factories) -> None:
    page = client.get(ask(client).location).text
    assert 'data-waits="resend"' in page
    assert 55 <= seconds_to_wait(page) <= 60
    clock.move(timedelta(seconds=20))
    ask(client)  # too soon: refused, and the clock runs on
    assert 35 <= seconds_to_wait(client.get("/sign-in/code").text) <= 40
    clock.move(timedelta(seconds=61))
    assert "data-waits" not in client.get("/sign-in/code").text


def test_who_signs_in_can_read_first_what_they_agree_to(client: FlaskClient) -> None:
    main = client.get("/sign-in").text.split("<main")[1].split("</main>")[0]
    assert 'href="/terms"' in main
    assert 'href="/privacy"' in main
