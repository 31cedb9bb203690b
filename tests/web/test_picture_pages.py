"""Pictures on the merchant's pages: sent with and without script, made meanwhile, seen by buyers."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from shop.kernel import memory
from shop.kernel.db import finish_reading, reading, transaction
from shop.listings import jobs
from shop.models.accounts import Role
from shop.models.catalog import Product, ProductImage, Variant
from shop.models.listings import PictureState, PictureUpload
from shop.platform.files import FolderStorage
from tests.support.factories import Factories
from tests.support.people import sign_in
from tests.support.photos import SVG, photo
from tests.support.queries import counted

pytestmark = pytest.mark.one_engine
PAGE = "/merchant/listings/eggs/pictures"


@pytest.fixture
def eggs(make: Factories, client: FlaskClient, app: Flask, tmp_path: Path) -> Iterator[Variant]:
    kept = app.extensions["storage"]
    app.extensions["storage"] = FolderStorage(tmp_path)
    shop = make.merchant("coop", points=[make.point("here")])
    made = make.product(shop, code="eggs", category=make.category("fruit"))
    owner = make.user()
    make.grant(owner, Role.MERCHANT_OWNER, merchant=shop)
    sign_in(client, owner, second_factor=True)
    yield made
    app.extensions["storage"] = kept


def page(client: FlaskClient, path: str = PAGE) -> str:
    answer = client.get(path, headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def send(client: FlaskClient, *photos: bytes) -> int:
    files = [(io.BytesIO(one), f"IMG_{place}.jpg") for place, one in enumerate(photos)]
    return client.post(PAGE, data={"picture": files, "once": "once"}, headers={"Accept-Language": "en"}).status_code


def make_all() -> None:
    waiting = reading().scalars(sa.select(PictureUpload.id).where(PictureUpload.state == PictureState.WAITING)).all()
    finish_reading()
    for upload_id in waiting:
        jobs.make_picture(upload_id)
    memory.forget()


def test_without_a_picture_the_drawing_stands_there_and_with_one_the_picture(client: FlaskClient, eggs: Variant) -> None:
    assert "/static/img/category/fruit.svg" in page(client, "/products/eggs")
    assert send(client, photo(), photo(colour="red")) == 303
    waiting = page(client)
    assert "Making the pictures ready" in waiting
    assert 'hx-trigger="every 2s"' in waiting
    make_all()
    seen = page(client, "/products/eggs")
    assert "/static/img/category/fruit.svg" not in seen
    first = re.search(r'<img class="product-hero" src="(/media/[^"]+)" srcset="([^"]+)"', seen)
    assert first is not None
    assert re.findall(r" (\d+)w", first[2]) == ["320", "640", "960"]
    for address in [first[1], *re.findall(r"(/media/\S+) \d+w", first[2])]:
        with client.get(address) as answer:
            assert (answer.status_code, answer.mimetype) == (200, "image/webp")
            assert "immutable" in answer.headers["Cache-Control"]
    assert "-small.webp" in page(client, "/categories/fruit?all=1")


def test_pictures_are_moved_and_described_by_buttons(client: FlaskClient, eggs: Variant) -> None:
    send(client, photo(), photo(colour="red"))
    make_all()
    shown = re.findall(r'name="shown" value="(\d+)"', page(client))
    said = {f"alt_{language}-{one}": f"{language} {one} <b>" for one in shown for language in ("zh", "en")}
    answer = client.post(f"{PAGE}/said", data={"shown": shown, "move": f"first-{shown[1]}", **said})
    assert answer.status_code == 303
    assert re.findall(r'name="shown" value="(\d+)"', page(client)) == shown[::-1]
    memory.forget()
    assert f'alt="en {shown[1]} &lt;b&gt;"' in page(client, "/products/eggs")


def test_what_is_too_long_to_be_read_out_is_refused_with_a_sentence(client: FlaskClient, eggs: Variant) -> None:
    send(client, photo())
    make_all()
    (one,) = re.findall(r'name="shown" value="(\d+)"', page(client))
    assert client.post(f"{PAGE}/said", data={"shown": one, f"alt_en-{one}": "x" * 101}).status_code == 422


def test_removing_is_asked_about_first(client: FlaskClient, eggs: Variant) -> None:
    send(client, photo())
    make_all()
    (one,) = re.findall(r'name="shown" value="(\d+)"', page(client))
    asked = client.post(f"{PAGE}/{one}/remove").get_data(as_text=True)
    sure = re.search(r'name="sure" value="([^"]+)"', asked)
    assert sure is not None
    assert f'name="shown" value="{one}"' in page(client)
    assert client.post(f"{PAGE}/{one}/remove", data={"sure": sure[1]}).status_code == 303
    assert "No picture yet" in page(client)


@pytest.mark.parametrize(
    ("content", "most", "status", "words"),
    [
        (SVG, 8_000_000, 422, "This is a drawing (SVG)"),
        (b"GIF89a", 8_000_000, 422, "not a JPEG, PNG or WebP"),
        (photo(), 1_000, 413, "too large"),
    ],
)
def test_what_is_no_photo_is_refused_with_a_sentence_and_nothing_is_kept(
    client: FlaskClient, eggs: Variant, monkeypatch: pytest.MonkeyPatch, content: bytes, most: int, status: int, words: str
) -> None:
    monkeypatch.setattr("shop.catalog.pictures.MAX_BYTES", most)
    answer = client.post(PAGE, data={"picture": (io.BytesIO(content), "x.jpg")}, headers={"Accept-Language": "en"})
    assert answer.status_code == status
    assert words in answer.get_data(as_text=True)
    assert reading().scalar(sa.select(sa.func.count()).select_from(PictureUpload)) == 0


def test_an_empty_field_asks_for_a_photo(client: FlaskClient, eggs: Variant) -> None:
    answer = client.post(PAGE, data={"picture": (io.BytesIO(b""), "")}, headers={"Accept-Language": "en"})
    assert answer.status_code == 422
    assert "Please choose a picture first." in answer.get_data(as_text=True)


def test_a_damaged_photo_says_so_on_the_page(client: FlaskClient, eggs: Variant) -> None:
    assert send(client, photo()[:-2_000]) == 303
    make_all()
    told = page(client)
    assert "IMG_0.jpg" in told
    assert "breaks off in the middle" in told


def test_nine_pictures_ask_no_more_than_one(client: FlaskClient, eggs: Variant) -> None:
    def fill(count: int) -> None:
        with transaction() as session:
            session.execute(sa.delete(ProductImage))
            session.add_all(ProductImage(product_id=eggs.product_id, file=f"00/{one:032d}.webp", position=one) for one in range(count))
        memory.forget()

    statements = []
    for count in (1, 9):
        fill(count)
        page(client)
        with counted() as asked:
            page(client)
        with counted() as of_buyer:
            page(client, "/products/eggs")
        statements.append((len(asked), len(of_buyer)))
    assert statements[0] == statements[1]


def test_a_draft_has_pictures_too(client: FlaskClient, eggs: Variant) -> None:
    with transaction() as session:
        session.get_one(Product, eggs.product_id).state = "draft"  # type: ignore[assignment]
    assert send(client, photo()) == 303
    make_all()
    assert "On cards" in page(client)
