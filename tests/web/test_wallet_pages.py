"""The wallet's pages: opening, balance and statement, PIN."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from shop.kernel import clock
from shop.kernel.columns import CITY
from shop.kernel.db import perform, reading, transaction
from shop.kernel.money import Money
from shop.models.accounts import CodePurpose, SignInCode
from shop.models.bills import Biller, BillPayment, BillPaymentState
from shop.models.orders import PaymentMethod
from shop.models.payments import PaymentPurpose
from shop.models.wallet import TransferKind, Wallet, WalletClass, WalletState
from shop.orders import operations as orders
from shop.payments import operations as payments
from shop.payments.snapshots import Snapshot, Stage
from shop.platform.actor import JOB
from shop.settlement import operations as settlement
from shop.wallet import operations, queries
from shop.wallet.operations import PinResult
from shop.wallet.words import bill_words
from tests.support.bills import save_billers
from tests.support.factories import Factories, actor_of
from tests.support.money import PIN, fund, move
from tests.support.people import sign_in
from tests.support.queries import counted
from tests.support.shopping import Shopping


def pin_form(pin: str = "135791", again: str | None = None, **others: str) -> dict[str, str]:
    return {"pin": pin, "again": pin if again is None else again, **others}


def test_the_first_visit_offers_to_open_a_wallet(make: Factories, client: FlaskClient) -> None:
    user = make.user(level=1)
    sign_in(client, user)
    page = client.get("/wallet").text
    assert "Class I: pays up to ¥1,000 in all" in page
    assert "Demo Licensed Payment Institution" in page
    assert client.post("/wallet/open").headers["Location"] == "/wallet/pin"
    found = queries.find(reading(), user.id)
    assert found is not None
    assert found.wallet_class is WalletClass.I


def test_who_is_not_verified_is_told_so(make: Factories, client: FlaskClient) -> None:
    user = make.user(level=0)
    sign_in(client, user)
    page = client.get("/wallet").text
    assert "A wallet needs your identity card first" in page
    assert "/wallet/open" not in page
    assert client.post("/wallet/open").status_code == 403
    assert queries.find(reading(), user.id) is None


@pytest.mark.parametrize("path", ["/wallet", "/wallet/pin", "/wallet/top-up", "/payments/P1"])
def test_wallet_pages_are_for_who_is_signed_in(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/sign-in")


def test_the_statement_speaks_of_orders_and_shops(make: Factories, client: FlaskClient) -> None:
    shop = Shopping(make, merchants=1, name_en="Orange Co-op", name_zh="橙子合作社")
    shop.goods("oranges", price=1_280)
    buyer = shop.buyer()
    placed = shop.buy(buyer, {"oranges": 1})
    sign_in(client, buyer)
    page = client.get("/wallet").text
    assert "Orange Co-op" in page
    assert f'Order <span class="whole standard-only">{placed.number}</span>' in page
    assert f"/orders/{placed.number}" in page
    assert "−¥12.80" in page
    assert "¥987.20" in page.replace('<span class="price-fen">', "").replace("</span>", "").replace('<span class="price-sign">', "")
    client.set_cookie("locale", "zh")
    chinese = client.get("/wallet").text
    assert "橙子合作社" in chinese
    assert f'订单 <span class="whole standard-only">{placed.number}</span>' in chinese


def test_a_new_wallet_has_an_empty_month(make: Factories, client: FlaskClient) -> None:
    user = make.user()
    fund(user)
    sign_in(client, user)
    assert "Nothing moved in this month" in client.get("/wallet").text


def test_months_are_walked_one_by_one(make: Factories, client: FlaskClient) -> None:
    user = make.user()
    wallet = fund(user, 10_000)
    this_month = clock.today()
    clock.move(timedelta(days=40))
    move("later", wallet, "escrow", 700)
    sign_in(client, user)
    page = client.get("/wallet").text
    assert "−¥7.00" in page
    assert "+¥100.00" not in page
    before = f"{(clock.today().replace(day=1) - timedelta(days=1)):%Y-%m}"
    assert f"month={before}" in page
    assert "+¥100.00" in client.get(f"/wallet?month={this_month:%Y-%m}").text


def test_months_stand_side_by_side_with_their_table(make: Factories, client: FlaskClient) -> None:
    user = make.user()
    wallet = fund(user, 10_000)
    clock.move(timedelta(days=40))
    move("later", wallet, "escrow", 700)
    sign_in(client, user)
    page = client.get("/wallet").text
    chart = page.split('class="chart"')[1].split("</figure>")[0]
    cells = re.findall(r'<td class="is-number">([^<]+)</td>', chart)
    assert "¥100.00" in cells
    assert cells[-2:] == ["¥0.00", "¥7.00"]
    assert chart.count("<rect") == len(cells)


@pytest.mark.parametrize(
    "query", ["month=2026-13", "month=x", "month=2001-01", "month=2099-01", "cursor=x", "cursor=-1", "cursor=99999999999999999999"]
)
def test_an_odd_address_shows_a_month_all_the_same(make: Factories, client: FlaskClient, query: str) -> None:
    user = make.user()
    fund(user, 100)
    sign_in(client, user)
    assert client.get(f"/wallet?{query}").status_code == 200


def test_a_long_statement_goes_on_and_costs_the_same(make: Factories, client: FlaskClient) -> None:
    user = make.user()
    wallet = fund(user, 100_000)
    sign_in(client, user)
    with counted() as few:
        client.get("/wallet")
    for number in range(30):
        move(f"entry:{number}", wallet, "escrow", 100 + number, kind=TransferKind.CORRECTION)
    with counted() as many:
        page = client.get("/wallet").text
    assert len(many) <= len(few)
    following = page.partition("cursor=")[2].partition('"')[0].partition("&")[0]
    rest = client.get(f"/wallet?cursor={following}").text
    assert "−¥1.29" in page
    assert "−¥1.29" not in rest
    assert "−¥1.00" in rest


def test_a_pin_is_set(make: Factories, client: FlaskClient) -> None:
    user = make.user()
    fund(user, pin=None)
    sign_in(client, user)
    assert "Old" not in client.get("/wallet/pin").text
    assert client.post("/wallet/pin", data=pin_form()).status_code == 303
    assert perform(operations.check_pin, actor_of(user), "135791").result is PinResult.RIGHT


@pytest.mark.parametrize(
    ("form", "told"),
    [
        (pin_form("123456"), "too easy to guess"),
        (pin_form("12345"), "exactly six digits"),
        (pin_form("135791", "135792"), "not the same"),
        ({}, "exactly six digits"),
    ],
)
def test_a_bad_pin_is_refused_beside_its_field(make: Factories, client: FlaskClient, form: dict[str, str], told: str) -> None:
    user = make.user()
    fund(user, pin=None)
    sign_in(client, user)
    answer = client.post("/wallet/pin", data=form)
    assert answer.status_code == 422
    assert told in answer.text
    found = queries.find(reading(), user.id)
    assert found is not None
    assert not found.has_pin


@pytest.mark.parametrize(
    ("has_pin", "form", "focused"),
    [
        (False, {}, "pin"), (True, {}, "old_pin"),
        (False, pin_form("135791", "135792"), "again"), (True, pin_form("135791", "135792", old_pin=PIN), "again"),
        (True, pin_form("123456", old_pin=PIN), "pin"), (True, pin_form(old_pin="975310"), "old_pin"),
    ],
)  # fmt: skip
def test_the_first_field_that_is_wrong_has_the_focus_and_no_other(
    has_pin: bool, form: dict[str, str], focused: str, make: Factories, client: FlaskClient
) -> None:
    user = make.user()
    fund(user, **({} if has_pin else {"pin": None}))
    sign_in(client, user)
    page = (client.post("/wallet/pin", data=form) if form else client.get("/wallet/pin")).text
    assert re.findall(r'<input[^>]* name="(\w+)"[^>]* autofocus', page) == [focused]


def test_changing_the_pin_needs_the_old_one(make: Factories, client: FlaskClient) -> None:
    user = make.user()
    fund(user)
    sign_in(client, user)
    answer = client.post("/wallet/pin", data=pin_form(old_pin="975310"))
    assert answer.status_code == 402
    assert "Tries left: 4" in answer.text
    assert "975310" not in answer.text
    assert client.post("/wallet/pin", data=pin_form(old_pin="")).status_code == 402
    assert client.post("/wallet/pin", data=pin_form(old_pin=PIN)).status_code == 303
    assert perform(operations.check_pin, actor_of(user), "135791").result is PinResult.RIGHT


def test_a_code_that_lifts_the_limit_is_sent_and_the_page_comes_back(make: Factories, client: FlaskClient) -> None:
    user = make.user()
    sign_in(client, user)
    assert client.post("/wallet/codes", data={"next": "/checkout"}).headers["Location"] == "/checkout"
    assert reading().query(SignInCode).one().purpose is CodePurpose.STEP_UP
    assert client.post("/wallet/codes", data={"next": "https://elsewhere.example/"}).headers["Location"] == "/wallet"


def test_a_higher_class_is_offered_and_taken(make: Factories, client: FlaskClient) -> None:
    user = make.user(level=2)
    fund(user, wallet_class=WalletClass.I)
    sign_in(client, user)
    assert "A higher class is open to you" in client.get("/wallet").text
    assert client.post("/wallet/upgrade").status_code == 303
    assert "A higher class is open to you" not in client.get("/wallet").text


def test_every_kind_of_entry_has_plain_words(make: Factories, client: FlaskClient) -> None:
    shop = Shopping(make, merchants=1, name_en="Orange Co-op")
    shop.goods("oranges", price=2_500)
    buyer = shop.buyer()
    placed = shop.buy(buyer, {"oranges": 1})
    sub_order_id = placed.sub_orders[0].id
    with transaction() as session:
        orders.refund(session, JOB, sub_order_id, amount=Money(300), cause="line:1:weighed", reason="weighed less")
    payment = perform(settlement.start_top_up, actor_of(buyer), Money(10_000))
    perform(settlement.apply, payment.id, Snapshot(Stage.SUCCEEDED, Money(10_000), intent="pi_1"))
    move("a gift", "custodian", f"wallet:{buyer.id}", 1, kind=TransferKind.CORRECTION)
    move("odd", f"wallet:{buyer.id}", "suspense", 1)
    sign_in(client, buyer)
    page = client.get("/wallet").text
    for words in (
        f'Order <span class="whole standard-only">{placed.number}</span>', "Refund for the order", "Orange Co-op",
        "Top-up by card", "Opening balance",
        "Correction", "Payment",
    ):
        assert words in page, words
    assert f'href="/payments/{payment.ref}"' in page


def test_a_bill_that_was_refused_is_listed_as_returned(make: Factories, client: FlaskClient) -> None:
    user = make.user()
    fund(user, 50_000)
    save_billers()
    with transaction() as session:
        biller = session.scalars(sa.select(Biller).limit(1)).one()
        session.add(
            BillPayment(
                ref="B1", serial="S1", request_key="k", user_id=user.id, community_id=CITY, biller_id=biller.id, account_no="1",
                total=Money(3_000), state=BillPaymentState.FUNDS_HELD, holder_masked="", created_at=clock.now(),
            )
        )
        session.flush()
        name = biller.name_en
        bill_id = session.scalars(sa.select(BillPayment.id)).one()
        paid = payments.start(
            session, actor_of(user), purpose=PaymentPurpose.BILL, method=PaymentMethod.WALLET, amount=Money(3_000), bill_payment_id=bill_id,
            is_paid=True,
        )
    move("held", f"wallet:{user.id}", "bill_hold", 3_000, kind=TransferKind.BILL_HOLD, subject=("bill_payment", bill_id))
    sign_in(client, user)
    assert "Household bill, in progress" in client.get("/wallet").text
    perform(payments.open_refund, payment_id=paid.id, cause="returned", amount=Money(3_000), reason="refused")
    with transaction() as session:
        session.execute(sa.update(BillPayment).values(state=BillPaymentState.REFUNDED))
    page = client.get("/wallet").text
    assert "Household bill, money returned" in page
    assert "Bill payment returned" in page
    assert "Bill paid" not in page
    assert page.count(name) == 2


@pytest.mark.parametrize("state", BillPaymentState)
def test_the_statement_calls_no_bill_paid_before_its_biller_does(state: BillPaymentState, app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert (bill_words(state) == "Bill paid") == (state is BillPaymentState.POSTED)


def test_without_a_wallet_its_pages_lead_to_opening_one(make: Factories, client: FlaskClient) -> None:
    sign_in(client, make.user())
    for path, form in (("/wallet/pin", pin_form()), ("/wallet/top-up", {"amount": "100"})):
        for answer in (client.get(path), client.post(path, data=form)):
            assert (answer.status_code, answer.headers["Location"]) == (303, "/wallet")


def test_who_has_shown_no_identity_card_is_told_where_to_bring_it(make: Factories, client: FlaskClient) -> None:
    point = make.point()
    sign_in(client, make.user(level=0, point=point))
    page = client.get("/wallet").text
    assert "Bring your identity card to your pick-up point" in page
    assert f'class="btn btn-secondary call-help" href="tel:{point.phone}"' in page
    sign_in(client, make.user(level=0))
    assert "/help#points" in client.get("/wallet").text


def test_who_has_forgotten_the_pin_is_led_to_the_answer(make: Factories, client: FlaskClient) -> None:
    user = make.user()
    fund(user)
    sign_in(client, user)
    assert "/help?about=pin#forgotten-pin" in client.get("/wallet/pin").text
    assert '<details class="question" id="forgotten-pin" open>' in client.get("/help?about=pin").text
    assert '<details class="question" id="forgotten-pin">' in client.get("/help").text


def test_a_class_that_is_highest_already_stays(make: Factories, client: FlaskClient) -> None:
    user = make.user(level=2)
    fund(user)
    sign_in(client, user)
    assert client.post("/wallet/upgrade").status_code == 303
    found = queries.find(reading(), user.id)
    assert found is not None
    assert found.wallet_class is WalletClass.II


def test_a_frozen_wallet_says_so(make: Factories, client: FlaskClient) -> None:
    user = make.user()
    fund(user)
    with transaction() as session:
        session.get_one(Wallet, user.id).state = WalletState.FROZEN
    sign_in(client, user)
    assert "This wallet is frozen" in client.get("/wallet").text
