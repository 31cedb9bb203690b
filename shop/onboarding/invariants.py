"""A shop comes from one decision of somebody else, and what is suspended says so once."""

from __future__ import annotations

from shop.platform.invariants import Invariant

INVARIANTS = (
    Invariant(
        "onboarding.decided_by_another",
        "Whatever was approved or declined was decided by somebody other than the applicant, and what was approved is a shop.",
        """
        SELECT id, state FROM applications WHERE decided_by_id = user_id OR (state IN ('approved', 'declined') AND decided_by_id IS NULL)
            OR (state = 'approved') <> (merchant_id IS NOT NULL)
        """,
    ),
    Invariant(
        "onboarding.suspensions_stand",
        "A shop with a suspension that was not lifted takes no new orders.",
        """
        SELECT s.id, m.state FROM suspensions s JOIN merchants m ON m.id = s.merchant_id
        WHERE s.lifted_at IS NULL AND m.state = 'active'
        """,
    ),
    Invariant(
        "onboarding.papers_are_whole_or_gone",
        "A paper has all its slices until it is removed, and none afterwards.",
        """
        SELECT p.id, COUNT(s.id) AS slices FROM application_papers p LEFT JOIN paper_slices s ON s.paper_id = p.id
        GROUP BY p.id, p.size, p.removed_at
        HAVING COUNT(s.id) <> CASE WHEN p.removed_at IS NULL THEN (p.size + 44999) / 45000 ELSE 0 END
        """,
    ),
)
