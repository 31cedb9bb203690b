"""What will be bought on which terms: made by the checkout, shown to the person, kept with the quote, turned into an order.

Names and prices are frozen here. Kept as a JSON document with fen, grams and UTC times.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from shop.kernel.money import Money
from shop.kernel.once import once
from shop.models.catalog import PricedBy
from shop.models.promotions import Funder, OfferKind
from shop.promotions import rules as pricing
from shop.promotions.rules import Offer, Share

# Sums are asked for by everybody who looks at terms, and terms never change: each is worked out once.


@dataclass(frozen=True, slots=True)
class LineTerms:
    """So many units of one variant at its list price, and what offers take off. Priced by weight, what is paid is the most it can cost."""

    variant_id: int
    product_id: int
    code: str
    slug: str
    name_zh: str
    name_en: str
    unit_zh: str
    unit_en: str
    image: str
    quantity: int
    unit_price: Money
    priced_by: PricedBy
    unit_grams: int
    is_returnable_within_7_days: bool
    shares: tuple[Share, ...] = ()

    @property
    def line_total(self) -> Money:
        return self.unit_price * self.quantity

    @property
    def discount(self) -> Money:
        return pricing.discount_of(self.shares)

    @property
    def paid_total(self) -> Money:
        return self.line_total - self.discount

    @property
    def is_by_weight(self) -> bool:
        return self.priced_by is PricedBy.WEIGHT


@dataclass(frozen=True)
class SubOrderTerms:
    """The lines one merchant sends with one delivery."""

    merchant_id: int
    merchant_code: str
    merchant_name_zh: str
    merchant_name_en: str
    commission_bps: int
    cycle_id: int
    arrives_on: date
    arrives_at: datetime
    cut_off_at: datetime
    fee: Money
    lines: tuple[LineTerms, ...]

    @once
    def goods_total(self) -> Money:
        return Money.total(line.line_total for line in self.lines)

    @once
    def discount(self) -> Money:
        return Money.total(line.discount for line in self.lines)

    @once
    def supported(self) -> Money:
        """What of the discount the platform pays the merchant."""
        return Money.total(pricing.supported(line.shares) for line in self.lines)

    @once
    def total(self) -> Money:
        return self.goods_total + self.fee - self.discount


@dataclass(frozen=True)
class Terms:
    """Everything one purchase would hold, with the offers that take something off it."""

    sub_orders: tuple[SubOrderTerms, ...]
    offers: tuple[Offer, ...] = ()

    @once
    def total(self) -> Money:
        return Money.total(sub_order.total for sub_order in self.sub_orders)

    @once
    def goods_total(self) -> Money:
        return Money.total(sub_order.goods_total for sub_order in self.sub_orders)

    @once
    def fee_total(self) -> Money:
        return Money.total(sub_order.fee for sub_order in self.sub_orders)

    @once
    def discount(self) -> Money:
        return Money.total(sub_order.discount for sub_order in self.sub_orders)

    @once
    def lines(self) -> list[LineTerms]:
        return [line for sub_order in self.sub_orders for line in sub_order.lines]

    @once
    def has_weighed_lines(self) -> bool:
        return any(line.is_by_weight for line in self.lines)

    def as_document(self) -> dict[str, Any]:
        return {
            "sub_orders": [_sub_order_document(sub_order) for sub_order in self.sub_orders],
            "offers": [_offer_document(offer) for offer in self.offers],
        }  # fmt: skip

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Terms:
        return cls(
            tuple(_sub_order_from(item) for item in document["sub_orders"]), tuple(_offer_from(item) for item in document.get("offers", ()))
        )


def priced(parts: tuple[SubOrderTerms, ...], offers: Iterable[Offer], moment: datetime) -> Terms:
    """The terms of these parts at their list prices, with what offers take off at a moment."""
    lines = [pricing.Line(line.variant_id, part.merchant_id, line.quantity, line.unit_price) for part in parts for line in part.lines]
    owed = pricing.price(lines, offers, moment)
    shares = {one.line.variant_id: one.shares for one in owed.lines}
    if owed.applied or any(line.shares for part in parts for line in part.lines):
        parts = tuple(replace(part, lines=tuple(replace(line, shares=shares[line.variant_id]) for line in part.lines)) for part in parts)
    return Terms(parts, owed.applied)


def _sub_order_document(terms: SubOrderTerms) -> dict[str, Any]:
    return {
        "merchant_id": terms.merchant_id, "merchant_code": terms.merchant_code, "merchant_name_zh": terms.merchant_name_zh,
        "merchant_name_en": terms.merchant_name_en, "commission_bps": terms.commission_bps, "cycle_id": terms.cycle_id,
        "arrives_on": terms.arrives_on.isoformat(), "arrives_at": terms.arrives_at.isoformat(), "cut_off_at": terms.cut_off_at.isoformat(),
        "fee": terms.fee.fen, "lines": [_line_document(line) for line in terms.lines],
    }


def _sub_order_from(item: dict[str, Any]) -> SubOrderTerms:
    return SubOrderTerms(
        **{
            **item, "arrives_on": date.fromisoformat(item["arrives_on"]), "arrives_at": datetime.fromisoformat(item["arrives_at"]),
            "cut_off_at": datetime.fromisoformat(item["cut_off_at"]), "fee": Money(item["fee"]),
            "lines": tuple(_line_from(line) for line in item["lines"]),
        }
    )


def _line_document(line: LineTerms) -> dict[str, Any]:
    return {
        "variant_id": line.variant_id, "product_id": line.product_id, "code": line.code, "slug": line.slug, "name_zh": line.name_zh,
        "name_en": line.name_en, "unit_zh": line.unit_zh, "unit_en": line.unit_en, "image": line.image, "quantity": line.quantity,
        "unit_price": line.unit_price.fen, "priced_by": line.priced_by.value, "unit_grams": line.unit_grams,
        "is_returnable_within_7_days": line.is_returnable_within_7_days,
        "shares": [[one.offer_id, one.funder.value, one.amount.fen] for one in line.shares],
    }


def _line_from(item: dict[str, Any]) -> LineTerms:
    shares = tuple(Share(offer_id, Funder(funder), Money(fen)) for offer_id, funder, fen in item.get("shares", ()))
    return LineTerms(**{**item, "unit_price": Money(item["unit_price"]), "priced_by": PricedBy(item["priced_by"]), "shares": shares})


def _offer_document(offer: Offer) -> dict[str, Any]:
    return {
        "id": offer.id, "kind": offer.kind.value, "funder": offer.funder.value, "merchant_id": offer.merchant_id,
        "variant_id": offer.variant_id, "at_least": offer.at_least, "off": offer.off.fen, "name_zh": offer.name_zh,
        "name_en": offer.name_en, "starts_at": offer.starts_at.isoformat(), "ends_at": offer.ends_at.isoformat(),
    }


def _offer_from(item: dict[str, Any]) -> Offer:
    return Offer(
        **{
            **item, "kind": OfferKind(item["kind"]), "funder": Funder(item["funder"]), "off": Money(item["off"]),
            "starts_at": datetime.fromisoformat(item["starts_at"]), "ends_at": datetime.fromisoformat(item["ends_at"]),
        }
    )
