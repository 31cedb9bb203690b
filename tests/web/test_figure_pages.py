"""A shop's figures and its lists as files: what they say, who may read them, and that no cell of a file becomes a formula."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from shop.fulfilment import operations
from shop.imports import writing
from shop.imports.booklet import Row
from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.kernel.money import Money
from shop.models.accounts import Role
from shop.models.orders import SubOrder
from shop.models.stock import MovementKind
from shop.orders import settled_days
from shop.stock import counting
from tests.support.counter import Counter, look_on
from tests.support.factories import Factories
from tests.support.people import bearer, sign_in
from tests.support.queries import counted

pytestmark = pytest.mark.both_engines

API = "/api/v1"


@pytest.fixture
def counter(make: Factories, client: FlaskClient) -> Counter:
    made = Counter(make)
    made.goods("rice", price=2_000, on_hand=100)
    made.goods("fish", price=1_500, by_weight=True, grams=500, on_hand=100)
    made.goods("oil", merchant=1, price=5_000)
    client.set_cookie("locale", "en")
    sign_in(client, made.new_owner(made.merchants[0])[0], second_factor=True)
    return made


def collected(counter: Counter, wanted: dict[str, int], buyer: Any = None) -> SubOrder:
    buyer = buyer or counter.buyer(money=100_000)
    part = counter.packed(buyer, wanted)[0]
    counter.receive([part])
    counter.hand_over(counter.pass_of(buyer).code)
    return part


def earlier(part: SubOrder, days: int) -> None:
    """It was collected so many days before."""
    with transaction() as session:
        session.execute(sa.update(SubOrder).where(SubOrder.id == part.id).values(collected_at=clock.now() - timedelta(days=days)))


def figures(app: Flask, counter: Counter, **query: str) -> dict[str, Any]:
    owner = counter.new_owner(counter.merchants[0])[0]
    answer = app.test_client().get(f"{API}/merchant/figures", query_string=query, headers=bearer(app, owner, second_factor=True))
    assert answer.status_code == 200, answer.text
    return dict(answer.json or {})


def spoil(counter: Counter, code: str, units: int, cause: str) -> None:
    perform(counting.adjust, counter.clerks[0], code, MovementKind.SPOILAGE, units, cause, sure=lambda _doubt: True)


def test_a_shop_that_sold_nothing_reads_so(client: FlaskClient, counter: Counter) -> None:
    for span in ("today", "week", "30days", "month"):
        page = client.get(f"/merchant/figures?span={span}").text
        assert "Nothing was sold in these days" in page
        assert "<svg class=\"chart-picture\"" not in page


def test_the_figures_say_what_was_sold_spoiled_and_is_left(app: Flask, client: FlaskClient, counter: Counter) -> None:
    collected(counter, {"rice": 3, "fish": 1})
    spoil(counter, "rice", 2, "bad")
    found = figures(app, counter, span="today")
    assert found["sales"] == {"orders": 1, "units": 4, "gross_minor": 7_500, "refunded_minor": 0}
    rice, fish = found["products"]
    assert (rice["units"], rice["paid_minor"], rice["spoiled_units"], rice["spoiled_minor"], rice["left_units"]) == (3, 6_000, 2, 4_000, 95)
    assert rice["sell_through_permille"] == 30, "3 of 100"
    assert fish["sell_through_permille"] == 10
    assert sum(found["orders_by_hour"]) == sum(found["orders_by_weekday"]) == 1
    page = client.get("/merchant/figures?span=today").text
    for said in ("¥75.00", "3.0%", "1.0%", "¥40.00", "2 units written off", "Fewer than 5 people"):
        assert said in page, said
    assert "Day by day as a table" not in page, "a chart of one day says nothing"


def test_what_was_taken_back_did_not_spoil(app: Flask, counter: Counter) -> None:
    spoil(counter, "rice", 2, "bad")
    assert figures(app, counter)["spoiled_units"] == 2
    movement = reading().scalar(sa.text("SELECT MAX(id) FROM stock_movements"))
    perform(counting.take_back, counter.clerks[0], "rice", movement)
    assert figures(app, counter)["spoiled_units"] == 0


def test_figures_are_the_same_before_the_days_were_summed_and_after(app: Flask, counter: Counter) -> None:
    earlier(collected(counter, {"rice": 2}), 3)
    earlier(collected(counter, {"rice": 1, "fish": 1}), 2)
    before = figures(app, counter, span="week")
    assert before["sales"]["orders"] == 2
    perform(settled_days.open_days)
    look_on(settled_days.SUMMED_AFTER)
    assert perform(settled_days.count_days) >= 2
    assert reading().scalar(sa.text("SELECT COUNT(*) FROM settled_days WHERE sold_at = counted_at AND orders = 1")) == 2
    assert figures(app, counter, span="week") == before
    with transaction() as session:  # a sum that was made by code that knew nothing of goods
        session.execute(sa.text("UPDATE settled_days SET sold = NULL, sold_at = NULL"))
    assert figures(app, counter, span="week") == before
    assert perform(settled_days.count_days) >= 2, "and is made anew"
    assert figures(app, counter, span="week") == before


def test_spans_are_compared_with_the_days_before_them(app: Flask, client: FlaskClient, counter: Counter) -> None:
    earlier(collected(counter, {"rice": 1}), 8)
    collected(counter, {"rice": 3})
    found = figures(app, counter, span="week")
    assert (found["sales"]["gross_minor"], found["before"]["gross_minor"]) == (6_000, 2_000)
    page = client.get("/merchant/figures").text
    assert "+200.0%" in page
    assert "Sales by day" in page


def test_a_long_span_is_drawn_by_month_and_ends_within_a_year(client: FlaskClient, counter: Counter) -> None:
    collected(counter, {"rice": 1})
    today = clock.today()
    first = today - timedelta(days=365)
    assert "Sales by month" in client.get(f"/merchant/figures?first={first}&last={today}").text
    too_long = client.get(f"/merchant/figures?first={first - timedelta(days=1)}&last={today}")
    assert too_long.status_code == 422
    assert "Please choose at most 366 days." in too_long.text
    to_come = f"first={today + timedelta(days=1)}&last=2099-01-01"
    for query in (f"first={today}", f"first={today}&last={first}", "first=nonsense&last=x", to_come):
        answer = client.get(f"/merchant/figures?{query}")
        assert answer.status_code == 422, query
        assert 'aria-invalid="true"' in answer.text, query
    assert "Sell-through" in client.get(f"/merchant/figures?month={today:%Y-%m}").text


def test_the_share_of_repeat_buyers_is_told_of_five_and_more(app: Flask, client: FlaskClient, counter: Counter) -> None:
    people = [counter.buyer(money=100_000) for _ in range(5)]
    for person in people[:4]:
        collected(counter, {"rice": 1}, person)
    collected(counter, {"rice": 1}, people[0])
    assert figures(app, counter)["repeat_permille"] is None
    collected(counter, {"rice": 1}, people[4])
    assert figures(app, counter)["repeat_permille"] == 200, "one of five"
    assert "20.0%" in client.get("/merchant/figures").text


def test_goods_that_were_not_there_and_orders_that_never_came(app: Flask, counter: Counter) -> None:
    (part,) = counter.ordered(counter.buyer(), {"rice": 1})
    perform(operations.decline, counter.clerk_of(part), part.number, "none left")
    found = figures(app, counter, span="today")
    assert (found["undelivered_orders"], found["undelivered_minor"], found["sales"]["orders"]) == (1, 2_000, 0)


def test_only_the_owner_of_the_shop_reads_its_figures(app: Flask, client: FlaskClient, counter: Counter, make: Factories) -> None:
    collected(counter, {"rice": 1})
    clerk = make.user()
    make.grant(clerk, Role.MERCHANT_CLERK, merchant=counter.merchants[0])
    other = counter.new_owner(counter.merchants[1])[0]
    answer = app.test_client().get(
        f"{API}/merchant/figures?merchant={counter.merchants[0].code}", headers=bearer(app, other, second_factor=True)
    )
    assert answer.status_code == 404
    sign_in(client, clerk, second_factor=True)
    assert client.get("/merchant/figures").status_code == 403
    assert client.get("/merchant/exports/figures").status_code == 403
    assert "/merchant/figures" not in client.get("/merchant/").text
    sign_in(client, other, second_factor=True)
    assert "Nothing was sold in these days" in client.get("/merchant/figures").text


def test_a_page_of_figures_asks_as_much_for_one_order_as_for_twelve(client: FlaskClient, counter: Counter) -> None:
    collected(counter, {"rice": 1})
    client.get("/merchant/figures")
    with counted() as once:
        client.get("/merchant/figures")
    for _ in range(11):
        collected(counter, {"rice": 1, "fish": 1})
    with counted() as often:
        client.get("/merchant/figures")
    assert len(often) == len(once)


# --- lists as files ---


def as_rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


LISTS = (
    "/merchant/exports/orders", "/merchant/exports/stock", "/merchant/exports/goods", "/merchant/exports/statement",
    "/merchant/exports/statement?what=days", "/merchant/exports/figures?what=days", "/merchant/exports/figures?what=goods",
)  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_every_list_leaves_as_xlsx_and_csv_with_as_many_rows(client: FlaskClient, counter: Counter, path: str) -> None:
    collected(counter, {"rice": 1})
    collected(counter, {"rice": 2, "fish": 1})
    and_ = "&" if "?" in path else "?"
    plain = as_rows(client.get(f"{path}{and_}as=csv").get_data())
    answer = client.get(path)
    assert answer.content_type == writing.KINDS["xlsx"]
    assert answer.headers["Cache-Control"] == "private, no-store"
    cells = list(openpyxl.load_workbook(io.BytesIO(answer.get_data())).active.iter_rows(values_only=True))
    assert len(cells) == len(plain) > 1
    assert len({len(row) for row in plain}) == 1
    assert all(plain[0]), "every column has a head"


def test_orders_leave_with_amounts_as_numbers_and_without_their_buyers(client: FlaskClient, counter: Counter) -> None:
    collected(counter, {"rice": 2}, counter.buyer(display_name="王小明", money=100_000))
    book = openpyxl.load_workbook(io.BytesIO(client.get("/merchant/exports/orders").get_data()))
    row = next(iter(book.active.iter_rows(min_row=2, values_only=True)))
    assert row[5:] == (40, 0, 40)
    assert isinstance(row[2], datetime)
    assert not any("王" in str(cell) for cell in row)
    assert as_rows(client.get("/merchant/exports/orders?as=csv").get_data())[1][5] == "40.00"
    assert len(as_rows(client.get("/merchant/exports/orders?as=csv&tab=to_pack").get_data())) == 1, "as the tab is narrowed"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "\t=1", "＝1"])
def test_no_text_becomes_a_formula_and_no_number_a_text(text: str) -> None:
    rows: list[Row] = [["a"] * 5, [text, -3, Money(-123_450), date(2026, 11, 30), None]]
    cell = as_rows(writing.as_csv(rows))[1]
    assert cell[0].startswith("'")
    assert cell[1:] == ["-3", "-1234.50", "2026-11-30", ""]
    sheet = openpyxl.load_workbook(io.BytesIO(writing.as_xlsx(rows, "x"))).active
    kinds = [one.data_type for one in next(sheet.iter_rows(min_row=2))]
    assert kinds == ["s", "n", "n", "d", "n"]
    assert [one.value for one in next(sheet.iter_rows(min_row=2))][1:3] == [-3, -1_234.5]
    assert sheet["C2"].number_format == "#,##0.00"


def test_no_more_rows_leave_than_can_be_written_while_somebody_waits() -> None:
    read = []

    def rows() -> Any:
        for number in range(10):
            read.append(number)
            yield [number]

    assert len(list(writing.bounded(rows(), 3))) == 4, "the heads and three"
    assert len(read) <= 5


def test_goods_named_like_a_formula_leave_harmless(client: FlaskClient, counter: Counter) -> None:
    with transaction() as session:
        session.execute(sa.text("UPDATE products SET name_en = '=HYPERLINK(1)'"))
    collected(counter, {"rice": 1})
    for path in ("stock", "figures?what=goods"):
        book = openpyxl.load_workbook(io.BytesIO(client.get(f"/merchant/exports/{path}").get_data()))
        assert all(cell.data_type != "f" for row in book.active.iter_rows() for cell in row)
        assert any(str(cell.value).startswith("'=HYPERLINK") for row in book.active.iter_rows() for cell in row), path
