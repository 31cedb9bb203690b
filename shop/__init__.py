"""Linli, the community's shop: `create_app()` puts one together from a Config."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from flask import Flask
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from config import INSTANCE, ROOT, Config, listed, refuse_unsafe, trusted_hosts
from shop.platform.application import Shop
from shop.platform.door import Door


def create_app(config: Config | None = None) -> Flask:
    """Make the application. Production refuses to start on unsafe settings (see `config.unsafe_settings`)."""
    from shop import wiring  # late, so that `shop.kernel` can be imported without the whole house

    config = config or Config.from_environment()
    refuse_unsafe(config)
    app = Shop(__name__, instance_path=str(INSTANCE))
    app.jinja_environment = wiring.PageEnvironment
    app.config.update(asdict(config))
    app.config.update(
        SECRET_KEY_FALLBACKS=listed(config.SECRET_KEY_FALLBACKS),
        TRUSTED_HOSTS=trusted_hosts(config.TRUSTED_HOSTS) or None,
        SESSION_COOKIE_NAME="__Host-session" if config.COOKIES_SECURE else "session",
        SESSION_COOKIE_SECURE=config.COOKIES_SECURE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=30),
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=config.COOKIES_SECURE,
        SEND_FILE_MAX_AGE_DEFAULT=31_536_000,
        SCHEMA_HEAD=(Path(ROOT) / "migrations" / ".head").read_text().strip(),
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.compact = True  # type: ignore[attr-defined]
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.wsgi_app = Door(app.wsgi_app, trusted_hosts(config.TRUSTED_HOSTS))  # type: ignore[method-assign]
    if config.PROXY_HOPS:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.PROXY_HOPS, x_proto=config.PROXY_HOPS)  # type: ignore[method-assign]
    wiring.connect(app)
    return app
