"""`python -m tests.concurrency.hot_item FOLDER NUMBER TRIES [--trusting]`: one process of a crowd that wants the same goods.

It makes its own residents, fills their carts and takes their quotes, says that it is ready, waits for the others, and then orders
for one after the other. What happened is printed as JSON: kind of outcome to how often.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop import create_app
from shop.cart import operations as cart
from shop.cart.rules import CartOwner
from shop.checkout import operations as checkout
from shop.checkout.operations import PlaceOrder
from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.kernel.money import Money
from shop.models.accounts import User
from shop.models.catalog import Variant
from shop.models.orders import Channel, PaymentMethod
from shop.models.pickup import PickupPoint
from shop.models.stock import StockItem
from shop.platform.actor import Actor
from shop.stock import operations as stock
from shop.stock.errors import StockShortage
from shop.wallet import operations as wallet
from shop.wallet.rules import Proof, class_for

HOT = "eggs"
seen: dict[str, int] = {}


def resident(session: Session, number: int, point_id: int) -> Actor:
    """Somebody new with money."""
    user = User(phone=f"137{number:08d}", display_name="排队的", verification_level=2, pickup_point_id=point_id, created_at=clock.now())
    session.add(user)
    session.flush()
    wallet_class = class_for(2)
    assert wallet_class is not None
    wallet.open_wallet(session, user.id, wallet_class)
    wallet.post(
        session, cause=f"opening:{user.id}", kind=wallet.TransferKind.OPENING, debit="custodian", credit=f"wallet:{user.id}",
        amount=Money(50_000), subject=("user", user.id),
    )  # fmt: skip
    return Actor("user", user_id=user.id, phone=user.phone, pickup_point_id=point_id, verification_level=2)


def ready_to_press(number: int, tries: int) -> list[tuple[Actor, Any]]:
    """Residents with the hot goods in their cart and a quote for it."""
    found = []
    with transaction() as session:
        point_id = session.scalars(sa.select(PickupPoint.id).where(PickupPoint.slug == "tianchenghu")).one()
        for place in range(tries):
            actor = resident(session, number * 1_000 + place, point_id)
            cart.set_line(session, CartOwner(user_id=actor.user_id), HOT, 1)
            found.append((actor, checkout.quote(session, actor, point_id)))
    return found


def press(actor: Actor, quote: Any) -> None:
    wish = PlaceOrder(quote.ref, quote.total, PaymentMethod.WALLET, Channel.WEB)
    perform(checkout.place_order, actor, wish, Proof(actor.signed_in_id()))


def look() -> None:
    """What a shop without a guard goes by: how many there are just now."""
    hot = sa.select(StockItem.on_hand).join(Variant, Variant.id == StockItem.variant_id).where(Variant.code == HOT)
    seen["left"] = reading().scalars(hot).one()
    reading().rollback()


def trust_what_was_seen(session: Session, wanted: dict[int, int], *, held: bool) -> None:
    """The guard replaced by read-then-write."""
    for variant_id, quantity in wanted.items():
        if seen["left"] < quantity:
            raise StockShortage()
        session.execute(sa.update(StockItem).where(StockItem.variant_id == variant_id).values(on_hand=seen["left"] - quantity))


def main() -> None:
    """Get ready, wait, press."""
    folder, number, tries, is_trusting = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), "--trusting" in sys.argv
    app = create_app()
    outcomes: Counter[str] = Counter()
    with app.app_context():
        presses = ready_to_press(number, tries)
        (folder / f"ready-{number}").touch()
        while not (folder / "go").exists():
            time.sleep(0.005)
        if is_trusting:
            stock._take = trust_what_was_seen
        for actor, quote in presses:
            if is_trusting:
                look()
            try:
                press(actor, quote)
                outcomes["sold"] += 1
            except StockShortage:
                outcomes["refused"] += 1
            except Exception as error:  # what the test looks at
                outcomes[f"{type(error).__name__}: {error}"[:300]] += 1
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main()
