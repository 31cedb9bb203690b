"""Words for packing and collecting: `counter = Counter(make)`, `counter.ready(buyer, {"oranges": 2})`, `counter.hand_over(pass_code)`."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient

from shop.counter import jobs as counter_timers
from shop.counter import operations as desk
from shop.counter import rules
from shop.counter.operations import HandoverEvent, Outcome
from shop.fulfilment import jobs as fulfilment_timers
from shop.fulfilment import operations
from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.models.accounts import Role, User
from shop.models.merchants import Merchant
from shop.models.orders import OrderLine, SubOrder, SubOrderState
from shop.models.pickup import Collectable, Handover, Pass, PickupPoint
from shop.platform.actor import Actor, Grant
from tests.support.factories import SHARP, Factories, actor_of
from tests.support.shopping import Shopping


class Counter(Shopping):
    """A point with its keeper, two merchants with a clerk each, and everything between packing and collecting."""

    def __init__(self, make: Factories, merchants: int = 2, **terms: Any) -> None:
        super().__init__(make, merchants, **terms)
        self.scans = count(1)
        self.keeper_user, self.keeper = self.new_keeper(self.point)
        made = [self.new_clerk(merchant) for merchant in self.merchants]
        self.clerk_users = [user for user, _ in made]
        self.clerks = [actor for _, actor in made]

    def new_keeper(self, point: PickupPoint) -> tuple[User, Actor]:
        user = self.make.user(display_name="张站长")
        self.make.grant(user, Role.KEEPER, point=point)
        return user, actor_of(user, Grant("keeper", pickup_point_id=point.id))

    def new_clerk(self, merchant: Merchant) -> tuple[User, Actor]:
        user = self.make.user(display_name="刘店员")
        self.make.grant(user, Role.MERCHANT_CLERK, merchant=merchant)
        return user, actor_of(user, Grant("merchant_clerk", merchant_id=merchant.id))

    def new_owner(self, merchant: Merchant) -> tuple[User, Actor]:
        user = self.make.user(display_name="周店主")
        self.make.grant(user, Role.MERCHANT_OWNER, merchant=merchant)
        return user, actor_of(user, Grant("merchant_owner", merchant_id=merchant.id))

    def ordered(self, user: User, wanted: dict[str, int]) -> list[SubOrder]:
        """Buy from the wallet; the sub-orders, one per merchant, in the order of the merchants."""
        placed = self.buy(user, wanted)
        reading().rollback()
        rows = reading().scalars(sa.select(SubOrder).where(SubOrder.number.startswith(placed.number)).order_by(SubOrder.merchant_id)).all()
        reading().expunge_all()  # they stay as they were ordered
        return list(rows)

    def packed(self, user: User, wanted: dict[str, int]) -> list[SubOrder]:
        """Bought and packed; what goes by weight weighs what it should."""
        made = self.ordered(user, wanted)
        for part in made:
            self.pack(part)
        return made

    def pack(self, part: SubOrder, **weights: int) -> operations.Packed:
        """Pack with the weights given by product code, else the nominal ones; they are right, however far off they are."""
        told = self.weights(part, weights)
        return perform(operations.pack, self.clerk_of(part), part.id, told, told)

    def send(self, part: SubOrder) -> int:
        """Send off what is packed of its delivery, whatever its cut-off."""
        return perform(operations.hand_to_driver, self.clerk_of(part), part.cycle_id, before_cut_off=True)

    def weights(self, part: SubOrder, wanted: dict[str, int] | None = None) -> dict[int, int]:
        reading().rollback()
        lines = reading().scalars(sa.select(OrderLine).where(OrderLine.sub_order_id == part.id, OrderLine.priced_by == "weight")).all()
        names = {line.id: line.name_en.removesuffix(SHARP).lower().replace(" ", "_") for line in lines}
        return {line.id: (wanted or {}).get(names[line.id], line.unit_grams * line.quantity) for line in lines}

    def clerk_of(self, part: SubOrder) -> Actor:
        return self.clerks[[merchant.id for merchant in self.merchants].index(part.merchant_id)]

    def receive(self, parts: list[SubOrder], **values: Any) -> operations.Arrival:
        return perform(operations.receive, self.keeper, {part.cycle_id for part in parts}, **values)

    def ready(self, user: User, wanted: dict[str, int]) -> Pass:
        """Bought, packed and arrived; the pass it waits on."""
        self.receive(self.packed(user, wanted))
        return self.pass_of(user)

    def pass_of(self, user: User) -> Pass:
        reading().rollback()
        found = reading().scalars(sa.select(Pass).where(Pass.user_id == user.id).order_by(Pass.id.desc())).first()
        assert found is not None
        reading().expunge(found)  # stays as it is now, whatever happens to it
        return found

    def event(self, text: str, sub_orders: list[str] | None = None, **values: Any) -> HandoverEvent:
        facts: dict[str, Any] = {"client_id": f"scan-{next(self.scans):08d}", "device_time": clock.now(), "point_id": None, **values}
        return HandoverEvent(pass_text=text, sub_orders=None if sub_orders is None else tuple(sub_orders), **facts)

    def hand_over(self, text: str, sub_orders: list[str] | None = None, **values: Any) -> Outcome:
        return perform(desk.hand_over, values.pop("keeper", self.keeper), self.event(text, sub_orders, **values))


def state_of(part: SubOrder) -> SubOrderState:
    reading().rollback()
    return reading().scalars(sa.select(SubOrder.state).where(SubOrder.id == part.id)).one()


def things_gone() -> int:
    """How many things have left their counter with a hand-over."""
    reading().rollback()
    return reading().scalar(sa.select(sa.func.count()).where(Collectable.handover_id.is_not(None))) or 0


def end() -> None:
    """What the timers do: whatever has waited its whole time ends."""
    counter_timers.end()
    fulfilment_timers.end()


def scans() -> list[tuple[str, str | None]]:
    """Outcome and reason of every scan that was kept, oldest first."""
    reading().rollback()
    rows = reading().execute(sa.select(Handover.outcome, Handover.reason).order_by(Handover.id))
    return [(row.outcome.value, row.reason) for row in rows]


def with_rice_and_oil(make: Factories) -> Counter:
    """A counter with goods of two merchants, who both pay 3 % commission."""
    made = Counter(make)
    made.goods("rice", price=2_000)
    made.goods("oil", merchant=1, price=5_000)
    return made


def look_on(time: timedelta) -> None:
    """Time goes by at the counter."""
    clock.move(clock.shift() + time)


def shown(client: FlaskClient, ref: str, *, read: bool = True) -> dict[str, Any]:
    """What the page of a pass sends when everything on it is handed over; the goods have been looked at, or not."""
    page = client.get(f"/station/desk/{ref}").text
    if read:
        look_on(rules.LONGEST_READING)
    own = {name: found[1] for name in ("client_id", "shown") if (found := re.search(rf'name="{name}" value="([^"]+)"', page))}
    return {**own, "sub_orders": re.findall(r'name="sub_orders" value="([^"]+)"', page)}
