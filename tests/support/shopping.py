"""Words for buying: `shop = Shopping(make)`, `shop.fill(user, {"oranges": 2})`, `shop.buy(user)`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from flask import Flask

from shop.cart import operations as cart
from shop.cart.rules import CartOwner
from shop.checkout import operations as checkout
from shop.checkout.operations import PlaceOrder
from shop.checkout.queries import Placed, QuoteFacts
from shop.kernel.db import database, perform, reading
from shop.models.accounts import User
from shop.models.catalog import Variant
from shop.models.orders import Channel, PaymentMethod, Purchase
from shop.models.pickup import Cycle, PickupPoint
from shop.models.stock import StockItem
from shop.wallet.rules import Proof
from tests.support.factories import Factories, actor_of
from tests.support.money import fund


class Shopping:
    """A point with two merchants that deliver to it tomorrow, and the words of a buyer."""

    def __init__(self, make: Factories, merchants: int = 2, **terms: Any) -> None:
        self.make = make
        self.point: PickupPoint = make.point()
        self.merchants = [make.merchant(points=[self.point], **terms) for _ in range(merchants)]

    def goods(self, code: str, merchant: int = 0, **values: Any) -> Variant:
        return self.make.product(self.merchants[merchant], code=code, **values)

    def buyer(self, money: int = 100_000, **values: Any) -> User:
        user = self.make.user(point=self.point, **values)
        fund(user, money)
        return user

    def fill(self, user: User, wanted: dict[str, int]) -> None:
        for code, quantity in wanted.items():
            perform(cart.set_line, CartOwner(user_id=user.id), code, quantity)

    def quote(self, user: User) -> QuoteFacts:
        return perform(checkout.quote, actor_of(user), self.point.id)

    def place(self, user: User, quote: QuoteFacts, method: PaymentMethod = PaymentMethod.WALLET, **changes: Any) -> Placed:
        wish = PlaceOrder(**{"quote_ref": quote.ref, "seen_total": quote.total, "method": method, "channel": Channel.WEB, **changes})
        return perform(checkout.place_order, actor_of(user), wish, Proof(user.id))

    def buy(self, user: User, wanted: dict[str, int], method: PaymentMethod = PaymentMethod.WALLET) -> Placed:
        self.fill(user, wanted)
        return self.place(user, self.quote(user), method)


def stock_of(variant: Variant) -> tuple[int, int]:
    """On hand and reserved."""
    reading().rollback()
    row = reading().execute(sa.select(StockItem.on_hand, StockItem.reserved).where(StockItem.variant_id == variant.id)).one()
    return row.on_hand, row.reserved


def booked(cycle_id: int) -> int:
    """How many slots of a delivery are taken."""
    reading().rollback()
    return reading().scalars(sa.select(Cycle.booked).where(Cycle.id == cycle_id)).one()


def count(model: Any) -> int:
    """How many rows a table has."""
    reading().rollback()
    return reading().scalar(sa.select(sa.func.count()).select_from(model)) or 0


def purchases() -> int:
    return count(Purchase)


def at_once(app: Flask, works: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run every work in a thread of its own, all let go at the same moment; what each gave back or raised, in order."""
    outcomes: list[Any] = [None] * len(works)
    gate = threading.Barrier(len(works))

    def run(place: int, work: Callable[[], Any]) -> None:
        with app.app_context():
            gate.wait()
            try:
                outcomes[place] = work()
            except Exception as error:  # the outcome of this thread is what the test looks at
                outcomes[place] = error
            finally:
                database.session.remove()

    database.session.remove()
    threads = [threading.Thread(target=run, args=(place, work)) for place, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return outcomes
