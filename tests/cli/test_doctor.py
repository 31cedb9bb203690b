"""`flask doctor` says what is unsafe, and production refuses to start on the same list."""

from __future__ import annotations

import base64
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.helpers import get_debug_flag

from config import KEY_BITS, ROOT, Config, UnsafeConfiguration, WrongConfiguration, estimated_bits, unsafe_settings
from shop import create_app
from shop.cli import doctor
from shop.cli.doctor import Level
from shop.kernel import clock, keys
from shop.kernel.db import SQLITE_PRAGMAS, database, transaction
from tests.conftest import make_config
from tests.support.sealed import DATA_KEYS, LOOKUP_KEY

pytestmark = pytest.mark.real_time  # another process looks at the same rows

SAFE = {
    "APP_ENV": "production", "SECRET_KEY": secrets.token_hex(32), "TRUSTED_HOSTS": "shop.example",
    "DATA_KEYS": DATA_KEYS, "LOOKUP_KEY": LOOKUP_KEY, "COOKIES_SECURE": True, "PUBLIC_URL": "https://shop.example", "DATABASE_URL": "postgresql://database.example/linli",
    "STRIPE_SECRET_KEY": "rk_live_" + "x" * 24, "STRIPE_WEBHOOK_SECRET": "whsec_" + "x" * 32,
    "BILLER_API_BASE": "https://billers.example", "BILLER_API_KEY": "b", "SMS_API_BASE": "https://sms.example", "SMS_API_KEY": "s",
    "REDIS_URL": "redis://cache.example", "CUSTODIAN_ZH": "某支付", "CUSTODIAN_EN": "Some Payments",
}  # fmt: skip
NOT_RANDOM = "SECRET_KEY must be random"
NOT_OUTSIDE = "must be an https address outside of this network"
UNSAFE = [
    ({"SECRET_KEY": "short"}, NOT_RANDOM),
    ({"SECRET_KEY": "a" * 60}, NOT_RANDOM),
    ({"SECRET_KEY": "abcde" * 12}, NOT_RANDOM),
    ({"SECRET_KEY": "abcdefghijklmnopqrstuvwxyz" * 2}, NOT_RANDOM),
    ({"SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz-0123456789-abcdef"}, NOT_RANDOM),
    ({"SECRET_KEY": "x7Kq9Lm2Pw4z" * 5}, NOT_RANDOM),
    ({"SECRET_KEY": "please-change-me-before-the-shop-opens-its-doors-in-spring"}, NOT_RANDOM),
    ({"SECRET_KEY_FALLBACKS": "short"}, "SECRET_KEY_FALLBACKS"),
    ({"SECRET_KEY_FALLBACKS": f"{secrets.token_hex(32)},{'ab' * 30}"}, "SECRET_KEY_FALLBACKS"),
    ({"DATA_KEYS": ""}, "DATA_KEYS and LOOKUP_KEY must be"),
    ({"DATA_KEYS": "1:c2hvcnQ="}, "DATA_KEYS and LOOKUP_KEY must be"),
    ({"DATA_KEYS": f"1:{base64.b64encode(b'a' * 32).decode()}"}, "DATA_KEYS and LOOKUP_KEY must be"),
    ({"DATA_KEYS": f"{DATA_KEYS},{DATA_KEYS}"}, "DATA_KEYS and LOOKUP_KEY must be"),
    ({"DATA_KEYS": f"1:{LOOKUP_KEY}"}, "DATA_KEYS and LOOKUP_KEY must be"),
    ({"LOOKUP_KEY": ""}, "DATA_KEYS and LOOKUP_KEY must be"),
    ({"SECRET_KEY": "".join(f"{byte:02x}" for byte in base64.b64decode(LOOKUP_KEY))}, "DATA_KEYS and LOOKUP_KEY must be"),
    ({"TESTING": True}, "TESTING must be off"),
    ({"WTF_CSRF_ENABLED": False}, "form protection"),
    ({"FLASK_DEBUG": True}, "FLASK_DEBUG must be off"),
    ({"TRUSTED_HOSTS": ""}, "TRUSTED_HOSTS must name"),
    ({"TRUSTED_HOSTS": "other.example, .shop.example.org"}, "TRUSTED_HOSTS must hold the host of PUBLIC_URL"),
    ({"COOKIES_SECURE": False}, "COOKIES_SECURE"),
    ({"PUBLIC_URL": "http://shop.example"}, "PUBLIC_URL"),
    ({"PUBLIC_URL": "https://127.1", "TRUSTED_HOSTS": "127.1"}, "PUBLIC_URL"),
    ({"DATABASE_URL": "sqlite:///linli.db"}, "SQLITE_IN_PRODUCTION=1"),
    ({"MAX_CONTENT_LENGTH": 0}, "MAX_CONTENT_LENGTH"),
    ({"MAX_CONTENT_LENGTH": 99_999_999_999}, "MAX_CONTENT_LENGTH"),
    ({"STRIPE_SECRET_KEY": ""}, "STRIPE_SECRET_KEY is missing"),
    ({"STRIPE_SECRET_KEY": "hello"}, "must be a restricted key"),
    ({"STRIPE_SECRET_KEY": "rk_live_"}, "must be a restricted key"),
    ({"STRIPE_SECRET_KEY": "sk_live_" + "x" * 24}, "must be a restricted key"),
    ({"STRIPE_SECRET_KEY": "rk_test_" + "x" * 24}, "is a test key"),
    ({"STRIPE_WEBHOOK_SECRET": ""}, "STRIPE_WEBHOOK_SECRET is missing"),
    ({"STRIPE_WEBHOOK_SECRET": "whsec_linli_development"}, "the one of development"),
    ({"STRIPE_WEBHOOK_SECRET": "hello"}, "none of Stripe's"),
    ({"STRIPE_WEBHOOK_SECRET_PREVIOUS": "whsec_linli_development"}, "STRIPE_WEBHOOK_SECRET_PREVIOUS"),
    ({"STRIPE_API_BASE": "http://127.0.0.1:8101"}, "stand-in for Stripe"),
    *(
        ({setting: url}, f"{setting} points at the {what} simulator")
        for setting, what in (("BILLER_API_BASE", "biller"), ("SMS_API_BASE", "SMS"))
        for url in (
            "",
            "http://127.0.0.1:8102",
            "http://localhost:8102",
            "https://localhost.",
            "https://127.1",
            "https://0.0.0.0",
            "https://2130706433",
            "https://0x7f.0.0.1",
            "https://0177.0.0.1",
            "https://[::1]:8102",
            "https://[::ffff:127.0.0.1]",
            "https://billers.example@127.0.0.1/",
            "https://\uff11\uff12\uff17.0.0.1",
        )
    ),
    *(
        ({setting: url}, f"{setting} {NOT_OUTSIDE}")
        for setting in ("BILLER_API_BASE", "SMS_API_BASE")
        for url in (
            "http://gateway.example",
            "https://10.0.0.7",
            "https://192.168.1.1.",
            "https://169.254.169.254",
            "https://167772167",
            "https://[fd00::7]",
            "https://[fe80::1]",
            "https://gateway",
            "https://gateway.local",
            "ftp://gateway.example",
        )
    ),
    ({"BILLER_API_KEY": "demo-biller-key"}, "BILLER_API_KEY"),
    ({"SMS_API_KEY": ""}, "SMS_API_KEY"),
    ({"REDIS_URL": ""}, "REDIS_URL is needed"),
    *(
        ({"METRICS_TOKEN": token}, "METRICS_TOKEN must be random")
        for token in (
            "metrics", "tG7vK2mQ9xR4bN8wL3cF6hJ1pD5sZ0y", "0123456789abcdef0123456789abcdef", "secrettG7vK2mQ9xR4bN8wL3cF6hJ1pD5sZ0yA",
        )
    ),
    ({"CUSTODIAN_ZH": Config.CUSTODIAN_ZH}, "CUSTODIAN_ZH"),
    ({"CUSTODIAN_EN": Config.CUSTODIAN_EN}, "CUSTODIAN_EN"),
    ({"CUSTODIAN_EN": Config.CUSTODIAN_ZH}, "CUSTODIAN_EN"),
    ({"CUSTODIAN_EN": " "}, "CUSTODIAN_EN"),
]
UNREADABLE = [
    *(({"APP_ENV": word}, f"APP_ENV must be development, test or production, not {word!r}") for word in (
        "Production", "PRODUCTION", "prod", "production ", " production", "live", "staging", "Test", "dev", "0",
    )),
    *(({setting: text}, f"{setting} must be a whole number from") for setting in ("PROXY_HOPS", "WEB_CONCURRENCY", "MAX_CONTENT_LENGTH")
      for text in ("two", "1.5", "-1", "8MB", "0x10", "99999999999", "\u0663", "9" * 5_000)),
    ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY must be a whole number from 1 to 64, not '0'"),
    *(({setting: text}, f"{setting} must be one of 1, true, yes, on") for setting in ("COOKIES_SECURE", "TESTING", "WTF_CSRF_ENABLED")
      for text in ("ja", "2", "tru", "enabled", " ")),
    *(({"LOG_FORMAT": word}, f"LOG_FORMAT must be json or plain, not {word!r}") for word in ("JSON", "text", " ")),
    *(({"LOG_LEVEL": word}, f"LOG_LEVEL must be info or warning, not {word!r}") for word in ("debug", "INFO")),
    ({"SLOW_STATEMENT_MS": "0"}, "SLOW_STATEMENT_MS must be a whole number from 1 to 60000, not '0'"),
    ({"DATABASE_URL": "mysql://shop"}, "DATABASE_URL must begin with sqlite:/// or postgresql://"),
]  # fmt: skip


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
    with pytest.raises(WrongConfiguration, match=re.escape(sentence)):
        create_app()


@pytest.mark.one_engine
@pytest.mark.parametrize(("change", "sentence"), UNREADABLE)
@pytest.mark.parametrize("word", ["production", "development"])
def test_a_setting_that_cannot_be_read_is_named_and_nothing_starts(
    production_environment: pytest.MonkeyPatch, word: str, change: dict[str, str], sentence: str
) -> None:
    production_environment.setenv("APP_ENV", word)
    for name, value in change.items():
        production_environment.setenv(name, value)
    with pytest.raises(WrongConfiguration) as refusal:
        create_app()
    assert sentence in str(refusal.value)


@pytest.mark.one_engine
def test_all_that_is_wrong_is_said_at_once(production_environment: pytest.MonkeyPatch) -> None:
    production_environment.setenv("APP_ENV", "prod")
    production_environment.setenv("PROXY_HOPS", "one")
    with pytest.raises(WrongConfiguration, match=r"(?s)APP_ENV.*PROXY_HOPS"):
        create_app()


@pytest.mark.one_engine
def test_a_word_given_by_hand_is_looked_at_too() -> None:
    with pytest.raises(WrongConfiguration, match="APP_ENV must be"):
        create_app(make_config("sqlite://", APP_ENV="Production"))


@pytest.mark.one_engine
@pytest.mark.parametrize("text", ["yes", "on", "off", "2", "anything"])
def test_debug_is_on_whenever_flask_takes_it_to_be(production_environment: pytest.MonkeyPatch, text: str) -> None:
    production_environment.setenv("FLASK_DEBUG", text)
    assert get_debug_flag()
    with pytest.raises(UnsafeConfiguration, match="FLASK_DEBUG must be off"):
        create_app()


@pytest.mark.one_engine
@pytest.mark.parametrize("command", [["jobs", "run", "--once"], ["doctor"], ["routes"]])
def test_commands_and_the_worker_refuse_in_a_sentence(command: list[str]) -> None:
    environment = {"PATH": os.environ["PATH"], "APP_ENV": "Production"}
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "APP_ENV must be development, test or production, not 'Production'." in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.one_engine
def test_random_keys_are_never_taken_for_weak_ones() -> None:
    for make_key in (lambda: secrets.token_hex(25), lambda: secrets.token_hex(32), lambda: secrets.token_urlsafe(38)):
        assert not [key for key in (make_key() for _ in range(300)) if estimated_bits(key) < KEY_BITS]


@pytest.mark.one_engine
def test_production_starts_on_safe_settings(production_environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    production_environment.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'linli.db'}")
    production_environment.setenv("SQLITE_IN_PRODUCTION", "1")
    made = create_app()
    assert made.config["SESSION_COOKIE_SECURE"]
    assert made.config["SESSION_COOKIE_NAME"] == "__Host-session"


@pytest.mark.one_engine
def test_pages_for_development_are_not_there_in_production(production_environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    production_environment.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'linli.db'}")
    production_environment.setenv("SQLITE_IN_PRODUCTION", "1")
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


def test_a_head_that_was_not_written_down_is_not_mended_by_an_upgrade(app: Flask) -> None:
    newest = doctor.newest_migration(app)
    assert newest == app.config["SCHEMA_HEAD"]
    stale = doctor.schema_advice(newest, "0001", newest)
    assert stale.startswith(f"migrations/.head says 0001, but the newest migration is {newest}: write {newest} into migrations/.head")
    assert "flask db upgrade" in doctor.schema_advice("0001", newest, newest)


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
