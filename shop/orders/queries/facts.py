"""What a buyer's pages say of an order: lines, merchants' parts, the whole purchase."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from shop.kernel.money import ZERO, Money
from shop.models.catalog import PricedBy
from shop.models.orders import PaymentMethod, PurchaseState, SubOrderState
from shop.orders import rules
from shop.orders.rules import BEING_PREPARED
from shop.payments.queries import NOTHING_BACK, Back

NOBODY_CAME = (SubOrderState.NOT_COLLECTED, SubOrderState.RETURNED)


@dataclass(frozen=True, slots=True)
class LineFacts:
    """One line; by weight, `line_total` is the most it could cost and `final_total` what it did."""

    id: int
    sub_order_id: int
    name_zh: str
    name_en: str
    unit_zh: str
    unit_en: str
    image: str
    quantity: int
    unit_price: Money
    priced_by: PricedBy
    unit_grams: int
    line_total: Money
    discount_total: Money
    final_grams: int | None
    final_total: Money | None
    short_quantity: int
    short_reason: str | None
    variant_code: str
    slug: str
    category_id: int

    @property
    def is_by_weight(self) -> bool:
        return self.priced_by is PricedBy.WEIGHT

    @property
    def there(self) -> int:
        """How many of them come: what was ordered, but for what is missing."""
        return self.quantity - self.short_quantity

    @property
    def ordered_grams(self) -> int:
        """What was asked for, by weight, of what is there."""
        return self.there * self.unit_grams

    @property
    def most(self) -> Money:
        """The most it can cost."""
        return rules.ceiling(self)

    @property
    def paid_total(self) -> Money:
        """What was paid for all of it."""
        return self.line_total - self.discount_total

    @property
    def short_back(self) -> Money:
        """What the missing units gave back."""
        return self.paid_total - self.most

    @property
    def costs(self) -> Money:
        """What it costs as far as is known: its weight, or the most."""
        return self.most if self.final_total is None else self.final_total

    @property
    def given_back(self) -> Money:
        """What weighing less gave back."""
        return self.most - self.final_total if self.final_total is not None else ZERO


@dataclass(frozen=True, slots=True)
class SubOrderFacts:
    """One merchant's part with its delivery and everything that happened to it."""

    id: int
    number: str
    purchase_id: int
    state: SubOrderState
    goods_total: Money
    fee_total: Money
    discount_total: Money
    total: Money
    refunded_total: Money
    placed_at: datetime
    accepted_at: datetime | None
    packed_at: datetime | None
    in_transit_at: datetime | None
    ready_at: datetime | None
    collected_at: datetime | None
    cancelled_at: datetime | None
    ended_at: datetime | None
    declined_at: datetime | None
    declined_reason: str | None
    merchant_code: str
    merchant_name_zh: str
    merchant_name_en: str
    arrives_on: date
    arrives_at: datetime
    cut_off_at: datetime
    lines: tuple[LineFacts, ...]
    back: Back


@dataclass(frozen=True, slots=True)
class PurchaseFacts:
    """A purchase as its buyer sees it."""

    id: int
    number: str
    state: PurchaseState
    method: PaymentMethod
    pickup_point_id: int
    goods_total: Money
    fee_total: Money
    discount_total: Money
    total: Money
    placed_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    closed_at: datetime | None
    sub_orders: tuple[SubOrderFacts, ...]
    late_back: Back = NOTHING_BACK
    """Of money that came for it and did not pay it: too late, or a second time."""

    @property
    def refunded_total(self) -> Money:
        return Money.total(part.refunded_total for part in self.sub_orders)

    @property
    def back(self) -> Back:
        """All that was to go back, late money with it: what has arrived, what is on its way, what is looked after."""
        return sum((part.back for part in self.sub_orders), self.late_back)

    def parts_in(self, *states: SubOrderState) -> list[SubOrderFacts]:
        """The merchants' parts that stand there."""
        return [part for part in self.sub_orders if part.state in states]

    @property
    def ready(self) -> list[SubOrderFacts]:
        return self.parts_in(SubOrderState.READY) if self.state is PurchaseState.PAID else []

    @property
    def on_the_way(self) -> list[SubOrderFacts]:
        """What is paid and being prepared or brought, the first to arrive first."""
        coming = self.parts_in(*BEING_PREPARED) if self.state is PurchaseState.PAID else []
        return sorted(coming, key=lambda part: part.arrives_at)

    @property
    def is_left_behind(self) -> bool:
        """Nobody collected any of what came."""
        over = [part for part in self.sub_orders if part.state not in (SubOrderState.CANCELLED, SubOrderState.SHORT)]
        return bool(over) and all(part.state in NOBODY_CAME and part.collected_at is None for part in over)

    @property
    def is_begun(self) -> bool:
        """A shop has accepted some of it."""
        return any(part.state is not SubOrderState.PLACED for part in self.on_the_way)

    @property
    def cancel_until(self) -> datetime:
        """When the first cut-off passes of what still comes."""
        return min(part.cut_off_at for part in self.on_the_way or self.sub_orders)

    @property
    def declined(self) -> list[SubOrderFacts]:
        """What a shop could not deliver, or what nothing could take along any more."""
        return [part for part in self.sub_orders if part.declined_at is not None]

    def awaits_payment(self, moment: datetime) -> bool:
        """Whether it can still be paid."""
        return self.state is PurchaseState.AWAITING_PAYMENT and moment < self.expires_at

    def can_be_cancelled(self, moment: datetime) -> bool:
        """Nobody has begun to prepare any of it, and no cut-off has passed."""
        if self.state is PurchaseState.AWAITING_PAYMENT:
            return True
        live = [part for part in self.sub_orders if part.state not in (SubOrderState.CANCELLED, SubOrderState.SHORT)]
        return self.state is PurchaseState.PAID and bool(live) and all(part_can_be_cancelled(part, moment) for part in live)


def part_can_be_cancelled(part: SubOrderFacts, moment: datetime) -> bool:
    return part.state is SubOrderState.PLACED and moment < part.cut_off_at
