"""`/metrics`: who may read it, that it tells how things stand, and that asking costs the database the same whatever lies in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from shop.consoles.admin import standing
from shop.consoles.admin.metrics import STANDING
from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.models.platform import Job, JobState
from shop.platform import audit, figures, partners
from shop.platform.actor import COMMAND
from shop.platform.tags import Done
from shop.stock import operations as stock
from shop.stock.errors import StockShortage
from shop.stock.operations import Wanted
from tests.support.factories import Factories
from tests.support.plans import plan_of, statements
from tests.support.queries import counted
from tests.web.test_database_away import away

pytestmark = pytest.mark.both_engines

TOKEN = "tG7vK2mQ9xR4bN8wL3cF6hJ1pD5sZ0yA"


@pytest.fixture(autouse=True)
def _asked_anew(app: Flask) -> Iterator[None]:
    STANDING.forget()
    yield
    STANDING.forget()


@pytest.fixture
def settings(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Any:
    def change(**values: Any) -> None:
        for name, value in values.items():
            monkeypatch.setitem(app.config, name, value)

    return change


def told(client: FlaskClient) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every figure by its name and labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    found = text_string_to_metric_families(answer.text)
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for family in found for sample in family.samples}


def figure(found: dict[Any, float], name: str, **labels: str) -> float | None:
    return found.get((f"linli_{name}", tuple(sorted(labels.items()))))


def job(state: JobState, number: int = 0, **values: Any) -> None:
    moment = clock.now()
    facts = {
        "kind": "bills.send", "arguments": {}, "dedupe_key": f"planted:{state}:{values}:{number}", "state": state, "run_at": moment,
        "attempts": 1, "fence": 1, "lane": "soon", "created_at": moment, "finished_at": moment if state is JobState.DEAD else None,
    }  # fmt: skip
    with transaction() as session:
        session.add(Job(**{**facts, **values}))


# --- who may ---


def test_with_a_token_only_who_shows_it_reads(client: FlaskClient, settings: Any) -> None:
    settings(METRICS_TOKEN=TOKEN)
    for shown in (None, "", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer", f"Bearer ä{TOKEN}"):
        answer = client.get("/metrics", headers={} if shown is None else {"Authorization": shown})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert "linli_" not in answer.text
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert "linli_request_seconds" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_without_a_token_only_this_machine_reads_and_in_production_nobody(client: FlaskClient, settings: Any) -> None:
    assert client.get("/metrics").status_code == 200
    for address in ("10.0.0.7", "203.0.113.9", "", "nonsense"):
        assert client.get("/metrics", environ_base={"REMOTE_ADDR": address}).status_code == 404
    settings(APP_ENV="production")
    assert client.get("/metrics").status_code == 404


def test_who_may_not_read_costs_the_database_nothing(client: FlaskClient, settings: Any) -> None:
    settings(METRICS_TOKEN=TOKEN)
    with counted() as asked:
        client.get("/metrics", headers={"Authorization": "Bearer no"})
    assert asked == []


# --- what is told ---


def test_lanes_tell_what_waits_is_due_runs_and_gave_up(client: FlaskClient) -> None:
    now = clock.now()
    job(JobState.QUEUED, run_at=now - timedelta(seconds=90))
    job(JobState.QUEUED, run_at=now + timedelta(hours=1), lane="partner:sms")
    job(JobState.RUNNING, lane="bulk")
    job(JobState.DEAD, lane="partner:sms")
    job(JobState.DONE, finished_at=now)
    found = told(client)
    assert figure(found, "jobs", lane="soon", state="due") == 1
    assert 89 <= (figure(found, "job_oldest_seconds", lane="soon") or 0) < 120
    assert figure(found, "jobs", lane="partner:sms", state="later") == 1
    assert figure(found, "job_oldest_seconds", lane="partner:sms") == 0
    assert figure(found, "jobs", lane="bulk", state="running") == 1
    assert figure(found, "jobs_dead", lane="partner:sms") == 1
    assert figure(found, "sign", sign="jobs_dead") == 1
    assert figure(found, "sign_alarm", sign="jobs_dead") == 1
    assert figure(found, "sign_alarm", sign="jobs_late") == 0


def test_partners_tell_how_they_answer_and_whether_they_are_left_alone(client: FlaskClient) -> None:
    for _ in range(partners.FAILURES):
        perform(partners.note_failure, "biller:power", "ReadTimeout")
    perform(partners.note_failure, "sms", "ConnectionError")
    with pytest.raises(OSError), partners.asking("stripe", 5, counts=OSError):
        raise OSError
    with partners.asking("stripe", 5):
        pass
    found = told(client)
    assert (figure(found, "partner_silent", partner="biller:power"), figure(found, "partner_failures", partner="biller:power")) == (1, 5)
    assert (figure(found, "partner_silent", partner="sms"), figure(found, "partner_failures", partner="sms")) == (0, 1)
    assert (figure(found, "partner_call_seconds_count", partner="stripe", outcome="failed") or 0) >= 1
    assert (figure(found, "partner_call_seconds_count", partner="stripe", outcome="answered") or 0) >= 1


def test_goods_that_were_not_there_and_deeds_not_sealed_are_told(client: FlaskClient, make: Factories) -> None:
    variant = make.product(code="rice", on_hand=1)
    before = figures.OWN.get_sample_value("linli_stock_refusals_total", {"step": "hold"}) or 0
    with pytest.raises(StockShortage):
        perform(stock.reserve, [Wanted(variant_of(variant), 1, 2)], clock.now())
    with transaction() as session:
        audit.record(session, COMMAND, Done.JOB_RETRIED, "job", 1)
    clock.move(timedelta(minutes=7))
    found = told(client)
    assert figure(found, "stock_refusals_total", step="hold") == before + 1
    assert figure(found, "audit_unsealed") == 1
    assert 419 <= (figure(found, "audit_unsealed_seconds") or 0) <= 425


def variant_of(product: Any) -> int:
    return int(product.variants[0].id if hasattr(product, "variants") else product.id)


# --- what it costs ---


def test_asked_again_at_once_the_database_is_left_alone(client: FlaskClient) -> None:
    told(client)
    with counted() as asked:
        told(client)
    assert asked == []


def test_each_area_is_one_statement_however_much_lies_there(client: FlaskClient) -> None:
    costs = []
    for rows in (0, 1, 30):
        for number in range(rows):
            job(JobState.QUEUED, rows * 100 + number, lane=f"partner:biller:{number}")
            perform(partners.note_failure, f"biller:{number}", "ReadTimeout")
        STANDING.forget()
        with counted() as asked:
            told(client)
        costs.append(len(asked))
    assert costs == [len(standing.AREAS)] * 3


GROWING = ("purchases", "payments", "audit_entries", "jobs", "bill_payments")


@pytest.mark.parametrize("area", [area for area in standing.AREAS if area is not standing.signs], ids=lambda area: area.__name__)
def test_no_area_reads_a_growing_table_whole(app: Flask, engine_name: str, area: Any) -> None:
    for text in statements(lambda: list(area(reading()))):
        plan = plan_of(text.replace("%%", "%"), engine_name)
        whole = [table for table in GROWING if re.search(rf"SCAN {table}(?! USING)|Seq Scan on {table}\b", plan)]
        assert whole == [], plan


def test_what_is_counted_stops_at_a_bound(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "MOST", 3)
    for number in range(5):
        job(JobState.QUEUED, number)
        job(JobState.DEAD, number)
    found = told(client)
    assert figure(found, "jobs", lane="soon", state="due") == 3
    assert figure(found, "jobs_dead", lane="soon") == 3


def test_a_database_that_is_away_takes_no_figures_of_the_processes_with_it(client: FlaskClient, engine_name: str) -> None:
    client.get("/healthz")
    with away(engine_name):
        found = told(client)
    assert figure(found, "standing_failed", area="jobs") == 1
    assert figure(found, "jobs", lane="soon", state="due") is None
    assert (figure(found, "request_seconds_count", route="/healthz", method="GET", status="200") or 0) >= 1
