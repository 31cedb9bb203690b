"""Operators see how each partner answers and what waits for it, on a page and through the API, and can have a silent one asked again."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.models.accounts import Role, User
from shop.models.bills import Biller
from shop.models.platform import AuditEntry, Job, JobState, Partner, PartnerState
from shop.platform import backlog, outbox, partners
from tests.support.bills import save_billers
from tests.support.factories import Factories
from tests.support.people import bearer
from tests.support.queries import counted
from tests.web.test_admin_pages import job, signed_in_as, signs

PAGE, LANES, PARTNERS = "/admin/partners", "/api/v1/operations/lanes", "/api/v1/operations/partners"
SMS_WAITS = {"lane": "partner:sms", "last_error": "partner sms does not answer"}


@pytest.fixture
def operator(make: Factories, client: FlaskClient) -> User:
    save_billers()
    return signed_in_as(make, client, Role.OPERATOR)


@pytest.fixture
def token(app: Flask, operator: User) -> dict[str, str]:
    return {**bearer(app, operator, second_factor=True), "Accept-Language": "en"}


def silence(name: str = "sms", kind: str = "ConnectionError") -> None:
    for _ in range(partners.FAILURES):
        perform(partners.note_failure, name, kind)


def partner(name: str = "sms") -> Partner:
    reading().rollback()
    return reading().scalars(sa.select(Partner).where(Partner.name == name)).one()


def due_of(job_id: int) -> datetime:
    reading().rollback()
    return reading().scalars(sa.select(Job.run_at).where(Job.id == job_id)).one()


def deeds() -> list[AuditEntry]:
    reading().rollback()
    return list(reading().scalars(sa.select(AuditEntry).where(AuditEntry.action == "partner.asked_again")))


def row(page: str, name: str) -> str:
    """What stands in a table in the row of something, without tags."""
    (found,) = [text for text in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL) if name in text]
    return " ".join(re.sub(r"<[^>]*>", " ", found).split())


# --- seeing ---


def test_every_partner_is_there_those_in_trouble_first(client: FlaskClient, operator: User) -> None:
    power = reading().scalars(sa.select(Biller.name_en).where(Biller.code == "power")).one()
    assert "Answers" in row(client.get(PAGE).text, power)
    silence("biller:power", "ReadTimeout")
    perform(partners.note_failure, "sms", "ConnectionError")
    asked = clock.now() - timedelta(hours=3)
    job(JobState.QUEUED, **SMS_WAITS, created_at=asked, run_at=clock.now() + timedelta(minutes=9))
    job(JobState.QUEUED, lane="partner:biller:power", last_error=None, run_at=clock.now() - timedelta(minutes=1))
    job(JobState.QUEUED, lane="soon", last_error=None, run_at=clock.now() + timedelta(hours=1))  # its time has not come
    page = client.get(PAGE).text
    assert re.search(rf"{power}.*?Is not asked.*?Text messages.*?Failed lately.*?Card payments.*?Answers", page, re.DOTALL)
    partners_table, lanes_table = page.split('aria-labelledby="lanes"')
    assert "ReadTimeout Is not asked" in re.sub(r"Why it.*?now ", "", row(partners_table, power).replace("Ask again now ", ""))
    assert "Everyday work" not in lanes_table
    found = {lane.name: lane for lane in overview(client).lanes}
    assert set(found) == {"partner:sms", "partner:biller:power"}
    assert (found["partner:sms"].waiting, found["partner:sms"].oldest) == (1, asked), "counted from when it was asked for"
    assert (signs()["partners_silent"], signs()["jobs_kept_waiting"]) == (1, 1)
    assert "Partners that do not answer" in client.get("/admin/").text


def overview(client: FlaskClient) -> backlog.Overview:
    reading().rollback()
    with client.application.test_request_context(PAGE):
        return backlog.overview(reading())


def test_a_breaker_is_open_then_half_open_then_closed(client: FlaskClient, operator: User) -> None:
    def sms() -> backlog.Standing:
        return next(one for one in overview(client).partners if one.name == "sms")

    silence()
    opened = partner().opened_at
    assert (sms().breaker, sms().since, sms().last_failure) == (backlog.Breaker.OPEN, opened, "ConnectionError")
    assert sms().next_try_at == partner().next_probe_at
    clock.move(partners.PAUSE + timedelta(seconds=1))
    assert sms().breaker is backlog.Breaker.HALF
    assert "Is tried again" in client.get(PAGE).text
    with partners.asking("sms", 5):
        pass
    assert (sms().breaker, sms().since) == (backlog.Breaker.CLOSED, None)


def test_a_lane_tells_what_runs_and_what_gave_up(client: FlaskClient, operator: User) -> None:
    job(JobState.RUNNING, lane="bulk", finished_at=None)
    job(JobState.DEAD, lane="bulk", finished_at=clock.now())
    job(JobState.DEAD, lane="now", finished_at=clock.now())
    page = client.get(PAGE).text.split('aria-labelledby="lanes"')[1]
    assert row(page, "Large work, no hurry") == "Large work, no hurry 0 – 1 1"
    assert row(page, "Codes by text message") == "Codes by text message 0 – 0 1"


def test_every_lane_has_a_name_for_people(client: FlaskClient, operator: User) -> None:
    """What work is kept in is known to the code; what stands on a page is for somebody who looks after the shop."""
    lanes = {registered.lane for registered in outbox.HANDLERS.values() if isinstance(registered.lane, str)}
    for lane in lanes:
        job(JobState.QUEUED, lane=lane)
    assert [lane.name for lane in overview(client).lanes if lane.words == lane.name] == []
    page = client.get(PAGE).text
    assert ">partner:" not in page
    client.set_cookie("locale", "zh")
    assert "现在重新询问" not in client.get(PAGE).text, "nobody is silent"
    silence()
    assert "现在重新询问" in client.get(PAGE).text


def test_it_costs_the_same_for_one_job_and_for_many(client: FlaskClient, operator: User, token: dict[str, str]) -> None:
    costs: dict[str, list[int]] = {PAGE: [], LANES: [], PARTNERS: []}
    for rows in (1, 2, 30):  # the first time, what every page needs is read too
        for number in range(rows):
            job(JobState.QUEUED, lane=f"partner:biller:{number}", dedupe_key=f"{rows}:{number}")
            perform(partners.note_failure, f"biller:{number}", "ReadTimeout")
        for path, counts in costs.items():
            with counted() as statements:
                assert client.get(path, headers=token).status_code == 200
            counts.append(len(statements))
    assert all(few == many for _first, few, many in costs.values()), costs


# --- asking again ---


def test_a_silent_partner_is_asked_again_and_what_waited_is_due(client: FlaskClient, operator: User) -> None:
    silence()
    later = clock.now() + timedelta(minutes=9)
    waiting, of_another = job(JobState.QUEUED, **SMS_WAITS, run_at=later), job(JobState.QUEUED, lane="partner:stripe", run_at=later)
    not_yet = job(JobState.QUEUED, lane="partner:sms", last_error=None, run_at=later)
    answer = client.post(f"{PAGE}/sms/ask", data={"reason": "the carrier says so"}, follow_redirects=True)
    assert "Text messages is being asked again." in answer.text
    assert partners.silent_until(reading(), "sms") is None
    assert partner().state is PartnerState.CLOSED
    assert due_of(waiting) <= clock.now()
    assert (due_of(of_another), due_of(not_yet)) == (later, later), "what waits for another, or for its time, is left alone"
    (entry,) = deeds()
    assert (entry.actor_id, entry.subject_id) == (operator.id, partner().id)
    assert entry.facts == {"partner": "sms", "reason": "the carrier says so"}
    assert "Silent partner asked again" in client.get("/admin/audit").text


def test_one_more_failure_and_it_is_left_alone_again(client: FlaskClient, operator: User) -> None:
    silence()
    client.post(f"{PAGE}/sms/ask", data={"reason": "I hope so"})
    assert partners.silent_until(reading(), "sms") is None
    perform(partners.note_failure, "sms", "ConnectionError")
    assert partners.silent_until(reading(), "sms") is not None


def test_at_most_so_many_are_due_at_once(client: FlaskClient, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partners, "BROUGHT_FORWARD", 2)
    silence()
    made = [job(JobState.QUEUED, **SMS_WAITS, run_at=clock.now() + timedelta(minutes=number)) for number in (3, 1, 2)]
    client.post(f"{PAGE}/sms/ask", data={"reason": "it is back"})
    assert [due_of(number) <= clock.now() for number in made] == [False, True, True], "the next in turn first"


@pytest.mark.parametrize("before", ["never failed", "failed once", "asked again before"])
def test_one_that_is_asked_anyway_is_left_as_it_is(client: FlaskClient, operator: User, before: str) -> None:
    if before == "failed once":
        perform(partners.note_failure, "sms", "ConnectionError")
    if before == "asked again before":
        silence()
        client.post(f"{PAGE}/sms/ask", data={"reason": "once"})
    written = len(deeds())
    later = clock.now() + timedelta(minutes=9)
    waiting = job(JobState.QUEUED, **SMS_WAITS, run_at=later)
    answer = client.post(f"{PAGE}/sms/ask", data={"reason": "twice"}, follow_redirects=True)
    assert "Nothing was changed" in answer.text
    assert (due_of(waiting), len(deeds())) == (later, written)


@pytest.mark.parametrize(("name", "reason"), [("sms", "  "), ("sms", "x" * 201), ("nobody", "why"), ("biller:nobody", "why")])
def test_without_a_reason_or_a_partner_nothing_happens(client: FlaskClient, operator: User, name: str, reason: str) -> None:
    silence()
    assert client.post(f"{PAGE}/{name}/ask", data={"reason": reason}).status_code == (303 if name == "sms" else 404)
    assert partners.silent_until(reading(), "sms") is not None
    assert deeds() == []


@pytest.mark.parametrize("role", [Role.FINANCE, Role.AUDITOR])
def test_others_of_the_staff_look_and_press_nothing(client: FlaskClient, app: Flask, make: Factories, role: Role) -> None:
    other = signed_in_as(make, client, role)
    silence()
    page = client.get(PAGE)
    assert page.status_code == 200
    assert "Ask again now" not in page.text
    assert client.post(f"{PAGE}/sms/ask", data={"reason": "why"}).status_code == 403
    headers = bearer(app, other, second_factor=True)
    assert client.get(PARTNERS, headers=headers).status_code == 200
    assert client.post(f"{PARTNERS}/sms/ask", json={"reason": "why"}, headers=headers).status_code == 403
    assert partners.silent_until(reading(), "sms") is not None
    assert deeds() == []


def test_residents_and_strangers_see_nothing_of_it(client: FlaskClient, app: Flask, make: Factories) -> None:
    silence()
    headers = bearer(app, make.user(), second_factor=True)
    for path in (LANES, PARTNERS):
        assert (client.get(path).status_code, client.get(path, headers=headers).status_code) == (401, 403)
    assert client.post(f"{PARTNERS}/sms/ask", json={"reason": "why"}, headers=headers).status_code == 403
    assert partners.silent_until(reading(), "sms") is not None


# --- through the API ---


def test_the_api_tells_the_same_and_does_the_same(client: FlaskClient, operator: User, token: dict[str, str]) -> None:
    silence()
    waiting = job(JobState.QUEUED, **SMS_WAITS, run_at=clock.now() + timedelta(minutes=9))
    job(JobState.DEAD, lane="partner:sms", finished_at=clock.now())
    (lane,) = items(client, LANES, token)
    assert (lane["lane"], lane["name"], lane["waiting"], lane["dead"]) == ("partner:sms", "Text messages", 1, 1)
    first = items(client, PARTNERS, token)[0]
    assert (first["partner"], first["breaker"], first["last_failure"], first["waiting"]) == ("sms", "open", "ConnectionError", 1)
    assert first["next_try_at"] is not None
    said = client.post(f"{PARTNERS}/sms/ask", json={"reason": "it is back"}, headers=token)
    assert (said.status_code, said.get_json()["asked"], said.get_json()["partner"]["breaker"]) == (200, True, "closed")
    assert due_of(waiting) <= clock.now()
    again = client.post(f"{PARTNERS}/sms/ask", json={"reason": "it is back"}, headers=token)
    assert again.get_json()["asked"] is False
    assert len(deeds()) == 1
    assert client.post(f"{PARTNERS}/nobody/ask", json={"reason": "why"}, headers=token).status_code == 404
    assert client.post(f"{PARTNERS}/sms/ask", json={}, headers=token).status_code == 422


def items(client: FlaskClient, path: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.get_json()["items"]
    return found
