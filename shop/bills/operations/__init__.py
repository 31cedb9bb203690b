"""What can be done about bills. Saved accounts, paying, and sending: one module each, all names here."""

from shop.bills.operations.accounts import ask, record_answer, remove_account, rename_account, save_account
from shop.bills.operations.payments import Wish, drop_unpaid, give_up, pay, pay_together, take_card_money
from shop.bills.operations.restored import doubt_unsent
from shop.bills.operations.sending import Call, ask_again, begin, finish, return_unsent

__all__ = [
    "Call",
    "Wish",
    "ask",
    "ask_again",
    "begin",
    "doubt_unsent",
    "drop_unpaid",
    "finish",
    "give_up",
    "pay",
    "pay_together",
    "record_answer",
    "remove_account",
    "rename_account",
    "return_unsent",
    "save_account",
    "take_card_money",
]
