"""The bulletin for residents and strangers, and the desk where it is written."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from shop.kernel import clock
from shop.kernel.columns import CITY
from shop.kernel.db import reading, transaction
from shop.models.accounts import Role, User
from shop.models.bulletin import BulletinKind, BulletinNotice, BulletinVersion, VersionState
from shop.models.pickup import PickupPoint
from tests.support.bulletin import make_text
from tests.support.factories import Factories
from tests.support.people import sign_in
from tests.support.queries import counted

LONG = "甜城湖社区关于开展冬季消防安全大检查暨楼道杂物集中清理整治行动并同步更换老旧灭火器材的重要公告及有关事项通知如下请周知"


@pytest.fixture
def point(make: Factories) -> PickupPoint:
    return make.point("here")


@pytest.fixture
def writer(make: Factories, point: PickupPoint) -> User:
    user = make.user()
    make.grant(user, Role.KEEPER, point=point)
    return user


@pytest.fixture
def operator(make: Factories) -> User:
    user = make.user()
    make.grant(user, Role.OPERATOR)
    return user


@pytest.fixture
def resident(make: Factories, point: PickupPoint) -> User:
    return make.user(point=point)


def page(client: FlaskClient, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, path
    return answer.get_data(as_text=True)


def filled(**values: str) -> dict[str, str]:
    today = clock.today()
    return {
        "community": "", "kind": "event", "title_zh": "义诊", "text_zh": "周六义诊。\r\n请空腹来。", "title_en": "", "text_en": "",
        "building": "", "starts_on": today.isoformat(), "ends_on": (today + timedelta(days=2)).isoformat(), **values,
    }  # fmt: skip


def newest() -> BulletinVersion:
    reading().rollback()
    return reading().scalars(sa.select(BulletinVersion).order_by(BulletinVersion.id.desc())).first()  # type: ignore[return-value]


def test_a_resident_finds_the_bulletin_on_life_and_reads_what_is_for_their_community_and_the_city(
    client: FlaskClient, make: Factories, resident: User, writer: User, point: PickupPoint
) -> None:
    elsewhere = make.point("there")
    make_text(make, point.community_id, writer, title_en="For us")
    make_text(make, CITY, writer, title_en="For the city")
    make_text(make, elsewhere.community_id, writer, title_en="For others")
    sign_in(client, resident)
    assert 'href="/bulletin"' in page(client, "/life")
    listed = page(client, "/bulletin")
    assert "For us" in listed
    assert "For the city" in listed
    assert "For others" not in listed


def test_a_stranger_reads_what_is_for_the_city_and_is_asked_for_a_point(
    client: FlaskClient, make: Factories, writer: User, point: PickupPoint
) -> None:
    make_text(make, point.community_id, writer, title_en="For us")
    make_text(make, CITY, writer, title_en="For the city")
    listed = page(client, "/bulletin")
    assert "For the city" in listed
    assert "For us" not in listed
    assert "Choose your pick-up point" in listed


def test_the_page_has_its_paragraphs_and_counts_each_reader_once_and_strangers_never(
    client: FlaskClient, make: Factories, resident: User, writer: User, point: PickupPoint
) -> None:
    text = make_text(make, point.community_id, writer, building="Building 3", text_en="One.\n\nTwo & three.")
    path = f"/bulletin/{text.notice_id}"
    assert "0 neighbours have read this." in page(client, path)
    sign_in(client, resident)
    for _ in range(2):
        shown = page(client, path)
        assert "1 neighbour has read this." in shown
    assert "<p>One.</p>" in shown
    assert "<p>Two &amp; three.</p>" in shown
    assert "Building 3" in shown
    assert "Corrected" not in shown


def test_an_english_reader_of_a_notice_in_chinese_gets_the_chinese_marked_as_such(
    client: FlaskClient, make: Factories, writer: User
) -> None:
    text = make_text(make, CITY, writer, title_zh=LONG, title_en="", text_en="")
    for path in ("/bulletin", f"/bulletin/{text.notice_id}"):
        assert f'<span lang="zh-CN">{LONG}</span>' in page(client, path)


@pytest.mark.parametrize("state", [one for one in VersionState if one is not VersionState.PUBLISHED])
def test_what_is_not_published_is_not_found(client: FlaskClient, make: Factories, writer: User, state: VersionState) -> None:
    text = make_text(make, CITY, writer, state)
    page(client, f"/bulletin/{text.notice_id}", 404)
    assert "No notices now" in page(client, "/bulletin")


def test_what_is_over_is_gone_and_what_is_to_come_is_not_there_yet(client: FlaskClient, make: Factories, writer: User) -> None:
    day = timedelta(days=1)
    over = make_text(make, CITY, writer, starts_on=clock.today() - day, ends_on=clock.today() - day)
    coming = make_text(make, CITY, writer, starts_on=clock.today() + day)
    for text in (over, coming):
        page(client, f"/bulletin/{text.notice_id}", 404)
    assert "No notices now" in page(client, "/bulletin")


def test_every_notice_is_reached_page_by_page(client: FlaskClient, make: Factories, writer: User) -> None:
    notices = {make_text(make, CITY, writer, is_pinned=number % 9 == 0).notice_id for number in range(50)}
    seen: list[int] = []
    path: str | None = "/bulletin"
    while path:
        listed = page(client, path)
        seen += [int(found) for found in re.findall(r'href="/bulletin/(\d+)"', listed)]
        more = re.search(r'href="(/bulletin\?cursor=\d+)"', listed)
        path = more[1] if more else None
    assert len(seen) == 50
    assert set(seen) == notices


def test_one_notice_and_fifty_ask_the_same_number_of_statements(
    client: FlaskClient, make: Factories, writer: User, operator: User, point: PickupPoint, resident: User
) -> None:
    text = make_text(make, point.community_id, writer)
    desk = make_text(make, point.community_id, writer, VersionState.WAITING)
    looks = ((resident, "/bulletin"), (resident, f"/bulletin/{text.notice_id}"), (resident, "/life"), (operator, "/bulletin/desk"),
             (operator, f"/bulletin/desk/{desk.id}"), (writer, "/bulletin/desk?tab=published"))  # fmt: skip

    def statements() -> list[int]:
        costs = []
        for who, path in looks:
            sign_in(client, who, second_factor=True)
            page(client, path)  # what is kept in memory is there
            with counted() as asked:
                page(client, path)
            costs.append(len(asked))
        return costs

    alone = statements()
    for number in range(50):
        make_text(make, point.community_id, writer)
        make_text(make, point.community_id, writer, VersionState.WAITING)
        notice = reading().get_one(BulletinNotice, desk.notice_id)
        make_text(make, point.community_id, writer, VersionState.REFUSED, notice=notice, number=number + 2)
    assert statements() == alone


def test_a_keeper_writes_and_an_operator_publishes_by_pages_alone(
    client: FlaskClient, writer: User, operator: User, resident: User, point: PickupPoint
) -> None:
    sign_in(client, writer, second_factor=True)
    assert 'href="/bulletin/desk"' in page(client, "/station/")
    community = re.search(r'<option value="([^"]+)" *(?:selected)?', page(client, "/bulletin/desk/write"))
    assert community
    answer = client.post("/bulletin/desk/write", data=filled(community=community[1], send="1"))
    assert answer.status_code == 303
    assert newest().text_zh == "周六义诊。\n请空腹来。", "lines as they were written"
    text_path = answer.location
    shown = page(client, text_path)
    assert "You wrote this yourself" in shown
    assert f'action="{text_path}/publish"' not in shown

    sign_in(client, operator, second_factor=True)
    assert 'href="/bulletin/desk"' in page(client, "/admin/")
    assert text_path in page(client, "/bulletin/desk")
    asked = client.post(f"{text_path}/publish").get_data(as_text=True)
    assert newest().state is VersionState.WAITING, "it is asked first"
    sure = re.search(r'name="sure" value="([^"]+)"', asked)
    assert sure
    client.post(f"{text_path}/publish", data={"sure": sure[1]})
    assert newest().state is VersionState.PUBLISHED
    sign_in(client, resident)
    assert "义诊" in page(client, "/bulletin")


def test_an_operator_who_wrote_it_is_told_that_somebody_else_publishes(client: FlaskClient, make: Factories, operator: User) -> None:
    text = make_text(make, CITY, operator, VersionState.WAITING)
    sign_in(client, operator, second_factor=True)
    asked = client.post(f"/bulletin/desk/{text.id}/publish").get_data(as_text=True)
    sure = re.search(r'name="sure" value="([^"]+)"', asked)
    assert sure
    answer = client.post(f"/bulletin/desk/{text.id}/publish", data={"sure": sure[1]}, follow_redirects=True)
    assert "somebody else has to do it" in answer.get_data(as_text=True)
    assert newest().state is VersionState.WAITING


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"title_zh": ""}, "Please write something here."),
        ({"title_zh": "长" * 61}, "60 characters fit"),
        ({"text_zh": "长" * 4_001}, "4000 characters fit"),
        ({"text_zh": "a\x00b"}, "characters we cannot store"),
        ({"kind": "nothing"}, "Please choose what kind of notice it is."),
        ({"community": ""}, "Please choose for whom the notice is."),
        ({"starts_on": "0001-01-01"}, "Please choose a day."),
        ({"ends_on": ""}, "Please choose a day."),
        ({"ends_on": "2099-12-31"}, "A notice stands for 366 days at most."),
        ({"ends_on": "2020-01-01"}, "The last day must not be before the first."),
        ({"title_en": "Doctors"}, "Please write something here."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays(
    client: FlaskClient, operator: User, wrong: dict[str, str], said: str
) -> None:
    sign_in(client, operator, second_factor=True)
    answer = client.post("/bulletin/desk/write", data=filled(**{"community": "*", "building": "三栋", **wrong}))
    shown = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert said in shown
    assert 'value="三栋"' in shown
    reading().rollback()
    assert reading().scalar(sa.select(sa.func.count()).select_from(BulletinVersion)) == 0


def test_an_empty_form_says_of_every_field_at_once_what_is_missing(client: FlaskClient, operator: User) -> None:
    sign_in(client, operator, second_factor=True)
    shown = client.post("/bulletin/desk/write", data={}).get_data(as_text=True)
    assert shown.count("Please write something here.") == 2
    for said in ("Please choose what kind of notice it is.", "Please choose for whom the notice is."):
        assert said in shown


def test_a_keeper_cannot_write_for_the_city_whatever_the_form_says(client: FlaskClient, writer: User) -> None:
    sign_in(client, writer, second_factor=True)
    assert client.post("/bulletin/desk/write", data=filled(community="*")).status_code == 404
    reading().rollback()
    assert reading().scalar(sa.select(sa.func.count()).select_from(BulletinVersion)) == 0


@pytest.mark.parametrize(("step", "left"), [("refuse", VersionState.REFUSED), ("withdraw", VersionState.WITHDRAWN)])
def test_refusing_and_withdrawing_ask_why(
    client: FlaskClient, make: Factories, operator: User, writer: User, step: str, left: VersionState
) -> None:
    text = make_text(make, CITY, writer, VersionState.WAITING)
    sign_in(client, operator, second_factor=True)
    answer = client.post(f"/bulletin/desk/{text.id}/{step}", data={"reason": " "})
    assert answer.status_code == 422
    assert "Please say why" in answer.get_data(as_text=True)
    assert newest().state is VersionState.WAITING
    client.post(f"/bulletin/desk/{text.id}/{step}", data={"reason": "日期不对"})
    assert newest().state is left
    assert "日期不对" in page(client, f"/bulletin/desk/{text.id}")


def test_a_correction_begins_with_the_text_that_stands_there(client: FlaskClient, make: Factories, operator: User, writer: User) -> None:
    text = make_text(make, CITY, writer, title_zh="停水", kind=BulletinKind.GOVERNMENT, is_pinned=True)
    sign_in(client, operator, second_factor=True)
    form = page(client, f"/bulletin/desk/{text.id}/edit")
    assert 'value="停水"' in form
    assert re.search(r"<option selected value=\"government\">", form)
    client.post(f"/bulletin/desk/{text.id}/edit", data=filled(title_zh="改日停水", send="1"))
    assert (newest().number, newest().state, newest().title_zh) == (2, VersionState.WAITING, "改日停水")
    again = client.post(f"/bulletin/desk/{text.id}/edit", data=filled(send="1"))
    assert again.status_code == 409
    assert "A correction of this notice is being written" in again.get_data(as_text=True)


def test_a_draft_goes_on_and_is_sent(client: FlaskClient, operator: User) -> None:
    sign_in(client, operator, second_factor=True)
    path = client.post("/bulletin/desk/write", data=filled(community="*", keep="1")).location
    assert newest().state is VersionState.DRAFT
    client.post(f"{path}/edit", data=filled(title_zh="改过", send="1"))
    assert (newest().number, newest().state, newest().title_zh) == (1, VersionState.WAITING, "改过")


def test_empty_tabs_say_what_comes_there_and_it_is_called_in_chinese_too(client: FlaskClient, operator: User) -> None:
    sign_in(client, operator, second_factor=True)
    for tab, said in (("open", "Nothing waits"), ("published", "Nothing was published yet"), ("gone", "Nothing is gone")):
        assert said in page(client, f"/bulletin/desk?tab={tab}")
    with transaction() as session:
        session.execute(sa.update(User).values(locale="zh"))
    assert "没有待处理的" in page(client, "/bulletin/desk")
    assert "现在没有公告" in page(client, "/bulletin")
