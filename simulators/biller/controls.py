"""What a test or a demonstration may switch on: delays, losses, lies, a moved calendar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from typing import Any

from simulators.biller.behaviours import BY_NAME
from simulators.biller.registry import billers

LONGEST_DELAY_MS = 600_000
PER_ACCOUNT_KEYS = {"behaviour", "periods", "delay_ms", "late_post_ms", "holder", "address"}


class ControlRefused(ValueError):
    """The control was asked for something it does not know."""


@dataclass(frozen=True)
class Pace:
    """How long slow, hanging and late take, in milliseconds."""

    slow_ms: int
    hang_ms: int
    late_post_ms: int


PACES = {"real": Pace(slow_ms=20_000, hang_ms=60_000, late_post_ms=20_000), "fast": Pace(slow_ms=2_000, hang_ms=3_000, late_post_ms=1_500)}


@dataclass(frozen=True)
class Controls:
    """Everything that can be set through POST /_control; None means the usual."""

    default_delay_ms: int = 0
    lose_answer_rate: float = 0.0
    lose_request_rate: float = 0.0
    fail_rate: float = 0.0
    late_post_ms: int | None = None
    slow_ms: int | None = None
    hang_ms: int | None = None
    lost_answer: str = "hang"
    double_ack: bool = False
    down: tuple[str, ...] = ()
    no_inquiry: tuple[str, ...] = ()
    no_idempotency: tuple[str, ...] = ()
    seed: int = 1
    shift_days: int = 0
    per_account: dict[str, dict[str, Any]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain values for an answer or for keeping."""
        return {**asdict(self), **{name: list(getattr(self, name)) for name in ("down", "no_inquiry", "no_idempotency")}}

    def changed(self, wishes: dict[str, Any], shift_to: Callable[[date], int]) -> Controls:
        """The controls after these wishes. Raises ControlRefused on an unknown name or a value of the wrong kind."""
        values: dict[str, Any] = {}
        for name, value in wishes.items():
            if name == "today":
                values["shift_days"] = 0 if value is None else shift_to(_date(value))
            elif name in CHECKS:
                values[name] = CHECKS[name](name, value)
            else:
                raise ControlRefused(f"unknown control {name!r}")
        return replace(self, **values)

    @classmethod
    def kept(cls, values: dict[str, Any]) -> Controls:
        """The controls as they were kept by `as_json` before a restart."""
        known = {item.name for item in fields(cls)}
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items() if name in known}
        return cls(**values)


def _date(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ControlRefused("today is a date such as 2026-10-15, or null") from error


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ControlRefused(f"{name} is a whole number")
    return value


def _milliseconds(name: str, value: Any) -> int:
    number = _whole(name, value)
    if not 0 <= number <= LONGEST_DELAY_MS:
        raise ControlRefused(f"{name} is 0 to {LONGEST_DELAY_MS} milliseconds")
    return number


def _milliseconds_or_usual(name: str, value: Any) -> int | None:
    return None if value is None else _milliseconds(name, value)


def _rate(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ControlRefused(f"{name} is a rate from 0 to 1")
    return float(value)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ControlRefused(f"{name} is true or false")
    return value


def _codes(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(code, str) and code in billers() for code in value):
        raise ControlRefused(f"{name} is a list of biller codes")
    return tuple(value)


def _manner(name: str, value: Any) -> str:
    if value not in ("hang", "close"):
        raise ControlRefused(f"{name} is hang or close")
    return str(value)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ControlRefused(f"{name} is text")
    return value


def _per_account(name: str, value: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict) or not all(isinstance(wishes, dict) for wishes in value.values()):
        raise ControlRefused(f"{name} maps an account number, or biller/account number, to its wishes")
    for wishes in value.values():
        if unknown := set(wishes) - PER_ACCOUNT_KEYS:
            raise ControlRefused(f"{name}: unknown {sorted(unknown)}")
        for key, wish in wishes.items():
            if key == "behaviour" and wish not in BY_NAME:
                raise ControlRefused(f"{name}: behaviour is one of {sorted(BY_NAME)}")
            if key == "periods" and not 0 <= _whole(key, wish) <= 12:
                raise ControlRefused(f"{name}: periods is 0 to 12")
            if key in ("delay_ms", "late_post_ms"):
                _milliseconds(key, wish)
            if key in ("holder", "address"):
                _text(key, wish)
    return value


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "default_delay_ms": _milliseconds,
    "lose_answer_rate": _rate,
    "lose_request_rate": _rate,
    "fail_rate": _rate,
    "late_post_ms": _milliseconds_or_usual,
    "slow_ms": _milliseconds_or_usual,
    "hang_ms": _milliseconds_or_usual,
    "lost_answer": _manner,
    "double_ack": _flag,
    "down": _codes,
    "no_inquiry": _codes,
    "no_idempotency": _codes,
    "seed": _whole,
    "per_account": _per_account,
}
