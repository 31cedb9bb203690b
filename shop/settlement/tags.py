"""What settlement puts on record: each kind of deed, and what it is called."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.audit import Tag


class Done(Tag):
    PAYMENT_SUCCEEDED = "payment.succeeded", sentence("Payment received")
    PAYMENT_RETURNED = "payment.returned", sentence("Late payment sent back")
    PAYMENT_AMOUNT_MISMATCH = "payment.amount_mismatch", sentence("The wrong amount arrived")
    PAYMENT_MISMATCH_KEPT = "payment.mismatch_kept", sentence("The wrong amount could not be sent back")
    PAYMENT_BOOKED_BY_HAND = "payment.booked_by_hand", sentence("What moved at the card provider booked by hand")
    PAYMENT_DISPUTED = "payment.disputed", sentence("Payment disputed at the bank")
    REFUND_MADE_BY_PROVIDER = "refund.made_by_provider", sentence("Given back at the provider's side")
    REFUND_PLANNED_ANEW = "refund.planned_anew", sentence("Refund planned anew")
    REFUND_UNCOVERED = "refund.uncovered", sentence("Given back from nobody's money")
    REFUND_SENT_AGAIN = "refund.sent_again", sentence("Refund sent again")
    REFUND_TRANSFERRED = "refund.transferred", sentence("Refund transferred by hand")


SUBJECTS = {
    "payment": sentence("Payment"),
}
"""What deeds are done to."""
