"""From cart to order.

`place_order` is one transaction. What it touches, in the house's order of locks: the cart's lines, new rows for purchase and
payment, the wallet, the deliveries' slots by id, the stock by variant id. Scarce rows come last, so that they are held shortest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.cart import operations as cart
from shop.cart import queries as carts
from shop.cart.errors import NotOnSale, QuantityNotAllowed
from shop.cart.rules import CartOwner, is_allowed
from shop.checkout import queries
from shop.checkout.errors import CartChanged, MethodUnavailable, PriceChanged, QuoteExpired
from shop.checkout.queries import PartPlaced, Placed, QuoteFacts
from shop.checkout.rules import PAY_WITHIN, QUOTE_TTL, at_present, terms_of
from shop.checkout.tags import Done
from shop.kernel import clock
from shop.kernel.crash import crashpoint
from shop.kernel.db import operation
from shop.kernel.ids import dated_reference
from shop.kernel.money import Money
from shop.kernel.statements import table
from shop.models.checkout import Quote
from shop.models.orders import Channel, PaymentMethod
from shop.models.payments import PaymentPurpose
from shop.orders import operations as orders
from shop.orders.tags import Done as OrderDone
from shop.orders.terms import Terms
from shop.payments import operations as payments
from shop.pickup import operations as pickup
from shop.pickup.errors import CutOffPassed
from shop.pickup.rules import is_open
from shop.platform import audit
from shop.platform.actor import Actor
from shop.platform.belonging import community_of
from shop.stock import operations as stock
from shop.wallet import operations as wallet

QUOTES = table(Quote)


def _insert_quote() -> Any:
    """A quote; the community is that of its point."""
    given = [column for column in QUOTES.c if column.name not in {"id", "community_id"}]
    values = {column.name: sa.bindparam(column.name, type_=column.type) for column in given}
    community = community_of("pickup_point", sa.bindparam("pickup_point_id"))
    return sa.insert(QUOTES).values({**values, "community_id": community}).returning(QUOTES.c.id)


INSERT_QUOTE = _insert_quote()


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """What the person agreed to: this quote, at the total they saw, paid this way."""

    quote_ref: str
    seen_total: Money
    method: PaymentMethod
    channel: Channel


@dataclass(frozen=True, slots=True)
class Directly:
    """Goods to be bought straight away, whatever lies in the cart: the cart is not touched."""

    variant_code: str
    quantity: int


@operation
def quote(session: Session, actor: Actor, point_id: int, directly: Directly | None = None) -> QuoteFacts:
    """An offer for what is ticked in the cart, or directly for some goods, collected at a point: what will be charged, for ten minutes.

    It holds nothing back. Raises `CartEmpty`, `NothingChosen`, `StockShortage`, `NotDeliveredHere`, `BelowMinimum`; directly also
    `NotOnSale`, `QuantityNotAllowed`.
    """
    return _write_quote(session, actor, point_id, _present_terms(session, actor, point_id, directly), directly is not None)


@operation
def current_quote(session: Session, actor: Actor, point_id: int, directly: Directly | None = None) -> QuoteFacts:
    """The offer of now: the one made before if it still says the same and is good for most of its time.

    So two tabs on the checkout show one quote, and can only make one purchase. Raises as `quote`.
    """
    terms, is_direct = _present_terms(session, actor, point_id, directly), directly is not None
    known = queries.latest_unused(session, actor.signed_in_id(), clock.now() + QUOTE_TTL * 0.6, is_direct=is_direct)
    if known is not None and known.pickup_point_id == point_id and known.terms == terms:
        return known
    return _write_quote(session, actor, point_id, terms, is_direct)


def _present_terms(session: Session, actor: Actor, point_id: int, directly: Directly | None) -> Terms:
    if directly is None:
        return terms_of(carts.view(session, CartOwner(user_id=actor.signed_in_id()), point_id), clock.now())
    item = carts.item(session, directly.variant_code, directly.quantity, point_id)
    if item is None or not item.is_on_sale:
        raise NotOnSale()
    if not is_allowed(directly.quantity, item.minimum_quantity, item.multiple):
        raise QuantityNotAllowed(minimum=item.minimum_quantity, multiple=item.multiple)
    return terms_of(carts.of_items(session, [item], point_id), clock.now())


def _write_quote(session: Session, actor: Actor, point_id: int, terms: Terms, is_direct: bool) -> QuoteFacts:
    moment = clock.now()
    ref, expires_at, total = dated_reference("Q", moment), moment + QUOTE_TTL, terms.total
    row = {
        "ref": ref, "user_id": actor.signed_in_id(), "pickup_point_id": point_id, "total": total, "terms": terms.as_document(),
        "created_at": moment, "expires_at": expires_at, "is_direct": is_direct,
    }
    quote_id = session.connection().execute(INSERT_QUOTE, row).scalar_one()
    return QuoteFacts(quote_id, ref, point_id, total, expires_at, terms, is_direct=is_direct)


@operation
def place_order(session: Session, actor: Actor, wish: PlaceOrder, proof: wallet.Proof | None = None) -> Placed:
    """Turn a quote into a purchase: paid from the wallet at once, or held for a card payment until it expires.

    The same quote always answers with the same purchase, however often and from wherever it is asked. What has become cheaper since is
    charged at its price of now; what has become dearer is refused. Otherwise all or nothing: raises `NotFound`, `QuoteExpired`,
    `PriceChanged`, `CartChanged`, `CutOffPassed`, `SlotFull`, `StockShortage`, `MethodUnavailable`, and what the wallet refuses.
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
    moment = clock.now()
    if moment >= offer.expires_at:
        raise QuoteExpired()
    if wish.seen_total != offer.total:
        raise PriceChanged(total_minor=offer.total.fen)
    if closed := [part.merchant_code for part in offer.terms.sub_orders if not is_open(part.cut_off_at, moment)]:
        raise CutOffPassed(merchants=closed)
    wanted = {line.variant_id: line.quantity for line in offer.terms.lines}
    present = carts.present(session, wanted) if offer.is_direct else cart.take_out(session, actor.signed_in_id(), wanted)
    if present is None:
        return None
    terms = at_present(offer.terms, present, offer.expires_at - QUOTE_TTL)

    paid = wish.method is PaymentMethod.WALLET
    expires_at = moment + PAY_WITHIN
    opened = orders.open_purchase(
        session, actor, terms, quote_id=offer.id, pickup_point_id=offer.pickup_point_id, method=wish.method, channel=wish.channel,
        expires_at=expires_at, paid=paid,
    )
    if opened is None:
        if offer.is_direct:  # nothing was taken out of a cart that would have to go back
            return None
        raise CartChanged()
    payment = payments.start(
        session, actor, purpose=PaymentPurpose.PURCHASE, method=wish.method, amount=terms.total, purchase_id=opened.purchase_id,
        expires_at=expires_at, is_paid=paid, community_id=opened.community_id,
    )
    if paid:
        payer = wallet.authorise(session, actor, terms.total, proof)
        wallet.post_many(session, orders.payment_postings(payer, [(part_id, total) for part_id, _, total in opened.sub_orders]))
        crashpoint("checkout.after_pay")
    pickup.book_slots(session, [part.cycle_id for part in terms.sub_orders])
    if paid:
        stock.sell(session, opened.wanted)
        audit.record(session, actor, OrderDone.PURCHASE_PAID, "purchase", opened.purchase_id, total=terms.total.fen)
    else:
        stock.reserve(session, opened.wanted, expires_at)
        audit.record(session, actor, Done.PURCHASE_PLACED, "purchase", opened.purchase_id, total=terms.total.fen)
    crashpoint("checkout.after_reserve")
    crashpoint("checkout.before_commit")
    return Placed(
        opened.purchase_id, opened.number, opened.state, wish.method, terms.total, expires_at, payment.id, payment.ref, payment.state,
        tuple(PartPlaced(part_id, number, total) for part_id, number, total in opened.sub_orders), terms,
    )
