"""The table of pages that screenshots and audit walk knows every page of the shop."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image
from werkzeug.exceptions import NotFound

from tests.support.sealed import RING
from tools.page_table import CART, FACTS, PAGES, areas
from tools.sheets import Shot, write_contact_sheet, write_joined_sheets
from tools.wordy import PERSON, lengthen

pytestmark = pytest.mark.one_engine

NOT_LOOKED_AT = {
    "bundles.serve": "style and script",
    "accounts.second_factor": "asked for once, while staff sign in",
    "catalog.suggestions": "a fragment",
    "dev.sms": "JSON",
    "discovery.favicon": "an icon",
    "discovery.goods": "XML",
    "discovery.index": "XML",
    "discovery.places": "XML",
    "discovery.robots": "plain text",
    "discovery.security": "plain text",
    "files.serve": "pictures",
    "health.alive": "a probe",
    "health.ready": "a probe",
    "installable.manifest": "JSON",
    "installable.worker": "a script",
    "merchant.draft": "there once somebody types; as merchant.new_product",
    "merchant.export_figures": "a sheet",
    "merchant.export_goods": "a sheet",
    "merchant.export_orders": "a sheet",
    "merchant.export_statement": "a sheet",
    "merchant.export_stock": "a sheet",
    "merchant.repair_list": "a sheet",
    "merchant.sheet": "there once a shop has brought one; the demo city has none",
    "merchant.template": "a sheet",
    "merchant.scan": "leads on to an order",
    "metrics.metrics": "figures for Prometheus",
    "payments.onward": "leads on by itself",
    "static": "files",
}


def endpoint_of(app: Flask, address: str) -> str:
    path = re.sub(r"{\w+}", "1", address).split("?")[0]
    return str(app.url_map.bind("localhost").match(path, method="GET")[0])


def test_every_page_of_the_shop_is_in_the_table(app: Flask) -> None:
    looked_at = {endpoint_of(app, page.address) for page in PAGES if page.status != 404 or page.typed}
    pages = {
        rule.endpoint for rule in app.url_map.iter_rules()
        if rule.methods and "GET" in rule.methods and not rule.rule.startswith("/api/") and not rule.endpoint.startswith("api.")
    }  # fmt: skip
    assert sorted(pages - looked_at - set(NOT_LOOKED_AT)) == []


def test_every_address_of_the_table_leads_somewhere(app: Flask) -> None:
    for page in PAGES:
        if page.name == "not-found":
            with pytest.raises(NotFound):
                endpoint_of(app, page.address)
        else:
            assert endpoint_of(app, page.address)


def test_no_two_pictures_have_one_name() -> None:
    names = [(page.area, page.name) for page in PAGES]
    assert len(set(names)) == len(names)
    assert areas()[0] == "shop"


def test_every_name_in_an_address_can_be_looked_up(app: Flask) -> None:
    """Each statement is one the newest schema understands."""
    assert {name for page in PAGES for name in page.needs} == set(FACTS)
    url = str(app.config["DATABASE_URL"])
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        for statement, values in FACTS.values():
            assert connection.execute(statement, values).fetchall() == []
        assert connection.execute(CART, ("a", "b")).fetchall() == []


def test_the_longest_words_fit_the_newest_schema(app: Flask, tmp_path: Path) -> None:
    copy = tmp_path / "linli.db"
    mine = str(app.config["DATABASE_URL"]).removeprefix("sqlite:///")
    with closing(sqlite3.connect(mine)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute(
            "INSERT INTO users (phone, phone_hash, phone_tail_hash, display_name, state, verification_level, created_at)"
            " VALUES ('', 'hash', 'tail', '', 'active', 0, '2026-06-08 00:00:00')"
        )
        target.commit()
    lengthen(copy, RING)
    with closing(sqlite3.connect(copy)) as connection:
        names = [RING.open("users.display_name", row[0]) for row in connection.execute("SELECT display_name FROM users")]
    assert names == [PERSON]


def test_pictures_are_joined_by_area(tmp_path: Path) -> None:
    shots = []
    for number in range(7):
        place = tmp_path / "shop" / f"page{number}-phone-zh.png"
        place.parent.mkdir(exist_ok=True)
        Image.new("RGB", (390, 844 + number * 500), "white").save(place)
        shots.append(Shot("shop", f"page{number}", "phone", "zh", place))
    sheets = write_joined_sheets(shots, tmp_path)
    assert [sheet.name for sheet in sheets] == ["shop-phone-zh-1.png", "shop-phone-zh-2.png"]
    with Image.open(sheets[0]) as sheet:
        assert sheet.width > 5 * 390
        assert sheet.height < 2000
    page = write_contact_sheet(tmp_path).read_text()
    assert page.count("<img") == 7
    assert "<h2>sheets</h2>" not in page
