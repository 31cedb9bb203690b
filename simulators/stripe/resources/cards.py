"""Stripe's published test cards and test payment methods, and how each behaves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Decline:
    """Why the bank said no, in the words of the API."""

    code: str
    decline_code: str | None
    message: str
    # What the bank advises to do next; it says nothing about most declines.
    advice_code: str | None = None


GENERIC = Decline("card_declined", "generic_decline", "Your card was declined.")
INSUFFICIENT = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.", "try_again_later")
LOST = Decline("card_declined", "lost_card", "Your card was declined.", "do_not_try_again")
STOLEN = Decline("card_declined", "stolen_card", "Your card was declined.", "do_not_try_again")
EXPIRED = Decline("expired_card", None, "Your card has expired.", "confirm_card_data")
CVC = Decline("incorrect_cvc", None, "Your card's security code is incorrect.", "confirm_card_data")
PROCESSING = Decline(
    "processing_error", None, "An error occurred while processing your card. Try again in a little bit.", "try_again_later"
)


@dataclass(frozen=True)
class TestCard:
    """A card number that means something."""

    number: str
    brand: str = "visa"
    decline: Decline | None = None
    authenticate: bool = False
    # What happens after success: "dispute", "inquiry", "refund_pending" or "refund_fails".
    afterwards: str | None = None

    @property
    def last4(self) -> str:
        """The only part of a number that is ever kept."""
        return self.number[-4:]


SUCCESS = TestCard("4242424242424242")

METHODS: dict[str, TestCard] = {
    "pm_card_visa": SUCCESS,
    "pm_card_visa_debit": TestCard("4000056655665556"),
    "pm_card_mastercard": TestCard("5555555555554444", "mastercard"),
    "pm_card_unionpay": TestCard("6200000000000005", "unionpay"),
    "pm_card_amex": TestCard("378282246310005", "amex"),
    "pm_card_visa_chargeDeclined": TestCard("4000000000000002", decline=GENERIC),
    "pm_card_chargeDeclined": TestCard("4000000000000002", decline=GENERIC),
    "pm_card_visa_chargeDeclinedInsufficientFunds": TestCard("4000000000009995", decline=INSUFFICIENT),
    "pm_card_chargeDeclinedInsufficientFunds": TestCard("4000000000009995", decline=INSUFFICIENT),
    "pm_card_visa_chargeDeclinedLostCard": TestCard("4000000000009987", decline=LOST),
    "pm_card_visa_chargeDeclinedStolenCard": TestCard("4000000000009979", decline=STOLEN),
    "pm_card_chargeDeclinedExpiredCard": TestCard("4000000000000069", decline=EXPIRED),
    "pm_card_chargeDeclinedIncorrectCvc": TestCard("4000000000000127", decline=CVC),
    "pm_card_chargeDeclinedProcessingError": TestCard("4000000000000119", decline=PROCESSING),
    "pm_card_authenticationRequiredOnSetup": TestCard("4000002500003155", authenticate=True),
    "pm_card_authenticationRequired": TestCard("4000002760003184", authenticate=True),
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": TestCard("4000008260003178", decline=INSUFFICIENT, authenticate=True),
    "pm_card_threeDSecure2Required": TestCard("4000000000003220", authenticate=True),
    "pm_card_threeDSecureRequiredChargeDeclined": TestCard("4000008400001629", decline=GENERIC, authenticate=True),
    "pm_card_createDispute": TestCard("4000000000000259", afterwards="dispute"),
    "pm_card_createDisputeInquiry": TestCard("4000000000001976", afterwards="inquiry"),
    "pm_card_pendingRefund": TestCard("4000000000007726", afterwards="refund_pending"),
    "pm_card_refundFail": TestCard("4000000000005126", afterwards="refund_fails"),
}

NUMBERS: dict[str, TestCard] = {card.number: card for card in METHODS.values()}


def passes_luhn(number: str) -> bool:
    """The check digit every card number ends with."""
    total = 0
    for position, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
