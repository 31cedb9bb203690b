"""Keys of growing tables: each row belongs where what it hangs on belongs, so that what is asked together lies together."""

from __future__ import annotations

from collections.abc import Iterator

from shop.platform.invariants import Invariant

COMMUNITY, MERCHANT = "community_id", "merchant_id"

# Table, its key, the table it hangs on, and by which column.
FOLLOWING = (
    ("cycles", COMMUNITY, "pickup_points", "pickup_point_id"),
    ("quotes", COMMUNITY, "pickup_points", "pickup_point_id"),
    ("purchases", COMMUNITY, "pickup_points", "pickup_point_id"),
    ("passes", COMMUNITY, "pickup_points", "pickup_point_id"),
    ("handovers", COMMUNITY, "pickup_points", "pickup_point_id"),
    ("sub_orders", COMMUNITY, "purchases", "purchase_id"),
    ("order_lines", COMMUNITY, "sub_orders", "sub_order_id"),
    ("batches", COMMUNITY, "cycles", "cycle_id"),
    ("collectables", COMMUNITY, "pickup_points", "pickup_point_id"),
    ("handover_kept", COMMUNITY, "handovers", "handover_id"),
    ("payments", COMMUNITY, "purchases", "purchase_id"),
    ("provider_movements", COMMUNITY, "payments", "payment_id"),
    ("refunds", COMMUNITY, "payments", "payment_id"),
    ("bill_payment_items", COMMUNITY, "bill_payments", "bill_payment_id"),
    ("bill_attempts", COMMUNITY, "bill_payments", "bill_payment_id"),
    ("bulletin_versions", COMMUNITY, "bulletin_notices", "notice_id"),
    ("bulletin_readers", COMMUNITY, "bulletin_notices", "notice_id"),
    ("reviews", MERCHANT, "products", "product_id"),
    ("review_versions", MERCHANT, "reviews", "review_id"),
    ("review_reports", MERCHANT, "reviews", "review_id"),
)  # fmt: skip
OF_THE_SELLER = ("stock_movements", "stock_losses", "reservations")


def following() -> Iterator[Invariant]:
    for table, key, parent, by in FOLLOWING:
        yield Invariant(
            f"keys.{table}_{key}",
            f"Rows of {table} have the {key} of what they hang on.",
            f"""
            SELECT c.id, c.{key} AS has, p.{key} AS should_have FROM {table} c JOIN {parent} p ON p.id = c.{by} WHERE c.{key} <> p.{key}
            """,  # noqa: S608  (names from the table above)
        )
    for table in OF_THE_SELLER:
        yield Invariant(
            f"keys.{table}_{MERCHANT}",
            f"Rows of {table} have the {MERCHANT} of who sells the goods.",
            f"""
            SELECT c.id, c.{MERCHANT} AS has, p.{MERCHANT} AS should_have FROM {table} c
            JOIN variants v ON v.id = c.variant_id JOIN products p ON p.id = v.product_id WHERE c.{MERCHANT} <> p.{MERCHANT}
            """,  # noqa: S608  (names from the table above)
        )


INVARIANTS = (
    *following(),
    Invariant(
        "keys.transfers_community_id",
        "A transfer about an order has the community of that order.",
        """
        SELECT t.id, t.cause, t.community_id AS has, s.community_id AS should_have FROM transfers t
        JOIN sub_orders s ON s.id = t.subject_id AND t.subject_type = 'sub_order' WHERE t.community_id <> s.community_id
        """,
    ),
)
