"""`/v1/payment_intents`."""

from __future__ import annotations

from typing import Any

from simulators.stripe.errors import ApiError, invalid, missing_parameter, no_such, not_simulated
from simulators.stripe.identifiers import new_identifier
from simulators.stripe.money import check_amount, known_currency, shown
from simulators.stripe.resources import payment_methods, payments
from simulators.stripe.resources.charges import merge_metadata
from simulators.stripe.store import Entry, Unit, public

CHANGEABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing")
PLAIN = ("description", "receipt_email", "shipping", "statement_descriptor", "statement_descriptor_suffix", "transfer_group")
SIMULATED = {
    *PLAIN,
    *("allowed_payment_method_types", "amount", "amount_to_capture", "automatic_payment_methods", "cancellation_reason"),
    *("capture_method", "confirm", "confirmation_method", "currency", "customer", "error_on_requires_action"),
    *("excluded_payment_method_types", "expand", "final_capture", "metadata", "off_session", "payment_method"),
    *("payment_method_data", "payment_method_options", "return_url", "use_stripe_sdk"),
}


def create(unit: Unit, params: dict[str, Any]) -> Entry:
    """`POST /v1/payment_intents`, with `confirm` a first attempt at once."""
    _only_simulated(params)
    currency = known_currency(params["currency"])
    check_amount(params["amount"], currency, unit.switches.minimum_amount)
    intent = new_intent(unit, params, params["amount"], currency)
    if params.get("customer"):
        _need_customer(unit, params["customer"])
    if not params.get("confirm"):
        for name in ("return_url", "error_on_requires_action", "off_session"):
            if params.get(name):
                raise invalid(f"You can only set `{name}` when confirming (`confirm` is true).", param=name)
    method = _method(unit, intent, params)
    if method is not None:
        intent["payment_method"] = method["id"]
        intent["status"] = "requires_confirmation"
    unit.save(intent)
    unit.emit("payment_intent.created", intent)
    if params.get("confirm"):
        return _confirm(unit, intent, method, params)
    return intent


def new_intent(unit: Unit, params: dict[str, Any], amount: int, currency: str, session: Entry | None = None) -> Entry:
    """A Payment Intent at its start, not saved yet."""
    types = available_types(params)
    key = payments.new_key()
    identifier = new_identifier("pi")
    automatic = params.get("automatic_payment_methods") or {"enabled": True}
    allowed = params.get("allowed_payment_method_types") or None
    return {
        "id": identifier,
        "object": "payment_intent",
        "allowed_payment_method_types": allowed,
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None
        if session is not None or allowed
        else {"allow_redirects": automatic.get("allow_redirects", "always"), "enabled": automatic["enabled"]},
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": params.get("capture_method", "automatic_async"),
        "client_secret": f"{identifier}_secret_{key}",
        "confirmation_method": params.get("confirmation_method", "automatic"),
        "created": unit.now,
        "currency": currency,
        "customer": params.get("customer"),
        "description": params.get("description"),
        "excluded_payment_method_types": params.get("excluded_payment_method_types") or None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": params.get("metadata") or {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": params.get("payment_method_options") or {name: {} for name in types},
        "payment_method_types": types,
        "processing": None,
        "receipt_email": params.get("receipt_email"),
        "review": None,
        "setup_future_usage": None,
        "shipping": params.get("shipping"),
        "source": None,
        "statement_descriptor": params.get("statement_descriptor"),
        "statement_descriptor_suffix": params.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": params.get("transfer_group"),
        "_key": key,
        "_return_url": None,
        "_session": session["id"] if session is not None else None,
    }


def available_types(params: dict[str, Any]) -> list[str]:
    """The payment methods that fit: what the account offers, less what is excluded or not allowed.

    Unlike the former `payment_method_types`, methods that do not fit are dropped without an error, as Stripe does.
    """
    allowed = params.get("allowed_payment_method_types")
    excluded = params.get("excluded_payment_method_types") or []
    for name in ("excluded_payment_method_types", "automatic_payment_methods"):
        if allowed and params.get(name):
            raise invalid(f"You may only specify one of these parameters: allowed_payment_method_types, {name}.", param=name)
    types = [name for name in payment_methods.ACCOUNT_TYPES if (not allowed or name in allowed) and name not in excluded]
    if (params.get("payment_intent_data") or params).get("capture_method") == "manual":
        types = [name for name in types if name not in payment_methods.WALLETS]
    if not types:
        raise invalid(
            "No valid payment method types for this payment. Check the payment methods enabled for your account and the "
            "parameters of the request.",
            param="allowed_payment_method_types" if allowed else None,
        )
    return types


def confirm(unit: Unit, params: dict[str, Any], identifier: str) -> Entry:
    """`POST /v1/payment_intents/:id/confirm`."""
    _only_simulated(params)
    intent = _need(unit, identifier)
    _not_of_checkout(unit, intent)
    if intent["status"] == "succeeded":
        raise _unexpected(
            intent, "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed."
        )
    if intent["status"] not in CHANGEABLE:
        raise _unexpected(
            intent,
            f"This PaymentIntent's status is {intent['status']}. You cannot confirm this PaymentIntent because it has a status "
            f"of {intent['status']}. Only a PaymentIntent with one of the following statuses may be confirmed: "
            "requires_confirmation, requires_action.",
        )
    for name in ("receipt_email", "shipping"):
        if name in params:
            intent[name] = params[name] or None
    return _confirm(unit, intent, _method(unit, intent, params), params)


def _confirm(unit: Unit, intent: Entry, method: Entry | None, params: dict[str, Any]) -> Entry:
    if method is None:
        raise _unexpected(
            intent,
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the "
            "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method "
            "or ConfirmationToken.",
        )
    return_url = params.get("return_url")
    options = params.get("payment_method_options") or intent["payment_method_options"] or {}
    intent["payment_method_options"] = options
    _check_redirect(intent, method, return_url)
    if method["type"] == "wechat_pay" and not (options.get("wechat_pay") or {}).get("client"):
        raise missing_parameter("payment_method_options[wechat_pay][client]")
    if params.get("error_on_requires_action") or params.get("off_session"):
        _refuse_authentication(unit, intent, method)
    refusal = payments.begin(unit, intent, method, return_url=return_url)
    if refusal is not None:
        raise refusal
    return intent


def _check_redirect(intent: Entry, method: Entry, return_url: str | None) -> None:
    if return_url:
        return
    if method["type"] == "alipay":
        raise missing_parameter("return_url")
    automatic = intent["automatic_payment_methods"]
    if automatic and automatic["enabled"] and automatic["allow_redirects"] == "always":
        raise invalid(
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these payment "
            "methods might redirect your customer off of your page, you must provide a `return_url`. If you don't want to accept "
            "redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and "
            "`automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.",
            param="return_url",
            payment_intent=public(intent),
        )


def _refuse_authentication(unit: Unit, intent: Entry, method: Entry) -> None:
    needs = method["type"] != "card" or payment_methods.behaviour(method).authenticate
    if needs:
        raise ApiError(
            402,
            "Your card was declined. This transaction requires authentication.",
            kind="card_error",
            code="authentication_required",
            decline_code="authentication_required",
            payment_intent=public(intent),
        )


def _method(unit: Unit, intent: Entry, params: dict[str, Any]) -> Entry | None:
    data = params.get("payment_method_data")
    if params.get("payment_method"):
        method = payment_methods.resolve(unit, params["payment_method"])
    elif data:
        if data["type"] == "card":
            raise not_simulated("payment_method_data[type]=card")
        method = payment_methods.create_wallet(unit, data["type"], "payment_method_data[type]", data)
    elif intent["payment_method"]:
        method = payment_methods.resolve(unit, intent["payment_method"])
    else:
        return None
    if method["type"] not in intent["payment_method_types"]:
        raise invalid(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this PaymentIntent. Please attach a PaymentMethod of "
            f"one of the following types: {', '.join(intent['payment_method_types'])}.",
            param="payment_method",
            code="payment_intent_incompatible_payment_method",
        )
    return method


def retrieve(unit: Unit, params: dict[str, Any], identifier: str) -> Entry:
    """`GET /v1/payment_intents/:id`."""
    return _need(unit, identifier)


def update(unit: Unit, params: dict[str, Any], identifier: str) -> Entry:
    """`POST /v1/payment_intents/:id`: metadata and description always, the rest only before the payment."""
    _only_simulated(params)
    intent = _need(unit, identifier)
    for name in params:
        if name not in ("metadata", "description", "expand", *PLAIN) and intent["status"] not in CHANGEABLE:
            raise _unexpected(
                intent,
                f"This PaymentIntent's {name} could not be updated because it has a status of {intent['status']}. You may only "
                f"update the {name} of a PaymentIntent with one of the following statuses: {', '.join(CHANGEABLE)}.",
            )
    if "amount" in params or "currency" in params:
        _not_of_checkout(unit, intent)
        intent["currency"] = known_currency(str(params.get("currency", intent["currency"])))
        intent["amount"] = params.get("amount", intent["amount"])
        check_amount(intent["amount"], intent["currency"], unit.switches.minimum_amount)
    for name in PLAIN:
        if name in params:
            intent[name] = params[name] or None
    if params.get("customer"):
        intent["customer"] = _need_customer(unit, params["customer"])
    merge_metadata(intent, params)
    if params.get("payment_method") or params.get("payment_method_data"):
        method = _method(unit, intent, params)
        intent["payment_method"] = method["id"] if method else None
        intent["status"] = "requires_confirmation"
        intent["next_action"] = None
    return unit.save(intent)


def capture(unit: Unit, params: dict[str, Any], identifier: str) -> Entry:
    """`POST /v1/payment_intents/:id/capture`."""
    _only_simulated(params)
    intent = _need(unit, identifier)
    if intent["status"] != "requires_capture":
        raise _unexpected(
            intent,
            f"This PaymentIntent could not be captured because it has a status of {intent['status']}. Only a PaymentIntent with one "
            "of the following statuses may be captured: requires_capture.",
        )
    amount: int = params.get("amount_to_capture") or intent["amount_capturable"]
    if not 0 < amount <= intent["amount_capturable"]:
        capturable = shown(intent["amount_capturable"], intent["currency"])
        raise invalid(
            f"The remaining amount on this PaymentIntent that can be captured is {capturable}.",
            param="amount_to_capture",
            code="amount_too_large",
        )
    merge_metadata(intent, params)
    payments.capture(unit, intent, amount)
    return intent


def cancel(unit: Unit, params: dict[str, Any], identifier: str) -> Entry:
    """`POST /v1/payment_intents/:id/cancel`."""
    intent = _need(unit, identifier)
    _not_of_checkout(unit, intent)
    if intent["status"] not in CANCELABLE or intent["status"] == "processing":
        raise _unexpected(
            intent,
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent with one of "
            f"the following statuses may be canceled: {', '.join(CANCELABLE)}.",
        )
    payments.cancel(unit, intent, params.get("cancellation_reason"))
    return intent


def _need(unit: Unit, identifier: str) -> Entry:
    return unit.need("payment_intent", identifier, "intent")


def _need_customer(unit: Unit, identifier: str) -> str:
    if unit.get("customer", identifier) is None:
        raise no_such("customer", identifier, "customer", status=400)
    return identifier


def _not_of_checkout(unit: Unit, intent: Entry) -> None:
    session = unit.get("checkout.session", intent["_session"])
    if session is not None and session["status"] == "open":
        raise invalid("You cannot perform this action on PaymentIntents created by Checkout. Expire the Checkout Session instead.")


def _unexpected(intent: Entry, message: str) -> ApiError:
    return invalid(message, code="payment_intent_unexpected_state", payment_intent=public(intent))


def _only_simulated(params: dict[str, Any]) -> None:
    for name in params:
        if name not in SIMULATED:
            raise not_simulated(name)
