"""Pages that exist for building and showing the shop."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shop.home.assets import Assets
from shop.platform import outbox
from shop.platform.language import speaking, words
from shop.platform.sms import HttpSmsGateway
from simulators.sms.app import running_sms
from tests.support.factories import Factories

PHONE = "13812345678"


def test_a_code_travels_through_the_simulated_gateway_to_dev_sms(
    app: Flask, client: FlaskClient, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_sms() as address:
        monkeypatch.setitem(app.config, "SMS_API_BASE", address)
        monkeypatch.setitem(app.extensions, "sms", HttpSmsGateway(address, app.config["SMS_API_KEY"]))
        client.post("/api/v1/auth/codes", json={"phone": PHONE})
        outbox.run_due()
        (message,) = client.get(f"/dev/sms?phone={PHONE}").get_json()
        assert set(message) == {"phone", "text", "code", "sent_at"}
        assert message["text"].startswith("【邻里】")
        assert client.post("/api/v1/auth/tokens", json={"phone": PHONE, "code": message["code"]}).status_code == 200
        assert client.get("/dev/sms?phone=13900000000").get_json() == []
        assert len(client.get("/dev/sms").get_json()) == 1
        assert client.get("/dev/sms?phone=12345").status_code == 422


def test_without_the_simulator_dev_sms_says_so(client: FlaskClient, make: Factories) -> None:
    assert client.get(f"/dev/sms?phone={PHONE}").status_code == 503


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_the_style_page_shows_the_components(client: FlaskClient, make: Factories, locale: str) -> None:
    client.set_cookie("locale", locale)
    page = client.get("/dev/style")
    assert page.status_code == 200
    assert len(re.findall(r"<section", page.text)) > 5


@pytest.mark.one_engine
def test_the_version_of_static_files_follows_what_they_hold(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        (folder / "a.css").write_text("a {}")
    first = Assets(one, "/static", is_watched=False)
    assert first("a.css") == f"/static/a.css?v={first.version}"
    assert Assets(other, "/static", is_watched=False).version == first.version
    (other / "a.css").write_text("b {}")
    assert Assets(other, "/static", is_watched=False).version != first.version


def test_a_job_speaks_the_language_it_is_told_and_then_its_own(app: Flask) -> None:
    with speaking("en"):
        assert words("Please sign in first.") == "Please sign in first."
        with speaking("zh"):
            assert words("Please sign in first.") == "请先登录。"
        assert words("Please sign in first.") == "Please sign in first."
    assert words("Please sign in first.") == "请先登录。"
