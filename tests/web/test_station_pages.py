"""The keeper's console: receiving, looking up, handing over; other points' things are not found."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from markupsafe import escape
from werkzeug.test import TestResponse

from shop.counter import rules
from shop.kernel import clock
from shop.models.accounts import Role
from shop.models.orders import SubOrderState
from shop.pickup import codes
from tests.support.counter import Counter, look_on, scans, shown, state_of
from tests.support.factories import Factories
from tests.support.money import balance
from tests.support.people import sign_in


@pytest.fixture
def counter(make: Factories, client: FlaskClient) -> Counter:
    made = Counter(make)
    made.goods("rice", price=2_000)
    made.goods("oil", merchant=1, price=5_000)
    sign_in(client, made.keeper_user, second_factor=True)
    return made


def arrive(client: FlaskClient, **data: Any) -> TestResponse:
    """Say that deliveries are here; those of a later day are really meant."""
    return client.post("/station/arrivals", data={"early": "1", **data}, follow_redirects=True)


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found, f"no field {name}"
    return found[1]


def test_ticked_deliveries_arrive_together(client: FlaskClient, counter: Counter) -> None:
    parts = counter.packed(counter.buyer(), {"rice": 1, "oil": 1})
    page = client.get("/station/").text
    assert page.count('name="cycles"') == 2
    answer = arrive(client, cycles=[str(part.cycle_id) for part in parts])
    assert "2 orders are ready; 1 resident was told." in answer.text
    assert {state_of(part) for part in parts} == {SubOrderState.READY}


def test_what_is_not_ticked_on_the_counting_page_is_missing(client: FlaskClient, counter: Counter) -> None:
    here, missing = counter.packed(counter.buyer(), {"rice": 1})[0], counter.packed(counter.buyer(), {"rice": 1})[0]
    assert here.number in client.get(f"/station/deliveries/{here.cycle_id}").text
    answer = arrive(client, cycles=str(here.cycle_id), counted="1", here=[here.number])
    assert "1 order is still missing." in answer.text
    assert (state_of(here), state_of(missing)) == (SubOrderState.READY, SubOrderState.PACKED)


def test_what_was_packed_after_the_counting_page_was_opened_is_not_received(client: FlaskClient, counter: Counter) -> None:
    (seen,) = counter.packed(counter.buyer(), {"rice": 1})
    page = client.get(f"/station/deliveries/{seen.cycle_id}").text
    (unseen,) = counter.packed(counter.buyer(), {"rice": 1})
    here = re.findall(r'name="here" value="([^"]+)"', page)
    answer = arrive(client, cycles=str(seen.cycle_id), counted=field(page, "counted"), here=here)
    assert "1 order is ready; 1 resident was told." in answer.text
    assert (state_of(seen), state_of(unseen)) == (SubOrderState.READY, SubOrderState.PACKED)
    again = arrive(client, cycles=str(seen.cycle_id), counted="1", here=[seen.number])
    assert "Nothing has changed." in again.text
    assert "is ready" not in again.text.partition("<main")[0]


def test_a_count_without_a_tick_stays_on_its_page_and_changes_nothing(client: FlaskClient, counter: Counter) -> None:
    (part,) = counter.packed(counter.buyer(), {"rice": 1})
    answer = arrive(client, cycles=str(part.cycle_id), counted="1")
    assert answer.status_code == 422
    assert "No parcel is ticked, so nothing was changed." in answer.text
    assert f'name="here" value="{part.number}"' in answer.text
    assert "data-here checked" not in answer.text
    assert state_of(part) is SubOrderState.PACKED


@pytest.mark.parametrize("counting", [False, True])
def test_a_delivery_of_another_day_is_asked_about_before_anybody_is_told(client: FlaskClient, counter: Counter, counting: bool) -> None:
    here, missing = (counter.packed(counter.buyer(), {"rice": 1})[0] for _ in range(2))
    counted: dict[str, Any] = {"counted": "1", "here": [here.number]} if counting else {}
    data = {"cycles": str(here.cycle_id), **counted}
    asked = client.post("/station/arrivals", data=data)
    assert "Is it really here?" in asked.text
    assert escape(counter.merchants[0].name_en) in asked.text
    assert {state_of(here), state_of(missing)} == {SubOrderState.PACKED}
    client.post("/station/arrivals", data={**data, "back": "1"})
    assert {state_of(here), state_of(missing)} == {SubOrderState.PACKED}
    assert ('name="here"' in asked.text) is counting
    client.post("/station/arrivals", data={**data, "early": field(asked.text, "early")})
    assert (state_of(here), state_of(missing)) == (SubOrderState.READY, SubOrderState.PACKED if counting else SubOrderState.READY)


def test_a_delivery_of_today_is_received_without_a_question(client: FlaskClient, counter: Counter) -> None:
    (part,) = counter.packed(counter.buyer(), {"rice": 1})
    clock.move(timedelta(days=2))
    sign_in(client, counter.keeper_user, second_factor=True)
    client.post("/station/arrivals", data={"cycles": str(part.cycle_id)})
    assert state_of(part) is SubOrderState.READY


def test_a_delivery_that_nobody_packed_is_refused_in_words(client: FlaskClient, counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 1})
    answer = arrive(client, cycles=str(part.cycle_id))
    assert "nothing can have arrived" in answer.text


def test_a_typed_code_leads_to_the_pass_and_one_click_hands_it_over(client: FlaskClient, counter: Counter) -> None:
    visit = counter.ready(counter.buyer(display_name="李梅"), {"rice": 1, "oil": 1})
    found = client.post("/station/desk", data={"code": f"{visit.code[:3]} {visit.code[3:]}"})
    assert found.status_code == 303
    assert visit.code not in found.location
    page = client.get(found.location).text
    assert "李*" in page
    assert "李梅" not in page
    assert page.count('name="sub_orders"') == 2
    assert "Hand over 2 orders, 2 pieces" in page
    data = shown(client, visit.ref)
    done = client.post(found.location, data=data, follow_redirects=True)
    assert "scan-good" in done.text
    assert "李*: 2 orders" in done.text
    again = client.post(found.location, data=data, follow_redirects=True)
    assert "scan-good" in again.text
    assert balance(f"merchant:{counter.merchants[0].id}") == 1_940
    assert scans() == [("accepted", None)]


def test_a_hand_over_to_the_wrong_person_is_taken_back_with_a_reason(client: FlaskClient, counter: Counter) -> None:
    visit = counter.ready(counter.buyer(display_name="李梅"), {"rice": 1})
    data = shown(client, visit.ref)
    done = client.post(f"/station/desk/{visit.ref}", data=data, follow_redirects=True).text
    assert "Take this hand-over back" in done
    assert f'href="/station/desk?done={data["client_id"]}"' in client.get("/station/log").text
    told = {"client_id": field(done, "client_id")}
    silent = client.post("/station/take-back", data=told)
    assert (silent.status_code, "Please say why, in a few words." in silent.text) == (422, True)
    assert balance(f"merchant:{counter.merchants[0].id}") == 1_940
    back = client.post("/station/take-back", data={**told, "reason": "the wrong neighbour"}, follow_redirects=True).text
    assert "The goods wait here again." in back
    assert "Take this hand-over back" not in back
    assert "Handed over" not in back.partition('id="scan-result"')[2].partition("</div></div>")[0]
    assert balance(f"merchant:{counter.merchants[0].id}") == 0
    assert visit.ref in client.get("/station/waiting").text
    assert "Taken back" in client.get("/station/log").text
    assert client.post("/station/take-back", data={"client_id": "somebody-elses", "reason": "x"}).status_code == 404


def test_some_of_it_can_stay_here(client: FlaskClient, counter: Counter) -> None:
    rice, oil = counter.packed(buyer := counter.buyer(), {"rice": 1, "oil": 1})
    counter.receive([rice, oil])
    place = f"/station/desk/{counter.pass_of(buyer).ref}"
    data = {**shown(client, counter.pass_of(buyer).ref), "sub_orders": [rice.number]}
    done = client.post(place, data=data, follow_redirects=True)
    assert "1 order still waits here" in done.text
    assert state_of(oil) is SubOrderState.READY


@pytest.mark.parametrize("code", ["000000", "L1.forged", "hello", "0000"])
def test_what_opens_nothing_is_loudly_refused(client: FlaskClient, counter: Counter, code: str) -> None:
    answer = client.post("/station/desk", data={"code": code})
    assert answer.status_code == 422
    assert "scan-danger" in answer.text
    assert len(scans()) == 1


def test_a_pass_of_another_point_names_that_point(client: FlaskClient, counter: Counter, make: Factories) -> None:
    elsewhere = Counter(make)
    elsewhere.goods("salt")
    visit = elsewhere.ready(elsewhere.buyer(), {"salt": 1})
    answer = client.post("/station/desk", data={"code": visit.ref})
    assert escape(elsewhere.point.name_en) in answer.text
    assert client.get(f"/station/desk/{visit.ref}").status_code == 404
    assert client.post(f"/station/desk/{visit.ref}", data={"sub_orders": "x"}).status_code == 404
    assert client.post(f"/station/desk/{visit.ref}/extend").status_code == 404
    (part,) = elsewhere.packed(elsewhere.buyer(), {"salt": 1})
    assert client.get(f"/station/deliveries/{part.cycle_id}").status_code == 404
    assert client.post("/station/arrivals", data={"cycles": str(part.cycle_id)}).status_code == 404
    assert state_of(part) is SubOrderState.PACKED


def test_four_figures_open_nothing_before_the_name_was_asked(client: FlaskClient, counter: Counter) -> None:
    visit = counter.ready(counter.buyer(phone="13900007788", display_name="王强"), {"rice": 1})
    page = client.post("/station/desk", data={"code": "7788"})
    assert page.status_code == 200
    assert "Ask for the name before you open a pass." in page.text
    assert f'href="/station/desk/{visit.ref}"' in page.text


def test_a_scanned_label_opens_what_it_is_on(client: FlaskClient, counter: Counter) -> None:
    buyer = counter.buyer()
    (part,) = counter.packed(buyer, {"rice": 1})
    page = client.get(f"/station/deliveries/{part.cycle_id}").text
    code = re.search(r"<h1>(T[0-9-]+)</h1>", page)
    assert code
    assert client.post("/station/desk", data={"code": code[1]}).location == f"/station/deliveries/{part.cycle_id}"
    coming = client.post("/station/desk", data={"code": part.number})
    assert (coming.status_code, "This parcel is not marked as here" in coming.text) == (200, True)
    assert f'href="/station/deliveries/{part.cycle_id}"' in coming.text
    counter.receive([part])
    assert client.post("/station/desk", data={"code": part.number}).location == f"/station/desk/{counter.pass_of(buyer).ref}"
    assert scans() == []
    assert "data-scan" in client.get("/station/").text


def test_a_wrong_code_stays_in_its_field_and_a_scan_does_not(client: FlaskClient, counter: Counter) -> None:
    assert 'name="code" value="482 193"' in client.post("/station/desk", data={"code": "482 193"}).text
    assert 'name="code" value=""' in client.post("/station/desk", data={"code": "L1.V260608-7K3M9QXA.1781000000"}).text


def test_what_a_resident_says_leads_on_at_the_desk(client: FlaskClient, counter: Counter) -> None:
    buyer = counter.buyer(phone="13900007788", display_name="王强")
    (part,) = counter.packed(buyer, {"rice": 1})
    counter.receive([part])
    place = f"/station/desk/{counter.pass_of(buyer).ref}"
    scanned = codes.qr_text(counter.pass_of(buyer).ref, counter.pass_of(buyer).valid_until, clock.now()).replace(".", "。")
    for said in (part.number.rpartition("-")[0], part.number.partition("-")[2], scanned, f"Ｌ{part.number[1:]}"):
        assert client.post("/station/desk", data={"code": said}).location == place, said
    people = client.post("/station/desk", data={"code": "+86 139 0000 7788"})
    assert (people.status_code, f'href="{place}"' in people.text, "Ask for the name" in people.text) == (200, True, True)
    nobody = client.post("/station/desk", data={"code": "139 0000 7799"})
    assert (nobody.status_code, "Nothing waits here for this phone number." in nobody.text) == (422, True)
    assert 'name="code" value="139 0000 7799"' in nobody.text
    assert "7788" in client.get("/station/waiting", query_string={"tail": "+86 139 0000 7788"}).text


def test_two_people_with_the_same_end_of_their_number_are_both_offered(client: FlaskClient, counter: Counter) -> None:
    counter.ready(counter.buyer(phone="13900007788", display_name="王强"), {"rice": 1})
    counter.ready(counter.buyer(phone="13811117788", display_name="赵敏"), {"rice": 1})
    page = client.post("/station/desk", data={"code": "7788"}).text
    assert "王*" in page
    assert "赵*" in page


def test_too_many_wrong_codes_are_told_and_a_right_one_opens(client: FlaskClient, counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    wrong = [code for number in range(rules.GUESSES_PER_MINUTE + 2) if (code := f"{number:06d}") != visit.code]
    for code in wrong[: rules.GUESSES_PER_MINUTE]:
        client.post("/station/desk", data={"code": code})
    answer = client.post("/station/desk", data={"code": wrong[-1]})
    assert answer.status_code == 429
    assert "Too many wrong codes" in answer.text
    assert client.post("/station/desk", data={"code": visit.code}).location == f"/station/desk/{visit.ref}"


def test_goods_that_nobody_can_have_read_are_not_handed_over(client: FlaskClient, counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1, "oil": 1})
    place = f"/station/desk/{visit.ref}"
    data = shown(client, visit.ref, read=False)
    kept = data["sub_orders"][:1]
    early = client.post(place, data={**data, "sub_orders": kept})
    assert early.status_code == 422
    assert "That was too quick. Nothing was handed over" in early.text
    assert early.text.count(" checked") == 1, "what was ticked stays ticked"
    assert scans() == []
    again = {"client_id": field(early.text, "client_id"), "shown": field(early.text, "shown"), "sub_orders": kept}
    assert client.post(place, data=again).status_code == 422, "the page is read anew"
    look_on(rules.reading_time(2))
    done = client.post(place, data=data, follow_redirects=True)
    assert "scan-good" in done.text
    assert scans() == [("accepted", None)]


@pytest.mark.parametrize("change", ["none", "other page", "sealed by somebody", "ahead"])
def test_a_moment_that_is_not_ours_is_no_moment(client: FlaskClient, counter: Counter, change: str) -> None:
    visit, other = (counter.ready(counter.buyer(), {"rice": 1}) for _ in range(2))
    data = shown(client, visit.ref)
    moment, _, seal = data["shown"].partition(".")
    changed = {
        "none": {"shown": ""}, "other page": {"shown": shown(client, other.ref)["shown"]}, "sealed by somebody": {"shown": f"1.{seal}"},
        "ahead": {"shown": f"{int(moment) + 10**15}.{seal}"},
    }[change]  # fmt: skip
    assert client.post(f"/station/desk/{visit.ref}", data={**data, **changed}).status_code == 422
    assert scans() == []


def test_a_page_that_is_out_of_date_hands_nothing_over_and_says_what_changed(client: FlaskClient, counter: Counter) -> None:
    rice, oil = counter.packed(buyer := counter.buyer(display_name="李梅"), {"rice": 1, "oil": 1})
    counter.receive([rice, oil])
    visit = counter.pass_of(buyer)
    place = f"/station/desk/{visit.ref}"
    stale = shown(client, visit.ref)
    first = {**shown(client, visit.ref), "sub_orders": [rice.number]}
    client.post(place, data=first)
    answer = client.post(place, data=stale)
    assert answer.status_code == 409
    assert "Nothing was handed over now" in answer.text
    assert "1 order is still here." in answer.text
    assert state_of(oil) is SubOrderState.READY
    assert balance(f"merchant:{counter.merchants[1].id}") == 0
    assert answer.text.count('name="sub_orders"') == 2, "what is still here, and what can be taken back"
    assert f'name="client_id" value="{first["client_id"]}"' in answer.text
    back = {"client_id": first["client_id"], "some": "1", "sub_orders": [rice.number], "reason": "the wrong neighbour"}
    assert "The goods wait here again." in client.post("/station/take-back", data=back, follow_redirects=True).text
    assert (state_of(rice), state_of(oil)) == (SubOrderState.READY, SubOrderState.READY)
    assert client.post(place, data=shown(client, visit.ref), follow_redirects=True).text.count("scan-good") == 1


def test_a_page_whose_goods_are_all_gone_names_when_and_with_whom(client: FlaskClient, counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1, "oil": 1})
    stale = shown(client, visit.ref)
    counter.hand_over(visit.code)
    answer = client.post(f"/station/desk/{visit.ref}", data=stale)
    assert (answer.status_code, "2 orders were handed over" in answer.text, "张*" in answer.text) == (409, True, True)
    assert "Take this hand-over back" in answer.text


def test_a_page_used_twice_with_other_ticks_says_that_it_was_used(client: FlaskClient, counter: Counter) -> None:
    rice, oil = counter.packed(buyer := counter.buyer(), {"rice": 1, "oil": 1})
    counter.receive([rice, oil])
    place = f"/station/desk/{counter.pass_of(buyer).ref}"
    data = shown(client, counter.pass_of(buyer).ref)
    client.post(place, data={**data, "sub_orders": [rice.number]})
    answer = client.post(place, data={**data, "sub_orders": [oil.number]})
    assert (answer.status_code, "Another hand-over was told under this number" in answer.text) == (409, True)
    assert state_of(oil) is SubOrderState.READY


def test_the_next_code_opens_the_next_pass_and_names_the_one_that_was_open(client: FlaskClient, counter: Counter) -> None:
    first, second = (counter.ready(counter.buyer(display_name=name), {"rice": 1}) for name in ("李梅", "王强"))
    found = client.post("/station/desk", data={"code": second.code, "open": first.ref}, follow_redirects=True).text
    assert "李*: 1 order was not handed over." in found
    assert f'href="/station/desk/{first.ref}"' in found
    wrong = client.post("/station/desk", data={"code": "hello", "open": first.ref})
    assert "李*: 1 order was not handed over." in wrong.text
    assert "not handed over." not in client.post("/station/desk", data={"code": first.code, "open": first.ref}, follow_redirects=True).text
    counter.hand_over(first.code)
    gone = client.post("/station/desk", data={"code": second.code, "open": first.ref}, follow_redirects=True).text
    assert "not handed over." not in gone
    assert scans() == [("refused", "not_a_pass"), ("accepted", None)]


def test_an_empty_field_leads_back_to_where_it_was(client: FlaskClient, counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    assert client.post("/station/desk", data={"code": " ", "open": visit.ref}).location == f"/station/desk/{visit.ref}"
    assert client.post("/station/desk", data={"code": "", "open": "V260608-22222222", "done": "d-1"}).location == "/station/desk?done=d-1"


def test_the_log_is_searched_by_an_order(client: FlaskClient, counter: Counter) -> None:
    (part,) = counter.packed(buyer := counter.buyer(display_name="李梅"), {"rice": 1})
    counter.receive([part])
    counter.hand_over(counter.pass_of(buyer).code)
    counter.hand_over(counter.ready(counter.buyer(display_name="王强"), {"rice": 1}).code)
    page = client.get("/station/log", query_string={"number": f"#{part.number.lower()}"})
    assert (page.status_code, "李*" in page.text, "王*" in page.text) == (200, True, False)
    nothing = client.get("/station/log", query_string={"number": "hello"})
    assert (nothing.status_code, "This is no number of an order." in nothing.text, "李*" in nothing.text) == (422, True, False)
    assert "No such scan" in client.get("/station/log", query_string={"number": "L260608-22222222"}).text


def test_a_keeper_of_two_points_can_change_but_only_to_their_own(client: FlaskClient, counter: Counter, make: Factories) -> None:
    second, foreign = make.point(), make.point()
    make.grant(counter.keeper_user, Role.KEEPER, point=second)
    assert client.post("/station/point", data={"point": str(second.id)}, follow_redirects=True).text.count(escape(second.name_en)) > 0
    assert client.post("/station/point", data={"point": str(foreign.id)}).status_code == 404


def test_the_log_shows_refusals_in_words(client: FlaskClient, counter: Counter) -> None:
    client.post("/station/desk", data={"code": "000000"})
    assert "We do not know this code here." in client.get("/station/log").text


@pytest.mark.parametrize("path", ["/station/", "/station/desk", "/station/log"])
def test_only_keepers_with_a_second_factor_come_in(client: FlaskClient, counter: Counter, path: str) -> None:
    assert client.get(path).status_code == 200
    sign_in(client, counter.keeper_user)
    assert client.get(path).status_code in {302, 303, 403}
    sign_in(client, counter.clerk_users[0], second_factor=True)
    assert client.get(path).status_code == 403
    sign_in(client, counter.buyer(), second_factor=True)
    assert client.get(path).status_code == 403
