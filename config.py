"""Every setting once, read from the environment, typed.

`Config.from_environment()` is what the running shop uses; tests make their own `Config(...)`.
What would be unsafe in production is listed by `unsafe_settings`, which both `flask doctor` and start-up read.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import math
import os
import re
import socket
import tempfile
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent
INSTANCE = Path(os.environ.get("INSTANCE_PATH") or ROOT / "instance")
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
"""Which release this is. `pyproject.toml` alone says it."""

ENVIRONMENTS = ("development", "test", "production")
WEBHOOK_SECRET_OF_DEVELOPMENT = "whsec_linli_development"  # noqa: S105  (everybody may know it)
KEY_BITS = 128
"""What a key must hold at least, as `estimated_bits` judges it."""

KEY_LENGTH = 50
TOKEN_LENGTH, TOKEN_BITS = 32, 80
MOST_CONTENT = 64 * 1024 * 1024
BOUNDS = {
    "PROXY_HOPS": (0, 10),
    "WEB_CONCURRENCY": (1, 64),
    "BILLER_TIMEOUT_SECONDS": (1, 60),
    "BILLER_SETTLE_SECONDS": (1, 86_400),
    "REFUND_ALONE_UP_TO_FEN": (0, 1_000_000),
    "MAX_CONTENT_LENGTH": (1, MOST_CONTENT),
    "SLOW_STATEMENT_MS": (1, 60_000),
}
"""Smallest and largest value of numbers; what the environment says beyond them is a slip of the pen."""

YES, NO = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}
TELLTALE = re.compile(r"change|secret|example|passw|default|insecure|placeholder", re.IGNORECASE)


class WrongConfiguration(SystemExit):
    """The settings cannot be read, or are meant for nothing we know; the message lists what is wrong."""


class UnsafeConfiguration(WrongConfiguration):
    """Production was asked for with settings that would hurt somebody; the message lists them all."""


@dataclass(frozen=True)
class Config:
    """The settings of one running shop. Names are the environment's own."""

    APP_ENV: str = "development"
    FLASK_DEBUG: bool = False
    DATABASE_URL: str = f"sqlite:///{INSTANCE / 'linli.db'}"
    SQLITE_IN_PRODUCTION: bool = False
    REDIS_URL: str = ""
    SECRET_KEY: str = ""
    SECRET_KEY_FALLBACKS: str = ""
    DATA_KEYS: str = ""  # "2:<base64 of 32 bytes>,1:<...>": by version; the first seals personal data, all of them open it
    LOOKUP_KEY: str = ""  # base64 of 32 bytes: what sealed values are found by; outlives every data key
    BACKUP_KEY: str = ""  # as DATA_KEYS: the first version seals backups, all of them open; empty: backups are not sealed
    PUBLIC_URL: str = "http://127.0.0.1:8000"
    TRUSTED_HOSTS: str = ""
    SECURITY_CONTACT: str = ""
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

    REFUND_ALONE_UP_TO_FEN: int = 20_000  # what one person of the staff may give back without another's yes
    SMS_API_BASE: str = ""
    SMS_API_KEY: str = ""

    LOG_FORMAT: str = ""  # json or plain; else json in production, plain elsewhere
    LOG_LEVEL: str = ""  # info or warning; else info in production, warning elsewhere
    SLOW_STATEMENT_MS: int = 200  # what takes longer in the database is written down
    METRICS_TOKEN: str = ""  # what Prometheus shows at /metrics; without one that door is shut in production
    FIGURES_FOLDER: str = ""  # where the processes of this machine count together; else `figures` in the instance folder
    S3_BUCKET_URL: str = ""  # the bucket's own address, https://bucket.s3.region.example or https://host/bucket; empty: files in a folder
    S3_REGION: str = "us-east-1"
    S3_ACCESS_KEY: str = ""
    S3_SECRET_KEY: str = ""

    MAX_CONTENT_LENGTH: int = 8 * 1024 * 1024
    DEFAULT_LOCALE: str = "zh"
    DEFAULT_POINT: str = "tianchenghu"
    CUSTODIAN_ZH: str = "演示持牌支付机构"
    CUSTODIAN_EN: str = "Demo Licensed Payment Institution"
    TESTING: bool = False
    WTF_CSRF_ENABLED: bool = True

    @classmethod
    def from_environment(cls, **overrides: Any) -> Config:
        """Read every field that the environment names; `overrides` win. Refuses what it cannot read, and unsafe production."""
        read, problems = read_settings(get_type_hints(cls), os.environ)
        if problems:
            raise WrongConfiguration("Linli cannot start:\n" + "\n".join(f"- {line}" for line in problems))
        made = cls(**{**read, **overrides})
        made = replace(made, DATABASE_URL=engine_url(made.DATABASE_URL))
        if made.APP_ENV != "production":
            made = replace(
                made,
                SECRET_KEY=made.SECRET_KEY or development_secret("secret_key"),
                DATA_KEYS=made.DATA_KEYS or f"1:{development_secret('data_key')}",
                LOOKUP_KEY=made.LOOKUP_KEY or development_secret("lookup_key"),
            )
        refuse_unsafe(made)
        return made

    @property
    def is_production(self) -> bool:
        return self.APP_ENV == "production"


def read_settings(kinds: Mapping[str, type], environment: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """The settings that the environment names, and a sentence for each that cannot be read. Secrets are not repeated."""
    read: dict[str, Any] = {}
    problems: list[str] = []
    for name, kind in kinds.items():
        try:
            text = text_of(name, environment)
            if text == "":
                continue
            read[name] = READERS.get(name, READERS_OF_KINDS[kind])(name, text)
        except ValueError as problem:
            problems.append(str(problem))
    return read, problems


def text_of(name: str, environment: Mapping[str, str]) -> str:
    """What the environment says, or the file that `NAME_FILE` names holds: secrets need not stand in the environment."""
    text, place = environment.get(name, ""), environment.get(f"{name}_FILE", "")
    if not place:
        return text
    if text:
        raise ValueError(f"{name} and {name}_FILE are both set; one of them is meant.")
    try:
        return Path(place).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        raise ValueError(f"{name}_FILE names a file that cannot be read.") from None


def read_text(name: str, text: str) -> str:
    return text


def read_word(name: str, text: str) -> str:
    if problem := unknown_environment(text):
        raise ValueError(problem)
    return text


def read_number(name: str, text: str) -> int:
    least, most = BOUNDS[name]
    if not re.fullmatch(r"[0-9]{1,18}", text.strip()) or not least <= int(text) <= most:
        raise ValueError(f"{name} must be a whole number from {least} to {most}, not {text!r}.")
    return int(text)


def read_choice(name: str, text: str) -> bool:
    chosen = text.strip().lower()
    if chosen not in YES | NO:
        raise ValueError(f"{name} must be one of 1, true, yes, on, 0, false, no, off, not {text!r}.")
    return chosen in YES


def read_debug(name: str, text: str) -> bool:
    """As Flask reads it: whatever does not say no means yes."""
    return text.lower() not in {"0", "false", "no"}


def read_database(name: str, text: str) -> str:
    if not text.startswith(("sqlite:///", "postgres://", "postgresql://", "postgresql+psycopg://")):
        raise ValueError(f"{name} must begin with sqlite:/// or postgresql://.")
    return text


def read_one_of(*choices: str) -> Callable[[str, str], str]:
    def read(name: str, text: str) -> str:
        if text not in choices:
            raise ValueError(f"{name} must be {' or '.join(choices)}, not {text!r}.")
        return text

    return read


READERS = {
    "APP_ENV": read_word, "FLASK_DEBUG": read_debug, "DATABASE_URL": read_database,
    "LOG_FORMAT": read_one_of("json", "plain"), "LOG_LEVEL": read_one_of("info", "warning"),
}  # fmt: skip
READERS_OF_KINDS: dict[type, Any] = {str: read_text, int: read_number, bool: read_choice}


def unknown_environment(word: str) -> str:
    """What is wrong with a value of APP_ENV; empty when nothing is."""
    return "" if word in ENVIRONMENTS else f"APP_ENV must be development, test or production, not {word!r}."


def engine_url(url: str) -> str:
    """Both spellings of PostgreSQL mean psycopg 3."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def development_secret(name: str) -> str:
    """A random key kept beside the instance for its owner only: in development sign-ins and sealed data survive a restart."""
    place = INSTANCE / name
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=place.parent) as file:  # readable by its owner only; whole before it has its name
            file.write(os.urandom(32).hex() if name == "secret_key" else base64.b64encode(os.urandom(32)).decode())
            file.flush()
            with suppress(FileExistsError):  # of two processes that start at once, one names the key
                os.link(file.name, place)
    return place.read_text().strip()


def read_key(text: str) -> bytes:
    """A key of 32 random bytes from its base64. Raises `ValueError`."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        raise ValueError("a key is base64") from None
    if len(key) != 32 or len(set(key)) < 16:
        raise ValueError("a key is 32 random bytes")
    return key


def read_data_keys(text: str) -> dict[int, bytes]:
    """The keys of `DATA_KEYS` by version, in the order named. Raises `ValueError` for none, a weak one, or two of one version or value."""
    pairs = [part.partition(":")[::2] for part in text.split(",") if part.strip()]
    found = {int(version): read_key(key) for version, key in pairs}
    if not found or min(found) < 1 or len(found) != len(pairs) or len(set(found.values())) != len(pairs):
        raise ValueError("each version has a key of its own")
    return found


def backup_key_is_safe(config: Config) -> bool:
    """Whether backups are not sealed, or sealed with keys that are strong and used for nothing else."""
    if not config.BACKUP_KEY:
        return True
    try:
        found = set(read_data_keys(config.BACKUP_KEY).values())
        return found.isdisjoint({*read_data_keys(config.DATA_KEYS).values(), read_key(config.LOOKUP_KEY)})
    except ValueError:
        return False


def data_keys_are_safe(config: Config) -> bool:
    """Whether the keys of personal data are there, strong, and each of one use only."""
    try:
        found = {*read_data_keys(config.DATA_KEYS).values(), lookup := read_key(config.LOOKUP_KEY)}
    except ValueError:
        return False
    apart = len(found) == len(read_data_keys(config.DATA_KEYS)) + 1
    secrets = {config.SECRET_KEY, *config.SECRET_KEY_FALLBACKS.split(",")}
    spelled = {spelling for key in (*found, lookup) for spelling in (key.hex(), base64.b64encode(key).decode())}
    return apart and not spelled & secrets


def refuse_unsafe(config: Config) -> None:
    """Production does not start on unsafe settings: raises `UnsafeConfiguration` with all of them, `WrongConfiguration` for neither."""
    if problem := unknown_environment(config.APP_ENV):
        raise WrongConfiguration(f"Linli cannot start: {problem}")
    if problem := half_set_storage(config):
        raise WrongConfiguration(f"Linli cannot start: {problem}")
    if config.is_production and (problems := unsafe_settings(config)):
        raise UnsafeConfiguration("Linli refuses to start in production:\n" + "\n".join(f"- {line}" for line in problems))


def half_set_storage(config: Config) -> str:
    """What is missing of a bucket that was begun to be named; empty when nothing is, or none is named."""
    told = {name: getattr(config, name) for name in ("S3_BUCKET_URL", "S3_ACCESS_KEY", "S3_SECRET_KEY", "S3_REGION")}
    missing = [name for name, value in told.items() if not value.strip()]
    is_begun = any(told[name] for name in ("S3_BUCKET_URL", "S3_ACCESS_KEY", "S3_SECRET_KEY"))
    if is_begun and missing:
        return f"files in a bucket need {', '.join(missing)} as well."
    where = urlsplit(config.S3_BUCKET_URL)
    if is_begun and (where.scheme not in {"http", "https"} or not where.hostname or where.query or where.fragment or where.username):
        return "S3_BUCKET_URL must be the plain http(s) address of a bucket."
    return ""


def unsafe_settings(config: Config) -> list[str]:
    """What must not be so in production, one sentence each; empty means safe."""
    checks: list[tuple[bool, str]] = [
        (is_weak_key(config.SECRET_KEY), f"SECRET_KEY must be random and at least {KEY_LENGTH} characters long."),
        (any(is_weak_key(key) for key in listed(config.SECRET_KEY_FALLBACKS)), "SECRET_KEY_FALLBACKS must be as strong."),
        (not data_keys_are_safe(config), "DATA_KEYS and LOOKUP_KEY must be 32 random bytes each, in base64, and used for nothing else."),
        (not backup_key_is_safe(config), "BACKUP_KEY must be 32 random bytes for each version, in base64, and used for nothing else."),
        (config.TESTING or not config.WTF_CSRF_ENABLED, "TESTING must be off and form protection (WTF_CSRF_ENABLED) on."),
        (config.FLASK_DEBUG, "FLASK_DEBUG must be off: its pages show the inside to everybody."),
        (not config.TRUSTED_HOSTS, "TRUSTED_HOSTS must name the hosts this shop answers for."),
        (bool(config.TRUSTED_HOSTS) and not names_host(config), "TRUSTED_HOSTS must hold the host of PUBLIC_URL."),
        (not config.COOKIES_SECURE, "COOKIES_SECURE must be on: sign-in cookies may only travel over https."),
        (not is_outside(config.PUBLIC_URL), "PUBLIC_URL must be an https address that residents can reach."),
        (
            config.DATABASE_URL.startswith("sqlite") and not config.SQLITE_IN_PRODUCTION,
            "DATABASE_URL is SQLite, which serves one machine; say SQLITE_IN_PRODUCTION=1 if that is meant, or name a PostgreSQL server.",
        ),
        (
            not 0 < config.MAX_CONTENT_LENGTH <= MOST_CONTENT,
            f"MAX_CONTENT_LENGTH must bound what a request may carry, by {MOST_CONTENT} bytes or less.",
        ),
        *stripe_checks(config),
        (not is_outside(config.BILLER_API_BASE), outside_sentence("BILLER_API_BASE", "biller", config.BILLER_API_BASE)),
        (config.BILLER_API_KEY in {"", "demo-biller-key"}, "BILLER_API_KEY is missing or the demo key."),
        (not is_outside(config.SMS_API_BASE), outside_sentence("SMS_API_BASE", "SMS", config.SMS_API_BASE)),
        (config.SMS_API_KEY in {"", "demo-sms-key"}, "SMS_API_KEY is missing or the demo key."),
        (bool(half_set_storage(config)), f"S3 storage is set by half: {half_set_storage(config)}"),
        (
            bool(config.S3_BUCKET_URL) and not config.S3_BUCKET_URL.startswith("https://"),
            "S3_BUCKET_URL must be https: signed addresses of files travel to browsers.",
        ),
        (config.WEB_CONCURRENCY > 1 and not config.REDIS_URL, "REDIS_URL is needed with several web processes: limits are counted there."),
        (
            bool(config.METRICS_TOKEN) and is_weak_token(config.METRICS_TOKEN),
            f"METRICS_TOKEN must be random and at least {TOKEN_LENGTH} characters long; without one nobody reads the figures.",
        ),
        (names_no_custodian(config), "CUSTODIAN_ZH and CUSTODIAN_EN must name the licensed wallet institution."),
    ]
    return [sentence for wrong, sentence in checks if wrong]


def stripe_checks(config: Config) -> Iterator[tuple[bool, str]]:
    key, secret = config.STRIPE_SECRET_KEY, config.STRIPE_WEBHOOK_SECRET
    is_restricted = re.fullmatch(r"rk_live_[A-Za-z0-9_]{16,}", key) is not None
    yield not key, "STRIPE_SECRET_KEY is missing."
    yield "_test_" in key, "STRIPE_SECRET_KEY is a test key."
    yield bool(key) and "_test_" not in key and not is_restricted, "STRIPE_SECRET_KEY must be a restricted key (rk_live_...)."
    yield not secret, "STRIPE_WEBHOOK_SECRET is missing: payment events could not be believed."
    yield bool(secret) and not is_webhook_secret(secret), "STRIPE_WEBHOOK_SECRET is none of Stripe's, or the one of development."
    before = config.STRIPE_WEBHOOK_SECRET_PREVIOUS
    yield bool(before) and not is_webhook_secret(before), "STRIPE_WEBHOOK_SECRET_PREVIOUS is none of Stripe's, or the one of development."
    yield bool(config.STRIPE_API_BASE), "STRIPE_API_BASE points at a stand-in for Stripe."


def is_webhook_secret(secret: str) -> bool:
    return secret != WEBHOOK_SECRET_OF_DEVELOPMENT and re.fullmatch(r"whsec_[A-Za-z0-9+/=_-]{24,}", secret) is not None


def names_no_custodian(config: Config) -> bool:
    """Whether the institution that keeps the residents' money is missing in a language, or the demo's in either."""
    return not {config.CUSTODIAN_ZH.strip(), config.CUSTODIAN_EN.strip()}.isdisjoint({"", Config.CUSTODIAN_ZH, Config.CUSTODIAN_EN})


def outside_sentence(name: str, what: str, url: str) -> str:
    if is_loopback(url):
        return f"{name} points at the {what} simulator."
    return f"{name} must be an https address outside of this network: what it carries is nobody else's business."


def listed(text: str) -> list[str]:
    """The parts of a setting that is a list, separated by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def trusted_hosts(text: str) -> list[str]:
    """The hosts of TRUSTED_HOSTS as they are compared: lower case, without the dot that ends a full name."""
    return [host.lower().rstrip(".") for host in listed(text)]


def names_host(config: Config) -> bool:
    """Whether the shop answers for the host under which it gives its addresses away."""
    host = host_of(config.PUBLIC_URL)
    return any(
        host == one.partition(":")[0] or (one.startswith(".") and f".{host}".endswith(one)) for one in trusted_hosts(config.TRUSTED_HOSTS)
    )


def is_weak_key(key: str) -> bool:
    return len(key) < KEY_LENGTH or estimated_bits(key) < KEY_BITS or TELLTALE.search(key) is not None


def is_weak_token(token: str) -> bool:
    """Whether a token that machines show could be guessed."""
    return len(token) < TOKEN_LENGTH or estimated_bits(token) < TOKEN_BITS or TELLTALE.search(token) is not None


def estimated_bits(key: str) -> float:
    """How much chance a key can hold at most, judged by what it looks like.

    What is repeated counts once. A character is worth what the mixture of characters makes it, or what the mixture of steps from
    one to the next does if that is less: `abcdef` takes every step alike.
    """
    new = min(len(key), len({key[start : start + 3] for start in range(len(key) - 2)}) + 2)
    steps = [ord(after) - ord(before) for before, after in pairwise(key)]
    return new * min(entropy(key), entropy(steps))


def entropy(values: Sequence[object]) -> float:
    """Shannon's measure of a mixture, in bits for each value."""
    counts = Counter(values)
    return -sum(count / len(values) * math.log2(count / len(values)) for count in counts.values())


def host_of(url: str) -> str:
    """The bare host of an address, without the spellings that mean the same; empty when there is none."""
    try:
        host = urlsplit(url.strip()).hostname or ""
    except ValueError:
        return ""
    return unicodedata.normalize("NFKC", host).strip().lower().partition("%")[0].rstrip(".")


def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address a host is written as, in any spelling that a resolver takes (`127.1`, `0x7f000001`, `2130706433`); else None."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except (OSError, ValueError):
            return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found


def is_outside(url: str) -> bool:
    """Whether an address is https and leads to a host of the public network."""
    host = host_of(url)
    if not url.strip().lower().startswith("https://") or not host:
        return False
    if found := address_of(host):
        return found.is_global
    return "." in host and not host.endswith((".localhost", ".local", ".internal", ".localdomain"))


def is_loopback(url: str) -> bool:
    """Whether an address leads nowhere but to this machine; so does none at all."""
    host = host_of(url)
    found = address_of(host)
    return (
        not host
        or host == "localhost"
        or host.endswith(".localhost")
        or (found is not None and (found.is_loopback or found.is_unspecified))
    )
