"""What lies at counters, and what left them, is carried over into its own table, and back; on either engine."""

from __future__ import annotations

from flask import Flask
from flask_migrate import downgrade, upgrade

from tests.conftest import dispose
from tests.migrations.test_sealing_rows import fresh, rows
from tests.migrations.test_shelf_rows import write
from tests.support import right_books

__all__ = ["fresh"]

BEFORE = "0025"
LIES = (
    "SELECT kind, subject_id, number, source, pass_id, user_id, pickup_point_id, community_id, state, handover_id"
    " FROM collectables ORDER BY subject_id"
)
ITEMS = "SELECT handover_id, sub_order_id, community_id FROM handover_items"
KEPT = (
    "INSERT INTO handover_kept (id, community_id, handover_id, sub_order_id, reason, received_at)"
    " VALUES ({}, 1, 2, {}, '{}', '2026-11-30')"
)  # fmt: skip
ORDER_1 = ("sub_order", 1, "L1-1", "m", 1, right_books.BUYER, 1, 1, "collected", 1)
ORDER_2 = ("sub_order", 2, "L2-1", "m", 2, right_books.BUYER, 1, 1, "waiting", None)


def test_what_lay_at_a_counter_is_carried_over_and_back(fresh: Flask) -> None:
    upgrade()
    right_books.write()
    dispose(fresh)
    downgrade(revision=BEFORE)
    assert rows(ITEMS) == [(1, 1, 1)]
    write(
        KEPT.format(1, 2, "not_ready"), KEPT.format(2, 6, "different_event"),  # the second has never come to its counter
        "UPDATE sub_orders SET state = 'not_collected', pass_id = 2, ended_at = '2026-11-30' WHERE id = 5",
    )  # fmt: skip
    dispose(fresh)

    upgrade()
    ended = ("sub_order", 5, "L5-1", "m", 2, right_books.BUYER, 1, 1, "not_collected", None)
    assert rows(LIES) == [ORDER_1, ORDER_2, ended]
    assert rows("SELECT k.id, c.number, k.reason FROM handover_kept k JOIN collectables c ON c.id = k.collectable_id") == [
        (1, "L2-1", "not_ready")
    ]  # fmt: skip
    write(
        "INSERT INTO collectables (community_id, pickup_point_id, pass_id, user_id, kind, subject_id, number, source, state, since)"
        f" VALUES (1, 1, 2, {right_books.BUYER}, 'parcel', 1, 'SF1', 'sf', 'waiting', '2026-11-30')"
    )
    dispose(fresh)

    downgrade(revision=BEFORE)
    assert rows(ITEMS) == [(1, 1, 1)]
    assert rows("SELECT id, sub_order_id, reason FROM handover_kept") == [(1, 2, "not_ready")]
    write("UPDATE sub_orders SET state = 'cancelled', pass_id = NULL, ended_at = NULL WHERE id = 5")
    dispose(fresh)
    upgrade()
    assert rows(LIES) == [ORDER_1, ORDER_2]
    assert right_books.broken_but_for_what_going_back_loses() == []
    dispose(fresh)
