"""Roles: granted where they belong, by those who may, and ended at once."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.accounts import operations, queries
from shop.accounts.errors import RoleNeedsPlace
from shop.kernel.db import perform, reading
from shop.kernel.errors import Forbidden, Invalid, NotFound
from shop.models.accounts import Role, RoleGrant, SessionKind, User
from shop.models.platform import AuditEntry, Notice
from shop.platform.actor import COMMAND, Grant
from tests.support.factories import Factories, actor_of
from tests.support.people import open_session

PHONE = "13812345678"


def roles_of(phone: str = PHONE) -> list[tuple[Role, int | None, int | None]]:
    reading().rollback()
    user = queries.user_by_phone(reading(), phone)
    assert user is not None
    return [(grant.role, grant.merchant_id, grant.pickup_point_id) for grant in queries.live_grants(reading(), user.id)]


def test_granting_to_a_new_number_makes_the_account_and_an_authenticator(make: Factories) -> None:
    granted = perform(operations.grant_role, COMMAND, PHONE, Role.OPERATOR)
    assert granted.is_new
    assert granted.enrolment_uri is not None
    user = reading().scalars(sa.select(User)).one()
    assert (user.phone, user.display_name) == (PHONE, "138****5678")
    assert user.totp_secret is not None
    assert user.totp_secret in granted.enrolment_uri
    assert roles_of() == [(Role.OPERATOR, None, None)]


def test_granting_twice_is_one_grant_and_shows_the_authenticator_once(make: Factories) -> None:
    perform(operations.grant_role, COMMAND, PHONE, Role.OPERATOR)
    again = perform(operations.grant_role, COMMAND, PHONE, Role.OPERATOR)
    assert (again.is_new, again.enrolment_uri) == (False, None)
    assert len(roles_of()) == 1
    assert reading().scalars(sa.select(AuditEntry.action)).all() == ["role.granted"]


def test_one_person_holds_roles_at_several_places(make: Factories) -> None:
    merchant, point = make.merchant(), make.point()
    perform(operations.grant_role, COMMAND, PHONE, Role.MERCHANT_CLERK, merchant.id)
    perform(operations.grant_role, COMMAND, PHONE, Role.KEEPER, None, point.id)
    assert roles_of() == [(Role.MERCHANT_CLERK, merchant.id, None), (Role.KEEPER, None, point.id)]


def test_a_role_without_its_place_is_refused_and_nobody_is_made(make: Factories) -> None:
    with pytest.raises(RoleNeedsPlace):
        perform(operations.grant_role, COMMAND, PHONE, Role.KEEPER)
    assert reading().scalars(sa.select(User)).all() == []


@pytest.mark.parametrize("role", [Role.MERCHANT_OWNER, Role.KEEPER, Role.FINANCE, Role.AUDITOR])
def test_only_operators_grant(make: Factories, role: Role) -> None:
    actor = actor_of(make.user(), Grant(role.value))
    for operation in (operations.grant_role, operations.revoke_role):
        with pytest.raises(Forbidden):
            perform(operation, actor, PHONE, Role.OPERATOR)
    with pytest.raises(Forbidden):
        perform(operations.reset_second_factor, actor, PHONE)
    assert reading().scalars(sa.select(RoleGrant)).all() == []


def test_an_operator_grants_only_with_a_second_factor(make: Factories) -> None:
    operator = make.user()
    with pytest.raises(Forbidden):
        perform(operations.grant_role, actor_of(operator, Grant("operator"), has_second_factor=False), PHONE, Role.AUDITOR)
    perform(operations.grant_role, actor_of(operator, Grant("operator")), PHONE, Role.AUDITOR)
    assert roles_of() == [(Role.AUDITOR, None, None)]


def test_a_revoked_role_is_gone_from_open_sessions_and_can_be_granted_again(make: Factories) -> None:
    perform(operations.grant_role, COMMAND, PHONE, Role.OPERATOR)
    token = open_session(reading().scalars(sa.select(User)).one(), SessionKind.WEB, second_factor=True)
    perform(operations.revoke_role, COMMAND, PHONE, Role.OPERATOR)
    actor = queries.actor_of_token(reading(), token, SessionKind.WEB)
    assert actor is not None
    assert actor.roles == frozenset()
    with pytest.raises(NotFound):
        perform(operations.revoke_role, COMMAND, PHONE, Role.OPERATOR)
    assert perform(operations.grant_role, COMMAND, PHONE, Role.OPERATOR).is_new


def test_revoking_at_one_place_keeps_the_other(make: Factories) -> None:
    here, there = make.point(), make.point()
    for point in (here, there):
        perform(operations.grant_role, COMMAND, PHONE, Role.KEEPER, None, point.id)
    perform(operations.revoke_role, COMMAND, PHONE, Role.KEEPER, None, here.id)
    assert roles_of() == [(Role.KEEPER, None, there.id)]


def test_a_new_authenticator_ends_the_sessions_and_replaces_the_secret(make: Factories) -> None:
    perform(operations.grant_role, COMMAND, PHONE, Role.OPERATOR)
    user = reading().scalars(sa.select(User)).one()
    before, token = user.totp_secret, open_session(user, SessionKind.WEB)
    uri = perform(operations.reset_second_factor, COMMAND, PHONE)
    assert before is not None
    assert before not in uri
    assert queries.actor_of_token(reading(), token, SessionKind.WEB) is None


def test_the_commands_grant_and_revoke(app: Flask, make: Factories) -> None:
    make.merchant("fruit-hall")
    make.point("tianchenghu")
    run = app.test_cli_runner().invoke
    granted = run(args=["users", "grant", "138 1234 5678", "merchant_owner", "--merchant", "fruit-hall"])
    assert granted.exit_code == 0, granted.output
    assert "granted" in granted.output
    assert "otpauth://totp/" in granted.output
    assert run(args=["users", "grant", PHONE, "keeper", "--point", "tianchenghu"]).exit_code == 0
    assert [role for role, _, _ in roles_of()] == [Role.MERCHANT_OWNER, Role.KEEPER]
    assert run(args=["users", "revoke", PHONE, "keeper", "--point", "tianchenghu"]).exit_code == 0
    assert [role for role, _, _ in roles_of()] == [Role.MERCHANT_OWNER]
    assert "otpauth://" in run(args=["users", "reset-second-factor", PHONE]).output


def test_a_checked_identity_raises_the_level_and_never_lowers_it(app: Flask, make: Factories) -> None:
    user = make.user(level=0)
    run = app.test_cli_runner().invoke
    for level, told, after in (("2", "verified", 2), ("2", "held already", 2), ("1", "held already", 2), ("3", "verified", 3)):
        answer = run(args=["users", "verify", user.phone, "--level", level, "--reason", "identity card seen"])
        assert told in answer.output
        reading().rollback()
        assert reading().get_one(User, user.id).verification_level == after
    recorded = reading().scalars(sa.select(AuditEntry).where(AuditEntry.action == "user.verified").order_by(AuditEntry.id))
    assert [entry.facts for entry in recorded] == [{"level": level, "reason": "identity card seen"} for level in (2, 3)]
    assert reading().scalar(sa.select(sa.func.count()).where(Notice.user_id == user.id, Notice.kind == "user.verified")) == 2


def test_an_identity_is_checked_by_nobody_but_a_command_with_a_reason(make: Factories) -> None:
    user = make.user(level=0)
    for actor, level, reason, refusal in (
        (actor_of(user), 3, "mine", Forbidden), (actor_of(make.user(), Grant("operator")), 1, "asked", Forbidden),
        (COMMAND, 1, " ", Invalid), (COMMAND, 0, "seen", Invalid), (COMMAND, 4, "seen", Invalid),
    ):  # fmt: skip
        with pytest.raises(refusal):
            perform(operations.verify, actor, user.phone, level, reason)
    with pytest.raises(NotFound):
        perform(operations.verify, COMMAND, PHONE, 1, "seen")


@pytest.mark.parametrize(
    "arguments",
    [
        ["grant", PHONE, "king"], ["grant", "12345", "operator"], ["grant", PHONE, "keeper"],
        ["grant", PHONE, "keeper", "--point", "nowhere"],
        ["grant", PHONE, "merchant_clerk", "--merchant", "nobody"], ["revoke", PHONE, "operator"], ["reset-second-factor", PHONE],
        ["verify", PHONE, "--level", "1", "--reason", "seen"], ["verify", PHONE, "--level", "4", "--reason", "seen"],
    ],
)
def test_the_commands_refuse_and_change_nothing(app: Flask, make: Factories, arguments: list[str]) -> None:
    assert app.test_cli_runner().invoke(args=["users", *arguments]).exit_code != 0
    assert reading().scalars(sa.select(User)).all() == []
