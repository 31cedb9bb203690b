"""Codes of authenticator apps (RFC 6238: SHA-1, 6 digits, 30 seconds). Pure.

Written out here because the usual library refuses the 80-bit secret that demonstration accounts share; new secrets have 160 bits.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

from shop.kernel.ids import matches

STEP_SECONDS = 30
DIGITS = 6
ISSUER = "Linli"


def new_secret() -> str:
    """160 random bits in base 32, as apps expect them."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def enrolment_uri(secret: str, phone: str) -> str:
    """What an authenticator app scans."""
    return f"otpauth://totp/{quote(f'{ISSUER}:{phone}')}?{urlencode({'secret': secret, 'issuer': ISSUER})}"


def code_at(secret: str, step: int) -> str:
    """The code of one step since 1970."""
    padded = secret.upper() + "=" * (-len(secret) % 8)
    digest = hmac.digest(base64.b32decode(padded), step.to_bytes(8, "big"), "sha1")
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_at(moment: datetime) -> int:
    return int(moment.timestamp()) // STEP_SECONDS


def matching_step(secret: str, code: str, moment: datetime) -> int | None:
    """The step a code belongs to, one step of drift either way; None when it fits none. Spaces in the code do not count."""
    typed = re.sub(r"\s", "", code)
    if not re.fullmatch(r"[0-9]{6}", typed):
        return None
    now = step_at(moment)
    return next((step for step in (now, now - 1, now + 1) if matches(code_at(secret, step), typed)), None)
