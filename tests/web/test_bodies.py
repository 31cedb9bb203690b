"""What is sent to us is small, or it is refused before it costs anything; what breaks off is the sender's fault."""

from __future__ import annotations

import io
import json
import re
import runpy
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config import ROOT
from shop.platform import limits
from shop.platform.bodies import MOST_IN_ADDRESS, USUAL
from tests.support.factories import Factories
from tests.support.people import bearer, sign_in

CODES = "/api/v1/auth/codes"
FORM = "application/x-www-form-urlencoded"
EIGHT_MEGABYTES = 8 * 1024 * 1024
LONGEST_ANSWER = 4_000  # bytes, of a problem
LONGEST_PAGE = 40_000


def unknown_keys(size: int) -> bytes:
    """An object of very many keys that nobody asked for, of about so many bytes."""
    return json.dumps({f"k{number}": 0 for number in range(size // 14)}).encode()


def fields(size: int) -> bytes:
    return b"&".join(b"%d=" % number for number in range(size // 9))


def send(client: FlaskClient, path: str, body: bytes, kind: str, *, chunked: bool = False) -> TestResponse:
    """Send a body with its length declared or, as in chunks, without."""
    if not chunked:
        return client.post(path, data=body, content_type=kind)
    return client.post(path, content_type=kind, environ_overrides=streamed(io.BytesIO(body)))


def streamed(source: Any, declared: int | None = None) -> dict[str, Any]:
    """How a server hands over a body it reads itself: of a declared length, else in chunks."""
    length = {"HTTP_TRANSFER_ENCODING": "chunked"} if declared is None else {"CONTENT_LENGTH": str(declared)}
    return {"wsgi.input": source, "wsgi.input_terminated": True, **length}


def processor_time(work: Callable[[], Any]) -> float:
    """Seconds of processor that a work takes, the best of three."""
    taken = []
    for _ in range(3):
        before = time.process_time()
        work()
        taken.append(time.process_time() - before)
    return min(taken)


HOSTILE = [
    ("eight megabytes of keys", CODES, unknown_keys(EIGHT_MEGABYTES), "application/json", 413),
    ("64 kB of keys", CODES, unknown_keys(USUAL.most_bytes - 100), "application/json", 400),
    ("4,000 keys", CODES, json.dumps({f"k{number}": 0 for number in range(4_000)}).encode(), "application/json", 422),
    ("long keys", CODES, json.dumps({"k" * 3_000 + str(number): 0 for number in range(20)}).encode(), "application/json", 422),
    ("an array of noughts", CODES, b"[" + b"0," * 30_000 + b"0]", "application/json", 400),
    ("nothing but brackets", CODES, b"[" * 60_000, "application/json", 400),
    ("brackets side by side", CODES, b"[]" * 30_000, "application/json", 400),
    ("a string without end", CODES, b'"' + b"\\" * 60_000, "application/json", 400),
    ("a number of 60,000 figures", CODES, b'{"phone": ' + b"9" * 60_000 + b"}", "application/json", 400),
    ("eight megabytes of fields", "/sign-in", fields(EIGHT_MEGABYTES), FORM, 413),
    ("64 kB of fields", "/sign-in", fields(USUAL.most_bytes - 100), FORM, 413),
    ("eight megabytes in one field", "/sign-in", b"phone=" + b"1" * EIGHT_MEGABYTES, FORM, 413),
    ("an event of eight megabytes", "/webhooks/stripe", b"{" + b" " * EIGHT_MEGABYTES, "application/json", 413),
]


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "in chunks"])
@pytest.mark.parametrize(("path", "body", "kind", "status"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_a_hostile_body_costs_little_and_is_answered_briefly(
    client: FlaskClient, make: Factories, path: str, body: bytes, kind: str, status: int, chunked: bool
) -> None:
    answer = send(client, path, body, kind, chunked=chunked)
    assert answer.status_code == status
    is_page = answer.mimetype == "text/html"
    assert len(answer.data) <= (LONGEST_PAGE if is_page else LONGEST_ANSWER)
    plain = processor_time(lambda: send(client, path, b"phone=1" if kind == FORM else b'{"phone": "1"}', kind))
    hostile = processor_time(lambda: send(client, path, body, kind, chunked=chunked))
    assert hostile < 12 * plain + 0.02, f"{1000 * hostile:.1f} ms of processor, and {1000 * plain:.1f} ms for a small one"


def test_twenty_errors_are_told_and_the_rest_counted(client: FlaskClient, make: Factories) -> None:
    answer = client.post(CODES, json={f"unknown-{number}-{'x' * 100}": 0 for number in range(50)})
    told = answer.get_json()
    assert (answer.status_code, len(told["errors"]), told["more_errors"]) == (422, 20, 31)  # the phone is missing as well
    assert max(len(error["field"]) for error in told["errors"]) <= 41


def test_few_errors_are_all_told(client: FlaskClient, make: Factories) -> None:
    told = client.post(CODES, json={"phone": "1", "more": 1, "and": 2}).get_json()
    assert {error["field"] for error in told["errors"]} == {"more", "and"}
    assert "more_errors" not in told


class Broken:
    """A body that begins and then is no proper stream, as each server says it in a way of its own."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.parts = [b'{"phone": ']

    def read(self, size: int = -1) -> bytes:
        if not self.parts:
            raise self.error
        return self.parts.pop(0)


class ChunkError(Exception):
    """What gunicorn raises is no OSError either."""


API_POSTS = (CODES, "/api/v1/auth/tokens", "/api/v1/auth/tokens/refresh", "/api/v1/checkout/quotes", "/api/v1/wallet", "/api/v1/orders")
FORMS = ("/checkout", "/preferences", "/communities", "/wallet/codes", "/me", "/cart/lines")


@pytest.mark.parametrize("error", [ChunkError("bad size"), OSError("gone"), ValueError("odd")], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("path", [*API_POSTS, *FORMS])
def test_a_body_that_breaks_off_is_a_bad_request(
    app: Flask, client: FlaskClient, make: Factories, path: str, error: Exception
) -> None:
    user = make.user()
    is_api = path.startswith("/api/")
    if not is_api:
        sign_in(client, user)
    answer = client.post(
        path, content_type="application/json" if is_api else FORM, headers=bearer(app, user) if is_api else {},
        environ_overrides=streamed(Broken(error)),
    )  # fmt: skip
    assert answer.status_code == 400
    assert answer.mimetype == ("application/problem+json" if is_api else "text/html")


def test_a_form_cut_short_is_not_taken_for_a_whole_one(client: FlaskClient, make: Factories) -> None:
    """Its length was declared, and the line broke before it was there: half an amount would be another amount."""
    user = make.user()
    sign_in(client, user)
    body = b"theme=dark"
    answer = client.post("/preferences", content_type=FORM, environ_overrides=streamed(io.BytesIO(body), len(body) + 20))
    assert answer.status_code == 400


def test_an_address_of_eight_kilobytes_is_refused(client: FlaskClient, make: Factories) -> None:
    answer = client.get("/search?q=" + "x" * 8_000)
    assert answer.status_code == 414
    assert "That address is too long" in answer.text
    answer = client.get("/api/v1/products?q=" + "x" * 8_000)
    assert (answer.status_code, answer.get_json()["code"]) == (414, "address_too_long")


@pytest.mark.one_engine
def test_the_server_lets_the_shop_refuse_long_addresses() -> None:
    """What the server itself cuts off is told in its own bare English; above its most there is nothing to be done."""
    longest = runpy.run_path(str(ROOT / "gunicorn.conf.py"))["limit_request_line"]
    assert longest >= 2 * MOST_IN_ADDRESS


def test_who_comes_too_often_is_refused_before_anything_is_read(
    app: Flask, client: FlaskClient, make: Factories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.extensions, "limits", limits.Counters())
    statuses = {client.post(CODES, data=b"not JSON", content_type="application/json").status_code for _ in range(30)}
    assert statuses == {400}
    answer = client.post(CODES, data=b"not JSON", content_type="application/json")
    assert (answer.status_code, answer.get_json()["code"]) == (429, "too_many_attempts")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    page = client.post("/sign-in", data={"phone": "13812345678"}, headers={"Referer": "http://localhost/sign-in?next=/cart"})
    assert re.search(r"please try again in \d+ seconds", page.text)
    assert 'href="/sign-in?next=/cart"' in page.text, "back to the form"


def test_a_day_of_hand_overs_fits_where_they_are_told(app: Flask, client: FlaskClient, make: Factories) -> None:
    lines = [f"L261129-ABCDEFGH-{number}" for number in range(9)]
    events = [
        {"client_id": f"{number:036d}", "pass": "x" * 60, "lines": lines, "device_time": "2026-11-29T20:00:00+08:00"}
        for number in range(500)
    ]
    raw = json.dumps({"events": events}).encode()
    assert len(raw) > 2 * USUAL.most_bytes
    answer = client.post("/api/v1/station/handovers", data=raw, content_type="application/json")
    assert answer.status_code == 401, "it got as far as its door"


def test_what_declares_too_much_is_refused_where_nobody_would_read_it(client: FlaskClient, make: Factories) -> None:
    answer = client.get("/healthz", environ_overrides=streamed(Broken(ChunkError()), EIGHT_MEGABYTES))
    assert answer.status_code == 413
