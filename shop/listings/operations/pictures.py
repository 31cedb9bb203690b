"""Pictures of a product: photos are kept until a job has made pictures of them, which are then ordered, described and removed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.catalog import images, pictures
from shop.catalog.permissions import CatalogPermission
from shop.kernel import clock
from shop.kernel.db import insert_once, operation, take
from shop.kernel.errors import NotFound
from shop.kernel.text import name
from shop.listings import queries
from shop.listings.errors import NoPicture, TooManyPictures
from shop.listings.queries import MOST_PICTURES
from shop.listings.tags import Done
from shop.models.catalog import Product
from shop.models.listings import PictureState, PictureUpload
from shop.platform import audit, outbox
from shop.platform.actor import Actor

MAKE = "listings.make_picture"
LONGEST_NAME, LONGEST_ALT = 120, 100


def locked(session: Session, actor: Actor, code: str) -> Product:
    """A product of one's own, its row taken until the transaction ends. Raises `NotFound`."""
    found = session.scalars(
        sa.select(Product)
        .where(Product.code == code, Product.merchant_id.in_(actor.merchants(CatalogPermission.GOODS_WRITE)))
        .with_for_update(key_share=True)
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


@operation
def bring_pictures(session: Session, actor: Actor, code: str, photos: Sequence[tuple[str, bytes]], once: str) -> int:
    """Keep photos (name, content) until a job has made pictures of them; how many are new. Sent again with the same `once`, none is.

    What was refused before is forgotten: it is being repaired. Raises `NotFound`, `NoPicture`, `TooManyPictures`, and what
    `pictures.look` refuses at first sight; then none of them is kept.
    """
    product = locked(session, actor, code)
    if not photos or not all(content for _, content in photos):
        raise NoPicture()
    for _, content in photos:
        pictures.look(content)
    refs = {ref_of(product.id, once, content): (said, content) for said, content in photos}
    known = set(session.scalars(sa.select(PictureUpload.ref).where(PictureUpload.ref.in_(refs))))
    new = {ref: photo for ref, photo in refs.items() if ref not in known}
    if len(new) > queries.pictures_of(session, product.id).room:
        raise TooManyPictures(most=MOST_PICTURES)
    if not new:
        return 0
    forget_refused(session, product.id)
    for ref, (said, content) in new.items():
        upload_id = insert_once(
            session, PictureUpload, ref=ref, merchant_id=product.merchant_id, product_id=product.id, state=PictureState.WAITING,
            file_name=name(said[:LONGEST_NAME], LONGEST_NAME) or "?", content=content, refusal=None, created_by=actor.user_id,
            created_at=clock.now(),
        )  # fmt: skip
        outbox.enqueue(session, MAKE, dedupe_key=f"{MAKE}:{ref}", upload_id=upload_id)
    audit.record(session, actor, Done.PRODUCT_PICTURED, "product", product.id, pictures=len(new))
    return len(new)


def ref_of(product_id: int, once: str, content: bytes) -> str:
    """By what a photo is known: the same one sent twice with a page is one picture."""
    told = f"{product_id}:{once}:{hashlib.sha256(content).hexdigest()}"
    return f"PU-{hashlib.sha256(told.encode()).hexdigest()[:20].upper()}"


def forget_refused(session: Session, product_id: int) -> None:
    refused = sa.delete(PictureUpload).where(PictureUpload.product_id == product_id, PictureUpload.state == PictureState.REFUSED)
    session.execute(refused.execution_options(synchronize_session=False))


def _done_with(upload_id: int, state: PictureState, refusal: str | None = None) -> sa.Update:
    waiting = sa.update(PictureUpload).where(PictureUpload.id == upload_id, PictureUpload.state == PictureState.WAITING)
    return waiting.values(state=state, refusal=refusal, content=None)


@operation
def refuse_picture(session: Session, upload_id: int, refusal: str) -> bool:
    """No picture can be made of a photo; `refusal` is the code of the sentence that says why."""
    return take(session, _done_with(upload_id, PictureState.REFUSED, refusal))


@operation
def add_picture(session: Session, upload_id: int, file: str) -> bool:
    """A picture was made of a photo: it stands behind the others of its product. Told again, nothing changes."""
    product_id = session.scalar(sa.select(PictureUpload.product_id).where(PictureUpload.id == upload_id))
    if product_id is None or not take(session, _done_with(upload_id, PictureState.MADE)):
        return False
    images.add_image(session, product_id, file)
    return True


@operation
def say_of_pictures(session: Session, actor: Actor, code: str, order: Sequence[int], alts: Mapping[int, tuple[str, str]]) -> None:
    """Put the pictures of one's own product into an order, the first one on cards, and say what is seen on them. Raises `NotFound`."""
    product = locked(session, actor, code)
    if images.arrange_images(session, product.id, order, alts):
        audit.record(session, actor, Done.PRODUCT_PICTURED, "product", product.id, pictures=len(order))


@operation
def remove_picture(session: Session, actor: Actor, code: str, image_id: int) -> bool:
    """Take a picture off one's own product; False when it is gone already. Raises `NotFound`."""
    product = locked(session, actor, code)
    if not images.remove_image(session, product.id, image_id):
        return False
    audit.record(session, actor, Done.PRODUCT_PICTURED, "product", product.id, pictures=-1)
    return True
