"""The rules about permissions that a syntax tree can show. Each check gives back sentences, none when the rule is kept."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from shop.models.accounts import Role
from shop.platform.permissions import Permission
from tests.architecture.syntax import Module, dotted, where

FORM = re.compile(r"[a-z_]+:[a-z_]+:[a-z_]+")
ROLE_VALUES = frozenset(role.value for role in Role)
MAY_NAME_ROLES: Mapping[str, str] = {
    "shop.models.accounts": "lists them", "shop.platform.grants": "is the table", "shop.accounts.rules": "says where each is held",
    "shop.consoles.admin.deeds": "has a word for each",
}  # fmt: skip
"""Who may name a role, and why. Everybody else names a permission."""


def ill_formed(permissions: Iterable[Permission]) -> Iterator[str]:
    """A permission is `area:thing:verb`, and says what it is."""
    for permission in permissions:
        if not FORM.fullmatch(permission.value):
            yield f"{permission.value} is not area:thing:verb"
        if not permission.words:
            yield f"{permission.value} does not say what it is"


def without_grant(permissions: Iterable[Permission], grants: Mapping[str, Collection[Role]]) -> Iterator[str]:
    """Somebody holds every permission."""
    for permission in permissions:
        if not grants.get(permission.value):
            yield f"{permission.value} is held by nobody; write a row in shop/platform/grants.py"


def of_nothing(permissions: Iterable[Permission], grants: Mapping[str, Collection[Role]]) -> Iterator[str]:
    """Every row grants a permission that a feature lists."""
    for code in sorted(set(grants) - {permission.value for permission in permissions}):
        yield f"the row {code} grants what no feature lists in its permissions.py"


def unused(permissions: Iterable[Permission], modules: Iterable[Module]) -> Iterator[str]:
    """Every permission is asked for somewhere."""
    named = {
        tuple(dotted(node).split(".")[-2:])
        for module in modules
        if not module.name.endswith((".permissions", ".feature"))
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
    }
    for permission in permissions:
        if (type(permission).__name__, permission.name) not in named:
            yield f"nobody asks for {permission.value}; ask for it or take it away"


def names_a_role(module: Module) -> Iterator[str]:
    """What may be done hangs on a permission, never on the name of a role."""
    if module.name in MAY_NAME_ROLES:
        return
    for node in ast.walk(module.tree):
        member = dotted(node).rpartition("Role.")[2] if isinstance(node, ast.Attribute) else ""
        is_member = member in Role.__members__ and dotted(node).endswith(f"Role.{member}")
        is_value = isinstance(node, ast.Constant) and node.value in ROLE_VALUES
        if is_member or is_value:
            yield f"{where(module, node)} names the role {member or getattr(node, 'value', '')}; name a permission"
