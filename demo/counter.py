"""Merchants pack, drivers drive, keepers receive and hand over."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from demo import catalogue
from demo.agenda import Agenda, Deed
from demo.city import City
from shop.counter import operations as desk
from shop.counter.operations import HandoverEvent
from shop.fulfilment import operations as fulfilment
from shop.fulfilment import overdue
from shop.fulfilment.collecting import ORDERS_TO_COLLECT
from shop.fulfilment.endings import NOT_HERE, Wait
from shop.fulfilment.errors import NothingArrived, NothingLeftToPack
from shop.kernel import clock
from shop.kernel.errors import ShopError
from shop.kernel.money import Money
from shop.models.catalog import PricedBy
from shop.models.orders import OrderLine, PaymentMethod, Purchase, PurchaseState, SubOrder, SubOrderState
from shop.models.pickup import Cycle, Pass, PassState
from shop.models.stock import MovementKind, StockItem
from shop.orders import operations as orders
from shop.pickup import operations as pickup
from shop.pickup import passes
from shop.platform.actor import COMMAND, JOB
from shop.stock import counting
from shop.stock import operations as stock

BEFORE_PACKED = (SubOrderState.PLACED, SubOrderState.ACCEPTED)
LEAST_ON_HAND = 150
ASTRAY, FORGOTTEN, GOES_BAD = 0.05, 0.02, 0.3
WALLET = PaymentMethod.WALLET  # what goes astray or is forgotten: the card provider of the demo knows nothing of this past
SPOILED = "arrived spoiled"


class Counter:
    """The working side of the city. People in `late` leave their goods at the counter from the last two days on."""

    def __init__(self, agenda: Agenda, city: City, late: frozenset[int]) -> None:
        self.agenda = agenda
        self.chance = agenda.chance
        self.city = city
        self.late = late
        self.events = 0

    def plan_day(self, day: date) -> None:
        """Put a day's routine on the agenda."""
        self.agenda.on(day, "0:10", open_cycles)
        self.agenda.on(day, "6:30", restock)
        for merchant_id in self.city.offers:
            self.agenda.on(day, "7:30", self.accepts(merchant_id, day), within_minutes=60)
            self.agenda.on(day, "9:00", self.packs(merchant_id, day), within_minutes=180)
            self.agenda.on(day, "13:00", self.sends(merchant_id, day), within_minutes=90)
            self.agenda.on(day, "19:00", self.throws_away(merchant_id, day))
        for point_id in self.city.keepers:
            self.agenda.on(day, "16:00", self.receives(point_id, day), within_minutes=15)
        self.agenda.on(day, "5:00", ends)

    def accepts(self, merchant_id: int, day: date) -> Deed:
        def accept(session: Session) -> None:
            for cycle_id in cycles_of(session, merchant_id, day):
                fulfilment.accept_all(session, self.city.shopkeepers[merchant_id], cycle_id)

        return accept

    def throws_away(self, merchant_id: int, day: date) -> Deed:
        """Now and then something has gone bad, and its shop writes it down. Drawn by the day: nothing else of the city depends on it."""
        chance = Random(f"{merchant_id}:{day}")

        def throw_away(session: Session) -> None:
            codes = [offer.code for offer in self.city.offers[merchant_id]]
            if codes and chance.random() < GOES_BAD:
                code, cause = chance.choice(codes), f"spoiled:{merchant_id}:{day:%Y%m%d}"
                with suppress(ShopError):  # nothing of it is left
                    counting.adjust(
                        session, self.city.shopkeepers[merchant_id], code, MovementKind.SPOILAGE, chance.randint(1, 4), cause,
                        sure=lambda _doubt: True,
                    )

        return throw_away

    def packs(self, merchant_id: int, day: date) -> Deed:
        def pack(session: Session) -> None:
            for cycle_id in cycles_of(session, merchant_id, day):
                for sub_order_id in to_pack(session, cycle_id):
                    self.pack_one(session, merchant_id, sub_order_id)

        return pack

    def pack_one(self, session: Session, merchant_id: int, sub_order_id: int) -> None:
        """Weigh what is sold by weight and pack; now and then something is not to be had."""
        shopkeeper = self.city.shopkeepers[merchant_id]
        if self.chance.random() < 0.015:
            orders.decline(session, shopkeeper, sub_order_id, "sold out at the market")
            return
        by_weight = sa.select(OrderLine.id, OrderLine.quantity * OrderLine.unit_grams).where(
            OrderLine.sub_order_id == sub_order_id, OrderLine.priced_by == PricedBy.WEIGHT
        )
        nominal = session.execute(by_weight.order_by(OrderLine.id))
        weights = {line_id: round(grams * self.chance.uniform(0.9, 1.03)) for line_id, grams in nominal}
        try:
            with session.begin_nested():
                fulfilment.pack(session, shopkeeper, sub_order_id, weights)
        except NothingLeftToPack:
            session.expunge_all()

    def sends(self, merchant_id: int, day: date) -> Deed:
        def send(session: Session) -> None:
            for cycle_id in cycles_of(session, merchant_id, day):
                try:
                    fulfilment.hand_to_driver(session, self.city.shopkeepers[merchant_id], cycle_id)
                except ShopError:  # nothing was ordered
                    continue

        return send

    def receives(self, point_id: int, day: date) -> Deed:
        def receive(session: Session) -> None:
            coming = sa.select(Cycle.id).where(Cycle.pickup_point_id == point_id, Cycle.arrives_on == day)
            cycle_ids = session.scalars(coming.where(has_state(SubOrderState.IN_TRANSIT)).order_by(Cycle.id)).all()
            if day == self.agenda.today:
                cycle_ids = cycle_ids[1:]  # one shop's driver is late today, so that something is on the road in the evening too
            if not cycle_ids:
                return
            try:
                with session.begin_nested():
                    fulfilment.receive(session, self.city.keepers[point_id], cycle_ids, missing=self.gone_astray(session, cycle_ids))
            except NothingArrived:
                session.expunge_all()
                return
            waiting = sa.select(Pass.id, Pass.user_id).where(Pass.pickup_point_id == point_id, Pass.state == PassState.LIVE)
            for pass_id, user_id in session.execute(waiting.order_by(Pass.id)).all():
                self._plan_collection(session, day, pass_id, user_id)

        return receive

    def gone_astray(self, session: Session, cycle_ids: Sequence[int]) -> set[str]:
        """Now and then a crate gets lost on its way; nobody finds it, and its buyer gets the money back."""
        sent = sa.select(SubOrder.number).join(Purchase, Purchase.id == SubOrder.purchase_id).order_by(SubOrder.id)
        wallet = sent.where(SubOrder.cycle_id.in_(cycle_ids), SubOrder.state == SubOrderState.IN_TRANSIT, Purchase.method == WALLET)
        numbers = session.scalars(wallet).all()
        return {self.chance.choice(numbers)} if len(numbers) > 1 and self.chance.random() < ASTRAY else set()

    def _plan_collection(self, session: Session, day: date, pass_id: int, user_id: int) -> None:
        """Most people come the same evening, the rest in the two days after, and a few never."""
        is_recent = (self.agenda.today - day).days <= 1
        if is_recent and (user_id in self.late or self.chance.random() < 0.1):
            return
        by_card = sa.select(SubOrder.id).join(Purchase, Purchase.id == SubOrder.purchase_id)
        by_card = by_card.where(SubOrder.pass_id == pass_id, SubOrder.state == SubOrderState.READY, Purchase.method != WALLET)
        if user_id not in self.late and self.chance.random() < FORGOTTEN and session.scalar(by_card.limit(1)) is None:
            return
        minutes = self.chance.choices((self.chance.uniform(20, 230), self.chance.uniform(17 * 60, 27 * 60)), (80, 20))[0]
        self.agenda.after(minutes, self.hands_over(pass_id))

    def hands_over(self, pass_id: int) -> Deed:
        def hand_over(session: Session) -> None:
            shown = session.execute(sa.select(Pass.ref, Pass.pickup_point_id, Pass.state).where(Pass.id == pass_id)).one()
            if shown.state is not PassState.LIVE:
                return
            self.events += 1
            moment = clock.now()
            if self.chance.random() < 0.01:  # a code misheard
                fulfilment.look_up(session, self.city.keepers[shown.pickup_point_id], shown.pickup_point_id, "000000")
            event = HandoverEvent(f"demo-{self.events:06d}", shown.ref, None, moment, shown.pickup_point_id)
            desk.hand_over(session, self.city.keepers[shown.pickup_point_id], event)
            if self.chance.random() < 0.02:
                self.agenda.after(self.chance.uniform(60, 600), self.refunds(pass_id))

        return hand_over

    def refunds(self, pass_id: int) -> Deed:
        """Something was not as it should be: the shop gives part of the money back."""

        def refund(session: Session) -> None:
            handed = sa.select(SubOrder.id, SubOrder.total, SubOrder.refunded_total).where(
                SubOrder.pass_id == pass_id, SubOrder.state == SubOrderState.COLLECTED
            )
            part = session.execute(handed.order_by(SubOrder.id).limit(1)).one_or_none()
            if part is not None and part.total.fen - part.refunded_total.fen > 500:
                amount = Money((part.total.fen - part.refunded_total.fen) // 4)
                orders.refund(session, COMMAND, part.id, amount=amount, cause=f"sub_order:{part.id}:spoiled", reason=SPOILED)

        return refund


def ends(session: Session) -> None:
    """What the timers do: whatever has waited its whole time ends."""
    for wait in NOT_HERE:
        for sub_order_id in overdue.due(session, wait):
            fulfilment.end_by_itself(session, sub_order_id)
    for sub_order_id in ORDERS_TO_COLLECT.due(session, 0):
        desk.end_by_itself(session, ORDERS_TO_COLLECT.name, sub_order_id)
    if claimed := overdue.due(session, Wait.TO_CLAIM):
        orders.complete(session, JOB, claimed)
    fulfilment.close_batches(session, limit=1_000)
    passes.close_empty(session, clock.now())


def open_cycles(session: Session) -> None:
    pickup.open_cycles(session)


def restock(session: Session) -> None:
    """The morning's deliveries from the fields and the wholesale market."""
    low = sa.select(StockItem.variant_id, StockItem.on_hand).where(StockItem.on_hand < LEAST_ON_HAND).order_by(StockItem.variant_id)
    for variant_id, on_hand in session.execute(low).all():
        stock.receive(session, COMMAND, variant_id, catalogue.OPENING_STOCK - on_hand, f"delivery:{variant_id}:{clock.today():%Y%m%d}")


def has_state(state: SubOrderState) -> Any:
    return sa.exists().where(SubOrder.cycle_id == Cycle.id, SubOrder.state == state)


def cycles_of(session: Session, merchant_id: int, day: date) -> list[int]:
    """A merchant's deliveries of a day that somebody ordered."""
    ordered = sa.select(Cycle.id).where(Cycle.merchant_id == merchant_id, Cycle.arrives_on == day, Cycle.booked > 0)
    return list(session.scalars(ordered.order_by(Cycle.id)))


def to_pack(session: Session, cycle_id: int) -> list[int]:
    """Paid sub-orders of a delivery that are not packed yet."""
    paid = sa.select(SubOrder.id).join(Purchase, Purchase.id == SubOrder.purchase_id).where(Purchase.state == PurchaseState.PAID)
    return list(session.scalars(paid.where(SubOrder.cycle_id == cycle_id, SubOrder.state.in_(BEFORE_PACKED)).order_by(SubOrder.id)))
