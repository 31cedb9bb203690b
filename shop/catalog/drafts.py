"""Products before they can be seen, and their coming onto the shelf. Who may, and what is needed for it, is said by `shop.listings`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.catalog.goods import show
from shop.kernel import clock
from shop.kernel.db import insert_once, operation, take
from shop.kernel.statements import table
from shop.models.catalog import PricedBy, Product, ProductState, SoldBy, Storage

PRODUCTS = table(Product)


@operation
def open_draft(session: Session, merchant_id: int, code: str, category_id: int) -> int | None:
    """A product that says nothing yet and nobody sees; its id, None when the code is taken."""
    moment = clock.now()
    last = session.scalar(sa.select(sa.func.max(PRODUCTS.c.position))) or 0
    return insert_once(
        session, Product, code=code, slug=code, merchant_id=merchant_id, category_id=category_id, name_zh="", name_en="",
        description_zh="", description_en="", state=ProductState.DRAFT, sold_by=SoldBy.PACK, priced_by=PricedBy.PACK,
        storage=Storage.AMBIENT, season_months="", origin_zh="", origin_en="", shelf_life_days=1, is_agricultural=False,
        is_returnable_within_7_days=False, allergens="", position=last + 1, created_at=moment, updated_at=moment,
    )  # fmt: skip


@operation
def write_draft(session: Session, product_id: int, values: Mapping[str, Any]) -> bool:
    """Say something of a draft; False, and nothing changes, when it is none any more."""
    draft = sa.update(Product).where(Product.id == product_id, Product.state == ProductState.DRAFT)
    return take(session, draft.values(**values, updated_at=clock.now()))


@operation
def put_on_sale(session: Session, product_ids: Sequence[int]) -> list[int]:
    """Show drafts to buyers from now on; the ids of those that were drafts still."""
    drafts = sa.update(Product).where(Product.id.in_(product_ids), Product.state == ProductState.DRAFT)
    shown = drafts.values(state=ProductState.ON_SALE, publish_at=None, updated_at=clock.now()).returning(Product.id)
    done = sorted(session.scalars(shown.execution_options(synchronize_session=False)))
    if done:
        show(session, done)
    return done


@operation
def drop_draft(session: Session, product_id: int) -> bool:
    """A draft that nobody goes on with: off sale for good. Its row stays, for numbers are never given twice."""
    draft = sa.update(Product).where(Product.id == product_id, Product.state == ProductState.DRAFT)
    return take(session, draft.values(state=ProductState.OFF_SALE, publish_at=None, updated_at=clock.now()))


@operation
def set_publish_at(session: Session, product_id: int, moment: datetime | None) -> bool:
    """When a draft goes on sale by itself; None: when somebody says so."""
    return write_draft(session, product_id, {"publish_at": moment})
