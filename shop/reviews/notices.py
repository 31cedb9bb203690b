"""What reviews tell people in their inbox."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.notices import Words

NOTICES: Words = {
    "reviews.answered": (sentence("Your review was answered"), sentence("%(shop)s answered what you said of %(product)s.")),
    "reviews.kept": (
        sentence("Your review stays"), sentence("Somebody reported what you said of %(product)s. We looked at it, and it stays."),
    ),
    "reviews.hidden": (
        sentence("Your review was hidden"), sentence("What you said of %(product)s is not shown any more, because: %(reason)s"),
    ),
    "reviews.shown_again": (sentence("Your review is shown again"), sentence("What you said of %(product)s can be read again.")),
}  # fmt: skip
