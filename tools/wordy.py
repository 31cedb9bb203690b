"""The longest words a city may hold, put into a copy of the demo city: names of goods as market halls write them, names of
people from every nationality, addresses with a building and its landmark. Pages are looked at with these too."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from shop.kernel.keys import KeyRing

GOODS_ZH, GOODS_EN = "（树上自然熟·单果二百克以上·孝心礼盒装）", ", ripened on the tree, over 200 g each, gift box"
UNIT_ZH, UNIT_EN = "（泡沫箱加冰袋）", " (foam box with ice packs)"
SELLER_ZH, SELLER_EN = "（中心城区第二农贸市场直销店）", " (shop at the second market hall)"
PLACE_ZH, PLACE_EN = "（梅家山二期）", " (Meijiashan, second phase)"
SPOT_ZH = "，进小区东门后左转第三栋底楼门面，门口有橙色邻里灯箱"
SPOT_EN = ", third building to the left of the east gate, under the orange sign"
PERSON = "古丽米热·阿卜杜热合曼"

LONGER: tuple[tuple[str, str, str], ...] = (
    ("products", "name_zh", GOODS_ZH), ("products", "name_en", GOODS_EN),
    ("listings", "name_zh", GOODS_ZH), ("listings", "name_en", GOODS_EN),
    ("order_lines", "name_zh", GOODS_ZH), ("order_lines", "name_en", GOODS_EN),
    ("variants", "label_zh", UNIT_ZH), ("variants", "label_en", UNIT_EN),
    ("listings", "unit_zh", UNIT_ZH), ("listings", "unit_en", UNIT_EN),
    ("order_lines", "unit_zh", UNIT_ZH), ("order_lines", "unit_en", UNIT_EN),
    ("merchants", "name_zh", SELLER_ZH), ("merchants", "name_en", SELLER_EN),
    ("listings", "merchant_name_zh", SELLER_ZH), ("listings", "merchant_name_en", SELLER_EN),
    ("communities", "name_zh", PLACE_ZH), ("communities", "name_en", PLACE_EN),
    ("pickup_points", "name_zh", PLACE_ZH), ("pickup_points", "name_en", PLACE_EN),
    ("pickup_points", "location_zh", SPOT_ZH), ("pickup_points", "location_en", SPOT_EN),
    ("billers", "name_zh", "（城区营业厅代收）"), ("billers", "name_en", " (city service hall)"),
    ("bill_accounts", "address_masked", "三单元二十七楼"),
    ("bill_accounts", "label", "乡下爸妈家里的那块老表"),
)  # fmt: skip
"""Table, column, and what is added to every value in it."""


SEALED = {"bill_accounts.address_masked", "bill_accounts.label"}


def lengthen(database: Path, ring: KeyRing) -> None:
    """Make the words of a city long. Sums, states and codes stay, so its books still agree."""
    def longer(place: str, value: str, more: str) -> str:
        return ring.seal(place, ring.open(place, value) + more) if place in SEALED else value + more

    with closing(sqlite3.connect(database)) as connection, connection:
        connection.create_function("longer", 3, longer)
        for table, column, more in LONGER:
            connection.execute(f"UPDATE {table} SET {column} = longer(?, {column}, ?)", (f"{table}.{column}", more))
        connection.execute("UPDATE users SET display_name = ?", (ring.seal("users.display_name", PERSON),))
