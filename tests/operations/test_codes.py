"""One-time codes: sent once a minute, counted, used once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from shop.accounts import credentials, operations, rules
from shop.accounts.errors import CodeSentRecently, TooManyCodes, WrongCode
from shop.accounts.rules import Asker
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.identifiers import InvalidPhone, network_of
from shop.kernel.statements import table
from shop.models.accounts import CodePurpose, SignInCode
from shop.models.platform import Job
from tests.support.factories import Factories

PHONE = "13812345678"
SIGN_IN, STEP_UP = CodePurpose.SIGN_IN, CodePurpose.STEP_UP


HERE = Asker("home", "this browser")
KNOWN = Asker("home", "the browser of always", is_known=True)
OWNER = Asker("", "the owner")


def stranger(number: int) -> Asker:
    return Asker(f"address {number}", f"browser {number}")


def refused(code: str, asker: Asker, purpose: CodePurpose = SIGN_IN) -> None:
    with pytest.raises(WrongCode):
        credentials.use_code(PHONE, code, purpose, asker)


def code_for(phone: str = PHONE, purpose: CodePurpose = SIGN_IN, asker: Asker = rules.SOMEBODY) -> str:
    """Ask for a code and read it as only the app can."""
    row = perform(operations.request_code, phone, purpose, asker=asker)
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
    stored = reading().execute(sa.select(table(SignInCode))).one()
    jobs = reading().execute(sa.select(table(Job))).one()
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


def test_an_earlier_code_stays_good_until_one_is_used(make: Factories) -> None:
    before = code_for()
    clock.move(timedelta(seconds=61))
    after = code_for()
    credentials.use_code(PHONE, before, SIGN_IN)
    with pytest.raises(WrongCode):
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


def until_the_next(asker: Asker = HERE, purpose: CodePurpose = SIGN_IN) -> timedelta | None:
    """How long this asker has to wait as the refusal says; None where a code was sent."""
    try:
        code_for(purpose=purpose, asker=asker)
    except TooManyCodes as refusal:
        until: datetime = refusal.details["until"]
        return until - clock.now()
    return None


def ask_often(asker: Asker, times: int, purpose: CodePurpose = SIGN_IN, apart: timedelta = timedelta(seconds=61)) -> list[bool]:
    """Ask again and again; whether a code was sent, each time."""
    answers = []
    for _ in range(times):
        answers.append(until_the_next(asker, purpose) is None)
        clock.move(clock.shift() + apart)
    return answers


HOURLY = timedelta(minutes=61)


@pytest.mark.parametrize(
    ("asker", "purpose", "apart", "sent"),
    [
        (HERE, SIGN_IN, timedelta(seconds=61), 4),  # in an hour
        (HERE, SIGN_IN, HOURLY, 6),  # in a day
        (KNOWN, SIGN_IN, timedelta(seconds=61), 5),
        (KNOWN, SIGN_IN, HOURLY, 10),
        (OWNER, STEP_UP, timedelta(seconds=61), 5),
        (OWNER, STEP_UP, HOURLY, 10),
    ],
)
def test_one_asker_gets_so_many_codes_of_a_number(make: Factories, asker: Asker, purpose: CodePurpose, apart: timedelta, sent: int) -> None:
    answers = ask_often(asker, sent + 2, purpose, apart)
    assert answers == [True] * sent + [False] * 2
    assert code_for("13900000000", asker=asker), "another number is another count"
    clock.move(clock.shift() + timedelta(hours=25))
    assert until_the_next(asker, purpose) is None


def test_all_strangers_together_get_ten_a_day_from_however_many_addresses(make: Factories) -> None:
    sent = 0
    for number in range(40):
        sent += until_the_next(stranger(number)) is None
        clock.move(clock.shift() + timedelta(minutes=20))
    assert sent == 10
    assert count_codes() == 10


def test_one_stranger_leaves_codes_for_the_next(make: Factories) -> None:
    assert ask_often(stranger(1), 8).count(True) == 4
    assert until_the_next(stranger(2)) is None


def test_whatever_strangers_do_the_own_browser_and_the_own_payments_get_their_codes(make: Factories) -> None:
    for number in range(12):
        until_the_next(stranger(number))
        clock.move(clock.shift() + timedelta(seconds=61))
    assert until_the_next(stranger(99)) is not None
    assert (until_the_next(KNOWN), until_the_next(OWNER, STEP_UP)) == (None, None)


def test_a_code_that_a_stranger_asked_for_does_not_make_the_own_browser_wait(make: Factories) -> None:
    code_for(asker=stranger(1))
    assert (until_the_next(KNOWN), until_the_next(OWNER, STEP_UP)) == (None, None)
    with pytest.raises(CodeSentRecently):
        code_for(asker=KNOWN)


@pytest.mark.parametrize("purpose", [SIGN_IN, STEP_UP])
def test_at_the_minute_that_was_told_the_next_code_is_sent(make: Factories, purpose: CodePurpose) -> None:
    ask_often(OWNER, 5, purpose)
    wait = until_the_next(OWNER, purpose)
    assert wait is not None
    assert timedelta(minutes=50) < wait <= timedelta(minutes=61)
    clock.move(clock.shift() + wait)
    assert until_the_next(OWNER, purpose) is None


def test_a_strangers_code_voids_nothing_and_works_as_well(make: Factories) -> None:
    """Both are on the owner's phone, and nobody can tell whose is whose."""
    first = code_for(asker=HERE)
    clock.move(timedelta(seconds=61))
    second = code_for(asker=stranger(1))
    credentials.use_code(PHONE, first, SIGN_IN, HERE)
    credentials.use_code(PHONE, second, SIGN_IN, HERE)


@pytest.mark.parametrize("guesses", [2, 5, 40])
def test_a_strangers_guesses_leave_the_code_to_whom_it_was_made_for(make: Factories, guesses: int) -> None:
    code = code_for(asker=HERE)
    for _ in range(guesses):
        refused(wrong(code), stranger(1))
    for _ in range(2):
        refused(wrong(code), HERE)
    credentials.use_code(PHONE, code, SIGN_IN, HERE)


def test_codes_of_the_own_browser_and_of_payments_are_not_for_strangers_to_try(make: Factories) -> None:
    known, own = code_for(asker=KNOWN), code_for(purpose=STEP_UP, asker=OWNER)
    refused(known, stranger(1))
    refused(own, stranger(1), STEP_UP)
    credentials.use_code(PHONE, known, SIGN_IN, KNOWN)
    credentials.use_code(PHONE, own, STEP_UP, OWNER)


def test_no_more_than_five_guesses_meet_a_code_whoever_makes_them(make: Factories) -> None:
    """What the bound on guesses stands on: codes a day times five."""
    code = code_for(asker=HERE)
    for number in range(10):
        refused(wrong(code), stranger(number))
        refused(wrong(code), HERE)
    assert reading().scalars(sa.select(SignInCode.tries_left)).one() == 0
    refused(code, HERE)


def test_a_guess_costs_every_live_code_it_is_compared_with_a_try(make: Factories) -> None:
    codes = []
    for _ in range(3):
        codes.append(code_for(asker=HERE))
        clock.move(clock.shift() + timedelta(seconds=61))
    refused(next(guess for guess in map(str, range(100_000, 100_004)) if guess not in codes), HERE)
    assert reading().scalars(sa.select(SignInCode.tries_left)).all() == [4, 4, 4]


def test_neighbours_of_one_ipv6_network_are_one_asker() -> None:
    first, second, other = map(network_of, ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"))
    assert first == second != other


def test_addresses_of_ipv4_written_as_ipv6_are_told_apart() -> None:
    """As proxies do that listen for both; all of IPv4 lies within one /64."""
    assert [network_of(address) for address in ("::ffff:10.0.0.1", "::ffff:10.0.0.2")] == ["10.0.0.1", "10.0.0.2"]


def test_old_codes_are_forgotten_and_young_ones_kept(make: Factories) -> None:
    code_for()
    clock.move(timedelta(hours=47))
    code_for()
    perform(operations.forget_old)
    assert count_codes() == 2
    clock.move(timedelta(hours=49))
    perform(operations.forget_old)
    assert count_codes() == 1


def test_a_code_is_sent_although_all_codes_before_it_have_been_forgotten(make: Factories) -> None:
    code_for()
    clock.move(timedelta(days=60))
    perform(operations.forget_old)
    assert count_codes() == 0
    code_for()
    sent = sa.select(sa.func.count()).select_from(Job).where(Job.kind == "accounts.send_code")
    assert reading().scalar(sent) == 2
