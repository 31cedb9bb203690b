"""What need not be kept is forgotten, what is needed stays, and the books are right before and after."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.bills.feature import FEATURE as BILLS
from shop.cart import jobs as cart_jobs
from shop.kernel import clock
from shop.kernel.columns import CITY
from shop.kernel.db import perform, reading, transaction
from shop.kernel.money import Money
from shop.models.bills import BillLookUp
from shop.models.cart import Cart, CartLine
from shop.models.checkout import Quote
from shop.models.payments import ProviderEvent
from shop.models.pickup import Handover
from shop.models.platform import IdempotencyKey, Job, Mark, Notice
from shop.platform import idempotency, jobs, retention
from tests.support import right_books
from tests.support.books import assert_books_are_right

DAYS = timedelta(days=1)


@pytest.fixture(autouse=True)
def clock_is_right_again() -> Iterator[None]:
    yield
    clock.move(timedelta(0))


def count(model: Any, *where: Any) -> int:
    reading().rollback()
    return reading().scalar(sa.select(sa.func.count()).select_from(model).where(*where)) or 0


def rows(model: Any, *values: dict[str, Any]) -> None:
    with transaction() as session:
        place = {"community_id": CITY} if "community_id" in sa.inspect(model).columns else {}
        session.execute(sa.insert(model), [{**place, **value} for value in values])


def job(number: int, kind: str, state: str, age: timedelta) -> dict[str, Any]:
    at = clock.now() - age
    return {"id": number, "kind": kind, "arguments": {}, "dedupe_key": f"x{number}", "state": state, "run_at": at, "created_at": at,
            "finished_at": None if state == "queued" else at}  # fmt: skip


def test_jobs_go_when_they_are_done_and_old(app: Flask) -> None:
    rows(Job, job(101, "platform.prune", "done", 8 * DAYS), job(102, "k", "done", 181 * DAYS), job(103, "k", "dead", 400 * DAYS),
         job(104, "platform.prune", "done", 6 * DAYS), job(105, "k", "done", 8 * DAYS), job(106, "k", "queued", 1 * DAYS))  # fmt: skip
    jobs.prune()
    # created in the order of their numbers as a rule: here 104 is younger than 103, so the walk ends there
    assert set(reading().scalars(sa.select(Job.id))) >= {103, 104, 105, 106}
    assert count(Job, Job.id.in_((101, 102))) == 0


def test_the_walk_stops_at_the_first_row_that_is_young_and_goes_on_later(app: Flask) -> None:
    rows(Job, *(job(100 + n, "k", "done", (205 - 10 * n) * DAYS) for n in range(6)))
    jobs.prune()
    assert sorted(reading().scalars(sa.select(Job.id))) == [103, 104, 105]
    clock.move(12 * DAYS)
    jobs.prune()
    reading().rollback()
    assert sorted(reading().scalars(sa.select(Job.id))) == [104, 105]


def test_the_newest_row_always_stays(app: Flask) -> None:
    rows(Job, job(1, "k", "done", 999 * DAYS), job(2, "k", "done", 999 * DAYS))
    jobs.prune()
    assert list(reading().scalars(sa.select(Job.id))) == [2]


def test_keys_and_notices_and_events_are_forgotten_and_the_books_are_right(app: Flask) -> None:
    right_books.write()
    later = {"created_at": clock.now(), "user_id": 1}
    rows(IdempotencyKey, {"id": 2, "route": "r", "key": "k2", "request_hash": "h", "status": 201, "lease_until": clock.now(), **later})
    rows(Notice, {"id": 2, "kind": "k", "facts": {}, "link": "/", "dedupe_key": "n2", "read_at": clock.now(), **later},
         {"id": 3, "kind": "k", "facts": {}, "link": "/", "dedupe_key": "n3", "read_at": None, **later})  # fmt: skip
    quotes, handovers = count(Quote), count(Handover)
    assert quotes == 6
    clock.move(400 * DAYS)
    jobs.prune()
    assert count(IdempotencyKey) == 1
    assert set(reading().scalars(sa.select(Notice.id))) == {1, 3}, "read ones go after a year, unread after three"
    assert count(Quote) == quotes, "what was bought stays"
    assert count(Handover) == handovers
    assert count(ProviderEvent) == 1, "the newest"
    clock.move(timedelta(0))
    assert_books_are_right(leave_out=())


def test_quotes_that_nobody_bought_go(app: Flask) -> None:
    right_books.write()
    at = clock.now()
    rows(Quote, *({"id": n, "ref": f"q{n}", "user_id": 1, "pickup_point_id": 1, "total": Money(1), "terms": {}, "created_at": at,
                   "expires_at": at} for n in (7, 8, 9)))  # fmt: skip
    clock.move(31 * DAYS)
    jobs.prune()
    reading().rollback()
    assert sorted(reading().scalars(sa.select(Quote.id))) == [1, 2, 3, 4, 5, 6, 9]


def test_a_forgotten_key_sent_again_is_opened_anew_and_not_answered_from_memory(app: Flask) -> None:
    """The call then runs again; that it moves nothing twice is kept by the keys of the deed."""
    perform(idempotency.begin, 1, "r", "k", "h")
    perform(idempotency.complete, 1, "r", "k", idempotency.Answer(201, "{}"))
    perform(idempotency.begin, 1, "r", "newest", "h")
    assert perform(idempotency.begin, 1, "r", "k", "h") == idempotency.Answer(201, "{}")
    clock.move(31 * DAYS)
    jobs.prune()
    assert perform(idempotency.begin, 1, "r", "k", "h") is None


def test_carts_of_nobody_go_and_those_of_people_stay(app: Flask) -> None:
    right_books.write()
    old, now = clock.now() - 31 * DAYS, clock.now()
    carts = {2: (None, "a", old), 3: (2, None, old), 4: (None, "b", now), 5: (None, "c", old)}
    rows(Cart, *({"id": n, "user_id": user, "token_hash": token, "updated_at": at} for n, (user, token, at) in carts.items()))
    rows(CartLine, {"cart_id": 2, "variant_id": 1, "quantity": 1, "seen_price": Money(1), "added_at": old})
    cart_jobs.forget_nobodys()
    assert sorted(reading().scalars(sa.select(Cart.id))) == [1, 3, 4, 5]
    assert count(CartLine) == 0


def test_a_round_goes_on_where_the_last_one_ended(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    keep = (BILLS.keeps or {})[BillLookUp]
    rows(Job, *(job(100 + n, "k", "done", 300 * DAYS) for n in range(7)))
    assert retention.prune(Job, retention.Forget(180 * DAYS, Job.created_at), 9, until=0.0) == 0, "no time, nothing done"
    jobs.prune()
    assert count(Job) == 1
    assert reading().get_one(Mark, "prune:jobs:1").up_to == 105
    assert keep.forget[0].after == 30 * DAYS
