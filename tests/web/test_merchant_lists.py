"""The merchant's lists and papers: they keep their place in the address, and one press works on many orders."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from markupsafe import escape

from shop.fulfilment import orders_to_pack
from shop.kernel import clock
from shop.kernel.db import reading, transaction
from shop.models.orders import SubOrder, SubOrderState
from shop.models.platform import AuditEntry
from shop.stock.shelves import FEW
from tests.support.asking import agreed
from tests.support.counter import Counter, state_of
from tests.support.factories import SHARP, Factories
from tests.support.money import balance
from tests.support.people import sign_in
from tests.support.queries import counted

pytestmark = pytest.mark.both_engines

LISTS = (
    "/merchant/", "/merchant/orders?sort=arrives", "/merchant/stock?sort=-available", "/merchant/products?sort=price",
    "/merchant/statement", "/merchant/stock/rice", "/merchant/products/rice",
)  # fmt: skip


@pytest.fixture
def counter(make: Factories, client: FlaskClient) -> Counter:
    made = Counter(make)
    made.goods("rice", price=2_000, on_hand=300)
    made.goods("salt", price=300, on_hand=300)
    made.goods("fish", price=1_500, by_weight=True, grams=500)
    made.goods("oil", merchant=1, price=5_000)
    sign_in(client, made.new_owner(made.merchants[0])[0], second_factor=True)
    return made


def numbers_in(page: str) -> list[str]:
    return re.findall(r'href="/merchant/orders/(L[^"/]+)"', page)


def written_down() -> int:
    reading().rollback()
    return reading().scalar(sa.select(sa.func.count()).select_from(AuditEntry)) or 0


# --- the address of a list ---


def test_orders_are_sorted_both_ways_and_the_head_says_so(client: FlaskClient, counter: Counter) -> None:
    buyer = counter.buyer(money=100_000)
    small, large, middle = (counter.ordered(buyer, {"salt": quantity})[0].number for quantity in (1, 9, 5))
    up, down = client.get("/merchant/orders?sort=sum").text, client.get("/merchant/orders?sort=-sum").text
    assert numbers_in(up) == [small, middle, large]
    assert numbers_in(down) == [large, middle, small]
    assert 'aria-sort="ascending"' in up
    assert 'aria-sort="descending"' in down
    assert "sort=-sum" in up
    assert numbers_in(client.get("/merchant/orders?sort=nonsense").text) == [middle, large, small]


@pytest.mark.parametrize("sort", ["-placed", "number", "-sum", "arrives", "-point"])
def test_pages_of_every_order_hold_each_order_once(client: FlaskClient, counter: Counter, sort: str) -> None:
    buyer = counter.buyer(money=1_000_000)
    placed = {counter.ordered(buyer, {"salt": 1 + number % 3})[0].number for number in range(32)}
    first = client.get(f"/merchant/orders?sort={sort}&size=30").text
    link = re.search(r'rel="next" href="([^"]+)"', first)
    assert link
    second = client.get(link[1].replace("&amp;", "&")).text
    assert len(numbers_in(first)) == 30
    assert set(numbers_in(first)) | set(numbers_in(second)) == placed
    assert len(numbers_in(second)) == 2


def test_a_list_that_leaves_older_orders_out_says_so(client: FlaskClient, counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    buyer = counter.buyer(money=100_000)
    placed = [counter.ordered(buyer, {"salt": quantity})[0].number for quantity in (1, 9, 5)]
    monkeypatch.setattr(orders_to_pack, "LOOKED_THROUGH", 2)
    client.set_cookie("locale", "en")
    said = "Sorted and narrowed are the newest 2 orders of this list."
    cut = client.get("/merchant/orders?sort=sum").text
    assert said in cut
    assert numbers_in(cut) == [placed[2], placed[1]], "the oldest is the smallest, and is not among them"
    assert said in client.get("/merchant/orders?number=NOSUCH-1").text, "nor when nothing is found"
    by_time = client.get("/merchant/orders").text
    assert said not in by_time
    assert numbers_in(by_time) == placed[::-1], "by time the list goes on for good"
    monkeypatch.setattr(orders_to_pack, "LOOKED_THROUGH", 3)
    assert "Sorted and narrowed" not in client.get("/merchant/orders?sort=sum").text, "as many as there are"


def test_a_list_keeps_filters_size_and_ticks_in_its_links(client: FlaskClient, counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 1})
    page = client.get(f"/merchant/orders?tab=to_pack&size=60&ticked={part.number}&ticked=L-ELSEWHERE").text
    sorting = re.search(r'class="sort-link" href="([^"]+)"', page)
    assert sorting
    for kept in ("tab=to_pack", "size=60", f"ticked={part.number}", "ticked=L-ELSEWHERE"):
        assert kept in sorting[1], kept
    assert re.search(rf'name="ticked" value="{part.number}"[^>]*checked', page)
    assert 'value="L-ELSEWHERE" data-ticked-elsewhere' in page


def test_a_whole_number_leads_to_its_order_and_the_end_of_a_phone_finds_its_buyer(client: FlaskClient, counter: Counter) -> None:
    buyer, other = counter.buyer(), counter.buyer()
    (mine,), (theirs,) = counter.ordered(buyer, {"rice": 1}), counter.ordered(other, {"rice": 1})
    assert client.get(f"/merchant/orders?number={mine.number.lower()}").location == f"/merchant/orders/{mine.number}"
    assert numbers_in(client.get(f"/merchant/orders?number={mine.number[:-3]}").text)
    found = numbers_in(client.get(f"/merchant/orders?number={buyer.phone[-4:]}").text)
    assert mine.number in found
    assert theirs.number not in found or buyer.phone[-4:] == other.phone[-4:]


def test_the_shelf_can_be_narrowed_to_what_is_nearly_gone(client: FlaskClient, counter: Counter) -> None:
    counter.goods("tea", on_hand=FEW - 1)
    page = client.get("/merchant/stock?few=1").text
    assert "row-tea" in page
    assert "row-rice" not in page
    codes = re.findall(r'id="row-(\w+)"', client.get("/merchant/stock?sort=available").text)
    assert codes[0] == "tea"
    assert "Nearly gone" in client.get("/merchant/").text


def test_a_change_on_the_shelf_comes_back_to_the_same_list(client: FlaskClient, counter: Counter) -> None:
    place = "/merchant/stock?q=ri&sort=-available&size=100"
    assert f'action="{place.replace("&", "&amp;")}"' in client.get(place).text
    answer = client.post(place, data={"code": "rice", "kind": "received", "quantity": "5"})
    assert answer.location == f"{place}#row-rice"
    assert escape(f"Saved. Rice{SHARP}: 305 on the shelf, 305 free to sell.") in client.get(answer.location).text


@pytest.mark.parametrize("path", LISTS)
def test_a_list_costs_the_same_for_one_row_and_for_many(client: FlaskClient, counter: Counter, path: str) -> None:
    buyer, costs = counter.buyer(money=1_000_000), []
    for number in (1, 1, 6):
        for _ in range(number):
            counter.hand_over(counter.ready(buyer, {"rice": 1}).code)
            counter.ordered(buyer, {"rice": 1})
        with counted() as statements:
            assert client.get(path).status_code == 200
        costs.append(len(statements))
    assert costs[1] == costs[2], costs


# --- many orders at once ---


def test_ticked_orders_are_accepted_together(client: FlaskClient, counter: Counter) -> None:
    parts = [counter.ordered(counter.buyer(), {"rice": 1})[0] for _ in range(3)]
    data = {"do": "accept", "ticked": [part.number for part in parts[:2]], "back": "tab=to_pack&sort=sum&evil=1"}
    answer = agreed(client, "/merchant/orders/bulk", data)
    assert answer.location == "/merchant/orders?tab=to_pack&sort=sum"
    assert "2 orders accepted." in client.get(answer.location).text
    assert [state_of(part) for part in parts] == [SubOrderState.ACCEPTED, SubOrderState.ACCEPTED, SubOrderState.PLACED]


def test_what_must_be_weighed_does_not_hold_up_the_others_and_stays_ticked(client: FlaskClient, counter: Counter) -> None:
    plain, weighed = counter.ordered(counter.buyer(), {"rice": 1})[0], counter.ordered(counter.buyer(), {"fish": 1})[0]
    answer = agreed(client, "/merchant/orders/bulk", {"do": "pack", "ticked": [plain.number, weighed.number]})
    assert answer.location == f"/merchant/orders?ticked={weighed.number}&packed={plain.number}"
    page = client.get(answer.location).text
    assert "1 order packed." in page
    assert "1 order is not packed and still ticked." in page
    assert (state_of(plain), state_of(weighed)) == (SubOrderState.PACKED, SubOrderState.PLACED)


@pytest.mark.parametrize("deed", ["accept", "pack"])
def test_one_foreign_order_among_the_ticked_refuses_all(client: FlaskClient, counter: Counter, deed: str) -> None:
    mine, foreign = counter.ordered(counter.buyer(money=100_000), {"rice": 1, "oil": 1})
    before = written_down()
    answer = agreed(client, "/merchant/orders/bulk", {"do": deed, "ticked": [mine.number, foreign.number]})
    assert answer.status_code == 404
    assert {state_of(mine), state_of(foreign)} == {SubOrderState.PLACED}
    assert written_down() == before


def test_no_ticks_and_no_known_deed_change_nothing(client: FlaskClient, counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 1})
    before = written_down()
    assert "Tick the orders first." in client.post("/merchant/orders/bulk", data={"do": "accept"}, follow_redirects=True).text
    assert client.post("/merchant/orders/bulk", data={"do": "burn", "ticked": part.number}).status_code == 404
    assert state_of(part) is SubOrderState.PLACED
    assert written_down() == before


def test_many_orders_of_a_delivery_come_back_to_the_delivery(client: FlaskClient, counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 1})
    answer = agreed(client, "/merchant/orders/bulk", {"do": "pack", "ticked": part.number, "cycle": str(part.cycle_id)})
    assert answer.location == f"/merchant/deliveries/{part.cycle_id}?packed={part.number}"


# --- weighing ---


def test_weights_are_taken_as_the_scale_shows_them_and_the_scale_is_remembered(client: FlaskClient, counter: Counter) -> None:
    buyer = counter.buyer(money=10_000)
    (part,) = counter.ordered(buyer, {"fish": 2})
    name = next(f"grams-{line}" for line in counter.weights(part))
    checked = client.post(f"/merchant/orders/{part.number}/pack", data={name: "1.74", "unit": "jin", "do": "check"}).text
    assert "870 g, 130 g less than ordered. This line costs ¥26.10, ¥3.90 goes back to the buyer." in checked
    assert re.search(r'value="jin"[^>]*checked', client.get(f"/merchant/orders/{part.number}").text)
    client.post(f"/merchant/orders/{part.number}/pack", data={name: "1.74", "unit": "jin", "do": "pack"})
    assert balance(f"wallet:{buyer.id}") == 7_390


def test_more_than_ordered_costs_the_buyer_nothing_more_and_far_off_is_asked_about(client: FlaskClient, counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(money=10_000), {"fish": 2})
    name = next(f"grams-{line}" for line in counter.weights(part))
    more = client.post(f"/merchant/orders/{part.number}/pack", data={name: "1.05kg", "do": "check"}).text
    assert "1.05 kg, 50 g more than ordered. The buyer pays ¥30.00 as agreed, not more." in more
    far = client.post(f"/merchant/orders/{part.number}/pack", data={name: "87", "do": "check"}).text
    assert "That is far from the 1 kg ordered." in far.partition("data-unclear")[2]
    assert state_of(part) is SubOrderState.PLACED


def test_a_weight_far_off_is_packed_only_when_that_very_weight_was_said_to_be_right(client: FlaskClient, counter: Counter) -> None:
    buyer = counter.buyer(money=10_000)
    (part,) = counter.ordered(buyer, {"fish": 2})
    (line,) = counter.weights(part)
    name, tick, place = f"grams-{line}", f"sure-{line}", f"/merchant/orders/{part.number}/pack"
    asked = client.post(place, data={name: "5", "do": "pack"})
    assert asked.status_code == 409
    assert "It really is 5 g" in asked.text
    assert "¥29.85 goes back to the buyer." in asked.text
    assert re.search(rf'name="{tick}" value="5"(?![^>]*checked)', asked.text)
    assert re.findall(r"<input[^>]*autofocus", asked.text) == re.findall(rf'<input[^>]*name="{tick}"[^>]*autofocus', asked.text)
    other = client.post(place, data={name: "6", tick: "5", "do": "pack"})
    assert (other.status_code, "It really is 6 g" in other.text) == (409, True)
    assert (state_of(part), balance(f"wallet:{buyer.id}")) == (SubOrderState.PLACED, 7_000)
    client.post(place, data={name: "6", tick: "6", "do": "pack"})
    assert (state_of(part), balance(f"wallet:{buyer.id}")) == (SubOrderState.PACKED, 9_982)


# --- paper ---


def test_papers_of_a_delivery_and_of_chosen_orders(client: FlaskClient, counter: Counter) -> None:
    parts = [counter.ordered(counter.buyer(), {"rice": 1})[0] for _ in range(2)]
    place = f"/merchant/deliveries/{parts[0].cycle_id}"
    for path in (f"{place}/packing-list", f"{place}/labels", f"{place}/slips"):
        page = client.get(path).text
        assert all(part.number in page for part in parts), path
    labels = client.get(f"{place}/labels?crates=3").text
    assert labels.count("<svg") - labels.count('<svg class="icon') == 5
    assert "Crate 3 of 3" in labels
    assert "Crate 20 of 20" in client.get(f"{place}/labels?crates=999").text
    chosen = client.post("/merchant/orders/bulk", data={"do": "labels", "ticked": parts[0].number})
    page = client.get(chosen.location).text
    assert parts[0].number in page
    assert parts[1].number not in page


def test_papers_of_other_merchants_are_not_found(client: FlaskClient, counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"oil": 1})
    for path in (
        f"/merchant/deliveries/{part.cycle_id}/packing-list", f"/merchant/deliveries/{part.cycle_id}/labels",
        f"/merchant/orders/papers?paper=labels&number={part.number}", "/merchant/orders/papers",
    ):  # fmt: skip
        assert client.get(path).status_code == 404, path


def test_a_buyers_name_is_masked_on_every_paper(client: FlaskClient, counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(display_name="王小明"), {"rice": 1})
    place = f"/merchant/deliveries/{part.cycle_id}"
    for path in (f"{place}/packing-list", f"{place}/labels", f"{place}/slips", f"/merchant/orders/papers?number={part.number}"):
        page = client.get(path).text
        assert "王小明" not in page, path
        assert "王**" in page, path


# --- the statement ---


def test_the_figures_of_a_statement_add_up_to_what_the_ledger_owes(client: FlaskClient, counter: Counter) -> None:
    for weight in (437, 455, 500):
        buyer = counter.buyer()
        (part,) = counter.ordered(buyer, {"fish": 1})
        counter.pack(part, fish=weight)
        counter.receive([part])
        counter.hand_over(counter.pass_of(buyer).code)
    page = client.get("/merchant/statement").text
    gross, kept = 4_500, 1_311 + 1_365 + 1_500
    net = balance(f"merchant:{counter.merchants[0].id}")
    assert kept - net == 39 + 41 + 45, "3 % of each order, each rounded by itself"
    for figure in (gross, gross - kept, kept, kept - net, net):
        assert f'{figure // 100}<span class="price-fen">.{figure % 100:02d}' in page, figure


def test_a_statement_of_a_month_holds_that_month(client: FlaskClient, counter: Counter) -> None:
    counter.hand_over(counter.ready(counter.buyer(), {"rice": 1}).code)
    with transaction() as session:
        session.execute(sa.update(SubOrder).values(collected_at=clock.now() - timedelta(days=45)))
    this, before = clock.today(), (clock.local(clock.now() - timedelta(days=45))).date()
    assert numbers_in(client.get(f"/merchant/statement?month={this:%Y-%m}").text) == []
    assert len(numbers_in(client.get(f"/merchant/statement?month={before:%Y-%m}").text)) == 1
    assert len(numbers_in(client.get("/merchant/statement?month=nonsense").text)) == 1


def test_orders_that_are_on_their_way_already_are_passed_over(client: FlaskClient, counter: Counter) -> None:
    new, packed = counter.ordered(counter.buyer(), {"rice": 1})[0], counter.packed(counter.buyer(), {"rice": 1})[0]
    called_off = counter.ordered(counter.buyer(), {"rice": 1})[0]
    agreed(client, f"/merchant/orders/{called_off.number}/decline", {"reason": "none left"})
    numbers = [new.number, packed.number]
    assert "1 order accepted." in agreed(client, "/merchant/orders/bulk", {"do": "accept", "ticked": numbers}, follow_redirects=True).text
    assert (state_of(new), state_of(packed)) == (SubOrderState.ACCEPTED, SubOrderState.PACKED)
    packing = agreed(client, "/merchant/orders/bulk", {"do": "pack", "ticked": [*numbers, called_off.number]})
    assert "ticked" not in packing.location, "what can never be packed is not kept ticked"
    twice = client.get(packing.location).text
    assert "1 order packed." in twice
    assert "2 orders needed nothing." in twice
    before = written_down()
    again = agreed(client, "/merchant/orders/bulk", {"do": "pack", "ticked": numbers}, follow_redirects=True).text
    assert "2 orders needed nothing." in again
    assert "packed." not in again.partition("<main")[0], "nothing is no success"
    none = agreed(client, "/merchant/orders/bulk", {"do": "accept", "ticked": numbers}, follow_redirects=True).text
    assert "2 orders needed nothing." in none
    assert "0 orders" not in none
    assert written_down() == before
