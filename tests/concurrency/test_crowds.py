"""Many at once, from outside: eight processes on one hot item, double clicks, one key on many lines, baskets in opposite order."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import requests

from config import ROOT
from tests.support.callers import ELDER, PIN, RESIDENT, SECOND_RESIDENT, Caller, Said, new_key
from tests.support.cities import Template
from tests.support.desks import Desk
from tests.support.running import House, running_house, wait_until
from tests.support.sealed import phone_hash

pytestmark = [pytest.mark.slow, pytest.mark.alone]

PROCESSES = 8
TRIES_EACH = 20
PIECES = 50


@pytest.fixture(scope="module")
def house(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house with two web processes."""
    with running_house(template, tmp_path_factory.mktemp("house"), workers=2) as made:
        yield made


@pytest.fixture(scope="module")
def callers(house: House) -> Iterator[dict[str, Caller]]:
    made = {phone: Caller.signed_in(house, phone) for phone in (RESIDENT, SECOND_RESIDENT, ELDER)}
    for caller in made.values():
        caller.put("/me/pickup-point", {"pickup_point": "tianchenghu"}).ok(200)
    yield made
    for caller in made.values():
        caller.close()


def at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """What each work gave back or raised, all let go at the same moment."""
    outcomes: list[Any] = [None] * len(works)
    gate = threading.Barrier(len(works))

    def run(place: int, work: Callable[[], Any]) -> None:
        gate.wait(30)
        try:
            outcomes[place] = work()
        except Exception as error:  # what happened is what the test looks at
            outcomes[place] = error

    threads = [threading.Thread(target=run, args=(place, work)) for place, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return outcomes


# --- one hot item, eight processes ---


def crowd(house: House, folder: Path, *words: str) -> Counter[str]:
    """Let eight processes order the same goods at once; kinds of outcome and how often."""
    folder.mkdir()
    command = [sys.executable, "-m", "tests.concurrency.hot_item", str(folder)]
    offset = 100 if words else 0
    members = [
        subprocess.Popen(
            [*command, str(offset + number), str(TRIES_EACH), *words], cwd=ROOT, env=house.environment, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )
        for number in range(PROCESSES)
    ]  # fmt: skip
    outcomes: Counter[str] = Counter()
    try:
        wait_until(
            lambda: len(list(folder.glob("ready-*"))) == PROCESSES or any(member.poll() is not None for member in members), 90, "the crowd"
        )
        (folder / "go").touch()
        for member in members:
            said, trouble = member.communicate(timeout=120)
            assert member.returncode == 0, trouble[-3000:]
            outcomes.update(json.loads(said))
    finally:
        for member in members:
            member.kill()
            member.communicate()
    return outcomes


def set_stock(house: House, pieces: int) -> None:
    """Put so many pieces on the shelf, with the movement that explains it."""
    with house.engine.begin() as connection:
        hot = "(SELECT id FROM variants WHERE code = 'eggs')"
        change = f"SELECT {pieces} - (on_hand - reserved) FROM stock_items WHERE variant_id = {hot}"
        by = connection.exec_driver_sql(change).scalar_one()
        connection.exec_driver_sql(f"UPDATE stock_items SET on_hand = on_hand + {by} WHERE variant_id = {hot}")
        connection.exec_driver_sql(
            f"INSERT INTO stock_movements (variant_id, merchant_id, quantity, kind, cause, at) "
            f"SELECT {hot}, (SELECT p.merchant_id FROM variants v JOIN products p ON p.id = v.product_id WHERE v.code = 'eggs'), "
            f"{by}, 'correction', 'test:' || (SELECT coalesce(max(id), 0) + 1 FROM stock_movements), "
            f"(SELECT max(at) FROM stock_movements)"
        )


def sold_since(house: House, movement: int) -> int:
    return house.number(
        "SELECT -sum(quantity) FROM stock_movements m JOIN variants v ON v.id = m.variant_id "
        "WHERE m.kind = 'sale' AND v.code = 'eggs' AND m.id > :movement", movement=movement,
    )  # fmt: skip


def test_hot_item_is_sold_to_the_last_piece_and_not_further(house: House, tmp_path: Path) -> None:
    set_stock(house, PIECES)
    before = house.number("SELECT max(id) FROM stock_movements")
    outcomes = crowd(house, tmp_path / "guarded")
    assert outcomes == {"sold": PIECES, "refused": PROCESSES * TRIES_EACH - PIECES}
    assert sold_since(house, before) == PIECES
    assert house.number("SELECT on_hand - reserved FROM stock_items s JOIN variants v ON v.id = s.variant_id WHERE v.code = 'eggs'") == 0
    house.settle(40)
    assert house.verify() == []


def test_without_its_guard_the_hot_item_is_oversold(template: Template, tmp_path: Path) -> None:
    """The control: read, then write. If this stops overselling, the test above proves nothing."""
    folder = tmp_path / "house"
    folder.mkdir()
    house = House(folder, template.copy(folder))
    try:
        set_stock(house, PIECES)
        before = house.number("SELECT max(id) FROM stock_movements")
        crowd(house, tmp_path / "trusting", "--trusting")
        assert sold_since(house, before) > PIECES
        assert "stock" in " ".join(finding["name"] for finding in house.verify()), "and the books show it"
    finally:
        house.stop()
        template.drop(house.database_url)


# --- the same wish, twice and twenty times ---


def orders_of(house: House, phone: str) -> int:
    bought = "SELECT count(*) FROM purchases p JOIN users u ON u.id = p.user_id WHERE u.phone_hash = :who"
    return house.number(bought, who=phone_hash(phone))


def test_double_click_on_the_checkout_form_makes_one_order(house: House, callers: dict[str, Caller]) -> None:
    mei = callers[RESIDENT]
    mei.fill_cart({"blood-orange-loose": 1})
    desk = Desk.signed_in(house, RESIDENT, staff=False)
    page = desk.read("/checkout")
    fields = {name: unescape(re.findall(rf'name="{name}"[^>]*value="([^"]+)"', page)[0]) for name in ("quote", "seen_total")}
    before, money = orders_of(house, RESIDENT), mei.balance()
    lines = [desk.another_line() for _ in range(2)]

    def press(line: Desk) -> requests.Response:
        form = {"csrf_token": desk.token, "method": "wallet", "pin": PIN, **fields}
        return line.line.post(f"{house.address()}/checkout", data=form, allow_redirects=False, timeout=30)

    answers = at_once([lambda line=line: press(line) for line in lines])
    assert [answer.status_code for answer in answers] == [303, 303], answers
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert orders_of(house, RESIDENT) == before + 1
    assert mei.balance() == money - 580
    for line in [desk, *lines]:
        line.close()
    house.settle()
    assert house.verify() == []


def test_twenty_calls_with_one_key_have_one_effect_and_one_answer(house: House, callers: dict[str, Caller]) -> None:
    mei = callers[RESIDENT]
    mei.fill_cart({"blood-orange-loose": 1})
    body, key, before = mei.order_body(mei.quote()), new_key(), orders_of(house, RESIDENT)
    lines = [mei.another_line() for _ in range(20)]
    answers: list[Said] = at_once([lambda line=line: line.again("POST", "/orders", body, key) for line in lines])
    assert {answer.status for answer in answers} == {201}, answers
    assert all(answer.body == answers[0].body for answer in answers)
    assert sum(not answer.replayed for answer in answers) == 1
    assert orders_of(house, RESIDENT) == before + 1
    other = {**body, "seen_total_minor": 1}
    mei.post("/orders", other, key).refused(422, "idempotency_mismatch")
    for line in lines:
        line.close()
    house.settle()
    assert house.verify() == []


def test_baskets_filled_in_opposite_order_are_all_served(house: House, callers: dict[str, Caller]) -> None:
    goods = {"blood-orange-loose": 1, "eggplant": 1, "potato": 1}
    rounds = 4
    before = {phone: orders_of(house, phone) for phone in callers}

    def shop_again_and_again(caller: Caller, wanted: dict[str, int]) -> list[str]:
        return [caller.buy(wanted)["state"] for _ in range(rounds)]

    backwards = dict(reversed(goods.items()))
    works = [
        lambda caller=caller, place=place: shop_again_and_again(caller, goods if place % 2 else backwards)
        for place, caller in enumerate(callers.values())
    ]
    assert at_once(works) == [["paid"] * rounds] * len(callers)
    assert {phone: orders_of(house, phone) - count for phone, count in before.items()} == dict.fromkeys(callers, rounds)
    house.settle()
    assert house.verify() == []
