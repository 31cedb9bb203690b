"""Asking each door for one's own thing, another's, one of elsewhere, and one that is not there; and reading the answer as one letter."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from shop.kernel import clock
from tests.authorization.city import ROLES, WHOSE, City
from tests.census import hostile
from tests.support.money import PIN
from tests.support.people import bearer, sign_in, sign_out
from tests.support.routes import Door

YES, FORBIDDEN, ABSENT, SIGN_IN, AUTHENTICATOR = "y", "n", "0", "s", "2"
"""Let in (whatever is then answered), refused, not found, led to the sign-in, led to the authenticator."""

NUMBERS = {"orders": "purchase", "admin": "purchase", "merchant": "part", "station": "part"}
REFS = {"bills": "account", "payments": "payment", "pickup": "pass", "station": "pass", "admin": "refund", "merchant": "import"}
PLACES: dict[str, dict[str, str]] = {
    # Which thing stands in a path where its name does not say so.
    "admin.ask_partner": {"name": "partner"}, "api.ask_partner": {"name": "partner"},
    "admin.end_overdue": {"number": "part"}, "admin.ask_biller": {"ref": "bill payment"},
    "bills.payment": {"ref": "bill payment"}, "bills.print_receipt": {"ref": "bill payment"}, "bills.give_up": {"ref": "bill payment"},
    "onboarding.take_paper_away": {"paper_id": "draft paper"},
    **{f"onboarding.{name}": {"code": "merchant"} for name in ("one_shop", "suspend", "restore", "renew")},
    "bills.remove": {"ref": "account to remove"},
    "api.get_order": {"number": "purchase"}, "api.cancel_order": {"number": "purchase"}, "api.pay_order": {"number": "purchase"},
    "api.post_order_payment": {"number": "purchase"}, "api.repeat_order": {"number": "purchase"},
    "api.get_payment": {"ref": "payment"}, "api.get_bill_payment": {"ref": "bill payment"},
    "api.remove_bill_account": {"ref": "account to remove by API"}, "api.fetch_bills": {"ref": "account"},
}  # fmt: skip
NAMED = {
    "cycle_id": "cycle", "line_id": "line", "line": "line", "movement_id": "movement", "job_id": "job", "proposal_id": "proposal",
    "notice_id": "notice", "session_id": "session", "bulletin_id": "bulletin notice", "version_id": "bulletin text",
    "application_id": "application", "paper_id": "paper", "review_id": "review", "user_id": "member",
    "picture_id": "picture",
}  # fmt: skip
FIXED = {
    "product": "rice",
    "decision": "agree", "admin.decide:decision": "agree", "bills.add_account:code": "power", "catalog.category:slug": "",
    "discovery.goods:number": "1", "files.serve:name": "nothing", "static:filename": "img/logo.svg", "bundles.serve:name": "nothing",
}  # fmt: skip
"""What stands in a path and is nobody's."""

REASON = {"reason": "=why"}
WORDING = {"kind": "=event", "title_zh": "=x", "text_zh": "=x", "starts_on": "=2099-01-01", "ends_on": "=2099-01-02"}
ASKED: dict[str, dict[str, Any]] = {
    # What is asked for beside the path: in the address, a form, or a body of the API.
    "checkout.place": {"form": {"quote": "quote", "seen_total": "=1", "method": "=wallet", "pin": f"={PIN}"}},
    "api.post_order": {"body": {"quote_id": "quote"}},
    "communities.take": {"form": {"point": "point"}},
    "bills.pay": {"form": {"method": "=wallet", "amount": "=30", "seen_total": "=3000", "pin": f"={PIN}"}},
    "merchant.choose_shop": {"form": {"shop": "merchant id"}},
    "merchant.bulk": {"form": {"ticked": "part", "do": "=unpack"}},
    "merchant.save_grid": {"form": {"cell-label_zh-{variant}": "=x", "was-label_zh-{variant}": "=y"}},
    "merchant.withdraw_size": {"form": {"size": "variant"}},
    "merchant.publish": {"form": {"ticked": "variant"}},
    "merchant.papers": {"query": {"number": "part"}},
    "merchant.adjust": {"form": {"code": "variant", "kind": "=received", "quantity": "=1"}},
    "merchant.put_off": {"form": {"quantity": "=1", "reason": "=broken"}},
    "merchant.set_mark": {"form": {"low_mark": "=3"}},
    "merchant.price": {"form": {"price-{variant}-2000": "=21"}},
    "merchant.set_back": {"form": {"fen": "=2000", "before": "=2000"}},
    "merchant.decline": {"form": REASON},
    "merchant.bring_back": {"form": REASON},
    "merchant.say_missing": {"form": {"there": "=0", **REASON}},
    "station.choose_point": {"form": {"point": "point id"}},
    "station.arrive": {"form": {"cycles": "cycle", "early": "=1"}},
    "station.take_back": {"form": {"client_id": "hand-over", **REASON}},
    "station.clear": {"form": REASON},
    "reviews.write": {"form": {"stars": "=5", "text": "=x"}},
    "reviews.follow_up": {"form": {"follow_up": "=x"}},
    "reviews.send_report": {"form": {"kind": "=other"}},
    "reviews.answer": {"form": {"answer": "=x"}},
    "reviews.hide": {"form": REASON},
    "api.report_review": {"body": {"kind": "=other"}},
    "bulletin.put_new": {"form": {**WORDING, "community": "community"}},
    "bulletin.put_again": {"form": WORDING},
    "bulletin.refuse": {"form": REASON},
    "bulletin.withdraw": {"form": REASON},
    "api.list_bulletin": {"query": {"community": "community"}},
    "api.write_bulletin_text": {
        "body": {"community": "community", "kind": "=event", "title_en": "=", "text_en": "=", "first_day": "=2099-01-01",
                 "last_day": "=2099-01-02"},
    },
    **{f"onboarding.{name}": {"form": REASON} for name in ("decline", "reveal", "suspend", "restore")},
    "onboarding.renew": {"form": {"kind": "=nothing"}},
    "onboarding.ask": {"form": {"text": "=why"}},
    "onboarding.approve": {"form": {"commission": "=3", "seen": "=1"}},
    "admin.find_order": {"query": {"number": "purchase"}},
    "admin.retry": {"form": REASON},
    "admin.ask_partner": {"form": REASON},
    "admin.end_overdue": {"form": REASON},
    "admin.ask_transfer": {"form": {"reference": "=17", **REASON}},
    "admin.give_back": {"form": {"amount": "=1", **REASON}},
    "api.put_my_point": {"body": {"pickup_point": "point"}},
    "api.list_imports": {"query": {"merchant": "merchant"}},
    "api.bring_import": {"body": {"merchant": "merchant", "kind": "=figures", "file_name": "=x.csv", "content": "=Y29kZSxzdG9jawo="}},
    "api.confirm_import_rows": {"body": {"rows": [2]}},
    "api.decide_import": {"body": {"choice": "=good"}},
    "api.list_own_products": {"query": {"merchant": "merchant"}},
    "api.post_product": {"body": {"merchant": "merchant", "name_zh": "=x", "category": "=x", "origin_zh": "=x", "price_minor": 1}},
    "api.put_product": {"body": {"name_zh": "=x", "category": "=x", "origin_zh": "=x", "version": "="}},
    "api.publish_product": {"body": {"at": None}},
    "api.send_picture": {"body": {"content": "="}},
    "api.merchant_figures": {"query": {"merchant": "merchant"}},
    "api.merchant_orders": {"query": {"merchant": "merchant"}},
    "api.merchant_statements": {"query": {"merchant": "merchant"}},
    "api.move_stock": {"body": {"reason": None, "words": "="}},
    "api.merchant_losses": {"query": {"merchant": "merchant"}},
    "api.shop_low_mark": {"query": {"merchant": "merchant"}},
    "api.put_shop_low_mark": {"body": {"merchant": "merchant", "low_mark": 3}},
    "api.put_low_mark": {"body": {"low_mark": 3}},
    "api.merchant_stock": {"query": {"merchant": "merchant"}},
    "api.pack_order": {"body": {"sure": {}}},
    "api.expected": {"query": {"point": "point"}},
    "api.tell_handovers": {"body": {"point": "point", "pass": "scan", "lines": ["=nothing"], "only_whole": True}},
    "api.take_back": {"body": {"client_id": "hand-over"}},
    "api.tell_arrival": {"body": {"batches": ["batch"], "missing": []}},
    "api.pay_bills": {"body": {"bill_account": "account", "bill_ids": [], "amount_minor": 3_000, "seen_total_minor": 3_000}},
}  # fmt: skip
"""`=text` is that text, any other text names a thing, and what is no text is sent as it is."""

BODY: dict[str, Any] = {
    "pin": PIN, "code": None, "reason": "why", "there": 1, "kind": "received", "quantity": 1, "weights": {}, "instead": {}, "coupons": [],
    "account_no": "5110000018", "biller": "power", "client_id": "matrix", "lines": None, "phone": "13800000001", "method": "wallet",
    "expected": None, "corrects": None,
}  # fmt: skip
"""What bodies are filled with, by the names of their members."""

QUESTION = re.compile(r'name="sure" value="([^"]+)"')


def console_of(door: Door) -> str:
    """The console a door belongs to; empty for one of everybody's."""
    for console in ("merchant", "station", "admin"):
        if door.rule.startswith((f"/{console}/", f"/api/v1/{console}/")):
            return console
    return ""


def thing_of(door: Door, name: str) -> str | None:
    """Which of `Belongings.values` stands at a place of the path; None where nobody owns what does."""
    named = PLACES.get(door.endpoint, {}).get(name) or NAMED.get(name)
    if named or f"{door.endpoint}:{name}" in FIXED or name in FIXED:
        return named
    area = console_of(door) or door.endpoint.partition(".")[0]
    if name in ("number", "ref"):
        return {"number": NUMBERS, "ref": REFS}[name].get(area)
    if name in ("slug", "variant_code") or (name == "code" and area == "merchant"):
        return "variant"
    return "merchant" if name == "code" else None


def asks_for_a_thing(door: Door) -> bool:
    return door.endpoint in ASKED or any(thing_of(door, name) for name in door.places)


def said(wanted: Any, things: dict[str, Any]) -> Any:
    """The value of what stands in `ASKED`."""
    if isinstance(wanted, list):
        return [said(one, things) for one in wanted]
    if not isinstance(wanted, str):
        return wanted
    return wanted[1:] if wanted.startswith("=") else things[wanted]


class Asker:
    """Goes to a door as somebody."""

    def __init__(self, app: Flask, client: FlaskClient, city: City, category: str, *, second_factor: bool = True) -> None:
        self.app, self.client, self.city, self.category, self.second_factor = app, client, city, category, second_factor

    def row(self, door: Door) -> list[str]:
        """A cell for each role: a letter for each thing that may be asked for, or one where there is none."""
        whose = WHOSE if asks_for_a_thing(door) else WHOSE[:1]
        letters = {(role, one): self.letter(door, role, one) for one in reversed(whose) for role in ROLES}  # what is one's own comes last
        return ["".join(letters[role, one] for one in whose) for role in ROLES]

    def letter(self, door: Door, role: str, whose: str) -> str:
        return read(self.ask(door, role, whose))

    def ask(self, door: Door, role: str, whose: str) -> TestResponse:
        things = self.city.things(role, whose, console_of(door))
        values = {name: str(self.value(door, name, things)).encode() for name in door.places}
        wanted = ASKED.get(door.endpoint, {})
        query = {name: said(one, things) for name, one in wanted.get("query", {}).items()}
        headers: dict[str, str] = {}
        sign_out(self.client)
        if role != "stranger" and door.is_api:
            headers = bearer(self.app, self.city.people[role], self.second_factor)
        elif role != "stranger":
            sign_in(self.client, self.city.people[role], self.second_factor)
        sent: dict[str, Any] = {}
        if door.is_api and door.body is not None:
            known = {**BODY, "device_time": clock.now().isoformat()}
            known |= {name: said(one, things) for name, one in wanted.get("body", {}).items()}
            sent["json"] = hostile.example(door.body.model_json_schema(), known)
        elif not door.is_safe and not door.is_api:
            sent["data"] = {name.format(**things): said(one, things) for name, one in wanted.get("form", {}).items()}
        asked = {"method": door.method, "query_string": query, "headers": headers, **sent}
        answer = self.client.open(door.path(values), **asked)
        if "data" in sent and (question := QUESTION.search(answer.get_data(as_text=True))):  # are you sure? yes
            answer.close()
            answer = self.client.open(door.path(values), **{**asked, "data": {**sent["data"], "sure": question[1]}})
        return answer

    def value(self, door: Door, name: str, things: dict[str, Any]) -> Any:
        thing = thing_of(door, name)
        if thing is not None:
            return things[thing]
        return FIXED.get(f"{door.endpoint}:{name}", FIXED.get(name)) or self.category


def read(answer: TestResponse) -> str:
    """What an answer says about who may."""
    status, where = answer.status_code, answer.location or ""
    code = answer.get_json().get("code") if status == 403 and answer.is_json else ""
    answer.close()  # files stay open otherwise
    assert status < 500
    if status == 401 or where.startswith("/sign-in?next="):
        return SIGN_IN
    if code == "second_factor_required" or where.startswith("/second-factor?next="):
        return AUTHENTICATOR
    return {403: FORBIDDEN, 404: ABSENT}.get(status, YES)
