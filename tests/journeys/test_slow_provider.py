"""A card provider that takes nine seconds for every answer: who pays waits for it, and nobody else does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.support.callers import RESIDENT, Caller, new_key
from tests.support.running import House, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.alone]

PAYERS = 8
SLOW_MS = 9_000
LOOKS = 40


@pytest.fixture(scope="module")
def mei(house: House) -> Iterator[Caller]:
    made = Caller.signed_in(house, RESIDENT)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _usual_provider(house: House) -> Iterator[None]:
    yield
    house.stripe(api_delay_ms=0)


def seconds_for(address: str) -> float:
    """How long one page takes for somebody who is not signed in."""
    begin = time.monotonic()
    answer = requests.get(address, timeout=30)
    assert answer.status_code == 200
    return time.monotonic() - begin


def test_eight_payers_at_a_slow_provider_slow_nobody_else(house: House, mei: Caller) -> None:
    seconds_for(house.address())  # the first page warms up
    house.stripe(api_delay_ms=SLOW_MS)
    phones = [mei.another_line() for _ in range(PAYERS)]

    def begin(number: int) -> tuple[float, dict[str, Any]]:
        started = time.monotonic()
        made = phones[number].post("/wallet/top-ups", {"amount_minor": 1_000 + number}, key=new_key(), timeout=60).ok(201)
        return time.monotonic() - started, made

    with ThreadPoolExecutor(PAYERS) as pool:
        paying = [pool.submit(begin, number) for number in range(PAYERS)]
        looks = sorted(seconds_for(house.address()) for _ in range(LOOKS))
        answers = [each.result() for each in paying]
    assert looks[int(LOOKS * 0.95)] < 1, looks[-5:]
    assert max(took for took, _made in answers) < 3, "the payers have their answer at once as well"
    assert [(made["state"], made["url"]) for _took, made in answers] == [("created", None)] * PAYERS
    house.stripe(api_delay_ms=0)
    for _took, made in answers:
        wait_until(lambda ref=made["ref"]: mei.get(f"/payments/{ref}").ok(200)["url"], 90, "a page to pay on", every=0.5)
    opened = [call["idempotency_key"] for call in house.stripe_log() if call["path"] == "/v1/checkout/sessions" and call["status"] == 200]
    assert {made["ref"] for _took, made in answers} <= set(opened)
    for phone in phones:
        phone.close()
    assert house.verify() == []


def test_at_a_usual_provider_the_page_to_pay_on_is_there_within_a_second(house: House, mei: Caller) -> None:
    house.stripe(api_delay_ms=50)
    mei.top_up(2_000)  # the worker loads the SDK at its first use
    begin = time.monotonic()
    mei.top_up(2_100)
    assert time.monotonic() - begin < 2, "a second, and one for a busy machine"
