"""The unified social credit code (GB 32100-2015): 18 characters, the last of which checks the others."""

from __future__ import annotations

from shop.kernel.identifiers import scanned
from shop.merchants.errors import InvalidCreditCode, WrongCreditCode

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Without I, O, S, V and Z, which are taken for figures."""

LENGTH = 18
COMPANY, SELF_EMPLOYED, CO_OPERATIVE = "91", "92", "93"


def check_character(first: str) -> str:
    """The last character of a code whose first seventeen are these. Weights are the powers of 3, modulo 31."""
    total = sum(ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(first))
    return ALPHABET[-total % 31]


def credit_code(value: str) -> str:
    """A code as it is kept: in capitals, without what was put between its groups. Raises `InvalidCreditCode`, `WrongCreditCode`."""
    code = scanned(value).replace("-", "").replace(".", "")
    if len(code) != LENGTH or not set(code) <= set(ALPHABET):
        raise InvalidCreditCode()
    if check_character(code[:-1]) != code[-1]:
        raise WrongCreditCode()
    return code
