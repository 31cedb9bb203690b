"""What onboarding puts on record: each kind of deed, and what it is called."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.audit import Tag


class Done(Tag):
    SUBMITTED = "onboarding.submitted", sentence("Application handed in")
    ANSWERED = "onboarding.answered", sentence("Question answered")
    WITHDRAWN = "onboarding.withdrawn", sentence("Application taken back")
    ASKED = "onboarding.asked", sentence("Question asked")
    APPROVED = "onboarding.approved", sentence("Application approved")
    DECLINED = "onboarding.declined", sentence("Application declined")
    REVEALED = "onboarding.paper_revealed", sentence("Paper looked at")
    RENEWED = "onboarding.licence_renewed", sentence("Licence renewed")
    SUSPENDED = "onboarding.suspended", sentence("Shop suspended")
    RESTORED = "onboarding.restored", sentence("Shop sells again")


SUBJECTS = {"application": sentence("Application"), "merchant": sentence("Seller")}
"""What deeds are done to."""

FACTS = {"paper": sentence("Paper"), "commission": sentence("Commission"), "last_day": sentence("Valid until")}
"""What the facts of entries are called."""
