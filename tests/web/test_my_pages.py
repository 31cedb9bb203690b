"""One's own page, preferences, the place, messages; and what every page is given."""

from __future__ import annotations

import re
from datetime import time, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from shop.accounts import queries
from shop.kernel import clock, memory
from shop.kernel.db import perform, reading, transaction
from shop.models.accounts import Role, SessionKind, User, UserSession
from shop.models.pickup import PickupPoint
from shop.models.platform import AuditEntry, Notice
from shop.platform import notices
from shop.platform.http import error_page
from tests.support.factories import Factories
from tests.support.people import open_session, sign_in
from tests.support.queries import counted


def fresh(user: User) -> User:
    reading().rollback()
    return reading().get_one(User, user.id)


def test_my_page_shows_me_and_never_the_whole_number(client: FlaskClient, make: Factories) -> None:
    user = make.user("13812345678", point=make.point("tianchenghu"))
    sign_in(client, user)
    page = client.get("/me").text
    assert "李梅" in page
    assert "138****5678" in page
    assert "13812345678" not in page
    assert "Tianchenghu pick-up point" in page
    assert "console" not in page.lower().replace("console.css", "")


@pytest.mark.parametrize(
    ("role", "place", "console"),
    [(Role.MERCHANT_CLERK, "merchant", "/merchant/"), (Role.KEEPER, "point", "/station/"), (Role.AUDITOR, "", "/admin/")],
)
def test_staff_find_their_console(client: FlaskClient, make: Factories, role: Role, place: str, console: str) -> None:
    user = make.user()
    make.grant(user, role, merchant=make.merchant() if place == "merchant" else None, point=make.point() if place == "point" else None)
    sign_in(client, user)
    links = re.findall(r'class="list-row" href="([^"]+)"', client.get("/me").text)
    assert [link for link in links if link in {"/merchant/", "/station/", "/admin/"}] == [console]


def test_I_change_my_name(client: FlaskClient, make: Factories) -> None:  # noqa: N802
    user = make.user()
    sign_in(client, user)
    assert client.post("/me", data={"display_name": " 王 强 "}).status_code == 303
    assert fresh(user).display_name == "王 强"


def test_a_number_that_stands_for_a_name_is_not_offered_as_one(client: FlaskClient, make: Factories) -> None:
    user = make.user("13812345678", display_name="138****5678")
    sign_in(client, user)
    (field,) = re.findall(r'<input[^>]*name="display_name"[^>]*>', client.get("/me").text)
    assert "value=" not in field or 'value=""' in field
    client.post("/me", data={"display_name": "王强"})
    (field,) = re.findall(r'<input[^>]*name="display_name"[^>]*>', client.get("/me").text)
    assert 'value="王强"' in field


@pytest.mark.parametrize("name", ["", "   ", "a" * 41, "a\x00b", "a\nb"])
def test_a_name_we_cannot_use_is_refused_and_the_old_one_stays(client: FlaskClient, make: Factories, name: str) -> None:
    user = make.user()
    sign_in(client, user)
    assert client.post("/me", data={"display_name": name}).status_code == 422
    assert fresh(user).display_name == user.display_name


def test_I_sign_out_another_device_but_nobody_elses(client: FlaskClient, app: Flask, make: Factories) -> None:  # noqa: N802
    user, neighbour = make.user(), make.user()
    sign_in(client, user)
    phone, stranger = app.test_client(), app.test_client()
    sign_in(phone, user)
    sign_in(stranger, neighbour)
    paths = re.findall(r'action="(/me/sessions/\d+/revoke)"', client.get("/me").text)
    assert len(paths) == 1
    client.post("/preferences", data={"elder_mode": "1"})
    devices = client.get("/me").text.partition('aria-labelledby="devices"')
    assert "standard-only" not in devices[0].rpartition("<section")[2]
    assert paths[0] in devices[2]
    assert client.post(paths[0]).status_code == 303
    assert phone.get("/me").status_code == 302
    theirs = reading().scalars(sa.select(UserSession.id).where(UserSession.user_id == neighbour.id)).one()
    assert client.post(f"/me/sessions/{theirs}/revoke").status_code == 404
    assert client.post("/me/sessions/999999/revoke").status_code == 404
    assert stranger.get("/me").status_code == 200


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("\u202e王强\u202c", "王强"), ("王\u200b强\ufeff", "王强"), ("\u2066a\u2069\u2060b\u200e", "ab"),
        ("\u200d王强", "王强"), ("\u00ad Ann", "Ann"),
        ("👩\u200d🌾 梅", "👩\u200d🌾 梅"), ("👩🏽\u200d🌾", "👩🏽\u200d🌾"), ("a" * 40 + "\u200b" * 20, "a" * 40),
    ],
)  # fmt: skip
def test_marks_nobody_sees_are_left_out_of_a_name(client: FlaskClient, make: Factories, typed: str, kept: str) -> None:
    user = make.user()
    sign_in(client, user)
    assert client.post("/me", data={"display_name": typed}).status_code == 303
    assert fresh(user).display_name == kept


def test_a_name_of_unseen_marks_alone_is_no_name(client: FlaskClient, make: Factories) -> None:
    user = make.user()
    sign_in(client, user)
    refused = client.post("/me", data={"display_name": "\u200b\u202e\u200d"})
    assert refused.status_code == 422
    assert "Please enter a name." in refused.text
    assert fresh(user).display_name == user.display_name


def test_I_sign_out_everywhere_else(client: FlaskClient, app: Flask, make: Factories) -> None:  # noqa: N802
    user, neighbour = make.user(), make.user()
    phone, tablet, stranger = (app.test_client() for _ in range(3))
    for browser, person in ((client, user), (phone, user), (tablet, user), (stranger, neighbour)):
        sign_in(browser, person)
    assert 'href="/me/sessions"' in client.get("/me").text
    asked = client.get("/me/sessions").text
    assert asked.count("<li>") == 3
    assert 'action="/me/sessions/revoke"' in asked
    assert phone.get("/me").status_code == 200, "looking at the question ends nothing"
    assert client.post("/me/sessions/revoke").location == "/me"
    assert [browser.get("/me").status_code for browser in (client, phone, tablet, stranger)] == [200, 302, 302, 200]
    entry = reading().scalars(sa.select(AuditEntry).where(AuditEntry.action == "session.all_revoked")).one()
    assert (entry.subject_id, entry.facts) == (user.id, {"sessions": 2})
    assert client.post("/me/sessions/revoke").location == "/me", "again is harmless"
    assert len(reading().scalars(sa.select(AuditEntry).where(AuditEntry.action == "session.all_revoked")).all()) == 1


def test_I_sign_out_everywhere_and_here(client: FlaskClient, app: Flask, make: Factories) -> None:  # noqa: N802
    user, phone = make.user(), app.test_client()
    sign_in(client, user)
    sign_in(phone, user)
    assert client.post("/me/sessions/revoke", data={"this_one_too": "1"}).location == "/"
    assert [browser.get("/me").status_code for browser in (client, phone)] == [302, 302]


def test_preferences_stay_with_the_account(client: FlaskClient, app: Flask, make: Factories) -> None:
    user = make.user()
    sign_in(client, user)
    for name, value in (("locale", "zh"), ("elder_mode", "1"), ("theme", "dark")):
        assert client.post("/preferences", data={name: value, "next": "/me"}).location == "/me"
    kept = fresh(user)
    assert (kept.locale, kept.is_elder_mode, kept.theme) == ("zh", True, "dark")
    elsewhere = app.test_client()
    sign_in(elsewhere, user)
    page = elsewhere.get("/me", headers={"Accept-Language": "en"}).text
    assert '<html lang="zh-CN" data-mode="elder" data-theme="dark">' in page


def test_the_first_visit_asks_whether_the_text_is_too_small_and_the_answer_counts(app: Flask, make: Factories) -> None:
    asked = "字太小，看不清？"
    for answer in ("0", "1"):
        browser = app.test_client()
        assert asked in browser.get("/").text
        browser.post("/preferences", data={"elder_mode": answer})
        assert asked not in browser.get("/").text
    elder = app.test_client()
    sign_in(elder, make.user(is_elder_mode=True))
    assert asked not in elder.get("/").text


def test_preferences_of_a_stranger_stay_with_the_browser(app: Flask, make: Factories) -> None:
    browser = app.test_client()
    for name, value in (("locale", "en"), ("elder_mode", "1"), ("theme", "light")):
        browser.post("/preferences", data={name: value})
    assert '<html lang="en" data-mode="elder" data-theme="light">' in browser.get("/communities").text
    assert '<html lang="en" data-mode="elder" data-theme="light">' in browser.get("/sign-in").text
    browser.post("/preferences", data={"elder_mode": "0"})
    assert 'data-mode="standard"' in browser.get("/sign-in").text


@pytest.mark.parametrize(
    ("before", "back"),
    [("http://localhost/me?tab=1", "/me?tab=1"), ("http://localhost", "/"), ("https://elsewhere.example/me", "/"), ("", "/")],
)
def test_language_chosen_on_the_answer_to_a_form_leads_back_to_the_page_of_the_form(
    client: FlaskClient, make: Factories, before: str, back: str
) -> None:
    sign_in(client, make.user())
    page = client.post("/me", data={"display_name": " "}, headers={"Referer": before})
    assert page.status_code == 422
    assert set(re.findall(r'name="next" value="([^"]*)"', page.text)) == {back}


@pytest.mark.parametrize("choice", [{"locale": "fr"}, {"theme": "<b>"}, {"elder_mode": "yes"}, {"theme": "dark", "locale": ""}])
def test_choices_we_do_not_have_are_refused_and_nothing_is_kept(client: FlaskClient, make: Factories, choice: dict[str, str]) -> None:
    user = make.user()
    sign_in(client, user)
    answer = client.post("/preferences", data=choice)
    assert answer.status_code == 422
    assert "Set-Cookie" not in answer.headers
    assert (fresh(user).theme, fresh(user).locale) == (None, None)


def test_a_browser_that_says_nothing_is_spoken_to_in_chinese(app: Flask, make: Factories) -> None:
    assert '<html lang="zh-CN"' in app.test_client().get("/sign-in").text
    assert '<html lang="en"' in app.test_client().get("/sign-in", headers={"Accept-Language": "en-GB,en;q=0.9"}).text


def test_a_stranger_chooses_a_point_and_sees_it_on_every_page(client: FlaskClient, make: Factories) -> None:
    make.point("tianchenghu")
    assert "Choose your pick-up point" in client.get("/api/v1/docs").text
    answer = client.post("/communities", data={"point": "tianchenghu", "next": "/communities?q=tian"})
    assert (answer.status_code, answer.location) == (303, "/communities?q=tian")
    assert "Tianchenghu pick-up point" in client.get("/api/v1/docs").text
    assert "Your point" in client.get("/communities").text


def test_a_resident_changes_point_and_the_account_keeps_it(client: FlaskClient, make: Factories) -> None:
    home, other = make.point(), make.point("yuxiyuan")
    user = make.user(point=home)
    sign_in(client, user)
    client.post("/communities", data={"point": "yuxiyuan"})
    assert fresh(user).pickup_point_id == other.id


def test_a_closed_or_made_up_point_cannot_be_chosen(client: FlaskClient, make: Factories) -> None:
    home = make.point()
    make.point("closed", is_open=False)
    user = make.user(point=home)
    sign_in(client, user)
    for slug in ("closed", "nowhere", ""):
        assert client.post("/communities", data={"point": slug}).status_code == 404
    assert fresh(user).pickup_point_id == home.id
    assert 'value="closed"' not in client.get("/communities").text


def test_a_point_that_closes_is_nobodys_point_any_more(client: FlaskClient, make: Factories) -> None:
    point = make.point("tianchenghu")
    sign_in(client, make.user(point=point))
    assert "Tianchenghu pick-up point" in client.get("/notices").text
    with transaction() as session:
        session.execute(sa.update(PickupPoint).values(is_open=False))
    memory.forget()
    assert "Tianchenghu pick-up point" not in client.get("/notices").text


def test_communities_are_found_by_name_street_and_place(client: FlaskClient, make: Factories) -> None:
    make.point("a", community=make.community("tianchenghu", name_zh="甜城湖社区", district_zh="东兴区西林街道"), opens=time(8, 30))
    make.point("b", community=make.community("yuxiyuan", name_zh="玉溪苑社区", district_zh="市中区玉溪街道"), location_zh="老年大学对面")
    for wanted, found in (("", "ab"), ("tian", "a"), ("甜城", "a"), ("玉溪街道", "b"), ("老年大学", "b"), ("HU", "a"), ("nothing", "")):
        page = client.get("/communities", query_string={"q": wanted}).text
        assert re.findall(r'name="point" value="(\w)"', page) == list(found), wanted
    assert "No community by that name" in page
    assert "08:30–20:30" in client.get("/communities").text


def test_messages_are_read_in_the_readers_language_and_marked_by_hand(
    client: FlaskClient, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(notices.WORDS, "test", ("Saved.", "You now collect at %(point)s."))
    both = {"zh": "沱江湾", "en": "Tuojiang Bay"}
    user, neighbour = make.user(), make.user()

    def post(session: object) -> None:
        notices.post(session, user.id, "test", dedupe_key="1", link="/me", point="A & B")  # type: ignore[arg-type]
        notices.post(session, user.id, "test", dedupe_key="3", link="/me", point=both)  # type: ignore[arg-type]
        notices.post(session, neighbour.id, "test", dedupe_key="2", link="/me", point="elsewhere")  # type: ignore[arg-type]

    perform(post)
    sign_in(client, user)
    page = client.get("/notices").text
    assert "You now collect at A &amp; B." in page
    assert "You now collect at Tuojiang Bay." in page
    assert "elsewhere" not in page
    assert page.count("is-unread") == 2
    client.post("/preferences", data={"locale": "zh"})
    page = client.get("/notices").text
    assert "提货地点已改为A &amp; B。" in page
    assert "提货地点已改为沱江湾。" in page
    assert client.post("/notices/read").status_code == 303
    assert "is-unread" not in client.get("/notices").text
    sign_in(client, neighbour)
    assert client.get("/notices").text.count("is-unread") == 1


def test_a_time_in_a_message_is_told_as_people_say_it(client: FlaskClient, make: Factories, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(notices.WORDS, "test", ("Saved.", "Order by %(until)s"))
    user = make.user()
    with transaction() as session:
        notices.post(session, user.id, "test", dedupe_key="1", link="/me", until=clock.at(clock.today(), time(20, 30)).isoformat())
    sign_in(client, user)
    assert "Order by 20:30 today" in client.get("/notices").text
    client.post("/preferences", data={"locale": "zh"})
    assert "今天 20:30" in client.get("/notices").text
    clock.move(timedelta(days=3))
    sign_in(client, user)
    assert "今天 20:30" not in client.get("/notices").text, "as of when it is read"


def test_opening_a_message_marks_it_read_and_leads_on(client: FlaskClient, make: Factories, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(notices.WORDS, "test", ("Saved.", "You now collect at %(point)s."))
    user, neighbour = make.user(), make.user()
    with transaction() as session:
        for owner, key in ((user, "1"), (user, "2"), (neighbour, "3")):
            notices.post(session, owner.id, "test", dedupe_key=key, link="/bills", point="A")
    sign_in(client, user)
    mine = re.findall(r'action="(/notices/\d+/open)"', client.get("/notices").text)
    assert len(mine) == 2
    assert client.post(mine[0]).location == "/bills"
    page = client.get("/notices").text
    assert page.count("is-unread") == 1
    assert "1 message is unread" in page
    theirs = reading().scalars(sa.select(Notice.id).where(Notice.user_id == neighbour.id)).one()
    assert client.post(f"/notices/{theirs}/open").status_code == 404


def test_messages_stand_under_their_day_and_go_on_page_by_page(
    client: FlaskClient, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(notices.WORDS, "test", ("Saved.", "You now collect at %(point)s."))
    user = make.user()
    with transaction() as session:
        for number in range(51):
            notices.post(session, user.id, "test", dedupe_key=str(number), link="", point=f"point {number} of many")
    clock.move(timedelta(days=1))
    with transaction() as session:
        notices.post(session, user.id, "test", dedupe_key="new", link="", point="the newest")
    sign_in(client, user)
    page = client.get("/notices").text
    assert page.index("Today") < page.index("the newest") < page.index("Yesterday") < page.index("point 50 of many")
    assert "point 1 of many" not in page
    found = re.search(r'href="(/notices\?cursor=\d+)"', page)
    assert found
    assert "point 1 of many" in client.get(found[1]).text
    assert client.get("/notices?cursor=x").status_code == 200


def test_an_empty_inbox_says_what_comes_here(client: FlaskClient, make: Factories) -> None:
    sign_in(client, make.user())
    assert "No messages yet" in client.get("/notices").text


def test_a_signed_in_page_asks_for_the_reader_once(client: FlaskClient, make: Factories) -> None:
    sign_in(client, make.user(point=make.point()))
    client.get("/notices")
    with counted() as statements:
        client.get("/notices")
    assert len([statement for statement in statements if "user_sessions" in statement]) == 1
    assert len(statements) <= 4  # the reader, the number on the cart, the messages, how many are unread


def test_static_addresses_carry_one_version(client: FlaskClient, make: Factories) -> None:
    page = client.get("/sign-in").text
    versions = set(re.findall(r"/static/[^\"#?]+\?v=([0-9a-f]+)", page))
    assert len(versions) == 1


def test_signed_in_pages_are_never_kept_by_caches(client: FlaskClient, make: Factories) -> None:
    sign_in(client, make.user())
    assert client.get("/me").headers["Cache-Control"] == "no-store"


def test_an_error_page_comes_up_without_the_database(
    client: FlaskClient, app: Flask, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(client, make.user())

    def away(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("the database is away"))

    monkeypatch.setattr(queries, "reader_of_token", away)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    answer = client.get("/me")
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.text


def test_a_refusal_without_words_of_its_own_is_told_as_a_fault_of_the_request(client: FlaskClient) -> None:
    with client.application.app_context(), client.application.test_request_context("/"):
        page, status = error_page(415, code="unsupported_media_type")
    assert status == 415
    assert "我们这边" not in page
    assert "Something broke on our side" not in page


def test_an_access_token_of_somebody_is_not_shown_anywhere(client: FlaskClient, make: Factories) -> None:
    user = make.user()
    token = open_session(user, SessionKind.API)
    sign_in(client, user)
    assert token not in client.get("/me").text
