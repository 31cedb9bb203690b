"""Who may do what is said once: permissions are granted and asked for, and nobody names a role. Each check is shown to catch a breach."""

from __future__ import annotations

import pytest

from shop import wiring
from shop.models.accounts import Role
from shop.platform.access import permitted
from shop.platform.features import Feature, Registry, registry
from shop.platform.grants import GRANTS
from shop.platform.permissions import Permission
from tests.architecture import permits
from tests.architecture.syntax import parsed, shop_modules

pytestmark = pytest.mark.one_engine


class Planted(Permission):
    """What no feature lists and no row grants."""

    FLY = "kites:kite:fly", "Fly a kite"


def test_every_permission_is_well_formed_granted_and_asked_for() -> None:
    every = registry.permissions()
    assert len(every) > 30
    assert wiring.FEATURES
    assert list(permits.ill_formed(every)) == []
    assert list(permits.without_grant(every, GRANTS)) == []
    assert list(permits.unused(every, shop_modules())) == []


def test_every_row_grants_what_a_feature_lists() -> None:
    assert list(permits.of_nothing(registry.permissions(), GRANTS)) == []


def test_nobody_names_a_role() -> None:
    assert [sentence for module in shop_modules() for sentence in permits.names_a_role(module)] == []


def test_who_may_name_roles_does() -> None:
    """The exceptions are no longer than they must be."""
    names = {module.name for module in shop_modules()}
    assert set(permits.MAY_NAME_ROLES) <= names


# Planted: each breach is found.


def test_a_permission_without_a_grant_is_caught_and_guards_no_view() -> None:
    (sentence,) = permits.without_grant([Planted.FLY], GRANTS)
    assert sentence.startswith("kites:kite:fly is held by nobody")
    assert list(permits.without_grant([Planted.FLY], {"kites:kite:fly": ()}))
    with pytest.raises(LookupError, match="kites:kite:fly"):
        permitted(Planted.FLY)


def test_a_row_that_grants_nothing_is_caught() -> None:
    assert list(permits.of_nothing([], {"kites:kite:fly": (Role.KEEPER,)}))


def test_a_permission_nobody_asks_for_is_caught() -> None:
    assert list(permits.unused([Planted.FLY], shop_modules()))
    listed = parsed("MAY = Planted.FLY\n", "shop.kites.feature")
    assert list(permits.unused([Planted.FLY], [listed])), "to list it is not to ask for it"
    assert list(permits.unused([Planted.FLY], [parsed("@permitted(Planted.FLY)\ndef fly(actor): ...\n")])) == []


def test_a_permission_of_another_form_is_caught() -> None:
    class Odd(Permission):
        SHORT = "kites:fly", "Fly a kite"
        SILENT = "kites:kite:sell", ""

    assert len(list(permits.ill_formed(Odd))) == 2


@pytest.mark.parametrize(
    "source",
    [
        "@staff_only('keeper')\ndef desk(actor): ...\n", "if 'operator' in actor.roles: ...\n", "ROLES = ('merchant_owner', 'finance')\n",
        "held = sa.select(RoleGrant).where(RoleGrant.role == Role.OPERATOR)\n", "may = accounts.Role.MERCHANT_CLERK in roles\n",
    ],
)  # fmt: skip
def test_a_view_that_names_a_role_is_caught(source: str) -> None:
    assert list(permits.names_a_role(parsed(source)))
    assert list(permits.names_a_role(parsed(source, "shop.platform.grants"))) == []


def test_what_is_no_role_may_be_named() -> None:
    assert list(permits.names_a_role(parsed("role = Role(row.role)\nrole: Role\nkeeper_id = 1\nwords = 'the keeper of a point'\n"))) == []


def test_two_features_that_list_the_same_permission_are_refused() -> None:
    with pytest.raises(ValueError, match="permission kites:kite:fly"):
        Registry().fill((Feature(name="a", permissions=Planted), Feature(name="b", permissions=Planted)))
