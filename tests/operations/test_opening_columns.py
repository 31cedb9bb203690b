"""A purchase is written with the columns that are named for it: one more column must stop no purchase."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from shop.orders.operations import opening

pytestmark = pytest.mark.one_engine


def widened(**column: bool) -> sa.Table:
    """The table of purchases with one more column."""
    table = opening.PURCHASES.to_metadata(sa.MetaData())
    table.append_column(sa.Column("note", sa.Text(), **column))  # type: ignore[arg-type]
    return table


def test_a_new_column_that_may_be_empty_is_left_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "PURCHASES", widened(nullable=True))
    assert set(opening._purchase()) == {*opening.OF_A_PURCHASE, "community_id"}


def test_a_new_column_that_must_be_filled_is_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "PURCHASES", widened(nullable=False))
    with pytest.raises(LookupError, match="purchases: note must have a value; name it in OF_A_PURCHASE"):
        opening._purchase()
