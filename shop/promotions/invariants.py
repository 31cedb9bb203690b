"""What offers took off: every fen of it has somebody who goes without it, and what comes back is of what was paid."""

from __future__ import annotations

from shop.platform.invariants import Invariant
from shop.wallet.invariants import SUPPORT

# Of every line: `most`, what was paid for the units that are there (the odd fen of a discount are the first units'), `missing`, what was
# paid for the others, and what those that are there should weigh.
AGREED = """
units AS (
    SELECT id, line_total - discount_total AS paid, unit_price, discount_total / quantity AS each, discount_total % quantity AS odd,
        quantity - short_quantity AS there, unit_grams * (quantity - short_quantity) AS nominal
    FROM order_lines
),
most AS (
    SELECT id, paid, nominal, unit_price * there - each * there - CASE WHEN there < odd THEN there ELSE odd END AS most FROM units
),
agreed AS (SELECT id, nominal, most, paid - most AS missing FROM most)
"""

INVARIANTS = (
    Invariant(
        "pricing.shares_are_the_discount",
        "What came off a line is what each offer took off it, and each of these is of the line's own merchant.",
        """
        WITH shared AS (SELECT line_id, SUM(share) AS amount, MIN(merchant_id) AS least, MAX(merchant_id) AS most FROM line_discounts
            GROUP BY line_id)
        SELECT l.id, l.discount_total, COALESCE(d.amount, 0) AS shares
        FROM order_lines l JOIN sub_orders s ON s.id = l.sub_order_id LEFT JOIN shared d ON d.line_id = l.id
        WHERE l.discount_total <> COALESCE(d.amount, 0) OR d.least <> s.merchant_id OR d.most <> s.merchant_id
        """,
    ),
    Invariant(
        "pricing.paid_and_discount_are_the_list_total",
        "What was paid for a line and what came off it are its list price, and neither is negative.",
        """
        SELECT id, line_total, discount_total, paid_total FROM order_lines
        WHERE paid_total + discount_total <> line_total OR paid_total < 0 OR discount_total < 0
        """,
    ),
    Invariant(
        "pricing.discounts_are_their_lines",
        "The discount of a sub-order is what came off its lines, and the platform's part of it what the platform's offers took off.",
        """
        WITH off AS (SELECT sub_order_id, SUM(discount_total) AS amount FROM order_lines GROUP BY sub_order_id),
        borne AS (SELECT l.sub_order_id, SUM(d.share) AS amount FROM line_discounts d JOIN order_lines l ON l.id = d.line_id
            WHERE d.funder = 'platform' GROUP BY l.sub_order_id)
        SELECT s.number, s.discount_total, COALESCE(o.amount, 0) AS lines, s.supported_total, COALESCE(b.amount, 0) AS borne
        FROM sub_orders s LEFT JOIN off o ON o.sub_order_id = s.id LEFT JOIN borne b ON b.sub_order_id = s.id
        WHERE s.discount_total <> COALESCE(o.amount, 0) OR s.supported_total <> COALESCE(b.amount, 0)
        """,
    ),
    Invariant(
        "pricing.offers_fund_what_they_took",
        "Whoever pays for an offer is who goes without what it took off.",
        """
        SELECT d.id, d.funder, o.funder AS pays FROM line_discounts d LEFT JOIN price_offers o ON o.id = d.offer_id
        WHERE o.id IS NULL OR o.funder <> d.funder
        """,
    ),
    Invariant(
        "pricing.platform_pays_its_part",
        "For an order that is over the platform has paid its part of the discounts, as far as goods were kept; for no other anything.",
        """
        , paid AS (
            SELECT t.subject_type, t.subject_id, SUM(CASE WHEN a.id = t.debit_account_id THEN t.amount ELSE -t.amount END) AS amount
            FROM transfers t JOIN ledger_accounts a ON a.kind = 'promotion' AND a.id IN (t.debit_account_id, t.credit_account_id)
            GROUP BY t.subject_type, t.subject_id
        )
        SELECT s.number, s.supported_total, COALESCE(d.amount, 0) AS due, COALESCE(p.amount, 0) AS paid
        FROM sub_orders s LEFT JOIN support d ON d.sub_order_id = s.id
        LEFT JOIN paid p ON p.subject_type = 'sub_order' AND p.subject_id = s.id
        WHERE COALESCE(p.amount, 0) <> COALESCE(d.amount, 0)
        UNION ALL
        SELECT p.subject_type, 0, 0, p.amount FROM paid p LEFT JOIN sub_orders s ON s.id = p.subject_id
        WHERE (p.subject_type <> 'sub_order' OR s.id IS NULL) AND p.amount <> 0
        """,
        given=SUPPORT,
    ),
    Invariant(
        "pricing.refunds_are_of_what_was_paid",
        "Of no line is more given back than was paid for it.",
        """
        SELECT l.id, l.line_total - l.discount_total AS paid, SUM(r.amount) AS refunded
        FROM order_lines l JOIN refunds r ON r.sub_order_id = l.sub_order_id AND r.cause LIKE 'line\\:' || CAST(l.id AS TEXT) || '\\:%'
        WHERE r.replaces_id IS NULL AND COALESCE(r.failure_code, '') <> 'taken_again'
        GROUP BY l.id, l.line_total, l.discount_total HAVING SUM(r.amount) > l.line_total - l.discount_total
        """,
    ),
)
