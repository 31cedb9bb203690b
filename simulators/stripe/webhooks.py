"""Sends events to the shop, signed as Stripe signs them, again and again until a 2xx answer.

A delivery is an entry of the store (`_delivery`), written in the commit that recorded its event, so that a restart
neither loses nor forgets one. States: waiting, held, sending (in memory only), delivered, failed (retries used up), lost.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from simulators.stripe.account import Account
from simulators.stripe.identifiers import new_identifier
from simulators.stripe.store import Unit, public

WORKERS = 4
REORDER_WINDOW = 0.4
TIMEOUT = 20
RESENDABLE = ("held", "failed")


def signature(secrets: tuple[str, ...], body: bytes, timestamp: int) -> str:
    """The Stripe-Signature header for exactly this body."""
    signed = f"{timestamp}.".encode() + body
    values = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={timestamp}", *(f"v1={value}" for value in values)])


def body_of(event: dict[str, Any]) -> bytes:
    """The raw body Stripe would post for an event."""
    return json.dumps(public(event), indent=2, ensure_ascii=False).encode()


class Courier:
    """A few threads that send what is due. Events of one purchase go one after the other unless `reorder` is on."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._random = random.Random(0)
        # Waiting deliveries in planned order; those being sent are taken out.
        self._waiting: dict[str, dict[str, Any]] = {}
        self._busy_lanes: set[str] = set()
        self._condition = threading.Condition()
        self._stopped = False
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin sending; deliveries left over from before a restart are taken up."""
        self.accept(list(self._account.store.entries.get("_delivery", {}).values()))
        for number in range(WORKERS):
            thread = threading.Thread(target=self._work, name=f"webhooks-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Stop after the deliveries under way."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()
        for thread in self._threads:
            thread.join(timeout=TIMEOUT)

    def reseed(self, seed: int) -> None:
        """Make losses and shuffles repeatable."""
        self._random = random.Random(seed)

    def forget(self) -> None:
        """Nothing is under way any more (after a reset)."""
        with self._condition:
            self._busy_lanes.clear()
            self._waiting.clear()

    def accept(self, deliveries: list[dict[str, Any]]) -> None:
        """Send those of these (committed) deliveries that are waiting."""
        with self._condition:
            self._waiting.update({delivery["id"]: delivery for delivery in deliveries if delivery["state"] == "waiting"})
            self._condition.notify_all()

    def plan(self, unit: Unit) -> list[dict[str, Any]]:
        """Write the deliveries of the unit's new events, as the switches say, and return them."""
        switches = self._account.switches
        planned = []
        for event in unit.events():
            if not self._has_destination():
                event["pending_webhooks"] = 0
                unit.save(event)
            lost = switches.webhooks == "off" or (switches.loss_rate > 0 and self._random.random() < switches.loss_rate)
            state = "lost" if lost else "held" if switches.webhooks == "hold" else "waiting"
            for _ in range(1 + max(0, switches.duplicate)):
                jitter = self._random.uniform(0, REORDER_WINDOW) if switches.reorder else 0.0
                delivery = {
                    "object": "_delivery",
                    "id": new_identifier("whd"),
                    "event": event["id"],
                    "type": event["type"],
                    "lane": new_identifier("lane") if switches.reorder else event["_lane"],
                    "state": state if self._has_destination() or state == "held" else "lost",
                    "attempts": 0,
                    "due": self._account.moment() + switches.delay_ms / 1000 + jitter,
                    "status": None,
                }
                planned.append(unit.save(delivery))
        return planned

    def _has_destination(self) -> bool:
        settings = self._account.settings
        return bool(settings.webhook_url and settings.webhook_secrets)

    def raw(self, event: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
        """Body and headers for one attempt; signed with the wall clock, as the receiver compares with its own."""
        body = body_of(event)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Accept": "*/*; q=0.5, application/xml",
            "Stripe-Signature": signature(self._account.settings.webhook_secrets, body, int(time.time())),
        }
        return body, headers

    def flush(self, deliveries: list[dict[str, Any]], *, at_once: bool = False) -> list[dict[str, Any]]:
        """Send these deliveries now, one attempt each: in this order, or all at the same time.

        Returns event, type and status of each.
        """
        if not at_once:
            return [self._attempt(delivery) for delivery in deliveries]
        with ThreadPoolExecutor(max_workers=max(1, len(deliveries))) as pool:
            return list(pool.map(self._attempt, deliveries))

    def _work(self) -> None:
        while True:
            with self._condition:
                delivery = None if self._stopped else self._next()
                while delivery is None:
                    if self._stopped:
                        return
                    self._condition.wait(timeout=self._pause())
                    delivery = None if self._stopped else self._next()
                del self._waiting[delivery["id"]]
                self._busy_lanes.add(delivery["lane"])
            try:
                self._attempt(delivery)
            finally:
                with self._condition:
                    self._busy_lanes.discard(delivery["lane"])
                    self._condition.notify_all()

    def _next(self) -> dict[str, Any] | None:
        now = self._account.moment()
        # Order within a lane is the planned order; a retry waits without holding up the others.
        for delivery in self._waiting.values():
            if delivery["due"] <= now and delivery["lane"] not in self._busy_lanes:
                return delivery
        return None

    def _pause(self) -> float:
        now = self._account.moment()
        due: list[float] = [delivery["due"] for delivery in self._waiting.values() if delivery["due"] > now]
        return min([0.5, *(max(0.005, moment - now) for moment in due)])

    def _attempt(self, delivery: dict[str, Any]) -> dict[str, Any]:
        event = self._account.store.entries.get("event", {}).get(delivery["event"])
        if event is None:
            return {"event": delivery["event"], "type": delivery["type"], "status": None}
        status = self._send(*self.raw(event))
        self._record(delivery["id"], status)
        return {"event": event["id"], "type": event["type"], "status": status}

    def _send(self, body: bytes, headers: dict[str, str]) -> int | None:
        settings = self._account.settings
        if not self._has_destination():
            return None
        url = str(settings.webhook_url)
        try:
            if settings.sender is not None:
                return settings.sender(url, body, headers)
            with requests.Session() as session:
                session.trust_env = False
                answer = session.post(url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False)
                return int(answer.status_code)
        except requests.RequestException:
            return None

    def _record(self, delivery_id: str, status: int | None) -> None:
        account = self._account
        with account.lock:
            unit = account.new_unit()
            delivery = unit.get("_delivery", delivery_id)
            if delivery is None:
                return
            delivery["attempts"] += 1
            delivery["status"] = status
            if status is not None and 200 <= status < 300:
                delivery["state"] = "delivered"
                event = unit.get("event", delivery["event"])
                if event is not None:
                    event["pending_webhooks"] = 0
                    unit.save(event)
            elif delivery["state"] != "delivered":
                schedule = account.settings.retry_schedule
                if delivery["attempts"] <= len(schedule):
                    delivery["state"] = "waiting"
                    delivery["due"] = account.moment() + schedule[delivery["attempts"] - 1]
                else:
                    delivery["state"] = "failed"
            unit.save(delivery)
            unit.commit()
            self.accept([delivery])
