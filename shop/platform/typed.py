"""What people type freely, where it is kept, and who else reads it. Each feature says it of its columns, in `Feature.typed`; the privacy
page is written from it.

What stands in Chinese and English (`name_zh`, `name_en`) is written for everybody and not named here. Codes, numbers and choices from a
list are no words of anybody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import InstrumentedAttribute

from shop.kernel.errors import sentence


class Reader(StrEnum):
    """Who reads it besides whoever typed it."""

    BUYER = "buyer"
    SHOP = "shop"
    POINT = "point"
    STAFF = "staff"


READERS = {
    Reader.BUYER: sentence("the buyer"),
    Reader.SHOP: sentence("the shop"),
    Reader.POINT: sentence("the keeper at the pick-up point"),
    Reader.STAFF: sentence("operations, finance and audit staff"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A text of somebody's: what it is, who types it, who else reads it in full, and who reads a part of it, as `李*` of a name.

    `what` and `by` are sentences for people.
    """

    what: str
    by: str
    readers: tuple[Reader, ...] = ()
    partly: tuple[Reader, ...] = ()


Texts = Mapping[InstrumentedAttribute[Any], Typed]

YOU = sentence("You")
SHOPS = sentence("The shop")
OUR_STAFF = sentence("Our staff")
AT_WORK = sentence("Shops, keepers and our staff")
