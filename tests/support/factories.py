"""Words that put rows there: `make.product(price=580, on_hand=3)`. The test names only what matters to it.

Factories write plain rows. States that need rules are reached through operations, by the words of `tests.support.stories`.
"""

from __future__ import annotations

from datetime import time, timedelta
from itertools import count
from typing import Any

from flask import Flask

from shop.kernel import clock
from shop.kernel.db import transaction
from shop.kernel.money import ZERO, Money
from shop.kernel.weight import GRAMS_PER_JIN, GRAMS_PER_KILOGRAM, price_per
from shop.models.accounts import Role, RoleGrant, User
from shop.models.catalog import Category, Listing, PricedBy, Product, SoldBy, Storage, Variant
from shop.models.communities import Community, Region
from shop.models.merchants import Merchant, MerchantKind
from shop.models.pickup import Cycle, MerchantPoint, PickupPoint
from shop.models.stock import MovementKind, StockItem, StockMovement
from shop.platform.actor import Actor, Grant

SHARP = '<b>&"'
"""On every name, so that a page that forgets to escape one is found by whatever test asks for it (`hold_pages_to_escaping`)."""


class Factories:
    """Makes rows with defaults for everything; each call commits."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.numbers = count(1)

    def save(self, *rows: Any) -> Any:
        """Store rows; the first is given back."""
        with transaction() as session:
            session.add_all(rows)
        return rows[0]

    def community(self, slug: str | None = None, **values: Any) -> Community:
        slug = slug or f"community-{next(self.numbers)}"
        with transaction() as session:
            if session.get(Region, "511011002") is None:
                session.add(Region(code="511011002", name="西林街道", parent_code=None))
        made = Community(
            **{
                "slug": slug, "name_zh": f"{slug}社区{SHARP}", "name_en": f"{slug.title()}{SHARP}", "street_code": "511011002",
                "district_zh": "东兴区",
                "district_en": "Dongxing",
                "households": 100, "residents": 300, "buildings": 5, "share_60_plus_percent": 20, **values,
            }
        )
        return self.save(made)

    def point(self, slug: str | None = None, community: Community | None = None, **values: Any) -> PickupPoint:
        slug = slug or f"point-{next(self.numbers)}"
        community = community or self.community()
        made = PickupPoint(
            **{
                "slug": slug, "community_id": community.id, "name_zh": f"{slug}自提点{SHARP}",
                "name_en": f"{slug.title()} pick-up point{SHARP}",
                "location_zh": "一楼", "location_en": "Ground floor", "opens": time(8, 30), "closes": time(20, 30), "phone": "08322000000",
                "latitude_e6": 29594300, "longitude_e6": 105071600, **values,
            }
        )
        return self.save(made)

    def merchant(self, code: str | None = None, points: list[PickupPoint] | None = None, **values: Any) -> Merchant:
        """A merchant that delivers to `points`, each with an open cycle arriving tomorrow at 16:00."""
        code = code or f"merchant-{next(self.numbers)}"
        made = self.save(
            Merchant(
                **{
                    "code": code, "name_zh": f"{code}店{SHARP}", "name_en": f"{code.title()}{SHARP}",
                    "kind": MerchantKind.SHOP, "uscc": "91511002MAY0000176",
                    "business_zh": "零售", "business_en": "Retail",
                    "commission_bps": 300, "cut_off": time(23, 0), "lead_days": 1, "arrival": time(16, 0),
                    "minimum_order": ZERO, "pickup_fee": ZERO, "created_at": clock.now(), **values,
                }
            )
        )
        for point in points or []:
            self.save(MerchantPoint(merchant_id=made.id, pickup_point_id=point.id))
            self.cycle(made, point)
        return made

    def cycle(self, merchant: Merchant, point: PickupPoint, **values: Any) -> Cycle:
        """An open cycle: cut-off in six hours, arrival a day from now."""
        arrives_at = clock.now() + timedelta(days=1)
        made = Cycle(
            **{
                "community_id": point.community_id, "merchant_id": merchant.id, "pickup_point_id": point.id,
                "arrives_on": clock.local(arrives_at).date(),
                "cut_off_at": clock.now() + timedelta(hours=6),
                "arrives_at": arrives_at, "capacity": 100, **values,
            }
        )
        return self.save(made)

    def category(self, slug: str | None = None, **values: Any) -> Category:
        slug = slug or f"category-{next(self.numbers)}"
        names = {"name_zh": f"{slug}{SHARP}", "name_en": f"{slug.title()}{SHARP}"}
        return self.save(Category(**{"slug": slug, **names, "position": 1, **values}))

    def product(
        self, merchant: Merchant | None = None, *, code: str | None = None, price: int = 1_000, on_hand: int = 100,
        by_weight: bool = False, grams: int = 500, category: Category | None = None, **values: Any,
    ) -> Variant:
        """A product on sale with one variant, its stock and its listing; the variant is given back. `price` in fen."""
        code = code or f"product-{next(self.numbers)}"
        merchant = merchant or self.merchant()
        category = category or self.category()
        moment = clock.now()
        product = self.save(
            Product(
                **{
                    "code": code, "slug": code, "merchant_id": merchant.id, "category_id": category.id, "name_zh": f"{code}商品{SHARP}",
                    "name_en": f"{code.title()}{SHARP}", "sold_by": SoldBy.WEIGHT if by_weight else SoldBy.PACK,
                    "priced_by": PricedBy.WEIGHT if by_weight else PricedBy.PACK, "storage": Storage.AMBIENT, "origin_zh": "内江市",
                    "origin_en": "Neijiang",
                    "shelf_life_days": 10, "is_agricultural": True, "is_returnable_within_7_days": False,
                    "created_at": moment, "updated_at": moment, **values,
                }
            )
        )
        unit_zh, unit_en = ("斤", "jin") if by_weight else ("盒", "box")
        variant = self.save(
            Variant(code=code, product_id=product.id, label_zh=unit_zh, label_en=unit_en, price=Money(price), net_weight_grams=grams)
        )
        self.save(StockItem(variant_id=variant.id, on_hand=on_hand, reserved=0))
        if on_hand:
            self.save(
                StockMovement(
                    merchant_id=merchant.id, variant_id=variant.id, quantity=on_hand, kind=MovementKind.RECEIVED,
                    cause=f"opening:{variant.id}", at=moment,
                )
            )
        self.save(
            Listing(
                product_id=product.id, variant_id=variant.id, merchant_id=merchant.id, category_id=category.id,
                code=code, slug=product.slug,
                name_zh=product.name_zh, name_en=product.name_en, merchant_code=merchant.code, merchant_name_zh=merchant.name_zh,
                merchant_name_en=merchant.name_en, unit_zh=unit_zh, unit_en=unit_en, price=Money(price),
                price_per_jin=price_per(Money(price), grams, GRAMS_PER_JIN),
                price_per_kilogram=price_per(Money(price), grams, GRAMS_PER_KILOGRAM), is_by_weight=by_weight, has_choices=False,
                storage=product.storage, season_mask=0b111111111111, image="", rank=product.position,
            )
        )
        return variant

    def user(self, phone: str | None = None, *, point: PickupPoint | None = None, level: int = 2, **values: Any) -> User:
        phone = phone or f"138{next(self.numbers):08d}"
        made = User(
            **{
                "phone": phone, "display_name": f"李梅{SHARP}", "verification_level": level, "pickup_point_id": point.id if point else None,
                "created_at": clock.now(), **values,
            }
        )
        return self.save(made)

    def grant(self, user: User, role: Role, *, merchant: Merchant | None = None, point: PickupPoint | None = None) -> RoleGrant:
        made = RoleGrant(
            user_id=user.id, role=role, merchant_id=merchant.id if merchant else None, pickup_point_id=point.id if point else None,
            created_at=clock.now(),
        )
        return self.save(made)


def actor_of(user: User, *grants: Grant, **values: Any) -> Actor:
    """The person as operations see them."""
    return Actor(
        **{
            "kind": "user", "user_id": user.id, "display_name": user.display_name, "phone": user.phone,
            "pickup_point_id": user.pickup_point_id, "verification_level": user.verification_level, "grants": grants,
            "has_second_factor": bool(grants), **values,
        }
    )
