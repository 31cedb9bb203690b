"""Every call of the API: method, path, the SDK's parameters for it, the function that does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulators.stripe.errors import not_simulated
from simulators.stripe.listing import page, whole
from simulators.stripe.resources import (
    balance,
    charges,
    customers,
    disputes,
    events,
    payment_intents,
    payment_methods,
    refunds,
    sessions,
)
from simulators.stripe.store import Unit

Handler = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Operation:
    """One call. `params` names a TypedDict of the SDK; `<id>` in the path is passed on."""

    method: str
    path: str
    params: str
    handler: Handler


def _list(kind: str, url: str) -> Handler:
    def handler(unit: Unit, params: dict[str, Any]) -> dict[str, Any]:
        return page(unit, kind, params, url)

    return handler


def _line_items(unit: Unit, params: dict[str, Any], identifier: str) -> dict[str, Any]:
    return whole(sessions.line_items(unit, identifier), params, f"/v1/checkout/sessions/{identifier}/line_items")


def _listed(path: str, params: str, kind: str) -> Operation:
    return Operation("GET", path, params, _list(kind, path))


def _search(unit: Unit, params: dict[str, Any]) -> dict[str, Any]:
    raise not_simulated("search")


SEARCHED = (("payment_intents", "PaymentIntent"), ("charges", "Charge"), ("customers", "Customer"))
"""What Stripe can search: by a copy of its books some minutes old, so that nothing about money should ask that way."""

OPERATIONS = (
    Operation("POST", "/v1/payment_intents", "PaymentIntentCreateParams", payment_intents.create),
    _listed("/v1/payment_intents", "PaymentIntentListParams", "payment_intent"),
    *(Operation("GET", f"/v1/{kind}/search", f"{name}SearchParams", _search) for kind, name in SEARCHED),
    Operation("GET", "/v1/payment_intents/<id>", "PaymentIntentRetrieveParams", payment_intents.retrieve),
    Operation("POST", "/v1/payment_intents/<id>", "PaymentIntentUpdateParams", payment_intents.update),
    Operation("POST", "/v1/payment_intents/<id>/confirm", "PaymentIntentConfirmParams", payment_intents.confirm),
    Operation("POST", "/v1/payment_intents/<id>/capture", "PaymentIntentCaptureParams", payment_intents.capture),
    Operation("POST", "/v1/payment_intents/<id>/cancel", "PaymentIntentCancelParams", payment_intents.cancel),
    Operation("POST", "/v1/payment_methods", "PaymentMethodCreateParams", payment_methods.create_call),
    Operation("GET", "/v1/payment_methods/<id>", "PaymentMethodRetrieveParams", payment_methods.retrieve),
    _listed("/v1/charges", "ChargeListParams", "charge"),
    Operation("GET", "/v1/charges/<id>", "ChargeRetrieveParams", charges.retrieve),
    Operation("POST", "/v1/charges/<id>", "ChargeUpdateParams", charges.update),
    Operation("POST", "/v1/checkout/sessions", "checkout.SessionCreateParams", sessions.create),
    _listed("/v1/checkout/sessions", "checkout.SessionListParams", "checkout.session"),
    Operation("GET", "/v1/checkout/sessions/<id>", "checkout.SessionRetrieveParams", sessions.retrieve),
    Operation("POST", "/v1/checkout/sessions/<id>", "checkout.SessionUpdateParams", sessions.update),
    Operation("POST", "/v1/checkout/sessions/<id>/expire", "checkout.SessionExpireParams", sessions.expire),
    Operation("GET", "/v1/checkout/sessions/<id>/line_items", "checkout.SessionLineItemListParams", _line_items),
    Operation("POST", "/v1/refunds", "RefundCreateParams", refunds.create),
    _listed("/v1/refunds", "RefundListParams", "refund"),
    Operation("GET", "/v1/refunds/<id>", "RefundRetrieveParams", refunds.retrieve),
    Operation("POST", "/v1/refunds/<id>", "RefundUpdateParams", refunds.update),
    Operation("POST", "/v1/refunds/<id>/cancel", "RefundCancelParams", refunds.cancel),
    _listed("/v1/disputes", "DisputeListParams", "dispute"),
    Operation("GET", "/v1/disputes/<id>", "DisputeRetrieveParams", disputes.retrieve),
    Operation("POST", "/v1/disputes/<id>", "DisputeUpdateParams", disputes.update),
    Operation("POST", "/v1/disputes/<id>/close", "DisputeCloseParams", disputes.close),
    _listed("/v1/balance_transactions", "BalanceTransactionListParams", "balance_transaction"),
    Operation("GET", "/v1/balance_transactions/<id>", "BalanceTransactionRetrieveParams", balance.retrieve),
    Operation("GET", "/v1/balance", "BalanceRetrieveParams", balance.balance),
    Operation("GET", "/v1/account", "AccountRetrieveCurrentParams", balance.account),
    _listed("/v1/events", "EventListParams", "event"),
    Operation("GET", "/v1/events/<id>", "EventRetrieveParams", events.retrieve),
    Operation("POST", "/v1/customers", "CustomerCreateParams", customers.create),
    _listed("/v1/customers", "CustomerListParams", "customer"),
    Operation("GET", "/v1/customers/<id>", "CustomerRetrieveParams", customers.retrieve),
    Operation("POST", "/v1/customers/<id>", "CustomerUpdateParams", customers.update),
    Operation("DELETE", "/v1/customers/<id>", "CustomerDeleteParams", customers.delete),
)
