"""Going through every door as everybody, listening to what each asks for, and bringing it one hostile thing at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote_from_bytes

from flask import Flask, Request
from flask.testing import FlaskClient
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.utils import cached_property

from shop.models.accounts import User
from tests.census import hostile
from tests.support.people import bearer, sign_in, sign_out
from tests.support.routes import Door, doors

HEARD: dict[tuple[str, str], set[str]] = defaultdict(set)
"""Which names each door asked its address (`query`) and its form (`form`) for."""

ROUNDS = 4
UNHEARD: dict[str, tuple[str, ...]] = {"merchant.pack": ("grams-1", "sure-1", f"grams-{hostile.BEYOND}", "sure-²")}
"""Fields that a door finds by how their names begin."""

SIGNED_OUT = ("/sign-in", "/second-factor")
CORE_BODIES = ("a list", "a text", "null", "NUL", "deep")
FORM = "application/x-www-form-urlencoded"
CONTENT_TYPES = (FORM, "multipart/form-data; boundary=x", "application/json")


class Heard(ImmutableMultiDict[str, str]):
    """Values that note which names are asked for."""

    noted: set[str] = set()

    def __init__(self, values: Any, noted: set[str]) -> None:
        super().__init__(values)
        object.__setattr__(self, "noted", noted)

    def __contains__(self, name: object) -> bool:
        self.noted.add(str(name))
        return super().__contains__(name)

    def __getitem__(self, name: str) -> str:
        self.noted.add(name)
        return super().__getitem__(name)

    def get(self, name: str, *rest: Any, **more: Any) -> Any:
        self.noted.add(name)
        return super().get(name, *rest, **more)

    def getlist(self, name: str, *rest: Any, **more: Any) -> Any:
        self.noted.add(name)
        return super().getlist(name, *rest, **more)


class ListeningRequest(Request):
    """A request whose address and form note what they are asked for."""

    @cached_property
    def args(self) -> Heard:  # type: ignore[override]
        return Heard(super().args, HEARD[self.endpoint or "", "query"])

    def _load_form_data(self) -> None:
        if "form" not in self.__dict__:
            super()._load_form_data()
            self.__dict__["form"] = Heard(self.__dict__["form"], HEARD[self.endpoint or "", "form"])


@contextmanager
def listening(app: Flask) -> Iterator[None]:
    before = app.request_class
    app.request_class = ListeningRequest
    try:
        yield
    finally:
        app.request_class = before


def encoded(pairs: Mapping[str, bytes], *more: tuple[str, bytes]) -> str:
    return "&".join(f"{quote_from_bytes(name.encode())}={quote_from_bytes(value)}" for name, value in (*pairs.items(), *more))


class Census:
    """One pass through the doors. `faults` are answers of 500 and above, and exceptions that reached the server."""

    def __init__(self, app: Flask, client: FlaskClient, people: Mapping[str, User], known: Mapping[str, Any]) -> None:
        self.app, self.client, self.people, self.known = app, client, people, known
        self.is_thorough = False
        self.tried: set[tuple[str, str]] = set()
        self.faults: list[str] = []
        self.asked = 0
        self.headers: dict[str, dict[str, str]] = {}
        self.who = ""

    # --- people ---

    def become(self, who: str, door: Door) -> None:
        """Go on as somebody: with their cookie, or their token for the API; `anonymous` is nobody."""
        self.who = who
        sign_out(self.client)
        if who == "anonymous":
            self.headers[who] = {}
        elif door.is_api:
            self.headers[who] = bearer(self.app, self.people[who], second_factor=True)
        else:
            self.headers[who] = {}
            sign_in(self.client, self.people[who], second_factor=True)

    def callers(self, door: Door) -> tuple[str, ...]:
        """Who is let through a door, and so gets as far as its reading."""
        if door.access.who == "staff":
            return tuple(who for who in self.people if who in door.access.roles)[:1]
        is_for_all = door.access.who == "everyone" and (self.is_thorough or not door.is_safe)
        return ("anonymous", "resident") if is_for_all else ("resident",)

    # --- asking ---

    def ask(self, door: Door, said: str, path: str, **request: Any) -> None:
        """One request; its answer must be one."""
        self.asked += 1
        headers = {**self.headers.get(self.who, {}), **request.pop("headers", {})}
        try:
            answer = self.client.open(path, method=door.method, headers=headers, **request)
        except Exception as error:  # what a server would not survive either
            self.faults.append(f"{door} as {self.who}, {said}: {error!r}")
            return
        answer.close()  # files stay open otherwise
        if answer.status_code >= 500:
            self.faults.append(f"{door} as {self.who}, {said}: {answer.status_code}")
        away = answer.status_code == 401 or (answer.location or "").startswith(SIGNED_OUT)
        if away and self.who != "anonymous":  # some doors end a session
            self.become(self.who, door)

    def good(self, door: Door, kind: str) -> dict[str, bytes]:
        """What a door has asked for so far, each with a value that makes sense."""
        names = {*HEARD[door.endpoint, kind], *(UNHEARD.get(door.endpoint, ()) if kind == "form" else ())} - {"csrf_token"}
        if kind == "query" and door.query is not None:
            names = set(door.query.model_fields)
        return {name: str(self.known.get(name, "")).encode() for name in sorted(names)}

    def path(self, door: Door) -> dict[str, bytes]:
        return {name: str(self.known.get(f"{door.endpoint}:{name}", self.known.get(name, "1"))).encode() for name in door.places}

    def listen(self, door: Door) -> None:
        """Ask in all good faith until nothing new is asked for."""
        before = -1
        for _ in range(ROUNDS):
            form = self.good(door, "form")
            if len(form) + len(HEARD[door.endpoint, "query"]) == before:
                return
            before = len(form) + len(HEARD[door.endpoint, "query"])
            self.ask(door, "in good faith", door.path(self.path(door)), **self.form(door, encoded(form, ("_", b"1"))))

    def form(self, door: Door, data: str) -> dict[str, Any]:
        return {} if door.is_safe or door.is_api else {"data": data, "content_type": FORM}

    # --- going ---

    def go(self, *endpoints: str, safe: bool | None = None) -> Census:
        """Through all doors, or those of some endpoints."""
        self.client.get("/nowhere")  # what is read around every page
        for door in doors(self.app):
            if (not endpoints or door.endpoint in endpoints) and safe in (None, door.is_safe):
                self.through(door)
        return self

    def through(self, door: Door) -> None:
        for who in self.callers(door):
            self.become(who, door)
            self.listen(door)
            self.spoil_path(door)
            self.spoil_query(door)
            if door.is_api and not door.is_safe:
                self.spoil_body(door)
            elif not door.is_safe:
                self.spoil_form(door)
        for who in ("anonymous", *self.people) if self.is_thorough or door.access.who == "staff" else ("anonymous",):
            self.become(who, door)
            value = str(hostile.BEYOND).encode()
            path, query = door.path(dict.fromkeys(door.places, value)), encoded(dict.fromkeys(self.good(door, "query"), value))
            self.ask(door, "all at once", f"{path}?{query}", **self.form(door, encoded(dict.fromkeys(self.good(door, "form"), value))))

    def values(self, source: str, name: str) -> Iterator[tuple[str, bytes]]:
        """What a name is tried with."""
        is_first = (source, name) not in self.tried
        self.tried.add((source, name))
        if source == "query" and name in HEARD["", "query"] and not is_first and not self.is_thorough:
            yield "NUL", hostile.TEXTS["NUL"]  # read by what is around every page
            return
        yield from ((kind, value) for kind, value in hostile.TEXTS.items() if is_first or self.is_thorough or kind in hostile.CORE)

    def spoil_path(self, door: Door) -> None:
        good = self.path(door)
        for name in good:
            for kind in hostile.TEXTS if self.is_thorough else hostile.FIGURES if door.is_id(name) else hostile.PARTS:
                value = hostile.TEXTS[kind]
                self.ask(door, f"{name} in the path: {kind}", door.path({**good, name: value}), **self.form(door, "_=1"))

    def spoil_query(self, door: Door) -> None:
        good, path = self.good(door, "query"), door.path(self.path(door))
        for name in good:
            for kind, value in self.values("query", name):
                self.ask(door, f"?{name}: {kind}", f"{path}?{encoded({name: value})}", **self.form(door, "_=1"))
            twice = encoded({name: b"1"}, (name, b"2"), (f"{name}[]", b"3"))
            self.ask(door, f"?{name}: twice", f"{path}?{twice}", **self.form(door, "_=1"))
        odd = ("endpoint", "_external", "_anchor", "_scheme", "_method", "self", "values", "a\x00", "\u202e")
        self.ask(door, "names of ours", f"{path}?{encoded(dict.fromkeys(odd, b'1'))}", **self.form(door, "_=1"))

    def spoil_form(self, door: Door) -> None:
        good, path = self.good(door, "form"), door.path(self.path(door))
        for name in good:
            for kind, value in self.values("form", name):
                self.ask(door, f"field {name}: {kind}", path, **self.form(door, encoded({**good, name: value})))
            many = encoded({**good, name: b"1"}, (name, b"\x00"), (name, str(hostile.BEYOND).encode()))
            self.ask(door, f"field {name}: many", path, **self.form(door, many))
        for kind, raw in hostile.BODIES.items():
            for content_type in CONTENT_TYPES if kind in CORE_BODIES or self.is_thorough else ():
                self.ask(door, f"{content_type}: {kind}", path, data=raw, content_type=content_type)

    def spoil_body(self, door: Door) -> None:
        path = door.path(self.path(door))
        for kind, raw in hostile.BODIES.items():
            self.ask(door, f"body: {kind}", path, data=raw, content_type="application/json")
        if door.body is not None:
            good = hostile.example(door.body.model_json_schema(), dict(self.known.get("json", {})))
            for kind, text in hostile.spoiled(good):
                self.ask(door, f"body {kind}", path, data=text, content_type="application/json")

    def spoil_headers(self, *endpoints: str) -> Census:
        """What does not stand in addresses and bodies."""
        for door in doors(self.app):
            if door.endpoint not in endpoints:
                continue
            for who in self.callers(door):
                self.become(who, door)
                for name, values in hostile.HEADERS.items():
                    for value in values:
                        form = {} if name == "Content-Type" else self.form(door, "_=1")
                        self.ask(door, f"{name}: {value[:40]!r}", door.path(self.path(door)), headers={name: value}, **form)
        return self
