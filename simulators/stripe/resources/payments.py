"""How a payment moves: the steps of a Payment Intent, whoever takes them (the API, the hosted page, time).

requires_payment_method -> requires_confirmation -> requires_action -> processing -> requires_capture -> succeeded;
a failed attempt goes back to requires_payment_method; canceled and succeeded are final.
"""

from __future__ import annotations

import secrets
from typing import Any

import segno

from simulators.stripe.errors import ApiError
from simulators.stripe.resources import charges, disputes
from simulators.stripe.resources.cards import Decline
from simulators.stripe.resources.payment_methods import behaviour
from simulators.stripe.store import Entry, Unit, public

AUTHENTICATION_FAILED = Decline(
    "payment_intent_authentication_failure",
    None,
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to "
    "attempt to fulfill this PaymentIntent again.",
)
WALLET_FAILED = Decline(
    "payment_intent_payment_attempt_failed", None, "The payment attempt failed. The customer did not approve the payment."
)
SETTLEMENT_FAILED = Decline("payment_intent_payment_attempt_failed", None, "The payment could not be completed.")


def begin(unit: Unit, intent: Entry, method: Entry, *, return_url: str | None) -> ApiError | None:
    """Try to pay with `method`. Moves and saves the intent; returns the refusal if the bank declines."""
    intent["payment_method"] = method["id"]
    intent["next_action"] = None
    intent["last_payment_error"] = None
    intent["_return_url"] = return_url
    if method["type"] == "card" and not behaviour(method).authenticate:
        return _charge(unit, intent, method)
    page = f"{unit.base_url}/authorise/{intent['id']}?key={intent['_key']}"
    intent["next_action"] = _next_action(intent, method, page, unit.base_url, return_url)
    intent["status"] = "requires_action"
    unit.save(intent)
    unit.emit("payment_intent.requires_action", intent)
    return None


def _next_action(intent: Entry, method: Entry, page: str, base_url: str, return_url: str | None) -> dict[str, Any]:
    if method["type"] == "alipay":
        native = {"native_data": None, "native_url": None}
        return {
            "type": "alipay_handle_redirect",
            "alipay_handle_redirect": {**native, "return_url": return_url, "url": page},
        }
    if method["type"] == "wechat_pay":
        data = code_data(intent)
        picture = f"{base_url}/code/{intent['id']}"
        return {
            "type": "wechat_pay_display_qr_code",
            "wechat_pay_display_qr_code": {
                "data": data,
                "hosted_instructions_url": page,
                "image_data_url": segno.make(data).png_data_uri(scale=4),
                "image_url_png": f"{picture}.png",
                "image_url_svg": f"{picture}.svg",
            },
        }
    if return_url is None:
        return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": page}}
    return {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": page}}


def code_data(intent: Entry) -> str:
    """The text of the drawn code a wallet would scan."""
    return f"weixin://wxpay/bizpayurl?pr={intent['_key'][:9]}"


def authenticated(unit: Unit, intent: Entry, approved: bool) -> ApiError | None:
    """The customer came back from the bank's or the wallet's page."""
    method = unit.need("payment_method", intent["payment_method"], "payment_method")
    intent["next_action"] = None
    if approved:
        return _charge(unit, intent, method)
    is_card = method["type"] == "card"
    return _fail(unit, intent, method, AUTHENTICATION_FAILED if is_card else WALLET_FAILED, charged=not is_card)


def _charge(unit: Unit, intent: Entry, method: Entry) -> ApiError | None:
    decline = behaviour(method).decline
    if decline is not None:
        return _fail(unit, intent, method, decline, charged=True)
    if intent["capture_method"] == "manual":
        _authorise(unit, intent, method)
    elif unit.switches.payments == "async":
        _process(unit, intent, method)
    else:
        charge = charges.create(unit, intent, method, "succeeded", captured=True)
        _succeed(unit, intent, charge)
    return None


def _authorise(unit: Unit, intent: Entry, method: Entry) -> None:
    charge = charges.create(unit, intent, method, "succeeded", captured=False)
    intent["latest_charge"] = charge["id"]
    intent["amount_capturable"] = intent["amount"]
    intent["status"] = "requires_capture"
    unit.save(intent)
    _complete_session(unit, intent, paid=False)
    unit.emit("payment_intent.amount_capturable_updated", intent)
    unit.emit("charge.succeeded", charge)


def _process(unit: Unit, intent: Entry, method: Entry) -> None:
    charge = charges.create(unit, intent, method, "pending", captured=True)
    intent["latest_charge"] = charge["id"]
    intent["status"] = "processing"
    unit.save(intent)
    unit.later(unit.switches.settle_ms / 1000, "settle_payment", intent["id"])
    _complete_session(unit, intent, paid=False)
    unit.emit("payment_intent.processing", intent)
    unit.emit("charge.pending", charge)


def settle(unit: Unit, intent_id: str, result: str) -> bool:
    """Decide a payment that is processing. Returns False if it no longer is."""
    intent = unit.get("payment_intent", intent_id)
    if intent is None or intent["status"] != "processing":
        return False
    unit.done_with("settle_payment", intent_id)
    charge = unit.need("charge", intent["latest_charge"], "charge")
    if result == "succeeded":
        charge["status"] = "succeeded"
        charge["paid"] = True
        _succeed(unit, intent, unit.save(charge))
        return True
    charge.update(
        status="failed",
        captured=False,
        amount_captured=0,
        failure_code=SETTLEMENT_FAILED.code,
        failure_message=SETTLEMENT_FAILED.message,
        outcome=charges.outcome("failed", SETTLEMENT_FAILED),
    )
    unit.save(charge)
    method = unit.need("payment_method", intent["payment_method"], "payment_method")
    _refuse(unit, intent, method, SETTLEMENT_FAILED, charge)
    session = unit.get("checkout.session", intent.get("_session"))
    if session is not None:
        unit.emit("checkout.session.async_payment_failed", session)
    return True


def capture(unit: Unit, intent: Entry, amount: int) -> None:
    """Take `amount` of an authorised payment; what is left of the authorisation is released."""
    charge = unit.need("charge", intent["latest_charge"], "charge")
    charge["captured"] = True
    charge["amount_captured"] = amount
    # Stripe shows the released rest as refunded, without a Refund object.
    charge["amount_refunded"] = charge["amount"] - amount
    intent["amount_capturable"] = 0
    _succeed(unit, intent, unit.save(charge), charge_event="charge.captured")


def _succeed(unit: Unit, intent: Entry, charge: Entry, charge_event: str = "charge.succeeded") -> None:
    charge = charges.book_in_time(unit, charge)
    intent["latest_charge"] = charge["id"]
    intent["amount_received"] = charge["amount_captured"]
    intent["status"] = "succeeded"
    intent["next_action"] = None
    unit.save(intent)
    _complete_session(unit, intent, paid=True)
    unit.emit("payment_intent.succeeded", intent)
    unit.emit(charge_event, charge)
    if charge["_afterwards"] in ("dispute", "inquiry"):
        disputes.open_dispute(unit, charge, inquiry=charge["_afterwards"] == "inquiry")


def _complete_session(unit: Unit, intent: Entry, *, paid: bool) -> None:
    session = unit.get("checkout.session", intent.get("_session"))
    if session is None:
        return
    was_open = session["status"] == "open"
    session["status"] = "complete"
    session["payment_status"] = "paid" if paid else "unpaid"
    session["url"] = None
    session["customer_details"] = session["customer_details"] or _customer_details(session)
    unit.save(session)
    unit.done_with("expire_session", session["id"])
    if was_open:
        unit.emit("checkout.session.completed", session)
    elif paid and intent["capture_method"] != "manual":
        unit.emit("checkout.session.async_payment_succeeded", session)


def _customer_details(session: Entry) -> dict[str, Any]:
    empty = {"address": None, "business_name": None, "individual_name": None, "name": None, "phone": None}
    return {**empty, "email": session["customer_email"], "tax_exempt": "none", "tax_ids": []}


def _fail(unit: Unit, intent: Entry, method: Entry, decline: Decline, *, charged: bool) -> ApiError:
    charge = charges.create(unit, intent, method, "failed", captured=False, decline=decline) if charged else None
    return _refuse(unit, intent, method, decline, charge)


def _refuse(unit: Unit, intent: Entry, method: Entry, decline: Decline, charge: Entry | None) -> ApiError:
    is_card_error = not decline.code.startswith("payment_intent_")
    kind = "card_error" if is_card_error else "invalid_request_error"
    details: dict[str, Any] = {"code": decline.code, "message": decline.message, "type": kind}
    details["doc_url"] = "https://stripe.com/docs/error-codes/" + decline.code.replace("_", "-")
    if charge is not None:
        details["charge"] = charge["id"]
        intent["latest_charge"] = charge["id"]
    if decline.decline_code:
        details["decline_code"] = decline.decline_code
    details["payment_method"] = public(method)
    intent["last_payment_error"] = details
    intent["status"] = "requires_payment_method"
    intent["payment_method"] = None
    intent["next_action"] = None
    unit.save(intent)
    if charge is not None:
        unit.emit("charge.failed", charge)
    unit.emit("payment_intent.payment_failed", intent)
    more = {key: value for key, value in details.items() if key not in ("code", "message", "type", "doc_url")}
    return ApiError(402, decline.message, kind=kind, code=decline.code, performed=True, payment_intent=public(intent), **more)


def cancel(unit: Unit, intent: Entry, reason: str | None) -> None:
    """End a payment that has not succeeded; an authorised amount is released."""
    charge = unit.get("charge", intent["latest_charge"])
    released = intent["status"] == "requires_capture" and charge is not None
    intent["amount_capturable"] = 0
    intent["canceled_at"] = unit.now
    intent["cancellation_reason"] = reason
    intent["next_action"] = None
    intent["status"] = "canceled"
    unit.save(intent)
    unit.emit("payment_intent.canceled", intent)
    if released and charge is not None:
        charge["amount_refunded"] = charge["amount"]
        charge["refunded"] = True
        unit.save(charge)
        unit.emit("charge.refunded", charge)


def new_key() -> str:
    """The secret part of a client secret and of the pages a customer is sent to."""
    return secrets.token_hex(12)
