"""`/v1/customers`, the little a shop needs: a name on a payment."""

from __future__ import annotations

from typing import Any

from simulators.stripe.errors import not_simulated
from simulators.stripe.identifiers import new_identifier
from simulators.stripe.resources.charges import merge_metadata
from simulators.stripe.store import Entry, Unit

PLAIN = ("address", "business_name", "description", "email", "individual_name", "name", "phone", "shipping")


def create(unit: Unit, params: dict[str, Any]) -> Entry:
    """`POST /v1/customers`."""
    _only_simulated(params)
    customer = {
        "id": new_identifier("cus"),
        "object": "customer",
        "balance": 0,
        "created": unit.now,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "discount": None,
        "invoice_prefix": None,
        "livemode": False,
        "metadata": params.get("metadata") or {},
        "preferred_locales": params.get("preferred_locales") or [],
        "tax_exempt": "none",
        "test_clock": None,
        **{name: params.get(name) or None for name in PLAIN},
    }
    unit.save(customer)
    unit.emit("customer.created", customer)
    return customer


def retrieve(unit: Unit, params: dict[str, Any], identifier: str) -> Entry:
    """`GET /v1/customers/:id`; a deleted one answers with its id and `deleted`."""
    return unit.need("customer", identifier, "id")


def update(unit: Unit, params: dict[str, Any], identifier: str) -> Entry:
    """`POST /v1/customers/:id`."""
    _only_simulated(params)
    customer = unit.need("customer", identifier, "id")
    for name in PLAIN:
        if name in params:
            customer[name] = params[name] or None
    merge_metadata(customer, params)
    unit.save(customer)
    unit.emit("customer.updated", customer)
    return customer


def delete(unit: Unit, params: dict[str, Any], identifier: str) -> dict[str, Any]:
    """`DELETE /v1/customers/:id`."""
    customer = unit.need("customer", identifier, "id")
    unit.remove("customer", identifier)
    unit.emit("customer.deleted", customer)
    return {"id": identifier, "object": "customer", "deleted": True}


def _only_simulated(params: dict[str, Any]) -> None:
    for name in params:
        if name not in (*PLAIN, "metadata", "preferred_locales", "expand"):
            raise not_simulated(name)
