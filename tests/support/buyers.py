"""Buyers enough for a load, signed in and with money, in a demo city whose books still hold afterwards.

`buyers_in(environment)` adds them by a process of its own, for settings are read once in a process.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop import create_app
from shop.kernel import clock, ids
from shop.kernel.db import transaction
from shop.kernel.money import Money
from shop.models.accounts import SessionKind, User, UserSession
from shop.models.catalog import Product, Variant
from shop.models.pickup import Cycle, PickupPoint
from shop.models.stock import MovementKind, StockItem, StockMovement
from shop.platform.actor import Actor
from shop.wallet import operations as wallet
from shop.wallet.rules import WalletClass
from tests.support.cities import python

PIN = "246813"
GOODS = ("cabbage", "douhua")
POINT = "tianchenghu"
STOCK, MONEY = 100_000, 200_000


@dataclass(frozen=True)
class Buyers:
    """API tokens of people who can pay."""

    tokens: list[str]
    pin: str = PIN
    goods: tuple[str, str] = GOODS
    point: str = POINT


def buyers_in(environment: dict[str, str], count: int = 60) -> Buyers:
    """So many more buyers in the database of an environment, and goods enough for them."""
    return Buyers(json.loads(python(environment, "-m", "tests.support.buyers", str(count)).stdout.splitlines()[-1]))


def stock_up(session: Session) -> None:
    """Room and goods for everybody."""
    session.execute(sa.update(Cycle).values(capacity=1_000_000))
    for code in GOODS:
        found = sa.select(Variant.id, Product.merchant_id).join(Product, Product.id == Variant.product_id).where(Variant.code == code)
        variant_id, merchant_id = session.execute(found).one()
        session.get_one(StockItem, variant_id).on_hand += STOCK
        moved = {"kind": MovementKind.CORRECTION, "cause": f"load:{code}", "at": clock.now()}
        session.add(StockMovement(variant_id=variant_id, merchant_id=merchant_id, quantity=STOCK, **moved))


def add_buyer(session: Session, number: int, point: PickupPoint) -> str:
    """Somebody verified, with a wallet, a PIN, money and a session; the token of the session."""
    phone, token = f"1371{number:07d}", ids.secret()
    buyer = User(phone=phone, display_name="顾客", verification_level=3, pickup_point_id=point.id, created_at=clock.now())
    session.add(buyer)
    session.flush()
    until = clock.now() + timedelta(days=1)
    kind, fingerprint = SessionKind.API, ids.fingerprint(token)
    session.add(UserSession(user_id=buyer.id, kind=kind, token_hash=fingerprint, created_at=clock.now(), expires_at=until, device="load"))
    wallet.open_wallet(session, buyer.id, WalletClass.III)
    wallet.set_pin(session, Actor("user", buyer.id, phone=phone), PIN)
    wallet.post(
        session, cause=f"load:{buyer.id}", kind="opening", debit="custodian", credit=f"wallet:{buyer.id}", amount=Money(MONEY),
        subject=("user", buyer.id),
    )  # fmt: skip
    return token


def main(count: int) -> None:
    with create_app().app_context(), transaction() as session:
        stock_up(session)
        point = session.scalars(sa.select(PickupPoint).where(PickupPoint.slug == POINT)).one()
        print(json.dumps([add_buyer(session, number, point) for number in range(count)]))


if __name__ == "__main__":
    main(int(sys.argv[1]))
