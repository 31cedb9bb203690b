"""Writing goods off from a small page, the list of what was lost, and with how many left a shop is told."""

from __future__ import annotations

import html
import re

import pytest
from flask.testing import FlaskClient

from shop.kernel.db import reading
from shop.models.stock import StockLoss, StockMovement
from shop.stock import jobs
from tests.support.counter import Counter
from tests.support.factories import Factories
from tests.support.people import sign_in
from tests.support.plans import statements
from tests.support.shopping import count, stock_of

PAGE = "/merchant/stock/rice/write-off"


@pytest.fixture
def counter(make: Factories, client: FlaskClient) -> Counter:
    made = Counter(make)
    made.rice = made.goods("rice", on_hand=10)  # type: ignore[attr-defined]
    made.goods("salt", on_hand=10)
    made.goods("oil", merchant=1, on_hand=10)
    jobs.watch()
    sign_in(client, made.clerk_users[0], second_factor=True)
    return made


def on_hand(counter: Counter) -> int:
    reading().rollback()
    return stock_of(counter.rice)[0]  # type: ignore[attr-defined]


def wrote(client: FlaskClient, **form: str) -> str:
    return html.unescape(client.post(PAGE, data=form, follow_redirects=True).text)


def test_the_page_says_what_lies_there_what_waits_and_what_is_free(client: FlaskClient, counter: Counter) -> None:
    counter.ordered(counter.buyer(), {"rice": 3})
    said = client.get(PAGE).text
    figures = [int(figure) for figure in re.findall(r"<dd>(\d+)</dd>", said)]
    assert figures == [10, 3, 7]
    assert len(re.findall(r"<option", said)) == 7


def test_goods_are_written_off_with_their_reason_and_taken_back(client: FlaskClient, counter: Counter) -> None:
    said = wrote(client, quantity="2", reason="broken", words="fell down", once="a")
    assert "It can be taken back below until" in said
    assert "Broken" in said
    assert "fell down" in said
    assert on_hand(counter) == 8
    assert "This was written off before" in wrote(client, quantity="2", reason="broken", once="a")
    assert on_hand(counter) == 8
    back = re.findall(r'action="(/merchant/stock/rice/movements/\d+/take-back)"', said)
    assert len(back) == 1
    asked = client.post(back[0]).text
    sure = re.search(r'name="sure" value="([^"]+)"', asked)
    assert sure
    client.post(back[0], data={"sure": html.unescape(sure[1])})
    assert on_hand(counter) == 10
    lost = client.get("/merchant/losses").text
    assert "Taken back" in lost


@pytest.mark.parametrize(
    ("form", "field", "sentence"),
    [
        ({"quantity": "x", "reason": "broken"}, "quantity", "Please enter a whole number."),
        ({"quantity": "0", "reason": "broken"}, "quantity", "Please enter a whole number from 1"),
        ({"quantity": "11", "reason": "broken"}, "quantity", "There are only 10 on the shelf."),
        ({"quantity": "1", "reason": "nonsense"}, "reason", "Please say why."),
        ({"quantity": "1", "reason": "stolen", "words": " "}, "words", "Please say what happened"),
        ({"quantity": "1", "reason": "other", "words": "x" * 201}, "words", "200"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(
    client: FlaskClient, counter: Counter, form: dict[str, str], field: str, sentence: str
) -> None:
    answer = client.post(PAGE, data={"words": "kept words", **form})
    assert answer.status_code in (409, 422)
    said = html.unescape(answer.text)
    assert sentence in said
    assert "has-error" in said
    assert form.get("words", "kept words") in said
    assert f'value="{form["quantity"]}"' in said
    assert (count(StockLoss), on_hand(counter)) == (0, 10)
    assert f'id="field-{field}-error"' in said


def test_promised_goods_are_asked_about_with_all_that_was_typed(client: FlaskClient, counter: Counter) -> None:
    counter.ordered(counter.buyer(), {"rice": 4})
    data = {"quantity": "8", "reason": "other", "words": "fire & water", "once": "a"}
    asked = client.post(PAGE, data=data).text
    assert on_hand(counter) == 6
    kept = {name: html.unescape(value) for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', asked)}
    back = html.unescape(re.findall(r'class="btn btn-secondary[^"]*" href="([^"]+)"', asked)[-1])
    again = html.unescape(client.get(back).text)
    assert ('value="8"' in again, "fire & water" in again, 'value="other" selected' in again) == (True, True, True)
    client.post(PAGE, data=kept)
    assert on_hand(counter) == 0
    assert count(StockLoss) == 1


def test_other_shops_goods_are_not_there(client: FlaskClient, counter: Counter) -> None:
    for address in ("/merchant/stock/oil/write-off", "/merchant/stock/oil/low-mark"):
        assert client.post(address, data={"quantity": "1", "reason": "broken", "low_mark": "3"}).status_code == 404
    assert client.get("/merchant/stock/oil/write-off").status_code == 404


def test_the_list_is_narrowed_by_reason_and_asks_the_same_of_one_and_of_many(client: FlaskClient, counter: Counter) -> None:
    assert "Nothing was lost" in client.get("/merchant/losses").text
    wrote(client, quantity="1", reason="broken")
    one = statements(lambda: client.get("/merchant/losses"))
    for _ in range(5):
        wrote(client, quantity="1", reason="given_away", words="to the canteen")
    many = statements(lambda: client.get("/merchant/losses"))
    assert len(many) == len(one)
    assert client.get("/merchant/losses").text.count('id="loss-') == 6
    assert client.get("/merchant/losses?reason=broken").text.count('id="loss-') == 1
    assert client.get("/merchant/losses?reason=nonsense").text.count('id="loss-') == 6


def test_a_shop_says_with_how_many_left_it_is_told(client: FlaskClient, counter: Counter) -> None:
    assert "There is enough of everything" in client.get("/merchant/low").text
    answer = client.post("/merchant/low", data={"low_mark": "12"}, follow_redirects=True)
    assert "when only 12 of something are left" in answer.text
    low = client.get("/merchant/low").text
    assert re.findall(r'id="row-(\w+)"', low) == ["rice", "salt"]
    assert 'value="12"' in low
    client.post("/merchant/stock/rice/low-mark", data={"low_mark": "3"})
    assert re.findall(r'id="row-(\w+)"', client.get("/merchant/low").text) == ["salt"]
    assert re.findall(r'id="row-(\w+)"', client.get("/merchant/stock?few=1").text) == ["salt"]
    client.post("/merchant/stock/rice/low-mark", data={"low_mark": ""})
    assert re.findall(r'id="row-(\w+)"', client.get("/merchant/low").text) == ["rice", "salt"]
    client.post("/merchant/low", data={"low_mark": " "})
    assert "There is enough of everything" in client.get("/merchant/low").text


@pytest.mark.parametrize("wrong", ["x", "-1", "100001", "1.5"])
@pytest.mark.parametrize("address", ["/merchant/low", "/merchant/stock/rice/low-mark"])
def test_a_figure_that_makes_no_sense_is_answered_beside_its_field(
    client: FlaskClient, counter: Counter, address: str, wrong: str
) -> None:
    answer = client.post(address, data={"low_mark": wrong})
    assert answer.status_code == 422
    assert f'value="{wrong}"' in answer.text
    assert 'id="field-low_mark-error"' in answer.text


def test_the_lists_lead_to_each_other(client: FlaskClient, counter: Counter) -> None:
    stock, shelf = client.get("/merchant/stock").text, client.get("/merchant/stock/rice").text
    assert ('href="/merchant/losses"' in stock, 'href="/merchant/low"' in stock, f'href="{PAGE}"' in shelf) == (True, True, True)
    assert count(StockMovement) == 3
