"""What grows says to whom it belongs and of what moment it is; a new model says whether it grows."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import StatementError

from shop.kernel.columns import CITY
from shop.kernel.db import Base, insert_once, transaction
from shop.models.platform import Notice
from shop.platform.belonging import OF_THE_CITY, PEOPLE, belonging, singular
from tests.architecture.growth import GROWS, unkeyed, unspread
from tests.architecture.syntax import calls, dotted, shop_modules

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.one_engine



def test_what_grows_has_a_key_and_a_time() -> None:
    assert list(unkeyed(Base.metadata.tables)) == []
    assert list(unspread(Base.metadata.tables)) == []


def table(name: str, *columns: sa.Column[int]) -> dict[str, sa.Table]:
    return {**Base.metadata.tables, name: sa.Table(name, sa.MetaData(), sa.Column("id", sa.BigInteger, primary_key=True), *columns)}


def test_a_model_on_no_list_is_refused() -> None:
    assert [sentence.partition(":")[0] for sentence in unkeyed(table("ladders"))] == ["ladders"]


def test_a_table_that_grows_without_its_key_or_with_one_that_may_be_missing_is_refused() -> None:
    def at() -> sa.Column[int]:
        return sa.Column("at", sa.BigInteger, nullable=False)

    maybe = sa.Column("community_id", sa.BigInteger, nullable=True)
    for columns in ([at()], [at(), maybe]):
        assert [sentence.split(",")[0] for sentence in unkeyed(table("transfers", *columns))] == ["transfers grows"]


def test_a_key_that_may_be_forgotten_unnoticed_is_refused() -> None:
    quiet = sa.Column("community_id", sa.BigInteger, nullable=False, server_default="0")
    assert [sentence.split()[0] for sentence in unspread(table("transfers", quiet))] == ["transfers.community_id"]


def test_a_row_whose_key_nobody_said_is_refused(app: Flask) -> None:
    values = {"user_id": 1, "kind": "k", "facts": {}, "link": "", "dedupe_key": "d", "created_at": sa.func.now()}
    with pytest.raises(StatementError, match="to which community"), transaction() as session:
        insert_once(session, Notice, **values)
    with transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Notice)) == 0


def test_every_kind_of_subject_says_where_it_belongs() -> None:
    """Audit entries, transfers and jobs name what they are about; a kind nobody knows would belong to the city."""
    kinds = belonging().keys() | OF_THE_CITY | PEOPLE
    assert [singular(table) for table in ("batches", "passes", "purchases", "sub_orders")] == ["batch", "pass", "purchase", "sub_order"]
    unknown = {(module.name, kind) for module in shop_modules() for kind in subjects(module.tree) if kind not in kinds}
    assert unknown == set()
    source = "audit.record(session, actor, 'x.done', 'saucer', 1)\nwallet.post(s, subject=('cup', 1))"
    assert subjects(ast.parse(source)) == {"saucer", "cup"}


def subjects(tree: ast.Module) -> set[str]:
    found = []
    for call in calls(tree):
        if dotted(call.func) in {"audit.record", "audit.record_each"} and len(call.args) > 3:
            found.append(call.args[3])
        found += [
            word.value.elts[0] for word in call.keywords if word.arg in {"subject", "about"} and isinstance(word.value, ast.Tuple)
        ]
        if dotted(call.func).endswith("Posting") and len(call.args) > 5 and isinstance(call.args[5], ast.Tuple):
            found.append(call.args[5].elts[0])
    return {node.value for node in found if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_the_city_is_no_community() -> None:
    assert CITY == 0
    assert {key for key, _ in GROWS.values()} <= {"", "community_id", "merchant_id", "biller_id"}


def test_the_page_about_scale_speaks_of_every_table_that_grows_and_of_its_unique_keys() -> None:
    rows = [line.split("|") for line in (ROOT / "docs/operations/scale.md").read_text().splitlines() if line.startswith("| `")]
    told = {cells[1].strip(" `"): cells for cells in rows}
    assert set(told) == set(GROWS)
    for name, (key, time) in GROWS.items():
        assert (told[name][2].strip(" `"), told[name][3].strip(" `")) == (key or "none", time), name
        columns = {column.name for column in Base.metadata.tables[name].columns if column.unique}
        assert {column for column in columns if f"`{column}`" not in told[name][4]} == set(), name
