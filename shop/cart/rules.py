"""How a cart reads: blocks by merchant and day, and what must be said about each line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from shop.kernel.money import ZERO, Money
from shop.models.catalog import PricedBy, ProductState
from shop.models.merchants import MerchantState

MOST_UNITS = 999
MOST_LINES = 100


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


class Problem(StrEnum):
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
    def problem(self) -> Problem | None:
        if not self.is_on_sale:
            return Problem.OFF_SALE
        if self.orderable == 0:
            return Problem.SOLD_OUT
        if self.quantity > self.available:
            return Problem.TOO_MANY
        return Problem.NOT_DELIVERED if self.cycle_id is None else None

    @property
    def price_change(self) -> Money:
        """How much dearer one unit has become since it was put in; negative when cheaper."""
        return self.price - self.seen_price


@dataclass(frozen=True, slots=True)
class CartBlock:
    """What one merchant would send with one delivery."""

    items: tuple[CartItem, ...]

    @property
    def merchant(self) -> CartItem:
        """Any line of the block: all of them carry the merchant's and the delivery's facts."""
        return self.items[0]

    @property
    def goods_total(self) -> Money:
        """What can be ordered as it stands."""
        return Money.total(item.line_total for item in self.items if item.problem is None)

    @property
    def fee(self) -> Money:
        return self.merchant.pickup_fee if self.goods_total else ZERO

    @property
    def missing_to_minimum(self) -> Money:
        """What is still to be added before this merchant delivers."""
        return max(self.merchant.minimum_order - self.goods_total, ZERO)


@dataclass(frozen=True, slots=True)
class CartView:
    """A cart as its owner sees it."""

    blocks: tuple[CartBlock, ...]

    @property
    def items(self) -> list[CartItem]:
        return [item for block in self.blocks for item in block.items]

    @property
    def count(self) -> int:
        return sum(item.quantity for item in self.items)

    @property
    def goods_total(self) -> Money:
        return Money.total(block.goods_total for block in self.blocks)

    @property
    def total(self) -> Money:
        return Money.total(block.goods_total + block.fee for block in self.blocks)

    @property
    def has_problems(self) -> bool:
        return any(item.problem for item in self.items)

    @property
    def can_be_ordered(self) -> bool:
        return bool(self.blocks) and not self.has_problems and not any(block.missing_to_minimum for block in self.blocks)

    @property
    def has_weighed_items(self) -> bool:
        return any(item.is_by_weight for item in self.items)


def grouped(items: list[CartItem]) -> CartView:
    """Blocks in the order their merchants came into the cart."""
    blocks: dict[int, list[CartItem]] = {}
    for item in items:
        blocks.setdefault(item.merchant_id, []).append(item)
    return CartView(tuple(CartBlock(tuple(lines)) for lines in blocks.values()))


def next_allowed(wanted: int, minimum: int, multiple: int) -> int:
    """The smallest quantity that is sold and not below `wanted`."""
    return max(-(-wanted // multiple), -(-minimum // multiple)) * multiple
