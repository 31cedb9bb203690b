"""What staff may be permitted to do with people."""

from __future__ import annotations

from shop.platform.permissions import Permission


class AccountPermission(Permission):
    ROLE_GRANT = "people:role:grant", "Give people roles, and take them away"
    SECOND_FACTOR_RESET = "people:second_factor:reset", "Give somebody a new authenticator who lost theirs"
    MEMBER_WRITE = "people:member:write", "See who works at one's shop, let people in as clerks and end that"
    PHONE_SEARCH = "people:phone:search", "Find a person by their mobile number"
