"""Wallets: opening, paying within limits, the PIN and its guard."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from shop.accounts import operations as accounts
from shop.accounts.errors import WrongCode
from shop.accounts.queries import actor_of_token
from shop.accounts.rules import code_digits, person
from shop.kernel import clock, memory
from shop.kernel.db import perform, reading, transaction
from shop.kernel.errors import Forbidden, Invalid
from shop.kernel.money import Money
from shop.models.accounts import CodePurpose, SessionKind, User
from shop.models.platform import AuditEntry, Notice
from shop.models.wallet import TransferKind, Wallet, WalletClass, WalletState
from shop.platform.actor import COMMAND, Grant
from shop.wallet import ledger, operations, pin, queries, statements
from shop.wallet.errors import (
    ClearedPinLimitExceeded,
    InsufficientFunds,
    LifetimeLimitExceeded,
    PinAlreadySet,
    PinLocked,
    PinNotSet,
    PinTooEasy,
    ProofMissing,
    StepUpRequired,
    VerificationRequired,
    WalletFrozen,
    WalletNotOpen,
    WrongPin,
    YearLimitExceeded,
)
from shop.wallet.operations import PinResult
from shop.wallet.rules import Proof
from tests.support.factories import Factories, actor_of
from tests.support.money import PIN, balance, fund, move, pay
from tests.support.people import open_session
from tests.support.queries import counted


def row(user: User) -> Wallet:
    reading().rollback()
    return reading().get_one(Wallet, user.id)


def test_a_wallet_is_opened_in_the_class_the_verification_allows(make: Factories) -> None:
    for level, wallet_class in {1: WalletClass.I, 2: WalletClass.II, 3: WalletClass.III}.items():
        user = make.user(level=level)
        perform(operations.open_wallet_for, actor_of(user))
        assert (row(user).wallet_class, balance(f"wallet:{user.id}")) == (wallet_class, 0)


def test_opening_twice_is_one_wallet(make: Factories) -> None:
    user = make.user()
    for _again in range(2):
        perform(operations.open_wallet_for, actor_of(user))
    assert reading().scalar(sa.select(sa.func.count()).select_from(Wallet)) == 1


def test_who_is_not_verified_gets_no_wallet(make: Factories) -> None:
    user = make.user(level=0)
    with pytest.raises(VerificationRequired):
        perform(operations.open_wallet_for, actor_of(user))
    assert queries.find(reading(), user.id) is None


def test_a_higher_verification_raises_the_class_once(make: Factories) -> None:
    user = make.user(level=1)
    fund(user, wallet_class=WalletClass.I)
    risen = actor_of(user, verification_level=3)
    assert perform(operations.upgrade, risen)
    assert not perform(operations.upgrade, risen)
    assert not perform(operations.upgrade, actor_of(user, verification_level=2)), "a class is never lowered"
    assert row(user).wallet_class is WalletClass.III


def test_paying_takes_from_the_wallet(make: Factories) -> None:
    user = make.user()
    fund(user, 5_000)
    assert pay(user, "sub_order:1:paid", 1_280)
    assert not pay(user, "sub_order:1:paid", 1_280)
    assert (balance(f"wallet:{user.id}"), balance("escrow")) == (3_720, 1_280)


def test_paying_costs_four_statements(make: Factories) -> None:
    user = make.user()
    fund(user, 5_000)
    for number in range(2):
        pay(user, f"warm:{number}", 1)
    with counted() as seen:
        pay(user, "counted", 100)
    assert len(seen) == 4, seen


@pytest.mark.parametrize("proof", [None, Proof(999_999)])
def test_nothing_is_paid_without_the_owners_pin(make: Factories, proof: Proof | None) -> None:
    user = make.user()
    fund(user, 5_000)
    with pytest.raises(ProofMissing):
        perform(operations.pay, actor_of(user), cause="x", credit="escrow", amount=Money(1), subject=("test", 1), proof=proof)
    assert balance(f"wallet:{user.id}") == 5_000


def test_a_frozen_wallet_pays_nothing(make: Factories) -> None:
    user = make.user()
    fund(user, 5_000)
    with transaction() as session:
        session.get_one(Wallet, user.id).state = WalletState.FROZEN
    with pytest.raises(WalletFrozen):
        pay(user, "x", 1)
    assert balance(f"wallet:{user.id}") == 5_000


def test_who_has_no_wallet_pays_nothing(make: Factories) -> None:
    with pytest.raises(WalletNotOpen):
        pay(make.user(), "x", 1)


def test_more_than_the_balance_is_refused(make: Factories) -> None:
    user = make.user()
    fund(user, 100)
    with pytest.raises(InsufficientFunds):
        pay(user, "x", 101)
    assert balance(f"wallet:{user.id}") == 100


def test_class_i_has_a_limit_for_its_whole_life(make: Factories) -> None:
    user = make.user(level=1)
    fund(user, 200_000, wallet_class=WalletClass.I)
    pay(user, "a", 98_000)
    clock.move(timedelta(days=400))
    with pytest.raises(LifetimeLimitExceeded):
        pay(user, "b", 3_000)
    assert pay(user, "c", 2_000)


def test_class_ii_has_a_limit_for_each_calendar_year(make: Factories) -> None:
    user = make.user()
    wallet = fund(user, 20_000_000)
    year_end = clock.at(clock.today().replace(month=12, day=31), clock.local(clock.now()).time()) - clock.now()
    move("earlier", wallet, "escrow", 9_999_000)
    clock.move(timedelta(days=1) if year_end > timedelta(days=2) else timedelta(0))
    with pytest.raises(YearLimitExceeded):
        pay(user, "a", 2_000)
    clock.move(year_end + timedelta(days=1))
    assert pay(user, "b", 2_000)


def test_the_pin_alone_pays_a_thousand_yuan_a_day(make: Factories) -> None:
    user = make.user()
    fund(user, 1_000_000)
    pay(user, "a", 95_000)
    with pytest.raises(StepUpRequired):
        pay(user, "b", 6_000)
    assert pay(user, "c", 6_000, has_code=True)
    clock.move(timedelta(days=1))
    assert pay(user, "d", 100_000)


def test_bills_count_like_purchases_and_refunds_give_no_limit_back(make: Factories) -> None:
    user = make.user()
    wallet = fund(user, 1_000_000)
    move("bill", wallet, "bill_hold", 60_000, kind=TransferKind.BILL_HOLD)
    move("refund", "escrow", wallet, 60_000, kind=TransferKind.REFUND)
    with pytest.raises(StepUpRequired):
        pay(user, "a", 41_000)
    assert pay(user, "b", 40_000)


def test_the_right_pin_is_a_proof(make: Factories) -> None:
    user = make.user()
    fund(user)
    assert pin.require(actor_of(user), PIN) == Proof(user.id, has_code=False)


def test_a_pin_is_not_kept_in_clear(make: Factories) -> None:
    first, second = make.user(), make.user()
    fund(first)
    fund(second)
    kept = {str(row(user).pin_hash) for user in (first, second)}
    assert len(kept) == 2
    assert not any(PIN in text for text in kept)


def test_five_wrong_pins_lock_the_wallet_for_three_hours(make: Factories) -> None:
    user = make.user()
    fund(user)
    actor = actor_of(user)
    for left in (4, 3, 2, 1):
        with pytest.raises(WrongPin) as refused:
            pin.require(actor, "135790")
        assert refused.value.details["left"] == left
    with pytest.raises(PinLocked):
        pin.require(actor, "135790")
    with pytest.raises(PinLocked):
        pin.require(actor, PIN)
    clock.move(timedelta(hours=3, seconds=1))
    assert pin.require(actor, PIN)
    assert reading().scalar(sa.select(sa.func.count()).where(AuditEntry.action == "wallet.pin_locked")) == 1


def test_the_right_pin_forgives_earlier_tries(make: Factories) -> None:
    user = make.user()
    fund(user)
    for wrong in ["135790"] * 4 + [PIN] + ["135790"] * 4:
        perform(operations.check_pin, actor_of(user), wrong)
    assert perform(operations.check_pin, actor_of(user), PIN).result is PinResult.RIGHT


def test_tries_of_another_day_do_not_count(make: Factories) -> None:
    user = make.user()
    fund(user)
    for _again in range(4):
        perform(operations.check_pin, actor_of(user), "135790")
    clock.move(timedelta(hours=24, seconds=1))
    assert perform(operations.check_pin, actor_of(user), "135790").tries_left == 4


def test_a_cleared_pin_lets_the_owner_choose_another_and_opens_the_lock(make: Factories) -> None:
    user = make.user()
    fund(user, 10_000)
    for _try in range(5):
        perform(operations.check_pin, actor_of(user), "975310")
    assert perform(operations.clear_pin, COMMAND, user.id, "identity card seen at the point")
    assert not perform(operations.clear_pin, COMMAND, user.id, "identity card seen at the point")
    assert (row(user).pin_hash, row(user).locked_until) == (None, None)
    [told] = reading().scalars(sa.select(Notice).where(Notice.user_id == user.id, Notice.kind == "wallet.pin_cleared"))
    assert told.link == "/wallet/pin"
    recorded = reading().scalars(sa.select(AuditEntry).where(AuditEntry.action == "wallet.pin_cleared")).all()
    assert [(entry.subject_id, entry.facts["reason"]) for entry in recorded] == [(user.id, "identity card seen at the point")]
    perform(operations.set_pin, actor_of(user), "135791")
    assert perform(operations.check_pin, actor_of(user), "135791").result is PinResult.RIGHT


def test_a_cleared_pin_signs_its_owner_out_everywhere_and_nobody_else(make: Factories) -> None:
    user, neighbour = make.user(), make.user()
    fund(user, 10_000)
    mine, theirs = open_session(user, SessionKind.WEB), open_session(neighbour, SessionKind.WEB)
    perform(operations.clear_pin, COMMAND, user.id, "identity card seen at the point")
    assert actor_of_token(reading(), mine, SessionKind.WEB) is None
    assert actor_of_token(reading(), theirs, SessionKind.WEB) is not None


def test_a_pin_is_cleared_by_nobody_but_a_command_with_a_reason(make: Factories) -> None:
    user = make.user()
    fund(user, 10_000)
    operator = actor_of(make.user(), Grant("operator"))
    for actor, reason, refusal in ((actor_of(user), "mine", Forbidden), (operator, "asked", Forbidden), (COMMAND, " ", Invalid)):
        with pytest.raises(refusal):
            perform(operations.clear_pin, actor, user.id, reason)
    with pytest.raises(WalletNotOpen):
        perform(operations.clear_pin, COMMAND, make.user().id, "identity card seen")
    assert row(user).pin_hash is not None


def test_the_command_clears_a_pin_and_says_when_there_is_none(app: Flask, make: Factories) -> None:
    user = make.user()
    fund(user, 10_000)
    run = app.test_cli_runner().invoke
    for told in ("cleared", "there was no PIN"):
        assert run(args=["wallet", "clear-pin", user.phone, "--reason", "identity card seen"]).output.strip() == told
    assert row(user).pin_hash is None
    for phone in ("12345", "13812345678", make.user().phone):
        assert run(args=["wallet", "clear-pin", phone, "--reason", "identity card seen"]).exit_code == 1


def test_for_a_day_after_a_cleared_pin_no_code_lifts_the_limit(make: Factories) -> None:
    user = make.user()
    fund(user, 1_000_000)
    perform(operations.clear_pin, COMMAND, user.id, "identity card seen")
    with pytest.raises(ClearedPinLimitExceeded):
        pay(user, "a", 100_100, has_code=True)
    assert pay(user, "b", 100_000, has_code=True)
    clock.move(timedelta(hours=24, seconds=1))
    assert pay(user, "c", 100_100, has_code=True)


def test_a_pin_is_changed_only_by_who_knows_the_old_one(make: Factories) -> None:
    user = make.user()
    fund(user)
    actor = actor_of(user)
    with pytest.raises(PinAlreadySet):
        perform(operations.set_pin, actor, "135790")
    with pytest.raises(PinAlreadySet):
        perform(operations.set_pin, actor, "135790", Proof(user.id + 1))
    assert pin.require(actor, PIN)
    perform(operations.set_pin, actor, "135790", pin.require(actor, PIN))
    assert pin.require(actor, "135790")
    with pytest.raises(WrongPin):
        pin.require(actor, PIN)


def test_an_easy_pin_is_refused_and_nothing_is_set(make: Factories) -> None:
    user = make.user(phone="13800246802")
    fund(user, pin=None)
    for easy in ("111111", "246802"):
        with pytest.raises(PinTooEasy):
            perform(operations.set_pin, actor_of(user), easy)
    assert row(user).pin_hash is None
    with pytest.raises(PinNotSet):
        pin.require(actor_of(user), PIN)


def test_a_pin_needs_a_wallet(make: Factories) -> None:
    actor = actor_of(make.user())
    with pytest.raises(WalletNotOpen):
        perform(operations.set_pin, actor, PIN)
    with pytest.raises(WalletNotOpen):
        perform(operations.check_pin, actor, PIN)


def test_a_statement_lists_newest_first_and_goes_on_where_it_stopped(make: Factories) -> None:
    user = make.user()
    wallet = fund(user, 5_000)
    for number in range(45):
        move(f"entry:{number}", wallet, "escrow", 1 + number)
    move("someone else's", "provider", "escrow", 7)
    found = queries.find(reading(), user.id)
    assert found is not None
    amounts, before = [], None
    while True:
        entries, before = statements.statement(reading(), found.account_id, before=before, limit=20)
        amounts += [entry.amount.fen for entry in entries]
        if before is None:
            break
    assert amounts == [*(-1 - number for number in reversed(range(45))), 5_000]


@pytest.mark.parametrize(
    ("credited", "given_back", "debited", "came_in", "went_out"),
    [
        (50_000, 0, 5_580, 50_000, 5_580),
        (55_580, 5_580, 5_580, 50_000, 0),  # a cancelled order: nothing came in, nothing went out
        (5_580, 5_580, 8_000, 0, 2_420),
        (5_580, 5_580, 0, 5_580, 0),  # for an order of the month before
        (0, 0, 0, 0, 0),
    ],
)
def test_what_was_given_back_is_taken_off_what_went_out(
    credited: int, given_back: int, debited: int, came_in: int, went_out: int
) -> None:
    totals = statements.totals_of(Money(credited), Money(given_back), Money(debited))
    assert (totals.came_in, totals.went_out, totals.given_back) == (Money(came_in), Money(went_out), Money(given_back))
    assert totals.came_in - totals.went_out == Money(credited - debited), "the balance moved by the difference"


def test_a_cancelled_order_is_no_income_of_its_month(make: Factories) -> None:
    user = make.user()
    wallet = fund(user, 10_000)
    move("order", wallet, "escrow", 5_580)
    move("cancelled", "escrow", wallet, 5_580, kind=TransferKind.REFUND)
    found = queries.find(reading(), user.id)
    assert found is not None
    ((_month, totals),) = statements.recent_months(reading(), found.account_id, clock.today(), count=1)
    assert (totals.came_in, totals.went_out, totals.given_back) == (Money(10_000), Money(0), Money(5_580))


def test_month_totals_are_of_the_citys_month(make: Factories) -> None:
    user = make.user()
    wallet = fund(user, 5_000)
    found = queries.find(reading(), user.id)
    assert found is not None
    first, following = statements.month_bounds(clock.today())
    move("last moment", wallet, "escrow", 100, at=following - timedelta(microseconds=1))
    move("next month", wallet, "escrow", 40, at=following)
    move("month before", wallet, "escrow", 3, at=first - timedelta(microseconds=1))
    ((_month, totals),) = statements.recent_months(reading(), found.account_id, clock.today(), count=1)
    assert (totals.came_in, totals.went_out) == (Money(5_000), Money(100))
    entries, _following = statements.statement(reading(), found.account_id, month=clock.today())
    assert [entry.amount.fen for entry in entries] == [-100, 5_000]


def test_a_code_by_text_message_makes_the_proof_stronger(make: Factories) -> None:
    user = make.user()
    fund(user)
    sent = perform(accounts.request_code, user.phone, CodePurpose.STEP_UP, asker=person(user.id))
    code = code_digits(sent.id, sent.nonce)
    with pytest.raises(WrongCode):
        pin.require(actor_of(user), PIN, f"{(int(code) + 1) % 1_000_000:06d}")
    assert pin.require(actor_of(user), PIN, code) == Proof(user.id, has_code=True)
    with pytest.raises(WrongCode):
        pin.require(actor_of(user), PIN, code)


def test_a_code_does_not_help_without_the_pin(make: Factories) -> None:
    user = make.user()
    fund(user)
    sent = perform(accounts.request_code, user.phone, CodePurpose.STEP_UP, asker=person(user.id))
    with pytest.raises(WrongPin):
        pin.require(actor_of(user), "135790", code_digits(sent.id, sent.nonce))
    assert pin.require(actor_of(user), PIN, code_digits(sent.id, sent.nonce)), "the code was not used up"


def test_only_the_verified_are_upgraded(make: Factories) -> None:
    user = make.user(level=1)
    fund(user, wallet_class=WalletClass.I)
    with pytest.raises(VerificationRequired):
        perform(operations.upgrade, actor_of(user, verification_level=0))


def test_remembered_account_ids_stay_within_bounds(make: Factories, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "KEPT_AT_MOST", 2)
    for number in range(4):
        move(f"a:{number}", "provider", fund(make.user()), 5)
        move(f"b:{number}", "provider", "escrow", 5)
    assert balance("escrow") == 20
    assert len(memory.shelf(ledger.KEPT)) <= 5
