"""Why a bill is not looked up or not paid. Each sentence says whether money moved."""

from __future__ import annotations

from shop.kernel.errors import Invalid, NotFound, ShopError, TooManyAttempts, sentence


class BillerNotFound(NotFound):
    code, field = "biller_not_found", "biller"
    message = sentence("We do not work with this biller.")


class AccountNotFound(NotFound):
    code = "bill_account_not_found"
    message = sentence("This account is not on your list.")


class UnknownAccount(NotFound):
    """The biller does not know the number. Nothing else is said about it, and nothing of it is kept."""

    code = "unknown_account"
    message = sentence("The biller does not know this number. Please compare it with your last bill.")


class BillerSilent(ShopError):
    code, status = "biller_silent", 503
    message = sentence(
        "The biller does not answer just now. Nothing was paid and nothing was changed; it is asked again from %(until)s on."
    )


class BillPaymentNotFound(NotFound):
    code = "bill_payment_not_found"
    message = sentence("There is no such bill payment.")


class MalformedAccountNumber(Invalid):
    code, field = "malformed_account_number", "account_no"
    message = sentence("That is not how a number of this biller looks. Please compare it with your bill.")


class AccountNumberMissing(Invalid):
    code, field = "account_number_missing", "account_no"
    message = sentence("Please enter the number first.")


class MalformedMobileNumber(Invalid):
    code, field = "malformed_mobile_number", "account_no"
    message = sentence("A mobile number has 11 digits. Please look at it once more.")


class TooManyLookUps(TooManyAttempts):
    code = "too_many_look_ups"
    message = sentence("This number was looked up %(limit)s times today. Please try again tomorrow.")


class TooManyNumbers(TooManyAttempts):
    code = "too_many_numbers"
    message = sentence("You have looked up %(limit)s different numbers today. Please try again tomorrow.")


class NothingChosen(Invalid):
    code, field = "nothing_chosen", "bill_ids"
    message = sentence("Please choose what to pay.")


class BillsOfSeveralAccounts(Invalid):
    code, field = "bills_of_several_accounts", "bill_ids"
    message = sentence("Bills of several accounts are paid one account at a time. Nothing was paid.")


class OlderBillDue(ShopError):
    code, field = "older_bill_due", "bill_ids"
    message = sentence("The oldest period has to be paid first. Nothing was paid.")


class BillNotDue(ShopError):
    code = "bill_not_due"
    message = sentence("This bill is already paid, or the biller no longer asks for it. Nothing was paid.")


class AmountNotSold(Invalid):
    code, field = "amount_not_sold", "amount_minor"
    message = sentence("The biller does not sell this amount. Nothing was paid.")


class FiguresTooOld(ShopError):
    """The figures were asked for too long ago to pay by them; ask again, look, then pay."""

    code = "figures_too_old"
    message = sentence("These figures are more than five minutes old. Nothing was paid; please look at the new ones first.")


class FiguresChanged(ShopError):
    """What is due is not what the person saw; `total_minor` says what it is now."""

    code = "figures_changed"
    message = sentence("The amount is now ¥%(total)s, not what you saw. Nothing was paid; please look again first.")


class AlreadyBeingPaid(ShopError):
    code = "already_being_paid"
    message = sentence("A payment for this account is already on its way. Nothing more was paid; its result comes first.")
