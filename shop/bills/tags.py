"""What bills puts on record: each kind of deed, and what it is called."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.audit import Tag


class Done(Tag):
    BILL_PAYMENT_HELD = "bill_payment.held", sentence("Money taken for a bill")
    BILL_PAYMENT_POSTED = "bill_payment.posted", sentence("Bill paid")
    BILL_PAYMENT_RETURNED = "bill_payment.returned", sentence("Bill not paid, money returned")
    BILL_PAYMENT_HANDED_OVER = "bill_payment.handed_over", sentence("Bill payment handed to a person")
    BILL_PAYMENT_CONTRADICTED = "bill_payment.contradicted", sentence("A biller contradicts itself")
    BILL_PAYMENT_BEGUN_BY_CARD = "bill_payment.begun_by_card", sentence("Bill to be paid by card")
    BILL_PAYMENT_NOT_PAID = "bill_payment.not_paid", sentence("Bill was not paid by card")
    BILL_PAYMENT_DOUBTED = "bill_payment.doubted", sentence("Bill payment asked about first, after a restore")
    BILL_PAYMENT_ASKED_AGAIN = "bill_payment.asked_again", sentence("Biller asked again")


SUBJECTS = {
    "bill_payment": sentence("Payment of a bill"),
}
"""What deeds are done to."""
