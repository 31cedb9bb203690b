"""Who may do what: every permission and the roles that hold it. Reviewed from top to bottom; nothing else in the shop names a role.

A role at a shop or a point holds its permissions there and nowhere else; operators, finance and auditors hold theirs in the whole city.
A row more is a right more: see docs/operations/permissions.md. `flask permissions` shows the same with the doors each opens.
"""

from __future__ import annotations

from collections.abc import Mapping

from shop.models.accounts import Role
from shop.platform.permissions import Permission

OWNER, CLERK, KEEPER = Role.MERCHANT_OWNER, Role.MERCHANT_CLERK, Role.KEEPER
OPERATOR, FINANCE, AUDITOR = Role.OPERATOR, Role.FINANCE, Role.AUDITOR

GRANTS: Mapping[str, tuple[Role, ...]] = {
    # At a shop
    "orders:shop:read": (OWNER, CLERK),
    "orders:shop:pack": (OWNER, CLERK),
    "orders:shop:decline": (OWNER, CLERK),
    "orders:shop:send": (OWNER, CLERK),
    "orders:return:receive": (OWNER, CLERK),
    "stock:shelf:read": (OWNER, CLERK),
    "stock:count:write": (OWNER, CLERK),
    "stock:count:take_back": (OWNER, CLERK),
    "stock:low:write": (OWNER, CLERK),
    "catalog:price:read": (OWNER, CLERK),
    "catalog:price:write": (OWNER,),
    "catalog:goods:write": (OWNER,),
    "imports:sheet:read": (OWNER, CLERK),
    "imports:sheet:write": (OWNER, CLERK),
    "settlement:statement:read": (OWNER,),
    "statistics:shop:read": (OWNER,),
    "people:member:write": (OWNER,),
    "reviews:shop:read": (OWNER, CLERK),
    "reviews:answer:write": (OWNER, CLERK),
    # At a pick-up point
    "counter:point:read": (KEEPER,),
    "counter:pass:find": (KEEPER,),
    "counter:shelf:clear": (KEEPER,),
    "orders:arrival:receive": (KEEPER,),
    "orders:pass:hand_over": (KEEPER,),
    "orders:pass:take_back": (KEEPER,),
    "pickup:pass:extend": (KEEPER,),
    # In a community: at the point they keep, keepers write for its community; operators for all
    "bulletin:desk:read": (KEEPER, OPERATOR, AUDITOR),
    "bulletin:notice:write": (KEEPER, OPERATOR),
    "bulletin:notice:publish": (OPERATOR,),
    # In the city: who may sell
    "onboarding:application:read": (OPERATOR, AUDITOR),
    "onboarding:application:decide": (OPERATOR,),
    "onboarding:paper:reveal": (OPERATOR,),
    "onboarding:shop:read": (OPERATOR, AUDITOR),
    "onboarding:licence:write": (OPERATOR,),
    "onboarding:shop:suspend": (OPERATOR,),
    # In the city: what people say of goods
    "reviews:queue:read": (OPERATOR, AUDITOR),
    "reviews:report:decide": (OPERATOR,),
    # In the city: to look
    "operations:today:read": (OPERATOR, FINANCE, AUDITOR),
    "operations:health:read": (OPERATOR, FINANCE, AUDITOR),
    "operations:partner:read": (OPERATOR, FINANCE, AUDITOR),
    "operations:job:read": (OPERATOR, FINANCE, AUDITOR),
    "operations:audit:read": (OPERATOR, FINANCE, AUDITOR),
    "people:phone:search": (OPERATOR, FINANCE, AUDITOR),
    "bills:case:read": (OPERATOR, FINANCE, AUDITOR),
    "overdue:order:read": (OPERATOR, FINANCE, AUDITOR),
    "orders:city:read": (OPERATOR, FINANCE, AUDITOR),
    "orders:refund:read": (OPERATOR, FINANCE, AUDITOR),
    # In the city: to act
    "operations:job:retry": (OPERATOR,),
    "operations:partner:ask": (OPERATOR,),
    "people:role:grant": (OPERATOR,),
    "people:second_factor:reset": (OPERATOR,),
    "bills:biller:ask": (OPERATOR,),
    "overdue:order:end": (OPERATOR,),
    # In the city: money that goes back
    "orders:refund:give": (OPERATOR, FINANCE),
    "orders:refund:propose": (OPERATOR, FINANCE),
    "orders:refund:decide": (OPERATOR, FINANCE),
    "orders:refund:send_again": (OPERATOR, FINANCE),
    "orders:refund:cover": (OPERATOR, FINANCE),
}


def holders(permission: Permission) -> tuple[Role, ...]:
    """The roles that hold a permission. Raises `LookupError` for one that no row grants: nobody could ever do it."""
    if permission not in GRANTS:
        raise LookupError(f"nobody holds {permission.value}; write a row in shop/platform/grants.py")
    return GRANTS[permission]
