"""What the bulletin tells people in their inbox."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.notices import Words

NOTICES: Words = {
    "bulletin.pinned": (sentence("A notice of the government"), sentence("%(title)s. Read it on the community bulletin.")),
}
