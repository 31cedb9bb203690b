"""Deliveries and their slots, and passes that are told apart."""

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
)
