"""Codes and sessions when several ask at the very same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import sqlalchemy as sa
from flask import Flask

from shop.accounts import authenticator, credentials, operations, queries, rules
from shop.accounts.errors import CodeSentRecently, RefreshRefused, WrongCode, WrongSecondFactor
from shop.accounts.rules import Asker
from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.models.accounts import CodePurpose, Role, RoleGrant, SessionKind, SignInCode, User, UserSession
from shop.platform.actor import COMMAND
from tests.support.factories import Factories
from tests.support.people import open_session
from tests.support.shopping import at_once

PHONE = "13812345678"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
AT_ONCE = 8
HERE = Asker("home", "this browser")
KNOWN = Asker("home", "the browser of always", is_known=True)


def all_at_once(app: Flask, deed: Callable[[], Any], times: int = AT_ONCE) -> list[Any]:
    """Run a deed in several threads that start together; what each returned or raised."""
    together = Barrier(times)

    def run() -> Any:
        with app.app_context():
            together.wait()
            try:
                return deed()
            except Exception as refusal:
                return refusal

    with ThreadPoolExecutor(times) as pool:
        return [future.result() for future in [pool.submit(run) for _ in range(times)]]


def kinds(outcomes: list[Any], refusal: type[Exception]) -> tuple[int, int]:
    """How many succeeded and how many got the refusal; anything else is a failure."""
    refused = [outcome for outcome in outcomes if isinstance(outcome, refusal)]
    others = [outcome for outcome in outcomes if isinstance(outcome, Exception) and not isinstance(outcome, refusal)]
    assert others == []
    return len(outcomes) - len(refused), len(refused)


def count(table: Any) -> int:
    reading().rollback()
    return reading().scalar(sa.select(sa.func.count()).select_from(table)) or 0


def code() -> str:
    row = perform(operations.request_code, PHONE, CodePurpose.SIGN_IN)
    return rules.code_digits(row.id, row.nonce)


def test_one_of_many_askers_gets_the_code(app: Flask, make: Factories) -> None:
    outcomes = all_at_once(app, lambda: perform(operations.request_code, PHONE, CodePurpose.SIGN_IN))
    assert kinds(outcomes, CodeSentRecently) == (1, AT_ONCE - 1)
    assert count(SignInCode) == 1


def test_the_own_browser_gets_its_code_in_the_midst_of_strangers(app: Flask, make: Factories) -> None:
    """All want the next number of the same phone; whoever loses it looks again instead of giving up."""
    askers = [Asker(f"address {number}", f"browser {number}") for number in range(AT_ONCE - 1)] + [KNOWN]
    works = [partial(perform, operations.request_code, PHONE, CodePurpose.SIGN_IN, asker=asker) for asker in askers]
    outcomes = at_once(app, works)
    assert isinstance(outcomes[-1], SignInCode), outcomes[-1]
    assert kinds(outcomes, CodeSentRecently) == (2, AT_ONCE - 2)
    assert count(SignInCode) == 2


def test_the_control_that_looks_and_then_sends_floods_the_number(app: Flask, make: Factories) -> None:
    """What asking would be without the number that only one of many gets."""
    everybody_looked = Barrier(AT_ONCE)

    def careless() -> bool:
        sent = reading().scalar(sa.select(sa.func.count()).select_from(SignInCode))
        everybody_looked.wait(timeout=20)
        with transaction() as session:
            moment, number = clock.now(), threading.get_ident()
            session.add(SignInCode(phone=PHONE, number=number, purpose=CodePurpose.SIGN_IN, nonce="", created_at=moment, expires_at=moment))
        return not sent

    assert at_once(app, [careless] * AT_ONCE).count(True) > 1


def test_strangers_who_guess_all_at_once_leave_three_tries(app: Flask, make: Factories) -> None:
    row = perform(operations.request_code, PHONE, CodePurpose.SIGN_IN, asker=HERE)
    right = rules.code_digits(row.id, row.nonce)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    strangers = [Asker(f"address {number}", f"browser {number}") for number in range(AT_ONCE)]
    works = [partial(credentials.use_code, PHONE, wrong, CodePurpose.SIGN_IN, stranger) for stranger in strangers]
    assert kinds(at_once(app, works), WrongCode) == (0, AT_ONCE)
    reading().rollback()
    assert reading().scalars(sa.select(SignInCode.tries_left)).one() == 3
    credentials.use_code(PHONE, right, CodePurpose.SIGN_IN, HERE)


def test_one_code_signs_in_once(app: Flask, make: Factories) -> None:
    right = code()
    outcomes = all_at_once(app, lambda: credentials.sign_in(PHONE, right, SessionKind.WEB, ""), times=4)
    assert kinds(outcomes, WrongCode) == (1, 3)
    assert (count(UserSession), count(User)) == (1, 1)


def test_more_guesses_at_once_than_there_are_tries_do_not_help(app: Flask, make: Factories) -> None:
    right = code()
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    all_at_once(app, lambda: credentials.use_code(PHONE, wrong, CodePurpose.SIGN_IN))
    reading().rollback()
    assert reading().scalars(sa.select(SignInCode.tries_left)).one() == 0


def test_one_of_many_refreshes_wins_and_the_session_ends(app: Flask, make: Factories) -> None:
    tokens = credentials.sign_in(PHONE, code(), SessionKind.API, "")
    outcomes = all_at_once(app, lambda: credentials.refresh(tokens.refresh or ""))
    assert kinds(outcomes, RefreshRefused) == (1, AT_ONCE - 1)
    (won,) = [outcome for outcome in outcomes if not isinstance(outcome, Exception)]
    assert queries.actor_of_token(reading(), won.access, SessionKind.API) is None


def test_an_authenticator_code_confirms_one_of_two_sessions(app: Flask, make: Factories) -> None:
    user = make.user(PHONE, totp_secret=SECRET)
    make.grant(user, Role.OPERATOR)
    actors = [queries.actor_of_token(reading(), open_session(user, SessionKind.WEB), SessionKind.WEB) for _ in range(AT_ONCE)]
    totp = authenticator.code_at(SECRET, authenticator.step_at(clock.now()))

    def confirm() -> str:
        actor = actors.pop()
        assert actor is not None
        return credentials.confirm_second_factor(actor, totp)

    assert kinds(all_at_once(app, confirm), WrongSecondFactor) == (1, AT_ONCE - 1)


def test_one_grant_comes_of_many(app: Flask, make: Factories) -> None:
    outcomes = all_at_once(app, lambda: perform(operations.grant_role, COMMAND, PHONE, Role.OPERATOR))
    assert sum(granted.is_new for granted in outcomes) == 1
    assert sum(granted.enrolment_uri is not None for granted in outcomes) == 1
    assert (count(User), count(RoleGrant)) == (1, 1)
