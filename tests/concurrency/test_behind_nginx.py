"""What deploy/nginx promises, with the real nginx before the real web server: slow clients, sizes, addresses, rates, what is kept."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import requests

from config import Config
from shop.platform.arrivals import MOST_BODY
from tests.support.cities import Template
from tests.support.proxied import FILES, ProxiedHouse, nginx, proxied_house
from tests.support.running import wait_until

pytestmark = [
    pytest.mark.slow, pytest.mark.alone, pytest.mark.one_engine,
    pytest.mark.skipif(not nginx(), reason="this machine has no nginx"),
]  # fmt: skip

SILENT = 100
FORM = b"POST /sign-in HTTP/1.1\r\nHost: shop.test\r\nContent-Type: application/x-www-form-urlencoded\r\n"
HALVES = {
    "silent": b"",
    "half a header": b"GET / HTTP/1.1\r\nHost: shop.test\r\nX-Slow: ",
    "half a body": FORM + b"Content-Length: 1000\r\n\r\nphone=1",
}


@pytest.fixture(scope="module")
def house(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxiedHouse]:
    with proxied_house(template, tmp_path_factory.mktemp("house")) as made:
        yield made


@contextmanager
def held(house: ProxiedHouse, beginning: bytes) -> Iterator[None]:
    """So many connections that sent `beginning` and stay."""
    context = ssl.create_default_context(cafile=str(house.certificate))
    opened: list[ssl.SSLSocket] = []
    try:
        for _ in range(SILENT):
            plain = socket.create_connection(("127.0.0.1", house.ports["web"]), timeout=10)
            opened.append(context.wrap_socket(plain, server_hostname="127.0.0.1"))
            if beginning:
                opened[-1].sendall(beginning)
        yield
    finally:
        for one in opened:
            one.close()


def logged(house: ProxiedHouse, path: str, count: int) -> list[str]:
    """The lines of the access log about a path, once there are so many."""
    said = [line for line in list(house.said) if line.startswith("nginx: {") and f'"path":"{path}"' in line]
    return said if len(said) >= count else []


@pytest.mark.parametrize("beginning", HALVES.values(), ids=HALVES.keys())
def test_a_hundred_that_stop_half_way_stop_nobody(house: ProxiedHouse, beginning: bytes) -> None:
    with held(house, beginning):
        took = []
        for _ in range(20):
            begun = time.monotonic()
            assert house.web.get(f"{house.address()}/healthz", timeout=10).status_code == 200
            took.append(time.monotonic() - begun)
    assert max(took) < 2.0, took


def test_sizes_are_the_shops_own(house: ProxiedHouse) -> None:
    """Up to what the shop collects, the shop refuses in words; beyond it nginx does, before it has taken it all."""
    said = (FILES / "linli.conf").read_text(encoding="utf-8")
    assert f"client_max_body_size {MOST_BODY // 1024}k;" in said
    assert MOST_BODY >= Config.MAX_CONTENT_LENGTH
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    within = house.web.post(f"{house.address()}/api/v1/cart", data=b"x" * (MOST_BODY - 1), headers=headers, timeout=30)
    assert (within.status_code, within.headers["Content-Type"].split(";")[0]) == (413, "application/problem+json")
    beyond = house.web.post(f"{house.address()}/api/v1/cart", data=b"x" * (MOST_BODY + 1), headers=headers, timeout=30)
    assert (beyond.status_code, "nginx" in beyond.text) == (413, True)


def test_who_asks_is_told_by_nginx_alone(house: ProxiedHouse) -> None:
    """A client that calls itself many addresses is still counted as one when the rate of the shop's own door is over."""
    house.end("web-2")  # without Redis, each instance counts by itself
    time.sleep(11)  # what the halves before this have used up at nginx's door
    answers = []
    for number in range(34):
        claims = {"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": f"203.0.113.{number}", "Forwarded": f"for=203.0.113.{number}"}
        body = {"phone": f"1380000{number:04d}"}
        answers.append(house.web.post(f"{house.address()}/api/v1/auth/codes", json=body, headers=claims, timeout=20))
        time.sleep(0.55 if number > 15 else 0)
    house.start_instance("web-2")
    assert [answer.status_code for answer in answers] == [202] * 30 + [429] * 4
    assert answers[-1].headers["Content-Type"].startswith("application/problem+json"), "the shop's own words"


def test_a_machine_at_the_sign_in_door_is_stopped_before_the_shop_works(house: ProxiedHouse) -> None:
    def knock(_number: int) -> requests.Response:
        with requests.Session() as line:
            line.trust_env, line.verify = False, str(house.certificate)
            return line.post(f"{house.address()}/sign-in/code", data={"code": "123456"}, timeout=20)

    time.sleep(2)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(knock, range(80)))
    refused = [answer for answer in answers if answer.status_code == 429 and "nginx" in answer.text]
    assert len(refused) >= 40
    assert house.web.get(f"{house.address()}/sign-in", timeout=20).status_code == 200, "who only looks is let in"


def test_what_is_for_the_house_is_not_for_the_street(house: ProxiedHouse) -> None:
    assert house.web.get(f"{house.address()}/metrics", timeout=10).status_code == 404
    said = (FILES / "linli.conf").read_text(encoding="utf-8")
    assert "location = /metrics { return 404; }" in said
    ready = [line.strip() for line in said.partition("location = /readyz {")[2].partition("}")[0].splitlines()]
    assert [line for line in ready if line.startswith(("allow", "deny"))] == ["allow 127.0.0.1;", "allow ::1;", "deny all;"]


def test_the_plain_door_leads_to_the_safe_one(house: ProxiedHouse) -> None:
    answer = house.web.post(f"http://127.0.0.1:{house.ports['plain']}/sign-in?a=b", allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["Location"]) == (308, "https://127.0.0.1/sign-in?a=b")
    page = house.web.get(f"{house.address()}/", timeout=20)
    assert page.headers["Strict-Transport-Security"], "the shop knows that it was reached safely"
    assert "nginx/" not in page.headers["Server"]


def test_files_are_kept_and_pages_are_not(house: ProxiedHouse) -> None:
    page = house.web.get(f"{house.address()}/", timeout=20)
    style = page.text.partition('href="/static/built/site.css')[2].partition('"')[0].replace("&amp;", "&")
    path = f"/static/built/site.css{style}"
    first, second = (house.web.get(house.address() + path, timeout=20) for _ in range(2))
    assert first.content == second.content
    assert second.headers["Content-Encoding"] == "gzip"
    assert second.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    plain = house.web.get(house.address() + path, headers={"Accept-Encoding": "identity"}, timeout=20)
    assert "Content-Encoding" not in plain.headers
    assert plain.content == second.content
    for _ in range(2):
        house.web.get(f"{house.address()}/static/built/site.css?v=of-another-release", timeout=20)
        house.web.get(f"{house.address()}/", timeout=20)
    said = wait_until(lambda: logged(house, "/static/built/site.css", 5), 10, "five looks in the log")
    assert [line.count('"kept":"HIT"') for line in said] == [0, 1, 0, 0, 0], "the second look at the file, and nothing else"
    pages = wait_until(lambda: logged(house, "/", 3), 10, "pages in the log")
    assert [line for line in pages if '"kept":""' not in line] == []


def test_the_log_knows_networks_and_no_questions(house: ProxiedHouse) -> None:
    house.web.get(f"{house.address()}/search?q=my-private-wish", timeout=20)
    said = wait_until(lambda: logged(house, "/search", 1), 10, "the search in the log")
    assert '"network":"127.0.0.0"' in said[-1]
    assert "my-private-wish" not in "".join(house.said)


def test_one_instance_gone_is_nobodys_trouble_and_both_gone_is_said(house: ProxiedHouse) -> None:
    house.kill("web-1")  # its socket is left behind, and nobody listens at it
    assert {house.web.get(f"{house.address()}/healthz", timeout=10).status_code for _ in range(20)} == {200}
    house.end("web-2")
    answer = house.web.get(f"{house.address()}/", timeout=10)
    assert (answer.status_code, answer.headers["Retry-After"]) == (502, "5")
    assert "邻里马上回来" in answer.content.decode()
    assert "back in a moment" in answer.text
    for name in ("web-1", "web-2"):
        house.start_instance(name)
