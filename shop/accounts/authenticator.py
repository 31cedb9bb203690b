"""Codes of authenticator apps (RFC 6238: SHA-1, 6 digits, 30 seconds), by pyotp. Pure.

Which step a code belongs to is said, so that whoever checks it can keep the last one that was used and take no code twice.
"""

from __future__ import annotations

import re
from datetime import datetime

import pyotp

from shop.kernel import identifiers
from shop.kernel.ids import matches

STEP_SECONDS = 30
ISSUER = "Linli"


def new_secret() -> str:
    """160 random bits in base 32, as apps expect them."""
    return pyotp.random_base32()


def enrolment_uri(secret: str, phone: str) -> str:
    """What an authenticator app scans."""
    return pyotp.TOTP(secret).provisioning_uri(name=phone, issuer_name=ISSUER)


def code_at(secret: str, step: int) -> str:
    """The code of one step since 1970."""
    return pyotp.TOTP(secret, interval=STEP_SECONDS).generate_otp(step)


def step_at(moment: datetime) -> int:
    return int(moment.timestamp()) // STEP_SECONDS


def matching_step(secret: str, code: str, moment: datetime) -> int | None:
    """The step a code belongs to, one step of drift either way; None when it fits none. What parts its figures does not count."""
    typed = identifiers.figures(code)
    if not re.fullmatch(r"[0-9]{6}", typed):
        return None
    now = step_at(moment)
    try:
        return next((step for step in (now, now - 1, now + 1) if matches(code_at(secret, step), typed)), None)
    except ValueError:  # a secret of less than 112 bits, which pyotp takes for none
        return None
