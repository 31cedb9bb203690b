"""The pictures a product has: one more, their order and words, one less. Cards show the first, and are rewritten with it.

Who may do so, and how a photo becomes a picture, is said by `shop.listings`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.catalog.operations import refresh_listings
from shop.kernel import clock
from shop.kernel.db import operation, take
from shop.models.catalog import Product, ProductImage


def _locked(session: Session, product_id: int) -> Product:
    return session.scalars(sa.select(Product).where(Product.id == product_id).with_for_update(key_share=True)).one()


def _images(session: Session, product_id: int) -> list[ProductImage]:
    found = sa.select(ProductImage).where(ProductImage.product_id == product_id)
    return list(session.scalars(found.order_by(ProductImage.position, ProductImage.id)))


def _changed(session: Session, product: Product) -> None:
    product.updated_at = clock.now()
    session.flush()
    refresh_listings(session, [product.id])


@operation
def add_image(session: Session, product_id: int, file: str) -> bool:
    """A picture of a product, behind its others; False, and nothing changes, when it has that one."""
    product = _locked(session, product_id)
    there = _images(session, product_id)
    if file in {one.file for one in there}:
        return False
    session.add(
        ProductImage(product_id=product_id, file=file, position=max((one.position for one in there), default=-1) + 1, has_medium=True)
    )
    _changed(session, product)
    return True


@operation
def arrange_images(session: Session, product_id: int, order: Sequence[int], alts: Mapping[int, tuple[str, str]]) -> bool:
    """Put the pictures of a product into an order and say what is seen on them, in Chinese and English; whether anything is new.

    Those that are not named keep their order behind the others; those that went meanwhile are passed over.
    """
    product = _locked(session, product_id)
    made = _images(session, product_id)
    places = {image_id: place for place, image_id in enumerate(order)}
    was = [(one.id, one.alt_zh, one.alt_en) for one in made]
    made.sort(key=lambda one: places.get(one.id, len(places)))
    for place, one in enumerate(made):
        one.position = place
        one.alt_zh, one.alt_en = alts.get(one.id, (one.alt_zh, one.alt_en))
    if [(one.id, one.alt_zh, one.alt_en) for one in made] == was:
        return False
    _changed(session, product)
    return True


@operation
def remove_image(session: Session, product_id: int, image_id: int) -> bool:
    """Take a picture off a product; False when it is not there. Its files stay: orders show goods as they were."""
    product = _locked(session, product_id)
    if not take(session, sa.delete(ProductImage).where(ProductImage.id == image_id, ProductImage.product_id == product_id)):
        return False
    _changed(session, product)
    return True
