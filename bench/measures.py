"""What is measured: kinds of deeds, each drawn anew every time."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from bench.city import City, Goods, Person
from bench.drawing import ENGLISH, NOT_THERE, NOTHING, SIGNED_IN, Draw, Popular, chance, queries_of
from bench.load import Connection, Work

CONNECTIONS, BUYERS = 16, 8
BASKET = 4
"""How many things lie in the cart of somebody who only fills and looks at it."""


@dataclass(frozen=True)
class Measure:
    """A kind of deed, how many do it at once, and the floor it is compared with."""

    name: str
    floor: str
    work: Callable[[City], Work]
    connections: int = CONNECTIONS


def looking(city: City, path: Callable[[Draw], str]) -> Work:
    """Look at a page: as a stranger at some point or signed in, in Chinese or in English."""
    points, readers = Popular(city.points, "points"), Popular(city.readers, "readers")

    def work(connection: Connection, draw: Draw) -> tuple[str, int]:
        reader = readers.one(draw.source) if draw.is_one_of(SIGNED_IN) else None
        cookie = f"session={reader.cookie}" if reader else f"point={points.one(draw.source)}"
        if draw.is_one_of(ENGLISH):
            cookie += "; locale=en"
        status, _ = connection.request("GET", path(draw), headers={"Cookie": cookie})
        return "ok" if status == 200 else str(status), 1

    return work


def home(city: City) -> Work:
    return looking(city, lambda draw: "/")


def category(city: City) -> Work:
    categories = Popular(city.categories, "categories")
    return looking(city, lambda draw: f"/categories/{categories.one(draw.source)}")


def product(city: City) -> Work:
    products = Popular(city.products, "products")
    return looking(city, lambda draw: f"/products/{products.one(draw.source)}")


def search(city: City) -> Work:
    queries = Popular(queries_of(city.names, city.products), "queries")

    def path(draw: Draw) -> str:
        words = draw.source.choice(NOT_THERE) if draw.is_one_of(NOTHING) else queries.one(draw.source)
        return f"/search?q={quote(words)}"

    return looking(city, path)


def baskets(city: City) -> dict[str, list[str]]:
    """What lies in the carts of those who only fill them, by token: a few things that can be had at their point."""
    return {
        one.token: [goods.variant for goods in Popular(city.goods[one.point], f"goods {one.point}").some(chance("basket", place), BASKET)]
        for place, one in enumerate(city.shoppers)
    }


def fill_carts(connection: Connection, city: City) -> None:
    """Put everybody's basket into their cart: before the first turn, so that carts do not grow from turn to turn."""
    for token, codes in baskets(city).items():
        for code in codes:
            status, body = put(connection, token, code, 1)
            if status != 200:
                raise ValueError(failed("line", status, body))


def cart(city: City) -> Work:
    """Look at one's own cart."""

    def work(connection: Connection, draw: Draw) -> tuple[str, int]:
        who = draw.source.choice(city.shoppers)
        status, _ = connection.request("GET", "/cart", headers={"Cookie": f"session={who.cookie}"})
        return "ok" if status == 200 else str(status), 1

    return work


def add_to_cart(city: City) -> Work:
    """Change how many of one thing lie in one's cart."""
    wanted = baskets(city)

    def work(connection: Connection, draw: Draw) -> tuple[str, int]:
        token = draw.next_of(city.shoppers).token
        status, body = put(connection, token, draw.source.choice(wanted[token]), draw.source.randint(1, 3))
        return "ok" if status == 200 else failed("line", status, body), 1

    return work


def purchase(city: City) -> Work:
    """A whole purchase: two lines of two merchants, a quote, an order paid from the wallet."""
    shelves = {point: Popular(goods, f"goods {point}") for point, goods in city.goods.items()}

    def work(connection: Connection, draw: Draw) -> tuple[str, int]:
        who = draw.next_of(city.buyers)
        shelf = shelves[who.point]
        first = second = shelf.one(draw.source)
        while second.merchant == first.merchant:
            second = shelf.one(draw.source)
        return buy(connection, city, who, [first, second])

    return work


def buy(connection: Connection, city: City, who: Person, wanted: list[Goods]) -> tuple[str, int]:
    """Put it into the cart, ask for a quote and order, from the wallet."""
    requests = 0
    for goods in wanted:
        status, body = put(connection, who.token, goods.variant, 1)
        requests += 1
        if status != 200:
            return failed("line", status, body), requests
    status, body = connection.request("POST", "/api/v1/checkout/quotes", {"pickup_point": who.point}, bearer(who.token))
    requests += 1
    if status not in {200, 201}:
        return failed("quote", status, body), requests
    quoted = json.loads(body)
    order = {
        "quote_id": quoted["quote_id"], "seen_total_minor": quoted["total_minor"], "payment": {"method": "wallet", "pin": city.pin},
    }  # fmt: skip
    status, body = connection.request("POST", "/api/v1/orders", order, bearer(who.token))
    return "ok" if status == 201 else failed("order", status, body), requests + 1


def hot_item(city: City) -> Work:
    """Everybody wants the same thing at once, and there is not enough of it."""

    def work(connection: Connection, draw: Draw) -> tuple[str, int]:
        return buy(connection, city, city.crowd[draw.number], [Goods(city.hot, "")])

    return work


class Queue:
    """Things that can be had once, in their order, over all turns and processes of a run."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.taken = multiprocessing.Value("q", 0)

    def next(self) -> int | None:
        """The place of the next; None when all are gone."""
        with self.taken.get_lock():
            place = self.taken.value
            self.taken.value += 1
        return place if place < self.length else None


def bill(city: City) -> Work:
    """Pay a bill from the wallet."""
    queue = Queue(len(city.bills))

    def work(connection: Connection, draw: Draw) -> tuple[str, int]:
        if (place := queue.next()) is None:
            return "no bill is due any more", 0
        due = city.bills[place]
        told = {"bill_ids": [due.ref], "seen_total_minor": due.total, "payment": {"method": "wallet", "pin": city.pin}}
        status, body = connection.request("POST", "/api/v1/bill-payments", told, bearer(due.token))
        return "ok" if status == 201 else failed("bill", status, body), 1

    return work


def hand_over(city: City) -> Work:
    """Scan a pass at the desk and hand over what waits on it."""
    queue = Queue(len(city.visits))

    def work(connection: Connection, draw: Draw) -> tuple[str, int]:
        if (place := queue.next()) is None:
            return "nobody waits any more", 0
        event = {"client_id": f"bench-{place}", "pass": city.visits[place], "device_time": datetime.now(UTC).isoformat()}
        status, body = connection.request("POST", "/api/v1/station/handovers", {"events": [event]}, bearer(city.keeper))
        if status != 200:
            return failed("hand-over", status, body), 1
        (outcome,) = json.loads(body)["outcomes"]
        return "ok" if outcome["outcome"] == "accepted" else f"hand-over {outcome['reason']}", 1

    return work


def put(connection: Connection, token: str, code: str, quantity: int) -> tuple[int, bytes]:
    return connection.request("PUT", f"/api/v1/cart/lines/{code}", {"quantity": quantity}, bearer(token))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def failed(step: str, status: int, body: bytes) -> str:
    try:
        return f"{step} {status} {json.loads(body)['code']}"
    except (ValueError, KeyError, TypeError):
        return f"{step} {status}"


MEASURES = [
    Measure("home", "f24", home),
    Measure("category", "f24", category),
    Measure("product", "f1", product),
    Measure("search", "f24", search),
    Measure("cart", "f24", cart),
    Measure("add-to-cart", "fb", add_to_cart),
    Measure("purchase", "fb", purchase, connections=BUYERS),
    Measure("bill", "fb", bill, connections=BUYERS),
    Measure("hand-over", "fb", hand_over, connections=BUYERS),
]
FLOORS = {"f0": CONNECTIONS, "f1": CONNECTIONS, "f24": CONNECTIONS, "fb": BUYERS}


def floor_work(name: str) -> Work:
    """One of the floors, asked in the same way."""
    method, expected = ("POST", 201) if name == "fb" else ("GET", 200)

    def work(connection: Connection, draw: Draw) -> tuple[str, int]:
        status, _ = connection.request(method, f"/{name}")
        return "ok" if status == expected else str(status), 1

    return work
