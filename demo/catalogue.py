"""Places, merchants, categories, products with variants, pictures and opening stock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from demo import files
from shop.catalog import operations as catalog
from shop.catalog import pictures, rules
from shop.kernel import clock
from shop.kernel.money import ZERO, Money
from shop.models.bills import AmountRule, Biller, BillerFlow
from shop.models.catalog import Category, PriceChange, PricedBy, Product, ProductImage, SoldBy, Storage, Variant
from shop.models.communities import Community, Region
from shop.models.merchants import Merchant, MerchantKind
from shop.models.pickup import MerchantPoint, PickupPoint
from shop.models.stock import MovementKind, StockItem, StockMovement
from shop.platform.files import Storage as FileStorage

OPENING_STOCK = 400
PICTURE_SIZE, LOGO_SIZE = 640, 240  # drawing takes time by the pixel; phones show a product 320 wide at double density
BARCODE_PREFIX = "690"


def wall_time(text: str) -> time:
    hours, minutes = text.split(":")
    return time(int(hours), int(minutes))


def add_places(session: Session) -> None:
    """Regions, communities and their pick-up points."""
    for row in files.rows("regions"):
        session.add(Region(code=row["code"], name=row["name"], parent_code=row["parent_code"] or None))
        session.flush()
    for number, row in enumerate(files.rows("communities"), start=1):
        community = Community(
            slug=row["slug"], name_zh=row["name_zh"], name_en=row["name_en"], street_code=row["street_code"],
            district_zh=row["district_zh"], district_en=row["district_en"], households=int(row["households"]),
            residents=int(row["residents"]), buildings=int(row["buildings"]),
            share_60_plus_percent=int(row["share_60_plus_percent"]),
        )  # fmt: skip
        session.add(community)
        session.flush()
        session.add(
            PickupPoint(
                slug=row["slug"], community_id=community.id, name_zh=row["pickup_point_zh"], name_en=row["pickup_point_en"],
                location_zh=row["pickup_point_location_zh"], location_en=row["pickup_point_location_en"], opens=wall_time(row["opens"]),
                closes=wall_time(row["closes"]), phone=f"0832200000{number}", latitude_e6=round(float(row["latitude"]) * 1_000_000),
                longitude_e6=round(float(row["longitude"]) * 1_000_000),
            )
        )  # fmt: skip


def add_merchants(session: Session, moment: datetime, logos: dict[str, str]) -> None:
    """Merchants with their terms and logos (file names by code); those who sell goods deliver to every point."""
    points = session.scalars(sa.select(PickupPoint.id)).all()
    sellers = {row["merchant"] for row in files.rows("products")}
    for row in files.rows("merchants"):
        kind = MerchantKind(row["kind"])
        merchant = Merchant(
            code=row["code"], name_zh=row["name_zh"], name_en=row["name_en"], kind=kind, uscc=row["uscc"],
            business_zh=row["business_zh"], business_en=row["business_en"], commission_bps=int(row["commission_bps"]),
            cut_off=time(22, 0) if kind is MerchantKind.MARKET_HALL else time(23, 0),
            lead_days=1, arrival=time(16, 0), minimum_order=ZERO, pickup_fee=ZERO, logo=logos.get(row["code"]), created_at=moment,
        )  # fmt: skip
        session.add(merchant)
        session.flush()
        if row["code"] in sellers:
            session.add_all(MerchantPoint(merchant_id=merchant.id, pickup_point_id=point) for point in points)


def add_categories(session: Session) -> None:
    for position, row in enumerate(files.rows("categories")):
        named = {"slug": row["slug"], "name_zh": row["name_zh"], "name_en": row["name_en"]}
        session.add(Category(**named, position=position, has_unit_price=row["has_unit_price"] == "1"))


def add_billers(session: Session) -> None:
    for position, row in enumerate(files.rows("billers")):
        session.add(
            Biller(
                code=row["code"], name_zh=row["name_zh"], name_en=row["name_en"], category=row["category"], mode=row["mode"],
                flow=BillerFlow(row["flow"]), account_pattern=row["account_pattern"], amount_rule=AmountRule(row["amount_rule"]),
                channel=row["channel"], late_fee_bps_per_day=int(row["late_fee_bp_per_day"]), position=position,
            )
        )  # fmt: skip


def add_products(session: Session, moment: datetime, kept: dict[str, str]) -> None:
    """Products with their variants, prices, stock, picture (`kept`: file names by product code), listing and search terms."""
    merchants = dict(session.execute(sa.select(Merchant.code, Merchant.id)).all())
    categories = dict(session.execute(sa.select(Category.slug, Category.id)).all())
    further: dict[str, list[dict[str, str]]] = {}
    for row in files.rows("variants"):
        further.setdefault(row["product"], []).append(row)
    ids = []
    for position, row in enumerate(in_season_first(files.rows("products"))):
        product = Product(**product_values(row, merchants, categories, moment), position=position)
        session.add(product)
        session.flush()
        for place, unit in enumerate([row, *further.get(row["code"], [])]):
            add_variant(session, unit, product, place, f"{BARCODE_PREFIX}{place}{position:09d}", moment)
        if row["code"] in kept:
            session.add(ProductImage(product_id=product.id, file=kept[row["code"]], has_medium=True))
        ids.append(product.id)
    session.flush()
    catalog.refresh_listings(session, ids)
    catalog.refresh_search_terms(session, ids, files.lists("synonyms"), files.lists("kinds"))


def add_variant(session: Session, row: dict[str, str], product: Product, place: int, barcode: str, moment: datetime) -> None:
    """One selling unit with its price and opening stock."""
    price = Money(int(row["price_fen"]))
    group_price = Money(int(row["group_price_fen"]))
    variant = Variant(**variant_values(row, price), product_id=product.id, group_price=group_price, barcode=barcode, position=place)
    session.add(variant)
    session.flush()
    opening = {"quantity": OPENING_STOCK, "kind": MovementKind.RECEIVED, "cause": f"opening:{variant.id}", "at": moment}
    session.add(PriceChange(variant_id=variant.id, price=price, at=moment))
    session.add(StockItem(variant_id=variant.id, on_hand=OPENING_STOCK, reserved=0))
    session.add(StockMovement(merchant_id=product.merchant_id, variant_id=variant.id, **opening))


def product_values(row: dict[str, str], merchants: dict[str, int], categories: dict[str, int], moment: datetime) -> dict[str, Any]:
    """A product as its line in the file says."""
    return {
        "code": row["code"], "slug": row["code"], "merchant_id": merchants[row["merchant"]], "category_id": categories[row["category"]],
        "name_zh": row["name_zh"], "name_en": row["name_en"], "description_zh": row["description_zh"],
        "description_en": row["description_en"], "sold_by": SoldBy(row["sold_by"]), "priced_by": PricedBy(row["priced_by"]),
        "storage": Storage(row["storage"]), "season_months": row["season_months"],
        "origin_zh": row["origin_zh"], "origin_en": row["origin_en"],
        "shelf_life_days": int(row["shelf_life_days"]), "is_agricultural": row["is_agricultural"] == "1",
        "is_returnable_within_7_days": row["seven_day_return"] == "1", "allergens": row["allergens"], "created_at": moment,
        "updated_at": moment,
    }  # fmt: skip


def variant_values(row: dict[str, str], price: Money) -> dict[str, Any]:
    """A selling unit, as its line in the file says."""
    labels = {"label_zh": row["unit_zh"], "label_en": row["unit_en"]}
    return {"code": row["code"], **labels, "price": price, "net_weight_grams": int(row["net_weight_g"])}


def in_season_first(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The shop's order: what has its season now, then what grows all year, then what waits for its season."""
    today = clock.today()

    def rank(row: dict[str, str]) -> int:
        mask = rules.season_mask(row["season_months"])
        if mask == rules.ALL_YEAR:
            return 1
        return 0 if rules.is_in_season(mask, today) else 2

    return sorted(rows, key=rank)


def keep_pictures(storage: FileStorage, kind: str, size: int, step: Callable[[], object]) -> dict[str, str]:
    """Draw every picture of a kind and store it as a merchant's upload would be; file names by code."""
    kept = {}
    for row in files.rows(kind):
        drawn = files.picture(kind, row["code"], size)
        if drawn is not None:
            kept[row["code"]] = pictures.keep(storage, drawn)
        step()
    return kept


