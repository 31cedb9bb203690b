"""What is measured, each as one deed done again and again."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.load import Connection, Work, get
from bench.prepare import City

CONNECTIONS, BUYERS = 16, 8


@dataclass(frozen=True)
class Measure:
    """A deed, how many do it at once, and the floor it is compared with."""

    name: str
    floor: str
    work: Callable[[City], Work]
    connections: int = CONNECTIONS


def put_line(city: City) -> Work:
    """Put a line into one's cart."""

    def work(connection: Connection, number: int, turn: int) -> tuple[str, int]:
        token = city.tokens[number % len(city.tokens)]
        status, _ = connection.request("PUT", f"/api/v1/cart/lines/{city.cheap[turn % 2]}", {"quantity": 1 + turn % 3}, bearer(token))
        return "ok" if status == 200 else str(status), 1

    return work


def purchase(city: City) -> Work:
    """A whole purchase: two lines of two merchants, a quote, an order paid from the wallet."""

    def work(connection: Connection, number: int, turn: int) -> tuple[str, int]:
        headers = bearer(city.tokens[(number + turn * BUYERS) % len(city.tokens)])
        for code in city.cheap:
            status, body = connection.request("PUT", f"/api/v1/cart/lines/{code}", {"quantity": 1}, headers)
            if status != 200:
                return failed("line", status, body), 1
        status, body = connection.request("POST", "/api/v1/checkout/quotes", {"pickup_point": city.point}, headers)
        if status not in {200, 201}:
            return failed("quote", status, body), 3
        quote = json.loads(body)
        order = {
            "quote_id": quote["quote_id"], "seen_total_minor": quote["total_minor"], "payment": {"method": "wallet", "pin": city.pin},
        }  # fmt: skip
        status, body = connection.request("POST", "/api/v1/orders", order, headers)
        return "ok" if status == 201 else failed("order", status, body), 4

    return work


def hot_item(city: City) -> Work:
    """Everybody wants the same thing at once, and there is not enough of it."""

    def work(connection: Connection, number: int, turn: int) -> tuple[str, int]:
        headers = bearer(city.tokens[number % len(city.tokens)])
        status, body = connection.request("PUT", f"/api/v1/cart/lines/{city.hot}", {"quantity": 1}, headers)
        if status != 200:
            return failed("line", status, body), 1
        status, body = connection.request("POST", "/api/v1/checkout/quotes", {"pickup_point": city.point}, headers)
        if status not in {200, 201}:
            return failed("quote", status, body), 2
        quote = json.loads(body)
        order = {
            "quote_id": quote["quote_id"], "seen_total_minor": quote["total_minor"], "payment": {"method": "wallet", "pin": city.pin},
        }  # fmt: skip
        status, body = connection.request("POST", "/api/v1/orders", order, headers)
        return "ok" if status == 201 else failed("order", status, body), 3

    return work


HANDED_OVER = multiprocessing.Value("q", 0)
"""How many visits are gone, over all turns and processes of this run: each pass works once."""


def hand_over(city: City) -> Work:
    """Scan a pass at the desk and hand over what waits on it."""

    def work(connection: Connection, number: int, turn: int) -> tuple[str, int]:
        with HANDED_OVER.get_lock():
            place = HANDED_OVER.value
            HANDED_OVER.value += 1
        if place >= len(city.visits):
            return "nobody waits any more", 0
        event = {"client_id": f"bench-{place}", "pass": city.visits[place], "device_time": datetime.now(UTC).isoformat()}
        status, body = connection.request("POST", "/api/v1/station/handovers", {"events": [event]}, bearer(city.keeper))
        if status != 200:
            return failed("hand-over", status, body), 1
        (outcome,) = json.loads(body)["outcomes"]
        return "ok" if outcome["outcome"] == "accepted" else f"hand-over {outcome['reason']}", 1

    return work


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def failed(step: str, status: int, body: bytes) -> str:
    try:
        return f"{step} {status} {json.loads(body)['code']}"
    except (ValueError, KeyError, TypeError):
        return f"{step} {status}"


MEASURES = [
    Measure("category", "f24", lambda city: get("/categories/vegetables", {"Cookie": f"point={city.point}"})),
    Measure("product", "f1", lambda city: get("/products/cabbage", {"Cookie": f"point={city.point}"})),
    Measure("search", "f24", lambda city: get("/search?q=%E8%A1%80%E6%A9%99", {"Cookie": f"point={city.point}"})),
    Measure("add-to-cart", "fb", put_line),
    Measure("purchase", "fb", purchase, connections=BUYERS),
    Measure("hand-over", "fb", hand_over, connections=BUYERS),
]


def floor_work(name: str) -> Work:
    """One of the floors, asked in the same way."""
    if name != "fb":
        return get(f"/{name}")

    def work(connection: Connection, number: int, turn: int) -> tuple[str, int]:
        status, _ = connection.request("POST", "/fb")
        return "ok" if status == 201 else str(status), 1

    return work
