"""Sessions: opened by a code, ended by their owner, by time, by a thief's mistake."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from shop.accounts import authenticator, credentials, operations, queries, rules
from shop.accounts.errors import AccountClosed, RefreshRefused, SecondFactorNotSetUp, WrongCode, WrongSecondFactor
from shop.accounts.operations import Tokens
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import NotFound, SignInRequired
from shop.kernel.statements import table
from shop.models.accounts import CodePurpose, Role, SessionKind, User, UserSession, UserState
from shop.models.platform import AuditEntry
from shop.platform.actor import Actor
from tests.support.factories import Factories
from tests.support.queries import counted

PHONE = "13812345678"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
WEB, API = SessionKind.WEB, SessionKind.API


def sign_in(kind: SessionKind = WEB, phone: str = PHONE, **values: Any) -> Tokens:
    row = perform(operations.request_code, phone, CodePurpose.SIGN_IN)
    return credentials.sign_in(phone, rules.code_digits(row.id, row.nonce), kind, "Chrome, Linux", **values)


def actor_of(token: str, kind: SessionKind = WEB) -> Actor | None:
    reading().rollback()
    return queries.actor_of_token(reading(), token, kind)


def present(actor: Actor | None) -> Actor:
    assert actor is not None
    return actor


def totp(drift: int = 0) -> str:
    return authenticator.code_at(SECRET, authenticator.step_at(clock.now() - clock.shift()) + drift)


def count_sessions() -> int:
    reading().rollback()
    return reading().scalar(sa.select(sa.func.count()).select_from(UserSession)) or 0


def test_the_first_sign_in_makes_the_account_and_the_next_finds_it(make: Factories) -> None:
    first = sign_in()
    clock.move(timedelta(minutes=2))
    second = sign_in()
    assert first.user_id == second.user_id
    assert first.access != second.access
    user = reading().get_one(User, first.user_id)
    assert (user.phone, user.display_name, user.verification_level) == (PHONE, "138****5678", 0)


def test_a_secret_opens_its_session_with_one_query_whatever_the_roles(make: Factories) -> None:
    user = make.user(PHONE, point=make.point())
    point = make.point()
    make.grant(user, Role.KEEPER, point=point)
    make.grant(user, Role.AUDITOR)
    token = sign_in().access
    reading().rollback()
    with counted() as statements:
        actor = queries.actor_of_token(reading(), token, WEB)
    assert len(statements) == 1
    assert actor is not None
    assert (actor.user_id, actor.phone, actor.pickup_point_id) == (user.id, PHONE, user.pickup_point_id)
    assert [(grant.role, grant.pickup_point_id) for grant in actor.grants] == [("keeper", point.id), ("auditor", None)]


def test_only_fingerprints_of_secrets_are_stored(make: Factories) -> None:
    tokens = sign_in(API)
    stored = repr(tuple(reading().execute(sa.select(table(UserSession))).one()))
    assert tokens.access not in stored
    assert tokens.refresh is not None
    for part in tokens.refresh.split("."):
        assert part not in stored


def test_a_web_secret_is_no_access_token_and_the_other_way_round(make: Factories) -> None:
    assert actor_of(sign_in(WEB).access, API) is None
    assert actor_of(sign_in(API, "13900000000").access, WEB) is None


def test_what_the_browser_had_chosen_fills_what_the_account_left_open(make: Factories) -> None:
    home, other = make.point(), make.point()
    tokens = sign_in(choices=rules.Choices(home.id, "en", True, "dark"))
    clock.move(timedelta(minutes=2))
    sign_in(choices=rules.Choices(other.id, "zh", False, "light"))
    user = reading().get_one(User, tokens.user_id)
    assert (user.pickup_point_id, user.locale, user.is_elder_mode, user.theme) == (home.id, "en", True, "dark")


def test_standard_size_that_somebody_chose_is_a_choice_too(make: Factories) -> None:
    user = make.user(PHONE, is_elder_mode=False, theme="auto")
    sign_in(choices=rules.Choices(elder_mode=True, theme="dark"))
    kept = reading().get_one(User, user.id)
    assert (kept.is_elder_mode, kept.theme) == (False, "auto")


def test_a_wrong_code_opens_nothing_and_makes_nobody(make: Factories) -> None:
    row = perform(operations.request_code, PHONE, CodePurpose.SIGN_IN)
    with pytest.raises(WrongCode):
        credentials.sign_in(PHONE, f"{(int(rules.code_digits(row.id, row.nonce)) + 1) % 1_000_000:06d}", WEB, "")
    assert count_sessions() == 0
    assert reading().scalars(sa.select(User)).all() == []


def test_a_closed_account_stays_closed_and_its_sessions_end(make: Factories) -> None:
    tokens = sign_in()

    def close(session: Any) -> None:
        session.execute(sa.update(User).where(User.id == tokens.user_id).values(state=UserState.CLOSED))

    perform(close)
    assert actor_of(tokens.access) is None
    clock.move(timedelta(minutes=2))
    with pytest.raises(AccountClosed):
        sign_in()


@pytest.mark.parametrize(("is_staff", "lasts"), [(False, timedelta(days=30)), (True, timedelta(hours=12))])
def test_residents_stay_signed_in_for_thirty_days_and_staff_for_twelve_hours(make: Factories, is_staff: bool, lasts: timedelta) -> None:
    if is_staff:
        make.grant(make.user(PHONE), Role.OPERATOR)
    token = sign_in().access
    clock.move(lasts - timedelta(minutes=1))
    assert actor_of(token) is not None
    clock.move(lasts + timedelta(seconds=1))
    assert actor_of(token) is None


def test_signing_out_ends_the_session_at_once_and_again_is_harmless(make: Factories) -> None:
    token = sign_in().access
    actor = present(actor_of(token))
    perform(operations.sign_out, actor)
    perform(operations.sign_out, actor)
    assert actor_of(token) is None


def test_people_end_their_own_sessions_and_nobody_elses(make: Factories) -> None:
    mine, theirs = sign_in(), sign_in(phone="13900000000")
    actor = present(actor_of(mine.access))
    with pytest.raises(NotFound):
        perform(operations.revoke, actor, theirs.session_id)
    assert actor_of(theirs.access) is not None
    perform(operations.revoke, actor, mine.session_id)
    assert actor_of(mine.access) is None
    with pytest.raises(NotFound):
        perform(operations.revoke, actor, mine.session_id)


def test_devices_are_listed_newest_first_without_those_that_ended(make: Factories) -> None:
    first = sign_in()
    clock.move(timedelta(minutes=2))
    second = sign_in(API)
    clock.move(timedelta(minutes=4))
    third = sign_in()
    actor = present(actor_of(third.access))
    perform(operations.revoke, actor, first.session_id)
    listed = queries.my_devices(reading(), actor)
    assert [(device.session_id, device.kind, device.is_this_one) for device in listed] == [
        (third.session_id, WEB, True), (second.session_id, API, False),
    ]  # fmt: skip


def test_a_refresh_token_is_traded_for_new_tokens_and_the_old_ones_end(make: Factories) -> None:
    tokens = sign_in(API)
    assert tokens.expires_in == 7200
    clock.move(timedelta(hours=3))
    assert actor_of(tokens.access, API) is None
    renewed = credentials.refresh(tokens.refresh or "")
    assert present(actor_of(renewed.access, API)).user_id == tokens.user_id
    again = credentials.refresh(renewed.refresh or "")
    assert actor_of(renewed.access, API) is None
    assert actor_of(again.access, API) is not None


def test_a_refresh_token_used_twice_ends_the_session_also_after_later_trades(make: Factories) -> None:
    tokens = sign_in(API)
    second = credentials.refresh(tokens.refresh or "")
    third = credentials.refresh(second.refresh or "")
    with pytest.raises(RefreshRefused):
        credentials.refresh(tokens.refresh or "")
    assert actor_of(third.access, API) is None
    with pytest.raises(RefreshRefused):
        credentials.refresh(third.refresh or "")
    assert reading().scalars(sa.select(AuditEntry.action)).all() == ["session.refresh_reused"]


@pytest.mark.parametrize("token", ["", ".", "nonsense", "a.b", "." * 100])
def test_a_made_up_refresh_token_ends_nobodys_session(make: Factories, token: str) -> None:
    tokens = sign_in(API)
    with pytest.raises(RefreshRefused):
        credentials.refresh(token)
    assert actor_of(tokens.access, API) is not None


@pytest.mark.parametrize(("is_staff", "lasts"), [(False, timedelta(days=30)), (True, timedelta(hours=12))])
def test_refreshing_ends_when_the_sign_in_ends(make: Factories, is_staff: bool, lasts: timedelta) -> None:
    if is_staff:
        make.grant(make.user(PHONE), Role.FINANCE)
    tokens = sign_in(API)
    clock.move(lasts - timedelta(minutes=1))
    renewed = credentials.refresh(tokens.refresh or "")
    assert renewed.expires_in <= 60
    clock.move(lasts + timedelta(minutes=1))
    assert actor_of(renewed.access, API) is None
    with pytest.raises(RefreshRefused):
        credentials.refresh(renewed.refresh or "")


def staff(make: Factories, **values: Any) -> User:
    user = make.user(PHONE, **{"totp_secret": SECRET, **values})
    make.grant(user, Role.OPERATOR)
    return user


def test_the_authenticator_confirms_the_session_under_a_new_secret_for_twelve_hours(make: Factories) -> None:
    staff(make)
    before = sign_in().access
    actor = present(actor_of(before))
    assert not actor.has_second_factor
    after = credentials.confirm_second_factor(actor, totp())
    assert actor_of(before) is None
    assert present(actor_of(after)).has_second_factor
    assert present(actor_of(after)).session_id == actor.session_id


def test_a_role_granted_later_does_not_stretch_the_second_factor(make: Factories) -> None:
    user = make.user(PHONE, totp_secret=SECRET)
    token = sign_in().access
    make.grant(user, Role.OPERATOR)
    token = credentials.confirm_second_factor(present(actor_of(token)), totp())
    clock.move(timedelta(hours=12, seconds=1))
    assert not present(actor_of(token)).has_second_factor


def test_an_authenticator_code_counts_once(make: Factories) -> None:
    staff(make)
    code = totp()
    token = credentials.confirm_second_factor(present(actor_of(sign_in().access)), code)
    with pytest.raises(WrongSecondFactor):
        credentials.confirm_second_factor(present(actor_of(token)), code)
    with pytest.raises(WrongSecondFactor):
        credentials.confirm_second_factor(present(actor_of(token)), totp(-1))
    credentials.confirm_second_factor(present(actor_of(token)), totp(1))


def test_five_wrong_authenticator_codes_end_the_session(make: Factories) -> None:
    staff(make)
    token = sign_in().access
    actor = present(actor_of(token))
    for _ in range(4):
        with pytest.raises(WrongSecondFactor):
            credentials.confirm_second_factor(actor, totp(40))
    with pytest.raises(SignInRequired):
        credentials.confirm_second_factor(actor, totp(40))
    assert actor_of(token) is None
    with pytest.raises(SignInRequired):
        credentials.confirm_second_factor(actor, totp())


def test_without_an_authenticator_there_is_nothing_to_confirm(make: Factories) -> None:
    staff(make, totp_secret=None)
    with pytest.raises(SecondFactorNotSetUp):
        credentials.confirm_second_factor(present(actor_of(sign_in().access)), "123456")


def test_the_authenticator_can_be_confirmed_while_signing_in(make: Factories) -> None:
    staff(make)
    assert present(actor_of(sign_in(API, totp=totp()).access, API)).has_second_factor


def test_a_wrong_authenticator_code_opens_no_session_and_leaves_the_sms_code_good(make: Factories) -> None:
    staff(make)
    row = perform(operations.request_code, PHONE, CodePurpose.SIGN_IN)
    code = rules.code_digits(row.id, row.nonce)
    with pytest.raises(WrongSecondFactor):
        credentials.sign_in(PHONE, code, API, "", totp=totp(40))
    assert count_sessions() == 0
    credentials.sign_in(PHONE, code, API, "", totp=totp())


def test_long_ended_sessions_are_forgotten(make: Factories) -> None:
    sign_in()
    clock.move(timedelta(days=59))
    perform(operations.forget_old)
    assert count_sessions() == 1
    clock.move(timedelta(days=61))
    perform(operations.forget_old)
    assert count_sessions() == 0
