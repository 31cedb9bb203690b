"""Reading what a merchant works at: a product of one's own with its pictures, and how far those are that were sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.kernel.errors import NotFound
from shop.kernel.money import Money
from shop.kernel.rows import all_as
from shop.models.catalog import Category, Product, ProductImage, ProductState, Variant
from shop.models.listings import ListingDraft, PictureState, PictureUpload
from shop.models.merchants import Merchant, MerchantState

MOST_PICTURES = 9
"""As many as a product has, made or on their way: a page of them is bounded."""


def get_product(session: Session, merchant_ids: Sequence[int], code: str) -> Product:
    """A product of one's own, in whatever state. Raises `NotFound`."""
    found = session.scalars(sa.select(Product).where(Product.code == code, Product.merchant_id.in_(merchant_ids))).one_or_none()
    if found is None:
        raise NotFound()
    return found


class Draft(NamedTuple):
    """A product somebody wants on sale: whether it is still being typed, how many sizes it has, whether its shop sells."""

    id: int
    code: str
    state: ProductState
    is_typed: bool
    sizes: int
    is_in_business: bool


def sizes_of() -> Any:
    """How many sizes of a product are on sale."""
    count = sa.select(sa.func.count()).select_from(Variant).where(Variant.product_id == Product.id, Variant.is_on_sale)
    return count.correlate(Product).scalar_subquery().label("sizes")


def is_typed() -> Any:
    return sa.exists().where(ListingDraft.product_id == Product.id).correlate(Product).label("is_typed")


def drafts_named(session: Session, merchant_ids: Sequence[int], codes: Sequence[str]) -> list[Draft]:
    """Products of one's own by code, in the order of their ids; those of others are left out."""
    selling = (Merchant.state == MerchantState.ACTIVE).label("is_in_business")
    rows = session.execute(
        sa.select(Product.id, Product.code, Product.state, is_typed(), sizes_of(), selling)
        .join(Merchant, Merchant.id == Product.merchant_id)
        .where(Product.code.in_(codes), Product.merchant_id.in_(merchant_ids))
        .order_by(Product.id)
    )
    return all_as(Draft, rows)


def count_typed(session: Session, merchant_id: int) -> int:
    """How many drafts of a shop are still being typed."""
    typed = sa.select(sa.func.count()).select_from(ListingDraft).join(Product, Product.id == ListingDraft.product_id)
    return session.scalar(typed.where(Product.merchant_id == merchant_id)) or 0


def typed_of(session: Session, product_id: int) -> ListingDraft | None:
    """What was typed of a draft so far; None for one that is whole."""
    return session.get(ListingDraft, product_id)


def sizes_of_product(session: Session, product_id: int) -> list[Variant]:
    """All sizes of a product in their order, withdrawn ones among them."""
    return list(session.scalars(sa.select(Variant).where(Variant.product_id == product_id).order_by(Variant.position, Variant.id)))


def category_ids(session: Session) -> dict[str, int]:
    return {row.slug: row.id for row in session.execute(sa.select(Category.slug, Category.id))}


def first_category(session: Session) -> int:
    """The category a draft has until somebody says one."""
    return session.scalars(sa.select(Category.id).order_by(Category.position, Category.id).limit(1)).one()


def last_origin(session: Session, merchant_id: int) -> str:
    """Where the shop's newest goods come from: likely where the next ones do. Empty for the first."""
    named = sa.select(Product.origin_zh).where(Product.merchant_id == merchant_id, Product.origin_zh != "")
    return session.scalar(named.order_by(Product.id.desc()).limit(1)) or ""


class Row(NamedTuple):
    """A product in the list of a shop's goods."""

    id: int
    code: str
    slug: str
    name_zh: str
    name_en: str
    category_id: int
    state: ProductState
    publish_at: datetime | None
    updated_at: datetime
    is_typed: bool
    sizes: int
    price: Money | None
    image: str | None


def list_products(
    session: Session, merchant_id: int, state: ProductState | None = None, text: str = "", before: int | None = None, limit: int = 50
) -> tuple[list[Row], int | None]:
    """A shop's products, the newest first, and the id before which the next page begins. Thrown-away drafts are none. One statement."""
    of_it = Variant.product_id == Product.id
    price = sa.select(sa.func.min(Variant.price)).where(of_it, Variant.is_on_sale).correlate(Product).scalar_subquery().label("price")
    image = (
        sa.select(ProductImage.file).where(ProductImage.product_id == Product.id).order_by(ProductImage.position, ProductImage.id).limit(1)
    )
    columns = (
        Product.id, Product.code, Product.slug, Product.name_zh, Product.name_en, Product.category_id, Product.state, Product.publish_at,
        Product.updated_at,
    )  # fmt: skip
    found = sa.select(*columns, is_typed(), sizes_of(), price, image.correlate(Product).scalar_subquery().label("image"))
    found = found.where(Product.merchant_id == merchant_id, sa.or_(Product.state == ProductState.DRAFT, sa.exists().where(of_it)))
    if state is not None:
        found = found.where(Product.state == state)
    if text:
        found = found.where(
            sa.or_(*(column.icontains(text, autoescape=True) for column in (Product.name_zh, Product.name_en, Product.code)))
        )
    if before is not None:
        found = found.where(Product.id < before)
    rows = all_as(Row, session.execute(found.order_by(Product.id.desc()).limit(limit + 1)))
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


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
