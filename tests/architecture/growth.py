"""Which tables grow, by what they are spread, and of what moment their rows are (docs/operations/scale.md says why).

A new model is put on one of these lists. What grows with orders, money, bills, stock movements, notices, audit and jobs has a key that is
always known and a time; a model that has neither is refused here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sqlalchemy as sa

COMMUNITY, MERCHANT, BILLER, NONE = "community_id", "merchant_id", "biller_id", ""

# Table: its key, its time.
GROWS: Mapping[str, tuple[str, str]] = {
    "quotes": (COMMUNITY, "created_at"),
    "purchases": (COMMUNITY, "placed_at"),
    "sub_orders": (COMMUNITY, "placed_at"),
    "order_lines": (COMMUNITY, "placed_at"),
    "line_discounts": (MERCHANT, "at"),
    "settled_days": (MERCHANT, "ends_at"),
    "payments": (COMMUNITY, "created_at"),
    "provider_movements": (COMMUNITY, "noted_at"),
    "refunds": (COMMUNITY, "created_at"),
    "refund_proposals": (COMMUNITY, "asked_at"),
    "transfers": (COMMUNITY, "at"),
    "bills": (BILLER, "fetched_at"),
    "bill_look_ups": (COMMUNITY, "asked_at"),
    "bill_payments": (COMMUNITY, "created_at"),
    "bill_payment_items": (COMMUNITY, "created_at"),
    "bill_attempts": (COMMUNITY, "started_at"),
    "stock_movements": (MERCHANT, "at"),
    "stock_losses": (MERCHANT, "at"),
    "reservations": (MERCHANT, "created_at"),
    "cycles": (COMMUNITY, "arrives_at"),
    "batches": (COMMUNITY, "created_at"),
    "passes": (COMMUNITY, "issued_at"),
    "handovers": (COMMUNITY, "received_at"),
    "collectables": (COMMUNITY, "since"),
    "handover_kept": (COMMUNITY, "received_at"),
    "notices": (COMMUNITY, "created_at"),
    "bulletin_readers": (COMMUNITY, "at"),
    "reviews": (MERCHANT, "written_at"),
    "review_versions": (MERCHANT, "at"),
    "review_reports": (MERCHANT, "reported_at"),
    "jobs": (COMMUNITY, "created_at"),
    "audit_entries": (COMMUNITY, "at"),
    "audit_links": (COMMUNITY, "month"),
    "audit_chains": (COMMUNITY, "month"),
    "provider_events": (NONE, "received_at"),  # told before anybody knows what about; forgotten when done
}

DOES_NOT_GROW: Mapping[str, str] = {
    **dict.fromkeys(
        ("users", "role_grants", "carts", "cart_lines", "bill_accounts", "wallets", "ledger_accounts", "favourites"), "with people"
    ),
    **dict.fromkeys(("sign_in_codes", "user_sessions", "idempotency_keys", "audit_gaps"), "forgotten soon"),
    **dict.fromkeys(("product_imports", "import_files", "import_rows", "search_words", "picture_uploads"), "forgotten soon"),
    **dict.fromkeys(
        ("regions", "communities", "pickup_points", "merchant_points", "merchants", "billers", "partners", "price_offers",
         "bulletin_notices", "bulletin_versions", "applications", "application_papers", "paper_slices", "application_messages", "licences",
         "suspensions"),
        "with the city",
    ),
    **dict.fromkeys(
        ("categories", "products", "variants", "product_images", "listings", "search_terms", "stock_items", "price_changes",
         "listing_drafts", "shelf_terms", "product_ratings"),
        "with what is sold",
    ),
    "closing_balances": "a row for each day of the few accounts that keep no balance of their own",
    "restorations": "a row for each restore",
    "invariant_checks": "a row for each promise",
    "marks": "a row for each table that is walked along",
    "audit_progress": "one row",
    "audit_seals": "the first chain, to which nothing is added",
}


def unkeyed(tables: Mapping[str, sa.Table]) -> Iterator[str]:
    """What is wrong with the keys of tables that grow, and which tables are on no list."""
    for name in sorted(tables.keys() - GROWS.keys() - DOES_NOT_GROW.keys()):
        yield f"{name}: say in tests/architecture/growth.py whether it grows, by what it is spread and of what moment a row is"
    for name in sorted(GROWS.keys() & DOES_NOT_GROW.keys()):
        yield f"{name} is on both lists"
    for name, wanted in GROWS.items():
        columns = tables[name].columns if name in tables else {}
        for column in filter(None, wanted):
            if column not in columns or columns[column].nullable:
                yield f"{name} grows, and has no {column} that is always known (shop/kernel/columns.py: community_key, merchant_key)"


def unspread(tables: Mapping[str, sa.Table]) -> Iterator[str]:
    """Keys of rows that somebody forgot to say would be taken for the city's: what is said must be asked for."""
    for name, (key, _time) in GROWS.items():
        column = tables[name].columns.get(key) if key else None
        if column is not None and column.server_default is not None and column.default is None:
            yield f"{name}.{key} has a default of the database only: a row without it would belong to the city unnoticed"
