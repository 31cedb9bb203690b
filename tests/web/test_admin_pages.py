"""The operators' console: health, jobs, payments that need a person, the audit trail. Others may look at most."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from shop.consoles.admin import health
from shop.kernel import clock
from shop.kernel.columns import CITY
from shop.kernel.db import perform, reading, transaction
from shop.kernel.money import Money
from shop.models.accounts import Role, User
from shop.models.bills import AttemptKind, AttemptOutcome, BillAttempt, Biller, BillPayment, BillPaymentState
from shop.models.platform import AuditEntry, Job, JobState
from shop.platform import audit_chains
from tests.support.bills import save_billers
from tests.support.factories import Factories
from tests.support.people import sign_in
from tests.support.queries import counted

PAGES = ("/admin/", "/admin/people", "/admin/health", "/admin/partners", "/admin/jobs", "/admin/audit")


@pytest.fixture
def operator(make: Factories, client: FlaskClient) -> User:
    return signed_in_as(make, client, Role.OPERATOR)


def signed_in_as(make: Factories, client: FlaskClient, role: Role) -> User:
    user = make.user()
    make.grant(user, role)
    sign_in(client, user, second_factor=True)
    return user


def job(state: JobState = JobState.DEAD, **values: Any) -> int:
    moment = clock.now()
    facts = {
        "kind": "bills.send", "arguments": {"payment_id": 4711}, "dedupe_key": f"planted:{moment.timestamp()}:{values}", "state": state,
        "run_at": moment, "attempts": 12, "fence": 12, "last_error": "Traceback\nBillerUnavailable: no answer", "created_at": moment,
    }  # fmt: skip
    with transaction() as session:
        made = Job(**{**facts, **values})
        session.add(made)
        session.flush()
        return made.id


def payment(payer: User, number: int, **values: Any) -> BillPayment:
    moment = clock.now()
    with transaction() as session:
        biller = session.scalars(sa.select(Biller).order_by(Biller.id)).first()
        assert biller is not None
        facts = {
            "ref": f"B-{number}", "serial": f"LL-{number}", "request_key": f"planted-{number}", "user_id": payer.id, "biller_id": biller.id,
            "community_id": CITY,
            "account_no": f"51100000{number:02d}", "total": Money(12_340), "state": BillPaymentState.UNKNOWN, "attempts": 1,
            "created_at": moment, "sent_at": moment, "handed_over_at": moment,
        }  # fmt: skip
        made = BillPayment(**{**facts, **values})
        session.add(made)
        session.flush()
        session.add(
            BillAttempt(
                community_id=CITY, bill_payment_id=made.id, number=1, kind=AttemptKind.INQUIRY, started_at=moment, ended_at=moment,
                outcome=AttemptOutcome.UNCLEAR,
            )
        )
        session.flush()
        session.expunge_all()
        return made


def state_of_job(job_id: int) -> JobState:
    reading().rollback()
    return reading().scalars(sa.select(Job.state).where(Job.id == job_id)).one()


def deeds(action: str) -> list[AuditEntry]:
    reading().rollback()
    return list(reading().scalars(sa.select(AuditEntry).where(AuditEntry.action == action)))


def test_a_dead_job_is_put_back_once_with_a_reason_that_is_kept(client: FlaskClient, operator: User) -> None:
    dead = job()
    assert "BillerUnavailable: no answer" in client.get("/admin/jobs?state=dead").text
    answer = client.post(f"/admin/jobs/{dead}/retry", data={"reason": "the biller is back"}, follow_redirects=True)
    assert f"Job {dead} (bills.send) is in the queue again." in answer.text
    assert state_of_job(dead) is JobState.QUEUED
    (entry,) = deeds("job.retried")
    assert (entry.actor_id, entry.subject_id, entry.facts["reason"]) == (operator.id, dead, "the biller is back")
    again = client.post(f"/admin/jobs/{dead}/retry", data={"reason": "once more"}, follow_redirects=True)
    assert "Nothing was changed" in again.text
    assert len(deeds("job.retried")) == 1


def test_without_a_reason_nothing_is_put_back(client: FlaskClient, operator: User) -> None:
    dead = job()
    assert "Please say why" in client.post(f"/admin/jobs/{dead}/retry", data={"reason": "  "}, follow_redirects=True).text
    client.post(f"/admin/jobs/{dead}/retry", data={"reason": "x" * 201})
    assert client.post("/admin/jobs/999999/retry", data={"reason": "no such job"}).status_code == 404
    assert state_of_job(dead) is JobState.DEAD
    assert deeds("job.retried") == []


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING, JobState.DONE])
def test_a_job_that_has_not_given_up_is_left_alone(client: FlaskClient, operator: User, state: JobState) -> None:
    other = job(state)
    client.post(f"/admin/jobs/{other}/retry", data={"reason": "impatient"})
    assert state_of_job(other) is state
    assert deeds("job.retried") == []


def test_the_arguments_of_a_job_are_never_shown(client: FlaskClient, operator: User) -> None:
    job()
    assert "4711" not in client.get("/admin/jobs").text


@pytest.mark.parametrize("role", [Role.FINANCE, Role.AUDITOR])
def test_finance_and_auditors_look_and_press_nothing(make: Factories, client: FlaskClient, role: Role) -> None:
    save_billers()
    dead, unknown = job(), payment(make.user(), 1)
    signed_in_as(make, client, role)
    for path in PAGES:
        page = client.get(path)
        assert page.status_code == 200, path
        assert "/retry" not in page.text, path
        assert "/ask" not in page.text, path
    assert client.post(f"/admin/jobs/{dead}/retry", data={"reason": "mine"}).status_code == 403
    assert client.post(f"/admin/people/bills/{unknown.ref}/ask").status_code == 403
    assert state_of_job(dead) is JobState.DEAD
    assert deeds("job.retried") == deeds("bill_payment.asked_again") == []


@pytest.mark.parametrize("path", PAGES)
def test_nobody_else_comes_in(make: Factories, client: FlaskClient, path: str) -> None:
    merchant = make.user()
    make.grant(merchant, Role.MERCHANT_OWNER, merchant=make.merchant())
    sign_in(client, merchant, second_factor=True)
    assert client.get(path).status_code == 403
    sign_in(client, make.user(), second_factor=True)
    assert client.get(path).status_code == 403


def test_an_operator_without_a_second_factor_stays_outside(make: Factories, client: FlaskClient) -> None:
    user = make.user()
    make.grant(user, Role.OPERATOR)
    sign_in(client, user)
    dead = job()
    assert client.get("/admin/").status_code in {302, 303, 403}
    client.post(f"/admin/jobs/{dead}/retry", data={"reason": "in a hurry"})
    assert state_of_job(dead) is JobState.DEAD


def test_a_payment_that_needs_a_person_is_listed_with_what_is_safe(make: Factories, client: FlaskClient, operator: User) -> None:
    save_billers()
    moment = clock.now()
    payer = make.user(display_name="王小明")
    unknown = payment(payer, 1)
    contradicted = payment(payer, 2, state=BillPaymentState.REFUNDED, contradicted_at=moment)
    asked = payment(payer, 3, handed_over_at=None, next_inquiry_at=moment + timedelta(minutes=3))
    payment(payer, 4, state=BillPaymentState.POSTED)
    page = client.get("/admin/people").text
    assert "王**" in page
    assert "王小明" not in page
    assert set(re.findall(r"LL-\d", page)) == {unknown.serial, contradicted.serial}
    assert page.count("Ask the biller now") == 1
    assert "gave no clear answer" in page
    assert set(re.findall(r"LL-\d", client.get("/admin/people?which=asking").text)) == {asked.serial}


def test_asking_a_biller_again_moves_no_money_and_is_written_down(make: Factories, client: FlaskClient, operator: User) -> None:
    save_billers()
    unknown = payment(make.user(), 1)
    answer = client.post(f"/admin/people/bills/{unknown.ref}/ask", follow_redirects=True)
    assert "The biller is being asked." in answer.text
    (entry,) = deeds("bill_payment.asked_again")
    assert (entry.actor_id, entry.subject_id) == (operator.id, unknown.id)
    assert reading().scalars(sa.select(BillPayment.state).where(BillPayment.id == unknown.id)).one() is BillPaymentState.UNKNOWN


def test_a_payment_whose_end_is_known_is_not_asked_about(make: Factories, client: FlaskClient, operator: User) -> None:
    save_billers()
    posted = payment(make.user(), 1, state=BillPaymentState.POSTED)
    assert "Nothing was asked." in client.post(f"/admin/people/bills/{posted.ref}/ask", follow_redirects=True).text
    assert client.post("/admin/people/bills/B-none/ask").status_code == 404
    assert deeds("bill_payment.asked_again") == []


def test_the_trail_is_found_by_deed_person_thing_and_day(client: FlaskClient, operator: User) -> None:
    first, second = job(), job()
    client.post(f"/admin/jobs/{first}/retry", data={"reason": "first"})
    client.post(f"/admin/jobs/{second}/retry", data={"reason": "second"})
    today, tomorrow = clock.today().isoformat(), (clock.today() + timedelta(days=1)).isoformat()
    for query, expected in (
        ("action=job.", {"first", "second"}), (f"subject=job&subject_id={first}", {"first"}),
        (f"actor=user&actor_id={operator.id}&action=job", {"first", "second"}),
        (f"since={today}&until={today}&action=job", {"first", "second"}),
        (f"since={tomorrow}", set()), ("action=bill", set()), ("actor=command", set()),
    ):  # fmt: skip
        page = client.get(f"/admin/audit?{query}").text
        assert {word for word in ("first", "second") if f"Why</span> {word}<" in page} == expected, query


@pytest.mark.parametrize("query", ["cursor=%00", "size=7", "actor=nobody"])
def test_a_place_that_makes_no_sense_is_the_beginning(client: FlaskClient, operator: User, query: str) -> None:
    assert client.get(f"/admin/audit?{query}").status_code == 200


def test_long_lists_go_on_where_they_stopped_and_keep_their_filters(client: FlaskClient, operator: User) -> None:
    made = [job(kind=f"kind.{number}") for number in range(52)]
    page = client.get("/admin/jobs?state=dead&kind=kind.").text
    link = re.search(r'rel="next" href="([^"]+)"', page)
    assert link
    assert "state=dead" in link[1]
    assert "kind=kind." in link[1]
    rest = client.get(link[1].replace("&amp;", "&")).text
    assert [number for number in made if f"/admin/jobs/{number}/retry" in rest] == made[:2]
    assert len(re.findall(r"/retry", client.get("/admin/jobs?state=dead&size=100").text)) == 52


def test_health_says_what_is_out_of_the_ordinary(client: FlaskClient, operator: User) -> None:
    usual = {found.sign.key: found.tone for found in health.readings(reading())}
    assert set(usual.values()) == {"good"}
    assert "Everything is as usual." in client.get("/admin/").text
    job()
    job(JobState.QUEUED, run_at=clock.now() - timedelta(minutes=6))
    job(JobState.RUNNING, lease_until=clock.now() - timedelta(seconds=1))
    reading().rollback()
    now = {found.sign.key: (found.count, found.tone) for found in health.readings(reading())}
    assert (now["jobs_dead"], now["jobs_late"], now["jobs_abandoned"]) == ((1, "danger"), (1, "danger"), (1, "good"))
    page = client.get("/admin/").text
    assert "Jobs that gave up" in page
    assert "Jobs whose worker died" not in page


@pytest.mark.parametrize("path", PAGES)
def test_a_page_costs_the_same_for_one_row_and_for_many(make: Factories, client: FlaskClient, operator: User, path: str) -> None:
    save_billers()
    payer, costs = make.user(), []
    for number in range(1, 13):
        job()
        payment(payer, number)
        if number in (1, 2, 12):
            with counted() as statements:
                assert client.get(path).status_code == 200
            costs.append(len(statements))
    assert costs[1] == costs[2], costs


def test_deeds_that_nobody_seals_are_an_alarm(client: FlaskClient, operator: User) -> None:
    client.post(f"/admin/jobs/{job()}/retry", data={"reason": "to have a deed"})
    clock.move(timedelta(minutes=6))
    assert signs()["deeds_unsealed"] == 1
    perform(audit_chains.seal)
    assert signs()["deeds_unsealed"] == 0


def signs() -> dict[str, int]:
    reading().rollback()
    return {found.sign.key: found.count for found in health.readings(reading())}
