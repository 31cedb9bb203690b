"""Money that goes back by a person's hand: the list, another way, four eyes, an amount of an order; and one story everywhere."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from shop.kernel import clock
from shop.kernel.db import perform, reading
from shop.kernel.money import Money
from shop.models.accounts import Role, User
from shop.models.orders import PaymentMethod
from shop.models.payments import ProposalState, Refund, RefundMethod, RefundProposal, RefundState
from shop.models.platform import AuditEntry, Notice
from shop.orders import operations as orders
from shop.payments import operations as payments
from shop.platform import outbox
from shop.platform.sure import SURE
from shop.settlement import inquiry
from tests.support.factories import Factories, actor_of
from tests.support.money import balance
from tests.support.people import bearer, sign_in
from tests.support.provider import CardProvider, payment_of
from tests.support.queries import counted
from tests.support.shopping import Shopping

pytestmark = [pytest.mark.usefixtures("books_hold_afterwards"), pytest.mark.both_engines]


class Case:
    """An order of ¥43.60 paid by card."""

    def __init__(self, make: Factories, stripe: CardProvider, price: int = 4_360) -> None:
        self.shop, self.stripe = Shopping(make, merchants=1), stripe
        self.shop.goods("oranges", price=price)
        self.buyer = self.shop.buyer()
        placed = self.shop.buy(self.buyer, {"oranges": 1}, PaymentMethod.STRIPE)
        self.number, self.payment_id, self.part = placed.number, placed.payment_id, f"{placed.number}-1"
        stripe.pay(self.payment_id)
        inquiry.settle(self.payment_id)
        self.intent = str(payment_of(self.payment_id).provider_intent)

    def cancelled_and_failed(self) -> Refund:
        """Cancelled, and the bank did not take the money."""
        perform(orders.cancel, actor_of(self.buyer), self.number)
        outbox.run_due()
        made = rows()[-1]
        perform(payments.settle_refund, made.id, False, failure_code="lost_or_stolen_card")
        self.stripe.account.control("/settle", refund=made.provider_ref, outcome="failed")
        return rows()[-1]


@pytest.fixture
def case(make: Factories, stripe: CardProvider) -> Case:
    return Case(make, stripe)


def rows() -> list[Refund]:
    reading().rollback()
    return list(reading().scalars(sa.select(Refund).order_by(Refund.id)))


def proposals() -> list[RefundProposal]:
    reading().rollback()
    return list(reading().scalars(sa.select(RefundProposal).order_by(RefundProposal.id)))


def deeds(action: str) -> list[AuditEntry]:
    reading().rollback()
    return list(reading().scalars(sa.select(AuditEntry).where(AuditEntry.action == action)))


def told_to(user: User) -> list[str]:
    reading().rollback()
    return list(reading().scalars(sa.select(Notice.kind).where(Notice.user_id == user.id).order_by(Notice.id)))


def staff(make: Factories, client: FlaskClient, role: Role = Role.OPERATOR) -> User:
    user = make.user()
    make.grant(user, role)
    sign_in(client, user, second_factor=True)
    return user


def press(client: FlaskClient, path: str, **fields: str) -> str:
    """Send a form and say yes when asked; what is shown in the end."""
    answer = client.post(path, data=fields, follow_redirects=True)
    found = re.search(r'name="sure" value="([0-9a-f]{32})"', answer.text)
    if found and answer.request.method == "POST":
        answer = client.post(path, data={**fields, SURE: found[1]}, follow_redirects=True)
    return answer.text


def test_what_did_not_arrive_is_listed_with_its_age_and_on_todays_page(case: Case, make: Factories, client: FlaskClient) -> None:
    failed = case.cancelled_and_failed()
    staff(make, client)
    page = client.get("/admin/refunds").text
    assert all(word in page for word in (failed.ref, case.number, "¥43.60", "Did not arrive", "lost_or_stolen_card", "0 hours"))
    assert "Money that has not gone back" in client.get("/admin/").text


@pytest.mark.parametrize(
    ("way", "method", "state", "notice"),
    [
        ("card", RefundMethod.STRIPE, RefundState.REQUESTED, "payment.refund_sent_again"),
        ("wallet", RefundMethod.WALLET, RefundState.SUCCEEDED, "payment.refund_to_wallet"),
    ],
)
def test_it_goes_on_once_by_either_way_however_often_pressed(
    case: Case, make: Factories, client: FlaskClient, way: str, method: RefundMethod, state: RefundState, notice: str
) -> None:
    failed = case.cancelled_and_failed()
    person, before = staff(make, client), balance(f"wallet:{case.buyer.id}")
    assert "goes back" in press(client, f"/admin/refunds/{failed.ref}/again", way=way)
    press(client, f"/admin/refunds/{failed.ref}/again", way=way)
    again = client.post(f"/admin/refunds/{failed.ref}/again", data={"way": "wallet"}, follow_redirects=True)
    assert "looked after already" in again.text
    first, second = rows()
    assert (first.carried_on, second.replaces_id, second.method, second.state) == (Money(4_360), first.id, method, state)
    assert balance(f"wallet:{case.buyer.id}") - before == (4_360 if way == "wallet" else 0)
    assert told_to(case.buyer)[-1] == notice
    (deed,) = deeds("refund.sent_again")
    assert (deed.actor_id, deed.facts) == (person.id, {"amount": 4_360, "way": method.value})
    outbox.run_due()
    assert (rows()[-1].state, balance("refund_due"), balance("escrow")) == (RefundState.SUCCEEDED, 0, 0)
    assert case.number not in client.get("/admin/refunds").text


def test_by_hand_needs_two_people_and_moves_once(case: Case, make: Factories, client: FlaskClient) -> None:
    failed = case.cancelled_and_failed()
    first = staff(make, client)
    path = f"/admin/refunds/{failed.ref}/transfer"
    fields = {"reason": "the card was lost", "reference": "ICBC-20261130-7", "once": "a"}
    for _click in range(2):
        assert "somebody else" in press(client, path, **fields)
    assert "asked for this already" in press(client, path, **{**fields, "once": "b"})
    (proposal,) = proposals()
    assert (balance("bank"), balance("escrow")) == (0, 4_360)
    agree = f"/admin/proposals/{proposal.id}/agree"
    assert "somebody else" in press(client, agree)
    assert (proposals()[0].state, len(rows())) == (ProposalState.ASKED, 1)
    second = staff(make, client, Role.FINANCE)
    assert "Agreed" in press(client, agree)
    press(client, agree)
    assert "decided this already" in client.post(agree, follow_redirects=True).text
    assert (balance("bank"), balance("escrow"), balance("refund_due")) == (4_360, 0, 0)
    made = rows()[-1]
    assert (made.method, made.state, made.replaces_id) == (RefundMethod.BANK, RefundState.SUCCEEDED, failed.id)
    (asked,), (agreed,) = deeds("refund.proposed"), deeds("refund.agreed")
    assert (asked.actor_id, agreed.actor_id, agreed.facts["asked_by"]) == (first.id, second.id, first.id)
    assert told_to(case.buyer)[-1] == "payment.refund_by_hand"


def test_refused_it_can_be_asked_for_again_or_go_another_way(case: Case, make: Factories, client: FlaskClient) -> None:
    failed = case.cancelled_and_failed()
    staff(make, client)
    path = f"/admin/refunds/{failed.ref}/transfer"
    press(client, path, reason="r", reference="x", once="a")
    assert "Refused" in press(client, f"/admin/proposals/{proposals()[0].id}/refuse")
    press(client, path, reason="r", reference="x", once="b")
    assert [proposal.state for proposal in proposals()] == [ProposalState.REFUSED, ProposalState.ASKED]
    press(client, f"/admin/refunds/{failed.ref}/again", way="wallet")
    staff(make, client, Role.FINANCE)
    assert "looked after already" in press(client, f"/admin/proposals/{proposals()[1].id}/agree")
    assert (proposals()[1].state, balance("bank")) == (ProposalState.ASKED, 0)


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"reason": "", "reference": "x"}, "Please say why"), ({"reason": "why not", "reference": ""}, "reference of the bank transfer")],
)
def test_what_is_missing_is_said_beside_it_and_nothing_typed_is_lost(
    case: Case, make: Factories, client: FlaskClient, fields: dict[str, str], said: str
) -> None:
    failed = case.cancelled_and_failed()
    staff(make, client)
    answer = client.post(f"/admin/refunds/{failed.ref}/transfer", data=fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert all(f'value="{typed}"' in answer.text for typed in fields.values() if typed)
    assert proposals() == []


def test_an_operator_gives_an_amount_of_an_order_back_once(case: Case, make: Factories, client: FlaskClient) -> None:
    person = staff(make, client)
    path = f"/admin/orders/{case.number}/give-back"
    fields = {"part": case.part, "amount": "10.00", "reason": "bruised", "once": "one-form"}
    assert "¥10.00 goes back" in press(client, path, **fields)
    press(client, path, **fields)
    (made,) = rows()
    assert (made.amount, made.sub_order_id is not None, made.reason) == (Money(1_000), True, "bruised")
    (deed,) = deeds("sub_order.refunded")
    assert (deed.actor_id, deed.facts["amount"]) == (person.id, 1_000)
    assert told_to(case.buyer)[-1] == "orders.given_back"
    page = client.get(f"/admin/orders/{case.part}").text
    assert all(word in page for word in ("¥33.60", "bruised", "Part of an order refunded"))


@pytest.mark.parametrize(
    ("amount", "said"),
    [("43.61", "more than is left"), ("0", "enter an amount"), ("ten", "enter an amount"), ("5,80", "without a comma"), ("-1", "enter an")],
)
def test_an_amount_that_cannot_be_is_refused_beside_the_field(
    case: Case, make: Factories, client: FlaskClient, amount: str, said: str
) -> None:
    staff(make, client)
    page = press(client, f"/admin/orders/{case.number}/give-back", part=case.part, amount=amount, reason="because", once="x")
    assert said in page
    assert 'value="because"' in page
    assert rows() == []


def test_more_than_one_person_may_decide_needs_another(make: Factories, stripe: CardProvider, client: FlaskClient) -> None:
    case = Case(make, stripe, price=50_000)
    staff(make, client)
    path = f"/admin/orders/{case.number}/give-back"
    assert "somebody else" in press(client, path, part=case.part, amount="200.01", reason="all bruised", once="x")
    assert (rows(), len(proposals())) == ([], 1)
    assert "¥200.00 goes back" in press(client, path, part=case.part, amount="200", reason="some bruised", once="y")
    staff(make, client, Role.FINANCE)
    assert "Agreed" in press(client, f"/admin/proposals/{proposals()[0].id}/agree")
    assert [made.amount.fen for made in rows()] == [20_000, 20_001]


def test_by_transfer_every_amount_needs_another(case: Case, make: Factories, client: FlaskClient) -> None:
    staff(make, client)
    path = f"/admin/orders/{case.number}/give-back"
    fields = {"part": case.part, "amount": "10", "reason": "no card any more", "by_hand": "1", "once": "x"}
    assert "reference of the bank transfer" in press(client, path, **fields)
    press(client, path, **fields, reference="ICBC-8")
    assert rows() == []
    staff(make, client, Role.FINANCE)
    press(client, f"/admin/proposals/{proposals()[0].id}/agree")
    (made,) = rows()
    assert (made.method, made.state, balance("bank"), balance("escrow")) == (RefundMethod.BANK, RefundState.SUCCEEDED, 1_000, 3_360)


def test_auditors_look_and_others_do_not_come_in(case: Case, make: Factories, client: FlaskClient) -> None:
    failed = case.cancelled_and_failed()
    staff(make, client, Role.AUDITOR)
    for path in ("/admin/refunds", f"/admin/orders/{case.number}"):
        page = client.get(path)
        assert page.status_code == 200
        assert "/again" not in page.text
        assert "/give-back" not in page.text
    posts = (f"/admin/refunds/{failed.ref}/again", f"/admin/refunds/{failed.ref}/transfer", f"/admin/refunds/{failed.ref}/cover",
             f"/admin/orders/{case.number}/give-back", "/admin/proposals/1/agree")  # fmt: skip
    assert {client.post(path).status_code for path in posts} == {403}
    sign_in(client, case.buyer)
    assert {client.get(path).status_code for path in ("/admin/refunds", f"/admin/orders/{case.number}")} == {403}


def test_an_order_is_found_by_its_number_or_one_of_its_parts(case: Case, make: Factories, client: FlaskClient) -> None:
    staff(make, client)
    for said in (case.number, case.part, case.number.lower()):
        assert client.get("/admin/orders", query_string={"number": said}).location.endswith(case.number)
    assert "no order with this number" in client.get("/admin/orders?number=L1", follow_redirects=True).text
    assert client.get("/admin/orders/L1").status_code == 404
    assert client.post("/admin/proposals/4711/agree").status_code == 404
    assert client.post("/admin/refunds/R1/again").status_code == 404


def arrived(case: Case) -> None:
    perform(orders.cancel, actor_of(case.buyer), case.number)
    outbox.run_due()


def on_its_way(case: Case) -> None:
    perform(orders.cancel, actor_of(case.buyer), case.number)


def failed(case: Case) -> None:
    case.cancelled_and_failed()


def there_and_here(case: Case) -> None:
    case.stripe.account.control("/refund", payment_intent=case.intent, amount=1_000)
    perform(orders.cancel, actor_of(case.buyer), case.number)
    inquiry.know_refunds(case.payment_id)
    case.stripe.account.control(refunds="no_balance")
    outbox.run_due()


STORIES: dict[str, tuple[Any, dict[str, int], str]] = {
    "arrived": (arrived, {"arrived_minor": 4_360, "on_the_way_minor": 0, "held_minor": 0}, "¥43.60 given back"),
    "on its way": (on_its_way, {"arrived_minor": 0, "on_the_way_minor": 4_360, "held_minor": 0}, "¥43.60 on its way back"),
    "did not arrive": (
        failed, {"arrived_minor": 0, "on_the_way_minor": 0, "held_minor": 4_360}, "¥43.60 did not arrive yet, we are looking after it",
    ),
    "ten at the provider's side": (
        there_and_here, {"arrived_minor": 1_000, "on_the_way_minor": 3_360, "held_minor": 0},
        "¥10.00 given back · ¥33.60 on its way back",
    ),
}  # fmt: skip


@pytest.mark.parametrize("story", STORIES)
def test_every_place_tells_the_same(case: Case, make: Factories, client: FlaskClient, story: str) -> None:
    happens, sums, words = STORIES[story]
    happens(case)
    tells_the_same(case, make, client, sums, words)


def tells_the_same(case: Case, make: Factories, client: FlaskClient, sums: dict[str, int], words: str) -> None:
    ref = payment_of(case.payment_id).ref
    sign_in(client, case.buyer)
    for path in (f"/orders/{case.number}", "/orders", f"/payments/{ref}"):
        page = client.get(path).text
        assert words in page, path
        told = set(re.findall(r"¥[\d.]+ (?:given back|on its way back|did not arrive yet)", page))
        assert all(one in words for one in told), (path, told)
    head = bearer(make.app, case.buyer)
    assert client.get(f"/api/v1/orders/{case.number}", headers=head).json["money_back"] == sums  # type: ignore[index]
    assert client.get("/api/v1/orders", headers=head).json["items"][0]["money_back"] == sums  # type: ignore[index]
    assert client.get(f"/api/v1/payments/{ref}", headers=head).json["money_back"] == sums  # type: ignore[index]
    staff(make, client)
    assert words in client.get(f"/admin/orders/{case.number}").text


@pytest.mark.parametrize("end", ["arrived", "did not arrive"])
def test_late_money_after_a_cancel_is_told_the_same_everywhere(
    make: Factories, stripe: CardProvider, client: FlaskClient, end: str
) -> None:
    case = object.__new__(Case)
    case.shop, case.stripe = Shopping(make, merchants=1), stripe
    case.shop.goods("oranges", price=4_360)
    case.buyer = case.shop.buyer()
    placed = case.shop.buy(case.buyer, {"oranges": 1}, PaymentMethod.STRIPE)
    case.number, case.payment_id = placed.number, placed.payment_id
    stripe.pay(case.payment_id)
    perform(orders.cancel, actor_of(case.buyer), case.number)
    sign_in(client, case.buyer)
    assert "Nothing was paid for this order." in client.get(f"/orders/{case.number}").text
    outbox.run_due()
    if end == "arrived":
        tells_the_same(case, make, client, STORIES["arrived"][1], STORIES["arrived"][2])
    else:
        perform(payments.settle_refund, rows()[-1].id, False, failure_code="expired_or_canceled_card")
        tells_the_same(case, make, client, STORIES["did not arrive"][1], STORIES["did not arrive"][2])
    sign_in(client, case.buyer)
    page = client.get(f"/orders/{case.number}").text
    assert "Your money came too late." in page
    assert "Nothing was paid for this order." not in page
    assert case.number in client.get("/orders?tab=refunded").text


def test_the_list_of_money_asks_as_much_for_many_as_for_one(case: Case, make: Factories, client: FlaskClient) -> None:
    case.cancelled_and_failed()
    staff(make, client)
    client.get("/admin/refunds")
    with counted() as one:
        client.get("/admin/refunds")
    first = rows()[0]
    for number in range(20):
        make.save(
            Refund(
                ref=f"R{number}", community_id=first.community_id, payment_id=first.payment_id, cause=f"planted:{number}",
                amount=Money(1), state=RefundState.FAILED, reason="r", method=RefundMethod.STRIPE, created_at=clock.now(),
                settled_at=clock.now(), handed_over_at=clock.now(),
            )
        )
    with counted() as many:
        client.get("/admin/refunds")
    assert len(many) == len(one)
    with make.app.app_context():
        perform(_forget)


def _forget(session: sa.orm.Session) -> None:
    session.execute(sa.delete(Refund).where(Refund.cause.startswith("planted")))


