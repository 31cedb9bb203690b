"""The settings that `script/server` gives to what it starts, where the caller named none."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config import WEBHOOK_SECRET_OF_DEVELOPMENT
from script.support.places import INSTANCE
from script.support.shell import CannotContinue

DEFAULT_PORT = 8000
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    """Where everything listens, all on this machine only."""

    web: int

    @property
    def stripe(self) -> int:
        return self.web + 101

    @property
    def biller(self) -> int:
        return self.web + 102

    @property
    def sms(self) -> int:
        return self.web + 103


def read_port(environment: Mapping[str, str]) -> Ports:
    """`PORT` of the environment, else 8000. Raises `CannotContinue` for what is no port."""
    text = environment.get("PORT") or str(DEFAULT_PORT)
    if not text.isdecimal() or not 1 <= int(text) <= 65535 - 103:
        raise CannotContinue(f"PORT must be a number from 1 to {65535 - 103}, not {text!r}.")
    return Ports(int(text))


def address(port: int) -> str:
    """The address of a port on this machine."""
    return f"http://{LOOPBACK}:{port}"


def child_environment(caller: Mapping[str, str], ports: Ports, *, secret_key: str, instance: Path = INSTANCE) -> dict[str, str]:
    """The caller's environment, completed for development. A setting that the caller named stays; an empty one counts as not named."""
    defaults = {
        "APP_ENV": "development",
        "DATABASE_URL": f"sqlite:///{instance / 'linli.db'}",
        "SECRET_KEY": secret_key,
        "PUBLIC_URL": address(ports.web),
        "STRIPE_SECRET_KEY": "sk_test_linli",
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET_OF_DEVELOPMENT,
        "STRIPE_API_BASE": address(ports.stripe),
        "BILLER_API_BASE": address(ports.biller),
        "BILLER_API_KEY": "demo-biller-key",
        "SMS_API_BASE": address(ports.sms),
        "SMS_API_KEY": "demo-sms-key",
        "PYTHONUNBUFFERED": "1",
    }
    named = {name: value for name, value in caller.items() if value or name not in defaults}
    return {**defaults, **named, **without_proxy(caller)}


def without_proxy(caller: Mapping[str, str]) -> dict[str, str]:
    """Calls to this machine must not go through a proxy that the caller's environment names."""
    hosts = [host for host in (caller.get("no_proxy") or caller.get("NO_PROXY") or "").split(",") if host.strip()]
    joined = ",".join([*hosts, *(host for host in (LOOPBACK, "localhost") if host not in hosts)])
    return {"NO_PROXY": joined, "no_proxy": joined}


def kept_secret_key(instance: Path = INSTANCE) -> str:
    """A random key, made once and kept in the instance folder where only its owner reads it, so that sign-ins survive a restart."""
    instance.mkdir(parents=True, exist_ok=True)
    place = instance / "secret_key"
    try:
        handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        kept = place.read_text(encoding="utf-8").strip()
        if not kept:
            raise CannotContinue(f"{place} is empty; delete it, and a new key is made.") from None
        return kept
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        made = secrets.token_hex(32)
        file.write(made)
    return made
