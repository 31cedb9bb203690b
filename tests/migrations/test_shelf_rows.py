"""What lies on the shelves is carried over with its history, cards are priced by the cheapest size, and back; on either engine."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy.exc import DBAPIError

from shop.kernel.db import database
from tests.conftest import dispose
from tests.migrations.test_sealing_rows import fresh, rows
from tests.support import right_books

__all__ = ["fresh"]

BEFORE = "0009"
MOVEMENTS = "SELECT id, variant_id, quantity, kind, cause, order_line_id, actor_id FROM stock_movements ORDER BY id"
CARDS = "SELECT product_id, variant_id, price, unit_zh, price_per_jin, price_per_kilogram FROM listings ORDER BY product_id"
VARIANT = (
    "INSERT INTO variants (id, code, product_id, label_zh, label_en, price, net_weight_grams, minimum_quantity, multiple, position, "
    "is_on_sale) VALUES ({}, '{}', 1, '{}', 'small', {}, 300, 1, 1, {}, {})"
)


def write(*statements: str) -> None:
    with database.engines[None].begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def test_shelves_and_cards_are_carried_over_and_back(fresh: Flask) -> None:
    upgrade()
    right_books.write()
    dispose(fresh)
    downgrade(revision=BEFORE)
    before, cards = rows(MOVEMENTS), rows(CARDS)
    assert len(before) > 5
    write(
        VARIANT.format(11, "box-small", "小盒", 777, 5, "true"), VARIANT.format(12, "box-gone", "旧", 5, 6, "false"),
        "UPDATE listings SET has_choices = true WHERE product_id = 1",
    )  # fmt: skip
    dispose(fresh)

    upgrade()
    assert rows(MOVEMENTS) == before
    assert rows("SELECT DISTINCT told, missing_by, takes_back_id FROM stock_movements") == [(None, 0, None)]
    assert rows("SELECT DISTINCT missing FROM stock_items") == [(0,)]
    assert rows("SELECT DISTINCT actor_id FROM price_changes") == [(None,)]
    assert rows(CARDS)[0] == (1, 11, 777, "小盒", 1_295, 2_590)
    assert rows(CARDS)[1:] == cards[1:], "what has one size stays as it is"
    assert right_books.broken_but_for_what_going_back_loses() == []
    for statement in ("UPDATE stock_movements SET told = 1", "DELETE FROM stock_movements", "UPDATE price_changes SET price = 1"):
        with pytest.raises(DBAPIError, match="append-only"):
            write(statement)
    newest = len(before) + 100
    write(
        "INSERT INTO stock_movements (id, variant_id, quantity, missing_by, told, kind, cause, at) VALUES "
        f"({newest}, 1, 5, 0, 5, 'received', 'a', '2026-11-30'), ({newest + 1}, 1, 0, 1, 0, 'correction', 'b', '2026-11-30')",
        "INSERT INTO stock_movements (id, variant_id, quantity, missing_by, takes_back_id, kind, cause, at) VALUES "
        f"({newest + 2}, 1, -5, 0, {newest}, 'taken_back', 'c', '2026-11-30')",
    )
    dispose(fresh)

    downgrade(revision=BEFORE)
    told = [(newest, 1, 5, "received", "a", None, None), (newest + 2, 1, -5, "correction", "c", None, None)]
    assert rows(MOVEMENTS) == [*before, *told], "what the version before cannot tell is told as the count it amounts to"
    assert rows(CARDS)[0][:3] == (1, 1, 1_000)
    for statement in ("UPDATE stock_movements SET quantity = 1", "DELETE FROM price_changes"):
        with pytest.raises(DBAPIError, match="append-only"):
            write(statement)
    dispose(fresh)
    upgrade()
    assert rows(CARDS)[0][:3] == (1, 11, 777)
    dispose(fresh)
