"""Money coming in and going back: each payment is for what it pays, each refund booked once."""

from __future__ import annotations

from shop.platform.invariants import Invariant

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
        "A paid purchase has the money of exactly one payment, one that succeeded; an unpaid one has none.",
        """
        SELECT p.number, COUNT(y.id) AS payments FROM purchases p
        LEFT JOIN payments y ON y.purchase_id = p.id AND y.pays_purchase AND y.state = 'succeeded'
        GROUP BY p.id, p.number, p.paid_at HAVING COUNT(y.id) <> CASE WHEN p.paid_at IS NULL THEN 0 ELSE 1 END
        """,
    ),
    Invariant(
        "payments.ask_for_what_is_owed",
        "A payment asks for exactly what it pays for, of the person who owes it.",
        """
        SELECT y.ref, y.amount, p.total FROM payments y JOIN purchases p ON p.id = y.purchase_id
        WHERE y.amount <> p.total OR y.user_id <> p.user_id
        UNION ALL
        SELECT y.ref, y.amount, SUM(b.total) FROM payments y JOIN bill_payments b ON b.paid_with_id = y.id
        GROUP BY y.id, y.ref, y.amount, y.user_id
        HAVING y.amount <> SUM(b.total) OR MIN(b.user_id) <> y.user_id OR MAX(b.user_id) <> y.user_id
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
        SELECT provider_ref, COUNT(*) FROM refunds WHERE provider_ref IS NOT NULL
        GROUP BY provider_ref HAVING COUNT(DISTINCT payment_id) > 1 OR (COUNT(*) > 1 AND MIN(origin) = 'shop')
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
        FROM refunds r LEFT JOIN legs l ON l.refund_id = r.id
        WHERE COALESCE(l.waiting, 0) <> CASE WHEN r.state IN ('requested', 'sent') AND r.method <> 'wallet' THEN r.amount ELSE 0 END
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
        "payments.what_failed_goes_on_once",
        "What carries on a refund that failed is of the same payment and sub-order, and together never more than it.",
        """
        WITH further AS (SELECT replaces_id, SUM(amount) AS total FROM refunds WHERE replaces_id IS NOT NULL GROUP BY replaces_id)
        SELECT r.ref, r.state, r.amount, r.carried_on, COALESCE(f.total, 0) AS further
        FROM refunds r LEFT JOIN further f ON f.replaces_id = r.id
        WHERE r.carried_on <> CASE WHEN r.failure_code = 'taken_again' THEN r.amount ELSE COALESCE(f.total, 0) END
            OR r.carried_on > r.amount OR (r.carried_on > 0 AND r.state <> 'failed')
        UNION ALL
        SELECT n.ref, n.state, n.amount, NULL, NULL FROM refunds n JOIN refunds r ON r.id = n.replaces_id
        WHERE n.payment_id <> r.payment_id OR COALESCE(n.sub_order_id, 0) <> COALESCE(r.sub_order_id, 0)
        """,
    ),
    Invariant(
        "payments.refunds_have_somebody",
        "Money that has not gone back for a day is with a person: what failed and is not carried on, what is slow, what is not covered.",
        """
        SELECT ref, state, amount, carried_on, created_at FROM refunds
        WHERE handed_over_at IS NULL AND (
            (state = 'failed' AND carried_on < amount AND settled_at < :a_day_ago)
            OR (state IN ('requested', 'sent') AND created_at < :a_day_ago) OR uncovered_at IS NOT NULL
        )
        """,
    ),
    Invariant(
        "payments.two_agree",
        "What one person proposed another agreed to, and it moved its money once; what nobody agreed to moved none.",
        """
        SELECT p.id, p.state, COUNT(r.id) AS refunds FROM refund_proposals p
        LEFT JOIN refunds r ON r.cause = 'proposal\\:' || CAST(p.id AS TEXT)
        WHERE p.sub_order_id IS NOT NULL GROUP BY p.id, p.state, p.asked_by_id, p.decided_by_id
        HAVING COUNT(r.id) <> CASE WHEN p.state = 'approved' THEN 1 ELSE 0 END OR (p.state = 'approved' AND p.decided_by_id = p.asked_by_id)
        """,
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
        "payments.another_currency_is_never_yuan",
        "What moved at the provider in yuan is booked as it is; in another currency, as what moved on the buyer's side.",
        """
        SELECT provider_ref, currency, amount, fee, source_amount, exchange_rate, booked_amount, booked_fee FROM provider_movements
        WHERE NOT is_by_hand AND CASE WHEN currency = 'CNY'
            THEN booked_amount IS NULL OR booked_amount <> amount OR booked_fee IS NULL OR booked_fee <> fee
            ELSE booked_amount IS NOT NULL AND (
                booked_amount <> CASE WHEN amount < 0 THEN -source_amount WHEN amount > 0 THEN source_amount ELSE 0 END
                OR source_currency <> 'CNY' AND amount <> 0
            )
        END
        """,
    ),
    Invariant(
        "payments.movements_are_booked",
        "What moved at the provider because of a dispute is in the ledger once, in yuan, and so is its fee.",
        """
        SELECT m.provider_ref, y.ref, m.booked_amount, m.booked_fee, moved.amount AS moved, fee.amount AS fee
        FROM provider_movements m JOIN payments y ON y.id = m.payment_id
        LEFT JOIN transfers moved ON moved.cause = 'payment\\:' || CAST(m.payment_id AS TEXT) || '\\:dispute\\:' || m.provider_ref
        LEFT JOIN transfers fee ON fee.cause = 'payment\\:' || CAST(m.payment_id AS TEXT) || '\\:dispute\\:' || m.provider_ref || '\\:fee'
        WHERE m.kind = 'dispute' AND (
            ABS(COALESCE(m.booked_amount, 0)) <> COALESCE(moved.amount, 0) OR ABS(COALESCE(m.booked_fee, 0)) <> COALESCE(fee.amount, 0)
        )
        """,
    ),
    Invariant(
        "payments.fees_are_what_moved",
        "The fee of a payment is what the provider's movement says, and the ledger has it.",
        """
        SELECT y.ref, y.provider_fee, m.booked_fee, m.booked_amount, t.amount AS in_ledger
        FROM payments y LEFT JOIN provider_movements m ON m.payment_id = y.id AND m.kind = 'charge'
        LEFT JOIN transfers t ON t.cause = 'payment\\:' || CAST(y.id AS TEXT) || '\\:fee'
        WHERE y.method = 'stripe' AND y.state = 'succeeded' AND (
            COALESCE(y.provider_fee, 0) <> COALESCE(t.amount, 0)
            OR (m.id IS NOT NULL AND COALESCE(m.booked_fee, -1) <> COALESCE(y.provider_fee, -1))
            OR (m.booked_amount IS NOT NULL AND m.booked_amount <> y.amount)
        )
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
        "Money that came for a purchase and did not pay it goes back within fifteen minutes.",
        """
        SELECT p.number, y.ref FROM payments y JOIN purchases p ON p.id = y.purchase_id
        WHERE y.state = 'succeeded' AND NOT y.pays_purchase AND p.paid_at IS NOT NULL
            AND y.succeeded_at < :fifteen_minutes_ago AND y.refunded_amount < y.amount
        """,
    ),
    Invariant(
        "payments.none_open_for_a_day",
        "No payment is left open for a day.",
        """
        SELECT ref, state, created_at FROM payments
        WHERE state IN ('created', 'requires_action', 'processing') AND created_at < :a_day_ago
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
