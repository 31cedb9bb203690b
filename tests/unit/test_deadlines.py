"""The hard end of a call outside, against partners that never quite answer."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import requests
import stripe

from shop.platform import deadlines
from tests.support.dripping import EVERY, HEAD, dripping

pytestmark = pytest.mark.one_engine

LIMIT = 0.6


def get(address: str) -> None:
    with deadlines.session() as session:
        session.get(address, timeout=(3, 3))


def read_piece_by_piece(address: str) -> None:
    with deadlines.session() as session, session.get(address, timeout=(3, 3), stream=True) as answer:
        list(answer.iter_content(16 * 1024))


def ask_with_the_sdk(address: str) -> None:
    client = stripe.StripeClient(
        "sk_test_linli", base_addresses={"api": address}, max_network_retries=1,
        http_client=stripe.RequestsClient(timeout=3, session=deadlines.session()),
    )  # fmt: skip
    client.v1.refunds.retrieve("re_1")


@pytest.mark.parametrize("call", [get, read_piece_by_piece, ask_with_the_sdk])
@pytest.mark.parametrize(
    ("first", "drop"),
    [(b"", b""), (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"y"), (HEAD, b" "), (HEAD, b"")],
    ids=["hangs", "drips its headers", "drips its body", "stalls in its body"],
)
def test_a_call_is_over_when_its_time_is(call: Callable[[str], None], first: bytes, drop: bytes) -> None:
    with dripping(first, drop) as address:
        began = time.monotonic()
        with pytest.raises((requests.Timeout, requests.ConnectionError, stripe.APIConnectionError)), deadlines.within(LIMIT):
            call(address)
        took = time.monotonic() - began
    assert LIMIT * 0.9 < took < LIMIT + 2  # the SDK pauses before its second try, and that one finds no time left


def test_a_dripping_partner_holds_a_plain_session_far_longer() -> None:
    """Why there is a module for this: the control."""
    with dripping(HEAD, b" ") as address, requests.get(address, timeout=(0.3, 0.3), stream=True) as answer:
        began = time.monotonic()
        pieces = answer.iter_content(1)
        while time.monotonic() - began < 3 * LIMIT:
            next(pieces)


def test_a_pooled_connection_is_timed_anew_for_each_call() -> None:
    body = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with dripping(body, body) as address, deadlines.session() as session:
        for _ in range(3):
            with deadlines.within(LIMIT):
                assert session.get(address, timeout=3).text == "ok"
            time.sleep(EVERY)


def test_an_inner_limit_never_lengthens_an_outer_one() -> None:
    with dripping(b"") as address:
        began = time.monotonic()
        with pytest.raises(requests.Timeout), deadlines.within(LIMIT), deadlines.within(60):
            get(address)
    assert time.monotonic() - began < LIMIT + 1


def test_a_call_outside_the_time_is_not_begun() -> None:
    with dripping(b"") as address, pytest.raises(requests.ConnectionError), deadlines.within(-1):
        get(address)
