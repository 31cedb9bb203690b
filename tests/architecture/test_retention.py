"""Of every table it is said how long its rows are kept, and the page for people says the same."""

from __future__ import annotations

from datetime import timedelta

import pytest

import shop.wiring  # noqa: F401  (names the features)
from shop.kernel.db import Base
from shop.platform.features import registry
from tests.architecture.syntax import ROOT

pytestmark = pytest.mark.one_engine


def test_every_table_has_a_rule() -> None:
    assert {mapper.class_.__name__ for mapper in Base.registry.mappers} == {model.__name__ for model in registry.keeps()}


def test_a_feature_speaks_of_its_own_tables() -> None:
    for feature in registry.all():
        assert set(feature.keeps or {}) == set(feature.owns), feature.name


def test_every_rule_says_why_and_leaves_time_for_claims() -> None:
    for model, keep in registry.keeps().items():
        assert keep.why.endswith("."), model
        assert all(rule.after >= timedelta(days=7) for rule in keep.forget), model


def test_the_page_names_every_table() -> None:
    page = (ROOT / "docs" / "operations" / "retention.md").read_text(encoding="utf-8")
    assert {model.__tablename__ for model in registry.keeps() if f"`{model.__tablename__}`" not in page} == set()
