"""Identifiers that look like Stripe's."""

from __future__ import annotations

import secrets
import string

ALPHABET = string.ascii_letters + string.digits
LENGTHS = {"cs_test": 58, "cus": 14, "req": 14, "prod": 14}


def new_identifier(prefix: str) -> str:
    """A fresh identifier such as `pi_3Q...`; never repeats in practice, says nothing about its object but the kind."""
    start = "a1" if prefix == "cs_test" else "3Q" if prefix in {"pi", "ch", "py", "txn", "re", "pyr"} else "1Q"
    length = LENGTHS.get(prefix, 24) - len(start)
    return f"{prefix}_{start}" + "".join(secrets.choice(ALPHABET) for _ in range(length))
