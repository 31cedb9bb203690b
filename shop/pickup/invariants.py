"""The desk: slots, passes, and nothing handed over twice."""

from __future__ import annotations

from shop.platform.invariants import Invariant

INVARIANTS = (
    Invariant(
        "pickup.booked_is_its_orders",
        "The slots booked in a delivery are its orders that were not given up.",
        """
        WITH live AS (SELECT cycle_id, COUNT(*) AS orders FROM sub_orders WHERE state NOT IN ('cancelled', 'short') GROUP BY cycle_id)
        SELECT c.id, c.booked, COALESCE(live.orders, 0) AS orders FROM cycles c LEFT JOIN live ON live.cycle_id = c.id
        WHERE c.booked <> COALESCE(live.orders, 0)
        """,
    ),
    Invariant(
        "pickup.goods_are_as_far_as_their_delivery",
        "What is packed has its delivery's batch, and what has left the shop has left with a batch that has left.",
        """
        SELECT s.number, s.state, b.state AS batch FROM sub_orders s LEFT JOIN batches b ON b.cycle_id = s.cycle_id
        WHERE (s.state = 'packed' AND (b.id IS NULL OR b.state = 'planned'))
            OR (s.state = 'in_transit' AND (b.id IS NULL OR b.state IN ('planned', 'packing', 'sealed')))
        """,
    ),
    Invariant(
        "pickup.nobody_joined_what_had_left",
        "A delivery that has left is closed from that moment, and no order was placed onto it afterwards.",
        """
        SELECT b.code AS delivery, s.number FROM batches b JOIN cycles c ON c.id = b.cycle_id
        LEFT JOIN sub_orders s ON s.cycle_id = c.id AND s.placed_at > c.closed_at AND s.state <> 'cancelled'
        WHERE b.sealed_at IS NOT NULL AND (c.closed_at IS NULL OR s.id IS NOT NULL)
        """,
    ),
    Invariant(
        "pickup.slots_within_capacity",
        "No delivery has more orders than slots, and all close before they arrive.",
        "SELECT id, booked, capacity FROM cycles WHERE booked < 0 OR booked > capacity OR cut_off_at >= arrives_at",
    ),
    Invariant(
        "pickup.one_delivery_a_day",
        "A merchant delivers to a point once a day.",
        """
        SELECT merchant_id, pickup_point_id, arrives_on, COUNT(*) AS cycles FROM cycles
        GROUP BY merchant_id, pickup_point_id, arrives_on HAVING COUNT(*) > 1
        """,
    ),
    Invariant(
        "pickup.live_passes_are_told_apart",
        "A code means one live pass at its point, and a person has one live pass per point.",
        """
        SELECT pickup_point_id, code_hash, COUNT(*) AS passes FROM passes WHERE state = 'live'
        GROUP BY pickup_point_id, code_hash HAVING COUNT(*) > 1
        UNION ALL
        SELECT pickup_point_id, CAST(user_id AS TEXT), COUNT(*) FROM passes WHERE state = 'live'
        GROUP BY pickup_point_id, user_id HAVING COUNT(*) > 1
        """,
    ),
    Invariant(
        "pickup.ready_orders_have_their_pass",
        "An order that lies ready can be collected with a pass of its own person at its own point.",
        """
        SELECT s.number, s.state, s.pass_id FROM sub_orders s LEFT JOIN passes p ON p.id = s.pass_id
        WHERE s.state IN ('ready', 'collected', 'completed')
            AND (p.id IS NULL OR p.user_id <> s.user_id OR p.pickup_point_id <> s.pickup_point_id)
        """,
    ),
    Invariant(
        "pickup.handed_over_once",
        "Nothing is handed over twice.",
        "SELECT sub_order_id, COUNT(*) AS handovers FROM handover_items GROUP BY sub_order_id HAVING COUNT(*) > 1",
    ),
    Invariant(
        "pickup.left_or_stayed",
        "What is written down as having stayed with a hand-over did not leave with it.",
        """
        SELECT k.handover_id, k.sub_order_id, k.reason FROM handover_kept k
        JOIN handover_items i ON i.handover_id = k.handover_id AND i.sub_order_id = k.sub_order_id
        """,
    ),
    Invariant(
        "pickup.collected_means_handed_over",
        "What is collected was handed over at the desk, and what was handed over is collected.",
        """
        SELECT s.number, s.state, h.outcome FROM sub_orders s
        LEFT JOIN handover_items i ON i.sub_order_id = s.id LEFT JOIN handovers h ON h.id = i.handover_id
        WHERE (s.state IN ('collected', 'completed') AND (h.id IS NULL OR h.outcome NOT IN ('accepted', 'conflict')))
            OR (i.id IS NOT NULL AND s.state NOT IN ('collected', 'completed', 'returned'))
        """,
    ),
    Invariant(
        "pickup.handed_over_at_the_right_desk",
        "Goods leave the point they were sent to, to the person whose pass was shown.",
        """
        SELECT h.client_id, s.number FROM handovers h
        JOIN handover_items i ON i.handover_id = h.id JOIN sub_orders s ON s.id = i.sub_order_id
        LEFT JOIN passes p ON p.id = h.pass_id
        WHERE h.pickup_point_id <> s.pickup_point_id OR p.id IS NULL OR p.user_id <> s.user_id
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
)
