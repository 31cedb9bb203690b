"""Household bills: paid exactly once, and no money left between us and a biller."""

from __future__ import annotations

from shop.platform.invariants import Invariant

# Per bill payment: what was to go back of it, whatever carried it on; what was taken for it, went to its biller, and is still held.
HOLD = """
RECURSIVE back AS (
    SELECT r.id, r.state, r.amount - r.carried_on AS amount, b.id AS bill_payment_id
    FROM refunds r JOIN bill_payments b ON r.cause = 'bill_payment:' || CAST(b.id AS TEXT) || '\\:returned'
    UNION ALL
    SELECT r.id, r.state, r.amount - r.carried_on, back.bill_payment_id FROM refunds r JOIN back ON r.replaces_id = back.id
),
moved AS (
    SELECT b.id AS bill_payment_id,
        SUM(CASE WHEN c.kind = 'bill_hold' AND t.kind = 'bill_hold' AND (d.kind = 'provider' OR d.user_id = b.user_id)
            THEN t.amount ELSE 0 END) AS taken,
        SUM(CASE WHEN d.kind = 'bill_hold' AND c.kind = 'biller' AND c.biller_id = b.biller_id THEN t.amount ELSE 0 END) AS posted,
        SUM(CASE WHEN d.kind = 'bill_hold' AND c.kind = 'biller' THEN 1 ELSE 0 END) AS postings,
        SUM(CASE WHEN d.kind = 'bill_hold' AND (c.kind IN ('refund_due', 'suspense') OR c.user_id = b.user_id) THEN t.amount
            WHEN c.kind = 'bill_hold' AND d.kind IN ('refund_due', 'provider', 'bank') AND t.kind = 'correction' THEN -t.amount
            ELSE 0 END) AS returned,
        SUM(CASE WHEN c.kind = 'bill_hold' THEN t.amount WHEN d.kind = 'bill_hold' THEN -t.amount ELSE 0 END) AS held
    FROM (
        SELECT t.* FROM transfers t JOIN ledger_accounts a ON a.kind = 'bill_hold' AND a.id = t.debit_account_id
        UNION ALL SELECT t.* FROM transfers t JOIN ledger_accounts a ON a.kind = 'bill_hold' AND a.id = t.credit_account_id
    ) t
    JOIN ledger_accounts d ON d.id = t.debit_account_id
    JOIN ledger_accounts c ON c.id = t.credit_account_id
    LEFT JOIN back ON t.subject_type = 'refund' AND back.id = t.subject_id
    JOIN bill_payments b ON b.id = CASE t.subject_type WHEN 'bill_payment' THEN t.subject_id ELSE back.bill_payment_id END
    WHERE t.subject_type IN ('bill_payment', 'refund')
    GROUP BY b.id
)
"""

INVARIANTS = (
    Invariant(
        "bills.totals_add_up",
        "A bill is its amount and its late fee, and more than nothing.",
        "SELECT ref, amount, late_fee, total FROM bills WHERE total <> amount + late_fee OR total <= 0 OR amount < 0 OR late_fee < 0",
    ),
    Invariant(
        "bills.payment_is_its_bills",
        "A payment of bills is the sum of those bills.",
        """
        SELECT p.ref, p.total, SUM(i.amount) AS bills FROM bill_payments p JOIN bill_payment_items i ON i.bill_payment_id = p.id
        GROUP BY p.id, p.ref, p.total HAVING p.total <> SUM(i.amount)
        UNION ALL
        SELECT p.ref, p.total, NULL FROM bill_payments p WHERE p.total <= 0
        """,
    ),
    Invariant(
        "bills.paid_for_the_right_number",
        "A payment pays bills of its own biller and customer number only.",
        """
        SELECT p.ref, b.ref AS bill FROM bill_payments p
        JOIN bill_payment_items i ON i.bill_payment_id = p.id JOIN bills b ON b.id = i.bill_id
        WHERE b.biller_id <> p.biller_id OR b.account_hash <> p.account_hash
        """,
    ),
    Invariant(
        "bills.never_paid_twice",
        "A bill is in one payment at most that succeeded or may succeed.",
        "SELECT bill_id, COUNT(*) AS payments FROM bill_payment_items WHERE is_live GROUP BY bill_id HAVING COUNT(*) > 1",
    ),
    Invariant(
        "bills.one_on_its_way",
        "Of one customer number one payment at most is on its way.",
        """
        SELECT biller_id, COUNT(*) AS payments FROM bill_payments WHERE state IN ('created', 'funds_held', 'sending', 'unknown')
        GROUP BY biller_id, account_hash HAVING COUNT(*) > 1
        """,
    ),
    Invariant(
        "bills.taken_while_it_may_succeed",
        "A bill is taken exactly as long as its payment succeeded or may succeed.",
        """
        SELECT p.ref, p.state, i.bill_id FROM bill_payments p JOIN bill_payment_items i ON i.bill_payment_id = p.id
        WHERE i.is_live = (p.state IN ('failed', 'refunded'))
        """,
    ),
    Invariant(
        "bills.paid_means_posted",
        "A bill is paid when its payment was written off by the biller, and only then.",
        """
        SELECT b.ref, b.state, COUNT(p.id) AS posted FROM bills b
        LEFT JOIN bill_payment_items i ON i.bill_id = b.id AND i.is_live
        LEFT JOIN bill_payments p ON p.id = i.bill_payment_id AND p.state = 'posted'
        GROUP BY b.id, b.ref, b.state HAVING (b.state = 'paid') <> (COUNT(p.id) = 1)
        """,
    ),
    Invariant(
        "bills.money_was_taken_once",
        "The money of every bill payment was taken once, from its payer's wallet or card; of one that was never paid, nothing.",
        """
        SELECT b.ref, b.state, b.total, COALESCE(m.taken, 0) AS taken
        FROM bill_payments b LEFT JOIN moved m ON m.bill_payment_id = b.id
        WHERE COALESCE(m.taken, 0) <> CASE WHEN b.state IN ('created', 'failed') THEN 0 ELSE b.total END
        """,
        given=HOLD,
    ),
    Invariant(
        "bills.biller_got_it_once",
        "A bill payment that was written off gave its money to its biller once; no other did.",
        """
        SELECT b.ref, b.state, b.total, COALESCE(m.posted, 0) AS posted
        FROM bill_payments b LEFT JOIN moved m ON m.bill_payment_id = b.id
        WHERE COALESCE(m.posted, 0) <> CASE WHEN b.state = 'posted' THEN b.total ELSE 0 END
            OR COALESCE(m.postings, 0) <> CASE WHEN b.state = 'posted' THEN 1 ELSE 0 END
        """,
        given=HOLD,
    ),
    Invariant(
        "bills.refused_money_is_back",
        "Money of a bill the biller refused is back in its payer's wallet, or on its way to the card; of no other.",
        """
        SELECT b.ref, b.state, b.total, COALESCE(m.returned, 0) AS returned
        FROM bill_payments b LEFT JOIN moved m ON m.bill_payment_id = b.id
        WHERE COALESCE(m.returned, 0) <> CASE WHEN b.state = 'refunded' THEN b.total - (
            SELECT COALESCE(SUM(back.amount), 0) FROM back WHERE back.bill_payment_id = b.id AND back.state = 'failed'
        ) ELSE 0 END
        """,
        given=HOLD,
    ),
    Invariant(
        "bills.nothing_is_lost_on_the_way",
        "Nothing is held for a bill payment that has ended, and all of it for one that has not.",
        """
        SELECT b.ref, b.state, b.total, COALESCE(m.held, 0) AS held
        FROM bill_payments b LEFT JOIN moved m ON m.bill_payment_id = b.id
        WHERE COALESCE(m.held, 0) <> CASE WHEN b.state IN ('created', 'failed', 'posted') THEN 0
            WHEN b.state = 'refunded' THEN (
                SELECT COALESCE(SUM(back.amount), 0) FROM back WHERE back.bill_payment_id = b.id AND back.state = 'failed'
            ) ELSE b.total END
        """,
        given=HOLD,
    ),
    Invariant(
        "bills.hold_holds_nothing_else",
        "Everything held for bills belongs to a bill payment.",
        """
        SELECT t.id, t.cause, t.amount FROM ledger_accounts a
        JOIN transfers t ON a.id = t.debit_account_id OR a.id = t.credit_account_id
        LEFT JOIN bill_payments b ON t.subject_type = 'bill_payment' AND b.id = t.subject_id
        LEFT JOIN refunds r ON t.subject_type = 'refund' AND r.id = t.subject_id
        LEFT JOIN payments y ON y.id = r.payment_id AND y.purpose = 'bill'
        WHERE a.kind = 'bill_hold' AND b.id IS NULL AND y.id IS NULL
        """,
    ),
    Invariant(
        "bills.billers_are_owed_what_was_posted",
        "What a biller is owed is the sum of what it wrote off.",
        """
        WITH legs AS (
            SELECT a.biller_id, t.amount FROM ledger_accounts a JOIN transfers t ON t.credit_account_id = a.id WHERE a.kind = 'biller'
            UNION ALL
            SELECT a.biller_id, -t.amount FROM ledger_accounts a JOIN transfers t ON t.debit_account_id = a.id WHERE a.kind = 'biller'
        ),
        owed AS (SELECT biller_id, SUM(amount) AS total FROM legs GROUP BY biller_id),
        posted AS (SELECT biller_id, SUM(total) AS total FROM bill_payments WHERE state = 'posted' GROUP BY biller_id)
        SELECT b.code, COALESCE(owed.total, 0) AS owed, COALESCE(posted.total, 0) AS posted
        FROM billers b LEFT JOIN owed ON owed.biller_id = b.id LEFT JOIN posted ON posted.biller_id = b.id
        WHERE COALESCE(owed.total, 0) <> COALESCE(posted.total, 0)
        """,
    ),
    Invariant(
        "bills.payments_are_on_record",
        "Every bill payment has the payment that carries its money, which succeeded unless the bill was never paid.",
        """
        SELECT b.ref, b.state FROM bill_payments b LEFT JOIN payments y ON y.id = b.paid_with_id
        WHERE y.id IS NULL OR (b.state NOT IN ('created', 'failed') AND y.state <> 'succeeded')
        """,
    ),
    Invariant(
        "bills.states_have_their_times",
        "A bill payment has the time of every state it reached, and none stays failed without its money back.",
        """
        SELECT ref, state FROM bill_payments
        WHERE (state = 'posted') <> (posted_at IS NOT NULL) OR (state = 'refunded') <> (refunded_at IS NOT NULL)
            OR (state IN ('sending', 'unknown', 'posted') AND sent_at IS NULL) OR (state = 'failed' AND failure_code <> 'not_paid')
            OR (state NOT IN ('created', 'failed')) <> (held_at IS NOT NULL)
            OR posted_at < sent_at OR refunded_at < sent_at
        """,
    ),
    Invariant(
        "bills.posted_means_acknowledged",
        "A payment counts as written off because the biller said so.",
        """
        SELECT b.ref FROM bill_payments b WHERE b.state = 'posted' AND NOT EXISTS (
            SELECT 1 FROM bill_attempts a WHERE a.bill_payment_id = b.id AND a.outcome = 'accepted'
        )
        """,
    ),
    Invariant(
        "bills.never_sent_after_accepted",
        "Nothing is sent to a biller again after it was accepted.",
        """
        SELECT a.bill_payment_id, b.number FROM bill_attempts a
        JOIN bill_attempts b ON b.bill_payment_id = a.bill_payment_id AND b.number > a.number
        WHERE a.outcome = 'accepted' AND b.kind = 'post'
        """,
    ),
    Invariant(
        "bills.asked_before_sent_again",
        "A payment whose end is not clear is sent again only after the biller said that it does not know it.",
        """
        SELECT a.bill_payment_id, b.number FROM bill_attempts a
        JOIN bill_attempts b ON b.bill_payment_id = a.bill_payment_id AND b.kind = 'post' AND b.number > a.number
        WHERE a.kind = 'post' AND (a.outcome IS NULL OR a.outcome <> 'rejected') AND NOT EXISTS (
            SELECT 1 FROM bill_attempts q WHERE q.bill_payment_id = a.bill_payment_id AND q.kind = 'inquiry'
                AND q.outcome = 'not_found' AND q.number > a.number AND q.number < b.number
        )
        """,
    ),
    Invariant(
        "bills.one_sender_at_a_time",
        "Two tries to send one payment never overlap.",
        """
        SELECT a.bill_payment_id, b.number FROM bill_attempts a
        JOIN bill_attempts b ON b.bill_payment_id = a.bill_payment_id AND b.number > a.number
        WHERE a.kind = 'post' AND b.kind = 'post' AND a.ended_at > b.started_at
        """,
    ),
    Invariant(
        "bills.every_call_is_written_down",
        "The calls about a payment are numbered without a gap.",
        """
        SELECT b.ref, b.attempts, COUNT(a.id) AS written FROM bill_payments b LEFT JOIN bill_attempts a ON a.bill_payment_id = b.id
        GROUP BY b.id, b.ref, b.attempts HAVING b.attempts <> COUNT(a.id) OR b.attempts <> COALESCE(MAX(a.number), 0)
        """,
    ),
    Invariant(
        "bills.unknown_ones_have_a_person",
        "A payment whose end is not known for a day is in a person's hands.",
        """
        SELECT ref, state, sent_at FROM bill_payments
        WHERE state IN ('sending', 'unknown') AND sent_at < :a_day_ago AND handed_over_at IS NULL
        """,
    ),
    Invariant(
        "bills.held_ones_are_sent",
        "Money held for a bill is sent on within an hour.",
        "SELECT ref, state, created_at FROM bill_payments "
        "WHERE (state = 'created' AND created_at < :an_hour_ago) OR (state = 'funds_held' AND held_at < :an_hour_ago)",
    ),
)
