"""Orders: what adds up, what each state promises, and where every sub-order's money is."""

from __future__ import annotations

from shop.platform.invariants import Invariant
from shop.promotions.invariants import AGREED
from shop.wallet.invariants import SUPPORT

# Per sub-order: what came into escrow, what was released, what went back, what a failed refund brought back.
ESCROW = """
moved AS (
    SELECT t.subject_id AS sub_order_id,
        SUM(CASE WHEN c.kind = 'escrow' AND t.kind = 'payment' THEN t.amount ELSE 0 END) AS paid,
        SUM(CASE WHEN d.kind = 'commission' THEN -t.amount WHEN c.kind = 'commission' THEN t.amount ELSE 0 END) AS commission,
        SUM(CASE WHEN c.kind = 'escrow' THEN t.amount WHEN d.kind = 'escrow' THEN -t.amount ELSE 0 END) AS held
    FROM transfers t
    JOIN ledger_accounts d ON d.id = t.debit_account_id
    JOIN ledger_accounts c ON c.id = t.credit_account_id
    WHERE t.subject_type = 'sub_order'
    GROUP BY t.subject_id
),
refunded AS (
    SELECT r.sub_order_id,
        SUM(CASE WHEN c.kind = 'escrow' THEN t.amount WHEN d.kind = 'escrow' THEN -t.amount ELSE 0 END) AS held,
        SUM(CASE WHEN c.kind = 'escrow' AND COALESCE(r.failure_code, '') <> 'taken_again' THEN t.amount ELSE 0 END)
            - SUM(CASE WHEN r.replaces_id IS NOT NULL AND d.kind = 'escrow' THEN t.amount ELSE 0 END) AS came_back
    FROM transfers t
    JOIN ledger_accounts d ON d.id = t.debit_account_id
    JOIN ledger_accounts c ON c.id = t.credit_account_id
    JOIN refunds r ON r.id = t.subject_id
    WHERE t.subject_type = 'refund' AND r.sub_order_id IS NOT NULL
    GROUP BY r.sub_order_id
)
"""

# By sub-order: what people gave back of it, here or at the provider's side. By line: what was given back for its weight.
OTHERWISE = """
otherwise AS (
    SELECT sub_order_id, SUM(amount) AS amount FROM refunds
    WHERE replaces_id IS NULL AND (cause LIKE 'provider\\:%' OR cause LIKE 'proposal\\:%' OR cause LIKE 'sub_order\\:%\\:given\\:%')
    GROUP BY sub_order_id
)
"""
WEIGHED = """
weighed AS (
    SELECT l.id, SUM(r.amount) AS amount FROM order_lines l
    JOIN refunds r ON r.sub_order_id = l.sub_order_id AND r.cause || '\\:' LIKE 'line\\:' || CAST(l.id AS TEXT) || '\\:weighed\\:%'
    WHERE COALESCE(r.failure_code, '') <> 'taken_again' AND r.replaces_id IS NULL GROUP BY l.id
),
less AS (
    SELECT l.id, COALESCE(w.amount, 0) AS refunded, COALESCE(o.amount, 0) AS otherwise,
        CASE WHEN l.final_total IS NULL THEN 0 ELSE g.most - l.final_total END AS less
    FROM order_lines l JOIN agreed g ON g.id = l.id
    LEFT JOIN weighed w ON w.id = l.id LEFT JOIN otherwise o ON o.sub_order_id = l.sub_order_id
    WHERE l.priced_by = 'weight'
)
"""

INVARIANTS = (
    Invariant(
        "orders.days_are_their_orders",
        "The sum of a day is what the orders settled on it come to.",
        """
        SELECT d.merchant_id, d.day, d.orders, d.gross, d.refunded, d.support, d.commission FROM settled_days d
        WHERE d.counted_at IS NOT NULL AND EXISTS (
            SELECT 1 FROM (
                SELECT COUNT(*) AS orders, COALESCE(SUM(s.total), 0) AS gross, COALESCE(SUM(s.refunded_total), 0) AS refunded,
                    COALESCE(SUM(p.amount), 0) AS support,
                    COALESCE(SUM(((s.total - s.refunded_total) * s.commission_bps + 5000) / 10000 + COALESCE(p.commission, 0)), 0)
                        AS commission
                FROM sub_orders s LEFT JOIN support p ON p.sub_order_id = s.id
                WHERE s.merchant_id = d.merchant_id
                    AND COALESCE(s.collected_at, CASE WHEN s.state IN ('not_collected', 'returned') THEN s.ended_at END) >= d.begins_at
                    AND COALESCE(s.collected_at, CASE WHEN s.state IN ('not_collected', 'returned') THEN s.ended_at END) < d.ends_at
            ) own
            WHERE own.orders <> d.orders OR own.gross <> d.gross OR own.refunded <> d.refunded OR own.support <> d.support
                OR own.commission <> d.commission
        )
        """,
        given=SUPPORT,
    ),
    Invariant(
        "orders.purchase_is_its_sub_orders",
        "A purchase's totals are the sums of its sub-orders'.",
        """
        SELECT p.number, p.total, SUM(s.total) AS sub_orders
        FROM purchases p LEFT JOIN sub_orders s ON s.purchase_id = p.id
        GROUP BY p.id, p.number, p.goods_total, p.fee_total, p.discount_total, p.total
        HAVING p.goods_total <> COALESCE(SUM(s.goods_total), 0) OR p.fee_total <> COALESCE(SUM(s.fee_total), 0)
            OR p.discount_total <> COALESCE(SUM(s.discount_total), 0) OR p.total <> COALESCE(SUM(s.total), 0) OR COUNT(s.id) = 0
        """,
    ),
    Invariant(
        "orders.sub_order_is_its_lines",
        "A sub-order's goods are the sum of its lines.",
        """
        SELECT s.number, s.goods_total, SUM(l.line_total) AS lines
        FROM sub_orders s LEFT JOIN order_lines l ON l.sub_order_id = s.id
        GROUP BY s.id, s.number, s.goods_total
        HAVING s.goods_total <> COALESCE(SUM(l.line_total), 0) OR COUNT(l.id) = 0
        """,
    ),
    Invariant(
        "orders.totals_add_up",
        "Goods plus fees less discounts are the total, and nothing is negative.",
        """
        SELECT number, total FROM purchases
        WHERE total <> goods_total + fee_total - discount_total OR total < 0 OR goods_total < 0 OR fee_total < 0 OR discount_total < 0
        UNION ALL
        SELECT number, total FROM sub_orders
        WHERE total <> goods_total + fee_total - discount_total OR total < 0 OR goods_total < 0 OR fee_total < 0 OR discount_total < 0
        """,
    ),
    Invariant(
        "orders.lines_multiply",
        "A line costs its quantity times the price that was agreed.",
        """
        SELECT id, quantity, unit_price, line_total FROM order_lines
        WHERE line_total <> quantity * unit_price OR quantity <= 0 OR unit_price < 0
        """,
    ),
    Invariant(
        "orders.charged_what_was_shown",
        "A purchase costs no more than its quote showed to the same person, and one quote is one purchase.",
        """
        SELECT p.number, p.total, q.total AS shown FROM purchases p LEFT JOIN quotes q ON q.id = p.quote_id
        WHERE q.id IS NULL OR p.total > q.total OR p.user_id <> q.user_id OR p.pickup_point_id <> q.pickup_point_id
        UNION ALL
        SELECT MIN(number), MIN(total), COUNT(*) FROM purchases GROUP BY quote_id HAVING COUNT(*) > 1
        """,
    ),
    Invariant(
        "orders.parts_go_where_the_whole_goes",
        "A sub-order is the purchase's own: same person, same point, a delivery of its merchant to that point.",
        """
        SELECT s.number FROM sub_orders s
        LEFT JOIN purchases p ON p.id = s.purchase_id LEFT JOIN cycles c ON c.id = s.cycle_id
        WHERE p.id IS NULL OR c.id IS NULL OR s.user_id <> p.user_id OR s.pickup_point_id <> p.pickup_point_id
            OR c.merchant_id <> s.merchant_id OR c.pickup_point_id <> s.pickup_point_id
        """,
    ),
    Invariant(
        "orders.purchase_state_follows_its_parts",
        "A purchase is as far as its sub-orders are.",
        """
        WITH parts AS (
            SELECT purchase_id,
                COUNT(*) AS every,
                SUM(CASE WHEN state = 'placed' THEN 1 ELSE 0 END) AS placed,
                SUM(CASE WHEN state IN ('cancelled', 'short') THEN 1 ELSE 0 END) AS dead,
                SUM(CASE WHEN state IN ('collected', 'completed', 'not_collected', 'returned') THEN 1 ELSE 0 END) AS over
            FROM sub_orders GROUP BY purchase_id
        )
        SELECT p.number, p.state, parts.every, parts.dead, parts.over
        FROM purchases p JOIN parts ON parts.purchase_id = p.id
        WHERE CASE p.state
            WHEN 'awaiting_payment' THEN parts.placed <> parts.every
            WHEN 'paid' THEN parts.dead + parts.over = parts.every
            WHEN 'completed' THEN parts.dead + parts.over <> parts.every OR parts.over = 0
            ELSE parts.dead <> parts.every
        END
        """,
    ),
    Invariant(
        "orders.states_have_their_times",
        "A state that was reached has its time, and the times are in order.",
        """
        SELECT number, state FROM sub_orders
        WHERE (state = 'accepted' AND accepted_at IS NULL)
            OR (state = 'packed' AND packed_at IS NULL)
            OR (state = 'in_transit' AND in_transit_at IS NULL)
            OR (state = 'ready' AND ready_at IS NULL)
            OR (state IN ('collected', 'completed') AND collected_at IS NULL)
            OR (state = 'cancelled') <> (cancelled_at IS NOT NULL)
            OR (state = 'not_collected' AND ended_at IS NULL) OR (state = 'completed' AND completed_at IS NULL)
            OR (state = 'returned' AND returned_at IS NULL)
            OR accepted_at < placed_at OR packed_at < accepted_at OR in_transit_at < packed_at
            OR ready_at < in_transit_at OR collected_at < ready_at
        UNION ALL
        SELECT number, state FROM purchases
        WHERE (state IN ('paid', 'completed') AND paid_at IS NULL) OR (state = 'completed') <> (completed_at IS NOT NULL)
            OR (state IN ('expired', 'cancelled')) <> (closed_at IS NOT NULL) OR (state = 'expired' AND paid_at IS NOT NULL)
            OR paid_at < placed_at
        """,
    ),
    Invariant(
        "orders.nothing_prepared_unpaid",
        "Nothing is prepared, sent or handed over before it is paid.",
        """
        SELECT s.number, s.state, p.state AS purchase FROM sub_orders s JOIN purchases p ON p.id = s.purchase_id
        WHERE p.paid_at IS NULL AND s.state NOT IN ('placed', 'cancelled')
        """,
    ),
    Invariant(
        "orders.none_waits_for_payment_past_its_time",
        "No purchase waits for its payment an hour after it should have closed.",
        "SELECT number, expires_at FROM purchases WHERE state = 'awaiting_payment' AND expires_at < :an_hour_ago",
    ),
    Invariant(
        "orders.escrow_got_every_payment",
        "A paid sub-order's total came into escrow once; an unpaid one's did not.",
        """
        SELECT s.number, s.total, COALESCE(m.paid, 0) AS paid
        FROM sub_orders s JOIN purchases p ON p.id = s.purchase_id LEFT JOIN moved m ON m.sub_order_id = s.id
        WHERE COALESCE(m.paid, 0) <> CASE WHEN p.paid_at IS NULL THEN 0 ELSE s.total END
        """,
        given=ESCROW,
    ),
    Invariant(
        "orders.escrow_holds_what_is_open",
        "Escrow holds for every paid sub-order exactly what is not handed over and not refunded: in equals released, refunded and held.",
        """
        SELECT s.number, s.state, COALESCE(m.held, 0) + COALESCE(r.held, 0) AS held, s.total, s.refunded_total
        FROM sub_orders s JOIN purchases p ON p.id = s.purchase_id
        LEFT JOIN moved m ON m.sub_order_id = s.id LEFT JOIN refunded r ON r.sub_order_id = s.id
        WHERE COALESCE(m.held, 0) + COALESCE(r.held, 0) <> COALESCE(r.came_back, 0) + CASE
            WHEN p.paid_at IS NULL OR s.state IN ('collected', 'completed', 'not_collected', 'returned') THEN 0
            ELSE s.total - s.refunded_total
        END
        """,
        given=ESCROW,
    ),
    Invariant(
        "orders.escrow_holds_nothing_else",
        "Everything in escrow belongs to a sub-order.",
        """
        SELECT t.id, t.cause, t.amount FROM transfers t
        JOIN ledger_accounts a ON a.kind = 'escrow' AND a.id IN (t.debit_account_id, t.credit_account_id)
        LEFT JOIN sub_orders s ON t.subject_type = 'sub_order' AND s.id = t.subject_id
        LEFT JOIN refunds r ON t.subject_type = 'refund' AND r.id = t.subject_id AND r.sub_order_id IS NOT NULL
        WHERE s.id IS NULL AND r.id IS NULL
        """,
    ),
    Invariant(
        "orders.paid_from_the_chosen_tender",
        "A sub-order was paid from the tender that was chosen: its buyer's wallet, the card provider, or the till.",
        """
        SELECT s.number, p.method, a.code FROM transfers t
        JOIN ledger_accounts a ON a.id = t.debit_account_id
        JOIN sub_orders s ON s.id = t.subject_id JOIN purchases p ON p.id = s.purchase_id
        WHERE t.subject_type = 'sub_order' AND t.kind = 'payment' AND CASE p.method
            WHEN 'wallet' THEN a.kind <> 'wallet' OR a.user_id <> p.user_id
            WHEN 'stripe' THEN a.kind <> 'provider'
            ELSE a.kind <> 'cash'
        END
        """,
    ),
    Invariant(
        "orders.commission_is_the_agreed_share",
        "The commission on a collected sub-order is the agreed share of what was kept, and of the platform's part, each rounded once.",
        """
        SELECT s.number, s.total, s.refunded_total, s.commission_bps, COALESCE(m.commission, 0) AS commission
        FROM sub_orders s LEFT JOIN moved m ON m.sub_order_id = s.id LEFT JOIN support d ON d.sub_order_id = s.id
        WHERE COALESCE(m.commission, 0) <> CASE
            WHEN s.state IN ('collected', 'completed', 'not_collected', 'returned')
            THEN (2 * (s.total - s.refunded_total) * s.commission_bps + 10000) / 20000 + COALESCE(d.commission, 0)
            ELSE 0
        END
        """,
        given=f"{ESCROW}, {SUPPORT}",
    ),
    Invariant(
        "orders.refunds_are_on_the_order",
        "A sub-order knows what was refunded of it, whoever did it, each amount once, and that is never more than its total.",
        """
        WITH given AS (
            SELECT sub_order_id, SUM(amount) AS asked FROM refunds WHERE sub_order_id IS NOT NULL AND replaces_id IS NULL
                AND COALESCE(failure_code, '') <> 'taken_again'
            GROUP BY sub_order_id
        )
        SELECT s.number, s.total, s.refunded_total, COALESCE(g.asked, 0) AS refunds
        FROM sub_orders s LEFT JOIN given g ON g.sub_order_id = s.id
        WHERE s.refunded_total <> COALESCE(g.asked, 0) OR s.refunded_total > s.total
        """,
    ),
    Invariant(
        "orders.refunds_are_the_buyers",
        "A refund of a sub-order goes back on the payment that paid its purchase.",
        """
        SELECT r.ref, s.number FROM refunds r JOIN sub_orders s ON s.id = r.sub_order_id JOIN payments y ON y.id = r.payment_id
        WHERE y.purchase_id IS NULL OR y.purchase_id <> s.purchase_id OR NOT y.pays_purchase
        """,
    ),
    Invariant(
        "orders.what_was_given_up_was_refunded",
        "A paid sub-order that was cancelled or could not be had is refunded in full.",
        """
        SELECT s.number, s.state, s.total, s.refunded_total FROM sub_orders s JOIN purchases p ON p.id = s.purchase_id
        WHERE p.paid_at IS NOT NULL AND s.state IN ('cancelled', 'short') AND s.refunded_total <> s.total
        """,
    ),
    Invariant(
        "orders.weighed_lines_cost_their_weight",
        "A weighed line costs its weight of what was paid for what is there, and never more than that.",
        """
        SELECT l.id, final_grams, final_total, most FROM order_lines l JOIN agreed g ON g.id = l.id
        WHERE final_total > most OR final_total < 0 OR (final_total IS NULL) <> (final_grams IS NULL)
            OR (final_grams IS NOT NULL AND priced_by <> 'weight')
            OR final_total <> CASE
                WHEN nominal = 0 THEN 0
                WHEN (2 * most * final_grams + nominal) / (2 * nominal) > most THEN most
                ELSE (2 * most * final_grams + nominal) / (2 * nominal)
            END
        """,
        given=AGREED,
    ),
    Invariant(
        "orders.weighed_less_goes_back",
        "What a weighed line costs less than was agreed for what is there was given back, exactly that, however often it was weighed, "
        "unless it had been given back for something else before.",
        "SELECT id, less, refunded, otherwise FROM less WHERE refunded > less OR refunded < less - otherwise",
        given=f"{OTHERWISE}, {AGREED}, {WEIGHED}",
    ),
    Invariant(
        "orders.missing_goods_went_back",
        "What was paid for what of a line is not there was given back, exactly that unless it had been given back for something else "
        "before, and the buyer can read why.",
        """
        SELECT l.id, g.missing, COALESCE(SUM(r.amount), 0) AS refunded
        FROM order_lines l JOIN agreed g ON g.id = l.id
        LEFT JOIN refunds r ON r.sub_order_id = l.sub_order_id AND r.cause LIKE 'line\\:' || CAST(l.id AS TEXT) || '\\:short\\:%'
            AND r.replaces_id IS NULL
        LEFT JOIN otherwise o ON o.sub_order_id = l.sub_order_id
        WHERE l.short_quantity > 0
        GROUP BY l.id, g.missing, l.short_at, l.short_reason, o.amount
        HAVING COALESCE(SUM(r.amount), 0) > g.missing OR COALESCE(SUM(r.amount), 0) < g.missing - COALESCE(o.amount, 0)
            OR l.short_at IS NULL OR COALESCE(l.short_reason, '') = ''
        UNION ALL
        SELECT l.id, 0, r.amount FROM order_lines l
        JOIN refunds r ON r.sub_order_id = l.sub_order_id AND r.cause LIKE 'line\\:' || CAST(l.id AS TEXT) || '\\:short\\:%'
        WHERE l.short_quantity = 0
        """,
        given=f"{OTHERWISE}, {AGREED}",
    ),
    Invariant(
        "orders.packed_means_weighed",
        "No sub-order is packed with a line that still has to be weighed.",
        """
        SELECT s.number, s.state, l.id AS line FROM sub_orders s JOIN order_lines l ON l.sub_order_id = s.id
        WHERE l.priced_by = 'weight' AND l.final_grams IS NULL AND l.short_quantity < l.quantity AND s.packed_at IS NOT NULL
        """,
    ),
)
