"""A sheet that two workers apply at once is applied once."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.imports import jobs, operations
from shop.kernel.db import finish_reading, perform, reading
from shop.models.accounts import Role
from shop.models.catalog import PriceChange, Variant
from shop.models.imports import Choice, ImportKind, ProductImport
from shop.models.stock import StockItem, StockMovement
from shop.platform.actor import Grant
from tests.support.books import assert_books_are_right
from tests.support.factories import Factories, actor_of
from tests.support.sheets import as_csv, row
from tests.support.shopping import at_once

pytestmark = pytest.mark.slow

ROWS = 600


@pytest.mark.parametrize("choice", list(Choice))
def test_two_who_apply_one_sheet_apply_it_once(app: Flask, make: Factories, choice: Choice) -> None:
    make.category("fruit")
    shop = make.merchant("coop", points=[make.point("here")])
    user = make.user()
    make.grant(user, Role.MERCHANT_OWNER, merchant=shop)
    owner = actor_of(user, Grant(Role.MERCHANT_OWNER.value, shop.id))
    content = as_csv([row(f"p{number}", stock="7") for number in range(ROWS)])
    ref = perform(operations.bring, owner, shop.id, ImportKind.GOODS, "x.csv", content, {}, "once")
    import_id = reading().scalars(sa.select(ProductImport.id).where(ProductImport.ref == ref)).one()
    finish_reading()
    at_once(app, [lambda: jobs.check(import_id)] * 2)
    perform(operations.decide, owner, ref, choice)
    at_once(app, [lambda: jobs.apply(import_id)] * 3)
    finish_reading()
    found = reading().get_one(ProductImport, import_id)
    assert (found.rows_read, found.rows_applied, found.rows_failed) == (ROWS, ROWS, 0)
    many = [sa.select(sa.func.count()).select_from(model) for model in (Variant, PriceChange, StockMovement)]
    assert [reading().scalar(each) for each in many] == [ROWS, ROWS, ROWS]
    assert reading().scalar(sa.select(sa.func.sum(StockItem.on_hand))) == 7 * ROWS
    assert_books_are_right()
