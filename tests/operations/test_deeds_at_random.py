"""Deeds of buyers, shops, keepers, staff and timers in any order: after each, every invariant holds."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from itertools import count

import pytest
import sqlalchemy as sa

from shop.counter import operations as desk
from shop.fulfilment import jobs as timers
from shop.fulfilment import operations as fulfilment
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.errors import ShopError
from shop.kernel.money import Money
from shop.models.orders import OrderLine, SubOrder, SubOrderState
from shop.models.pickup import Handover, Pass, PassState
from shop.models.stock import MovementKind, StockMovement
from shop.orders import operations as orders
from shop.settlement import giving_back
from shop.stock import counting
from tests.support.books import assert_books_are_right
from tests.support.counter import Counter, end
from tests.support.factories import Factories, actor_of

DEEDS = 40


class City:
    """Two shops, a point, four buyers, and everything any of them can do, chosen by a seed."""

    def __init__(self, make: Factories, seed: int) -> None:
        self.dice, self.keys = random.Random(seed), count(1)
        self.counter = Counter(make, pickup_fee=Money(300))
        self.counter.goods("rice", price=2_000, on_hand=30, shelf_life_days=365)
        self.counter.goods("fish", price=1_500, by_weight=True, grams=500, storage="chilled")
        self.counter.goods("oil", merchant=1, price=5_000, on_hand=30)
        self.owners = [self.counter.new_owner(merchant)[1] for merchant in self.counter.merchants]
        self.staff = actor_of(make.user())
        self.buyers = [self.counter.buyer(money=400_000) for _ in range(4)]
        self.deeds: list[Callable[[], object]] = [
            self.buy, self.buy, self.weigh, self.weigh, self.short, self.pack, self.pack, self.pack, self.unpack, self.send, self.back,
            self.receive, self.receive, self.hand_over, self.hand_over, self.take_back, self.cancel, self.decline, self.give, self.count,
            self.came, self.undo, self.time_goes_by,
        ]

    def deed(self) -> str:
        chosen = self.dice.choice(self.deeds)
        try:
            chosen()
        except ShopError as refusal:
            return f"{chosen.__name__}: {refusal.code}"
        return chosen.__name__

    def part(self, *states: SubOrderState) -> SubOrder:
        """One of the parts in these states, or any."""
        reading().rollback()
        found = reading().scalars(sa.select(SubOrder).order_by(SubOrder.id)).all()
        reading().expunge_all()
        wanted = [part for part in found if part.state in states] or list(found)
        return self.dice.choice(wanted) if wanted else self.bought()

    def bought(self) -> SubOrder:
        self.buy()
        return self.part()

    def buy(self) -> None:
        wanted = {code: self.dice.randint(1, 4) for code in self.dice.sample(["rice", "fish", "oil"], self.dice.randint(1, 3))}
        self.counter.buy(self.dice.choice(self.buyers), wanted)

    def line(self, part: SubOrder, *, by_weight: bool) -> OrderLine:
        kind = OrderLine.priced_by == "weight" if by_weight else sa.true()
        lines = reading().scalars(sa.select(OrderLine).where(OrderLine.sub_order_id == part.id, kind).order_by(OrderLine.id)).all()
        return self.dice.choice(list(lines) or list(reading().scalars(sa.select(OrderLine).where(OrderLine.sub_order_id == part.id))))

    def weigh(self) -> None:
        part = self.part(SubOrderState.ACCEPTED, SubOrderState.PACKED)
        line = self.line(part, by_weight=True)
        seen = self.dice.choice([line.final_grams, line.final_grams, None])
        perform(orders.weigh_line, self.counter.clerk_of(part), line.id, self.dice.randint(0, 2_200), seen)

    def short(self) -> None:
        part = self.part(SubOrderState.PLACED, SubOrderState.ACCEPTED)
        line = self.line(part, by_weight=False)
        keep = self.dice.random() < 0.7
        there = self.dice.randint(0, line.quantity)
        perform(orders.short_line, self.counter.clerk_of(part), line.id, there, "frost", keep_selling=keep)

    def pack(self) -> None:
        self.counter.pack(self.part(SubOrderState.PLACED, SubOrderState.ACCEPTED))

    def unpack(self) -> None:
        part = self.part(SubOrderState.PACKED)
        perform(orders.unpack, self.counter.clerk_of(part), [part.id], "wrong bag")

    def send(self) -> None:
        self.counter.send(self.part(SubOrderState.PACKED))

    def back(self) -> None:
        part = self.part(SubOrderState.IN_TRANSIT)
        perform(fulfilment.take_back_sending, self.counter.clerk_of(part), part.cycle_id, "flat tyre")

    def receive(self) -> None:
        part = self.part(SubOrderState.IN_TRANSIT, SubOrderState.PACKED)
        self.counter.receive([part], missing={part.number} if self.dice.random() < 0.2 else set())

    def hand_over(self) -> None:
        part = self.part(SubOrderState.READY)
        code = reading().scalar(sa.select(Pass.code).where(Pass.id == part.pass_id, Pass.state == PassState.LIVE))
        self.counter.hand_over(code or "000000", [part.number] if self.dice.random() < 0.5 else None)

    def take_back(self) -> None:
        told = list(reading().scalars(sa.select(Handover.client_id).order_by(Handover.id)))
        if told:
            perform(desk.take_back, self.counter.keeper, self.dice.choice(told[-3:]), "wrong person")

    def cancel(self) -> None:
        part = self.part(SubOrderState.PLACED)
        buyer = next(buyer for buyer in self.buyers if buyer.id == part.user_id)
        perform(orders.cancel, actor_of(buyer), part.number if self.dice.random() < 0.6 else part.number.rpartition("-")[0])

    def decline(self) -> None:
        part = self.part()
        perform(orders.decline, self.counter.clerk_of(part), part.id, "frost")

    def give(self) -> None:
        amount = Money(self.dice.choice([1, 700, 3_000, 5_500]))
        facts = {"key": f"k{next(self.keys)}", "amount": amount, "reason": "sorry", "alone_up_to": Money(20_000)}
        perform(giving_back.give_part_back, self.staff, self.part().number, **facts)

    def shelf(self) -> tuple[str, int]:
        code = self.dice.choice(["rice", "fish", "oil"])
        return code, 1 if code == "oil" else 0

    def count(self) -> None:
        code, shop = self.shelf()
        facts = (code, MovementKind.CORRECTION, self.dice.randint(0, 30), f"count-{next(self.keys)}")
        perform(counting.adjust, self.owners[shop], *facts, sure=lambda _doubt: True)

    def came(self) -> None:
        code, shop = self.shelf()
        kind = self.dice.choice([MovementKind.RECEIVED, MovementKind.RECEIVED, MovementKind.SPOILAGE, MovementKind.OFFLINE_SALE])
        facts = (code, kind, self.dice.randint(1, 12), f"came-{next(self.keys)}")
        perform(counting.adjust, self.owners[shop], *facts, sure=lambda _doubt: True)

    def undo(self) -> None:
        code, shop = self.shelf()
        ids = list(reading().scalars(sa.select(StockMovement.id).where(StockMovement.actor_id.is_not(None))))
        if ids:
            perform(counting.take_back, self.owners[shop], code, self.dice.choice(ids[-6:]))

    def time_goes_by(self) -> None:
        clock.move(clock.shift() + timedelta(minutes=self.dice.choice([3, 3, 60, 60 * 12, 60 * 30])))
        timers.tell_late()
        end()


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_done_in_whatever_order_the_books_are_right(make: Factories, seed: int) -> None:
    city, told = City(make, seed), []
    for _ in range(DEEDS):
        told.append(city.deed())
        try:
            assert_books_are_right(leave_out=("plumbing.", "pickup.one_delivery_a_day"))
        except AssertionError as wrong:
            raise AssertionError("\n".join([*told, str(wrong)])) from None
