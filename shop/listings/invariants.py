"""What is on its way to be seen is kept no longer than it is needed."""

from __future__ import annotations

from shop.platform.invariants import Invariant

INVARIANTS = (
    Invariant(
        "listings.drafts_are_of_drafts",
        "What is still being typed belongs to a product that is not on sale.",
        "SELECT d.product_id, p.state FROM listing_drafts d JOIN products p ON p.id = d.product_id WHERE p.state <> 'draft'",
    ),
    Invariant(
        "listings.photos_belong_to_the_shop",
        "A photo was sent by the shop whose product it shows.",
        "SELECT u.id, u.merchant_id FROM picture_uploads u JOIN products p ON p.id = u.product_id WHERE p.merchant_id <> u.merchant_id",
    ),
)
