"""Reading what a merchant works at: a product of one's own with its pictures, and how far those are that were sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel.errors import NotFound
from shop.kernel.rows import all_as
from shop.models.catalog import Product, ProductImage
from shop.models.listings import PictureState, PictureUpload

MOST_PICTURES = 9
"""As many as a product has, made or on their way: a page of them is bounded."""


def get_product(session: Session, merchant_ids: Sequence[int], code: str) -> Product:
    """A product of one's own, in whatever state. Raises `NotFound`."""
    found = session.scalars(sa.select(Product).where(Product.code == code, Product.merchant_id.in_(merchant_ids))).one_or_none()
    if found is None:
        raise NotFound()
    return found


class Picture(NamedTuple):
    """A picture of a product as its merchant sees it."""

    id: int
    file: str
    alt_zh: str
    alt_en: str


class Sent(NamedTuple):
    """A photo that was sent: its name, how far it is, and why it was refused."""

    id: int
    file_name: str
    state: PictureState
    refusal: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Pictures:
    """All pictures of a product, and the photos that are being made into some, or were refused."""

    made: list[Picture]
    sent: list[Sent]

    @property
    def waiting(self) -> int:
        return sum(one.state is PictureState.WAITING for one in self.sent)

    @property
    def refused(self) -> list[Sent]:
        return [one for one in self.sent if one.state is PictureState.REFUSED]

    @property
    def room(self) -> int:
        return MOST_PICTURES - len(self.made) - self.waiting


def pictures_of(session: Session, product_id: int) -> Pictures:
    """In two statements, however many there are."""
    made = session.execute(
        sa.select(ProductImage.id, ProductImage.file, ProductImage.alt_zh, ProductImage.alt_en)
        .where(ProductImage.product_id == product_id)
        .order_by(ProductImage.position, ProductImage.id)
    )
    sent = session.execute(
        sa.select(PictureUpload.id, PictureUpload.file_name, PictureUpload.state, PictureUpload.refusal, PictureUpload.created_at)
        .where(PictureUpload.product_id == product_id, PictureUpload.state != PictureState.MADE)
        .order_by(PictureUpload.id)
    )
    return Pictures(all_as(Picture, made), all_as(Sent, sent))
