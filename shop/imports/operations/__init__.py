"""Bringing a sheet, looking at its rows, deciding about them, applying them."""

from shop.imports.operations.applying import apply_all, apply_some, finish, give_up, note_failed, refuse_all
from shop.imports.operations.bringing import CHECK, bring, drop
from shop.imports.operations.checking import begin, keep_rows, refuse
from shop.imports.operations.deciding import APPLY, decide, say_sure

__all__ = [
    "APPLY",
    "CHECK",
    "apply_all",
    "apply_some",
    "begin",
    "bring",
    "decide",
    "drop",
    "finish",
    "give_up",
    "keep_rows",
    "note_failed",
    "refuse",
    "refuse_all",
    "say_sure",
]
