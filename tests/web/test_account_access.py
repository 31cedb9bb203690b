"""Who may call what: a reviewed table of the routes of accounts, communities, messages and the API's first resources.

`yes` is let in, whatever is then answered; `no` is led to the sign-in, or gets 401 from the API.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient

from shop.counter.permissions import CounterPermission
from shop.models.accounts import Role
from shop.platform.access import permitted
from shop.platform.actor import Actor
from shop.platform.features import Feature
from tests.conftest import IsolatedClient, dispose, make_config
from tests.support.factories import Factories
from tests.support.people import bearer, sign_in

PEOPLE = ("stranger", "resident", "keeper", "confirmed keeper")
TABLE = """
GET  /sign-in                    yes  yes  yes  yes
POST /sign-in                    yes  yes  yes  yes
GET  /sign-in/code               yes  yes  yes  yes
POST /sign-in/code               yes  yes  yes  yes
POST /sign-out                   yes  yes  yes  yes
POST /preferences                yes  yes  yes  yes
GET  /communities                yes  yes  yes  yes
POST /communities                yes  yes  yes  yes
GET  /me                         no   yes  yes  yes
POST /me                         no   yes  yes  yes
GET  /me/sessions                no   yes  yes  yes
POST /me/sessions/revoke         no   yes  yes  yes
POST /me/sessions/1/revoke       no   yes  yes  yes
GET  /second-factor              no   yes  yes  yes
POST /second-factor              no   yes  yes  yes
GET  /notices                    no   yes  yes  yes
POST /notices/read               no   yes  yes  yes
POST /notices/1/open             no   yes  yes  yes
GET  /dev/style                  yes  yes  yes  yes
GET  /api/v1/openapi.json        yes  yes  yes  yes
GET  /api/v1/docs                yes  yes  yes  yes
GET  /api/v1/communities         yes  yes  yes  yes
GET  /api/v1/pickup-points       yes  yes  yes  yes
POST /api/v1/auth/codes          yes  yes  yes  yes
POST /api/v1/auth/tokens         yes  yes  yes  yes
POST /api/v1/auth/tokens/refresh yes  yes  yes  yes
POST /api/v1/auth/step-up-codes  no   yes  yes  yes
DELETE /api/v1/auth/tokens       no   yes  yes  yes
DELETE /api/v1/auth/sessions     no   yes  yes  yes
GET  /api/v1/me                  no   yes  yes  yes
PUT  /api/v1/me/pickup-point     no   yes  yes  yes
"""
CELLS = [
    (method, path, person, allowed == "yes")
    for method, path, *row in (line.split() for line in TABLE.strip().splitlines())
    for person, allowed in zip(PEOPLE, row, strict=True)
]


def somebody(make: Factories, person: str) -> tuple[object, bool]:
    """The person's account, and whether an authenticator was confirmed."""
    user = make.user()
    if person.endswith("keeper"):
        make.grant(user, Role.KEEPER, point=make.point())
    return user, person.startswith("confirmed")


@pytest.mark.parametrize(("method", "path", "person", "is_allowed"), CELLS)
def test_the_table(app: Flask, client: FlaskClient, make: Factories, method: str, path: str, person: str, is_allowed: bool) -> None:
    headers: dict[str, str] = {}
    if person != "stranger":
        user, confirmed = somebody(make, person)
        sign_in(client, user, confirmed)  # type: ignore[arg-type]
        headers = bearer(app, user, confirmed)  # type: ignore[arg-type]
    answer = client.open(path, method=method, headers=headers)
    turned_away = answer.status_code in {401, 403} or str(answer.location or "").startswith(("/sign-in?next=", "/second-factor?next="))
    assert turned_away is not is_allowed, answer.status


def test_the_table_names_every_route_of_these_blueprints(app: Flask) -> None:
    places = {"/sessions/1/": "/sessions/<id:session_id>/", "/notices/1/": "/notices/<id:notice_id>/"}
    listed = set()
    for line in TABLE.strip().splitlines():
        method, path = line.split()[:2]
        for example, place in places.items():
            path = path.replace(example, place)
        listed.add((method, path))
    ours = {"accounts", "preferences", "notices", "communities"}
    api = {
        "openapi", "docs", "list_communities", "list_pickup_points", "send_sign_in_code", "create_tokens", "refresh_tokens",
        "send_step_up_code", "delete_tokens", "delete_sessions", "get_me", "put_my_point",
    }  # fmt: skip
    routes = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint.split(".")[0] in ours or rule.endpoint.removeprefix("api.") in api
    }
    assert routes == {(method, path) for method, path in listed if not path.startswith("/dev/")}


@pytest.fixture
def console(database_url: str) -> Iterator[Flask]:
    """An app with one page of a console, for keepers."""
    from shop import wiring

    bp = Blueprint("console_of_this_test", __name__)

    @bp.route("/station/test", methods=["GET", "POST"])
    @bp.route("/api/v1/station/test", methods=["GET", "POST"])
    @permitted(CounterPermission.POINT_READ)
    def page(actor: Actor) -> str:
        return "the console"

    from shop import create_app

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(wiring, "FEATURES", (*wiring.FEATURES, Feature(name="planted", blueprints=(bp,))))
        made = create_app(make_config(database_url))
    made.test_client_class = IsolatedClient
    yield made
    with made.app_context():
        dispose(made)


@pytest.mark.parametrize(
    ("person", "page", "api"),
    [
        ("stranger", "/sign-in?next=/station/test?box%3D1", 401),
        ("resident", 403, 403),
        ("keeper", "/second-factor?next=/station/test?box%3D1", 403),
        ("confirmed keeper", 200, 200),
    ],
)
def test_a_console_asks_for_the_role_and_the_second_factor(
    console: Flask, app: Flask, make: Factories, person: str, page: str | int, api: int
) -> None:
    client, headers = console.test_client(), {}
    if person != "stranger":
        user, confirmed = somebody(make, person)
        sign_in(client, user, confirmed)  # type: ignore[arg-type]
        headers = bearer(app, user, confirmed)  # type: ignore[arg-type]
    answer = client.get("/station/test?box=1")
    assert (answer.location or answer.status_code) == page
    problem = client.get("/api/v1/station/test", headers=headers)
    assert problem.status_code == api
    if person == "keeper":
        assert problem.get_json()["code"] == "second_factor_required"
        assert client.post("/station/test").location == "/second-factor?next=/"


def test_a_route_without_declared_access_stops_the_start(database_url: str) -> None:
    from shop import create_app, wiring

    bp = Blueprint("open_by_mistake", __name__)
    bp.add_url_rule("/open-by-mistake", view_func=lambda: "hello", endpoint="page")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(wiring, "FEATURES", (*wiring.FEATURES, Feature(name="planted", blueprints=(bp,))))
        with pytest.raises(RuntimeError, match=r"open_by_mistake\.page"):
            create_app(make_config(database_url))
