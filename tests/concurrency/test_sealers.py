"""Two that seal the audit trail at once: a round taken over from a worker that died, beside the next one."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from flask import Flask

from shop.kernel.db import perform, reading, transaction
from shop.models.platform import AuditEntry, AuditLink
from shop.platform import audit, audit_chains, audit_checks
from shop.platform.actor import JOB
from tests.support.shopping import at_once
from tests.support.tags import tag


def count(model: type) -> int:
    reading().rollback()
    return reading().scalar(sa.select(sa.func.count()).select_from(model)) or 0


def seal_all() -> int:
    sealed = 0
    while more := perform(audit_chains.seal, limit=5, grace=timedelta(0)):
        sealed += more
    return sealed


def test_two_sealers_at_once_make_one_chain_and_neither_fails(app: Flask) -> None:
    with transaction() as session:
        for number in range(40):
            audit.record(session, JOB, tag("test.done"), "thing", number + 1)
    sealed = at_once(app, [seal_all] * 4)
    assert [one for one in sealed if not isinstance(one, int)] == []
    assert sum(sealed) == count(AuditEntry) == count(AuditLink)
    assert audit_checks.broken_links(reading()) == []
