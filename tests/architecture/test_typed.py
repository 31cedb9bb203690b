"""Of every column that can hold a text it is known whether people type it, and of what they type, who else reads it."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

import shop.wiring  # noqa: F401  (names the features)
from shop.kernel.db import Base
from shop.kernel.sealing import Sealed
from shop.platform.features import registry

pytestmark = pytest.mark.one_engine

CODES = frozenset(
    {
        "account", "action", "asker", "barcode", "category", "cause", "channel", "code", "currency", "family", "file", "hash", "head",
        "holder", "id", "image", "intent", "key", "kind", "lane", "locale", "logo", "masked", "mode", "month", "months", "no", "nonce",
        "number", "pattern", "period", "provider", "rate", "ref", "route", "secret", "serial", "session", "slug", "theme", "type", "url",
        "uscc",
    }
)  # fmt: skip
"""By its last word a column says that it holds what the shop, a provider or a number made, or a choice: nothing that is told."""

LANGUAGES = frozenset({"zh", "en"})
"""What stands in both languages is written for everybody."""

NOT_TYPED = {
    "applications.legal_name": "written for everybody, as the register has it",
    "applications.point_ids": "ids",
    "bill_accounts.offer": "what a biller sells",
    "bill_attempts.detail": "our own words about a call",
    "bill_payments.next_step": "a choice of ours",
    "bills.usage": "a biller's figure with its unit",
    "bulletin_versions.building": "written for everybody, as the notice is",
    "collectables.place": "the code of a shelf",
    "collectables.source": "the code of a shop or a carrier",
    "handover_kept.reason": "one of a list",
    "handovers.reason": "one of a list",
    "idempotency_keys.body": "an answer of ours, kept for whoever asked",
    "invariant_checks.name": "ours",
    "invariant_checks.trouble": "ours",
    "jobs.arguments": "ids",
    "jobs.last_error": "a fault without anybody's words",
    "licences.legal_name": "written for everybody, as the register has it",
    "marks.name": "ours",
    "notices.link": "a path of ours",
    "paper_slices.content": "a picture of a paper",
    "partners.last_error": "a fault without anybody's words",
    "partners.name": "ours",
    "payments.opening": "what the provider's page is asked for with",
    "payments.return_refused": "the provider's code",
    "pickup_points.phone": "a number on a door",
    "products.allergens": "words of a list",
    "quotes.terms": "what was shown",
    "regions.name": "the state's list",
    "restorations.backup": "the name of a file",
    "reviews.answer": "written for everybody, below the review",
    "reviews.follow_up": "written for everybody, as the review is",
    "reviews.text": "written for everybody, with half a name or none",
    "search_terms.term": "words of goods",
    "search_words.word": "words that find goods, without who searched for them",
    "settled_days.sold": "figures by goods and hours",
    "sign_in_codes.phone": "a number",
    "user_sessions.device": "a kind of browser, one of a list",
    "users.phone": "a number",
    **dict.fromkeys(
        (
            *(f"import_rows.{name}" for name in ("cells", "changes", "name", "questions", "values", "wrongs")),
            *(f"product_imports.{name}" for name in ("file_name", "headers", "layout", "refusal", "usual")),
        ),
        "a shop's sheet of goods: of things, not of people",
    ),
    **dict.fromkeys(
        ("listing_drafts.typed", "picture_uploads.file_name", "picture_uploads.refusal"),
        "what a shop says of its goods: of things, not of people",
    ),
}


def can_hold_words(column: sa.Column[Any]) -> bool:
    kind = column.type
    return isinstance(kind, sa.String | sa.JSON | Sealed) and not isinstance(kind, sa.Enum)


def says_it_is_none(column: sa.Column[Any]) -> bool:
    return bool(column.foreign_keys) or column.name.rsplit("_", 1)[-1] in CODES | LANGUAGES


def undeclared(metadata: sa.MetaData) -> set[str]:
    columns = {str(column) for table in metadata.sorted_tables for column in table.columns if can_hold_words(column)}
    codes = {str(column) for table in metadata.sorted_tables for column in table.columns if says_it_is_none(column)}
    return columns - codes - set(NOT_TYPED) - declared()


def declared() -> set[str]:
    return {f"{column.class_.__tablename__}.{column.key}" for column in registry.typed()}


def test_of_every_text_it_is_said_who_reads_it() -> None:
    assert undeclared(Base.metadata) == set(), "say in Feature.typed who else reads it: docs/recipes/column.md"


def test_a_text_that_nobody_spoke_of_is_caught() -> None:
    moved = sa.MetaData()
    for table in Base.metadata.sorted_tables:
        table.to_metadata(moved)
    moved.tables["users"].append_column(sa.Column("note", sa.Text()))
    moved.tables["users"].append_column(sa.Column("nickname", Sealed("users.nickname")))
    moved.tables["users"].append_column(sa.Column("wishes", sa.JSON()))
    assert undeclared(moved) == {"users.note", "users.nickname", "users.wishes"}


def test_nothing_is_excused_that_is_not_there_or_explains_itself() -> None:
    there = {
        str(column) for table in Base.metadata.sorted_tables for column in table.columns
        if can_hold_words(column) and not says_it_is_none(column)
    }  # fmt: skip
    assert set(NOT_TYPED) - there == set()
    assert declared() <= {str(column) for table in Base.metadata.sorted_tables for column in table.columns}
    assert declared() & set(NOT_TYPED) == set()


def test_a_feature_speaks_of_its_own_columns() -> None:
    for feature in registry.all():
        assert {column.class_ for column in feature.typed or {}} <= set(feature.owns), feature.name


def test_nobody_reads_a_part_and_the_whole() -> None:
    for column, text in registry.typed().items():
        assert not (text.readers and text.partly), column
