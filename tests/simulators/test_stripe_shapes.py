"""Every object the simulator answers or sends is one the provider's own SDK knows, field by field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe
from flask import Response, request

from simulators.stripe.harness import Running, eventually, running
from simulators.stripe.operations import OPERATIONS
from tests.support.sdk_shapes import class_of, faults

pytestmark = pytest.mark.one_engine

SOURCE = Path(__file__).parents[2] / "simulators" / "stripe"
EMITTED = set(re.findall(r"""(?:emit\(|charge_event(?:: str)? ?= ?)"([a-z_.]+)\"""", "".join(p.read_text() for p in SOURCE.rglob("*.py"))))
NO_REDIRECTS = {"automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}}
MONEY: dict[str, Any] = {"amount": 5_002, "currency": "cny"}
CARD: dict[str, Any] = {**MONEY, "confirm": True, "payment_method": "pm_card_visa", **NO_REDIRECTS}
LINE = {"quantity": 1, "price_data": {"currency": "cny", "unit_amount": 5_002, "product_data": {"name": "oranges"}}}
SESSION: dict[str, Any] = {"mode": "payment", "line_items": [LINE], "success_url": "https://linli.example/"}


class Account:
    """A simulated account all of whose calls are made at least once; what it answered, by call."""

    def __init__(self, account: Running) -> None:
        self.running, self.answered, self.called = account, [], set()
        self.answered: list[dict[str, Any]]
        self.called: set[str | None]
        account.app.after_request(self._keep)
        self.api = account.client().v1

    def _keep(self, response: Response) -> Response:
        if request.path.startswith("/v1/"):
            self.answered.append(response.get_json())
            self.called.add(request.endpoint)
        return response

    def live(self) -> None:
        """What happens to an account, all of it."""
        self.people()
        self.intents()
        self.pages()
        self.refunds()
        self.disputes()
        self.lists()

    def people(self) -> None:
        made = self.api.customers.create({"name": "甲", "email": "a@linli.example"})
        self.api.customers.retrieve(made.id)
        self.api.customers.update(made.id, {"name": "乙"})
        self.api.payment_intents.create({**MONEY, "customer": made.id}, {"idempotency_key": "k"})
        self.api.customers.delete(made.id)
        method = self.api.payment_methods.create({"type": "alipay"})
        self.api.payment_methods.retrieve(method.id)

    def intents(self) -> None:
        made = self.api.payment_intents.create({**MONEY, **NO_REDIRECTS})
        self.api.payment_intents.update(made.id, {"payment_method": "pm_card_visa"})
        self.api.payment_intents.confirm(made.id, {"expand": ["latest_charge.balance_transaction.source"]})
        self.api.payment_intents.retrieve(made.id, {"expand": ["payment_method", "latest_charge.refunds"]})
        self.api.payment_intents.cancel(self.api.payment_intents.create(MONEY).id)
        held = self.api.payment_intents.create({**CARD, "capture_method": "manual"})
        self.api.payment_intents.capture(held.id, {"amount_to_capture": 4_000})
        self.api.payment_intents.cancel(self.api.payment_intents.create({**CARD, "capture_method": "manual"}).id)
        for card in ("visa_chargeDeclined", "chargeDeclinedExpiredCard", "visa_chargeDeclinedStolenCard"):
            with pytest.raises(stripe.CardError):
                self.api.payment_intents.create({**CARD, "payment_method": f"pm_card_{card}"})
        wallets: dict[str, Any] = {"alipay": {}, "wechat_pay": {"client": "web"}}
        for wallet, options in wallets.items():
            self.api.payment_intents.create({
                **MONEY, "confirm": True, "return_url": "https://linli.example/", "payment_method_data": {"type": wallet},
                "payment_method_options": {wallet: options},
            })  # fmt: skip
        self.api.payment_intents.create({**CARD, "payment_method": "pm_card_authenticationRequired"})
        self.api.payment_intents.create({
            **MONEY, "confirm": True, "payment_method": "pm_card_threeDSecure2Required", "return_url": "https://linli.example/"
        })  # fmt: skip
        self.running.control(payments="async", settle_ms=60_000)
        self._settled(self.api.payment_intents.create(CARD).id, "failed")
        self.running.control(payments="sync", balance_transactions="later", settle_ms=20)
        late = self.api.payment_intents.create({**CARD, "expand": ["latest_charge"]})
        assert late.latest_charge.balance_transaction is None
        self.running.inbox.wait_for("charge.updated")
        self.running.control(balance_transactions="at_once", settle_ms=60_000)

    def _settled(self, intent: str, outcome: str) -> None:
        self.running.control("/settle", payment_intent=intent, outcome=outcome)

    def pages(self) -> None:
        page = self.api.checkout.sessions.create({**SESSION, "metadata": {"order": "7"}, "customer_email": "a@linli.example"})
        self._paid_on(page)
        self.api.checkout.sessions.retrieve(page.id, {"expand": ["payment_intent.latest_charge.balance_transaction", "line_items"]})
        self.api.checkout.sessions.line_items.list(page.id)
        self.api.checkout.sessions.update(page.id, {"metadata": {"order": "8"}})
        self.api.checkout.sessions.expire(self.api.checkout.sessions.create(SESSION).id)
        self.running.control(payments="async")
        for outcome in ("succeeded", "failed"):
            page = self.api.checkout.sessions.create(SESSION)
            self._paid_on(page)
            self._settled(self.api.checkout.sessions.retrieve(page.id).payment_intent, outcome)
        self.running.control(payments="sync")

    def _paid_on(self, page: Any) -> None:
        form = {"number": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123"}
        assert requests.post(f"{page.url}/card", data=form, allow_redirects=False, timeout=10).status_code == 303

    def refunds(self) -> None:
        for card, outcome in (("visa", None), ("pendingRefund", "succeeded"), ("refundFail", "failed")):
            paid = self.api.payment_intents.create({**CARD, "payment_method": f"pm_card_{card}"})
            made = self.api.refunds.create({"payment_intent": paid.id, "amount": 100, "reason": "duplicate"})
            if outcome:
                self.running.control("/settle", refund=made.id, outcome=outcome)
            self.api.refunds.update(made.id, {"metadata": {"a": "b"}})
            self.api.refunds.retrieve(made.id, {"expand": ["charge", "balance_transaction"]})
            with pytest.raises(stripe.InvalidRequestError):
                self.api.refunds.cancel(made.id)

    def disputes(self) -> None:
        for end in ("won", "lost"):
            paid = self.api.payment_intents.create({**CARD, "payment_method": "pm_card_createDispute"})
            dispute = self.api.disputes.list({"payment_intent": paid.id, "expand": ["data.charge"]}).data[0]
            self.api.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "collected"}, "metadata": {"a": "b"}})
            self.running.control("/dispute", dispute=dispute.id, status=end)
            self.api.disputes.retrieve(dispute.id)
        asked = self.api.payment_intents.create({**CARD, "payment_method": "pm_card_createDisputeInquiry"})
        self.api.disputes.close(self.api.disputes.list({"payment_intent": asked.id}).data[0].id)

    def lists(self) -> None:
        charge = self.api.charges.list({"limit": 100}).data[0]
        self.api.charges.retrieve(charge.id, {"expand": ["balance_transaction"]})
        self.api.charges.update(charge.id, {"description": "oranges"})
        for search in (self.api.payment_intents.search, self.api.charges.search, self.api.customers.search):
            with pytest.raises(stripe.InvalidRequestError, match="does not act on search"):
                search({"query": "status:'succeeded'"})
        for many in (self.api.payment_intents, self.api.checkout.sessions, self.api.refunds, self.api.customers, self.api.disputes):
            many.list({"limit": 100})
        movement = self.api.balance_transactions.list({"limit": 100, "expand": ["data.source"]}).data[0]
        self.api.balance_transactions.retrieve(movement.id)
        self.api.balance.retrieve()
        self.api.accounts.retrieve_current()
        for event in self.api.events.list({"limit": 100}).auto_paging_iter():
            last = event
        self.api.events.retrieve(last.id)


@pytest.fixture(scope="module", params=["cny", "hkd", "jpy"])
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    with running() as simulator:
        lived = Account(simulator)
        simulator.control(settlement=request.param)
        lived.live()
        eventually(lambda: set(simulator.inbox.types()) >= EMITTED)
        yield lived


def test_every_answer_is_one_the_sdk_knows(account: Account) -> None:
    assert {f"api.operation_{number}" for number in range(len(OPERATIONS))} == account.called
    found = {fault for answer in account.answered for fault in faults_of(answer)}
    assert sorted(found) == []


def test_every_event_is_one_the_sdk_knows(account: Account) -> None:
    events = [event.to_dict() for event in account.running.inbox.events()]
    assert {event["type"] for event in events} == EMITTED
    found = {fault for event in events for fault in (*faults_of(event), *faults_of(event["data"]["object"], event["type"]))}
    assert sorted(found) == []


def faults_of(thing: dict[str, Any], where: str = "") -> list[str]:
    """How an object of the API differs from the SDK's class of its name."""
    if "error" in thing:
        return faults(thing["error"], stripe.ErrorObject, "error")
    where = where or thing["object"]
    if thing["object"] == "list":
        return faults({**thing, "data": []}, stripe.ListObject, where) + [fault for one in thing["data"] for fault in faults_of(one)]
    if thing.get("deleted"):
        return [] if set(thing) == {"id", "object", "deleted"} else [f"{where} is gone and has other fields"]
    return faults(thing, class_of(thing), where)


@pytest.mark.parametrize("account", ["hkd"], indirect=True)
@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"amount": "5002"}, "charge.amount is str '5002', not int"),
        ({"amount": True}, "charge.amount is bool 'True', not int"),
        ({"amount": None}, "charge.amount is NoneType 'None', not int"),
        ({"fancy": 1}, "charge.fancy is no field of Charge"),
        ({"status": "done"}, "charge.status is 'done', none of failed, pending, succeeded"),
        ({"metadata": []}, "charge.metadata is list"),
        ({"outcome": {}}, "charge.outcome.type is missing"),
        ({"outcome": {"type": "authorized", "advice_code": "later"}}, "charge.outcome.advice_code is 'later'"),
        ({"payment_method_details": {"type": "card", "card": {"display_brand": "visa"}}}, "card.display_brand is no field"),
        ({"balance_transaction": {"object": "balance_transaction", "fee": "1"}}, "charge.balance_transaction.fee is str"),
        ({"refunds": {"object": "list", "data": [{"object": "refund", "amount": 1.5}]}}, "charge.refunds.data[0].amount is float"),
    ],
)
def test_a_wrong_object_is_noticed(account: Account, changes: dict[str, Any], fault: str) -> None:
    charge = next(answer for answer in account.answered if answer.get("object") == "charge")
    assert faults_of(charge) == []
    found = faults_of({**charge, **changes})
    assert [one for one in found if fault in one], found


@pytest.mark.parametrize("account", ["hkd"], indirect=True)
def test_a_missing_field_is_noticed(account: Account) -> None:
    charge = next(answer for answer in account.answered if answer.get("object") == "charge")
    found = faults_of({name: value for name, value in charge.items() if name not in ("currency", "receipt_url")})
    assert found == ["charge.currency is missing"]
