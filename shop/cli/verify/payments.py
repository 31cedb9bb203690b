"""Money coming in and going back: each payment is for what it pays, each refund booked once."""

from __future__ import annotations

from shop.cli.verify.invariant import Invariant

# How the transfers of a refund add up: asked for out of escrow or wherever the money was, waiting in `refund_due`, given back to us.
REFUND_LEGS = """
legs AS (
    SELECT t.subject_id AS refund_id,
        SUM(CASE WHEN t.kind = 'refund' AND d.kind <> 'refund_due' THEN t.amount ELSE 0 END) AS asked,
        SUM(CASE WHEN c.kind = 'refund_due' THEN t.amount WHEN d.kind = 'refund_due' THEN -t.amount ELSE 0 END) AS waiting,
        SUM(CASE WHEN t.kind = 'correction' THEN t.amount ELSE 0 END) AS given_up
    FROM transfers t
    JOIN ledger_accounts d ON d.id = t.debit_account_id
    JOIN ledger_accounts c ON c.id = t.credit_account_id
    WHERE t.subject_type = 'refund'
    GROUP BY t.subject_id
)
"""

INVARIANTS = (
    Invariant(
        "payments.paid_purchases_are_covered",
        "A paid purchase has a payment that succeeded, of exactly its total.",
        """
        SELECT p.number, p.total FROM purchases p
        WHERE p.paid_at IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM payments y WHERE y.purchase_id = p.id AND y.state = 'succeeded' AND y.amount = p.total
        )
        """,
    ),
    Invariant(
        "payments.ask_for_what_is_owed",
        "A payment asks for exactly what it pays for, of the person who owes it.",
        """
        SELECT y.ref, y.amount, p.total FROM payments y JOIN purchases p ON p.id = y.purchase_id
        WHERE y.amount <> p.total OR y.user_id <> p.user_id
        UNION ALL
        SELECT y.ref, y.amount, b.total FROM payments y JOIN bill_payments b ON b.id = y.bill_payment_id
        WHERE y.amount <> b.total OR y.user_id <> b.user_id
        """,
    ),
    Invariant(
        "payments.times_match_states",
        "A payment that succeeded has its time, and an open one has no end.",
        """
        SELECT ref, state FROM payments
        WHERE (state = 'succeeded') <> (succeeded_at IS NOT NULL)
            OR (state IN ('created', 'requires_action', 'processing')) <> (closed_at IS NULL)
        """,
    ),
    Invariant(
        "payments.provider_names_once",
        "What the provider calls a payment is one payment.",
        """
        SELECT provider_intent AS name, COUNT(*) AS payments FROM payments
        WHERE provider_intent IS NOT NULL GROUP BY provider_intent HAVING COUNT(*) > 1
        UNION ALL
        SELECT provider_session, COUNT(*) FROM payments
        WHERE provider_session IS NOT NULL GROUP BY provider_session HAVING COUNT(*) > 1
        UNION ALL
        SELECT provider_ref, COUNT(*) FROM refunds WHERE provider_ref IS NOT NULL GROUP BY provider_ref HAVING COUNT(*) > 1
        """,
    ),
    Invariant(
        "payments.top_ups_reach_the_wallet_once",
        "A top-up that succeeded is in its owner's wallet exactly once, and no other is.",
        """
        WITH booked AS (
            SELECT t.subject_id AS payment_id, a.user_id, COUNT(*) AS transfers, SUM(t.amount) AS total
            FROM transfers t JOIN ledger_accounts a ON a.id = t.credit_account_id
            WHERE t.kind = 'top_up' GROUP BY t.subject_id, a.user_id
        )
        SELECT y.ref, y.state, y.amount, b.total AS booked
        FROM payments y LEFT JOIN booked b ON b.payment_id = y.id
        WHERE y.purpose = 'top_up' AND CASE WHEN y.state = 'succeeded'
            THEN b.payment_id IS NULL OR b.transfers <> 1 OR b.total <> y.amount OR b.user_id <> y.user_id
            ELSE b.payment_id IS NOT NULL
        END
        """,
    ),
    Invariant(
        "payments.refunds_within_payment",
        "What was given back, or is on its way, is what the payment says, and never more than was paid.",
        """
        WITH given AS (SELECT payment_id, SUM(amount) AS total FROM refunds WHERE state <> 'failed' GROUP BY payment_id)
        SELECT y.ref, y.amount, y.refunded_amount, COALESCE(g.total, 0) AS refunds
        FROM payments y LEFT JOIN given g ON g.payment_id = y.id
        WHERE y.refunded_amount <> COALESCE(g.total, 0) OR y.refunded_amount > y.amount OR y.refunded_amount < 0
        """,
    ),
    Invariant(
        "payments.only_what_came_goes_back",
        "Only a payment that succeeded is refunded.",
        """
        SELECT r.ref, y.state FROM refunds r LEFT JOIN payments y ON y.id = r.payment_id
        WHERE y.state IS NULL OR y.state <> 'succeeded'
        """,
    ),
    Invariant(
        "payments.refunds_are_booked_once",
        "Every refund is booked once, for its amount.",
        """
        SELECT r.ref, r.amount, COALESCE(l.asked, 0) AS booked
        FROM refunds r LEFT JOIN legs l ON l.refund_id = r.id
        WHERE COALESCE(l.asked, 0) <> r.amount
        """,
        given=REFUND_LEGS,
    ),
    Invariant(
        "payments.refunds_wait_while_on_their_way",
        "Money on its way back to a card waits in refund_due; what has arrived or failed does not.",
        """
        SELECT r.ref, r.state, r.amount, COALESCE(l.waiting, 0) AS waiting
        FROM refunds r JOIN payments y ON y.id = r.payment_id LEFT JOIN legs l ON l.refund_id = r.id
        WHERE COALESCE(l.waiting, 0) <> CASE WHEN r.state IN ('requested', 'sent') AND y.method <> 'wallet' THEN r.amount ELSE 0 END
        """,
        given=REFUND_LEGS,
    ),
    Invariant(
        "payments.failed_refunds_are_held_again",
        "A refund that failed is held for its person again, once; no other is.",
        """
        SELECT r.ref, r.state, r.amount, COALESCE(l.given_up, 0) AS held_again
        FROM refunds r LEFT JOIN legs l ON l.refund_id = r.id
        WHERE COALESCE(l.given_up, 0) <> CASE WHEN r.state = 'failed' THEN r.amount ELSE 0 END
        """,
        given=REFUND_LEGS,
    ),
    Invariant(
        "payments.nothing_else_waits_to_go_back",
        "Everything in refund_due belongs to a refund.",
        """
        SELECT t.id, t.cause, t.amount FROM transfers t
        JOIN ledger_accounts a ON a.kind = 'refund_due' AND a.id IN (t.debit_account_id, t.credit_account_id)
        LEFT JOIN refunds r ON r.id = t.subject_id AND t.subject_type = 'refund'
        WHERE r.id IS NULL
        """,
    ),
    Invariant(
        "payments.banks_take_back_what_was_paid",
        "Banks take back only money that was paid by card, never more of it than there was, and give back no more than they took.",
        """
        SELECT t.subject_id AS payment_id, y.ref, y.amount,
            SUM(CASE WHEN a.id = t.debit_account_id THEN t.amount ELSE -t.amount END) AS taken_back
        FROM transfers t
        JOIN ledger_accounts a ON a.kind = 'disputed' AND a.id IN (t.debit_account_id, t.credit_account_id)
        LEFT JOIN payments y ON t.subject_type = 'payment' AND y.id = t.subject_id
        GROUP BY t.subject_id, y.ref, y.amount, y.method, y.state
        HAVING y.ref IS NULL OR y.method <> 'stripe' OR y.state <> 'succeeded'
            OR SUM(CASE WHEN a.id = t.debit_account_id THEN t.amount ELSE -t.amount END) NOT BETWEEN 0 AND y.amount
        """,
    ),
    Invariant(
        "payments.dead_purchases_are_refunded",
        "Money for a purchase that expired or was cancelled goes back within fifteen minutes.",
        """
        SELECT y.ref, p.number, p.state, y.amount, y.refunded_amount
        FROM payments y JOIN purchases p ON p.id = y.purchase_id
        WHERE y.state = 'succeeded' AND p.state IN ('expired', 'cancelled') AND y.refunded_amount < y.amount
            AND y.succeeded_at < :fifteen_minutes_ago AND p.closed_at < :fifteen_minutes_ago
        """,
    ),
    Invariant(
        "payments.a_purchase_is_paid_once",
        "A purchase paid twice gets the second payment back within fifteen minutes.",
        """
        SELECT p.number, COUNT(*) AS payments FROM payments y JOIN purchases p ON p.id = y.purchase_id
        WHERE y.state = 'succeeded' AND p.paid_at IS NOT NULL AND y.succeeded_at < :fifteen_minutes_ago
            AND y.refunded_amount < y.amount
        GROUP BY p.number HAVING COUNT(*) > 1
        """,
    ),
    Invariant(
        "payments.none_open_for_a_day",
        "No payment and no refund is left open for a day.",
        """
        SELECT ref, state, created_at FROM payments
        WHERE state IN ('created', 'requires_action', 'processing') AND created_at < :a_day_ago
        UNION ALL
        SELECT r.ref, r.state, r.created_at FROM refunds r JOIN payments y ON y.id = r.payment_id
        WHERE r.state = 'requested' AND y.method = 'stripe' AND r.created_at < :a_day_ago
        """,
    ),
    Invariant(
        "payments.events_are_looked_into",
        "Every event of a provider is looked into within five minutes.",
        "SELECT event_id, kind, received_at FROM provider_events WHERE state <> 'done' AND received_at < :five_minutes_ago",
    ),
    Invariant(
        "payments.events_once",
        "Every event of a provider is kept once.",
        "SELECT provider, event_id, COUNT(*) AS events FROM provider_events GROUP BY provider, event_id HAVING COUNT(*) > 1",
    ),
)
