"""The pages of bills, as somebody without script uses them."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from shop.bills.terms import period_words
from shop.kernel import clock
from shop.kernel.db import reading, transaction
from shop.kernel.money import Money
from shop.models.accounts import User
from shop.models.bills import Bill, BillAccount, BillLookUp, BillPayment, LookUpOutcome
from shop.models.wallet import WalletClass
from shop.platform import outbox
from simulators.biller.channel import Channel
from tests.support import bills
from tests.support.factories import Factories
from tests.support.money import PIN, balance, fund, pay
from tests.support.people import sign_in
from tests.support.queries import counted


@pytest.fixture
def biller(app: Flask) -> Iterator[Channel]:
    with bills.billers_running(app) as channel:
        channel.control(lost_answer="close")
        yield channel


@pytest.fixture
def resident(client: FlaskClient, make: Factories) -> User:
    """Somebody with ¥1,000 in the wallet, signed in on `client`."""
    user = make.user()
    fund(user, 100_000)
    sign_in(client, user)
    return user


def hidden(page: str) -> dict[str, object]:
    """What a form carries unseen."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, value in re.findall(r'<input type="hidden" name="(token|seen-[^"]*|bill-[^"]*)" value="([^"]*)"', page):
        found[name].append(value)
    return {"method": "wallet", **found}


def payments_made() -> int:
    return reading().scalar(sa.select(sa.func.count()).select_from(BillPayment)) or 0


def test_from_a_number_to_a_receipt(client: FlaskClient, biller: Channel, resident: User) -> None:
    assert "Neijiang Power Supply" in client.get("/bills/add").text
    saved = client.post("/bills/add/power", data={"account_no": "5110 0000 18", "label": "Home"})
    assert saved.status_code == 303
    waiting = client.get(saved.location).text
    assert "Asking Neijiang Power Supply" in waiting
    assert '<noscript><meta http-equiv="refresh"' in waiting
    outbox.run_due()
    shown = client.get(saved.location).text
    assert "Everything due" in shown
    assert "http-equiv" not in shown
    told = biller.query("power", "5110000018")
    assert told["holder"] not in shown
    pay_url = f"{saved.location}/pay?periods=2"
    page = client.get(pay_url).text
    paid = client.post(pay_url, data={**hidden(page), "pin": PIN})
    assert paid.status_code == 303
    underway = client.get(paid.location).text
    assert "Being paid" in underway
    assert "Receipt number" not in underway  # no receipt before the biller has written it off
    assert client.get(f"{paid.location}/print").status_code == 303
    outbox.run_due()
    receipt = client.get(paid.location).text
    made = reading().scalars(sa.select(BillPayment)).one()
    assert made.receipt_no is not None
    assert made.receipt_no in receipt
    assert "整" in receipt or "分" in receipt
    assert "is not a tax invoice" in receipt
    assert made.receipt_no in client.get(f"{paid.location}/print").text
    assert made.ref in client.get("/bills/payments").text
    assert made.ref in client.get("/bills").text


def test_an_unknown_number_is_said_plainly_and_shows_nothing_else(client: FlaskClient, biller: Channel, resident: User) -> None:
    saved = client.post("/bills/add/power", data={"account_no": "5110000010"})
    outbox.run_due()
    page = client.get(saved.location)
    assert page.status_code == 200
    assert "does not know this number" in page.text
    assert "5110000010" not in page.text
    assert "Save the name" not in page.text
    assert "5110000010" not in client.get("/bills").text
    again = html.unescape(re.findall(r'href="([^"]*again=[^"]*)"', page.text)[0])
    assert 'value="5110000010"' in client.get(again).text
    assert 'value="5110000010"' not in client.get("/bills/add/power").text


def test_while_a_biller_is_asked_about_a_number_there_is_nothing_to_manage(client: FlaskClient, biller: Channel, resident: User) -> None:
    saved = client.post("/bills/add/power", data={"account_no": "5110000015"})
    body = client.get(saved.location).text
    assert "Asking Neijiang Power Supply" in body
    assert "Take it off my list" not in body
    outbox.run_due()
    assert "Take it off my list" in client.get(saved.location).text


@pytest.mark.parametrize(
    ("biller_code", "typed", "told"),
    [
        ("power", "", "Please enter the number first"), ("mobile", " ", "Please enter the number first"),
        ("power", "123", "not how a number of this biller looks"), ("mobile", "1380000", "A mobile number has 11 digits"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_number_is_said_in_the_words_of_its_biller(
    client: FlaskClient, biller: Channel, resident: User, biller_code: str, typed: str, told: str
) -> None:
    answer = client.post(f"/bills/add/{biller_code}", data={"account_no": typed})
    assert answer.status_code == 422
    assert told in answer.text
    assert (">Mobile number<" in answer.text) == (biller_code == "mobile")


def test_a_number_of_another_form_is_refused_beside_its_field_and_what_was_typed_is_kept(
    client: FlaskClient, biller: Channel, resident: User
) -> None:
    answer = client.post("/bills/add/power", data={"account_no": "123", "label": "Home"})
    assert answer.status_code == 422
    assert 'id="account_no-error"' in answer.text
    assert 'value="123"' in answer.text
    assert 'value="Home"' in answer.text


def test_a_wrong_pin_is_refused_beside_its_field_and_nothing_happened(client: FlaskClient, biller: Channel, resident: User) -> None:
    view = bills.add(resident, "power", "5110000015")
    url = f"/bills/accounts/{view.account.ref}/pay?periods=1"
    answer = client.post(url, data={**hidden(client.get(url).text), "pin": "111222"})
    assert answer.status_code == 422
    assert "Tries left: 4" in answer.text
    assert "111222" not in answer.text
    field = answer.text[answer.text.index("Tries left: 4"):].partition("<input")[2]
    assert 'name="pin"' in field.partition(">")[0]  # what is wrong stands above: what is below may lie behind a bar
    assert " autofocus" in field.partition(">")[0]
    assert payments_made() == 0
    assert balance(f"wallet:{resident.id}") == 100_000


def test_a_double_click_makes_one_payment(client: FlaskClient, biller: Channel, resident: User) -> None:
    view = bills.add(resident, "power", "5110000015")
    url = f"/bills/accounts/{view.account.ref}/pay?periods=1"
    form = {**hidden(client.get(url).text), "pin": PIN}
    first, second = client.post(url, data=form), client.post(url, data=form)
    assert first.location == second.location
    assert payments_made() == 1


def test_every_page_leaves_out_of_what_is_due_what_is_being_paid(client: FlaskClient, biller: Channel, resident: User) -> None:
    view = bills.add(resident, "power", "5110000018")
    everything, the_rest = str(view.total), str(Money.total(bill.total for bill in view.due[2:]))

    def told(page: str) -> str:
        return re.sub(r"<[^>]+>", "", client.get(page).text).replace(",", "")

    pages = ("/", "/me", "/life", "/bills")
    assert all(everything in told(page) for page in pages)
    bills.pay(resident, view, periods=2)
    for page in pages:
        assert everything not in told(page), page
        assert the_rest in told(page), page


def test_a_second_tab_is_told_that_the_bill_is_being_paid(client: FlaskClient, biller: Channel, resident: User) -> None:
    view = bills.add(resident, "power", "5110000015")
    url = f"/bills/accounts/{view.account.ref}/pay?periods=1"
    one, other = hidden(client.get(url).text), hidden(client.get(url).text)
    client.post(url, data={**one, "pin": PIN})
    answer = client.post(url, data={**other, "pin": PIN}, follow_redirects=True)
    assert "already on its way" in answer.text
    assert payments_made() == 1
    assert client.get(url).status_code == 303  # no page to pay a second time


@pytest.mark.parametrize("seen", ["1", "99999999"])
def test_another_total_than_the_one_shown_pays_nothing(client: FlaskClient, biller: Channel, resident: User, seen: str) -> None:
    view = bills.add(resident, "power", "5110000015")
    url = f"/bills/accounts/{view.account.ref}/pay?periods=1"
    answer = client.post(url, data={**hidden(client.get(url).text), f"seen-{view.account.ref}": seen, "pin": PIN}, follow_redirects=True)
    assert "Nothing was paid" in answer.text
    assert payments_made() == 0


def test_a_page_left_open_for_too_long_pays_nothing_and_asks_again(client: FlaskClient, biller: Channel, resident: User) -> None:
    view = bills.add(resident, "power", "5110000015")
    url = f"/bills/accounts/{view.account.ref}/pay?periods=1"
    form = hidden(client.get(url).text)
    clock.move(timedelta(minutes=6))
    answer = client.post(url, data={**form, "pin": PIN}, follow_redirects=True)
    assert "Nothing was paid yet" in answer.text
    assert "Asking Neijiang Power Supply for the newest amount" in answer.text
    assert payments_made() == 0
    outbox.run_due()
    assert client.post(url, data={**hidden(client.get(url).text), "pin": PIN}).status_code == 303
    assert payments_made() == 1


def onward(page: str) -> str:
    """Where a page that waits leads by itself."""
    return html.unescape(re.findall(r'http-equiv="refresh" content="2;url=([^"]+)"', page)[0])


def test_figures_a_few_minutes_old_are_asked_for_again_on_the_way_to_paying(client: FlaskClient, biller: Channel, resident: User) -> None:
    view = bills.add(resident, "power", "5110000015")
    clock.move(timedelta(minutes=4))
    waiting = client.get(f"/bills/accounts/{view.account.ref}/pay?periods=1").text
    assert "Asking Neijiang Power Supply for the newest amount" in waiting
    assert "notice-danger" not in waiting
    script = client.get(onward(waiting), headers={"HX-Request": "true"})
    assert "HX-Redirect" not in script.headers
    outbox.run_due()
    assert client.get(onward(waiting), headers={"HX-Request": "true"}).headers["HX-Redirect"] == onward(waiting)
    page = client.get(onward(waiting)).text
    assert "The amount has changed" not in page
    assert client.post(onward(waiting), data={**hidden(page), "pin": PIN}).status_code == 303
    assert payments_made() == 1


def test_an_amount_that_changed_meanwhile_is_said_calmly_before_paying(client: FlaskClient, biller: Channel, resident: User) -> None:
    view = bills.add(resident, "power", "5110000015")
    seen, now = Money(view.total.fen - 100), Money(view.total.fen)
    with transaction() as session:
        session.execute(sa.update(Bill).values(amount=Bill.amount - Money(100), total=Bill.total - Money(100)))
    clock.move(timedelta(minutes=4))
    waiting = client.get(f"/bills/accounts/{view.account.ref}/pay?periods=1").text
    outbox.run_due()
    page = client.get(onward(waiting)).text
    assert f"You saw ¥{seen} before. The biller now asks for ¥{now}." in page
    assert hidden(page)[f"seen-{view.account.ref}"] == [str(now.fen)]


def test_a_biller_that_is_silent_leads_back_to_the_account(
    client: FlaskClient, biller: Channel, resident: User
) -> None:
    view = bills.add(resident, "power", "5110000015")
    clock.move(timedelta(minutes=4))
    waiting = client.get(f"/bills/accounts/{view.account.ref}/pay?periods=1").text
    with transaction() as session:
        newest = sa.select(sa.func.max(BillLookUp.id)).scalar_subquery()
        session.execute(sa.update(BillLookUp).where(BillLookUp.id == newest).values(outcome=LookUpOutcome.UNAVAILABLE))
    back = client.get(onward(waiting))
    assert back.location == f"/bills/accounts/{view.account.ref}"
    assert "does not answer just now" in client.get(back.location).text


def test_a_payment_that_failed_says_where_the_money_is(client: FlaskClient, biller: Channel, resident: User) -> None:
    view = bills.add(resident, "power", "5110000013")
    made = bills.pay(resident, view)
    outbox.run_due()
    assert "Waiting for the biller" in client.get(f"/bills/{made.ref}").text
    bills.until_settled(hours=0.1)
    page = client.get(f"/bills/{made.ref}").text
    assert "is back in your wallet" in page
    assert "Look again what is due" in page


def test_a_top_up_shows_the_number_spaced_before_it_is_paid(client: FlaskClient, biller: Channel, resident: User) -> None:
    saved = client.post("/bills/add/mobile", data={"account_no": "13800000015"})
    assert "¥500.00" in client.get(saved.location).text
    page = client.get(f"{saved.location}/pay?amount=5000").text
    assert "138 0000 0015" in page
    assert "cannot be taken back" in page
    paid = client.post(f"{saved.location}/pay?amount=5000", data={**hidden(page), "pin": PIN})
    outbox.run_due()
    assert "Bill paid" in client.get(paid.location).text
    assert balance(f"wallet:{resident.id}") == 95_000


def test_an_amount_that_is_not_sold_pays_nothing(client: FlaskClient, biller: Channel, resident: User) -> None:
    saved = client.post("/bills/add/mobile", data={"account_no": "13800000015"})
    url = f"{saved.location}/pay?amount=4999"
    answer = client.post(url, data={**hidden(client.get(url).text), "pin": PIN}, follow_redirects=True)
    assert "does not sell this amount" in answer.text
    assert payments_made() == 0


def test_above_the_limit_of_a_pin_a_code_is_asked_for(client: FlaskClient, biller: Channel, make: Factories) -> None:
    user = make.user()
    fund(user, 500_000)
    sign_in(client, user)
    for number in ("13800000015", "13800000016"):
        bills.pay(user, bills.add(user, "mobile", number), amount=50_000)
    view = bills.add(user, "mobile", "13800000017")
    url = f"/bills/accounts/{view.account.ref}/pay?amount=1000"
    page = client.get(url).text
    assert 'name="code"' in page
    answer = client.post(url, data={**hidden(page), "pin": PIN})
    assert answer.status_code == 422
    assert "code from a text message" in answer.text
    assert payments_made() == 2


@pytest.mark.parametrize(("wallet", "offer"), [(None, "Open a wallet"), (0, "Top up the wallet")])
def test_without_the_money_the_card_is_offered_and_the_way_to_a_wallet(
    client: FlaskClient, biller: Channel, make: Factories, wallet: int | None, offer: str
) -> None:
    user = make.user()
    if wallet is not None:
        fund(user, wallet)
    sign_in(client, user)
    view = bills.add(user, "power", "5110000015")
    page = client.get(f"/bills/accounts/{view.account.ref}/pay?periods=1").text
    assert offer in page
    assert re.search(r'value="wallet" disabled', page)
    assert re.search(r'value="stripe" checked', page)
    answer = client.post(f"/bills/accounts/{view.account.ref}/pay?periods=1", data={**hidden(page), "method": "stripe"})
    assert re.fullmatch(r"/payments/P[^/]+/onward", answer.location)
    made = reading().scalars(sa.select(BillPayment)).one()
    waiting = client.get(f"/bills/{made.ref}").text
    assert "Not paid yet" in waiting
    client.post(f"/bills/{made.ref}/give-up")
    assert "nothing was charged" in client.get(f"/bills/{made.ref}").text


def test_what_is_due_on_several_accounts_is_ticked_and_paid_with_one_pin(client: FlaskClient, biller: Channel, resident: User) -> None:
    views = [bills.add(resident, code, number) for code, number in (("power", "5110000015"), ("water-city", "80000015"))]
    bills.add(resident, "gas-dongxing", "80000011")  # nothing is due there
    listed = client.get("/bills").text
    assert re.findall(r'name="account" value="([^"]+)" checked', listed) == [view.account.ref for view in views]
    url = f"/bills/together?account={views[0].account.ref}&account={views[1].account.ref}"
    page = client.get(url).text
    total = Money.total(view.total for view in views)
    assert f"¥{total}" in re.sub(r"<[^>]+>", "", page)
    answer = client.post(url, data={**hidden(page), "pin": PIN}, follow_redirects=True)
    assert f"2 bills are being paid, ¥{total} in all." in answer.text
    assert payments_made() == 2
    assert balance("bill_hold") == total.fen


def test_a_biller_that_is_silent_is_left_out_of_paying_together(client: FlaskClient, biller: Channel, resident: User) -> None:
    views = [bills.add(resident, "power", "5110000015"), bills.add(resident, "water-city", "80000015")]
    url = f"/bills/together?account={views[0].account.ref}&account={views[1].account.ref}"
    clock.move(timedelta(minutes=4))
    assert "Asking" in client.get(url).text
    outbox.run_due()
    with transaction() as session:
        newest = sa.select(sa.func.max(BillLookUp.id)).where(BillLookUp.account_ref == views[1].account.ref).scalar_subquery()
        session.execute(sa.update(BillLookUp).where(BillLookUp.id == newest).values(outcome=LookUpOutcome.UNAVAILABLE))
        old = {"fetched_at": clock.now() - timedelta(hours=1)}
        session.execute(sa.update(BillAccount).where(BillAccount.ref == views[1].account.ref).values(old))
    page = client.get(url).text
    assert "is left out" in page
    client.post(url, data={**hidden(page), "pin": PIN})
    assert payments_made() == 1


@pytest.mark.parametrize("query", ["", "?account=", "?account=B-nobody", "?account=%00&account=1"])
def test_nothing_chosen_and_other_peoples_accounts_pay_nothing(client: FlaskClient, biller: Channel, resident: User, query: str) -> None:
    assert client.get(f"/bills/together{query}").status_code in {303, 404}
    assert client.post(f"/bills/together{query}", data={"token": "x" * 20, "method": "wallet"}).status_code in {303, 404}
    assert payments_made() == 0


@pytest.mark.parametrize(
    ("language", "period", "told"),
    [("zh", "2026-10", "2026年10月"), ("en", "2026-10", "Oct 2026"), ("zh", "2026-Q3", "2026-Q3"), ("en", "2026-13", "2026-13")],
)
def test_a_period_is_told_as_people_say_it(app: Flask, language: str, period: str, told: str) -> None:
    with app.test_request_context(headers={"Accept-Language": language}):
        assert period_words(period) == told


@pytest.mark.parametrize("number", ["5110000015", "5110000013"])
def test_no_page_of_a_payment_speaks_in_the_words_of_accountants(
    client: FlaskClient, biller: Channel, resident: User, number: str
) -> None:
    client.set_cookie("locale", "zh")
    view = bills.add(resident, "power", number)
    made = bills.pay(resident, view)
    before = client.get(f"/bills/{made.ref}").text
    outbox.run_due()
    for page in (before, *(client.get(path).text for path in (f"/bills/{made.ref}", f"/bills/{made.ref}/print", "/notices"))):
        assert "销账" not in page
        assert "渠道" not in page
        assert view.due[0].period not in page


def test_what_is_somebody_elses_is_not_there(client: FlaskClient, biller: Channel, make: Factories, resident: User) -> None:
    other = make.user()
    fund(other, 100_000)
    view = bills.add(other, "power", "5110000015")
    made = bills.pay(other, view)
    theirs = f"/bills/accounts/{view.account.ref}"
    for path in (theirs, f"{theirs}/pay", f"/bills/{made.ref}", f"/bills/{made.ref}/print", "/bills/accounts/none"):
        assert client.get(path).status_code == 404
    assert client.post(f"/bills/accounts/{view.account.ref}/refresh").status_code == 404
    client.post(f"/bills/accounts/{view.account.ref}/remove")
    assert bills.account(other, view.account.ref).account.removed_at is None


def test_that_somebody_else_pays_is_said_without_their_figures(
    client: FlaskClient, biller: Channel, make: Factories, resident: User
) -> None:
    other = make.user()
    fund(other, 100_000)
    view = bills.add(resident, "mobile", "13800000015")
    made = bills.pay(other, bills.add(other, "mobile", "13800000015"), amount=30_000)
    page = client.get(f"/bills/accounts/{view.account.ref}").text
    assert "Somebody else is paying" in page
    assert made.ref not in page
    assert "Go on to pay" not in page


def test_the_list_costs_the_same_for_one_account_and_for_twelve(client: FlaskClient, biller: Channel, resident: User) -> None:
    bills.add(resident, "power", "5110000015")
    client.get("/bills")
    with counted() as few:
        client.get("/bills")
    for number in range(11):
        bills.add(resident, "water-city", f"6000{number:02d}7")
    with counted() as many:
        assert client.get("/bills").text.count("/bills/accounts/") == 12
    assert len(many) == len(few)


@pytest.mark.parametrize("path", ["/bills", "/bills/add", "/bills/add/power", "/bills/payments", "/bills/B1"])
def test_strangers_are_asked_to_sign_in(client: FlaskClient, biller: Channel, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert "/sign-in" in answer.location


def test_in_chinese_every_page_speaks_chinese(app: Flask, client: FlaskClient, biller: Channel, resident: User) -> None:
    client.set_cookie("locale", "zh")
    view = bills.add(resident, "power", "5110000018")
    made = bills.pay(resident, view, periods=1)
    outbox.run_due()
    for path in ("/bills", "/bills/add", f"/bills/accounts/{view.account.ref}", f"/bills/{made.ref}", "/bills/add/power"):
        main = client.get(path).text.split("<main")[1].split("</main>")[0]
        words = re.findall(r"[A-Za-z]{4,} [a-z]{2,}", re.sub(r"<[^>]+>", " ", main))
        assert words == [], (path, words)


def test_a_wallet_at_its_limit_is_told_before_anybody_tops_it_up(client: FlaskClient, biller: Channel, make: Factories) -> None:
    user = make.user()
    fund(user, 150_000, wallet_class=WalletClass.I)
    pay(user, "earlier", 99_900)
    sign_in(client, user)
    view = bills.add(user, "power", "5110000015")
    page = client.get(f"/bills/accounts/{view.account.ref}/pay?periods=1").text
    assert "Your wallet may pay ¥1.00 more in all" in page
    assert "Topping it up does not help" in page
    assert "Top up the wallet" not in page
    assert re.search(r'value="wallet" disabled', page)
    assert re.search(r'value="stripe" checked', page)


def test_bills_that_one_card_pays_say_that_they_are_paid_together(client: FlaskClient, biller: Channel, resident: User) -> None:
    views = [bills.add(resident, code, number) for code, number in (("power", "5110000015"), ("water-city", "80000015"))]
    url = f"/bills/together?account={views[0].account.ref}&account={views[1].account.ref}"
    client.post(url, data={**hidden(client.get(url).text), "method": "stripe"})
    made = reading().scalars(sa.select(BillPayment).order_by(BillPayment.id)).all()
    total = Money.total(view.total for view in views)
    assert all(f"¥{total} in all" in client.get(f"/bills/{payment.ref}").text for payment in made)
    client.post(f"/bills/{made[0].ref}/give-up")
    assert all("nothing was charged" in client.get(f"/bills/{payment.ref}").text for payment in made)
