"""What pickup puts on record: each kind of deed, and what it is called."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.audit import Tag


class Done(Tag):
    PASS_CLOSED = "pass.closed", sentence("Pass over")
    PASS_EXTENDED = "pass.extended", sentence("Pass extended")


SUBJECTS = {
    "pass": sentence("Pick-up pass"),
}
"""What deeds are done to."""
