"""Amounts as the card provider states them, and what its movements in another currency are in ours.

The account may settle in another currency than people pay in. The books are kept in yuan: what the buyer's side says counts, and
only the provider's own figures turn one into the other. What they do not explain is not booked. Worked figures:
docs/algorithms/provider-money.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from shop.kernel.money import CURRENCY, ZERO, Money, divide_half_up

WITHOUT_DECIMALS = frozenset({
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF",
})  # fmt: skip
WITH_THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
ROUNDED_RATE = 100_000
"""The provider writes rates with six digits: amounts may differ by one in so many from what the rate makes of each other."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """An amount that is not in yuan: a whole number of the smallest unit of its currency. Never counted together with `Money`."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"amounts are whole numbers of the smallest unit, got {self.minor!r}")
        if self.currency == CURRENCY or self.currency != self.currency.upper():
            raise ValueError(f"{self.currency!r} is no foreign currency")


Amount = Money | Foreign


def amount_of(minor: int, currency: str) -> Amount:
    """What an integer of the provider is, given the currency it comes with: the only way from one to `Money`."""
    currency = currency.upper()
    return Money(minor) if currency == CURRENCY else Foreign(minor, currency)


def currency_of(amount: Amount) -> str:
    return CURRENCY if isinstance(amount, Money) else amount.currency


def minor_of(amount: Amount) -> int:
    """The number alone, for the place where its currency is written beside it."""
    return amount.fen if isinstance(amount, Money) else amount.minor


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement on our account at the provider, in the currency the account settles in.

    `amount` is signed, `fee` is what it cost (negative: given back), both in one currency. `source` is what moved on the buyer's
    side, without a sign; `rate` what one unit of the source's currency was worth, as the provider wrote it.
    """

    provider_ref: str
    amount: Amount
    fee: Amount
    source: Amount
    rate: str | None = None

    @property
    def booked(self) -> Money | None:
        """What it is in yuan, signed; None where the provider's figures do not say."""
        if isinstance(self.amount, Money):
            return self.amount
        if not self.amount.minor:
            return ZERO
        if self._worth is None or not isinstance(self.source, Money):
            return None
        return self.source if self.amount.minor > 0 else -self.source

    @property
    def booked_fee(self) -> Money | None:
        """What the fee is in yuan, half up; None where the provider's figures do not say."""
        if isinstance(self.fee, Money):
            return self.fee
        if not self.fee.minor:
            return ZERO
        worth = self._worth
        return None if worth is None else Money(divide_half_up(self.fee.minor * worth.denominator, worth.numerator))

    @property
    def _worth(self) -> Fraction | None:
        """What one fen is in the smallest unit of the settlement. The rate, if it explains the two amounts; without one, they do."""
        if isinstance(self.amount, Money) or not isinstance(self.source, Money):
            return None
        settled, paid, shift = abs(self.amount.minor), self.source.fen, decimals_of(self.amount.currency) - decimals_of(CURRENCY)
        if self.rate is None:
            return Fraction(settled, paid) if settled and paid > 0 else None
        stated = Fraction(self.rate)
        if not settled:  # a fee alone
            return stated if stated > 0 and not shift else None
        # Written between whole units or between smallest ones: the same where both have as many decimals.
        for worth in (stated, stated * Fraction(10) ** shift):
            if worth > 0 and abs(worth * paid - settled) <= 1 + Fraction(settled, ROUNDED_RATE):
                return worth
        return None


def decimals_of(currency: str) -> int:
    """How many decimals the provider counts in a currency's smallest unit."""
    return 0 if currency in WITHOUT_DECIMALS else 3 if currency in WITH_THREE_DECIMALS else 2


@dataclass(frozen=True, slots=True)
class Dispute:
    """A buyer's bank that questions a payment, and what it has moved so far; nothing when it only asks."""

    provider_ref: str
    intent: str | None
    movements: tuple[Movement, ...] = ()
