"""`flask doctor` says what is unsafe, and production refuses to start on the same list."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from config import Config, UnsafeConfiguration, unsafe_settings
from shop import create_app
from shop.cli import doctor
from shop.cli.doctor import Level
from shop.kernel import clock, keys
from shop.kernel.db import SQLITE_PRAGMAS, database, transaction
from tests.conftest import make_config

SAFE = {
    "APP_ENV": "production", "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz-0123456789-abcdef", "TRUSTED_HOSTS": "shop.example",
    "COOKIES_SECURE": True, "PUBLIC_URL": "https://shop.example", "STRIPE_SECRET_KEY": "rk_live_x", "STRIPE_WEBHOOK_SECRET": "whsec_x",
    "BILLER_API_BASE": "https://billers.example", "BILLER_API_KEY": "b", "SMS_API_BASE": "https://sms.example", "SMS_API_KEY": "s",
    "REDIS_URL": "redis://cache.example", "CUSTODIAN_ZH": "某支付", "CUSTODIAN_EN": "Some Payments",
}  # fmt: skip
UNSAFE = [
    ({"SECRET_KEY": "short"}, "SECRET_KEY must be random"),
    ({"SECRET_KEY": "a" * 60}, "SECRET_KEY must be random"),
    ({"SECRET_KEY_FALLBACKS": "short"}, "SECRET_KEY_FALLBACKS"),
    ({"TESTING": True}, "TESTING must be off"),
    ({"WTF_CSRF_ENABLED": False}, "form protection"),
    ({"TRUSTED_HOSTS": ""}, "TRUSTED_HOSTS"),
    ({"COOKIES_SECURE": False}, "COOKIES_SECURE"),
    ({"PUBLIC_URL": "http://shop.example"}, "PUBLIC_URL"),
    ({"MAX_CONTENT_LENGTH": 0}, "MAX_CONTENT_LENGTH"),
    ({"STRIPE_SECRET_KEY": ""}, "STRIPE_SECRET_KEY is missing"),
    ({"STRIPE_SECRET_KEY": "sk_live_x"}, "must be a restricted key"),
    ({"STRIPE_SECRET_KEY": "rk_test_x"}, "is a test key"),
    ({"STRIPE_WEBHOOK_SECRET": ""}, "STRIPE_WEBHOOK_SECRET is missing"),
    ({"STRIPE_API_BASE": "http://127.0.0.1:8101"}, "stand-in for Stripe"),
    ({"BILLER_API_BASE": "http://localhost:8102"}, "biller simulator"),
    ({"BILLER_API_KEY": "demo-biller-key"}, "BILLER_API_KEY"),
    ({"SMS_API_BASE": "http://127.0.0.1:8103"}, "SMS simulator"),
    ({"SMS_API_KEY": ""}, "SMS_API_KEY"),
    ({"REDIS_URL": ""}, "REDIS_URL is needed"),
    ({"CUSTODIAN_ZH": Config.CUSTODIAN_ZH}, "CUSTODIAN_ZH"),
]


@pytest.fixture
def production_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The environment of a safe production; afterwards this process keeps the secret of the tests again."""
    for field in fields(Config):
        monkeypatch.delenv(field.name, raising=False)
    for name, value in SAFE.items():
        monkeypatch.setenv(name, str(value))
    yield monkeypatch
    keys.keep(make_config("").SECRET_KEY)


def test_safe_settings_have_nothing_against_them() -> None:
    assert unsafe_settings(Config(**SAFE)) == []


@pytest.mark.parametrize(("change", "sentence"), UNSAFE)
def test_each_unsafe_setting_is_named(change: dict[str, Any], sentence: str) -> None:
    problems = unsafe_settings(replace(Config(**SAFE), **change))
    assert len(problems) == 1
    assert sentence in problems[0]


@pytest.mark.parametrize(("change", "sentence"), UNSAFE)
def test_production_does_not_start_on_an_unsafe_setting(
    production_environment: pytest.MonkeyPatch, change: dict[str, Any], sentence: str
) -> None:
    for name, value in change.items():
        production_environment.setenv(name, str(value))
    if not all(str(value) for value in change.values()):
        for name in change:
            production_environment.delenv(name)
    with pytest.raises(UnsafeConfiguration, match=sentence):
        create_app()


@pytest.mark.one_engine
def test_production_starts_on_safe_settings(production_environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    production_environment.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'linli.db'}")
    made = create_app()
    assert made.config["SESSION_COOKIE_SECURE"]
    assert made.config["SESSION_COOKIE_NAME"] == "__Host-session"


@pytest.mark.one_engine
def test_pages_for_development_are_not_there_in_production(production_environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    production_environment.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'linli.db'}")
    made = create_app()
    assert made.test_client().get("/dev/style", base_url="https://shop.example").status_code == 404
    assert not [rule for rule in made.url_map.iter_rules() if rule.rule.startswith("/dev")]


def sentences(app: Flask, level: Level, *, as_production: bool = False) -> list[str]:
    return [found.sentence for found in doctor.examine(app, as_production=as_production) if found.level is level]


def test_a_development_shop_is_safe_for_development(app: Flask) -> None:
    assert sentences(app, Level.UNSAFE) == []
    result = app.test_cli_runner().invoke(args=["doctor"])
    assert result.exit_code == 0
    assert "nothing is unsafe for development" in result.output
    assert "In production: TESTING must be off" in result.output


def test_the_same_settings_are_unsafe_as_production(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["doctor", "--production"])
    assert result.exit_code == 1
    assert "unsafe  TRUSTED_HOSTS must name the hosts" in result.output
    listed = [line for line in result.output.splitlines() if line.startswith("unsafe  ")]
    assert len(listed) == len(unsafe_settings(doctor.config_of(app)))


def test_the_settings_are_read_back_as_they_were_given(app: Flask, database_url: str) -> None:
    assert doctor.config_of(app) == make_config(database_url)


def test_a_schema_that_is_not_the_newest_is_unsafe(app: Flask) -> None:
    with transaction() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))
    try:
        assert any("The schema is at 0000, not at" in sentence for sentence in sentences(app, Level.UNSAFE))
    finally:
        with transaction() as session:
            session.execute(sa.text("UPDATE alembic_version SET version_num = :head"), {"head": app.config["SCHEMA_HEAD"]})


def test_a_moved_clock_is_a_warning_and_in_production_unsafe(app: Flask) -> None:
    clock.move(timedelta(hours=3))
    assert any("The clock was moved by 3:00:00" in sentence for sentence in sentences(app, Level.WARNING))
    assert any("The clock was moved" in sentence for sentence in sentences(app, Level.UNSAFE, as_production=True))
    clock.move(timedelta(0))
    assert not any("The clock was moved" in sentence for sentence in sentences(app, Level.WARNING))


def test_clocks_that_differ_are_unsafe(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any("clock and ours" in sentence for sentence in sentences(app, Level.UNSAFE))
    monkeypatch.setattr(doctor, "database_time", lambda connection: datetime.now(UTC) + timedelta(seconds=5))
    assert any("database's clock and ours are 5 s apart" in sentence for sentence in sentences(app, Level.UNSAFE))


def test_root_and_careless_cookies_and_old_secrets_are_named(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert any("runs as root" in sentence for sentence in sentences(app, Level.WARNING))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not any("runs as root" in sentence for sentence in sentences(app, Level.WARNING))
    monkeypatch.setitem(app.config, "SESSION_COOKIE_HTTPONLY", False)
    assert any("HttpOnly" in sentence for sentence in sentences(app, Level.UNSAFE))
    monkeypatch.setitem(app.config, "STRIPE_WEBHOOK_SECRET_PREVIOUS", "whsec_old")
    assert any("still believed" in sentence for sentence in sentences(app, Level.NOTE))


def test_simulators_are_named_while_they_are_on(app: Flask) -> None:
    assert any("Simulators are on (STRIPE_API_BASE, BILLER_API_BASE, SMS_API_BASE)" in sentence for sentence in sentences(app, Level.NOTE))


def test_a_database_that_does_not_answer_is_unsafe(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    away = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nowhere")
    monkeypatch.setitem(database.engines, None, away)
    assert any(sentence.startswith("The database does not answer") for sentence in sentences(app, Level.UNSAFE))


@pytest.mark.one_engine
@pytest.mark.parametrize(("pragma", "value"), [("foreign_keys", "OFF"), ("synchronous", "NORMAL"), ("recursive_triggers", "OFF")])
def test_a_sqlite_recipe_that_is_not_in_force_is_unsafe(app: Flask, pragma: str, value: str) -> None:
    engine = sa.create_engine(app.config["DATABASE_URL"])

    @sa.event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        for line in (*SQLITE_PRAGMAS, f"{pragma}={value}"):
            connection.execute("PRAGMA " + line)

    with engine.connect() as writing, database.engines["reading"].connect() as reading:
        found = [diagnosis.sentence for diagnosis in doctor.examine_sqlite(writing, reading) if diagnosis.level is Level.UNSAFE]
    engine.dispose()
    assert len(found) == 1
    assert f"SQLite's {pragma} is" in found[0]


@pytest.mark.one_engine
def test_an_old_sqlite_is_named_loudly(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.engines[None].connect() as writing, database.engines["reading"].connect() as reading:
        monkeypatch.setattr(doctor, "SQLITE_REPAIRED", (99, 0, 0))
        assert any("HAS A KNOWN FAULT" in found.sentence for found in doctor.examine_sqlite(writing, reading))
        monkeypatch.setattr(doctor, "SQLITE_NEEDED", (99, 0, 0))
        assert any("is too old" in found.sentence for found in doctor.examine_sqlite(writing, reading))
        monkeypatch.setattr(doctor, "SQLITE_NEEDED", (3, 0, 0))
        monkeypatch.setattr(doctor, "SQLITE_REPAIRED", (3, 0, 0))
        assert list(doctor.examine_sqlite(writing, reading)) == []


class Server:
    """A PostgreSQL connection that tells these settings."""

    def __init__(self, **settings: str) -> None:
        self.settings = {**doctor.POSTGRESQL_RECIPE, "default_transaction_read_only": "on", **settings}

    def exec_driver_sql(self, statement: str) -> Server:
        self.asked = statement.removeprefix("SHOW ")
        return self

    def scalar(self) -> str:
        return self.settings.get(self.asked, "10s")


@pytest.mark.one_engine
@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("statement_timeout", "0", "statement_timeout is off"),
        ("idle_in_transaction_session_timeout", "0", "idle_in_transaction_session_timeout is off"),
        ("transaction_isolation", "serializable", "transaction_isolation is serializable, not read committed"),
        ("fsync", "off", "fsync is off, not on"),
        ("TimeZone", "Asia/Shanghai", "TimeZone is Asia/Shanghai, not UTC"),
        ("default_transaction_read_only", "off", "reading connections can write"),
    ],
)
def test_a_postgresql_recipe_that_is_not_in_force_is_unsafe(setting: str, value: str, sentence: str) -> None:
    server: Any = Server(**{setting: value})
    found = list(doctor.examine_postgresql(server, server))
    assert [diagnosis.level for diagnosis in found] == [Level.UNSAFE]
    assert sentence in found[0].sentence
    safe: Any = Server()
    assert list(doctor.examine_postgresql(safe, safe)) == []


@pytest.mark.one_engine
def test_a_secret_others_can_read_is_unsafe(app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(app, "instance_path", str(tmp_path))
    secret = tmp_path / "secret_key"
    secret.write_text("x")
    secret.chmod(0o644)
    assert any("can be read by others" in sentence for sentence in sentences(app, Level.UNSAFE))
    secret.chmod(0o600)
    assert not any("can be read by others" in sentence for sentence in sentences(app, Level.UNSAFE))
