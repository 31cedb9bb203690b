"""Many more goods and people than a demo needs, in plain rows: for measuring how the shop grows.

Numbered from where the last run stopped, batch by batch, so that an interrupted run goes on and a finished one does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from demo import catalogue, files, people
from shop.catalog import operations as catalog
from shop.kernel import clock, ids
from shop.kernel.db import Base, reading, transaction
from shop.kernel.money import ZERO, Money
from shop.models.accounts import User
from shop.models.catalog import Category, PriceChange, Product, Variant
from shop.models.merchants import Merchant
from shop.models.pickup import PickupPoint
from shop.models.stock import MovementKind, StockItem, StockMovement
from shop.wallet import operations as wallet

BATCH = 1_000
CODE_PREFIX = "more-"
MORE_NUMBERS = 13_910_000_000
MOST_RESIDENTS = 80_000_000
WALLET_FEN = 1_000_00
TOWNS = (
    ("椑木镇", "Beimu"), ("白马镇", "Baima"), ("史家镇", "Shijia"), ("凌家镇", "Lingjia"),
    ("朝阳镇", "Chaoyang"), ("永安镇", "Yong'an"), ("高桥镇", "Gaoqiao"), ("龙门镇", "Longmen"),
    ("田家镇", "Tianjia"), ("郭北镇", "Guobei"), ("高梁镇", "Gaoliang"), ("双才镇", "Shuangcai"),
    ("平坦镇", "Pingtan"), ("顺河镇", "Shunhe"), ("永福镇", "Yongfu"), ("石子镇", "Shizi"),
    ("同福镇", "Tongfu"), ("三烈镇", "Sanlie"), ("水南镇", "Shuinan"), ("球溪镇", "Qiuxi"),
    ("连界镇", "Lianjie"), ("严陵镇", "Yanling"), ("龙会镇", "Longhui"), ("界市镇", "Jieshi"),
)  # fmt: skip
QUALITIES = ("新鲜", "精选", "农家", "实惠装", "家庭装", "有机", "早市", "当季")


def products_missing(wanted: int) -> int:
    """How many products are still to be added for so many in all."""
    return max(0, wanted - (reading().scalar(sa.select(sa.func.count()).select_from(Product)) or 0))


def residents_missing(wanted: int) -> int:
    """How many people are still to be added for so many in all."""
    return max(0, wanted - (reading().scalar(sa.select(sa.func.count()).select_from(User)) or 0))


def add_products(missing: int, step: Callable[[int], object]) -> None:
    """Add so many products with variant, stock, price, listing and search terms."""
    for size in batches(missing):
        with transaction() as session:
            begin = next_number(session, Product.code)
            product_ids = insert_products(session, range(begin, begin + size))
            catalog.refresh_listings(session, product_ids)
            catalog.refresh_search_terms(session, product_ids, files.lists("synonyms"), files.lists("kinds"))
        step(size)


def batches(total: int) -> list[int]:
    """How much each transaction writes."""
    return [min(BATCH, total - done) for done in range(0, total, BATCH)]


def next_number(session: Session, code: Any) -> int:
    """The number after the last one used."""
    newest = session.scalar(sa.select(sa.func.max(code)).where(code.startswith(CODE_PREFIX)))
    return int(newest.removeprefix(CODE_PREFIX)) + 1 if newest else 1


def insert_products(session: Session, numbers: Sequence[int]) -> list[int]:
    """Variations of the demo's products from other towns, at other prices."""
    models = files.rows("products")
    merchants = dict(session.execute(sa.select(Merchant.code, Merchant.id)).all())
    categories = dict(session.execute(sa.select(Category.slug, Category.id)).all())
    moment = clock.now()
    products, variants = [], []
    for number in numbers:
        chance, row = Random(number), models[number % len(models)]
        code, (town, town_en) = f"{CODE_PREFIX}{number:08d}", chance.choice(TOWNS)
        own = {"code": code, "slug": code, "origin_zh": town, "origin_en": town_en, "position": 1_000 + number}
        own["name_en"] = f"{row['name_en']} from {town_en}"
        own["name_zh"] = f"{town}{chance.choice(QUALITIES)}{row['name_zh']}"
        products.append(catalogue.product_values(row, merchants, categories, moment) | own)
        price = Money(max(10, int(row["price_fen"]) * chance.randint(60, 160) // 100))
        variants.append(catalogue.variant_values(row, price) | {"code": code})
    product_ids = list(session.scalars(sa.insert(Product).returning(Product.id, sort_by_parameter_order=True), products))
    for product_id, values in zip(product_ids, variants, strict=True):
        values["product_id"] = product_id
    variant_ids = list(session.scalars(sa.insert(Variant).returning(Variant.id, sort_by_parameter_order=True), variants))
    prices = [values["price"] for values in variants]
    session.execute(
        sa.insert(PriceChange), [{"variant_id": key, "price": price, "at": moment} for key, price in zip(variant_ids, prices, strict=True)]
    )
    on_hand = catalogue.OPENING_STOCK
    session.execute(sa.insert(StockItem), [{"variant_id": key, "on_hand": on_hand, "reserved": 0} for key in variant_ids])
    movement = {"quantity": on_hand, "kind": MovementKind.RECEIVED, "at": moment}
    movements = [
        {"merchant_id": values["merchant_id"], "variant_id": key, "cause": f"opening:{key}", **movement}
        for key, values in zip(variant_ids, products, strict=True)
    ]
    session.execute(sa.insert(StockMovement), movements)
    return product_ids


def add_residents(missing: int, step: Callable[[int], object]) -> None:
    """Add so many people with a wallet of 1,000 yuan and the demo PIN. They have not shopped yet."""
    prefix = str(MORE_NUMBERS)[:4]
    for size in batches(missing):
        with transaction() as session:
            begin = max((int(phone) + 1 for phone in session.scalars(sa.select(User.phone)) if phone[:4] == prefix), default=MORE_NUMBERS)
            insert_residents(session, range(begin, begin + size))
        step(size)


def insert_residents(session: Session, phones: Sequence[int]) -> None:
    points = session.scalars(sa.select(PickupPoint.id).order_by(PickupPoint.id)).all()
    moment = clock.now()
    users = [
        {
            "phone": str(phone), "display_name": people.name(Random(phone)), "verification_level": 2,
            "pickup_point_id": points[phone % len(points)], "created_at": moment,
        }
        for phone in phones
    ]
    user_ids = list(session.scalars(sa.insert(User).returning(User.id, sort_by_parameter_order=True), users))
    accounts, wallets = (Base.metadata.tables[name] for name in ("ledger_accounts", "wallets"))
    opened = [{"code": f"wallet:{user_id}", "kind": "wallet", "user_id": user_id, "balance": ZERO} for user_id in user_ids]
    session.execute(sa.insert(accounts), opened)
    account_ids = dict(session.execute(sa.select(accounts.c.user_id, accounts.c.id).where(accounts.c.user_id.in_(user_ids))).all())
    session.execute(sa.insert(wallets), [wallet_values(user_id, account_ids[user_id]) | {"opened_at": moment} for user_id in user_ids])
    wallet.post_many(
        session,
        [
            wallet.Posting(f"opening:{user_id}", "opening", "custodian", f"wallet:{user_id}", Money(WALLET_FEN), ("user", user_id))
            for user_id in user_ids
        ],
    )


def wallet_values(user_id: int, account_id: int) -> dict[str, Any]:
    salt = ids.secret()
    pin_hash = f"{salt}${wallet.pin_fingerprint(salt, people.PIN)}"
    return {"user_id": user_id, "account_id": account_id, "wallet_class": "II", "state": "active", "pin_hash": pin_hash, "pin_failures": 0}
