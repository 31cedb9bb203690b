"""Typing new goods and putting them on sale: a draft is kept word for word until everything in it can be understood."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.catalog import drafts, goods
from shop.catalog.goods import NewGoods
from shop.catalog.permissions import CatalogPermission
from shop.kernel import clock
from shop.kernel.db import operation
from shop.kernel.errors import NotFound, ShopError
from shop.kernel.text import clipped
from shop.listings import fields, queries
from shop.listings.errors import AlreadyPublished, MomentNotUnderstood, NothingToSell, ShopNotInBusiness, TooManyDrafts
from shop.listings.fields import LONGEST_NAME, Reader
from shop.listings.operations.pictures import locked
from shop.listings.rules import SELLING
from shop.listings.tags import Done
from shop.models.catalog import Product, ProductState, Variant
from shop.models.listings import ListingDraft
from shop.models.merchants import Merchant, MerchantState
from shop.platform import audit
from shop.platform.actor import JOB, Actor
from shop.stock import opening
from shop.stock.opening import First

MOST_DRAFTS = 200
MOST_AT_ONCE = 100
LONGEST_WAIT = timedelta(days=366)


def code_of(shop: Merchant, once: str) -> str:
    """The code of new goods: made from the number of the page they were typed on, so that a page sent twice makes one draft."""
    return f"{shop.code}-{hashlib.sha256(f'{shop.id}:{once}'.encode()).hexdigest()[:10]}"


@operation
def save_draft(session: Session, actor: Actor, merchant_id: int, typed: Mapping[str, str], once: str) -> str:
    """Keep what was typed so far as a new draft, or anew in the one that was begun with `once`; its code.

    Raises `NotFound` for another's shop, `TooManyDrafts`, `AlreadyPublished`.
    """
    if merchant_id not in actor.merchants(CatalogPermission.GOODS_WRITE):
        raise NotFound()
    code = code_of(session.get_one(Merchant, merchant_id), once)
    if session.scalar(sa.select(Product.id).where(Product.code == code)) is None:
        if (there := queries.count_typed(session, merchant_id)) >= MOST_DRAFTS:
            raise TooManyDrafts(open=there)
        product_id = drafts.open_draft(session, merchant_id, code, queries.first_category(session))
        if product_id is not None:
            session.add(ListingDraft(product_id=product_id, typed={}, saved_at=clock.now()))
            session.flush()
    retype_draft(session, actor, code, typed)
    return code


@operation
def retype_draft(session: Session, actor: Actor, code: str, typed: Mapping[str, str]) -> None:
    """Keep what was typed meanwhile. Raises `NotFound`, `AlreadyPublished`."""
    product = locked(session, actor, code)
    draft = session.get(ListingDraft, product.id)
    if draft is None or product.state is not ProductState.DRAFT:
        raise AlreadyPublished()
    draft.typed = {key: typed[key][:limit] for key, limit in fields.OF_DRAFT.items() if typed.get(key)}
    draft.saved_at = clock.now()
    said = clipped(typed.get("name_zh", ""), LONGEST_NAME)
    drafts.write_draft(session, product.id, {"name_zh": said, "name_en": said})


@operation
def complete_draft(session: Session, actor: Actor, code: str) -> None:
    """Make a whole product of what was typed, with its first size, price and stock; it is not on sale yet. Of a whole one: nothing.

    Raises `NotFound`, `AlreadyPublished`, and `ListingIncomplete` with what is wrong by field; then it stays as it was typed.
    """
    product = locked(session, actor, code)
    if product.state is not ProductState.DRAFT:
        raise AlreadyPublished()
    draft = session.get(ListingDraft, product.id)
    if draft is None:
        return
    reader = Reader(draft.typed)
    values = fields.product_of(reader, queries.category_ids(session))
    selling = fields.selling_of(reader)
    size = fields.size_of(reader, selling)
    price = reader.read("price", fields.price)
    stock = reader.read("stock", fields.number(0, fields.MOST_STOCK), 0)
    reader.settle()
    sold_by, priced_by = SELLING[selling]
    drafts.write_draft(session, product.id, {**values, "sold_by": sold_by, "priced_by": priced_by})
    ids = goods.list_goods(session, actor, product.merchant_id, [NewGoods(code, {}, code, price, size)])
    opening.open_shelves(session, actor, product.merchant_id, [First(ids[code], stock, f"listing:{code}")])
    session.delete(draft)
    session.flush()


@operation
def new_draft(session: Session, actor: Actor, merchant_id: int, typed: Mapping[str, str], once: str) -> str:
    """A whole draft at once, or nothing; its code. Raises what `save_draft` and `complete_draft` do."""
    code = save_draft(session, actor, merchant_id, typed, once)
    complete_draft(session, actor, code)
    return code


@dataclass(slots=True)
class Published:
    """What is on sale now, and what is not and why, by code."""

    done: list[str] = field(default_factory=list)
    refused: dict[str, ShopError] = field(default_factory=dict)


@operation
def publish(session: Session, actor: Actor, codes: Sequence[str]) -> Published:
    """Put drafts of one's own on sale, each by itself; those on sale already are done. Raises `NotFound` when one is another's."""
    told = Published()
    wanted = sorted(set(codes))[:MOST_AT_ONCE]
    own = queries.drafts_named(session, actor.merchants(CatalogPermission.GOODS_WRITE), wanted)
    if len(own) < len(wanted):
        raise NotFound()
    ready = []
    for one in own:
        try:
            if one.state is ProductState.ON_SALE:
                told.done.append(one.code)
                continue
            if not one.is_in_business:
                raise ShopNotInBusiness()
            complete_draft(session, actor, one.code)
            if not one.is_typed and not one.sizes:
                raise NothingToSell()
            ready.append(one)
        except ShopError as refusal:
            told.refused[one.code] = refusal
    shown = set(drafts.put_on_sale(session, [one.id for one in ready]))
    told.done.extend(one.code for one in ready if one.id in shown)
    audit.record_each(session, actor, Done.PRODUCT_PUBLISHED, "product", sorted(shown))
    return told


@operation
def schedule(session: Session, actor: Actor, code: str, moment: datetime | None) -> None:
    """Say when a draft goes on sale by itself; None: not by itself. It is whole from then on.

    Raises `NotFound`, `AlreadyPublished`, `ListingIncomplete`, `NothingToSell`, `MomentNotUnderstood`.
    """
    if moment is not None and not clock.now() < moment <= clock.now() + LONGEST_WAIT:
        raise MomentNotUnderstood()
    complete_draft(session, actor, code)
    product = locked(session, actor, code)
    if moment is not None and not session.scalar(
        sa.select(Variant.id).where(Variant.product_id == product.id, Variant.is_on_sale).limit(1)
    ):
        raise NothingToSell()
    if product.publish_at == moment:
        return
    drafts.set_publish_at(session, product.id, moment)
    audit.record(session, actor, Done.PRODUCT_SCHEDULED, "product", product.id, publish_at=moment.isoformat() if moment else "")


@operation
def publish_due(session: Session) -> int:
    """Put on sale what was to be by now; how many. What its shop cannot sell at the moment waits until it can."""
    due = (
        sa.select(Product.id)
        .join(Merchant, Merchant.id == Product.merchant_id)
        .where(
            Product.publish_at <= clock.now(), Product.state == ProductState.DRAFT, Merchant.state == MerchantState.ACTIVE,
            sa.exists().where(Variant.product_id == Product.id, Variant.is_on_sale),
        )
        .order_by(Product.id)
        .limit(MOST_AT_ONCE)
    )  # fmt: skip
    shown = drafts.put_on_sale(session, list(session.scalars(due)))
    audit.record_each(session, JOB, Done.PRODUCT_PUBLISHED, "product", shown)
    return len(shown)


@operation
def drop_draft(session: Session, actor: Actor, code: str) -> None:
    """Throw a draft away; again, nothing changes. Raises `NotFound`, `AlreadyPublished`."""
    product = locked(session, actor, code)
    if product.state is ProductState.OFF_SALE:
        return
    draft = session.get(ListingDraft, product.id)
    if draft is not None:
        session.delete(draft)
        session.flush()
    if not drafts.drop_draft(session, product.id):
        raise AlreadyPublished()
    audit.record(session, actor, Done.PRODUCT_DROPPED, "product", product.id)
