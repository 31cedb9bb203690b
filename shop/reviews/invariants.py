"""What is said of goods was said by those who collected them, and the stars of a product are those of its reviews."""

from __future__ import annotations

from shop.platform.invariants import Invariant

# A hand-over may be taken back after a review was written: the goods were in their hands, so the review stays.
COUNTED = ", ".join(
    f"COALESCE(SUM(CASE WHEN stars = {star} THEN 1 ELSE 0 END), 0) AS {name}"
    for star, name in enumerate(("ones", "twos", "threes", "fours", "fives"), start=1)
)

INVARIANTS = (
    Invariant(
        "reviews.summary_is_its_reviews",
        "The counted stars of a product are those of its shown reviews.",
        f"""
        SELECT p.product_id, p.ones, p.twos, p.threes, p.fours, p.fives FROM product_ratings p LEFT JOIN (
            SELECT product_id, {COUNTED} FROM reviews WHERE state = 'shown' GROUP BY product_id
        ) c ON c.product_id = p.product_id
        WHERE p.ones <> COALESCE(c.ones, 0) OR p.twos <> COALESCE(c.twos, 0) OR p.threes <> COALESCE(c.threes, 0)
            OR p.fours <> COALESCE(c.fours, 0) OR p.fives <> COALESCE(c.fives, 0)
        UNION ALL
        SELECT r.product_id, 0, 0, 0, 0, 0 FROM reviews r
        WHERE r.state = 'shown' AND NOT EXISTS (SELECT 1 FROM product_ratings p WHERE p.product_id = r.product_id)
        """,  # noqa: S608  (columns from the lines above)
    ),
    Invariant(
        "reviews.of_what_was_collected",
        "Whoever reviews a line of an order bought it, it reached its point, and the review is of its product.",
        """
        SELECT r.id, r.line_id FROM reviews r LEFT JOIN order_lines l ON l.id = r.line_id LEFT JOIN sub_orders s ON s.id = l.sub_order_id
        WHERE s.id IS NULL OR s.user_id <> r.user_id OR l.product_id <> r.product_id
            OR s.state IN ('placed', 'accepted', 'packed', 'in_transit', 'cancelled', 'short')
        """,
    ),
)
