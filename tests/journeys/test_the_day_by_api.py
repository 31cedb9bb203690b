"""A day in Tianchenghu told to the API alone: two shops, a lighter bag, one pass, three bills. And the books at the end of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.support.callers import FOREIGN_KEEPER, KEEPER, ORANGE_OWNER, RESIDENT, Caller, new_key
from tests.support.running import House, wait_until

pytestmark = pytest.mark.slow

CEILING = 2 * 580
EGGS = 1_990
LIGHTER = 870
LIGHTER_PRICE = 1_009  # 870 g at 5.80 yuan for 500 g is 10.092 yuan


@pytest.fixture(scope="module")
def mei(house: House) -> Iterator[Caller]:
    made = Caller.signed_in(house, RESIDENT)
    yield made
    made.close()


@pytest.fixture(scope="module")
def owner(house: House) -> Iterator[Caller]:
    """The owner of the orange co-operative, who minds the farm's shop today as well."""
    house.flask("users", "grant", ORANGE_OWNER, "merchant_clerk", "--merchant", "farm-coop")
    made = Caller.signed_in(house, ORANGE_OWNER, second_factor=True)
    yield made
    made.close()


@pytest.fixture(scope="module")
def keeper(house: House) -> Iterator[Caller]:
    made = Caller.signed_in(house, KEEPER, second_factor=True)
    yield made
    made.close()


def test_goods_are_found_by_characters_pinyin_and_initials(mei: Caller) -> None:
    for words in ("血橙", "xuecheng", "xc"):
        found = mei.get("/products", q=words, community="tianchenghu").ok(200)["items"]
        assert "blood-orange-loose" in {item["code"] for item in found}, words


def test_two_shops_one_order_a_lighter_bag_and_one_pass(house: House, mei: Caller, owner: Caller, keeper: Caller) -> None:
    money = mei.balance()
    mei.put("/me/pickup-point", {"pickup_point": "tianchenghu"}).ok(200)
    cart = mei.fill_cart({"blood-orange-loose": 2, "eggs": 1})
    assert [block["merchant"] for block in cart["blocks"]] == ["orange-coop", "farm-coop"]
    quote = mei.quote()
    assert quote["total_minor"] == CEILING + EGGS
    assert all(part["arrives_on"] and part["cut_off_at"] for part in quote["sub_orders"])
    wrong = {**mei.order_body(quote), "payment": {"method": "wallet", "pin": "135790"}}
    mei.post("/orders", wrong, key=new_key()).refused(402, "wrong_pin")
    assert mei.balance() == money
    placed = mei.post("/orders", mei.order_body(quote), key=new_key()).ok(201)
    assert (placed["state"], mei.balance()) == ("paid", money - CEILING - EGGS)

    assert owner.pack(placed, LIGHTER) == CEILING - LIGHTER_PRICE
    assert mei.balance() == money - LIGHTER_PRICE - EGGS, "what it weighed less is back at once"
    assert owner.pack(placed, LIGHTER) == 0, "packed is packed"

    before = len(house.messages(RESIDENT))
    keeper.receive(*(part["number"] for part in placed["sub_orders"]))
    shown = mei.get("/passes").ok(200)
    assert {item["merchant"] for item in shown["items"]} == {"orange-coop", "farm-coop"}
    texts = wait_until(lambda: house.messages(RESIDENT)[: len(house.messages(RESIDENT)) - before], 10, "the text message")
    assert len(texts) == 1, "one message for both shops"
    assert f"{shown['code'][:3]} {shown['code'][3:]}" in texts[0]["text"] or shown["code"] in texts[0]["text"]

    foreign = Caller.signed_in(house, FOREIGN_KEEPER, second_factor=True)
    assert foreign.hand_over(foreign.scan(shown["code"]), foreign.scan(shown["qr"])) == [("refused", "wrong_point")] * 2
    foreign.close()
    assert mei.order(placed["number"])["state"] == "paid"

    mine = keeper.scan(shown["code"])
    assert keeper.hand_over(mine) == [("accepted", None)]
    assert keeper.hand_over(mine) == [("duplicate", None)]
    assert keeper.hand_over(keeper.scan(shown["code"]), keeper.scan(shown["qr"])) == [("conflict", "already_handed_over")] * 2
    done = mei.order(placed["number"])
    assert done["state"] == "completed"
    assert {part["state"] for part in done["sub_orders"]} <= {"collected", "completed"}
    assert mei.get("/passes").ok(200)["passes"] == []
    house.settle()
    assert house.verify() == []


def test_second_visit_opens_by_its_qr_code_only_once(house: House, mei: Caller, owner: Caller, keeper: Caller) -> None:
    placed = mei.buy({"blood-orange-m": 1}, "stripe")
    house.pay_by_card(placed["payment"]["url"])
    mei.wait_for_order(placed["number"], "paid")
    owner.pack(placed)
    keeper.receive(placed["sub_orders"][0]["number"])
    shown = mei.get("/passes").ok(200)
    forged = shown["qr"][:-4] + ("0000" if not shown["qr"].endswith("0000") else "1111")
    earlier = (house.now() - timedelta(hours=2)).isoformat()
    scans = [keeper.scan(forged), keeper.scan(shown["qr"]), keeper.scan(shown["qr"], device_time=earlier)]
    assert keeper.hand_over(*scans) == [("refused", "forged_pass"), ("accepted", None), ("conflict", "already_handed_over")]
    assert mei.order(placed["number"])["state"] == "completed"
    house.settle()
    assert house.verify() == []


def test_bills_of_two_periods_a_lost_answer_and_a_refusal_end_by_themselves(house: House, mei: Caller) -> None:
    money, refs, totals = mei.balance(), {}, {}
    for digit in (7, 2, 3):
        number = f"511000004{digit}"
        account, due = mei.add_bill_account(number)
        assert len(due["bills"]) == (2 if digit == 7 else 1)
        shown = next(item for item in mei.get("/bill-accounts").ok(200)["items"] if item["id"] == account)
        assert shown["holder"].startswith("*")
        refs[digit] = mei.post("/bill-payments", mei.bill_body(due), key=new_key()).ok(201)["ref"]
        totals[digit] = due["total_minor"]
    assert mei.balance() == money - sum(totals.values())
    assert mei.wait_for_bill(refs[7], "posted")["receipt"]["number"]
    assert mei.wait_for_bill(refs[2], "posted")["receipt"]["number"]
    assert mei.wait_for_bill(refs[3], "refunded")["receipt"] is None
    assert mei.balance() == money - totals[7] - totals[2]
    books = house.biller.books()
    assert books["posted_more_than_once"] == []
    posted = {payment["account_no"]: payment["times_posted"] for payment in books["payments"]}
    assert posted == {"5110000047": 1, "5110000042": 1}
    house.settle()
    assert house.verify() == []


def test_wrong_number_and_paid_up_account_cost_nothing(house: House, mei: Caller) -> None:
    money = mei.balance()
    account = mei.post("/bill-accounts", {"biller": "power", "account_no": "5110000050", "label": ""}, key=new_key()).ok(201)["id"]
    assert wait_until(lambda: mei.post(f"/bill-accounts/{account}/fetch").body.get("code"), 15, "the refusal", 0.3) == "unknown_account"
    _account, due = mei.add_bill_account("5110000051")
    assert (due["bills"], due["total_minor"]) == ([], 0)
    assert mei.balance() == money
    assert house.verify() == []
