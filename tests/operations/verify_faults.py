"""The faults that are planted for each invariant: SQL that breaks exactly that promise in `tests.support.right_books`.

Where one number stands in several places, all of them are changed but the one the invariant is about. Rows have no keys
and no checks here; `:old` is two days ago, `:ago` two hours, `:moment` now, `:long_ago` sixty days
and `:before` a day more.
"""

from __future__ import annotations

from shop.kernel.db import Base
from tests.support.sealed import RING

TRANSFER = "INSERT INTO transfers (id, cause, kind, debit_account_id, credit_account_id, amount, subject_type, subject_id, at) VALUES "

MOVEMENT = "INSERT INTO stock_movements (id, variant_id, quantity, missing_by, kind, cause, at) VALUES "


def again(table: str, where: str, **changes: str) -> str:
    """Some row once more, with some columns changed to SQL expressions."""
    columns = [column.name for column in Base.metadata.tables[table].columns]
    values = ", ".join(changes.get(name, f'"{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    return f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} WHERE {where}"


def change(table: str, values: str, where: str = "1 = 1") -> str:
    return f"UPDATE {table} SET {values} WHERE {where}"


LEDGER = {
    "ledger.balance_is_its_transfers": [change("ledger_accounts", "balance = balance + 1", "code = 'wallet:1'")],
    "ledger.sums_to_zero": [TRANSFER + "(90, 'lost', 'correction', 9, 999, 5, 'test', 1, :moment)"],
    "ledger.transfers_move_money": [TRANSFER + "(90, 'negative', 'correction', 8, 9, -5, 'test', 1, :moment)"],
    "ledger.no_wallet_below_zero": [
        change("ledger_accounts", "balance = -5", "code = 'wallet:3'"),
        TRANSFER + "(90, 'overdrawn', 'correction', 11, 9, 5, 'test', 1, :moment)",
    ],
    "ledger.only_wallets_keep_a_balance": [change("ledger_accounts", "balance = 49", "code = 'commission'")],
    "ledger.cause_once": [TRANSFER + "(90, 'opening', 'correction', 8, 9, 5, 'test', 1, :moment)"],
    "ledger.one_account_per_code": [again("ledger_accounts", "code = 'suspense'", id="90")],
    "ledger.codes_name_their_owner": [change("ledger_accounts", "code = 'wallet:7'", "code = 'wallet:3'")],
    "ledger.wallets_have_their_account": ["DELETE FROM wallets WHERE user_id = 3"],
    "ledger.merchants_are_owed_what_was_released": [TRANSFER + "(90, 'gift', 'correction', 9, 3, 5, 'test', 1, :moment)"],
    "ledger.suspense_is_cleared": [TRANSFER + "(90, 'stranger', 'payment', 8, 10, 5, 'payment', 4, :old)"],
}

PAYMENTS = {
    "payments.paid_purchases_are_covered": ["DELETE FROM payments WHERE id = 1"],
    "payments.ask_for_what_is_owed": [change("payments", "amount = 999", "id = 4")],
    "payments.times_match_states": [change("payments", "closed_at = NULL", "id = 4")],
    "payments.provider_names_once": [change("payments", "provider_intent = 'pi_6'", "id = 7")],
    "payments.top_ups_reach_the_wallet_once": [change("transfers", "subject_id = 4", "cause = 'top-up'")],
    "payments.refunds_within_payment": [change("payments", "refunded_amount = 400", "id = 6")],
    "payments.only_what_came_goes_back": [
        change("payments", "refunded_amount = 1", "id = 4"),
        again("refunds", "id = 3", id="90", ref="'R90'", cause="'r90'", payment_id="4", sub_order_id="NULL", amount="1"),
        TRANSFER + "(90, 'refund-90', 'refund', 9, 7, 1, 'refund', 90, :moment)",
    ],
    "payments.refunds_are_booked_once": [
        TRANSFER + "(90, 'refund-5-again', 'refund', 8, 1, 300, 'refund', 5, :moment)",
        change("ledger_accounts", "balance = balance + 300", "code = 'wallet:1'"),
    ],
    "payments.refunds_wait_while_on_their_way": [change("refunds", "state = 'succeeded'", "id = 3")],
    "payments.failed_refunds_are_held_again": [TRANSFER + "(90, 'given-up', 'correction', 8, 9, 100, 'refund', 1, :moment)"],
    "payments.what_failed_goes_on_once": [change("refunds", "carried_on = 100", "id = 4")],
    "payments.refunds_have_somebody": [change("refunds", "handed_over_at = NULL, settled_at = :old", "id = 4")],
    "payments.two_agree": [
        "INSERT INTO refund_proposals (id, key, sub_order_id, amount, method, reference, reason, state, asked_by_id, asked_at,"
        " decided_by_id, decided_at) VALUES (90, 'k', 6, 100, 'stripe', '', 'r', 'approved', 2, :moment, 3, :moment)"
    ],
    "payments.nothing_else_waits_to_go_back": [TRANSFER + "(90, 'stray', 'correction', 8, 7, 5, 'test', 1, :moment)"],
    "payments.banks_take_back_what_was_paid": [TRANSFER + "(90, 'too-much', 'dispute', 12, 8, 4001, 'payment', 7, :moment)"],
    "payments.another_currency_is_never_yuan": [change("provider_movements", "amount = 4001", "id = 3")],
    "payments.movements_are_booked": [change("provider_movements", "amount = 3999, booked_amount = 3999", "id = 3")],
    "payments.fees_are_what_moved": [change("payments", "provider_fee = 88", "id = 6")],
    "payments.dead_purchases_are_refunded": [change("payments", "state = 'succeeded', succeeded_at = :ago", "id = 4")],
    "payments.a_purchase_is_paid_once": [again("payments", "id = 1", id="90", ref="'P90'", pays_purchase="false")],
    "payments.none_open_for_a_day": [change("payments", "created_at = :old", "id = 3")],
    "payments.events_are_looked_into": [change("provider_events", "state = 'received'")],
    "payments.events_once": [again("provider_events", "id = 1", id="90")],
}

ORDERS = {
    "orders.purchase_is_its_sub_orders": [
        change("purchases", "fee_total = 1, goods_total = goods_total - 1", "id = 4"),
    ],
    "orders.sub_order_is_its_lines": [
        change("order_lines", "quantity = 2, line_total = 2000, paid_total = 2000", "id = 4"),
        change("reservations", "quantity = 2", "order_line_id = 4"),
    ],
    "orders.totals_add_up": [
        change("purchases", "fee_total = 1", "id = 4"),
        change("sub_orders", "fee_total = 1", "id = 4"),
    ],
    "orders.lines_multiply": [change("order_lines", "unit_price = 999", "id = 4")],
    "orders.charged_what_was_shown": [change("quotes", "total = 999", "id = 4")],
    "orders.parts_go_where_the_whole_goes": [change("sub_orders", "user_id = 3", "id = 4")],
    "orders.purchase_state_follows_its_parts": [change("purchases", "state = 'paid', completed_at = NULL", "id = 1")],
    "orders.states_have_their_times": [change("sub_orders", "ready_at = NULL", "id = 2")],
    "orders.nothing_prepared_unpaid": [
        change("sub_orders", "state = 'short', cancelled_at = NULL", "id = 4"),
    ],
    "orders.none_waits_for_payment_past_its_time": [change("purchases", "expires_at = :ago", "id = 3")],
    "orders.escrow_got_every_payment": [change("transfers", "kind = 'top_up', debit_account_id = 8", "cause = 'paid-6'")],
    "orders.escrow_holds_what_is_open": [TRANSFER + "(90, 'drip', 'correction', 2, 9, 5, 'sub_order', 6, :moment)"],
    "orders.escrow_holds_nothing_else": [TRANSFER + "(90, 'stray', 'correction', 9, 2, 5, 'test', 1, :moment)"],
    "orders.paid_from_the_chosen_tender": [change("transfers", "debit_account_id = 9", "cause = 'paid-6'")],
    "orders.commission_is_the_agreed_share": [TRANSFER + "(90, 'extra', 'commission', 9, 4, 5, 'sub_order', 6, :moment)"],
    "orders.refunds_are_on_the_order": [
        change("sub_orders", "refunded_total = 701", "id = 6"),
        TRANSFER + "(90, 'drip', 'correction', 2, 9, 1, 'sub_order', 6, :moment)",
    ],
    "orders.refunds_are_the_buyers": [
        change("refunds", "payment_id = 7", "id = 1"),
        change("payments", "refunded_amount = 0", "id = 2"),
        change("payments", "refunded_amount = 100", "id = 7"),
    ],
    "orders.what_was_given_up_was_refunded": [
        change("sub_orders", "state = 'short'", "id = 6"),
        change("purchases", "state = 'cancelled', closed_at = :moment", "id = 6"),
        change("cycles", "booked = booked - 1"),
    ],
    "orders.weighed_lines_cost_their_weight": [change("order_lines", "final_grams = 800", "id = 2")],
    "orders.weighed_less_goes_back": [change("refunds", "cause = 'other'", "id = 1")],
    "orders.missing_goods_went_back": [change("order_lines", "short_quantity = 1, short_at = :moment, short_reason = 'frost'", "id = 6")],
    "orders.packed_means_weighed": [
        change("order_lines", "final_grams = NULL, final_total = NULL", "id = 2"),
        change("refunds", "cause = 'other'", "id = 1"),
    ],
}

PRICING = {
    "pricing.shares_are_the_discount": [change("line_discounts", "share = 49", "id = 1")],
    "pricing.paid_and_discount_are_the_list_total": [change("order_lines", "paid_total = paid_total + 1", "id = 1")],
    "pricing.discounts_are_their_lines": [change("sub_orders", "supported_total = 1, discount_total = 1, fee_total = 1", "id = 6"),
                                          change("purchases", "discount_total = 1, fee_total = 1", "id = 6")],
    "pricing.offers_fund_what_they_took": [change("price_offers", "funder = 'merchant'", "id = 2")],
    "pricing.platform_pays_its_part": [TRANSFER + "(90, 'treat', 'correction', 14, 9, 5, 'sub_order', 6, :moment)"],
    "pricing.refunds_are_of_what_was_paid": [change("refunds", "cause = 'line:5:gone'", "id = 2")],
}

STOCK = {
    "stock.on_hand_is_its_movements": [change("stock_items", "on_hand = on_hand + 1", "variant_id = 1")],
    "stock.reserved_is_its_reservations": [change("stock_items", "reserved = reserved + 1", "variant_id = 2")],
    "stock.nothing_oversold": [
        change("stock_items", "on_hand = 0", "variant_id = 1"),
        MOVEMENT + "(90, 1, -95, 0, 'correction', 'count', :moment)",
    ],
    "stock.no_reservation_outlives_its_time": [change("reservations", "expires_at = :ago", "id = 3")],
    "stock.reservations_are_their_lines": [change("reservations", "quantity = 5", "id = 4")],
    "stock.held_while_awaiting_payment": [
        change("reservations", "state = 'active'", "id = 4"),
        change("stock_items", "reserved = 2", "variant_id = 1"),
    ],
    "stock.sold_what_was_paid": [
        "DELETE FROM stock_movements WHERE cause = 'line:6:sale'",
        change("stock_items", "on_hand = on_hand + 3", "variant_id = 1"),
    ],
    "stock.cancelled_goods_came_back": [
        "DELETE FROM stock_movements WHERE cause = 'line:5:cancelled'",
        change("stock_items", "on_hand = on_hand - 1", "variant_id = 1"),
    ],
    "stock.movements_move": [
        MOVEMENT + "(90, 1, 0, 0, 'correction', 'nothing', :moment)",
    ],
    "stock.movements_say_what_was_told": [
        "INSERT INTO stock_movements (id, variant_id, quantity, missing_by, told, kind, cause, at) VALUES "
        "(90, 1, 5, 0, 50, 'received', 'more', :moment)",
        change("stock_items", "on_hand = on_hand + 5", "variant_id = 1"),
    ],
    "stock.missing_is_its_movements": [change("stock_items", "missing = 1", "variant_id = 1")],
    "stock.taken_back_exactly_once": [
        "INSERT INTO stock_movements (id, variant_id, quantity, missing_by, takes_back_id, kind, cause, at) VALUES "
        "(90, 1, -1, 0, 1, 'taken_back', 'undone', :moment)",
        change("stock_items", "on_hand = on_hand - 1", "variant_id = 1"),
    ],
    "stock.losses_are_of_goods_written_off": [change("stock_losses", "variant_id = 2")],
    "stock.listings_show_the_price": [change("listings", "price = 999", "product_id = 1")],
    "stock.prices_have_a_history": [change("price_changes", "price = 999", "id = 2")],
}

OTHER_NUMBER = RING.find("bill account", "0987654321")
BILLS = {
    "bills.totals_add_up": [change("bills", "late_fee = 11", "id = 2")],
    "bills.payment_is_its_bills": [change("bill_payment_items", "amount = 299", "id = 3")],
    "bills.paid_for_the_right_number": [
        change("bills", f"account_no = '{RING.seal('bills.account_no', '0987654321')}', account_hash = '{OTHER_NUMBER}'", "id = 3"),
    ],
    "bills.never_paid_twice": [
        again("bill_payment_items", "id = 3", id="90", bill_id="1", amount="0"),
    ],
    "bills.one_on_its_way": [
        again(
            "bill_payments", "id = 3", id="90", paid_with_id="90",
            ref="'B90'", serial="'s90'", request_key="'k90'", attempts="1", state="'sending'",
        ),
        again("bill_attempts", "id = 5", id="90", bill_payment_id="90"),
        again("payments", "id = 10", id="90", ref="'P90'", bill_payment_id="90"),
        TRANSFER + "(90, 'held-90', 'bill_hold', 1, 6, 300, 'bill_payment', 90, :moment)",
        change("ledger_accounts", "balance = balance - 300", "code = 'wallet:1'"),
    ],
    "bills.taken_while_it_may_succeed": [change("bill_payment_items", "is_live = false", "id = 3")],
    "bills.paid_means_posted": [change("bills", "state = 'paid'", "id = 2")],
    "bills.money_was_taken_once": [change("transfers", "debit_account_id = 9", "cause = 'held-3'"),
                                   change("ledger_accounts", "balance = balance + 300", "code = 'wallet:1'")],
    "bills.biller_got_it_once": [
        TRANSFER + "(90, 'posted-3', 'bill_posted', 6, 5, 300, 'bill_payment', 3, :moment)",
        TRANSFER + "(91, 'undone-3', 'correction', 5, 6, 300, 'bill_payment', 3, :moment)",
    ],
    "bills.refused_money_is_back": [
        change("transfers", "credit_account_id = 11", "cause = 'refund-5'"),
        change("ledger_accounts", "balance = balance - 300", "code = 'wallet:1'"),
        change("ledger_accounts", "balance = balance + 300", "code = 'wallet:3'"),
    ],
    "bills.nothing_is_lost_on_the_way": [TRANSFER + "(90, 'drip', 'correction', 6, 9, 5, 'bill_payment', 3, :moment)"],
    "bills.hold_holds_nothing_else": [TRANSFER + "(90, 'stray', 'correction', 9, 6, 5, 'test', 1, :moment)"],
    "bills.billers_are_owed_what_was_posted": [TRANSFER + "(90, 'gift', 'correction', 9, 5, 5, 'test', 1, :moment)"],
    "bills.payments_are_on_record": ["DELETE FROM payments WHERE id = 10"],
    "bills.states_have_their_times": [change("bill_payments", "posted_at = NULL", "id = 1")],
    "bills.posted_means_acknowledged": [change("bill_attempts", "outcome = 'processing'", "id = 1")],
    "bills.never_sent_after_accepted": [change("bill_attempts", "outcome = 'accepted'", "id = 2")],
    "bills.asked_before_sent_again": [change("bill_attempts", "outcome = 'processing'", "id = 3")],
    "bills.one_sender_at_a_time": [change("bill_attempts", "ended_at = :moment", "id = 2")],
    "bills.every_call_is_written_down": ["DELETE FROM bill_attempts WHERE id = 6"],
    "bills.unknown_ones_have_a_person": [change("bill_payments", "sent_at = :old", "id = 3")],
    "bills.held_ones_are_sent": [
        change("bill_payments", "state = 'funds_held', sent_at = NULL, held_at = :ago", "id = 3"),
    ],
}

PICKUP = {
    "pickup.booked_is_its_orders": [change("cycles", "booked = 5")],
    "pickup.goods_are_as_far_as_their_delivery": [
        change("sub_orders", "state = 'packed', accepted_at = :moment, packed_at = :moment", "id = 6"),
    ],
    "pickup.nobody_joined_what_had_left": [
        "INSERT INTO batches (id, code, cycle_id, state, created_at, sealed_at) VALUES (90, 'T90', 1, 'arrived', :old, :old)",
        change("cycles", "closed_at = :old"),
    ],
    "pickup.slots_within_capacity": [change("cycles", "capacity = 3")],
    "pickup.one_delivery_a_day": [again("cycles", "id = 1", id="90", booked="0")],
    "pickup.live_passes_are_told_apart": [again("passes", "id = 2", id="90", ref="'pass-90'", user_id="3")],
    "pickup.ready_orders_have_their_pass": [change("sub_orders", "pass_id = NULL", "id = 2")],
    "pickup.handed_over_once": [again("collectables", "id = 1", id="90")],
    "pickup.left_or_stayed": ["INSERT INTO handover_kept (handover_id, collectable_id, reason) VALUES (1, 1, 'taken_back')"],
    "pickup.collected_means_handed_over": [change("collectables", "handover_id = NULL", "id = 1")],
    "pickup.handed_over_at_the_right_desk": [change("handovers", "pass_id = NULL", "id = 1")],
    "pickup.keepers_keep_their_own_desk": [change("handovers", "keeper_id = 3", "id = 1")],
    "pickup.device_events_once": [change("handovers", "client_id = 'c1'", "id = 2")],
    "counter.what_waits_can_be_collected": [change("passes", "state = 'used'", "id = 2")],
    "counter.orders_lie_where_they_should": ["DELETE FROM collectables WHERE id = 2"],
    "counter.orders_lie_there_for_their_buyers": [change("collectables", "number = 'x'", "id = 2")],
}

OVERDUE = change("cycles", "cut_off_at = :before, arrives_at = :long_ago", "id = 1")
PACKED = "placed_at = :before, accepted_at = :before, packed_at = :before"
BATCH = "INSERT INTO batches (id, code, cycle_id, state, created_at, arrived_at) VALUES "
ENDINGS = {
    "endings.none_waits_to_be_packed_for_ever": [OVERDUE],
    "endings.none_waits_to_be_sent_for_ever": [
        OVERDUE, change("sub_orders", f"state = 'packed', {PACKED}", "id = 6"), BATCH + "(90, 'T90', 1, 'closed', :before, NULL)",
    ],
    "endings.none_is_on_its_way_for_ever": [
        OVERDUE, change("sub_orders", f"state = 'in_transit', in_transit_at = :long_ago, {PACKED}", "id = 6"),
        BATCH + "(90, 'T90', 1, 'closed', :before, NULL)",
    ],
    "endings.none_is_missing_for_ever": [
        OVERDUE, change("sub_orders", f"state = 'in_transit', in_transit_at = :long_ago, {PACKED}", "id = 6"),
        BATCH + "(90, 'T90', 1, 'closed', :before, :long_ago)",
    ],
    "endings.none_waits_to_be_collected_for_ever": [
        change("sub_orders", f"in_transit_at = :before, ready_at = :long_ago, {PACKED}", "id = 2"),
    ],
    "endings.claims_end": [
        change("sub_orders", f"in_transit_at = :before, ready_at = :before, collected_at = :long_ago, {PACKED}", "id = 1"),
    ],
    "endings.batches_close": [
        again("cycles", "id = 1", id="90", booked="0", arrives_on="'2020-01-01'", cut_off_at=":before", arrives_at=":long_ago"),
        BATCH + "(90, 'T90', 90, 'arrived', :before, :long_ago)",
    ],
    "endings.passes_close": [
        again("passes", "id = 2", id="90", ref="'pass-90'", pickup_point_id="90", valid_until=":long_ago"),
    ],
}  # fmt: skip

PLUMBING = {
    "plumbing.no_job_gave_up": [change("jobs", "state = 'dead'", "id = 1")],
    "plumbing.jobs_are_done_in_time": [change("jobs", "run_at = :ago", "id = 2")],
    "plumbing.jobs_once": [change("jobs", "dedupe_key = 'j1'", "id = 2")],
    "plumbing.keys_are_answered": [change("idempotency_keys", "status = NULL, lease_until = :ago")],
    "plumbing.keys_once": [again("idempotency_keys", "id = 1", id="90")],
    "plumbing.audit_is_sealed": [change("audit_progress", "sealed_up_to = 2")],
    "plumbing.no_entry_is_passed_over": [again("audit_entries", "id = 1", id="90"), change("audit_progress", "sealed_up_to = 90")],
    "plumbing.audit_chain_holds": [change("audit_entries", "action = 'purchase.forgotten'", "id = 2")],
    "plumbing.notices_once": [again("notices", "id = 1", id="90")],
    "plumbing.closed_accounts_are_signed_out": [change("users", "state = 'closed'", "id = 1")],
    "plumbing.roles_have_their_place": [
        "INSERT INTO role_grants (id, user_id, role, pickup_point_id, created_at) VALUES (90, 2, 'operator', 1, :moment)",
    ],
    "plumbing.staff_have_a_second_factor": [change("users", "totp_secret = NULL", "id = 2")],
    "plumbing.carts_have_one_owner": [change("carts", "token_hash = 'x'")],
    "plumbing.sealed_values_open": [
        change("users", "totp_secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'", "id = 2"),
        change("users", "display_name = (SELECT phone FROM users WHERE id = 1)", "id = 1"),
    ],
    "plumbing.sealed_values_are_found": [
        change("users", "phone_tail_hash = (SELECT phone_tail_hash FROM users WHERE id = 2)", "id = 1"),
    ],
}

SUMS = {
    "orders.days_are_their_orders": [
        "INSERT INTO settled_days (merchant_id, day, orders, gross, refunded, support, commission, begins_at, ends_at, opened_at,"
        " counted_at) VALUES (1, '2026-01-01', 1, 5, 0, 0, 0, :long_ago, :long_ago, :long_ago, :long_ago)"
    ],
    "ledger.closing_balances_are_their_transfers": [
        "INSERT INTO closing_balances (account_id, day, ends_at, balance) VALUES (2, '2026-01-01', :long_ago, 5)"
    ],
}

ELSEWHERE = "community_id = 99"
PART = [change("sub_orders", ELSEWHERE, "id = 4"), change("order_lines", ELSEWHERE, "id = 4")]

KEYS = {
    **{
        f"keys.{table}_community_id": [change(table, ELSEWHERE, f"id = {row_id}")]
        for table, row_id in (
            ("cycles", 1), ("quotes", 1), ("passes", 1), ("handovers", 2), ("order_lines", 4), ("collectables", 1), ("payments", 4),
            ("provider_movements", 1), ("refunds", 1), ("bill_payment_items", 1), ("bill_attempts", 1),
            ("bulletin_versions", 1), ("bulletin_readers", 1),
        )
    },
    "keys.purchases_community_id": [change("purchases", ELSEWHERE, "id = 4"), *PART, change("payments", ELSEWHERE, "id = 4")],
    "keys.sub_orders_community_id": PART,
    "keys.batches_community_id": [
        "INSERT INTO batches (id, code, cycle_id, state, created_at, community_id) VALUES (90, 'T90', 1, 'planned', :moment, 99)",
    ],
    "keys.handover_kept_community_id": [
        "INSERT INTO handover_kept (id, handover_id, collectable_id, reason, community_id) VALUES (90, 1, 2, 'not_ready', 99)",
    ],
    "keys.stock_movements_merchant_id": [change("stock_movements", "merchant_id = 99", "id = 1")],
    "keys.stock_losses_merchant_id": [change("stock_losses", "merchant_id = 99", "id = 1")],
    "keys.reservations_merchant_id": [change("reservations", "merchant_id = 99", "id = 3")],
    "keys.reviews_merchant_id": [
        change(table, "merchant_id = 99") for table in ("reviews", "review_versions", "review_reports")
    ],
    "keys.review_versions_merchant_id": [change("review_versions", "merchant_id = 99")],
    "keys.review_reports_merchant_id": [change("review_reports", "merchant_id = 99")],
    "keys.transfers_community_id": [change("transfers", ELSEWHERE, "cause = 'release-1'")],
}  # fmt: skip

FAVOURITES = {
    "favourites.once_each": [again("favourites", "id = 1", id="90")],
    "favourites.of_people_who_are_here": [change("favourites", "user_id = 999")],
    "favourites.nobody_is_told_unasked": [change("notices", "kind = 'favourites.back', created_at = :moment")],
}

BULLETIN = {
    "bulletin.published_by_another": [change("bulletin_versions", "written_by_id = published_by_id")],
    "bulletin.readers_are_counted": [change("bulletin_notices", "readers = 2")],
    "bulletin.only_what_is_pinned_is_told": [
        change("notices", "kind = 'bulletin.pinned', dedupe_key = 'bulletin:1:1', created_at = :moment"),
    ],
}

REVIEWS = {
    "reviews.summary_is_its_reviews": [change("product_ratings", "fours = 2")],
    "reviews.of_what_was_collected": [change("reviews", "user_id = 3")],
}

IMPORTS = {
    "imports.counts_are_their_rows": [change("product_imports", "rows_applied = 2")],
    "imports.wrong_rows_are_not_applied": [change("import_rows", "is_asked = (1 = 1), is_sure = (1 = 0)")],
    "imports.files_are_forgotten_once_read": ["INSERT INTO import_files (import_id, content) VALUES (1, '')"],
}

LISTINGS = {
    "listings.drafts_are_of_drafts": ["INSERT INTO listing_drafts (product_id, typed, saved_at) VALUES (1, '{}', :moment)"],
    "listings.photos_belong_to_the_shop": [change("picture_uploads", "merchant_id = 2")],
}

ONBOARDING = {
    "onboarding.decided_by_another": [change("applications", "decided_by_id = user_id")],
    "onboarding.suspensions_stand": [change("suspensions", "lifted_at = NULL, lifted_by_id = NULL")],
    "onboarding.papers_are_whole_or_gone": ["DELETE FROM paper_slices"],
}

FAULTS: dict[str, list[str]] = {
    **LEDGER, **PAYMENTS, **ORDERS, **PRICING, **STOCK, **BILLS, **PICKUP, **ENDINGS, **PLUMBING, **SUMS, **KEYS, **FAVOURITES, **BULLETIN,
    **REVIEWS, **IMPORTS, **LISTINGS, **ONBOARDING,
}  # fmt: skip
