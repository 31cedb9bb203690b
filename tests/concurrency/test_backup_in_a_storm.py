"""A backup taken while people buy: it restores to books that verify, and no order acknowledged before its moment is missing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

from config import engine_url
from tests.concurrency.test_crowds import set_stock
from tests.support.callers import RESIDENT, SECOND_RESIDENT, Caller, new_key
from tests.support.cities import Template, on_server
from tests.support.running import House, running_house, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.alone]

BEFORE, AFTER = 12, 3
"""Orders that are acknowledged before the backup begins, and after it has ended."""

PAUSE = 0.5
"""Seconds between two orders of one person: their money must last for as long as a backup takes on a busy machine."""


@pytest.fixture
def house(template: Template, tmp_path: Path) -> Iterator[House]:
    """Two web processes, because a backup is taken of what several write."""
    with running_house(template, tmp_path / "house", workers=2) as made:
        yield made


class Storm:
    """People who buy as fast as they can; which orders were acknowledged, and when."""

    def __init__(self, buyers: list[Caller]) -> None:
        self.acknowledged: list[tuple[float, str]] = []
        self.refused = 0
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.buy, args=(buyer,), daemon=True) for buyer in buyers]

    def buy(self, buyer: Caller) -> None:
        while not self.over.is_set():
            try:
                buyer.fill_cart({"eggs": 1})
                said = buyer.post("/orders", buyer.order_body(buyer.quote()), new_key())
            except (AssertionError, KeyError, requests.RequestException):
                self.refused += 1
                continue
            if said.status == 201:
                self.acknowledged.append((time.monotonic(), said.body["number"]))
                time.sleep(PAUSE)
            else:
                self.refused += 1

    def wait_for(self, count: int) -> None:
        wait_until(lambda: len(self.acknowledged) >= count, 120, f"{count} orders")


def test_a_backup_in_a_storm_of_purchases_restores_to_books_that_verify(house: House, template: Template, tmp_path: Path) -> None:
    set_stock(house, 10_000)
    buyers = [Caller.signed_in(house, phone) for phone in (RESIDENT, SECOND_RESIDENT)]
    for buyer, fen in zip(buyers, (200_000, 79_000), strict=True):
        page = buyer.top_up(fen)["url"]
        before = buyer.balance()
        house.pay_by_card(page)
        wait_until(lambda buyer=buyer, before=before: buyer.balance() > before, 20, "the money")
    storm = Storm(buyers)
    for thread in storm.threads:
        thread.start()
    storm.wait_for(BEFORE)
    backup, began = tmp_path / "storm.backup", time.monotonic()
    said = house.flask("backup", "create", str(backup)).stdout
    ended = time.monotonic()
    storm.wait_for(len(storm.acknowledged) + AFTER)
    storm.over.set()
    for thread in storm.threads:
        thread.join(60)
    certain = {number for moment, number in storm.acknowledged if moment <= began}
    during = sum(1 for moment, _ in storm.acknowledged if began < moment <= ended)
    everything = {number for _, number in storm.acknowledged}
    assert len(certain) >= BEFORE, said

    name = f"{sa.make_url(house.database_url).database}_storm"
    url = f"sqlite:///{tmp_path / 'storm.db'}"
    if template.server:
        url = sa.make_url(house.database_url).set(database=name).render_as_string(hide_password=False)
    try:
        house.settings["DATABASE_URL"] = url
        said = house.flask("backup", "restore", str(backup)).stdout
        print(f"\n{len(storm.acknowledged)} orders, {during} of them while {ended - began:.1f} s", said)
        engine = sa.create_engine(engine_url(url), poolclass=sa.NullPool)
        with engine.connect() as connection:
            there = set(connection.scalars(sa.text("SELECT number FROM purchases")))
        assert certain <= there, "an order that was acknowledged before the backup is missing"
        assert not everything <= there, "the storm went on after the backup"
        left_out = {"plumbing.jobs_are_done_in_time", "plumbing.audit_is_sealed"}  # nothing runs on it, and time has passed
        assert [found["name"] for found in house.verify() if found["name"] not in left_out] == []
        assert "Sending is paused" in said
    finally:
        if template.server:
            on_server(template.server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

