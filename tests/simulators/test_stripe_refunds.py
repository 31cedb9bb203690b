"""Refunds through the real SDK."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stripe

from simulators.stripe.harness import Running, running

NO_REDIRECTS = {"automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}}


@pytest.fixture
def account() -> Iterator[Running]:
    with running() as simulator:
        yield simulator


def paid(account: Running, method: str = "pm_card_visa") -> stripe.PaymentIntent:
    return account.client().v1.payment_intents.create(
        {
            "amount": 5_000,
            "currency": "cny",
            "payment_method": method,
            "confirm": True,
            "metadata": {"order": "LN-7"},
            **NO_REDIRECTS,
        }
    )


def test_whole_refund_gives_everything_back_but_the_fee(account: Running) -> None:
    intent = paid(account)
    refund = account.client().v1.refunds.create(
        {
            "payment_intent": intent.id,
            "reason": "requested_by_customer",
            "metadata": {"refund": "3"},
            "expand": ["charge", "balance_transaction"],
        }
    )
    assert (refund.status, refund.amount, refund.reason, refund.metadata["refund"]) == (
        "succeeded",
        5_000,
        "requested_by_customer",
        "3",
    )
    assert (refund.charge.refunded, refund.charge.amount_refunded) == (True, 5_000)
    assert (refund.balance_transaction.amount, refund.balance_transaction.fee) == (-5_000, 0)
    account.inbox.wait_for("charge.refunded")
    types = account.inbox.types()
    assert types.index("refund.created") < types.index("charge.refunded")
    assert account.look("/books")["net"] == -145


def test_part_refunds_add_up_and_never_exceed_the_charge(account: Running) -> None:
    intent = paid(account)
    client = account.client()
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 2_000})
    second = client.v1.refunds.create({"charge": str(intent.latest_charge), "amount": 2_500})
    with pytest.raises(
        stripe.InvalidRequestError, match=r"Refund amount \(¥5\.01\) is greater than unrefunded amount on charge \(¥5\.00\)"
    ):
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 501})
    client.v1.refunds.create({"payment_intent": intent.id})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create({"payment_intent": intent.id})
    assert refusal.value.code == "charge_already_refunded"
    assert [refund.amount for refund in client.v1.refunds.list({"payment_intent": intent.id}).data] == [500, 2_500, 2_000]
    assert client.v1.refunds.retrieve(second.id).amount == 2_500
    expanded = client.v1.charges.retrieve(str(intent.latest_charge), {"expand": ["refunds"]})
    assert len(expanded.refunds.data) == 3
    assert account.look("/books")["refunded"] == 5_000


def test_slow_refund_is_pending_until_it_is_settled(account: Running) -> None:
    intent = paid(account)
    account.control(refunds="async", settle_ms=60_000)
    refund = account.client().v1.refunds.create({"payment_intent": intent.id})
    assert refund.status == "pending"
    with pytest.raises(stripe.InvalidRequestError):
        account.client().v1.refunds.create({"payment_intent": intent.id})
    account.control("/settle", refund=refund.id)
    assert account.client().v1.refunds.retrieve(refund.id).status == "succeeded"
    updated = account.inbox.wait_for("refund.updated")
    assert updated.data.previous_attributes["status"] == "pending"
    assert account.control("/settle", refund=refund.id)["settled"] is False


def test_failed_refund_returns_the_money_to_the_account(account: Running) -> None:
    intent = paid(account, "pm_card_refundFail")
    account.control(settle_ms=20)
    refund = account.client().v1.refunds.create({"payment_intent": intent.id})
    account.inbox.wait_for("refund.failed")
    failed = account.client().v1.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction", "charge"]})
    assert (failed.status, failed.failure_reason) == ("failed", "lost_or_stolen_card")
    assert (failed.failure_balance_transaction.amount, failed.charge.amount_refunded) == (5_000, 0)
    books = account.look("/books")
    assert (books["refunded"], books["net"]) == (0, 4_855)


def test_the_account_gives_money_back_by_its_own_hand_with_or_without_telling(account: Running) -> None:
    intent = paid(account)
    made = account.control("/refund", payment_intent=intent.id, amount=700, reason="requested_by_customer", metadata={"order": "LN-7"})
    assert account.inbox.wait_for("refund.created").data.object.id == made["id"]
    silent = account.control("/refund", payment_intent=intent.id, amount=300, event=False)
    listed = account.client().v1.refunds.list({"payment_intent": intent.id}).data
    assert [(refund.id, refund.amount, refund.metadata.to_dict()) for refund in listed] == [
        (silent["id"], 300, {}), (made["id"], 700, {"order": "LN-7"}),
    ]  # fmt: skip
    told = {event.data.object.id for event in account.client().v1.events.list({"type": "refund.created"}).data}
    assert told == {made["id"]}


def test_a_refund_waits_for_balance_until_it_is_decided(account: Running) -> None:
    intent = paid(account)
    account.control(refunds="no_balance", settle_ms=1)
    refund = account.client().v1.refunds.create({"payment_intent": intent.id, "amount": 700})
    assert (refund.status, refund.pending_reason) == ("pending", "insufficient_funds")
    assert account.control("/settle", refund=refund.id)["settled"] is True
    assert account.client().v1.refunds.retrieve(refund.id).status == "succeeded"


def test_a_refund_that_succeeded_may_be_sent_back_by_the_bank(account: Running) -> None:
    intent = paid(account)
    refund = account.client().v1.refunds.create({"payment_intent": intent.id, "amount": 700})
    assert account.control("/settle", refund=refund.id, outcome="failed")["settled"] is True
    assert account.inbox.wait_for("refund.failed").data.object.id == refund.id
    assert account.client().v1.charges.retrieve(str(refund.charge)).amount_refunded == 0


def test_above_what_is_left_the_account_refuses_as_stripe_does(account: Running) -> None:
    intent = paid(account)
    account.control("/refund", payment_intent=intent.id, amount=4_000)
    for amount, code, words in ((1_001, None, "greater than unrefunded amount on charge"), (None, None, None)):
        if amount is None:
            account.control("/refund", payment_intent=intent.id)
            amount, code, words = 1, "charge_already_refunded", "has already been refunded"
        with pytest.raises(stripe.InvalidRequestError, match=words) as refusal:
            account.client().v1.refunds.create({"payment_intent": intent.id, "amount": amount})
        assert refusal.value.code == code


def test_books_group_by_the_shops_references(account: Running) -> None:
    first, second = paid(account), paid(account)
    account.client().v1.refunds.create({"payment_intent": first.id, "amount": 700, "metadata": {"order": "LN-7"}})
    books = account.look("/books", reference="order")
    assert books["by_reference"]["LN-7"] == {"charged": 10_000, "refunded": 700, "disputed": 0, "charges": 2, "refunds": 1}
    assert books["refunds_by_reference"] == {"LN-7": 700}
    assert account.look("/books")["by_reference"][second.id]["charged"] == 5_000


def test_metadata_of_a_refund_can_be_changed_and_nothing_else(account: Running) -> None:
    intent = paid(account)
    client = account.client()
    refund = client.v1.refunds.create({"payment_intent": intent.id, "metadata": {"a": "1", "b": "2"}})
    changed = client.v1.refunds.update(refund.id, {"metadata": {"a": "", "c": "3"}})
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.update(refund.id, {"amount": 1})  # type: ignore[typeddict-unknown-key]
    assert refusal.value.code == "parameter_unknown"


def test_payment_that_did_not_succeed_has_nothing_to_refund(account: Running) -> None:
    client = account.client()
    intent = client.v1.payment_intents.create({"amount": 5_000, "currency": "cny"})
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge to refund"):
        client.v1.refunds.create({"payment_intent": intent.id})
    with pytest.raises(stripe.InvalidRequestError, match="No such payment_intent"):
        client.v1.refunds.create({"payment_intent": "pi_nothing"})
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"amount": 100})
    assert client.v1.refunds.list().data == []


def test_charge_taken_back_by_the_bank_cannot_be_refunded(account: Running) -> None:
    intent = paid(account)
    account.control("/dispute", payment_intent=intent.id)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        account.client().v1.refunds.create({"payment_intent": intent.id})
    assert refusal.value.code == "charge_disputed"
    assert account.look("/books")["refunded"] == 0
