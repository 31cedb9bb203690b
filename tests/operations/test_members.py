"""Who works at a shop: its owner lets people in and out; nobody else does, and nobody does it for themselves."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from shop.accounts import operations, queries, rules
from shop.accounts.errors import AuthenticatorIsThere, TooManyMembers
from shop.kernel.db import finish_reading, perform, reading, transaction
from shop.kernel.errors import Forbidden, NotFound
from shop.kernel.identifiers import InvalidPhone
from shop.models.accounts import Role, RoleGrant, User
from shop.models.merchants import Merchant
from shop.models.platform import AuditEntry, Notice
from shop.platform.actor import Actor, Grant
from shop.platform.own import OwnDeed
from tests.support.factories import Factories, actor_of
from tests.support.people import sign_in

PHONE = "13812345678"


@pytest.fixture
def shop(make: Factories) -> Merchant:
    return make.merchant("rice")


@pytest.fixture
def owner(make: Factories, shop: Merchant) -> Actor:
    user = make.user()
    make.grant(user, Role.MERCHANT_OWNER, merchant=shop)
    return actor_of(user, Grant("merchant_owner", shop.id))


def roles(shop: Merchant) -> list[Role]:
    finish_reading()
    return [member.role for member in queries.members(reading(), shop.id)]


def test_an_owner_lets_a_clerk_in_once_and_out_again(owner: Actor, shop: Merchant) -> None:
    assert perform(operations.add_member, owner, shop.id, PHONE)
    assert not perform(operations.add_member, owner, shop.id, PHONE)
    assert roles(shop) == [Role.MERCHANT_OWNER, Role.MERCHANT_CLERK]
    clerk = reading().scalars(sa.select(RoleGrant.user_id).where(RoleGrant.role == Role.MERCHANT_CLERK)).one()
    assert reading().scalars(sa.select(Notice.kind)).all() == ["accounts.member_added"]
    perform(operations.remove_member, owner, shop.id, clerk)
    assert roles(shop) == [Role.MERCHANT_OWNER]
    with pytest.raises(NotFound):
        perform(operations.remove_member, owner, shop.id, clerk)
    assert reading().scalars(sa.select(AuditEntry.action)).all() == ["role.granted", "role.revoked"]


def test_what_is_not_allowed_changes_nothing(make: Factories, owner: Actor, shop: Merchant) -> None:
    elsewhere = make.merchant("oil")
    clerk = actor_of(make.user(), Grant("merchant_clerk", shop.id))
    other_owner = make.user()
    make.grant(other_owner, Role.MERCHANT_OWNER, merchant=shop)
    for actor, shop_id, phone, refusal in (
        (owner, elsewhere.id, PHONE, NotFound), (clerk, shop.id, PHONE, NotFound), (owner, shop.id, "123", InvalidPhone),
        (owner, shop.id, owner.phone, OwnDeed),
    ):  # fmt: skip
        with pytest.raises(refusal):
            perform(operations.add_member, actor, shop_id, phone)
    with pytest.raises(OwnDeed):
        perform(operations.remove_member, owner, shop.id, owner.signed_in_id())
    with pytest.raises(NotFound):
        perform(operations.remove_member, owner, shop.id, other_owner.id)
    assert roles(shop) == [Role.MERCHANT_OWNER, Role.MERCHANT_OWNER]


def test_a_shop_has_room_for_so_many(make: Factories, owner: Actor, shop: Merchant) -> None:
    for _ in range(rules.MOST_MEMBERS - 1):
        make.grant(make.user(), Role.MERCHANT_CLERK, merchant=shop)
    with pytest.raises(TooManyMembers):
        perform(operations.add_member, owner, shop.id, PHONE)


def test_an_authenticator_is_set_up_until_it_was_used(make: Factories, shop: Merchant) -> None:
    user = make.user()
    with pytest.raises(Forbidden):
        perform(operations.set_up_second_factor, actor_of(user))
    make.grant(user, Role.KEEPER, point=make.point())
    with pytest.raises(Forbidden):
        perform(operations.set_up_second_factor, actor_of(user))
    make.grant(user, Role.MERCHANT_CLERK, merchant=shop)
    made = perform(operations.set_up_second_factor, actor_of(user))
    finish_reading()
    assert reading().get_one(User, user.id).totp_secret == made.secret
    with transaction() as session:
        session.execute(sa.update(User).where(User.id == user.id).values(totp_last_step=1))
    with pytest.raises(AuthenticatorIsThere):
        perform(operations.set_up_second_factor, actor_of(user))
    finish_reading()
    assert reading().get_one(User, user.id).totp_secret == made.secret


@pytest.mark.one_engine
def test_the_page_of_members(make: Factories, client: FlaskClient, shop: Merchant) -> None:
    user = make.user()
    make.grant(user, Role.MERCHANT_OWNER, merchant=shop)
    sign_in(client, user, second_factor=True)
    assert client.post("/merchant/members", data={"phone": "12"}).status_code == 422
    assert client.post("/merchant/members", data={"phone": PHONE}).status_code == 303
    assert "138****5678" in client.get("/merchant/members").get_data(as_text=True)
    clerk = reading().scalars(sa.select(RoleGrant.user_id).where(RoleGrant.role == Role.MERCHANT_CLERK)).one()
    asked = client.post(f"/merchant/members/{clerk}/remove")
    assert asked.status_code == 200
    assert roles(shop) == [Role.MERCHANT_OWNER, Role.MERCHANT_CLERK]
    assert client.post("/merchant/members/999999/remove").status_code == 404
