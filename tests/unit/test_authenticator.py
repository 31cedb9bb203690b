"""Authenticator codes against the standard's own figures and against another implementation."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from shop.accounts import authenticator

pytestmark = pytest.mark.one_engine

DEMO = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_the_figures_of_rfc_6238(seconds: int, code: str) -> None:
    secret = base64.b32encode(b"12345678901234567890").decode()
    assert authenticator.code_at(secret, seconds // 30) == code


def test_a_new_secret_has_160_bits() -> None:
    secret = authenticator.new_secret()
    assert len(base64.b32decode(secret)) == 20
    assert secret != authenticator.new_secret()


def test_no_code_fits_a_secret_that_is_too_short() -> None:
    """Cities that were seeded by the first release hold one of 80 bits: `flask users reset-second-factor` gives a new one."""
    assert authenticator.matching_step("JBSWY3DPEHPK3PXP", "123456", datetime(2026, 6, 1, tzinfo=UTC)) is None


def test_apps_can_scan_the_enrolment() -> None:
    parts = urlsplit(authenticator.enrolment_uri(DEMO, "13800000031"))
    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/Linli:13800000031")
    assert parse_qs(parts.query) == {"secret": [DEMO], "issuer": ["Linli"]}


def test_a_code_may_be_one_step_early_or_late_but_not_two() -> None:
    moment = datetime(2026, 6, 1, 12, 0, 10, tzinfo=UTC)
    step = authenticator.step_at(moment)
    for drift, expected in ((-2, None), (-1, step - 1), (0, step), (1, step + 1), (2, None)):
        code = authenticator.code_at(DEMO, step + drift)
        assert authenticator.matching_step(DEMO, f"{code[:3]} {code[3:]}", moment) == expected


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "１２３４５６", "-12345"])
def test_what_is_not_six_digits_fits_no_step(typed: str) -> None:
    assert authenticator.matching_step(DEMO, typed, datetime(2026, 6, 1, tzinfo=UTC)) is None
