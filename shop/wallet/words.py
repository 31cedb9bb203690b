"""Statement entries in plain words."""

from __future__ import annotations

from flask_babel import gettext as _

from shop.models.bills import BillPaymentState
from shop.models.wallet import TransferKind
from shop.platform.language import name_of
from shop.wallet.statements import Entry, SubjectFacts

NOTHING = SubjectFacts()


def headline(entry: Entry, facts: SubjectFacts | None) -> str:
    """With whom, or by what, money moved: the shop, the biller, else what it was."""
    return name_of(facts) if facts is not None and facts.what in {"order", "bill"} else title(entry, None)


def purpose(entry: Entry, facts: SubjectFacts | None) -> str:
    """What it was for, beside the headline; empty where the headline says it all."""
    came_back = entry.amount.fen > 0
    if facts is not None and facts.what == "order":
        return str(_("Refund for the order") if came_back else _("Order"))
    if facts is not None and facts.what == "bill":
        return str(_("Bill payment returned")) if came_back else bill_words(facts.bill_state)
    return ""


def bill_words(state: BillPaymentState | None) -> str:
    """What became of money that went out for a bill. It left the wallet long before anybody knows whether the bill is paid."""
    if state is BillPaymentState.POSTED:
        return str(_("Bill paid"))
    return str(_("Household bill, money returned") if state is BillPaymentState.REFUNDED else _("Household bill, in progress"))


def title(entry: Entry, facts: SubjectFacts | None) -> str:
    """What an entry was, in the reader's language."""
    known = facts or NOTHING
    came_back = entry.amount.fen > 0
    if known.what == "order":
        words = {"number": known.number, "shop": name_of(known)}
        told = _("Refund for order %(number)s at %(shop)s", **words) if came_back else _("Order %(number)s at %(shop)s", **words)
    elif known.what == "bill":
        words = {"biller": name_of(known)}
        told = _("Refund from %(biller)s", **words) if came_back else _("Bill of %(biller)s", **words)
    else:
        told = {
            TransferKind.TOP_UP: _("Top-up by card"),
            TransferKind.OPENING: _("Opening balance"),
            TransferKind.REFUND: _("Refund"),
            TransferKind.BILL_RETURNED: _("Bill payment returned"),
            TransferKind.CORRECTION: _("Correction"),
        }.get(entry.kind, _("Payment"))
    return str(told)
