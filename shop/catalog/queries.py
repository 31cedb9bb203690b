"""Reading the catalogue. A page of cards is two queries: what arrives at my point, and the cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.catalog import rules
from shop.catalog.errors import CategoryNotFound, ProductNotFound
from shop.kernel import clock
from shop.kernel.memory import remember
from shop.kernel.money import Money
from shop.kernel.rows import all_as, each_with, one_as
from shop.kernel.statements import table
from shop.models.catalog import Category, Listing, Product, ProductImage, ProductState, Variant
from shop.models.merchants import Merchant, MerchantState
from shop.models.pickup import Cycle
from shop.models.stock import StockItem

PAGE = 24


@dataclass(frozen=True, slots=True)
class CategoryFacts:
    """A category as pages need it."""

    id: int
    slug: str
    name_zh: str
    name_en: str
    has_unit_price: bool = True


@dataclass(frozen=True, slots=True)
class Arrival:
    """When the goods of a merchant can next arrive at a point, and until when to order."""

    merchant_id: int
    cycle_id: int
    arrives_on: date
    arrives_at: datetime
    cut_off_at: datetime


class Card(NamedTuple):
    """What a product card shows; `available` in selling units, `arrives_on` None when nothing comes to this point."""

    product_id: int
    code: str
    slug: str
    name_zh: str
    name_en: str
    merchant_code: str
    merchant_name_zh: str
    merchant_name_en: str
    category_id: int
    unit_zh: str
    unit_en: str
    price: Money
    price_per_jin: Money
    price_per_kilogram: Money
    is_by_weight: bool
    has_choices: bool
    season_mask: int
    image: str
    variant_id: int
    rank: int
    version: int
    available: int
    arrives_on: date | None

    @property
    def is_in_season(self) -> bool:
        return rules.is_in_season(self.season_mask, clock.today())


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cards: filters, order and where the last page ended."""

    category_id: int | None = None
    merchant_id: int | None = None
    in_season: bool = False
    all_year: bool = False
    by_weight: bool = False
    at_least: int | None = None  # fen
    below: int | None = None
    order: str = "rank"  # "rank", "price", "price_down"
    after: tuple[int, int] | None = None
    limit: int = PAGE

    @property
    def is_narrowed(self) -> bool:
        """Whether a filter leaves something out."""
        return any(shape_of(self, False))


@dataclass(frozen=True, slots=True)
class Page:
    """Some cards, and where the next page begins (None at the end)."""

    cards: list[Card]
    next_after: tuple[int, int] | None


@remember(seconds=30)
def categories(session: Session) -> list[CategoryFacts]:
    """All categories in their order."""
    columns = (Category.id, Category.slug, Category.name_zh, Category.name_en, Category.has_unit_price)
    rows = session.execute(sa.select(*columns).order_by(Category.position))
    return all_as(CategoryFacts, rows)


def get_category(session: Session, slug: str) -> CategoryFacts:
    for category in categories(session):
        if category.slug == slug:
            return category
    raise CategoryNotFound()


@remember(seconds=5)
def open_cycles(session: Session, point_id: int) -> list[Arrival]:
    """The cycles to a point that are open and have room, latest first; none of merchants who are suspended or closed."""
    rows = session.execute(
        sa.select(Cycle.merchant_id, Cycle.id.label("cycle_id"), Cycle.arrives_on, Cycle.arrives_at, Cycle.cut_off_at)
        .where(Cycle.pickup_point_id == point_id, Cycle.cut_off_at > clock.now(), Cycle.booked < Cycle.capacity)
        .where(Cycle.closed_at.is_(None), Cycle.merchant_id.in_(sa.select(Merchant.id).where(Merchant.state == MerchantState.ACTIVE)))
        .order_by(Cycle.cut_off_at.desc())
    )
    return all_as(Arrival, rows)


def arrivals(session: Session, point_id: int | None) -> dict[int, Arrival]:
    """By merchant, the next cycle to a point that is still open; nothing for no point.

    Room is seen up to five seconds late, the cut-off never; an order is decided by the row itself in any case.
    """
    if point_id is None:
        return {}
    moment = clock.now()
    return {arrival.merchant_id: arrival for arrival in open_cycles(session, point_id) if arrival.cut_off_at > moment}


LISTINGS: Any = table(Listing)
STOCK: Any = table(StockItem)
CARD_COLUMNS: tuple[Any, ...] = (
    *(
        LISTINGS.c[name]
        for name in (
            "product_id", "code", "slug", "name_zh", "name_en", "merchant_code", "merchant_name_zh", "merchant_name_en", "category_id",
            "unit_zh", "unit_en", "price", "price_per_jin", "price_per_kilogram", "is_by_weight", "has_choices", "season_mask", "image",
            "variant_id", "rank", "version",
        )
    ),
    StockItem.available.label("available"),
    LISTINGS.c.merchant_id,
)  # fmt: skip


def card_select() -> sa.Select[Any]:
    """Plain rows, not mapped objects: there are 24 of them on every page."""
    return sa.select(*CARD_COLUMNS).join(STOCK, STOCK.c.variant_id == LISTINGS.c.variant_id)


class Shape(NamedTuple):
    """Which filters a page of cards has: one statement each."""

    only_served: bool
    in_category: bool
    of_merchant: bool
    in_season: bool
    all_year: bool
    by_weight: bool
    at_least: bool
    below: bool


@dataclass(frozen=True)
class Prepared:
    """A statement made once, with the names of what it is filled with."""

    statement: sa.Select[Any]
    names: frozenset[str]


def conditions(shape: Shape) -> tuple[list[Any], set[str]]:
    """What the filters of a shape ask of a listing, and the names they are filled with."""
    found: list[Any] = []
    names: set[str] = set()
    price: Any = sa.type_coerce(Listing.price, sa.BigInteger())

    def narrow(*asked: Any, using: str = "") -> None:
        found.extend(asked)
        if using:
            names.add(using)

    if shape.only_served:
        narrow(Listing.merchant_id.in_(sa.bindparam("served", expanding=True)), using="served")
    if shape.in_category:
        narrow(Listing.category_id == sa.bindparam("category_id"), using="category_id")
    if shape.of_merchant:
        narrow(Listing.merchant_id == sa.bindparam("merchant_id"), using="merchant_id")
    if shape.all_year:
        narrow(Listing.season_mask == rules.ALL_YEAR)
    if shape.in_season:
        month: Any = Listing.season_mask.op("&")(sa.bindparam("month", type_=sa.BigInteger()))
        narrow(Listing.season_mask != rules.ALL_YEAR, month != 0, using="month")
    if shape.by_weight:
        narrow(Listing.is_by_weight)
    if shape.at_least:
        narrow(price >= sa.bindparam("at_least", type_=sa.BigInteger()), using="at_least")
    if shape.below:
        narrow(price < sa.bindparam("below", type_=sa.BigInteger()), using="below")
    return found, names


@cache
def page_select(shape: Shape, order: str, later: bool) -> Prepared:
    """The statement of a page of cards for a combination of filters. Made once: building it costs more than running it."""
    asked, names = conditions(shape)
    query = card_select().where(*asked)
    falling = order == "price_down"
    first: Any = Listing.rank if order == "rank" else sa.type_coerce(Listing.price, sa.BigInteger())
    second: Any = Listing.product_id
    if later:
        here = sa.tuple_(first, second)
        there = sa.tuple_(sa.bindparam("first", type_=sa.BigInteger()), sa.bindparam("last", type_=sa.BigInteger()))
        query = query.where(here < there if falling else here > there)
        names |= {"first", "last"}
    ordered = query.order_by(first.desc() if falling else first, second.desc() if falling else second)
    return Prepared(ordered.limit(sa.bindparam("most", type_=sa.BigInteger())), frozenset(names | {"most"}))


def shape_of(wanted: Wanted, only_served: bool) -> Shape:
    return Shape(
        only_served, wanted.category_id is not None, wanted.merchant_id is not None, wanted.in_season, wanted.all_year, wanted.by_weight,
        wanted.at_least is not None, wanted.below is not None,
    )  # fmt: skip


def facts_of(wanted: Wanted, served: Sequence[int]) -> dict[str, Any]:
    """What the statements are filled with."""
    first, last = wanted.after or (0, 0)
    return {
        "served": served, "category_id": wanted.category_id, "merchant_id": wanted.merchant_id, "month": rules.month_bit(clock.today()),
        "at_least": wanted.at_least, "below": wanted.below, "first": first, "last": last, "most": wanted.limit + 1,
    }  # fmt: skip


def to_cards(rows: Sequence[sa.Row[Any]], arriving: Mapping[int, Arrival], *, leave_out: tuple[str, ...] = ()) -> list[Card]:
    """Rows of `card_select` as cards; `leave_out` are columns that were added to it."""
    days = {merchant_id: arrival.arrives_on for merchant_id, arrival in arriving.items()}
    whose = rows[0]._fields.index("merchant_id") if rows else 0
    return each_with(Card, rows, "arrives_on", [days.get(row[whose]) for row in rows], leave_out=("merchant_id", *leave_out))


def list_cards(session: Session, wanted: Wanted, arriving: Mapping[int, Arrival], *, only_arriving: bool = True) -> Page:
    """A page of cards: what comes to the point; everything on sale when no point is chosen or not `only_arriving`."""
    only = bool(arriving) and only_arriving
    query = page_select(shape_of(wanted, only), wanted.order, wanted.after is not None)
    facts = facts_of(wanted, sorted(arriving) if only else [])
    rows = session.connection().execute(query.statement, {name: facts[name] for name in query.names}).all()
    cards = to_cards(rows[: wanted.limit], arriving)
    if len(rows) <= wanted.limit:
        return Page(cards, None)
    last_card = cards[-1]
    return Page(cards, (last_card.rank if wanted.order == "rank" else last_card.price.fen, last_card.product_id))


@dataclass(frozen=True, slots=True)
class VariantFacts:
    """A variant with what is left of it."""

    id: int
    code: str
    label_zh: str
    label_en: str
    price: Money
    net_weight_grams: int
    minimum_quantity: int
    multiple: int
    available: int
    price_per_jin: Money
    price_per_kilogram: Money


class PictureFacts(NamedTuple):
    """A picture of a product: its file, what is seen on it (empty: nobody said), and whether there is a middle size."""

    file: str
    alt_zh: str
    alt_en: str
    has_medium: bool


@dataclass(frozen=True, slots=True)
class ProductPage:
    """Everything the page of a product shows."""

    product: Product
    merchant: Merchant
    variants: list[VariantFacts]
    pictures: list[PictureFacts]
    arrival: Arrival | None

    @property
    def images(self) -> list[str]:
        """The files of its pictures, in their order."""
        return [picture.file for picture in self.pictures]

    @property
    def is_in_season(self) -> bool:
        return rules.is_in_season(rules.season_mask(self.product.season_months), clock.today())

    @property
    def cheapest(self) -> VariantFacts | None:
        """The size that "from" means, as on its card; the first of those that cost the same. None when there is none."""
        return min(self.variants, key=lambda variant: variant.price, default=None)


# Made once: building a statement costs more than running it.
PRODUCT = (
    sa.select(Product, Merchant)
    .join(Merchant, Merchant.id == Product.merchant_id)
    .where(Product.slug == sa.bindparam("slug"), Product.state == ProductState.ON_SALE)
)
VARIANTS = (
    sa.select(
        Variant.id, Variant.code, Variant.label_zh, Variant.label_en, Variant.price, Variant.net_weight_grams,
        Variant.minimum_quantity, Variant.multiple, StockItem.available.label("available"),
    )
    .join(StockItem, StockItem.variant_id == Variant.id)
    .where(Variant.product_id == sa.bindparam("product_id"), Variant.is_on_sale)
    .order_by(Variant.position, Variant.id)
)  # fmt: skip
PICTURES = (
    sa.select(ProductImage.file, ProductImage.alt_zh, ProductImage.alt_en, ProductImage.has_medium)
    .where(ProductImage.product_id == sa.bindparam("product_id"))
    .order_by(ProductImage.position, ProductImage.id)
)


@remember(seconds=5)
def describe(session: Session, slug: str) -> tuple[Product, Merchant, list[PictureFacts]]:
    """What is said about a product on sale, who sells it, and its pictures; detached. Raises `ProductNotFound`.

    Up to five seconds late, like all that is only said. Prices and stock are not part of it, and an order looks again.
    """
    found = session.execute(PRODUCT, {"slug": slug}).one_or_none()
    if found is None:
        raise ProductNotFound()
    product, merchant = found
    pictures = all_as(PictureFacts, session.execute(PICTURES, {"product_id": product.id}))
    session.expunge(product)
    session.expunge(merchant)
    return product, merchant, pictures


def get_product(session: Session, slug: str, point_id: int | None) -> ProductPage:
    """A product on sale with its variants, stock, pictures, and when it can come to a point. Raises `ProductNotFound`."""
    product, merchant, pictures = describe(session, slug)
    rows = session.connection().execute(VARIANTS, {"product_id": product.id})
    variants = []
    for row in rows:
        per_jin, per_kilogram = rules.comparable_prices(row.price, row.net_weight_grams)
        variants.append(one_as(VariantFacts, row, price_per_jin=per_jin, price_per_kilogram=per_kilogram))
    arrival = arrivals(session, point_id).get(product.merchant_id) if point_id else None
    return ProductPage(product, merchant, variants, pictures, arrival)
