"""From cart to order.

`place_order` is one transaction. What it touches, in the house's order of locks: the cart's lines, new rows for purchase and
payment, the wallet, the deliveries' slots by id, the stock by variant id. Scarce rows come last, so that they are held shortest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.cart import operations as cart
from shop.cart import queries as carts
from shop.cart.rules import CartOwner
from shop.checkout import queries
from shop.checkout.errors import CartChanged, MethodUnavailable, PriceChanged, QuoteExpired
from shop.checkout.queries import PartPlaced, Placed, QuoteFacts
from shop.checkout.rules import PAY_WITHIN, QUOTE_TTL, check_still_so, terms_of
from shop.kernel import clock
from shop.kernel.crash import crashpoint
from shop.kernel.db import operation
from shop.kernel.ids import dated_reference
from shop.kernel.money import Money
from shop.models.checkout import Quote
from shop.models.orders import Channel, PaymentMethod
from shop.models.payments import PaymentPurpose
from shop.orders import operations as orders
from shop.orders.terms import Terms
from shop.payments import operations as payments
from shop.pickup import operations as pickup
from shop.pickup.errors import CutOffPassed
from shop.pickup.rules import is_open
from shop.platform import audit
from shop.platform.actor import Actor
from shop.stock import operations as stock
from shop.wallet import operations as wallet

QUOTES = cast(sa.Table, Quote.__table__)
INSERT_QUOTE = sa.insert(QUOTES).returning(QUOTES.c.id)


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """What the person agreed to: this quote, at the total they saw, paid this way."""

    quote_ref: str
    seen_total: Money
    method: PaymentMethod
    channel: Channel


@operation
def quote(session: Session, actor: Actor, point_id: int) -> QuoteFacts:
    """An offer for everything in the cart, collected at a point: exactly what will be charged, for ten minutes.

    It holds nothing back. Raises `CartEmpty`, `StockShortage`, `NotDeliveredHere`, `BelowMinimum`.
    """
    return _write_quote(session, actor, point_id, _present_terms(session, actor, point_id))


@operation
def current_quote(session: Session, actor: Actor, point_id: int) -> QuoteFacts:
    """The offer for the cart as it is: the one made before if it still says the same and is good for most of its time.

    So two tabs on the checkout show one quote, and can only make one purchase. Raises as `quote`.
    """
    terms = _present_terms(session, actor, point_id)
    known = queries.latest_unused(session, actor.signed_in_id(), clock.now() + QUOTE_TTL * 0.6)
    if known is not None and known.pickup_point_id == point_id and known.terms == terms:
        return known
    return _write_quote(session, actor, point_id, terms)


def _present_terms(session: Session, actor: Actor, point_id: int) -> Terms:
    return terms_of(carts.view(session, CartOwner(user_id=actor.signed_in_id()), point_id))


def _write_quote(session: Session, actor: Actor, point_id: int, terms: Terms) -> QuoteFacts:
    moment = clock.now()
    ref, expires_at, total = dated_reference("Q", moment), moment + QUOTE_TTL, terms.total
    row = {
        "ref": ref, "user_id": actor.signed_in_id(), "pickup_point_id": point_id, "total": total, "terms": terms.as_document(),
        "created_at": moment, "expires_at": expires_at,
    }
    quote_id = session.connection().execute(INSERT_QUOTE, row).scalar_one()
    return QuoteFacts(quote_id, ref, point_id, total, expires_at, terms)


@operation
def place_order(session: Session, actor: Actor, wish: PlaceOrder, proof: wallet.Proof | None = None) -> Placed:
    """Turn a quote into a purchase: paid from the wallet at once, or held for a card payment until it expires.

    The same quote always answers with the same purchase, however often and from wherever it is asked. Otherwise all or
    nothing: raises `NotFound`, `QuoteExpired`, `PriceChanged`, `CartChanged`, `CutOffPassed`, `SlotFull`, `StockShortage`,
    `MethodUnavailable`, and what the wallet refuses.
    """
    offer = queries.quote(session, actor.signed_in_id(), wish.quote_ref)
    if offer.purchase_id is None:
        placed = _place(session, actor, wish, proof, offer)
        if placed is not None:
            return placed
    already = queries.placed(session, offer.id)
    if already is None:
        raise CartChanged()
    return already


def _place(session: Session, actor: Actor, wish: PlaceOrder, proof: wallet.Proof | None, offer: QuoteFacts) -> Placed | None:
    """The purchase itself; None when the goods are no longer in the cart, perhaps because the same quote was faster elsewhere."""
    if wish.method is PaymentMethod.CASH:
        raise MethodUnavailable()
    terms, moment = offer.terms, clock.now()
    if moment >= offer.expires_at:
        raise QuoteExpired()
    if wish.seen_total != offer.total:
        raise PriceChanged(total_minor=offer.total.fen)
    if closed := [part.merchant_code for part in terms.sub_orders if not is_open(part.cut_off_at, moment)]:
        raise CutOffPassed(merchants=closed)
    present = cart.take_out(session, actor.signed_in_id(), {line.variant_id: line.quantity for line in terms.lines})
    if present is None:
        return None
    check_still_so(terms, present)

    paid = wish.method is PaymentMethod.WALLET
    expires_at = moment + PAY_WITHIN
    opened = orders.open_purchase(
        session, actor, terms, quote_id=offer.id, pickup_point_id=offer.pickup_point_id, method=wish.method, channel=wish.channel,
        expires_at=expires_at, paid=paid,
    )
    if opened is None:
        raise CartChanged()
    payment = payments.start(
        session, actor, purpose=PaymentPurpose.PURCHASE, method=wish.method, amount=terms.total, purchase_id=opened.purchase_id,
        expires_at=expires_at, is_paid=paid,
    )
    if paid:
        payer = wallet.authorise(session, actor, terms.total, proof)
        wallet.post_many(session, orders.payment_postings(payer, [(part_id, total) for part_id, _, total in opened.sub_orders]))
        crashpoint("checkout.after_pay")
    pickup.book_slots(session, [part.cycle_id for part in terms.sub_orders])
    if paid:
        stock.sell(session, opened.wanted)
        audit.record(session, actor, "purchase.paid", "purchase", opened.purchase_id, total=terms.total.fen)
    else:
        stock.reserve(session, opened.wanted, expires_at)
        audit.record(session, actor, "purchase.placed", "purchase", opened.purchase_id, total=terms.total.fen)
    crashpoint("checkout.after_reserve")
    crashpoint("checkout.before_commit")
    return Placed(
        opened.purchase_id, opened.number, opened.state, wish.method, terms.total, expires_at, payment.id, payment.ref, payment.state,
        tuple(PartPlaced(*part) for part in opened.sub_orders), terms,
    )
