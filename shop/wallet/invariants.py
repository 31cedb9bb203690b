"""Money: every transfer twice in the books, every balance what its transfers say."""

from __future__ import annotations

from shop.platform.invariants import Invariant

LEGS = """
legs AS (
    SELECT credit_account_id AS account_id, amount FROM transfers
    UNION ALL SELECT debit_account_id, -amount FROM transfers
),
balances AS (SELECT account_id, SUM(amount) AS total FROM legs GROUP BY account_id)
"""

# By sub-order that is over: what of the platform's part of its discounts is due, with the commission on it.
SUPPORT = """
due AS (
    SELECT id AS sub_order_id, merchant_id, commission_bps, CASE
        WHEN refunded_total = 0 THEN supported_total
        WHEN total - fee_total <= refunded_total THEN 0
        ELSE (2 * supported_total * (total - fee_total - refunded_total) + total - fee_total) / (2 * (total - fee_total))
    END AS amount
    FROM sub_orders WHERE supported_total > 0 AND state IN ('collected', 'completed', 'not_collected', 'returned')
),
support AS (SELECT due.*, (2 * amount * commission_bps + 10000) / 20000 AS commission FROM due)
"""

KEPT = """
brought AS (
    SELECT merchant_id, total - refunded_total - (2 * (total - refunded_total) * commission_bps + 10000) / 20000 AS amount
    FROM sub_orders WHERE state IN ('collected', 'completed', 'not_collected', 'returned')
    UNION ALL SELECT merchant_id, amount - commission FROM support
),
kept AS (SELECT merchant_id, SUM(amount) AS total FROM brought GROUP BY merchant_id)
"""

INVARIANTS = (
    Invariant(
        "ledger.closing_balances_are_their_transfers",
        "Between two closing balances of an account lies exactly what moved on it.",
        """
        SELECT c.account_id, c.day, c.balance, c.before FROM (
            SELECT account_id, day, balance, ends_at, LAG(balance, 1, 0) OVER own AS before, LAG(ends_at) OVER own AS since
            FROM closing_balances WINDOW own AS (PARTITION BY account_id ORDER BY day)
        ) c
        WHERE c.balance - c.before <> COALESCE((
            SELECT SUM(CASE WHEN t.credit_account_id = c.account_id THEN t.amount ELSE -t.amount END) FROM transfers t
            WHERE (t.credit_account_id = c.account_id OR t.debit_account_id = c.account_id)
                AND t.at < c.ends_at AND (c.since IS NULL OR t.at >= c.since)
        ), 0)
        """,
    ),
    Invariant(
        "ledger.balance_is_its_transfers",
        "A wallet's balance is the sum of its transfers.",
        """
        SELECT a.code, a.balance, COALESCE(b.total, 0) AS transfers
        FROM ledger_accounts a LEFT JOIN balances b ON b.account_id = a.id
        WHERE a.balance IS NOT NULL AND a.balance <> COALESCE(b.total, 0)
        """,
        given=LEGS,
    ),
    Invariant(
        "ledger.sums_to_zero",
        "All accounts together hold nothing: what one has, another owes.",
        """
        SELECT total FROM (SELECT SUM(b.total) AS total FROM balances b JOIN ledger_accounts a ON a.id = b.account_id) everything
        WHERE total <> 0
        """,
        given=LEGS,
    ),
    Invariant(
        "ledger.transfers_move_money",
        "Every transfer moves a positive amount between two different accounts.",
        "SELECT id, cause, amount FROM transfers WHERE amount <= 0 OR debit_account_id = credit_account_id",
    ),
    Invariant(
        "ledger.no_wallet_below_zero",
        "No wallet is below zero.",
        "SELECT code, balance FROM ledger_accounts WHERE balance < 0",
    ),
    Invariant(
        "ledger.only_wallets_keep_a_balance",
        "Wallets keep a balance in their row, and nothing else does.",
        "SELECT code, kind, balance FROM ledger_accounts WHERE (kind = 'wallet') <> (balance IS NOT NULL)",
    ),
    Invariant(
        "ledger.cause_once",
        "One cause moves money once.",
        "SELECT cause, COUNT(*) AS transfers FROM transfers GROUP BY cause HAVING COUNT(*) > 1",
    ),
    Invariant(
        "ledger.one_account_per_code",
        "One code is one account.",
        "SELECT code, COUNT(*) AS accounts FROM ledger_accounts GROUP BY code HAVING COUNT(*) > 1",
    ),
    Invariant(
        "ledger.codes_name_their_owner",
        "An account's code says whose it is.",
        """
        SELECT id, code, kind FROM ledger_accounts
        WHERE code <> COALESCE(CASE kind
            WHEN 'wallet' THEN 'wallet:' || CAST(user_id AS TEXT)
            WHEN 'merchant' THEN 'merchant:' || CAST(merchant_id AS TEXT)
            WHEN 'biller' THEN 'biller:' || CAST(biller_id AS TEXT)
            WHEN 'cash' THEN CASE WHEN code LIKE 'cash:%' THEN code END
            ELSE kind
        END, '')
        """,
    ),
    Invariant(
        "ledger.wallets_have_their_account",
        "Every wallet has its owner's own account, and every wallet account has its wallet.",
        """
        SELECT w.user_id, a.code
        FROM wallets w LEFT JOIN ledger_accounts a ON a.id = w.account_id
        WHERE a.id IS NULL OR a.kind <> 'wallet' OR a.user_id <> w.user_id
        UNION ALL
        SELECT a.user_id, a.code
        FROM ledger_accounts a LEFT JOIN wallets w ON w.account_id = a.id
        WHERE a.kind = 'wallet' AND w.user_id IS NULL
        """,
    ),
    Invariant(
        "ledger.merchants_are_owed_what_was_released",
        "What a merchant is owed is what was kept of its orders that were collected, or not collected in time, and the platform's part.",
        """
        SELECT m.code, COALESCE(b.total, 0) AS owed, COALESCE(k.total, 0) AS released
        FROM merchants m
        LEFT JOIN ledger_accounts a ON a.merchant_id = m.id AND a.kind = 'merchant'
        LEFT JOIN balances b ON b.account_id = a.id
        LEFT JOIN kept k ON k.merchant_id = m.id
        WHERE COALESCE(b.total, 0) <> COALESCE(k.total, 0)
        """,
        given=f"{LEGS}, {SUPPORT}, {KEPT}",
    ),
    Invariant(
        "ledger.suspense_is_cleared",
        "Money that came for nothing we know goes back within a day; what went back uncovered is with a person.",
        """
        SELECT COALESCE(r.payment_id, b.paid_with_id, t.subject_id) AS payment, MIN(t.at) AS since,
            SUM(CASE WHEN a.id = t.credit_account_id THEN t.amount ELSE -t.amount END) AS left_over
        FROM transfers t
        JOIN ledger_accounts a ON a.kind = 'suspense' AND a.id IN (t.debit_account_id, t.credit_account_id)
        LEFT JOIN refunds r ON t.subject_type = 'refund' AND r.id = t.subject_id
        LEFT JOIN bill_payments b ON t.subject_type = 'bill_payment' AND b.id = t.subject_id
        WHERE NOT EXISTS (
            SELECT 1 FROM refunds u WHERE u.payment_id = COALESCE(r.payment_id, b.paid_with_id, t.subject_id) AND u.uncovered_at IS NOT NULL
        )
        GROUP BY COALESCE(r.payment_id, b.paid_with_id, t.subject_id)
        HAVING SUM(CASE WHEN a.id = t.credit_account_id THEN t.amount ELSE -t.amount END) <> 0 AND MIN(t.at) < :a_day_ago
        """,
    ),
)
