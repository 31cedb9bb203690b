"""Every setting once, read from the environment, typed.

`Config.from_environment()` is what the running shop uses; tests make their own `Config(...)`.
What would be unsafe in production is listed by `unsafe_settings`, which both `flask doctor` and start-up read.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

ROOT = Path(__file__).resolve().parent
INSTANCE = Path(os.environ.get("INSTANCE_PATH") or ROOT / "instance")


class UnsafeConfiguration(SystemExit):
    """Production was asked for with settings that would hurt somebody; the message lists them all."""


@dataclass(frozen=True)
class Config:
    """The settings of one running shop. Names are the environment's own."""

    APP_ENV: str = "development"
    DATABASE_URL: str = f"sqlite:///{INSTANCE / 'linli.db'}"
    REDIS_URL: str = ""
    SECRET_KEY: str = ""
    SECRET_KEY_FALLBACKS: str = ""
    PUBLIC_URL: str = "http://127.0.0.1:8000"
    TRUSTED_HOSTS: str = ""
    PROXY_HOPS: int = 0
    COOKIES_SECURE: bool = False
    WEB_CONCURRENCY: int = 2

    STRIPE_SECRET_KEY: str = ""
    STRIPE_WEBHOOK_SECRET: str = ""
    STRIPE_WEBHOOK_SECRET_PREVIOUS: str = ""
    STRIPE_API_BASE: str = ""
    BILLER_API_BASE: str = ""
    BILLER_API_KEY: str = ""
    BILLER_TIMEOUT_SECONDS: int = 8
    BILLER_SETTLE_SECONDS: int = 60
    SMS_API_BASE: str = ""
    SMS_API_KEY: str = ""

    MAX_CONTENT_LENGTH: int = 8 * 1024 * 1024
    DEFAULT_LOCALE: str = "zh"
    DEFAULT_POINT: str = "tianchenghu"
    CUSTODIAN_ZH: str = "演示持牌支付机构"
    CUSTODIAN_EN: str = "Demo Licensed Payment Institution"
    TESTING: bool = False
    WTF_CSRF_ENABLED: bool = True

    @classmethod
    def from_environment(cls, **overrides: Any) -> Config:
        """Read every field that the environment names; `overrides` win. Refuses unsafe production."""
        hints = get_type_hints(cls)
        read: dict[str, Any] = {}
        for field in fields(cls):
            raw = os.environ.get(field.name)
            if raw is None or raw == "":
                continue
            kind = hints[field.name]
            read[field.name] = raw.lower() in {"1", "true", "yes", "on"} if kind is bool else kind(raw)
        made = cls(**{**read, **overrides})
        made = replace(made, DATABASE_URL=engine_url(made.DATABASE_URL))
        if not made.SECRET_KEY and made.APP_ENV != "production":
            made = replace(made, SECRET_KEY=development_secret())
        refuse_unsafe(made)
        return made

    @property
    def is_production(self) -> bool:
        return self.APP_ENV == "production"


def engine_url(url: str) -> str:
    """Both spellings of PostgreSQL mean psycopg 3."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def development_secret() -> str:
    """A random key kept beside the instance, so that sign-ins survive a restart in development."""
    place = INSTANCE / "secret_key"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(os.urandom(32).hex())
    return place.read_text().strip()


def refuse_unsafe(config: Config) -> None:
    """Production does not start on unsafe settings: raises `UnsafeConfiguration` with all of them."""
    if config.is_production and (problems := unsafe_settings(config)):
        raise UnsafeConfiguration("Linli refuses to start in production:\n" + "\n".join(f"- {line}" for line in problems))


def unsafe_settings(config: Config) -> list[str]:
    """What must not be so in production, one sentence each; empty means safe."""
    checks: list[tuple[bool, str]] = [
        (len(config.SECRET_KEY) < 50 or len(set(config.SECRET_KEY)) < 5, "SECRET_KEY must be random and at least 50 characters long."),
        (any(len(key) < 50 for key in config.SECRET_KEY_FALLBACKS.split(",") if key), "SECRET_KEY_FALLBACKS must be as strong."),
        (config.TESTING or not config.WTF_CSRF_ENABLED, "TESTING must be off and form protection (WTF_CSRF_ENABLED) on."),
        (not config.TRUSTED_HOSTS, "TRUSTED_HOSTS must name the hosts this shop answers for."),
        (not config.COOKIES_SECURE, "COOKIES_SECURE must be on: sign-in cookies may only travel over https."),
        (not config.PUBLIC_URL.startswith("https://"), "PUBLIC_URL must be an https address."),
        (not config.MAX_CONTENT_LENGTH, "MAX_CONTENT_LENGTH must bound what a request may carry."),
        (not config.STRIPE_SECRET_KEY, "STRIPE_SECRET_KEY is missing."),
        (config.STRIPE_SECRET_KEY.startswith("sk_live_"), "STRIPE_SECRET_KEY must be a restricted key (rk_live_...)."),
        ("_test_" in config.STRIPE_SECRET_KEY, "STRIPE_SECRET_KEY is a test key."),
        (not config.STRIPE_WEBHOOK_SECRET, "STRIPE_WEBHOOK_SECRET is missing: payment events could not be believed."),
        (bool(config.STRIPE_API_BASE), "STRIPE_API_BASE points at a stand-in for Stripe."),
        (is_loopback(config.BILLER_API_BASE), "BILLER_API_BASE points at the biller simulator."),
        (config.BILLER_API_KEY in {"", "demo-biller-key"}, "BILLER_API_KEY is missing or the demo key."),
        (is_loopback(config.SMS_API_BASE), "SMS_API_BASE points at the SMS simulator."),
        (config.SMS_API_KEY in {"", "demo-sms-key"}, "SMS_API_KEY is missing or the demo key."),
        (config.WEB_CONCURRENCY > 1 and not config.REDIS_URL, "REDIS_URL is needed with several web processes: limits are counted there."),
        (config.CUSTODIAN_ZH == Config.CUSTODIAN_ZH, "CUSTODIAN_ZH and CUSTODIAN_EN must name the licensed wallet institution."),
    ]
    return [sentence for wrong, sentence in checks if wrong]


def is_loopback(url: str) -> bool:
    return not url or "127.0.0.1" in url or "localhost" in url or "[::1]" in url
