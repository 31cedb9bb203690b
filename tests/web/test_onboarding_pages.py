"""Applying and deciding on pages: one subject a page, what was typed stays, what is done is told, papers open with a reason only."""

from __future__ import annotations

import io
import re

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from shop.kernel.db import finish_reading, perform, reading
from shop.models.accounts import Role, User
from shop.models.merchants import Merchant, MerchantState
from shop.models.onboarding import ApplicantKind, ApplicationPaper, ApplicationState, Food, PaperKind
from shop.onboarding import operations
from shop.platform.actor import Grant
from tests.support.applying import CODE, applied, fill_in, hand_in, latest, make_application, photo
from tests.support.factories import Factories, actor_of
from tests.support.people import sign_in
from tests.support.queries import counted

pytestmark = pytest.mark.one_engine


@pytest.fixture
def user(make: Factories, client: FlaskClient) -> User:
    made = make.user()
    sign_in(client, made)
    return made


@pytest.fixture
def operator(make: Factories) -> User:
    made = make.user(display_name="运营")
    make.grant(made, Role.OPERATOR)
    return made


def sure(client: FlaskClient, address: str, form: dict[str, str]) -> str:
    """Send a form that is asked about first, and say yes."""
    asked = client.post(address, data=form).get_data(as_text=True)
    found = re.search(r'name="sure" value="([^"]+)"', asked)
    assert found is not None, asked[:500]
    return client.post(address, data={**form, "sure": found[1]}, follow_redirects=True).get_data(as_text=True)


def test_the_whole_way_from_the_first_page_to_handing_in(make: Factories, client: FlaskClient, user: User) -> None:
    point = make.point()
    assert "/join/kind" in client.get("/join").get_data(as_text=True)
    steps = (
        ("/join/kind", {"kind": "shop"}, "/join/shop"),
        ("/join/shop", {"name_zh": "果铺", "business_zh": "水果", "food": "none"}, "/join/register"),
        ("/join/register", {"person": "李梅", "legal_name": "李梅水果店", "uscc": CODE.lower()}, "/join/points"),
        ("/join/points", {"points": point.slug}, "/join/papers"),
    )
    for address, form, following in steps:
        assert client.get(address).status_code == 200
        answer = client.post(address, data=form)
        assert (answer.status_code, answer.location) == (303, following)
    for paper in ("business_licence", "identity"):
        sent = {"paper": paper, "valid_until": "", "file": (io.BytesIO(photo()), "x.jpg")}
        assert client.post("/join/papers", data=sent).status_code == 303
    assert client.post("/join/submit").status_code == 303
    assert latest(user).state is ApplicationState.WAITING
    assert client.get("/join/shop").status_code == 303
    assert client.get("/join").status_code == 200


def test_what_is_wrong_is_said_beside_what_was_typed(make: Factories, client: FlaskClient, user: User) -> None:
    make.point()
    assert client.post("/join/kind", data={"kind": "bank"}).status_code == 422
    client.post("/join/kind", data={"kind": "shop"})
    for address, form, kept in (
        ("/join/shop", {"name_zh": "果铺", "business_zh": "", "food": "none"}, "果铺"),
        ("/join/shop", {"name_zh": "果铺", "business_zh": "水果", "food": "stones"}, "水果"),
        ("/join/register", {"person": "李梅", "legal_name": "店", "uscc": "92511002MAY0000767"}, "92511002MAY0000767"),
        ("/join/points", {"points": "nowhere"}, ""),
        ("/join/papers", {"paper": "passport"}, ""),
        ("/join/papers", {"paper": "identity"}, ""),
        ("/join/papers", {"paper": "identity", "valid_until": "tomorrow"}, ""),
    ):
        answer = client.post(address, data=form)
        assert answer.status_code == 422, address
        assert kept in answer.get_data(as_text=True)
    assert latest(user).name_zh == ""


def test_a_question_is_answered_on_the_same_page(make: Factories, client: FlaskClient, operator: User) -> None:
    found = applied(make)
    asker = actor_of(operator, Grant("operator"))
    perform(operations.ask, asker, found.id, "Until when is the lease?", PaperKind.OTHER)
    sign_in(client, reading().get_one(User, found.user_id))
    shown = client.get("/join").get_data(as_text=True)
    assert "Until when is the lease?" in shown
    assert client.post("/join/answer", data={"text": ""}).status_code == 422
    client.post("/join/answer", data={"text": "Until 2030"})
    assert latest(reading().get_one(User, found.user_id)).state is ApplicationState.WAITING


def test_an_operator_reads_asks_looks_and_approves(make: Factories, client: FlaskClient, operator: User) -> None:
    found = applied(make)
    sign_in(client, operator, second_factor=True)
    assert f"/admin/applications/{found.id}" in client.get("/admin/applications").get_data(as_text=True)
    page = client.get(f"/admin/applications/{found.id}").get_data(as_text=True)
    assert "李*" in page
    assert "李梅&lt;" not in page
    paper = reading().scalars(sa.select(ApplicationPaper.id)).first()
    assert client.post(f"/admin/applications/papers/{paper}", data={"reason": ""}).status_code == 422
    shown = client.post(f"/admin/applications/papers/{paper}", data={"reason": "why"})
    assert (shown.content_type, shown.data[:2]) == ("image/jpeg", b"\xff\xd8")
    assert shown.headers["Cache-Control"] == "private, no-store"
    assert client.post(f"/admin/applications/{found.id}/approve", data={"commission": "much"}).status_code == 422
    sure(client, f"/admin/applications/{found.id}/approve", {"commission": "2.5", "seen": str(found.changes)})
    finish_reading()
    assert reading().scalars(sa.select(Merchant.commission_bps)).one() == 250
    assert client.get(f"/shops/shop-{found.id}").status_code == 200
    for tab in ("waiting", "asked", "approved", "closed", "nothing"):
        assert client.get(f"/admin/applications?tab={tab}").status_code == 200


def test_a_refusal_needs_its_reason(make: Factories, client: FlaskClient, operator: User) -> None:
    found = applied(make)
    sign_in(client, operator, second_factor=True)
    for deed, form in (("ask", {"text": ""}), ("ask", {"text": "x", "paper": "passport"}), ("decline", {"reason": ""})):
        assert client.post(f"/admin/applications/{found.id}/{deed}", data=form).status_code == 422
    client.post(f"/admin/applications/{found.id}/decline", data={"reason": "No licence"})
    sign_in(client, reading().get_one(User, found.user_id))
    assert "No licence" in client.get("/join").get_data(as_text=True)


def test_who_was_approved_sets_up_an_authenticator_once(make: Factories, client: FlaskClient, operator: User) -> None:
    found = applied(make)
    perform(operations.approve, actor_of(operator, Grant("operator")), found.id, found.changes, 300)
    sign_in(client, reading().get_one(User, found.user_id))
    assert "/me/authenticator/code" in client.get("/me/authenticator").get_data(as_text=True)
    assert client.post("/me/authenticator", data={"code": "000000"}).status_code == 422
    sign_in(client, make.user())
    assert "/me/authenticator/code" not in client.get("/me/authenticator").get_data(as_text=True)


def test_a_suspended_shop_says_so_and_nothing_goes_into_the_cart(make: Factories, client: FlaskClient, operator: User) -> None:
    point = make.point()
    merchant = make.merchant("rice", points=[point])
    variant = make.product(merchant, code="a")
    sign_in(client, operator, second_factor=True)
    sure(client, "/admin/shops/rice/suspend", {"reason": "Short weight"})
    finish_reading()
    assert reading().scalars(sa.select(Merchant.state)).one() is MerchantState.SUSPENDED
    assert client.get("/admin/shops?which=suspended").get_data(as_text=True).count("Short weight") == 1
    sign_in(client, make.user(point=point))
    page = client.get("/shops/rice", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert "Short weight" not in page
    assert 'class="notice notice-warn"' in page
    client.post("/cart/lines", data={"variant": variant.code, "quantity": "1"})
    assert 'value="a"' not in client.get("/cart").get_data(as_text=True)
    sign_in(client, operator, second_factor=True)
    sure(client, "/admin/shops/rice/restore", {"reason": "Checked"})
    finish_reading()
    assert reading().scalars(sa.select(Merchant.state)).one() is MerchantState.ACTIVE
    assert client.get("/admin/shops/rice").status_code == 200


def test_a_farmers_shop_says_what_was_declared(make: Factories, client: FlaskClient, operator: User) -> None:
    found = applied(make, ApplicantKind.FARMER)
    perform(operations.approve, actor_of(operator, Grant("operator")), found.id, found.changes, 300)
    page = client.get(f"/shops/shop-{found.id}").get_data(as_text=True)
    assert "article 10 of the E-commerce Law" in page
    assert "Unified social credit code" not in page


def test_a_queue_of_one_and_of_many_asks_the_same_number_of_statements(make: Factories, client: FlaskClient, operator: User) -> None:
    def statements() -> list[int]:
        sign_in(client, operator, second_factor=True)
        counts = []
        for address in ("/admin/applications", "/admin/applications?tab=closed", "/admin/shops"):
            with counted() as seen:
                assert client.get(address).status_code == 200
            counts.append(len(seen))
        return counts

    for many in (1, 12):
        for _ in range(many):
            make.merchant()
            applied(make)
            make_application(make, make.user(), operator)
        if many == 1:
            alone = statements()
    assert statements() == alone


def test_a_paper_is_taken_away(make: Factories, client: FlaskClient, user: User) -> None:
    fill_in(make, food=Food.NONE, user=user)
    paper = hand_in(user, PaperKind.OTHER)
    sure(client, f"/join/papers/{paper}/remove", {})
    finish_reading()
    assert reading().get(ApplicationPaper, paper) is None
