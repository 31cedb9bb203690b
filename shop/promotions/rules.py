"""What goods cost: their list price, less what offers take off, shared exactly over lines. docs/algorithms/pricing.md works it out.

Pure. Carts, offers, orders, weighing and refunds all ask here, or read what was frozen from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from shop.kernel.money import ZERO, Money, share
from shop.kernel.once import once
from shop.models.promotions import Funder, OfferKind

FEN = Money(1)


@dataclass(frozen=True, slots=True)
class Line:
    """So many units of one variant at its list price."""

    variant_id: int
    merchant_id: int
    quantity: int
    unit_price: Money

    @property
    def list_total(self) -> Money:
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class Offer:
    """A step of an offer: `at_least` units (of a ladder) or fen (of a threshold), and `off` comes off: every unit, or once.

    Goods of `merchant_id` count, or of all; the caller has left out offers of other communities.
    """

    id: int
    kind: OfferKind
    funder: Funder
    merchant_id: int | None
    variant_id: int | None
    at_least: int
    off: Money
    name_zh: str
    name_en: str
    starts_at: datetime
    ends_at: datetime

    def holds_at(self, moment: datetime) -> bool:
        return self.starts_at <= moment < self.ends_at

    @property
    def threshold(self) -> Money:
        """What the goods must be worth; of a threshold only."""
        return Money(self.at_least)


@dataclass(frozen=True, slots=True)
class Share:
    """What one offer takes off one line, and who goes without it."""

    offer_id: int
    funder: Funder
    amount: Money


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line with what comes off it, in the order it was worked out."""

    line: Line
    shares: tuple[Share, ...] = ()

    @property
    def discount(self) -> Money:
        return discount_of(self.shares)

    @property
    def paid_total(self) -> Money:
        """What is owed for it. Priced by weight, the most that can be."""
        return self.line.list_total - self.discount


@dataclass(frozen=True, slots=True)
class Nearest:
    """A threshold that is not reached: so much more, and it takes more off than what applies now."""

    offer: Offer
    missing: Money


@dataclass(frozen=True)
class Terms:
    """What goods cost together. `applied` are the offers that took something off, `nearest` those that a little more would bring."""

    lines: tuple[PricedLine, ...]
    applied: tuple[Offer, ...] = ()
    nearest: tuple[Nearest, ...] = ()

    @once
    def list_total(self) -> Money:
        return Money.total(priced.line.list_total for priced in self.lines)

    @once
    def discount(self) -> Money:
        return Money.total(priced.discount for priced in self.lines)

    @once
    def paid_total(self) -> Money:
        return self.list_total - self.discount


def price(lines: Sequence[Line], offers: Iterable[Offer], moment: datetime) -> Terms:
    """What `lines` cost at `moment`: each variant in one line.

    First every line's ladder, then each merchant's own threshold on what is left of its goods, then the platform's on what is left
    of all: of each the step that takes most off. Shares go over lines by largest remainder, in proportion to what is left of each; a
    basket never costs nothing.
    """
    live = sorted((offer for offer in offers if offer.holds_at(moment)), key=_most_off)
    if not live:
        return Terms(tuple(PricedLine(line) for line in lines))
    basket = _Basket(lines)
    for place, line in enumerate(lines):
        basket.climb(place, line, live)
    nearest = [
        near
        for merchant_id in dict.fromkeys(line.merchant_id for line in lines)
        if (near := basket.reach([offer for offer in live if offer.funder is Funder.MERCHANT and offer.merchant_id == merchant_id]))
    ]
    if near := basket.reach([offer for offer in live if offer.funder is Funder.PLATFORM]):
        nearest.append(near)
    priced = tuple(PricedLine(line, tuple(shares)) for line, shares in zip(lines, basket.shares, strict=True))
    return Terms(priced, tuple(sorted(basket.applied, key=lambda offer: offer.id)), tuple(nearest))


def _most_off(offer: Offer) -> tuple[int, int]:
    """The best first; of equal ones the older."""
    return -offer.off.fen, offer.id


class _Basket:
    """Lines while offers are taken off them, one after the other."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self.left = [line.list_total for line in lines]
        self.shares: list[list[Share]] = [[] for _line in lines]
        self.applied: list[Offer] = []

    def climb(self, place: int, line: Line, live: Sequence[Offer]) -> None:
        """The best step of a line's ladder. A unit never costs nothing."""
        for offer in live:
            if offer.kind is OfferKind.LADDER and offer.variant_id == line.variant_id and offer.at_least <= line.quantity:
                self._take(place, offer, min(offer.off, line.unit_price - FEN) * line.quantity)
                return

    def reach(self, offers: Sequence[Offer]) -> Nearest | None:
        """The best threshold that the goods reach; what the nearest of the better ones still needs."""
        beyond: list[Nearest] = []
        for offer in offers:
            if offer.kind is not OfferKind.THRESHOLD:
                continue
            counted = [place for place, line in enumerate(self.lines) if offer.merchant_id in (None, line.merchant_id)]
            worth = Money.total(self.left[place] for place in counted)
            if worth >= offer.threshold:
                for place, amount in zip(counted, share(offer.off, [self.left[place].fen for place in counted]), strict=True):
                    self._take(place, offer, amount)
                break
            if worth:
                beyond.append(Nearest(offer, offer.threshold - worth))
        return min(beyond, key=lambda near: (near.missing, near.offer.id), default=None)

    def _take(self, place: int, offer: Offer, amount: Money) -> None:
        if amount:
            self.shares[place].append(Share(offer.id, offer.funder, amount))
            self.left[place] -= amount
            if offer not in self.applied:
                self.applied.append(offer)


def discount_of(shares: Iterable[Share]) -> Money:
    """All that comes off."""
    return Money.total(one.amount for one in shares)


def supported(shares: Iterable[Share]) -> Money:
    """What of it the platform pays the merchant."""
    return Money.total(one.amount for one in shares if one.funder is Funder.PLATFORM)


def of_units(amount: Money, quantity: int, units: int) -> Money:
    """The part of `amount` that is the first `units` of `quantity`: each unit's share by largest remainder, the earlier the larger."""
    each, rest = divmod(amount.fen, quantity)
    return Money(each * units + min(units, rest))


def paid_for(unit_price: Money, discount: Money, quantity: int, units: int) -> Money:
    """What was paid for the first `units` of a line: what goes missing goes from the end, so that pieces add up to the whole."""
    return unit_price * units - of_units(discount, quantity, units)


def unit_shares(shares: Sequence[Share], quantity: int) -> list[tuple[Money, ...]]:
    """For each unit of a line what each share takes off it. Units sum to the shares, and no unit is below nothing.

    The shares of a line lie end to end before they are cut into units, so that the odd fen of two do not both fall on the first.
    """
    ends = [ZERO]
    for one in shares:
        ends.append(ends[-1] + one.amount)
    upto = [[of_units(end, quantity, units) for end in ends] for units in range(quantity + 1)]
    return [
        tuple(
            (upto[unit + 1][place + 1] - upto[unit][place + 1]) - (upto[unit + 1][place] - upto[unit][place])
            for place in range(len(shares))
        )
        for unit in range(quantity)
    ]
