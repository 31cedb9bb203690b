"""Nothing waits for ever: the ages beyond which nothing may stay in a state, from the same table as the timers. And orders lie at
counters as their states say.
"""

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
        "counter.orders_lie_where_they_should",
        "An order that is ready, and no other, waits at a counter, once; what was collected left it by a hand-over.",
        """
        SELECT s.number, s.state, c.state AS lies FROM sub_orders s
        LEFT JOIN collectables c ON c.kind = 'sub_order' AND c.subject_id = s.id
        WHERE COALESCE(c.state, 'not here') <> CASE
            WHEN s.state = 'ready' THEN 'waiting'
            WHEN s.state IN ('collected', 'completed') THEN 'collected'
            WHEN s.state = 'not_collected' THEN 'not_collected'
            WHEN s.state = 'returned' THEN CASE c.state WHEN 'collected' THEN 'collected' ELSE 'not_collected' END
            ELSE 'not here'
        END
        UNION ALL
        SELECT c.number, 'unknown', c.state FROM collectables c LEFT JOIN sub_orders s ON s.id = c.subject_id
        WHERE c.kind = 'sub_order' AND s.id IS NULL
        """,
    ),
    Invariant(
        "counter.orders_lie_there_for_their_buyers",
        "What lies at a counter for an order is its buyer's, at its point, on its pass and under its number.",
        """
        SELECT s.number, c.number AS lies_as FROM collectables c JOIN sub_orders s ON s.id = c.subject_id
        WHERE c.kind = 'sub_order' AND (c.user_id <> s.user_id OR c.pickup_point_id <> s.pickup_point_id
            OR c.pass_id <> s.pass_id OR c.number <> s.number
            OR (s.pass_id IS NULL AND s.state IN ('not_collected', 'returned')))
        """,
    ),
)
