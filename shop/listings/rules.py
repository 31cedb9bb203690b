"""What is usual for goods of a category, so that a stall owner types a name, a price and how many there are."""

from __future__ import annotations

from dataclasses import dataclass

from shop.models.catalog import PricedBy, SoldBy

SELLING: dict[str, tuple[SoldBy, PricedBy]] = {
    "pack": (SoldBy.PACK, PricedBy.PACK),
    "piece": (SoldBy.PIECE, PricedBy.PACK),
    "weight": (SoldBy.WEIGHT, PricedBy.WEIGHT),
    "weighed_piece": (SoldBy.PIECE, PricedBy.WEIGHT),
}
"""How goods are sold, and by what their price is found; by the word that forms and the API say."""

ALLERGENS = ("egg", "fish", "milk", "peanut", "sesame", "soy", "wheat")

JIN_ZH, JIN_EN, JIN_GRAMS = "斤", "jin", "500"
UNITS = {"pack": ("份", "pack"), "piece": ("个", "piece"), "weight": (JIN_ZH, JIN_EN), "weighed_piece": ("只", "piece")}


@dataclass(frozen=True, slots=True)
class Usual:
    """What goods of a category are like when nobody says otherwise, in the words of the form."""

    selling: str = "pack"
    storage: str = "ambient"
    shelf_life: str = "180"
    is_agricultural: str = "0"
    is_returnable: str = "1"

    def words(self) -> dict[str, str]:
        """By the names of the fields."""
        return {
            "selling": self.selling, "storage": self.storage, "shelf_life": self.shelf_life, "is_agricultural": self.is_agricultural,
            "is_returnable": self.is_returnable,
        }  # fmt: skip


FRESH = Usual("weight", "ambient", "7", "1", "0")
USUAL: dict[str, Usual] = {
    "fruit": FRESH,
    "vegetables": Usual("weight", "ambient", "3", "1", "0"),
    "meat": Usual("weight", "chilled", "3", "1", "0"),
    "fish": Usual("weighed_piece", "chilled", "2", "1", "0"),
    "eggs-dairy": Usual("pack", "chilled", "21", "1", "0"),
    "specialities": Usual("pack", "ambient", "180", "0", "1"),
    "grain-oil": Usual("pack", "ambient", "365", "0", "1"),
    "condiments": Usual("pack", "ambient", "365", "0", "1"),
    "prepared": Usual("pack", "chilled", "2", "0", "0"),
    "drinks": Usual("pack", "ambient", "270", "0", "1"),
    "household": Usual("pack", "ambient", "1095", "0", "1"),
    "general": Usual("piece", "ambient", "1825", "0", "1"),
    "crafts": Usual("piece", "ambient", "3650", "0", "1"),
}


def usual_of(category: str) -> Usual:
    """What is usual in a category; of a new one, the same as anywhere."""
    return USUAL.get(category, Usual())
