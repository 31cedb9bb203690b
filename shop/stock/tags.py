"""What stock puts on record: each kind of deed, and what it is called."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.audit import Tag


class Done(Tag):
    STOCK_ADJUSTED = "stock.adjusted", sentence("Stock adjusted")
    STOCK_WRITTEN_OFF = "stock.written_off", sentence("Goods written off")
    STOCK_TAKEN_BACK = "stock.taken_back", sentence("Stock adjustment taken back")
