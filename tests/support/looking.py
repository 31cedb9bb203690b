"""Looking at every page and list there is, in every way it offers: `Look(app, made).through(door)`.

What is asked comes from the routes and from what they answer. A page offers its own ways of looking by links and fields (tabs, orders,
page sizes, the next page); the API by the schema of its address. What people type is in `TYPED`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, get_args
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Flask
from flask.testing import FlaskClient

from shop.kernel import clock
from tests.support.crowded import Crowd
from tests.support.people import bearer, sign_in, sign_out
from tests.support.plans import Said, heard_by_driver
from tests.support.routes import Door

Query = dict[str, str]

TYPED: Mapping[str, tuple[str, ...]] = {
    "q": ("rice", "goods 700"), "number": ("{typed}", "{short}", "0001"), "tail": ("0001", "77"), "phone": ("13800000001",),
    "actor_id": ("6", "13800000001"), "subject_id": ("1", "{typed}"), "code": ("{typed}-1", "{short}", "{typed}"),
    "action": ("order.packed", "job"), "actor": ("user", "command"), "subject": ("sub_order", "user"),
    "kind": ("fulfilment", "messages.send"),
    "day": ("{day}",), "since": ("{day}", "{month_ago}"), "until": ("{day}", "{month_ago}"), "month": ("{this_month}", "{last_month}"),
    "words": ("rice",), "limit": ("100",), "point": ("{point}",), "pickup_point": ("{point}",), "ref": ("{ref}",),
    "merchant": ("{merchant}",), "account": ("{ref}",),
}  # fmt: skip
"""What somebody may type into a field, or write into an address, by its name."""

UNTYPED = frozenset({"cursor"})
"""What only our own answers say: it is followed, not typed."""

MOST_WAYS = 60
UNSEEN = ("static", "files.serve", "bundles.serve", "dev.sms", "discovery.goods")
"""Files, and what needs another process."""

CATALOGUE = ("catalog.search", "catalog.suggestions", "catalog.category", "catalog.shop", "api.list_products")
"""What is sold is few here: among 100,000 goods they are looked at in `tests/growth/test_search_among_many.py`, and in `bench/`."""

ELSEWHERE = (
    "admin.find_order", "bills.together", "merchant.papers", "merchant.scan", "station.log", "payments.onward", "accounts.second_factor",
    "accounts.sign_in", "accounts.enter_code", "cart.show", "checkout.show",
)  # fmt: skip
"""Lead somewhere else, or say that they were asked for nothing."""


@dataclass
class Seen:
    """One way of looking at a list: what the database was asked, and what came of it."""

    address: str
    who: str
    status: int
    said: list[Said] = field(default_factory=list)

    @property
    def milliseconds(self) -> float:
        """What the database took for all of it."""
        return 1_000 * sum(one.seconds for one in self.said)


class Look:
    """Somebody who looks at everything."""

    def __init__(self, app: Flask, made: Crowd) -> None:
        self.app, self.made = app, made
        self.client: FlaskClient = app.test_client()
        self.client.set_cookie("locale", "en")
        self.headers: dict[str, str] = {}
        today = clock.today()
        first = today.replace(day=1)
        self.days = {
            "day": today.isoformat(), "month_ago": first.isoformat(),
            "short": made.known["typed"].partition("-")[2], "this_month": f"{first:%Y-%m}",
            "last_month": f"{first.replace(month=first.month - 1 or 12):%Y-%m}",
        }  # fmt: skip

    def become(self, door: Door) -> str:
        """Somebody whom the door lets in."""
        who = next((who for who in self.made.people if who in door.access.roles), "resident")
        sign_out(self.client)
        self.headers = {}
        if door.is_api:
            self.headers = bearer(self.app, self.made.people[who], second_factor=True)
        else:
            sign_in(self.client, self.made.people[who], second_factor=True)
        return who

    def places(self, door: Door) -> dict[str, bytes]:
        known = self.made.known
        return {name: str(known.get(f"{door.endpoint}:{name}", known.get(name, "1"))).encode() for name in door.places}

    def through(self, door: Door) -> Iterator[Seen]:
        """Every way a door offers of looking at what is behind it."""
        who = self.become(door)
        path = door.path(self.places(door))
        always = self.has_to_be_said(door)
        waiting: list[Query] = [{}, *self.asked_by_schema(door)]
        known: set[tuple[tuple[str, str], ...]] = {()}
        asked = 0
        while waiting and asked < MOST_WAYS:
            query = waiting.pop(0)
            asked += 1
            address = f"{path}?{urlencode({**always, **query})}" if always or query else path
            with heard_by_driver() as said:
                answer = self.client.get(address, headers=self.headers)
            ways = list(self.offered(path, answer)) if len(query) <= 2 else []
            answer.close()  # files stay open otherwise
            yield Seen(address, who, answer.status_code, said)
            for way in ways:
                key = tuple(sorted(way.items()))
                if key not in known:
                    known.add(key)
                    waiting.append(way)

    def offered(self, path: str, answer: Any) -> Iterator[Query]:
        """The ways of looking that an answer offers: links to the same page, and every field that asks the same page."""
        if "html" in answer.content_type:
            page = answer.text
            for found in re.findall(r'(?:href|hx-get)="([^"]+)"', page):
                parts = urlsplit(html.unescape(found))
                if parts.path == path and parts.query:
                    yield dict(parse_qsl(parts.query))
            for form in re.findall(r"<form[^>]*method=\"get\".*?</form>", page, re.DOTALL | re.IGNORECASE):
                yield from self.of_form(path, form)
        elif answer.is_json and isinstance(answer.json, dict) and answer.json.get("next_cursor"):
            yield {"cursor": str(answer.json["next_cursor"])}

    def of_form(self, path: str, form: str) -> Iterator[Query]:
        """Each field of a form by itself, with everything that can be chosen or typed."""
        action = re.search(r'action="([^"]*)"', form)
        if action and urlsplit(html.unescape(action[1])).path not in ("", path):
            return
        for name, options in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', form, re.DOTALL):
            yield from ({name: html.unescape(value)} for value in re.findall(r'<option[^>]*value="([^"]+)"', options))
        for name in re.findall(r'<input[^>]*name="(\w+)"', form):
            yield from ({name: value} for value in self.typed(name))

    def typed(self, name: str) -> Iterator[str]:
        yield from (value.format(**self.days, **self.made.known) for value in TYPED.get(name, ()))

    def has_to_be_said(self, door: Door) -> Query:
        """What an address of the API cannot leave out."""
        fields = door.query.model_fields.items() if door.query else ()
        return {name: next(self.typed(name)) for name, known in fields if known.is_required()}

    def asked_by_schema(self, door: Door) -> Iterator[Query]:
        """What an address of the API may say."""
        for name, known in (door.query.model_fields if door.query else {}).items():
            kinds = [known.annotation, *get_args(known.annotation)]
            chosen = [str(one.value) for kind in kinds if isinstance(kind, type) and issubclass(kind, Enum) for one in kind]
            literal = [str(one) for kind in kinds for one in get_args(kind) if isinstance(one, str)]
            flags = ["true"] if bool in kinds else []
            yield from ({name: value} for value in (*chosen, *literal, *flags, *self.typed(name)) if value)
