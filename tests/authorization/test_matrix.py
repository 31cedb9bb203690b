"""Who may do what, cell by cell: every route for every role, about one's own, another's, what is elsewhere and what does not exist."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from shop.bills import queries as bills
from shop.kernel import memory
from shop.kernel.db import reading
from shop.platform.actor import Actor
from tests.authorization.asking import AUTHENTICATOR, SIGN_IN, YES, Asker
from tests.authorization.city import GRANTED, ROLES, City
from tests.authorization.table import SECTIONS, all_rows, rows
from tests.support.factories import Factories, actor_of
from tests.support.provider import CardProvider
from tests.support.routes import Door, doors

DEVELOPMENT = "/dev/"
"""Does not exist in production."""


def doors_of_the_table(app: Flask) -> dict[str, Door]:
    return {str(door): door for door in doors(app) if not door.rule.startswith(DEVELOPMENT)}


@pytest.fixture
def city(make: Factories, stripe: CardProvider) -> City:
    made = City(make)
    memory.forget()  # whoever asked while it was built saw half of it
    return made


def asker(app: Flask, client: FlaskClient, city: City, make: Factories, *, second_factor: bool = True) -> Asker:
    return Asker(app, client, city, make.category("fruit").slug, second_factor=second_factor)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_cell_is_as_it_was_reviewed(app: Flask, client: FlaskClient, make: Factories, city: City, section: str) -> None:
    found, asking = doors_of_the_table(app), asker(app, client, city, make)
    wrong = []
    for route, reviewed in rows(section).items():
        answered = asking.row(found[route])
        wrong += [
            f"{route} for the {role}: {said} instead of {wanted}"
            for role, said, wanted in zip(ROLES, answered, reviewed, strict=True)
            if said != wanted
        ]
    assert wrong == []
    for other in city.others:
        saved = {view.account.ref for view in bills.accounts(reading(), actor_of(other.person))}
        assert {other.values["account"], other.values["account to remove"], other.values["account to remove by API"]} <= saved


@pytest.mark.one_engine
def test_every_route_has_its_row(app: Flask) -> None:
    assert set(all_rows()) == set(doors_of_the_table(app))


@pytest.mark.one_engine
def test_no_console_opens_without_the_authenticator(app: Flask, client: FlaskClient, make: Factories, city: City) -> None:
    """Where a role is let in, it is led to its authenticator first when that was not confirmed; nobody else is told that there is one."""
    asking = asker(app, client, city, make, second_factor=False)
    consoles = {route: door for route, door in doors_of_the_table(app).items() if door.access.who == "staff"}
    assert len(consoles) > 60
    for route, door in consoles.items():
        for role, reviewed in zip(ROLES, all_rows()[route], strict=True):
            wanted = reviewed[0] if reviewed[0] in (SIGN_IN, "n") else AUTHENTICATOR
            assert asking.letter(door, role, "own") == wanted, f"{route} for the {role}"


@pytest.mark.one_engine
def test_every_guard_that_is_left_out_would_be_noticed(
    app: Flask, client: FlaskClient, make: Factories, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the guards of all consoles open, a resident is answered otherwise than the table says, at every single door."""
    asking = asker(app, client, city, make)
    monkeypatch.setattr(Actor, "may", lambda _actor, _permission: True)
    for route, door in doors_of_the_table(app).items():
        if door.access.who == "staff":
            assert asking.letter(door, "resident", "own") != all_rows()[route][ROLES.index("resident")][0], route


@pytest.mark.one_engine
def test_the_table_and_the_grants_say_the_same(app: Flask) -> None:
    """Which roles the guard of a door names, and which the table lets in."""
    for route, door in doors_of_the_table(app).items():
        if door.access.who == "staff":
            let_in = {GRANTED[role].value for role, cell in zip(ROLES, all_rows()[route], strict=True) if cell[0] == YES}
            assert let_in == set(door.access.roles), route


@pytest.mark.one_engine
def test_the_table_lets_strangers_and_residents_into_no_console() -> None:
    for section in ("merchant", "station", "admin", "community"):
        for route, cells in rows(section).items():
            assert YES not in cells[0] + cells[1], route


@pytest.mark.one_engine
def test_the_table_lets_nobody_see_what_is_anothers() -> None:
    """But the city's staff, whose work it is."""
    for section in ("person", "merchant", "station"):
        for route, cells in rows(section).items():
            for cell in cells:
                if len(cell) > 1 and route not in AGAIN | PUBLIC:
                    assert YES not in cell[1:], route


AGAIN = {
    "DELETE /api/v1/bill-accounts/<ref>", "POST /bills/accounts/<ref>/remove",  # what is taken away again is answered the same
    "POST /bills/accounts/<ref>/pay", "POST /checkout",  # led back to one's own bills or cart
}  # fmt: skip
PUBLIC = {
    "PUT /api/v1/me/pickup-point", "PUT /api/v1/cart/lines/<variant_code>", "DELETE /api/v1/cart/lines/<variant_code>",
    "GET /reviews/<id:review_id>/report", "POST /reviews/<id:review_id>/report", "POST /api/v1/reviews/<id:review_id>/reports",
}  # fmt: skip
"""About points, goods and what is said of them, which are everybody's."""
