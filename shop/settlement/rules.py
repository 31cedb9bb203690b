"""Which events say what, and how often we look."""

from __future__ import annotations

from datetime import timedelta

AGAIN_SOON = timedelta(minutes=1)
LOOK_AFTER = timedelta(seconds=60)
ROUND_SECONDS = 60.0
"""How long one round of asking may take; less than a job's lease."""


def is_about_refund(kind: str) -> bool:
    """Events whose object is a refund."""
    return kind.startswith(("refund.", "charge.refund."))


def is_about_dispute(kind: str) -> bool:
    """Events whose object is a dispute; looked at through the payment's intent."""
    return kind.startswith("charge.dispute.")


def is_intent(object_id: str) -> bool:
    """Whether an object's id is that of a payment intent."""
    return object_id.startswith("pi_")
