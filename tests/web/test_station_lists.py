"""The keeper's lists and the counter with a queue: who waits, what was scanned, and the next scan at once."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from markupsafe import escape

from shop.kernel import clock
from shop.kernel.db import transaction
from shop.models.orders import SubOrderState
from shop.models.pickup import Pass
from tests.support.counter import Counter, scans, shown, state_of
from tests.support.factories import Factories
from tests.support.people import sign_in
from tests.support.queries import counted

pytestmark = pytest.mark.both_engines

LISTS = ("/station/", "/station/desk", "/station/waiting", "/station/waiting/print", "/station/log")


@pytest.fixture
def counter(make: Factories, client: FlaskClient) -> Counter:
    made = Counter(make)
    made.goods("rice", price=2_000, on_hand=500)
    made.goods("oil", merchant=1, price=5_000)
    sign_in(client, made.keeper_user, second_factor=True)
    return made


def refs_in(page: str) -> list[str]:
    return re.findall(r'href="/station/desk/(V[^"]+)"', page)


def test_who_waits_is_listed_masked_with_how_much(client: FlaskClient, counter: Counter) -> None:
    buyer = counter.buyer(display_name="王小明")
    visit = counter.ready(buyer, {"rice": 1, "oil": 1})
    page = client.get("/station/waiting").text
    assert refs_in(page) == [visit.ref]
    assert "王**" in page
    assert "王小明" not in page
    assert buyer.phone not in page
    assert buyer.phone[-4:] in page
    assert visit.code not in page
    assert visit.ref in client.get(f"/station/waiting?tail={buyer.phone[-4:]}").text
    assert refs_in(client.get("/station/waiting?tail=00000").text) == []
    assert "王**" in client.get("/station/waiting/print").text
    counter.hand_over(visit.code)
    assert "Nothing waits here" in client.get("/station/waiting").text


def test_passes_that_ran_out_are_found_and_marked(client: FlaskClient, counter: Counter) -> None:
    old, fresh = counter.ready(counter.buyer(), {"rice": 1}), counter.ready(counter.buyer(), {"rice": 1})
    with transaction() as session:
        session.execute(sa.update(Pass).where(Pass.id == old.id).values(valid_until=clock.now() - timedelta(minutes=1)))
    assert refs_in(client.get("/station/waiting?overdue=1").text) == [old.ref]
    assert refs_in(client.get("/station/waiting").text) == [old.ref, fresh.ref]
    assert refs_in(client.get("/station/waiting?sort=-until").text) == [fresh.ref, old.ref]
    assert 'aria-sort="descending"' in client.get("/station/waiting?sort=-until").text
    assert "overdue=1" in client.get("/station/").text


def test_those_who_wait_are_paged_and_each_is_shown_once(client: FlaskClient, counter: Counter) -> None:
    made = {counter.ready(counter.buyer(), {"rice": 1}).ref for _ in range(52)}
    first = client.get("/station/waiting?sort=since").text
    link = re.search(r'rel="next" href="([^"]+)"', first)
    assert link
    second = client.get(link[1].replace("&amp;", "&")).text
    assert (len(refs_in(first)), len(refs_in(second))) == (50, 2)
    assert set(refs_in(first)) | set(refs_in(second)) == made


def test_other_points_see_nobody_of_this_one(client: FlaskClient, counter: Counter, make: Factories) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    part = counter.packed(counter.buyer(), {"rice": 1})[0]
    stranger, _actor = counter.new_keeper(make.point())
    sign_in(client, stranger, second_factor=True)
    for path in LISTS:
        assert visit.ref not in client.get(path).text, path
    assert client.get(f"/station/deliveries/{part.cycle_id}/print").status_code == 404


@pytest.mark.parametrize("path", LISTS)
def test_only_keepers_come_in(client: FlaskClient, counter: Counter, path: str) -> None:
    sign_in(client, counter.clerk_users[0], second_factor=True)
    assert client.get(path).status_code == 403
    sign_in(client, counter.keeper_user)
    assert client.get(path).status_code in {302, 303, 403}


def test_scans_are_found_by_outcome_and_day(client: FlaskClient, counter: Counter) -> None:
    visit = counter.ready(counter.buyer(), {"rice": 1})
    counter.hand_over(visit.code)
    counter.hand_over("000000")
    assert [outcome for outcome, _reason in scans()] == ["accepted", "refused"]
    today = clock.today()
    for query, handed, refused in (
        ("", True, True), ("outcome=accepted", True, False), ("outcome=refused", False, True), (f"day={today}", True, True),
        (f"day={today - timedelta(days=1)}", False, False), ("outcome=nonsense&day=someday", True, True),
    ):  # fmt: skip
        page = client.get(f"/station/log?{query}").text.partition("<tbody>")[2]
        assert (">Handed over<" in page, ">Refused<" in page) == (handed, refused), query


def test_the_scan_field_stands_on_every_page_of_a_hand_over(client: FlaskClient, counter: Counter) -> None:
    first, second = counter.ready(counter.buyer(), {"rice": 1}), counter.ready(counter.buyer(), {"oil": 1})
    page = client.get(client.post("/station/desk", data={"code": first.code}).location).text
    assert page.count("data-scan") == 1
    assert re.search(r"<input[^>]*data-scan autofocus", page), "until script listens, what is scanned goes into the field"
    assert not re.search(r"<button[^>]*autofocus", page), "and never presses the button"
    following = client.post("/station/desk", data={"code": second.code})
    assert following.location == f"/station/desk/{second.ref}", "the next scan opens the next pass, the one before stays as it was"
    assert len(scans()) == 0


def test_the_answer_is_large_and_says_in_the_title_how_it_went(client: FlaskClient, counter: Counter) -> None:
    visit = counter.ready(counter.buyer(display_name="李梅"), {"rice": 1, "oil": 1})
    refused = client.post("/station/desk", data={"code": "000001"})
    assert refused.status_code == 422
    assert "scan-danger" in refused.text
    assert "<title>✗" in refused.text
    data = shown(client, visit.ref)
    done = client.post(f"/station/desk/{visit.ref}", data={**data, "sub_orders": data["sub_orders"][:1]}, follow_redirects=True).text
    assert "<title>✓" in done
    assert "李*: 1 order" in done
    assert "1 order still waits here" in done


def test_a_batch_can_be_counted_on_paper_and_by_scanning(client: FlaskClient, counter: Counter) -> None:
    (part,) = counter.packed(counter.buyer(display_name="王小明"), {"rice": 3})
    page = client.get(f"/station/deliveries/{part.cycle_id}").text
    assert "data-tick-by-scan" in page
    assert f'name="here" value="{part.number}"' in page
    paper = client.get(f"/station/deliveries/{part.cycle_id}/print").text
    assert part.number in paper
    assert "王小明" not in paper
    assert state_of(part) is SubOrderState.PACKED


def test_the_board_counts_what_is_expected_and_what_arrived(client: FlaskClient, counter: Counter) -> None:
    counter.ordered(counter.buyer(), {"rice": 1})
    counter.packed(counter.buyer(), {"rice": 1})
    counter.ready(counter.buyer(), {"oil": 1})
    figures = re.findall(r'figure-label">([^<]+)</span><span class="figure-value figures">([^<]+)', client.get("/station/").text)
    assert dict(figures) == {
        "Expected": "2", "Arrived": "1", "Waiting here": "1", "Handed over today": "0", "Passes that ran out": "0", "Refused today": "0",
        "Missing or late": "0",
    }  # fmt: skip


def test_what_is_still_to_come_stands_before_what_is_here(client: FlaskClient, counter: Counter) -> None:
    counter.ready(counter.buyer(), {"rice": 1})
    assert "Everything that was expected is here." in client.get("/station/").text
    counter.packed(counter.buyer(), {"oil": 1})
    page = client.get("/station/").text
    to_tick, _summary, arrived = page.partition("arrived today")
    assert to_tick.count('name="cycles"') == 1
    assert escape(counter.merchants[1].name_en) in to_tick
    assert escape(counter.merchants[0].name_en) not in to_tick
    assert (escape(counter.merchants[0].name_en) in arrived, 'name="cycles"' in arrived) == (True, False)


@pytest.mark.parametrize("path", LISTS)
def test_a_page_costs_the_same_for_one_row_and_for_many(client: FlaskClient, counter: Counter, path: str) -> None:
    costs = []
    for number in (1, 1, 8):
        for _ in range(number):
            counter.hand_over(counter.ready(counter.buyer(), {"rice": 1}).code)
            counter.ready(counter.buyer(), {"rice": 1})
        with counted() as statements:
            assert client.get(path).status_code == 200
        costs.append(len(statements))
    assert costs[1] == costs[2], costs
