"""What can be done about bills. Saved accounts, paying, and sending: one module each, all names here."""

from shop.bills.operations.accounts import ask, record_answer, remove_account, rename_account, save_account
from shop.bills.operations.payments import Wish, pay
from shop.bills.operations.sending import Call, ask_again, begin, finish

__all__ = [
    "Call",
    "Wish",
    "ask",
    "ask_again",
    "begin",
    "finish",
    "pay",
    "record_answer",
    "remove_account",
    "rename_account",
    "save_account",
]
