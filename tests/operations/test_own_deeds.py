"""Nobody does for themselves what their role lets them do for others: their money, their orders, their account. docs/decisions/0048."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from shop.accounts import operations as accounts
from shop.counter import operations as desk
from shop.fulfilment import operations as fulfilment
from shop.kernel import clock, ids
from shop.kernel.db import perform, reading
from shop.kernel.money import Money
from shop.models.accounts import Role, RoleGrant, User
from shop.models.orders import OrderLine, SubOrder, SubOrderState
from shop.models.payments import Payment, ProposalState, Refund, RefundMethod, RefundProposal, RefundState
from shop.models.pickup import Cycle, Pass
from shop.models.wallet import Wallet
from shop.payments import operations as payments
from shop.payments.errors import AlreadyLookedAfter, OwnProposal
from shop.pickup import passes
from shop.platform.actor import Actor, Grant
from shop.platform.own import OwnDeed
from shop.settlement import giving_back
from shop.wallet import operations as wallet
from tests.support.counter import Counter, state_of
from tests.support.factories import Factories, actor_of
from tests.support.money import balance
from tests.support.people import sign_in
from tests.support.shopping import count

AT_MOST = Money(10_000)


@pytest.fixture
def counter(make: Factories) -> Counter:
    made = Counter(make, merchants=1)
    made.goods("rice", price=2_000)
    made.goods("fish", price=1_500, by_weight=True, grams=500)
    return made


def operator(user: User) -> Actor:
    return actor_of(user, Grant("operator"))


def clerk(counter: Counter, user: User) -> Actor:
    return actor_of(user, Grant("merchant_clerk", merchant_id=counter.merchants[0].id))


def keeper(counter: Counter, user: User) -> Actor:
    return actor_of(user, Grant("keeper", pickup_point_id=counter.point.id))


def refused(work: Callable[..., Any], *arguments: Any, **named: Any) -> None:
    """The deed is refused because it is the person's own, and nothing of the shop's has moved."""
    before = standing()
    with pytest.raises(OwnDeed):
        perform(work, *arguments, **named)
    assert standing() == before


def standing() -> tuple[Any, ...]:
    reading().rollback()
    money = tuple(balance(code) for code in ("escrow", "refund_due", "bank", "commission", "suspense"))
    states = tuple(reading().execute(sa.select(SubOrder.id, SubOrder.state, SubOrder.refunded_total).order_by(SubOrder.id)).all())
    proposals = tuple(reading().execute(sa.select(RefundProposal.state).order_by(RefundProposal.id)).all())
    return money, states, proposals, count(Refund), count(RoleGrant)


# --- money that goes back ---


def proposed(counter: Counter, buyer: User, asker: Actor) -> RefundProposal:
    part = counter.ordered(buyer, {"rice": 1})[0]
    perform(giving_back.ask_to_give_part_back, asker, part.number, key="a", amount=Money(500), reason="it was broken")
    reading().rollback()
    return reading().scalars(sa.select(RefundProposal).order_by(RefundProposal.id.desc())).first()  # type: ignore[return-value]


def test_neither_who_asked_nor_the_buyer_agrees_to_money_that_goes_back(counter: Counter, make: Factories) -> None:
    buyer, asker, third = counter.buyer(), operator(make.user()), operator(make.user())
    proposal_id = proposed(counter, buyer, asker).id
    refused(giving_back.decide, operator(buyer), proposal_id, agrees=True)
    with pytest.raises(OwnProposal):
        perform(giving_back.decide, asker, proposal_id, agrees=True)
    assert balance(f"wallet:{buyer.id}") == 98_000
    assert perform(giving_back.decide, third, proposal_id, agrees=True)
    assert balance(f"wallet:{buyer.id}") == 98_500


def test_a_buyer_may_refuse_what_somebody_wants_to_give_them(counter: Counter, make: Factories) -> None:
    buyer = counter.buyer()
    proposal_id = proposed(counter, buyer, operator(make.user())).id
    assert not perform(giving_back.decide, operator(buyer), proposal_id, agrees=False)
    reading().rollback()
    assert reading().get_one(RefundProposal, proposal_id).state is ProposalState.REFUSED


def test_a_buyer_of_the_staff_is_offered_no_button_to_agree_with(counter: Counter, make: Factories, client: FlaskClient) -> None:
    buyer, other = counter.buyer(), make.user()
    proposed(counter, buyer, operator(make.user()))
    for person, is_offered in ((buyer, False), (other, True)):
        make.grant(person, Role.FINANCE)
        sign_in(client, person, second_factor=True)
        page = client.get("/admin/refunds").text
        assert ("/agree" in page) is is_offered
        assert ("This is your own money." in page) is not is_offered


def test_nobody_gives_money_of_their_own_order_back_alone(counter: Counter, make: Factories) -> None:
    buyer = counter.buyer()
    part = counter.ordered(buyer, {"rice": 1})[0]
    wish: dict[str, Any] = {"key": "a", "amount": Money(500), "reason": "it was broken", "alone_up_to": AT_MOST}
    refused(giving_back.give_part_back, operator(buyer), part.number, **wish)
    assert perform(giving_back.give_part_back, operator(make.user()), part.number, **wish)


def held_back(counter: Counter, make: Factories, buyer: User) -> Refund:
    """A refund that did not arrive."""
    part = counter.ordered(buyer, {"rice": 1})[0]
    payment = reading().scalars(sa.select(Payment).where(Payment.user_id == buyer.id)).one()
    moment = clock.now()
    made: Refund = make.save(
        Refund(
            ref=ids.secret(), community_id=payment.community_id, payment_id=payment.id, cause="given",
            sub_order_id=part.id, amount=Money(500), state=RefundState.FAILED,
            reason="it was broken", method=RefundMethod.STRIPE, created_at=moment, settled_at=moment, handed_over_at=moment,
        )
    )
    return made


def test_nobody_looks_after_money_of_their_own_that_did_not_arrive(counter: Counter, make: Factories) -> None:
    buyer, other = counter.buyer(), operator(make.user())
    ref = held_back(counter, make, buyer).ref
    refused(giving_back.try_again, operator(buyer), ref, RefundMethod.WALLET)
    refused(payments.cover, operator(buyer), ref)
    with pytest.raises(AlreadyLookedAfter):
        perform(payments.cover, other, ref)
    asked: dict[str, Any] = {"key": "a", "reason": "the card was lost", "reference": "17"}
    assert perform(giving_back.ask_to_transfer, operator(buyer), ref, **asked)
    (proposal_id,) = reading().scalars(sa.select(RefundProposal.id))
    refused(giving_back.decide, operator(buyer), proposal_id, agrees=True)


# --- orders ---


def late(part: SubOrder) -> None:
    arrives_at = reading().scalars(sa.select(Cycle.arrives_at).where(Cycle.id == part.cycle_id)).one()
    clock.move(arrives_at + timedelta(days=2) - (clock.now() - clock.shift()))
    reading().rollback()


def test_nobody_ends_their_own_order(counter: Counter, make: Factories) -> None:
    buyer = counter.buyer()
    part = counter.ordered(buyer, {"rice": 1})[0]
    late(part)
    refused(fulfilment.end_now, operator(buyer), part.number, "it does not come")
    assert perform(fulfilment.end_now, operator(make.user()), part.number, "it does not come") == Money(2_000)


def test_nobody_clears_their_own_goods_off_the_shelf_nor_lets_their_own_pass_run_on(counter: Counter) -> None:
    buyer = counter.buyer()
    visit = counter.ready(buyer, {"rice": 1})
    clock.move(visit.valid_until + timedelta(hours=1) - (clock.now() - clock.shift()))
    number = reading().scalars(sa.select(SubOrder.number).where(SubOrder.user_id == buyer.id)).one()
    refused(fulfilment.clear, keeper(counter, buyer), number, "nobody came")
    refused(passes.extend, keeper(counter, buyer), visit.ref)
    reading().rollback()
    assert reading().get_one(Pass, visit.id).valid_until == visit.valid_until
    assert perform(passes.extend, counter.keeper, visit.ref) > visit.valid_until


def test_who_collected_does_not_take_the_hand_over_back(counter: Counter) -> None:
    buyer = counter.buyer()
    event = counter.event(counter.ready(buyer, {"rice": 1}).code)
    assert perform(desk.hand_over, keeper(counter, buyer), event).outcome == "accepted", "one's own goods may be handed over"
    refused(desk.take_back, keeper(counter, buyer), event.client_id, "the wrong person")
    assert perform(desk.take_back, counter.keeper, event.client_id, "the wrong person") == 1


def test_nobody_of_a_shop_says_that_goods_of_their_own_order_are_not_there(counter: Counter) -> None:
    buyer = counter.buyer()
    part = counter.ordered(buyer, {"rice": 2})[0]
    line = reading().scalars(sa.select(OrderLine.id).where(OrderLine.sub_order_id == part.id)).one()
    mine = clerk(counter, buyer)
    refused(fulfilment.short_line, mine, part.number, line, 1, "one is broken")
    refused(fulfilment.decline, mine, part.number, "it is gone")
    assert perform(fulfilment.short_line, counter.clerks[0], part.number, line, 1, "one is broken").given_back == Money(2_000)
    perform(fulfilment.decline, counter.clerks[0], part.number, "it is gone")
    assert state_of(part) is SubOrderState.SHORT


def test_nobody_weighs_their_own_order_but_may_pack_what_is_not_weighed(counter: Counter) -> None:
    buyer, other = counter.buyer(), counter.buyer()
    fish, rice = counter.ordered(buyer, {"fish": 1})[0], counter.ordered(other, {"rice": 1})[0]
    weights = counter.weights(fish, {"fish": 400})
    refused(fulfilment.pack, clerk(counter, buyer), fish.id, weights, weights)
    assert perform(fulfilment.pack, counter.clerks[0], fish.id, weights, weights).refunded == Money(300)
    assert perform(fulfilment.pack, clerk(counter, other), rice.id).is_new


def test_what_runs_by_itself_is_nobodys_own(counter: Counter) -> None:
    buyer = counter.buyer()
    part = counter.ordered(buyer, {"rice": 1})[0]
    late(part)
    assert perform(fulfilment.end_by_itself, part.id)
    assert state_of(part) is SubOrderState.SHORT


# --- people ---


def test_nobody_gives_themselves_a_role(make: Factories) -> None:
    person = make.user()
    make.grant(person, Role.OPERATOR)
    refused(accounts.grant_role, operator(person), person.phone, Role.FINANCE)
    assert perform(accounts.grant_role, operator(make.user()), person.phone, Role.FINANCE).is_new


def test_a_role_may_be_laid_down_by_who_holds_it(make: Factories) -> None:
    person = make.user()
    make.grant(person, Role.OPERATOR)
    perform(accounts.revoke_role, operator(person), person.phone, Role.OPERATOR)
    assert reading().scalars(sa.select(RoleGrant.revoked_at)).one() is not None


def test_nobody_replaces_their_own_authenticator(make: Factories) -> None:
    person = make.user(totp_secret="JBSWY3DPEHPK3PXP")
    refused(accounts.reset_second_factor, operator(person), person.phone)
    reading().rollback()
    assert reading().get_one(User, person.id).totp_secret == "JBSWY3DPEHPK3PXP"
    assert "otpauth://" in perform(accounts.reset_second_factor, operator(make.user()), person.phone)


def test_nobody_verifies_themselves_or_takes_their_own_pin_away(counter: Counter) -> None:
    person = counter.buyer(level=0)
    refused(accounts.verify, operator(person), person.phone, 3, "identity card seen")
    refused(wallet.clear_pin, operator(person), person.id, "identity card seen")
    reading().rollback()
    assert reading().get_one(User, person.id).verification_level == 0
    assert reading().get_one(Wallet, person.id).pin_hash is not None
