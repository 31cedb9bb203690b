"""Whatever fails, nothing of what people typed or what a row holds is written down: not in a log, not with a job."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import sqlalchemy as sa
from flask.testing import FlaskClient

from shop.accounts import operations
from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.models.accounts import CodePurpose, User
from shop.models.platform import Job
from shop.platform import outbox
from tests.support.factories import Factories
from tests.support.gateways import RecordingSms

PHONE, NAME, CODE, PIN, ACCOUNT = "13800138765", "欧阳小梅", "482193", "864209", "5110000018"
TOKEN = "dGhpcyBpcyBhIHRva2VuIG9mIDMyLWJ5dGVz1234"
PLANTED = (PHONE, NAME, CODE, PIN, ACCOUNT, TOKEN)


def assert_nothing_is_told(text: str) -> None:
    assert [value for value in PLANTED if value in text or value[-6:] in text] == []


def break_database(session: Any, **_more: Any) -> None:
    """A row no constraint lets in, with everything personal in it: PostgreSQL quotes all of it, SQLAlchemy its parameters."""
    row = {"phone": PHONE, "name": f"{NAME} {CODE} {PIN} {ACCOUNT} {TOKEN}", "at": clock.now()}
    session.execute(
        sa.text(
            "INSERT INTO users (phone, phone_hash, phone_tail_hash, display_name, state, verification_level, created_at)"
            " VALUES (:phone, :phone, :phone, :name, 'active', 99, :at)"
        ),
        row,
    )


def test_a_database_error_in_a_request_quotes_no_row(
    client: FlaskClient, make: Factories, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(client.application.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setattr(operations, "request_code", lambda session, *_rest: break_database(session))
    body = {"phone": PHONE, "name": NAME, "code": CODE, "pin": PIN, "account_no": ACCOUNT, "token": TOKEN}
    for answer in (
        client.post("/sign-in", data=body),
        client.post(f"/api/v1/auth/codes?of={NAME}&phone={PHONE}", json={"phone": PHONE}, headers={"Authorization": f"Bearer {TOKEN}"}),
    ):
        assert answer.status_code == 500
        assert_nothing_is_told(answer.get_data(as_text=True))
    assert caplog.text.count("fault ") == 2
    assert "verification_level_known" in caplog.text, "the constraint that spoke is told"
    assert_nothing_is_told(caplog.text)


@pytest.mark.parametrize("words", [f"cannot reach {NAME} at {PHONE} with {CODE}", f"{{'to': '{PHONE}', 'text': '{NAME} {CODE}'}}"])
def test_a_job_that_fails_keeps_no_words_of_the_failure(
    make: Factories, sms: RecordingSms, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, words: str
) -> None:
    def fail(*_rest: Any, **_more: Any) -> None:
        raise requests.ConnectionError(words)

    monkeypatch.setattr(sms, "send", fail)
    perform(operations.request_code, PHONE, CodePurpose.SIGN_IN, "zh")
    outbox.run_due()
    kept = reading().scalars(sa.select(Job.last_error)).one()
    assert kept is not None
    assert "ConnectionError" in kept
    assert_nothing_is_told(kept)
    assert_nothing_is_told(caplog.text)


def test_a_job_that_meets_a_database_error_keeps_no_row(monkeypatch: pytest.MonkeyPatch, make: Factories) -> None:
    def work() -> None:
        with transaction() as session:
            break_database(session)

    monkeypatch.setitem(outbox.HANDLERS, "tests.break", outbox.Registered(work, 1, outbox.SOON))
    with transaction() as session:
        outbox.enqueue(session, "tests.break", dedupe_key="b")
    outbox.run_due()
    kept = reading().scalars(sa.select(Job.last_error)).one()
    assert kept is not None
    assert "verification_level_known" in kept
    assert_nothing_is_told(kept)


def test_errors_of_the_database_hide_their_parameters(make: Factories) -> None:
    with pytest.raises(sa.exc.StatementError) as broken, transaction() as session:
        session.execute(sa.insert(User).values(phone=PHONE, display_name=NAME, verification_level=99, created_at=clock.now()))
    text = str(broken.value)
    assert "parameters" in text
    assert "hidden" in text
