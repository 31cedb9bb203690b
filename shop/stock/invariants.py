"""Goods: counted, promised, sold, and never more than there are. And the listing that pages read."""

from __future__ import annotations

from shop.platform.invariants import Invariant

INVARIANTS = (
    Invariant(
        "stock.on_hand_is_its_movements",
        "What is on hand is the sum of everything that came and went.",
        """
        WITH moved AS (SELECT variant_id, SUM(quantity) AS total FROM stock_movements GROUP BY variant_id)
        SELECT i.variant_id, i.on_hand, COALESCE(m.total, 0) AS movements
        FROM stock_items i LEFT JOIN moved m ON m.variant_id = i.variant_id
        WHERE i.on_hand <> COALESCE(m.total, 0)
        UNION ALL
        SELECT m.variant_id, NULL, m.total FROM moved m LEFT JOIN stock_items i ON i.variant_id = m.variant_id WHERE i.variant_id IS NULL
        """,
    ),
    Invariant(
        "stock.reserved_is_its_reservations",
        "What is reserved is the sum of the reservations that are active.",
        """
        WITH held AS (SELECT variant_id, SUM(quantity) AS total FROM reservations WHERE state = 'active' GROUP BY variant_id)
        SELECT i.variant_id, i.reserved, COALESCE(h.total, 0) AS reservations
        FROM stock_items i LEFT JOIN held h ON h.variant_id = i.variant_id
        WHERE i.reserved <> COALESCE(h.total, 0)
        """,
    ),
    Invariant(
        "stock.nothing_oversold",
        "Nothing is promised that is not there.",
        "SELECT variant_id, on_hand, reserved FROM stock_items WHERE reserved < 0 OR on_hand < 0 OR reserved > on_hand",
    ),
    Invariant(
        "stock.no_reservation_outlives_its_time",
        "No reservation is active an hour after it ran out.",
        "SELECT id, variant_id, expires_at FROM reservations WHERE state = 'active' AND expires_at < :an_hour_ago",
    ),
    Invariant(
        "stock.reservations_are_their_lines",
        "A reservation holds its line's goods, all of them, once.",
        """
        SELECT r.id, r.quantity, l.quantity AS line FROM reservations r LEFT JOIN order_lines l ON l.id = r.order_line_id
        WHERE l.id IS NULL OR r.variant_id <> l.variant_id OR r.quantity <> l.quantity
        UNION ALL
        SELECT MIN(id), COUNT(*), order_line_id FROM reservations GROUP BY order_line_id HAVING COUNT(*) > 1
        """,
    ),
    Invariant(
        "stock.held_while_awaiting_payment",
        "Goods are held exactly as long as their purchase awaits its payment.",
        """
        SELECT p.number, p.state, l.id AS line, r.state AS reservation
        FROM order_lines l JOIN sub_orders s ON s.id = l.sub_order_id JOIN purchases p ON p.id = s.purchase_id
        LEFT JOIN reservations r ON r.order_line_id = l.id
        WHERE (p.state = 'awaiting_payment') <> (COALESCE(r.state, '') = 'active')
            OR (p.paid_at IS NULL AND r.state = 'consumed') OR (p.paid_at IS NOT NULL AND r.state = 'released')
        """,
    ),
    Invariant(
        "stock.sold_what_was_paid",
        "Every paid line left the stock once, in its full quantity; no unpaid one did.",
        """
        WITH sold AS (
            SELECT order_line_id, SUM(-quantity) AS quantity FROM stock_movements
            WHERE kind = 'sale' AND order_line_id IS NOT NULL GROUP BY order_line_id
        )
        SELECT p.number, l.id AS line, l.quantity, COALESCE(sold.quantity, 0) AS sold
        FROM order_lines l JOIN sub_orders s ON s.id = l.sub_order_id JOIN purchases p ON p.id = s.purchase_id
        LEFT JOIN sold ON sold.order_line_id = l.id
        WHERE COALESCE(sold.quantity, 0) <> CASE WHEN p.paid_at IS NULL THEN 0 ELSE l.quantity END
        """,
    ),
    Invariant(
        "stock.cancelled_goods_came_back",
        "Goods of a paid order that was cancelled are back in stock once, but for those that were missing; no others are.",
        """
        WITH back AS (
            SELECT order_line_id, SUM(quantity) AS quantity FROM stock_movements
            WHERE kind = 'cancellation' AND order_line_id IS NOT NULL GROUP BY order_line_id
        )
        SELECT s.number, l.id AS line, l.quantity, COALESCE(back.quantity, 0) AS back
        FROM order_lines l JOIN sub_orders s ON s.id = l.sub_order_id JOIN purchases p ON p.id = s.purchase_id
        LEFT JOIN back ON back.order_line_id = l.id
        WHERE COALESCE(back.quantity, 0) <>
            CASE WHEN p.paid_at IS NOT NULL AND s.state = 'cancelled' THEN l.quantity - l.short_quantity ELSE 0 END
        """,
    ),
    Invariant(
        "stock.movements_move",
        "A movement moves something or says that a count found all there, in the direction its kind says, and once per cause.",
        """
        SELECT MIN(cause) AS cause, COUNT(*) AS movements FROM stock_movements GROUP BY cause HAVING COUNT(*) > 1
        UNION ALL
        SELECT cause, quantity FROM stock_movements
        WHERE (quantity = 0 AND missing_by = 0 AND (kind <> 'correction' OR told IS NULL))
            OR (kind IN ('received', 'cancellation') AND quantity < 0) OR (kind = 'short' AND (quantity <> 0 OR missing_by > 0))
            OR (kind IN ('sale', 'offline_sale', 'spoilage') AND quantity > 0)
        """,
    ),
    Invariant(
        "stock.movements_say_what_was_told",
        "What came or went by hand is what was told: out of what is there, or missing from what is promised.",
        """
        SELECT cause, told, quantity, missing_by FROM stock_movements
        WHERE told IS NOT NULL AND ((kind = 'received' AND (quantity <> told OR missing_by <> 0))
            OR (kind IN ('spoilage', 'offline_sale') AND missing_by - quantity <> told) OR (kind = 'correction' AND told < 0))
        """,
    ),
    Invariant(
        "stock.losses_are_of_goods_written_off",
        "A reason why goods were lost stands beside one movement that wrote just these goods off, and stolen goods are told in words.",
        """
        SELECT l.id, l.reason, m.kind FROM stock_losses l LEFT JOIN stock_movements m ON m.id = l.movement_id
        WHERE m.id IS NULL OR m.kind <> 'spoilage' OR m.variant_id <> l.variant_id OR m.told IS NULL OR m.at > l.at
            OR (l.reason IN ('stolen', 'other') AND l.words = '')
        UNION ALL
        SELECT MIN(id), NULL, NULL FROM stock_losses GROUP BY movement_id HAVING COUNT(*) > 1
        """,
    ),
    Invariant(
        "stock.missing_is_its_movements",
        "What is missing is what counts did not find, less what was found, declined or taken back since.",
        """
        WITH moved AS (SELECT variant_id, SUM(missing_by) AS total FROM stock_movements GROUP BY variant_id)
        SELECT i.variant_id, i.missing, COALESCE(m.total, 0) AS movements
        FROM stock_items i LEFT JOIN moved m ON m.variant_id = i.variant_id WHERE i.missing <> COALESCE(m.total, 0)
        """,
    ),
    Invariant(
        "stock.taken_back_exactly_once",
        "What is taken back was written down by hand, for the same goods, and is undone once and exactly.",
        """
        SELECT b.cause, b.quantity, o.quantity AS original FROM stock_movements b LEFT JOIN stock_movements o ON o.id = b.takes_back_id
        WHERE (b.kind = 'taken_back' OR b.takes_back_id IS NOT NULL)
            AND (o.id IS NULL OR b.kind <> 'taken_back' OR o.variant_id <> b.variant_id OR b.quantity <> -o.quantity
                OR o.kind NOT IN ('received', 'offline_sale', 'correction', 'spoilage'))
        UNION ALL
        SELECT MIN(cause), COUNT(*), takes_back_id FROM stock_movements
        WHERE takes_back_id IS NOT NULL GROUP BY takes_back_id HAVING COUNT(*) > 1
        """,
    ),
    Invariant(
        "stock.listings_show_the_price",
        "A card shows the price that is charged for the cheapest size, of a product that is on sale.",
        """
        SELECT l.code, l.price AS shown, v.price FROM listings l
        LEFT JOIN variants v ON v.id = l.variant_id LEFT JOIN products p ON p.id = l.product_id
        WHERE v.id IS NULL OR p.id IS NULL OR l.price <> v.price OR v.product_id <> l.product_id OR p.state <> 'on_sale'
            OR EXISTS (SELECT 1 FROM variants c WHERE c.product_id = l.product_id AND c.is_on_sale AND c.price < v.price)
        """,
    ),
    Invariant(
        "stock.prices_have_a_history",
        "The newest price in a variant's history is its price.",
        """
        SELECT v.code, v.price, h.price AS newest FROM variants v
        JOIN price_changes h ON h.id = (SELECT MAX(id) FROM price_changes WHERE variant_id = v.id)
        WHERE v.price <> h.price
        """,
    ),
)
