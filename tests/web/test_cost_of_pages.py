"""What a page asks of the database once the shop is warm: as little for somebody who is signed in as can be."""

from __future__ import annotations

import pytest
from flask import Flask, g
from flask.testing import FlaskClient

from shop.favourites import hearts
from shop.favourites import operations as favourites
from shop.kernel.db import perform, reading
from shop.platform import along
from shop.platform.actor import Actor
from tests.support.factories import Factories
from tests.support.people import sign_in
from tests.support.queries import counted

pytestmark = pytest.mark.one_engine


@pytest.mark.parametrize(("path", "most"), [("/categories/staples", 1), ("/products/rice", 1)])
def test_a_page_asks_a_person_one_statement_more_than_a_stranger(client: FlaskClient, make: Factories, path: str, most: int) -> None:
    point = make.point("tianchenghu")
    make.product(make.merchant("mill", points=[point]), code="rice", on_hand=5, category=make.category("staples"))
    client.set_cookie("point", "tianchenghu")
    assert client.get(path).status_code == 200
    with counted() as of_stranger:
        client.get(path)
    sign_in(client, make.user(pickup_point_id=point.id))
    client.get(path)
    with counted() as of_person:
        assert client.get(path).status_code == 200
    assert len(of_person) == len(of_stranger) + most, of_person
    assert "user_sessions" in of_person[0]


def test_what_was_read_along_is_forgotten_once_something_is_changed(app: Flask, make: Factories) -> None:
    user, variant = make.user(), make.product(code="rice", on_hand=5)
    actor = Actor("user", user_id=user.id)
    with app.test_request_context("/"):
        along.keep(user.id, {hearts.NAME: None})
        assert along.known(user.id, hearts.NAME) == (None,)
        assert along.known(user.id + 1, hearts.NAME) is None
        perform(favourites.keep, actor, "rice")
        assert along.known(user.id, hearts.NAME) is None
        g.pop("favourites", None)
        assert hearts.kept_by(actor) == {variant.product_id}
        reading().rollback()
