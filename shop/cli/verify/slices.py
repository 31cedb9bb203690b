"""Parts of the books that are complete in themselves: everything about what has changed since the last round, and nothing else.

A slice puts temporary tables in front of the shop's own, with the rows of what has changed and all that belongs to them. The same
invariants then run on it, word for word. What an invariant compares must be in the slice together or not at all; docs/decisions/0051
says how that was decided for each, and a test cuts the books at every place and finds nothing.

Temporary tables come before others of their name on both engines; `{books}` names the place of the shop's own.
"""

# ruff: noqa: S608  (names of tables and queries of our own, nothing that anybody sends)

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from shop.cli.verify.facts import drop_table, make_table, making_tables

SOURCES = (
    "transfers", "audit_entries", "stock_movements", "purchases", "payments", "refunds", "bill_payments", "bill_attempts", "collectables",
    "handovers",
)  # fmt: skip
"""Tables whose new rows say what has changed. Their numbers only rise."""


@dataclass(frozen=True, slots=True)
class Slice:
    """`changed` finds what has changed, list after list; `belonging` adds until nothing more belongs; `tables` are filled."""

    name: str
    changed: Mapping[str, str]
    belonging: tuple[tuple[str, str], ...]
    tables: Mapping[str, str]
    invariants: frozenset[str]


def about(subject: str) -> str:
    """Numbers of subjects that somebody did something to, or money was moved for."""
    return f"""
    SELECT subject_id AS id FROM audit_entries WHERE id > :audit_entries AND subject_type = '{subject}'
    UNION SELECT subject_id FROM transfers WHERE id > :transfers AND subject_type = '{subject}'
    """


MONEY = Slice(
    "money",
    changed={
        "changed_refunds": f"""
            {about('refund')}
            UNION SELECT id FROM refunds WHERE id > :refunds UNION SELECT id FROM refunds WHERE state IN ('requested', 'sent')
        """,
        "changed_sub_orders": f"""
            {about('sub_order')}
            UNION SELECT sub_order_id FROM order_lines WHERE id IN (
                SELECT subject_id FROM audit_entries WHERE id > :audit_entries AND subject_type = 'order_line'
                UNION SELECT order_line_id FROM stock_movements WHERE id > :stock_movements AND order_line_id IS NOT NULL
            )
            UNION SELECT subject_id FROM collectables WHERE id > :collectables AND kind = 'sub_order'
            UNION SELECT subject_id FROM collectables WHERE handover_id > :handovers AND kind = 'sub_order'
            UNION SELECT r.sub_order_id FROM changed_refunds c JOIN refunds r ON r.id = c.id WHERE r.sub_order_id IS NOT NULL
        """,
        "changed_bill_payments": f"""
            {about('bill_payment')}
            UNION SELECT id FROM bill_payments WHERE id > :bill_payments
            UNION SELECT bill_payment_id FROM bill_attempts WHERE id > :bill_attempts
            UNION SELECT id FROM bill_payments WHERE state IN ('created', 'funds_held', 'sending', 'unknown')
        """,
        "changed_payments": f"""
            {about('payment')}
            UNION SELECT id FROM payments WHERE id > :payments
            UNION SELECT id FROM payments WHERE state IN ('created', 'requires_action', 'processing')
            UNION SELECT r.payment_id FROM changed_refunds c JOIN refunds r ON r.id = c.id
        """,
        "changed_purchases": f"""
            {about('purchase')}
            UNION SELECT id FROM purchases WHERE id > :purchases UNION SELECT id FROM purchases WHERE state = 'awaiting_payment'
            UNION SELECT s.purchase_id FROM changed_sub_orders c JOIN sub_orders s ON s.id = c.id
            UNION SELECT y.purchase_id FROM changed_payments c JOIN payments y ON y.id = c.id WHERE y.purchase_id IS NOT NULL
        """,
    },
    belonging=(
        ("changed_payments", "SELECT y.id FROM payments y JOIN changed_purchases c ON c.id = y.purchase_id"),
        ("changed_payments", "SELECT b.paid_with_id FROM bill_payments b JOIN changed_bill_payments c ON c.id = b.id"
                             " WHERE b.paid_with_id IS NOT NULL"),
        ("changed_bill_payments", "SELECT b.id FROM bill_payments b JOIN changed_payments c ON c.id = b.paid_with_id"),
        ("changed_bill_payments", """
            SELECT o.bill_payment_id FROM bill_payment_items i JOIN changed_bill_payments c ON c.id = i.bill_payment_id
            JOIN bill_payment_items o ON o.bill_id = i.bill_id AND o.is_live
        """),
    ),
    tables={
        "purchases": "SELECT p.* FROM {books}.purchases p JOIN changed_purchases c ON c.id = p.id",
        "sub_orders": "SELECT s.* FROM {books}.sub_orders s JOIN changed_purchases c ON c.id = s.purchase_id",
        "order_lines": "SELECT l.* FROM {books}.order_lines l JOIN sub_orders s ON s.id = l.sub_order_id",
        "reservations": "SELECT r.* FROM {books}.reservations r JOIN order_lines l ON l.id = r.order_line_id",
        "stock_movements": "SELECT m.* FROM {books}.stock_movements m JOIN order_lines l ON l.id = m.order_line_id",
        "payments": "SELECT y.* FROM {books}.payments y JOIN changed_payments c ON c.id = y.id",
        "refunds": "SELECT r.* FROM {books}.refunds r JOIN payments y ON y.id = r.payment_id",
        "bill_payments": "SELECT b.* FROM {books}.bill_payments b JOIN changed_bill_payments c ON c.id = b.id",
        "bill_payment_items": "SELECT i.* FROM {books}.bill_payment_items i JOIN bill_payments b ON b.id = i.bill_payment_id",
        "bills": "SELECT d.* FROM {books}.bills d WHERE d.id IN (SELECT bill_id FROM bill_payment_items)",
        "bill_attempts": "SELECT a.* FROM {books}.bill_attempts a JOIN bill_payments b ON b.id = a.bill_payment_id",
        "provider_movements": "SELECT m.* FROM {books}.provider_movements m JOIN payments y ON y.id = m.payment_id",
        "refund_proposals": "SELECT p.* FROM {books}.refund_proposals p JOIN sub_orders s ON s.id = p.sub_order_id",
        "quotes": "SELECT q.* FROM {books}.quotes q JOIN purchases p ON p.quote_id = q.id",
        "collectables": "SELECT c.* FROM {books}.collectables c JOIN sub_orders s ON s.id = c.subject_id AND c.kind = 'sub_order'",
        "handovers": "SELECT h.* FROM {books}.handovers h WHERE h.id IN (SELECT handover_id FROM collectables)",
        "transfers": """
            SELECT t.* FROM {books}.transfers t JOIN sub_orders s ON s.id = t.subject_id AND t.subject_type = 'sub_order'
            UNION SELECT t.* FROM {books}.transfers t JOIN refunds r ON r.id = t.subject_id AND t.subject_type = 'refund'
            UNION SELECT t.* FROM {books}.transfers t JOIN payments y ON y.id = t.subject_id AND t.subject_type = 'payment'
            UNION SELECT t.* FROM {books}.transfers t JOIN bill_payments b ON b.id = t.subject_id AND t.subject_type = 'bill_payment'
            UNION SELECT t.* FROM {books}.transfers t WHERE t.id > :transfers
        """,
    },
    invariants=frozenset({
        "ledger.transfers_move_money",
        "payments.paid_purchases_are_covered", "payments.ask_for_what_is_owed", "payments.times_match_states",
        "payments.top_ups_reach_the_wallet_once", "payments.refunds_within_payment", "payments.only_what_came_goes_back",
        "payments.refunds_are_booked_once", "payments.refunds_wait_while_on_their_way", "payments.failed_refunds_are_held_again",
        "payments.what_failed_goes_on_once", "payments.two_agree", "payments.nothing_else_waits_to_go_back",
        "payments.banks_take_back_what_was_paid", "payments.another_currency_is_never_yuan", "payments.movements_are_booked",
        "payments.fees_are_what_moved",
        "orders.purchase_is_its_sub_orders", "orders.sub_order_is_its_lines", "orders.totals_add_up", "orders.lines_multiply",
        "orders.charged_what_was_shown", "orders.parts_go_where_the_whole_goes", "orders.purchase_state_follows_its_parts",
        "orders.states_have_their_times", "orders.nothing_prepared_unpaid", "orders.none_waits_for_payment_past_its_time",
        "orders.escrow_got_every_payment", "orders.escrow_holds_what_is_open", "orders.escrow_holds_nothing_else",
        "orders.paid_from_the_chosen_tender", "orders.commission_is_the_agreed_share", "orders.refunds_are_on_the_order",
        "orders.refunds_are_the_buyers", "orders.what_was_given_up_was_refunded", "orders.weighed_lines_cost_their_weight",
        "orders.weighed_less_goes_back", "orders.missing_goods_went_back", "orders.packed_means_weighed",
        "stock.reservations_are_their_lines", "stock.held_while_awaiting_payment", "stock.sold_what_was_paid",
        "stock.cancelled_goods_came_back",
        "bills.payment_is_its_bills", "bills.paid_for_the_right_number", "bills.taken_while_it_may_succeed", "bills.paid_means_posted",
        "bills.money_was_taken_once", "bills.biller_got_it_once", "bills.refused_money_is_back", "bills.nothing_is_lost_on_the_way",
        "bills.hold_holds_nothing_else", "bills.payments_are_on_record", "bills.states_have_their_times",
        "bills.posted_means_acknowledged", "bills.never_sent_after_accepted", "bills.asked_before_sent_again",
        "bills.one_sender_at_a_time", "bills.every_call_is_written_down",
        "pickup.ready_orders_have_their_pass", "pickup.collected_means_handed_over", "pickup.handed_over_at_the_right_desk",
        "pickup.keepers_keep_their_own_desk",
        "counter.what_waits_can_be_collected", "counter.orders_lie_where_they_should", "counter.orders_lie_there_for_their_buyers",
    }),
)  # fmt: skip

WALLETS = Slice(
    "wallets",
    changed={
        "changed_wallets": """
            SELECT a.id FROM ledger_accounts a WHERE a.kind = 'wallet' AND a.id IN (
                SELECT debit_account_id FROM transfers WHERE id > :transfers
                UNION SELECT credit_account_id FROM transfers WHERE id > :transfers
            )
        """,
    },
    belonging=(),
    tables={
        "ledger_accounts": "SELECT a.* FROM {books}.ledger_accounts a JOIN changed_wallets c ON c.id = a.id",
        "transfers": """
            SELECT t.* FROM {books}.transfers t JOIN ledger_accounts a ON a.id = t.debit_account_id
            UNION SELECT t.* FROM {books}.transfers t JOIN ledger_accounts a ON a.id = t.credit_account_id
        """,
    },
    invariants=frozenset({"ledger.balance_is_its_transfers", "ledger.no_wallet_below_zero"}),
)

GOODS = Slice(
    "goods",
    changed={
        "changed_variants": """
            SELECT variant_id AS id FROM stock_movements WHERE id > :stock_movements
            UNION SELECT variant_id FROM reservations WHERE state = 'active'
        """,
    },
    belonging=(),
    tables={
        "stock_items": "SELECT i.* FROM {books}.stock_items i JOIN changed_variants c ON c.id = i.variant_id",
        "stock_movements": "SELECT m.* FROM {books}.stock_movements m JOIN changed_variants c ON c.id = m.variant_id",
        "reservations": "SELECT r.* FROM {books}.reservations r JOIN changed_variants c ON c.id = r.variant_id WHERE r.state = 'active'",
    },
    invariants=frozenset({
        "stock.on_hand_is_its_movements", "stock.reserved_is_its_reservations", "stock.nothing_oversold", "stock.missing_is_its_movements",
        "stock.movements_say_what_was_told",
    }),
)  # fmt: skip

SLICES = (MONEY, WALLETS, GOODS)
SLICED = frozenset().union(*(one.invariants for one in SLICES))

EVERY_ROUND = frozenset({
    "ledger.suspense_is_cleared",
    "payments.refunds_have_somebody", "payments.none_open_for_a_day", "payments.events_are_looked_into",
    "stock.no_reservation_outlives_its_time", "stock.listings_show_the_price",
    "bills.one_on_its_way", "bills.unknown_ones_have_a_person", "bills.held_ones_are_sent",
    "pickup.slots_within_capacity", "pickup.live_passes_are_told_apart", "pickup.goods_are_as_far_as_their_delivery",
    "endings.batches_close", "endings.passes_close",
    "plumbing.no_job_gave_up", "plumbing.jobs_are_done_in_time", "plumbing.roles_have_their_place",
    "plumbing.staff_have_a_second_factor",
})  # fmt: skip
"""Bounded by what is open or by small tables: looked at whole in every round."""


@contextmanager
def cut(session: Session, part: Slice, since: Mapping[str, int]) -> Iterator[None]:
    """Put a slice in front of the books while the block runs: all about what came after these numbers, or is still open.

    Inside a savepoint: where the block fails, going back to it takes the slice away.
    """
    books = "main" if session.get_bind().dialect.name == "sqlite" else str(session.scalar(sa.text("SELECT current_schema()")))
    made = []
    for name, query in part.changed.items():
        fill(session, name, query, since)
        made.append(name)
    extend(session, part)
    for name, query in part.tables.items():
        fill(session, name, query.format(books=books), since)
        made.append(name)
    yield
    with making_tables(session):
        for name in made:
            drop_table(session, name)


def fill(session: Session, name: str, query: str, since: Mapping[str, int]) -> None:
    # statements that make tables take no parameters on PostgreSQL; these are whole numbers
    query = re.sub(r":(\w+)", lambda named: str(int(since[named[1]])), query)
    make_table(session, name, query)


def extend(session: Session, part: Slice) -> None:
    """Add what belongs to what has changed until nothing more does."""
    is_growing = bool(part.belonging)
    with making_tables(session):
        while is_growing:
            is_growing = False
            for name, query in part.belonging:
                added: Any = session.execute(
                    sa.text(f"INSERT INTO {name} SELECT DISTINCT * FROM ({query}) found EXCEPT SELECT id FROM {name}")
                )
                is_growing = is_growing or added.rowcount > 0
