"""kill -9 at every named crash point: after a restart and the same request again, nothing is lost and nothing is doubled."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from config import ROOT
from tests.support.callers import KEEPER, ORANGE_OWNER, RESIDENT, Caller, Said, new_key
from tests.support.desks import Desk
from tests.support.running import House, wait_until

pytestmark = pytest.mark.slow

TWO_SHOPS = {"blood-orange-loose": 2, "eggs": 1}
TWO_SHOPS_PRICE = 2 * 580 + 1_990
EGGS = {"eggs": 1}
EGGS_PRICE = 1_990
LEASE = 130
"""Seconds after which somebody else may take over what a dead process had begun."""

WHILE_ORDERING = ("checkout.after_pay", "checkout.after_reserve", "checkout.before_commit", "checkout.after_commit")
WHILE_ORDERING_BY_CARD = ("checkout.after_reserve", "checkout.before_commit", "checkout.after_commit")
WHILE_OPENING_THE_PAGE = ("payments.session_created",)
WHILE_COMING_BACK = ("settlement.fetched", "settlement.applied")
WHILE_HEARING = ("settlement.event_taken", "settlement.fetched", "settlement.applied", "outbox.after_run")
WHILE_CLOSING = ("settlement.session_expired",)
WHILE_REFUNDING = ("payments.refund_asked",)
WHILE_KNOWING_REFUNDS = ("settlement.refunds_listed", "settlement.refunds_known")
WHILE_REFUSED = ("settlement.refund_refused",)
WHILE_PAYING_BILLS = ("bill.before_send", "bill.after_send", "bill.before_record", "outbox.after_run")
WHILE_IMPORTING = ("imports.applied_some",)
AT_THE_COUNTER = ("handover.before_commit",)


@pytest.fixture(scope="module")
def mei(house: House) -> Iterator[Caller]:
    """A resident with money enough for all of this."""
    made = Caller.signed_in(house, RESIDENT)
    started = made.top_up(200_000)
    house.pay_by_card(started["url"])
    wait_until(lambda: made.balance() > 200_000, 10, "the money in the wallet")
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _everything_runs(house: House) -> Iterator[None]:
    """Each test begins and ends with a house in which nothing is about to die."""
    yield
    for name in ("web", "worker"):
        if house.armed.get(name) or name not in house.children:
            house.restart(name)


def test_every_crash_point_in_the_code_is_tried_here() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "shop").rglob("*.py"))
    named = set(re.findall(r'crashpoint\("([^"]+)"\)', text))
    tried = {
        *WHILE_ORDERING, *WHILE_ORDERING_BY_CARD, *WHILE_OPENING_THE_PAGE, *WHILE_COMING_BACK, *WHILE_HEARING, *WHILE_CLOSING,
        *WHILE_REFUNDING, *WHILE_KNOWING_REFUNDS, *WHILE_REFUSED, *WHILE_PAYING_BILLS, *AT_THE_COUNTER, *WHILE_IMPORTING,
    }  # fmt: skip
    assert named == tried


def killed(house: House, name: str, crash_at: str, deed: Callable[[], Said]) -> Said | None:
    """Do something while the program dies at a crash point, and start it again; the answer, if there was one before it died."""
    house.restart(name, crash_at)
    said: Said | None = None
    try:
        said = deed()
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        assert name == "web", "the web server was not meant to die"
    wait_until(lambda: house.has_died(name), 20, f"{name} dying at {crash_at}")
    house.restart(name)
    house.advance(seconds=LEASE)
    return said


def purchases(house: House, quote: dict[str, Any]) -> list[Any]:
    return house.rows(
        "SELECT purchases.number, purchases.state FROM purchases JOIN quotes ON quotes.id = purchases.quote_id WHERE quotes.ref = :ref",
        ref=quote["quote_id"],
    )


def stock(house: House, code: str = "eggs") -> tuple[int, int]:
    """On hand and reserved."""
    shelf = "SELECT on_hand, reserved FROM stock_items s JOIN variants v ON v.id = s.variant_id WHERE v.code = :code"
    row = house.rows(shelf, code=code)[0]
    return row.on_hand, row.reserved


@pytest.mark.parametrize("place", WHILE_ORDERING)
def test_order_from_the_wallet_survives_a_kill(house: House, mei: Caller, place: str) -> None:
    money, (on_hand, reserved) = mei.balance(), stock(house)
    mei.fill_cart(TWO_SHOPS)
    quote = mei.quote()
    body, key = mei.order_body(quote), new_key()
    assert killed(house, "web", place, lambda: mei.post("/orders", body, key)) is None
    placed = mei.again("POST", "/orders", body, key).ok(201)
    assert purchases(house, quote) == [(placed["number"], "paid")]
    assert mei.balance() == money - TWO_SHOPS_PRICE
    assert stock(house) == (on_hand - 1, reserved)
    assert mei.post("/orders", body, key).ok(201)["number"] == placed["number"]
    assert mei.get("/cart").ok(200)["count"] == 0
    house.settle()
    assert mei.balance() == money - TWO_SHOPS_PRICE
    assert house.verify() == []


@pytest.mark.parametrize("place", WHILE_ORDERING_BY_CARD)
def test_order_by_card_survives_a_kill(house: House, mei: Caller, place: str) -> None:
    on_hand, reserved = stock(house)
    mei.fill_cart(EGGS)
    quote = mei.quote()
    body, key = mei.order_body(quote, "stripe"), new_key()
    assert killed(house, "web", place, lambda: mei.post("/orders", body, key)) is None
    placed = mei.again("POST", "/orders", body, key).ok(201)
    assert purchases(house, quote) == [(placed["number"], "awaiting_payment")]
    house.pay_by_card(mei.with_page(placed)["payment"]["url"])
    mei.wait_for_order(placed["number"], "paid")
    house.settle()
    assert stock(house) == (on_hand - 1, reserved)
    was_charged_once(house, placed)
    assert house.verify() == []


def was_charged_once(house: House, placed: dict[str, Any], refunded: int = 0) -> None:
    books = house.stripe_books()["by_reference"][placed["payment"]["ref"]]
    assert (books["charged"], books["refunded"]) == (EGGS_PRICE, refunded)
    paid = "SELECT count(*) FROM payments p JOIN purchases u ON u.id = p.purchase_id WHERE u.number = :number AND p.state = 'succeeded'"
    assert house.number(paid, number=placed["number"]) == 1


@pytest.mark.parametrize("place", WHILE_OPENING_THE_PAGE)
def test_order_has_one_page_to_pay_on_although_the_worker_that_opens_it_is_killed(house: House, mei: Caller, place: str) -> None:
    mei.fill_cart(EGGS)
    body = mei.order_body(mei.quote(), "stripe")
    said = killed(house, "worker", place, lambda: mei.post("/orders", body, new_key()))
    assert said is not None
    placed = mei.with_page(said.ok(201))
    house.pay_by_card(placed["payment"]["url"])
    mei.wait_for_order(placed["number"], "paid")
    house.settle()
    was_charged_once(house, placed)
    keys = [call["idempotency_key"] for call in house.stripe_log() if call["path"] == "/v1/checkout/sessions" and call["method"] == "POST"]
    assert set(keys[-2:]) == {placed["payment"]["ref"]}, "asked again, with the same key"
    assert house.verify() == []


@pytest.mark.parametrize("place", WHILE_COMING_BACK)
def test_payment_survives_a_kill_while_its_buyer_comes_back(house: House, mei: Caller, place: str) -> None:
    house.stripe(webhooks="hold")
    placed = mei.buy(EGGS, "stripe")
    house.pay_by_card(placed["payment"]["url"])
    house.advance(seconds=4)
    killed(house, "worker", place, lambda: mei.get(f"/payments/{placed['payment']['ref']}"))
    mei.wait_for_payment(placed["payment"]["ref"], "succeeded")
    house.stripe("/flush", order="planned")
    house.stripe(webhooks="on")
    assert mei.order(placed["number"])["state"] == "paid"
    house.settle()
    was_charged_once(house, placed)
    assert house.verify() == []


@pytest.mark.parametrize("place", WHILE_HEARING)
def test_payment_survives_a_kill_of_the_worker_that_hears_of_it(house: House, mei: Caller, place: str) -> None:
    placed = mei.buy(EGGS, "stripe")
    house.settle()

    def pay() -> Said:
        house.pay_by_card(placed["payment"]["url"])
        return Said(200, None)

    killed(house, "worker", place, pay)
    mei.wait_for_order(placed["number"], "paid")
    house.settle()
    was_charged_once(house, placed)
    assert house.verify() == []


@pytest.mark.parametrize("place", WHILE_CLOSING)
def test_order_nobody_paid_runs_out_although_the_worker_is_killed(house: House, mei: Caller, place: str) -> None:
    before = stock(house)
    placed = mei.buy(EGGS, "stripe")

    def time_passes() -> Said:
        house.advance(minutes=31)
        return Said(200, None)

    killed(house, "worker", place, time_passes)
    mei.wait_for_order(placed["number"], "expired")
    house.settle()
    assert stock(house) == before
    assert placed["payment"]["ref"] not in house.stripe_books()["by_reference"]
    assert house.verify() == []


@pytest.mark.parametrize("place", WHILE_REFUNDING)
def test_refund_to_a_card_survives_a_kill(house: House, mei: Caller, place: str) -> None:
    before = stock(house)
    placed = mei.buy(EGGS, "stripe")
    house.pay_by_card(placed["payment"]["url"])
    mei.wait_for_order(placed["number"], "paid")
    house.settle()
    said = killed(house, "worker", place, lambda: mei.post(f"/orders/{placed['number']}/cancel", key=new_key()))
    assert said is not None
    assert said.ok(200)["state"] == "cancelled"
    refund = "SELECT state FROM refunds WHERE payment_id = (SELECT id FROM payments WHERE ref = :ref)"
    wait_until(lambda: house.rows(refund, ref=placed["payment"]["ref"]) == [("succeeded",)], 15, "the refund")
    house.settle()
    was_charged_once(house, placed, refunded=EGGS_PRICE)
    assert stock(house) == before
    assert house.verify() == []


def paid_by_card(house: House, mei: Caller) -> tuple[dict[str, Any], str]:
    """A paid order of eggs, and the provider's intent of its payment."""
    placed = mei.buy(EGGS, "stripe")
    house.pay_by_card(placed["payment"]["url"])
    mei.wait_for_order(placed["number"], "paid")
    house.settle()
    named = house.rows("SELECT provider_intent FROM payments WHERE ref = :ref", ref=placed["payment"]["ref"])
    return placed, str(named[0][0])


def all_went_back_once(house: House, placed: dict[str, Any]) -> bool:
    """What the provider has given back, and our refunds that arrived, are each the price."""
    there = house.stripe_books()["by_reference"][placed["payment"]["ref"]]["refunded"]
    arrived = """SELECT COALESCE(SUM(r.amount), 0) FROM refunds r JOIN payments p ON p.id = r.payment_id
        WHERE p.ref = :ref AND r.state = 'succeeded'"""
    return (there, house.number(arrived, ref=placed["payment"]["ref"])) == (EGGS_PRICE, EGGS_PRICE)


@pytest.mark.parametrize("place", WHILE_KNOWING_REFUNDS)
def test_refund_made_at_the_provider_is_known_once_although_the_worker_is_killed(house: House, mei: Caller, place: str) -> None:
    placed, intent = paid_by_card(house, mei)

    def give_back_there() -> Said:
        house.stripe("/refund", payment_intent=intent, amount=1_000)
        return Said(200, None)

    killed(house, "worker", place, give_back_there)
    known = "SELECT count(*) FROM refunds WHERE amount = 1000 AND payment_id = (SELECT id FROM payments WHERE ref = :ref)"
    wait_until(lambda: house.number(known, ref=placed["payment"]["ref"]) == 1, 15, "the refund being known")
    house.settle()
    mei.post(f"/orders/{placed['number']}/cancel", key=new_key()).ok(200)
    wait_until(lambda: all_went_back_once(house, placed), 15, "the rest going back")
    house.settle()
    assert house.verify() == []


@pytest.mark.parametrize("place", WHILE_REFUSED)
def test_refund_that_is_refused_is_planned_anew_although_the_worker_is_killed(house: House, mei: Caller, place: str) -> None:
    placed, intent = paid_by_card(house, mei)
    house.stripe("/refund", payment_intent=intent, amount=1_000, event=False)
    said = killed(house, "worker", place, lambda: mei.post(f"/orders/{placed['number']}/cancel", key=new_key()))
    assert said is not None
    assert said.ok(200)["state"] == "cancelled"
    wait_until(lambda: all_went_back_once(house, placed), 15, "all of it going back")
    house.settle()
    assert house.verify() == []


@pytest.mark.parametrize("place", WHILE_PAYING_BILLS)
def test_bill_is_posted_once_although_the_worker_is_killed(house: House, mei: Caller, place: str) -> None:
    number = f"51100{WHILE_PAYING_BILLS.index(place):03d}16"
    _account, due = mei.add_bill_account(number)
    house.settle()
    money, total = mei.balance(), due["total_minor"]
    body, key = mei.bill_body(due), new_key()
    said = killed(house, "worker", place, lambda: mei.post("/bill-payments", body, key))
    assert said is not None
    ref = said.ok(201)["ref"]
    assert mei.post("/bill-payments", body, key).ok(201)["ref"] == ref
    house.hurry(lambda: mei.get(f"/bill-payments/{ref}").ok(200)["state"] == "posted", f"bill payment {ref} becoming posted")
    assert mei.get(f"/bill-payments/{ref}").ok(200)["receipt"]["number"]
    assert mei.balance() == money - total
    books = house.biller.books()
    assert books["posted_more_than_once"] == []
    assert [payment["times_posted"] for payment in books["payments"] if payment["account_no"] == number] == [1]
    # The reconciler may have sent a second job meanwhile, which waits until the call of the first one counts as given up.
    house.hurry(lambda: not house.unfinished_jobs(), "the end of all jobs")
    assert house.verify() == []


@pytest.mark.parametrize("place", AT_THE_COUNTER)
def test_goods_leave_the_counter_once_although_the_web_is_killed(house: House, mei: Caller, place: str) -> None:
    owner, keeper = (Caller.signed_in(house, phone, second_factor=True) for phone in (ORANGE_OWNER, KEEPER))
    counter = Desk.signed_in(house, KEEPER)
    placed = mei.buy({"blood-orange-m": 1})
    owner.pack(placed)
    part = placed["sub_orders"][0]["number"]
    counter.receive(part)
    shown = mei.get("/passes").ok(200)["code"]
    payable = "SELECT count(*) FROM transfers WHERE cause = :cause"
    cause = f"sub_order:{house.number('SELECT id FROM sub_orders WHERE number = :number', number=part)}:release"
    body, key = {"events": [keeper.scan(shown)]}, new_key()
    assert killed(house, "web", place, lambda: keeper.post("/station/handovers", body, key)) is None
    assert house.number(payable, cause=cause) == 0, "nothing left the counter yet"
    said = keeper.again("POST", "/station/handovers", body, key).ok(200)
    assert [outcome["outcome"] for outcome in said["outcomes"]] == ["accepted"]
    assert keeper.post("/station/handovers", body, key).ok(200) == said
    assert keeper.hand_over(body["events"][0]) == [("duplicate", None)]
    assert mei.order(placed["number"])["state"] == "completed"
    assert house.number(payable, cause=cause) == 1
    items = "SELECT count(*) FROM collectables WHERE state = 'collected' AND number = :number"
    assert house.number(items, number=part) == 1
    for one in (owner, keeper, counter):
        one.close()
    house.settle()
    assert house.verify() == []


@pytest.mark.parametrize("place", WHILE_IMPORTING)
def test_a_sheet_of_goods_is_applied_once_after_a_kill(house: House, place: str) -> None:
    owner = Caller.signed_in(house, ORANGE_OWNER, second_factor=True)
    rows = [f"kill-{number},血橙,水果,斤,5.80,500,7,资中县,20" for number in range(300)]
    content = "\n".join(["编码,商品名称,分类,规格,价格(元),净重(克),库存,产地,保质期(天)", *rows]).encode()
    body = {"merchant": "orange-coop", "kind": "goods", "file_name": "x.csv", "content": base64.b64encode(content).decode()}
    ref = owner.post("/merchant/imports", body, new_key()).ok(201)["ref"]
    path = f"/merchant/imports/{ref}"
    wait_until(lambda: owner.get(path).ok(200)["state"] == "checked", 30, "the rows")
    killed(house, "worker", f"{place}:2", lambda: owner.post(f"{path}/decide", {"choice": "good"}, new_key()))
    house.settle()
    wait_until(lambda: owner.get(path).ok(200)["state"] == "done", 60, "the end of the import")
    assert owner.get(path).ok(200)["rows_applied"] == 300
    counted = "SELECT COUNT(*) AS sizes, SUM(s.on_hand) AS units FROM variants v JOIN stock_items s ON s.variant_id = v.id"
    counted += " WHERE v.code LIKE :codes"
    found = house.rows(counted, codes="orange-coop-kill-%")[0]
    assert (found.sizes, found.units) == (300, 2_100)
    assert house.verify() == []
    owner.close()
