"""Residents shop: every purchase goes through cart, quote and order as on the pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from demo.agenda import Agenda, Deed
from demo.city import City, Offer
from shop.cart import operations as cart
from shop.cart.rules import CartOwner
from shop.checkout import operations as checkout
from shop.checkout.operations import PlaceOrder
from shop.checkout.queries import Placed
from shop.kernel.errors import ShopError
from shop.kernel.money import ZERO, Money, basis_points
from shop.models.orders import Channel, PaymentMethod
from shop.models.payments import Payment, PaymentState, Refund, RefundState
from shop.orders import operations as orders
from shop.payments import operations as payments
from shop.payments.snapshots import Snapshot, Stage
from shop.platform.actor import Actor
from shop.settlement import operations as settlement
from shop.wallet import queries as wallets
from shop.wallet.rules import Proof

VISITS_A_DAY = 0.14  # of one neighbour
NO_CARDS_FOR = timedelta(days=4)  # before now: the provider knows nothing of this past, so what may still be refunded is paid by wallet
LEAST_BASKET_FEN = 800
PROVIDER_FEE_BPS = 60
ROUND_FEN = 50_00

WALLET, CARD = PaymentMethod.WALLET, PaymentMethod.STRIPE


@dataclass(frozen=True, slots=True)
class Visit:
    """One purchase: who, from which merchants (none: whichever), and how it ends if not by being collected."""

    buyer: Actor
    method: PaymentMethod
    merchants: tuple[int, ...] = ()
    ending: str = ""  # "unpaid", "given_up", "cancelled"


class Shopping:
    """The residents' side of the city."""

    def __init__(self, agenda: Agenda, city: City) -> None:
        self.agenda = agenda
        self.chance = agenda.chance
        self.city = city

    def plan_day(self, day: date, regulars: dict[str, float]) -> None:
        """Put a day's purchases on the agenda. `regulars` are people who come more often, by phone."""
        for phone, buyer in self.city.residents.items():
            if self.chance.random() < regulars.get(phone, VISITS_A_DAY):
                hour = self.chance.choices(("7:00", "9:00", "11:30", "16:30", "18:30", "20:00"), (2, 3, 3, 3, 6, 4))[0]
                self.agenda.on(day, hour, self.visit(self._visit_of(buyer, day)), within_minutes=110)

    def _visit_of(self, buyer: Actor, day: date) -> Visit:
        long_ago = day < (self.agenda.present - NO_CARDS_FOR).date()
        has_wallet = buyer.verification_level > 0
        if not long_ago:
            return Visit(buyer, WALLET, ending="cancelled" if self.chance.random() < 0.04 else "")
        method = WALLET if has_wallet and self.chance.random() < 0.7 else CARD
        ending = self.chance.choices(("", "cancelled", "unpaid"), (92, 4, 4))[0]
        return Visit(buyer, method, ending="" if ending == "unpaid" and method is WALLET else ending)

    def visit(self, visit: Visit) -> Deed:
        """The deed of one purchase, with its payment and its end after it."""

        def shop(session: Session) -> None:
            placed = self.buy(session, visit)
            if placed is None or visit.ending == "given_up":
                return
            if placed.method is CARD:
                stage = Stage.CANCELLED if visit.ending == "unpaid" else Stage.SUCCEEDED
                minutes = 31 if visit.ending == "unpaid" else self.chance.uniform(1, 4)
                self.agenda.after(minutes, provider_says(placed.payment_id, placed.total, stage))
            if visit.ending == "cancelled":
                self.agenda.after(self.chance.uniform(5, 25), cancels(visit.buyer, placed.number))

        return shop

    def buy(self, session: Session, visit: Visit) -> Placed | None:
        """Fill the cart, look at the quote, agree to it. None when it could not be had this way."""
        buyer = visit.buyer
        if visit.method is WALLET and not buyer.verification_level:
            return None
        owner = CartOwner(user_id=buyer.signed_in_id())
        assert buyer.pickup_point_id is not None
        try:
            with session.begin_nested():
                for code, quantity in self.basket(visit.merchants).items():
                    cart.set_line(session, owner, code, quantity)
                quote = checkout.quote(session, buyer, buyer.pickup_point_id)
                if visit.method is WALLET:
                    have_enough(session, buyer, quote.total)
                channel = Channel.WEB if self.chance.random() < 0.85 else Channel.API
                wish = PlaceOrder(quote.ref, quote.total, visit.method, channel)
                return checkout.place_order(session, buyer, wish, Proof(buyer.signed_in_id(), has_code=True))
        except ShopError:  # sold out, or above the limit of a small wallet: people come back another day
            session.expunge_all()
            return None

    def basket(self, merchants: tuple[int, ...]) -> dict[str, int]:
        """Quantities by variant code, of one to three merchants."""
        selling = list(self.city.offers)
        chosen = merchants or tuple(self.chance.sample(selling, self.chance.choices((1, 2, 3), (45, 40, 15))[0]))
        wanted: dict[str, int] = {}
        fen = 0
        for merchant_id in chosen:
            offers = self.city.offers[merchant_id]
            for offer in self.chance.sample(offers, min(len(offers), self.chance.choices((1, 2, 3), (5, 4, 2))[0])):
                wanted[offer.code] = self.quantity(offer)
                fen += offer.fen * wanted[offer.code]
        if fen < LEAST_BASKET_FEN:
            return {code: quantity * (-(-LEAST_BASKET_FEN // fen)) for code, quantity in wanted.items()}
        return wanted

    def quantity(self, offer: Offer) -> int:
        if offer.fen > 5_000:
            return 1
        return self.chance.choices((1, 2, 3, 4), (5, 3, 1, 1) if not offer.is_by_weight else (3, 4, 3, 2))[0]


def provider_says(payment_id: int, amount: Money, stage: Stage) -> Deed:
    """What the card provider would have told us."""

    def tell(session: Session) -> None:
        payments.keep_session(session, payment_id, f"cs_demo_{payment_id}", "")
        paid = stage is Stage.SUCCEEDED
        intent, fee = (f"pi_demo_{payment_id}", basis_points(amount, PROVIDER_FEE_BPS)) if paid else (None, None)
        settlement.apply(session, payment_id, Snapshot(stage, amount, intent=intent, fee=fee))

    return tell


def cancels(buyer: Actor, number: str) -> Deed:
    """The buyer thinks again."""

    def cancel(session: Session) -> None:
        try:
            with session.begin_nested():
                orders.cancel(session, buyer, number)
        except ShopError:  # somebody began to pack it
            session.expunge_all()

    return cancel


def send_refunds(session: Session) -> None:
    """Refunds to cards arrive at their cards."""
    asked = sa.select(Refund.id).join(Payment, Payment.id == Refund.payment_id)
    waiting = asked.where(Refund.state == RefundState.REQUESTED, Payment.method == CARD, Payment.state == PaymentState.SUCCEEDED)
    for refund_id in session.scalars(waiting.order_by(Refund.id)).all():
        payments.settle_refund(session, refund_id, ok=True, provider_ref=f"re_demo_{refund_id}")


def top_up(session: Session, buyer: Actor, amount: Money) -> None:
    """Put money into the wallet by card."""
    payment = settlement.start_top_up(session, buyer, amount)
    provider_says(payment.id, payment.amount, Stage.SUCCEEDED)(session)


def have_enough(session: Session, buyer: Actor, total: Money) -> None:
    """Who has too little in the wallet tops it up first, in round amounts."""
    missing = total - wallets.balance(session, f"wallet:{buyer.user_id}")
    if missing > ZERO:
        top_up(session, buyer, Money(-(-missing.fen // ROUND_FEN) * ROUND_FEN))
