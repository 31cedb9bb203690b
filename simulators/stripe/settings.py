"""What is fixed at start (Settings) and what tests may turn while it runs (Switches)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar

import stripe

HOUR = 3_600.0

# Delivers one webhook: (url, body, headers) -> HTTP status. Replaceable so that a test can hand it to a test client.
Sender = Callable[[str, bytes, dict[str, str]], int]


@dataclass(frozen=True)
class Settings:
    """Start-up choices; amounts in the smallest unit of the currency (fen), times in seconds."""

    public_url: str | None = None
    webhook_url: str | None = None
    # Stripe signs with the old and the new secret while one is being rolled: every secret here yields one v1 value.
    webhook_secrets: tuple[str, ...] = ()
    data: Path | None = None
    delay_ms: int = 0
    # By the account's clock, so that a moved one brings them on. Three days in all, as at Stripe.
    retry_schedule: tuple[float, ...] = (0.2, 1.0, 5.0, 30.0, 300.0, 1_800.0, HOUR, 4 * HOUR, 8 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
    api_version: str = stripe.api_version
    sender: Sender | None = None


@dataclass
class Failure:
    """One planned fault: the next `count` API calls under `path_prefix` fail in the given way."""

    path_prefix: str = "/v1/"
    method: str | None = None
    # Answer this status without doing the work ...
    status: int | None = None
    # ... or do the work, then close the connection without an answer.
    drop_answer: bool = False
    # Keep the failure under the idempotency key, as Stripe does with a 500 that happened during execution.
    saved: bool = False
    count: int = 1


@dataclass
class Switches:
    """The state of `POST /_control`. Every name here is a key that call accepts."""

    webhooks: str = "on"
    delay_ms: int = 0
    duplicate: int = 0
    reorder: bool = False
    loss_rate: float = 0.0
    seed: int = 0
    api_delay_ms: int = 0
    refunds: str = "sync"
    refund_outcome: str = "succeeded"
    payments: str = "sync"
    payment_outcome: str = "succeeded"
    settle_ms: int = 300
    clock_offset: int = 0
    minimum_amount: int = 400
    fee_per_mille: int = 29
    dispute_fee: int = 10_000
    settlement: str = "cny"
    exchange_rate: float = 1.09
    balance_transactions: str = "at_once"
    failures: list[Failure] = field(default_factory=list)

    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "webhooks": ("on", "off", "drop", "hold"),
        "refunds": ("sync", "async", "no_balance"),
        "settlement": ("cny", "hkd", "usd", "jpy"),
        "balance_transactions": ("at_once", "later"),
        "payments": ("sync", "async"),
        "refund_outcome": ("succeeded", "failed"),
        "payment_outcome": ("succeeded", "failed"),
    }

    def turn(self, changes: dict[str, Any]) -> None:
        """Apply `changes`; raises ValueError with a sentence, and changes nothing, if one of them is not understood."""
        known = {entry.name: entry for entry in fields(self) if entry.name != "failures"}
        planned: list[Failure] | None = None
        settled: dict[str, Any] = {}
        for name, value in changes.items():
            if name == "fail_next":
                planned = planned_failures(value)
            elif name not in known:
                raise ValueError(f"unknown switch: {name}")
            else:
                settled[name] = self._accepted(name, value)
        for name, value in settled.items():
            setattr(self, name, value)
        if planned is not None:
            self.failures = planned

    def _accepted(self, name: str, value: Any) -> Any:
        choices = self.CHOICES.get(name)
        if choices:
            if value not in choices:
                raise ValueError(f"{name} must be one of {', '.join(choices)}")
            return "off" if value == "drop" else value
        current = getattr(self, name)
        if isinstance(current, bool):
            return bool(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"{name} must be a number")
        return float(value) if isinstance(current, float) else int(value)

    def shown(self) -> dict[str, Any]:
        """The switches as JSON, planned failures under their own name."""
        shown = asdict(self)
        shown["fail_next"] = shown.pop("failures")
        return shown


def planned_failures(value: Any) -> list[Failure]:
    """`fail_next`: one object, a list of them, or null for none."""
    entries = [] if value is None else value if isinstance(value, list) else [value]
    known = {entry.name for entry in fields(Failure)}
    failures = []
    for entry in entries:
        unknown = set(entry) - known
        if unknown:
            raise ValueError(f"unknown field of fail_next: {sorted(unknown)[0]}")
        failure = Failure(**entry)
        if failure.status is None and not failure.drop_answer:
            raise ValueError("fail_next needs a status or drop_answer")
        failures.append(failure)
    return failures
