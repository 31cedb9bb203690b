"""The release before this one goes on working on this release's schema, and what it wrote is right for this one: on both engines.

That is what makes a release without an interruption possible: migrations run first, and instances are replaced one by one
(docs/recipes/migration.md). When a migration cannot leave room for the code before it, `needs_a_pause` in
migrations/last_release.toml says why: then the release before works on its own schema, the shop stops, the migrations run,
and this release goes on from there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.callers import KEEPER, ORANGE_OWNER, RESIDENT, Caller, new_key
from tests.support.cities import Template, flask, make_template
from tests.support.last_release import NoHistory, OlderHouse, bring_forward, environment_of, last_release, older_house, take_out
from tests.support.running import wait_until

pytestmark = pytest.mark.slow

EGGS, ORANGES = 1_990, 2 * 580
COMMIT, PAUSE = last_release()


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code that is in service."""
    try:
        return take_out(COMMIT, tmp_path_factory.mktemp("last-release"))
    except NoHistory as why:
        pytest.skip(f"the last release is not in the history here: {why}")


@pytest.fixture(scope="module")
def city(code: Path, engine_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    """A city that the code in service has filled, on the schema of today, or on its own where a pause is needed."""
    server = os.environ.get("TEST_POSTGRES_URL", "") if engine_name == "postgresql" else ""
    made = make_template(tmp_path_factory.mktemp("city-before"), server, pictures=False, code=code)
    if not PAUSE:
        bring_forward(environment_of(made))
    yield made
    made.drop(made.url)


@pytest.fixture(scope="module")
def house(code: Path, city: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OlderHouse]:
    with older_house(code, city, tmp_path_factory.mktemp("house-before")) as made:
        yield made


@pytest.fixture(scope="module")
def mei(house: OlderHouse) -> Iterator[Caller]:
    made = Caller.signed_in(house, RESIDENT)
    yield made
    made.close()


def test_the_release_before_shows_its_pages(house: OlderHouse) -> None:
    for path in ("/", "/products/eggs", "/categories/vegetables", "/cart", "/search?q=xc", "/sign-in", "/api/v1/products"):
        answer = house.web.get(house.address() + path, timeout=30)
        assert answer.status_code == 200, (path, house.last_words(20))


def test_the_release_before_sells_packs_hands_over_and_pays_bills(house: OlderHouse, mei: Caller) -> None:
    money = mei.balance()
    mei.put("/me/pickup-point", {"pickup_point": "tianchenghu"}).ok(200)
    placed = mei.buy({"blood-orange-loose": 2, "eggs": 1})
    assert (placed["state"], mei.balance()) == ("paid", money - ORANGES - EGGS)

    house.own_flask("users", "grant", ORANGE_OWNER, "merchant_clerk", "--merchant", "farm-coop")
    owner = Caller.signed_in(house, ORANGE_OWNER, second_factor=True)
    owner.pack(placed)
    owner.close()
    keeper = Caller.signed_in(house, KEEPER, second_factor=True)
    keeper.receive(*(part["number"] for part in placed["sub_orders"]))
    shown = mei.get("/passes").ok(200)
    assert keeper.hand_over(keeper.scan(shown["code"])) == [("accepted", None)]
    keeper.close()
    assert mei.order(placed["number"])["state"] == "completed"

    _account, due = mei.add_bill_account("5110000047")
    ref = mei.post("/bill-payments", mei.bill_body(due), key=new_key()).ok(201)["ref"]
    assert mei.wait_for_bill(ref, "posted")["receipt"]["number"]

    waiting = mei.buy({"eggs": 1}, "stripe")
    house.pay_by_card(waiting["payment"]["url"])
    mei.wait_for_order(waiting["number"], "paid")
    house.settle(60)
    dead = house.rows("SELECT kind, last_error FROM jobs WHERE state = 'dead'")
    assert dead == []
    if not PAUSE:
        assert_right_for_this_release(house)


def assert_right_for_this_release(house: OlderHouse) -> None:
    """What the release before wrote is in order once its rows have their keys."""
    fill_keys(house)
    assert house.verify() == [], "what the release before wrote on this schema is right for this release"


def fill_keys(house: OlderHouse) -> None:
    """What docs/operations/deploying.md says after a release: rows of the one before get the keys that it does not know."""
    done = flask({**house.environment, "APP_ENV": "development"}, "scale", "fill-keys", may_fail=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def signed_in_anew(house: OlderHouse, phone: str) -> Caller:
    """Staff whose authenticator was replaced: the demo city of the release before gave them secrets that are too short by now."""
    told = flask({**house.environment, "APP_ENV": "development"}, "users", "reset-second-factor", phone, may_fail=True)
    found = re.search(r"secret=([A-Z2-7]+)", told.stdout)
    assert found is not None, told.stdout[-2000:] + told.stderr[-2000:]
    house.totp_secret = found[1]
    return Caller.signed_in(house, phone, second_factor=True)


def test_the_release_before_is_done_with_and_this_one_goes_on(house: OlderHouse, mei: Caller) -> None:
    """An order begun before is finished after."""
    placed = mei.buy({"eggs": 1})
    number = placed["number"]
    for name in ("web", "worker"):
        child = house.children.pop(name)
        child.ask_to_stop()
        assert child.wait(20)
        child.bury()
    house.code = Path(__file__).resolve().parents[2]
    if PAUSE:
        bring_forward(house.environment)
        assert_right_for_this_release(house)
    house.start_worker()
    house.start_web()
    assert house.web.get(f"{house.address()}/readyz", timeout=20).status_code == 200
    owner = signed_in_anew(house, ORANGE_OWNER)
    owner.pack(placed)
    owner.close()
    keeper = signed_in_anew(house, KEEPER)
    keeper.receive(placed["sub_orders"][0]["number"])
    shown = wait_until(lambda: mei.get("/passes").ok(200), 10)
    assert keeper.hand_over(keeper.scan(shown["code"])) == [("accepted", None)]
    keeper.close()
    assert mei.order(number)["state"] == "completed"
    house.settle(60)
    fill_keys(house)
    assert house.verify() == []
