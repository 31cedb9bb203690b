"""What stands on the bulletin was read by two people, and its readers are counted once each."""

from __future__ import annotations

from datetime import timedelta

from shop.platform.invariants import Invariant

READERS_KEPT = timedelta(days=400)
"""Longer than a notice can stand, so that nobody is counted twice while it does."""

AGES = {"bulletin_readers_kept": READERS_KEPT - timedelta(days=2)}

INVARIANTS = (
    Invariant(
        "bulletin.published_by_another",
        "Whatever was published was published by somebody other than its writer.",
        """
        SELECT id, state FROM bulletin_versions WHERE published_by_id = written_by_id OR (published_by_id IS NULL) <> (published_at IS NULL)
            OR (state IN ('published', 'replaced') AND published_by_id IS NULL)
        """,
    ),
    Invariant(
        "bulletin.readers_are_counted",
        "The readers of a notice are as many as were written down, each once; rows of long ago are forgotten.",
        """
        SELECT n.id, n.readers, COUNT(r.id) AS written_down FROM bulletin_notices n LEFT JOIN bulletin_readers r ON r.notice_id = n.id
        GROUP BY n.id, n.readers, n.created_at
        HAVING n.readers < COUNT(r.id) OR (n.readers > COUNT(r.id) AND n.created_at > :bulletin_readers_kept)
        """,
    ),
    Invariant(
        "bulletin.only_what_is_pinned_is_told",
        "Of notices only those were told, in the last day, that the government pinned.",
        """
        SELECT m.id FROM notices m WHERE m.kind = 'bulletin.pinned' AND m.created_at > :a_day_ago AND NOT EXISTS (
            SELECT 1 FROM bulletin_versions v WHERE v.kind = 'government' AND v.is_pinned AND v.published_at <= m.created_at
                AND m.dedupe_key LIKE 'bulletin:' || v.notice_id || ':%'
        )
        """,
    ),
)
