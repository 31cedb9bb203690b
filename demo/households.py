"""Household accounts of the demo: who they belong to and what a month costs.

Figured exactly as the biller simulator figures them (its first seed), so that a bill on our pages is the bill the simulator
asks for. tests/cli/test_seed_households.py holds the two together.
"""

from __future__ import annotations

import hashlib
import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from demo import files
from shop.bills.answers import DueBill
from shop.kernel.money import Money, divide_half_up

SEED = 1
SURNAMES = (*"王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高罗郑梁谢宋唐许邓冯韩曹曾彭", "欧阳", "上官")
GIVEN_NAMES = (
    *("丽华", "建国", "志强", "秀英", "桂芳", "晓燕", "国庆", "明", "静", "伟", "玉兰", "海燕", "小军", "文博", "思琪", "雨桐"),
    *("永福", "淑珍", "光荣", "春梅", "浩然", "子涵", "红", "勇", "德贵", "素琼", "家豪", "艳"),
)
COMPOUNDS = (
    "内江市东兴区西林街道甜城湖社区", "内江市市中区城东街道沱江湾社区", "内江市市中区玉溪街道玉溪苑社区", "内江市东兴区新江街道汉安里社区",
)  # fmt: skip
OWN_COMPOUND = {"property-tianchenghu": COMPOUNDS[0], "property-yuxiyuan": COMPOUNDS[2]}
BROADBAND_PLANS_FEN = (69_00, 79_00, 99_00, 109_00, 129_00, 139_00)
UNITS = {"kWh": "kWh", "m3": "m³"}

Month = tuple[int, int]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Household:
    """One customer number of one biller."""

    biller: str
    account_no: str

    def draw(self, lowest: int, highest: int, *about: object) -> int:
        text = "|".join(str(part) for part in (SEED, self.biller, self.account_no, *about))
        number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        return lowest + number % (highest - lowest + 1)

    def pick(self, items: Sequence[Item], *about: object) -> Item:
        return items[self.draw(0, len(items) - 1, *about)]

    @property
    def holder(self) -> str:
        return self.pick(SURNAMES, "surname") + self.pick(GIVEN_NAMES, "given")

    @property
    def address(self) -> str:
        rooms = re.fullmatch(r"(\d{1,2})-(\d{1,2})-(\d{3,4})", self.account_no, re.ASCII)
        if rooms is not None:
            building, unit, room = rooms.groups()
        else:
            building, unit = str(self.draw(1, 28, "building")), str(self.draw(1, 4, "unit"))
            room = f"{self.draw(1, 18, 'floor')}{self.draw(1, 4, 'door'):02d}"
        compound = OWN_COMPOUND.get(self.biller) or self.pick(COMPOUNDS, "compound")
        return f"{compound}{building}栋{unit}单元{room}室"

    def usage(self, month: Month) -> int:
        about = ("usage", *month)
        if self.biller == "power":
            return self.draw(300, 450, *about) if month[1] in (7, 8) else self.draw(120, 260, *about)
        return self.draw(8, 15, *about)

    def amount_fen(self, month: Month) -> tuple[int, str]:
        """What a month costs, and what was used as people read it."""
        tiers = [row for row in files.rows("tariffs") if row["biller"] == self.biller]
        if tiers:
            usage = self.usage(month)
            parts = [
                max(0, min(usage, int(row["monthly_to"] or usage)) - int(row["monthly_from"])) * int(row["price_fen_per_unit_x100"])
                for row in tiers
            ]
            return divide_half_up(sum(parts), 100), f"{usage} {UNITS[tiers[0]['unit']]}"
        if self.biller == "broadband":
            return self.pick(BROADBAND_PLANS_FEN, "plan"), ""
        if self.biller.startswith("property"):
            area = self.draw(60, 140, "area")
            return area * self.draw(12, 22, "price") * 10, f"{area} m²"
        return self.draw(5, 8, "fee") * 100, ""

    def bill(self, month: Month, today: date, late_fee_bps: int) -> DueBill:
        """A month's bill as it stands on a day."""
        fen, usage = self.amount_fen(month)
        due_on = last_day(step(month, 1))
        days = max(0, (today - due_on).days)
        fee = divide_half_up(fen * late_fee_bps * days, 10_000)
        if fee and self.biller == "power":
            fee = max(fee, 100)
        return DueBill(self.reference(month), period(month), Money(fen), Money(min(fee, fen)), due_on, usage)

    def reference(self, month: Month) -> str:
        digest = hashlib.sha256(f"{self.biller}|{self.account_no}|{period(month)}".encode()).hexdigest()
        return f"{month[0]:04d}{month[1]:02d}-{digest[:12]}"


def step(month: Month, by: int) -> Month:
    """The month so many months later (or earlier)."""
    index = month[0] * 12 + month[1] - 1 + by
    return index // 12, index % 12 + 1


def period(month: Month) -> str:
    return f"{month[0]:04d}-{month[1]:02d}"


def last_day(month: Month) -> date:
    return date(*month, monthrange(*month)[1])


def last_billed(today: date) -> Month:
    """The newest month that has a bill: the one before."""
    return step((today.year, today.month), -1)


def periods_due(account_no: str) -> int:
    """How many months are due for a number, by its last digit."""
    digit = next(character for character in reversed(account_no) if character.isdigit())
    return {"1": 0, "7": 2, "8": 3}.get(digit, 1)
