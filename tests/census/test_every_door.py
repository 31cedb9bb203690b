"""Nothing that comes from outside is a fault: whatever stands in a path, an address, a form, a body or a header, the answer is one.

`CENSUS=thorough script/test tests/census` tries every value with every name, as everybody.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, request
from flask.testing import FlaskClient

from shop import create_app
from shop.bills import operations as bills
from shop.kernel import clock
from shop.kernel.db import perform, reading, transaction
from shop.kernel.money import Money
from shop.models.accounts import Role, User
from shop.models.imports import ImportKind, ImportState, ProductImport
from shop.models.orders import OrderLine
from shop.models.platform import Job, JobState
from shop.platform.access import open_to_everyone
from shop.platform.asked import Asked
from shop.settlement import operations as settlement
from tests.architecture.syntax import calls, dotted, shop_modules
from tests.census.going import HEARD, Census, listening
from tests.conftest import IsolatedClient, dispose, make_config
from tests.support.bills import save_billers
from tests.support.counter import Counter
from tests.support.crowded import OF_A_SHEET
from tests.support.factories import Factories, actor_of
from tests.support.money import PIN
from tests.support.provider import CardProvider

WITHOUT_SIMULATOR = "dev.sms"
"""Asks the simulator of text messages, which does not run here, and says so with 503."""


@pytest.fixture
def census(app: Flask, client: FlaskClient, make: Factories, stripe: CardProvider) -> Iterator[Census]:
    """A small city where everything is there once, and everybody who may go through one of its doors."""
    counter = Counter(make)
    for code, merchant in (("rice", 0), ("oil", 1)):
        counter.goods(code, merchant=merchant, price=2_000, on_hand=1_000)
    counter.goods("fish", price=1_500, by_weight=True, grams=500)
    resident = counter.buyer()
    visit = counter.ready(resident, {"rice": 1})
    sub_order = counter.ordered(resident, {"fish": 1})[0]
    line = reading().scalars(sa.select(OrderLine.id).where(OrderLine.sub_order_id == sub_order.id)).one()
    quote = quoted(counter, resident)
    save_billers()
    account = perform(bills.save_account, actor_of(resident), "power", "5110000018")
    payment = perform(settlement.start_top_up, actor_of(resident), Money(10_000))
    sheet = make.save(
        ProductImport(
            ref="IM-CENSUS", merchant_id=counter.merchants[0].id, kind=ImportKind.FIGURES, state=ImportState.CHECKED, file_name="x.csv",
            usual={}, headers={}, created_by=resident.id, created_at=clock.now(),
        )
    )
    known = {
        **{f"{endpoint}:ref": sheet.ref for endpoint in (*OF_A_SHEET, "merchant.decide_sheet")},
        "number": sub_order.number.rpartition("-")[0], "slug": "rice", "code": "rice", "variant": "rice",
        "variant_code": "rice", "q": "rice",
        "merchant.order:number": sub_order.number, "merchant.pack:number": sub_order.number, "merchant.decline:number": sub_order.number,
        "merchant.missing:number": sub_order.number, "merchant.say_missing:number": sub_order.number,
        "merchant.unpack:number": sub_order.number,
        "api.unpack_order:number": sub_order.number, "api.line_missing:number": sub_order.number,
        "api.decline_order:number": sub_order.number,
        "line_id": line, "line": line, "there": 1, "keep_selling": 1, "packed": sub_order.number, "roll": 1, "all": 1,
        "merchant.slip:number": sub_order.number, "api.merchant_order:number": sub_order.number, "api.pack_order:number": sub_order.number,
        "bills.add_account:code": "power", "catalog.shop:code": counter.merchants[0].code, "ref": account.ref,
        "catalog.category:slug": category_of(make), "payments.progress:ref": payment.ref, "payments.go_to_page:ref": payment.ref,
        "api.get_payment:ref": payment.ref, "station.collect:ref": visit.ref, "station.hand_over:ref": visit.ref,
        "station.extend:ref": visit.ref, "pickup.show:ref": visit.ref, "cycle_id": sub_order.cycle_id, "cycles": sub_order.cycle_id,
        "notice_id": 1, "job_id": job(), "session_id": 1, "kind": "received", "quantity": 1, "do": "pack", "reason": "why",
        "ticked": sub_order.number, "here": sub_order.number, "sub_orders": sub_order.number, "counted": 1,
        "phone": "13800000001", "pin": PIN,
        "amount": 100, "seen_total": 2_000, "quote": quote, "method": "wallet", "token": "t" * 20, "display_name": "a", "label": "a",
        "account_no": "5110000018", "locale": "en", "theme": "light", "elder_mode": 1, "point": counter.point.id, "client_id": "desk-1",
        "shop": counter.merchants[0].id, "price": 20, "unit": "g", "grams-1": 500,
        "json": {
            "quote_id": quote, "pickup_point": counter.point.slug, "biller": "power", "account_no": "5110000018", "pass": visit.code,
            "device_time": clock.now().isoformat(), "batches": ["T260101-0001"], "pin": PIN, "phone": "13800000001", "code": "123456",
            "bill_ids": [], "bill_account": account.ref, "coupons": [], "point": counter.point.slug,
        },
    }  # fmt: skip
    people = {
        "resident": resident, "merchant_owner": granted(make, Role.MERCHANT_OWNER, merchant=counter.merchants[0]),
        "keeper": counter.keeper_user, "operator": granted(make, Role.OPERATOR),
    }  # fmt: skip
    HEARD.clear()
    with listening(app):
        yield Census(app, client, people, known)


def quoted(counter: Counter, user: User) -> str:
    counter.fill(user, {"rice": 1})
    return counter.quote(user).ref


def category_of(make: Factories) -> str:
    made: str = make.category("fruit").slug
    return made


def granted(make: Factories, role: Role, **place: Any) -> User:
    user = make.user()
    make.grant(user, role, **place)
    return user


def job() -> int:
    moment = clock.now()
    with transaction() as session:
        made = Job(
            kind="bills.send", arguments={}, dedupe_key="census", state=JobState.DEAD, run_at=moment, attempts=12, fence=12,
            created_at=moment,
        )  # fmt: skip
        session.add(made)
        session.flush()
        return made.id


def faults_of(census: Census) -> list[str]:
    return [fault for fault in census.faults if not fault.startswith("GET /dev/sms")]


@pytest.mark.parametrize("is_thorough", [False, *([True] if os.environ.get("CENSUS") == "thorough" else [])])
@pytest.mark.parametrize("is_safe", [True, False], ids=["asked for", "sent"])
def test_nothing_from_outside_is_a_fault(census: Census, is_safe: bool, is_thorough: bool) -> None:
    census.is_thorough = is_thorough
    census.go(safe=is_safe)
    assert faults_of(census) == []
    assert census.asked > 1_000
    source = "query" if is_safe else "form"
    heard = {name for (endpoint, kind), names in HEARD.items() if endpoint and kind == source for name in names}
    assert declared("address" if is_safe else "sent") - heard == set(), "read by the gate, and asked for at no door"


def declared(source: str) -> set[str]:
    """The names that the shop's views read from `address` or `sent`."""
    found = set()
    for module in shop_modules():
        for call in calls(module.tree):
            receiver, _, verb = dotted(call.func).rpartition(".")
            if receiver == source and hasattr(Asked, verb):
                named = [argument.value for argument in call.args if isinstance(argument, ast.Constant) and isinstance(argument.value, str)]
                found.add(named[0] if named and verb != "sort" else USUAL.get(verb, ""))
    return found - {"", *ELSEWHERE}


USUAL = {"place": "cursor", "size": "size", "month": "month", "path": "next", "sort": "sort"}
ELSEWHERE = {
    "v": "of static files that are there", "again": "after a biller did not know a number", "code": "with a wallet that pays for bills",
    "shown": "asked by the script of a page that waits", "which": "of a payment that needs a person",
    "grams-": "the beginning of names", "sure-": "the beginning of names",
}  # fmt: skip
"""Names that are read only in a state the census does not make. All of them are compared, none reaches a query."""


@contextmanager
def closing(made: Flask) -> Iterator[None]:
    """Give the connections of an app of our own back."""
    try:
        yield
    finally:
        with made.app_context():
            dispose(made)


def test_reading_past_the_gate_is_noticed(app: Flask, client: FlaskClient, make: Factories) -> None:
    """The census itself: three views as they must not be are three faults, each found by what was asked of it."""
    made = create_app(make_config(app.config["DATABASE_URL"]))
    made.test_client_class = IsolatedClient

    @open_to_everyone
    def careless_number(_actor: Any) -> str:
        return str(int(request.args.get("n", "0")))

    @open_to_everyone
    def careless_day(_actor: Any) -> str:
        return clock.at(date.fromisoformat(request.args.get("day", "2026-01-01")), time(0)).isoformat()

    @open_to_everyone
    def careless_form(_actor: Any) -> str:
        with transaction() as session:
            return str(session.scalar(sa.select(User.id).where(User.id == int(request.form.get("id", "1")))))

    made.add_url_rule("/careless/number", "careless_number", careless_number)
    made.add_url_rule("/careless/day", "careless_day", careless_day)
    made.add_url_rule("/careless/form", "careless_form", careless_form, methods=["POST"])
    with closing(made), listening(made):
        census = Census(made, made.test_client(), {"resident": make.user()}, {"id": 1})
        census.go("careless_number", "careless_day", "careless_form")
    for fault in ("?n: 1e999: 500", "?day: the year 1: 500", "field id: beyond 63 bits: 500"):
        assert any(said.endswith(fault) for said in census.faults), fault


def test_no_header_is_a_fault(census: Census) -> None:
    census.spoil_headers(
        "home.index", "cart.put", "accounts.sign_in", "accounts.send_code", "catalog.category", "api.get_cart", "api.post_order"
    )
    assert faults_of(census) == []
    assert census.asked > 300
