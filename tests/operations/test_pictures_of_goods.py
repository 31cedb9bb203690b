"""Pictures of goods: sent, made by a job, ordered, described, removed; who may, how many, and each once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.catalog.pictures import DrawingRefused, small
from shop.kernel.db import finish_reading, perform, reading
from shop.kernel.errors import NotFound
from shop.listings import operations, queries, working
from shop.listings.errors import NoPicture, TooManyPictures
from shop.models.accounts import Role
from shop.models.catalog import Listing, ProductImage
from shop.models.listings import PictureState, PictureUpload
from shop.models.platform import Job
from shop.platform.actor import Actor, Grant
from shop.platform.files import FolderStorage
from tests.support.factories import Factories, actor_of
from tests.support.photos import SVG, photo


@pytest.fixture
def folder(app: Flask, tmp_path: Path) -> Iterator[FolderStorage]:
    kept = app.extensions["storage"]
    app.extensions["storage"] = made = FolderStorage(tmp_path)
    yield made
    app.extensions["storage"] = kept


@pytest.fixture
def owner(make: Factories, folder: FolderStorage) -> Actor:
    """Of the shop that sells eggs."""
    shop = make.merchant("coop")
    make.product(shop, code="eggs")
    return actor_of(make.user(), Grant(Role.MERCHANT_OWNER.value, shop.id))


def bring(owner: Actor, *photos: bytes, once: str = "once", code: str = "eggs") -> int:
    return perform(operations.bring_pictures, owner, code, [(f"{place}.jpg", one) for place, one in enumerate(photos)], once)


def make_all() -> None:
    """What the job does with each photo that waits."""
    waiting = reading().scalars(sa.select(PictureUpload.id).where(PictureUpload.state == PictureState.WAITING)).all()
    for upload_id in waiting:
        working.make_picture(upload_id)


def shown(code: str = "eggs") -> queries.Pictures:
    product_id = reading().scalars(sa.select(Listing.product_id).where(Listing.code == code)).one()
    found = queries.pictures_of(reading(), product_id)
    finish_reading()
    return found


def on_card(code: str = "eggs") -> str:
    return reading().scalars(sa.select(Listing.image).where(Listing.code == code)).one()


COLOURS = ("orange", "red", "blue")


def test_photos_wait_until_pictures_are_made_of_them_and_the_first_stands_on_the_card(owner: Actor, folder: FolderStorage) -> None:
    assert bring(owner, *(photo(colour=colour) for colour in COLOURS)) == 3
    assert (shown().waiting, shown().made, on_card()) == (3, [], "")
    make_all()
    made = shown()
    assert (made.waiting, len(made.made), made.room) == (0, 3, 6)
    assert on_card() == made.made[0].file
    assert folder.has(small(on_card()))
    contents = reading().execute(sa.select(PictureUpload.state, PictureUpload.content)).all()
    assert [tuple(row) for row in contents] == [(PictureState.MADE, None)] * 3


def test_a_page_sent_twice_makes_each_picture_once(owner: Actor) -> None:
    assert [bring(owner, photo()), bring(owner, photo())] == [1, 0]
    assert reading().scalar(sa.select(sa.func.count()).select_from(Job).where(Job.kind == operations.MAKE)) == 1
    make_all()
    (upload_id,) = reading().scalars(sa.select(PictureUpload.id))
    assert perform(operations.add_picture, upload_id, "00/again.webp") is False
    assert len(shown().made) == 1


def test_a_job_that_begins_again_adds_nothing(owner: Actor) -> None:
    bring(owner, photo())
    (upload_id,) = reading().scalars(sa.select(PictureUpload.id))
    working.make_picture(upload_id)
    working.make_picture(upload_id)
    assert len(shown().made) == 1


def test_a_photo_that_cannot_be_read_says_why_until_the_next_one_comes(owner: Actor) -> None:
    bring(owner, photo()[:-2_000])
    make_all()
    assert [(one.file_name, one.refusal) for one in shown().refused] == [("0.jpg", "picture_breaks_off")]
    bring(owner, photo(), once="again")
    make_all()
    assert (shown().refused, len(shown().made)) == ([], 1)


def test_what_is_seen_to_be_no_photo_is_refused_at_once_and_nothing_is_kept(owner: Actor) -> None:
    with pytest.raises(DrawingRefused):
        bring(owner, photo(), SVG)
    with pytest.raises(NoPicture):
        bring(owner)
    assert reading().scalar(sa.select(sa.func.count()).select_from(PictureUpload)) == 0


def test_nine_pictures_are_enough(owner: Actor) -> None:
    bring(owner, *(photo(colour=(25 * number, 0, 0)) for number in range(8)))
    with pytest.raises(TooManyPictures):
        bring(owner, photo(colour="red"), photo(colour="blue"), once="more")
    assert bring(owner, photo(colour="red"), once="last") == 1
    assert shown().room == 0


def test_pictures_are_put_in_order_described_and_removed(owner: Actor) -> None:
    bring(owner, *(photo(colour=colour) for colour in COLOURS))
    make_all()
    first, second, third = (one.id for one in shown().made)
    perform(operations.say_of_pictures, owner, "eggs", [third, 999_999, first], {third: ("一篮鸡蛋", "A basket of eggs")})
    assert [one.id for one in shown().made] == [third, first, second]
    assert (shown().made[0].alt_zh, shown().made[0].alt_en) == ("一篮鸡蛋", "A basket of eggs")
    assert on_card() == shown().made[0].file
    assert [perform(operations.remove_picture, owner, "eggs", third) for _ in range(2)] == [True, False]
    assert on_card() == shown().made[0].file != ""
    for one in (first, second):
        perform(operations.remove_picture, owner, "eggs", one)
    assert on_card() == ""


@pytest.mark.parametrize("role", [Role.MERCHANT_CLERK, Role.MERCHANT_OWNER])
def test_clerks_and_other_shops_reach_no_picture_and_nothing_happened(make: Factories, owner: Actor, role: Role) -> None:
    bring(owner, photo())
    make_all()
    shop = make.merchant().id if role is Role.MERCHANT_OWNER else owner.grants[0].merchant_id
    stranger = actor_of(make.user(), Grant(role.value, shop))
    (one,) = shown().made
    for deed, arguments in (
        (operations.bring_pictures, ([("x.jpg", photo(colour="red"))], "x")),
        (operations.say_of_pictures, ([], {one.id: ("x", "x")})),
        (operations.remove_picture, (one.id,)),
    ):
        with pytest.raises(NotFound):
            perform(deed, stranger, "eggs", *arguments)  # type: ignore[arg-type]
    assert shown().made == [one]


def test_a_picture_of_another_product_is_not_removed(make: Factories, owner: Actor) -> None:
    other = make.product(code="rice")
    picture = make.save(ProductImage(product_id=other.product_id, file="00/x.webp"))
    assert perform(operations.remove_picture, owner, "eggs", picture.id) is False
    assert reading().scalar(sa.select(ProductImage.file).where(ProductImage.id == picture.id)) == "00/x.webp"
