"""A shop after a year of business: 100,000 rows in every table that grows, made in seconds by INSERT ... SELECT.

`crowd(make)` first lets a few things happen by the words of the other tests, so that every page has something to show, and then
multiplies them: the rows of number `n` belong together, all with the id `BASE + n`, purchase to part to line to pass. A quarter of all
is sold by one merchant and lies at one point, and one buyer has a hundredth of everything: lists are long for those who look at them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Any

import sqlalchemy as sa

from shop.bills import operations as bills
from shop.bulletin import operations as bulletin
from shop.kernel import clock, keys
from shop.kernel.db import Base, database, perform, reading
from shop.kernel.money import Money
from shop.listings import operations as listings
from shop.models.accounts import Role, User
from shop.models.catalog import Category
from shop.models.imports import ImportKind, ImportState, ProductImport
from shop.models.orders import OrderLine, PaymentMethod
from shop.models.reviews import ReportKind
from shop.orders import settled_days
from shop.platform import audit, notices
from shop.platform.actor import Grant
from shop.platform.tags import Done
from shop.reviews import operations as reviews
from shop.settlement import operations as settlement
from shop.wallet import closing
from tests.support.applying import make_application
from tests.support.bills import save_billers
from tests.support.bulletin import make_text
from tests.support.counter import Counter
from tests.support.factories import Factories, actor_of

ROWS = 100_000
BASE = 1_000_000
DAYS = 400
LIVE = 1_600
"""So many of the newest orders are not over yet."""

BUYERS = 20_000
MERCHANTS = 100
POINTS = 40


@dataclass
class Crowd:
    """Who looks, and what they look at."""

    people: dict[str, User]
    known: dict[str, Any]
    merchant_id: int
    point_id: int
    variant_id: int
    accounts: dict[str, int] = field(default_factory=dict)


def crowd(make: Factories) -> Crowd:
    """The whole year. Only into an empty database."""
    made = small_shop(make)
    Multiplier(made).multiply()
    database.session.rollback()
    return made


def small_shop(make: Factories) -> Crowd:
    """Everything once, as it really comes about."""
    counter = Counter(make)
    rice = counter.goods("rice", price=2_000, on_hand=1_000)
    counter.goods("fish", price=1_500, by_weight=True, grams=500)
    resident = counter.buyer()
    for _ in range(2):
        counter.hand_over(counter.ready(resident, {"rice": 1}).code)
    said = reading().scalars(sa.select(OrderLine.id).order_by(OrderLine.id)).first() or 0
    review = perform(reviews.write, actor_of(resident), said, 5, "x", False)
    visit = counter.ready(resident, {"rice": 1})
    part = counter.ordered(resident, {"fish": 1})[0]
    line = reading().scalars(sa.select(OrderLine.id).where(OrderLine.sub_order_id == part.id)).one()
    counter.fill(resident, {"rice": 1})
    quote = counter.quote(resident)
    unpaid = counter.place(resident, quote, PaymentMethod.STRIPE)
    counter.fill(resident, {"rice": 1})
    save_billers()
    account = perform(bills.save_account, actor_of(resident), "power", "5110000018")
    payment = perform(settlement.start_top_up, actor_of(resident), Money(10_000))
    roles = ((Role.MERCHANT_OWNER, {"merchant": counter.merchants[0]}), (Role.OPERATOR, {}))
    people = {"resident": resident, "keeper": counter.keeper_user}
    for role, place in roles:
        people[role.value] = make.user()
        make.grant(people[role.value], role, **place)
    sheet = make.save(
        ProductImport(
            ref="IM-CROWDED", merchant_id=counter.merchants[0].id, kind=ImportKind.GOODS, state=ImportState.CHECKED, file_name="x.csv",
            usual={}, headers={}, created_at=clock.now(),
        )
    )
    category = reading().scalars(sa.select(Category.slug).order_by(Category.id)).first()
    text = make_text(make, counter.point.community_id, people["operator"])
    perform(bulletin.note_reader, actor_of(resident), text.notice_id)
    perform(reviews.report, actor_of(people["operator"]), review, ReportKind.OTHER, "x")
    perform(note_something, people["operator"], resident, part.id)
    application, paper = make_application(make, make.user(), people["operator"])
    make_application(make, resident)
    owner = actor_of(people["merchant_owner"], Grant(Role.MERCHANT_OWNER.value, counter.merchants[0].id))
    draft = perform(listings.save_draft, owner, counter.merchants[0].id, {"name_zh": "新货"}, "once")
    known = {
        "application_id": application.id, "paper_id": paper.id, "user_id": 1, "onboarding.one_shop:code": counter.merchants[0].code,
        "number": part.number.rpartition("-")[0], "slug": "rice", "product": "rice", "code": "rice",
        "review_id": review, "bulletin_id": text.notice_id, "version_id": text.id, "cycle_id": part.cycle_id, "line_id": line,
        "job_id": 1, "notice_id": 1, "session_id": 1, "ref": account.ref, "quote": quote.ref,
        **{f"{endpoint}:number": part.number for endpoint in OF_A_PART},
        **{f"{endpoint}:ref": payment.ref for endpoint in ("payments.progress", "payments.onward", "api.get_payment")},
        **{f"{endpoint}:ref": visit.ref for endpoint in ("station.collect", "pickup.show")},
        "orders.payment:number": unpaid.number, "bills.add_account:code": "power", "catalog.shop:code": counter.merchants[0].code,
        "bills.payment:ref": f"BP{ROWS - 100}", "bills.print_receipt:ref": f"BP{ROWS - 100}", "api.get_bill_payment:ref": f"BP{ROWS - 100}",
        **{f"{endpoint}:ref": sheet.ref for endpoint in OF_A_SHEET},
        "merchant.draft:code": draft, "catalog.category:slug": category, "typed": order_number(ROWS - 4),
        "part": part.number, "merchant": counter.merchants[0].code, "point": counter.point.slug, "variant": "rice",
    }  # fmt: skip
    return Crowd(people, known, counter.merchants[0].id, counter.point.id, rice.id)


PLACES = frozenset({"number", "slug", "code", "cycle_id", "line_id", "job_id", "notice_id", "session_id", "ref", "product", "bulletin_id",
                    "version_id", "application_id", "paper_id", "user_id", "review_id"})
"""What may stand in a path: each has its value in `Crowd.known`, for all doors or for one (`endpoint:name`)."""

OF_A_SHEET = ("merchant.sheet", "merchant.repair_list", "api.get_product_import", "api.import_rows")
OF_A_PART = ("merchant.order", "merchant.slip", "merchant.missing", "api.merchant_order")


def note_something(session: Any, operator: User, resident: User, part_id: int) -> None:
    """A notice, and a deed of an operator."""
    kind = next(iter(sorted(notices.WORDS)))
    notices.post(session, resident.id, kind, dedupe_key="crowded", link="/orders")
    audit.record(session, actor_of(operator), Done.JOB_RETRIED, "sub_order", part_id, kind="bills.send", reason="why")


class Multiplier:
    """Writes the year. Numbers run from 1 to `ROWS`; `n` is the number of a row in every expression."""

    def __init__(self, made: Crowd) -> None:
        self.made = made
        self.engine = database.engines[None]
        self.is_postgresql = self.engine.dialect.name == "postgresql"
        self.now = clock.now().astimezone(UTC).replace(tzinfo=None)
        self.today = clock.today()
        self.buyer = made.people["resident"].id

    # --- words of expressions ---

    def ago(self, seconds: str) -> str:
        """So many seconds before now."""
        if self.is_postgresql:
            return f"(TIMESTAMPTZ '{self.now}+00' - ({seconds}) * INTERVAL '1 second')"
        return f"strftime('%Y-%m-%d %H:%M:%S.000000', '{self.now:%Y-%m-%d %H:%M:%S}', (-1 * ({seconds})) || ' seconds')"

    def placed(self, later: int = 0) -> str:
        """When number `n` was ordered, and so many seconds later: the last one a moment ago, the first one a year."""
        return self.ago(f"({ROWS} - n) * {DAYS * 86_400 // ROWS} + 60 - {later}")

    def day(self, days: str) -> str:
        """So many days after the first."""
        first = self.today - timedelta(days=DAYS - 1)
        return f"(DATE '{first}' + ({days}))" if self.is_postgresql else f"date('{first}', '+' || ({days}) || ' days')"

    def text(self, before: str) -> str:
        return f"'{before}' || n"

    @property
    def number(self) -> str:
        """An order's number as people type it: `order_number(n)`."""
        return f"'L{self.today:%y%m%d}-Z' || REPLACE(REPLACE(CAST({BASE} + n AS TEXT), '0', 'A'), '1', 'B')"

    def one_of(self, own: int, condition: str, others: str) -> str:
        return f"CASE WHEN {condition} THEN {own} ELSE {BASE} + {others} END"

    # --- writing ---

    def fill(self, table: str, count: int = ROWS, like: str | None = "", **values: str) -> None:
        """So many rows like the one of the least id (or the one meant by the condition `like`; like none when it is None)."""
        columns = [column for column in Base.metadata.tables[table].columns if column.computed is None]
        if "id" in Base.metadata.tables[table].columns:
            values = {"id": f"{BASE} + n", **values}
        names = [column.name for column in columns if column.name in values or like is not None]
        chosen = ", ".join(values.get(name, f"model.{name}") for name in names)
        place = "" if like is None else f", (SELECT * FROM {table} WHERE {like or 'TRUE'} ORDER BY 1 LIMIT 1) AS model"
        numbers = f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})"
        statement = f"INSERT INTO {table} ({', '.join(names)}) {numbers} SELECT {chosen} FROM numbers{place}"
        written = self.connection.exec_driver_sql(statement.replace("%", "%%") if self.is_postgresql else statement).rowcount
        assert written == count, f"{table}: {written} rows"

    def multiply(self) -> None:
        with self.engine.connect() as self.connection:
            raw: Any = self.connection.connection.dbapi_connection
            if self.is_postgresql:
                self.connection.exec_driver_sql("SET session_replication_role = replica; SET statement_timeout = 0")
            else:
                raw.execute("PRAGMA foreign_keys = OFF")
                raw.execute("PRAGMA synchronous = OFF")
            for write in (
                self.people, self.places, self.goods, self.orders, self.money, self.bills, self.counter, self.reviews, self.backbone,
            ):
                write()
            self.connection.commit()
            self.connection.invalidate()
        self.sum_up()
        self.settle()

    def sum_up(self) -> None:
        """As the worker would have done meanwhile."""
        perform(closing.close_day)
        perform(settled_days.open_days)
        clock.move(clock.shift() + settled_days.SUMMED_AFTER)
        while perform(settled_days.count_days, 1_000):
            pass

    def settle(self) -> None:
        """Go on numbering behind what was written, and let the planner know it."""
        if not self.is_postgresql:
            with self.engine.begin() as connection:
                connection.exec_driver_sql("ANALYZE")
            database.session.remove()
            for engine in database.engines.values():  # a connection that is open knows nothing of new statistics
                engine.dispose()
            return
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("SET statement_timeout = 0")
            for table in Base.metadata.sorted_tables:
                if "id" in table.columns:
                    connection.exec_driver_sql(
                        f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), (SELECT COALESCE(MAX(id), 1) FROM {table.name}))"
                    )
            connection.exec_driver_sql("VACUUM ANALYZE")

    def people(self) -> None:
        self.fill(
            "users", like=f"id = {self.buyer}", phone_hash=self.text("p"), phone_tail_hash="'t' || (n % 10000)", created_at=self.placed(),
            pickup_point_id=self.one_of(self.made.point_id, "n % 4 = 0", f"n % {POINTS} + 1"),
        )
        self.fill(
            "sign_in_codes", like=None, phone="'x'", phone_hash=self.text("p"), number="1", purpose="'sign_in'", nonce="'n'", asker="''",
            holder="''", is_known="FALSE", tries_left="5", created_at=self.placed(), expires_at=self.placed(300), used_at=self.placed(60),
        )
        self.fill(
            "user_sessions", like=None, user_id=self.one_of(self.buyer, "n % 100 = 0", f"n % {BUYERS} + 1"), kind="'web'",
            token_hash=self.text("t"), created_at=self.placed(), expires_at=self.placed(86_400), second_factor_tries_left="5",
            device="'x'",
        )
        self.fill("carts", user_id=f"{BASE} + n", token_hash="NULL", updated_at=self.placed())
        self.fill("cart_lines", cart_id=f"{BASE} + n", variant_id=f"{BASE} + n")
        self.fill("role_grants", 2_000, user_id=f"{BASE} + n", revoked_at=self.placed())

    def places(self) -> None:
        self.fill("pickup_points", POINTS, slug=self.text("spot-"))
        self.fill("merchants", MERCHANTS, code=self.text("m-"))
        self.fill(
            "cycles", 16 * DAYS, merchant_id=self.merchant("n"), pickup_point_id=self.point("n"), arrives_on=self.day("(n - 1) / 16"),
            arrives_at=self.ago(f"({DAYS} - (n - 1) / 16) * 86400"), cut_off_at=self.ago(f"({DAYS} - (n - 1) / 16) * 86400 + 61200"),
            booked="10", closed_at="NULL",
        )
        self.fill("batches", 16 * DAYS, code=self.text("T"), cycle_id=f"{BASE} + n", state=f"CASE WHEN n < {16 * (DAYS - 4)}"
                  " THEN 'closed' ELSE 'checked' END", created_at=self.ago(f"({DAYS} - n / 16) * 86400"))  # fmt: skip

    def merchant(self, n: str) -> str:
        return self.one_of(self.made.merchant_id, f"{n} % 4 = 0", f"{n} % 4")

    def point(self, n: str) -> str:
        return self.one_of(self.made.point_id, f"({n} / 4) % 4 = 0", f"({n} / 4) % 4")

    @property
    def cycle(self) -> str:
        """The delivery of an order: of its day, and of its merchant and point."""
        return f"{BASE} + (CAST(n - 1 AS BIGINT) * {DAYS} / {ROWS}) * 16 + n % 16 + CASE WHEN n % 16 = 0 THEN 16 ELSE 0 END"

    @property
    def user(self) -> str:
        return self.one_of(self.buyer, "n % 100 = 0", f"n % {BUYERS} + 1")

    def goods(self) -> None:
        names = {"code": self.text("g-"), "slug": self.text("g-"), "name_zh": self.text("货"), "name_en": self.text("goods ")}
        merchant = self.one_of(self.made.merchant_id, f"n % {MERCHANTS} = 0", f"n % {MERCHANTS}")
        self.fill("products", merchant_id=merchant, **names)
        self.fill("variants", code=names["code"], product_id=f"{BASE} + n", barcode=self.text("69"), price="100 + n % 5000")
        self.fill("stock_items", variant_id=f"{BASE} + n", on_hand="100 + n % 77", reserved="0", missing="0")
        self.fill(
            "listings", product_id=f"{BASE} + n", variant_id=f"{BASE} + n", merchant_id=merchant, price="100 + n % 5000", rank="n", **names
        )
        self.fill("price_changes", like=None, variant_id=self.variant, price="100", at=self.placed())
        self.fill(
            "stock_movements", like="kind = 'sale'", variant_id=self.variant, cause=self.text("line:x"), order_line_id=f"{BASE} + n",
            takes_back_id="NULL", at=self.placed(), kind="CASE WHEN n % 50 = 2 THEN 'spoilage' ELSE 'sale' END",
        )
        self.fill(
            "stock_losses", like=None, merchant_id=self.merchant("n"), variant_id=self.variant, movement_id=f"{BASE} + n", words="'x'",
            at=self.placed(), reason="CASE n % 3 WHEN 0 THEN 'spoiled' WHEN 1 THEN 'broken' ELSE 'given_away' END",
        )
        self.fill(
            "reservations", like=None, variant_id=self.variant, order_line_id=f"{BASE} + n", quantity="1", state="'consumed'",
            created_at=self.placed(), expires_at=self.placed(900),
        )

    @property
    def variant(self) -> str:
        return self.one_of(self.made.variant_id, "n % 4 = 0", "n")

    def orders(self) -> None:
        is_live, is_cancelled = f"n > {ROWS - LIVE}", "n % 50 = 1"
        self.fill(
            "quotes", ref=self.text("Q"), user_id=self.user, created_at=self.placed(), expires_at=self.placed(900)
        )
        self.fill(
            "purchases", number=self.number, user_id=self.user, quote_id=f"{BASE} + n", pickup_point_id=self.point("n"),
            state=f"CASE WHEN {is_live} THEN 'paid' WHEN {is_cancelled} THEN 'cancelled' ELSE 'completed' END", placed_at=self.placed(),
            expires_at=self.placed(900), paid_at=self.placed(30), closed_at=f"CASE WHEN {is_cancelled} THEN {self.placed(600)} END",
            completed_at=f"CASE WHEN NOT ({is_live}) THEN {self.placed(900_000)} END",
        )  # fmt: skip
        live = "CASE n % 5 WHEN 0 THEN 'placed' WHEN 1 THEN 'accepted' WHEN 2 THEN 'packed' WHEN 3 THEN 'in_transit' ELSE 'ready' END"
        over = f"CASE WHEN {is_cancelled} THEN 'cancelled' WHEN n % 200 = 3 THEN 'not_collected' ELSE 'completed' END"
        self.fill(
            "sub_orders", number=f"{self.number} || '-1'", purchase_id=f"{BASE} + n", merchant_id=self.merchant("n"), user_id=self.user,
            pickup_point_id=self.point("n"), cycle_id=self.cycle, pass_id=f"CASE WHEN NOT ({is_live}) OR n % 5 = 4 THEN {BASE} + n END",
            state=f"CASE WHEN {is_live} THEN {live} ELSE {over} END", placed_at=self.placed(), accepted_at=self.placed(60),
            packed_at=self.placed(3_600), in_transit_at=self.placed(7_200), ready_at=self.placed(86_400), refunded_total="0",
            collected_at=f"CASE WHEN NOT ({is_live} OR {is_cancelled} OR n % 200 = 3) THEN {self.placed(100_000)} END",
            completed_at=f"CASE WHEN NOT ({is_live} OR {is_cancelled} OR n % 200 = 3) THEN {self.placed(900_000)} END",
            cancelled_at=f"CASE WHEN NOT ({is_live}) AND {is_cancelled} THEN {self.placed(600)} END",
            ended_at=f"CASE WHEN NOT ({is_live}) AND n % 200 = 3 THEN {self.placed(500_000)} END",
        )  # fmt: skip
        self.fill("order_lines", sub_order_id=f"{BASE} + n", variant_id=self.variant)

    def money(self) -> None:
        self.fill(
            "payments", like="state = 'succeeded' AND purpose = 'purchase'", ref=self.text("P"), user_id=self.user,
            purchase_id=f"{BASE} + n", created_at=self.placed(), succeeded_at=self.placed(30), provider_session="NULL",
            provider_intent="NULL", expires_at=self.placed(900),
        )
        settled = {"amount": "1", "reason": "'x'", "method": "'wallet'", "created_at": self.placed(600), "settled_at": self.placed(601)}
        self.fill(
            "refunds", like=None, ref=self.text("R"), payment_id=f"{BASE} + n", cause=self.text("x:"), sub_order_id=f"{BASE} + n",
            state="CASE WHEN n % 1000 = 7 THEN 'failed' ELSE 'succeeded' END", origin="'shop'", carried_on="0",
            handed_over_at=f"CASE WHEN n % 1000 = 7 THEN {self.placed(900)} END", **settled,
        )
        self.fill(
            "refund_proposals", like=None, key=self.text("k"), sub_order_id=f"{BASE} + n", amount="1", method="'wallet'", reference="''",
            reason="'x'", state="CASE WHEN n % 1000 = 5 THEN 'asked' ELSE 'approved' END", asked_by_id="1", asked_at=self.placed(600),
            decided_by_id="CASE WHEN n % 1000 = 5 THEN NULL ELSE 2 END",
            decided_at=f"CASE WHEN n % 1000 = 5 THEN NULL ELSE {self.placed(900)} END",
        )
        self.fill(
            "provider_events", like=None, provider="'stripe'", event_id=self.text("evt"), kind="'x'", object_id="'x'", state="'done'",
            received_at=self.placed(), processed_at=self.placed(1),
        )
        self.fill(
            "provider_movements", like=None, payment_id=f"{BASE} + n", kind="'charge'", provider_ref=self.text("txn"), currency="'cny'",
            amount="1", fee="0", source_currency="'cny'", source_amount="1", booked_amount="1", booked_fee="0", is_by_hand="FALSE",
            noted_at=self.placed(),
        )
        own = f"(SELECT id FROM ledger_accounts WHERE code = 'wallet:{self.buyer}')"
        shop = f"(SELECT id FROM ledger_accounts WHERE code = 'merchant:{self.made.merchant_id}')"
        self.fill("ledger_accounts", like=f"user_id = {self.buyer}", code=self.text("wallet:x"), user_id=f"{BASE} + n")
        self.fill("wallets", user_id=f"{BASE} + n", account_id=f"{BASE} + n", opened_at=self.placed())
        account = f"CASE WHEN n % 100 = 0 THEN {own} ELSE {BASE} + n % {BUYERS} + 1 END"
        escrow = "(SELECT id FROM ledger_accounts WHERE code = 'escrow')"
        about = {"subject_type": "'sub_order'", "subject_id": f"{BASE} + n"}
        self.fill(
            "transfers", cause=self.text("paid:"), kind="'payment'", debit_account_id=account, credit_account_id=escrow, at=self.placed(),
            **about,
        )
        self.fill(
            "transfers", id=f"{BASE + ROWS} + n", cause=self.text("released:"), kind="'release'", debit_account_id=escrow,
            credit_account_id=f"CASE WHEN n % 4 = 0 THEN {shop} ELSE (SELECT id FROM ledger_accounts WHERE code = 'custodian') END",
            at=self.placed(), **about,
        )

    def bills(self) -> None:
        own = self.one_of(self.buyer, "n % 2000 = 0", "n")
        number = {"account_hash": self.text("h")}
        biller = "(SELECT MIN(id) FROM billers)"
        self.fill("bill_accounts", ref=self.text("A"), user_id=own, account_hash=number["account_hash"], created_at=self.placed(),
                  fetched_at=self.placed())  # fmt: skip
        self.fill(
            "bill_look_ups", like=None, user_id=own, biller_id=biller, account_ref=self.text("A"), account_key=self.text("k"),
            day=self.day("0"), number="1", place="CASE WHEN n % 2000 = 0 THEN n END", asked_at=self.placed(), answered_at=self.placed(1),
            outcome="'found'",
        )
        self.fill(
            "bills", like=None, ref=self.text("B"), biller_id=biller, biller_ref=self.text("r"), period="'2026-10'", amount="100",
            late_fee="0", total="100", due_on=self.day("300"), usage="''", account_no=sealed("bills.account_no"), fetched_at=self.placed(),
            state="CASE WHEN n % 3 = 0 THEN 'due' ELSE 'paid' END", **number,
        )
        payer = self.one_of(self.buyer, "n % 100 = 0", "n")
        self.fill(
            "bill_payments", like=None, ref=self.text("BP"), serial=self.text("s"), request_key=self.text("k"), user_id=payer,
            biller_id=biller, bill_account_id=f"{BASE} + n", account_no=sealed("bill_payments.account_no"),
            holder_masked=sealed("bill_payments.holder_masked"), total="100", state="'posted'", paid_with_id=f"{BASE} + n", attempts="1",
            created_at=self.placed(), held_at=self.placed(1), posted_at=self.placed(5), **number,
        )
        self.fill("bill_payment_items", like=None, bill_payment_id=f"{BASE} + n", bill_id=f"{BASE} + n", amount="100",
                  is_live="n % 3 <> 0")  # fmt: skip
        self.fill(
            "bill_attempts", like=None, bill_payment_id=f"{BASE} + n", number="1", kind="'post'", started_at=self.placed(),
            ended_at=self.placed(1), outcome="'accepted'", detail="''",
        )

    def counter(self) -> None:
        is_live = f"n > {ROWS - LIVE} AND n % 5 = 4"
        self.fill(
            "passes", ref=self.text("V"), user_id=self.user, pickup_point_id=self.point("n"), code_hash=self.text("c"),
            state=f"CASE WHEN {is_live} THEN 'live' ELSE 'used' END", issued_at=self.placed(86_400), valid_until=self.placed(4 * 86_400),
            used_at=f"CASE WHEN NOT ({is_live}) THEN {self.placed(100_000)} END",
        )
        self.fill(
            "handovers", like="pass_id IS NOT NULL", client_id=self.text("c"), pickup_point_id=self.point("n"), pass_id=f"{BASE} + n",
            outcome="CASE WHEN n % 100 = 9 THEN 'refused' ELSE 'accepted' END", device_time=self.placed(), received_at=self.placed(),
        )
        left = f"n <= {ROWS - LIVE} AND n % 200 <> 3"
        self.fill(
            "collectables", pickup_point_id=self.point("n"), pass_id=f"{BASE} + n", user_id=self.user, subject_id=f"{BASE} + n",
            number=f"{self.number} || '-1'", handover_id=f"CASE WHEN {left} THEN {BASE} + n END", since=self.placed(86_400),
            state=f"CASE WHEN {left} THEN 'collected' WHEN {is_live} THEN 'waiting' ELSE 'not_collected' END",
            left_at=f"CASE WHEN NOT ({is_live}) THEN {self.placed(100_000)} END",
        )
        self.fill("handover_kept", like=None, handover_id=f"{BASE} + n", collectable_id=f"{BASE} + n", reason="'x'")

    def reviews(self) -> None:
        rice = reading().scalar(sa.text("SELECT MIN(product_id) FROM reviews")) or 0
        merchant, is_hidden, is_answered = self.merchant("n"), "n % 1000 = 7", "n % 3 <> 0"
        self.fill(
            "reviews", line_id=f"{BASE} + n", product_id=self.one_of(rice, "n % 4 = 0", "n"), merchant_id=merchant, user_id=self.user,
            state=f"CASE WHEN {is_hidden} THEN 'hidden' ELSE 'shown' END", stars="1 + n % 5", written_at=self.placed(200_000),
            hidden_reason=f"CASE WHEN {is_hidden} THEN 'x' ELSE '' END", answer=f"CASE WHEN {is_answered} THEN 'x' ELSE '' END",
            answered_at=f"CASE WHEN {is_answered} THEN {self.placed(300_000)} END",
            decided_at=f"CASE WHEN {is_hidden} THEN {self.placed(400_000)} END",
        )
        self.fill("review_versions", like=None, review_id=f"{BASE} + n", merchant_id=merchant, number="1", part="'review'", stars="3",
                  text="'x'", at=self.placed(250_000))  # fmt: skip
        self.fill(
            "review_reports", review_id=f"{BASE} + n", merchant_id=merchant, user_id=f"{BASE} + n", reported_at=self.placed(260_000),
            decided_at=f"CASE WHEN n % 1000 <> 5 THEN {self.placed(300_000)} END",
        )
        self.fill("product_ratings", product_id=f"{BASE} + n")

    def backbone(self) -> None:
        self.fill("bulletin_readers", user_id=f"{BASE} + n", at=self.placed())
        self.fill("notices", user_id=self.user, dedupe_key=self.text("x"), created_at=self.placed(), read_at=self.placed(600))
        self.fill(
            "audit_entries", at=self.placed(), actor_kind="CASE WHEN n % 3 = 0 THEN 'user' ELSE 'job' END",
            actor_id=f"CASE WHEN n % 300 = 0 THEN {self.made.people['operator'].id} WHEN n % 3 = 0 THEN {BASE} + n END",
            action="CASE WHEN n % 10 = 0 THEN 'order.packed' ELSE 'order.accepted' END", subject_id=f"{BASE} + n",
        )
        self.fill("audit_seals", like=None, sequence="n", entry_id=f"{BASE} + n", hash="'x'")
        self.connection.exec_driver_sql(
            f"INSERT INTO audit_progress (id, sealed_up_to, rounds) VALUES (1, {BASE + ROWS}, 1) "
            "ON CONFLICT (id) DO UPDATE SET sealed_up_to = excluded.sealed_up_to"
        )
        self.fill(
            "jobs", like=None, kind="CASE WHEN n % 10 <> 0 THEN 'audit.seal' WHEN n % 30 = 0 THEN 'bills.send' ELSE 'messages.send' END",
            arguments="'{}'", is_round="n % 10 <> 0",
            dedupe_key="CASE WHEN n % 10 <> 0 THEN 'audit.seal@' ELSE 'x' END || n",
            state="CASE WHEN n % 1000 = 0 THEN 'dead' ELSE 'done' END", run_at=self.placed(), attempts="1",
            fence="1", lane="'soon'", created_at=self.placed(), finished_at=self.placed(1),
        )
        self.fill(
            "idempotency_keys", like=None, user_id=self.user, route="'x'", key=self.text("k"), request_hash="'x'", status="200",
            created_at=self.placed(), lease_until=self.placed(60),
        )


def sealed(place: str) -> str:
    """Something that opens there."""
    return f"'{keys.ring().seal(place, '5110000018')}'"


def order_number(n: int) -> str:
    """The number of order `n`."""
    return f"L{clock.today():%y%m%d}-Z{str(BASE + n).replace('0', 'A').replace('1', 'B')}"


def tables_that_grow() -> set[str]:
    """What has so many rows in this shop that nobody may read it whole."""
    counted = {table.name: reading().scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in Base.metadata.sorted_tables}
    return {name for name, count in counted.items() if count > 3_000}
