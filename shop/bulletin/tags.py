"""What the bulletin puts on record: each kind of deed, and what it is called."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.audit import Tag


class Done(Tag):
    WRITTEN = "bulletin.written", sentence("Notice written")
    SENT = "bulletin.sent", sentence("Notice sent for review")
    PUBLISHED = "bulletin.published", sentence("Notice published")
    REFUSED = "bulletin.refused", sentence("Notice refused")
    WITHDRAWN = "bulletin.withdrawn", sentence("Notice withdrawn")


SUBJECTS = {"bulletin_notice": sentence("Notice on the bulletin")}
"""What deeds are done to."""

FACTS = {"version": sentence("Version")}
"""What the facts of entries are called."""
