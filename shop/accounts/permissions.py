"""What staff may be permitted to do with people."""

from __future__ import annotations

from shop.platform.permissions import Permission


class AccountPermission(Permission):
    ROLE_GRANT = "people:role:grant", "Give people roles, and take them away"
    SECOND_FACTOR_RESET = "people:second_factor:reset", "Give somebody a new authenticator who lost theirs"
    PHONE_SEARCH = "people:phone:search", "Find a person by their mobile number"
