"""How long things are valid, and what a code, a device or a way back looks like. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from shop.kernel import identifiers, keys
from shop.models.accounts import Role

CODE_VALID_FOR = timedelta(minutes=5)
RESEND_AFTER = timedelta(seconds=60)
CODE_LENGTH = 6
CODE_TRIES = 5
TRIES_KEPT_FOR_HOLDER = 3  # whoever else types a code leaves these to whom it was made for
LIVE_CODES = 3

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# How many codes of one number, per period; docs/decisions/0031 has the sums.
OWN_CODES = ((HOUR, 5), (DAY, 10))  # to step up, and on browsers that signed in to the number before: each counted apart
STRANGERS_CODES = ((HOUR, 6), (DAY, 10))  # everybody else together
ONE_STRANGERS_CODES = ((HOUR, 4), (DAY, 6))  # of these, one network address
CODES_LOOKED_AT = 40

WEB_SESSION = timedelta(days=30)
CONSOLE_SESSION = timedelta(hours=12)
ACCESS_TOKEN = timedelta(hours=2)
REFRESH_TOKEN = timedelta(days=30)
SECOND_FACTOR = CONSOLE_SESSION
SECOND_FACTOR_TRIES = 5

LOCALES = ("zh", "en")
THEMES = ("auto", "light", "dark")
NAME_LENGTH = 40
REASON_LENGTH = 200
LEVELS = (1, 2, 3)  # of verification, beside 0: a name, a name with its bank card, in person

FOUNDS_A_SHOP = Role.MERCHANT_OWNER
"""What somebody is given whose application was approved."""

JOINS_A_SHOP = Role.MERCHANT_CLERK
"""What an owner gives to who works at the shop."""

MOST_MEMBERS = 30

MERCHANT_ROLES = frozenset({Role.MERCHANT_OWNER, Role.MERCHANT_CLERK})
POINT_ROLES = frozenset({Role.KEEPER})


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for a code, or types one; fingerprints, never addresses or secrets themselves."""

    origin: str  # the network address, whose allowance a code is taken from
    holder: str  # the browser, person or (API) address a code is made for
    is_known: bool = False  # this browser has signed in to the number before


SOMEBODY = Asker("", "")


def asker(origin: str, holder: str, is_known: bool = False) -> Asker:
    """An asker by plain marks: the network address, and what is kept by the browser or person alone."""
    return Asker(keys.fingerprint("code asker", identifiers.network_of(origin)), keys.fingerprint("code holder", holder), is_known)


def person(user_id: int) -> Asker:
    """Somebody who is signed in, on whatever device."""
    return asker("", f"user {user_id}")


@dataclass(frozen=True, slots=True)
class Choices:
    """What was chosen on a browser before anybody signed in; none where nothing was."""

    point_id: int | None = None
    locale: str | None = None
    elder_mode: bool | None = None
    theme: str | None = None


def code_digits(code_id: int, nonce: str) -> str:
    """The six digits of a code. Only somebody with the app's secret can make them from the stored row."""
    number = int(keys.fingerprint("sms code", f"{code_id}:{nonce}")[:16], 16)
    return f"{number % 10**CODE_LENGTH:0{CODE_LENGTH}d}"


def typed_digits(value: str) -> str:
    """A code as people type it: what stands between the groups does not count, nor does the width of the figures."""
    return identifiers.figures(value)


def is_place_right(role: Role, merchant_id: int | None, pickup_point_id: int | None) -> bool:
    """Whether a role is granted where it belongs: at a merchant, at a point, or for the city."""
    return (merchant_id is not None) == (role in MERCHANT_ROLES) and (pickup_point_id is not None) == (role in POINT_ROLES)


def local_path(target: str | None, otherwise: str = "/") -> str:
    """A way back inside the shop: `target` when it is a plain path of ours, else `otherwise`. Never another site."""
    if not target or not target.startswith("/") or target.startswith("//") or len(target) > 2_000:
        return otherwise
    if "\\" in target or not target.isprintable():
        return otherwise
    try:
        parts = urlsplit(target)
    except ValueError:
        return otherwise
    return otherwise if parts.scheme or parts.netloc else target


BROWSERS = (
    ("MicroMessenger", "WeChat"), ("AlipayClient", "Alipay"), ("Edg", "Edge"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"),
    ("HuaweiBrowser", "Huawei Browser"), ("MiuiBrowser", "Mi Browser"), ("Chrome", "Chrome"), ("CriOS", "Chrome"), ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("HarmonyOS", "HarmonyOS"), ("Android", "Android"), ("Windows", "Windows"),
    ("Macintosh", "Mac"), ("Linux", "Linux"),
)


def device_name(user_agent: str) -> str:
    """`WeChat, Android`: enough for its owner to know a device again; empty when nothing is known."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    return ", ".join(part for part in (browser, system) if part)
