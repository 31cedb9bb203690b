"""The merchant's shelf: counted, asked about, taken back; and prices, several at once, with their history."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qsl, urlsplit

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from markupsafe import escape
from werkzeug.test import TestResponse

from shop.kernel.db import reading
from shop.models.accounts import Role
from shop.models.catalog import Variant
from shop.models.orders import PaymentMethod
from shop.models.platform import AuditEntry
from shop.models.stock import StockMovement
from tests.support.counter import Counter
from tests.support.factories import Factories
from tests.support.people import sign_in
from tests.support.shopping import count, stock_of


@pytest.fixture
def counter(make: Factories, client: FlaskClient) -> Counter:
    made = Counter(make)
    made.rice = made.goods("rice", price=2_000, on_hand=10)  # type: ignore[attr-defined]
    made.goods("salt", price=300, on_hand=10)
    made.goods("oil", merchant=1, price=5_000)
    made.owner_user, made.owner = made.new_owner(made.merchants[0])  # type: ignore[attr-defined]
    sign_in(client, made.clerk_users[0], second_factor=True)
    return made


@pytest.fixture
def owner(client: FlaskClient, counter: Counter) -> None:
    sign_in(client, counter.owner_user, second_factor=True)  # type: ignore[attr-defined]


def actions() -> set[str]:
    reading().rollback()
    return set(reading().scalars(sa.select(AuditEntry.action)))


def on_hand(counter: Counter) -> int:
    return stock_of(counter.rice)[0]  # type: ignore[attr-defined]


def prices() -> dict[str, int]:
    reading().rollback()
    return {code: price.fen for code, price in reading().execute(sa.select(Variant.code, Variant.price)) if code != "oil"}


def fields(page: str) -> dict[str, str]:
    """What the page that asks keeps hidden."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {name: html.unescape(value) for name, value in found if name != "csrf_token"}


def way_back(page: str) -> str:
    found = re.findall(r'class="btn btn-secondary[^"]*" href="([^"]+)"', page)
    return html.unescape(found[-1])


def told(client: FlaskClient, kind: str, quantity: str, **more: str) -> TestResponse:
    return client.post("/merchant/stock", data={"code": "rice", "kind": kind, "quantity": quantity, **more})


# --- the shelf ---


def test_the_shelf_is_received_counted_spoiled_and_sold(client: FlaskClient, counter: Counter) -> None:
    """Two are sold and not packed: they lie there and are counted, and are not sold again."""
    counter.ordered(counter.buyer(), {"rice": 2})
    for once, kind, quantity, left in (
        ("a", "received", "5", 13), ("b", "spoilage", "3", 10), ("c", "offline_sale", "1", 9), ("d", "correction", "11", 9),
        ("e", "correction", "12", 10),
    ):  # fmt: skip
        told(client, kind, quantity, once=once)
        assert on_hand(counter) == left
    told(client, "received", "5", once="a")
    assert on_hand(counter) == 10
    assert "stock.adjusted" in actions()


def test_a_shelf_says_what_lies_there_what_is_sold_and_what_is_free(client: FlaskClient, counter: Counter) -> None:
    counter.ordered(counter.buyer(), {"rice": 2})
    counter.buy(counter.buyer(), {"rice": 3}, PaymentMethod.STRIPE)
    row = re.search(r'<tr id="row-rice">.*?</tr>', client.get("/merchant/stock").text, re.DOTALL)
    assert row
    assert re.findall(r'<td class="is-number hide-phone">(?:<strong[^>]*>)?(\d+)', row[0]) == ["10", "2", "3", "5"]
    assert 'name="expected" value="10"' in row[0]
    said = html.unescape(
        client.post("/merchant/stock", data={"code": "rice", "kind": "correction", "quantity": "11"}, follow_redirects=True).text
    )
    assert "11 on the shelf, 2 of them sold and to be packed, 6 free to sell." in said


@pytest.mark.parametrize(("kind", "quantity"), [("received", "0"), ("received", "x"), ("spoilage", "-1"), ("correction", "9999999")])
def test_a_quantity_that_makes_no_sense_changes_nothing(client: FlaskClient, counter: Counter, kind: str, quantity: str) -> None:
    answer = client.post("/merchant/stock?q=ri", data={"code": "rice", "kind": kind, "quantity": quantity})
    assert answer.status_code == 422
    field = re.search(r'<input[^>]*name="quantity"[^>]*autofocus[^>]*>', answer.text)
    assert field
    assert (f'value="{quantity}"' in field[0], 'aria-describedby="row-rice-error"' in field[0]) == (True, True)
    assert 'id="row-rice-error"' in answer.text
    assert f'<option value="{kind}" selected>' in answer.text
    assert 'action="/merchant/stock?q=ri"' in answer.text
    assert on_hand(counter) == 10


def test_more_than_there_is_cannot_be_written_off_and_is_not_called_promised(client: FlaskClient, counter: Counter) -> None:
    assert "There are only 10 on the shelf." in told(client, "spoilage", "11").text
    assert on_hand(counter) == 10


def test_what_was_typed_into_a_row_that_is_not_listed_is_answered_on_top(client: FlaskClient, counter: Counter) -> None:
    answer = client.post("/merchant/stock?q=nothing", data={"code": "rice", "kind": "received", "quantity": "x"})
    assert "Please enter a whole number." in answer.text


def test_a_count_below_what_is_promised_names_the_order_and_waits_for_a_yes(client: FlaskClient, counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 4})
    asked = told(client, "correction", "3", once="one", expected="10")
    assert "4 of these are promised to customers (4 paid, 0 being paid). With 3 on the shelf, 1 are missing" in asked.text
    assert part.number in asked.text
    assert on_hand(counter) == 6
    kept = fields(asked.text)
    assert (kept["quantity"], kept["once"]) == ("3", "one")
    again = client.get(way_back(asked.text)).text
    assert re.search(r'name="quantity" value="3"[^>]* autofocus', again), "a no loses nothing that was typed"
    assert '<option value="correction" selected>' in again
    said = client.post("/merchant/stock", data=kept, follow_redirects=True).text
    assert "3 on the shelf, 1 of what is promised are missing." in said
    assert "1 missing" in said
    assert on_hand(counter) == 0


def test_a_yes_to_other_figures_is_asked_anew(client: FlaskClient, counter: Counter) -> None:
    counter.ordered(counter.buyer(), {"rice": 4})
    kept = fields(told(client, "correction", "3").text)
    counter.ordered(counter.buyer(), {"rice": 1})
    asked = client.post("/merchant/stock", data=kept)
    assert "5 of these are promised" in asked.text
    assert on_hand(counter) == 5


@pytest.mark.parametrize(
    ("kind", "quantity", "said"),
    [
        ("received", "999999", "999999 at once? The most so far was 10."),
        ("correction", "100", "You counted 100, and 10 should be lying there."),
    ],
)
def test_a_figure_that_is_likely_a_slip_is_asked_about(client: FlaskClient, counter: Counter, kind: str, quantity: str, said: str) -> None:
    asked = told(client, kind, quantity)
    assert (said in asked.text, "Rice" in asked.text, on_hand(counter)) == (True, True, 10)
    client.post("/merchant/stock", data=fields(asked.text))
    assert on_hand(counter) != 10


def test_a_page_that_is_old_is_noticed_at_a_count(client: FlaskClient, counter: Counter) -> None:
    counter.packed(counter.buyer(), {"rice": 2})
    assert "8 should be lying there now, before it was 10." in told(client, "correction", "10", expected="10").text
    assert on_hand(counter) == 8


def test_a_page_sent_twice_with_other_figures_says_so(client: FlaskClient, counter: Counter) -> None:
    told(client, "received", "5", once="page-1")
    answer = told(client, "received", "6", once="page-1")
    assert (answer.status_code, "This was written down before with other figures." in answer.text) == (422, True)
    assert on_hand(counter) == 15


@pytest.mark.parametrize(
    ("typed", "added"), [("1,5", None), ("1，5", None), ("1.5", None), ("1 5", None), ("1_5", None), ("１５", 15), ("1,000", 1_000)]
)
def test_a_comma_in_a_count_is_never_dropped(client: FlaskClient, counter: Counter, typed: str, added: int | None) -> None:
    answer = told(client, "received", typed)
    if added == 1_000:
        answer = client.post("/merchant/stock", data=fields(answer.text))
    assert answer.status_code == (303 if added else 422)
    assert on_hand(counter) == 10 + (added or 0)


def test_the_history_of_a_shelf_says_who_when_and_for_whom_and_takes_back(client: FlaskClient, counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(display_name="买家甲"), {"rice": 2})
    told(client, "received", "5")
    page = client.get("/merchant/stock/rice").text
    assert ("刘店员" in page, part.number in page, "买家甲" in page) == (True, True, False)
    movement = reading().scalars(sa.select(StockMovement.id).order_by(StockMovement.id.desc())).first()
    path = f"/merchant/stock/rice/movements/{movement}/take-back"
    assert f'action="{path}"' in page
    asked = client.post(path)
    assert ("Take this back?" in asked.text, on_hand(counter)) == (True, 13)
    for _press in range(2):
        said = client.post(path, data=fields(asked.text), follow_redirects=True).text
        assert on_hand(counter) == 8
    assert "This was taken back before." in said
    assert f'action="{path}"' not in client.get("/merchant/stock/rice").text
    assert "stock.taken_back" in actions()


def test_other_merchants_shelves_are_not_found(client: FlaskClient, counter: Counter, owner: None) -> None:
    for path in ("/merchant/stock/oil", "/merchant/products/oil", "/merchant/stock/nothing"):
        assert client.get(path).status_code == 404, path
    posts: list[tuple[str, dict[str, str]]] = [
        ("/merchant/stock", {"code": "oil", "kind": "received", "quantity": "5"}), ("/merchant/products", {"price-oil-5000": "51"}),
        ("/merchant/products/oil", {"fen": "5100", "before": "5000"}), ("/merchant/stock/oil/movements/1/take-back", {}),
        ("/merchant/stock/rice/movements/999/take-back", {}), ("/merchant/products", {"price-rice": "51"}),
        ("/merchant/products", {"price--": "51"}),
        ("/merchant/products/rice", {"fen": "0", "before": "x"}),
    ]  # fmt: skip
    for path, data in posts:
        if "rice/movements" in path:
            data = fields(client.post(path, data=data).text)
        assert client.post(path, data=data).status_code == 404, (path, data)
    assert (prices(), count(StockMovement)) == ({"rice": 2_000, "salt": 300}, 3)


# --- prices ---


def test_a_new_price_is_kept_with_who_set_it(client: FlaskClient, counter: Counter, owner: None) -> None:
    answer = client.post("/merchant/products?q=ri", data={"price-rice-2000": "21.5", "price-salt-300": ""}, follow_redirects=True)
    assert "now costs ¥21.50." in answer.text
    assert "variant.priced" in actions()
    page = html.unescape(client.get("/merchant/products/rice").text)
    assert ("¥21.50" in page, "周店主" in page) == (True, True)
    refused = client.post("/merchant/products", data={"price-rice-2150": "0"})
    assert re.search(r'name="price-rice-2150" value="0" aria-invalid="true"[^>]*autofocus', refused.text)


@pytest.mark.parametrize(
    ("typed", "fen"), [("15.80", 1_580), ("15。80", 1_580), ("１５．８０", 1_580), ("¥15.8", 1_580), ("15,80", None), ("1，580.00", None)]
)
def test_a_price_is_saved_as_it_was_meant_and_never_guessed(
    client: FlaskClient, counter: Counter, owner: None, typed: str, fen: int | None
) -> None:
    answer = client.post("/merchant/products", data={"price-rice-2000": typed})
    assert prices()["rice"] == (fen or 2_000)
    if fen is None:
        assert ("Is that 15.80 or 1580?" in answer.text) or "¥20.00 → ¥1,580.00" in answer.text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("5,80", "Is that 5.80 or 580? Please type it without a comma."),
        ("12，80", "Is that 12.80 or 1280? Please type it without a comma."),
        ("5 80", "Please enter a price in yuan"), ("1.280,00", "Please enter a price in yuan"),
        ("580,0000", "Please enter a price in yuan"),
    ],
)  # fmt: skip
def test_one_wrong_price_saves_none_and_loses_none(client: FlaskClient, counter: Counter, owner: None, typed: str, said: str) -> None:
    refused = client.post("/merchant/products", data={"price-rice-2000": "19.90", "price-salt-300": typed})
    assert (refused.status_code, said in refused.text) == (422, True)
    assert 'name="price-rice-2000" value="19.90"' in refused.text
    assert f'name="price-salt-300" value="{typed}" aria-invalid="true" aria-describedby="row-salt-error" autofocus' in refused.text
    assert 'id="row-rice-error"' not in refused.text
    assert prices() == {"rice": 2_000, "salt": 300}
    zh = client.post("/merchant/products", data={"price-salt-300": typed}, headers={"Accept-Language": "zh"})
    assert zh.status_code == 422


def test_several_prices_are_saved_with_one_press(client: FlaskClient, counter: Counter, owner: None) -> None:
    page = client.get("/merchant/products?q=&sort=price").text
    assert page.count("Save prices") == 1
    said = client.post("/merchant/products", data={"price-rice-2000": "19.90", "price-salt-300": "3.10"}, follow_redirects=True).text
    assert "Saved. 2 prices are new." in said
    assert prices() == {"rice": 1_990, "salt": 310}


def test_a_price_far_off_names_both_and_a_no_loses_nothing(client: FlaskClient, counter: Counter, owner: None) -> None:
    asked = client.post("/merchant/products?sort=price", data={"price-rice-2000": "580", "price-salt-300": "3.10"})
    assert "¥20.00 → ¥580.00, that is 29 times as much. Is that right?" in html.unescape(asked.text)
    assert prices() == {"rice": 2_000, "salt": 300}
    address = urlsplit(way_back(asked.text))
    assert dict(parse_qsl(address.query)) == {"sort": "price", "price-rice-2000": "580", "price-salt-300": "3.10"}
    again = client.get(way_back(asked.text)).text
    assert ('name="price-rice-2000" value="580"' in again, 'name="price-salt-300" value="3.10"' in again) == (True, True)
    client.post("/merchant/products", data=fields(asked.text))
    assert prices() == {"rice": 58_000, "salt": 310}


def test_a_price_that_was_changed_in_another_tab_is_noticed(client: FlaskClient, counter: Counter, owner: None) -> None:
    client.post("/merchant/products", data={"price-rice-2000": "21"})
    stale = client.post("/merchant/products", data={"price-rice-2000": "19", "price-salt-300": "3.10"})
    assert (stale.status_code, "The price was changed meanwhile and is ¥21.00." in stale.text) == (409, True)
    assert 'name="price-rice-2100" value="19"' in stale.text, "it can be saved once it was looked at"
    assert prices() == {"rice": 2_100, "salt": 300}


def test_a_price_goes_back_as_a_new_change_that_asks_as_well(client: FlaskClient, counter: Counter, owner: None) -> None:
    asked = client.post("/merchant/products", data={"price-rice-2000": "580"})
    client.post("/merchant/products", data=fields(asked.text))
    client.post("/merchant/products", data={"price-rice-58000": "600"})
    page = client.get("/merchant/products/rice").text
    assert re.findall(r"Back to (¥[\d.]+)", page) == ["¥580.00"], "the first price was set up before"
    asked = client.post("/merchant/products/rice", data={"fen": "2000", "before": "60000"})
    assert "¥600.00 → ¥20.00, that is 97% less." in html.unescape(asked.text)
    answer = client.post("/merchant/products/rice", data=fields(asked.text), follow_redirects=True)
    assert "now costs ¥20.00." in answer.text
    stale = client.post("/merchant/products/rice", data={"fen": "2100", "before": "60000"}, follow_redirects=True)
    assert "The price was changed meanwhile" in stale.text
    assert prices()["rice"] == 2_000


def test_clerks_see_prices_and_change_none(client: FlaskClient, counter: Counter) -> None:
    page = client.get("/merchant/products").text
    assert ("¥20.00" in page, "Save prices" in page, "Only the owner of the shop changes prices." in page) == (True, False, True)
    assert "/merchant/statement" not in page
    assert client.get("/merchant/products/rice").status_code == 200
    for path, data in (("/merchant/products", {"price-rice-2000": "21"}), ("/merchant/products/rice", {"fen": "2100", "before": "2000"})):
        assert client.post(path, data=data).status_code == 403
    assert client.get("/merchant/statement").status_code == 403
    assert prices()["rice"] == 2_000


def test_an_owner_elsewhere_is_a_clerk_here(client: FlaskClient, counter: Counter, make: Factories) -> None:
    """Who owns one shop and works at another sees and changes what is theirs, by the shop they have chosen."""
    make.grant(counter.clerk_users[0], Role.MERCHANT_OWNER, merchant=counter.merchants[1])
    sign_in(client, counter.clerk_users[0], second_factor=True)
    client.post("/merchant/shop", data={"shop": str(counter.merchants[0].id)})
    assert client.get("/merchant/statement").status_code == 403
    assert client.post("/merchant/products", data={"price-rice-2000": "21"}).status_code == 403
    client.post("/merchant/shop", data={"shop": str(counter.merchants[1].id)})
    page = client.get("/merchant/statement")
    assert (page.status_code, str(escape(counter.merchants[1].name_en)) in page.text) == (200, True)
    assert client.post("/merchant/products", data={"price-rice-2000": "21"}).status_code == 404
    assert prices()["rice"] == 2_000
