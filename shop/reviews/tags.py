"""What reviews put on record: each kind of deed, and what it is called."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.audit import Tag


class Done(Tag):
    TAKEN_BACK = "reviews.taken_back", sentence("Review taken back by its writer")
    ANSWERED = "reviews.answered", sentence("Review answered by the shop")
    CORRECTED = "reviews.corrected", sentence("Answer to a review corrected")
    KEPT = "reviews.kept", sentence("Reported review kept")
    HIDDEN = "reviews.hidden", sentence("Review hidden")
    SHOWN_AGAIN = "reviews.shown_again", sentence("Hidden review shown again")


SUBJECTS = {"review": sentence("Review")}
"""What deeds are done to."""
