"""From what lies in a cart to the terms of a purchase. Pure: the caller has read everything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from shop.cart.rules import CartBlock, CartItem, CartView, Present
from shop.checkout.errors import BelowMinimum, CartEmpty, NotDeliveredHere, PriceChanged
from shop.kernel.money import Money
from shop.orders.terms import LineTerms, SubOrderTerms, Terms
from shop.stock.errors import StockShortage

QUOTE_TTL = timedelta(minutes=10)
# A card payment must be finished within this time; the provider's page closes then. Its own least is 30 minutes.
PAY_WITHIN = timedelta(minutes=31)


def terms_of(cart: CartView) -> Terms:
    """What ordering the whole cart means. Raises `CartEmpty`, `StockShortage`, `NotDeliveredHere`, `BelowMinimum`."""
    if not cart.blocks:
        raise CartEmpty()
    short = [item for item in cart.items if not item.is_on_sale or item.quantity > item.available]
    if short:
        raise StockShortage(details=[{"variant_code": item.code, "available": item.orderable} for item in short])
    if elsewhere := [item.code for item in cart.items if item.cycle_id is None]:
        raise NotDeliveredHere(variants=elsewhere)
    if below := [block for block in cart.blocks if block.missing_to_minimum]:
        raise BelowMinimum(
            shops=[{"merchant": block.merchant.merchant_code, "missing_minor": block.missing_to_minimum.fen} for block in below]
        )
    return Terms(tuple(_sub_order(block) for block in cart.blocks))


def check_still_so(terms: Terms, present: Mapping[int, Present]) -> None:
    """Everything is still sold, at the price and fee that was shown. Raises `StockShortage`, `PriceChanged`."""
    if gone := [line.code for line in terms.lines if not present[line.variant_id].is_on_sale]:
        raise StockShortage(details=[{"variant_code": code, "available": 0} for code in gone])
    goods = Money.total(present[line.variant_id].price * line.quantity for line in terms.lines)
    fees = Money.total(present[part.lines[0].variant_id].fee for part in terms.sub_orders)
    if fees != terms.fee_total or any(present[line.variant_id].price != line.unit_price for line in terms.lines):
        raise PriceChanged(total_minor=(goods + fees).fen)


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
