"""Orders of before are carried over as they were: nothing came off them, and what was paid is their list price; and back."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy.exc import DBAPIError

from shop.cli.verify.checks import broken
from shop.kernel.db import database, reading
from tests.conftest import dispose
from tests.migrations.test_sealing_rows import fresh, rows
from tests.support import right_books

__all__ = ["fresh"]

BEFORE = "0017"
LINES = "SELECT id, quantity, unit_price, line_total, final_total FROM order_lines ORDER BY id"
FREE = "SELECT SUM(discount_total), SUM(line_total - paid_total) FROM order_lines"


def write(*statements: str) -> None:
    with database.engines[None].begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def without_offers() -> None:
    """The books as they would be had nothing come off: order 1 paid in full, and its merchant owed all of it."""
    write(
        "DELETE FROM line_discounts",
        "UPDATE order_lines SET discount_total = 0",
        "UPDATE sub_orders SET discount_total = 0, supported_total = 0, total = goods_total + fee_total",
        "UPDATE purchases SET discount_total = 0, total = goods_total + fee_total",
    )


def test_lines_of_before_were_paid_in_full_on_the_way_up_and_back(fresh: Flask) -> None:
    upgrade()
    right_books.write()
    without_offers()
    dispose(fresh)
    downgrade(revision=BEFORE)
    before = rows(LINES)
    assert len(before) > 5
    dispose(fresh)

    upgrade()
    assert rows(LINES) == before
    assert rows(FREE) == [(0, 0)]
    assert rows("SELECT SUM(supported_total) FROM sub_orders") == [(0,)]
    assert rows("SELECT kind FROM ledger_accounts WHERE code = 'promotion'") == [("promotion",)], "its transfers stay"
    names = {finding.name for finding in broken(reading())}
    assert not names & {"pricing.shares_are_the_discount", "pricing.paid_and_discount_are_the_list_total", "orders.sub_order_is_its_lines"}
    dispose(fresh)


def test_the_release_before_goes_on_writing_and_the_database_keeps_the_sum(fresh: Flask) -> None:
    upgrade()
    right_books.write()
    names = "id, sub_order_id, variant_id, product_id, name_zh, name_en, unit_zh, unit_en, image, quantity, unit_price, priced_by"
    values = "90, 4, 1, 1, 'a', 'b', 'c', 'd', '', 2, 500, 'pack', 500, 1000"
    write(f"INSERT INTO order_lines ({names}, unit_grams, line_total) VALUES ({values})")
    assert rows("SELECT discount_total, paid_total FROM order_lines WHERE id = 90") == [(0, 1_000)]
    for wrong in (
        "UPDATE order_lines SET paid_total = 1 WHERE id = 90",
        "UPDATE order_lines SET discount_total = 1001 WHERE id = 90",
        "UPDATE order_lines SET discount_total = -1 WHERE id = 90",
        "UPDATE sub_orders SET supported_total = 1 WHERE id = 4",
        "INSERT INTO line_discounts (line_id, offer_id, merchant_id, funder, share, at) VALUES (90, 1, 1, 'merchant', 0, '2026-11-30')",
        "UPDATE price_offers SET off = at_least",
        "UPDATE price_offers SET merchant_id = NULL WHERE funder = 'merchant'",
    ):
        with pytest.raises(DBAPIError):
            write(wrong)
    assert rows("SELECT discount_total, paid_total FROM order_lines WHERE id = 90") == [(0, 1_000)]
    dispose(fresh)
