"""Invented households: the same seed, biller and account always give the same name, address and consumption."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from simulators.biller.registry import Biller

SURNAMES: tuple[str, ...] = (*"王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高罗郑梁谢宋唐许邓冯韩曹曾彭", "欧阳", "上官")
GIVEN_NAMES: tuple[str, ...] = (
    *("丽华", "建国", "志强", "秀英", "桂芳", "晓燕", "国庆", "明", "静", "伟", "玉兰", "海燕", "小军", "文博", "思琪", "雨桐"),
    *("永福", "淑珍", "光荣", "春梅", "浩然", "子涵", "红", "勇", "德贵", "素琼", "家豪", "艳"),
)
COMPOUNDS = (
    "内江市东兴区西林街道甜城湖社区",
    "内江市市中区城东街道沱江湾社区",
    "内江市市中区玉溪街道玉溪苑社区",
    "内江市东兴区新江街道汉安里社区",
)
OWN_COMPOUND = {"property-tianchenghu": COMPOUNDS[0], "property-yuxiyuan": COMPOUNDS[2]}
BROADBAND_PLANS_FEN = (69_00, 79_00, 99_00, 109_00, 129_00, 139_00)
FIRST_METER_MONTH = (2020, 1)

Item = TypeVar("Item")


@dataclass(frozen=True)
class Household:
    """One account of one biller under one seed; every figure is drawn by hashing, so nothing has to be stored."""

    seed: int
    biller: Biller
    account_no: str

    def draw(self, lowest: int, highest: int, *about: object) -> int:
        """A number from lowest to highest inclusive, always the same one for the same question."""
        text = "|".join(str(part) for part in (self.seed, self.biller.code, self.account_no, *about))
        number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        return lowest + number % (highest - lowest + 1)

    def pick(self, items: Sequence[Item], *about: object) -> Item:
        """One of the items, always the same one for the same question."""
        return items[self.draw(0, len(items) - 1, *about)]

    @property
    def holder(self) -> str:
        """The full name the biller has on file; whoever shows it masks it."""
        return self.pick(SURNAMES, "surname") + self.pick(GIVEN_NAMES, "given")

    @property
    def address(self) -> str:
        """The supplied address; a property account number is itself building-unit-room."""
        rooms = re.fullmatch(r"(\d{1,2})-(\d{1,2})-(\d{3,4})", self.account_no, re.ASCII)
        if rooms is not None:
            building, unit, room = rooms.groups()
        else:
            building, unit = str(self.draw(1, 28, "building")), str(self.draw(1, 4, "unit"))
            room = f"{self.draw(1, 18, 'floor')}{self.draw(1, 4, 'door'):02d}"
        compound = OWN_COMPOUND.get(self.biller.code) or self.pick(COMPOUNDS, "compound")
        return f"{compound}{building}栋{unit}单元{room}室"

    def usage(self, year: int, month: int) -> int:
        """Units consumed in that month: kWh or cubic metres, high in summer for power and in winter for gas."""
        category, about = self.biller.category, ("usage", year, month)
        if category == "electricity":
            return self.draw(300, 450, *about) if month in (7, 8) else self.draw(120, 260, *about)
        if category == "gas":
            return self.draw(30, 50, *about) if month in (12, 1, 2) else self.draw(12, 30, *about)
        return self.draw(8, 15, *about)

    def reading_after(self, year: int, month: int) -> int:
        """The meter at the end of that month; it only ever rises by the usage of the month."""
        reading = self.draw(0, 4999, "meter")
        at = FIRST_METER_MONTH
        while at <= (year, month):
            reading += self.usage(*at)
            at = (at[0], at[1] + 1) if at[1] < 12 else (at[0] + 1, 1)
        return reading

    @property
    def floor_area(self) -> int:
        """Square metres a property fee is charged on."""
        return self.draw(60, 140, "area")

    def flat_fee_fen(self) -> int:
        """The monthly fee where no meter counts: broadband plan, cable TV, property by area, refuse."""
        category = self.biller.category
        if category == "broadband":
            return self.pick(BROADBAND_PLANS_FEN, "plan")
        if category == "cable_tv":
            return self.draw(20, 26, "plan") * 100
        if category == "property":
            return self.floor_area * self.draw(12, 22, "price") * 10
        return self.draw(5, 8, "fee") * 100

    def opening_balance_fen(self) -> int:
        """What a prepaid account held before anything was paid through this channel."""
        return self.draw(0, 60_00, "balance")
