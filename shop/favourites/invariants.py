"""Favourites belong to people who are here, once each, and nobody is told of what they did not ask about."""

from __future__ import annotations

from shop.platform.invariants import Invariant

INVARIANTS = (
    Invariant(
        "favourites.once_each",
        "Nobody has the same favourite twice.",
        "SELECT user_id, product_id, COUNT(*) AS rows_found FROM favourites GROUP BY user_id, product_id HAVING COUNT(*) > 1",
    ),
    Invariant(
        "favourites.of_people_who_are_here",
        "Favourites belong to people whose account is not closed.",
        "SELECT f.id FROM favourites f LEFT JOIN users u ON u.id = f.user_id WHERE u.id IS NULL OR u.state = 'closed'",
    ),
    Invariant(
        "favourites.nobody_is_told_unasked",
        "Of goods that are back only those were told, in the last day, who had them as a favourite.",
        """
        SELECT n.id FROM notices n WHERE n.kind = 'favourites.back' AND n.created_at > :a_day_ago AND NOT EXISTS (
            SELECT 1 FROM favourites f WHERE f.user_id = n.user_id AND f.created_at <= n.created_at
                AND n.dedupe_key LIKE 'favourite:' || f.id || ':%'
        )
        """,
    ),
)
