"""What the shelves tell those who work at a shop."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.notices import Words

NOTICES: Words = {
    "stock.low": (sentence("Running low"), sentence("%(goods)s: %(left)s can still be sold.")),
    "stock.low_many": (sentence("Several goods are running low"), sentence("%(count)s of your goods, %(goods)s among them.")),
}
