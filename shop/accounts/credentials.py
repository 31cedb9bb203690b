"""Proving who one is, for doors: each function runs its own transaction and raises after what must be counted is kept."""

from __future__ import annotations

from typing import TypeVar

from shop.accounts import operations, rules
from shop.accounts.operations import Tokens
from shop.accounts.operations.sessions import NOTHING_CHOSEN
from shop.accounts.rules import Asker, Choices
from shop.kernel.db import perform
from shop.kernel.errors import ShopError
from shop.kernel.identifiers import phone_number
from shop.models.accounts import CodePurpose, SessionKind
from shop.platform.actor import Actor

T = TypeVar("T")


def sign_in(
    phone: str, code: str, kind: SessionKind, device: str, *, totp: str = "", choices: Choices = NOTHING_CHOSEN,
    asker: Asker = rules.SOMEBODY,
) -> Tokens:
    """Open a session. Raises `WrongCode`, `WrongSecondFactor`, `AccountClosed`, `InvalidPhone`."""
    return _raised(perform(operations.sign_in, phone, code, kind, device, totp=totp, choices=choices, asker=asker))


def use_code(phone: str, code: str, purpose: CodePurpose, asker: Asker = rules.SOMEBODY) -> None:
    """Use up a code, for instance to step up before money moves. Raises `WrongCode`; five wrong ones void the code.

    Call it before the deed and outside its transaction: a code that was right is used even if the deed is then refused.
    """
    refusal = perform(operations.check_code, phone_number(phone), code, purpose, asker)
    if refusal is not None:
        raise refusal


def refresh(token: str) -> Tokens:
    """New tokens for an API session. Raises `RefreshRefused`."""
    return _raised(perform(operations.refresh, token))


def confirm_second_factor(actor: Actor, totp: str) -> str:
    """Confirm the authenticator; the session's new secret. Raises `WrongSecondFactor`, `SecondFactorNotSetUp`, `SignInRequired`."""
    return _raised(perform(operations.confirm_second_factor, actor, totp))


def _raised(answer: T | ShopError) -> T:
    if isinstance(answer, ShopError):
        raise answer
    return answer
