"""What platform puts on record: each kind of deed, and what it is called."""

from __future__ import annotations

from shop.kernel.errors import sentence
from shop.platform.audit import Tag


class Done(Tag):
    JOB_RETRIED = "job.retried", sentence("Job put back into the queue")
    RESTORATION_MADE = "restoration.made", sentence("Restored from a backup, sending paused")
    RESTORATION_RECONCILED = "restoration.reconciled", sentence("Providers asked after a restore")
    RESTORATION_RESUMED = "restoration.resumed", sentence("Sending resumed after a restore")
    PARTNER_ASKED_AGAIN = "partner.asked_again", sentence("Silent partner asked again")


SUBJECTS = {
    "job": sentence("Job"),
    "restoration": sentence("Restore"),
    "partner": sentence("Partner"),
}
"""What deeds are done to."""

FACTS = {"partner": sentence("Partner")}
"""What the facts of entries are called."""
