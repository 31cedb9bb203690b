"""One-time codes: sent once a minute, counted, used once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from shop.accounts import credentials, operations, rules
from shop.accounts.errors import CodeSentRecently, TooManyCodes, WrongCode
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.text import InvalidPhone
from shop.models.accounts import CodePurpose, SignInCode
from shop.models.platform import Job
from tests.support.factories import Factories

PHONE = "13812345678"
SIGN_IN, STEP_UP = CodePurpose.SIGN_IN, CodePurpose.STEP_UP


def code_for(phone: str = PHONE, purpose: CodePurpose = SIGN_IN) -> str:
    """Ask for a code and read it as only the app can."""
    row = perform(operations.request_code, phone, purpose)
    return rules.code_digits(row.id, row.nonce)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def count_codes() -> int:
    return reading().scalar(sa.select(sa.func.count()).select_from(SignInCode)) or 0


def test_a_right_code_is_used_once(make: Factories) -> None:
    code = code_for()
    credentials.use_code(PHONE, code, SIGN_IN)
    with pytest.raises(WrongCode):
        credentials.use_code(PHONE, code, SIGN_IN)


def test_a_code_is_recognised_however_the_number_and_the_code_are_typed(make: Factories) -> None:
    code = code_for("+86 138-1234-5678")
    credentials.use_code("138 1234 5678", f"{code[:3]} {code[3:]}", SIGN_IN)


def test_asking_for_a_code_asks_for_one_message(make: Factories) -> None:
    code_for()
    assert reading().scalars(sa.select(Job.kind)).all() == ["accounts.send_code"]


def test_the_code_is_not_in_the_database(make: Factories) -> None:
    code = code_for()
    stored = reading().execute(sa.select(SignInCode.__table__)).one()
    jobs = reading().execute(sa.select(Job.__table__)).one()
    assert code not in repr(tuple(stored)) + repr(tuple(jobs))


def test_what_is_no_mobile_number_gets_no_code(make: Factories) -> None:
    with pytest.raises(InvalidPhone):
        code_for("0832 2000000")
    assert count_codes() == 0


def test_five_wrong_tries_void_a_code(make: Factories) -> None:
    code = code_for()
    for _ in range(5):
        with pytest.raises(WrongCode):
            credentials.use_code(PHONE, wrong(code), SIGN_IN)
    with pytest.raises(WrongCode):
        credentials.use_code(PHONE, code, SIGN_IN)


def test_the_fifth_try_may_still_be_right(make: Factories) -> None:
    code = code_for()
    for _ in range(4):
        with pytest.raises(WrongCode):
            credentials.use_code(PHONE, wrong(code), SIGN_IN)
    credentials.use_code(PHONE, code, SIGN_IN)


def test_a_code_ends_after_five_minutes(make: Factories) -> None:
    code = code_for()
    clock.move(timedelta(minutes=5, seconds=1))
    with pytest.raises(WrongCode):
        credentials.use_code(PHONE, code, SIGN_IN)


def test_a_new_code_voids_the_one_before(make: Factories) -> None:
    before = code_for()
    clock.move(timedelta(seconds=61))
    after = code_for()
    with pytest.raises(WrongCode):
        credentials.use_code(PHONE, before if before != after else wrong(after), SIGN_IN)
    credentials.use_code(PHONE, after, SIGN_IN)


def test_a_code_for_one_purpose_or_person_is_no_good_for_another(make: Factories) -> None:
    code = code_for()
    with pytest.raises(WrongCode):
        credentials.use_code(PHONE, code, STEP_UP)
    with pytest.raises(WrongCode):
        credentials.use_code("13900000000", code, SIGN_IN)


def test_a_second_code_within_a_minute_is_refused_and_the_first_stays_good(make: Factories) -> None:
    code = code_for()
    clock.move(timedelta(seconds=40))
    with pytest.raises(CodeSentRecently) as refusal:
        code_for()
    assert 18 <= refusal.value.details["seconds"] <= 20
    assert count_codes() == 1
    credentials.use_code(PHONE, code, SIGN_IN)


def test_signing_in_does_not_make_the_next_payment_wait(make: Factories) -> None:
    code_for()
    code_for(purpose=STEP_UP)
    assert count_codes() == 2


def until_the_sixth() -> timedelta:
    """After five codes in eight minutes, and at twenty minutes: how long it is to the next, as the refusal says."""
    for number in range(5):
        clock.move(timedelta(minutes=2 * number))
        code_for()
    clock.move(timedelta(minutes=20))
    with pytest.raises(TooManyCodes) as refusal:
        code_for()
    until: datetime = refusal.value.details["until"]
    return until - clock.now()


def test_a_number_gets_five_codes_an_hour_and_ten_a_day(make: Factories) -> None:
    assert timedelta(minutes=39) < until_the_sixth() <= timedelta(minutes=41)  # the first was 20 minutes ago
    code_for("13900000000")
    for number in range(5):
        clock.move(timedelta(hours=2, minutes=2 * number))
        code_for(purpose=STEP_UP)
    clock.move(timedelta(hours=4))
    with pytest.raises(TooManyCodes):
        code_for()
    assert count_codes() == 11
    clock.move(timedelta(hours=26))
    code_for()


def test_at_the_minute_that_was_told_the_next_code_is_sent(make: Factories) -> None:
    clock.move(timedelta(minutes=20) + until_the_sixth())
    code_for()


def test_old_codes_are_forgotten_and_young_ones_kept(make: Factories) -> None:
    code_for()
    clock.move(timedelta(hours=47))
    code_for()
    perform(operations.forget_old)
    assert count_codes() == 2
    clock.move(timedelta(hours=49))
    perform(operations.forget_old)
    assert count_codes() == 1
