"""What can be done to accounts. Codes, sessions, people, identity, roles: one module each, all names here."""

from shop.accounts.operations.codes import check_code, request_code
from shop.accounts.operations.identity import verify
from shop.accounts.operations.members import add_member, remove_member
from shop.accounts.operations.people import choose_point, rename, set_preferences
from shop.accounts.operations.restored import close_doors
from shop.accounts.operations.roles import Enrolment, Granted, grant_role, reset_second_factor, revoke_role, set_up_second_factor
from shop.accounts.operations.sessions import Tokens, confirm_second_factor, forget_old, refresh, revoke, revoke_all, sign_in, sign_out

__all__ = [
    "Enrolment",
    "Granted",
    "Tokens",
    "add_member",
    "check_code",
    "choose_point",
    "close_doors",
    "confirm_second_factor",
    "forget_old",
    "grant_role",
    "refresh",
    "remove_member",
    "rename",
    "request_code",
    "reset_second_factor",
    "revoke",
    "revoke_all",
    "revoke_role",
    "set_preferences",
    "set_up_second_factor",
    "sign_in",
    "sign_out",
    "verify",
]
