"""The merchant's goods: typed at the stall, saved while typing, put on sale one by one or many together."""

from __future__ import annotations

import html
import io
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from shop.kernel import clock
from shop.kernel.db import finish_reading, reading, transaction
from shop.kernel.money import Money
from shop.models.accounts import Role
from shop.models.catalog import Listing, Product, ProductImage, ProductState, Variant
from shop.models.listings import ListingDraft, PictureUpload
from shop.models.merchants import Merchant
from tests.support.factories import Factories
from tests.support.people import sign_in
from tests.support.photos import photo
from tests.support.queries import counted

pytestmark = pytest.mark.one_engine
NEW = "/merchant/products/new"
PLUM = {"name_zh": "青脆李", "category": "fruit", "price": "5.80", "stock": "40", "origin_zh": "资中县", "once": "page"}


@pytest.fixture
def shop(make: Factories, client: FlaskClient) -> Merchant:
    made = make.merchant("coop", points=[make.point("here")])
    make.product(made, code="eggs", category=make.category("fruit"))
    owner = make.user()
    make.grant(owner, Role.MERCHANT_OWNER, merchant=made)
    sign_in(client, owner, second_factor=True)
    return made


def page(client: FlaskClient, path: str) -> str:
    answer = client.get(path, headers={"Accept-Language": "en"})
    assert answer.status_code == 200, answer.location
    return answer.get_data(as_text=True)


def post(client: FlaskClient, path: str, **said: object) -> tuple[int, str, str]:
    answer = client.post(path, data=said, headers={"Accept-Language": "en"})
    return answer.status_code, answer.get_data(as_text=True), str(answer.location)


def drafts() -> int:
    finish_reading()
    return reading().scalar(sa.select(sa.func.count()).select_from(ListingDraft)) or 0


def test_new_goods_are_put_on_sale_from_one_page_with_a_photo(client: FlaskClient, shop: Merchant) -> None:
    assert 'capture="environment"' in page(client, NEW)
    status, _, _ = post(client, NEW, do="publish", picture=(io.BytesIO(photo()), "IMG.jpg"), **PLUM)
    assert status == 303
    made = reading().scalars(sa.select(Product).where(Product.name_zh == "青脆李")).one()
    assert made.state is ProductState.ON_SALE
    assert reading().scalars(sa.select(PictureUpload.product_id)).one() == made.id
    assert "青脆李" in page(client, f"/products/{made.slug}")
    assert "青脆李" in page(client, "/merchant/listings")


def test_what_was_typed_without_script_is_saved_and_comes_back(client: FlaskClient, shop: Merchant) -> None:
    status, _, address = post(client, NEW, do="draft", name_zh="李 <b>", price="5.", once="page")
    assert (status, drafts()) == (303, 1)
    told = page(client, address)
    assert 'value="李 &lt;b&gt;"' in told
    assert 'value="5."' in told
    status, told, _ = post(client, address, do="publish", name_zh="李 <b>", price="5.")
    assert status == 422
    assert told.count("field-error") >= 3
    assert 'value="5."' in told


def test_a_script_saves_while_somebody_types_into_one_draft(client: FlaskClient, shop: Merchant) -> None:
    for name in ("李", "李子", "青脆李"):
        answer = client.post(NEW, data={"do": "typing", "name_zh": name, "once": "page"}, headers={"Accept-Language": "en"})
        assert answer.status_code == 200
        assert re.fullmatch(r"Saved as a draft at \d\d:\d\d", answer.json["saved"])
    assert drafts() == 1
    assert 'value="青脆李"' in page(client, answer.json["address"])


def test_what_cannot_be_kept_is_refused_and_stays_on_the_page(client: FlaskClient, shop: Merchant) -> None:
    status, told, _ = post(client, NEW, do="draft", name_zh="x" * 81, price="7.77")
    assert (status, drafts()) == (422, 0)
    assert 'value="7.77"' in told


def test_a_photo_that_is_none_keeps_what_was_typed(client: FlaskClient, shop: Merchant) -> None:
    status, told, _ = post(client, NEW, do="publish", picture=(io.BytesIO(b"GIF89a"), "x.gif"), **PLUM)
    assert status == 422
    assert "not a JPEG, PNG or WebP" in told
    assert 'value="青脆李"' in told
    assert drafts() == 1


def test_ticked_drafts_are_put_on_sale_after_a_question(client: FlaskClient, make: Factories, shop: Merchant) -> None:
    make.product(shop, code="rice", state=ProductState.DRAFT)
    with transaction() as session:
        session.execute(sa.delete(Listing).where(Listing.code == "rice"))
    _, _, half = post(client, NEW, do="draft", name_zh="李", once="page")
    code = half.rpartition("/")[2]
    assert 'value="rice"' in page(client, "/merchant/listings?tab=draft")
    _, asked, _ = post(client, "/merchant/listings/publish", ticked=["rice", code])
    sure = re.search(r'name="sure" value="([^"]+)"', asked)
    assert sure is not None
    status, told, _ = post(client, "/merchant/listings/publish", ticked=["rice", code], sure=sure[1])
    assert status == 409
    assert "Not finished: " in told
    assert reading().scalars(sa.select(Product.state).where(Product.code == "rice")).one() is ProductState.ON_SALE
    assert post(client, "/merchant/listings/publish")[0] == 303


def test_a_draft_is_thrown_away_after_a_question(client: FlaskClient, shop: Merchant) -> None:
    _, _, address = post(client, NEW, do="draft", name_zh="李", once="page")
    _, asked, _ = post(client, f"{address}/drop")
    sure = re.search(r'name="sure" value="([^"]+)"', asked)
    assert sure is not None
    assert drafts() == 1
    post(client, f"{address}/drop", sure=sure[1])
    assert drafts() == 0


def test_fifty_products_ask_no_more_than_one(client: FlaskClient, make: Factories, shop: Merchant) -> None:
    page(client, "/merchant/listings")
    with counted() as few:
        page(client, "/merchant/listings")
    for _ in range(49):
        make.product(shop)
    with counted() as many:
        told = page(client, "/merchant/listings")
    assert told.count("<tr id=") == 50
    assert len(few) == len(many)
    assert reading().scalar(sa.select(sa.func.count()).select_from(Variant)) == 50


EGGS = "/merchant/listings/eggs"


def fields_of(told: str) -> dict[str, str]:
    """What the form of a product holds."""
    found = dict(re.findall(r'<input class="form-control"[^>]* name="([^"]+)" value="([^"]*)"', told))
    found |= dict(re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(?:(?!</select>).)*?value="([^"]*)" selected', told, re.DOTALL))
    found |= dict(re.findall(r'name="(version)" value="([^"]+)"', told))
    return {name: html.unescape(value) for name, value in found.items() if not name.startswith("new-")}


def test_a_product_is_changed_and_what_is_wrong_stays(client: FlaskClient, shop: Merchant) -> None:
    said = fields_of(page(client, EGGS))
    assert post(client, EGGS, **{**said, "name_zh": "土鸡蛋", "grams-eggs": "1.2斤", "allergens": "egg"})[0] == 303
    assert reading().scalars(sa.select(Listing.name_zh)).one() == "土鸡蛋"
    assert reading().scalars(sa.select(Variant.net_weight_grams)).one() == 600
    said = fields_of(page(client, EGGS))
    status, told, _ = post(client, EGGS, **{**said, "name_zh": "", "grams-eggs": "heavy", "shelf_life": "ten"})
    assert status == 422
    assert told.count('class="field-error"') == 3
    assert 'value="heavy"' in told


def test_over_somebody_elses_change_the_page_comes_back_with_what_was_typed(client: FlaskClient, shop: Merchant) -> None:
    said = fields_of(page(client, EGGS))
    post(client, EGGS, **{**said, "name_zh": "土鸡蛋"})
    status, told, _ = post(client, EGGS, **{**said, "name_zh": "洋鸡蛋"})
    assert status == 409
    assert "Somebody changed this meanwhile" in told
    assert fields_of(told)["name_zh"] == "洋鸡蛋"
    assert post(client, EGGS, **fields_of(told))[0] == 303


def test_a_size_is_added_withdrawn_and_offered_again(client: FlaskClient, shop: Merchant) -> None:
    assert post(client, f"{EGGS}/sizes", **{"new-unit_zh": "30枚", "new-price": "0"})[0] == 422
    more = {"new-unit_zh": "30枚", "new-price": "45", "new-grams": "1800", "new-stock": "3", "once": "x"}
    assert post(client, f"{EGGS}/sizes", **more)[0] == 303
    code = reading().scalars(sa.select(Variant.code).where(Variant.code != "eggs")).one()
    _, asked, _ = post(client, f"{EGGS}/sizes/withdraw", size=code)
    sure = re.search(r'name="sure" value="([^"]+)"', asked)
    assert sure is not None
    assert post(client, f"{EGGS}/sizes/withdraw", size=code, sure=sure[1])[0] == 303
    assert "Offer again" in page(client, EGGS)
    assert post(client, f"{EGGS}/sizes/withdraw", size=code, again="1")[0] == 303
    assert "Offer again" not in page(client, EGGS)


def test_a_draft_is_planned_for_a_day(client: FlaskClient, make: Factories, shop: Merchant) -> None:
    make.product(shop, code="rice", state=ProductState.DRAFT)
    path = "/merchant/listings/rice/schedule"
    for day, time in (("", ""), ("2020-01-01", "08:00"), ("2020-01-01", "noon"), ("x", "08:00")):
        assert post(client, path, do="then", day=day, time=time)[0] == 422
    tomorrow = (clock.today() + timedelta(days=1)).isoformat()
    assert post(client, path, do="then", day=tomorrow, time="06:30")[0] == 303
    assert "It goes on sale by itself" in page(client, "/merchant/listings/rice")
    assert "on sale from" in page(client, "/merchant/listings?tab=draft")
    assert post(client, path, do="never")[0] == 303
    assert "Nobody sees it yet" in page(client, "/merchant/listings/rice")
    assert post(client, path, do="now")[0] == 303
    assert post(client, path, do="then", day=tomorrow, time="06:30")[0] == 409


def test_fifty_sizes_and_nine_pictures_ask_no_more_than_one(client: FlaskClient, make: Factories, shop: Merchant) -> None:
    made = reading().scalars(sa.select(Variant)).one()
    page(client, EGGS)
    with counted() as few:
        page(client, EGGS)
    size = {"label_zh": "盒", "label_en": "box", "price": Money(100), "net_weight_grams": 500, "product_id": made.product_id}
    make.save(*(Variant(code=f"eggs-{number}", **size) for number in range(49)))
    make.save(*(ProductImage(product_id=made.product_id, file=f"00/{number:032d}.webp", position=number) for number in range(9)))
    with counted() as many:
        assert page(client, EGGS).count('id="row-') == 50
    assert len(few) == len(many)
