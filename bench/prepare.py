"""`python -m bench.prepare FILE`, in the folder of the release that is measured: fills its demo city with people, stock and room enough for
a load, and writes into the file what the load needs to know (`bench.city`)."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.city import City, DueBill, Goods, Person
from bench.drawing import Popular, chance
from bench.due import due_bills
from bench.waiting import waiting_visits

PIN = "246813"
READERS, SHOPPERS, BUYERS, CROWD = 400, 200, 800, 200
HOT, HOT_STOCK, STOCK = "pea-tips", 50, 10_000_000
DEAREST = 10_000
"""Of what is bought, in fen: what a wallet may pay in a day has to last for a whole run."""

MONEY = 5_000_000


@dataclass(frozen=True)
class Made:
    """A person, by number and as the load knows them."""

    user_id: int
    person: Person


def prepare(app: Any) -> City:
    """Add what a load needs to a seeded database."""
    import sqlalchemy as sa

    from shop.kernel.db import perform, transaction
    from shop.kernel.money import Money
    from shop.models.pickup import Cycle, PickupPoint
    from shop.wallet import operations as wallet

    with transaction() as session:
        points = list(session.scalars(sa.select(PickupPoint).order_by(PickupPoint.id)))
        first = points[0]
        session.execute(sa.update(Cycle).values(capacity=1_000_000))
        goods = {point.slug: goods_at(session, point.id) for point in points}
        goods = {slug: there for slug, there in goods.items() if len({one.merchant for one in there}) > 1}
        stock_up(session)
        readers = people(session, app, "reader", READERS, points)
        served = [point for point in points if point.slug in goods]
        shoppers = people(session, app, "shopper", SHOPPERS, served)
        buyers = people(session, app, "buyer", BUYERS, served)
        crowd = people(session, app, "crowd", CROWD, [first])
        keeper = keeper_at(session, app, first)
        bills = due_bills(session, [(one.user_id, one.person.token) for one in buyers])
        cycle = session.scalars(sa.select(Cycle).where(Cycle.pickup_point_id == first.id).order_by(Cycle.id)).first()
        visits = waiting_visits(session, first.id, first.community_id, cycle.id, cycle.merchant_id)
        categories, products, names = shown(session)
        point_slugs = [point.slug for point in points]
    for one in [*buyers, *crowd]:
        perform(fund, one.user_id, Money(MONEY), wallet)
    known = {
        kind: [one.person for one in made]
        for kind, made in (("readers", readers), ("shoppers", shoppers), ("buyers", buyers), ("crowd", crowd))
    }
    return City(
        points=point_slugs, categories=categories, products=products, names=names, goods=goods, hot=HOT, keeper=keeper, visits=visits,
        pin=PIN, bills=[DueBill(**one) for one in bills], **known,
    )  # fmt: skip


def shown(session: Any) -> tuple[list[str], list[str], list[str]]:
    """What has a page: categories with goods, and products with their names."""
    import sqlalchemy as sa

    from shop.models.catalog import Category, Listing

    listed = session.execute(sa.select(Listing.slug, Listing.name_zh).order_by(Listing.product_id)).all()
    used = sa.select(Listing.category_id)
    categories = session.scalars(sa.select(Category.slug).where(Category.id.in_(used)).order_by(Category.position, Category.id)).all()
    return list(categories), [slug for slug, _ in listed], [name for _, name in listed]


def goods_at(session: Any, point_id: int) -> list[Goods]:
    """What can be ordered one by one at a point for hours to come, in season and not too dear."""
    import sqlalchemy as sa

    from shop.kernel import clock
    from shop.kernel.money import Money
    from shop.models.catalog import Listing, Variant
    from shop.models.merchants import Merchant
    from shop.models.pickup import Cycle

    now = clock.now()
    coming = sa.select(Cycle.merchant_id).where(Cycle.pickup_point_id == point_id, Cycle.cut_off_at > now + timedelta(hours=3))
    month = 1 << (clock.local(now).month - 1)
    found = session.execute(
        sa.select(Variant.code, Listing.merchant_code)
        .join(Listing, Listing.variant_id == Variant.id)
        .where(
            Listing.merchant_id.in_(coming), Variant.minimum_quantity == 1, Variant.multiple == 1, Variant.price <= Money(DEAREST),
            Listing.season_mask.op("&")(month) != 0, Variant.code != HOT,
        )
        .order_by(Variant.id)
    )  # fmt: skip
    session.execute(sa.update(Merchant).values(minimum_order=Money(0)))
    return [Goods(code, merchant) for code, merchant in found]


def stock_up(session: Any) -> None:
    """So much of everything that nothing runs out, and of the hot thing what its measure says."""
    import sqlalchemy as sa

    from bench.rows import write
    from shop.kernel import clock
    from shop.models.catalog import Product, Variant
    from shop.models.stock import MovementKind, StockItem, StockMovement

    movements = []
    owners = dict(session.execute(sa.select(Variant.id, Product.merchant_id).join(Product, Product.id == Variant.product_id)).all())
    hot = session.scalars(sa.select(Variant.id).where(Variant.code == HOT)).one()
    for item in session.scalars(sa.select(StockItem)):
        change = (HOT_STOCK if item.variant_id == hot else STOCK) - (item.on_hand - item.reserved)
        if change:
            item.on_hand += change
            movements.append({
                "merchant_id": owners[item.variant_id], "variant_id": item.variant_id, "quantity": change, "kind": MovementKind.CORRECTION,
                "cause": f"bench:{item.variant_id}", "at": clock.now(),
            })  # fmt: skip
    session.flush()
    write(session, StockMovement, movements)


def people(session: Any, app: Any, kind: str, count: int, points: list[Any]) -> list[Made]:
    """So many people, each at a point that is drawn, signed in with a browser and with a program."""
    from shop.kernel import clock
    from shop.models.accounts import User

    drawn = Popular(points, "homes")
    homes = [drawn.one(chance("home", kind, number)) for number in range(count)]
    area = {"reader": 1, "shopper": 2, "buyer": 3, "crowd": 4, "keeper": 5}[kind]
    users = [
        User(
            phone=f"137{area}{number:07d}", display_name="顾客", verification_level=3, pickup_point_id=home.id, created_at=clock.now(),
        )
        for number, home in enumerate(homes)
    ]  # fmt: skip
    session.add_all(users)
    session.flush()
    return [Made(user.id, signed_in(session, app, user.id, home.slug)) for user, home in zip(users, homes, strict=True)]


def signed_in(session: Any, app: Any, user_id: int, point: str, second_factor: bool = False) -> Person:
    """Two sessions of a person: an access token, and what their browser's cookie says."""
    from shop.kernel import clock, ids
    from shop.models.accounts import SessionKind, UserSession

    now, tokens = clock.now(), {}
    for kind in (SessionKind.API, SessionKind.WEB):
        tokens[kind] = ids.secret()
        session.add(
            UserSession(
                user_id=user_id, kind=kind, token_hash=ids.fingerprint(tokens[kind]), created_at=now, expires_at=now + timedelta(days=1),
                device="bench", second_factor_at=now if second_factor else None,
            )
        )  # fmt: skip
    kept = {"_permanent": True, "_user_id": tokens[SessionKind.WEB]}
    return Person(tokens[SessionKind.API], app.session_interface.get_signing_serializer(app).dumps(kept), point)


def keeper_at(session: Any, app: Any, point: Any) -> str:
    """A keeper of the point with the second factor shown; their access token."""
    from shop.kernel import clock
    from shop.models.accounts import Role, RoleGrant

    (made,) = people(session, app, "keeper", 1, [point])
    session.add(RoleGrant(user_id=made.user_id, role=Role.KEEPER, pickup_point_id=point.id, created_at=clock.now()))
    return signed_in(session, app, made.user_id, point.slug, second_factor=True).token


def fund(session: Any, user_id: int, amount: Any, wallet: Any) -> None:
    """A wallet with a PIN and money."""
    from shop.models.accounts import User
    from shop.platform.actor import Actor
    from shop.wallet.rules import WalletClass

    wallet.open_wallet(session, user_id, WalletClass.III)
    wallet.set_pin(session, Actor("user", user_id, phone=session.get_one(User, user_id).phone), PIN)
    wallet.post(
        session, cause=f"bench:{user_id}", kind="opening", debit="custodian", credit=f"wallet:{user_id}", amount=amount,
        subject=("user", user_id),
    )  # fmt: skip


def main(place: str) -> None:
    from shop import create_app

    app = create_app()
    with app.app_context():
        prepare(app).write(Path(place))


if __name__ == "__main__":
    main(sys.argv[1])
