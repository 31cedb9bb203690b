"""No form of another site does anything here: every unsafe route is asked without the token of our forms, by whoever may use it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from shop import create_app
from shop.kernel.db import Base, reading
from shop.models.accounts import Role, User
from shop.platform.access import open_to_everyone
from shop.platform.http import protection
from tests.conftest import IsolatedClient, dispose, make_config
from tests.support.factories import Factories
from tests.support.people import sign_in, sign_out
from tests.support.routes import Door, doors

UNTOUCHED = sorted(name for name in Base.metadata.tables if name != "user_sessions")


@pytest.fixture
def guarded(app: Flask) -> Iterator[Flask]:
    """The app as it runs, forms guarded."""
    app.config["WTF_CSRF_ENABLED"] = True
    yield app
    app.config["WTF_CSRF_ENABLED"] = False


def rows() -> dict[str, int]:
    """How many rows each table has."""
    reading().rollback()
    counts = [sa.select(sa.func.count()).select_from(Base.metadata.tables[name]).scalar_subquery() for name in UNTOUCHED]
    return dict(zip(UNTOUCHED, reading().execute(sa.select(*counts)).one(), strict=True))


def unsafe_pages(app: Flask) -> list[Door]:
    return [door for door in doors(app) if not door.is_safe and not door.is_api and door.access.who != "provider"]


def let_in(app: Flask, client: FlaskClient) -> list[str]:
    """The unsafe pages that do not refuse a form without its token."""
    answers = {str(door): client.post(door.path({}), data={"_": "1"}) for door in unsafe_pages(app)}
    return [page for page, answer in answers.items() if answer.status_code != 400 or "open for too long" not in answer.text]


def test_every_unsafe_page_refuses_a_form_without_its_token(guarded: Flask, client: FlaskClient, make: Factories) -> None:
    shop, point = make.merchant(), make.point()
    people: list[User | None] = [None]
    for role, place in (
        (None, {}), (Role.MERCHANT_OWNER, {"merchant": shop}), (Role.KEEPER, {"point": point}), (Role.OPERATOR, {}), (Role.FINANCE, {}),
    ):
        person = make.user()
        people.append(person)
        if role is not None:
            make.grant(person, role, **place)
    before = rows()
    assert len(unsafe_pages(guarded)) > 40
    for person in people:
        sign_out(client)
        if person is not None:
            sign_in(client, person, second_factor=True)
        assert let_in(guarded, client) == []
    assert rows() == before


def test_the_api_believes_no_cookie(guarded: Flask, client: FlaskClient, make: Factories) -> None:
    """It asks for no token of forms, because nothing that a browser sends by itself opens it."""
    sign_in(client, make.user(), second_factor=True)
    before = rows()
    asked = [door for door in doors(guarded) if door.is_api and not door.is_safe and door.access.who != "everyone"]
    assert len(asked) > 20
    for door in asked:
        assert client.open(door.path({}), method=door.method, json={}).status_code == 401, door
    assert rows() == before


def test_a_page_that_forgot_its_guard_is_found(database_url: str) -> None:
    careless = create_app(make_config(database_url, WTF_CSRF_ENABLED=True))
    careless.test_client_class = IsolatedClient
    view = protection.exempt(open_to_everyone(lambda actor: "done"))
    careless.add_url_rule("/careless", "careless", view, methods=["POST"])
    try:
        with careless.app_context():
            reader = careless.test_client()
            reader.set_cookie("locale", "en")
            assert let_in(careless, reader) == ["POST /careless"]
    finally:
        with careless.app_context():
            dispose(careless)
