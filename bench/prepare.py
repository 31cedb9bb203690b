"""The demo city with buyers enough for a load: signed in, with money, stock and room."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta

PIN = "246813"
BUYERS = 400
HOT_STOCK = 50


@dataclass(frozen=True)
class City:
    """What the load needs to know."""

    point: str
    tokens: list[str]
    pin: str
    cheap: tuple[str, str]
    hot: str
    keeper: str
    visits: list[str]


def prepare(environment: dict[str, str]) -> City:
    """Add buyers, stock and room to a seeded database; runs in a process of its own."""
    os.environ.update(environment)
    import sqlalchemy as sa

    from bench.waiting import waiting_visits
    from shop import create_app
    from shop.kernel import clock, ids
    from shop.kernel.db import perform, transaction
    from shop.kernel.money import Money
    from shop.models.accounts import Role, RoleGrant, SessionKind, User, UserSession
    from shop.models.catalog import Variant
    from shop.models.pickup import Cycle, PickupPoint
    from shop.models.stock import MovementKind, StockItem, StockMovement
    from shop.platform.actor import Actor
    from shop.platform.belonging import merchant_of
    from shop.wallet import operations as wallet
    from shop.wallet.rules import WalletClass

    app = create_app()
    cheap, hot = ("cabbage", "douhua"), "pea-tips"
    with app.app_context():
        tokens = []
        with transaction() as session:
            point = session.scalars(sa.select(PickupPoint).order_by(PickupPoint.id)).first()
            assert point is not None
            session.execute(sa.update(Cycle).values(capacity=1_000_000))
            for code, wanted in ((cheap[0], 10_000_000), (cheap[1], 10_000_000), (hot, HOT_STOCK)):
                variant_id = session.scalars(sa.select(Variant.id).where(Variant.code == code)).one()
                item = session.get_one(StockItem, variant_id)
                change = wanted - item.available
                item.on_hand += change
                movement = {"kind": MovementKind.CORRECTION, "cause": f"bench:{code}", "at": clock.now()}
                session.add(StockMovement(merchant_id=merchant_of(variant_id), variant_id=variant_id, quantity=change, **movement))
            buyers = [
                User(
                    phone=f"1370000{number:04d}", display_name="顾客", verification_level=3, pickup_point_id=point.id,
                    created_at=clock.now(),
                )
                for number in range(BUYERS)
            ]
            session.add_all(buyers)
            keeper = User(phone="13700009999", display_name="站长", verification_level=3, created_at=clock.now())
            session.add(keeper)
            session.flush()
            session.add(RoleGrant(user_id=keeper.id, role=Role.KEEPER, pickup_point_id=point.id, created_at=clock.now()))
            for buyer in [*buyers, keeper]:
                token = ids.secret()
                tokens.append(token)
                session.add(
                    UserSession(
                        user_id=buyer.id, kind=SessionKind.API, token_hash=ids.fingerprint(token), created_at=clock.now(),
                        expires_at=clock.now() + timedelta(days=1), device="bench",
                        second_factor_at=clock.now() if buyer is keeper else None,
                    )
                )  # fmt: skip
            cycle = session.scalars(sa.select(Cycle).where(Cycle.pickup_point_id == point.id).order_by(Cycle.id)).first()
            assert cycle is not None
            visits = waiting_visits(session, point.id, point.community_id, cycle.id, cycle.merchant_id)
        for buyer in buyers:
            perform(fund, buyer.id, buyer.phone, Money(100_000), wallet, WalletClass.III, Actor)
    return City(point.slug, tokens[:-1], PIN, cheap, hot, tokens[-1], visits)


def fund(session, user_id, phone, amount, wallet, wallet_class, actor_type) -> None:  # type: ignore[no-untyped-def]
    """A wallet with a PIN and money."""
    wallet.open_wallet(session, user_id, wallet_class)
    wallet.set_pin(session, actor_type("user", user_id, phone=phone), PIN)
    wallet.post(
        session, cause=f"bench:{user_id}", kind="opening", debit="custodian", credit=f"wallet:{user_id}", amount=amount,
        subject=("user", user_id),
    )
