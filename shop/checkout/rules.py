"""From what lies in a cart to the terms of a purchase. Pure: the caller has read everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shop.cart.rules import CartBlock, CartItem, CartView, Present
from shop.checkout.errors import BelowMinimum, CartEmpty, NotDeliveredHere, NothingChosen, PriceChanged
from shop.kernel.money import Money
from shop.orders.terms import LineTerms, SubOrderTerms, Terms, priced
from shop.stock.errors import StockShortage

QUOTE_TTL = timedelta(minutes=10)
# A card payment must be finished within this time; the provider's page closes then. Its own least is 30 minutes.
PAY_WITHIN = timedelta(minutes=31)


def terms_of(cart: CartView, moment: datetime) -> Terms:
    """What ordering what is ticked in a cart at a moment means.

    Raises `CartEmpty`, `NothingChosen`, `StockShortage`, `NotDeliveredHere`, `BelowMinimum`.
    """
    if not cart.blocks:
        raise CartEmpty()
    cart = cart.of_chosen()
    if not cart.blocks:
        raise NothingChosen()
    short = [item for item in cart.items if not item.is_on_sale or item.quantity > item.available]
    if short:
        raise StockShortage(details=[{"variant_code": item.code, "available": item.orderable} for item in short])
    if elsewhere := [item.code for item in cart.items if item.cycle_id is None]:
        raise NotDeliveredHere(variants=elsewhere)
    if below := cart.too_small:
        raise BelowMinimum(
            shops=[{"merchant": block.merchant.merchant_code, "missing_minor": block.missing_to_minimum.fen} for block in below]
        )
    return priced(tuple(_sub_order(block) for block in cart.blocks), cart.offers, moment)


def at_present(terms: Terms, present: Mapping[int, Present], quoted_at: datetime) -> Terms:
    """The terms at the prices and fees of this moment, none of them above what was shown. Raises `StockShortage`, `PriceChanged`.

    What was shown is a promise: dearer asks again, cheaper is simply charged less. Offers count as they did when they were shown; where
    lower prices no longer reach one and the sum is higher for it, that is dearer.
    """
    if gone := [line.code for line in terms.lines if not present[line.variant_id].is_on_sale]:
        raise StockShortage(details=[{"variant_code": code, "available": 0} for code in gone])
    now = priced(tuple(_part_at_present(part, present) for part in terms.sub_orders), terms.offers, quoted_at)
    dearer = any(after.unit_price > before.unit_price for before, after in zip(terms.lines, now.lines, strict=True))
    dearer = dearer or any(after.fee > before.fee for before, after in zip(terms.sub_orders, now.sub_orders, strict=True))
    if dearer or now.total > terms.total:
        raise PriceChanged(total_minor=now.total.fen)
    return now


def _part_at_present(part: SubOrderTerms, present: Mapping[int, Present]) -> SubOrderTerms:
    lines = tuple(replace(line, unit_price=present[line.variant_id].price) for line in part.lines)
    return replace(part, lines=lines, fee=present[part.lines[0].variant_id].fee)


class ChangeKind(StrEnum):
    """What is different between an offer somebody looked at and the one of now."""

    PRICE = "price"
    QUANTITY = "quantity"
    GONE = "gone"
    NEW = "new"
    DELIVERY = "delivery"
    FEE = "fee"
    DISCOUNT = "discount"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: of which goods or shop, and from what to what (prices and fees, quantities, or when it can be collected)."""

    kind: ChangeKind
    name_zh: str
    name_en: str
    before: Money | int | datetime | None = None
    after: Money | int | datetime | None = None

    @property
    def is_better(self) -> bool:
        """Whether nobody would mind: it costs less, or more comes off."""
        if self.kind is ChangeKind.DISCOUNT:
            return isinstance(self.before, Money) and isinstance(self.after, Money) and self.after > self.before
        return isinstance(self.before, Money) and isinstance(self.after, Money) and self.after < self.before


def changes(before: Terms, after: Terms) -> list[Change]:
    """What is different now, goods first in their order, then deliveries and fees; nothing when both say the same."""
    was, now = {line.variant_id: line for line in before.lines}, {line.variant_id: line for line in after.lines}
    found = [Change(ChangeKind.GONE, line.name_zh, line.name_en) for kind, line in was.items() if kind not in now]
    for kind, line in now.items():
        old = was.get(kind)
        if old is None:
            found.append(Change(ChangeKind.NEW, line.name_zh, line.name_en))
            continue
        if old.unit_price != line.unit_price:
            found.append(Change(ChangeKind.PRICE, line.name_zh, line.name_en, old.unit_price, line.unit_price))
        if old.quantity != line.quantity:
            found.append(Change(ChangeKind.QUANTITY, line.name_zh, line.name_en, old.quantity, line.quantity))
    shops = {part.merchant_id: part for part in before.sub_orders}
    for part in after.sub_orders:
        old_part = shops.get(part.merchant_id)
        if old_part is None:
            continue
        names = (part.merchant_name_zh, part.merchant_name_en)
        if old_part.arrives_at != part.arrives_at:
            found.append(Change(ChangeKind.DELIVERY, *names, old_part.arrives_at, part.arrives_at))
        if old_part.fee != part.fee:
            found.append(Change(ChangeKind.FEE, *names, old_part.fee, part.fee))
    if before.discount != after.discount:
        found.append(Change(ChangeKind.DISCOUNT, "", "", before.discount, after.discount))
    return found


def _sub_order(block: CartBlock) -> SubOrderTerms:
    facts = block.merchant
    assert facts.cycle_id is not None
    assert facts.arrives_on is not None
    assert facts.arrives_at is not None
    assert facts.cut_off_at is not None
    return SubOrderTerms(
        merchant_id=facts.merchant_id, merchant_code=facts.merchant_code, merchant_name_zh=facts.merchant_name_zh,
        merchant_name_en=facts.merchant_name_en, commission_bps=facts.commission_bps, cycle_id=facts.cycle_id,
        arrives_on=facts.arrives_on, arrives_at=facts.arrives_at, cut_off_at=facts.cut_off_at, fee=block.fee,
        lines=tuple(_line(item) for item in block.items),
    )


def _line(item: CartItem) -> LineTerms:
    return LineTerms(
        variant_id=item.variant_id, product_id=item.product_id, code=item.code, slug=item.slug, name_zh=item.name_zh, name_en=item.name_en,
        unit_zh=item.label_zh, unit_en=item.label_en, image=item.image or "", quantity=item.quantity, unit_price=item.price,
        priced_by=item.priced_by, unit_grams=item.unit_grams, is_returnable_within_7_days=item.is_returnable_within_7_days,
    )
