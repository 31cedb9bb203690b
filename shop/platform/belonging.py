"""To which community or merchant a thing belongs: the key that rows of growing tables carry (docs/operations/scale.md).

For rows whose parent is named by kind and id only, and is not at hand: it is read within the statement that writes the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa

from shop.kernel.columns import CITY
from shop.kernel.db import Base
from shop.kernel.statements import WorkedOut
from shop.models.accounts import User, UserSession
from shop.models.catalog import Product, Variant
from shop.models.pickup import PickupPoint

COMMUNITY = "community_id"
Id = int | sa.BindParameter[int] | sa.orm.InstrumentedAttribute[int]

OF_THE_CITY = frozenset(
    {"variant", "product", "merchant", "partner", "offer", "restoration", "invariant", "product_import", "application", "review"}
)
"""Kinds that belong to no community: what a merchant sells, he sells in many; a restore is of the whole city."""

OF_WHOM, OF_WHICH = "belongs_to_row", "belongs_to_variant"
"""Parameters of what is worked out; no column is called like them."""

PEOPLE = frozenset({"user", "user_session"})
"""Kinds that belong where their person collects; to the city until the person has chosen a point."""


@cache
def belonging() -> Mapping[str, Any]:
    """Kinds of things whose row says its community, each with its model: every model that has the key and an id, by its table's name."""
    keyed = {"id", COMMUNITY}
    models = [mapper.class_ for mapper in Base.registry.mappers if keyed <= set(mapper.columns.keys())]
    return {singular(model.__tablename__): model for model in models}


def singular(table: str) -> str:
    """What one row of a table is called."""
    return table.removesuffix("es") if table.endswith(("ches", "sses", "shes", "xes")) else table.removesuffix("s")


def community_of(kind: str, row_id: Id) -> sa.ColumnElement[int]:
    """The community of a thing, to be written into a row about it; that of the city where it has none, or is not known."""
    model = belonging().get(kind)
    if model is not None:
        found = sa.select(model.community_id).where(model.id == row_id)
    elif kind in PEOPLE:
        found = sa.select(PickupPoint.community_id).join(User, User.pickup_point_id == PickupPoint.id)
        if kind == "user_session":
            found = found.join(UserSession, UserSession.user_id == User.id).where(UserSession.id == row_id)
        else:
            found = found.where(User.id == row_id)
    else:
        return sa.literal_column(str(CITY), sa.BigInteger())
    return sa.func.coalesce(found.correlate(None).scalar_subquery(), sa.literal_column(str(CITY)))


def belonging_to(kind: str, row_id: int) -> WorkedOut:
    """The community of a thing for `insert_once`, whose statement is then made once for each kind of thing."""
    return WorkedOut(f"community of {kind}", _community(kind), {OF_WHOM: row_id})


@cache
def _community(kind: str) -> sa.ColumnElement[int]:
    return community_of(kind, sa.bindparam(OF_WHOM, type_=sa.BigInteger()))


def sold_by(variant_id: int) -> WorkedOut:
    """Who sells a variant, for `insert_once`."""
    return WorkedOut("merchant of variant", _merchant(), {OF_WHICH: variant_id})


@cache
def _merchant() -> sa.ScalarSelect[int]:
    return merchant_of(sa.bindparam(OF_WHICH, type_=sa.BigInteger()))


def merchant_of(variant_id: Id) -> sa.ScalarSelect[int]:
    """Who sells a variant, to be written into a row about it."""
    found = sa.select(Product.merchant_id).join(Variant, Variant.product_id == Product.id).where(Variant.id == variant_id)
    return found.correlate(None).scalar_subquery()
