"""What the counter puts on record: each kind of deed, and what it is called."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.audit import Tag


class Done(Tag):
    PASS_HANDED_OVER = "pass.handed_over", sentence("Goods handed over on a pass")
    PASS_TAKEN_BACK = "pass.taken_back", sentence("Hand-over taken back")
