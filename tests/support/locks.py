"""Reading without locks, for controls: what a race does when nothing guards it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from shop.orders.operations import step

MADE_ONCE = ("ATTEMPTS", "ORDERS", "PARTS")
"""Statements of a step on an order that hold their lock from the start."""


def take_locks_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are read in this test, and not locked."""
    monkeypatch.setattr(sa.Select, "with_for_update", lambda statement, **_words: statement)
    for name in MADE_ONCE:
        unlocked = getattr(step, name)._generate()
        unlocked._for_update_arg = None
        monkeypatch.setattr(step, name, unlocked)
