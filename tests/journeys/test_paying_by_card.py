"""A card payment becomes an order that is paid, whoever brings the news, how often, and in whatever order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.callers import ELDER, RESIDENT, Caller, new_key
from tests.support.running import House, wait_until

pytestmark = pytest.mark.slow

EGGS = {"eggs": 1}
PRICE = 1_990


@pytest.fixture(scope="module")
def mei(house: House) -> Iterator[Caller]:
    made = Caller.signed_in(house, RESIDENT)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _usual_provider(house: House) -> Iterator[None]:
    house.stripe(webhooks="on", duplicate=0, reorder=False, loss_rate=0)
    yield
    house.stripe(webhooks="on", duplicate=0, reorder=False, loss_rate=0)


def ordered(mei: Caller) -> dict[str, Any]:
    placed = mei.buy(EGGS, "stripe")
    assert placed["state"] == "awaiting_payment"
    return placed


def was_paid_once(house: House, placed: dict[str, Any]) -> None:
    """One charge at the provider, one transfer into escrow, one sale, nothing wrong in the books."""
    house.settle()
    ref = placed["payment"]["ref"]
    books = house.stripe_books()["by_reference"][ref]
    assert (books["charged"], books["refunded"]) == (PRICE, 0)
    part = house.number("SELECT id FROM sub_orders WHERE number = :number", number=f"{placed['number']}-1")
    assert house.number("SELECT count(*) FROM transfers WHERE cause = :cause", cause=f"sub_order:{part}:paid") == 1
    assert house.number("SELECT count(*) FROM payments WHERE ref = :ref AND state = 'succeeded'", ref=ref) == 1
    assert house.verify() == []


def test_webhook_alone_pays_the_order(house: House, mei: Caller) -> None:
    placed = ordered(mei)
    house.pay_by_card(placed["payment"]["url"])
    mei.wait_for_order(placed["number"], "paid")
    assert mei.get(f"/payments/{placed['payment']['ref']}").ok(200)["state"] == "succeeded"
    was_paid_once(house, placed)


def test_browser_that_comes_back_before_any_webhook_pays_the_order(house: House, mei: Caller) -> None:
    house.stripe(webhooks="hold")
    placed = ordered(mei)
    house.pay_by_card(placed["payment"]["url"])
    assert mei.order(placed["number"])["state"] == "awaiting_payment"
    mei.wait_for_payment(placed["payment"]["ref"], "succeeded")
    assert mei.order(placed["number"])["state"] == "paid"
    house.stripe("/flush", order="reverse", duplicate=2)
    was_paid_once(house, placed)


def test_order_is_found_paid_when_every_webhook_is_lost_and_the_browser_never_returns(house: House, mei: Caller) -> None:
    house.stripe(webhooks="off")
    placed = ordered(mei)
    house.pay_by_card(placed["payment"]["url"])
    assert mei.order(placed["number"])["state"] == "awaiting_payment"
    house.advance(minutes=2.5)
    mei.wait_for_order(placed["number"], "paid")
    was_paid_once(house, placed)


def test_browser_and_webhooks_at_once_pay_once(house: House, mei: Caller) -> None:
    house.stripe(webhooks="hold")
    placed = ordered(mei)
    house.pay_by_card(placed["payment"]["url"])
    phones = [mei.another_line() for _ in range(4)]
    works: list[Any] = [lambda phone=phone: phone.get(f"/payments/{placed['payment']['ref']}").ok(200) for phone in phones]
    works.append(lambda: house.stripe("/flush", order="shuffle", duplicate=1, at_once=True))
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for phone in phones:
        phone.close()
    mei.wait_for_order(placed["number"], "paid")
    was_paid_once(house, placed)


def test_declined_card_leaves_the_order_waiting_and_the_next_card_pays_it(house: House, mei: Caller) -> None:
    placed = ordered(mei)
    page = placed["payment"]["url"]
    refused = house.web.post(f"{page}/card", data={"number": "4000 0000 0000 0002", "expiry": "12 / 34", "cvc": "123"}, timeout=20)
    assert refused.status_code != 303
    assert mei.order(placed["number"])["state"] == "awaiting_payment"
    house.pay_by_card(page)
    mei.wait_for_order(placed["number"], "paid")
    was_paid_once(house, placed)


def test_paid_at_the_last_moment_counts_although_nobody_heard_of_it_in_time(house: House, mei: Caller) -> None:
    house.stripe(webhooks="off")
    placed = ordered(mei)
    house.pay_by_card(placed["payment"]["url"])
    house.advance(minutes=31)
    mei.wait_for_order(placed["number"], "paid")
    was_paid_once(house, placed)


def test_order_nobody_pays_runs_out_and_its_goods_are_back(house: House, mei: Caller) -> None:
    reserved = "SELECT reserved FROM stock_items JOIN variants ON variants.id = stock_items.variant_id WHERE variants.code = 'eggs'"
    before = house.number(reserved)
    placed = ordered(mei)
    assert house.number(reserved) == before + 1
    house.advance(minutes=31)
    mei.wait_for_order(placed["number"], "expired")
    assert house.number(reserved) == before
    house.pay_by_card(placed["payment"]["url"])  # a page that lay open: the provider has closed it
    assert placed["payment"]["ref"] not in house.stripe_books()["by_reference"]
    assert house.verify() == []


def test_cancelled_card_order_is_paid_back_once(house: House, mei: Caller) -> None:
    placed = ordered(mei)
    house.pay_by_card(placed["payment"]["url"])
    mei.wait_for_order(placed["number"], "paid")
    key = new_key()
    first = mei.post(f"/orders/{placed['number']}/cancel", key=key).ok(200)
    second = mei.post(f"/orders/{placed['number']}/cancel", key=key)
    assert (first["state"], first["refunded_minor"]) == ("cancelled", PRICE)
    assert (second.body, second.replayed) == (first, True)
    house.settle()
    books = house.stripe_books()["by_reference"][placed["payment"]["ref"]]
    assert (books["charged"], books["refunded"]) == (PRICE, PRICE)
    assert house.verify() == []


def test_somebody_else_sees_neither_order_nor_payment(house: House, mei: Caller) -> None:
    placed = ordered(mei)
    other = Caller.signed_in(house, ELDER)
    other.get(f"/orders/{placed['number']}").refused(404, "not_found")
    assert other.get(f"/payments/{placed['payment']['ref']}").status == 404
    other.close()


def test_top_up_by_card_is_in_the_wallet_once(house: House, mei: Caller) -> None:
    before = mei.balance()
    started = mei.top_up(12_300)
    house.stripe(webhooks="hold")
    house.pay_by_card(started["url"])
    mei.wait_for_payment(started["ref"], "succeeded")
    house.stripe("/flush", order="shuffle", duplicate=1)
    wait_until(lambda: mei.balance() == before + 12_300, 10, "the money in the wallet")
    house.settle()
    assert mei.balance() == before + 12_300
    assert house.verify() == []
