"""What is sold: categories, products, variants, pictures, price history, and the listing that pages read."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from shop.kernel.columns import pk
from shop.kernel.db import Base
from shop.kernel.money import Money


class Category(Base):
    __tablename__ = "categories"

    id: Mapped[pk]
    slug: Mapped[str] = mapped_column(unique=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    position: Mapped[int]
    has_unit_price: Mapped[bool] = mapped_column(default=True)  # whether its goods are compared by weight: rice is, a kettle is not


class SoldBy(StrEnum):
    PACK = "pack"
    PIECE = "piece"
    WEIGHT = "weight"


class PricedBy(StrEnum):
    """How the final price is found: fixed per unit, or by the weight found at packing."""

    PACK = "pack"
    WEIGHT = "weight"


class Storage(StrEnum):
    AMBIENT = "ambient"
    CHILLED = "chilled"
    FROZEN = "frozen"


class ProductState(StrEnum):
    DRAFT = "draft"
    ON_SALE = "on_sale"
    OFF_SALE = "off_sale"


class Product(Base):
    """What a merchant offers, with everything a label must say."""

    __tablename__ = "products"
    __table_args__ = (sa.Index("ix_products_merchant_id_id", "merchant_id", "id"),)

    id: Mapped[pk]
    code: Mapped[str] = mapped_column(unique=True)
    slug: Mapped[str] = mapped_column(unique=True)
    merchant_id: Mapped[int] = mapped_column(sa.ForeignKey("merchants.id"))
    category_id: Mapped[int] = mapped_column(sa.ForeignKey("categories.id"), index=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    description_zh: Mapped[str] = mapped_column(default="")
    description_en: Mapped[str] = mapped_column(default="")
    state: Mapped[ProductState] = mapped_column(default=ProductState.ON_SALE)
    sold_by: Mapped[SoldBy]
    priced_by: Mapped[PricedBy]
    storage: Mapped[Storage]
    season_months: Mapped[str] = mapped_column(default="")  # "12-5"; empty means all year
    origin_zh: Mapped[str]
    origin_en: Mapped[str]
    shelf_life_days: Mapped[int]
    is_agricultural: Mapped[bool]
    is_returnable_within_7_days: Mapped[bool]
    allergens: Mapped[str] = mapped_column(default="")
    position: Mapped[int] = mapped_column(default=0)
    publish_at: Mapped[datetime | None] = mapped_column(index=True)  # when a draft goes on sale by itself
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Variant(Base):
    """One thing that can be put into a cart (规格), with its price per selling unit and its net weight."""

    __tablename__ = "variants"
    __table_args__ = (
        sa.CheckConstraint("price > 0", name="price_positive"),
        sa.CheckConstraint("net_weight_grams > 0", name="net_weight_positive"),
        sa.CheckConstraint("minimum_quantity > 0 AND multiple > 0", name="quantity_rules_positive"),
    )

    id: Mapped[pk]
    code: Mapped[str] = mapped_column(unique=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), index=True)
    label_zh: Mapped[str]  # the selling unit as people say it: "5斤/箱", "斤"
    label_en: Mapped[str]
    price: Mapped[Money]
    group_price: Mapped[Money | None]
    net_weight_grams: Mapped[int]  # of one selling unit; nominal where the price goes by weight
    barcode: Mapped[str | None] = mapped_column(index=True)
    minimum_quantity: Mapped[int] = mapped_column(default=1)
    multiple: Mapped[int] = mapped_column(default=1)
    position: Mapped[int] = mapped_column(default=0)
    is_on_sale: Mapped[bool] = mapped_column(default=True)


class PriceChange(Base):
    """Every price a variant ever had, and who set it: what a struck-through price must be proved by."""

    __tablename__ = "price_changes"
    __table_args__ = (
        sa.Index("ix_price_changes_variant_id_at", "variant_id", "at"),
        sa.Index("ix_price_changes_variant_id_id", "variant_id", "id"),
    )

    id: Mapped[pk]
    variant_id: Mapped[int] = mapped_column(sa.ForeignKey("variants.id"))
    price: Mapped[Money]
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))  # none: a command, or before this was kept
    at: Mapped[datetime]


class ProductImage(Base):
    """A picture of a product, by its place in the file store."""

    __tablename__ = "product_images"

    id: Mapped[pk]
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), index=True)
    file: Mapped[str]
    position: Mapped[int] = mapped_column(default=0)
    alt_zh: Mapped[str] = mapped_column(default="", server_default="")  # what is seen on it; empty: the product's name
    alt_en: Mapped[str] = mapped_column(default="", server_default="")
    has_medium: Mapped[bool] = mapped_column(default=False, server_default=sa.false())  # those kept before there was one have none


class Listing(Base):
    """One row per product on sale with all that a card shows, so that a page of 24 cards is one query."""

    __tablename__ = "listings"
    __table_args__ = (
        sa.Index("ix_listings_category_id_rank", "category_id", "rank", "product_id"),
        sa.Index("ix_listings_category_id_price", "category_id", "price", "product_id"),
        sa.Index("ix_listings_rank", "rank", "product_id"),
        sa.Index("ix_listings_merchant_id_rank", "merchant_id", "rank", "product_id"),
    )

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), primary_key=True)
    variant_id: Mapped[int] = mapped_column(sa.ForeignKey("variants.id"))  # the one the card prices
    merchant_id: Mapped[int] = mapped_column(sa.ForeignKey("merchants.id"))
    category_id: Mapped[int] = mapped_column(sa.ForeignKey("categories.id"))
    code: Mapped[str]
    slug: Mapped[str]
    name_zh: Mapped[str]
    name_en: Mapped[str]
    merchant_code: Mapped[str]
    merchant_name_zh: Mapped[str]
    merchant_name_en: Mapped[str]
    unit_zh: Mapped[str]
    unit_en: Mapped[str]
    price: Mapped[Money]
    price_per_jin: Mapped[Money]
    price_per_kilogram: Mapped[Money]
    is_by_weight: Mapped[bool]
    has_choices: Mapped[bool]
    storage: Mapped[Storage]
    season_mask: Mapped[int]  # bit 0 is January; all twelve bits when it has no season
    image: Mapped[str]
    rank: Mapped[int]  # lower comes first
    version: Mapped[int] = mapped_column(default=0)  # changes whenever the row is written anew; drawn cards are kept by it


class SearchTerm(Base):
    """The inverted index of search, the same on both engines: single Han characters, pairs of them, words, pinyin, measures.

    `ix_search_terms_best` holds the entries of a term in the order in which they are wanted, so that a search reads the first of them.
    """

    __tablename__ = "search_terms"
    __table_args__ = (sa.Index("ix_search_terms_best", "term", sa.text("weight DESC"), "rank", "product_id", "merchant_id"),)

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), primary_key=True)
    # compared byte by byte on both engines: beginnings are found as ranges
    term: Mapped[str] = mapped_column(sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), primary_key=True)
    weight: Mapped[int]
    rank: Mapped[int] = mapped_column(default=0, server_default="0")  # as in the listing: lower comes first
    merchant_id: Mapped[int] = mapped_column(default=0, server_default="0")  # 0: written before this was kept


class SearchWord(Base):
    """How many people searched for a word on a day, at least. Who they were is not kept, and cannot be found out.

    Everybody who is signed in falls on one of sixty places, another one for each word and day. `seen` is a bit for each place that
    somebody fell on, `people` how many there are: so many different people searched for it, or more.
    """

    __tablename__ = "search_words"
    __table_args__ = (
        sa.UniqueConstraint("day", "word", name="uq_search_words_day_word"),
        sa.Index("ix_search_words_day_people", "day", "people", "id"),
    )

    id: Mapped[pk]
    day: Mapped[date]
    word: Mapped[str]
    seen: Mapped[int]
    people: Mapped[int]
    created_at: Mapped[datetime]
