"""The kernel's promises about transactions, on whichever engine this run uses."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from shop.kernel import db
from shop.kernel.columns import CITY
from shop.kernel.db import operation, perform, reading, transaction
from shop.models.communities import Region
from tests.support.factories import Factories


@operation
def add_region(session: Session, code: str) -> None:
    session.add(Region(code=code, name="街道", parent_code=None))


def test_an_operation_commits_and_reading_sees_it(make: Factories) -> None:
    assert reading().get(Region, "1") is None
    perform(add_region, "1")
    assert reading().get(Region, "1") is not None


def test_an_exception_rolls_everything_back(make: Factories) -> None:
    def stop_half_way(session: Session) -> None:
        add_region(session, "1")
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        perform(stop_half_way)
    assert reading().scalar(sa.select(sa.func.count()).select_from(Region)) == 0


def test_operations_refuse_to_run_outside_a_transaction(make: Factories) -> None:
    with pytest.raises(RuntimeError, match="inside `perform`"):
        add_region(reading(), "1")


def test_transactions_never_nest(make: Factories) -> None:
    with transaction(), pytest.raises(RuntimeError, match="pass the session down"), transaction():
        pass


def test_the_reading_session_cannot_write(make: Factories) -> None:
    with pytest.raises(DBAPIError):
        reading().execute(sa.insert(Region).values(code="1", name="x"))
    reading().rollback()
    reading().add(Region(code="1", name="x"))
    with pytest.raises(db.StrayWrite):
        reading().flush()


def test_the_loser_of_insert_once_gets_none(make: Factories) -> None:
    from shop.models.platform import Notice

    user = make.user()
    values = {"user_id": user.id, "kind": "k", "facts": {}, "link": "/", "dedupe_key": "once", "created_at": user.created_at}
    values["community_id"] = CITY
    with transaction() as session:
        assert db.insert_once(session, Notice, **values) is not None
        assert db.insert_once(session, Notice, **values) is None
