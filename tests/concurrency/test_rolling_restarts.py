"""Releases in the middle of the day: what is bought and looked at through nginx meanwhile never fails."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from script.support.places import ROOT
from script.support.release import Release
from tests.support.buyers import Buyers, buyers_in
from tests.support.callers import new_key
from tests.support.cities import Template
from tests.support.proxied import INSTANCES, ProxiedHouse, nginx, proxied_house

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.skipif(not nginx(), reason="this machine has no nginx")]

BUYERS, READERS = 3, 3
RELEASES = int(os.environ.get("RELEASES", "3"))
"""`RELEASES=10` before a release of ours; each takes a dozen seconds."""
PAUSE = 0.03
"""Seconds between two deeds of a client: a steady load that leaves the machine time to start programs in."""

PAGES = ("/", "/products/cabbage", "/categories/vegetables", "/static/built/site.css", "/api/v1/products", "/healthz")


@dataclass
class Crowd:
    """Clients that keep their connections, and everything that happened to them."""

    house: ProxiedHouse
    city: Buyers
    stopping: threading.Event = field(default_factory=threading.Event)
    answered: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def ask(self, line: requests.Session, method: str, path: str, expect: int, **more: Any) -> requests.Response | None:
        """One request; None and a note when the answer is not the one expected."""
        begun = time.monotonic()
        try:
            answer = line.request(method, self.house.address() + path, timeout=40, allow_redirects=False, **more)
        except requests.RequestException as error:
            self.failed.append(f"{method} {path}: {type(error).__name__}: {str(error)[:200]}")
            return None
        self.slowest = max(self.slowest, time.monotonic() - begun)
        if answer.status_code != expect:
            self.failed.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
            return None
        self.answered[path.split("?")[0]] += 1
        return answer

    def read(self, line: requests.Session, number: int, turn: int) -> None:
        self.ask(line, "GET", PAGES[(number + turn) % len(PAGES)], 200, headers={"Cookie": f"point={self.city.point}"})

    def buy(self, line: requests.Session, number: int, turn: int) -> None:
        headers = {"Authorization": f"Bearer {self.city.tokens[(number + turn * BUYERS) % len(self.city.tokens)]}"}
        for code in self.city.goods:
            self.ask(line, "PUT", f"/api/v1/cart/lines/{code}", 200, json={"quantity": 1}, headers=headers)
        quoted = self.ask(line, "POST", "/api/v1/checkout/quotes", 201, json={"pickup_point": self.city.point}, headers=headers)
        if quoted is None:
            return
        quote = quoted.json()
        body = {
            "quote_id": quote["quote_id"], "seen_total_minor": quote["total_minor"], "payment": {"method": "wallet", "pin": self.city.pin},
        }  # fmt: skip
        placed = self.ask(line, "POST", "/api/v1/orders", 201, json=body, headers={**headers, "Idempotency-Key": new_key()})
        if placed is not None:
            self.orders.append(placed.json()["number"])

    def run(self, deed: Callable[[requests.Session, int, int], None], number: int) -> None:
        turn = 0
        with requests.Session() as line:
            line.trust_env, line.verify = False, str(self.house.certificate)
            while not self.stopping.is_set():
                deed(line, number, turn)
                turn += 1
                time.sleep(PAUSE)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        deeds = [(self.buy, number) for number in range(BUYERS)] + [(self.read, number) for number in range(READERS)]
        threads = [threading.Thread(target=self.run, args=deed) for deed in deeds]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stopping.set()
            for thread in threads:
                thread.join(60)


@dataclass
class TestKeeper:
    """Restarts programs of a house as systemd does those of a machine."""

    __test__ = False

    house: ProxiedHouse
    restarts: Counter[str] = field(default_factory=Counter)

    def restart(self, name: str) -> None:
        self.restarts[name] += 1
        if name == "worker":
            self.house.end("worker")
            self.house.start_worker()
        else:
            self.house.restart_instance(name)

    def stop(self, name: str) -> None:
        raise AssertionError(f"nothing is stopped: {name}")

    def is_running(self, name: str) -> bool:
        return not self.house.children[name].has_ended()


def release_of(house: ProxiedHouse, keeper: TestKeeper, run: Callable[[Sequence[str]], None]) -> Release:
    current = house.place / "current"
    return Release(keeper, [house.instance(name) for name in INSTANCES], run, current, ROOT, worker_steady=0.2)


def test_releases_under_load_fail_nobody(template: Template, tmp_path: Path) -> None:
    with proxied_house(template, tmp_path / "house") as house:
        crowd, keeper, seen = Crowd(house, buyers_in(house.environment)), TestKeeper(house), []
        with crowd.at_work():
            for number in range(RELEASES):
                before = crowd.answered.total()
                run = (lambda words: house.flask(*words)) if number in {0, RELEASES - 1} else (lambda words: None)
                release_of(house, keeper, run).put_in()
                seen.append(crowd.answered.total() - before)
        assert crowd.failed == [], (len(crowd.failed), crowd.answered.total(), crowd.failed[:5], house.last_words(20))
        assert keeper.restarts == {"web-1": RELEASES, "web-2": RELEASES, "worker": RELEASES}
        assert min(seen) > 20, f"so few requests during one release prove little: {seen}"
        assert len(crowd.orders) > 20
        kept = {row[0] for row in house.rows("SELECT number FROM purchases")}
        assert set(crowd.orders) <= kept, "what was acknowledged is there"
        house.settle(60)
        assert house.verify() == []
        print(f"{crowd.answered.total()} requests, {len(crowd.orders)} orders, slowest {crowd.slowest:.2f} s")


def test_control_one_that_fails_being_left_alone_makes_the_restart_of_the_other_an_outage(template: Template, tmp_path: Path) -> None:
    changes = {"max_fails=0": "max_fails=1 fail_timeout=20s"}
    with proxied_house(template, tmp_path / "house", changes) as house:
        crowd = Crowd(house, buyers_in(house.environment))
        with crowd.at_work():
            release_of(house, TestKeeper(house), lambda words: None).put_in()
        assert any(" 502 " in line for line in crowd.failed)
