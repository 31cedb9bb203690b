"""What payments puts on record: each kind of deed, and what it is called."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.audit import Tag


class Done(Tag):
    REFUND_FAILED = "refund.failed", sentence("Refund failed")
    REFUND_HANDED_OVER = "refund.handed_over", sentence("Slow refund handed to a person")
    REFUND_COVERED = "refund.covered", sentence("Taken from the wallet what was given back")
    REFUND_PROPOSED = "refund.proposed", sentence("Refund asked for")
    REFUND_AGREED = "refund.agreed", sentence("Refund agreed to")
    REFUND_NOT_AGREED = "refund.not_agreed", sentence("Refund not agreed to")


SUBJECTS = {
    "refund": sentence("Refund"),
    "refund_proposal": sentence("Refund asked for"),
}
"""What deeds are done to."""
