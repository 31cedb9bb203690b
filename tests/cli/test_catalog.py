"""`flask catalog`: what an earlier release did not make of the goods."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from shop.catalog import search
from shop.kernel.db import reading
from shop.models.catalog import SearchTerm
from tests.support.factories import Factories


def test_terms_are_written_anew_from_lists_of_words(app: Flask, make: Factories, tmp_path: Path) -> None:
    make.product(code="orange", name_zh="资中血橙散装", name_en="Blood orange, loose")
    same, kinds = tmp_path / "same.csv", tmp_path / "kinds.csv"
    same.write_text("血橙,塔罗科\n", encoding="utf-8")
    kinds.write_text("橙子,血橙\n", encoding="utf-8")
    assert search.find(reading(), "塔罗科", {}).cards == []
    for _again in range(2):
        result = app.test_cli_runner().invoke(args=["catalog", "terms", str(same), str(kinds)])
        assert (result.exit_code, result.output) == (0, "1 products\n")
        reading().rollback()
        for word in ("塔罗科", "橙子", "血橙"):
            assert [card.code for card in search.find(reading(), word, {}).cards] == ["orange"], word
        assert reading().scalar(sa.select(SearchTerm.weight).where(SearchTerm.term == "血橙")) == 24


def test_a_list_that_is_not_there_is_refused_and_nothing_is_written(app: Flask, make: Factories, tmp_path: Path) -> None:
    result = app.test_cli_runner().invoke(args=["catalog", "terms", str(tmp_path / "none.csv"), str(tmp_path / "none.csv")])
    assert result.exit_code == 2
    assert reading().scalar(sa.select(sa.func.count()).select_from(SearchTerm)) == 0
