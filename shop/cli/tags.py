"""What looking after the house puts on record."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.audit import Tag


class Done(Tag):
    INVARIANT_BROKEN = "invariant.broken", sentence("The books do not hold")
    INVARIANT_MENDED = "invariant.mended", sentence("The books hold again")


SUBJECTS = {"invariant": sentence("Promise of the books")}
"""What deeds are done to."""

FACTS = {"invariant": sentence("Promise"), "rows": sentence("Rows that break it")}
"""What the facts of entries are called."""
