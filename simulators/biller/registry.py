"""Which billers there are and what each sells by: read once from the CSV files beside this module."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent

TOP_UP_FACES_FEN = tuple(yuan * 100 for yuan in (10, 20, 30, 50, 100, 200, 300, 500))
CARD_STEP_FEN = 10_00
CARD_LARGEST_FEN = 500_00
CARD_MONTHLY_CAP_FEN = 1_000_00
MONTHS_SOLD = (1, 3, 6, 12, 24)


@dataclass(frozen=True)
class Biller:
    """One billing company: how its accounts look and which way of paying it knows."""

    code: str
    name_zh: str
    name_en: str
    category: str
    mode: str
    flow: str
    account_pattern: re.Pattern[str]
    amount_rule: str
    channel: str
    late_fee_bp_per_day: int

    def knows_form_of(self, account_no: str) -> bool:
        """Whether an account number has the form this biller gives out (ASCII digits only)."""
        return self.account_pattern.fullmatch(account_no) is not None


@dataclass(frozen=True)
class Tier:
    """One price step of a month's usage; the price is hundredths of a fen per unit."""

    number: int
    starts_at: int
    ends_at: int | None
    unit: str
    price_fen_per_unit_x100: int


def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def billers() -> dict[str, Biller]:
    """Every biller by its code, in the order of the file."""
    return {
        row["code"]: Biller(
            code=row["code"],
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            category=row["category"],
            mode=row["mode"],
            flow=row["flow"],
            account_pattern=re.compile(row["account_pattern"], re.ASCII),
            amount_rule=row["amount_rule"],
            channel=row["channel"],
            late_fee_bp_per_day=int(row["late_fee_bp_per_day"]),
        )
        for row in _rows("billers.csv")
    }


@cache
def tariffs() -> dict[str, tuple[Tier, ...]]:
    """The monthly tiers of each metered biller, lowest first."""
    found: dict[str, list[Tier]] = {}
    for row in _rows("tariffs.csv"):
        found.setdefault(row["biller"], []).append(
            Tier(
                number=int(row["tier"]),
                starts_at=int(row["monthly_from"]),
                ends_at=int(row["monthly_to"]) if row["monthly_to"] else None,
                unit=row["unit"],
                price_fen_per_unit_x100=int(row["price_fen_per_unit_x100"]),
            )
        )
    return {code: tuple(sorted(tiers, key=lambda tier: tier.number)) for code, tiers in found.items()}
