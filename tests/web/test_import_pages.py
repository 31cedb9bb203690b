"""Sheets on the merchant's pages: upload, rows in plain words, ticks, the decision, the list to repair, and taking goods along."""

from __future__ import annotations

import io
import re

import openpyxl
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from shop.imports import files, jobs, layouts
from shop.kernel.db import finish_reading, reading
from shop.models.accounts import Role, User
from shop.models.catalog import Variant
from shop.models.imports import ProductImport
from shop.models.merchants import Merchant
from tests.support.factories import Factories
from tests.support.people import sign_in
from tests.support.queries import counted
from tests.support.sheets import as_csv, row


@pytest.fixture
def shop(make: Factories, client: FlaskClient) -> Merchant:
    category = make.category("fruit")
    made = make.merchant("coop", points=[make.point("here")])
    make.product(made, code="eggs", price=2_000, on_hand=40, category=category, name_zh="=1+1 土鸡蛋")
    owner = make.user()
    make.grant(owner, Role.MERCHANT_OWNER, merchant=made)
    sign_in(client, owner, second_factor=True)
    return made


def clerk_of(make: Factories, shop: Merchant) -> User:
    clerk = make.user()
    make.grant(clerk, Role.MERCHANT_CLERK, merchant=shop)
    return clerk


def bring(client: FlaskClient, content: bytes, name: str = "goods.csv", **said: str) -> str:
    """The address of the import; read by the job meanwhile."""
    answer = client.post("/merchant/imports", data={"kind": "goods", "file": (io.BytesIO(content), name), **said})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    finish_reading()
    jobs.check(reading().scalars(sa.select(ProductImport.id).order_by(ProductImport.id.desc())).first() or 0)
    return str(answer.location)


def page(client: FlaskClient, path: str) -> str:
    answer = client.get(path, headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def agreed(client: FlaskClient, path: str, **data: str) -> int:
    """Press, and say yes to what is asked."""
    asked = client.post(path, data=data).get_data(as_text=True)
    sure = re.search(r'name="sure" value="([^"]+)"', asked)
    assert sure is not None, asked
    return client.post(path, data={**data, "sure": sure[1]}).status_code


def test_a_sheet_that_is_being_read_can_be_dropped(client: FlaskClient, shop: Merchant) -> None:
    answer = client.post("/merchant/imports", data={"kind": "goods", "file": (io.BytesIO(as_csv([row("plum")])), "goods.csv")})
    path = str(answer.location)
    told = page(client, path)
    assert "Reading the rows" in told
    assert f'action="{path}/drop"' in told
    assert agreed(client, f"{path}/drop") == 303
    assert "This import was dropped" in page(client, path)


def test_a_sheet_is_looked_at_confirmed_and_applied(client: FlaskClient, shop: Merchant) -> None:
    content = as_csv([row("plum"), row("bad", price="5,80"), ["eggs", "", "", "", "", "200", "", "", "", "", ""]])
    path = bring(client, content)
    told = page(client, path)
    assert "Your decision" in told
    assert "may be 5.80 or 580" in told
    assert "¥20.00 → ¥200.00" in told
    assert "10 times as much" in told
    assert client.post(f"{path}/decide", data={"choice": "all"}).status_code == 409
    assert client.post(f"{path}/sure", data={"shown": ["4"], "sure_row": ["4"]}).status_code == 303
    assert agreed(client, f"{path}/decide", choice="good") == 303
    assert "Applying the rows" in page(client, path)
    jobs.apply(reading().scalars(sa.select(ProductImport.id)).one())
    told = page(client, path)
    assert "2 rows were applied." in told
    finish_reading()
    assert reading().scalar(sa.select(Variant.price).where(Variant.code == "eggs")).fen == 20_000  # type: ignore[union-attr]
    repair = client.get(f"{path}/repair?as=csv", headers={"Accept-Language": "en"})
    assert repair.headers["Content-Disposition"].startswith("attachment")
    text = repair.get_data().decode("utf-8-sig")
    assert text.count("\r\n") == 2
    assert '"5,80"' in text
    assert "may be 5.80 or 580" in text


@pytest.mark.parametrize("name", ["nothing", "a picture", "half"])
def test_hostile_uploads_are_answered_with_a_sentence(client: FlaskClient, shop: Merchant, name: str) -> None:
    content = {"nothing": b"", "a picture": b"\x89PNG\r\n" + b"\0" * 50, "half": b"PK\3\4xx"}[name]
    answer = client.post("/merchant/imports", data={"kind": "goods", "file": (io.BytesIO(content), "x.xlsx")})
    assert answer.status_code in (303, 422)
    if answer.status_code == 303:
        finish_reading()
        jobs.check(reading().scalars(sa.select(ProductImport.id)).one())
        assert "Nothing was changed." in page(client, str(answer.location))
    assert client.post("/merchant/imports", data={"kind": "goods"}).status_code == 422, "no file at all"


def test_the_export_is_harmless_and_brought_again_changes_nothing(client: FlaskClient, shop: Merchant) -> None:
    text = client.get("/merchant/exports/goods?as=csv").get_data()
    assert text.startswith(b"\xef\xbb\xbf")
    assert b"'=1+1" in text
    assert b",=1+1" not in text
    book = openpyxl.load_workbook(io.BytesIO(client.get("/merchant/exports/goods?as=xlsx").get_data()))
    assert all(cell.data_type != "f" for cells in book.active.iter_rows() for cell in cells)
    for kind, content in (("csv", text), ("xlsx", client.get("/merchant/exports/goods").get_data())):
        told = page(client, bring(client, content, f"x.{kind}"))
        assert "No row of this file changes anything." in told, kind


@pytest.mark.parametrize("kind", ["goods", "figures"])
@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_the_template_is_read_by_our_own_reading(client: FlaskClient, shop: Merchant, kind: str, suffix: str) -> None:
    content = client.get(f"/merchant/exports/template?kind={kind}&as={suffix}").get_data()
    assert len(files.open_sheet(content, layouts.is_known).lines) == 1


def test_clerks_bring_figures_and_see_what_is_theirs(client: FlaskClient, shop: Merchant, make: Factories) -> None:
    path = bring(client, as_csv([["eggs", "21", "38"]], ["code", "price", "stock"]), kind="figures")
    sign_in(client, clerk_of(make, shop), second_factor=True)
    assert "Only code, price" not in page(client, "/merchant/imports")
    assert "The owner of the shop decides about this sheet." in page(client, path)
    assert client.post("/merchant/imports", data={"kind": "goods", "file": (io.BytesIO(b"code,price\nx,1"), "x.csv")}).status_code == 403
    assert client.post(f"{path}/decide", data={"choice": "good"}).status_code in (200, 403)
    finish_reading()
    assert reading().scalar(sa.select(ProductImport.choice)) is None


def test_a_sheet_of_another_shop_is_not_there(client: FlaskClient, shop: Merchant, make: Factories) -> None:
    path = bring(client, as_csv([row("plum")]))
    stranger = make.user()
    make.grant(stranger, Role.MERCHANT_OWNER, merchant=make.merchant("mall"))
    sign_in(client, stranger, second_factor=True)
    for place in (path, f"{path}/repair"):
        assert client.get(place).status_code == 404
    for deed in ("decide", "drop", "sure"):
        assert client.post(f"{path}/{deed}").status_code == 404


def test_one_row_and_many_ask_the_same_number_of_statements(client: FlaskClient, shop: Merchant) -> None:
    asked = []
    for many in (1, 49):
        path = bring(client, as_csv([row(f"p{number}") for number in range(many)]))
        page(client, path)
        with counted() as statements:
            page(client, path)
        asked.append(len(statements))
    assert asked[0] == asked[1]
