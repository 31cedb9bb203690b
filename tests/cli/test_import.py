"""`flask import products`: a dry run changes nothing, and then the same file is applied."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from shop.kernel.db import finish_reading, reading
from shop.models.catalog import Variant
from tests.support.factories import Factories
from tests.support.sheets import as_csv, row


def codes() -> list[str]:
    finish_reading()
    return list(reading().scalars(sa.select(Variant.code).order_by(Variant.code)))


def test_a_file_is_looked_at_and_then_applied(app: Flask, make: Factories, tmp_path: Path) -> None:
    make.category("fruit")
    make.merchant("coop")
    file = tmp_path / "goods.csv"
    file.write_bytes(as_csv([row("plum"), row("bad", price="x")]))
    run = app.test_cli_runner()
    dry = run.invoke(args=["import", "products", str(file), "--merchant", "coop", "--dry-run"])
    assert dry.exit_code == 0, dry.output
    assert "1 new, 0 changed, 0 the same, 1 wrong" in dry.output
    assert "row 3 price: “x” is no price." in dry.output
    assert codes() == []
    refused = run.invoke(args=["import", "products", str(file), "--merchant", "coop", "--all-or-nothing"])
    assert refused.exit_code == 1
    assert codes() == []
    done = run.invoke(args=["import", "products", str(file), "--merchant", "coop"])
    assert (done.exit_code, codes()) == (0, ["coop-plum"]), done.output
    assert "1 applied" in done.output


def test_a_file_of_no_use_and_a_shop_of_nobody_are_refused(app: Flask, make: Factories, tmp_path: Path) -> None:
    make.merchant("coop")
    file = tmp_path / "picture.xlsx"
    file.write_bytes(b"\x89PNG\r\n" + b"\0" * 40)
    for shop, words in (("coop", "This is no table"), ("nobody", "no shop has this code")):
        answer = app.test_cli_runner().invoke(args=["import", "products", str(file), "--merchant", shop])
        assert answer.exit_code == 1
        assert words in answer.output
