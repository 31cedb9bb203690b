"""What can be done to applications and shops. Drafting, papers, deciding, suspending: one module each, all names here."""

from shop.onboarding.operations.deciding import approve, ask, decline
from shop.onboarding.operations.drafting import About, answer, choose_kind, choose_points, describe, register, submit, withdraw
from shop.onboarding.operations.handing_in import add_paper, reveal, take_away, tidy
from shop.onboarding.operations.reminding import remind, renew
from shop.onboarding.operations.suspending import restore, suspend

__all__ = [
    "About",
    "add_paper",
    "answer",
    "approve",
    "ask",
    "choose_kind",
    "choose_points",
    "decline",
    "describe",
    "register",
    "remind",
    "renew",
    "restore",
    "reveal",
    "submit",
    "suspend",
    "take_away",
    "tidy",
    "withdraw",
]
