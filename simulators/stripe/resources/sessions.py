"""`/v1/checkout/sessions`: hosted pages on which one purchase is paid."""

from __future__ import annotations

from typing import Any

from simulators.stripe.errors import invalid, missing_parameter, no_such, not_simulated
from simulators.stripe.identifiers import new_identifier
from simulators.stripe.money import LARGEST, known_currency, shown
from simulators.stripe.resources import payments
from simulators.stripe.resources.charges import merge_metadata
from simulators.stripe.resources.payment_intents import available_types, new_intent
from simulators.stripe.store import Entry, Unit

SHORTEST = 30 * 60
LONGEST = 24 * 60 * 60
SIMULATED = {
    *("allowed_payment_method_types", "billing_address_collection", "cancel_url", "client_reference_id", "currency"),
    *("customer", "customer_creation", "customer_email", "excluded_payment_method_types", "expand", "expires_at"),
    *("line_items", "locale", "metadata", "mode", "payment_intent_data", "payment_method_options", "submit_type"),
    *("success_url", "ui_mode", "allow_promotion_codes", "automatic_tax"),
}
SIMULATED_LINE = {"price_data", "quantity", "metadata"}
SIMULATED_PAYMENT = {
    *("capture_method", "description", "metadata", "receipt_email", "shipping", "statement_descriptor"),
    *("statement_descriptor_suffix", "transfer_group"),
}


def create(unit: Unit, params: dict[str, Any]) -> Entry:
    """`POST /v1/checkout/sessions` with `mode=payment`. The Payment Intent is made when the customer first pays."""
    _check(unit, params)
    identifier = new_identifier("cs_test")
    lines = _lines(unit, params)
    currency = lines[0]["currency"]
    total = sum(line["amount_total"] for line in lines)
    _check_total(total, currency, unit.switches.minimum_amount)
    expires_at = _expiry(unit, params)
    types = available_types(params)
    session = {
        "id": identifier,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "allowed_payment_method_types": params.get("allowed_payment_method_types") or None,
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": params.get("billing_address_collection"),
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": unit.now,
        "currency": currency,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {"after_submit": None, "shipping_address": None, "submit": None, "terms_of_service_acceptance": None},
        "customer": params.get("customer"),
        "customer_creation": params.get("customer_creation", "if_required"),
        "customer_details": None,
        "customer_email": params.get("customer_email"),
        "discounts": [],
        "excluded_payment_method_types": params.get("excluded_payment_method_types") or None,
        "expires_at": expires_at,
        "invoice": None,
        "invoice_creation": {"enabled": False, "invoice_data": {}},
        "livemode": False,
        "locale": params.get("locale"),
        "metadata": params.get("metadata") or {},
        "mode": "payment",
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": params.get("payment_method_options") or {},
        "payment_method_types": types,
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": params.get("submit_type"),
        "subscription": None,
        "success_url": params["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{unit.base_url}/pay/{identifier}",
        "wallet_options": None,
        "_lines": lines,
        "_payment": params.get("payment_intent_data") or {},
        "_return_key": payments.new_key(),
    }
    unit.save(session)
    unit.later(expires_at - unit.now, "expire_session", identifier)
    return session


def _check(unit: Unit, params: dict[str, Any]) -> None:
    for name, value in params.items():
        if name not in SIMULATED:
            raise not_simulated(name)
        if name in ("allow_promotion_codes", "automatic_tax") and value not in (False, {"enabled": False}):
            raise not_simulated(name)
    for name in params.get("payment_intent_data") or {}:
        if name not in SIMULATED_PAYMENT:
            raise not_simulated(f"payment_intent_data[{name}]")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise not_simulated(f"ui_mode={params['ui_mode']}")
    if params.get("mode", "payment") != "payment":
        raise not_simulated(f"mode={params['mode']}")
    if "mode" not in params:
        raise missing_parameter("mode")
    if not params.get("success_url"):
        raise missing_parameter("success_url")
    for name in ("success_url", "cancel_url"):
        if params.get(name) and not params[name].startswith(("http://", "https://")):
            raise invalid("Not a valid URL", param=name, code="url_invalid")
    if not params.get("line_items"):
        raise missing_parameter("line_items")
    if len(params["line_items"]) > 100:
        raise invalid("Checkout Sessions in payment mode can have at most 100 line items.", param="line_items")
    if len(params.get("client_reference_id", "")) > 200:
        raise invalid("Invalid string: must be at most 200 characters", param="client_reference_id")
    if params.get("customer") and params.get("customer_email"):
        raise invalid("You may only specify one of these parameters: customer, customer_email.", param="customer")
    if params.get("customer") and unit.get("customer", params["customer"]) is None:
        raise no_such("customer", params["customer"], "customer", status=400)


def _lines(unit: Unit, params: dict[str, Any]) -> list[dict[str, Any]]:
    lines = [_line(unit, line, f"line_items[{number}]") for number, line in enumerate(params["line_items"])]
    currencies = {line["currency"] for line in lines}
    if len(currencies) > 1 or (params.get("currency") and params["currency"].lower() not in currencies):
        raise invalid("All prices on a Checkout Session must have the same currency.", param="line_items")
    return lines


def _line(unit: Unit, line: dict[str, Any], where: str) -> dict[str, Any]:
    if line.get("price"):
        raise no_such("price", line["price"], f"{where}[price]", status=400)
    for name in line:
        if name not in SIMULATED_LINE:
            raise not_simulated(f"{where}[{name}]")
    data = line.get("price_data")
    if data is None:
        raise missing_parameter(f"{where}[price_data]")
    product = data.get("product_data")
    if product is None:
        raise missing_parameter(f"{where}[price_data][product_data]")
    if data.get("unit_amount") is None:
        raise missing_parameter(f"{where}[price_data][unit_amount]")
    for name in ("recurring", "unit_amount_decimal"):
        if name in data:
            raise not_simulated(f"{where}[price_data][{name}]")
    unit_amount = data["unit_amount"]
    if unit_amount < 0:
        raise invalid("Invalid non-negative integer", param=f"{where}[price_data][unit_amount]", code="parameter_invalid_integer")
    quantity = line.get("quantity")
    if quantity is None:
        raise invalid(f"Quantity is required. Add `quantity` to `{where}`", param=f"{where}[quantity]", code="parameter_missing")
    if quantity < 1:
        raise invalid("This value must be greater than or equal to 1.", param=f"{where}[quantity]", code="parameter_invalid_integer")
    currency = known_currency(data["currency"], f"{where}[price_data][currency]")
    return {
        "id": new_identifier("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": unit_amount * quantity,
        "amount_tax": 0,
        "amount_total": unit_amount * quantity,
        "currency": currency,
        "description": product["name"],
        "metadata": line.get("metadata") or {},
        "price": _price(unit, unit_amount, currency, product),
        "quantity": quantity,
    }


def _price(unit: Unit, unit_amount: int, currency: str, product: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": new_identifier("price"),
        "object": "price",
        "active": False,
        "billing_scheme": "per_unit",
        "created": unit.now,
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": new_identifier("prod"),
        "recurring": None,
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": unit_amount,
        "unit_amount_decimal": str(unit_amount),
        "_description": product.get("description"),
    }


def _check_total(total: int, currency: str, minimum: int) -> None:
    if total < minimum:
        raise invalid(
            f"The Checkout Session's total amount due must add up to at least {shown(minimum, currency)} {currency}",
            code="amount_too_small",
        )
    if total > LARGEST:
        raise invalid(f"The Checkout Session's total amount must convert to at most {shown(LARGEST, currency)}.", code="amount_too_large")


def _expiry(unit: Unit, params: dict[str, Any]) -> int:
    expires_at = int(params.get("expires_at", unit.now + LONGEST))
    if expires_at < unit.now + SHORTEST:
        raise invalid("The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.", param="expires_at")
    if expires_at > unit.now + LONGEST:
        raise invalid("The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.", param="expires_at")
    return expires_at


def retrieve(unit: Unit, params: dict[str, Any], identifier: str) -> Entry:
    """`GET /v1/checkout/sessions/:id`."""
    return unit.need("checkout.session", identifier, "session")


def update(unit: Unit, params: dict[str, Any], identifier: str) -> Entry:
    """`POST /v1/checkout/sessions/:id`: metadata."""
    for name in params:
        if name not in ("metadata", "expand"):
            raise not_simulated(name)
    session = unit.need("checkout.session", identifier, "session")
    merge_metadata(session, params)
    return unit.save(session)


def line_items(unit: Unit, identifier: str) -> list[dict[str, Any]]:
    """The lines of a session as the API lists them."""
    lines = unit.need("checkout.session", identifier, "session")["_lines"]
    return [{**line, "price": {name: value for name, value in line["price"].items() if not name.startswith("_")}} for line in lines]


def expire(unit: Unit, params: dict[str, Any], identifier: str) -> Entry:
    """`POST /v1/checkout/sessions/:id/expire`: only an open one."""
    session = unit.need("checkout.session", identifier, "session")
    if session["status"] != "open":
        raise invalid(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of `{session["status"]}`.'
        )
    return _expired(unit, session)


def run_out(unit: Unit, identifier: str) -> bool:
    """The session's time is over. Returns False if it was closed before."""
    session = unit.get("checkout.session", identifier)
    if session is None or session["status"] != "open":
        return False
    _expired(unit, session)
    return True


def _expired(unit: Unit, session: Entry) -> Entry:
    session["status"] = "expired"
    session["url"] = None
    unit.save(session)
    unit.done_with("expire_session", session["id"])
    unit.emit("checkout.session.expired", session)
    intent = unit.get("payment_intent", session["payment_intent"])
    if intent is not None and intent["status"] not in ("succeeded", "canceled"):
        payments.cancel(unit, intent, "expired")
    return session


def payment_of(unit: Unit, session: Entry) -> Entry:
    """The session's Payment Intent, made now if this is the first attempt to pay. Saves both."""
    existing = unit.get("payment_intent", session["payment_intent"])
    if existing is not None:
        return existing
    data = {
        **session["_payment"],
        "customer": session["customer"],
        "allowed_payment_method_types": session["allowed_payment_method_types"],
        "excluded_payment_method_types": session["excluded_payment_method_types"],
        "payment_method_options": session["payment_method_options"],
    }
    intent = new_intent(unit, data, session["amount_total"], session["currency"], session)
    session["payment_intent"] = intent["id"]
    unit.save(session)
    unit.save(intent)
    unit.emit("payment_intent.created", intent)
    return intent
