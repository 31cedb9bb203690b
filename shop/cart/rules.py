"""How a cart reads: blocks by merchant and day, and what must be said about each line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from shop.kernel.money import ZERO, Money
from shop.kernel.once import once
from shop.models.catalog import PricedBy, ProductState
from shop.models.merchants import MerchantState
from shop.promotions.rules import Line, Offer, Terms, price

MOST_UNITS = 999
MOST_LINES = 100
NOTHING = Terms(())


@dataclass(frozen=True, slots=True)
class CartOwner:
    """Whose cart: a person's, or a browser's by the fingerprint of the secret in its cookie."""

    user_id: int | None = None
    token_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Present:
    """What a variant costs at this moment, the fee of who sells it, and whether it is still sold."""

    price: Money
    fee: Money
    is_on_sale: bool


class LineProblem(StrEnum):
    """Why a line cannot be ordered as it stands."""

    OFF_SALE = "off_sale"
    SOLD_OUT = "sold_out"
    TOO_MANY = "too_many"
    NOT_DELIVERED = "not_delivered"


@dataclass(frozen=True, slots=True)
class CartItem:
    """One line with everything a page, a quote or an order needs to know about it. One row of one query."""

    variant_id: int
    code: str
    quantity: int
    seen_price: Money
    price: Money
    label_zh: str
    label_en: str
    unit_grams: int
    minimum_quantity: int
    multiple: int
    variant_on_sale: bool
    product_id: int
    category_id: int
    slug: str
    name_zh: str
    name_en: str
    product_state: ProductState
    priced_by: PricedBy
    is_returnable_within_7_days: bool
    image: str | None
    available: int
    merchant_id: int
    merchant_code: str
    merchant_name_zh: str
    merchant_name_en: str
    merchant_state: MerchantState
    commission_bps: int
    minimum_order: Money
    pickup_fee: Money
    cycle_id: int | None
    arrives_on: date | None
    arrives_at: datetime | None
    cut_off_at: datetime | None
    is_chosen: bool
    is_earlier: bool

    @property
    def line_total(self) -> Money:
        return self.price * self.quantity

    @property
    def is_by_weight(self) -> bool:
        return self.priced_by is PricedBy.WEIGHT

    @property
    def is_on_sale(self) -> bool:
        return self.variant_on_sale and self.product_state is ProductState.ON_SALE and self.merchant_state is MerchantState.ACTIVE

    @property
    def orderable(self) -> int:
        """How many can be ordered now: what is left, in whole steps, and nothing below the smallest quantity."""
        if not self.is_on_sale:
            return 0
        most = min(self.available, MOST_UNITS) // self.multiple * self.multiple
        return most if most >= self.minimum_quantity else 0

    @property
    def problem(self) -> LineProblem | None:
        if not self.is_on_sale:
            return LineProblem.OFF_SALE
        if self.orderable == 0:
            return LineProblem.SOLD_OUT
        if self.quantity > self.available:
            return LineProblem.TOO_MANY
        return LineProblem.NOT_DELIVERED if self.cycle_id is None else None

    @property
    def price_change(self) -> Money:
        """How much dearer one unit has become since it was put in; negative when cheaper."""
        return self.price - self.seen_price


@dataclass(frozen=True)
class CartBlock:
    """What one merchant would send with one delivery. Sums are of the lines that are ticked, worked out once: a block never changes."""

    items: tuple[CartItem, ...]

    @once
    def merchant(self) -> CartItem:
        """Any line of the block: all of them carry the merchant's and the delivery's facts."""
        return self.items[0]

    @once
    def chosen(self) -> list[CartItem]:
        """The lines that are ticked."""
        return [item for item in self.items if item.is_chosen]

    @once
    def goods_total(self) -> Money:
        """What can be ordered as it stands."""
        return Money.total(item.line_total for item in self.chosen if item.problem is None)

    @once
    def worth(self) -> Money:
        """What the goods cost, also where nobody has said yet where they are collected."""
        return Money.total(item.line_total for item in self.chosen if item.problem in (None, LineProblem.NOT_DELIVERED))

    @once
    def fee(self) -> Money:
        return self.merchant.pickup_fee if self.goods_total else ZERO

    @once
    def missing_to_minimum(self) -> Money:
        """What is still to be added before this merchant delivers; nothing where nothing is ticked."""
        return max(self.merchant.minimum_order - self.goods_total, ZERO) if self.chosen else ZERO


@dataclass(frozen=True)
class CartView:
    """A cart as its owner sees it. `terms` is what can be ordered as it stands, with what `offers` take off it."""

    blocks: tuple[CartBlock, ...]
    terms: Terms = NOTHING
    offers: tuple[Offer, ...] = ()

    @once
    def items(self) -> list[CartItem]:
        return [item for block in self.blocks for item in block.items]

    @once
    def chosen(self) -> list[CartItem]:
        """The lines that are ticked: these are ordered, the others stay."""
        return [item for item in self.items if item.is_chosen]

    @once
    def earlier(self) -> list[CartItem]:
        """The lines that lay here when what a browser had gathered joined them, and that nobody has touched since."""
        return [item for item in self.items if item.is_earlier]

    @once
    def count(self) -> int:
        return sum(item.quantity for item in self.items)

    @once
    def worth(self) -> Money:
        return Money.total(block.worth for block in self.blocks)

    @once
    def goods_total(self) -> Money:
        return Money.total(block.goods_total for block in self.blocks)

    @once
    def discount(self) -> Money:
        return self.terms.discount

    @once
    def fee_total(self) -> Money:
        return Money.total(block.fee for block in self.blocks)

    @once
    def total(self) -> Money:
        return self.goods_total + self.fee_total - self.discount

    @once
    def has_problems(self) -> bool:
        return any(item.problem for item in self.chosen)

    @once
    def too_small(self) -> list[CartBlock]:
        """The blocks whose merchant does not deliver so little."""
        return [block for block in self.blocks if block.missing_to_minimum]

    @once
    def can_be_ordered(self) -> bool:
        return bool(self.chosen) and not self.has_problems and not self.too_small

    @once
    def has_weighed_items(self) -> bool:
        return any(item.is_by_weight for item in self.chosen)

    def of_chosen(self) -> CartView:
        """What would be ordered: the cart without the lines that are not ticked."""
        return replace(self, blocks=_blocks(self.chosen))


def grouped(items: list[CartItem], offers: tuple[Offer, ...], moment: datetime) -> CartView:
    """Blocks in the order their merchants came into the cart, and what they cost at a moment."""
    counted = [item for item in items if item.is_chosen and item.problem is None]
    lines = [Line(item.variant_id, item.merchant_id, item.quantity, item.price) for item in counted]
    return CartView(_blocks(items), price(lines, offers, moment), offers)


def _blocks(items: list[CartItem]) -> tuple[CartBlock, ...]:
    blocks: dict[int, list[CartItem]] = {}
    for item in items:
        blocks.setdefault(item.merchant_id, []).append(item)
    return tuple(CartBlock(tuple(lines)) for lines in blocks.values())


@dataclass(frozen=True, slots=True)
class Merged:
    """What a sign-in has made of two carts: how many kinds lay there before, joined them, and found no room."""

    earlier: int = 0
    joined: int = 0
    left_out: int = 0


def is_allowed(quantity: int, minimum: int, multiple: int) -> bool:
    """Whether goods are sold in this quantity."""
    return minimum <= quantity <= MOST_UNITS and quantity % multiple == 0


def next_allowed(wanted: int, minimum: int, multiple: int) -> int:
    """The smallest quantity that is sold and not below `wanted`."""
    return max(-(-wanted // multiple), -(-minimum // multiple)) * multiple
