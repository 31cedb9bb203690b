"""Nothing waits for ever: the ages beyond which nothing may stay in a state, from the same table as the timers."""

from __future__ import annotations

from shop.fulfilment.endings import Wait
from shop.platform.invariants import Invariant

OPEN = """
FROM sub_orders s JOIN purchases p ON p.id = s.purchase_id AND p.paid_at IS NOT NULL
JOIN cycles c ON c.id = s.cycle_id LEFT JOIN batches b ON b.cycle_id = s.cycle_id
WHERE s.state IN ('placed', 'accepted', 'packed', 'in_transit', 'ready', 'collected')
"""

INVARIANTS = (
    Invariant(
        "endings.none_waits_to_be_packed_for_ever",
        "No paid order waits to be accepted or packed long after it should have been at its point.",
        f"SELECT s.number, s.state, c.arrives_at {OPEN} AND s.state IN ('placed', 'accepted') AND c.arrives_at < :too_late_{Wait.TO_PACK}",
    ),
    Invariant(
        "endings.none_waits_to_be_sent_for_ever",
        "No packed order waits for its driver long after it should have been at its point.",
        f"""
        SELECT s.number, s.state, c.arrives_at {OPEN}
        AND s.state = 'packed' AND b.arrived_at IS NULL AND c.arrives_at < :too_late_{Wait.TO_SEND}
        """,
    ),
    Invariant(
        "endings.none_is_on_its_way_for_ever",
        "No order is on its way long after it should have been at its point.",
        f"""
        SELECT s.number, s.state, c.arrives_at {OPEN}
        AND s.state = 'in_transit' AND b.arrived_at IS NULL AND c.arrives_at < :too_late_{Wait.ON_THE_WAY}
        """,
    ),
    Invariant(
        "endings.none_is_missing_for_ever",
        "No order is missing long after its delivery was received.",
        f"""
        SELECT s.number, s.state, b.arrived_at {OPEN}
        AND s.state IN ('packed', 'in_transit') AND b.arrived_at < :too_late_{Wait.MISSING}
        AND c.arrives_at < :too_late_{Wait.MISSING} AND COALESCE(s.in_transit_at, s.packed_at) < :too_late_{Wait.MISSING}
        """,
    ),
    Invariant(
        "endings.none_waits_to_be_collected_for_ever",
        "Nothing lies at a counter longer than anything may.",
        f"SELECT s.number, s.ready_at {OPEN} AND s.state = 'ready' AND s.ready_at < :too_late_{Wait.TO_COLLECT}",
    ),
    Invariant(
        "endings.claims_end",
        "An order is completed once the time for claims is over.",
        f"SELECT s.number, s.collected_at {OPEN} AND s.state = 'collected' AND s.collected_at < :too_late_{Wait.TO_CLAIM}",
    ),
    Invariant(
        "endings.batches_close",
        "A delivery is closed once nothing of it waits any more and its day is over.",
        """
        SELECT b.code, b.state FROM batches b JOIN cycles c ON c.id = b.cycle_id
        WHERE b.state <> 'closed' AND c.arrives_at < :too_late_closing
        """,
    ),
    Invariant(
        "endings.passes_close",
        "No pass stays open on which nothing waits and that ran out.",
        """
        SELECT p.ref, p.valid_until FROM passes p
        WHERE p.state = 'live' AND p.valid_until < :a_day_ago
            AND NOT EXISTS (SELECT 1 FROM sub_orders s WHERE s.pass_id = p.id AND s.state = 'ready')
        """,
    ),
)
