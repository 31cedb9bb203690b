"""Consoles show what their reader may do and nothing else; a row of the grants taken away takes the link, the page and the button."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shop.models.accounts import Role, User
from shop.models.payments import Refund, RefundProposal
from shop.platform.grants import GRANTS
from tests.support.counter import Counter
from tests.support.factories import Factories
from tests.support.people import sign_in, sign_out
from tests.support.shopping import count


@pytest.fixture
def counter(make: Factories) -> Counter:
    made = Counter(make, merchants=2)
    made.goods("rice", price=2_000)
    return made


def somebody(client: FlaskClient, make: Factories, role: Role, **place: object) -> User:
    user = make.user()
    make.grant(user, role, **place)  # type: ignore[arg-type]
    sign_out(client)
    sign_in(client, user, second_factor=True)
    return user


@pytest.mark.parametrize(
    ("permission", "link", "section"),
    [
        ("stock:shelf:read", "/merchant/stock", "Stock"), ("catalog:price:read", "/merchant/products", "Prices"),
        ("settlement:statement:read", "/merchant/statement", "Statement"),
    ],
)
def test_a_shop_shows_the_way_only_to_who_may_go_it(
    counter: Counter, make: Factories, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, permission: str, link: str, section: str
) -> None:
    monkeypatch.setitem(GRANTS, permission, (Role.MERCHANT_OWNER,))  # type: ignore[arg-type]
    for role, may in ((Role.MERCHANT_OWNER, True), (Role.MERCHANT_CLERK, False)):
        somebody(client, make, role, merchant=counter.merchants[0])
        navigation = client.get("/merchant/").text.partition("<main")[0]
        assert (f"<span>{section}</span>" in navigation) is may
        assert client.get(link).status_code == (200 if may else 403)


@pytest.mark.parametrize(
    ("role", "permission", "home", "link"),
    [
        (Role.KEEPER, "counter:point:read", "", "/station/log"), (Role.FINANCE, "operations:job:read", "/admin/", "/admin/jobs"),
        (Role.AUDITOR, "operations:audit:read", "/admin/", "/admin/audit"),
        (Role.OPERATOR, "orders:refund:read", "/admin/", "/admin/refunds"),
    ],
)
def test_a_right_that_is_taken_away_is_gone_from_open_sessions(
    counter: Counter, make: Factories, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, role: Role, permission: str, home: str,
    link: str,
) -> None:
    somebody(client, make, role, **({"point": counter.point} if role is Role.KEEPER else {}))
    assert client.get(link).status_code == 200
    assert not home or f'href="{link}"' in client.get(home).text.partition("<main")[0]
    monkeypatch.setitem(GRANTS, permission, ())  # type: ignore[arg-type]
    assert client.get(link).status_code == 403
    assert not home or f'href="{link}"' not in client.get(home).text.partition("<main")[0]


def test_a_right_at_one_shop_is_none_at_another(counter: Counter, make: Factories, client: FlaskClient) -> None:
    person = somebody(client, make, Role.MERCHANT_OWNER, merchant=counter.merchants[0])
    make.grant(person, Role.MERCHANT_CLERK, merchant=counter.merchants[1])
    for shop, may in zip(counter.merchants, (True, False), strict=True):
        client.post("/merchant/shop", data={"shop": shop.id})
        assert ("<span>Statement</span>" in client.get("/merchant/").text) is may
        assert client.get("/merchant/statement").status_code == (200 if may else 403)
        assert ("Save prices" in client.get("/merchant/products").text) is may


def test_nobody_is_found_by_their_number_without_the_right_to(
    make: Factories, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sought = make.user()
    somebody(client, make, Role.AUDITOR)
    assert client.get("/admin/audit", query_string={"actor_id": sought.phone}).location.endswith(f"actor_id={sought.id}")
    monkeypatch.setitem(GRANTS, "people:phone:search", (Role.OPERATOR,))  # type: ignore[arg-type]
    assert client.get("/admin/audit", query_string={"actor_id": sought.phone}).status_code == 403
    assert client.get("/admin/audit").status_code == 200


def test_who_may_only_propose_gives_nothing_back_alone(
    counter: Counter, make: Factories, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = counter.ordered(counter.buyer(), {"rice": 1})[0]
    number = part.number.rpartition("-")[0]
    monkeypatch.setitem(GRANTS, "orders:refund:give", (Role.OPERATOR,))  # type: ignore[arg-type]
    somebody(client, make, Role.FINANCE)
    client.post(f"/admin/orders/{number}/give-back", data={"part": part.number, "amount": "1", "reason": "broken", "once": "a"})
    assert (count(Refund), count(RefundProposal)) == (0, 1)


def test_the_command_shows_who_holds_what_and_which_doors_it_opens(app: Flask) -> None:
    told = app.test_cli_runner().invoke(args=["permissions"]).output
    line = "catalog:price:write            merchant_owner\n    Decide what a shop's goods cost\n    PUT /api/v1/merchant/stock/<code>/price"
    assert line in told
    assert all(code in told for code in GRANTS)
    only = app.test_cli_runner().invoke(args=["permissions", "--role", "keeper"]).output
    assert "pickup:pass:extend" in only
    assert "catalog:price:write" not in only
    assert app.test_cli_runner().invoke(args=["permissions", "--role", "king"]).exit_code == 2
