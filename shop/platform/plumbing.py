"""The backbone: jobs done, keys answered, the audit trail whole, closed doors closed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from sqlalchemy.orm import Session

from shop.kernel import resealing
from shop.platform import audit_checks
from shop.platform.invariants import Invariant, Row, ScriptedInvariant


def broken_links(session: Session) -> Iterable[Row]:
    """Where a chain of the audit does not hold, since its last anchor."""
    return (asdict(found) for found in audit_checks.broken_links(session))


def passed_over(session: Session) -> Iterable[Row]:
    """Entries that sealing has passed and that are in no chain."""
    return ({"id": entry_id} for entry_id in audit_checks.passed_over(session))


INVARIANTS = (
    Invariant(
        "plumbing.no_job_gave_up",
        "No job has given up.",
        "SELECT id, kind, attempts, last_error FROM jobs WHERE state = 'dead'",
    ),
    Invariant(
        "plumbing.jobs_are_done_in_time",
        "No job is fifteen minutes late.",
        """
        SELECT id, kind, state, run_at FROM jobs
        WHERE (state = 'queued' AND run_at < :fifteen_minutes_ago) OR (state = 'running' AND lease_until < :fifteen_minutes_ago)
        """,
    ),
    Invariant(
        "plumbing.jobs_once",
        "Nothing is asked for twice.",
        "SELECT dedupe_key, COUNT(*) AS jobs FROM jobs GROUP BY dedupe_key HAVING COUNT(*) > 1",
    ),
    Invariant(
        "plumbing.keys_are_answered",
        "No idempotency key waits for its answer five minutes after its lease.",
        "SELECT user_id, route, lease_until FROM idempotency_keys WHERE status IS NULL AND lease_until < :five_minutes_ago",
    ),
    Invariant(
        "plumbing.keys_once",
        "One caller's key for one route has one answer.",
        "SELECT user_id, route, COUNT(*) AS answers FROM idempotency_keys GROUP BY user_id, route, key HAVING COUNT(*) > 1",
    ),
    Invariant(
        "plumbing.audit_is_sealed",
        "Every audit entry is sealed within fifteen minutes.",
        """
        SELECT e.id, e.action, e.at FROM audit_entries e
        WHERE e.id > COALESCE((SELECT MAX(sealed_up_to) FROM audit_progress), 0) AND e.at < :fifteen_minutes_ago
        UNION ALL
        SELECT e.id, e.action, e.at FROM audit_gaps g JOIN audit_entries e ON e.id BETWEEN g.first_id AND g.last_id
        WHERE e.at < :fifteen_minutes_ago
        """,
    ),
    ScriptedInvariant(
        "plumbing.no_entry_is_passed_over",
        "Every audit entry that sealing has passed is in a chain.",
        passed_over,
    ),
    ScriptedInvariant(
        "plumbing.audit_chain_holds",
        "The audit trail is as it was written: no entry changed, none lost.",
        broken_links,
    ),
    Invariant(
        "plumbing.notices_once",
        "Nobody is told the same thing twice.",
        "SELECT dedupe_key, COUNT(*) AS notices FROM notices GROUP BY dedupe_key HAVING COUNT(*) > 1",
    ),
    Invariant(
        "plumbing.closed_accounts_are_signed_out",
        "Nobody is signed in to an account that was closed.",
        """
        SELECT s.id, s.user_id FROM user_sessions s JOIN users u ON u.id = s.user_id
        WHERE u.state <> 'active' AND s.revoked_at IS NULL AND s.expires_at > :now
        """,
    ),
    Invariant(
        "plumbing.roles_have_their_place",
        "A role is held where it belongs: at a merchant, at a point, or for the city.",
        """
        SELECT id, user_id, role FROM role_grants
        WHERE (role IN ('merchant_owner', 'merchant_clerk')) <> (merchant_id IS NOT NULL)
            OR (role = 'keeper') <> (pickup_point_id IS NOT NULL)
        """,
    ),
    Invariant(
        "plumbing.staff_have_a_second_factor",
        "Everybody who holds a role has an authenticator.",
        """
        SELECT DISTINCT u.id, g.role FROM role_grants g JOIN users u ON u.id = g.user_id
        WHERE g.revoked_at IS NULL AND u.totp_secret IS NULL
        """,
    ),
    Invariant(
        "plumbing.carts_have_one_owner",
        "A cart is a person's or a browser's, and a person has one.",
        """
        SELECT id, user_id FROM carts WHERE (user_id IS NULL) = (token_hash IS NULL)
        UNION ALL
        SELECT MIN(id), user_id FROM carts WHERE user_id IS NOT NULL GROUP BY user_id HAVING COUNT(*) > 1
        """,
    ),
    ScriptedInvariant(
        "plumbing.sealed_values_open",
        "Everything that is sealed can be opened with a key we have.",
        resealing.unopened,
    ),
    ScriptedInvariant(
        "plumbing.sealed_values_are_found",
        "Everything that is found by a hash has the hash of what it is.",
        resealing.not_found,
    ),
)
