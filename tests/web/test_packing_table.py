"""The packing table through its pages: what is asked, what is told, and what can be taken back."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from shop.fulfilment.queries import incoming
from shop.kernel.db import reading
from shop.models.accounts import Role
from shop.models.orders import OrderLine, SubOrder, SubOrderState
from shop.pickup.visits import live_of
from tests.support.asking import agreed, question_of
from tests.support.books import assert_books_are_right
from tests.support.counter import Counter, state_of
from tests.support.factories import Factories
from tests.support.money import balance
from tests.support.people import sign_in


@pytest.fixture
def counter(make: Factories, client: FlaskClient) -> Counter:
    made = Counter(make, merchants=2)
    made.goods("rice", price=2_000)
    made.goods("fish", price=1_500, by_weight=True, grams=500)
    made.goods("oil", merchant=1, price=5_000)
    clerk = make.user(display_name="赵店员")
    make.grant(clerk, Role.MERCHANT_CLERK, merchant=made.merchants[0])
    sign_in(client, clerk, second_factor=True)
    return made


def line_of(part: SubOrder, quantity: int | None = None) -> Any:
    reading().rollback()
    found = sa.select(OrderLine.id, OrderLine.final_grams, OrderLine.short_quantity).where(OrderLine.sub_order_id == part.id)
    return reading().execute(found.where(OrderLine.quantity == quantity) if quantity else found).one()


def test_the_second_clerk_is_told_who_weighed_what_and_may_correct_it(client: FlaskClient, counter: Counter) -> None:
    buyer = counter.buyer(money=10_000)
    (part,) = counter.ordered(buyer, {"fish": 2})
    counter.pack(part, fish=850)
    path, weight = f"/merchant/orders/{part.number}/pack", {f"grams-{line_of(part).id}": "950", "do": "pack"}
    asked = question_of(client.post(path, data=weight).text)
    assert "刘** weighed 850 g" in asked
    assert "You say 950 g: it would cost ¥28.50 instead of ¥25.50. ¥3.00 is taken from the buyer's wallet again" in asked
    assert line_of(part).final_grams == 850, "asking changes nothing"
    assert "Corrected. ¥3.00 was taken" in agreed(client, path, weight, follow_redirects=True).text
    assert (line_of(part).final_grams, balance(f"wallet:{buyer.id}")) == (950, 10_000 - 2_850)
    page = client.get(f"/merchant/orders/{part.number}").text
    assert "Corrected by 赵**" in page
    same = client.post(path, data={**weight, f"grams-{line_of(part).id}": "950"}, follow_redirects=True).text
    assert "Packed." in same
    assert_books_are_right()


def test_three_of_five_are_missing_and_the_page_says_what_that_does(client: FlaskClient, counter: Counter) -> None:
    buyer = counter.buyer(money=20_000)
    (part,) = counter.ordered(buyer, {"rice": 5, "fish": 1})
    line = line_of(part, 5).id
    path = f"/merchant/orders/{part.number}/lines/{line}/missing"
    assert path in client.get(f"/merchant/orders/{part.number}").text
    data = {"there": "2", "reason": "broken on the way"}
    asked = question_of(client.post(path, data=data).text)
    assert "3 of 5 are not there?" in asked
    assert "¥60.00 goes back to the buyer at once" in asked
    assert "on the shelf are then no longer sold" in asked
    assert "no longer sold" not in question_of(client.post(path, data={**data, "keep_selling": "1"}).text)
    assert "¥60.00 went back" in agreed(client, path, data, follow_redirects=True).text
    assert (line_of(part, 5).short_quantity, state_of(part)) == (3, SubOrderState.PLACED)
    assert "3 of 5 are not there (broken on the way)" in client.get(f"/merchant/orders/{part.number}").text


@pytest.mark.parametrize(
    ("there", "reason", "field", "says"),
    [
        ("6", "x", "there", "a whole number from 0 to 5"), ("two", "x", "there", "Please enter a whole number."),
        ("", "x", "there", "Please enter a whole number."), ("2", "", "reason", "Please say why"), ("9" * 30, "x", "there", "Please enter"),
    ],
)  # fmt: skip
def test_a_number_or_reason_that_cannot_be_is_said_at_its_field_and_stays(
    client: FlaskClient, counter: Counter, there: str, reason: str, field: str, says: str
) -> None:  # fmt: skip
    (part,) = counter.ordered(counter.buyer(), {"rice": 5, "fish": 1})
    line = line_of(part, 5).id
    answer = client.post(f"/merchant/orders/{part.number}/lines/{line}/missing", data={"there": there, "reason": reason})
    assert answer.status_code == 422
    assert says in answer.text.partition(f'id="field-{field}-error"')[2].partition("</p>")[0]
    assert f'value="{there[:20]}"' in answer.text or not there
    assert line_of(part, 5).short_quantity == 0


def test_lines_of_other_orders_and_other_shops_are_not_found(client: FlaskClient, counter: Counter) -> None:
    mine, other = counter.ordered(counter.buyer(), {"rice": 1})[0], counter.ordered(counter.buyer(), {"rice": 1})[0]
    (foreign,) = counter.ordered(counter.buyer(), {"oil": 1})
    data = {"there": "0", "reason": "mine"}
    for number, line in ((mine.number, line_of(other).id), (foreign.number, line_of(foreign).id), (mine.number, 10**17)):
        path = f"/merchant/orders/{number}/lines/{line}/missing"
        assert (client.get(path).status_code, client.post(path, data=data).status_code) == (404, 404)
    for path in (f"/merchant/orders/{foreign.number}/unpack", f"/merchant/deliveries/{foreign.cycle_id}/bring-back"):
        assert client.post(path, data={"sure": "x", "reason": "mine"}).status_code in (200, 404)
    assert state_of(foreign) is SubOrderState.PLACED


def test_many_are_packed_after_a_question_and_taken_back_with_one_press(client: FlaskClient, counter: Counter) -> None:
    parts = [counter.ordered(counter.buyer(), {"rice": 1})[0] for _ in range(3)]
    numbers = [part.number for part in parts]
    data: dict[str, Any] = {"do": "pack", "ticked": numbers}
    assert question_of(client.post("/merchant/orders/bulk", data=data).text) == "Are 3 orders packed?"
    assert {state_of(part) for part in parts} == {SubOrderState.PLACED}
    page = agreed(client, "/merchant/orders/bulk", data, follow_redirects=True).text
    assert "3 orders were packed just now." in page
    back = {"do": "unpack", "ticked": numbers}
    assert "Take back that 3 orders are packed?" in question_of(client.post("/merchant/orders/bulk", data=back).text)
    assert "3 orders are open again." in agreed(client, "/merchant/orders/bulk", back, follow_redirects=True).text
    assert "3 orders needed nothing." in agreed(client, "/merchant/orders/bulk", back, follow_redirects=True).text
    assert {state_of(part) for part in parts} == {SubOrderState.ACCEPTED}
    assert_books_are_right()


def test_sending_names_what_leaves_what_stays_and_that_it_closes(client: FlaskClient, counter: Counter) -> None:
    (packed,), (_open,) = counter.packed(counter.buyer(), {"rice": 1}), counter.ordered(counter.buyer(), {"rice": 1})
    path = f"/merchant/deliveries/{packed.cycle_id}/send"
    asked = question_of(client.post(path).text)
    assert "Has the driver 1 order for" in asked
    assert "1 order is not packed and stays behind." in asked
    assert "once it has left, nobody can order for it any more." in asked
    agreed(client, path)
    assert state_of(packed) is SubOrderState.IN_TRANSIT
    client.post(f"/merchant/deliveries/{packed.cycle_id}/bring-back", data={"reason": ""})
    assert state_of(packed) is SubOrderState.IN_TRANSIT
    page = client.post(f"/merchant/deliveries/{packed.cycle_id}/bring-back", data={"reason": "wrong van"}, follow_redirects=True).text
    assert "1 order is packed as before." in page
    assert state_of(packed) is SubOrderState.PACKED
    assert_books_are_right()


def test_a_yes_to_another_question_sends_nothing(client: FlaskClient, counter: Counter) -> None:
    (packed,) = counter.packed(counter.buyer(), {"rice": 1})
    path = f"/merchant/deliveries/{packed.cycle_id}/send"
    sure = client.post(path).text.partition('name="sure" value="')[2].partition('"')[0]
    counter.ordered(counter.buyer(), {"rice": 1})
    assert "1 order is not packed" in question_of(client.post(path, data={"sure": sure}).text)
    assert state_of(packed) is SubOrderState.PACKED


def test_a_scanned_label_opens_its_order_and_enter_twice_changes_nothing(client: FlaskClient, counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 1})
    whole = part.number.rpartition("-")[0]
    for typed in (part.number, part.number.lower(), whole, part.number.partition("-")[2], whole.partition("-")[2]):
        answer = client.get("/merchant/scan", query_string={"code": typed})
        assert answer.location == f"/merchant/orders/{part.number}?scanned=1", typed
    page = client.get(f"/merchant/orders/{part.number}?scanned=1").text
    assert "data-focus-by-script" not in page, "the next Enter of the scanner packs nothing"
    batch = counter.pack(part).batch_code
    assert client.get(f"/merchant/scan?code={batch}").location == f"/merchant/deliveries/{part.cycle_id}"
    (foreign,) = counter.ordered(counter.buyer(), {"oil": 1})
    for typed in (foreign.number, "L261130-%%%%", "", "x" * 79):
        assert client.get("/merchant/scan", query_string={"code": typed}).location == "/merchant/"


def test_what_is_to_be_packed_stands_by_when_it_must_leave(client: FlaskClient, counter: Counter) -> None:
    first, second = (counter.ordered(counter.buyer(), {"rice": 1})[0] for _ in range(2))
    page = client.get("/merchant/orders?tab=to_pack").text
    assert page.index(first.number) < page.index(second.number)
    newest_first = client.get("/merchant/orders").text
    assert newest_first.index(second.number) < newest_first.index(first.number)


def test_papers_of_what_has_left_are_not_printed_again_and_eight_labels_share_a_sheet(client: FlaskClient, counter: Counter) -> None:
    gone = counter.packed(counter.buyer(), {"rice": 1})[0]
    counter.send(gone)
    labels = client.get(f"/merchant/deliveries/{gone.cycle_id}/labels?crates=9").text
    assert labels.count('class="label-sheet"') == 2
    assert gone.number not in labels
    assert "1 order has left and is not printed again." in labels
    assert gone.number in client.get(f"/merchant/deliveries/{gone.cycle_id}/labels?all=1").text
    assert gone.number not in client.get(f"/merchant/deliveries/{gone.cycle_id}/slips").text
    on_roll = client.get(f"/merchant/deliveries/{gone.cycle_id}/labels?roll=1").text
    assert "paper-label" in on_roll
    assert "paper-labels" not in on_roll


# --- the buyer's side ---


def test_the_buyer_reads_which_shop_declined_and_what_still_comes(client: FlaskClient, counter: Counter, make: Factories) -> None:
    buyer = counter.buyer(money=20_000)
    rice, oil = counter.ordered(buyer, {"rice": 5, "oil": 1})
    line = line_of(rice).id
    agreed(client, f"/merchant/orders/{rice.number}/lines/{line}/missing", {"there": "4", "reason": "torn bag"})
    owner = make.user()
    make.grant(owner, Role.MERCHANT_OWNER, merchant=counter.merchants[1])
    sign_in(client, owner, second_factor=True)
    agreed(client, f"/merchant/orders/{oil.number}/decline", {"reason": "the bottles broke"})
    sign_in(client, buyer)
    number = rice.number.rpartition("-")[0]
    page = client.get(f"/orders/{number}").text
    head = page.partition('class="panel order-head')[2].partition("</section>")[0]
    assert "could not deliver its part: the bottles broke." in head
    assert "¥50.00 given back" in head
    assert "What still comes:" in head
    assert "1 of 5 are not there (torn bag): ¥20.00 less." in page
    assert "can no longer be cancelled here" not in page
    assert f'action="/orders/{number}/cancel"' in page


def test_the_counter_counts_what_came_and_not_what_was_missing(client: FlaskClient, counter: Counter) -> None:
    buyer = counter.buyer(money=30_000)
    (part,) = counter.ordered(buyer, {"rice": 5, "fish": 1})
    base = f"/merchant/orders/{part.number}/lines"
    agreed(client, f"{base}/{line_of(part, 5).id}/missing", {"there": "2", "reason": "broken"})
    agreed(client, f"{base}/{line_of(part, 1).id}/missing", {"there": "0", "reason": "sold out"})
    counter.pack(part)
    (expected,) = incoming(reading(), part.cycle_id)
    assert expected.pieces == 2
    counter.receive([part])
    (waiting,) = live_of(reading(), buyer.id)[0].waiting
    assert ([line.quantity for line in waiting.lines], waiting.pieces) == ([2], 2)
