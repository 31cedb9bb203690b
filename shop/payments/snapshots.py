"""How things stand at the card provider, in our words: what a gateway answers with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shop.kernel.money import CURRENCY, ZERO, Money
from shop.payments.foreign import Amount, Movement


class Stage(StrEnum):
    """How far a payment is, in the provider's own eyes."""

    OPEN = "open"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The provider's object as it is now. The fee only once it is known, in yuan; `settled` is what it was taken from."""

    stage: Stage
    amount: Amount
    intent: str | None = None
    fee: Money | None = None
    failure_code: str | None = None
    settled: Movement | None = None


@dataclass(frozen=True, slots=True)
class OpenedPage:
    """A hosted page on which one payment is paid."""

    session: str
    url: str


@dataclass(frozen=True, slots=True)
class RefundSnapshot:
    """The provider's refund as it is now; `ok` is None while it is on its way."""

    provider_ref: str
    ok: bool | None
    failure_code: str = ""
    our_ref: str | None = None
    amount: Money = ZERO
    currency: str = CURRENCY
    intent: str | None = None
    order: str | None = None  # of which order it is said to be, by whoever made it at the provider's side


@dataclass(frozen=True, slots=True)
class Arrival:
    """Money that came to the provider, and under which of our references."""

    intent: str
    our_ref: str | None
    amount: Amount


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What we keep of an event: which object to go and look at."""

    event_id: str
    kind: str
    object_id: str
