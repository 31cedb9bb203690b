"""`/_control`: the switches tests turn, and what they look at. No key needed; the program listens on 127.0.0.1 only."""

from __future__ import annotations

import random
from typing import Any

from flask import Blueprint, Flask, jsonify, request
from flask.typing import ResponseReturnValue

from simulators.stripe.background import run_due
from simulators.stripe.books import books
from simulators.stripe.errors import ApiError
from simulators.stripe.resources import charges, disputes, payments, refunds, sessions
from simulators.stripe.store import Entry, Unit, public
from simulators.stripe.webhooks import RESENDABLE
from simulators.stripe.world import World


class Misused(ValueError):
    """A control call that makes no sense; answered with a sentence."""


def register(app: Flask, world: World) -> None:
    """Serve the control calls on `app`."""
    blueprint = Blueprint("control", __name__, url_prefix="/_control")
    routes: list[tuple[str, str, Any]] = [
        ("POST", "", _turn),
        ("GET", "", lambda world: world.switches.shown()),
        ("POST", "/flush", _flush),
        ("POST", "/expire", _expire),
        ("POST", "/dispute", _dispute),
        ("POST", "/settle", _settle),
        ("POST", "/refund", _refund),
        ("POST", "/reset", _reset),
        ("GET", "/log", lambda world: {"requests": list(world.log)}),
        ("GET", "/books", lambda world: books(world, request.args.get("reference"))),
        ("GET", "/webhooks", _webhooks),
    ]
    for method, path, action in routes:
        blueprint.add_url_rule(path, f"{method} {path}".replace("/", "_"), _view(world, action), methods=[method])
    app.register_blueprint(blueprint)


def _view(world: World, action: Any) -> Any:
    def view() -> ResponseReturnValue:
        try:
            return jsonify(action(world))
        except (Misused, ValueError, TypeError) as problem:
            return jsonify({"error": str(problem)}), 400
        except ApiError as refusal:
            return jsonify({"error": str(refusal)}), refusal.status

    return view


def _given() -> dict[str, Any]:
    body = request.get_json(force=True, silent=True) if request.data else {}
    if not isinstance(body, dict):
        raise Misused("a JSON object is expected")
    return body


def _turn(world: World) -> dict[str, Any]:
    changes = _given()
    with world.lock:
        world.switches.turn(changes)
        if "seed" in changes:
            world.courier.reseed(world.switches.seed)
    run_due(world)
    return world.switches.shown()


def _flush(world: World) -> dict[str, Any]:
    """Send what is held (and what failed for good), now and in one go.

    `order`: "planned" (default), "reverse", "shuffle", or a list of event ids, event types or positions; what the list
    does not name stays held. `duplicate`: extra copies of each. `include`: ["lost"] releases dropped ones as well.
    `only`: event types. `at_once`: all at the same moment instead of one after the other.
    """
    given = _given()
    states = {*RESENDABLE, *given.get("include", [])}
    with world.lock:
        entries = [dict(entry) for entry in world.store.entries.get("_delivery", {}).values() if entry["state"] in states]
    if given.get("only"):
        entries = [entry for entry in entries if entry["type"] in given["only"]]
    chosen = _ordered(entries, given.get("order", "planned"), random.Random(given.get("seed", world.switches.seed)))
    copies = [entry for entry in chosen for _ in range(1 + int(given.get("duplicate", 0)))]
    return {"sent": world.courier.flush(copies, at_once=bool(given.get("at_once")))}


def _ordered(entries: list[Entry], order: Any, chance: random.Random) -> list[Entry]:
    if order == "planned":
        return entries
    if order == "reverse":
        return entries[::-1]
    if order == "shuffle":
        return chance.sample(entries, len(entries))
    if not isinstance(order, list):
        raise Misused("order must be planned, reverse, shuffle or a list")
    chosen = []
    for wanted in order:
        if isinstance(wanted, int):
            if not 0 <= wanted < len(entries):
                raise Misused(f"there is no held delivery at position {wanted}")
            chosen.append(entries[wanted])
            continue
        found = [entry for entry in entries if wanted in (entry["event"], entry["type"])]
        if not found:
            raise Misused(f"nothing is held for {wanted}")
        chosen.extend(found)
    return chosen


def _expire(world: World) -> dict[str, Any]:
    """Let the time of a session run out now."""
    identifier = str(_given().get("session"))
    with world.unit() as unit:
        unit.need("checkout.session", identifier, "session")
        return {"expired": sessions.run_out(unit, identifier)}


def _dispute(world: World) -> dict[str, Any]:
    """Open a dispute on a payment (`inquiry`, `reason`, `amount`), or decide it with `status` won, lost, warning_closed."""
    given = _given()
    with world.unit() as unit:
        status = given.get("status")
        if status is not None:
            if status not in disputes.CLOSED:
                raise Misused(f"status must be one of {', '.join(disputes.CLOSED)}")
            return public(disputes.decide(unit, _dispute_of(unit, given), status))
        charge = _charge_of(unit, given)
        inquiry = bool(given.get("inquiry"))
        reason = str(given.get("reason", "fraudulent"))
        return public(disputes.open_dispute(unit, charge, inquiry=inquiry, reason=reason, amount=given.get("amount")))


def _dispute_of(unit: Unit, given: dict[str, Any]) -> Entry:
    if given.get("dispute"):
        return unit.need("dispute", str(given["dispute"]), "dispute")
    charge = _charge_of(unit, given)
    found = unit.find("dispute", lambda dispute: dispute["charge"] == charge["id"])
    if not found:
        raise Misused("there is no dispute on this payment")
    return found[0]


def _charge_of(unit: Unit, given: dict[str, Any]) -> Entry:
    if given.get("charge"):
        return unit.need("charge", str(given["charge"]), "charge")
    intent = unit.need("payment_intent", str(given.get("payment_intent")), "payment_intent")
    charge = unit.get("charge", intent["latest_charge"])
    if charge is None or charge["status"] != "succeeded":
        raise Misused("this payment has no successful charge")
    return charge


def _settle(world: World) -> dict[str, Any]:
    """Decide a pending `refund` or a `payment_intent` in processing: `outcome` succeeded (default) or failed.

    Of a `charge`: enter it on the balance now, where that was to happen later.
    """
    given = _given()
    outcome = given.get("outcome", "succeeded")
    if outcome not in ("succeeded", "failed"):
        raise Misused("outcome must be succeeded or failed")
    with world.unit() as unit:
        if given.get("refund"):
            return {"settled": refunds.settle(unit, str(given["refund"]), outcome, given.get("reason", "lost_or_stolen_card"))}
        if given.get("charge"):
            return {"settled": charges.book_later(unit, _charge_of(unit, given)["id"])}
        return {"settled": payments.settle(unit, str(given.get("payment_intent")), outcome)}


def _refund(world: World) -> dict[str, Any]:
    """Give money back from the account's own side, as somebody does on the dashboard.

    A `payment_intent` or `charge`; `amount` (default: all that is left), `reason`, `metadata`; `event` false: nobody is told.
    """
    given = _given()
    with world.unit() as unit:
        params = {name: given[name] for name in ("payment_intent", "charge", "amount", "reason", "metadata") if given.get(name) is not None}
        made = refunds.create(unit, params)
        if not given.get("event", True):
            unit.silence()
        return public(made)


def _reset(world: World) -> dict[str, Any]:
    world.reset()
    return {"reset": True}


def _webhooks(world: World) -> dict[str, Any]:
    """Every delivery with its state, and the raw signed request, so that a test can post it itself."""
    wanted = request.args.get("state")
    listed = []
    with world.lock:
        for entry in world.store.entries.get("_delivery", {}).values():
            event = world.store.entries.get("event", {}).get(entry["event"])
            if event is None or (wanted and entry["state"] != wanted):
                continue
            body, headers = world.courier.raw(event)
            shown = {name: entry[name] for name in ("event", "type", "state", "attempts", "status")}
            listed.append({**shown, "body": body.decode(), "headers": headers})
    return {"deliveries": listed}
