"""The desk: what lies there can be collected, and nothing is handed over twice, whatever it is."""

from __future__ import annotations

from shop.platform.invariants import Invariant

INVARIANTS = (
    Invariant(
        "counter.what_waits_can_be_collected",
        "What waits at a counter is on a pass of its own person at its own point that is not used up.",
        """
        SELECT c.number, p.ref, p.state FROM collectables c LEFT JOIN passes p ON p.id = c.pass_id
        WHERE c.state = 'waiting'
            AND (p.id IS NULL OR p.state = 'used' OR p.user_id <> c.user_id OR p.pickup_point_id <> c.pickup_point_id)
        """,
    ),
    Invariant(
        "pickup.handed_over_once",
        "Nothing is handed over twice: each thing has one row, with room for one hand-over.",
        "SELECT kind, subject_id, COUNT(*) AS things FROM collectables GROUP BY kind, subject_id HAVING COUNT(*) > 1",
    ),
    Invariant(
        "pickup.left_or_stayed",
        "What is written down as having stayed with a hand-over did not leave with it.",
        """
        SELECT k.handover_id, c.number, k.reason FROM handover_kept k
        JOIN collectables c ON c.id = k.collectable_id AND c.handover_id = k.handover_id
        """,
    ),
    Invariant(
        "pickup.collected_means_handed_over",
        "What is collected was handed over at the desk, and what was handed over is collected.",
        """
        SELECT c.number, c.state, h.outcome FROM collectables c LEFT JOIN handovers h ON h.id = c.handover_id
        WHERE (c.state = 'collected') <> (h.id IS NOT NULL) OR h.outcome NOT IN ('accepted', 'conflict')
        """,
    ),
    Invariant(
        "pickup.handed_over_at_the_right_desk",
        "Things leave the point they were sent to, to the person whose pass was shown.",
        """
        SELECT h.client_id, c.number FROM handovers h JOIN collectables c ON c.handover_id = h.id
        LEFT JOIN passes p ON p.id = h.pass_id
        WHERE h.pickup_point_id <> c.pickup_point_id OR p.id IS NULL OR p.user_id <> c.user_id
        """,
    ),
    Invariant(
        "pickup.keepers_keep_their_own_desk",
        "Only keepers of a point hand over there.",
        """
        SELECT h.client_id, h.keeper_id, h.pickup_point_id FROM handovers h
        WHERE h.outcome = 'accepted' AND NOT EXISTS (
            SELECT 1 FROM role_grants g WHERE g.user_id = h.keeper_id AND g.pickup_point_id = h.pickup_point_id AND g.role = 'keeper'
        )
        """,
    ),
    Invariant(
        "pickup.device_events_once",
        "What a device reports is kept once.",
        "SELECT client_id, COUNT(*) AS events FROM handovers GROUP BY client_id HAVING COUNT(*) > 1",
    ),
    Invariant(
        "endings.passes_close",
        "No pass stays open on which nothing waits and that ran out.",
        """
        SELECT p.ref, p.valid_until FROM passes p
        WHERE p.state = 'live' AND p.valid_until < :a_day_ago
            AND NOT EXISTS (SELECT 1 FROM collectables c WHERE c.pass_id = p.id AND c.state = 'waiting')
        """,
    ),
)
